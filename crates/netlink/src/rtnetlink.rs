//! Links and neighbour tables (`NETLINK_ROUTE`).

pub mod link;
pub mod neigh_table;
