//! Creating an address: what is asked before it is taken, and what is written then.

use super::arp::{Prober, Probing};
use super::change::{OPERATION, failed, require_loopback_link, unsupported};
use super::form::{Form, fresh, pack};
use super::on_link::OnLinkRoutes;
use super::origin::MANUAL;
use super::read::{require_unicast, row};
use crate::address::{DadState, NewUnicastAddress, UnicastAddress};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::Link;
use crate::backend::linux::policy::Detection;
use crate::error::{Error, ErrorKind, Result};
use crate::types::Family;
use iphelper_netlink::message::{ACK, CREATE, EXCLUSIVE};
use iphelper_netlink::rtnetlink::addr::{Address, flag};
use iphelper_netlink::rtnetlink::link::flag as link_flag;
use std::net::IpAddr;
use std::time::Duration;

/// How long somebody who looks for duplicates may be silent before nobody believes any more that it lives, beside the
/// time between two probes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is written of a new address.
#[derive(Debug)]
struct Creation {
    link: Link,
    address: Address,
    form: Form,
    probing: Option<Probing>,
    optimistic: bool,
    /// As it will be.
    row: UnicastAddress,
}

impl LinuxHost {
    pub(super) fn plan_creation_of(&self, new: &NewUnicastAddress) -> Result<UnicastAddress> {
        Ok(self.plan_creation(new)?.row)
    }

    pub(super) fn create_address(&self, new: &NewUnicastAddress) -> Result<UnicastAddress> {
        self.require_administrator(OPERATION)?;
        let creation = self.plan_creation(new)?;
        self.carry_creation_out(&creation)?;
        // Somebody may have deleted it since.
        let row = self.read_unicast_address(creation.link.luid().into(), new.address);
        Ok(row.unwrap_or(creation.row))
    }

    fn plan_creation(&self, new: &NewUnicastAddress) -> Result<Creation> {
        let NewUnicastAddress { address, optimistic, .. } = *new;
        let family = Family::of(&address);
        require_unicast(address, OPERATION)?;
        let link = self.address_link(family, new.interface, OPERATION)?;
        require_loopback_link(address, &link)?;
        let form = Form {
            prefix_len: new.on_link_prefix_length.unwrap_or_else(|| family.address_bits()),
            origins: new.origins.unwrap_or(MANUAL),
            valid: new.valid_lifetime.as_secs(),
            preferred: new.preferred_lifetime.as_secs(),
            skip: new.skip_as_source,
        };
        form.check(address)?;
        let held = self.addresses(family, Some(link.index), OPERATION)?;
        let detected = self.detections()?.into_iter().any(|it| it.address == address && it.is_of(&link));
        if detected || held.iter().any(|it| it.address == address) {
            return Err(Error::new(ErrorKind::AlreadyExists, OPERATION)
                .because(format!("{} has {address} already", link.name())));
        }
        let mut wanted = fresh(&link, address, &form)?;
        let mut probing = None;
        match family {
            Family::V4 => probing = self.ipv4_probing(&link)?,
            Family::V6 if optimistic => wanted.flags |= flag::OPTIMISTIC,
            Family::V6 => {}
        }
        let mut row = row(&wanted, &link, link.luid());
        let looked_for = match family {
            Family::V4 => probing.is_some(),
            Family::V6 => {
                let of_link = self.read_rows_of(link.index)?;
                of_link.iter().any(|row| row.family == Family::V6 && row.dad_transmits > 0)
            }
        };
        row.dad_state = match () {
            () if looked_for && !optimistic => DadState::Tentative,
            () if form.preferred == 0 => DadState::Deprecated,
            () => DadState::Preferred,
        };
        Ok(Creation { link, address: wanted, form, probing, optimistic, row })
    }

    /// How duplicates of IPv4 addresses are looked for on a link.
    fn ipv4_probing(&self, link: &Link) -> Result<Option<Probing>> {
        let probes = self.route_settings()?.ipv4_dad_transmits(link);
        if probes == 0 || link.flags & (link_flag::LOOPBACK | link_flag::NO_ARP) != 0 {
            return Ok(None);
        }
        let interval = self.read_rows_of(link.index)?;
        let interval = interval.iter().find(|row| row.family == Family::V4).map(|row| row.retransmit_time);
        Ok(interval.map(|interval| Probing { probes, interval }))
    }

