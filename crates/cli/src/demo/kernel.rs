//! What the kernel itself reports, read without the library that made the change.

use super::rtnetlink;
use super::stage::CABLE;
use std::fs;
use std::net::SocketAddr;

/// A value of the kernel.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value {
    /// A file of the cable's interface under `/proc/sys/net`, such as `ipv4/conf/*/forwarding`.
    Sysctl(&'static str),
    /// The link's MTU, which rtnetlink tells.
    LinkMtu,
}

impl Value {
    /// The value's name, as administrators know it (`sysctl(8)`).
    pub(super) fn name(self) -> String {
        match self {
            Self::Sysctl(path) => format!("net.{}", path.replace('*', CABLE).replace('/', ".")),
            Self::LinkMtu => "IFLA_MTU, over netlink".to_owned(),
        }
    }

    /// The value now; `None` where this kernel does not have it.
    pub(super) fn read(self) -> Option<String> {
        match self {
            Self::Sysctl(path) => {
                let text = fs::read_to_string(format!("/proc/sys/net/{}", path.replace('*', CABLE)));
                text.ok().map(|text| text.trim().to_owned())
            }
            Self::LinkMtu => {
                let mtu = rtnetlink::Socket::open().and_then(|socket| socket.mtu(CABLE));
                mtu.ok().flatten().map(|mtu| mtu.to_string())
            }
        }
    }
}

/// Whether `/proc/net/tcp`, the kernel's own text, has an established IPv4 connection with this local end.
pub(super) fn has_connection(local: SocketAddr) -> bool {
    let SocketAddr::V4(local) = local else { return false };
    // The address as the kernel prints it: 32 bits of memory as one number, then the port.
    let end = format!("{:08X}:{:04X}", u32::from_ne_bytes(local.ip().octets()), local.port());
    let table = fs::read_to_string("/proc/thread-self/net/tcp").unwrap_or_default();
    table.lines().any(|line| {
        line.split_whitespace().nth(1) == Some(&end) && line.split_whitespace().nth(3) == Some("01")
    })
}

/// How many packets of both families this computer's kernel has forwarded for others; `None` where it does not tell.
pub(super) fn forwarded() -> Option<u64> {
    let v4 = fs::read_to_string("/proc/thread-self/net/snmp").ok()?;
    // A line of names, then one of numbers.
    let mut lines = v4.lines().filter_map(|line| line.strip_prefix("Ip:")).map(str::split_whitespace);
    let (_, v4) = lines.next()?.zip(lines.next()?).find(|(name, _)| *name == "ForwDatagrams")?;
    let v6 = fs::read_to_string("/proc/thread-self/net/snmp6").ok()?;
    let v6 = v6.lines().find_map(|line| line.strip_prefix("Ip6OutForwDatagrams"))?;
    Some(v4.parse::<u64>().ok()? + v6.trim().parse::<u64>().ok()?)
}
