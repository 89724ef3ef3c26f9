//! Interfaces of every kind that a kernel makes.

use crate::{links_settle, run, try_run};

/// Makes, in this thread's namespace, interfaces of many kinds:
///
/// - `e0` (up, MTU 1400, alias "uplink") and `e1` (up), `e2` and `e3`: pairs of Ethernet interfaces;
/// - `br0`: a bridge with the port `e2`; `m0` (up): a macvlan on `e1`; `vx0`: a VXLAN;
/// - `tun0`, `tap0`, `ipip0`, `gre1`, `sit1`, `ifb9`, `dummy9`: where this kernel has them and this user may. What is
///   left out is said.
pub fn zoo() {
    for command in [
        "ip link add e0 type veth peer name e1",
        "ip link add e2 type veth peer name e3",
        "ip link set e0 alias uplink",
        "ip link add br0 type bridge mcast_snooping 0",
        "ip link set e2 master br0",
        "ip link add m0 link e1 type macvlan mode bridge",
        "ip link add vx0 type vxlan id 5 dev e1 dstport 4789 remote 192.0.2.9",
        "ip link set e0 up mtu 1400",
        "ip link set e1 up",
        "ip link set m0 up",
    ] {
        let _ = run(command);
    }
    links_settle(&["e0", "e1", "m0"]);
    for command in [
        "ip tuntap add tun0 mode tun",
        "ip tuntap add tap0 mode tap",
        "ip link add ipip0 type ipip local 192.0.2.1 remote 192.0.2.2",
        "ip link add gre1 type gre local 192.0.2.1 remote 192.0.2.2",
        "ip link add sit1 type sit local 192.0.2.1 remote 192.0.2.2",
        "ip link add ifb9 type ifb",
        "ip link add dummy9 type dummy",
    ] {
        if let Err(error) = try_run(command) {
            eprintln!("skipped here: {command}: {}", error.trim());
        }
    }
}
