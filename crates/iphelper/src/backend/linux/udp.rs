//! UDP endpoints over `sock_diag`.

use super::LinuxHost;
use crate::backend;
use crate::error::Result;
use std::net::SocketAddr;

impl backend::Udp for LinuxHost {
    fn delete_udp_endpoint(&self, _local: SocketAddr, _remote: Option<SocketAddr>) -> Result<()> {
        todo!()
    }
}
