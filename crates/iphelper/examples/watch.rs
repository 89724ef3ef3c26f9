//! Prints what changes of this computer's IP interfaces, until interrupted.
//!
//! ```text
//! $ cargo run -p iphelper --example watch
//! Add       IPv4 veth0  MTU 1500, forwarding false
//! Parameter IPv4 veth0  MTU 1400, forwarding false
//! Delete    IPv4 veth0
//! ```

use iphelper::Host;
use iphelper::notification::ChangeKind;

fn main() -> iphelper::Result<()> {
    let host = Host::open()?;
    for change in host.ip_interface_changes(None)? {
        let change = change?;
        let what = format!("{:<9} {} {}", format!("{:?}", change.kind), change.family, change.name);
        if change.kind == ChangeKind::Delete {
            println!("{what}");
            continue;
        }
        // A change names its row and no more. By the LUID, since the index may be another interface's by now.
        match host.ip_interface(change.family, change.luid) {
            Ok(row) => println!("{what}  MTU {}, forwarding {}", row.nl_mtu, row.forwarding_enabled),
            Err(error) => println!("{what}  gone meanwhile: {error}"),
        }
    }
    Ok(())
}
