//! What `iph interface set` and `reset` have in common: a change of one family or of both, and what is told of it.

use crate::exit::{Exit, Failure, explain};
use crate::output::{self, changes};
use iphelper::ip_interface::{IpInterfaceChange, PropertyChange};
use iphelper::{Error, ErrorKind, Family, Host, InterfaceLuid};

/// Changes an interface, or says what would change. Both families, IPv4 first, change as one, or not at all.
pub(super) fn apply(
    host: &Host,
    key: InterfaceLuid,
    wanted: [Option<&IpInterfaceChange>; 2],
    dry_run: bool,
) -> Result<Vec<(Family, PropertyChange)>, Failure> {
    let one = |family, change| {
        let changes = if dry_run {
            host.plan_set_ip_interface(family, key, change)
        } else {
            host.set_ip_interface(family, key, change)
        };
        let changes = changes.map_err(|error| refused(&error, false))?;
        Ok(changes.into_iter().map(|change| (family, change)).collect())
    };
    match wanted {
        [None, None] => Ok(Vec::new()),
        [Some(v4), Some(v6)] => {
            let changes = if dry_run {
                host.plan_set_ip_interface_families(key, v4, v6)
            } else {
                host.set_ip_interface_families(key, v4, v6)
            };
            let [v4, v6] = changes.map_err(|error| refused(&error, true))?;
            let v6 = v6.into_iter().map(|change| (Family::V6, change));
            Ok(v4.into_iter().map(|change| (Family::V4, change)).chain(v6).collect())
        }
        [Some(v4), None] => one(Family::V4, v4),
        [None, Some(v6)] => one(Family::V6, v6),
    }
}

/// The library's error, with the words of this program for what the library tells to do in its own.
fn refused(error: &Error, both: bool) -> Failure {
    let property = error.reason().and_then(|reason| reason.split(':').next());
    let advice = match property {
        Some("path_mtu_discovery_timeout") => ": `iph path-mtu set`",
        Some("nl_mtu") if error.kind() == ErrorKind::NotSupported && !both => ": `--ipv4 --ipv6` does",
        _ => "",
    };
    Failure::new(Exit::of(error.kind()), format!("{}{advice}", explain(error)))
}

/// Tells what changed, or would.
pub(super) fn report(
    changes: &[(Family, PropertyChange)],
    as_json: bool,
    dry_run: bool,
) -> Result<Exit, Failure> {
    changes::write_of_families(changes, as_json)?;
    output::tell_dry_run(dry_run, "changed");
    Ok(Exit::Success)
}
