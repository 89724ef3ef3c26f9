//! `iph route get`.

use super::rows::Names;
use crate::end::split_scope;
use crate::exit::{self, Exit, Failure};
use crate::interface_name;
use crate::output::style::{HEADING, NAME};
use crate::output::{self, json};
use crate::sanitize::sanitize;
use iphelper::best_route::{
    BestRoute, BestRouteQuery, Candidate, CandidateOutcome, RouteExplanation, RuleOutcome, SourceChoice,
    Transport, TransportProtocol,
};
use iphelper::route::{LOCAL_TABLE, MAIN_TABLE, Route, RouteKind};
use iphelper::{Family, Host};
use std::io::{self, Write};
use std::net::IpAddr;

/// Find the route that a packet takes, and the address that it is sent from
///
/// The answer is what a packet then meets: policy rules, disabled default routes and strong hosts are in it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph route get 203.0.113.5
  iph route get 203.0.113.5 --from 192.0.2.2 --explain
  iph route get 203.0.113.5 --protocol tcp --to-port 443
  iph route get fe80::1%eth0 --json")]
pub(crate) struct Args {
    /// The address that the packet goes to; a zone (%eth0) is the interface
    #[arg(value_parser = destination)]
    destination: Destination,

    /// The address of this host that it is sent from
    #[arg(long, value_name = "ADDRESS", value_parser = source)]
    from: Option<IpAddr>,

    /// The interface that it must leave by
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// The mark of its socket, which policy rules may look at
    #[arg(long, value_name = "NUMBER", value_parser = number)]
    mark: Option<u32>,

    /// The number of the user that sends it, whom policy rules may look at; without it: you
    #[arg(long, value_name = "UID")]
    uid: Option<u32>,

    /// What it carries, which policy rules may look at: tcp, udp or icmp
    #[arg(long, value_name = "PROTOCOL", value_parser = protocol)]
    protocol: Option<TransportProtocol>,

    /// The port that it comes from
    #[arg(long, value_name = "PORT", requires = "protocol")]
    from_port: Option<u16>,

    /// The port that it goes to
    #[arg(long, value_name = "PORT", requires = "protocol")]
    to_port: Option<u16>,

    /// Tell which rule and which table decide, which routes lose and why, which source and which neighbour
    #[arg(long)]
    explain: bool,

    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

/// An address and its zone.
#[derive(Clone, Debug)]
struct Destination {
    address: IpAddr,
    zone: Option<String>,
}

fn destination(text: &str) -> Result<Destination, String> {
    let (address, zone) = split_scope(text)?;
    let address = address
        .parse()
        .map_err(|_| "give the address of a host, such as 203.0.113.5 or 2001:db8::5".to_owned())?;
    Ok(Destination { address, zone })
}

fn source(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "give an address of this host, such as 192.0.2.2".to_owned())
}

fn protocol(text: &str) -> Result<TransportProtocol, String> {
    match text {
        "tcp" => Ok(TransportProtocol::Tcp),
        "udp" => Ok(TransportProtocol::Udp),
        "icmp" => Ok(TransportProtocol::Icmp),
        _ => Err("give tcp, udp or icmp".to_owned()),
    }
}

fn number(text: &str) -> Result<u32, String> {
    let parsed = match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => text.parse(),
    };
    parsed.map_err(|_| "give a number of 32 bits, such as 7 or 0x10".to_owned())
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let destination = self.destination.address;
        let interface = match (&self.interface, &self.destination.zone) {
            (Some(_), Some(_)) => {
                return Err(Failure::usage("give the interface once: as the zone or with --interface"));
            }
            (Some(name), None) | (None, Some(name)) => Some(interface_name::find(&host, name)?.luid.into()),
            (None, None) => None,
        };
        let transport = self.protocol.map(|protocol| Transport {
            protocol,
            source_port: self.from_port,
            destination_port: self.to_port,
        });
        let query =
            BestRouteQuery { source: self.from, interface, mark: self.mark, user: self.uid, transport };
        let names = Names::read(&host)?;
        if self.explain {
            let explained = host.explain_route(destination, &query)?;
            if self.json {
                write_json(&json::RouteExplanation::new(destination, &explained, |row| names.of(row)))?;
            } else {
                explain(destination, &explained, &names)?;
            }
            return match &explained.best {
                Ok(_) => Ok(Exit::Success),
                Err(error) => Err(Failure::silent(Exit::of(error.kind()))),
            };
        }
        let best = host.best_route(destination, &query)?;
        if self.json {
            write_json(&json::BestRoute::new(destination, &best, names.of(&best.route)))?;
        } else {
            let mut out = output::people();
            write_answer(&mut out, destination, &best, &names)?;
            out.flush()?;
        }
        Ok(Exit::Success)
    }
}

fn write_json(document: &impl serde::Serialize) -> Result<(), Failure> {
    let mut out = json::stdout();
    json::write(&mut out, document)?;
    out.flush()?;
    Ok(())
}

