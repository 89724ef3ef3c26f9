//! The kernel's counters of one namespace, from the two files that tell them.

use super::OPERATION;
use crate::backend::linux::namespace::in_proc;
use crate::error::{Error, ErrorKind, Result};
use rustc_hash::FxHashMap;
use rustix::fs::{Mode, OFlags};
use rustix::io::{Errno, retry_on_intr};
use std::os::fd::OwnedFd;

/// `/proc/net/snmp` and `snmp6`, which stay with the namespace in which they were opened. IPv6's is absent where the kernel
/// has no IPv6.
#[derive(Debug)]
pub(in crate::backend::linux) struct Files {
    snmp: OwnedFd,
    snmp6: Option<OwnedFd>,
}

impl Files {
    /// Opens the files of the calling thread's namespace.
    pub(in crate::backend::linux) fn open() -> Result<Self> {
        let open = |path| rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let failed = |errno| in_proc("opening the network counters", errno);
        let snmp = open("/proc/thread-self/net/snmp").map_err(failed)?;
        let snmp6 = match open("/proc/thread-self/net/snmp6") {
            Ok(file) => Some(file),
            Err(Errno::NOENT) => None,
            Err(errno) => return Err(failed(errno)),
        };
        Ok(Self { snmp, snmp6 })
    }

    /// The inode number of the file, which is the namespace's own: another namespace's file has another.
    pub(in crate::backend::linux) fn identity(&self) -> Result<u64, Errno> {
        Ok(rustix::fs::fstat(&self.snmp)?.st_ino)
    }

    /// The counters of IPv4, ICMP, TCP and UDP over IPv4: `Ip.InReceives`.
    pub(super) fn ipv4(&self) -> Result<Counters> {
        Ok(Counters::parse_columns(&read(&self.snmp)?))
    }

    /// The counters of IPv6, ICMPv6 and UDP over IPv6: `Ip6InReceives`.
    pub(super) fn ipv6(&self) -> Result<Counters> {
        let file = self.snmp6.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::NotSupported, OPERATION).because("this kernel has no IPv6")
        })?;
        Ok(Counters::parse_lines(&read(file)?))
    }
}

/// The whole content. The kernel makes it anew for each read from the beginning, and gives no more than one read takes.
fn read(file: &OwnedFd) -> Result<String> {
    let mut bytes = vec![0; 32 * 1024];
    loop {
        let len = retry_on_intr(|| rustix::io::pread(file, &mut bytes, 0))
            .map_err(|errno| in_proc(OPERATION, errno))?;
        if len < bytes.len() {
            return Ok(String::from_utf8_lossy(bytes.get(..len).unwrap_or_default()).into_owned());
        }
        bytes.resize(2 * bytes.len(), 0);
    }
}

/// Counters by the kernel's names.
#[derive(Debug, Default)]
pub(super) struct Counters(FxHashMap<String, u64>);

impl Counters {
    /// Reads pairs of lines: `Ip: InReceives InHdrErrors`, then `Ip: 7 0`.
    fn parse_columns(text: &str) -> Self {
        let mut counters = FxHashMap::default();
        let mut lines = text.lines();
        while let (Some(names), Some(values)) = (lines.next(), lines.next()) {
            let (Some((group, names)), Some((_, values))) = (names.split_once(':'), values.split_once(':'))
            else {
                continue;
            };
            for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
                if let Some(value) = number(value) {
                    let _ = counters.insert(format!("{group}.{name}"), value);
                }
            }
        }
        Self(counters)
    }

    /// Reads lines of a name and a number.
    fn parse_lines(text: &str) -> Self {
        let line = |line: &str| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), number(words.next()?)?))
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// A counter that every kernel has.
    pub(super) fn get(&self, prefix: &str, name: &str) -> Result<u64> {
        let name = format!("{prefix}{name}");
        self.0.get(&name).copied().ok_or_else(|| {
            Error::new(ErrorKind::NotSupported, OPERATION)
                .because(format!("this kernel does not count {name}"))
        })
    }

    /// The counters `PREFIX0` to `PREFIX255`; the kernel leaves out those of 0.
    pub(super) fn numbered(&self, prefix: &str) -> Box<[u64; 256]> {
        let mut numbered = Box::new([0; 256]);
        for (name, value) in &self.0 {
            let number = name.strip_prefix(prefix).and_then(|number| number.parse::<u8>().ok());
            if let Some(place) = number.and_then(|number| numbered.get_mut(usize::from(number))) {
                *place = *value;
            }
        }
        numbered
    }
}

/// What `fuzz/targets/counters.rs` runs: any text has counters or none.
#[cfg(fuzzing)]
pub(crate) fn fuzz(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for counters in [Counters::parse_columns(&text), Counters::parse_lines(&text)] {
        let _ = (counters.get("Ip.", "InReceives"), counters.numbered("IcmpMsg.InType"));
    }
}

/// A number; -1, which stands for no limit, has all its bits set.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().or_else(|| text.parse::<i64>().ok().map(i64::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_and_lines_are_read_by_name() {
        let counters = Counters::parse_columns(
            "Ip: Forwarding DefaultTTL\nIp: 2 64\nIcmpMsg: InType3 OutType300\nIcmpMsg: 7 1\nTcp: MaxConn InSegs\nTcp: -1 18446744073709551615\n",
        );
        assert_eq!(counters.get("Ip.", "DefaultTTL").unwrap(), 64);
        assert_eq!(counters.get("Tcp.", "MaxConn").unwrap(), u64::MAX);
        assert_eq!(counters.get("Tcp.", "InSegs").unwrap(), u64::MAX);
        assert_eq!(counters.numbered("IcmpMsg.InType")[3], 7);
        assert_eq!(counters.numbered("IcmpMsg.OutType").iter().sum::<u64>(), 0, "no type is 300");
        assert_eq!(counters.get("Ip.", "InReceives").unwrap_err().kind(), ErrorKind::NotSupported);
        let counters = Counters::parse_lines("Ip6InReceives  \t5\nIcmp6OutType135  8\nodd\n\n");
        assert_eq!(counters.get("Ip6", "InReceives").unwrap(), 5);
        assert_eq!(counters.numbered("Icmp6OutType")[135], 8);
        // Whatever stands there.
        for text in ["", "Ip", "Ip:\n", "Ip: a b\nIp: 1", "Ip: a\nIp: x\n", ":\n:\n"] {
            let _ = (Counters::parse_columns(text), Counters::parse_lines(text));
        }
    }
}
