//! Bytes to values.

use crate::signature::{alignment, one_type};
use crate::value::Value;
use crate::writer::is_path;
use crate::{DEEPEST, Malformed};

/// An array may have this many bytes (the specification's limit).
const LONGEST_ARRAY: usize = 1 << 26;

/// Bytes of one message; alignment counts from their start.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    big: bool,
}

const SHORT: Malformed = Malformed("it ends early");

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], big: bool) -> Self {
        Self { bytes, at: 0, big }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn align(&mut self, to: usize) -> Result<(), Malformed> {
        let padding = self.at.next_multiple_of(to) - self.at;
        if self.take(padding)?.iter().any(|byte| *byte != 0) {
            return Err(Malformed("padding is not zero"));
        }
        Ok(())
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let end = self.at.checked_add(len).ok_or(SHORT)?;
        let taken = self.bytes.get(self.at..end).ok_or(SHORT)?;
        self.at = end;
        Ok(taken)
    }

    /// The next number of `N` bytes, the least byte first.
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        self.align(N)?;
        let mut bytes = <[u8; N]>::try_from(self.take(N)?).map_err(|_| SHORT)?;
        if self.big {
            bytes.reverse();
        }
        Ok(bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Malformed> {
        self.fixed().map(u32::from_le_bytes)
    }

    fn len(&mut self) -> Result<usize, Malformed> {
        usize::try_from(self.u32()?).map_err(|_| SHORT)
    }

    fn text_of(&mut self, len: usize) -> Result<String, Malformed> {
        let text = self.take(len)?;
        if self.take(1)? != [0] || text.contains(&0) {
            return Err(Malformed("a text does not end where it says"));
        }
        std::str::from_utf8(text).map(str::to_owned).map_err(|_| Malformed("a text is not UTF-8"))
    }

    fn text(&mut self) -> Result<String, Malformed> {
        let len = self.len()?;
        self.text_of(len)
    }

    pub(crate) fn signature(&mut self) -> Result<String, Malformed> {
        let len = self.take(1)?.first().copied().unwrap_or_default();
        self.text_of(usize::from(len))
    }

    /// The values of all types in `signature`.
    pub(crate) fn values(&mut self, signature: &str) -> Result<Vec<Value>, Malformed> {
        let mut rest = signature.as_bytes();
        if rest.len() > crate::signature::LONGEST {
            return Err(Malformed("a signature is too long"));
        }
        let mut values = Vec::new();
        while !rest.is_empty() {
            let (first, more) = rest.split_at_checked(one_type(rest)?).ok_or(SHORT)?;
            values.push(self.value(first, 0)?);
            rest = more;
        }
        Ok(values)
    }

    /// A value of the one type that `signature` is.
    fn value(&mut self, signature: &[u8], depth: usize) -> Result<Value, Malformed> {
        if depth > DEEPEST {
            return Err(Malformed("a value is too deep"));
        }
        let within = |len: usize| signature.get(1..len).unwrap_or_default();
        Ok(match signature.first().copied().unwrap_or_default() {
            b'y' => Value::Byte(self.fixed().map(u8::from_le_bytes)?),
            b'b' => match self.u32()? {
                0 => Value::Bool(false),
                1 => Value::Bool(true),
                _ => return Err(Malformed("a truth value is neither 0 nor 1")),
            },
            b'n' => Value::I16(self.fixed().map(i16::from_le_bytes)?),
            b'q' => Value::U16(self.fixed().map(u16::from_le_bytes)?),
            b'i' => Value::I32(self.fixed().map(i32::from_le_bytes)?),
            b'u' => Value::U32(self.u32()?),
            b'h' => Value::Descriptor(self.u32()?),
            b'x' => Value::I64(self.fixed().map(i64::from_le_bytes)?),
            b't' => Value::U64(self.fixed().map(u64::from_le_bytes)?),
            b'd' => Value::F64(self.fixed().map(f64::from_le_bytes)?),
            b's' => Value::Text(self.text()?),
            b'o' => Value::Path(
                Some(self.text()?).filter(|path| is_path(path)).ok_or(Malformed("no path of an object"))?,
            ),
            b'g' => Value::Signature(self.signature()?),
            b'a' => self.array(within(signature.len()), depth)?,
            b'(' => {
                self.align(8)?;
                Value::Struct(self.members(within(signature.len().saturating_sub(1)), depth)?)
            }
            b'{' => {
                self.align(8)?;
                let members = self.members(within(signature.len().saturating_sub(1)), depth)?;
                let [key, value] =
                    <[Value; 2]>::try_from(members).map_err(|_| Malformed("an entry is no pair"))?;
                Value::Entry(Box::new((key, value)))
            }
            b'v' => {
                let inner = self.signature()?;
                if one_type(inner.as_bytes())? != inner.len() {
                    return Err(Malformed("a variant of no complete type"));
                }
                Value::Variant(Box::new(self.value(inner.as_bytes(), depth + 1)?))
            }
            _ => return Err(Malformed("an unknown type")),
        })
    }

    fn members(&mut self, mut signature: &[u8], depth: usize) -> Result<Vec<Value>, Malformed> {
        let mut members = Vec::new();
        while !signature.is_empty() {
            // An entry's braces stand within an array alone, which `one_type` has seen as a whole.
            let (first, rest) = signature.split_at_checked(one_type(signature)?).ok_or(SHORT)?;
            members.push(self.value(first, depth + 1)?);
            signature = rest;
        }
        Ok(members)
    }

    fn array(&mut self, element: &[u8], depth: usize) -> Result<Value, Malformed> {
        let len = self.len()?;
        if len > LONGEST_ARRAY {
            return Err(Malformed("an array is too long"));
        }
        self.align(alignment(element.first().copied().unwrap_or_default()))?;
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len()).ok_or(SHORT)?;
        let mut items = Vec::new();
        while self.at < end {
            items.push(self.value(element, depth + 1)?);
        }
        if self.at != end {
            return Err(Malformed("an array does not end where it says"));
        }
        Ok(Value::Array(String::from_utf8_lossy(element).into_owned(), items))
    }
}
