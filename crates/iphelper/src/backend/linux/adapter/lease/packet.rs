//! Answers of DHCP servers as they came over the wire, which dhcpcd keeps as its leases (RFC 2131, RFC 8415).

use std::net::Ipv4Addr;

/// Where an IPv4 answer has the client's address (`yiaddr`).
const ADDRESS_AT: usize = 16;
/// Where its options begin, behind a number that says so.
const OPTIONS_AT: usize = 240;
const COOKIE: [u8; 4] = [99, 130, 83, 99];
const PAD: u8 = 0;
const END: u8 = 255;

/// What an IPv4 answer tells.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Answer {
    pub(super) address: Option<Ipv4Addr>,
    pub(super) seconds: Option<u32>,
    pub(super) server: Option<Ipv4Addr>,
    pub(super) wins_servers: Vec<Ipv4Addr>,
}

/// Reads an IPv4 answer; `None` for what is none.
pub(super) fn answer(bytes: &[u8]) -> Option<Answer> {
    if bytes.get(OPTIONS_AT - COOKIE.len()..OPTIONS_AT)? != COOKIE {
        return None;
    }
    let mut answer = Answer { address: address(bytes.get(ADDRESS_AT..)?), ..Answer::default() };
    let mut rest = bytes.get(OPTIONS_AT..)?;
    while let Some((&kind, after)) = rest.split_first() {
        if kind == PAD {
            rest = after;
            continue;
        }
        if kind == END {
            break;
        }
        let Some((&len, after)) = after.split_first() else { break };
        let Some((value, after)) = after.split_at_checked(len.into()) else { break };
        rest = after;
        match kind {
            44 => answer.wins_servers = value.chunks_exact(4).filter_map(address).collect(),
            51 => answer.seconds = value.try_into().ok().map(u32::from_be_bytes),
            54 => answer.server = address(value),
            _ => {}
        }
    }
    Some(answer)
}

fn address(bytes: &[u8]) -> Option<Ipv4Addr> {
    let address = Ipv4Addr::from(<[u8; 4]>::try_from(bytes.get(..4)?).ok()?);
    (!address.is_unspecified()).then_some(address)
}

/// Reads the client's identifier and the number of its association from an IPv6 answer (`CLIENTID` 1, `IA_NA` 3).
pub(super) fn client6(bytes: &[u8]) -> Option<(Vec<u8>, Option<u32>)> {
    const REPLY: u8 = 7;
    // The kind of message, a number of the exchange, then options.
    let (&[kind, ..], mut rest) = bytes.split_at_checked(4)? else { return None };
    if kind != REPLY {
        return None;
    }
    let (mut duid, mut iaid) = (None, None);
    while let Some((&[k0, k1, l0, l1], after)) = rest.split_first_chunk::<4>() {
        let Some((value, after)) = after.split_at_checked(u16::from_be_bytes([l0, l1]).into()) else { break };
        rest = after;
        match u16::from_be_bytes([k0, k1]) {
            1 => duid = Some(value.to_vec()),
            3 => iaid = value.first_chunk().copied().map(u32::from_be_bytes),
            _ => {}
        }
    }
    duid.filter(|duid| !duid.is_empty() && duid.len() <= 130).map(|duid| (duid, iaid))
}