    fn carry_creation_out(&self, creation: &Creation) -> Result<()> {
        let Creation { link, address, .. } = creation;
        let add = |this: &Self| {
            this.add_address(link, address)?;
            let followed = this.follow_address_change(link, Family::of(&address.address));
            followed.inspect_err(|_| {
                let _ = this.send_each_of(link, [address.delete()]);
                let _ = this.keep_on_link_routes();
            })
        };
        let (Some(probing), IpAddr::V4(ipv4)) = (creation.probing, address.address) else { return add(self) };
        let prober = Prober::open(self, link)?;
        if creation.optimistic {
            add(self)?;
        }
        let mut detection =
            Detection::new(ipv4, link, pack(&creation.form), address.valid, address.preferred);
        let patience = probing.interval + PATIENCE;
        if !creation.optimistic {
            self.begin_detection(&detection, patience)?.map_err(|refusal| match refusal.errno() {
                libc::EEXIST => refusal
                    .into_error(ErrorKind::AlreadyExists, OPERATION)
                    .because(format!("somebody else is creating {ipv4} on {} now", link.name())),
                _ => failed(refusal, "writing down that the address is tentative"),
            })?;
        }
        let going_on = || {
            if creation.optimistic {
                return Ok(());
            }
            let told = self.tell_detection(&detection, patience)?;
            told.map_err(|refusal| failed(refusal, "writing down that the address is tentative"))
        };
        match prober.has_duplicate(ipv4, probing, going_on) {
            Ok(true) => {
                detection.is_duplicate = true;
                // Before the address goes, so that its row stays, and changes.
                let told = self.tell_detection(&detection, patience)?;
                if creation.optimistic {
                    self.send_each_of(link, [address.delete()])?;
                    self.keep_on_link_routes()?;
                }
                told.map_err(|refusal| failed(refusal, "writing down that the address is a duplicate"))?;
                Err(Error::new(ErrorKind::AddressConflict, OPERATION).because(format!(
                    "another computer on {} has {ipv4}: it answered an ARP probe; the row says duplicate until it is \
                     deleted",
                    link.name()
                )))
            }
            Ok(false) if creation.optimistic => prober.announce(ipv4),
            Ok(false) => {
                let added = add(self);
                let ended = self.end_detection(&detection)?;
                added?;
                ended.map_err(|refusal| failed(refusal, "taking the note of it away"))?;
                prober.announce(ipv4)
            }
            Err(error) => {
                if creation.optimistic {
                    let _ = self.send_each_of(link, [address.delete()]);
                    let _ = self.keep_on_link_routes();
                } else {
                    let _ = self.end_detection(&detection);
                }
                Err(error)
            }
        }
    }

    /// Adds an address that is not there, with the on-link route that it needs.
    pub(super) fn add_address(&self, link: &Link, address: &Address) -> Result<()> {
        let routes = OnLinkRoutes::needed_with(self, address)?.missing_over(address.index).collect();
        let send = || self.send_with_routes(link, routes, [address.add(CREATE | EXCLUSIVE | ACK)]);
        let sent = if address.flags & flag::OPTIMISTIC == 0 {
            send()
        } else {
            self.with_optimistic_detection(link, send)
        };
        if let Err(error) = sent {
            // Not one that was there first.
            let _ = self.keep_on_link_routes();
            return Err(error);
        }
        self.require_kept(link, address)
    }

    /// [`ErrorKind::NotSupported`], and the address is taken away again, where the kernel has dropped our mark.
    fn require_kept(&self, link: &Link, wanted: &Address) -> Result<()> {
        let Some(mark) = wanted.protocol else { return Ok(()) };
        let held = self.addresses(Family::of(&wanted.address), Some(link.index), OPERATION)?;
        let held = held.iter().find(|it| it.address == wanted.address && it.prefix_len == wanted.prefix_len);
        if held.is_none_or(|held| held.protocol == Some(mark)) {
            return Ok(());
        }
        let _ = self.send_each_of(link, [wanted.delete()]);
        let _ = self.keep_on_link_routes();
        Err(unsupported(
            "this kernel keeps no note at an address (IFA_PROTO, Linux 5.18), which origins and skip_as_source need",
        ))
    }
}
