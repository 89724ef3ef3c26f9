//! One call: its arguments made, passed, looked at, and what it gave taken back.

pub(crate) mod gaps;
mod special;

pub(crate) use gaps::has_gaps;

use crate::functions::{Function, Value};
use crate::memory::{Block, Random};
use crate::table::{Dns, Free, Kind};
use crate::world::{ADDRESSES, World};
use iphelper_capi::error::{Win32, last_error};
use iphelper_capi::raw::*;
use iphelper_capi::{dns, icmp, memory, notification, router, wait};
use std::ffi::c_void;

/// What memory holds before the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fill {
    Zero,
    Ones,
    Garbage,
    /// A row of the host's, changed in some places.
    Real,
    /// Any of these, for each pointer anew.
    Mixed,
}

/// Which pointers are NULL.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Nulls {
    None,
    One(usize),
    All,
    Some,
}

/// How a case is made. What it leaves open comes from its random numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) nulls: Nulls,
    pub(crate) fill: Fill,
    /// How far behind an aligned address memory begins.
    pub(crate) offset: Option<usize>,
    /// The size of what the caller brings, in its units.
    pub(crate) size: Option<usize>,
}

/// What is done after the call.
enum After {
    Free(usize, Free),
    Cancel(usize),
    TakeBack(usize),
    Disable(usize),
    CloseEcho(HANDLE),
    FreeDns(usize, Dns, bool),
    Close(HANDLE),
    Unregister(usize),
    EndWait(HANDLE),
}

pub(crate) struct Case<'a> {
    world: &'a World,
    plan: Plan,
    random: Random,
    name: &'static str,
    /// The memory behind each parameter.
    blocks: Vec<Option<Block>>,
    /// Memory that those lead to.
    others: Vec<Block>,
    values: Vec<Value>,
    after: Vec<After>,
}

const STRINGS: [&str; 10] = [
    "",
    "192.0.2.1",
    "192.0.2.1:80",
    "[2001:db8::1%3]:53",
    "2001:db8::/32",
    "fe80::1%e0",
    "02-00-00-00-00-07",
    "example.org",
    "192.0.2.2,192.0.2.3",
    "0x7f.1",
];

/// What came of a call.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The size that it tells to be needed, or any where it succeeds.
    pub(crate) needed: Option<u32>,
    pub(crate) has_succeeded: bool,
    /// What stands then where it may write, by parameter, and in what it gave.
    pub(crate) given: Vec<(usize, Vec<u8>)>,
}

/// Calls `function` once.
pub(crate) fn call(
    world: &World,
    function: &Function,
    kinds: &[Kind],
    plan: Plan,
    random: Random,
) -> Outcome {
    let mut case = Case {
        world,
        plan,
        random,
        name: function.name,
        blocks: kinds.iter().map(|_| None).collect(),
        others: Vec::new(),
        values: vec![Value::of(0_u64); kinds.len()],
        after: Vec::new(),
    };
    // Numbers first, for memory is as large as some of them say.
    for (place, kind) in kinds.iter().enumerate() {
        case.number(place, *kind);
    }
    for (place, kind) in kinds.iter().enumerate() {
        case.pointer(place, *kind, function);
    }
    case.keep_from_waiting();
    last_error::set(0);
    crate::poison::fill_stack();
    let result = (function.call)(&case.values);
    let outcome = case.look(function, kinds, result);
    case.end(result);
    outcome
}

