//! `iph port-reservation`: ports that the host gives to nobody who does not ask for them.

use crate::exit::{Exit, Failure};
use crate::output::style::QUIET;
use crate::output::{self, json, table};
use clap::{Subcommand, ValueEnum};
use iphelper::Host;
use iphelper::port_reservation::{PortProtocol, PortRange, PortReservation};
use std::io::Write;

/// Ports that the host gives to nobody who does not ask for them
///
/// A program that does not ask for a port gets none of a reserved range; one that asks for it by number gets it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(List),
    Add(Add),
    Delete(Delete),
    Restore(Restore),
}

/// List reserved ranges
///
/// Ordered by protocol and port. A range is not in force where somebody has overwritten the kernel's list
/// (net.ipv4.ip_local_reserved_ports), see `iph port-reservation restore`.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "ls",
    after_help = "\
Examples:
  iph port-reservation list
  iph port-reservation list --json | jq '.[] | select(.is_in_force | not)'"
)]
pub(crate) struct List {
    /// Print an array of objects, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// Reserve a range of ports
///
/// Refused where one of them is reserved already, by whomever, or in use. Linux has one list for both protocols, so the
/// range is not given out for the other one either. Prints the row.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph port-reservation add tcp 50000-50009
  iph port-reservation add udp 5353 --dry-run")]
pub(crate) struct Add {
    #[command(flatten)]
    range: Range,

    /// Check everything and say what would be reserved, but reserve nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the one reservation, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// Give up a reserved range
///
/// It is named by exactly the ports that were reserved. Prints the row as it was.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(
    visible_alias = "del",
    after_help = "\
Examples:
  sudo iph port-reservation delete tcp 50000-50009
  iph port-reservation delete udp 5353 --dry-run"
)]
pub(crate) struct Delete {
    #[command(flatten)]
    range: Range,

    /// Say what would be given up, but give up nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the one reservation, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// Put back what the kernel's list lacks
///
/// For the start of the computer, which forgets the list; iphelper-port-reservations.service does it then. Prints the
/// rows that were put back.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph port-reservation restore
  iph port-reservation restore --dry-run")]
pub(crate) struct Restore {
    /// Say what would be put back, but put back nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the reservations, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// What names a range.
#[derive(Clone, Copy, Debug, clap::Args)]
struct Range {
    /// tcp or udp
    #[arg(hide_possible_values = true, ignore_case = true)]
    protocol: Protocol,

    /// One port, or the first and the last one: 50000-50009
    #[arg(value_parser = ports)]
    ports: PortRange,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Protocol {
    Tcp,
    Udp,
}

impl From<Protocol> for PortProtocol {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Tcp => Self::Tcp,
            Protocol::Udp => Self::Udp,
        }
    }
}

/// Reads a range.
fn ports(text: &str) -> Result<PortRange, String> {
    text.parse().map_err(|error: iphelper::Error| error.reason().unwrap_or_default().to_owned())
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        match self {
            Self::List(args) => {
                let rows = host.port_reservations()?;
                write(&rows, args.json)?;
                if rows.iter().any(|row| !row.is_in_force) {
                    let _ = writeln!(
                        anstream::stderr(),
                        "{QUIET}what is not in force is put back by sudo iph port-reservation restore{QUIET:#}"
                    );
                }
            }
            Self::Add(Add { range: Range { protocol, ports }, dry_run, json }) => {
                let row = if dry_run {
                    host.plan_create_port_reservation(protocol.into(), ports)
                } else {
                    host.create_port_reservation(protocol.into(), ports)
                }?;
                write(&[row], json)?;
                output::tell_dry_run(dry_run, "reserved");
            }
            Self::Delete(Delete { range: Range { protocol, ports }, dry_run, json }) => {
                let row = if dry_run {
                    host.plan_delete_port_reservation(protocol.into(), ports)
                } else {
                    host.delete_port_reservation(protocol.into(), ports)
                }?;
                write(&[row], json)?;
                output::tell_dry_run(dry_run, "given up");
            }
            Self::Restore(Restore { dry_run, json }) => {
                let rows = if dry_run {
                    host.plan_restore_port_reservations()
                } else {
                    host.restore_port_reservations()
                }?;
                write(&rows, json)?;
                output::tell_dry_run(dry_run, "put back");
            }
        }
        Ok(Exit::Success)
    }
}

/// Writes rows as an array of objects or as a table.
fn write(rows: &[PortReservation], as_json: bool) -> Result<(), Failure> {
    if as_json {
        let mut out = json::stdout();
        json::write_array(&mut out, rows.iter().map(json::PortReservation::from))?;
        out.flush()?;
        return Ok(());
    }
    let mut table = table::new(&["Protocol", "Ports", "Token", "In force"], &[], output::width());
    for row in rows {
        let _ = table.add_row([
            row.protocol.to_string(),
            row.ports.to_string(),
            row.token.map_or_else(|| "-".to_owned(), |token| format!("{token:#018x}")),
            if row.is_in_force { "yes" } else { "no" }.to_owned(),
        ]);
    }
    let mut out = output::people();
    table::write(&mut out, &table)?;
    out.flush()?;
    Ok(())
}
