//! A host for the functions to act on: namespaces of its own, and what is real in them.

use crate::memory::Random;
use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;
use iphelper_capi::{
    address, compartment, convert, interface, ip_interface, neighbor, path, route, statistics, tcp, udp,
};
use iphelper_testkit::{NetNs, run, set_sysctl, with_empty_folders, with_private_files};
use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};

/// Addresses here: loopback's, our own, a neighbour's that answers, one without a route, everybody's.
pub(crate) const ADDRESSES: [[u8; 4]; 7] = [
    [127, 0, 0, 1],
    [192, 0, 2, 1],
    [192, 0, 2, 2],
    [203, 0, 113, 9],
    [255, 255, 255, 255],
    [0, 0, 0, 0],
    [224, 0, 0, 1],
];

/// What is real on the host.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// Rows of the host's own tables by the name of their type.
    rows: HashMap<&'static str, Vec<Vec<u8>>>,
    /// Indices of interfaces.
    pub(crate) indices: Vec<u32>,
    pub(crate) names: Vec<String>,
}

impl World {
    /// Runs `work` on a host that is gone afterwards. `None` where this machine has no mounts for tests, which was said.
    pub(crate) fn on<T: Send>(work: impl FnOnce(&Self) -> T + Send) -> Option<T> {
        let (here, there) = (NetNs::new(), NetNs::new());
        here.veth("e0", &there, "e1");
        let _ = there.sh("ip address add 192.0.2.2/24 dev e1");
        let _ = there.sh("ip address add 2001:db8::2/64 dev e1 nodad");
        let neighbor = there.run(|| TcpListener::bind("192.0.2.2:7").expect("listening"));
        here.run(|| {
            with_private_files(|| {
                with_empty_folders(&["/var"], || {
                    std::fs::create_dir("/var/lib").expect("making a private /var/lib");
                    std::fs::write("/etc/resolv.conf", "nameserver 192.0.2.2\nsearch example.org\n")
                        .expect("writing the private resolv.conf");
                    prepare();
                    // The kernel remembers the path of a connection that has ended.
                    let ended = TcpStream::connect("192.0.2.2:7").expect("connecting to the neighbour");
                    drop((neighbor.accept().expect("accepting"), ended));
                    let listener = TcpListener::bind("127.0.0.1:0").expect("listening");
                    let end = listener.local_addr().expect("an address");
                    let _connection = TcpStream::connect(end).expect("connecting");
                    let six = TcpListener::bind("[::1]:0").expect("listening");
                    let _six = TcpStream::connect(six.local_addr().expect("an address")).expect("connecting");
                    let _udp = ["127.0.0.1:0", "[::1]:0"].map(|end| UdpSocket::bind(end).expect("binding"));
                    work(&Self::read())
                })
            })
        })
        .flatten()
    }

    /// The bytes of a row of this type; none where there is none.
    pub(crate) fn row(&self, type_name: &str, random: &mut Random) -> Option<Vec<u8>> {
        let rows = self.rows.get(type_name).filter(|rows| !rows.is_empty())?;
        Some(rows[random.below(rows.len())].clone())
    }

    fn add<T>(&mut self, row: &T) {
        // SAFETY: the row lives; what stands between its members is not looked at.
        let bytes = unsafe { std::slice::from_raw_parts((&raw const *row).cast::<u8>(), size_of::<T>()) };
        self.rows.entry(std::any::type_name::<T>()).or_default().push(bytes.to_vec());
    }

    /// Takes the rows of a table of `FreeMibTable`'s.
    fn add_table<T: Table>(&mut self, get: unsafe fn(u16, *mut *mut T) -> u32) {
        for family in [AF_INET, AF_INET6] {
            let mut table: *mut T = std::ptr::null_mut();
            // SAFETY: `table` is a live variable, and then a table with as many rows as it says, which is freed once.
            unsafe {
                if get(family, &raw mut table) == 0 {
                    self.add_rows(table);
                    iphelper_capi::memory::free_mib_table(table.cast());
                }
            }
        }
    }

