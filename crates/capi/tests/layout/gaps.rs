//! The bytes of a structure that no member has, as the facts of the headers leave them over.

use super::types::OURS;
use std::collections::{BTreeMap, BTreeSet};

const FACTS: &str = if cfg!(target_pointer_width = "64") {
    include_str!("../facts/structs64.tsv")
} else {
    include_str!("../facts/structs32.tsv")
};

/// The gaps of a structure, those of members that are structures themselves among them; `None` for what is none.
pub(crate) fn gaps(name: &str) -> Option<BTreeSet<usize>> {
    let members: Vec<(&str, usize, usize)> = FACTS
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .filter(|fact| fact[0] == name)
        .map(|fact| (fact[1], fact[2].parse().expect("an offset"), fact[3].parse().expect("a size")))
        .collect();
    let size = members.iter().find(|member| member.0 == "__sizeof__")?.2;
    let types: BTreeMap<&str, String> = OURS
        .iter()
        .filter(|ours| ours.0 == name && !ours.4().starts_with('*'))
        .map(|ours| (ours.1, plain(ours.4())))
        .collect();
    let mut gaps: BTreeSet<usize> = (0..size).collect();
    let mut inner = BTreeSet::new();
    for (member, offset, size) in members.into_iter().filter(|member| !member.0.starts_with("__")) {
        gaps.retain(|byte| !(offset..offset + size).contains(byte));
        // A socket address has one of two forms.
        let of_member =
            types.get(member).filter(|name| !name.starts_with("SOCKADDR")).and_then(|name| self::gaps(name));
        inner.extend(of_member.into_iter().flatten().map(|byte| offset + byte));
    }
    gaps.extend(inner);
    Some(gaps)
}

/// Windows' name of a type of one structure, or of an array of one, by Rust's name.
pub(crate) fn plain(type_name: &str) -> String {
    let inner =
        type_name.trim_start_matches(['[', '*']).trim_start_matches("mut ").trim_start_matches("const ");
    let inner = inner.split(';').next().unwrap_or_default();
    let name = inner.rsplit("::").next().unwrap_or_default();
    // As `windows-sys` calls the versions that are meant.
    ["_LH", "_W2KSP1", "_XPSP1", "_XP"].iter().find_map(|of| name.strip_suffix(of)).unwrap_or(name).to_owned()
}
