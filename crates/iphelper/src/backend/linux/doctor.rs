//! What can be set here, asked of the kernel itself; and what stands in the way of what is set.

mod chapters;
mod kept;

use super::LinuxHost;
use super::link::Link;
use super::policy::{KeeperLock, Property, Setting, Settings, Unmovable};
use crate::backend;
use crate::doctor::{Ability, Diagnosis, KeptSettings, KernelObject, Warning};
use crate::error::{ErrorKind, Result};
use crate::keeper::KeeperOptions;
use crate::types::Family;
use rustix::fs::OFlags;
use rustix::io::Errno;
use rustix::thread::CapabilitySet;

const OPERATION: &str = "diagnosing the host";

impl backend::Doctor for LinuxHost {
    fn may_administrate(&self) -> Result<bool> {
        self.is_administrator()
    }

    fn diagnose(&self) -> Result<Diagnosis> {
        let links = self.links(OPERATION)?;
        let probes = Probes::new(self)?;
        let keeper = self.is_kept()?;
        let families = Family::ALL.into_iter().filter(|family| self.sysctl.has(*family));
        let abilities = families.flat_map(|family| {
            PROPERTIES.iter().filter(move |(families, ..)| families.contains(&family)).map({
                let probes = &probes;
                move |(_, property, needs)| Ability {
                    family,
                    property,
                    obstacle: needs.iter().find_map(|need| probes.obstacle(family, *need)),
                }
            })
        });
        let mut diagnosis = Diagnosis {
            kernel: probes.kernel.clone(),
            may_change: probes.may_change,
            keeper,
            abilities: abilities.collect(),
            findings: self.findings(&links)?,
            warnings: Vec::new(),
        };
        diagnosis.warnings = self.warnings(&links, keeper)?;
        Ok(diagnosis)
    }

    fn kept_settings(&self) -> Result<Vec<KeptSettings>> {
        self.kept()
    }

    fn kernel_objects(&self) -> Result<Vec<KernelObject>> {
        self.policy_objects()
    }
}

/// What a property needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Need {
    Administrator,
    /// Files of `/proc/sys/net` that can be written.
    Sysctl,
    /// `force_forwarding`, or a packet filter in its place.
    Forwarding,
    Filter,
    Rules,
    Keeper,
    RawSockets,
}

const BOTH: &[Family] = &Family::ALL;
const IPV6: &[Family] = &[Family::V6];

/// The properties that can be set at all on Linux.
const PROPERTIES: &[(&[Family], &str, &[Need])] = &[
    (IPV6, "interface_identifier", &[Need::Administrator]),
    (
        IPV6,
        "advertising_enabled",
        &[Need::Administrator, Need::Sysctl, Need::Filter, Need::Keeper, Need::RawSockets],
    ),
    (&[Family::V4], "forwarding_enabled", &[Need::Administrator, Need::Sysctl]),
    (IPV6, "forwarding_enabled", &[Need::Administrator, Need::Sysctl, Need::Forwarding]),
    (BOTH, "weak_host_send", &[Need::Administrator, Need::Rules, Need::Filter]),
    (BOTH, "weak_host_receive", &[Need::Administrator, Need::Filter]),
    (&[Family::V4], "use_automatic_metric", &[Need::Administrator, Need::Rules]),
    (IPV6, "use_automatic_metric", &[Need::Administrator, Need::Sysctl, Need::Rules]),
    (&[Family::V4], "metric", &[Need::Administrator, Need::Rules]),
    (IPV6, "metric", &[Need::Administrator, Need::Sysctl, Need::Rules]),
    (BOTH, "use_neighbor_unreachability_detection", &[Need::Administrator]),
    (IPV6, "router_discovery_behavior", &[Need::Administrator, Need::Sysctl]),
    (IPV6, "dad_transmits", &[Need::Administrator, Need::Sysctl]),
    (BOTH, "base_reachable_time", &[Need::Administrator]),
    (BOTH, "retransmit_time", &[Need::Administrator]),
    (IPV6, "link_local_address_behavior", &[Need::Administrator, Need::Sysctl]),
    (BOTH, "nl_mtu", &[Need::Administrator, Need::Sysctl]),
    (BOTH, "disable_default_routes", &[Need::Administrator, Need::Rules, Need::Filter]),
];

/// What the kernel answered.
struct Probes {
    kernel: String,
    may_change: bool,
    /// Why sysctls cannot be written, if so, by family.
    sysctl: [Option<String>; 2],
    has_force_forwarding: bool,
    /// `None` where this caller may not know.
    has_filter: Option<bool>,
    has_rules: [bool; 2],
    keeper: Option<bool>,
    has_raw_sockets: bool,
}

