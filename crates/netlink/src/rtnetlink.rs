//! Links, addresses, routes, rules, neighbours and their tables (`NETLINK_ROUTE`).

pub mod addr;
pub mod address_label;
pub mod link;
pub mod neigh;
pub mod neigh_table;
pub mod netconf;
pub mod nexthop;
pub mod notification;
pub mod policy_rule;
pub mod route;
pub mod route_lookup;
pub mod rule;
pub mod table;
