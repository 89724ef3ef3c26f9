//! Bytes that a kernel sent, for the tests of the readers. The kernel writes host order, so those tests are for
//! little-endian hosts.

use crate::message::{HEADER_LEN, Header, Message};

/// The bytes of a file of `captured/`: hexadecimal text, lines that begin with `#` left out.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let digits: Vec<u32> = lines.flat_map(str::chars).filter_map(|digit| digit.to_digit(16)).collect();
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}

/// A message of type `kind` around `payload`.
pub(crate) fn message(kind: u16, payload: &[u8]) -> Message<'_> {
    let len = u32::try_from(HEADER_LEN + payload.len()).unwrap();
    Message { header: Header { len, kind, flags: 0, sequence: 1, port: 0 }, payload }
}
