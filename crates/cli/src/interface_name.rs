//! Interfaces as people name them: by name, index or LUID.

use crate::exit::{Exit, Failure};
use crate::sanitize::sanitize;
use crate::similar;
use iphelper::convert::InterfaceNames;
use iphelper::interface::InterfaceLevel;
use iphelper::{ErrorKind, Host, InterfaceIndex, InterfaceKey, InterfaceLuid};

/// The interface that `text` names: a name or alternative name first, since Linux lets a name be all digits; else an
/// index, or a LUID (`0x...`, or a number too large for an index).
pub(crate) fn find(host: &Host, text: &str) -> Result<InterfaceNames, Failure> {
    let error = match host.interface_named(text) {
        Ok(names) => return Ok(names),
        Err(error) => error,
    };
    let missing =
        matches!(error.kind(), ErrorKind::InterfaceNotFound | ErrorKind::NotFound | ErrorKind::InvalidName);
    match number(text) {
        Some(key) if missing => Ok(host.interface_names(key)?),
        _ if missing => {
            let rows = host.interfaces(InterfaceLevel::NormalWithoutStatistics).unwrap_or_default();
            let advice = match similar::nearest(text, rows.iter().map(|row| &*row.name)) {
                Some(name) => format!("did you mean {}?", sanitize(name)),
                None => "`iph interface list` shows the interfaces".to_owned(),
            };
            let message = format!("no interface is called \"{}\"; {advice}", sanitize(text));
            Err(Failure::new(Exit::NotFound, message))
        }
        _ => Err(error.into()),
    }
}

/// The interface that an option names, if it is given.
pub(crate) fn find_any(host: &Host, text: Option<&str>) -> Result<Option<InterfaceLuid>, Failure> {
    text.map(|text| find(host, text).map(|names| names.luid)).transpose()
}

fn number(text: &str) -> Option<InterfaceKey> {
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return u64::from_str_radix(hexadecimal, 16).ok().map(|luid| InterfaceLuid(luid).into());
    }
    let number: u64 = text.parse().ok()?;
    Some(match u32::try_from(number) {
        Ok(index) => InterfaceIndex(index).into(),
        Err(_) => InterfaceLuid(number).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_an_index_or_a_luid() {
        assert_eq!(number("3"), Some(InterfaceIndex(3).into()));
        assert_eq!(number("0x6000000000003"), Some(InterfaceLuid(0x6_0000_0000_0003).into()));
        assert_eq!(number("1688849860263939"), Some(InterfaceLuid(0x6_0000_0000_0003).into()));
        for text in ["eth0", "", "-1", "0x", "99999999999999999999"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
