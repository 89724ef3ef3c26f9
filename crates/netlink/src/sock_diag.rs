//! Sockets: dumps, filters in the kernel, deletion (`NETLINK_SOCK_DIAG`).
//!
//! - [`inet`]: requests and rows (`include/uapi/linux/inet_diag.h`);
//! - [`filter`]: conditions that the kernel tests before it sends a row;
//! - [`tcp_info`]: what rows of TCP connections carry beyond their ends;
//! - [`destroy`]: deletion, many sockets in one datagram (`include/uapi/linux/sock_diag.h`).

pub mod destroy;
pub mod filter;
pub mod inet;
pub mod tcp_info;

/// `SOCK_DIAG_BY_FAMILY`: type of requests for sockets, and of the rows that answer.
pub const BY_FAMILY: u16 = 20;
/// `SOCK_DESTROY`: type of requests for deletion.
pub const DESTROY: u16 = 21;

/// `AF_INET` of Linux.
pub const AF_INET: u8 = 2;
/// `AF_INET6` of Linux.
pub const AF_INET6: u8 = 10;
