//! Arguments that are more than rows and buffers: handles, requests under way, options and settings that lead to more.

use super::{After, Case};
use crate::functions::Value;
use crate::memory::Block;
use crate::table::{Dns, Free, Kind, Use};
use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_capi::{adapter, dns, icmp, interface, notification, router, wait};
use std::ffi::c_void;
use std::mem::offset_of;

impl Case<'_> {
    pub(super) fn registration(&mut self, place: usize) {
        let mut handle: HANDLE = self.random.pick(&[0, 1 << 40, usize::MAX]) as HANDLE;
        if self.random.once_in(2) {
            let callback = crate::callbacks::row::<MIB_UNICASTIPADDRESS_ROW>();
            // SAFETY: the callback is a function of its type, the handle a live variable.
            let code = unsafe {
                notification::notify_unicast_ip_address_change::<Win32>(
                    0,
                    callback.get(),
                    std::ptr::null_mut(),
                    1,
                    &raw mut handle,
                )
            };
            assert_eq!(code, 0, "registering");
        }
        self.values[place] = Value::of(handle);
    }

    pub(super) fn echo_handle(&mut self, place: usize, kind: Kind) {
        let no_handles: [usize; 4] = [0, 4, usize::MAX, 0x2000_0000];
        let handle = match self.random.below(8) {
            0 => self.random.pick(&no_handles) as HANDLE,
            1 => icmp::create_file6(),
            2 => icmp::create_file(),
            _ if matches!(kind, Kind::Icmp6) => icmp::create_file6(),
            _ => icmp::create_file(),
        };
        self.values[place] = Value::of(handle);
        self.after.push(After::CloseEcho(handle));
    }

    /// An event of the case's own, or no handle; one that the call closes is not closed again.
    pub(super) fn event(&mut self, kind: Kind) -> HANDLE {
        let no_handle = self.random.pick(&[0, 0, usize::MAX, 0x7FFF_FFFF]);
        if self.random.once_in(4) {
            return no_handle as HANDLE;
        }
        let (manual, initial) = (self.random.pick(&[0, 1]), self.random.pick(&[0, 1]));
        let handle = wait::create_event_w(std::ptr::null(), manual, initial, std::ptr::null());
        if !matches!(kind, Kind::Closed) {
            // Before handles of requests are closed, which ends those.
            self.after.insert(0, After::Close(handle));
        }
        handle
    }

    pub(super) fn thread(&mut self, place: usize) {
        let mut handle = self.random.pick(&[0, 3, usize::MAX]) as HANDLE;
        if !self.random.once_in(3) {
            let routine = crate::callbacks::thread();
            // SAFETY: a function of its type; its number is not wanted.
            handle = unsafe {
                wait::thread::create_thread(
                    std::ptr::null(),
                    0,
                    routine.get(),
                    std::ptr::null_mut(),
                    0,
                    std::ptr::null_mut(),
                )
            };
            self.after.push(After::Close(handle));
        }
        self.values[place] = Value::of(handle);
    }

    pub(super) fn wait_registration(&mut self, place: usize) {
        let mut handle: HANDLE = self.random.pick(&[0, 3, usize::MAX]) as HANDLE;
        if !self.random.once_in(3) {
            let (object, routine) = (self.event(Kind::Waited), crate::callbacks::wait());
            let milliseconds = self.random.pick(&[0, 1, INFINITE]);
            // SAFETY: a function of its type, and a live variable. The event is held open by the registration.
            let _registered = unsafe {
                wait::registered::register_wait(
                    &raw mut handle,
                    object,
                    routine.get(),
                    std::ptr::null_mut(),
                    milliseconds,
                    0,
                )
            };
            // A call that was refused has left it.
            self.after.push(After::EndWait(handle));
        }
        self.values[place] = Value::of(handle);
    }

    pub(super) fn taken(&mut self, place: usize, free: Free) {
        let mut table: *mut MIB_IF_TABLE2 = std::ptr::null_mut();
        let memory: *mut c_void = match free {
            _ if self.is_null(place) => std::ptr::null_mut(),
            Free::Local => adapter::adapter_order_map().cast(),
            _ => {
                // SAFETY: a live variable.
                let code = unsafe { interface::if_table2::<Win32>(&raw mut table) };
                assert_eq!(code, 0, "a table");
                table.cast()
            }
        };
        self.values[place] = Value::of(memory);
    }

    /// `OVERLAPPED`, full of anything but for its event.
    pub(super) fn request(&mut self, place: usize, kind: Kind) {
        let bytes = self.filled(size_of::<OVERLAPPED>(), "");
        let event = self.event(Kind::Waited);
        let has_event = !self.random.once_in(4);
        self.lend(place, &bytes);
        let Some(block) = &mut self.blocks[place] else { return };
        if has_event {
            block.put(offset_of!(OVERLAPPED, hEvent), event);
        }
        let pointer = block.pointer();
        let is_done = self.random.once_in(2);
        match kind {
            Kind::Armed => {
                self.after.push(After::TakeBack(place));
                let mut handle: HANDLE = std::ptr::null_mut();
                if is_done {
                    // SAFETY: the block lives until the request is taken back.
                    let _pending = unsafe {
                        notification::overlapped::notify_addr_change(&raw mut handle, pointer.cast())
                    };
                }
            }
            Kind::Enabled => {
                self.after.push(After::Disable(place));
                let mut handle: HANDLE = std::ptr::null_mut();
                if is_done {
                    // SAFETY: a live variable; the block is an address alone.
                    let _pending = unsafe { router::enable_router(&raw mut handle, pointer) };
                }
            }
            Kind::Enabling => self.after.push(After::Disable(place)),
            _ => self.after.push(After::TakeBack(place)),
        }
    }

    pub(super) fn critical_section(&mut self, place: usize) {
        self.lend(place, &[0; size_of::<CRITICAL_SECTION>()]);
        let is_entered = self.random.once_in(2);
        if let Some(block) = &self.blocks[place] {
            let section = block.pointer().cast();
            // SAFETY: the block has the size of one, and no other thread knows it.
            unsafe {
                wait::critical_section::initialize(section);
                if is_entered {
                    wait::critical_section::enter(section);
                }
            }
        }
    }

    pub(super) fn echo_options(&mut self, place: usize) {
        if self.random.once_in(2) {
            self.values[place] = Value::of(std::ptr::null_mut::<c_void>());
            return;
        }
        let count = self.random.pick(&[0, 0, 4, 40, 41, 255]);
        let data: *mut u8 = if self.random.once_in(3) {
            std::ptr::null_mut()
        } else {
            let block = Block::new(&self.random.bytes(count), self.random.below(3));
            let pointer = block.pointer().cast();
            self.others.push(block);
            pointer
        };
        let size = if data.is_null() { 255 } else { u8::try_from(count).expect("at most 255") };
        let any = self.random.bytes(2);
        let options = IP_OPTION_INFORMATION {
            Ttl: self.random.pick(&[0, 1, 64, 64, 255]),
            Tos: any[0],
            Flags: self.random.pick(&[0, 0, 0, 0, 1, 2, any[1]]),
            OptionsSize: self.random.pick(&[0, 0, size]),
            OptionsData: data,
        };
        self.lend(place, &[0; size_of::<IP_OPTION_INFORMATION>()]);
        if let Some(block) = &mut self.blocks[place] {
            block.put(0, options);
        }
    }

    pub(super) fn dns(&mut self, place: usize, of: Dns, used: Use) {
        let version = self.random.pick(&[1, 1, 2, 2, 3, 4, 0, 5, u32::MAX]);
        let size = match (of, version) {
            (Dns::Host, 2) => size_of::<DNS_SETTINGS2>(),
            (Dns::Host, _) => size_of::<DNS_SETTINGS>(),
            (Dns::Interface, 2) => size_of::<DNS_INTERFACE_SETTINGS_EX>(),
            (Dns::Interface, 3) => size_of::<DNS_INTERFACE_SETTINGS3>(),
            (Dns::Interface, 4) => size_of::<DNS_INTERFACE_SETTINGS4>(),
            (Dns::Interface, _) => size_of::<DNS_INTERFACE_SETTINGS>(),
        };
        // What is filled or freed holds no pointers of the caller's that mean anything.
        let bytes = if used == Use::Filled { self.filled(size, "") } else { vec![0; size] };
        let flags =
            if self.random.once_in(2) { 0 } else { self.random.next() & self.random.next() & 0x3_FFFF };
        self.lend(place, &bytes);
        let mut texts = Vec::new();
        if used == Use::Read {
            for _ in 0..5 {
                let bytes = self.text(2);
                let block = Block::new(&bytes, self.offset());
                let is_there = !self.random.once_in(3);
                texts.push(if is_there { block.pointer() } else { std::ptr::null_mut() });
                self.others.push(block);
            }
        }
        let switches = self.random.pick(&[0_u32, 1, 2]);
        let (property, properties) = self.dns_property();
        let Some(block) = &mut self.blocks[place] else { return };
        block.put(0, version);
        block.put(offset_of!(DNS_SETTINGS, Flags), flags);
        if used == Use::Read {
            let host = [
                offset_of!(DNS_SETTINGS, Hostname),
                offset_of!(DNS_SETTINGS, Domain),
                offset_of!(DNS_SETTINGS, SearchList),
            ];
            let interface = [
                offset_of!(DNS_INTERFACE_SETTINGS, Domain),
                offset_of!(DNS_INTERFACE_SETTINGS, NameServer),
                offset_of!(DNS_INTERFACE_SETTINGS, SearchList),
                offset_of!(DNS_INTERFACE_SETTINGS, ProfileNameServer),
                offset_of!(DNS_INTERFACE_SETTINGS3, SupplementalSearchList),
            ];
            let places = match of {
                Dns::Host => &host[..],
                Dns::Interface if (2..=4).contains(&version) => &interface,
                Dns::Interface => &interface[..4],
            };
            for (place, text) in places.iter().zip(texts) {
                block.put(*place, text);
            }
            if of == Dns::Interface {
                for at in [
                    offset_of!(DNS_INTERFACE_SETTINGS, RegistrationEnabled),
                    offset_of!(DNS_INTERFACE_SETTINGS, RegisterAdapterName),
                    offset_of!(DNS_INTERFACE_SETTINGS, EnableLLMNR),
                    offset_of!(DNS_INTERFACE_SETTINGS, QueryAdapterName),
                ] {
                    block.put(at, switches);
                }
                if version == 3 || version == 4 {
                    block.put(offset_of!(DNS_INTERFACE_SETTINGS3, cServerProperties), property);
                    block.put(offset_of!(DNS_INTERFACE_SETTINGS3, ServerProperties), properties);
                }
            }
        }
        if used == Use::Freed {
            let pointer = block.pointer();
            // SAFETY: settings of the version that they say; what is stored there is freed by the call.
            let _code = unsafe {
                match of {
                    Dns::Host => dns::dns_settings::<Win32>(pointer.cast()),
                    Dns::Interface => {
                        let guid = self.world.row(std::any::type_name::<GUID>(), &mut self.random);
                        let guid: Vec<u8> = guid.expect("an interface");
                        let guid = guid.as_ptr().cast::<GUID>().read_unaligned();
                        dns::interface_dns_settings::<Win32>(guid, pointer.cast())
                    }
                }
            };
        }
        self.after.push(After::FreeDns(place, of, used == Use::Filled));
    }

    /// Properties of servers, and their number.
    fn dns_property(&mut self) -> (u32, *mut c_void) {
        let settings = DNS_DOT_SERVER_SETTINGS {
            Hostname: std::ptr::null_mut(),
            Flags: ULONG64(self.random.pick(&[0, 1, 3, u64::MAX])),
            Port: 853,
        };
        let mut block = Block::new(&[0; size_of::<DNS_DOT_SERVER_SETTINGS>()], 0);
        block.put(0, settings);
        let property = DNS_SERVER_PROPERTY {
            Version: self.random.pick(&[1, 1, 1, 0]),
            ServerIndex: self.random.pick(&[0, 1, 2, u32::MAX]),
            Type: self.random.pick(&[2, 2, 2, 1, -1]),
            Property: DNS_SERVER_PROPERTY_TYPES {
                DotSettings: if self.random.once_in(4) {
                    std::ptr::null_mut()
                } else {
                    block.pointer().cast()
                },
            },
        };
        let mut list = Block::new(&[0; size_of::<DNS_SERVER_PROPERTY>()], self.offset());
        list.put(0, property);
        let pointer = list.pointer();
        self.others.extend([block, list]);
        if self.random.once_in(4) { (u32::MAX, std::ptr::null_mut()) } else { (1, pointer) }
    }
}
