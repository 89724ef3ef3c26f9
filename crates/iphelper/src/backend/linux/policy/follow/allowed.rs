//! Where packets may go over one guarded interface, kept up route by route.

use super::super::routes::LeadPlace as Place;
use iphelper_netlink::nf_tables::Range;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Several routes of one place cannot be told apart here.
const SEVERAL: u64 = 0;

/// What one route changes cannot be worked out: all routes have to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Unclear;

/// What is to be taken out of a set, and what to be added then.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::backend::linux::policy) struct Exchange {
    pub(in crate::backend::linux::policy) gone: BTreeSet<Range>,
    pub(in crate::backend::linux::policy) added: BTreeSet<Range>,
}

impl Exchange {
    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.added.is_empty()
    }
}

/// The destinations that are allowed over an interface, and by which routes.
#[derive(Clone, Debug, Default)]
pub(super) struct Allowed {
    /// By place, a number that tells one route from another.
    routes: HashMap<Place, u64>,
    /// How many routes lead to each range.
    counts: BTreeMap<Range, u32>,
    /// The same keys in as few ranges as can be: what the set holds, but for [`changes`](Self::changes).
    merged: BTreeMap<u128, u128>,
    changes: Exchange,
}

impl Allowed {
    /// With the ranges that are always allowed, and what the set holds.
    pub(super) fn new(always: &[Range], merged: &[Range]) -> Self {
        Self {
            counts: always.iter().map(|range| (*range, 1)).collect(),
            merged: merged.iter().map(|range| (range.first, range.last)).collect(),
            ..Self::default()
        }
    }

    /// A route of those that `merged` was made of.
    pub(super) fn know(&mut self, place: Place, route: u64) {
        match self.routes.entry(place) {
            std::collections::hash_map::Entry::Occupied(mut known) => {
                let _ = known.insert(SEVERAL);
            }
            std::collections::hash_map::Entry::Vacant(vacant) => {
                let _ = vacant.insert(route.max(1));
                *self.counts.entry(place.range).or_insert(0) += 1;
            }
        }
    }

    /// A route is there. That it was known already is no surprise: it may have been read before it was announced.
    pub(super) fn add(&mut self, place: Place, route: u64) -> Result<(), Unclear> {
        match self.routes.get(&place) {
            Some(known) if *known == route.max(1) => return Ok(()),
            Some(_) => return Err(Unclear),
            None => {}
        }
        let _ = self.routes.insert(place, route.max(1));
        let count = self.counts.entry(place.range).or_insert(0);
        *count += 1;
        if *count == 1 {
            self.merge(place.range);
        }
        Ok(())
    }

    /// A route is gone.
    pub(super) fn remove(&mut self, place: Place, route: u64) -> Result<(), Unclear> {
        match self.routes.get(&place) {
            Some(known) if *known == route.max(1) => {}
            Some(_) => return Err(Unclear),
            None => return Ok(()),
        }
        self.take_out(place);
        Ok(())
    }

