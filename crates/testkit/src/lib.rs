//! Private network namespaces for the tests.
//!
//! Each test makes its own namespace, in which it is the administrator, and nothing of it is left when the test ends:
//! a namespace dies with its last descriptor and thread. Without root, [`private_user_namespace!`] makes the test
//! program the root of a user namespace of its own; where a host forbids that, tests fail and say how to allow it.
#![allow(
    unsafe_code,
    reason = "unshare has no safe form: it can surprise other threads, which these tests do not have"
)]
#![allow(clippy::panic, reason = "helpers of tests fail as tests do")]

mod announcements;
pub mod bandwidth;
pub mod bench;
pub mod bus;
mod child;
mod descriptors;
mod dns_server;
mod files;
pub mod lease;
mod network_manager;
mod packet;
mod refuse;
mod resolved;
mod router;
mod settled;
mod sockets;
mod tun;
pub mod uplinks;
mod zoo;

use rustix::fs::{Mode, OFlags};
use rustix::thread::{CapabilitySet, CapabilitySets, LinkNameSpaceType, UnshareFlags};
use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub use announcements::Announcements;
pub use child::{Child, in_child, is_child};
pub use ctor;
pub use descriptors::with_spare_descriptors;
pub use dns_server::DnsServer;
pub use files::{new_folder, with_empty_folders, with_file_at, with_private_files, with_read_only_sysctls};
pub use network_manager::{serve_network_manager, set_network_manager};
pub use packet::{ArpRequest, Capture, Frame, Icmpv6, Udp, send_unfragmented};
pub use refuse::{die_at, die_at_write_of, refuse_sends_of, refuse_writes_of};
pub use resolved::{
    ANOTHER_DOMAIN, BUSY, KILLS, MANAGED, MODE, NO_LLMNR, NO_RELOAD, serve_resolved, serve_systemd,
};
pub use router::Advertisement;
pub use settled::{addresses_settle, calm_neighbors, established, links_settle, settled};
pub use sockets::{check_strictly, tcp_info, tcp_queues};
pub use tun::Tun;
pub use zoo::zoo;

/// Put this once into each test program (each file of `tests/`): where the caller is not root, the program enters a
/// user namespace of its own before its first thread starts.
#[macro_export]
macro_rules! private_user_namespace {
    () => {
        #[$crate::ctor::ctor(unsafe, crate_path = $crate::ctor)]
        fn private_user_namespace() {
            $crate::enter_user_namespace();
        }
    };
}

/// Makes this process, which must have one thread, root of a new user namespace unless it is root.
pub fn enter_user_namespace() {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    if user.is_root() {
        return;
    }
    // SAFETY: called before `main`, so this thread is the only one and no other can be surprised.
    if let Err(errno) = unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER) } {
        eprintln!(
            "these tests need a user namespace, and this host refuses one ({errno}): run them as root, or set \
             kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, and on Ubuntu \
             kernel.apparmor_restrict_unprivileged_userns=0"
        );
        return;
    }
    for (file, map) in [
        ("setgroups", "deny".to_owned()),
        ("uid_map", format!("0 {} 1", user.as_raw())),
        ("gid_map", format!("0 {} 1", group.as_raw())),
    ] {
        if let Err(error) = std::fs::write(format!("/proc/self/{file}"), map) {
            eprintln!("writing {file} of the new user namespace: {error}");
        }
    }
}

