//! Two uplinks in a namespace, and routes as `ip` tells them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]
#![allow(dead_code, reason = "each test program uses a part")]

use iphelper::route::{MAIN_TABLE, Route, RouteKey};
use iphelper::{Family, Host, InterfaceLuid};
use iphelper_testkit::{eventually, run};
use serde_json::Value;
use std::io::Write;
use std::net::IpAddr;
use std::process::{Command, Stdio};

/// Runs the lines of `script` with one `ip`.
pub(crate) fn ip_batch(script: &str) {
    let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    ip.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(ip.wait().unwrap().success(), "{script}");
}

/// Interfaces e0, e1 and e2, up, with addresses 10.N.0.1/24 and fd00:N::1/64.
pub(crate) fn interfaces() {
    let script: String = (0..3)
        .map(|number| {
            format!(
                "link add e{number} type veth peer name p{number}
                 link set e{number} addrgenmode none
                 link set p{number} addrgenmode none
                 link set p{number} up
                 link set e{number} up
                 addr add 10.{number}.0.1/24 dev e{number}
                 addr add fd00:{number}::1/64 dev e{number} nodad
                "
            )
        })
        .collect();
    ip_batch(&script);
    // Those of ::1 and of three addresses, and multicast on six interfaces.
    let ready = || run("ip -6 route show table local").lines().count() >= 10;
    eventually("the kernel adds its own IPv6 routes", ready);
}

/// What tests need of a family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) family: Family,
    /// The argument of `ip`.
    pub(crate) flag: &'static str,
    /// A prefix that no interface has.
    pub(crate) prefix: &'static str,
    pub(crate) none: &'static str,
    pub(crate) everywhere: &'static str,
}

pub(crate) const FAMILIES: [Names; 2] = [
    Names {
        family: Family::V4,
        flag: "-4",
        prefix: "192.0.2.0/24",
        none: "0.0.0.0",
        everywhere: "0.0.0.0/0",
    },
    Names { family: Family::V6, flag: "-6", prefix: "2001:db8::/32", none: "::", everywhere: "::/0" },
];

impl Names {
    /// A neighbour on an interface.
    pub(crate) fn router(self, interface: u8, host: u8) -> IpAddr {
        match self.family {
            Family::V4 => IpAddr::from([10, interface, 0, host]),
            Family::V6 => format!("fd00:{interface}::{host}").parse().unwrap(),
        }
    }

    /// The routes to `prefix` in the main table, as `ip` tells them.
    pub(crate) fn shown(self, prefix: &str) -> Vec<String> {
        let all = run(&format!("ip {} route show {prefix}", self.flag));
        let mut routes: Vec<String> = Vec::new();
        for line in all.lines() {
            match routes.last_mut() {
                Some(route) if line.starts_with('\t') => route.push_str(line),
                _ => routes.push(line.trim_end().to_owned()),
            }
        }
        routes
    }
}

pub(crate) fn luid(name: &str) -> InterfaceLuid {
    Host::open().unwrap().interface_named(name).unwrap().luid
}

/// The key of a route over a named interface.
pub(crate) fn key(prefix: &str, next_hop: impl ToString, interface: &str) -> RouteKey {
    RouteKey::new(prefix.parse().unwrap(), next_hop.to_string().parse().unwrap(), luid(interface))
}

/// A row as far as both sides tell it: kind, destination, next hop, interface, metric, table, protocol.
pub(crate) type Told = (String, String, String, Option<String>, u32, String, String);

/// All routes, as `ip` tells them: one for each next hop.
pub(crate) fn told_by_ip(flag: &str) -> Vec<Told> {
    let json = run(&format!("ip {flag} -N -d -j route show table all"));
    let json: Value = serde_json::from_str(&json).unwrap();
    let mut rows = Vec::new();
    for route in json.as_array().unwrap() {
        let text = |of: &Value, member: &str| of[member].as_str().map(str::to_owned);
        let none = if flag == "-6" { "::" } else { "0.0.0.0" };
        let destination = match (text(route, "dst").unwrap(), flag) {
            (all, "-6") if all == "default" => "::/0".to_owned(),
            (all, _) if all == "default" => "0.0.0.0/0".to_owned(),
            (prefix, _) if prefix.contains('/') => prefix,
            (host, "-6") => format!("{host}/128"),
            (host, _) => format!("{host}/32"),
        };
        let hops = match route["nexthops"].as_array() {
            Some(hops) => hops.clone(),
            None => vec![route.clone()],
        };
        for hop in hops {
            let via = hop["via"]["host"].as_str().map(str::to_owned);
            let next_hop = text(&hop, "gateway").or(via).unwrap_or_else(|| none.to_owned());
            rows.push((
                kind(&text(route, "type").unwrap()).to_owned(),
                destination.clone(),
                next_hop,
                text(&hop, "dev"),
                u32::try_from(route["metric"].as_u64().unwrap_or(0)).unwrap(),
                text(route, "table").unwrap_or_else(|| MAIN_TABLE.to_string()),
                text(route, "protocol").unwrap(),
            ));
        }
    }
    rows.sort();
    rows
}

/// A type of route by the number that `ip -N` shows.
fn kind(number: &str) -> &'static str {
    let kinds = ["unicast", "local", "broadcast", "anycast", "multicast", "blackhole", "unreachable"];
    let others = ["prohibit", "throw"];
    let number: usize = number.parse().unwrap();
    kinds.iter().chain(&others).nth(number - 1).unwrap()
}

/// The same of our rows.
pub(crate) fn told(host: &Host, rows: &[Route]) -> Vec<Told> {
    let mut told: Vec<Told> = rows
        .iter()
        .map(|row| {
            let kind = row.kind.to_string();
            assert!(row.luid.is_some() == row.index.is_some());
            let name = row.luid.map(|luid| host.interface_names(luid).unwrap().name);
            (
                kind,
                row.destination.to_string(),
                row.next_hop.to_string(),
                name,
                row.system_metric,
                row.table.to_string(),
                row.system_protocol.to_string(),
            )
        })
        .collect();
    told.sort();
    told
}

/// Rows without what changes by itself.
pub(crate) fn steady(rows: &[Route]) -> Vec<Route> {
    let mut rows = rows.to_vec();
    for row in &mut rows {
        row.valid_lifetime = row.valid_lifetime.map(|_| std::time::Duration::ZERO);
    }
    rows
}
