//! Name resolution: `systemd-resolved` where it works on this namespace, else `resolv.conf`.

mod change;
mod file;
mod host_name;
mod host_settings;
mod replace;
mod resolv_conf;
mod resolved;
mod stub;
#[cfg(test)]
mod tests;

use super::LinuxHost;
use crate::backend::{self, BestRoute as _};
use crate::best_route::BestRouteQuery;
use crate::dns::{
    Dns, DnsChange, DnsServer, InterfaceDns, InterfaceDnsChange, InterfaceDnsSettings, NetworkParameters,
    Resolver,
};
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use host_name::{NewName, Undo};
#[cfg(fuzzing)]
pub(crate) use resolv_conf::fuzz as fuzz_resolv_conf;
use resolved::Resolved;

const OPERATION: &str = "reading the DNS settings";
const SETTING: &str = "changing the DNS settings";

impl backend::Dns for LinuxHost {
    fn dns(&self) -> Result<Dns> {
        let mut dns = Dns::nothing(host_name());
        match Resolved::find(self, OPERATION)? {
            Some(resolved) => resolved.read(&mut dns)?,
            None => self.read_file(&mut dns)?,
        }
        for server in dns.servers.clone() {
            if let Some(index) = self.link_to(&server) {
                interface_of(&mut dns.interfaces, index).reached.push(server);
            }
        }
        dns.interfaces.sort_by_key(|interface| interface.index);
        Ok(dns)
    }

    fn network_parameters(&self) -> Result<NetworkParameters> {
        // A caller may see /proc/sys in parts alone.
        let is_on = |file| self.sysctl.read(Family::V4, file).ok().map(|value| value != "0");
        Ok(NetworkParameters {
            dns: self.dns()?,
            routing_enabled: is_on("ip_forward"),
            arp_proxy_enabled: is_on("conf/all/proxy_arp"),
        })
    }

    fn interface_dns(&self, key: InterfaceKey) -> Result<InterfaceDnsSettings> {
        let link = self.link(key, OPERATION)?;
        match Resolved::find(self, OPERATION)? {
            Some(resolved) => resolved.interface(&link),
            None => self.file_of_interface(&link),
        }
    }

    fn set_interface_dns(
        &self,
        key: InterfaceKey,
        change: &InterfaceDnsChange,
        write: bool,
    ) -> Result<Vec<PropertyChange>> {
        let link = self.link(key, SETTING)?;
        let resolved = Resolved::find(self, SETTING)?;
        let change = change::checked(change).or_else(|error| {
            let before = match &resolved {
                Some(resolved) => resolved.interface(&link)?,
                None => self.file_of_interface(&link)?,
            };
            change::checked(&change::without_present(change, &before).ok_or(error)?)
        })?;
        match resolved {
            Some(resolved) => resolved.change(&link, &change, write),
            None => self.change_file_of_interface(&link, &change, write),
        }
    }

    fn set_dns(&self, change: &DnsChange, write: bool) -> Result<Vec<PropertyChange>> {
        let resolved = match Resolved::find(self, SETTING)? {
            Some(resolved) if resolved.keeps_host_settings()? => Some(resolved),
            _ => None,
        };
        let mut change = change.clone();
        if has_lists(&change) {
            let mut before = Dns::nothing(host_name());
            match &resolved {
                Some(resolved) => resolved.read(&mut before)?,
                None => self.read_file(&mut before)?,
            }
            change = change::of_host_without_present(&change, &before);
        }
        let mut change = change::checked_of_host(&change)?;
        if resolved.is_some() {
            change = host_name::with_domain(&change)?;
        }
        let name = match &change.host_name {
            Some(name) => NewName::plan(self, name)?,
            None => None,
        };
        let of_lists = |write| match &resolved {
            // The name alone is no business of who keeps the lists.
            _ if !has_lists(&change) => Ok(Vec::new()),
            Some(resolved) => self.change_host_settings(resolved, &change, write),
            None => self.change_file(&change, write),
        };
        let mut changes = of_lists(false)?;
        if write {
            let undo = name.as_ref().map(NewName::apply).transpose()?;
            if !changes.is_empty() {
                changes = of_lists(true).inspect_err(|_| undo.into_iter().for_each(Undo::take_back))?;
            }
        }
        changes.extend(name.as_ref().map(NewName::change));
        Ok(changes)
    }
}

impl Dns {
    /// What is known by the host's name alone.
    fn nothing(host_name: String) -> Self {
        let domain_of_name = host_name.split_once('.').map(|(_, domain)| domain.to_owned());
        Self {
            domain_name: domain_of_name.filter(|domain| !domain.is_empty()),
            host_name,
            resolver: Resolver::Resolved,
            servers: Vec::new(),
            domains: Vec::new(),
            interfaces: Vec::new(),
        }
    }
}

impl LinuxHost {
    /// The error with which this caller's change of the host's servers would be refused, whatever they are.
    pub(super) fn check_may_change_dns(&self) -> Result<()> {
        match Resolved::find(self, SETTING)? {
            Some(_) => Ok(()),
            None => self.check_may_change_file(),
        }
    }

    /// The interface over which a server is reached; `None`: no route leads there.
    fn link_to(&self, server: &DnsServer) -> Option<InterfaceIndex> {
        let zone = server.zone.filter(|_| server.is_link_local());
        if zone.is_some() {
            return zone;
        }
        // A link-local address without a zone says nothing.
        if server.is_link_local() {
            return None;
        }
        Some(self.best_route(server.address, &BestRouteQuery::default()).ok()?.index)
    }
}

/// Whether a change is about more than the host's name.
fn has_lists(DnsChange { servers, search, domain, .. }: &DnsChange) -> bool {
    servers.is_some() || search.is_some() || domain.is_some()
}

/// The host's name, as the calling thread's UTS namespace has it.
fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The entry of an interface, made if there is none.
fn interface_of(interfaces: &mut Vec<InterfaceDns>, index: InterfaceIndex) -> &mut InterfaceDns {
    let position = interfaces.iter().position(|interface| interface.index == index);
    let position = position.unwrap_or_else(|| {
        interfaces.push(InterfaceDns {
            index,
            servers: Vec::new(),
            reached: Vec::new(),
            domains: Vec::new(),
        });
        interfaces.len() - 1
    });
    #[allow(clippy::indexing_slicing, reason = "a position that was found or made")]
    &mut interfaces[position]
}
