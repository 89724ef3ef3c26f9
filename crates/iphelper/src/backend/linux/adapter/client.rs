//! Leases renewed and given up by the program that has them, which is asked over the system's bus.
//!
//! An answer is no proof: what the client has done is seen by its lease file and by the interface's addresses.

use super::lease::Leases;
use crate::adapter::{Adapter, AdapterQuery, DhcpClient, DhcpLease};
use crate::backend::Adapter as _;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::bus::Service;
use crate::error::{Error, ErrorKind, Result};
use crate::interface::Interface;
use crate::types::{Family, InterfaceKey};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant, SystemTime};
use zbus::wire::{OwnedObjectPath, OwnedVariant, Str};

/// Settings of a NetworkManager profile, by section and name.
type Settings = HashMap<String, HashMap<String, OwnedVariant>>;

/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(50);
const SECOND: Duration = Duration::from_secs(1);

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

/// An interface whose lease was given up through NetworkManager, which goes back to its profile when it is asked.
struct Released {
    interface: Interface,
    service: Service,
    device: OwnedObjectPath,
}

impl LinuxHost {
    /// The lease that would be given up; every check is done, and nobody is asked.
    pub(super) fn plan_release(&self, key: InterfaceKey) -> Result<DhcpLease> {
        Ok(self.holder(self.leased(key)?, Wish::Release)?.lease)
    }

    /// The lease that would be renewed; `None`: a first one would be asked for. Every check is done, and nobody is asked.
    pub(super) fn plan_renewal(&self, key: InterfaceKey) -> Result<Option<DhcpLease>> {
        let adapter = self.leased(key)?;
        if adapter.dhcp.is_none() && self.released(&adapter.interface)?.is_some() {
            return Ok(None);
        }
        Ok(Some(self.holder(adapter, Wish::Renew)?.lease))
    }

    /// Renews a lease, or gives it up: the new one, or the one that is gone.
    pub(super) fn change_lease(&self, key: InterfaceKey, wish: Wish) -> Result<DhcpLease> {
        let adapter = self.leased(key)?;
        if wish == Wish::Renew
            && adapter.dhcp.is_none()
            && let Some(released) = self.released(&adapter.interface)?
        {
            return self.lease_again(key, &released);
        }
        let holder = self.holder(adapter, wish)?;
        match (holder.lease.client, wish) {
            (DhcpClient::Networkd, _) => {
                let index = holder.interface.index.0.cast_signed();
                let (path, manager) = ("/org/freedesktop/network1", "org.freedesktop.network1.Manager");
                holder.service.call(path, manager, "RenewLink", (index,))
            }
            (_, Wish::Renew) => holder.restart_ipv4(),
            (_, Wish::Release) => holder.disable_ipv4(),
        }?;
        self.see_done(&holder, wish)
    }

    /// The interface with its lease.
    fn leased(&self, key: InterfaceKey) -> Result<Adapter> {
        let query = AdapterQuery {
            family: Some(Family::V4),
            anycast: false,
            multicast: false,
            gateways: false,
            dns: false,
            ..AdapterQuery::default()
        };
        self.adapter(key, &query)
    }

    /// What is known of an interface without a lease, if its profile of NetworkManager wants one and IPv4 was ended there.
    fn released(&self, interface: &Interface) -> Result<Option<Released>> {
        let Some(service) = self.service("org.freedesktop.NetworkManager", Wish::Renew.operation())? else {
            return Ok(None);
        };
        // What it does not tell is no such interface.
        let found = || -> Result<Option<OwnedObjectPath>> {
            let device = device(&service, &interface.name)?;
            let properties = service.properties(device.as_str(), DEVICE)?;
            let Some(active) = properties.get::<OwnedObjectPath>("ActiveConnection") else { return Ok(None) };
            let (applied, _) = applied(&service, &device)?;
            let active = service.properties(active.as_str(), ACTIVE)?;
            let Some(profile) = active.get::<OwnedObjectPath>("Connection") else { return Ok(None) };
            let profile: Settings = service.call(profile.as_str(), PROFILE, "GetSettings", ())?;
            let is_released = method(&applied) == Some("disabled") && method(&profile) == Some("auto");
            Ok(is_released.then_some(device))
        };
        let device = found().ok().flatten();
        Ok(device.map(|device| Released { interface: interface.clone(), service, device }))
    }

