//! Where the services run, and what other programs tell of them.

use iphelper::{Host, InterfaceIndex};
use iphelper_testkit::{run, try_run};
use std::path::Path;
use std::time::{Duration, Instant};

/// The host, where these tests may change everything.
pub(super) fn host() -> Host {
    assert!(
        Path::new("/run/iphelper-services").exists(),
        "these tests change the host's services: run scripts/test-services, which gives them services of their own"
    );
    Host::open().unwrap()
}

/// Waits until something holds: the services start programs and wait for the network.
pub(super) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "still waiting after 60 s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Runs a program through a shell.
pub(super) fn sh(script: &str) -> String {
    let output = std::process::Command::new("sh").args(["-ec", script]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Starts a service.
pub(super) fn start(unit: &str) {
    // How often is for the tests to say.
    let _ = try_run(&format!("systemctl reset-failed {unit}"));
    let _ = run(&format!("systemctl start {unit}"));
}

/// Starts `systemd-resolved` anew, with the files that it has now.
pub(super) fn restart_resolved() {
    let _ = try_run("systemctl reset-failed systemd-resolved");
    let _ = run("systemctl restart systemd-resolved");
    // It is started before it has its name.
    eventually("systemd-resolved is on the bus", || {
        run("busctl call org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus NameHasOwner s \
             org.freedesktop.resolve1")
        .contains("true")
    });
}

/// Starts `systemd-resolved` as it is before anybody has changed anything, on a host called `web`.
pub(super) fn fresh_resolved() {
    let _ = sh("rm -rf /etc/systemd/resolved.conf.d /etc/resolv.conf /run/systemd/resolve/netif; \
                ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf; echo web >/etc/hostname; hostname web");
    restart_resolved();
}

pub(super) fn stop(units: &str) {
    let _ = run(&format!("systemctl stop {units}"));
}

/// A pair of interfaces, gone when this is dropped.
pub(super) struct Pair {
    pub(super) name: &'static str,
    pub(super) index: InterfaceIndex,
}

impl Pair {
    /// `name` has an address, and is up as its peer is.
    pub(super) fn new(name: &'static str, address: &str) -> Self {
        let _ = run(&format!("ip link add {name} type veth peer name {name}-peer"));
        let _ = run(&format!("ip link set {name}-peer up"));
        let _ = run(&format!("ip link set {name} up"));
        if !address.is_empty() {
            let _ = run(&format!("ip addr add {address} dev {name}"));
        }
        let index = host().interface_named(name).unwrap().index;
        Self { name, index }
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        let _ = try_run(&format!("ip link del {}", self.name));
    }
}

/// What `resolvectl` says of an interface (`dns`, `domain`, `llmnr`, ...), without its name; "Global" is the host.
pub(super) fn resolvectl(what: &str, of: &str) -> String {
    let all = run(&format!("resolvectl {what}"));
    let line = all.lines().find(|line| line.contains(&format!("({of})")) || line.starts_with(of));
    let line = line.unwrap_or_else(|| panic!("resolvectl {what} does not tell of {of}: {all}"));
    line.split_once(':').unwrap().1.trim().to_owned()
}

/// A network of its own with a server for DHCP and HTTP at 192.0.2.1, at the other end of `e0`; gone when this is dropped.
pub(super) struct Uplink {
    dhcp: std::process::Child,
}

impl Uplink {
    pub(super) fn new() -> Self {
        let _ = run("ip netns add beyond");
        let _ = run("ip link add e0 type veth peer name s0 netns beyond");
        for command in ["link set lo up", "link set s0 up", "addr add 192.0.2.1/24 dev s0"] {
            let _ = run(&format!("ip -n beyond {command}"));
        }
        let dhcp = std::process::Command::new("ip")
            .args(["netns", "exec", "beyond", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null"])
            .args(["--port=0", "--no-ping", "--interface=s0", "--bind-interfaces", "--dhcp-authoritative"])
            .args(["--dhcp-range=192.0.2.100,192.0.2.199,10m", "--dhcp-leasefile=/run/dnsmasq.leases"])
            .args(["--dhcp-option=option:router,192.0.2.1", "--dhcp-option=option:dns-server,192.0.2.1"])
            .args(["--dhcp-option=option:domain-name,corp.example", "--pid-file", "--user=root"])
            .args(["--log-dhcp", "--log-facility=/run/dnsmasq.log"])
            .spawn()
            .unwrap();
        Self { dhcp }
    }

    /// How often the server has confirmed a lease.
    pub(super) fn confirmed(&self) -> usize {
        let log = std::fs::read_to_string("/run/dnsmasq.log").unwrap_or_default();
        log.lines().filter(|line| line.contains("DHCPACK(")).count()
    }
}

impl Drop for Uplink {
    fn drop(&mut self) {
        let _ = self.dhcp.kill();
        let _ = self.dhcp.wait();
        let _ = try_run("ip link del e0");
        let _ = try_run("ip netns del beyond");
        let _ = std::fs::remove_file("/run/dnsmasq.log");
        let _ = std::fs::remove_file("/run/dnsmasq.leases");
    }
}
