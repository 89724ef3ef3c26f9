//! The elements of sets and maps.

use super::{Set, Verdict, be_u32, comment, is, kind, read_comment, request};
use crate::DecodeError;
use crate::attribute::AttributeWriter;
use crate::message::{DUMP, Message, Request};

const TABLE: u16 = 1;
const SET: u16 = 2;
const ELEMENTS: u16 = 3;

/// `NFTA_LIST_ELEM`.
const ELEMENT: u16 = 1;
const KEY: u16 = 1;
const DATA: u16 = 2;
const FLAGS: u16 = 3;
const USERDATA: u16 = 6;
/// `NFTA_DATA_VALUE`.
const VALUE: u16 = 1;
/// `NFT_SET_ELEM_INTERVAL_END`: the key is the first behind a range.
const END_FLAG: u32 = 1;
/// Elements of one message stay below this, since an attribute holds 65,531 octets at most.
const MESSAGE_LEN: usize = 60_000;

/// User data by which `nft` prints a range that reaches to the last key: type 1, length 4, a flag.
fn open_end() -> Vec<u8> {
    [[1, 4].as_slice(), &1_u32.to_ne_bytes()].concat()
}

/// A range of keys, both ends in it; keys are compared as numbers in network order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Range {
    /// The first key.
    pub first: u128,
    /// The last key.
    pub last: u128,
}

/// An element that a dump shows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Element {
    /// Its key, as the set stores it.
    pub key: Vec<u8>,
    /// Whether it only ends a range: its key is the first behind it.
    pub ends_range: bool,
    /// A note for people.
    pub comment: Option<String>,
}

/// Writes changes of a set's elements, in as many messages as their number needs.
#[derive(Debug)]
pub struct Elements<'a> {
    set: Set<'a>,
    kind: u16,
    flags: u16,
    list: Vec<u8>,
    done: Vec<Request>,
}

impl<'a> Elements<'a> {
    /// Elements to add; those that are there stay.
    #[must_use]
    pub fn add(set: Set<'a>) -> Self {
        Self { set, kind: kind::NEW_ELEMENT, flags: super::CREATE, list: Vec::new(), done: Vec::new() }
    }

    /// Elements to take away; `ENOENT` if one is not there.
    #[must_use]
    pub fn remove(set: Set<'a>) -> Self {
        Self { set, kind: kind::DELETE_ELEMENT, flags: 0, list: Vec::new(), done: Vec::new() }
    }

    /// One key, with a note for people.
    pub fn key(&mut self, key: &[u8], note: Option<&str>) {
        self.element(key, 0, note.map(comment).as_deref(), None);
    }

    /// One key of a map, with what becomes of its packets.
    pub fn key_verdict(&mut self, key: &[u8], verdict: Verdict<'_>, note: Option<&str>) {
        self.element(key, 0, note.map(comment).as_deref(), Some(verdict));
    }

    /// A range of addresses of `len` octets (4 or 16).
    pub fn range(&mut self, range: Range, len: usize) {
        let key = |value: u128| value.to_be_bytes().get(16 - len.min(16)..).unwrap_or_default().to_vec();
        let most = if len >= 16 { u128::MAX } else { (1 << (8 * len)) - 1 };
        if range.last >= most {
            self.element(&key(range.first), 0, Some(&open_end()), None);
        } else {
            self.element(&key(range.first), 0, None, None);
            self.element(&key(range.last + 1), END_FLAG, None, None);
        }
    }

    fn element(&mut self, key: &[u8], flags: u32, userdata: Option<&[u8]>, verdict: Option<Verdict<'_>>) {
        let _ = self.list.attribute_nested(ELEMENT, |element| {
            if flags != 0 {
                super::put_u32(element, FLAGS, flags);
            }
            let _ = element.attribute_nested(KEY, |data| {
                let _ = data.attribute(VALUE, key);
            });
            if let Some(verdict) = verdict {
                verdict.write(element, DATA);
            }
            if let Some(userdata) = userdata {
                let _ = element.attribute(USERDATA, userdata);
            }
        });
        if self.list.len() > MESSAGE_LEN {
            self.close_message();
        }
    }

    fn close_message(&mut self) {
        let list = std::mem::take(&mut self.list);
        if list.is_empty() {
            return;
        }
        let mut request = request(self.kind, self.flags);
        let _ = request
            .attribute_name(TABLE, self.set.table.as_bytes())
            .attribute_name(SET, self.set.name.as_bytes())
            .attribute_nested(ELEMENTS, |inner| inner.buffer().extend_from_slice(&list));
        self.done.push(request);
    }

    /// The messages; none where no element was given.
    #[must_use]
    pub fn finish(mut self) -> Vec<Request> {
        self.close_message();
        self.done
    }

