//! ISC's dhclient: a log of leases in the words of its configuration (dhclient.leases(5)); the last one of an interface
//! counts.
//!
//! ```text
//! lease {
//!   interface "eth0";
//!   fixed-address 192.0.2.7;
//!   option dhcp-lease-time 3600;
//!   option dhcp-server-identifier 192.0.2.1;
//!   expire 0 2026/11/22 07:00:00;
//! }
//! ```

use super::{Found, Leases, Subject, lease_of, time};
use crate::adapter::{DhcpClient, DhcpLease, Dhcpv6Client};
use crate::types::Lifetime;
use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime};

pub(super) const FOLDERS: [&str; 4] =
    ["/var/lib/dhcp", "/var/lib/dhclient", "/var/lib/NetworkManager", "/run/NetworkManager"];

/// More statements than leases of a file have; what comes after them is not read.
const MOST_STATEMENTS: usize = 100_000;

pub(super) fn is_lease_file(name: &[u8]) -> bool {
    let is_log = name.ends_with(b".leases") || name.ends_with(b".lease");
    is_log && name.starts_with(b"dhclient")
}

/// Reads a log, later leases in the place of earlier ones.
pub(super) fn read(text: &[u8], leases: &mut Leases) {
    let text = String::from_utf8_lossy(text);
    let mut log = Log::default();
    for piece in Pieces(&text).take(MOST_STATEMENTS) {
        match piece {
            Piece::Open(words) => log.open(words),
            Piece::Statement(words) => log.statement(words),
            Piece::Close => log.close(leases),
        }
    }
}

/// A lease as far as it was read.
#[derive(Default)]
struct Log {
    /// The kinds of the blocks that are open, the outermost first.
    blocks: Vec<&'static str>,
    interface: Vec<u8>,
    address: Option<Ipv4Addr>,
    server: Option<Ipv4Addr>,
    seconds: Option<u32>,
    /// When it ends; `None` for never.
    expires: Option<SystemTime>,
    wins_servers: Vec<Ipv4Addr>,
    duid: Option<Vec<u8>>,
    iaid: Option<u32>,
}

impl Log {
    fn open(&mut self, words: &str) {
        let (first, rest) = first_word(words);
        let kind = match (first, self.blocks.as_slice()) {
            ("lease", []) => "lease",
            ("lease6", []) => "lease6",
            ("ia-na", ["lease6"]) => {
                self.iaid = bytes(rest).and_then(|bytes| Some(u32::from_be_bytes(bytes.try_into().ok()?)));
                "ia-na"
            }
            _ => "other",
        };
        if self.blocks.is_empty() {
            *self = Self::default();
        }
        self.blocks.push(kind);
    }

