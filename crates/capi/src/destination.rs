//! `CreateSortedAddressPairs`.

use crate::error::{Code, Flavour};
use crate::memory::{Kind, allocate};
use crate::raw::{SOCKADDR_IN6, SOCKADDR_IN6_PAIR};
use crate::{guard, host, key, sockaddr};
use iphelper::destination::{AddressPair, Destination};
use iphelper::{Family, InterfaceIndex};
use std::net::{IpAddr, Ipv6Addr};

/// The most destinations of one call, as the page has it.
const MOST: u32 = 500;

/// `CreateSortedAddressPairs`: destinations by the preference in which a connection should try them, each with the source
/// that this host would choose. IPv4 addresses are IPv4-mapped. `FreeMibTable` frees the pairs.
///
/// `ERROR_INVALID_PARAMETER` for a list of sources (the host's own count), for no or more than 500 destinations, and for one
/// that is no IPv6 socket address. Destinations that cannot be reached are last, and have the source `::`.
#[doc(alias = "CreateSortedAddressPairs")]
pub unsafe fn create_sorted_address_pairs<F: Flavour>(
    sources: *const SOCKADDR_IN6,
    source_count: u32,
    destinations: *const SOCKADDR_IN6,
    destination_count: u32,
    _options: u32,
    pairs: *mut *mut SOCKADDR_IN6_PAIR,
    pair_count: *mut u32,
) -> F::Status {
    guard::status::<F>(|| {
        if pairs.is_null() || pair_count.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on both pointers; a failure leaves nothing to free.
        unsafe {
            pairs.write_unaligned(std::ptr::null_mut());
            pair_count.write_unaligned(0);
        }
        let has_sources = !sources.is_null() || source_count != 0;
        if has_sources || destinations.is_null() || !(1..=MOST).contains(&destination_count) {
            return Err(Code::INVALID_PARAMETER);
        }
        let mut given = Vec::with_capacity(destination_count as usize);
        for place in 0..destination_count as usize {
            // SAFETY: the caller's promise: so many stand there.
            given.push(unsafe { destinations.add(place).read_unaligned() });
        }
        let wanted = given.iter().map(destination).collect::<Result<Vec<_>, _>>()?;
        let sorted = host::current()?.sort_destinations(&wanted)?;
        let block = block_of(&given, &sorted).ok_or(Code::NOT_ENOUGH_MEMORY)?;
        // SAFETY: as above.
        unsafe {
            pairs.write_unaligned(block);
            pair_count.write_unaligned(destination_count);
        }
        Ok(())
    })
}

fn destination(address: &SOCKADDR_IN6) -> Result<Destination, Code> {
    if key::family(address.sin6_family.into())? != Family::V6 {
        return Err(Code::INVALID_PARAMETER);
    }
    let read = sockaddr::read_in6(address);
    let address = match read.ip {
        IpAddr::V6(ip) => ip.to_ipv4_mapped().map_or(read.ip, IpAddr::V4),
        ip => ip,
    };
    let is_of_a_link = matches!(address, IpAddr::V6(ip) if ip.is_unicast_link_local() || ip.is_multicast());
    let zone = (is_of_a_link && read.scope != 0).then_some(InterfaceIndex(read.scope));
    Ok(Destination { address, zone })
}

/// The pairs, and behind them the addresses that they point to, in one block; `None` without memory.
fn block_of(given: &[SOCKADDR_IN6], sorted: &[AddressPair]) -> Option<*mut SOCKADDR_IN6_PAIR> {
    let count = sorted.len();
    let addresses_at = size_of::<SOCKADDR_IN6_PAIR>() * count;
    let block = allocate(Kind::Table, addresses_at + 2 * count * size_of::<SOCKADDR_IN6>())?.as_ptr();
    let pairs = block.cast::<SOCKADDR_IN6_PAIR>();
    // SAFETY: the block has room for the addresses behind the pairs, whose size keeps them aligned.
    let addresses = unsafe { block.byte_add(addresses_at) }.cast::<SOCKADDR_IN6>();
    for (place, pair) in sorted.iter().enumerate() {
        let mut destination = given.get(pair.place).copied().unwrap_or_default();
        destination.sin6_family = key::family_number(Family::V6);
        let source = match pair.source {
            Some(IpAddr::V4(ip)) => sockaddr::write_in6(ip.to_ipv6_mapped(), 0),
            Some(IpAddr::V6(ip)) => {
                let zone = pair.destination.zone.filter(|_| ip.is_unicast_link_local());
                sockaddr::write_in6(ip, zone.map_or(0, |zone| zone.0))
            }
            None => sockaddr::write_in6(Ipv6Addr::UNSPECIFIED, 0),
        };
        // SAFETY: `place` is below `count`, for which the block has room.
        unsafe {
            let (of_source, of_destination) = (addresses.add(2 * place), addresses.add(2 * place + 1));
            of_source.write(source);
            of_destination.write(destination);
            pairs
                .add(place)
                .write(SOCKADDR_IN6_PAIR { SourceAddress: of_source, DestinationAddress: of_destination });
        }
    }
    Some(pairs)
}
