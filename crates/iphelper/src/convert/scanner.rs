//! The characters of an address, from left to right.

/// What is still to be read of a text. All that an address is made of is ASCII.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text }
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text
    }

    pub(super) fn at_end(&self) -> bool {
        self.text.is_empty()
    }

    /// Takes this character if it comes next.
    pub(super) fn take(&mut self, character: u8) -> bool {
        let rest = self.text.strip_prefix(char::from(character));
        self.text = rest.unwrap_or(self.text);
        rest.is_some()
    }

    /// Takes the digits of `radix` that come next, any number of them.
    fn digits(&mut self, radix: u32) -> &'a str {
        let end = self.text.find(|c: char| !c.is_digit(radix)).unwrap_or(self.text.len());
        let (digits, rest) = self.text.split_at(end);
        self.text = rest;
        digits
    }

    /// Takes a decimal number without leading zeros, at most `most`.
    pub(super) fn decimal(&mut self, most: u32) -> Option<u32> {
        let digits = self.digits(10);
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        digits.parse().ok().filter(|number| *number <= most)
    }

    /// Takes a number as C writes them: decimal, octal (`0...`) or hexadecimal (`0x...`).
    pub(super) fn number(&mut self) -> Option<u32> {
        let hexadecimal = self.text.strip_prefix("0x").or_else(|| self.text.strip_prefix("0X"));
        let radix = if hexadecimal.is_some() {
            16
        } else if self.text.starts_with('0') {
            8
        } else {
            10
        };
        self.text = hexadecimal.unwrap_or(self.text);
        let digits = self.digits(radix);
        // An 8 in what began as an octal number is a mistake, no end.
        if self.text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        u32::from_str_radix(digits, radix).ok()
    }

    /// Takes a group of an IPv6 address.
    pub(super) fn group(&mut self) -> Option<u16> {
        let digits = self.digits(16);
        if digits.len() > 4 { None } else { u16::from_str_radix(digits, 16).ok() }
    }

    /// Takes two hexadecimal digits; none where there is one, or a third.
    pub(super) fn pair(&mut self) -> Option<u8> {
        let digits = self.digits(16);
        if digits.len() == 2 { u8::from_str_radix(digits, 16).ok() } else { None }
    }

    /// Whether a hexadecimal digit comes next.
    pub(super) fn at_group(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_hexdigit())
    }

    /// Takes `:port` if a colon comes next; `None` for a colon without a port.
    #[allow(clippy::option_option, reason = "a mistake is something else than no port")]
    pub(super) fn port(&mut self) -> Option<Option<u16>> {
        if !self.take(b':') {
            return Some(None);
        }
        let port = self.decimal(u16::MAX.into())?;
        u16::try_from(port).ok().map(Some)
    }
}
