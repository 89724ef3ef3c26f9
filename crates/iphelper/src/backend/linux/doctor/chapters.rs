//! What can be done of the chapters beside IP interfaces, by the checks that the chapters make themselves.

use super::OPERATION;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::adapter::lease;
use crate::backend::linux::destroy::{destroy, refused};
use crate::backend::linux::link::Link;
use crate::backend::linux::socket::arp::ArpSocket;
use crate::backend::{Connectivity as _, Dns as _, Tcp as _, Udp as _};
use crate::connectivity;
use crate::dns::Resolver;
use crate::doctor::Finding;
use crate::error::{Error, Result};
use crate::socket::{SocketCondition, SocketQuery};
use crate::types::Family;
use iphelper_netlink::genetlink::ethtool::{TimestampInfo, timestamp_info};
use iphelper_netlink::sock_diag::AF_INET;
use iphelper_netlink::sock_diag::inet::{Protocol, SocketId};
use rustix::fs::{Access, AtFlags, CWD, OFlags, accessat};
use rustix::io::Errno;
use rustix::thread::CapabilitySet;
use std::net::Ipv4Addr;

/// Where `ip netns` keeps the names of namespaces.
const NAMES: &str = "/run/netns";
/// What puts reservations back.
const UNIT: &str = "iphelper-port-reservations.service";
/// Where services of the system are switched on (`systemd.unit(5)`).
const SWITCHED_ON: [&str; 2] =
    ["/etc/systemd/system/multi-user.target.wants", "/usr/lib/systemd/system/multi-user.target.wants"];
/// The inode of the user namespace in which the computer began (`PROC_USER_INIT_INO`, `include/linux/proc_ns.h`).
const FIRST_USERS: u64 = 0xEFFF_FFFD;
/// `IFF_LOOPBACK`.
const LOOPBACK: u32 = 8;

impl LinuxHost {
    pub(super) fn findings(&self, links: &[Link]) -> Result<Vec<Finding>> {
        let mut all = Findings {
            administrator: reason(self.require_administrator(OPERATION)).map(|why| format!("{why} (sudo)")),
            rows: Vec::new(),
        };
        self.sockets(&mut all)?;
        self.tables(&mut all, links)?;
        self.settings(&mut all);
        self.echoes(&mut all);
        all.add("estats", "read", all.of("tcp", "list"), None);
        all.add("estats", "switch collection", all.administrator.clone(), None);
        self.resolver(&mut all);
        leases(&mut all);
        self.compartments(&mut all);
        self.reservations(&mut all);
        self.stamps(&mut all, links)?;
        let manager = self.network_manager();
        let hint = connectivity::of_host(self, manager.as_deref());
        let who =
            if manager.is_some() { "routes, neighbours and NetworkManager" } else { "routes and neighbours" };
        let detail = hint.as_ref().ok().map(|hint| format!("{}, as {who} tell", hint.level));
        all.add("connectivity", "tell how far packets get", reason(hint), detail);
        Ok(all.rows)
    }

    fn sockets(&self, all: &mut Findings) -> Result<()> {
        // Of a port that hardly anybody has.
        let conditions = vec![SocketCondition::LocalPort(1..=1)];
        let query = SocketQuery { filter: conditions.into(), ..SocketQuery::default() };
        let owners = owners();
        let tcp = reason(self.tcp_connections(&query));
        let udp = reason(self.udp_endpoints(&query));
        for (chapter, protocol, list, delete) in [
            ("tcp", Protocol::Tcp, tcp, "delete connections"),
            ("udp", Protocol::Udp, udp, "close endpoints"),
        ] {
            all.add(chapter, "list", list.clone(), None);
            all.add(chapter, "tell the owners of all sockets", owners.clone().or(list.clone()), None);
            let obstacle = match list {
                Some(list) => Some(list),
                None => self.destruction(protocol)?.or_else(|| all.administrator.clone()),
            };
            all.add(chapter, delete, obstacle, None);
        }
        Ok(())
    }

