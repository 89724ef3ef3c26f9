//! How rows name their interface and family.

use crate::error::Code;
use crate::raw::{AF_INET, AF_INET6, AF_INET6_HOST, AF_UNSPEC, NET_LUID, ULONG64};
use iphelper::{Family, InterfaceIndex, InterfaceKey, InterfaceLuid};

/// The interface that a row names: a LUID other than 0 alone, else the index; [`Code::INVALID_PARAMETER`] for neither.
pub(crate) fn interface(luid: NET_LUID, index: u32) -> Result<InterfaceKey, Code> {
    match (luid.Value.0, index) {
        (0, 0) => Err(Code::INVALID_PARAMETER),
        (0, index) => Ok(InterfaceIndex(index).into()),
        (luid, _) => Ok(InterfaceLuid(luid).into()),
    }
}

/// A LUID as C has it.
pub(crate) fn luid(luid: InterfaceLuid) -> NET_LUID {
    NET_LUID { Value: ULONG64(luid.0) }
}

/// One family; Linux' own number of IPv6 counts, too. [`Code::INVALID_PARAMETER`] for any other, `AF_UNSPEC` among them.
pub(crate) fn family(number: u32) -> Result<Family, Code> {
    match u16::try_from(number) {
        Ok(AF_INET) => Ok(Family::V4),
        Ok(AF_INET6 | AF_INET6_HOST) => Ok(Family::V6),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

/// One family, or both for `AF_UNSPEC`.
pub(crate) fn families(number: u16) -> Result<Option<Family>, Code> {
    if number == AF_UNSPEC { Ok(None) } else { family(number.into()).map(Some) }
}

/// The number of a family on output, Windows' on every host.
pub(crate) fn family_number(family: Family) -> u16 {
    match family {
        Family::V4 => AF_INET,
        Family::V6 => AF_INET6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_luid_decides_alone() {
        let five = luid(InterfaceLuid(5));
        assert_eq!(interface(five, 7), Ok(InterfaceLuid(5).into()));
        assert_eq!(interface(NET_LUID::default(), 7), Ok(InterfaceIndex(7).into()));
        assert_eq!(interface(NET_LUID::default(), 0), Err(Code::INVALID_PARAMETER));
    }

    #[test]
    fn families_have_windows_numbers_and_linux_on_input() {
        assert_eq!(families(0), Ok(None));
        assert_eq!(families(2), Ok(Some(Family::V4)));
        assert_eq!((families(23), families(10)), (Ok(Some(Family::V6)), Ok(Some(Family::V6))));
        assert_eq!(families(1), Err(Code::INVALID_PARAMETER));
        assert_eq!(family(0), Err(Code::INVALID_PARAMETER));
        assert_eq!(family(0x1_0002), Err(Code::INVALID_PARAMETER), "more than an ADDRESS_FAMILY holds");
        assert_eq!(family_number(Family::V6), 23);
    }
}
