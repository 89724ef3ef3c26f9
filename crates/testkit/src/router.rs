//! A router of a few lines: router advertisements as a test wants them (RFC 4861, section 4.2).

use rustix::net::{AddressFamily, SendFlags, SocketType, ipproto, sockopt};
use std::net::{Ipv6Addr, SocketAddrV6};

const DAY: u32 = 86_400;
const HOUR: u32 = 3_600;

/// What a router advertises.
#[derive(Clone, Copy, Debug)]
pub struct Advertisement {
    /// How long the router may be a default router, in seconds; 0: it is none.
    pub router_lifetime: u16,
    /// An on-link prefix of 64 bits from which addresses are made.
    pub prefix: Ipv6Addr,
    /// A further prefix of 48 bits that the router is the way to.
    pub route: Option<Ipv6Addr>,
    /// The M flag: addresses come by DHCPv6.
    pub managed: bool,
    /// The O flag: the rest comes by DHCPv6.
    pub other_configuration: bool,
}

impl Advertisement {
    /// Sends it to all hosts on the link `interface` of this thread's namespace.
    pub fn send(&self, interface: &str) {
        self.send_for(interface, [DAY, HOUR, HOUR]);
    }

    /// The same, with prefix and route that are valid for ever.
    pub fn send_for_ever(&self, interface: &str) {
        self.send_for(interface, [u32::MAX; 3]);
    }

    /// The same, but that prefix and route are no longer valid.
    pub fn withdraw(&self, interface: &str) {
        self.send_for(interface, [0; 3]);
    }

    fn send_for(&self, interface: &str, lifetimes: [u32; 3]) {
        let everybody = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        let socket = rustix::net::socket(AddressFamily::INET6, SocketType::RAW, Some(ipproto::ICMPV6))
            .expect("opening a raw ICMPv6 socket");
        // Hosts take no advertisement that may have come through a router.
        sockopt::set_ipv6_multicast_hops(&socket, 255).expect("setting the hop limit");
        let index = rustix::net::netdevice::name_to_index(&socket, interface).expect("finding the interface");
        let to = SocketAddrV6::new(everybody, 0, 0, index);
        let sent = rustix::net::sendto(&socket, &self.bytes(lifetimes), SendFlags::empty(), &to);
        let _ = sent.expect("sending a router advertisement");
    }

    /// The lifetimes in seconds: valid and preferred one of the prefix, that of the route.
    fn bytes(&self, lifetimes: [u32; 3]) -> Vec<u8> {
        let [valid, preferred, of_route] = lifetimes.map(u32::to_be_bytes);
        let lifetime = self.router_lifetime.to_be_bytes();
        // Type 134, code, checksum (the kernel's work), hop limit, flags, lifetime, reachable and retransmit time.
        let flags = u8::from(self.managed) << 7 | u8::from(self.other_configuration) << 6;
        let mut bytes = [[134, 0, 0, 0], [64, flags, lifetime[0], lifetime[1]], [0; 4], [0; 4]].concat();
        // Prefix information: on-link and autonomous.
        bytes.extend([[3, 4, 64, 0xc0], valid, preferred, [0; 4]].concat());
        bytes.extend(self.prefix.octets());
        if let Some(route) = self.route {
            bytes.extend([[24, 2, 48, 0], of_route].concat());
            bytes.extend(route.octets().get(..8).unwrap_or_default());
        }
        bytes
    }
}