/// The answer in two lines.
fn write_answer(
    out: &mut impl Write,
    destination: IpAddr,
    best: &BestRoute,
    names: &Names,
) -> io::Result<()> {
    let by = if best.route.next_hop.is_unspecified() {
        String::new()
    } else {
        format!(" by {}", best.route.next_hop)
    };
    let over = interface_of(&best.route, names);
    let what = match best.route.kind {
        RouteKind::Local => format!("is this host's own, on {over}"),
        _ => format!("goes{by} over {over}"),
    };
    let from = best.source.map_or_else(
        || "; this host has no address to send from".to_owned(),
        |source| format!(", from {source}"),
    );
    writeln!(out, "{NAME}{destination}{NAME:#} {what}{from}")?;
    writeln!(
        out,
        "route {}, {}, table {}",
        best.route.destination,
        metric_of(&best.route),
        table_of(best.route.table)
    )
}

fn interface_of(row: &Route, names: &Names) -> String {
    match (names.of(row), row.index) {
        (Some(name), _) => sanitize(name).into_owned(),
        (None, Some(index)) => format!("interface {index}"),
        (None, None) => "no interface".to_owned(),
    }
}

/// The metric, and what it is made of where the interface adds to it.
fn metric_of(row: &Route) -> String {
    match row.system_metric.checked_sub(row.metric) {
        // IPv6 routes of ours are stored one higher.
        Some(0 | 1) | None => format!("metric {}", row.metric),
        Some(interface) => {
            format!("metric {} (interface {interface} + route {})", row.system_metric, row.metric)
        }
    }
}

fn table_of(table: u32) -> String {
    match table {
        MAIN_TABLE => "main".to_owned(),
        LOCAL_TABLE => "local".to_owned(),
        number => number.to_string(),
    }
}

/// The whole story.
fn explain(destination: IpAddr, explained: &RouteExplanation, names: &Names) -> Result<(), Failure> {
    let mut out = output::people();
    match &explained.best {
        Ok(best) => write_answer(&mut out, destination, best, names)?,
        Err(error) => writeln!(out, "{NAME}{destination}{NAME:#} is not reached: {}", exit::explain(error))?,
    }
    writeln!(out)?;
    for step in &explained.steps {
        let rule = format!("{HEADING}Rule {}{HEADING:#} ({})", step.priority, sanitize(&step.rule));
        write!(out, "{rule} {}", step.outcome)?;
        match &step.purpose {
            Some(purpose) => writeln!(out, "; it is iphelper's: {}", sanitize(purpose))?,
            None => writeln!(out)?,
        }
        if step.outcome != RuleOutcome::DoesNotApply {
            for candidate in &step.candidates {
                writeln!(out, "  {}", candidate_line(candidate, names))?;
            }
        }
    }
    writeln!(out)?;
    if let Ok(best) = &explained.best {
        let over = interface_of(&best.route, names);
        match (explained.source, best.source) {
            (SourceChoice::Asked, Some(source)) => writeln!(out, "Source {source}, as asked for")?,
            (SourceChoice::OfRoute, Some(source)) => writeln!(out, "Source {source}: the route says so")?,
            (_, Some(source)) => writeln!(out, "Source {source}: the kernel's choice for {over}")?,
            (_, None) => writeln!(out, "Source: none, this host has no address to send from")?,
        }
        match &explained.neighbor {
            Some(neighbor) if neighbor.physical_address.is_empty() => {
                writeln!(out, "Neighbour {}: {}", neighbor.address, neighbor.state)?;
            }
            Some(neighbor) => writeln!(
                out,
                "Neighbour {} at {}: {}",
                neighbor.address, neighbor.physical_address, neighbor.state
            )?,
            None if best.route.kind == RouteKind::Unicast => {
                writeln!(out, "Neighbour: not known yet; the first packet asks for it")?;
            }
            None => writeln!(out, "Neighbour: none, the packet stays on this host")?,
        }
    }
    if !explained.agrees {
        writeln!(
            out,
            "The kernel decided otherwise than these rules and routes tell: by something that cannot be seen here, or \
             they changed meanwhile"
        )?;
    }
    out.flush()?;
    Ok(())
}

fn candidate_line(candidate: &Candidate, names: &Names) -> String {
    let Candidate { route, outcome, .. } = candidate;
    let kind = match route.kind {
        RouteKind::Unicast => String::new(),
        kind => format!("{kind} "),
    };
    let by = if route.next_hop.is_unspecified() { String::new() } else { format!(" by {}", route.next_hop) };
    let over = match route.index {
        Some(_) => format!(" over {}", interface_of(route, names)),
        None => String::new(),
    };
    let sum = match outcome {
        CandidateOutcome::Taken | CandidateOutcome::HigherMetric => format!(", {}", metric_of(route)),
        _ => String::new(),
    };
    format!("{kind}{}{by}{over}{sum}: {outcome}", default_name(route))
}

/// A destination, default routes by their word.
fn default_name(route: &Route) -> String {
    if route.destination.len() == 0 {
        match route.family() {
            Family::V4 => "default".to_owned(),
            Family::V6 => "default (IPv6)".to_owned(),
        }
    } else {
        route.destination.to_string()
    }
}
