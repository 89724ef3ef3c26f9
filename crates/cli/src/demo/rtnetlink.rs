//! The few rtnetlink requests that the stage is built with, so that no `ip` program is needed.

use iphelper_netlink::attribute::AttributeWriter;
use iphelper_netlink::message::{ACK, Messages, Request};
use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::net::IpAddr;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

const NEWLINK: u16 = 16;
const GETLINK: u16 = 18;
const NEWADDR: u16 = 20;
const NEWROUTE: u16 = 24;
/// `NLM_F_CREATE | NLM_F_EXCL`.
const CREATE: u16 = 0x400 | 0x200;

const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_FLAGS: u16 = 8;
/// `IFA_F_NODAD`: no duplicate address detection, the address can be used at once.
const NODAD: u32 = 0x02;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const RTA_PRIORITY: u16 = 6;
/// `RT_TABLE_MAIN`.
const MAIN: u8 = 254;
/// `RTPROT_BOOT`: what `ip route add` writes.
const BOOT: u8 = 3;
/// `RTN_UNICAST`.
const UNICAST: u8 = 1;
const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

/// A route to add.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    /// An address and the length of its prefix.
    pub(super) destination: (IpAddr, u8),
    pub(super) gateway: IpAddr,
    pub(super) metric: u32,
}

/// A socket of the namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Socket(OwnedFd);

impl Socket {
    pub(super) fn open() -> Result<Self, Errno> {
        let socket =
            rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0))?;
        Ok(Self(socket))
    }

    /// Makes a cable: an interface called `name` here, its other end called `far_name` in the namespace `there`.
    pub(super) fn make_cable(&self, name: &str, there: BorrowedFd<'_>, far_name: &str) -> Result<(), Errno> {
        let mut request = Request::new(NEWLINK, ACK | CREATE, &link(0, 0, 0));
        let _ =
            request.attribute_name(IFLA_IFNAME, name.as_bytes()).attribute_nested(IFLA_LINKINFO, |info| {
                let _ = info.attribute(IFLA_INFO_KIND, b"veth").attribute_nested(IFLA_INFO_DATA, |data| {
                    let _ = data.attribute_nested(VETH_INFO_PEER, |peer| {
                        peer.buffer().extend_from_slice(&link(0, 0, 0));
                        let _ = peer
                            .attribute_name(IFLA_IFNAME, far_name.as_bytes())
                            .attribute(IFLA_NET_NS_FD, &there.as_raw_fd().to_ne_bytes());
                    });
                });
            });
        self.ask(&mut request).map(drop)
    }

    /// Switches an interface on.
    pub(super) fn switch_on(&self, name: &str) -> Result<(), Errno> {
        let mut request = Request::new(NEWLINK, ACK, &link(self.index(name)?, IFF_UP, IFF_UP));
        self.ask(&mut request).map(drop)
    }

    /// Gives an interface an address.
    pub(super) fn add_address(&self, name: &str, address: IpAddr, prefix_len: u8) -> Result<(), Errno> {
        let (family, bytes) = octets(address);
        let mut body = vec![family, prefix_len, 0, 0];
        body.extend_from_slice(&self.index(name)?.to_ne_bytes());
        let mut request = Request::new(NEWADDR, ACK | CREATE, &body);
        let _ = request
            .attribute(IFA_LOCAL, &bytes)
            .attribute(IFA_ADDRESS, &bytes)
            .attribute_u32(IFA_FLAGS, NODAD);
        self.ask(&mut request).map(drop)
    }

    /// Adds a route over an interface.
    pub(super) fn add_route(&self, name: &str, route: Route) -> Result<(), Errno> {
        let Route { destination: (destination, len), gateway, metric } = route;
        let (family, gateway) = octets(gateway);
        let mut request =
            Request::new(NEWROUTE, ACK | CREATE, &[family, len, 0, 0, MAIN, BOOT, 0, UNICAST, 0, 0, 0, 0]);
        if len > 0 {
            let _ = request.attribute(RTA_DST, &octets(destination).1);
        }
        let _ = request
            .attribute(RTA_GATEWAY, &gateway)
            .attribute_u32(RTA_OIF, self.index(name)?)
            .attribute_u32(RTA_PRIORITY, metric);
        self.ask(&mut request).map(drop)
    }

    /// The MTU that the kernel reports for an interface.
    pub(super) fn mtu(&self, name: &str) -> Result<Option<u32>, Errno> {
        let mut request = Request::new(GETLINK, ACK, &link(self.index(name)?, 0, 0));
        self.ask(&mut request)
    }

    fn index(&self, name: &str) -> Result<u32, Errno> {
        rustix::net::netdevice::name_to_index(&self.0, name)
    }

    /// Sends a request and waits for its acknowledgement; gives the MTU if a link came before it.
    fn ask(&self, request: &mut Request) -> Result<Option<u32>, Errno> {
        let _ = rustix::net::send(&self.0, request.finish(1), SendFlags::empty())?;
        let mut buffer = vec![0; 65_536];
        let mut mtu = None;
        loop {
            let (_, len) = rustix::net::recv(&self.0, buffer.as_mut_slice(), RecvFlags::empty())?;
            for message in Messages::new(buffer.get(..len).unwrap_or_default()) {
                let message = message.map_err(|_| Errno::BADMSG)?;
                if let Some(answer) = message.acknowledgement() {
                    return match answer.map_err(|_| Errno::BADMSG)?.errno {
                        0 => Ok(mtu),
                        errno => Err(Errno::from_raw_os_error(errno)),
                    };
                }
                if message.header.kind == NEWLINK {
                    let (_, attributes) = message.split::<16>("ifinfomsg").map_err(|_| Errno::BADMSG)?;
                    let found = attributes.flatten().find(|attribute| attribute.kind == IFLA_MTU);
                    mtu = found.and_then(|attribute| attribute.u32().ok());
                }
            }
        }
    }
}

/// An address as the kernel takes it.
fn octets(address: IpAddr) -> (u8, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    }
}

/// `struct ifinfomsg`.
fn link(index: u32, flags: u32, change: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    let fields = [[0; 4], index.to_ne_bytes(), flags.to_ne_bytes(), change.to_ne_bytes()];
    bytes.copy_from_slice(fields.as_flattened());
    bytes
}
