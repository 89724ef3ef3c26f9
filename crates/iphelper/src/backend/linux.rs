//! Linux: the chapters again, over netlink and sysctl files.

mod adapter;
mod address;
mod best_route;
mod bus;
mod compartment;
mod conf;
mod connectivity;
mod convert;
mod destination;
mod destroy;
mod dns;
mod doctor;
mod dump_stream;
mod ethtool;
mod generic;
mod icmp;
mod interface;
mod ip_interface;
mod keeper;
mod link;
mod namespace;
mod neighbor;
mod notification;
mod path;
mod policy;
mod port_reservation;
mod privilege;
mod process;
mod round_trip;
mod route;
mod router;
mod socket;
mod socket_table;
mod statistics;
mod sysctl;
mod tcp;
mod thread;
mod timestamp;
mod udp;

use crate::error::{Error, Result};
pub(crate) use address::time_of_uptime;
pub(crate) use compartment::{
    compartment_guid, compartment_with_guid, compartments, current_thread_compartment, default_compartment,
    enter_compartment, name_compartment, open_compartment, open_compartment_of_process,
    open_current_compartment, open_named_compartment, process_compartment, session_compartment,
};
use namespace::Namespace;
pub(crate) use namespace::no_descriptor;
pub(crate) use policy::is_ours as is_internal_route;
use socket::{Pool, Protocol};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use sysctl::Sysctl;
pub(crate) use thread::start_thread;

/// What fuzzing runs, see the crate's module of this name.
#[cfg(fuzzing)]
pub(crate) mod fuzzing {
    pub(crate) use super::adapter::fuzz_lease as lease;
    pub(crate) use super::dns::fuzz_resolv_conf as resolv_conf;
    pub(crate) use super::icmp::fuzz_message as icmp;
    pub(crate) use super::keeper::fuzz_status as keeper_status;
    pub(crate) use super::policy::fuzz_state_file as state_file;
    pub(crate) use super::port_reservation::fuzz_record as port_reservation;
    pub(crate) use super::statistics::fuzz_counters as counters;
}

/// One network namespace of this computer.
#[derive(Debug)]
pub(super) struct LinuxHost {
    namespace: Arc<Namespace>,
    sysctl: Sysctl,
    route: Arc<Pool>,
    sock_diag: Arc<Pool>,
    generic: Arc<Pool>,
    netfilter: Arc<Pool>,
    ethtool: ethtool::Ethtool,
    counters: statistics::Files,
}

impl LinuxHost {
    /// The calling thread's namespace.
    pub(super) fn open() -> Result<Self> {
        Self::in_namespace(Namespace::current()?)
    }

    /// The namespace behind a descriptor.
    pub(super) fn open_namespace(descriptor: OwnedFd) -> Result<Self> {
        Self::in_namespace(Namespace::from_descriptor(descriptor)?)
    }

    fn in_namespace(namespace: Namespace) -> Result<Self> {
        let namespace = Arc::new(namespace);
        let (sysctl, counters) =
            namespace.run(|| Ok::<_, Error>((Sysctl::open()?, statistics::Files::open()?)))??;
        let pool = |protocol| Arc::new(Pool::new(Arc::clone(&namespace), protocol));
        let (route, sock_diag, generic) =
            (pool(Protocol::Route), pool(Protocol::SockDiag), pool(Protocol::Generic));
        let netfilter = pool(Protocol::Netfilter);
        // Open what every call needs now, so that a thread which leaves the namespace without the right to come back
        // can still use its host.
        for pool in [&route, &sock_diag, &generic] {
            drop(pool.take()?);
        }
        // A kernel may lack netfilter; the calls that need it say so.
        drop(netfilter.take());
        let ethtool = ethtool::Ethtool::default();
        Ok(Self { namespace, sysctl, route, sock_diag, generic, netfilter, ethtool, counters })
    }
}
