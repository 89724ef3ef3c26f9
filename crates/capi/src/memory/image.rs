//! Lists in a caller's buffer: elements of any type that lead to one another, made once, then copied to where the caller has
//! room.
//!
//! What is needed is the size of what was made, so that sizing and filling cannot differ.

use super::buffer::Buffer;
use super::gaps::{self, Given};
use crate::error::Code;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Where an element stands, in bytes from the beginning.
pub(crate) struct Place<T> {
    at: usize,
    kind: PhantomData<fn() -> T>,
}

impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Place<T> {}

impl<T> Place<T> {
    /// A member's place: of type `M`, so many bytes into the element.
    pub(crate) const fn member<M>(self, offset: usize) -> Place<M> {
        Place { at: self.at + offset, kind: PhantomData }
    }
}

/// The elements, as they will stand in the buffer, but for pointers: those count from the beginning yet.
#[derive(Default)]
pub(crate) struct Image {
    bytes: Vec<MaybeUninit<u8>>,
    /// Where pointers stand.
    pointers: Vec<usize>,
}

impl Image {
    /// Adds an element, aligned as its type demands.
    pub(crate) fn add<T: Given>(&mut self, value: T) -> Place<T> {
        let at = self.grow(size_of::<T>(), align_of::<T>());
        // SAFETY: `grow` made room for a `T` from `at` on. Where the memory begins says nothing of alignment.
        unsafe { gaps::write(self.bytes.as_mut_ptr().add(at).cast::<T>(), value) };
        Place { at, kind: PhantomData }
    }

    /// Adds units one after the other, and one of zero behind them: a string.
    pub(crate) fn add_string<U: Given + Default>(&mut self, units: impl IntoIterator<Item = U>) -> Place<U> {
        let start = self.grow(0, align_of::<U>());
        for unit in units {
            let _ = self.add(unit);
        }
        let _ = self.add(U::default());
        Place { at: start, kind: PhantomData }
    }

    /// Makes a pointer lead to an element.
    pub(crate) fn point<T>(&mut self, pointer: Place<*mut T>, to: Place<T>) {
        // SAFETY: a place is one that `add` gave, of a pointer in it.
        unsafe {
            let place = self.bytes.as_mut_ptr().add(pointer.at).cast::<*mut T>();
            place.write_unaligned(std::ptr::without_provenance_mut(to.at));
        }
        self.pointers.push(pointer.at);
    }

    /// Writes another value in a place.
    pub(crate) fn set<T: Given>(&mut self, place: Place<T>, value: T) {
        // SAFETY: a place is one that `add` gave, of a `T`.
        unsafe { gaps::write(self.bytes.as_mut_ptr().add(place.at).cast::<T>(), value) };
    }

    /// Copies everything to the caller's buffer if it fits there; an element that was added first stands at its beginning.
    ///
    /// # Safety
    /// As for [`Buffer::room`].
    pub(crate) unsafe fn put(self, buffer: Buffer) -> Result<(), Code> {
        // SAFETY: the buffer has room for all bytes. Each pointer stands within them, and leads to a place within them.
        unsafe {
            let start = buffer.room(self.bytes.len())?;
            std::ptr::copy_nonoverlapping(self.bytes.as_ptr().cast::<u8>(), start, self.bytes.len());
            for at in self.pointers {
                let pointer = start.add(at).cast::<*mut u8>();
                pointer.write_unaligned(start.add(pointer.read_unaligned().addr()));
            }
        }
        Ok(())
    }

    /// Zeroed room for `size` bytes; where it begins.
    fn grow(&mut self, size: usize, align: usize) -> usize {
        let at = self.bytes.len().next_multiple_of(align);
        self.bytes.resize(at + size, MaybeUninit::new(0));
        at
    }
}

/// The last element of a list, to which the next one is tied.
pub(crate) struct List<T> {
    next: Place<*mut T>,
    offset: usize,
}

impl<T: Given> List<T> {
    /// A list that begins at a pointer; `offset` is that of the elements' own pointer to the next.
    pub(crate) const fn new(first: Place<*mut T>, offset: usize) -> Self {
        Self { next: first, offset }
    }

    /// Adds an element.
    pub(crate) fn push(&mut self, image: &mut Image, element: T) -> Place<T> {
        let place = image.add(element);
        image.point(self.next, place);
        self.next = place.member(self.offset);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::mem::offset_of;

    #[derive(Clone, Copy)]
    #[repr(C)]
    struct Node {
        next: *mut Self,
        text: *mut u16,
        number: u32,
    }

    // SAFETY: behind the number nothing is left.
    unsafe impl Given for Node {
        const GAPS: &'static [(usize, usize)] = &[(offset_of!(Node, number) + 4, size_of::<Node>())];
    }

    const EMPTY: Node = Node { next: std::ptr::null_mut(), text: std::ptr::null_mut(), number: 0 };

    fn image(count: u32) -> Image {
        let mut image = Image::default();
        let first = image.add(EMPTY);
        let mut list = List::new(first.member(offset_of!(Node, next)), offset_of!(Node, next));
        for number in 0..count {
            let node = list.push(&mut image, Node { number, ..EMPTY });
            let text = image.add_string([u16::try_from(number).unwrap() + 65]);
            image.point(node.member(offset_of!(Node, text)), text);
        }
        image
    }

    #[test]
    fn every_size_from_none_to_plenty_at_any_address() {
        let needed = image(5).bytes.len();
        for size in 0..needed + 9 {
            for odd in 0..8 {
                let mut memory = vec![0xA5_u8; size + 16];
                let mut stated = u32::try_from(size).unwrap();
                let start = memory[odd..].as_mut_ptr();
                let buffer = Buffer::new(start.cast(), &raw mut stated).unwrap();
                // SAFETY: behind `odd` the memory has more than `size` bytes.
                let outcome = unsafe { image(5).put(buffer) };
                assert_eq!(outcome.is_ok(), size >= needed);
                if outcome.is_err() {
                    assert_eq!(stated as usize, needed);
                    assert!(memory.iter().all(|byte| *byte == 0xA5), "written though too small");
                    continue;
                }
                assert!(memory[odd + needed..].iter().all(|byte| *byte == 0xA5), "written behind the end");
                let mut numbers = Vec::new();
                // SAFETY: pointers lead into the memory, which lives.
                unsafe {
                    let mut node = start.cast::<Node>().read_unaligned().next;
                    while !node.is_null() {
                        let it = node.read_unaligned();
                        assert!(
                            node.addr() >= start.addr()
                                && node.addr() + size_of::<Node>() <= start.addr() + needed
                        );
                        assert_eq!(it.text.read_unaligned(), u16::try_from(it.number).unwrap() + 65);
                        assert_eq!(it.text.add(1).read_unaligned(), 0);
                        numbers.push(it.number);
                        node = it.next;
                    }
                }
                assert_eq!(numbers, [0, 1, 2, 3, 4]);
            }
        }
    }
}
