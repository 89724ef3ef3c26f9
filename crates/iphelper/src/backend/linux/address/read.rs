//! The rows of unicast addresses.

use super::form::{Form, unpack};
use super::mark::Mark;
use crate::address::{CreationTime, DadState, Lifetime, UnicastAddress};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::{Link, address_family};
use crate::backend::linux::policy::Detection;
use crate::error::{Error, ErrorKind, Result};
use crate::types::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};
use iphelper_netlink::rtnetlink::addr::{self, Address, flag};
use rustc_hash::{FxHashMap, FxHashSet};
use rustix::time::{ClockId, clock_gettime};
use std::net::IpAddr;
use std::time::{Duration, SystemTime};

const OPERATION: &str = "reading addresses";

/// What [`Address::created`] counts in one round.
const ROUND: Duration = Duration::from_millis((1 << 32) * 10);

impl LinuxHost {
    pub(super) fn read_unicast_addresses(&self, family: Option<Family>) -> Result<Vec<UnicastAddress>> {
        let families = self.address_families(family, OPERATION)?;
        let links = self.links_by_index(OPERATION)?;
        let mut rows = Vec::new();
        for family in families {
            let start = rows.len();
            let mut seen = FxHashSet::default();
            for address in self.addresses(family, None, OPERATION)?.iter().filter(|it| is_unicast(it)) {
                // One that vanished between the dumps has no link. An IPv4 address that the kernel has with two
                // prefixes is one row.
                if let Some(link) = links.get(&InterfaceIndex(address.index))
                    && seen.insert((address.index, address.address))
                {
                    rows.push(row(address, link, link.luid()));
                }
            }
            if family == Family::V4 {
                // Beside one that was taken meanwhile it says nothing.
                let detected = self.detected_rows(links.values())?;
                rows.extend(detected.into_iter().filter(|row| seen.insert((row.index.0, row.address))));
            }
            if let Some(of_family) = rows.get_mut(start..) {
                of_family.sort_by_key(|row: &UnicastAddress| row.index);
            }
        }
        Ok(rows)
    }

    pub(super) fn read_unicast_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<UnicastAddress> {
        const OPERATION: &str = "reading an address";
        require_unicast(address, OPERATION)?;
        let family = Family::of(&address);
        let link = self.address_link(family, interface, OPERATION)?;
        let addresses = self.addresses(family, Some(link.index), OPERATION)?;
        if let Some(found) = addresses.iter().find(|it| it.address == address && is_unicast(it)) {
            return Ok(row(found, &link, link.luid()));
        }
        let detections = if family == Family::V4 { self.detections()? } else { Vec::new() };
        let found = detections.iter().find(|it| it.address == address && it.is_of(&link));
        found
            .map(|found| detected_row(found, &link))
            .ok_or_else(|| no_such_address(address, &link, OPERATION))
    }

