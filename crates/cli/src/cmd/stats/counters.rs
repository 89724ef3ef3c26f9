//! The library's counters as one list.

use clap::ValueEnum;
use iphelper::{ErrorKind, Family, Host};

/// A protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(super) enum Group {
    Ip,
    Icmp,
    Tcp,
    Udp,
}

impl Group {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Icmp => "icmp",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// A number of one protocol.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Counter {
    pub(super) group: Group,
    /// `None`: of both.
    pub(super) family: Option<Family>,
    pub(super) name: &'static str,
    pub(super) value: u64,
    /// Whether it only grows; a size or a setting does not.
    pub(super) is_counter: bool,
}

macro_rules! list {
    ($rows:ident, $group:expr, $family:expr, $from:ident, $($name:ident)*; $($size:ident)*) => {
        $($rows.push(Counter {
            group: $group, family: $family, name: stringify!($name), value: $from.$name, is_counter: true,
        });)*
        $($rows.push(Counter {
            group: $group, family: $family, name: stringify!($size), value: $from.$size, is_counter: false,
        });)*
    };
}

/// All counters of one protocol, or of all; a family that this kernel does not have is left out.
pub(super) fn read(host: &Host, group: Option<Group>) -> iphelper::Result<Vec<Counter>> {
    let mut rows = Vec::new();
    let wanted = |one| group.is_none_or(|group| group == one);
    for family in [Family::V4, Family::V6] {
        let of = Some(family);
        if wanted(Group::Ip) {
            let ip = match host.ip_statistics(family) {
                Err(error) if error.kind() == ErrorKind::NotSupported && family == Family::V6 => continue,
                ip => ip?,
            };
            list!(rows, Group::Ip, of, ip, in_receives in_header_errors in_address_errors forwarded_datagrams
                in_unknown_protocols in_discards in_delivers out_requests out_discards out_no_routes
                reassembly_required reassembly_ok reassembly_failures fragment_ok fragment_failures
                fragments_created; interfaces addresses routes);
        }
        if wanted(Group::Icmp) {
            let icmp = host.icmp_statistics(family)?;
            for (name, value) in [
                ("in_messages", icmp.received.messages),
                ("in_errors", icmp.received.errors),
                ("out_messages", icmp.sent.messages),
                ("out_errors", icmp.sent.errors),
            ] {
                rows.push(Counter { group: Group::Icmp, family: of, name, value, is_counter: true });
            }
        }
        if wanted(Group::Udp) {
            let udp = host.udp_statistics(family)?;
            list!(rows, Group::Udp, of, udp, in_datagrams no_ports in_errors out_datagrams; endpoints);
        }
    }
    if wanted(Group::Tcp) {
        let tcp = host.tcp_statistics(None)?;
        list!(rows, Group::Tcp, None, tcp, active_opens passive_opens attempt_fails established_resets in_segments
            out_segments retransmitted_segments in_errors out_resets; current_established connections);
    }
    Ok(rows)
}
