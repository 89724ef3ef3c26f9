//! The keeper: one small resident process for each network namespace, for what a kernel cannot keep up by itself.
//!
//! Everything that is set lives in the kernel, and holds whether a keeper runs or not. A keeper follows the kernel's
//! changes and adds what depends on them:
//!
//! - default routes that are added later, and prefixes of guarded interfaces, are taken into account at once
//!   (`DisableDefaultRoutes`); without it they are with the next call that changes anything, and less passes until then;
//! - routes and addresses that come later get the metric of their interface, and routes its IPv4 MTU;
//! - a packet filter that somebody flushed, and rules that somebody took away, are made anew;
//! - router advertisements are sent where `AdvertisingEnabled` is set.
//!
//! It has no command socket: it sees what is set in the kernel. It may be killed at any moment, and started again.
//!
//! - For programs that set what depends on it: [`Host::keeper_runs`], [`Host::ensure_keeper`], [`Host::keeper_status`]
//! - To be one, as `iph keeper` is: [`Host::keeper`]
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::keeper::KeeperStart;
//!
//! # fn main() -> iphelper::Result<()> {
//! let started = Host::open()?.ensure_keeper(&KeeperStart::Unit("iphelper-keeper.service".to_owned()))?;
//! println!("{}", if started { "started" } else { "there was one" });
//! # Ok(())
//! # }
//! ```

use crate::Host;
use crate::backend::KeeperLoop;
use crate::error::Result;
use crate::types::{Family, InterfaceIndex, Prefix};
use std::fmt;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// Where a keeper publishes its status, unless told otherwise: everybody may read it.
pub const STATUS_DIRECTORY: &str = "/run/iphelper-keeper";

/// How a keeper runs.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeeperOptions {
    /// The folder of the published status, [`STATUS_DIRECTORY`] by default. One file in it for each namespace.
    pub status_directory: PathBuf,
}

impl Default for KeeperOptions {
    fn default() -> Self {
        Self { status_directory: PathBuf::from(STATUS_DIRECTORY) }
    }
}

/// How [`Host::ensure_keeper`] starts a keeper.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeeperStart {
    /// Runs a program with the argument `keeper`, as `iph` takes it, in the host's namespace, with no environment, no
    /// standard streams and a process group of its own. It outlives the caller.
    Program {
        /// The program's absolute path, such as `/usr/bin/iph`.
        path: PathBuf,
        /// What it is told.
        options: KeeperOptions,
    },
    /// Asks systemd to start a unit, such as `iphelper-keeper.service`. It must keep the host's namespace.
    Unit(String),
}

/// A keeper, the only one of its namespace until it is dropped.
#[derive(Debug)]
pub struct Keeper(Box<dyn KeeperLoop>);

impl Keeper {
    /// Works until `stop` is readable. Advertisements are withdrawn then.
    ///
    /// What fails is tried again, and told by the status.
    ///
    /// - Errors: none that another attempt may cure; [`ResourceLimit`](crate::ErrorKind::ResourceLimit) where waiting
    ///   fails
    pub fn run(&mut self, stop: impl AsFd) -> Result<()> {
        self.0.run(stop.as_fd())
    }
}

/// What a keeper tells of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeeperStatus {
    /// Its process, as it sees itself.
    pub process: u32,
    /// When it began.
    pub started: SystemTime,
    /// How often it has made rules, filter and routes hold what is set.
    pub passes: u64,
    /// How long the last time took.
    pub last_pass: Duration,
    /// What went wrong at the last attempt, if anything did.
    pub error: Option<String>,
    /// Where it advertises, or waits to.
    pub advertising: Vec<AdvertisingStatus>,
    /// What other programs undid more than once.
    pub contests: Vec<Contest>,
}

/// Something that another program undoes, and the keeper does again.
///
/// It is done again as often as it is undone: at once the first times, later after waits up to a second (up to a minute
/// for the metric of a route). What packet filters stop stays stopped meanwhile.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Contest {
    /// What the other program undoes.
    pub what: Contested,
    /// Who it is, if that was still to be found out.
    pub by: Option<Manager>,
    /// How often it did, without a pause of ten seconds.
    pub times: u32,
    /// When it did so last.
    pub last: SystemTime,
}

/// What another program undoes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Contested {
    /// It deletes our policy rules.
    Rules(Family),
    /// It deletes our routes of a table.
    Routes(u32),
    /// It deletes the routes that remember what is set.
    State,
    /// It deletes or changes our part of the packet filter.
    Filter,
    /// It adds its route with its own metric again each time that it was moved by the interface's. After the third time
    /// that stays, beside the one that was moved, until the next attempt.
    Metric {
        /// The interface whose metric is set by hand.
        interface: InterfaceIndex,
        /// The route's destination.
        destination: Prefix,
        /// The route's table.
        table: u32,
        /// The metric that its owner gives it.
        metric: u32,
    },
}

/// Another program.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Manager {
    /// Its process.
    pub process: u32,
    /// The process' name, of which the kernel keeps 15 octets.
    pub name: String,
}

