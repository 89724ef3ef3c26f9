//! Changing and deleting addresses, and what all three ways to write one share.
//!
//! Each is planned first, with every check, then written. What must not be torn apart goes in one datagram, which the
//! kernel works off even if the program is killed meanwhile.

use super::form::Form;
use super::mark::Mark;
use super::on_link::OnLinkRoutes;
use super::read::{detected_row, no_such_address, require_unicast, row};
use crate::address::{UnicastAddress, UnicastAddressChange};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::policy::{Detection, send_all};
use crate::backend::linux::socket::Refusal;
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceKey, Lifetime};
use iphelper_netlink::message::{ACK, CREATE, EXCLUSIVE, REPLACE, Request};
use iphelper_netlink::rtnetlink::addr::{Address, flag, protocol};
use iphelper_netlink::rtnetlink::link::{change as link_change, devconf4, flag as link_flag};
use iphelper_netlink::rtnetlink::route::{self, Filter, Route};
use std::net::IpAddr;

/// What every error of this file was about.
pub(super) const OPERATION: &str = "changing an address";

/// What is written of an address that is there.
#[derive(Debug)]
struct Alteration {
    link: Link,
    from: Address,
    to: Address,
    /// Whether the kernel has it already, beside the one that it replaces.
    is_there: bool,
    changes: Vec<PropertyChange>,
}

/// What is taken away.
#[derive(Debug)]
struct Deletion {
    link: Link,
    addresses: Vec<Address>,
    detection: Option<Detection>,
    /// As it was.
    row: UnicastAddress,
}

