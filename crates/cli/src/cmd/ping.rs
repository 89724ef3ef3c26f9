//! `iph ping`.

mod figures;
mod target;

use crate::exit::{Exit, Failure};
use crate::output::style::{BAD, GOOD, HEADING};
use crate::output::{self, json};
use crate::sanitize::sanitize;
use crate::signals::Signals;
use crate::{interface_name, units};
use figures::Figures;
use iphelper::icmp::{EchoOptions, EchoReply, EchoSocket, EchoStatus};
use iphelper::{Family, Host};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;
use std::net::IpAddr;
use std::time::{Duration, Instant};
use target::Target;

/// The most that a packet takes, less IP's and ICMP's own headers.
const MOST: [usize; 2] = [65_507, 65_527];

/// Ask a host for an answer, and time it
///
/// Sends echo requests and prints what comes back: the answer and its time, or what a router says instead. The time is the
/// kernel's, from the request's leaving to the answer's coming in. Ends after --count requests with a summary; with
/// --forever at Ctrl-C. Nobody answered: code 3.
///
/// Needs a group of yours in net.ipv4.ping_group_range, as most systems have it, else root.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  iph ping 192.0.2.1
  iph ping example.org -6 --count 10 --interval 200ms
  iph ping 192.0.2.1 --size 1472 --dont-fragment
  iph ping ff02::1%eth0 --json | jq -r '.address'")]
pub(crate) struct Args {
    /// A name or an address; a zone (%eth0) is the interface
    host: String,

    /// How many requests to send
    #[arg(long, short, value_name = "NUMBER", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,

    /// Send until Ctrl-C
    #[arg(long, short = 't', conflicts_with = "count")]
    forever: bool,

    /// The time from one request to the next, such as 200ms
    #[arg(long, short, value_name = "TIME", default_value = "1s", value_parser = units::duration)]
    interval: Duration,

    /// How long to wait for each answer
    #[arg(long, short = 'w', value_name = "TIME", default_value = "4s", value_parser = units::duration)]
    timeout: Duration,

    /// How many octets of data a request carries
    #[arg(long, short, value_name = "OCTETS", default_value_t = 32)]
    size: usize,

    /// The most hops that a request makes
    #[arg(long, value_name = "HOPS", value_parser = clap::value_parser!(u8).range(1..))]
    ttl: Option<u8>,

    /// Type of service, or IPv6 traffic class
    #[arg(long, value_name = "NUMBER")]
    tos: Option<u8>,

    /// Nobody may cut a request in pieces
    #[arg(long)]
    dont_fragment: bool,

    /// The address of this host to send from
    #[arg(long, value_name = "ADDRESS", value_parser = source)]
    from: Option<IpAddr>,

    /// The interface that requests leave by
    #[arg(long, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// Of the addresses of a name, one of IPv4
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Of the addresses of a name, one of IPv6
    #[arg(short = '6', long)]
    ipv6: bool,

    /// Print one object a line, see docs/json.md
    #[arg(long)]
    json: bool,
}

fn source(text: &str) -> Result<IpAddr, String> {
    text.parse().map_err(|_| "give an address of this host, such as 192.0.2.2".to_owned())
}

/// What came of a request, as JSON.
#[derive(Serialize)]
struct Document {
    #[serde(rename = "type")]
    kind: &'static str,
    sequence: u16,
    status: String,
    ip_status: u32,
    address: Option<IpAddr>,
    scope_id: u32,
    round_trip_microseconds: Option<u64>,
    size: usize,
    ttl: Option<u8>,
    tos: Option<u8>,
    mtu: Option<u32>,
    /// Whether it came after its time, or again.
    late: bool,
}

impl Document {
    fn new(sequence: u16, status: EchoStatus, family: Family) -> Self {
        Self {
            kind: "reply",
            sequence,
            status: word(status),
            ip_status: status.ip_status(family),
            address: None,
            scope_id: 0,
            round_trip_microseconds: None,
            size: 0,
            ttl: None,
            tos: None,
            mtu: None,
            late: false,
        }
    }

    fn print(&self) -> Result<(), Failure> {
        let mut out = json::stdout();
        json::write_line(&mut out, self)?;
        Ok(out.flush()?)
    }
}

