//! Bytes between the members of what a function gave: zero, or what stood there before the call.

use crate::layout::gaps::{gaps, plain};
use crate::layout::types::OURS;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// What is known of a type.
#[derive(Debug, Default)]
struct Known {
    gaps: BTreeSet<usize>,
    /// Of a table: where its rows begin, their size and their gaps.
    rows: Option<(usize, usize, BTreeSet<usize>)>,
}

fn known(type_name: &str) -> Arc<Known> {
    static KNOWN: LazyLock<Mutex<HashMap<String, Arc<Known>>>> = LazyLock::new(Mutex::default);
    let mut all = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let found = all.entry(type_name.to_owned()).or_insert_with(|| {
        let name = plain(type_name);
        let rows = OURS.iter().find(|ours| ours.0 == name && ours.1.eq_ignore_ascii_case("table"));
        let rows = rows.map(|(_, _, at, size, row)| (*at, *size, gaps(&plain(row())).unwrap_or_default()));
        Arc::new(Known { gaps: gaps(&name).unwrap_or_default(), rows })
    });
    Arc::clone(found)
}

/// Whether bytes of this type, or of a table's rows, are no member's.
pub(crate) fn has_gaps(type_name: &str) -> bool {
    let known = known(type_name);
    !known.gaps.is_empty() || known.rows.as_ref().is_some_and(|(.., of_row)| !of_row.is_empty())
}

/// The bytes of a table that was given; none of NULL, and of what has no count of its own.
///
/// # Safety
/// NULL or memory of this type.
pub(super) unsafe fn table_at(table: *const u8, type_name: &str) -> Vec<u8> {
    let Some((at, size, _)) = known(type_name).rows.clone().filter(|_| !table.is_null()) else {
        return Vec::new();
    };
    // SAFETY: the caller's promise: a count, and as many rows.
    unsafe {
        let count = table.cast::<u32>().read() as usize;
        std::slice::from_raw_parts(table, at + count * size).to_vec()
    }
}

/// Fails where a byte of no member is something else; `before` is what stood in the caller's memory.
pub(super) fn check(type_name: &str, before: Option<&[u8]>, now: &[u8]) {
    let left = left(type_name, before, now);
    assert_eq!(left, None, "a byte of {type_name}, which is no member's, is what stood in memory before");
}

/// The first byte of no member that is something else.
pub(crate) fn left(type_name: &str, before: Option<&[u8]>, now: &[u8]) -> Option<usize> {
    let known = known(type_name);
    let (at, size, of_row) = known.rows.clone().unwrap_or_default();
    // Of a table that was not written, or not whole, nothing but what stood there before is seen.
    let count = now.first_chunk().map_or(0, |count| u32::from_ne_bytes(*count) as usize);
    let count = count.min(now.len().saturating_sub(at).checked_div(size).unwrap_or(0));
    let header = known.gaps.iter().copied();
    let rows = (0..count).flat_map(|row| of_row.iter().map(move |gap| at + row * size + gap));
    let is_old = |gap: usize| before.is_some_and(|before| before[gap] == now[gap]);
    header.chain(rows).filter(|gap| *gap < now.len()).find(|gap| now[*gap] != 0 && !is_old(*gap))
}
