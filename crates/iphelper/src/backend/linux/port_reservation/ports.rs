//! A set of ports, as the kernel has it and as it reads and prints it.

use crate::port_reservation::PortRange;
use std::fmt::Write as _;

const WORDS: usize = 1 << 10;

/// A bit for each port, port 0 too, which the kernel's list can hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Ports(Box<[u64; WORDS]>);

impl Default for Ports {
    fn default() -> Self {
        Self(Box::new([0; WORDS]))
    }
}

impl Ports {
    pub(super) fn of(ranges: impl IntoIterator<Item = PortRange>) -> Self {
        let mut ports = Self::default();
        for range in ranges {
            ports.insert(range.first(), range.last());
        }
        ports
    }

    /// Reads a list such as `7,8000-8009`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut ports = Self::default();
        for part in text.trim().split(',').filter(|part| !part.is_empty()) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (first.parse().ok()?, last.parse().ok()?);
            if first > last {
                return None;
            }
            ports.insert(first, last);
        }
        Some(ports)
    }

    fn insert(&mut self, first: u16, last: u16) {
        for port in first..=last {
            if let Some(word) = self.0.get_mut(usize::from(port / 64)) {
                *word |= 1 << (port % 64);
            }
        }
    }

    fn contains(&self, port: u16) -> bool {
        self.0.get(usize::from(port / 64)).is_some_and(|word| word >> (port % 64) & 1 == 1)
    }

    fn with(&self, other: &Self, both: impl Fn(u64, u64) -> u64) -> Self {
        let mut result = self.clone();
        for (word, other) in result.0.iter_mut().zip(other.0.iter()) {
            *word = both(*word, *other);
        }
        result
    }

    /// Those of both.
    pub(super) fn union(&self, other: &Self) -> Self {
        self.with(other, |one, other| one | other)
    }

    /// Those that both have.
    pub(super) fn common(&self, other: &Self) -> Self {
        self.with(other, |one, other| one & other)
    }

    /// Those that the other does not have.
    pub(super) fn without(&self, other: &Self) -> Self {
        self.with(other, |one, other| one & !other)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether all of the other are in it.
    pub(super) fn holds(&self, other: &Self) -> bool {
        other.without(self).is_empty()
    }

    /// The list as the kernel prints it.
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        let mut next = 0_u32;
        while let Ok(first) = u16::try_from(next) {
            next += 1;
            if !self.contains(first) {
                continue;
            }
            let mut last = first;
            while let Some(after) = last.checked_add(1).filter(|port| self.contains(*port)) {
                last = after;
            }
            next = u32::from(last) + 1;
            let comma = if text.is_empty() { "" } else { "," };
            let _ = write!(text, "{comma}{first}");
            if last > first {
                let _ = write!(text, "-{last}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_read_and_print_as_the_kernel_has_them() {
        for text in ["", "0", "65535", "0-65535", "1-2,4,63-64,128-65535"] {
            assert_eq!(Ports::parse(text).unwrap().print(), text);
        }
        assert_eq!(Ports::parse("5,4,3\n").unwrap().print(), "3-5");
        for text in ["a", "2-1", "65536", "1-", "-1", "1 2"] {
            assert_eq!(Ports::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn sets_are_sets(one in proptest::collection::btree_set(any::<u16>(), 0..40), other in proptest::collection::btree_set(any::<u16>(), 0..40)) {
            let ports = |set: &std::collections::BTreeSet<u16>| {
                let list: Vec<_> = set.iter().map(ToString::to_string).collect();
                Ports::parse(&list.join(",")).unwrap()
            };
            let (a, b) = (ports(&one), ports(&other));
            prop_assert_eq!(Ports::parse(&a.print()), Some(a.clone()));
            prop_assert_eq!(a.union(&b), ports(&(&one | &other)));
            prop_assert_eq!(a.common(&b), ports(&(&one & &other)));
            prop_assert_eq!(a.without(&b), ports(&(&one - &other)));
            prop_assert_eq!(a.holds(&b), one.is_superset(&other));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Ports::parse(&text);
        }
    }
}
