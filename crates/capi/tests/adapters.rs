//! The lists of adapters in a caller's buffer: every flag, buffers of every size, a host that changes in between; compared
//! with the crate's own rows.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper::adapter::AdapterQuery;
use iphelper::{Family, Host};
use iphelper_capi::adapter::{
    adapter_index, adapter_order_map, adapters_addresses, adapters_info, interface_info,
    interface_info_from_stack, per_adapter_info, unidirectional_adapter_info,
};
use iphelper_capi::memory::local_free;
use iphelper_capi::raw::*;
use iphelper_testkit::{NetNs, eventually, isolated, run, set_sysctl, try_run, with_empty_folders};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, Ordering};

iphelper_testkit::private_user_namespace!();

const OVERFLOW: u32 = 111;
const EVERYTHING: u32 = GAA_FLAG_INCLUDE_PREFIX
    | GAA_FLAG_INCLUDE_WINS_INFO
    | GAA_FLAG_INCLUDE_GATEWAYS
    | GAA_FLAG_INCLUDE_ALL_INTERFACES
    | GAA_FLAG_INCLUDE_TUNNEL_BINDINGORDER;

/// A list element's address, its zone, and a number beside it.
type Entry = (IpAddr, u32, u32);

/// An adapter as a C program reads it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Seen {
    fixed: BTreeMap<&'static str, u64>,
    name: String,
    friendly: Option<String>,
    description: String,
    suffix: String,
    unicast: Vec<Entry>,
    anycast: Vec<Entry>,
    multicast: Vec<Entry>,
    servers: Vec<Entry>,
    suffixes: Vec<String>,
    prefixes: Vec<Entry>,
    gateways: Vec<Entry>,
    wins: Vec<Entry>,
    dhcp_server: Option<IpAddr>,
}

/// Reads memory that the call filled, and nothing beside it.
struct Reader {
    room: Range<usize>,
}

impl Reader {
    fn read<T: Copy>(&self, pointer: *const T) -> T {
        let end = pointer.addr() + size_of::<T>();
        assert!(
            self.room.contains(&pointer.addr()) && end <= self.room.end,
            "a pointer leads out of the buffer"
        );
        // SAFETY: within the memory, which lives; its bytes are numbers and pointers.
        unsafe { pointer.read_unaligned() }
    }

    fn wide(&self, mut text: *const u16) -> String {
        let mut units = Vec::new();
        while self.read(text) != 0 {
            units.push(self.read(text));
            text = text.wrapping_add(1);
        }
        String::from_utf16(&units).unwrap()
    }

    fn narrow(&self, mut text: *const u8) -> String {
        let mut bytes = Vec::new();
        while self.read(text) != 0 {
            bytes.push(self.read(text));
            text = text.wrapping_add(1);
        }
        String::from_utf8(bytes).unwrap()
    }

    fn address(&self, address: SOCKET_ADDRESS) -> (IpAddr, u32) {
        match self.read(address.lpSockaddr.cast::<u16>()) {
            AF_INET => {
                assert_eq!(address.iSockaddrLength, 16);
                let row = self.read(address.lpSockaddr.cast::<SOCKADDR_IN>());
                // SAFETY: a union of numbers.
                (Ipv4Addr::from(unsafe { row.sin_addr.S_un.S_addr }.to_ne_bytes()).into(), 0)
            }
            AF_INET6 => {
                assert_eq!(address.iSockaddrLength, 28);
                let row = self.read(address.lpSockaddr.cast::<SOCKADDR_IN6>());
                // SAFETY: unions of numbers.
                unsafe { (Ipv6Addr::from(row.sin6_addr.u.Byte).into(), row.Anonymous.sin6_scope_id) }
            }
            family => panic!("family {family}"),
        }
    }

    fn list<T: Copy>(
        &self,
        first: *mut T,
        pick: impl Fn(T) -> (*mut T, u32, SOCKET_ADDRESS, u32),
    ) -> Vec<Entry> {
        let mut entries = Vec::new();
        let mut place = first;
        while !place.is_null() {
            let (next, length, address, beside) = pick(self.read(place));
            assert_eq!(length as usize, size_of::<T>());
            let (ip, scope) = self.address(address);
            entries.push((ip, scope, beside));
            place = next;
        }
        entries
    }