/// An allocator that counts the bytes in use. Make it a test program's `#[global_allocator]`.
#[derive(Debug)]
pub struct CountingAllocator {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl CountingAllocator {
    /// Counts from nothing.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "for a static, which has no default")]
    pub const fn new() -> Self {
        Self { now: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// By how many bytes memory in use grew at most while `work` ran.
    pub fn growth<T>(&self, work: impl FnOnce() -> T) -> (usize, T) {
        let before = self.now.load(Ordering::Relaxed);
        self.most.store(before, Ordering::Relaxed);
        let result = work();
        (self.most.load(Ordering::Relaxed).saturating_sub(before), result)
    }

    fn add(&self, bytes: usize) {
        let now = self.now.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let _ = self.most.fetch_max(now, Ordering::Relaxed);
    }
}

// SAFETY: every call goes on to the system's allocator with the arguments that it came with.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.add(layout.size());
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = self.now.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as in `alloc`; the pointer came from there.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// A network namespace that lives as long as this value and the threads in it.
#[derive(Debug)]
pub struct NetNs {
    descriptor: OwnedFd,
}

impl NetNs {
    /// A new namespace whose loopback interface is up.
    #[must_use]
    #[allow(clippy::new_without_default, reason = "makes a kernel object")]
    pub fn new() -> Self {
        std::thread::scope(|scope| {
            let made = scope.spawn(|| {
                // SAFETY: only this thread, made for the purpose, changes its network namespace.
                unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }
                    .expect("making a network namespace (as root, or where user namespaces are allowed)");
                let _ = run("ip link set lo up");
                let descriptor = rustix::fs::open(
                    "/proc/thread-self/ns/net",
                    OFlags::RDONLY | OFlags::CLOEXEC,
                    Mode::empty(),
                );
                Self { descriptor: descriptor.expect("opening the new namespace") }
            });
            join(made)
        })
    }

    /// Runs `work` on a thread of this namespace. Programs that it starts are in the namespace too.
    pub fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        std::thread::scope(|scope| {
            let worked = scope.spawn(|| {
                rustix::thread::move_into_link_name_space(
                    self.descriptor.as_fd(),
                    Some(LinkNameSpaceType::Network),
                )
                .expect("entering the namespace");
                work()
            });
            join(worked)
        })
    }

    /// Runs one program in this namespace, see [`run`].
    pub fn sh(&self, command: &str) -> String {
        self.run(|| run(command))
    }

    /// A path that names this namespace to other programs (`ip link set e0 netns PATH`).
    #[must_use]
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.descriptor.as_raw_fd())
    }

    /// A descriptor of this namespace.
    #[must_use]
    pub fn descriptor(&self) -> OwnedFd {
        self.descriptor.try_clone().expect("duplicating a descriptor")
    }

    /// Connects this namespace and `peer` with a pair of Ethernet interfaces, both up.
    ///
    /// Waits until the kernel has seen both carriers and has told of them, which a busy host does late: until then it drops
    /// what is sent, and the interfaces still change by themselves.
    pub fn veth(&self, name: &str, peer: &Self, peer_name: &str) {
        let _ = self.sh(&format!("ip link add {name} type veth peer name {peer_name} netns {}", peer.path()));
        let _ = self.sh(&format!("ip link set {name} up"));
        let _ = peer.sh(&format!("ip link set {peer_name} up"));
        for (side, name) in [(self, name), (peer, peer_name)] {
            side.run(|| links_settle(&[name]));
        }
    }

    /// Waits in this namespace for what [`addresses_settle`] waits for.
    pub fn addresses_settle(&self, interfaces: &[&str]) {
        self.run(|| addresses_settle(interfaces));
    }
}

/// Runs `work` on a thread in a namespace of its own.
pub fn isolated<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    NetNs::new().run(work)
}

/// Runs `work` on a thread of this thread's namespace that has no capability at all.
pub fn unprivileged<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    with_capabilities(CapabilitySet::empty(), work)
}

/// Runs `work` on a thread of this thread's namespace that may configure the network, but not make raw packets
/// (`CAP_NET_RAW`).
pub fn without_raw_packets<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    with_capabilities(CapabilitySet::NET_ADMIN, work)
}

fn with_capabilities<T: Send>(left: CapabilitySet, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worked = scope.spawn(|| {
            let sets =
                CapabilitySets { effective: left, permitted: left, inheritable: CapabilitySet::empty() };
            rustix::thread::set_capabilities(None, sets).expect("giving up capabilities");
            work()
        });
        join(worked)
    })
}

