//! TCP connections: their end is announced, everything else is found by looking.

use super::super::LinuxHost;
use super::super::process::Processes;
use super::super::socket::{Protocol, Socket};
use super::watcher::{News, View};
use crate::backend::Tcp as _;
use crate::error::{ErrorKind, Result};
use crate::notification::{ChangeKind, Event, Subject};
use crate::tcp::{TcpConnection, TcpQuery};
use crate::types::Family;
use iphelper_netlink::sock_diag::BY_FAMILY;
use iphelper_netlink::sock_diag::inet::SocketRow;
use rustix::net::RecvFlags;
use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

/// `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY`, as the mask that `bind` takes.
const CLOSED: u32 = 1 | 1 << 2;
/// How often is looked for new connections.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// No more than this part of the time is spent on looking.
const SHARE: u32 = 10;

/// The connections as they were last seen.
#[derive(Debug)]
pub(super) struct Connections {
    socket: Socket,
    known: HashMap<Key, TcpConnection>,
    next_look: Instant,
}

/// A socket's cookie, and the table that its row is in: a listener of both families is in two.
type Key = (u64, Family);

fn key(row: &TcpConnection) -> Key {
    (row.cookie.0, row.family)
}

impl Connections {
    /// Subscribes, then reads the table.
    pub(super) fn open(host: &LinuxHost) -> Result<Self> {
        let socket = host.namespace.run(|| Socket::open(Protocol::SockDiag, CLOSED))??;
        let known = host.tcp_connections(&TcpQuery { owners: true, ..TcpQuery::default() })?;
        let known = known.into_iter().map(|row| (key(&row), row)).collect();
        Ok(Self { socket, known, next_look: Instant::now() + LOOK_EVERY })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(super) fn next_look(&self) -> Instant {
        self.next_look
    }

    /// Tells what has closed and, if it is time to look or `look` says so, everything else.
    pub(super) fn update(&mut self, host: &LinuxHost, look: bool, news: &mut News) -> Result<()> {
        let mut lost = false;
        loop {
            match self.socket.receive_with(RecvFlags::DONTWAIT) {
                Ok(messages) => {
                    let mut closed = Vec::new();
                    for message in messages {
                        // The cookie alone: by then the kernel has cleared the addresses of many.
                        let read = message.and_then(|message| match message.header.kind {
                            BY_FAMILY => SocketRow::parse(&message).map(|row| closed.push(row.cookie())),
                            _ => Ok(()),
                        });
                        lost |= read.is_err();
                    }
                    for cookie in closed {
                        for family in Family::ALL {
                            // What was never seen came and went between two looks.
                            if let Some(row) = self.known.remove(&(cookie, family)) {
                                push(ChangeKind::Delete, row, None, false, news);
                            }
                        }
                    }
                }
                Err(refusal) => match refusal.errno() {
                    libc::EAGAIN => break,
                    libc::ENOBUFS | libc::EMSGSIZE => lost = true,
                    _ => return Err(refusal.error("listening for closed connections")),
                },
            }
        }
        let started = Instant::now();
        if look || lost || started >= self.next_look {
            self.look(host, lost, news)?;
            let now = Instant::now();
            self.next_look = now + LOOK_EVERY.max((now - started) * SHARE);
        }
        Ok(())
    }

    fn look(&mut self, host: &LinuxHost, lost: bool, news: &mut News) -> Result<()> {
        let rows = match host.tcp_connections(&TcpQuery::default()) {
            // It changed under every attempt. The next look will do.
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            rows => rows?,
        };
        let present: HashSet<Key> = rows.iter().map(key).collect();
        let gone: Vec<_> = self.known.extract_if(|key, _| !present.contains(key)).collect();
        for (_, row) in gone {
            push(ChangeKind::Delete, row, None, lost, news);
        }
        let changed: Vec<TcpConnection> = rows
            .into_iter()
            .filter_map(|row| match self.known.get(&key(&row)) {
                Some(known) => {
                    let row = TcpConnection { owner: known.owner.clone(), ..row };
                    // An accepted connection has an inode that it had not before, and with it an owner.
                    (*known != row).then_some(row)
                }
                None => Some(row),
            })
            .collect();
        let inodes = changed.iter().filter(|row| row.owner.is_none()).filter_map(|row| row.inode);
        let owners = Processes::open()?.owners(inodes)?;
        for mut row in changed {
            row.owner = row.owner.or_else(|| owners.get(&row.inode?).cloned());
            let before = self.known.insert(key(&row), row.clone());
            let kind = if before.is_some() { ChangeKind::Parameter } else { ChangeKind::Add };
            push(kind, row, before, lost, news);
        }
        Ok(())
    }
}

fn push(kind: ChangeKind, row: TcpConnection, before: Option<TcpConnection>, lost: bool, news: &mut News) {
    let told = |row| Subject::TcpConnection(Box::new(row));
    let (subject, before) = (told(row), before.map(told));
    news.push(View::Both, Event { kind, subject, before, requester: None, resynchronised: lost });
}