    fn adapter(&self, it: &IP_ADAPTER_ADDRESSES) -> Seen {
        let mut suffixes = Vec::new();
        let mut place = it.FirstDnsSuffix;
        while !place.is_null() {
            let suffix = self.read(place);
            let end = suffix.String.iter().position(|unit| *unit == 0).unwrap();
            suffixes.push(String::from_utf16(&suffix.String[..end]).unwrap());
            place = suffix.Next;
        }
        let fixed = [
            ("index", it.IfIndex.into()),
            ("ipv6 index", it.Ipv6IfIndex.into()),
            ("flags", it.Flags.into()),
            ("mtu", it.Mtu.into()),
            ("type", it.IfType.into()),
            ("oper status", it.OperStatus as u64),
            ("ipv4 metric", it.Ipv4Metric.into()),
            ("ipv6 metric", it.Ipv6Metric.into()),
            ("luid", it.Luid.Value.0),
            ("compartment", it.CompartmentId.into()),
            ("connection", it.ConnectionType as u64),
            ("tunnel", it.TunnelType as u64),
            ("link zone", it.ZoneIndices[2].into()),
            ("physical", it.PhysicalAddressLength.into()),
            ("speed", it.TransmitLinkSpeed.0),
        ];
        Seen {
            fixed: fixed.into(),
            name: self.narrow(it.AdapterName),
            friendly: (!it.FriendlyName.is_null()).then(|| self.wide(it.FriendlyName)),
            description: self.wide(it.Description),
            suffix: self.wide(it.DnsSuffix),
            unicast: self.list(it.FirstUnicastAddress, |row| {
                (row.Next, row.Length, row.Address, row.OnLinkPrefixLength.into())
            }),
            anycast: self.list(it.FirstAnycastAddress, |row| (row.Next, row.Length, row.Address, row.Flags)),
            multicast: self
                .list(it.FirstMulticastAddress, |row| (row.Next, row.Length, row.Address, row.Flags)),
            servers: self
                .list(it.FirstDnsServerAddress, |row| (row.Next, row.Length, row.Address, row.Reserved)),
            suffixes,
            prefixes: self.list(it.FirstPrefix, |row| (row.Next, row.Length, row.Address, row.PrefixLength)),
            gateways: self
                .list(it.FirstGatewayAddress, |row| (row.Next, row.Length, row.Address, row.Reserved)),
            wins: self
                .list(it.FirstWinsServerAddress, |row| (row.Next, row.Length, row.Address, row.Reserved)),
            dhcp_server: (!it.Dhcpv4Server.lpSockaddr.is_null()).then(|| self.address(it.Dhcpv4Server).0),
        }
    }
}

/// The code, the size afterwards, and what is in a buffer of `size` bytes that begins at an odd address.
fn call(family: u32, flags: u32, size: usize) -> (u32, usize, Vec<Seen>) {
    let mut memory = vec![0xA5_u8; size + 64];
    let start = memory[1..].as_mut_ptr();
    let mut stated = u32::try_from(size).unwrap();
    // SAFETY: behind the start there are `size` bytes.
    let code = unsafe { adapters_addresses(family, flags, null_mut(), start.cast(), &raw mut stated) };
    assert!(memory[1 + size..].iter().all(|byte| *byte == 0xA5), "written behind the buffer");
    let mut adapters = Vec::new();
    if code == 0 {
        let reader = Reader { room: start.addr()..start.addr() + size };
        let mut place: *const IP_ADAPTER_ADDRESSES = start.cast();
        while !place.is_null() {
            let element = reader.read(place);
            assert_eq!(element.Length as usize, size_of::<IP_ADAPTER_ADDRESSES>());
            adapters.push(reader.adapter(&element));
            place = element.Next;
        }
    } else {
        assert!(memory.iter().all(|byte| *byte == 0xA5), "written though it failed");
    }
    (code, stated as usize, adapters)
}

/// What a call lists that has room enough.
fn list(family: u32, flags: u32) -> Vec<Seen> {
    let (_, needed, _) = call(family, flags, 0);
    let (code, _, adapters) = call(family, flags, needed);
    assert_eq!(code, 0);
    adapters
}

fn named<'a>(adapters: &'a [Seen], name: &str) -> &'a Seen {
    adapters.iter().find(|it| it.friendly.as_deref() == Some(name)).unwrap_or_else(|| panic!("{name}"))
}