impl Probes {
    fn new(host: &LinuxHost) -> Result<Self> {
        let has_rules = |family| match host.has_policy_rules(family) {
            Ok(has) => Ok(has),
            Err(error) if error.kind() == ErrorKind::NotSupported => Ok(false),
            Err(error) => Err(error),
        };
        let sysctl =
            |family| unwritable(host.sysctl.file(family, "conf/default/forwarding", OFlags::WRONLY).err());
        let capabilities = rustix::thread::capabilities(None).map(|sets| sets.effective);
        Ok(Self {
            kernel: rustix::system::uname().release().to_string_lossy().into_owned(),
            may_change: host.is_administrator()?,
            sysctl: Family::ALL.map(sysctl),
            has_force_forwarding: host
                .sysctl
                .file(Family::V6, "conf/default/force_forwarding", OFlags::RDONLY)
                .is_ok(),
            has_filter: host.has_packet_filter()?,
            has_rules: [has_rules(Family::V4)?, !host.sysctl.has(Family::V6) || has_rules(Family::V6)?],
            keeper: host.is_kept()?,
            has_raw_sockets: capabilities.is_ok_and(|it| it.contains(CapabilitySet::NET_RAW)),
        })
    }

    fn obstacle(&self, family: Family, need: Need) -> Option<String> {
        let of_family = usize::from(family == Family::V6);
        let reason = match need {
            Need::Administrator if !self.may_change => {
                "needs CAP_NET_ADMIN over the network namespace (sudo)"
            }
            Need::Sysctl => return self.sysctl.get(of_family).cloned().flatten(),
            Need::Forwarding if !self.has_force_forwarding && self.has_filter == Some(false) => {
                "this kernel has neither net.ipv6.conf.*.force_forwarding (Linux 6.17) nor nf_tables"
            }
            Need::Filter if self.has_filter == Some(false) => {
                "this kernel has no nf_tables (CONFIG_NF_TABLES_INET)"
            }
            Need::Rules if self.has_rules.get(of_family) == Some(&false) => {
                "this kernel has no policy rules (CONFIG_IP_MULTIPLE_TABLES)"
            }
            Need::Keeper if self.keeper == Some(false) => "no keeper runs here: start iph keeper",
            // Who runs already has its sockets.
            Need::RawSockets if self.keeper != Some(true) && !self.has_raw_sockets => {
                "a keeper needs CAP_NET_RAW for router advertisements"
            }
            _ => return None,
        };
        Some(reason.to_owned())
    }
}

/// Why a file of `/proc/sys/net` cannot be written.
fn unwritable(errno: Option<Errno>) -> Option<String> {
    let reason = match errno? {
        Errno::ROFS => "/proc/sys is mounted read-only here, as containers without privilege have it",
        Errno::ACCESS | Errno::PERM => "the files of /proc/sys/net belong to somebody else",
        _ => return None,
    };
    Some(reason.to_owned())
}

impl LinuxHost {
    /// Whether a keeper runs; of an ordinary user's view, one that publishes a status.
    pub(super) fn is_kept(&self) -> Result<Option<bool>> {
        match KeeperLock::is_held(self) {
            Ok(Some(held)) => Ok(Some(held)),
            Ok(None) => {
                let status = backend::Keeper::keeper_status(self, &KeeperOptions::default());
                Ok(status.ok().flatten().map(|_| true))
            }
            Err(error) if error.kind() == ErrorKind::NotSupported => Ok(Some(false)),
            Err(error) => Err(error),
        }
    }

