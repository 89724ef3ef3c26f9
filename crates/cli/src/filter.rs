//! Filter words: `port:443 state:established remote:10.0.0.0/8`, which all must hold.

mod parse;
mod resolve;

macro_rules! ends_help {
    () => {
        "\
Filter words (key:value, all must hold):
  port:443  port:8000-8080     either port; local-port: and remote-port: one
  local:ADDR  remote:ADDR      10.0.0.0/8, 10.1.2.3:443, 2001:db8::/32,
                               [2001:db8::1]:443, [fe80::1%eth0]
"
    };
}

macro_rules! states_help {
    () => {
        "  state:established,time_wait  one of these: listen, syn_sent, syn_received,
                               established, fin_wait_1, fin_wait_2, close_wait,
                               closing, last_ack, time_wait, closed
"
    };
}

macro_rules! others_help {
    () => {
        "  process:nginx  pid:1234      the process that holds the socket
  user:www-data                who opened it, by name or number; uid: as well
  interface:eth0               bound to it, or with a link-local peer on it
  family:ipv4                  ipv4 or ipv6
  cgroup:/system.slice/x.scope a cgroup v2 path or id
  mark:0x10/0xff               value and mask of the mark (needs CAP_NET_ADMIN)"
    };
}

pub(crate) use parse::family;
pub(crate) use resolve::resolve;

use iphelper::tcp::TcpState;
use iphelper::{Family, Prefix};
use std::fmt;
use std::ops::RangeInclusive;

/// What help says about filter words, those of TCP alone among them.
pub(crate) const HELP: &str = concat!(ends_help!(), states_help!(), others_help!());
/// What help says about the filter words of UDP.
pub(crate) const UDP_HELP: &str = concat!(ends_help!(), others_help!());

/// One filter word.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    Port(RangeInclusive<u16>),
    LocalPort(RangeInclusive<u16>),
    RemotePort(RangeInclusive<u16>),
    Local(Target),
    Remote(Target),
    State(Vec<TcpState>),
    Process(String),
    Pid(u32),
    /// A name or a number.
    User(String),
    /// A name, an index or a LUID.
    Interface(String),
    Family(Family),
    /// A path or an id.
    Cgroup(String),
    Mark {
        value: u32,
        mask: u32,
    },
}

/// What `local:` and `remote:` take: a prefix, with a zone or a port if wanted.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    pub(crate) prefix: Prefix,
    pub(crate) scope: Option<String>,
    pub(crate) port: Option<u16>,
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(range) => write!(f, "port:{}", Ports(range)),
            Self::LocalPort(range) => write!(f, "local-port:{}", Ports(range)),
            Self::RemotePort(range) => write!(f, "remote-port:{}", Ports(range)),
            Self::Local(target) => write!(f, "local:{target}"),
            Self::Remote(target) => write!(f, "remote:{target}"),
            Self::State(states) => {
                let states: Vec<_> = states.iter().map(TcpState::to_string).collect();
                write!(f, "state:{}", states.join(","))
            }
            Self::Process(name) => write!(f, "process:{name}"),
            Self::Pid(pid) => write!(f, "pid:{pid}"),
            Self::User(user) => write!(f, "user:{user}"),
            Self::Interface(name) => write!(f, "interface:{name}"),
            Self::Family(Family::V4) => f.write_str("family:ipv4"),
            Self::Family(Family::V6) => f.write_str("family:ipv6"),
            Self::Cgroup(path) => write!(f, "cgroup:{path}"),
            Self::Mark { value, mask } => write!(f, "mark:{value:#x}/{mask:#x}"),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.prefix.address();
        match (address.is_ipv6(), &self.scope) {
            (true, Some(scope)) => write!(f, "[{address}%{scope}]/{}", self.prefix.len())?,
            (true, None) => write!(f, "[{address}]/{}", self.prefix.len())?,
            (false, _) => write!(f, "{}", self.prefix)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

struct Ports<'a>(&'a RangeInclusive<u16>);

impl fmt::Display for Ports<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.0.start(), self.0.end());
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}
