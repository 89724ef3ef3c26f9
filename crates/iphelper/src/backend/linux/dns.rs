//! Name resolution: `systemd-resolved` where it works on this namespace, else `resolv.conf`.

mod change;
mod file;
mod host_name;
mod host_settings;
mod link_change;
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
use crate::error::{ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::types::{Family, InterfaceIndex, InterfaceKey};
use host_name::{NewName, Undo};
#[cfg(fuzzing)]
pub(crate) use resolv_conf::fuzz as fuzz_resolv_conf;
use resolved::Resolved;

const OPERATION: &str = "reading the DNS settings";
const SETTING: &str = "changing the DNS settings";
/// How often other callers may take the service away from one call.
const ATTEMPTS: usize = 10;

impl backend::Dns for LinuxHost {
    fn dns(&self) -> Result<Dns> {
        let mut dns = Dns::nothing(host_name());
        let read = |resolved: &Resolved| {
            let mut dns = dns.clone();
            let is_kept = resolved.read(&mut dns)?;
            Ok((dns, is_kept))
        };
        match self.ask_resolved(OPERATION, read)? {
            Some((told, is_kept)) => {
                dns = told;
                if !is_kept {
                    self.read_file_beside_resolved(&mut dns)?;
                }
            }
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
        match self.ask_resolved(OPERATION, |resolved| resolved.interface(&link))? {
            Some(settings) => Ok(settings),
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
        let checked = |before: &dyn Fn() -> Result<InterfaceDnsSettings>| {
            change::checked(change)
                .or_else(|error| change::checked(&change::without_present(change, &before()?).ok_or(error)?))
        };
        let by_resolved = |resolved: &Resolved| {
            let change = checked(&|| resolved.interface(&link))?;
            resolved.change(self, &link, &change, write)
        };
        match self.ask_resolved(SETTING, by_resolved)? {
            Some(changes) => Ok(changes),
            None => {
                let change = checked(&|| self.file_of_interface(&link))?;
                self.change_file_of_interface(&link, &change, write)
            }
        }
    }

    fn set_dns(&self, change: &DnsChange, write: bool) -> Result<Vec<PropertyChange>> {
        // Other callers have the service restarted: what was done when it went is taken back.
        for _ in 1..ATTEMPTS {
            match self.set_host_dns(change, write) {
                Err(error) if error.kind() == ErrorKind::NotFound && write => {
                    let _ = host_settings::wait_for_others();
                }
                told => return told,
            }
        }
        self.set_host_dns(change, write)
    }
}

impl LinuxHost {
    fn set_host_dns(&self, change: &DnsChange, write: bool) -> Result<Vec<PropertyChange>> {
        let mut found = Resolved::find(self, SETTING)?;
        for _ in 1..ATTEMPTS {
            // Another caller may just have it restarted.
            if found.is_some() || !write || !host_settings::wait_for_others() {
                break;
            }
            found = Resolved::find(self, SETTING)?;
        }
        let resolved = match found {
            Some(resolved) if resolved.keeps_host_settings()? => Some(resolved),
            _ => None,
        };
        let mut change = change.clone();
        if has_lists(&change) {
            let mut before = Dns::nothing(host_name());
            match &resolved {
                // What is so already is looked at, too: its file may say something else.
                Some(_) if change::checked_of_host(&change).is_ok() => {}
                Some(resolved) => {
                    let _is_kept = resolved.read(&mut before)?;
                    change = change::of_host_without_present(&change, &before);
                }
                None => {
                    self.read_file(&mut before)?;
                    change = change::of_host_without_present(&change, &before);
                }
            }
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
            // Where nothing is to be changed, too: what a killed caller has left may have to be.
            changes = of_lists(true).inspect_err(|_| undo.into_iter().for_each(Undo::take_back))?;
        }
        changes.extend(name.as_ref().map(NewName::change));
        Ok(changes)
    }

    /// What `systemd-resolved` answers; `None`: it does not work here. One that goes meanwhile is waited for: it may be
    /// restarted.
    fn ask_resolved<T>(
        &self,
        operation: &'static str,
        ask: impl Fn(&Resolved) -> Result<T>,
    ) -> Result<Option<T>> {
        let Some(resolved) = Resolved::find(self, operation)? else { return Ok(None) };
        match ask(&resolved) {
            Err(error) if error.kind() == ErrorKind::NotFound => match host_settings::find(self) {
                Ok(resolved) => ask(&resolved).map(Some),
                Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
                Err(error) => Err(error),
            },
            told => told.map(Some),
        }
    }

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
