//! Memory that a call is given: as large as said, to the byte.
//!
//! With AddressSanitizer (`scripts/test-border`) each block is an allocation that ends with its last byte, so that any access
//! behind it is reported. Without, guards on both sides tell of writes.

use std::ffi::c_void;

/// Stands on both sides where no sanitizer watches.
const GUARD: u8 = 0xA5;
const GUARDS: usize = if cfg!(iphelper_border) { 0 } else { 64 };

/// A block of memory that begins at any address.
#[derive(Debug)]
pub(crate) struct Block {
    /// What was allocated.
    whole: *mut u8,
    /// Bytes in front of the block, and all there are.
    front: usize,
    total: usize,
    size: usize,
    /// As it was before the call.
    before: Vec<u8>,
}

impl Block {
    /// A copy of `bytes`, `offset` bytes behind an address that is a multiple of 16.
    pub(crate) fn new(bytes: &[u8], offset: usize) -> Self {
        // An allocation of no bytes has one that nobody would miss.
        let offset = if bytes.is_empty() { offset.max(1) } else { offset };
        let front = GUARDS + offset;
        let total = front + bytes.len() + GUARDS;
        // SAFETY: the allocation has as many bytes as are written.
        let whole = unsafe {
            let whole = libc::malloc(total).cast::<u8>();
            assert!(!whole.is_null(), "out of memory");
            whole.write_bytes(GUARD, total);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), whole.add(front), bytes.len());
            whole
        };
        Self { whole, front, total, size: bytes.len(), before: bytes.to_vec() }
    }

    pub(crate) fn pointer(&self) -> *mut c_void {
        // SAFETY: within the allocation, or at its end.
        unsafe { self.whole.add(self.front).cast() }
    }

    pub(crate) fn before(&self) -> &[u8] {
        &self.before
    }

    /// What stands there now; fails if something was written beside it.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        // SAFETY: the allocation lives, and every byte of it was written.
        let all = unsafe { std::slice::from_raw_parts(self.whole, self.total) };
        let (front, rest) = all.split_at(self.front);
        let (bytes, behind) = rest.split_at(self.size);
        assert!(front.iter().chain(behind).all(|byte| *byte == GUARD), "written beside a block");
        bytes.to_vec()
    }

    /// The number that stands at its beginning.
    pub(crate) fn number(&self) -> u32 {
        // SAFETY: asked of blocks of at least so many bytes.
        unsafe { self.pointer().cast::<u32>().read_unaligned() }
    }

    /// The pointer that stands at its beginning; NULL where it stands there since before the call.
    pub(crate) fn given(&self) -> *mut c_void {
        let now = self.bytes();
        if now == self.before {
            return std::ptr::null_mut();
        }
        // SAFETY: asked of blocks of at least so many bytes.
        unsafe { self.pointer().cast::<*mut c_void>().read_unaligned() }
    }

    /// Writes a value of its size or less.
    pub(crate) fn put<T: Copy>(&mut self, at: usize, value: T) {
        assert!(at + size_of::<T>() <= self.size);
        // SAFETY: there is room.
        unsafe { self.pointer().byte_add(at).cast::<T>().write_unaligned(value) };
        self.before = self.bytes();
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: allocated by `new`, and freed once.
        unsafe { libc::free(self.whole.cast()) };
    }
}

/// Numbers that look random and are the same for the same seed.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// By a name and the number of a case.
    pub(crate) fn new(name: &str, case: u64) -> Self {
        let hash = name.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self(hash ^ case.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Sebastiano Vigna's SplitMix64.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `limit`, which is not 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit).expect("64 bits")).expect("below a size")
    }

    /// Once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        std::iter::repeat_with(|| self.next().to_ne_bytes()).flatten().take(count).collect()
    }
}
