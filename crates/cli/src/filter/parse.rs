//! From text to filter words.

use super::{Target, Word};
use crate::end::{port_number, split_scope};
use crate::similar;
use iphelper::tcp::TcpState;
use iphelper::{Family, Prefix};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

const KEYS: [&str; 14] = [
    "port",
    "local-port",
    "remote-port",
    "local",
    "remote",
    "state",
    "process",
    "pid",
    "user",
    "uid",
    "interface",
    "family",
    "cgroup",
    "mark",
];

const STATES: [TcpState; 11] = [
    TcpState::Listen,
    TcpState::SynSent,
    TcpState::SynReceived,
    TcpState::Established,
    TcpState::FinWait1,
    TcpState::FinWait2,
    TcpState::CloseWait,
    TcpState::Closing,
    TcpState::LastAck,
    TcpState::TimeWait,
    TcpState::Closed,
];

impl Word {
    /// Whether `text` begins as a filter word does, so that a mistake in it is one in a filter word.
    pub(crate) fn looks_like(text: &str) -> bool {
        text.split_once(':').is_some_and(|(key, _)| {
            key.starts_with(|c: char| c.is_ascii_alphabetic())
                && key.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-')
                && !key.bytes().all(|b| b.is_ascii_hexdigit())
        })
    }
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) = text
            .split_once(':')
            .ok_or_else(|| "a filter word is key:value, such as port:443 or process:nginx".to_owned())?;
        if value.is_empty() {
            return Err(format!("nothing follows {key}:"));
        }
        Ok(match key {
            "port" => Self::Port(ports(value)?),
            "local-port" => Self::LocalPort(ports(value)?),
            "remote-port" => Self::RemotePort(ports(value)?),
            "local" => Self::Local(value.parse()?),
            "remote" => Self::Remote(value.parse()?),
            "state" => Self::State(value.split(',').map(state).collect::<Result<_, _>>()?),
            "process" => Self::Process(value.to_owned()),
            "pid" => Self::Pid(value.parse().map_err(|_| "a process id is a number")?),
            "user" | "uid" => Self::User(value.to_owned()),
            "interface" => Self::Interface(value.to_owned()),
            "family" => Self::Family(family(value)?),
            "cgroup" => Self::Cgroup(value.to_owned()),
            "mark" => mark(value)?,
            _ => return Err(similar::advice(key, "keys", &KEYS)),
        })
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // What stands in brackets, then perhaps a prefix length, then perhaps a port.
        let (address, rest) = match text.strip_prefix('[') {
            // The last bracket: an interface's name may have one too.
            Some(inside) => inside.rsplit_once(']').ok_or("the bracket is not closed")?,
            // Two colons are an IPv6 address, which without brackets has no port.
            None if text.matches(':').count() > 1 => (text, ""),
            None => text.split_at(text.find(':').unwrap_or(text.len())),
        };
        let (length_behind, port) = match rest.split_once(':') {
            Some((length, port)) => (length, Some(port_number(port)?)),
            None => (rest, None),
        };
        let (address, length_inside) = match address.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (address, None),
        };
        let length = match (length_behind.strip_prefix('/'), length_inside) {
            (None, length) if length_behind.is_empty() => length,
            (Some(length), None) => Some(length),
            _ => return Err("a prefix is ADDRESS/LENGTH".to_owned()),
        };
        let (address, scope) = split_scope(address)?;
        let address: IpAddr = address.parse().map_err(|_| "no IP address or prefix".to_owned())?;
        if scope.is_some() && address.is_ipv4() {
            return Err("an IPv4 address has no zone".to_owned());
        }
        let prefix = match length {
            None => Prefix::host(address),
            Some(length) => {
                let length = length.parse().map_err(|_| "a prefix length is a number")?;
                Prefix::new(address, length).map_err(|error| error.reason().unwrap_or_default().to_owned())?
            }
        };
        Ok(Self { prefix, scope, port })
    }
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (port_number(first)?, port_number(last)?);
    if first > last { Err("the range of ports is empty".to_owned()) } else { Ok(first..=last) }
}

