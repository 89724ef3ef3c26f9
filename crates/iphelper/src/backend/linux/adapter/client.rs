//! Leases renewed and given up by the program that has them, which is asked over the system's bus.
//!
//! An answer is no proof: what the client has done is seen by its lease file and by the interface's addresses.

use super::lease::Leases;
use crate::adapter::{AdapterQuery, DhcpClient, DhcpLease};
use crate::backend::Adapter as _;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::Service;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::Interface;
use crate::types::{Family, InterfaceKey};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use zbus::wire::{OwnedObjectPath, OwnedVariant, Str};

/// Settings of a NetworkManager profile, by section and name.
type Settings = HashMap<String, HashMap<String, OwnedVariant>>;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);

/// What is asked of a client.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Wish {
    Renew,
    Release,
}

impl Wish {
    const fn operation(self) -> &'static str {
        match self {
            Self::Renew => "renewing a lease",
            Self::Release => "releasing a lease",
        }
    }
}

/// A lease, its interface, and the service of its client.
struct Holder {
    interface: Interface,
    lease: DhcpLease,
    service: Service,
}

impl LinuxHost {
    /// The lease that would be renewed or given up; every check is done, and nobody is asked.
    pub(super) fn plan_lease_change(&self, key: InterfaceKey, wish: Wish) -> Result<DhcpLease> {
        Ok(self.holder(key, wish)?.lease)
    }

    /// Renews a lease, or gives it up: the new one, or the one that is gone.
    pub(super) fn change_lease(&self, key: InterfaceKey, wish: Wish) -> Result<DhcpLease> {
        let holder = self.holder(key, wish)?;
        match (holder.lease.client, wish) {
            (DhcpClient::Networkd, _) => {
                let index = holder.interface.index.0.cast_signed();
                let (path, manager) = ("/org/freedesktop/network1", "org.freedesktop.network1.Manager");
                holder.service.call(path, manager, "RenewLink", (index,))
            }
            (_, Wish::Renew) => {
                let device = holder.device()?;
                holder.reapply(&device, Settings::new(), 0)
            }
            (_, Wish::Release) => holder.disable_ipv4(),
        }?;
        self.see_done(&holder, wish)
    }

    fn holder(&self, key: InterfaceKey, wish: Wish) -> Result<Holder> {
        let operation = wish.operation();
        let query = AdapterQuery {
            family: Some(Family::V4),
            anycast: false,
            multicast: false,
            gateways: false,
            dns: false,
            ..AdapterQuery::default()
        };
        let adapter = self.adapter(key, &query)?;
        let name = &adapter.interface.name;
        let unsupported = |why: String| Err(Error::new(ErrorKind::NotSupported, operation).because(why));
        let Some(lease) = adapter.dhcp else {
            return unsupported(format!(
                "no DHCP client that is known (systemd-networkd, NetworkManager, dhclient, dhcpcd) has a lease for an \
                 address of {name}, or it keeps its leases from this user"
            ));
        };
        let client = lease.client;
        let service = match (client, wish) {
            (DhcpClient::Networkd, Wish::Release) => {
                return unsupported(format!(
                    "{client} has the lease, and renews leases but gives none up; to end it: networkctl down {name}"
                ));
            }
            (DhcpClient::Networkd, Wish::Renew) => "org.freedesktop.network1",
            (DhcpClient::NetworkManager, _) => "org.freedesktop.NetworkManager",
            (DhcpClient::Dhclient, Wish::Renew) => {
                return unsupported(format!(
                    "{client} has the lease, and cannot be asked; run: dhclient {name}"
                ));
            }
            (DhcpClient::Dhclient, Wish::Release) => {
                return unsupported(format!(
                    "{client} has the lease, and cannot be asked; run: dhclient -r {name}"
                ));
            }
            (DhcpClient::Dhcpcd, Wish::Renew) => {
                return unsupported(format!(
                    "{client} has the lease, and is not on the bus; run: dhcpcd -n {name}"
                ));
            }
            (DhcpClient::Dhcpcd, Wish::Release) => {
                return unsupported(format!(
                    "{client} has the lease, and is not on the bus; run: dhcpcd -k {name}"
                ));
            }
        };
        let Some(service) = self.service(service, operation)? else {
            return unsupported(format!(
                "{client} has the lease, and does not run on the system's bus for this network namespace"
            ));
        };
        Ok(Holder { interface: adapter.interface, lease, service })
    }

    /// Waits until a wish has come true.
    fn see_done(&self, holder: &Holder, wish: Wish) -> Result<DhcpLease> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match wish {
                Wish::Renew => {
                    let link = self.link(holder.interface.luid.into(), wish.operation())?;
                    let now = Leases::read().of(&link, holder.lease.client);
                    // One that was renewed has been obtained later.
                    if let Some(lease) = now.filter(|lease| lease.obtained != holder.lease.obtained) {
                        return Ok(lease);
                    }
                }
                Wish::Release => {
                    let index = Some(holder.interface.index);
                    let addresses = self.addresses(Family::V4, index, wish.operation())?;
                    let address = IpAddr::V4(holder.lease.address);
                    if !addresses.iter().any(|it| it.address == address) {
                        return Ok(holder.lease.clone());
                    }
                }
            }
            if Instant::now() >= deadline {
                let seconds = PATIENCE.as_secs();
                let client = holder.lease.client;
                return Err(Error::new(ErrorKind::TimedOut, wish.operation()).because(match wish {
                    Wish::Renew => format!("{client} was asked, and has no new lease after {seconds} s"),
                    Wish::Release => format!(
                        "{client} was asked, and {} is still there after {seconds} s",
                        holder.lease.address
                    ),
                }));
            }
            std::thread::sleep(PAUSE);
        }
    }
}

impl Holder {
    /// NetworkManager's object of the interface.
    fn device(&self) -> Result<OwnedObjectPath> {
        let (path, manager) = ("/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager");
        self.service.call(path, manager, "GetDeviceByIpIface", (self.interface.name.clone(),))
    }

    /// Makes a device work by these settings of the version, none: those of its profile. Addresses that stay the same
    /// stay; a DHCP client begins anew.
    fn reapply(&self, device: &OwnedObjectPath, settings: Settings, version: u64) -> Result<()> {
        self.service.call(device.as_str(), DEVICE, "Reapply", (settings, version, 0_u32))
    }

    /// Ends IPv4 of a device until its profile is applied again; what else it has stays.
    fn disable_ipv4(&self) -> Result<()> {
        let device = self.device()?;
        let (mut settings, version): (Settings, u64) =
            self.service.call(device.as_str(), DEVICE, "GetAppliedConnection", (0_u32,))?;
        let disabled = HashMap::from([("method".to_owned(), Str::from("disabled").into())]);
        let _before = settings.insert("ipv4".to_owned(), disabled);
        self.reapply(&device, settings, version)
    }
}

const DEVICE: &str = "org.freedesktop.NetworkManager.Device";