    /// Takes the rows of a table in the caller's buffer.
    fn add_buffer<T: Table>(&mut self, get: impl Fn(*mut T, *mut u32) -> u32) {
        let mut size = 0;
        let _ = get(std::ptr::null_mut(), &raw mut size);
        let mut buffer = vec![0_u128; size as usize / 16 + 8];
        size += 64;
        if get(buffer.as_mut_ptr().cast(), &raw mut size) == 0 {
            // SAFETY: the buffer holds a table now.
            unsafe { self.add_rows(buffer.as_ptr().cast::<T>()) };
        }
    }

    /// # Safety
    /// A table with as many rows as it says.
    unsafe fn add_rows<T: Table>(&mut self, table: *const T) {
        // SAFETY: the caller's promise.
        let count = unsafe { table.cast::<u32>().read() };
        for position in 0..count as usize {
            // SAFETY: as above.
            let row = unsafe { table.byte_add(T::ROWS_AT).cast::<T::Row>().add(position).read_unaligned() };
            self.add(&row);
        }
    }

    fn read() -> Self {
        let mut world = Self::default();
        world.add_table(ip_interface::ip_interface_table::<Win32>);
        world.add_table(address::unicast_ip_address_table::<Win32>);
        world.add_table(address::anycast_ip_address_table::<Win32>);
        world.add_table(address::multicast_ip_address_table::<Win32>);
        world.add_table(neighbor::ip_net_table2::<Win32>);
        world.add_table(path::ip_path_table::<Win32>);
        world.add_table(route::ip_forward_table2::<Win32>);
        // SAFETY: the table is a live variable.
        world.add_table::<MIB_IF_TABLE2>(|_, table| unsafe { interface::if_table2::<Win32>(table) });
        // SAFETY (of all): the buffer is NULL or as large as its size.
        unsafe {
            world.add_buffer(|table, size| interface::if_table(table, size, 0));
            world.add_buffer(|table, size| route::ip_forward_table(table, size, 0));
            world.add_buffer(|table, size| neighbor::ip_net_table(table, size, 0));
            world.add_buffer(|table, size| tcp::tcp_table(table, size, 0));
            world.add_buffer(|table, size| tcp::tcp6_table(table, size, 0));
            world.add_buffer::<MIB_TCPTABLE_OWNER_MODULE>(|table, size| {
                tcp::extended_tcp_table(table.cast(), size, 0, 2, TCP_TABLE_OWNER_MODULE_ALL, 0)
            });
            world.add_buffer::<MIB_TCP6TABLE_OWNER_MODULE>(|table, size| {
                tcp::extended_tcp_table(table.cast(), size, 0, 23, TCP_TABLE_OWNER_MODULE_ALL, 0)
            });
            world.add_buffer::<MIB_UDPTABLE_OWNER_MODULE>(|table, size| {
                udp::extended_udp_table(table.cast(), size, 0, 2, UDP_TABLE_OWNER_MODULE, 0)
            });
            world.add_buffer::<MIB_UDP6TABLE_OWNER_MODULE>(|table, size| {
                udp::extended_udp_table(table.cast(), size, 0, 23, UDP_TABLE_OWNER_MODULE, 0)
            });
            let mut row = MIB_IPSTATS::default();
            let _ = statistics::ip_statistics(&raw mut row);
            world.add(&row);
        }
        world.add_keys();
        world.add_made_up();
        for text in
            ["2001:db8::1", "2001:db8::2", "::1", "::", "::", "2001:db8:1::9", "ff02::1", "::ffff:192.0.2.2"]
        {
            let ip: std::net::Ipv6Addr = text.parse().expect("an address");
            let mut end = SOCKADDR_IN6 { sin6_family: AF_INET6, ..SOCKADDR_IN6::default() };
            end.sin6_addr.u.Byte = ip.octets();
            world.add(&end);
            world.add(&SOCKADDR_INET { Ipv6: end });
        }
        for address in ADDRESSES {
            let mut end = SOCKADDR_IN { sin_family: AF_INET, ..SOCKADDR_IN::default() };
            end.sin_addr.S_un.S_addr = u32::from_ne_bytes(Ipv4Addr::from(address).octets());
            let mut any = SOCKADDR_INET::default();
            any.Ipv4 = end;
            world.add(&any);
        }
        world
    }

