//! Links, addresses, routes, rules, neighbours and their tables (`NETLINK_ROUTE`).

pub mod addr;
pub mod link;
pub mod neigh;
pub mod neigh_table;
pub mod netconf;
pub mod nexthop;
pub mod notification;
pub mod route;
pub mod rule;