impl Contest {
    /// What ends it, as far as the other program is known.
    #[must_use]
    pub fn advice(&self) -> String {
        let name = self.by.as_ref().map(|by| by.name.as_str());
        match (name, &self.what) {
            (Some("systemd-network"), Contested::Rules(_)) => {
                "set ManageForeignRoutingPolicyRules=no in networkd.conf".to_owned()
            }
            (Some("systemd-network"), Contested::Routes(_) | Contested::State) => {
                "set ManageForeignRoutes=no in networkd.conf".to_owned()
            }
            (Some("NetworkManager"), Contested::Metric { .. }) => {
                "set the metric of the connection to its default, or that of the interface to automatic".to_owned()
            }
            (Some("NetworkManager"), _) => {
                "let NetworkManager leave rules and routes of others alone (no ipv4.routing-rules or dispatcher script \
                 that flushes them)"
                    .to_owned()
            }
            (_, Contested::Filter) => {
                "let it delete its own tables instead of `flush ruleset`".to_owned()
            }
            (_, Contested::Metric { .. }) => {
                "let it leave its route where it is, or set the interface's metric to automatic".to_owned()
            }
            _ => "let it leave rules and routes of protocol 105 alone".to_owned(),
        }
    }
}

impl fmt::Display for Contested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rules(family) => write!(f, "policy rules of {family} deleted"),
            Self::Routes(table) => write!(f, "routes of table {table} deleted"),
            Self::State => f.write_str("routes that remember what is set deleted"),
            Self::Filter => f.write_str("our part of the packet filter deleted or changed"),
            Self::Metric { destination, table, metric, interface } => write!(
                f,
                "route to {destination} over interface {interface} added again with metric {metric} (table {table})"
            ),
        }
    }
}

/// What a keeper tells of the advertisements of one interface.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AdvertisingStatus {
    /// The interface.
    pub index: InterfaceIndex,
    /// Whether it advertises now, or for what it waits.
    pub state: AdvertisingState,
    /// Advertisements sent.
    pub sent: u64,
    /// Solicitations that hosts have sent, valid ones.
    pub solicited: u64,
    /// Prefixes that are advertised.
    pub prefixes: u64,
}

/// Whether an interface that is to advertise does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum AdvertisingState {
    /// It does.
    Advertising,
    /// It is down, or has no carrier.
    Down,
    /// It has no link-local address, or that is being checked for duplicates.
    NoLinkLocalAddress,
    /// Packets that come in on it are not forwarded, so it is no router.
    NotForwarding,
    /// Sending failed; another attempt is made each second.
    Failed(i32),
}

impl fmt::Display for AdvertisingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Advertising => f.write_str("advertising"),
            Self::Down => f.write_str("waiting: the interface is down"),
            Self::NoLinkLocalAddress => f.write_str("waiting: no link-local address"),
            Self::NotForwarding => f.write_str("waiting: the interface does not forward"),
            Self::Failed(errno) => write!(f, "failing: errno {errno}"),
        }
    }
}

impl Host {
    /// Makes this process the keeper of the host's namespace; [`Keeper::run`] does the work.
    ///
    /// - Windows: none; its stack keeps all this in the kernel
    /// - Linux: an owned nftables table `inet iphelper-keeper`, so that there is one in a namespace
    /// - Errors: [`AlreadyExists`](crate::ErrorKind::AlreadyExists) where one runs,
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied), [`NotSupported`](crate::ErrorKind::NotSupported) on a kernel
    ///   without nf_tables
    /// - Privilege: `CAP_NET_ADMIN`, and `CAP_NET_RAW` for router advertisements
    pub fn keeper(&self, options: &KeeperOptions) -> Result<Keeper> {
        self.backend().clone().keeper(options).map(Keeper)
    }

    /// Starts a keeper in the way that the caller allows, unless one runs; whether it did. It works when this returns.
    ///
    /// Nothing else of this library starts a process, and the C libraries never do.
    ///
    /// - Windows: none
    /// - Errors: [`AccessDenied`](crate::ErrorKind::AccessDenied), also in a program that has more rights than who started
    ///   it (set-user-ID, file capabilities); [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a path that is
    ///   not absolute and for what is no unit's name; [`NotFound`](crate::ErrorKind::NotFound) where there is no such
    ///   program, or the unit keeps another namespace; [`TimedOut`](crate::ErrorKind::TimedOut) after ten seconds;
    ///   [`Other`](crate::ErrorKind::Other) where it ended instead
    /// - Privilege: that of [`keeper`](Self::keeper)
    pub fn ensure_keeper(&self, start: &KeeperStart) -> Result<bool> {
        self.backend().ensure_keeper(start)
    }

    /// Whether a keeper runs in the host's namespace; `None` where this caller cannot know.
    ///
    /// - Linux: the nftables table that a keeper owns; an ordinary user, from whom that is hidden, learns of a keeper that
    ///   publishes its status in [`STATUS_DIRECTORY`]
    /// - Privilege: none
    pub fn keeper_runs(&self) -> Result<Option<bool>> {
        self.backend().keeper_runs()
    }

    /// What the keeper of the host's namespace tells of itself; `None` where none runs.
    ///
    /// - Linux: its file in [`status_directory`](KeeperOptions::status_directory), named by the namespace's cookie, and
    ///   `/proc`; a keeper that could not write there is not seen
    /// - Privilege: none
    pub fn keeper_status(&self, options: &KeeperOptions) -> Result<Option<KeeperStatus>> {
        self.backend().keeper_status(options)
    }
}