/// A status in lower case, its words joined by underscores.
fn word(status: EchoStatus) -> String {
    let mut word = String::new();
    for character in format!("{status:?}").chars() {
        if character.is_uppercase() && !word.is_empty() {
            word.push('_');
        }
        word.extend(character.to_lowercase());
    }
    word
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        if self.interval.is_zero() {
            return Err(Failure::usage("an interval of 0 would be a flood: give one such as 10ms"));
        }
        let signals = Signals::block()?;
        let host = Host::open()?;
        let family = match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => self.from.as_ref().map(Family::of),
        };
        let target = Target::find(&host, &self.host, family)?;
        let family = Family::of(&target.address);
        let [four, six] = MOST;
        let most = if family == Family::V4 { four } else { six };
        if self.size > most {
            return Err(Failure::usage(format!("a request over {family} has room for {most} octets")));
        }
        let interface = interface_name::find_any(&host, self.interface.as_deref())?.map(Into::into);
        let options = EchoOptions {
            source: self.from,
            // A link-local source is on the link that the destination is on.
            source_scope_id: target.scope_id,
            interface,
            ttl: self.ttl,
            tos: self.tos,
            dont_fragment: self.dont_fragment,
            ..EchoOptions::default()
        };
        let socket = host.echo_socket(family, &options)?;
        let is_group = host.is_echo_group(target.address, &options);
        if !self.json {
            let mut out = output::people();
            let name = if target.is_name {
                format!("{} ({target})", sanitize(&self.host))
            } else {
                target.to_string()
            };
            writeln!(out, "Asking {HEADING}{name}{HEADING:#} with {} octets of data", self.size)?;
            out.flush()?;
        }
        let (figures, open) = (Figures::default(), BTreeMap::new());
        let run = Run { args: &self, socket, target, is_group, signals, figures, open };
        run.until_the_end()
    }

    fn print_silence(&self, family: Family, sequence: u16) -> Result<(), Failure> {
        let status = EchoStatus::TimedOut;
        if self.json {
            return Document::new(sequence, status, family).print();
        }
        let mut out = output::people();
        writeln!(out, "{sequence}: {BAD}{status}{BAD:#}")?;
        Ok(out.flush()?)
    }

    fn print(&self, family: Family, reply: &EchoReply, late: bool) -> Result<(), Failure> {
        let answered = reply.status == EchoStatus::Success;
        let time = milliseconds(reply.round_trip_time);
        if self.json {
            let document = Document {
                address: reply.address,
                scope_id: reply.scope_id,
                round_trip_microseconds: reply.address.map(|_| microseconds(reply.round_trip_time)),
                size: reply.data.len(),
                ttl: reply.ttl,
                tos: reply.tos,
                mtu: reply.mtu,
                late,
                ..Document::new(reply.sequence, reply.status, family)
            };
            return document.print();
        }
        let mut out = output::people();
        let style = if answered { GOOD } else { BAD };
        write!(out, "{}: {style}{}{style:#}", reply.sequence, reply.status)?;
        if let Some(mtu) = reply.mtu {
            write!(out, ", {mtu} octets at most")?;
        }
        if let Some(address) = reply.address {
            let by = if answered { "by" } else { "says" };
            write!(out, " {by} {address} after {time:.3} ms")?;
        }
        if let Some(ttl) = reply.ttl.filter(|_| answered) {
            write!(out, ", {} octets, time to live {ttl}", reply.data.len())?;
        }
        writeln!(out, "{}", if late { " (late, or again)" } else { "" })?;
        Ok(out.flush()?)
    }
}

/// Requests and their answers.
struct Run<'a> {
    args: &'a Args,
    socket: EchoSocket,
    target: Target,
    /// Whether several hosts may answer one request.
    is_group: bool,
    signals: Signals,
    figures: Figures,
    /// Requests whose time is not over, until when, and whether somebody answered.
    open: BTreeMap<u16, (Instant, bool)>,
}

impl Run<'_> {
    fn until_the_end(mut self) -> Result<Exit, Failure> {
        let family = Family::of(&self.target.address);
        let mut next = Some(Instant::now());
        let mut sent = 0;
        loop {
            if next.is_some_and(|next| next <= Instant::now()) {
                self.send(family)?;
                sent += 1;
                let all = !self.args.forever && sent >= self.args.count;
                next = next.filter(|_| !all).and_then(|next| next.checked_add(self.args.interval));
            }
            while let Some(reply) = self.socket.try_next()? {
                self.take(family, &reply)?;
            }
            self.give_up(family)?;
            if next.is_none() && self.open.is_empty() {
                break;
            }
            let until = self.open.values().map(|(end, _)| *end).chain(next).min();
            if self.wait(until)? {
                break;
            }
        }
        self.figures.print(self.args.json)?;
        Ok(if self.figures.answered > 0 { Exit::Success } else { Exit::NotFound })
    }

    fn send(&mut self, family: Family) -> Result<(), Failure> {
        let data = vec![0; self.args.size];
        let sent = self.socket.send(self.target.address, self.target.scope_id, &data)?;
        self.figures.sent += 1;
        match sent.refused {
            Some(refused) => self.args.print(family, &refused, false),
            None => {
                let end = Instant::now() + self.args.timeout.min(Duration::from_secs(86_400));
                let _ = self.open.insert(sent.sequence, (end, false));
                Ok(())
            }
        }
    }

    fn take(&mut self, family: Family, reply: &EchoReply) -> Result<(), Failure> {
        let open = self.open.get_mut(&reply.sequence);
        let late = open.is_none();
        if let Some((_, answered)) = open {
            if reply.status == EchoStatus::Success {
                self.figures.times.push(reply.round_trip_time);
                if !*answered {
                    self.figures.answered += 1;
                }
                *answered = true;
            }
            if !self.is_group {
                let _ = self.open.remove(&reply.sequence);
            }
        }
        self.args.print(family, reply, late)
    }

    /// Tells of requests whose time is over.
    fn give_up(&mut self, family: Family) -> Result<(), Failure> {
        let now = Instant::now();
        let over: Vec<u16> =
            self.open.iter().filter(|(_, (end, _))| *end <= now).map(|(sequence, _)| *sequence).collect();
        for sequence in over {
            if let Some((_, false)) = self.open.remove(&sequence) {
                self.args.print_silence(family, sequence)?;
            }
        }
        Ok(())
    }

    /// Waits for an answer or a moment; true if the program was asked to end.
    fn wait(&self, until: Option<Instant>) -> Result<bool, Failure> {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut descriptors =
            [PollFd::new(&self.socket, PollFlags::IN), PollFd::new(&self.signals, PollFlags::IN)];
        match poll(&mut descriptors, left.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(false),
            Err(errno) => return Err(Failure::new(Exit::Failure, format!("waiting for answers: {errno}"))),
        }
        let [_, signals] = &descriptors;
        Ok(!signals.revents().is_empty())
    }
}

fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_is_a_word_of_its_own() {
        assert_eq!(word(EchoStatus::Success), "success");
        assert_eq!(word(EchoStatus::TtlExpiredInTransit), "ttl_expired_in_transit");
        let words: std::collections::BTreeSet<String> = EchoStatus::ALL.iter().map(|it| word(*it)).collect();
        assert_eq!(words.len(), EchoStatus::ALL.len());
    }
}
