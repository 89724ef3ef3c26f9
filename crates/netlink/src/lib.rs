//! Linux netlink messages as bytes.
//!
//! This crate reads and writes the messages that iphelper exchanges with a Linux kernel. It opens no socket and
//! contains no unsafe code, so that it builds and is tested on every operating system. Readers borrow from the
//! receive buffer and copy nothing; what is too short, too long or unknown is an error or a value that keeps what it
//! does not know, never a panic.
//!
//! The layers, from the outside in:
//!
//! - [`message`]: the 16-byte header, acknowledgements and extended errors (`include/uapi/linux/netlink.h`);
//! - [`attribute`]: type, length, value;
//! - [`rtnetlink`]: links, addresses, routes, neighbours (`include/uapi/linux/rtnetlink.h`);
//! - [`sock_diag`]: sockets and their deletion (`include/uapi/linux/inet_diag.h`);
//! - [`genetlink`]: generic netlink: ethtool, wireless links, TCP metrics (`include/uapi/linux/genetlink.h`);
//! - [`nf_tables`]: packet filter rules and sets (`include/uapi/linux/netfilter/nf_tables.h`).

#![forbid(unsafe_code)]

pub mod attribute;
#[cfg(test)]
mod captured;
mod error;
pub mod genetlink;
pub mod message;
pub mod nf_tables;
pub mod rtnetlink;
pub mod sock_diag;

pub use error::DecodeError;
