//! Sockets: dumps, filters in the kernel, deletion (`NETLINK_SOCK_DIAG`).
