//! Which interfaces have which policy property.

use super::marker::{index_of, route_of};
use super::names::{self, PROTOCOL, STATE_TABLE};
use crate::types::{Family, InterfaceIndex, InterfaceLuid};
use iphelper_netlink::rtnetlink::route::{Route, kind};
use std::collections::BTreeSet;

/// A property that is held by rules and filters. Its number is part of the marker's metric.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(in crate::backend::linux) enum Property {
    DisableDefaultRoutes = 1,
    /// `WeakHostSend` is FALSE.
    StrongSend = 2,
    /// `WeakHostReceive` is FALSE.
    StrongReceive = 3,
    /// No property, but a note that `arp_ignore` was 0 before we raised it for [`StrongReceive`](Self::StrongReceive).
    RaisedArpIgnore = 4,
    /// No property, but a note that tables of the interface are being filled, or taken away.
    Clearing = 5,
    /// What comes in for others is forwarded, where the kernel knows that for all interfaces or none; see
    /// [`forwarding`](super::forwarding). IPv6 alone.
    Forwarding = 6,
}

impl Property {
    pub(super) const ALL: [Self; 6] = [
        Self::DisableDefaultRoutes,
        Self::StrongSend,
        Self::StrongReceive,
        Self::RaisedArpIgnore,
        Self::Clearing,
        Self::Forwarding,
    ];

    /// Those that the packet filter's elements remember.
    pub(super) const IN_FILTER: [Self; 5] = [
        Self::DisableDefaultRoutes,
        Self::StrongSend,
        Self::StrongReceive,
        Self::RaisedArpIgnore,
        Self::Forwarding,
    ];

    /// The set or map of the packet filter whose elements are the interfaces that have it.
    pub(super) fn set_name(self, family: Family) -> String {
        let name = match self {
            Self::DisableDefaultRoutes => "ddr",
            Self::StrongSend => "strong-send",
            Self::StrongReceive => "strong-receive",
            Self::RaisedArpIgnore => "raised-arp-ignore",
            Self::Clearing => "clearing",
            Self::Forwarding => "forward",
        };
        format!("{name}{}", names::digit(family))
    }
}

/// One property of one interface that is set.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(in crate::backend::linux) struct Setting {
    pub(in crate::backend::linux) family: Family,
    pub(in crate::backend::linux) property: Property,
    pub(in crate::backend::linux) index: InterfaceIndex,
    pub(in crate::backend::linux) luid: InterfaceLuid,
}

/// All that is set.
pub(in crate::backend::linux) type Settings = BTreeSet<Setting>;

/// The interfaces that have a property.
pub(super) fn having(settings: &Settings, family: Family, property: Property) -> BTreeSet<u32> {
    settings
        .iter()
        .filter(|setting| setting.family == family && setting.property == property)
        .map(|setting| setting.index.0)
        .collect()
}

/// A setting as a route without device, in a table that no rule looks up: everybody may read routes and be told of
/// their changes, while the packet filter is hidden from ordinary users.
///
/// The destination is the interface's index, the metric holds property, family and LUID tag. All are IPv4 routes, also
/// those about IPv6: IPv6 hangs routes without device on the loopback interface, and takes them away when that goes down.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) struct Marker {
    pub(super) family: Family,
    pub(super) property: Property,
    pub(super) index: u32,
    /// The 17 bits of the LUID by which a later interface on the index is told apart.
    pub(super) tag: u32,
}

const PROPERTY_SHIFT: u32 = 24;
/// Marks a property of IPv6.
const IPV6: u32 = 0x80;
const TAG_BITS: u32 = 17;
const TAG_SHIFT: u32 = 31;
const TAG_MASK: u32 = (1 << TAG_BITS) - 1;

/// The tag in a LUID.
pub(super) fn tag(luid: InterfaceLuid) -> u32 {
    u32::try_from(luid.0 >> TAG_SHIFT & u64::from(TAG_MASK)).unwrap_or_default()
}

impl Marker {
    pub(super) fn of(setting: &Setting) -> Self {
        let Setting { family, property, index, luid } = *setting;
        Self { family, property, index: index.0, tag: tag(luid) }
    }

    pub(super) fn is_of(&self, setting: &Setting) -> bool {
        *self == Self::of(setting)
    }

    pub(super) fn route(&self) -> Route {
        let family = if self.family == Family::V6 { IPV6 } else { 0 };
        route_of(STATE_TABLE, self.index, (self.property as u32 | family) << PROPERTY_SHIFT | self.tag)
    }

    /// Reads a route; `None` if it is no marker, or one of a property that a later version knows.
    pub(super) fn read(route: &Route) -> Option<Self> {
        if route.table != STATE_TABLE || route.kind != kind::THROW || route.protocol != PROTOCOL {
            return None;
        }
        let index = index_of(route)?;
        let number = route.priority >> PROPERTY_SHIFT;
        let family = if number & IPV6 == 0 { Family::V4 } else { Family::V6 };
        let property = Property::ALL.into_iter().find(|property| *property as u32 == number & !IPV6)?;
        Some(Self { family, property, index, tag: route.priority & TAG_MASK })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_netlink::message::Messages;

    #[test]
    fn a_marker_reads_back() {
        for family in Family::ALL {
            let setting = Setting {
                family,
                property: Property::DisableDefaultRoutes,
                index: InterfaceIndex(0x7fff_fffe),
                luid: InterfaceLuid(6 << 48 | 0x1_2345 << 31 | 0x7fff_fffe),
            };
            let marker = Marker::of(&setting);
            assert_eq!(marker.tag, 0x1_2345);
            let mut request = marker.route().create_or_replace();
            let bytes = request.finish(1).to_vec();
            let message = Messages::new(&bytes).next().unwrap().unwrap();
            let route = Route::parse(&message).unwrap().unwrap();
            assert_eq!(Marker::read(&route), Some(marker));
            assert!(marker.is_of(&setting));
            let twin = Setting { luid: InterfaceLuid(setting.luid.0 ^ 1 << 40), ..setting };
            assert!(!marker.is_of(&twin), "a later interface on the index");
        }
    }
}