    /// Why the kernel deletes no sockets, whoever asks.
    ///
    /// It is asked to delete one that cannot be: of no port, and with a cookie that it gives to none
    /// (`net/core/sock_diag.c`, `sock_diag_check_cookie`). It looks for it before it asks for a capability.
    fn destruction(&self, protocol: Protocol) -> Result<Option<String>> {
        let nobody = Ipv4Addr::LOCALHOST.into();
        let id = SocketId {
            family: AF_INET,
            local: nobody,
            local_port: 0,
            remote: nobody,
            remote_port: 0,
            interface: 0,
            cookie: 0,
        };
        let mut socket = self.sock_diag.take()?;
        Ok(match destroy(&mut socket, protocol, &[id]).pop() {
            None | Some(0 | libc::ENOENT | libc::EPERM) => None,
            Some(errno) => {
                Some(format!("{}: end the program that has it instead", text(&refused(errno, OPERATION))))
            }
        })
    }

    fn tables(&self, all: &mut Findings, links: &[Link]) -> Result<()> {
        all.add("route", "create, change and delete", all.administrator.clone(), None);
        all.add("address", "create, change and delete", all.administrator.clone(), None);
        // The loopback interface carries no ARP, so nothing is queued.
        let loopback = links.iter().find(|link| link.has(LOOPBACK));
        if let Some(index) = loopback.map(|link| link.index.0) {
            let obstacle = match self.namespace.run(move || ArpSocket::open(index).map(drop))? {
                Ok(()) => None,
                Err(Errno::PERM) => Some(
                    "needs CAP_NET_RAW over the network namespace (sudo); or set the interface's dad_transmits to 0, \
                     and nobody is asked"
                        .to_owned(),
                ),
                Err(Errno::AFNOSUPPORT) => Some(
                    "this kernel has no packet sockets (CONFIG_PACKET): set the interface's dad_transmits to 0"
                        .to_owned(),
                ),
                Err(errno) => Some(format!("a packet socket cannot be opened: {errno}")),
            };
            all.add("address", "find duplicates of IPv4 addresses by ARP", obstacle, None);
        }
        all.add("neighbor", "create, change and delete", all.administrator.clone(), None);
        let detail = all.administrator.is_some().then(|| {
            "as the kernel sends datagrams; what no route puts on the link, and what is in doubt and not asked again, \
             needs CAP_NET_ADMIN"
                .to_owned()
        });
        all.add("neighbor", "resolve", None, detail);
        Ok(())
    }

    fn settings(&self, all: &mut Findings) {
        all.add("statistics", "read", None, None);
        for (family, action, files) in [
            (Family::V4, "set the IPv4 TTL and forwarding", &["ip_default_ttl", "ip_forward"][..]),
            (Family::V6, "set the IPv6 hop limit", &["conf/default/hop_limit"]),
        ] {
            let obstacle = if self.sysctl.has(family) {
                let closed = files.iter().find_map(|file| {
                    super::unwritable(self.sysctl.file(family, *file, OFlags::WRONLY).err())
                });
                all.administrator.clone().or(closed)
            } else {
                Some(format!("this kernel has no {family}, or it is switched off (ipv6.disable=1)"))
            };
            all.add("statistics", action, obstacle, None);
        }
    }

    fn echoes(&self, all: &mut Findings) {
        for (family, action) in
            [(Family::V4, "send IPv4 echo requests"), (Family::V6, "send IPv6 echo requests")]
        {
            let raw = self.echo_needs_raw_socket(family);
            let detail = raw.as_ref().ok().map(|raw| {
                let way = if *raw {
                    "by a raw socket: no group of this user is in net.ipv4.ping_group_range"
                } else {
                    "by a ping socket"
                };
                way.to_owned()
            });
            all.add("icmp", action, reason(raw), detail);
        }
    }

