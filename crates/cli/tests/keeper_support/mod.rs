//! A keeper as a process of its own, and what it publishes.
#![allow(dead_code, reason = "each test program uses its part")]

use crate::support::{self, Folder, Run, command};
use iphelper_testkit::eventually;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Stdio};

/// A running `iph keeper` in this thread's namespace.
pub(crate) struct Keeper {
    child: Child,
    folder: Folder,
}

impl Keeper {
    /// Starts one; it has made its first pass when this returns.
    pub(crate) fn start() -> Self {
        let folder = Folder::new();
        let mut command = command(&format!("keeper --status-directory {}", folder.0.display()));
        let child = command.stdout(Stdio::null()).spawn().expect("starting iph keeper");
        let keeper = Self { child, folder };
        eventually("the keeper publishes its status", || keeper.run_status().code == Some(0));
        keeper
    }

    fn run_status(&self) -> Run {
        support::iph(&format!("keeper status --json --status-directory {}", self.folder.0.display()))
    }

    /// What it publishes.
    pub(crate) fn status(&self) -> serde_json::Value {
        self.run_status().json()
    }

    pub(crate) fn folder(&self) -> String {
        self.folder.0.display().to_string()
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).expect("a process number");
        let _ = kill_process(Pid::from_raw(pid).expect("a process number"), signal);
    }

    /// Asks it to end, and waits for that; its exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.child.wait().expect("waiting for the keeper").code()
    }

    /// Kills it where it is.
    pub(crate) fn kill(mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait().expect("waiting for the keeper");
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        let _ = self.child.wait();
    }
}

/// Is told of IPv4 routes by the kernel.
pub(crate) struct RouteListener(rustix::fd::OwnedFd);

impl RouteListener {
    pub(crate) fn new() -> Self {
        use rustix::net::{AddressFamily, SocketType, netlink::SocketAddrNetlink};
        const IPV4_ROUTE: u32 = 1 << 6;
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None);
        let socket = socket.expect("opening a netlink socket");
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, IPV4_ROUTE)).expect("joining a group");
        Self(socket)
    }

    /// The time between the announcements of a default route with this metric in the main table and in ours.
    pub(crate) fn time_to_effect(&self, metric: u32) -> std::time::Duration {
        use iphelper_netlink::message::Messages;
        use iphelper_netlink::rtnetlink::route::Route;
        let mut buffer = [0; 8192];
        let mut announced = None;
        loop {
            let (len, _) = rustix::net::recv(&self.0, &mut buffer[..], rustix::net::RecvFlags::empty())
                .expect("listening");
            let now = std::time::Instant::now();
            for message in Messages::new(buffer.get(..len).expect("its length")).flatten() {
                let Ok(Some(route)) = Route::parse(&message) else { continue };
                if route.priority != metric || route.destination_len != 0 {
                    continue;
                }
                match announced {
                    None if route.table == 254 => announced = Some(now),
                    Some(announced) if route.table != 254 => return now - announced,
                    _ => {}
                }
            }
        }
    }

    /// Whether nothing was announced for 20 ms.
    pub(crate) fn is_quiet(&self) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let wait = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let waited = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], Some(&wait)).expect("waiting");
        if waited > 0 {
            let _ = rustix::net::recv(&self.0, &mut [0; 8192][..], rustix::net::RecvFlags::empty());
        }
        waited == 0
    }
}

/// A program that takes policy rules away which are not its own, as some network managers do.
pub(crate) struct RuleManager {
    socket: rustix::fd::OwnedFd,
    /// How many rules it took away.
    pub(crate) deleted: u32,
}

impl RuleManager {
    /// In this thread's namespace.
    pub(crate) fn new() -> Self {
        use rustix::net::{AddressFamily, SocketType, netlink::SocketAddrNetlink};
        let socket = rustix::net::socket(AddressFamily::NETLINK, SocketType::RAW, None);
        let socket = socket.expect("opening a netlink socket");
        rustix::net::bind(&socket, &SocketAddrNetlink::new(0, 0)).expect("binding it");
        Self { socket, deleted: 0 }
    }

    fn ask(&self, request: &mut iphelper_netlink::message::Request) -> Vec<u8> {
        use rustix::net::{RecvFlags, SendFlags};
        let _ = rustix::net::send(&self.socket, request.finish(1), SendFlags::empty()).expect("asking");
        let mut answer = vec![0; 65536];
        let (len, _) =
            rustix::net::recv(&self.socket, &mut answer[..], RecvFlags::empty()).expect("an answer");
        answer.truncate(len);
        answer
    }

    /// Takes all IPv4 rules with our protocol number away.
    pub(crate) fn delete_foreign_rules(&mut self) {
        use iphelper_netlink::message::Messages;
        use iphelper_netlink::rtnetlink::rule::Rule;
        let all = self.ask(&mut Rule::dump(2));
        // The end of the dump.
        let _ = rustix::net::recv(&self.socket, &mut [0; 8192][..], rustix::net::RecvFlags::DONTWAIT);
        for message in Messages::new(&all).flatten() {
            if let Ok(Some(rule)) = Rule::parse(&message)
                && rule.protocol == 105
            {
                let answer = self.ask(&mut rule.delete());
                let done = Messages::new(&answer).flatten().filter_map(|it| it.acknowledgement());
                self.deleted += u32::from(done.flatten().any(|answer| answer.errno == 0));
            }
        }
    }
}
