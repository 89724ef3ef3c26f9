//! Text that others chose, made safe to show.
//!
//! A process names itself, and whoever makes an interface names it, with any bytes but NUL. Shown raw, such a name
//! could move the cursor, colour the screen, or reverse the reading order of the line.

use std::borrow::Cow;

/// `text` with everything that is not plainly visible written as an escape: `\n`, `\u{1b}`, `\u{202e}`.
///
/// Backslashes are doubled, so that an escape in the result is always one of ours.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\') {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '"' | '\'' => safe.push(character),
            // Control characters, formatting ones (bidirectional, zero width), unassigned and private ones, and
            // every space that is not the plain one.
            _ => safe.extend(character.escape_debug()),
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_names_stay() {
        for name in ["eth0", "nginx: worker", "a\"b'c", "größe", "网卡"] {
            assert_eq!(sanitize(name), name);
        }
    }

    #[test]
    fn what_could_deceive_is_escaped() {
        for (name, shown) in [
            ("a\nb", "a\\nb"),
            ("\x1b[31mred", "\\u{1b}[31mred"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("x\u{202e}gnp", "x\\u{202e}gnp"),
            ("x\u{2066}y\u{200b}z", "x\\u{2066}y\\u{200b}z"),
            ("\u{7f}\u{feff}", "\\u{7f}\\u{feff}"),
            ("a\\nb", "a\\\\nb"),
            ("no\u{a0}break", "no\\u{a0}break"),
            ("\u{fffd}", "\u{fffd}"),
        ] {
            assert_eq!(sanitize(name), shown);
        }
    }

    proptest! {
        #[test]
        fn nothing_invisible_is_left(name in ".*") {
            let shown = sanitize(&name).into_owned();
            let deceives = |c| matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            prop_assert!(!shown.chars().any(|c| c.is_control() || deceives(c)), "{:?}", shown);
        }
    }
}