fn furnish() {
    let _ = run("ip link add e0 type veth peer name e1");
    set_sysctl("ipv6/conf/e0/accept_dad", "0");
    // Nothing comes by itself later on.
    set_sysctl("ipv6/conf/e0/addr_gen_mode", "1");
    set_sysctl("ipv6/conf/e1/disable_ipv6", "1");
    for command in [
        "ip link set lo up",
        "ip link set e0 alias uplink up",
        "ip link set e1 up",
        "ip addr add 192.0.2.7/24 dev e0",
        "ip addr add 192.0.2.8/24 dev e0",
        "ip addr add 2001:db8::7/64 dev e0 nodad",
        "ip addr add 198.51.100.1/25 dev e1",
        "ip route add default via 192.0.2.1 metric 5",
        "ip -6 route add default via fe80::1 dev e0",
    ] {
        let _ = run(command);
    }
    eventually("both ends have a carrier, and e0 its groups", || {
        let links = run("ip link show");
        let groups = run("ip maddr show dev e0");
        links.matches("state UP").count() == 2
            && groups.contains("ff02::1:ff00:7")
            && groups.contains("224.0.0.1")
    });
    let host = Host::open().unwrap();
    let e0 = host.interface_named("e0").unwrap().index;
    let _ = host.create_anycast_address(e0, "2001:db8::99".parse().unwrap()).unwrap();
    eventually("the group of the anycast address", || {
        run("ip maddr show dev e0").contains("ff02::1:ff00:99")
    });
}

#[test]
fn lists_are_those_of_the_crate() {
    isolated(|| {
        furnish();
        let host = Host::open().unwrap();
        let rows = host.adapters(&AdapterQuery { all_interfaces: true, ..AdapterQuery::default() }).unwrap();
        let adapters = list(0, EVERYTHING);
        assert_eq!(adapters.len(), rows.len());
        for (seen, row) in adapters.iter().zip(&rows) {
            assert_eq!(seen.friendly.as_deref(), Some(row.interface.name.as_str()), "in the same order");
            assert_eq!(seen.name, row.interface.guid.to_string());
            assert_eq!(seen.description, row.interface.description);
            let index = u64::from(row.interface.index.0);
            assert_eq!(seen.fixed["index"], if row.ipv4.is_some() { index } else { 0 });
            assert_eq!(seen.fixed["ipv6 index"], if row.ipv6.is_some() { index } else { 0 });
            assert_eq!(seen.fixed["luid"], row.interface.luid.0);
            assert_eq!(seen.fixed["mtu"], row.interface.mtu.into());
            assert_eq!(seen.fixed["type"], row.interface.interface_type.0.into());
            assert_eq!(seen.fixed["link zone"], index);
            assert_eq!(seen.fixed["compartment"], host.compartment_id().unwrap().0.into());
            assert_eq!(seen.fixed["ipv4 metric"], row.ipv4.map_or(0, |ip| ip.metric.into()));
            assert_eq!(seen.fixed["ipv6 metric"], row.ipv6.map_or(0, |ip| ip.metric.into()));
            let unicast = row
                .unicast_addresses
                .iter()
                .map(|it| (it.address, it.scope_id, u32::from(it.on_link_prefix_length)));
            assert_eq!(seen.unicast, unicast.collect::<Vec<_>>());
            let anycast = row.anycast_addresses.iter().map(|it| (it.address, it.scope_id, 0));
            assert_eq!(seen.anycast, anycast.collect::<Vec<_>>());
            let multicast = row.multicast_addresses.iter().map(|it| (it.address, it.scope_id, 0));
            assert_eq!(seen.multicast, multicast.collect::<Vec<_>>());
            let prefixes = row.prefixes(None).into_iter().map(|it| (it.address(), 0, u32::from(it.len())));
            assert_eq!(seen.prefixes, prefixes.collect::<Vec<_>>());
            let gateways: Vec<IpAddr> = row.gateways.iter().map(|it| it.address).collect();
            assert_eq!(seen.gateways.iter().map(|it| it.0).collect::<Vec<_>>(), gateways);
            let servers = row.dns.iter().flat_map(|dns| &dns.servers).map(|it| it.address);
            assert_eq!(seen.servers.iter().map(|it| it.0).collect::<Vec<_>>(), servers.collect::<Vec<_>>());
        }
        let e0 = named(&adapters, "e0");
        assert_eq!(e0.fixed["flags"], u64::from(IP_ADAPTER_IPV4_ENABLED | IP_ADAPTER_IPV6_ENABLED));
        assert_eq!(
            e0.gateways[1],
            ("fe80::1".parse().unwrap(), u32::try_from(e0.fixed["index"]).unwrap(), 0)
        );
        assert_eq!(named(&adapters, "e1").fixed["flags"], u64::from(IP_ADAPTER_IPV4_ENABLED));
        let lo = named(&adapters, "lo").fixed["flags"];
        assert_eq!(lo & u64::from(IP_ADAPTER_NO_MULTICAST), u64::from(IP_ADAPTER_NO_MULTICAST));
    });
}