    /// The rows of IPv4 addresses of `links` that are not taken: they are looked for, or somebody else has them.
    pub(in crate::backend::linux) fn detected_rows<'a>(
        &self,
        links: impl Iterator<Item = &'a Link>,
    ) -> Result<Vec<UnicastAddress>> {
        let detections = self.detections()?;
        if detections.is_empty() {
            return Ok(Vec::new());
        }
        let links: FxHashMap<u32, &Link> = links.map(|link| (link.index.0, link)).collect();
        let rows = detections.iter().filter_map(|detection| {
            let link = links.get(&detection.index()).filter(|link| detection.is_of(link))?;
            Some(detected_row(detection, link))
        });
        Ok(rows.collect())
    }

    /// The families that are asked for: `None` is those that this kernel has.
    pub(in crate::backend::linux) fn address_families(
        &self,
        family: Option<Family>,
        operation: &'static str,
    ) -> Result<Vec<Family>> {
        match family {
            Some(family) => {
                self.require_family(family, operation)?;
                Ok(vec![family])
            }
            None => Ok(Family::ALL.into_iter().filter(|family| self.sysctl.has(*family)).collect()),
        }
    }

    pub(super) fn links_by_index(&self, operation: &'static str) -> Result<FxHashMap<InterfaceIndex, Link>> {
        Ok(self.links(operation)?.into_iter().map(|link| (link.index, link)).collect())
    }

    /// The link that has a family, or why it has not.
    pub(in crate::backend::linux) fn address_link(
        &self,
        family: Family,
        interface: InterfaceKey,
        operation: &'static str,
    ) -> Result<Link> {
        self.require_family(family, operation)?;
        let link = self.link(interface, operation)?;
        if link.has_family(family) {
            return Ok(link);
        }
        Err(Error::new(ErrorKind::NotFound, operation).because(link.why_without(family)))
    }

    /// The addresses of one family, as the kernel lists them, of one link or of all.
    pub(in crate::backend::linux) fn addresses(
        &self,
        family: Family,
        link: Option<InterfaceIndex>,
        operation: &'static str,
    ) -> Result<Vec<Address>> {
        let mut request = addr::dump(address_family(family), link.map_or(0, |index| index.0));
        self.route
            .take()?
            .snapshot(&mut request, Vec::new, |addresses, message| {
                // Kernels without strict checking tell of all links.
                let asked = |it: &Address| link.is_none_or(|link| it.index == link.0);
                addresses.extend(Address::parse(message)?.filter(asked));
                Ok(())
            })
            .map_err(|refusal| refusal.error(operation))
    }
}

/// The row of an address of a link with this LUID, which costs more to work out than all else.
pub(in crate::backend::linux) fn row(address: &Address, link: &Link, luid: InterfaceLuid) -> UnicastAddress {
    let form = Form::of(address, link);
    let (prefix_origin, suffix_origin) = form.origins;
    let hides = form.skip && address.address.is_ipv6();
    UnicastAddress {
        address: address.address,
        luid,
        index: link.index,
        name: link.name(),
        prefix_origin,
        suffix_origin,
        valid_lifetime: Lifetime::from_secs(address.valid),
        preferred_lifetime: Lifetime::from_secs(form.preferred),
        on_link_prefix_length: form.prefix_len,
        skip_as_source: form.skip,
        dad_state: dad_state(if hides { address.flags & !flag::DEPRECATED } else { address.flags }),
        scope_id: scope_id(address.address, link.index),
        created: address
            .created
            .map(|hundredths| CreationTime(Duration::from_millis(u64::from(hundredths) * 10))),
    }
}

/// Whether an address is one of the unicast table.
pub(in crate::backend::linux) fn is_unicast(address: &Address) -> bool {
    Mark::of(address) != Some(Mark::Anycast)
}

/// The row of an IPv4 address that is not taken.
pub(in crate::backend::linux) fn detected_row(detection: &Detection, link: &Link) -> UnicastAddress {
    let (prefix_len, skip, origins) = unpack(detection.bits);
    let (prefix_origin, suffix_origin) = origins;
    UnicastAddress {
        address: detection.address.into(),
        luid: link.luid(),
        index: link.index,
        name: link.name(),
        prefix_origin,
        suffix_origin,
        valid_lifetime: Lifetime::from_secs(detection.valid),
        preferred_lifetime: Lifetime::from_secs(detection.preferred),
        on_link_prefix_length: prefix_len,
        skip_as_source: skip,
        dad_state: if detection.is_duplicate { DadState::Duplicate } else { DadState::Tentative },
        scope_id: 0,
        created: None,
    }
}

fn dad_state(flags: u32) -> DadState {
    let has = |flag| flags & flag != 0;
    match () {
        () if has(flag::DAD_FAILED) => DadState::Duplicate,
        // An optimistic address can be used while it is looked for others that have it (RFC 4429).
        () if has(flag::TENTATIVE) && !has(flag::OPTIMISTIC) => DadState::Tentative,
        () if has(flag::DEPRECATED) => DadState::Deprecated,
        () => DadState::Preferred,
    }
}