/// Runs `work` on a thread of an ordinary user in `groups`; `None` where this namespace has no other user.
pub fn as_nobody<T: Send>(groups: &[u32], work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let worked = scope.spawn(|| {
            let groups: Vec<_> = groups.iter().map(|group| rustix::fs::Gid::from_raw(*group)).collect();
            let nobody = (rustix::fs::Uid::from_raw(65534), rustix::fs::Gid::from_raw(65534));
            let become_nobody = || {
                rustix::thread::set_thread_groups(&groups)?;
                rustix::thread::set_thread_res_gid(nobody.1, nobody.1, nobody.1)?;
                rustix::thread::set_thread_res_uid(nobody.0, nobody.0, nobody.0)
            };
            if let Err(errno) = become_nobody() {
                eprintln!("skipped: this user namespace has no other user ({errno})");
                return None;
            }
            Some(work())
        });
        join(worked)
    })
}

/// Runs `work` in a child made by `fork`, and gives what it returned; false if it panics or takes two minutes.
///
/// The child has this thread alone, and copies of everything else: of locks too, as the other threads left them.
pub fn forked(work: impl FnOnce() -> bool) -> bool {
    // SAFETY: the C library lets a child of a program with threads allocate; what else it may touch is what the
    // test that calls this wants to know. It leaves by `_exit`, so that nothing of the parent's runs twice.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let did_well = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_or(false);
        // SAFETY: `_exit` has no conditions.
        unsafe { libc::_exit(i32::from(!did_well)) };
    }
    let child = rustix::process::Pid::from_raw(child).expect("forking");
    let deadline = Instant::now() + 2 * PATIENCE;
    loop {
        match rustix::process::waitpid(Some(child), rustix::process::WaitOptions::NOHANG) {
            Ok(Some((_, status))) => return status.exit_status() == Some(0),
            Ok(None) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            Ok(None) => {
                let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
                let _ = rustix::process::waitpid(Some(child), rustix::process::WaitOptions::empty());
                return false;
            }
            Err(errno) => panic!("waiting for a child: {errno}"),
        }
    }
}

/// A process whose first thread has ended while another one keeps a descriptor open. Killed when dropped.
#[derive(Debug)]
pub struct Headless {
    /// Its number.
    pub pid: u32,
}

/// Makes a [`Headless`] process that holds a copy of `descriptor`, and nothing else of this program's.
pub fn headless(descriptor: impl AsFd) -> Headless {
    let kept = u32::try_from(descriptor.as_fd().as_raw_fd()).expect("an open descriptor");
    // SAFETY: as in `forked`.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: nothing in this child uses the descriptors that are closed.
        let _ = unsafe { libc::close_range(3, kept - 1, 0) };
        // SAFETY: as above.
        let _ = unsafe { libc::close_range(kept + 1, u32::MAX, 0) };
        let _ = std::thread::spawn(|| {
            loop {
                std::thread::park();
            }
        });
        // SAFETY: ends this thread alone, which is what this is for; nothing of its stack is borrowed.
        let _ = unsafe { libc::syscall(libc::SYS_exit, 0) };
    }
    Headless { pid: u32::try_from(child).expect("forking") }
}

impl Drop for Headless {
    fn drop(&mut self) {
        let pid = i32::try_from(self.pid).ok().and_then(rustix::process::Pid::from_raw);
        let _ = pid.map(|pid| rustix::process::kill_process(pid, rustix::process::Signal::KILL));
        let _ = rustix::process::waitpid(pid, rustix::process::WaitOptions::empty());
    }
}

/// Runs `work` on a thread of this thread's namespace that sees an empty folder at `path`, which is there and holds
/// something else for everybody outside. Programs that it starts see it too. Gone with the thread.
pub fn with_private_folder<T: Send>(path: &str, work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let worked = scope.spawn(|| {
            // SAFETY: only this thread, made for the purpose, changes its mounts.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }
                .expect("making mounts of one's own");
            let _ = run("mount --make-rprivate /");
            let _ = run(&format!("mount -t tmpfs -o mode=755 tmpfs {path}"));
            work()
        });
        join(worked)
    })
}

