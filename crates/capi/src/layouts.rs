//! The C structures as Rust has them, against Windows' own layout, while this is compiled: for targets whose programs do not
//! run here. `.ci/run` compiles it so for i686; no other build does. `tests/layout.rs` compares the same at run time.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "stops the compiler, and is in no program")]

use crate::raw;

#[path = "../tests/layout/types.rs"]
mod types;

#[cfg(target_pointer_width = "32")]
const FACTS: &str = include_str!("../tests/facts/structs32.tsv");
#[cfg(target_pointer_width = "64")]
const FACTS: &str = include_str!("../tests/facts/structs64.tsv");

const _: () = compare(FACTS.as_bytes());

/// Stops the compiler at the first line that is not so.
const fn compare(facts: &[u8]) {
    let (mut rest, mut compared, mut place) = (after(facts, b'\n'), 0, 0);
    while !rest.is_empty() {
        let line = before(rest, b'\n');
        rest = after(rest, b'\n');
        let (name, fields) = (before(line, b'\t'), after(line, b'\t'));
        let (member, fields) = (before(fields, b'\t'), after(fields, b'\t'));
        let (offset, fields) = (before(fields, b'\t'), after(fields, b'\t'));
        let (size, bits) = (before(fields, b'\t'), after(fields, b'\t'));
        if is_passed_over(name, member, bits) {
            continue;
        }
        // The members of a type mostly have one order.
        let Some(found) = find(name, member, place) else { stop(line) };
        place = found;
        let (_, _, our_offset, our_size, _) = types::OURS[place];
        if number(offset) != our_offset || number(size) != our_size {
            stop(line);
        }
        compared += 1;
    }
    assert!(
        compared == types::OURS.len(),
        "compared with nothing: a type or member that the facts do not have"
    );
}

const fn is_passed_over(name: &[u8], member: &[u8], bits: &[u8]) -> bool {
    let mut place = 0;
    while place < types::OF_HEADERS.len() {
        if equal(name, types::OF_HEADERS[place].as_bytes()) {
            return true;
        }
        place += 1;
    }
    !bits.is_empty() || (equal(name, b"NET_LUID") && equal(member, b"Info")) || equal(member, b"Alignment")
}

/// The place of a member, looked for from a place on.
const fn find(name: &[u8], member: &[u8], from: usize) -> Option<usize> {
    let mut passed = 0;
    while passed < types::OURS.len() {
        let place = (from + passed) % types::OURS.len();
        let ours = types::OURS[place];
        if equal(member, ours.1.as_bytes()) && equal(name, ours.0.as_bytes()) {
            return Some(place);
        }
        passed += 1;
    }
    None
}

const fn stop(line: &[u8]) -> ! {
    match std::str::from_utf8(line) {
        Ok(line) => panic!("{}", line),
        Err(_) => panic!("facts are text"),
    }
}

const fn number(digits: &[u8]) -> usize {
    let (mut number, mut place) = (0, 0);
    while place < digits.len() {
        number = 10 * number + (digits[place] - b'0') as usize;
        place += 1;
    }
    number
}

const fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if one[place] != other[place] {
            return false;
        }
        place += 1;
    }
    true
}

/// What stands in front of the first `end`; all where there is none.
const fn before(text: &[u8], end: u8) -> &[u8] {
    text.split_at(place_of(text, end)).0
}

/// What stands behind it; nothing where there is none.
const fn after(text: &[u8], end: u8) -> &[u8] {
    match text.split_at(place_of(text, end)).1 {
        [_, rest @ ..] => rest,
        [] => &[],
    }
}

const fn place_of(text: &[u8], byte: u8) -> usize {
    let mut place = 0;
    while place < text.len() && text[place] != byte {
        place += 1;
    }
    place
}
