//! `iph interface set`.

mod options;

use crate::exit::{Exit, Failure, explain};
use crate::interface_name;
use crate::output::style::QUIET;
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::ip_interface::{IpInterfaceChange, PropertyChange};
use iphelper::{Error, ErrorKind, Family, Host};
use std::io::Write;

/// Change IP properties of an interface
///
/// Says what it changes from what to what, and which object of the kernel carries it. All or nothing: everything that
/// can be checked is checked before the first write, and when a later write fails, the earlier ones are put back; with
/// --ipv4 and --ipv6 together that holds for both families as one. A value equal to the present one is no change.
///
/// BOOL is true or false (or on, off, yes, no). TIME is 500ms, 30s, 10m, or a plain number of milliseconds.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph interface set eth0 --ipv4 --forwarding true --retransmit-time 500ms
  sudo iph interface set eth0 -6 --router-discovery disabled --dad-transmits 3
  iph interface set eth0 --ipv4 --ipv6 --mtu 1400 --dry-run")]
pub(crate) struct Args {
    /// A name, an alternative name, an index or a LUID (0x...)
    #[arg(value_name = "NAME|INDEX|LUID")]
    interface: String,

    /// Change the IPv4 side
    #[arg(short = '4', long)]
    ipv4: bool,

    /// Change the IPv6 side; both may be given, and change together
    #[arg(short = '6', long)]
    ipv6: bool,

    /// Check everything and say what would change, but change nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of changes, see docs/json.md
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    options: options::Options,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let change = self.options.change();
        if change == IpInterfaceChange::default() {
            return Err(Failure::usage(
                "nothing to change: give a property, such as --mtu 1400 (see --help)",
            ));
        }
        let host = Host::open()?;
        let key = interface_name::find(&host, &self.interface)?.luid;
        let changes: Vec<_> = match (self.ipv4, self.ipv6) {
            (false, false) => return Err(Failure::usage("say which side to change: --ipv4, --ipv6 or both")),
            (true, true) => {
                let [v4, v6] = if self.dry_run {
                    host.plan_set_ip_interface_families(key, &change, &change)
                } else {
                    host.set_ip_interface_families(key, &change, &change)
                }
                .map_err(|error| refused(&error, true))?;
                let v6 = v6.into_iter().map(|change| (Family::V6, change));
                v4.into_iter().map(|change| (Family::V4, change)).chain(v6).collect()
            }
            (ipv4, _) => {
                let family = if ipv4 { Family::V4 } else { Family::V6 };
                let changes = if self.dry_run {
                    host.plan_set_ip_interface(family, key, &change)
                } else {
                    host.set_ip_interface(family, key, &change)
                };
                let changes = changes.map_err(|error| refused(&error, false))?;
                changes.into_iter().map(|change| (family, change)).collect()
            }
        };
        if self.json {
            let mut out = json::stdout();
            json::write_array(&mut out, changes.iter().map(|(family, change)| document(*family, change)))?;
            out.flush()?;
        } else {
            print(&changes)?;
        }
        if self.dry_run {
            let _ = writeln!(anstream::stderr(), "{QUIET}dry run: nothing was changed{QUIET:#}");
        }
        Ok(Exit::Success)
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

fn document(family: Family, change: &PropertyChange) -> json::PropertyChange<'_> {
    json::PropertyChange {
        family: json::family(family),
        property: change.property,
        from: &change.from,
        to: &change.to,
        mechanism: &change.mechanism,
    }
}

fn print(changes: &[(Family, PropertyChange)]) -> Result<(), Failure> {
    let mut out = output::people();
    if changes.is_empty() {
        writeln!(out, "nothing to change: every value is already so")?;
    } else {
        let headings = ["Family", "Property", "From", "To", "Kernel object"];
        let mut table = table::new(&headings, &[], output::width());
        for (family, change) in changes {
            let _ = table.add_row([
                family.to_string(),
                change.property.to_owned(),
                sanitize(&change.from).into_owned(),
                sanitize(&change.to).into_owned(),
                sanitize(&change.mechanism).into_owned(),
            ]);
        }
        table::write(&mut out, &table)?;
    }
    out.flush()?;
    Ok(())
}
