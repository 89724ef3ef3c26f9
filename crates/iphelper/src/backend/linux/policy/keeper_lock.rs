//! One keeper in a namespace, and everybody who may change policy knows whether there is one.
//!
//! As [`PolicyLock`](super::exclusive::PolicyLock): a packet filter table with an owner, which vanishes however the keeper ends.

use super::converge::{filter_error, filter_socket};
use super::names::KEEPER_TABLE;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::Pooled;
use crate::error::{Error, ErrorKind, Result};
use iphelper_netlink::nf_tables::{Batch, Table};

/// The place of the one keeper, until dropped.
#[derive(Debug)]
pub(in crate::backend::linux) struct KeeperLock(Pooled);

impl KeeperLock {
    /// [`ErrorKind::AlreadyExists`] where another keeper runs.
    pub(in crate::backend::linux) fn take(host: &LinuxHost) -> Result<Self> {
        const OPERATION: &str = "starting a keeper";
        let mut socket = filter_socket(host)?;
        let comment = Some(format!("iph keeper, process {}", std::process::id()));
        let mut batch = Batch::new(None);
        batch.push(Table { name: KEEPER_TABLE.to_owned(), comment, owned: true }.create());
        match socket.transaction(batch) {
            Ok(()) => Ok(Self(socket)),
            Err(refusal) if refusal.errno() == libc::EPERM && !host.is_administrator()? => {
                Err(refusal.error(OPERATION).because("needs CAP_NET_ADMIN over the network namespace"))
            }
            // Another's table is EPERM; EEXIST is one without owner, which somebody made by hand.
            Err(refusal) if matches!(refusal.errno(), libc::EPERM | libc::EBUSY) => {
                Err(Error::new(ErrorKind::AlreadyExists, OPERATION)
                    .because("one runs in this network namespace; `iph keeper status` tells of it"))
            }
            Err(refusal) if refusal.errno() == libc::EEXIST => {
                Err(refusal.into_error(ErrorKind::AlreadyExists, OPERATION).because(format!(
                    "there is an nftables table \"inet {KEEPER_TABLE}\" that is no keeper's; delete it"
                )))
            }
            Err(refusal) => Err(filter_error(refusal, "starting a keeper")),
        }
    }

    /// Whether a keeper runs; `None` where this caller may not know.
    pub(in crate::backend::linux) fn is_held(host: &LinuxHost) -> Result<Option<bool>> {
        let mut owned = false;
        let asked = filter_socket(host)?.ask(&mut Table::get(KEEPER_TABLE), |message| {
            owned |= Table::parse(message)?.is_some_and(|table| table.owned);
            Ok(())
        });
        match asked {
            Ok(()) => Ok(Some(owned)),
            Err(refusal) if refusal.errno() == libc::ENOENT => Ok(Some(false)),
            Err(refusal) if refusal.errno() == libc::EPERM => Ok(None),
            // Without nf_tables there is no keeper.
            Err(refusal) if matches!(refusal.errno(), libc::EOPNOTSUPP | libc::EINVAL) => Ok(Some(false)),
            Err(refusal) => Err(filter_error(refusal, "looking for a keeper")),
        }
    }
}

impl Drop for KeeperLock {
    fn drop(&mut self) {
        let mut batch = Batch::new(None);
        batch.push(Table::delete(KEEPER_TABLE));
        if self.0.transaction(batch).is_err() {
            // Closing the socket gives the place up too, so it must not go back to the pool.
            self.0.set_busy();
        }
    }
}
