//! A unicast address as `MIB_UNICASTIPADDRESS_ROW`.

use crate::error::Code;
use crate::raw::{MIB_UNICASTIPADDRESS_ROW, NET_LUID, SOCKADDR_INET, ULONG64};
use crate::{key, sockaddr};
use iphelper::InterfaceKey;
use iphelper::address::{
    CreationTime, DadState, Lifetime, NewUnicastAddress, PrefixOrigin, SuffixOrigin, UnicastAddress,
};
use std::net::IpAddr;
use std::time::SystemTime;

/// `IpPrefixOriginUnchanged`, `IpSuffixOriginUnchanged`.
const UNCHANGED: i32 = 16;
/// What no prefix has: the whole address.
const WHOLE: u8 = u8::MAX;
/// `IpDadStatePreferred`: on create, that the address can be used at once.
const PREFERRED: i32 = 4;

const PREFIX_ORIGINS: [PrefixOrigin; 5] = [
    PrefixOrigin::Other,
    PrefixOrigin::Manual,
    PrefixOrigin::WellKnown,
    PrefixOrigin::Dhcp,
    PrefixOrigin::RouterAdvertisement,
];
const SUFFIX_ORIGINS: [SuffixOrigin; 6] = [
    SuffixOrigin::Other,
    SuffixOrigin::Manual,
    SuffixOrigin::WellKnown,
    SuffixOrigin::Dhcp,
    SuffixOrigin::LinkLayerAddress,
    SuffixOrigin::Random,
];

/// What Initialize leaves.
pub(super) const INITIAL: MIB_UNICASTIPADDRESS_ROW = MIB_UNICASTIPADDRESS_ROW {
    // SAFETY: a union of numbers.
    Address: unsafe { std::mem::zeroed::<SOCKADDR_INET>() },
    InterfaceLuid: NET_LUID { Value: ULONG64(0) },
    InterfaceIndex: 0,
    PrefixOrigin: UNCHANGED,
    SuffixOrigin: UNCHANGED,
    ValidLifetime: u32::MAX,
    PreferredLifetime: u32::MAX,
    OnLinkPrefixLength: WHOLE,
    SkipAsSource: 0,
    DadState: 0,
    ScopeId: 0,
    CreationTimeStamp: ULONG64(0),
};

pub(crate) fn of(address: &UnicastAddress) -> MIB_UNICASTIPADDRESS_ROW {
    MIB_UNICASTIPADDRESS_ROW {
        Address: sockaddr::write(address.address, address.scope_id),
        InterfaceLuid: key::luid(address.luid),
        InterfaceIndex: address.index.0,
        PrefixOrigin: place(&PREFIX_ORIGINS, &address.prefix_origin),
        SuffixOrigin: place(&SUFFIX_ORIGINS, &address.suffix_origin),
        ValidLifetime: address.valid_lifetime.as_secs(),
        PreferredLifetime: address.preferred_lifetime.as_secs(),
        OnLinkPrefixLength: address.on_link_prefix_length,
        SkipAsSource: address.skip_as_source.into(),
        DadState: match address.dad_state {
            DadState::Tentative => 1,
            DadState::Duplicate => 2,
            DadState::Deprecated => 3,
            DadState::Preferred => PREFERRED,
        },
        ScopeId: address.scope_id,
        CreationTimeStamp: ULONG64(address.created.map_or(0, time_stamp)),
    }
}

/// What a row asks for.
pub(super) fn new(
    (interface, address): (InterfaceKey, IpAddr),
    row: &MIB_UNICASTIPADDRESS_ROW,
) -> Result<NewUnicastAddress, Code> {
    let origins = match (row.PrefixOrigin, row.SuffixOrigin) {
        (UNCHANGED, UNCHANGED) => None,
        (prefix, suffix) => Some((at(&PREFIX_ORIGINS, prefix)?, at(&SUFFIX_ORIGINS, suffix)?)),
    };
    let length = Some(row.OnLinkPrefixLength).filter(|length| *length != WHOLE);
    Ok(NewUnicastAddress {
        on_link_prefix_length: Some(length.unwrap_or(if address.is_ipv4() { 32 } else { 128 })),
        origins,
        valid_lifetime: Lifetime::from_secs(row.ValidLifetime),
        preferred_lifetime: Lifetime::from_secs(row.PreferredLifetime),
        skip_as_source: row.SkipAsSource != 0,
        optimistic: row.DadState == PREFERRED,
        ..NewUnicastAddress::new(interface, address)
    })
}

fn place<T: PartialEq>(all: &[T], one: &T) -> i32 {
    all.iter().position(|it| it == one).and_then(|place| i32::try_from(place).ok()).unwrap_or_default()
}

/// [`Code::INVALID_PARAMETER`] for a number that stands for nothing; "unchanged" stands for something beside itself alone.
fn at<T: Copy>(all: &[T], number: i32) -> Result<T, Code> {
    let found = usize::try_from(number).ok().and_then(|place| all.get(place));
    found.copied().ok_or(Code::INVALID_PARAMETER)
}

/// The time of day in 100 ns since 1601.
fn time_stamp(created: CreationTime) -> u64 {
    const FROM_1601_TO_1970: u64 = 11_644_473_600;
    let since_1970 = created.system_time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since_1970.as_secs() + FROM_1601_TO_1970) * 10_000_000 + u64::from(since_1970.subsec_nanos() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper::InterfaceIndex;

    #[test]
    fn origins_go_in_pairs() {
        let keys = (InterfaceIndex(1).into(), "10.0.0.1".parse().unwrap());
        let with = |prefix, suffix| {
            let row = MIB_UNICASTIPADDRESS_ROW { PrefixOrigin: prefix, SuffixOrigin: suffix, ..INITIAL };
            new(keys, &row).map(|new| new.origins)
        };
        assert_eq!(with(16, 16), Ok(None));
        assert_eq!(with(3, 5), Ok(Some((PrefixOrigin::Dhcp, SuffixOrigin::Random))));
        for (prefix, suffix) in [(16, 1), (1, 16), (5, 1), (1, 6), (-1, 1), (1, 17)] {
            assert_eq!(with(prefix, suffix), Err(Code::INVALID_PARAMETER), "{prefix} {suffix}");
        }
    }

    #[test]
    fn the_illegal_length_is_the_whole_address() {
        for (address, whole) in [("10.0.0.1", 32), ("2001:db8::1", 128)] {
            let new = new((InterfaceIndex(1).into(), address.parse().unwrap()), &INITIAL).unwrap();
            assert_eq!((new.on_link_prefix_length, new.valid_lifetime), (Some(whole), Lifetime::INFINITE));
            assert!(!new.optimistic && !new.skip_as_source);
        }
    }
}
