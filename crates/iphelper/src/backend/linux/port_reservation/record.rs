//! Whose the reserved ports are: a text of one line for each fact.
//!
//! ```text
//! iphelper-port-reservations 1
//! namespace 5628                     or: namespace host
//! boot ad39a26f-b28c-40d8-837c-a5f541ac6e17
//! next-token 1f2e3d4c5b6a7988
//! others 8003                        of our ports those that somebody else reserves, too
//! adding 8004-8009                   begun: to be put into the kernel's list
//! deleting 9000-9009                 begun: to be taken out of the kernel's list,
//! keeping 22,8000-8009               which shall have these when that is done
//! tcp 8000-8009 1f2e3d4c5b6a7987
//! ```

use super::ports::Ports;
use crate::port_reservation::{PortProtocol, PortRange};
use std::fmt::Write as _;

const FIRST_LINE: &str = "iphelper-port-reservations 1";

/// Whose record it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Key {
    /// The cookie of the network namespace, unique until the next start of the computer; `None`: the computer's first one,
    /// whose reservations outlive that.
    pub(super) cookie: Option<u64>,
    /// This start of the computer (`boot_id`).
    pub(super) boot: String,
}

/// One reservation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) protocol: PortProtocol,
    pub(super) ports: PortRange,
    pub(super) token: u64,
}

/// The record of one namespace.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Record {
    /// Whether it is of this start of the computer: whether the kernel's list may have our ports.
    pub(super) is_current: bool,
    pub(super) next_token: u64,
    pub(super) others: Ports,
    /// Those of ours that the kernel's list may lack although nobody has replaced it.
    pub(super) adding: Ports,
    pub(super) deletion: Option<Deletion>,
    pub(super) rows: Vec<Row>,
}

/// A deletion that has begun.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Deletion {
    pub(super) ports: Ports,
    /// What the kernel's list had besides: a long list is written in pieces, the first of which replaces the old one.
    pub(super) keeping: Ports,
}

impl Record {
    /// One without reservations, whose tokens begin at `first_token`.
    pub(super) fn new(first_token: u64) -> Self {
        Self {
            is_current: true,
            next_token: first_token,
            others: Ports::default(),
            adding: Ports::default(),
            deletion: None,
            rows: Vec::new(),
        }
    }

    pub(super) fn find(&self, protocol: PortProtocol, ports: PortRange) -> Option<Row> {
        self.rows.iter().find(|row| (row.protocol, row.ports) == (protocol, ports)).copied()
    }

    /// The ports of all reservations.
    pub(super) fn ports(&self) -> Ports {
        Ports::of(self.rows.iter().map(|row| row.ports))
    }

    pub(super) fn print(&self, key: &Key) -> String {
        let mut text = format!("{FIRST_LINE}\nnamespace ");
        match key.cookie {
            Some(cookie) => drop(writeln!(text, "{cookie}")),
            None => text.push_str("host\n"),
        }
        let _ = write!(text, "boot {}\nnext-token {:016x}\n", key.boot, self.next_token);
        for (name, ports) in [("others", &self.others), ("adding", &self.adding)] {
            if !ports.is_empty() {
                let _ = writeln!(text, "{name} {}", ports.print());
            }
        }
        if let Some(Deletion { ports, keeping }) = &self.deletion {
            let _ = write!(text, "deleting {}\nkeeping {}\n", ports.print(), keeping.print());
        }
        for Row { protocol, ports, token } in &self.rows {
            let _ = writeln!(text, "{} {ports} {token:016x}", name(*protocol));
        }
        text
    }