    fn statement(&mut self, words: &str) {
        let (first, rest) = first_word(words);
        match (self.blocks.as_slice(), first) {
            (["lease" | "lease6"], "interface") => self.interface = unquoted(rest).into(),
            (["lease"], "fixed-address") => self.address = rest.parse().ok(),
            (["lease"], "expire") => self.expires = date(rest),
            (["lease"], "option") => {
                let (name, value) = first_word(rest);
                match name {
                    "dhcp-lease-time" => self.seconds = value.parse().ok(),
                    "dhcp-server-identifier" => self.server = value.parse().ok(),
                    "netbios-name-servers" => {
                        let servers = value.split(',').filter_map(|part| part.trim().parse().ok());
                        self.wins_servers = servers.collect();
                    }
                    _ => {}
                }
            }
            (["lease6"], "option") => {
                let (name, value) = first_word(rest);
                if name == "dhcp6.client-id" {
                    self.duid = bytes(value);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, leases: &mut Leases) {
        if self.blocks.len() == 1 && !self.interface.is_empty() {
            match self.blocks.first() {
                Some(&"lease") => {
                    put(&mut leases.ipv4, self.interface.clone(), self.lease(), |lease| lease.client)
                }
                Some(&"lease6") => {
                    let duid = self.duid.take().filter(|duid| !duid.is_empty() && duid.len() <= 130);
                    let client = DhcpClient::Dhclient;
                    let told = duid.map(|duid| Dhcpv6Client { client, duid, iaid: self.iaid });
                    put(&mut leases.ipv6, self.interface.clone(), told, |client| client.client);
                }
                _ => {}
            }
        }
        let _ = self.blocks.pop();
    }

    fn lease(&mut self) -> Option<DhcpLease> {
        let mut lease = lease_of(DhcpClient::Dhclient, self.address)?;
        lease.server = self.server;
        lease.lifetime = self.seconds.map(Lifetime::from_secs);
        // The log says when the lease ends, and for how long it was.
        let seconds = self.seconds.filter(|seconds| *seconds != u32::MAX);
        lease.obtained = self
            .expires
            .zip(seconds)
            .and_then(|(end, seconds)| end.checked_sub(Duration::from_secs(seconds.into())));
        lease.wins_servers = std::mem::take(&mut self.wins_servers);
        Some(lease)
    }
}

/// Puts what the log tells last of an interface in the place of what it told before.
fn put<T>(found: &mut Vec<Found<T>>, interface: Vec<u8>, told: Option<T>, client: impl Fn(&T) -> DhcpClient) {
    let Some(told) = told else { return };
    let interface = Subject::Name(interface);
    found.retain(|it| it.interface != interface || client(&it.told) != DhcpClient::Dhclient);
    found.push(Found { interface, told });
}

/// One piece of the log.
enum Piece<'a> {
    /// Words before `{`.
    Open(&'a str),
    /// Words before `;`.
    Statement(&'a str),
    Close,
}

/// Cuts a log into pieces. Text in quotes may hold any character.
struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let rest = skip_comments(self.0);
        let mut quoted = false;
        let mut escaped = false;
        for (at, character) in rest.char_indices() {
            let words = rest.get(..at).unwrap_or_default().trim();
            let after = rest.get(at + character.len_utf8()..).unwrap_or_default();
            match character {
                _ if escaped => escaped = false,
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ if quoted => {}
                '{' => {
                    self.0 = after;
                    return Some(Piece::Open(words));
                }
                ';' => {
                    self.0 = after;
                    return Some(Piece::Statement(words));
                }
                '}' => {
                    self.0 = after;
                    return Some(Piece::Close);
                }
                _ => {}
            }
        }
        None
    }
}

fn skip_comments(mut text: &str) -> &str {
    loop {
        text = text.trim_start();
        match text.strip_prefix('#') {
            Some(comment) => text = comment.split_once('\n').map_or("", |(_, rest)| rest),
            None => return text,
        }
    }
}

fn first_word(words: &str) -> (&str, &str) {
    let (first, rest) = words.split_once(char::is_whitespace).unwrap_or((words, ""));
    (first, rest.trim())
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text)
}

/// `0:1:2a:ff`: bytes as hexadecimal numbers, as the log writes identifiers that are no text.
fn bytes(text: &str) -> Option<Vec<u8>> {
    text.split(':').map(|byte| u8::from_str_radix(byte.trim(), 16).ok()).collect()
}

/// `0 2026/11/22 07:00:00`, with the day of the week in front, or `epoch 1790000000`; `None` for `never`.
fn date(text: &str) -> Option<SystemTime> {
    let mut words = text.split_whitespace();
    let first = words.next()?;
    if first == "epoch" {
        return time(words.next()?.parse().ok()?);
    }
    let mut day = words.next()?.splitn(3, '/').map(|part| part.parse::<u32>().ok());
    let (year, month, day) = (day.next()??, day.next()??, day.next()??);
    let mut clock = words.next()?.splitn(3, ':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    time(days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Days from 1970 on.
fn days(year: u32, month: u32, day: u32) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March end with the day that comes and goes.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    // 1 March of the year 0 was 719,468 days before.
    before.checked_sub(719_468).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        let seconds = |text| {
            date(text).map(|time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
        };
        assert_eq!(seconds("4 1970/01/01 00:00:00"), Some(0));
        assert_eq!(seconds("2 2000/02/29 12:00:00"), Some(951_825_600));
        assert_eq!(seconds("0 2026/11/22 07:00:00"), Some(1_795_330_800));
        assert_eq!(seconds("epoch 1795330800; # Sun"), None);
        assert_eq!(seconds("epoch 1795330800"), Some(1_795_330_800));
        for odd in
            ["never", "", "0 2026/13/01 00:00:00", "0 2026/11/22 24:00:00", "0 1969/1/1 0:0:0", "0 2026"]
        {
            assert_eq!(seconds(odd), None, "{odd}");
        }
    }
}