    /// Has NetworkManager go back to its profile, and waits for the lease.
    fn lease_again(&self, key: InterfaceKey, released: &Released) -> Result<DhcpLease> {
        reapply(&released.service, &released.device, Settings::new(), 0)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(lease) = self.leased(key)?.dhcp {
                return Ok(lease);
            }
            if Instant::now() >= deadline {
                return Err(Error::new(ErrorKind::TimedOut, Wish::Renew.operation()).because(format!(
                    "NetworkManager was asked, and has no lease for {} after {} s",
                    released.interface.name,
                    PATIENCE.as_secs()
                )));
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn holder(&self, adapter: Adapter, wish: Wish) -> Result<Holder> {
        let operation = wish.operation();
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
    fn device(&self) -> Result<OwnedObjectPath> {
        device(&self.service, &self.interface.name)
    }

    /// Has NetworkManager's DHCP client begin anew, with the address that it has.
    ///
    /// Settings that are as those in force change nothing, so one is another: how long the client waits for an answer. It
    /// stays so until the next renewal, or until the profile is applied; a second request behind the first, which puts it
    /// back, has version 1.42 lose the answer.
    fn restart_ipv4(&self) -> Result<()> {
        const HOW_LONG: &str = "dhcp-timeout";
        // 0, or nothing: what is configured for all, which is mostly this.
        const ORDINARY: i32 = 45;
        let device = self.device()?;
        self.wait_for_another_second();
        let (mut settings, version) = applied(&self.service, &device)?;
        let ipv4 = settings.entry("ipv4".to_owned()).or_default();
        let seconds = ipv4.get(HOW_LONG).and_then(|seconds| i32::try_from(seconds).ok()).unwrap_or_default();
        let _before = match seconds {
            0 => ipv4.insert(HOW_LONG.to_owned(), ORDINARY.into()),
            ORDINARY => ipv4.remove(HOW_LONG),
            seconds => ipv4.insert(HOW_LONG.to_owned(), (seconds ^ 1).into()),
        };
        reapply(&self.service, &device, settings, version)
    }

    /// Its file counts whole seconds: a lease that is renewed in the second in which it was obtained looks the same.
    fn wait_for_another_second(&self) {
        let Some(next) = self.lease.obtained.and_then(|time| time.checked_add(2 * SECOND)) else { return };
        // The clock may be set meanwhile.
        let left = next.duration_since(SystemTime::now()).unwrap_or_default();
        std::thread::sleep(left.min(2 * SECOND));
    }

    /// Ends IPv4 of a device until its profile is applied again; what else it has stays.
    fn disable_ipv4(&self) -> Result<()> {
        let device = self.device()?;
        let (mut settings, version) = applied(&self.service, &device)?;
        let disabled = HashMap::from([("method".to_owned(), Str::from("disabled").into())]);
        let _before = settings.insert("ipv4".to_owned(), disabled);
        reapply(&self.service, &device, settings, version)
    }
}

const DEVICE: &str = "org.freedesktop.NetworkManager.Device";
const ACTIVE: &str = "org.freedesktop.NetworkManager.Connection.Active";
const PROFILE: &str = "org.freedesktop.NetworkManager.Settings.Connection";

/// NetworkManager's object of an interface.
fn device(service: &Service, name: &str) -> Result<OwnedObjectPath> {
    let (path, manager) = ("/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager");
    service.call(path, manager, "GetDeviceByIpIface", (name.to_owned(),))
}

/// The settings that a device works by, and their version.
fn applied(service: &Service, device: &OwnedObjectPath) -> Result<(Settings, u64)> {
    service.call(device.as_str(), DEVICE, "GetAppliedConnection", (0_u32,))
}

/// Makes a device work by these settings of the version, none: those of its profile. Addresses that stay the same stay; a
/// DHCP client begins anew if the settings of its family are others than before.
fn reapply(service: &Service, device: &OwnedObjectPath, settings: Settings, version: u64) -> Result<()> {
    service.call(device.as_str(), DEVICE, "Reapply", (settings, version, 0_u32))
}

/// How settings have IPv4 set up.
fn method(settings: &Settings) -> Option<&str> {
    <&str>::try_from(settings.get("ipv4")?.get("method")?).ok()
}
