//! Who holds a connection, against `ss -p`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

use crate::tcp_support::{matching, pair, row};
use iphelper::tcp::{TcpCondition, TcpConnection, TcpQuery, TcpState};
use iphelper::{ErrorKind, Host};
use iphelper_testkit::{eventually, headless, isolated, new_folder, run, unprivileged};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// Another process that holds a socket, as its standard input. It ends with this value.
struct Holder(Child);

impl Holder {
    fn of(socket: impl Into<OwnedFd>) -> Self {
        Self::running("sleep", socket)
    }

    fn running(program: &str, socket: impl Into<OwnedFd>) -> Self {
        Self(Command::new(program).arg("1000").stdin(Stdio::from(socket.into())).spawn().unwrap())
    }

    fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn with_owners(host: &Host, conditions: Vec<TcpCondition>) -> Vec<TcpConnection> {
    let query = TcpQuery { owners: true, ..matching(conditions) };
    // But for names: a child that was just started changes its own.
    let pids = |rows: &[TcpConnection]| -> Vec<_> {
        rows.iter().map(|row| (row.cookie, row.owner.as_ref().map(|owner| owner.pid))).collect()
    };
    let mut table = Vec::new();
    // A program that another test is about to start is an owner for a moment, of one reading perhaps.
    eventually("both readings are the same", || {
        table = host.tcp_connections(&query).unwrap();
        let streamed: Vec<_> = host.tcp_connections_iter(&query).unwrap().map(Result::unwrap).collect();
        pids(&table) == pids(&streamed)
    });
    table
}

fn owner_of(rows: &[TcpConnection], local: SocketAddr) -> Option<(u32, String)> {
    let row = rows.iter().find(|row| row.local == local).unwrap_or_else(|| panic!("no {local}: {rows:#?}"));
    row.owner.as_ref().map(|owner| (owner.pid, owner.name.to_string()))
}

#[test]
fn owners_are_those_that_ss_names() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listeners: Vec<_> = (0..20).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let client = TcpStream::connect(listeners[0].local_addr().unwrap()).unwrap();
        let local: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let holders: Vec<_> = listeners.into_iter().map(Holder::of).collect();
        for holder in &holders {
            // It is this program still until it has become another.
            eventually("the child runs", || {
                std::fs::read_to_string(format!("/proc/{}/comm", holder.pid())).unwrap() == "sleep\n"
            });
        }
        let mut rows = Vec::new();
        // A program that another test is about to start holds them, too, for a moment.
        eventually("the owners are those that ss names", || {
            rows = with_owners(&host, Vec::new());
            let ss = run("ss -tanpHO");
            holders.iter().zip(&local).all(|(holder, local)| {
                let mut lines = ss.lines().filter(|line| line.contains("LISTEN"));
                let line = lines.find(|line| line.contains(&local.to_string())).unwrap();
                owner_of(&rows, *local) == Some((holder.pid(), "sleep".into()))
                    && line.contains(&format!("((\"sleep\",pid={},fd=0))", holder.pid()))
            })
        });
        let this = std::process::id();
        assert_eq!(owner_of(&rows, client.local_addr().unwrap()).unwrap().0, this);
        // The server's end waits in the queue: no program has it.
        let queued = rows.iter().find(|row| row.remote == client.local_addr().unwrap()).unwrap();
        assert_eq!((&queued.owner, queued.inode), (&None, None));
    });
}

#[test]
fn of_several_holders_the_first_is_told_or_the_one_that_was_asked_for() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let holders = [Holder::of(listener.try_clone().unwrap()), Holder::of(listener.try_clone().unwrap())];
        for holder in &holders {
            eventually("the child runs", || {
                std::fs::read_to_string(format!("/proc/{}/comm", holder.pid())).unwrap() == "sleep\n"
            });
        }
        // Its holder comes last, so that the search goes on behind the first one's holders.
        let last = Holder::of(TcpListener::bind("127.0.0.1:0").unwrap());
        let this = std::process::id();
        let lowest = holders.iter().map(Holder::pid).chain([this]).min().unwrap();
        // A program that another test is about to start holds it, too, for a moment.
        eventually("the first is told", || {
            owner_of(&with_owners(&host, Vec::new()), local).is_some_and(|owner| owner.0 == lowest)
        });
        for holder in &holders {
            let rows = with_owners(&host, vec![TcpCondition::Pid(holder.pid())]);
            assert_eq!(owner_of(&rows, local).unwrap().0, holder.pid());
        }
        drop((listener, last));
        let rows = with_owners(&host, vec![TcpCondition::Process("sleep".into())]);
        assert_eq!(owner_of(&rows, local).unwrap().0, holders.iter().map(Holder::pid).min().unwrap());
        let both = vec![TcpCondition::Process("sleep".into()), TcpCondition::Pid(this)];
        assert_eq!(with_owners(&host, both), []);
        let two = holders.iter().map(|holder| TcpCondition::Pid(holder.pid())).collect();
        assert_eq!(with_owners(&host, two), [], "no process has two numbers");
        assert_eq!(with_owners(&host, vec![TcpCondition::Pid(u32::MAX)]), []);
        assert_eq!(with_owners(&host, vec![TcpCondition::Process("no such program".into())]), []);
    });
}

