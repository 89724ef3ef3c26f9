//! Changing an IP interface: which property is an attribute and which a sysctl, in what order they are written, and
//! what is put back when a later write fails.
//!
//! A change is planned first: each property compares what is asked with what is, refuses what cannot be, and adds its
//! writes to the plan. Only then is anything opened, and only when everything could be opened is anything written.

mod advertising;
mod duplicate_detection;
mod families;
mod forwarding;
mod identifier;
mod link_local;
mod metric;
mod mtu;
mod neighbor;
mod plan;
mod policy;
mod router_discovery;
mod undo;
mod write;

use super::super::LinuxHost;
use super::super::conf::refused;
use super::super::namespace::system;
use super::super::sysctl::{read_value, write_value};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::{IpInterfaceChange, PropertyChange};
use crate::types::{Family, InterfaceKey};
use plan::Plan;
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::time::Duration;
use write::Write;

/// What every error of this file was about.
const OPERATION: &str = "changing an IP interface";

impl LinuxHost {
    pub(super) fn change_ip_interface(
        &self,
        family: Family,
        key: InterfaceKey,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        self.require_administrator(OPERATION)?;
        self.restore_policy()?;
        let plan = self.plan(family, key, change)?;
        self.carry_out(&[&plan], policy::is_asked(change))?;
        Ok(plan.changes)
    }

    /// Does all that is planned, or nothing; then what rules and filters hold follows the routes as they are now.
    fn carry_out(&self, plans: &[&Plan], asks_for_policy: bool) -> Result<()> {
        let writes = || plans.iter().flat_map(|plan| &plan.writes).map(|(_, write)| write);
        let sets_policy = writes().any(|write| matches!(write, Write::Policy { .. }));
        if asks_for_policy && !sets_policy {
            // What is asked for is set already: then it must hold too, whatever others did to it.
            self.reconcile_policy()?;
        }
        let done = write::carry_out(self, plans);
        let others = writes().any(|write| !matches!(write, Write::Policy { .. } | Write::Announce));
        if !sets_policy || others {
            // A service to properties that this call is not about: a call that is about them gets the error. Also where
            // routes were put back, since the rules' copies may have followed them.
            let _ = self.reconcile_policy();
        }
        self.tidy_addresses();
        done
    }

    pub(super) fn plan_change(
        &self,
        family: Family,
        key: InterfaceKey,
        change: &IpInterfaceChange,
    ) -> Result<Vec<PropertyChange>> {
        Ok(self.plan(family, key, change)?.changes)
    }

    fn plan(&self, family: Family, key: InterfaceKey, change: &IpInterfaceChange) -> Result<Plan> {
        let row = self.read_ip_interface(family, key)?;
        // By LUID: of this interface, not of another that took its index since.
        let link = self.link(InterfaceKey::Luid(row.luid), OPERATION)?;
        let ipv4_routes = self.route_settings()?.ipv4_mtu(&link);
        Plan::new(self, &row, link, ipv4_routes, change)
    }

    pub(super) fn change_path_mtu_discovery_timeout(&self, family: Family, timeout: Duration) -> Result<()> {
        const OPERATION: &str = "changing how long a path MTU is kept";
        const FILE: &str = "route/mtu_expires";
        self.require_administrator(OPERATION)?;
        let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0));
        if seconds == 0 {
            return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
                .because("a time of zero would forget each path MTU at once; 1 s is the shortest"));
        }
        let file = match self.sysctl.file(family, FILE, OFlags::RDWR) {
            Ok(file) => file,
            Err(Errno::NOENT) => {
                let reason = match family {
                    Family::V4 => "this kernel has no net.ipv4.route.mtu_expires",
                    Family::V6 => {
                        "there is no net.ipv6.route.mtu_expires: the kernel has no IPv6, or hides it from this \
                         namespace, as it does in user namespaces"
                    }
                };
                return Err(Error::new(ErrorKind::NotSupported, OPERATION).because(reason));
            }
            Err(errno) => return Err(refused(OPERATION, errno, "opening route/mtu_expires")),
        };
        let value = seconds.to_string();
        if read_value(&file).map_err(|errno| system(OPERATION, errno))? == value {
            return Ok(());
        }
        write_value(&file, &value).map_err(|errno| {
            let error = system(OPERATION, errno);
            if errno == Errno::INVAL {
                error.because(format!("the kernel cannot count {seconds} s"))
            } else {
                error
            }
        })
    }
}
