//! The C structures as Rust has them, member by member, against Windows' own layout.
//!
//! `src/layouts.rs` compares the same while it is compiled, for 32-bit targets.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper_capi::raw;

mod support;
#[path = "layout/types.rs"]
mod types;

#[test]
fn every_member_is_where_windows_has_it() {
    let file = if cfg!(target_pointer_width = "64") { "structs64.tsv" } else { "structs32.tsv" };
    let facts = support::facts(file);
    let mut compared = 0;
    for fact in &facts {
        let [name, member, offset, size, bits] = fact.as_slice() else { panic!("{fact:?}") };
        if types::OF_HEADERS.contains(&name.as_str())
            || !bits.is_empty()
            || (name == "NET_LUID" && member == "Info")
            || member == "Alignment"
        {
            continue;
        }
        let Some((_, _, our_offset, our_size, _)) =
            types::OURS.iter().find(|row| row.0 == name && row.1 == member)
        else {
            panic!("{name}.{member} is not compared");
        };
        assert_eq!(
            (our_offset.to_string(), our_size.to_string()),
            (offset.clone(), size.clone()),
            "{name}.{member}"
        );
        compared += 1;
    }
    assert_eq!(
        compared,
        types::OURS.len(),
        "compared with nothing: a type or member that the facts do not have"
    );
}