/// Runs a program, its words split at white space, in this thread's namespace and gives what it printed. Panics with
/// its error output if it fails.
pub fn run(command: &str) -> String {
    let output = try_run(command);
    output.unwrap_or_else(|error| panic!("{command}: {error}"))
}

/// Runs a program as [`run`] does; its error output if it fails.
pub fn try_run(command: &str) -> Result<String, String> {
    let mut words = command.split_whitespace();
    let program = words.next().expect("a command has a first word");
    let output = Command::new(program).args(words).output().map_err(|error| error.to_string())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Reads `/proc/sys/net/PATH` of this thread's namespace.
#[must_use]
pub fn sysctl(path: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/sys/net/{path}"));
    text.unwrap_or_else(|error| panic!("reading net/{path}: {error}")).trim_end().to_owned()
}

/// Writes `/proc/sys/net/PATH` of this thread's namespace.
pub fn set_sysctl(path: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{path}"), value)
        .unwrap_or_else(|error| panic!("writing {value} to net/{path}: {error}"));
}

/// How long a test waits for what must come: no machine is so busy that it takes longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `condition` holds, for [`PATIENCE`] at most.
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "still waiting after {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits until `ping` in this thread's namespace is answered by what its arguments name. Each attempt lasts a second, since an
/// answer that a busy host is late to take is lost to it.
pub fn ping(arguments: &str) {
    eventually("an answer to ping", || try_run(&format!("ping -c 1 -W 1 {arguments}")).is_ok());
}

/// Waits for the next datagram: its length, and who sent it. A wait with a time-out ends early when the kernel has other work for
/// the thread, and goes on then.
pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> (usize, SocketAddr) {
    socket.set_read_timeout(Some(PATIENCE)).expect("a socket option");
    loop {
        match socket.recv_from(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            received => return received.expect("a datagram"),
        }
    }
}

/// Keeps this thread on the processor that it runs on: packets that it sends through pairs of interfaces, one behind the other,
/// are worked through in that order, which two processors do not promise.
pub fn stay_on_one_processor() {
    let mut here = rustix::thread::CpuSet::new();
    here.set(rustix::thread::sched_getcpu());
    rustix::thread::sched_setaffinity(None, &here).expect("staying on a processor");
}

/// How many router advertisements this thread's namespace has received.
#[must_use]
pub fn heard_advertisements() -> u64 {
    let counters = std::fs::read_to_string("/proc/thread-self/net/snmp6").expect("reading the counters");
    let mut named = counters.lines().filter_map(|line| line.strip_prefix("Icmp6InRouterAdvertisements"));
    named.next().and_then(|count| count.trim().parse().ok()).expect("a number")
}

/// The folders in `/proc` of those threads of this program that are in the calling thread's network namespace and whose
/// names begin so. A program of many tests has others, elsewhere.
#[must_use]
pub fn threads(name: &str) -> Vec<PathBuf> {
    let namespace = |task: &Path| std::fs::read_link(task.join("ns/net")).ok();
    let here = namespace(Path::new("/proc/thread-self"));
    let tasks = std::fs::read_dir("/proc/self/task").expect("listing the threads");
    let tasks = tasks.map(|task| task.expect("listing the threads").path());
    // A thread may end meanwhile.
    tasks
        .filter(|task| {
            let comm = std::fs::read_to_string(task.join("comm"));
            comm.is_ok_and(|comm| comm.starts_with(name)) && namespace(task) == here
        })
        .collect()
}

/// The socket that `bind` makes, which is asked again while its address is taken.
///
/// A program that some test starts has copies of all sockets from its fork until it executes: also of one that is closed
/// meanwhile, whose address is free only then.
pub fn bound<T>(mut bind: impl FnMut() -> std::io::Result<T>) -> T {
    let mut made = None;
    eventually("the address is free", || {
        match bind() {
            Ok(socket) => made = Some(socket),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(error) => panic!("binding a socket: {error}"),
        }
        made.is_some()
    });
    made.expect("the condition above")
}

fn join<T>(thread: std::thread::ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