#[test]
fn each_flag_changes_its_list_alone() {
    isolated(|| {
        furnish();
        let _ = with_empty_folders(&["/run", "/var/lib"], || {
            let index = Host::open().unwrap().interface_named("e0").unwrap().index.0;
            let folder = "/run/NetworkManager/devices";
            std::fs::create_dir_all(folder).unwrap();
            let lease = "[dhcp4]\nip_address=192.0.2.7\ndhcp_server_identifier=192.0.2.1\ndhcp_lease_time=4294967295\n\
                         netbios_name_servers=192.0.2.3 192.0.2.4\n[dhcp6]\ndhcp6_client_id=00:04:01\niaid=7\n";
            std::fs::write(format!("{folder}/{index}"), lease).unwrap();
            let base = EVERYTHING;
            let full = list(0, base);
            let e0 = named(&full, "e0");
            assert_eq!(
                e0.wins.iter().map(|it| it.0.to_string()).collect::<Vec<_>>(),
                ["192.0.2.3", "192.0.2.4"]
            );
            assert_eq!(e0.dhcp_server.unwrap().to_string(), "192.0.2.1");
            assert_ne!(e0.fixed["flags"] & u64::from(IP_ADAPTER_DHCP_ENABLED), 0);
            type Cut = fn(&mut Seen);
            let flags: [(u32, Cut); 10] = [
                (GAA_FLAG_SKIP_UNICAST, |it| it.unicast.clear()),
                (GAA_FLAG_SKIP_ANYCAST, |it| it.anycast.clear()),
                (GAA_FLAG_SKIP_MULTICAST, |it| it.multicast.clear()),
                (GAA_FLAG_SKIP_DNS_SERVER, |it| it.servers.clear()),
                (GAA_FLAG_SKIP_FRIENDLY_NAME, |it| it.friendly = None),
                (GAA_FLAG_SKIP_DNS_INFO, |it| {
                    it.suffix.clear();
                    it.suffixes.clear();
                }),
                (GAA_FLAG_INCLUDE_PREFIX, |it| it.prefixes.clear()),
                (GAA_FLAG_INCLUDE_WINS_INFO, |it| it.wins.clear()),
                (GAA_FLAG_INCLUDE_GATEWAYS, |it| it.gateways.clear()),
                (GAA_FLAG_INCLUDE_TUNNEL_BINDINGORDER, |_| {}),
            ];
            // Every set of them.
            for set in 0..1_u32 << flags.len() {
                let mut wanted = full.clone();
                let mut asked = base;
                for (place, (flag, cut)) in flags.iter().enumerate() {
                    if set & 1 << place != 0 {
                        asked ^= flag;
                        wanted.iter_mut().for_each(cut);
                    }
                }
                // All sets of the lists, and of the rest a sample: each is a reading of the kernel.
                if set.count_ones() <= 2 || set % 37 == 0 {
                    assert_eq!(list(0, asked), wanted, "{asked:#x}");
                }
            }
            let ipv6 = list(23, base & !GAA_FLAG_INCLUDE_ALL_INTERFACES);
            assert!(ipv6.iter().all(|it| it.friendly.as_deref() != Some("e1")));
            let ipv6 = list(10, base);
            assert_eq!(named(&ipv6, "e1").unicast, []);
            assert!(ipv6.iter().all(|it| it.unicast.iter().chain(&it.prefixes).all(|row| row.0.is_ipv6())));
            let ipv4 = list(2, base);
            assert!(ipv4.iter().all(|it| it.unicast.iter().chain(&it.prefixes).all(|row| row.0.is_ipv4())));
        });
    });
}