impl Case<'_> {
    fn is_null(&mut self, place: usize) -> bool {
        match self.plan.nulls {
            Nulls::None => false,
            Nulls::One(one) => one == place,
            Nulls::All => true,
            Nulls::Some => self.random.once_in(8),
        }
    }

    /// So many units, or a few.
    fn size(&mut self, most: usize) -> usize {
        let any = self.random.below(most + 1);
        self.plan.size.unwrap_or(any).min(most)
    }

    fn number(&mut self, place: usize, kind: Kind) {
        let random = &mut self.random;
        let edge = random.pick(&[0, 1, 2, 31, 32, 33, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF_u64]);
        let any = random.next();
        let number = match kind {
            Kind::Length(most) => self.size(most) as u64,
            Kind::Family => random.pick(&[0, 2, 2, 23, 23, 10, 1, 0xFFFF, any & 0xFFFF]),
            Kind::Index => match random.below(4) {
                0 => edge,
                1 => any & 0xFFFF_FFFF,
                _ => random.pick(&self.world.indices).into(),
            },
            Kind::Address => u32::from_ne_bytes(random.pick(&ADDRESSES)).into(),
            Kind::Port => random.pick(&[0, 1, 80, 0xFFFF, any & 0xFFFF]),
            Kind::StackSize => random.pick(&[0, 1, 0x1_0000, 0x10_0001, 1 << 40, u64::MAX, u64::MAX - 4096]),
            Kind::Timeout => random.pick(&[0, 1, 2, 5]),
            Kind::Few => random.pick(&[0, 0, 0, 1, 2]),
            Kind::Process => random.pick(&[0, std::process::id().into(), edge, any & 0xFFFF_FFFF]),
            Kind::Flags(known) => random.pick(&[known, any & known, any & known, 1 << (any % 10), edge]),
            Kind::Class(most) => match random.below(8) {
                0 => edge,
                _ => random.next() % (most + 1),
            },
            Kind::Compartment => random.pick(&[0, 1, 2, 0xFFFF_FFFF, any & 0xFFFF_FFFF]),
            // Flags of these have meanings of their own.
            Kind::Number if self.name.starts_with("FormatMessage") => {
                random.pick(&[0x1000, 0x1100, 0x12FF, 0x11FF, 87, 1168, 0x3FFF, edge])
            }
            Kind::Number => match random.below(3) {
                0 => edge,
                1 => any & 0xFFFF_FFFF,
                _ => 1 << random.below(32),
            },
            _ => return,
        };
        self.values[place] = Value::of(number);
    }

    fn offset(&mut self) -> usize {
        let any = self.random.below(9);
        self.plan.offset.unwrap_or(any)
    }

    fn fill(&mut self) -> Fill {
        match self.plan.fill {
            Fill::Mixed => self.random.pick(&[Fill::Zero, Fill::Ones, Fill::Garbage, Fill::Real, Fill::Real]),
            one => one,
        }
    }

    fn filled(&mut self, size: usize, type_name: &str) -> Vec<u8> {
        match self.fill() {
            Fill::Zero => vec![0; size],
            Fill::Ones => vec![0xFF; size],
            Fill::Real | Fill::Mixed => match self.world.row(type_name, &mut self.random) {
                Some(mut row) => {
                    assert_eq!(row.len(), size, "{type_name}");
                    for _ in 0..self.random.below(3) {
                        let at = self.random.below(size);
                        row[at] = self.random.pick(&[0, 1, 0xFF, 0x80, 23, 32]);
                    }
                    row
                }
                None => self.random.bytes(size),
            },
            Fill::Garbage => self.random.bytes(size),
        }
    }

    /// A block that stands for a parameter.
    fn lend(&mut self, place: usize, bytes: &[u8]) {
        let block = Block::new(bytes, self.offset());
        self.values[place] = Value::of(block.pointer());
        self.blocks[place] = Some(block);
    }

    /// The number that was chosen for another parameter.
    fn chosen(&self, place: usize) -> usize {
        // SAFETY: numbers were made as such.
        usize::try_from(unsafe { self.values[place].get::<u64>() }).expect("64 bits")
    }

    fn pointer(&mut self, place: usize, kind: Kind, function: &Function) {
        let parameter = &function.parameters[place];
        let type_name = parameter.pointee.map_or("", |pointee| pointee.type_name);
        let declared = parameter.pointee.map_or(0, |pointee| pointee.size);
        match kind {
            Kind::Guid => {
                let bytes = self.filled(16, std::any::type_name::<GUID>());
                self.values[place] = Value::of(<[u8; 16]>::try_from(bytes).expect("16 bytes"));
            }
            Kind::Callback(function) => {
                if !self.is_null(place) {
                    self.values[place] = function();
                }
            }
            Kind::Registration => self.registration(place),
            Kind::Icmp | Kind::Icmp6 => self.echo_handle(place, kind),
            Kind::Event | Kind::Waited | Kind::Closed => {
                let handle = self.event(kind);
                self.values[place] = Value::of(handle);
            }
            Kind::Thread => self.thread(place),
            Kind::WaitRegistration => self.wait_registration(place),
            Kind::Reserved if !self.random.once_in(8) => {
                self.values[place] = Value::of(std::ptr::null_mut::<c_void>());
            }
            Kind::NoHandle | Kind::Context | Kind::Reserved => {
                let any = self.random.pick(&[0, 1, usize::MAX, 0x1_2345]);
                self.values[place] = Value::of(any);
            }
            Kind::Buffer(size, unit, more) => self.buffer(place, size, unit, more),
            // Made with the buffer; and numbers, which are made already.
            Kind::Size => {}
            _ if kind.is_number() => {}
            Kind::Taken(free) => self.taken(place, free),
            _ if self.is_null(place) => self.values[place] = Value::of(std::ptr::null_mut::<c_void>()),
            Kind::Row => {
                let bytes = self.filled(declared, type_name);
                self.lend(place, &bytes);
            }
            Kind::Room(size) => {
                let bytes = self.filled(size, "");
                self.lend(place, &bytes);
            }
            Kind::Elements(count) if self.chosen(count) == 0 && !self.random.once_in(8) => {
                self.values[place] = Value::of(std::ptr::null_mut::<c_void>());
            }
            Kind::Elements(count) => {
                let bytes: Vec<u8> =
                    (0..self.chosen(count)).flat_map(|_| self.filled(declared, type_name)).collect();
                self.lend(place, &bytes);
            }
            Kind::Bytes(count, unit) if self.name.starts_with("FormatMessage") => {
                // The address of a pointer, where the text is to be allocated.
                if self.chosen(0) & 0x100 != 0 {
                    let bytes = self.filled(size_of::<*mut c_void>(), "");
                    self.lend(place, &bytes);
                    self.after.push(After::Free(place, Free::Local));
                } else {
                    let bytes = self.filled(self.chosen(count) * unit, "");
                    self.lend(place, &bytes);
                }
            }
            Kind::Bytes(count, unit) => {
                let bytes = self.filled(self.chosen(count) * unit, "");
                self.lend(place, &bytes);
            }
            Kind::OptionalSocket if self.random.once_in(2) => {
                self.values[place] = Value::of(std::ptr::null_mut::<c_void>());
            }
            Kind::Socket | Kind::OptionalSocket => {
                let bytes = self.filled(size_of::<SOCKADDR_INET>(), std::any::type_name::<SOCKADDR_INET>());
                let family = u16::from_ne_bytes([bytes[0], bytes[1]]);
                let size = if family == AF_INET { size_of::<SOCKADDR_IN>() } else { bytes.len() };
                self.lend(place, &bytes[..size]);
            }
            Kind::Text(unit) => {
                let bytes = self.text(unit);
                self.lend(place, &bytes);
            }
            Kind::Given(free) => {
                let bytes = self.filled(size_of::<*mut c_void>(), "");
                self.lend(place, &bytes);
                self.after.push(After::Free(place, free));
            }
            Kind::WaitedAll(count) => {
                let handles: Vec<u8> = (0..self.chosen(count))
                    .flat_map(|_| self.event(Kind::Waited).addr().to_ne_bytes())
                    .collect();
                self.lend(place, &handles);
            }
            Kind::WaitRegistered => {
                let bytes = self.filled(size_of::<HANDLE>(), "");
                self.lend(place, &bytes);
                self.after.push(After::Unregister(place));
            }
            Kind::Registered => {
                let bytes = self.filled(size_of::<HANDLE>(), "");
                self.lend(place, &bytes);
                self.after.push(After::Cancel(place));
            }
            Kind::Overlapped | Kind::Armed | Kind::Enabling | Kind::Enabled => self.request(place, kind),
            Kind::Section => self.critical_section(place),
            Kind::EchoOptions => self.echo_options(place),
            Kind::Dns(of, used) => self.dns(place, of, used),
            _ => unreachable!("{kind:?} is a number"),
        }
    }

    /// A buffer and its size, which are NULL independently of one another.
    fn buffer(&mut self, place: usize, size_place: usize, unit: usize, more: usize) {
        let units = self.size(4096);
        // A buffer that is not there has any size.
        let stated = if self.is_null(place) {
            self.values[place] = Value::of(std::ptr::null_mut::<c_void>());
            if self.plan.size.is_some() { units } else { self.random.pick(&[0, units, 0xFFFF_FFFF]) }
        } else {
            let bytes = self.filled((units + more) * unit, "");
            self.lend(place, &bytes);
            units
        };
        if self.is_null(size_place) {
            self.values[size_place] = Value::of(std::ptr::null_mut::<c_void>());
        } else {
            self.lend(size_place, &u32::try_from(stated).expect("a small size").to_ne_bytes());
        }
    }

    fn text(&mut self, unit: usize) -> Vec<u8> {
        let text = match self.random.below(3) {
            0 if !self.world.names.is_empty() => {
                self.world.names[self.random.below(self.world.names.len())].clone()
            }
            _ => self.random.pick(&STRINGS).to_owned(),
        };
        let length = self.random.pick(&[0, 1, 15, 16, 127, 128, 255, 256, 257, 1024, 1025]);
        let units: Vec<u16> = match self.fill() {
            Fill::Zero => Vec::new(),
            Fill::Ones => vec![0xFFFF; length],
            // Half of a pair, digits, and whatever.
            Fill::Garbage => {
                let any = |random: &mut Random| match random.below(3) {
                    0 => random.pick(&[0xD800, 0xDC00, 0xFF, 0x20AC]),
                    1 => u16::from(random.pick(b"0123456789abcdef:.%[]/-x")),
                    _ => u16::try_from(random.next() & 0xFFFF).expect("16 bits"),
                };
                (0..length).map(|_| any(&mut self.random)).collect()
            }
            _ => text.encode_utf16().collect(),
        };
        let low = |unit: u16| u8::try_from(unit & 0xFF).expect("8 bits");
        let units = units.into_iter().filter(|of| *of != 0 && (unit == 2 || low(*of) != 0)).chain([0]);
        if unit == 2 { units.flat_map(u16::to_ne_bytes).collect() } else { units.map(low).collect() }
    }

    /// Two functions wait for a change where both their arguments are NULL; other tests have that.
    fn keep_from_waiting(&mut self) {
        if matches!(self.name, "NotifyAddrChange" | "NotifyRouteChange")
            && self.blocks.iter().all(Option::is_none)
        {
            self.lend(0, &[0xFF; size_of::<HANDLE>()]);
        }
    }

    /// Looks at the memory.
    fn look(&self, function: &Function, kinds: &[Kind], result: usize) -> Outcome {
        let mut outcome = Outcome::default();
        for (place, kind) in kinds.iter().enumerate() {
            let Some(block) = &self.blocks[place] else { continue };
            let bytes = block.bytes();
            let parameter = &function.parameters[place];
            let is_constant = parameter.pointee.is_some_and(|pointee| pointee.constant);
            if is_constant && !matches!(kind, Kind::Armed) {
                assert_eq!(bytes, block.before(), "{} is not to be written to", parameter.name);
            }
            let is_too_small = [ERROR_INSUFFICIENT_BUFFER, ERROR_BUFFER_OVERFLOW]
                .contains(&u32::try_from(result & 0xFFFF_FFFF).expect("32 bits"));
            match kind {
                Kind::Buffer(..) if is_too_small => {
                    assert_eq!(bytes, block.before(), "{} is too small and yet written to", parameter.name);
                }
                Kind::Size => outcome.needed = Some(block.number()),
                _ => {}
            }
            let type_name = parameter.pointee.map_or("", |pointee| pointee.type_name);
            match kind {
                _ if is_constant => {}
                // SAFETY: what was given is a table of this type.
                Kind::Given(Free::Table) => unsafe {
                    let table = gaps::table_at(block.given().cast(), type_name);
                    gaps::check(type_name, None, &table);
                    outcome.given.push((place, table));
                },
                _ => {
                    gaps::check(type_name, Some(block.before()), &bytes);
                    outcome.given.push((place, bytes));
                }
            }
        }
        outcome.has_succeeded = match self.name {
            name if name.starts_with("Icmp") || name.starts_with("FormatMessage") => {
                result != 0 || last_error::get() == ERROR_IO_PENDING
            }
            _ => result == 0,
        };
        for other in &self.others {
            assert_eq!(other.bytes(), other.before(), "not to be written to");
        }
        outcome.needed = outcome.needed.or(outcome.has_succeeded.then_some(1));
        outcome
    }

    /// Takes everything back, as a C caller does.
    fn end(&mut self, result: usize) {
        let is_request = self.name.starts_with("Icmp");
        for after in std::mem::take(&mut self.after) {
            let block = |place: usize| self.blocks[place].as_ref().expect("made");
            // SAFETY: what is freed was given by the call that ended, each thing once; handles are numbers.
            unsafe {
                match after {
                    After::Free(place, Free::Table) => memory::free_mib_table(block(place).given()),
                    After::Free(place, Free::Local) => {
                        assert!(memory::local_free(block(place).given()).is_null(), "nothing to free");
                    }
                    After::Free(place, Free::Heap) => libc::free(block(place).given()),
                    After::Cancel(place) => {
                        let handle: HANDLE = block(place).given();
                        let code = notification::cancel::<Win32>(handle);
                        assert_eq!(code == 0, !handle.is_null(), "cancelling {handle:?}");
                    }
                    After::TakeBack(place) => {
                        let _ =
                            notification::overlapped::cancel_ip_change_notify(block(place).pointer().cast());
                    }
                    After::Disable(place) => {
                        let pointer = block(place).pointer();
                        let _ = router::unenable_router(pointer, std::ptr::null_mut());
                    }
                    After::CloseEcho(handle) => {
                        let _ = icmp::close_handle(handle);
                    }
                    After::FreeDns(place, of, was_filled) => {
                        if was_filled && result == 0 {
                            match of {
                                Dns::Host => dns::free_dns_settings(block(place).pointer().cast()),
                                Dns::Interface => {
                                    dns::free_interface_dns_settings(block(place).pointer().cast())
                                }
                            }
                        }
                    }
                    After::Close(handle) => {
                        // A request that waits for nobody is done soon; closing its handle ends it in any case.
                        let _ = wait::wait_for_single_object(handle, if is_request { 2 } else { 0 });
                        let _ = wait::close_handle(handle);
                    }
                    After::EndWait(handle) => {
                        let _ = wait::registered::unregister_wait_ex(handle, INVALID_HANDLE_VALUE);
                    }
                    After::Unregister(place) => {
                        let handle: HANDLE = block(place).given();
                        let _ = wait::registered::unregister_wait_ex(handle, INVALID_HANDLE_VALUE);
                    }
                }
            }
        }
        // SAFETY (of both): what a function gives as its result is the caller's.
        match self.name {
            "GetAdapterOrderMap" | "LocalAlloc" => unsafe {
                assert!(memory::local_free(result as *mut c_void).is_null(), "nothing to free");
            },
            "IcmpCreateFile" | "Icmp6CreateFile" => {
                let _ = icmp::close_handle(result as HANDLE);
            }
            "CreateEventA" | "CreateEventW" | "CreateThread" => {
                let _ = wait::wait_for_single_object(
                    result as HANDLE,
                    if self.name == "CreateThread" { 1000 } else { 0 },
                );
                let _ = wait::close_handle(result as HANDLE);
            }
            _ => {}
        }
        let _ = wait::sleep_ex(0, 1);
        for block in self.blocks.iter().flatten() {
            let _ = block.bytes();
        }
    }
}
