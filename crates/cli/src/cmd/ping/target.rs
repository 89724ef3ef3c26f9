//! Who is asked: an address, or the first one of a name.

use crate::end::split_scope;
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::sanitize::sanitize;
use iphelper::{Family, Host};
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

#[derive(Debug)]
pub(super) struct Target {
    pub(super) address: IpAddr,
    /// The zone's interface; 0: none.
    pub(super) scope_id: u32,
    zone: Option<String>,
    pub(super) is_name: bool,
}

impl Target {
    /// The address that `text` is or names, of the family if one is wanted.
    pub(super) fn find(host: &Host, text: &str, family: Option<Family>) -> Result<Self, Failure> {
        let (plain, zone) = split_scope(text).map_err(Failure::usage)?;
        let fits = |address: &IpAddr| family.is_none_or(|family| Family::of(address) == family);
        if let Ok(address) = plain.parse::<IpAddr>() {
            if !fits(&address) {
                return Err(Failure::usage(format!("{address} is of the other family than was asked for")));
            }
            let scope_id = match &zone {
                Some(zone) => interface_name::find(host, zone)?.index.0,
                None => 0,
            };
            return Ok(Self { address, scope_id, zone, is_name: false });
        }
        let unknown = |why: &str| {
            Failure::new(Exit::NotFound, format!("no address is known of \"{}\": {why}", sanitize(text)))
        };
        let found = (text, 0).to_socket_addrs().map_err(|error| unknown(&sanitize(&error.to_string())))?;
        let found = found.into_iter().find(|found| fits(&found.ip()));
        let found = found.ok_or_else(|| match family {
            Some(family) => unknown(&format!("it has none of {family}")),
            None => unknown("it has none"),
        })?;
        let scope_id = match found {
            SocketAddr::V6(found) => found.scope_id(),
            SocketAddr::V4(_) => 0,
        };
        Ok(Self { address: found.ip(), scope_id, zone: None, is_name: true })
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.zone {
            Some(zone) => write!(f, "{}%{}", self.address, sanitize(zone)),
            None => write!(f, "{}", self.address),
        }
    }
}