/// Reads a state; dashes, capitals and the spellings of `ss` are welcome too.
fn state(text: &str) -> Result<TcpState, String> {
    let plain: String =
        text.chars().filter(|c| !matches!(c, '_' | '-')).collect::<String>().to_ascii_lowercase();
    Ok(match plain.as_str() {
        "closed" | "close" => TcpState::Closed,
        "listen" | "listening" => TcpState::Listen,
        "synsent" => TcpState::SynSent,
        "synreceived" | "synrecv" | "synrcvd" => TcpState::SynReceived,
        "established" | "estab" => TcpState::Established,
        "finwait1" => TcpState::FinWait1,
        "finwait2" => TcpState::FinWait2,
        "closewait" => TcpState::CloseWait,
        "closing" => TcpState::Closing,
        "lastack" => TcpState::LastAck,
        "timewait" => TcpState::TimeWait,
        _ => {
            let states = STATES.map(|state| state.to_string());
            return Err(similar::advice(text, "states", &states.each_ref().map(String::as_str)));
        }
    })
}

/// Reads an address family.
pub(crate) fn family(text: &str) -> Result<Family, String> {
    match text.to_ascii_lowercase().as_str() {
        "ipv4" | "v4" | "4" | "inet" => Ok(Family::V4),
        "ipv6" | "v6" | "6" | "inet6" => Ok(Family::V6),
        _ => Err("the families are ipv4 and ipv6".to_owned()),
    }
}

fn mark(text: &str) -> Result<Word, String> {
    let (value, mask) = match text.split_once('/') {
        Some((value, mask)) => (number(value)?, number(mask)?),
        None => (number(text)?, u32::MAX),
    };
    if value & !mask != 0 {
        return Err("the mark has bits outside its mask, so that nothing matches".to_owned());
    }
    Ok(Word::Mark { value, mask })
}