#[test]
fn all_compartments_are_those_that_may_be_entered() {
    let (here, there) = (NetNs::new(), NetNs::new());
    here.veth("near", &there, "far");
    let number =
        |namespace: &NetNs| namespace.run(|| u64::from(Host::open().unwrap().compartment_id().unwrap().0));
    let (own, others) = (number(&here), number(&there));
    // A compartment is found by a process that is in it.
    let mut inhabitant =
        there.run(|| std::process::Command::new("sleep").arg("600").spawn()).expect("starting a program");
    here.run(|| {
        // Other tests make and end namespaces of this user meanwhile.
        let all = || {
            let mut size = 0;
            loop {
                let (code, needed, adapters) = call(0, GAA_FLAG_INCLUDE_ALL_COMPARTMENTS, size);
                if code == 0 {
                    return adapters;
                }
                assert_eq!(code, ERROR_BUFFER_OVERFLOW);
                size = needed;
            }
        };
        let found = all();
        assert_eq!(named(&found, "near").fixed["compartment"], own);
        assert_eq!(named(&found, "far").fixed["compartment"], others);
        let first = found.iter().take_while(|it| it.fixed["compartment"] == own).count();
        assert_eq!(first, list(0, 0).len(), "its own come first");
        assert!(list(0, 0).iter().all(|it| it.friendly.as_deref() != Some("far")));
        let alone = iphelper_testkit::unprivileged(all);
        assert!(alone.iter().all(|it| it.fixed["compartment"] == own), "others need a privilege");
        assert_eq!(alone.len(), first);
    });
    inhabitant.kill().unwrap();
    let _status = inhabitant.wait().unwrap();
}

#[test]
fn buffers_of_every_size_from_none_to_enough() {
    isolated(|| {
        furnish();
        for flags in [0, EVERYTHING] {
            let (code, needed, _) = call(0, flags, 0);
            assert_eq!(code, OVERFLOW);
            let mut size = 4096;
            // SAFETY: NULL is a buffer of no bytes, whatever is stated.
            let code = unsafe { adapters_addresses(0, flags, null_mut(), null_mut(), &raw mut size) };
            assert_eq!((code, size as usize), (OVERFLOW, needed));
            let sizes =
                (0..needed).step_by(97).chain(needed.saturating_sub(9)..needed + 9).chain([needed * 2]);
            for size in sizes {
                let (code, stated, adapters) = call(0, flags, size);
                if size < needed {
                    assert_eq!((code, stated), (OVERFLOW, needed), "{size}");
                } else {
                    assert_eq!((code, stated, adapters.len()), (0, size, 3), "{size}");
                }
            }
        }
    });
}

#[test]
fn a_host_that_changes_between_the_calls_never_writes_too_much() {
    isolated(|| {
        furnish();
        let (_, small, _) = call(0, 0, 0);
        let _ = run("ip addr add 192.0.2.77/24 dev e0");
        let (code, larger, _) = call(0, 0, small);
        assert_eq!(code, OVERFLOW, "it has grown");
        assert!(larger > small);
        let (code, _, adapters) = call(0, 0, larger);
        assert_eq!((code, named(&adapters, "e0").unicast.iter().filter(|it| it.0.is_ipv4()).count()), (0, 3));
        let _ = run("ip addr del 192.0.2.77/24 dev e0");
        assert_eq!(call(0, 0, larger).0, 0, "it has shrunk");

        let ended = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let mut number = 0_u8;
                while !ended.load(Ordering::Relaxed) {
                    number = number.wrapping_add(1);
                    let _ = try_run(&format!("ip addr add 10.9.0.{number}/32 dev e0"));
                    if number.is_multiple_of(4) {
                        let _ = try_run("ip addr flush dev e0 to 10.9.0.0/24");
                    }
                }
            });
            let mut size = 0;
            let mut filled = 0;
            for _ in 0..300 {
                let (code, stated, adapters) = call(0, EVERYTHING, size);
                match code {
                    0 => {
                        filled += 1;
                        assert_eq!(adapters.len(), 3);
                        size = 0;
                    }
                    OVERFLOW => {
                        assert!(stated > size, "more is needed, and {stated} bytes are not more than {size}");
                        size = stated;
                    }
                    code => panic!("{code}"),
                }
            }
            ended.store(true, Ordering::Relaxed);
            worker.join().unwrap();
            assert!(filled > 10, "{filled}");
        });
    });
}

