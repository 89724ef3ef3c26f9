//! What NetworkManager has found out by itself: how far packets get, and what they cost.
//!
//! Properties are read and no method is called that would have it send anything (`CheckConnectivity`).

use super::LinuxHost;
use super::bus::{Properties, Service, ServiceWatch, Watched};
use crate::backend::{self, NetworkManager};
use crate::connectivity::{ConnectivityCost, ConnectivityLevel, ManagedInterface};
use crate::error::Result;
use std::cell::RefCell;
use std::collections::HashMap;
use zbus::wire::OwnedObjectPath;

const OPERATION: &str = "reading how far packets get";
const NAME: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";
const DEVICE: &str = "org.freedesktop.NetworkManager.Device";
/// `NM_DEVICE_STATE_ACTIVATED`. What it says of a device that it does not manage, or that is on its way, is no finding.
const ACTIVATED: u32 = 100;

const WATCHED: Watched = Watched {
    service: NAME,
    interfaces: &[NAME, DEVICE],
    properties: &[
        "Connectivity",
        "ConnectivityCheckAvailable",
        "ConnectivityCheckEnabled",
        "Ip4Connectivity",
        "Ip6Connectivity",
        "Metered",
        "PrimaryConnection",
        "State",
    ],
};

impl backend::Connectivity for LinuxHost {
    fn network_manager(&self) -> Option<Box<dyn NetworkManager>> {
        // One that does not answer has found out nothing.
        let service = self.service(NAME, OPERATION).ok()??;
        let properties = service.properties(PATH, NAME).ok()?;
        Some(Box::new(Manager { service, properties, devices: RefCell::default() }))
    }

    fn watch_network_manager(&self, changed: Box<dyn Fn() + Send>) -> Result<Box<dyn Send + Sync>> {
        Ok(Box::new(ServiceWatch::start(WATCHED, changed)?))
    }
}

/// The service, and what it has answered.
#[derive(Debug)]
struct Manager {
    service: Service,
    properties: Properties,
    devices: RefCell<HashMap<String, ManagedInterface>>,
}

impl NetworkManager for Manager {
    fn cost(&self) -> Option<ConnectivityCost> {
        cost(self.properties.get("Metered"))
    }

    fn interface(&self, name: &str) -> ManagedInterface {
        if let Some(known) = self.devices.borrow().get(name) {
            return *known;
        }
        // An interface that it does not know, or no answer: it has found out nothing.
        let found = self.ask(name).unwrap_or_default();
        let _before = self.devices.borrow_mut().insert(name.to_owned(), found);
        found
    }
}

impl Manager {
    fn ask(&self, name: &str) -> Result<ManagedInterface> {
        let arguments = (name.to_owned(),);
        let path: OwnedObjectPath = self.service.call(PATH, NAME, "GetDeviceByIpIface", arguments)?;
        let device = self.service.properties(path.as_str(), DEVICE)?;
        if device.get::<u32>("State") != Some(ACTIVATED) {
            return Ok(ManagedInterface::default());
        }
        // Before version 1.16 the host alone has a finding, before 1.10 no property tells whether it looks.
        let checks = ["ConnectivityCheckAvailable", "ConnectivityCheckEnabled"];
        let looks = checks.iter().all(|name| self.properties.get(name).unwrap_or(true));
        let of_host = || self.properties.get("Connectivity");
        let level = |name| device.get(name).or_else(of_host).filter(|_| looks).and_then(level);
        Ok(ManagedInterface {
            v4: level("Ip4Connectivity"),
            v6: level("Ip6Connectivity"),
            cost: cost(device.get("Metered")),
        })
    }
}

/// `NMConnectivityState`; `None`: unknown.
const fn level(state: u32) -> Option<ConnectivityLevel> {
    match state {
        // No way out, or nobody answers beyond the link.
        1 | 3 => Some(ConnectivityLevel::LocalAccess),
        2 => Some(ConnectivityLevel::ConstrainedInternetAccess),
        4 => Some(ConnectivityLevel::InternetAccess),
        _ => None,
    }
}

/// `NMMetered`: set by somebody, or guessed from the network; `None`: unknown.
fn cost(metered: Option<u32>) -> Option<ConnectivityCost> {
    match metered? {
        1 | 3 => Some(ConnectivityCost::Fixed),
        2 | 4 => Some(ConnectivityCost::Unrestricted),
        _ => None,
    }
}