    fn resolver(&self, all: &mut Findings) {
        let dns = self.dns();
        let (read, change) = match dns.as_ref().map(|dns| &dns.resolver) {
            Ok(Resolver::Resolved) => (
                Some("from systemd-resolved, which works on this namespace".to_owned()),
                Some(
                    "by systemd-resolved: whether it lets this user, polkit decides; of the host by its files, as root"
                        .to_owned(),
                ),
            ),
            Ok(Resolver::File { path, exists, manager, .. }) => {
                let manager = manager.as_ref().map(|manager| format!(", which is {}", manager.escape_debug()));
                let absent = if *exists { "" } else { ", which does not exist" };
                let read = format!("from {}{}{absent}", path.display(), manager.unwrap_or_default());
                (Some(read), Some(format!("by replacing {}", path.display())))
            }
            _ => (None, None),
        };
        let obstacle = reason(dns);
        all.add("dns", "read", obstacle.clone(), read);
        let obstacle = obstacle.or_else(|| reason(self.check_may_change_dns()));
        let change = change.filter(|_| obstacle.is_none());
        all.add("dns", "change servers and domains", obstacle, change);
    }

    fn compartments(&self, all: &mut Findings) {
        // This one, on a thread that ends with it: others may belong to somebody else.
        let obstacle = reason(self.namespace.run_on_a_thread(|| ()));
        all.add("compartment", "enter", obstacle, None);
        let named: Vec<_> = match std::fs::read_dir(NAMES) {
            Ok(names) => {
                names.flatten().map(|name| name.file_name().to_string_lossy().into_owned()).collect()
            }
            Err(_) => Vec::new(),
        };
        let detail = match named.len() {
            0 => "none has a name here (ip netns add NAME gives one)".to_owned(),
            1 => "1 has a name".to_owned(),
            count => format!("{count} have names"),
        };
        all.add("compartment", "list", None, Some(detail));
    }

    fn reservations(&self, all: &mut Findings) {
        let folder = Self::port_reservation_folder();
        let obstacle = reason(self.check_may_reserve_ports());
        let detail = obstacle.is_none().then(|| format!("recorded in {folder}"));
        all.add("port_reservation", "create and delete", obstacle, detail);
        let action = "put back after a restart";
        if !self.is_computers_first() {
            let detail = "reservations of this namespace end with it".to_owned();
            return all.add("port_reservation", action, None, Some(detail));
        }
        let is_on = |folder: &&str| std::fs::symlink_metadata(format!("{folder}/{UNIT}")).is_ok();
        let obstacle = SWITCHED_ON.iter().find(|folder| is_on(folder)).map_or_else(
            || {
                Some(format!(
                    "{UNIT} is not switched on: install it and run systemctl enable {UNIT}, or iph port-reservation \
                     restore at each start"
                ))
            },
            |_| None,
        );
        let detail = obstacle.is_none().then(|| format!("by {UNIT}"));
        all.add("port_reservation", action, obstacle, detail);
    }

    fn stamps(&self, all: &mut Findings, links: &[Link]) -> Result<()> {
        let mut clocks = Vec::new();
        let answered = self.ask_drivers(links, timestamp_info, |message| {
            clocks.extend(TimestampInfo::parse(message)?.and_then(|info| info.clock));
            Ok(())
        })?;
        let unasked = (!answered).then(|| {
            "this kernel does not ask drivers (CONFIG_ETHTOOL_NETLINK), or not for this user (sudo)"
                .to_owned()
        });
        all.add("timestamp", "tell what interfaces stamp", unasked.clone(), None);
        clocks.sort_unstable();
        clocks.dedup();
        let closed = clocks.iter().find_map(|clock| {
            let device = format!("/dev/ptp{clock}");
            match accessat(CWD, device.as_str(), Access::READ_OK, AtFlags::EACCESS) {
                Ok(()) => None,
                Err(Errno::NOENT) => {
                    Some(format!("there is no {device} here: a container needs it passed in"))
                }
                Err(_) => Some(format!("{device} may not be read by this user (sudo)")),
            }
        });
        let none = clocks.is_empty().then(|| {
            "no interface here has a hardware clock: only network cards and their drivers have one".to_owned()
        });
        all.add("timestamp", "read hardware clocks", unasked.or(none).or(closed), None);
        Ok(())
    }
}