/// The zone that tells an address of one link from the same one on another.
pub(in crate::backend::linux) fn scope_id(address: IpAddr, index: InterfaceIndex) -> u32 {
    match address {
        // The second octet's lower half is the scope of a group: 1 the interface, 2 the link (RFC 4291, section 2.7).
        IpAddr::V6(group) if group.is_multicast() => {
            if matches!(group.octets(), [_, flags, ..] if flags & 0xf <= 2) { index.0 } else { 0 }
        }
        IpAddr::V6(address) if address.is_unicast_link_local() => index.0,
        _ => 0,
    }
}

/// [`ErrorKind::InvalidParameter`] for what no interface can have as its own.
pub(super) fn require_unicast(address: IpAddr, operation: &'static str) -> Result<()> {
    let is_unicast = match address {
        IpAddr::V4(address) => {
            let [first, ..] = address.octets();
            // 0.0.0.0/8 is this network, 240.0.0.0/4 reserved up to the broadcast address.
            first != 0 && !address.is_multicast() && first < 240
        }
        IpAddr::V6(address) => {
            !address.is_unspecified() && !address.is_multicast() && address.to_ipv4_mapped().is_none()
        }
    };
    if is_unicast {
        return Ok(());
    }
    Err(Error::new(ErrorKind::InvalidParameter, operation)
        .because(format!("{address} is no unicast address that an interface can have")))
}

pub(super) fn no_such_address(address: IpAddr, link: &Link, operation: &'static str) -> Error {
    Error::new(ErrorKind::NotFound, operation).because(format!("{} does not have {address}", link.name()))
}

/// The time of day when the computer was up for so long, by hundredths of a second. Rounds that the kernel's count has
/// made since are not known: the latest such time is taken.
pub(crate) fn time_of_uptime(uptime: Duration) -> SystemTime {
    let (up, now) = both_clocks();
    let mut age = up.saturating_sub(uptime);
    while age > ROUND {
        age -= ROUND;
    }
    let time = now.checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH);
    // What two clocks tell differs by the time between the two questions, which is no part of the answer.
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let hundredths = u64::try_from((since.as_millis() + 5) / 10).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_millis(hundredths * 10)
}

/// How long the computer has been up, and the time of day, at one moment: a thread that is made to wait between the two
/// questions asks again.
fn both_clocks() -> (Duration, SystemTime) {
    const AT_ONCE: Duration = Duration::from_micros(50);
    let up = || Duration::try_from(clock_gettime(ClockId::Monotonic)).unwrap_or_default();
    let mut attempts = 0;
    loop {
        let (before, now, after) = (up(), SystemTime::now(), up());
        attempts += 1;
        if after.saturating_sub(before) < AT_ONCE || attempts == 10 {
            return (before, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_follow_the_flags() {
        assert_eq!(dad_state(flag::PERMANENT), DadState::Preferred);
        assert_eq!(dad_state(flag::TENTATIVE), DadState::Tentative);
        assert_eq!(dad_state(flag::TENTATIVE | flag::OPTIMISTIC), DadState::Preferred);
        assert_eq!(dad_state(flag::TENTATIVE | flag::DAD_FAILED), DadState::Duplicate);
        assert_eq!(dad_state(flag::DEPRECATED), DadState::Deprecated);
    }

    #[test]
    fn only_what_an_interface_can_have_is_unicast() {
        for good in ["10.0.0.1", "127.0.0.1", "223.255.255.254", "::1", "fe80::1", "2001:db8::"] {
            assert!(require_unicast(good.parse().unwrap(), "").is_ok(), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "0.1.2.3",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "ff02::1",
            "::ffff:10.0.0.1",
        ] {
            let error = require_unicast(bad.parse().unwrap(), "").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{bad}");
        }
    }

    #[test]
    fn zones_are_those_of_links() {
        let scope = |text: &str| scope_id(text.parse().unwrap(), InterfaceIndex(7));
        assert_eq!(["fe80::1", "ff01::1", "ff02::1"].map(scope), [7; 3]);
        assert_eq!(["ff05::1", "2001:db8::1", "10.0.0.1", "169.254.1.1", "224.0.0.1"].map(scope), [0; 5]);
    }
}