    /// Rows that stand in no table yet, or ask for a change.
    fn add_made_up(&mut self) {
        for mut row in self.all::<MIB_TCPROW>() {
            row.Anonymous.dwState = MIB_TCP_STATE_DELETE_TCB.cast_unsigned();
            self.add(&row);
        }
        for row in self.all::<MIB_TCPROW_OWNER_MODULE>() {
            self.add(&row.OwningModuleInfo[0]);
        }
        for mut row in self.all::<MIB_IPFORWARD_ROW2>() {
            let prefix = &mut row.DestinationPrefix.Prefix;
            // SAFETY: a number in each member.
            unsafe {
                match prefix.si_family {
                    AF_INET => prefix.Ipv4.sin_addr.S_un.S_addr ^= u32::from_ne_bytes([0, 0, 9, 0]),
                    _ => prefix.Ipv6.sin6_addr.u.Byte[5] ^= 9,
                }
            }
            self.add(&row);
        }
        for mut row in self.all::<MIB_IPFORWARDROW>() {
            row.dwForwardDest ^= u32::from_ne_bytes([0, 0, 9, 0]);
            row.dwForwardMetric1 += 300;
            self.add(&row);
        }
        for mut row in self.all::<MIB_IPNETROW>() {
            row.dwAddr ^= u32::from_ne_bytes([0, 0, 0, 9]);
            self.add(&row);
        }
        for mut row in self.all::<MIB_ANYCASTIPADDRESS_ROW>() {
            // SAFETY: as above.
            unsafe { row.Address.Ipv6.sin6_addr.u.Byte[15] ^= 9 };
            self.add(&row);
        }
        let (id, mut guid) = (compartment::current_thread_compartment_id(), GUID::default());
        // SAFETY: a live variable.
        if unsafe { compartment::compartment_id_to_guid::<Win32>(id, &raw mut guid) } == 0 {
            self.add(&guid);
        }
    }

    /// The rows of a type.
    fn all<T: Copy>(&self) -> Vec<T> {
        let rows = self.rows.get(std::any::type_name::<T>());
        // SAFETY: `add` took the bytes of a `T`.
        let read = |row: &Vec<u8>| unsafe { row.as_ptr().cast::<T>().read_unaligned() };
        rows.map_or_else(Vec::new, |rows| rows.iter().map(read).collect())
    }

    /// What names the interfaces.
    fn add_keys(&mut self) {
        for index in 1..4 {
            let (mut luid, mut guid) = (NET_LUID::default(), GUID::default());
            // SAFETY: live variables.
            unsafe {
                if convert::index_to_luid::<Win32>(index, &raw mut luid) != 0
                    || convert::luid_to_guid::<Win32>(&raw const luid, &raw mut guid) != 0
                {
                    continue;
                }
            }
            self.indices.push(index);
            self.add(&luid);
            self.add(&guid);
            self.add(&IP_ADAPTER_INDEX_MAP { Index: index, Name: [0; 128] });
        }
        let host = iphelper::Host::open().expect("opening the host");
        for index in &self.indices {
            let names = host.interface_names(iphelper::InterfaceIndex(*index)).expect("naming an interface");
            self.names.push(names.guid.to_string());
        }
        self.names.extend(["lo", "e0", r"\DEVICE\TCPIP_{"].map(str::to_owned));
    }
}

/// What the host has before anything is called.
fn prepare() {
    let _ = run("ip address add 192.0.2.1/24 dev e0");
    let _ = run("ip address add 2001:db8::1/64 dev e0 nodad");
    // Who does not answer is given up soon.
    for family in ["ipv4", "ipv6"] {
        for (file, value) in [("retrans_time_ms", "5"), ("ucast_solicit", "1"), ("mcast_solicit", "1")] {
            set_sysctl(&format!("{family}/neigh/e0/{file}"), value);
        }
    }
    // A user namespace may have no other group.
    set_sysctl("ipv4/ping_group_range", "0 0");
    // A router has anycast addresses.
    set_sysctl("ipv6/conf/e0/forwarding", "1");
    let _ = run("ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev e0 nud permanent");
    let _ = run("ip route add 198.51.100.0/24 via 192.0.2.2 dev e0 metric 77");
}
