//! Where a bus is: the addresses in `DBUS_SYSTEM_BUS_ADDRESS`.

/// A socket of a bus on this host.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Address {
    /// A file.
    Path(Vec<u8>),
    /// A name without a file, which belongs to a network namespace.
    Abstract(Vec<u8>),
}

/// The addresses of a list (`unix:path=/run/dbus/system_bus_socket;...`) that are sockets of this host, in their order.
/// Others (`tcp:`, `unixexec:`), and what is malformed, are passed over.
#[must_use]
pub fn parse(list: &[u8]) -> Vec<Address> {
    let one = |address: &[u8]| {
        let mut keys = address.strip_prefix(b"unix:")?.split(|byte| *byte == b',');
        keys.find_map(|key| {
            let equals = key.iter().position(|byte| *byte == b'=')?;
            let value = unescape(key.get(equals + 1..)?)?;
            match key.get(..equals)? {
                b"path" => Some(Address::Path(value)),
                b"abstract" => Some(Address::Abstract(value)),
                _ => None,
            }
        })
    };
    list.split(|byte| *byte == b';').filter_map(one).collect()
}

/// `%41` is an A.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    Some(bytes).filter(|bytes| !bytes.is_empty() && !bytes.contains(&0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_host_are_found() {
        let list = b"tcp:host=a;unix:path=/run/a%20b,guid=12;unix:abstract=/tmp/x;unix:dir=/tmp;unix:path=%4;unix:path=;x";
        assert_eq!(parse(list), [Address::Path(b"/run/a b".to_vec()), Address::Abstract(b"/tmp/x".to_vec())]);
        assert_eq!(parse(b""), []);
    }
}
