//! The commands: a noun per file.

pub(crate) mod adapter;
pub(crate) mod address;
pub(crate) mod bandwidth;
pub(crate) mod compartment;
pub(crate) mod completions;
pub(crate) mod connectivity;
pub(crate) mod demo;
pub(crate) mod dns;
pub(crate) mod doctor;
pub(crate) mod estats;
pub(crate) mod interface;
pub(crate) mod keeper;
pub(crate) mod man;
pub(crate) mod neighbor;
pub(crate) mod path;
pub(crate) mod path_mtu;
pub(crate) mod ping;
pub(crate) mod port_reservation;
pub(crate) mod route;
pub(crate) mod socket_list;
pub(crate) mod stats;
pub(crate) mod tcp;
pub(crate) mod timestamp;
pub(crate) mod ttl;
pub(crate) mod udp;
pub(crate) mod watch;
