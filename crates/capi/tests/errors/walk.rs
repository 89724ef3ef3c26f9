//! The record of what was provoked.

use crate::support;
use std::collections::{BTreeMap, BTreeSet};

/// An index that no interface has.
pub(super) const NOBODY: u32 = 0x7FFF_FFFF;

/// What the pages say, what is provoked.
pub(super) struct Walk {
    values: BTreeMap<String, u32>,
    pub(super) provoked: BTreeSet<(&'static str, &'static str)>,
}

impl Walk {
    pub(super) fn new() -> Self {
        let constants = support::facts("constants.tsv");
        let numbers = constants
            .iter()
            .filter(|row| ["winerror.h", "ntstatus.h", "ipexport.h"].contains(&row[2].as_str()));
        let mut values: BTreeMap<String, u32> =
            numbers.map(|row| (row[0].clone(), row[1].parse::<i64>().unwrap() as u32)).collect();
        let _ = values.insert("317".to_owned(), 317);
        // Names of the driver pages that are no NTSTATUS symbols, and what stands for them.
        for (name, symbol) in [
            ("STATUS_NOT_ENOUGH_MEMORY", "STATUS_NO_MEMORY"),
            ("STATUS_INVALID_NAME", "STATUS_OBJECT_NAME_INVALID"),
        ] {
            let _ = values.insert(name.to_owned(), values[symbol]);
        }
        Self { values, provoked: BTreeSet::new() }
    }

    pub(super) fn expect(&mut self, function: &'static str, code: &'static str, got: u32) {
        assert_eq!(got, self.values[code], "{function}: not {code}");
        let _ = self.provoked.insert((function, code));
    }

    /// A driver page may call `code` otherwise, as `documented`.
    pub(super) fn expect_as(
        &mut self,
        function: &'static str,
        documented: &'static str,
        code: &'static str,
        got: i32,
    ) {
        assert_eq!(got.cast_unsigned(), self.values[code], "{function}: not {code}");
        let _ = self.provoked.insert((function, documented));
    }
}
