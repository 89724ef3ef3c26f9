//! Which connections a command is about: two ends, or filter words.

use crate::end::End;
use crate::exit::{Exit, Failure};
use crate::{filter, interface_name};
use iphelper::tcp::{TcpCondition, TcpConnection, TcpQuery, TcpState};
use iphelper::{Family, Host, Prefix};
use std::collections::HashSet;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// One word of the command line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Word {
    End(End),
    Filter(filter::Word),
}

impl FromStr for Word {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if filter::Word::looks_like(text) {
            return text.parse().map(Self::Filter);
        }
        text.parse().map(Self::End).map_err(|error| {
            format!("{error}; a filter word is key:value, such as port:443 or process:nginx")
        })
    }
}

/// What the words mean together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Selection {
    Ends { local: End, remote: End },
    Filter(Vec<filter::Word>),
}

impl TryFrom<Vec<Word>> for Selection {
    type Error = Failure;

    fn try_from(words: Vec<Word>) -> Result<Self, Failure> {
        let (mut ends, mut filters) = (Vec::new(), Vec::new());
        for word in words {
            match word {
                Word::End(end) => ends.push(end),
                Word::Filter(word) => filters.push(word),
            }
        }
        match (<[End; 2]>::try_from(ends), filters.is_empty()) {
            (Ok([local, remote]), true) if local.address.is_ipv4() == remote.address.is_ipv4() => {
                Ok(Self::Ends { local, remote })
            }
            (Ok(_), true) => {
                Err(Failure::usage("one end is IPv4 and the other IPv6, which no connection is"))
            }
            (Err(ends), false) if ends.is_empty() => Ok(Self::Filter(filters)),
            (Err(ends), true) if ends.len() == 1 => Err(Failure::usage(
                "give the remote end too (a listener's is 0.0.0.0:0 or [::]:0), or filter words such as local-port:80",
            )),
            (Err(ends), true) if ends.is_empty() => {
                Err(Failure::usage("say which connections: two ends, or filter words such as port:443"))
            }
            (_, true) => Err(Failure::usage("a connection has two ends: name one connection at a time")),
            (_, false) => Err(Failure::usage(
                "give two ends or filter words, not both (the words local: and remote: take an end)",
            )),
        }
    }
}

impl Selection {
    /// As [`find`](Self::find), without the connections that the caller's own terminal comes over, unless they are named by
    /// their ends.
    pub(crate) fn find_to_delete(&self, host: &Host) -> Result<Vec<TcpConnection>, Failure> {
        let rows = self.find(host)?;
        match self {
            Self::Ends { .. } => Ok(rows),
            Self::Filter(_) => leave_own_terminal(host, rows),
        }
    }

    /// The connections that are selected now, each once.
    pub(crate) fn find(&self, host: &Host) -> Result<Vec<TcpConnection>, Failure> {
        match self {
            Self::Ends { local, remote } => Ok(vec![named(host, local, remote)?]),
            Self::Filter(words) => {
                let mut query = filter::resolve(host, words)?;
                query.owners = true;
                query.ordered = true;
                let mut rows = host.tcp_connections(&query)?;
                // A listener of both families has a row in both, but is one socket.
                let mut seen = HashSet::new();
                rows.retain(|row| seen.insert(row.cookie));
                if rows.is_empty() {
                    return Err(Failure::new(
                        Exit::NotFound,
                        "no connection matches all of the filter words",
                    ));
                }
                Ok(rows)
            }
        }
    }
}

/// Takes out the connections that the caller's own terminal comes over: a filter that happens to match them would end
/// the session before it could be told what became of the rest.
fn leave_own_terminal(host: &Host, mut rows: Vec<TcpConnection>) -> Result<Vec<TcpConnection>, Failure> {
    let own: HashSet<_> = host.own_terminal_connections()?.iter().map(|row| row.cookie).collect();
    let matched = rows.len();
    rows.retain(|row| !own.contains(&row.cookie));
    if rows.len() == matched {
        return Ok(rows);
    }
    const NOTE: &str = "your own terminal comes over a connection that matches; only its two ends delete it";
    if rows.is_empty() {
        return Err(Failure::new(Exit::NotFound, format!("nothing else matches: {NOTE}")));
    }
    let _ = writeln!(anstream::stderr(), "iph: left out: {NOTE}");
    Ok(rows)
}

