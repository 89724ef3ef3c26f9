//! A table of the kernel as its announcements tell it: the rows' bytes, found by their key.

use iphelper_netlink::rtnetlink::table::{self, Applied, RowMessage, Rows, Subject};
use rustc_hash::{FxBuildHasher, FxHashMap};
use std::borrow::Borrow;
use std::cell::Cell;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};

/// Rows as they were last told.
#[derive(Debug)]
pub(super) struct Table {
    subject: Subject,
    slots: HashSet<Slot, FxBuildHasher>,
    /// The number of the present reading of the whole table.
    reading: u8,
    /// How many IPv4 routes each link is used by.
    over: FxHashMap<u32, usize>,
    /// How many IPv4 routes prefer each source address.
    from: FxHashMap<[u8; 4], usize>,
    /// Whether a route has used a next hop object.
    uses_objects: bool,
}

/// The rows of one key, which stands before them. One piece of memory for each, since there may be millions.
#[derive(Debug)]
struct Slot {
    bytes: Box<[u8]>,
    key_len: u8,
    /// The reading of the whole table in which it was seen last.
    seen: Cell<u8>,
}

/// The rows of one key, before and after something has happened.
#[derive(Debug)]
pub(super) struct Step {
    before: Option<Slot>,
    after: Vec<u8>,
}

impl Step {
    pub(super) fn before(&self) -> Rows<'_> {
        self.before.as_ref().map(Slot::rows).unwrap_or_default()
    }

    pub(super) fn after(&self) -> Rows<'_> {
        Rows::new(&self.after)
    }
}

impl Slot {
    fn new(key: &[u8], rows: &[u8], seen: u8) -> Self {
        let key_len = u8::try_from(key.len()).unwrap_or(u8::MAX);
        Self { bytes: [key, rows].concat().into(), key_len, seen: Cell::new(seen) }
    }

    fn key(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.key_len)).unwrap_or_default()
    }

    fn rows(&self) -> Rows<'_> {
        Rows::new(self.bytes.get(usize::from(self.key_len)..).unwrap_or_default())
    }
}

impl Borrow<[u8]> for Slot {
    fn borrow(&self) -> &[u8] {
        self.key()
    }
}

impl Hash for Slot {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialEq for Slot {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Slot {}

impl Table {
    pub(super) fn new(subject: Subject) -> Self {
        Self {
            subject,
            slots: HashSet::default(),
            reading: 0,
            over: FxHashMap::default(),
            from: FxHashMap::default(),
            uses_objects: false,
        }
    }

    pub(super) fn subject(&self) -> Subject {
        self.subject
    }

    /// How many keys have rows.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether a key has rows.
    pub(super) fn has(&self, key: &[u8]) -> bool {
        self.slots.contains(key)
    }

    /// Applies an announcement. What changed, and whether the table is in doubt by it.
    pub(super) fn apply(&mut self, message: &RowMessage<'_>, replay: bool) -> (Option<Step>, bool) {
        let key = message.key.as_bytes();
        let rows = self.slots.get(key).map(Slot::rows).unwrap_or_default();
        if rows.is_empty() && message.gone {
            return (None, false);
        }
        let Applied { rows, doubtful } = table::apply(rows, message, replay);
        (self.set(key, rows), doubtful)
    }

    /// Puts `rows` in the place of those of `key`; what that changed.
    fn set(&mut self, key: &[u8], rows: Vec<u8>) -> Option<Step> {
        let before = self.slots.take(key);
        if let Some(before) = &before {
            self.count(before.rows(), |count| *count = count.saturating_sub(1));
        }
        self.count(Rows::new(&rows), |count| *count += 1);
        if !rows.is_empty() {
            let _ = self.slots.insert(Slot::new(key, &rows, self.reading));
        }
        let same = before.as_ref().map(Slot::rows).unwrap_or_default();
        let same = same.map(Some).chain([None]);
        let now = Rows::new(&rows).map(Some).chain([None]);
        let is_alike = same.zip(now).all(|pair| match pair {
            (Some(one), Some(other)) => table::alike(self.subject, one, other),
            (None, None) => true,
            _ => false,
        });
        (!is_alike).then_some(Step { before, after: rows })
    }

    /// Keeps the numbers of routes by link and by source.
    fn count(&mut self, rows: Rows<'_>, mut change: impl FnMut(&mut usize)) {
        if self.subject != Subject::Route {
            return;
        }
        for row in rows {
            let Some(route) = table::RouteOutline::of(row) else { continue };
            self.uses_objects |= route.uses_object;
            for link in route.links {
                change(self.over.entry(link).or_default());
            }
            if let Some(source) = route.source {
                change(self.from.entry(source).or_default());
            }
        }
    }

    /// Whether an IPv4 route uses the link.
    pub(super) fn is_over(&self, link: u32) -> bool {
        self.over.get(&link).is_some_and(|count| *count != 0)
    }

    /// Whether an IPv4 route prefers the source address.
    pub(super) fn is_from(&self, source: [u8; 4]) -> bool {
        self.from.get(&source).is_some_and(|count| *count != 0)
    }

    pub(super) fn uses_objects(&self) -> bool {
        self.uses_objects
    }

    /// Begins a reading of the whole table.
    pub(super) fn begin(&mut self) {
        self.reading = self.reading.wrapping_add(1);
    }

    /// Takes rows that a reading found, all that stood together in it.
    pub(super) fn found(&mut self, key: &[u8], rows: Vec<u8>) -> Option<Step> {
        let rows = match self.slots.get(key) {
            // Rows of one key that the kernel told apart.
            Some(slot) if slot.seen.get() == self.reading => {
                let mut all = Vec::new();
                slot.rows().chain(Rows::new(&rows)).for_each(|row| Rows::push(&mut all, row));
                all
            }
            _ => rows,
        };
        self.set(key, rows)
    }

    /// Ends a reading: gives what it has not found to `gone`.
    pub(super) fn end(&mut self, mut gone: impl FnMut(Step)) {
        let reading = self.reading;
        let missing: Vec<Slot> = self.slots.extract_if(|slot| slot.seen.get() != reading).collect();
        for slot in missing {
            self.count(slot.rows(), |count| *count = count.saturating_sub(1));
            gone(Step { before: Some(slot), after: Vec::new() });
        }
        self.over.retain(|_, count| *count != 0);
        self.from.retain(|_, count| *count != 0);
    }

    /// Takes away the IPv4 routes over a link, but for those that `keep` says are there.
    pub(super) fn forget_over(
        &mut self,
        link: u32,
        keep: impl Fn(&[u8], &[u8]) -> bool,
        mut gone: impl FnMut(Step),
    ) {
        let uses = |row: &[u8]| table::RouteOutline::of(row).is_some_and(|route| route.links.contains(&link));
        let mut changed = Vec::new();
        for slot in &self.slots {
            let mut left = Vec::new();
            let mut any = false;
            for row in slot.rows() {
                if uses(row) && !keep(slot.key(), row) {
                    any = true;
                } else {
                    Rows::push(&mut left, row);
                }
            }
            if any {
                changed.push((slot.key().to_vec(), left));
            }
        }
        for (key, left) in changed {
            if let Some(step) = self.set(&key, left) {
                gone(step);
            }
        }
    }
}