impl LinuxHost {
    pub(super) fn plan_alteration_of(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>> {
        Ok(self.plan_alteration(interface, address, change)?.changes)
    }

    pub(super) fn alter_address(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Vec<PropertyChange>> {
        self.require_administrator(OPERATION)?;
        let alteration = self.plan_alteration(interface, address, change)?;
        if !alteration.changes.is_empty() {
            self.carry_alteration_out(&alteration)?;
            self.follow_address_change(&alteration.link, Family::of(&address))?;
        }
        Ok(alteration.changes)
    }

    fn plan_alteration(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
        change: &UnicastAddressChange,
    ) -> Result<Alteration> {
        require_unicast(address, OPERATION)?;
        let family = Family::of(&address);
        let link = self.address_link(family, interface, OPERATION)?;
        let mut held = self.addresses(family, Some(link.index), OPERATION)?;
        held.retain(|it| it.address == address && Mark::of(it) != Some(Mark::Anycast));
        let to_be = |is: &Form| {
            let seconds = |change: Option<Lifetime>, is| change.map_or(is, Lifetime::as_secs);
            Form {
                prefix_len: change.on_link_prefix_length.unwrap_or(is.prefix_len),
                origins: change.origins.unwrap_or(is.origins),
                valid: seconds(change.valid_lifetime, is.valid),
                preferred: seconds(change.preferred_lifetime, is.preferred),
                skip: change.skip_as_source.unwrap_or(is.skip),
            }
        };
        let (from, completed) = match held.as_slice() {
            [from] => (from.clone(), None),
            [] if self.detections()?.iter().any(|it| it.address == address && it.is_of(&link)) => {
                return Err(unsupported(format!(
                    "{address} is tentative or a duplicate: delete it, and create it as it is to be"
                )));
            }
            [] => return Err(no_such_address(address, &link, OPERATION)),
            several => {
                // A caller that was killed between adding the new one and deleting the old one.
                let leads =
                    |from: &Address, to: &Address| to_be(&Form::of(from, &link)) == Form::of(to, &link);
                let pairs = several.iter().flat_map(|from| several.iter().map(move |to| (from, to)));
                let mut pairs =
                    pairs.filter(|(from, to)| from != to && several.len() == 2 && leads(from, to));
                let (Some((from, to)), None) = (pairs.next(), pairs.next()) else {
                    return Err(unsupported(format!(
                        "{} has {address} several times, with different prefixes: delete it, and create it as it is to be",
                        link.name()
                    )));
                };
                (from.clone(), Some(to.clone()))
            }
        };
        let is = Form::of(&from, &link);
        let to_be = to_be(&is);
        to_be.check(address)?;
        let mut changes = Vec::new();
        tell_form(&mut changes, &is, &to_be, family);
        let to = if changes.is_empty() { from.clone() } else { to_be.apply(&from, &link)? };
        if to_be.prefix_len != is.prefix_len {
            check_new_prefix(&from)?;
        }
        if to_be.skip && !is.skip {
            self.refuse_named_source(family, address)?;
        }
        let is_there = completed.is_some();
        Ok(Alteration { link, from, to: completed.unwrap_or(to), is_there, changes })
    }

    fn carry_alteration_out(&self, alteration: &Alteration) -> Result<()> {
        let Alteration { link, from, to, .. } = alteration;
        let family = Family::of(&from.address);
        let is_ipv4 = family == Family::V4;
        if alteration.is_there {
            let requests = self.deletion(link, std::slice::from_ref(from), [])?;
            return self.send_each_of(link, requests);
        }
        if from.prefix_len == to.prefix_len && (!is_ipv4 || from.scope == to.scope) {
            self.send_each_of(link, [to.add(REPLACE | ACK)])?;
            return self.require_replaced(link, from, to);
        }
        let mut new = Address { flags: to.flags & !STATE, ..to.clone() };
        new.route_priority = self.owners_priority(link, family, from)?;
        if is_ipv4 && from.prefix_len != to.prefix_len {
            // Both are there for a moment, so that no packet finds neither.
            self.add_address(link, &new)?;
            let requests = self.deletion(link, std::slice::from_ref(from), [])?;
            self.send_each_of(link, requests)?;
        } else {
            // The kernel keeps an address once: out and in again, in one datagram.
            if from.flags & (flag::TENTATIVE | flag::DAD_FAILED) == 0 && !is_ipv4 {
                new.flags |= flag::NO_DAD;
            }
            let named = self.routes_naming(family, from.address)?;
            let named = named.iter().map(|route| route.add(CREATE | REPLACE | ACK));
            let again = [new.add(CREATE | EXCLUSIVE | ACK)].into_iter().chain(named);
            let requests = self.deletion(link, std::slice::from_ref(from), again)?;
            let routes = OnLinkRoutes::needed_with(self, &new)?.missing_over(new.index).collect();
            if let Err(error) = self.send_with_routes(link, routes, requests) {
                let old = Address { flags: from.flags & !STATE, ..from.clone() };
                let _ = self.send_each_of(link, [old.add(CREATE | ACK)]);
                return Err(error);
            }
        }
        Ok(())
    }

    /// As [`require_kept`](Self::require_kept), of an address that was there before.
    fn require_replaced(&self, link: &Link, from: &Address, to: &Address) -> Result<()> {
        let held = self.addresses(Family::of(&to.address), Some(link.index), OPERATION)?;
        let held = held.iter().find(|it| it.address == to.address && it.prefix_len == to.prefix_len);
        if to.protocol == from.protocol || held.is_none_or(|held| held.protocol == to.protocol) {
            return Ok(());
        }
        let _ = self.send_each_of(link, [from.add(REPLACE | ACK)]);
        Err(unsupported(
            "this kernel keeps no note at an address (IFA_PROTO, Linux 5.18), which origins and skip_as_source need",
        ))
    }

    pub(super) fn plan_deletion_of(
        &self,
        interface: InterfaceKey,
        address: IpAddr,
    ) -> Result<UnicastAddress> {
        Ok(self.plan_deletion(interface, address)?.row)
    }

    pub(super) fn delete_address(&self, interface: InterfaceKey, address: IpAddr) -> Result<UnicastAddress> {
        self.require_administrator(OPERATION)?;
        let Deletion { link, addresses, detection, row } = self.plan_deletion(interface, address)?;
        if let Some(detection) = detection {
            let ended = self.end_detection(&detection)?;
            ended.map_err(|refusal| failed(refusal, "taking the note of a tentative address away"))?;
        }
        if !addresses.is_empty() {
            let requests = self.deletion(&link, &addresses, [])?;
            self.send_each_of(&link, requests)?;
            self.follow_address_change(&link, Family::of(&address))?;
        }
        Ok(row)
    }

    fn plan_deletion(&self, interface: InterfaceKey, address: IpAddr) -> Result<Deletion> {
        require_unicast(address, OPERATION)?;
        let family = Family::of(&address);
        let link = self.address_link(family, interface, OPERATION)?;
        let mut addresses = self.addresses(family, Some(link.index), OPERATION)?;
        addresses.retain(|it| it.address == address && Mark::of(it) != Some(Mark::Anycast));
        let detection = self.detections()?.into_iter().find(|it| it.address == address && it.is_of(&link));
        let row = match (addresses.first(), &detection) {
            (Some(held), _) => row(held, &link, link.luid()),
            (None, Some(detection)) => detected_row(detection, &link),
            (None, None) => return Err(no_such_address(address, &link, OPERATION)),
        };
        Ok(Deletion { link, addresses, detection, row })
    }

    /// Requests that delete addresses of a link, and no others, then `next`: where the kernel would take the other
    /// addresses of a prefix away with its first one, it is told to keep them meanwhile.
    pub(super) fn deletion(
        &self,
        link: &Link,
        addresses: &[Address],
        next: impl IntoIterator<Item = Request>,
    ) -> Result<Vec<Request>> {
        let mut requests: Vec<_> = addresses.iter().map(Address::delete).chain(next).collect();
        let promotes = link.ipv4.is_some_and(|ipv4| ipv4.promotes_secondaries)
            || self.sysctl.read(Family::V4, "conf/all/promote_secondaries").is_ok_and(|value| value != "0");
        let is_first = |it: &Address| it.address.is_ipv4() && it.flags & flag::SECONDARY == 0;
        if !promotes && addresses.iter().any(is_first) {
            let held = self.addresses(Family::V4, Some(link.index), OPERATION)?;
            if held.iter().any(|it| it.flags & flag::SECONDARY != 0) {
                let member = devconf4::PROMOTE_SECONDARIES;
                let set = |value| link_change::set_ipv4_configuration(link.index.0, member, value);
                requests.insert(0, set(1));
                requests.push(set(0));
            }
        }
        Ok(requests)
    }

    /// Sends requests in one datagram; the error of the first that was refused.
    pub(super) fn send_each_of(
        &self,
        link: &Link,
        requests: impl IntoIterator<Item = Request>,
    ) -> Result<()> {
        self.send_with_routes(link, Vec::new(), requests)
    }

    /// The same, with routes to the prefixes of skipped addresses before them.
    pub(super) fn send_with_routes(
        &self,
        link: &Link,
        routes: Vec<Request>,
        requests: impl IntoIterator<Item = Request>,
    ) -> Result<()> {
        let count = routes.len();
        let sent = send_all(&mut *self.route.take()?, routes.into_iter().chain(requests));
        let refused = sent.map_err(|refusal| failed(refusal, "writing"))?;
        // A route that is there is what was wanted; over a link that is switched off there can be none yet.
        let is_done = |(place, refusal): &(usize, Refusal)| {
            *place < count && matches!(refusal.errno(), libc::EEXIST | libc::ENETDOWN)
        };
        let Some((_, refusal)) = refused.into_iter().find(|it| !is_done(it)) else { return Ok(()) };
        Err(match refusal.errno() {
            // Gone, or come, since it was looked.
            libc::EADDRNOTAVAIL | libc::ESRCH => refusal
                .into_error(ErrorKind::NotFound, OPERATION)
                .because(format!("it is not on {} any more", link.name())),
            libc::EEXIST => refusal
                .into_error(ErrorKind::AlreadyExists, OPERATION)
                .because(format!("{} got it meanwhile", link.name())),
            libc::EACCES if link.ipv6.is_some_and(|ipv6| ipv6.disabled) => {
                refusal.into_error(ErrorKind::NotFound, OPERATION).because(link.why_without(Family::V6))
            }
            _ => failed(refusal, "writing to the kernel"),
        })
    }

    /// Makes what hangs on addresses follow them: the metric of their prefixes, rules and filters.
    pub(super) fn follow_address_change(&self, link: &Link, family: Family) -> Result<()> {
        self.keep_on_link_routes()?;
        let _ = self.forget_ended_detections();
        let settings = self.route_settings()?;
        if settings.has_optimistic_detection() {
            self.restore_optimistic_detection()?;
        }
        if let Some(metric) = settings.metric(family, link) {
            let _ = self.set_interface_metric(family, link, Some(metric))?;
        }
        // A service to properties that this call is not about; a guard that is not brought up to date lets less pass.
        let _ = self.reconcile_policy();
        Ok(())
    }

    /// The metric that the owner of an address gave to its prefix.
    fn owners_priority(&self, link: &Link, family: Family, address: &Address) -> Result<Option<u32>> {
        let offset = self.route_settings()?.metric(family, link);
        let least = if family == Family::V6 { 256 } else { 0 };
        Ok(match (address.route_priority, offset) {
            (Some(priority), Some(offset)) => {
                priority.checked_sub(offset).filter(|priority| *priority > least)
            }
            (priority, _) => priority,
        })
    }

    /// The routes of others that name an address as source.
    fn routes_naming(&self, family: Family, address: IpAddr) -> Result<Vec<Route>> {
        let mut request = route::dump(crate::backend::linux::link::address_family(family), Filter::default());
        let named = |route: &Route| {
            route.preferred_source == Some(address) && route.protocol != route::protocol::KERNEL
        };
        self.route
            .take()?
            .snapshot(&mut request, Vec::new, |routes, message| {
                routes.extend(Route::parse(message)?.filter(named));
                Ok(())
            })
            .map_err(|refusal| failed(refusal, "listing routes"))
    }

    fn refuse_named_source(&self, family: Family, address: IpAddr) -> Result<()> {
        let Some(route) = self.routes_naming(family, address)?.into_iter().next() else { return Ok(()) };
        let to = route
            .destination
            .map_or_else(|| "default".to_owned(), |to| format!("{to}/{}", route.destination_len));
        Err(unsupported(format!(
            "skip_as_source: the route {to} of table {} names {address} as its source; change the route first",
            route.table
        )))
    }
}

/// Flags that say how an address is, not how it is to be.
const STATE: u32 = flag::SECONDARY | flag::DAD_FAILED | flag::TENTATIVE | flag::DEPRECATED | flag::OPTIMISTIC;

/// Whether an address can get another prefix.
fn check_new_prefix(from: &Address) -> Result<()> {
    if from.peer != from.address {
        return Err(unsupported("on_link_prefix_length: the address is that of a link to one other end"));
    }
    let routers = flag::TEMPORARY | flag::MANAGE_TEMPORARY;
    let is_advertised = from.protocol == Some(protocol::ROUTER_ADVERTISEMENT) || from.flags & routers != 0;
    if from.address.is_ipv6() && is_advertised {
        return Err(unsupported("on_link_prefix_length: a router advertises the prefix"));
    }
    Ok(())
}

/// A loopback address is for the loopback interface.
pub(super) fn require_loopback_link(address: IpAddr, link: &Link) -> Result<()> {
    if address.is_loopback() && !link.has(link_flag::LOOPBACK) {
        return Err(invalid(format!("{address} can be on the loopback interface alone")));
    }
    Ok(())
}

pub(super) fn tell_form(changes: &mut Vec<PropertyChange>, from: &Form, to: &Form, family: Family) {
    let times = "RTM_NEWADDR IFA_CACHEINFO";
    let skip = match family {
        Family::V4 => "RTM_NEWADDR IFA_PROTO, scope host, /32",
        Family::V6 => "RTM_NEWADDR IFA_PROTO, preferred lifetime 0",
    };
    if from.origins != to.origins {
        let (is, to_be) = (from.origins, to.origins);
        if is.0 != to_be.0 {
            tell(changes, "prefix_origin", is.0, to_be.0, "RTM_NEWADDR IFA_PROTO");
        }
        if is.1 != to_be.1 {
            tell(changes, "suffix_origin", is.1, to_be.1, "RTM_NEWADDR IFA_PROTO");
        }
    }
    let lifetime = Lifetime::from_secs;
    if from.valid != to.valid {
        tell(changes, "valid_lifetime", lifetime(from.valid), lifetime(to.valid), times);
    }
    if from.preferred != to.preferred {
        tell(changes, "preferred_lifetime", lifetime(from.preferred), lifetime(to.preferred), times);
    }
    if from.prefix_len != to.prefix_len {
        tell(changes, "on_link_prefix_length", from.prefix_len, to.prefix_len, "RTM_NEWADDR, RTM_DELADDR");
    }
    if from.skip != to.skip {
        tell(changes, "skip_as_source", from.skip, to.skip, skip);
    }
}

pub(super) fn tell(
    changes: &mut Vec<PropertyChange>,
    property: &'static str,
    from: impl ToString,
    to: impl ToString,
    mechanism: impl Into<String>,
) {
    let (from, to, mechanism) = (from.to_string(), to.to_string(), mechanism.into());
    changes.push(PropertyChange { property, from, to, mechanism });
}

/// A value that is out of its range.
pub(super) fn invalid(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidParameter, OPERATION).because(reason.into())
}

/// What this host cannot do.
pub(super) fn unsupported(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::NotSupported, OPERATION).because(reason.into())
}

/// The error of a request of this chapter.
pub(super) fn failed(refusal: Refusal, doing: &'static str) -> Error {
    refusal.error(OPERATION).because(doing)
}