/// The one connection with these ends.
fn named(host: &Host, local: &End, remote: &End) -> Result<TcpConnection, Failure> {
    // The table lists IPv4-mapped connections as IPv4.
    let (local_ip, remote_ip) = (local.address.to_canonical(), remote.address.to_canonical());
    let mut query = TcpQuery { family: Some(Family::of(&local_ip)), owners: true, ..TcpQuery::default() };
    query.filter.conditions = vec![
        TcpCondition::LocalAddress(Prefix::host(local_ip)),
        TcpCondition::LocalPort(local.port..=local.port),
        TcpCondition::RemoteAddress(Prefix::host(remote_ip)),
        TcpCondition::RemotePort(remote.port..=remote.port),
    ];
    for scope in [&local.scope, &remote.scope].into_iter().flatten() {
        query.filter.conditions.push(TcpCondition::Interface(interface_name::find(host, scope)?.index));
    }
    let mut rows = host.tcp_connections(&query)?;
    let matches = |end: SocketAddr, ip: IpAddr, port| end.ip() == ip && end.port() == port;
    rows.retain(|row| {
        matches(row.local, local_ip, local.port) && matches(row.remote, remote_ip, remote.port)
    });
    let row = rows.pop().ok_or_else(|| {
        let hint = "; `iph tcp list` shows the connections, local end first";
        Failure::new(Exit::NotFound, format!("no connection from {local} to {remote}{hint}"))
    })?;
    if !rows.is_empty() {
        return Err(Failure::usage(format!(
            "{} sockets have the ends {local} and {remote}: name their interface ([fe80::1%eth0]:80), or take them \
             all with filter words (local-port:{} ...)",
            rows.len() + 1,
            local.port
        )));
    }
    if row.state == TcpState::Listen && row.family != row.socket_family {
        return Err(Failure::usage(format!(
            "{local} is the IPv4 side of a listener for both families: name it as [::]:{port} [::]:0",
            port = local.port
        )));
    }
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(words: &[&str]) -> Result<Selection, String> {
        let words: Vec<Word> = words.iter().map(|word| word.parse()).collect::<Result<_, _>>()?;
        Selection::try_from(words).map_err(|failure| failure.message)
    }

    #[test]
    fn two_ends_or_filter_words_are_a_selection() {
        let ends = select(&["127.0.0.1:4444", "127.0.0.1:51234"]).unwrap();
        assert!(matches!(ends, Selection::Ends { .. }));
        let ends = select(&["[fe80::1%eth0]:80", "[fe80::2%eth0]:1"]).unwrap();
        assert!(matches!(ends, Selection::Ends { .. }));
        let filter = select(&["port:443", "remote:[::1]:443"]).unwrap();
        assert!(matches!(filter, Selection::Filter(words) if words.len() == 2));
    }

    #[test]
    fn everything_else_is_refused_with_advice() {
        for (words, reason) in [
            (&["127.0.0.1:4444"][..], "remote end too"),
            (&["127.0.0.1:1", "[::1]:2"], "IPv4 and the other IPv6"),
            (&["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], "two ends"),
            (&["127.0.0.1:1", "port:2"], "not both"),
            (&["127.0.0.1:1", "127.0.0.1:2", "port:2"], "not both"),
            (&["prot:2"], "did you mean port?"),
            (&["::1:80", "::1:81"], "brackets"),
            (&["nginx"], "key:value"),
            (&[], "which connections"),
        ] {
            let error = select(words).expect_err(words.first().unwrap_or(&""));
            assert!(error.contains(reason), "{words:?}: {error}");
        }
    }
}