    /// Whatever stood at a place was replaced by something else.
    pub(super) fn clear(&mut self, place: Place) -> Result<(), Unclear> {
        match self.routes.get(&place) {
            Some(&SEVERAL) => Err(Unclear),
            Some(_) => {
                self.take_out(place);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn take_out(&mut self, place: Place) {
        let _ = self.routes.remove(&place);
        if let Some(count) = self.counts.get_mut(&place.range) {
            *count -= 1;
            if *count == 0 {
                let _ = self.counts.remove(&place.range);
                self.split(place.range);
            }
        }
    }

    /// Adds a range to the merged ones.
    fn merge(&mut self, range: Range) {
        let (mut first, mut last) = (range.first, range.last);
        // Those that begin before its end, from the last one backwards, as long as they touch it.
        let behind = last.saturating_add(1);
        let touching: Vec<Range> = self
            .merged
            .range(..=behind)
            .rev()
            .map(|(first, last)| Range { first: *first, last: *last })
            .take_while(|other| other.last.saturating_add(1) >= range.first)
            .collect();
        if touching.iter().any(|other| other.first <= first && last <= other.last) {
            return;
        }
        for other in touching {
            (first, last) = (first.min(other.first), last.max(other.last));
            self.drop_merged(other);
        }
        self.add_merged(Range { first, last });
    }

    /// Makes the merged range that a range was part of anew from what is left of it.
    fn split(&mut self, range: Range) {
        let Some((first, last)) = self.merged.range(..=range.first).next_back() else { return };
        let whole = Range { first: *first, last: *last };
        let from = Range { first: whole.first, last: 0 };
        let to = Range { first: whole.last, last: u128::MAX };
        let mut pieces: Vec<Range> = Vec::new();
        for range in self.counts.range(from..=to).map(|(range, _)| range) {
            match pieces.last_mut() {
                Some(last) if range.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => pieces.push(*range),
            }
        }
        if pieces == [whole] {
            return;
        }
        self.drop_merged(whole);
        for piece in pieces {
            self.add_merged(piece);
        }
    }

    fn drop_merged(&mut self, range: Range) {
        let _ = self.merged.remove(&range.first);
        if !self.changes.added.remove(&range) {
            let _ = self.changes.gone.insert(range);
        }
    }

    fn add_merged(&mut self, range: Range) {
        let _ = self.merged.insert(range.first, range.last);
        if !self.changes.gone.remove(&range) {
            let _ = self.changes.added.insert(range);
        }
    }

    /// What the set has to be changed by.
    pub(super) fn changes(&self) -> &Exchange {
        &self.changes
    }

    /// The set was changed.
    pub(super) fn settle(&mut self) {
        self.changes = Exchange::default();
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::routes::merged;
    use super::*;
    use proptest::prelude::*;

    fn place(range: Range, metric: u32) -> Place {
        Place { range, table: 254, tos: 0, metric }
    }

    #[test]
    fn what_is_known_is_no_change_and_what_is_unclear_is_told() {
        let range = Range { first: 10, last: 19 };
        let mut allowed = Allowed::new(&[], &[range]);
        allowed.know(place(range, 1), 7);
        assert_eq!(allowed.add(place(range, 1), 7), Ok(()), "announced after it was read");
        assert_eq!(allowed.add(place(range, 1), 8), Err(Unclear), "another route of that place");
        assert_eq!(allowed.remove(place(range, 1), 8), Err(Unclear));
        assert_eq!(allowed.remove(place(range, 2), 7), Ok(()), "never seen");
        assert!(allowed.changes().is_empty());
        allowed.know(place(range, 1), 8);
        assert_eq!(allowed.remove(place(range, 1), 7), Err(Unclear), "one of several");
        assert_eq!(allowed.clear(place(range, 1)), Err(Unclear));
    }

    #[test]
    fn a_set_is_left_by_the_last_route() {
        let range = Range { first: 10, last: 19 };
        let mut allowed = Allowed::new(&[], &[]);
        allowed.add(place(range, 1), 1).unwrap();
        allowed.add(place(range, 2), 2).unwrap();
        allowed.settle();
        allowed.remove(place(range, 1), 1).unwrap();
        assert!(allowed.changes().is_empty());
        allowed.clear(place(range, 2)).unwrap();
        assert_eq!(allowed.changes().gone.iter().collect::<Vec<_>>(), [&range]);
        allowed.add(place(range, 3), 3).unwrap();
        assert!(allowed.changes().is_empty(), "there and back is no change");
    }

    proptest! {
        /// Whatever comes and goes, the set holds what merging all of it anew gives.
        #[test]
        fn changes_lead_where_a_new_merge_leads(
            start in proptest::collection::vec((0..60_u128, 0..9_u128), 0..8),
            events in proptest::collection::vec((0..60_u128, 0..9_u128, any::<bool>(), any::<bool>()), 0..60),
        ) {
            let always = [Range { first: 50, last: 54 }];
            let range = |(first, len): (u128, u128)| Range { first, last: first + len };
            let mut present: BTreeSet<Range> = start.into_iter().map(range).collect();
            let all = |present: &BTreeSet<Range>| {
                merged(present.iter().copied().chain(always).collect())
            };
            let mut kernel: BTreeSet<Range> = all(&present).into_iter().collect();
            let mut allowed = Allowed::new(&always, &all(&present));
            present.iter().for_each(|range| allowed.know(place(*range, 0), 1));
            for (first, len, comes, writes) in events {
                let range = range((first, len));
                if comes {
                    allowed.add(place(range, 0), 1).unwrap();
                    let _ = present.insert(range);
                } else {
                    allowed.remove(place(range, 0), 1).unwrap();
                    let _ = present.remove(&range);
                }
                if writes {
                    let Exchange { gone, added } = allowed.changes().clone();
                    for range in gone {
                        prop_assert!(kernel.remove(&range), "not in the set: {range:?}");
                    }
                    for range in added {
                        prop_assert!(kernel.insert(range), "in the set already: {range:?}");
                    }
                    allowed.settle();
                    prop_assert_eq!(&kernel, &all(&present).into_iter().collect());
                }
            }
        }
    }
}
