//! Text between C and Rust: UTF-16 in wide strings, UTF-8 in narrow ones, as Linux has them.

/// Writes `text` and a terminator to `target`, cut where it does not fit, never inside a character. The rest is zero.
pub(crate) fn fill_wide(target: &mut [u16], text: &str) {
    target.fill(0);
    let room = target.len().saturating_sub(1);
    let mut used: usize = 0;
    for character in text.chars() {
        let units = character.len_utf16();
        let Some(place) = target.get_mut(used..used + units).filter(|_| used + units <= room) else { break };
        let _ = character.encode_utf16(place);
        used += units;
    }
}

/// As [`fill_wide`], in UTF-8. Gives the length without the terminator.
pub(crate) fn fill_narrow(target: &mut [u8], text: &str) -> usize {
    target.fill(0);
    let room = target.len().saturating_sub(1);
    let fits =
        text.char_indices().map(|(at, character)| at + character.len_utf8()).take_while(|end| *end <= room);
    let used = fits.last().unwrap_or(0);
    if let (Some(place), Some(bytes)) = (target.get_mut(..used), text.as_bytes().get(..used)) {
        place.copy_from_slice(bytes);
    }
    used
}

/// Reads a C string of at most `limit` units before its terminator; `None` if it is longer.
///
/// # Safety
/// `text` points to a string that ends with a zero unit, or has `limit + 1` units. It need not be aligned.
pub(crate) unsafe fn read<U: Copy + Default + PartialEq>(text: *const U, limit: usize) -> Option<Vec<U>> {
    let mut units = Vec::new();
    for position in 0..=limit {
        // SAFETY: no earlier unit was the terminator, and `position` is within the limit.
        let unit = unsafe { text.add(position).read_unaligned() };
        if unit == U::default() {
            return Some(units);
        }
        units.push(unit);
    }
    None
}

/// Writes `units` and a terminator if they fit in `room` units; false if they do not.
///
/// # Safety
/// `target` has `room` units. It need not be aligned.
pub(crate) unsafe fn write<U: Copy + Default>(target: *mut U, room: usize, units: &[U]) -> bool {
    if units.len() >= room {
        return false;
    }
    // SAFETY: the units and one more fit; bytes need no alignment.
    unsafe {
        std::ptr::copy_nonoverlapping(units.as_ptr().cast::<u8>(), target.cast::<u8>(), size_of_val(units));
        target.add(units.len()).write_unaligned(U::default());
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut wide = [1; 4];
        fill_wide(&mut wide, "ab😀");
        assert_eq!(wide, [97, 98, 0, 0], "half of a pair is no character");
        fill_wide(&mut wide, "abcdef");
        assert_eq!(wide, [97, 98, 99, 0]);
        let mut narrow = [1; 4];
        assert_eq!(fill_narrow(&mut narrow, "aäö"), 3);
        assert_eq!(&narrow, "aä\0".as_bytes());
        assert_eq!(fill_narrow(&mut [], "a"), 0);
        fill_wide(&mut [], "a");
    }

    #[test]
    fn strings_are_read_to_their_limit_and_no_further() {
        let odd = [0_u8, b'e', 0, b'0', 0, 0, 0];
        // SAFETY: the string ends inside the array, which it begins at an odd place of.
        let read_wide = unsafe { read(odd.as_ptr().add(1).cast::<u16>(), 8) };
        assert_eq!(read_wide, Some(vec![u16::from(b'e'), u16::from(b'0')]));
        let endless = [b'x'; 5];
        // SAFETY: limit + 1 bytes are there.
        assert_eq!(unsafe { read(endless.as_ptr(), 4) }, None);
    }

    #[test]
    fn a_string_needs_room_for_its_terminator() {
        let mut target = [9_u16; 4];
        // SAFETY: never more room stated than there is.
        unsafe {
            assert!(!write(target.as_mut_ptr(), 0, &[1, 2]));
            assert!(!write(target.as_mut_ptr(), 2, &[1, 2]));
            assert_eq!(target, [9; 4]);
            assert!(write(target.as_mut_ptr(), 3, &[1, 2]));
        }
        assert_eq!(target, [1, 2, 0, 9]);
    }
}