    /// The record that a text is; `None` if it is not one, whole and of this namespace.
    pub(super) fn parse(text: &str, key: &Key) -> Option<Self> {
        let text = text.strip_suffix('\n')?;
        let mut lines = text.split('\n');
        let mut word = |name: &str| lines.next()?.strip_prefix(name);
        let namespace = word(FIRST_LINE)?.is_empty().then(|| word("namespace "))??;
        match key.cookie {
            Some(cookie) if namespace.parse() == Ok(cookie) => {}
            None if namespace == "host" => {}
            _ => return None,
        }
        let is_current = word("boot ")? == key.boot;
        if !is_current && key.cookie.is_some() {
            return None;
        }
        let mut record = Self { is_current, ..Self::new(hexadecimal(word("next-token ")?)?) };
        let mut lines = lines.peekable();
        for (name, ports) in [("others ", &mut record.others), ("adding ", &mut record.adding)] {
            if let Some(list) = lines.peek().and_then(|line| line.strip_prefix(name)) {
                *ports = Ports::parse(list)?;
                let _ = lines.next();
            }
        }
        if let Some(ports) = lines.peek().and_then(|line| line.strip_prefix("deleting ")) {
            let ports = Ports::parse(ports)?;
            let _ = lines.next();
            let keeping = Ports::parse(lines.next()?.strip_prefix("keeping ")?)?;
            record.deletion = Some(Deletion { ports, keeping });
        }
        for line in lines {
            let mut words = line.split(' ');
            let protocol = match words.next()? {
                "tcp" => PortProtocol::Tcp,
                "udp" => PortProtocol::Udp,
                _ => return None,
            };
            let (ports, token) = (words.next()?.parse().ok()?, hexadecimal(words.next()?)?);
            if words.next().is_some()
                || record.rows.iter().any(|row| row.protocol == protocol && row.ports.overlaps(ports))
            {
                return None;
            }
            record.rows.push(Row { protocol, ports, token });
        }
        Some(record)
    }
}

/// What `fuzz/targets/port_reservation.rs` runs: a text that is a record is written as one that reads the same.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for cookie in [None, Some(7)] {
        let key = Key { cookie, boot: "a".to_owned() };
        let whole = Record::new(1).print(&key) + &text;
        for text in [&*text, &whole] {
            let Some(record) = Record::parse(text, &key).filter(|record| record.is_current) else { continue };
            assert_eq!(Record::parse(&record.print(&key), &key), Some(record));
        }
    }
}

fn name(protocol: PortProtocol) -> &'static str {
    match protocol {
        PortProtocol::Tcp => "tcp",
        PortProtocol::Udp => "udp",
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    let is_plain = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(cookie: Option<u64>, boot: &str) -> Key {
        Key { cookie, boot: boot.to_owned() }
    }

    fn record() -> Record {
        let row = |protocol, ports: &str, token| Row { protocol, ports: ports.parse().unwrap(), token };
        Record {
            others: Ports::parse("8003").unwrap(),
            adding: Ports::parse("8004,8008-8009").unwrap(),
            deletion: Some(Deletion {
                ports: Ports::parse("7").unwrap(),
                keeping: Ports::parse("22,8003").unwrap(),
            }),
            rows: vec![row(PortProtocol::Tcp, "8000-8009", 1), row(PortProtocol::Udp, "8005", u64::MAX)],
            ..Record::new(2)
        }
    }

    #[test]
    fn a_record_reads_back_whole_or_not_at_all() {
        let (host, other) = (key(None, "a"), key(Some(7), "a"));
        for key in [&host, &other] {
            for record in [record(), Record::new(u64::MAX)] {
                let text = record.print(key);
                assert_eq!(Record::parse(&text, key), Some(record.clone()), "{text}");
                for len in 0..text.len() {
                    if let Some(cut) = Record::parse(&text[..len], key) {
                        // Only whole lines at the end can be missing; files are replaced whole.
                        assert!(text[..len].ends_with('\n') && cut.rows.len() <= record.rows.len());
                    }
                }
            }
        }
        let text = record().print(&host);
        assert_eq!(Record::parse(&text, &other), None, "another namespace's");
        assert!(!Record::parse(&text, &key(None, "b")).unwrap().is_current, "before the last start");
        let text = record().print(&other);
        assert_eq!(Record::parse(&text, &key(Some(7), "b")), None, "another namespace with this cookie");
        for (from, to) in
            [("udp 8005", "udp 0"), ("tcp", "sctp"), ("udp 8005", "tcp 8005"), ("keeping", "keep")]
        {
            assert_eq!(Record::parse(&text.replace(from, to), &other), None, "{to}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(tail in "(?s).{0,80}", place in 0..200_usize, byte in 0_u8..128) {
            let key = key(Some(7), "a");
            let _ = Record::parse(&tail, &key);
            let mut bytes = record().print(&key).into_bytes();
            if let Some(changed) = bytes.get_mut(place) {
                *changed = byte;
            }
            let _ = Record::parse(&String::from_utf8_lossy(&bytes), &key);
        }
    }
}