fn leases(all: &mut Findings) {
    let folders = lease::folders();
    let closed: Vec<_> = folders
        .iter()
        .filter_map(|(client, folder, errno)| errno.map(|_| format!("{client}'s in {folder}")))
        .collect();
    let open: Vec<_> = folders
        .iter()
        .filter(|(_, _, errno)| errno.is_none())
        .map(|(client, folder, _)| format!("{client}'s in {folder}"))
        .collect();
    let obstacle =
        (!closed.is_empty()).then(|| format!("this user may not read {} (sudo)", closed.join(", ")));
    let detail = if !open.is_empty() {
        Some(open.join(", "))
    } else if closed.is_empty() {
        Some("no DHCP client that is known has left any here".to_owned())
    } else {
        None
    };
    all.add("adapter", "read DHCP leases", obstacle, detail);
}

/// Why sockets of others have no owner for this caller.
///
/// The kernel lets a caller look into another's descriptors by a capability over the user namespace of that process
/// (`kernel/ptrace.c`, `ptrace_may_access`). Whoever holds it over the computer's first one holds it over all; elsewhere the
/// first process that is seen, as of a container, tells.
fn owners() -> Option<String> {
    let capabilities = rustix::thread::capabilities(None).map(|sets| sets.effective);
    if !capabilities.is_ok_and(|it| it.contains(CapabilitySet::SYS_PTRACE)) {
        return Some("only those of this user's own processes: others need CAP_SYS_PTRACE (sudo)".to_owned());
    }
    let is_first = rustix::fs::stat("/proc/thread-self/ns/user").is_ok_and(|it| it.st_ino == FIRST_USERS);
    let sees = || std::fs::read_dir("/proc/1/fd").is_ok() && std::fs::read_link("/proc/1/ns/net").is_ok();
    (!is_first && !sees()).then(|| {
        "only those of processes of this user namespace: CAP_SYS_PTRACE is held over no other; run it outside".to_owned()
    })
}

struct Findings {
    /// Why nothing can be changed.
    administrator: Option<String>,
    rows: Vec<Finding>,
}

impl Findings {
    fn add(
        &mut self,
        chapter: &'static str,
        action: &'static str,
        obstacle: Option<String>,
        detail: Option<String>,
    ) {
        self.rows.push(Finding { chapter, action, obstacle, detail });
    }

    /// What stands against another finding.
    fn of(&self, chapter: &str, action: &str) -> Option<String> {
        let mut rows = self.rows.iter();
        rows.find(|row| row.chapter == chapter && row.action == action)?.obstacle.clone()
    }
}

/// What stands against it: an error is a finding here, not a failure.
fn reason<T>(result: Result<T>) -> Option<String> {
    result.err().map(|error| text(&error))
}

fn text(error: &Error) -> String {
    error.reason().map_or_else(|| error.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::linux::socket::lacking::{self, Sent};
    use iphelper_testkit::isolated;

    /// `SOCK_DESTROY`.
    const DESTROY: u16 = 21;

    fn obstacle(chapter: &str, action: &str) -> Option<String> {
        let host = LinuxHost::open().unwrap();
        let links = host.links(OPERATION).unwrap();
        let rows = host.findings(&links).unwrap();
        rows.into_iter().find(|row| row.chapter == chapter && row.action == action).unwrap().obstacle
    }

    #[test]
    fn a_kernel_without_destruction_of_sockets_is_named() {
        isolated(|| {
            for (chapter, action) in [("tcp", "delete connections"), ("udp", "close endpoints")] {
                assert_eq!(obstacle(chapter, action), None);
                let refuse = |sent| (sent == Sent::Other(DESTROY)).then_some(libc::EOPNOTSUPP);
                let told = lacking::with(refuse, || obstacle(chapter, action)).unwrap();
                assert!(told.contains("CONFIG_INET_DIAG_DESTROY") && told.contains("instead"), "{told}");
            }
        });
    }

    #[test]
    fn each_chapter_is_asked_in_the_order_that_is_told() {
        isolated(|| {
            let host = LinuxHost::open().unwrap();
            let rows = host.findings(&host.links(OPERATION).unwrap()).unwrap();
            let mut chapters: Vec<_> = rows.iter().map(|row| row.chapter).collect();
            chapters.dedup();
            assert_eq!(chapters, Finding::CHAPTERS);
        });
    }
}
