//! Where the system's bus is.

use super::super::privilege::has_more_rights_than_its_caller;
use rustix::net::SocketAddrUnix;

/// Unless `DBUS_SYSTEM_BUS_ADDRESS` says otherwise.
const DEFAULT: &str = "unix:path=/run/dbus/system_bus_socket;unix:path=/var/run/dbus/system_bus_socket";

/// Where to look for the bus. A program with more rights than who started it does not let that one choose.
pub(super) fn addresses() -> Vec<SocketAddrUnix> {
    match std::env::var("DBUS_SYSTEM_BUS_ADDRESS") {
        Ok(list) if !has_more_rights_than_its_caller() => parse(&list),
        _ => parse(DEFAULT),
    }
}

/// The sockets of a list of addresses. A bus elsewhere than on this computer has no service of this namespace, folders are
/// for who listens, and no program is started.
fn parse(list: &str) -> Vec<SocketAddrUnix> {
    list.split(';').filter_map(socket).collect()
}

fn socket(address: &str) -> Option<SocketAddrUnix> {
    address.strip_prefix("unix:")?.split(',').find_map(|pair| match pair.split_once('=')? {
        ("path", path) => SocketAddrUnix::new(unescape(path)?).ok(),
        ("abstract", name) => SocketAddrUnix::new_abstract_name(&unescape(name)?).ok(),
        _ => None,
    })
}

/// A value, of which some bytes may be written as `%` and two digits; `None` where they are none.
fn unescape(value: &str) -> Option<Vec<u8>> {
    let mut bytes = value.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            u8::try_from(digit()? * 16 + digit()?).ok()?
        } else {
            byte
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_of_this_computer_are_found_in_a_list() {
        let path = |path: &str| SocketAddrUnix::new(path).unwrap();
        let default = ["/run/dbus/system_bus_socket", "/var/run/dbus/system_bus_socket"].map(path);
        assert_eq!(parse(DEFAULT), default);
        let list = "tcp:host=localhost,port=1;unixexec:path=/bin/true;unix:dir=/tmp;unix:guid=00ff,path=/a%20b;;\
                    unix:abstract=a%2cb,guid=1;unix:path=/%4;unix:path=/%zz;unix:path=/\u{e4}";
        let expected = [path("/a b"), SocketAddrUnix::new_abstract_name(b"a,b").unwrap(), path("/\u{e4}")];
        assert_eq!(parse(list), expected);
        assert_eq!(parse(&format!("unix:path=/{}", "a".repeat(200))), []);
        assert_eq!(parse(""), []);
    }
}