fn number(text: &str) -> Result<u32, String> {
    let read = match text.strip_prefix("0x") {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
        None => text.parse(),
    };
    read.map_err(|_| "a mark is a number of 32 bits, such as 0x10".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn word(text: &str) -> Word {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn words_of_every_key_are_read() {
        assert_eq!(word("port:443"), Word::Port(443..=443));
        assert_eq!(word("local-port:8000-8080"), Word::LocalPort(8000..=8080));
        assert_eq!(word("remote-port:0"), Word::RemotePort(0..=0));
        assert_eq!(
            word("state:ESTAB,Time-Wait"),
            Word::State(vec![TcpState::Established, TcpState::TimeWait])
        );
        assert_eq!(word("process:a:b c"), Word::Process("a:b c".to_owned()), "the rest is the name");
        assert_eq!(word("uid:0"), word("user:0"));
        assert_eq!(word("family:IPv6"), Word::Family(Family::V6));
        assert_eq!(word("mark:16"), Word::Mark { value: 16, mask: u32::MAX });
        assert_eq!(word("mark:0x10/0xff"), Word::Mark { value: 16, mask: 255 });
    }

    #[test]
    fn targets_take_a_prefix_a_zone_and_a_port() {
        let target = |prefix: &str, scope: Option<&str>, port| Target {
            prefix: prefix.parse().unwrap(),
            scope: scope.map(str::to_owned),
            port,
        };
        for (text, expected) in [
            ("10.0.0.0/8", target("10.0.0.0/8", None, None)),
            ("10.1.2.3", target("10.1.2.3", None, None)),
            ("10.1.2.3:443", target("10.1.2.3", None, Some(443))),
            ("10.0.0.0/8:443", target("10.0.0.0/8", None, Some(443))),
            ("2001:db8::/32", target("2001:db8::/32", None, None)),
            ("::1", target("::1", None, None)),
            ("[::1]", target("::1", None, None)),
            ("[::1]:80", target("::1", None, Some(80))),
            ("[2001:db8::]/32:80", target("2001:db8::/32", None, Some(80))),
            ("[2001:db8::/32]:80", target("2001:db8::/32", None, Some(80))),
            ("[fe80::1%eth0]:80", target("fe80::1", Some("eth0"), Some(80))),
            ("fe80::1%eth0", target("fe80::1", Some("eth0"), None)),
            ("[fe80::1%a]b%]:80", target("fe80::1", Some("a]b%"), Some(80))),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, reason) in [
            ("nginx", "key:value"),
            ("port:", "nothing follows"),
            ("prot:443", "did you mean port? The keys are port, local-port, remote-port,"),
            ("colour:1", "the keys are port"),
            ("port:http", "0 to 65535"),
            ("port:80-79", "empty"),
            ("port:80,443", "0 to 65535"),
            ("state:open", "the states are"),
            ("state:listen,", "the states are"),
            ("state:listne", "did you mean listen?"),
            ("remote:10.0.0.0/33", "33 bits"),
            ("remote:10.0.0.0/8/8", "length"),
            ("remote:[::1", "not closed"),
            ("remote:[::1]x", "ADDRESS/LENGTH"),
            ("remote:[::/8]/8", "ADDRESS/LENGTH"),
            ("remote:1.2.3.4%eth0", "zone"),
            ("remote:example.org", "no IP address"),
            ("pid:self", "number"),
            ("family:ipx", "ipv4 and ipv6"),
            ("mark:1/0x10", "outside its mask"),
            ("mark:x", "32 bits"),
            ("Port:80", "did you mean port?"),
            ("", "key:value"),
        ] {
            let error = text.parse::<Word>().expect_err(text);
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn ends_do_not_look_like_words() {
        for text in ["127.0.0.1:80", "[::1]:80", "::1:80", "fe80::1:80", "a:b", "4444"] {
            assert!(!Word::looks_like(text), "{text}");
        }
        for text in ["port:80", "prot:80", "local-port:1", "Process:x"] {
            assert!(Word::looks_like(text), "{text}");
        }
    }

    fn any_state() -> impl Strategy<Value = TcpState> {
        proptest::sample::select(vec![
            TcpState::Closed,
            TcpState::Listen,
            TcpState::SynSent,
            TcpState::SynReceived,
            TcpState::Established,
            TcpState::FinWait1,
            TcpState::FinWait2,
            TcpState::CloseWait,
            TcpState::Closing,
            TcpState::LastAck,
            TcpState::TimeWait,
        ])
    }

    fn any_range() -> impl Strategy<Value = RangeInclusive<u16>> {
        any::<(u16, u16)>().prop_map(|(a, b)| a.min(b)..=a.max(b))
    }

    fn any_target() -> impl Strategy<Value = Target> {
        (any::<IpAddr>(), any::<u8>(), proptest::option::of("[a-z][a-z0-9.-]{0,14}"), any::<Option<u16>>())
            .prop_map(|(address, length, scope, port)| Target {
                prefix: Prefix::new(address, length % (Family::of(&address).address_bits() + 1)).unwrap(),
                scope: scope.filter(|_| address.is_ipv6()),
                port,
            })
    }

    fn any_word() -> impl Strategy<Value = Word> {
        prop_oneof![
            any_range().prop_map(Word::Port),
            any_range().prop_map(Word::LocalPort),
            any_range().prop_map(Word::RemotePort),
            any_target().prop_map(Word::Local),
            any_target().prop_map(Word::Remote),
            proptest::collection::vec(any_state(), 1..5).prop_map(Word::State),
            ".+".prop_map(Word::Process),
            any::<u32>().prop_map(Word::Pid),
            ".+".prop_map(Word::User),
            ".+".prop_map(Word::Interface),
            any::<bool>().prop_map(|v4| Word::Family(if v4 { Family::V4 } else { Family::V6 })),
            ".+".prop_map(Word::Cgroup),
            any::<(u32, u32)>().prop_map(|(value, mask)| Word::Mark { value: value & mask, mask }),
        ]
    }

    proptest! {
        #[test]
        fn words_read_back(word in any_word()) {
            prop_assert_eq!(word.to_string().parse(), Ok(word));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = text.parse::<Word>();
        }

        #[test]
        fn any_value_of_a_key_is_read_or_refused(key in "(port|local|remote|state|mark|family|pid)", value in "[\\[\\]0-9a-f:%/.,x-]*") {
            if let Ok(word) = format!("{key}:{value}").parse::<Word>() {
                prop_assert_eq!(word.to_string().parse(), Ok(word));
            }
        }
    }
}