/// Calls until the buffer is large enough; it is kept in words, which are aligned.
fn filled(mut call: impl FnMut(*mut u8, *mut u32) -> u32, small: u32) -> Vec<u64> {
    let mut size = 0;
    assert_eq!(call(null_mut(), &raw mut size), small);
    let needed = size;
    for size in 0..needed {
        let mut buffer = vec![u64::from_ne_bytes([0xA5; 8]); needed as usize / 8 + 2];
        let mut stated = size;
        assert_eq!(call(buffer.as_mut_ptr().cast(), &raw mut stated), small, "{size} of {needed}");
        assert_eq!(stated, needed);
        assert!(buffer.iter().all(|word| *word == u64::from_ne_bytes([0xA5; 8])));
    }
    let mut buffer = vec![u64::from_ne_bytes([0xA5; 8]); needed as usize / 8 + 2];
    assert_eq!(call(buffer.as_mut_ptr().cast(), &raw mut size), 0);
    let rest = needed as usize / 8 + 1;
    assert_eq!(buffer[rest], u64::from_ne_bytes([0xA5; 8]), "written behind the end");
    buffer
}

fn text(element: &IP_ADDR_STRING) -> (String, String) {
    let text =
        |chars: &[i8]| chars.iter().take_while(|it| **it != 0).map(|it| it.cast_unsigned() as char).collect();
    (text(&element.IpAddress.String), text(&element.IpMask.String))
}

#[test]
fn the_first_generation_tells_the_same_in_text() {
    isolated(|| {
        furnish();
        let _ = run("ip addr add 169.254.7.7/16 dev e1");
        let host = Host::open().unwrap();
        let rows =
            host.adapters(&AdapterQuery { family: Some(Family::V4), ..AdapterQuery::default() }).unwrap();
        // SAFETY: in this test each buffer has as many bytes as are stated, and what is read lies in it.
        let buffer = filled(|buffer, size| unsafe { adapters_info(buffer.cast(), size) }, OVERFLOW);
        let mut place: *const IP_ADAPTER_INFO = buffer.as_ptr().cast();
        let mut names = Vec::new();
        while !place.is_null() {
            // SAFETY: as above.
            let it = unsafe { place.read() };
            let row = rows.iter().find(|row| row.interface.index.0 == it.Index).unwrap();
            names.push(row.interface.name.clone());
            let end = it.AdapterName.iter().position(|byte| *byte == 0).unwrap();
            assert_eq!(it.AdapterName[..end], *row.interface.guid.to_string().as_bytes());
            assert_eq!(it.Type, u32::from(row.interface.interface_type.0));
            assert_eq!(it.Address[..6], *row.interface.physical_address.as_bytes());
            assert_eq!((it.AddressLength, it.DhcpEnabled, it.HaveWins), (6, 0, 0));
            assert_eq!((it.LeaseObtained, it.LeaseExpires), (0, 0));
            let mut addresses = Vec::new();
            let mut entry = &raw const it.IpAddressList;
            while !entry.is_null() {
                // SAFETY: as above.
                let row = unsafe { entry.read() };
                addresses.push((text(&row), row.Context));
                entry = row.Next;
            }
            for ((ours, context), row) in addresses.iter().zip(&row.unicast_addresses) {
                let mask = iphelper::convert::ipv4_mask(row.on_link_prefix_length.into()).unwrap();
                assert_eq!(*ours, (row.address.to_string(), mask.to_string()));
                assert_eq!(*context, row.context().unwrap().context);
            }
            assert_eq!(addresses.len(), row.unicast_addresses.len());
            let gateway = row.gateways.first().map_or("0.0.0.0".to_owned(), |it| it.address.to_string());
            assert_eq!(text(&it.GatewayList).0, gateway);
            assert_eq!(text(&it.DhcpServer), ("0.0.0.0".to_owned(), "0.0.0.0".to_owned()));
            place = it.Next;
        }
        let expected: Vec<String> =
            rows.iter().map(|row| row.interface.name.clone()).filter(|name| name != "lo").collect();
        assert_eq!(names, expected);

        // SAFETY: as above.
        let buffer = filled(|buffer, size| unsafe { interface_info(buffer.cast(), size) }, 122);
        // SAFETY: as above.
        let count = unsafe { buffer.as_ptr().cast::<i32>().read() };
        assert_eq!(count, 2);
        for (place, name) in names.iter().enumerate() {
            // SAFETY: as above; there are two rows behind the count.
            let map = unsafe {
                buffer.as_ptr().cast::<u8>().add(4).cast::<IP_ADAPTER_INDEX_MAP>().add(place).read_unaligned()
            };
            let row = host.interface_named(name).unwrap();
            let mut index = 0;
            // SAFETY: a name with its terminator, and a live variable.
            assert_eq!(unsafe { adapter_index(map.Name.as_ptr(), &raw mut index) }, 0);
            assert_eq!((map.Index, index), (row.index.0, row.index.0));
            for other in [row.guid.to_string(), name.clone(), format!(r"\Device\Tcpip_{}", row.guid)] {
                let wide: Vec<u16> = other.encode_utf16().chain([0]).collect();
                // SAFETY: as above.
                assert_eq!(unsafe { adapter_index(wide.as_ptr(), &raw mut index) }, 0, "{other}");
                assert_eq!(index, row.index.0);
            }
        }
        for odd in ["", "nobody", "{}", r"\DEVICE\TCPIP_", &"x".repeat(300)] {
            let wide: Vec<u16> = odd.encode_utf16().chain([0]).collect();
            let mut index = 77;
            // SAFETY: as above.
            assert_eq!(unsafe { adapter_index(wide.as_ptr(), &raw mut index) }, 55, "{odd}");
            assert_eq!(index, 77);
        }

        // SAFETY: the map and its indices are there until they are freed.
        unsafe {
            let map = adapter_order_map();
            let count = (*map).NumAdapters as usize;
            let order: Vec<u32> =
                (0..count).map(|place| (&raw const (*map).AdapterOrder[0]).add(place).read()).collect();
            let all = host.adapters(&AdapterQuery::default()).unwrap();
            assert_eq!(order, all.iter().map(|it| it.interface.index.0).collect::<Vec<_>>());
            assert!(local_free(map.cast()).is_null());
        }

        // SAFETY: as above.
        let buffer = filled(|buffer, size| unsafe { unidirectional_adapter_info(buffer.cast(), size) }, 122);
        assert_eq!(buffer[0] & 0xFFFF_FFFF, 0, "no adapter receives only");

        let (mut table, mut count) = (null_mut::<IP_INTERFACE_NAME_INFO>(), 0);
        // SAFETY: live variables; what comes back has as many rows as it says, in the C library's memory, and is left there.
        unsafe {
            assert_eq!(interface_info_from_stack(&raw mut table, &raw mut count, 1, null_mut(), 0), 0);
            assert_eq!(count, 2);
            let indices: Vec<u32> = (0..2).map(|place| table.add(place).read().Index).collect();
            assert_eq!(
                indices,
                names.iter().map(|name| host.interface_named(name).unwrap().index.0).collect::<Vec<_>>()
            );
        }
    });
}