    fn warnings(&self, links: &[Link], keeper: Option<bool>) -> Result<Vec<Warning>> {
        let settings = self.policy_settings(links)?;
        let advertising = self.advertising(links)?;
        let forwarding = self.ipv6_forwarding()?;
        let mut warnings = Vec::new();
        let mut warn =
            |subject: String, message: &str| warnings.push(Warning { subject, message: message.to_owned() });
        for link in links {
            let is_set = |family, property| has(&settings, link, family, property);
            if is_set(Family::V4, Property::DisableDefaultRoutes) && self.filters_reverse_paths(link) {
                warn(
                    link.name(),
                    "rp_filter is 1 (strict), and default routes over the interface are disabled: what comes from \
                     elsewhere than its own prefixes is dropped; set net.ipv4.conf.*.rp_filter to 2 or 0",
                );
            }
            let is_bridge = link.kind.as_deref() == Some("bridge");
            let guarded = Family::ALL.into_iter().find(|family| {
                is_set(*family, Property::DisableDefaultRoutes) && self.filters_bridged_frames(*family)
            });
            if let Some(family) = guarded.filter(|_| is_bridge) {
                warn(
                    link.name(),
                    &format!(
                        "br_netfilter shows frames between its ports to packet filters, and default routes over it are \
                         disabled: those frames are refused, too; set net.bridge.{} to 0",
                        bridge_file(family)
                    ),
                );
            }
            let advertises = advertising.get(&link.index).is_some_and(|it| it.enabled);
            if advertises && keeper == Some(false) {
                warn(
                    link.name(),
                    "is to advertise a router, and no keeper runs: nothing is sent; start iph keeper",
                );
            }
            if advertises && keeper != Some(false) && !forwarding.of(link, &settings) {
                warn(
                    link.name(),
                    "is to advertise a router, and does not forward: nothing is sent; set forwarding_enabled",
                );
            }
        }
        if !settings.is_empty() {
            if keeper == Some(false) {
                warn(
                    "host".to_owned(),
                    "no keeper runs: default routes and prefixes that others add are not used by what rules and \
                     filters hold until the next change with iph; start iph keeper",
                );
            }
            if let Some(missing) = self.missing_objects(&settings)? {
                warn("host".to_owned(), &missing);
            }
        }
        let by_hand = self.route_settings()?;
        for link in links.iter().filter(|_| keeper == Some(false)) {
            if Family::ALL.into_iter().any(|family| by_hand.metric(family, link).is_some()) {
                warnings.push(Warning {
                    subject: link.name(),
                    message: "has a metric by hand, and no keeper runs: routes that others add keep their own until \
                              the metric is set again; start iph keeper"
                        .to_owned(),
                });
            }
        }
        for link in links {
            for family in Family::ALL.into_iter().filter(|family| by_hand.metric(*family, link).is_some()) {
                let Unmovable { shared, advertised } = self.routes_without_metric(family, link)?;
                let mut left = Vec::new();
                if shared > 0 {
                    left.push(format!("{shared} over other interfaces, too"));
                }
                if advertised > 0 {
                    left.push(format!("{advertised} to prefixes that a router advertised"));
                }
                if !left.is_empty() {
                    warnings.push(Warning {
                        subject: link.name(),
                        message: format!(
                            "has an {family} metric by hand, and routes that keep their own: {}",
                            left.join("; ")
                        ),
                    });
                }
            }
        }
        // Of a record that cannot be read the chapter's findings tell.
        let reservations = backend::PortReservation::port_reservations(self).unwrap_or_default();
        for row in reservations.iter().filter(|row| !row.is_in_force) {
            let message = format!(
                "the {} ports {} are reserved, and given out: net.ipv4.ip_local_reserved_ports lacks them; run iph \
                 port-reservation restore",
                row.protocol, row.ports
            );
            warnings.push(Warning { subject: "host".to_owned(), message });
        }
        let status = backend::Keeper::keeper_status(self, &KeeperOptions::default());
        for contest in status.ok().flatten().into_iter().flat_map(|status| status.contests) {
            let by = contest.by.as_ref().map_or_else(
                || "a program that is not known".to_owned(),
                |by| format!("{} (process {})", by.name, by.process),
            );
            let message = format!("{} by {by}, {} times: {}", contest.what, contest.times, contest.advice());
            warnings.push(Warning { subject: "host".to_owned(), message });
        }
        Ok(warnings)
    }

    /// Whether frames between the ports of bridges are shown to packet filters of IP.
    fn filters_bridged_frames(&self, family: Family) -> bool {
        let path = format!("/proc/sys/net/bridge/{}", bridge_file(family));
        let value = self.namespace.run(|| std::fs::read_to_string(path));
        value.is_ok_and(|value| value.is_ok_and(|value| value.trim_end() != "0"))
    }

    /// Whether packets whose way back is another interface are dropped: the larger value of all and of the interface
    /// holds.
    fn filters_reverse_paths(&self, link: &Link) -> bool {
        let value = |name: &[u8]| -> u8 {
            let path = [b"conf/", name, b"/rp_filter"].concat();
            let file = self.sysctl.file(Family::V4, path.as_slice(), OFlags::RDONLY);
            let value = file.ok().and_then(|file| super::sysctl::read_value(&file).ok());
            value.and_then(|value| value.parse().ok()).unwrap_or_default()
        };
        value(b"all").max(value(&link.name)) == 1
    }
}

const fn bridge_file(family: Family) -> &'static str {
    match family {
        Family::V4 => "bridge-nf-call-iptables",
        Family::V6 => "bridge-nf-call-ip6tables",
    }
}

fn has(settings: &Settings, link: &Link, family: Family, property: Property) -> bool {
    settings.contains(&Setting { family, property, index: link.index, luid: link.luid() })
}
