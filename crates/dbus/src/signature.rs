//! Texts that name types.

use crate::Malformed;

/// A signature has one byte for its length.
pub(crate) const LONGEST: usize = 255;
/// Arrays within arrays, and structs within structs, may each be this deep.
const DEEPEST_OF_A_KIND: usize = 32;

/// The length of the first complete type of `signature`.
pub(crate) fn one_type(signature: &[u8]) -> Result<usize, Malformed> {
    if signature.len() > LONGEST {
        return Err(Malformed("a signature is too long"));
    }
    complete(signature, 0, 0)
}

fn complete(signature: &[u8], arrays: usize, structs: usize) -> Result<usize, Malformed> {
    if arrays > DEEPEST_OF_A_KIND || structs > DEEPEST_OF_A_KIND {
        return Err(Malformed("a type is too deep"));
    }
    let rest = |from: usize| signature.get(from..).unwrap_or_default();
    match signature.first() {
        Some(code) if is_basic(*code) || *code == b'v' => Ok(1),
        Some(b'a') if signature.get(1) == Some(&b'{') => {
            if !signature.get(2).is_some_and(|key| is_basic(*key)) {
                return Err(Malformed("a dictionary's key is not of a basic type"));
            }
            let end = 3 + complete(rest(3), arrays + 1, structs + 1)?;
            if signature.get(end) == Some(&b'}') {
                Ok(end + 1)
            } else {
                Err(Malformed("a dictionary's entry has more than two parts"))
            }
        }
        Some(b'a') => Ok(1 + complete(rest(1), arrays + 1, structs)?),
        Some(b'(') => {
            let mut end = 1;
            while signature.get(end) != Some(&b')') {
                end += complete(rest(end), arrays, structs + 1)?;
            }
            if end == 1 { Err(Malformed("a struct without members")) } else { Ok(end + 1) }
        }
        _ => Err(Malformed("an unknown type")),
    }
}

/// Whether a type can be a dictionary's key.
pub(crate) fn is_basic(code: u8) -> bool {
    b"ybnqiuxtdsogh".contains(&code)
}

/// The alignment of a type, by its first letter.
pub(crate) fn alignment(code: u8) -> usize {
    match code {
        b'y' | b'g' | b'v' => 1,
        b'n' | b'q' => 2,
        b'x' | b't' | b'd' | b'(' | b'{' => 8,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_type_is_measured() {
        for (signature, len) in [
            ("y", 1),
            ("ss", 1),
            ("a{sv}i", 5),
            ("a(iiay)", 7),
            ("(i(ss)ay)s", 9),
            ("aai", 3),
            ("a{s(ii)}", 8),
        ] {
            assert_eq!(one_type(signature.as_bytes()), Ok(len), "{signature}");
        }
        for bad in ["", "a", "()", "(i", "{sv}", "a{vs}", "a{sss}", "a{s}", "z", "a{(i)s}", "(}"] {
            assert!(one_type(bad.as_bytes()).is_err(), "{bad}");
        }
        let deep = format!("{}i", "a".repeat(33));
        assert!(one_type(deep.as_bytes()).is_err());
        assert_eq!(one_type(&deep.as_bytes()[1..]), Ok(33));
    }
}