#[test]
fn an_adapter_by_itself_has_its_name_servers() {
    isolated(|| {
        furnish();
        let host = Host::open().unwrap();
        let index = |name: &str| host.interface_named(name).unwrap().index.0;
        let info = |name: &str| {
            // SAFETY: each buffer has as many bytes as are stated.
            let buffer = filled(
                |buffer, size| unsafe { per_adapter_info(index(name), buffer.cast(), size) },
                OVERFLOW,
            );
            // SAFETY: the buffer begins with it.
            let info = unsafe { buffer.as_ptr().cast::<IP_PER_ADAPTER_INFO>().read() };
            let mut servers = Vec::new();
            let mut entry = &raw const info.DnsServerList;
            while !entry.is_null() {
                // SAFETY: lists lead into the buffer, which lives.
                let row = unsafe { entry.read() };
                servers.push(text(&row).0);
                entry = row.Next;
            }
            (info.AutoconfigEnabled, info.AutoconfigActive, servers)
        };
        assert_eq!(info("e1").0, 0);
        let _ = run("ip addr add 169.254.7.7/16 dev e1");
        assert_eq!((info("e1").0, info("e1").1), (1, 1));
        let dns =
            host.adapter(host.interface_named("e0").unwrap().index, &AdapterQuery::default()).unwrap().dns;
        let ipv4 = dns.iter().flat_map(|dns| &dns.servers).filter(|it| it.address.is_ipv4());
        let mut expected: Vec<String> = ipv4.map(|it| it.address.to_string()).collect();
        if expected.is_empty() {
            expected.push(String::new());
        }
        assert_eq!(info("e0").2, expected);
        assert_eq!(info("e1").2, [""], "no server is reached over it");
        let mut size = 0;
        // SAFETY: NULL and a live variable.
        unsafe {
            assert_eq!(per_adapter_info(0x7FFF_FFFF, null_mut(), &raw mut size), 87);
            assert_eq!(adapter_index(null(), &raw mut size), 87);
        }
    });
}
