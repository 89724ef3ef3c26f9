//! Whether two rows say the same, but for what changes by itself.

use super::{Subject, attributes};

const IFA_CACHEINFO: u16 = 6;
const RTA_MULTIPATH: u16 = 9;
const RTA_CACHEINFO: u16 = 12;
const NDA_CACHEINFO: u16 = 3;
const NDA_PROBES: u16 = 4;

/// `RTNH_F_PERVASIVE`, `RTNH_F_ONLINK`: settings. The other flags of a next hop tell a state.
const HOP_SETTINGS: u8 = 0x6;
/// Bits of a route's flags that tell a state: those of its next hop, offload and cache.
const ROUTE_STATE: u32 = 0x0000_0019 | 0x0000_0060 | 0x2000_4000 | 0x0200;

/// Whether two rows of one subject differ at most in what runs down, counts up or follows the link: lifetimes, times of
/// use, counters, whether the link has a carrier.
#[must_use]
pub fn alike(subject: Subject, one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let fixed = match subject {
        Subject::Address => 8,
        Subject::Route | Subject::Neighbor => 12,
    };
    fixed_part(subject, one) == fixed_part(subject, other)
        && attributes(one, fixed)
            .map(|(kind, payload)| steady(subject, kind, payload))
            .eq(attributes(other, fixed).map(|(kind, payload)| steady(subject, kind, payload)))
}

/// The fixed part without its state.
fn fixed_part(subject: Subject, row: &[u8]) -> Option<[u8; 12]> {
    let mut fixed = [0; 12];
    match subject {
        Subject::Address => {
            let ([family, prefix_len, _, scope, i0, i1, i2, i3], _) = row.split_first_chunk::<8>()?;
            // The flags are in an attribute, too, where all of them fit.
            fixed.first_chunk_mut::<8>()?.copy_from_slice(&[
                *family,
                *prefix_len,
                0,
                *scope,
                *i0,
                *i1,
                *i2,
                *i3,
            ]);
        }
        Subject::Neighbor => fixed = *row.first_chunk()?,
        Subject::Route => {
            fixed = *row.first_chunk()?;
            let flags = fixed.last_chunk_mut::<4>()?;
            *flags = (u32::from_ne_bytes(*flags) & !ROUTE_STATE).to_ne_bytes();
        }
    }
    Some(fixed)
}

/// An attribute without what changes by itself.
#[derive(PartialEq)]
enum Steady<'a> {
    Bytes(u16, &'a [u8]),
    /// Whether a route ends some day.
    Ends(bool),
    /// When an address was made, when its lifetimes were set last, and whether it is for ever, or deprecated.
    Address([u8; 8], [bool; 3]),
    /// Next hops: each with weight, settings, link and attributes.
    Hops(Vec<(u8, u8, &'a [u8])>),
    Nothing,
}

fn steady(subject: Subject, kind: u16, payload: &[u8]) -> Steady<'_> {
    let word = |at: usize| payload.get(at..at + 4).and_then(|word| word.first_chunk().copied());
    match (subject, kind) {
        (Subject::Route, RTA_CACHEINFO) => Steady::Ends(word(8).is_some_and(|expires| expires != [0; 4])),
        (Subject::Route, RTA_MULTIPATH) => Steady::Hops(hops(payload)),
        (Subject::Address, IFA_CACHEINFO) => {
            let (preferred, valid) = (word(0), word(4));
            let stamps = payload.get(8..16).and_then(|stamps| stamps.first_chunk().copied());
            Steady::Address(
                stamps.unwrap_or_default(),
                [preferred == Some([0xff; 4]), preferred == Some([0; 4]), valid == Some([0xff; 4])],
            )
        }
        (Subject::Neighbor, NDA_CACHEINFO | NDA_PROBES) => Steady::Nothing,
        _ => Steady::Bytes(kind, payload),
    }
}

/// `struct rtnexthop` one after the other.
fn hops(mut rest: &[u8]) -> Vec<(u8, u8, &[u8])> {
    let mut hops = Vec::new();
    while let Some([l0, l1, flags, weight, ..]) = rest.first_chunk::<8>() {
        let len = usize::from(u16::from_ne_bytes([*l0, *l1]));
        let Some(hop) = rest.get(4..len) else { break };
        hops.push((flags & HOP_SETTINGS, *weight, hop));
        rest = rest.get(crate::message::align(len)..).unwrap_or_default();
    }
    hops
}
