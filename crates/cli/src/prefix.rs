//! Prefixes as arguments.

use iphelper::Prefix;
use std::net::IpAddr;

/// Reads a prefix without bits beyond its length, or an address; what is neither gets `advice`.
pub(crate) fn prefix(text: &str, advice: &str) -> Result<Prefix, String> {
    let prefix: Prefix = text.parse().map_err(|_| advice.to_owned())?;
    let typed = text.split('/').next().and_then(|address| address.parse::<IpAddr>().ok());
    if typed.is_some_and(|typed| typed != prefix.address()) {
        return Err(format!("there are bits beyond the length: did you mean {prefix}?"));
    }
    Ok(prefix)
}
