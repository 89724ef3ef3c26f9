//! Links and neighbour tables (`NETLINK_ROUTE`).