#[test]
fn what_may_not_be_looked_into_has_no_owner_and_fails_only_if_it_is_named() {
    isolated(|| {
        let host = Host::open().unwrap();
        let (theirs, own) =
            (TcpListener::bind("127.0.0.1:0").unwrap(), TcpListener::bind("127.0.0.1:0").unwrap());
        let there = theirs.local_addr().unwrap();
        let holder = Holder::of(theirs);
        eventually("only the child holds it", || {
            owner_of(&with_owners(&host, Vec::new()), there).map(|owner| owner.0) == Some(holder.pid())
        });
        let listed = row(&host, there, TcpState::Listen);
        unprivileged(|| {
            let rows = with_owners(&host, Vec::new());
            assert_eq!(owner_of(&rows, there), None);
            assert_eq!(owner_of(&rows, own.local_addr().unwrap()).unwrap().0, std::process::id());
            for condition in [TcpCondition::Pid(holder.pid()), TcpCondition::Process("sleep".into())] {
                let error = host.tcp_connections(&matching(vec![condition])).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
            }
            let error = host.tcp_owner_module(&listed).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        });
    });
}

#[test]
fn the_program_behind_a_connection_has_a_name_and_a_path() {
    isolated(|| {
        let host = Host::open().unwrap();
        let sleep = PathBuf::from(run("which sleep").trim()).canonicalize().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let holder = Holder::of(listener);
        eventually("the child runs", || {
            std::fs::read_link(format!("/proc/{}/exe", holder.pid())).unwrap() == sleep
        });
        let found = with_owners(&host, Vec::new()).into_iter().find(|row| row.local == local).unwrap();
        // A program that another test is about to start holds it, too, for a moment.
        eventually("the child alone holds it", || host.tcp_owner_module(&found).unwrap().pid == holder.pid());
        let module = host.tcp_owner_module(&found).unwrap();
        assert_eq!((module.pid, module.path.as_ref()), (holder.pid(), Some(&sleep)));
        assert_eq!(module.name, sleep.file_name().unwrap().to_str().unwrap());

        // The number in a row may be another process's by now.
        let (_other, other) = pair("127.0.0.1:0");
        let mut stale = found.clone();
        stale.owner = row_with_owner(&host, other.local_addr().unwrap()).owner;
        assert_ne!(stale.owner, found.owner);
        assert_eq!(host.tcp_owner_module(&stale).unwrap(), module);
        stale.owner = None;
        assert_eq!(host.tcp_owner_module(&stale).unwrap(), module);

        drop(holder);
        eventually("nobody holds it", || {
            host.tcp_owner_module(&found).is_err_and(|error| error.kind() == ErrorKind::NotFound)
        });
        stale.inode = None;
        let error = host.tcp_owner_module(&stale).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    });
}

fn row_with_owner(host: &Host, local: SocketAddr) -> TcpConnection {
    let rows = with_owners(host, Vec::new());
    rows.into_iter().find(|row| row.local == local && row.owner.is_some()).unwrap()
}

#[test]
fn a_program_whose_file_is_gone_keeps_its_path() {
    isolated(|| {
        let host = Host::open().unwrap();
        let folder = new_folder("owner");
        let program = folder.join("holder of sockets");
        // Not by this process: a file that it writes to cannot be run, for as long as a program that another test is about to
        // start has a copy of the descriptor.
        let copied = Command::new("cp").arg(run("which sleep").trim()).arg(&program).status().unwrap();
        assert!(copied.success());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let holder = Holder::running(program.to_str().unwrap(), listener);
        eventually("the child runs", || {
            std::fs::read_link(format!("/proc/{}/exe", holder.pid())).unwrap() == program
        });
        std::fs::remove_dir_all(&folder).unwrap();
        let is_holders = |row: &TcpConnection| row.owner.as_ref().unwrap().pid == holder.pid();
        eventually("the child alone holds it", || is_holders(&row_with_owner(&host, local)));
        let row = row_with_owner(&host, local);
        assert_eq!(&*row.owner.as_ref().unwrap().name, "holder of socke", "15 bytes");
        let by_name = with_owners(&host, vec![TcpCondition::Process("holder of sockets".into())]);
        assert_eq!(owner_of(&by_name, local), owner_of(std::slice::from_ref(&row), local));
        let module = host.tcp_owner_module(&row).unwrap();
        assert_eq!(module.path.as_ref(), Some(&program));
        assert_eq!(module.name, "holder of sockets");
    });
}

#[test]
fn a_process_whose_first_thread_has_ended_holds_its_sockets() {
    isolated(|| {
        let host = Host::open().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let local = listener.local_addr().unwrap();
        let holder = headless(&listener);
        drop(listener);
        eventually("its first thread has ended", || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", holder.pid)).unwrap();
            status.contains("State:\tZ") && status.contains("Threads:\t2")
        });
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap();
        if !map.split_whitespace().eq(["0", "0", "4294967295"]) {
            eprintln!(
                "skipped: without a first thread its files in /proc are those of the machine's own root"
            );
            let query = matching(vec![TcpCondition::Pid(holder.pid)]);
            assert_eq!(host.tcp_connections(&query).unwrap_err().kind(), ErrorKind::AccessDenied);
            return;
        }
        let found = with_owners(&host, vec![TcpCondition::Pid(holder.pid)]);
        assert_eq!(owner_of(&found, local).unwrap().0, holder.pid);
        let module = host.tcp_owner_module(&found[0]).unwrap();
        let program = std::env::current_exe().unwrap();
        assert_eq!((module.pid, module.path), (holder.pid, Some(program)), "its other thread knows it");
    });
}
