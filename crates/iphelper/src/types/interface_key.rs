use crate::convert::InterfaceNames;
use std::fmt;

/// The index of an interface: small, given out by the kernel, and free for another interface once its own is gone.
///
/// - Windows: `NET_IFINDEX`
/// - Linux: `ifindex`, see `netdevice(7)`; always from 1 to 2³¹ − 1
#[doc(alias = "NET_IFINDEX")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InterfaceIndex(pub u32);

impl fmt::Display for InterfaceIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The locally unique identifier of an interface: 64 bits that a later interface on the same index does not get.
///
/// `IANA type << 48 | tag << 31 | index` on Linux, the tag from link kind and what the interface has for life: the
/// permanent address of hardware, the index of the other end of a pair (see `docs/linux-mechanisms.md`). A later
/// interface that is alike in all of these (an identical twin, such as a second bridge on the first one's index) has the
/// same LUID: no attribute of the kernel tells them apart. On Windows bits 24 to 47 are the `NetLuidIndex`.
#[doc(alias = "NET_LUID")]
#[doc(alias = "IF_LUID")]
#[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct InterfaceLuid(pub u64);

impl InterfaceLuid {
    /// The IANA interface type, the upper 16 bits on every host.
    #[must_use]
    pub const fn interface_type(self) -> u16 {
        (self.0 >> 48) as u16
    }
}

impl fmt::Display for InterfaceLuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Debug for InterfaceLuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InterfaceLuid({self})")
    }
}

/// How a call names its interface.
///
/// In C a row holds both, and a LUID other than 0 decides alone; here a value is one or the other. Calls take whatever
/// becomes a key: a LUID, an index, or what [`Host::interface_named`](crate::Host::interface_named) found.
///
/// ```no_run
/// # fn main() -> iphelper::Result<()> {
/// use iphelper::{Family, Host};
///
/// let host = Host::open()?;
/// let eth0 = host.interface_named("eth0")?;
/// println!("{}", host.ip_interface(Family::V4, &eth0)?.nl_mtu);
/// println!("{}", host.ip_interface(Family::V4, eth0.index)?.nl_mtu);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InterfaceKey {
    /// By LUID: never another interface, even if the index was given out again.
    Luid(InterfaceLuid),
    /// By index.
    Index(InterfaceIndex),
}

impl From<InterfaceLuid> for InterfaceKey {
    fn from(luid: InterfaceLuid) -> Self {
        Self::Luid(luid)
    }
}

impl From<InterfaceIndex> for InterfaceKey {
    fn from(index: InterfaceIndex) -> Self {
        Self::Index(index)
    }
}

impl From<&InterfaceNames> for InterfaceKey {
    /// By LUID.
    fn from(names: &InterfaceNames) -> Self {
        Self::Luid(names.luid)
    }
}

impl fmt::Display for InterfaceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Luid(luid) => write!(f, "LUID {luid}"),
            Self::Index(index) => write!(f, "index {index}"),
        }
    }
}