    /// Asks for the elements of a set; `ENOENT` if there is no such set.
    #[must_use]
    pub fn dump(set: Set<'_>) -> Request {
        let mut request = request(kind::GET_ELEMENT, DUMP);
        let _ = request.attribute_name(TABLE, set.table.as_bytes()).attribute_name(SET, set.name.as_bytes());
        request
    }

    /// Gives each element of a message to `visit`; none if it is about something else.
    pub fn parse(message: &Message<'_>, mut visit: impl FnMut(Element)) -> Result<(), DecodeError> {
        if !is(message, kind::NEW_ELEMENT) {
            return Ok(());
        }
        let (_, attributes) = message.split::<4>("nfgenmsg")?;
        for attribute in attributes {
            let attribute = attribute?;
            if attribute.kind != ELEMENTS {
                continue;
            }
            for element in attribute.nested() {
                let mut read = Element { key: Vec::new(), ends_range: false, comment: None };
                for part in element?.nested() {
                    let part = part?;
                    match part.kind {
                        KEY => {
                            for value in part.nested() {
                                let value = value?;
                                if value.kind == VALUE {
                                    read.key = value.payload.to_vec();
                                }
                            }
                        }
                        FLAGS => read.ends_range = be_u32(&part)? & END_FLAG != 0,
                        USERDATA => read.comment = read_comment(part.payload),
                        _ => {}
                    }
                }
                visit(read);
            }
        }
        Ok(())
    }

    /// The ranges that the elements of a set of ranges make; `len` is that of its keys in octets.
    #[must_use]
    pub fn ranges(elements: &[Element], len: usize) -> Vec<Range> {
        let most = if len >= 16 { u128::MAX } else { (1 << (8 * len)) - 1 };
        let number = |key: &[u8]| key.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        // An end sorts before a beginning at the same key: there one range ends and the next begins.
        let mut marks: Vec<_> =
            elements.iter().map(|element| (number(&element.key), !element.ends_range)).collect();
        marks.sort_unstable();
        let (mut ranges, mut open) = (Vec::new(), None);
        for (key, begins) in marks {
            match (begins, open) {
                (true, _) => open = Some(key),
                (false, Some(first)) => {
                    ranges.push(Range { first, last: key.saturating_sub(1) });
                    open = None;
                }
                // `nft` puts an end at 0 before the first range.
                (false, None) => {}
            }
        }
        ranges.extend(open.map(|first| Range { first, last: most }));
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Messages;
    use proptest::prelude::*;

    const SET: Set<'static> = Set { table: "t", name: "s" };

    fn read(requests: Vec<Request>) -> Vec<Element> {
        let mut elements = Vec::new();
        for mut request in requests {
            let bytes = request.finish(1).to_vec();
            let message = Messages::new(&bytes).next().unwrap().unwrap();
            Elements::parse(&message, |element| elements.push(element)).unwrap();
        }
        elements
    }

    #[test]
    fn keys_and_notes_read_back() {
        let mut elements = Elements::add(SET);
        elements.key(&7_u32.to_ne_bytes(), Some("luid 0x6"));
        elements.key_verdict(&8_u32.to_ne_bytes(), Verdict::Jump("ddr4-8"), None);
        let read = read(elements.finish());
        assert_eq!(read[0].key, 7_u32.to_ne_bytes());
        assert_eq!(read[0].comment.as_deref(), Some("luid 0x6"));
        assert_eq!((read[1].comment.as_deref(), read[1].ends_range), (None, false));
    }

    #[test]
    fn many_elements_take_several_messages() {
        let mut elements = Elements::add(SET);
        let ranges: Vec<_> = (0..10_000).map(|n| Range { first: n * 4, last: n * 4 + 1 }).collect();
        for range in &ranges {
            elements.range(*range, 4);
        }
        let requests = elements.finish();
        assert!(requests.len() > 5, "{}", requests.len());
        assert_eq!(Elements::ranges(&read(requests), 4), ranges);
        assert!(Elements::add(SET).finish().is_empty());
    }

    #[test]
    fn a_range_to_the_last_key_has_no_end() {
        for len in [4, 16] {
            let most = if len == 16 { u128::MAX } else { u128::from(u32::MAX) };
            let ranges =
                [Range { first: 0, last: 3 }, Range { first: 4, last: 9 }, Range { first: 11, last: most }];
            let mut elements = Elements::add(SET);
            for range in ranges {
                elements.range(range, len);
            }
            assert_eq!(Elements::ranges(&read(elements.finish()), len), ranges);
        }
    }

    proptest! {
        #[test]
        fn any_keys_make_ranges_without_panic(
            keys in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..20), any::<bool>()), 0..9),
        ) {
            let elements: Vec<_> = keys
                .into_iter()
                .map(|(key, ends_range)| Element { key, ends_range, comment: None })
                .collect();
            let _ = Elements::ranges(&elements, 16);
            let _ = Elements::ranges(&elements, 4);
        }
    }
}
