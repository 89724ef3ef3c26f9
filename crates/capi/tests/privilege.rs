//! Which code wins where two would fit: a malformed row first, then a caller who may change nothing, then all else.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper_capi::error::{NtStatus, Win32};
use iphelper_capi::raw::{
    MIB_IPFORWARD_ROW2, MIB_IPFORWARDROW, MIB_IPINTERFACE_ROW, MIB_IPNET_ROW2, MIB_UNICASTIPADDRESS_ROW,
};
use iphelper_capi::{address, ip_interface, neighbor, route};
use iphelper_testkit::{isolated, unprivileged};
use std::mem::zeroed;

iphelper_testkit::private_user_namespace!();

const ACCESS_DENIED: u32 = 5;
const INVALID_PARAMETER: u32 = 87;
const NT_ACCESS_DENIED: i32 = 0xC000_0022_u32.cast_signed();
const AF_INET: u16 = 2;
const AF_INET6: u16 = 23;
/// An index that no interface has.
const NOWHERE: u32 = 0x7FFF_FFFF;

#[test]
fn who_may_change_nothing_hears_that_first() {
    isolated(|| unprivileged(denied));
}

fn denied() {
    // SAFETY: rows are made of numbers, for which zero bytes are a value.
    let (mut forward, mut old, mut interface, mut neighbor_row, mut unicast): (
        MIB_IPFORWARD_ROW2,
        MIB_IPFORWARDROW,
        MIB_IPINTERFACE_ROW,
        MIB_IPNET_ROW2,
        MIB_UNICASTIPADDRESS_ROW,
    ) = unsafe { (zeroed(), zeroed(), zeroed(), zeroed(), zeroed()) };
    forward.DestinationPrefix.Prefix.si_family = AF_INET;
    forward.NextHop.si_family = AF_INET;
    // Routes of IPv4 that end, which Linux does not have.
    (forward.InterfaceIndex, forward.ValidLifetime, forward.PreferredLifetime) = (1, 60, 60);
    old.dwForwardIfIndex = NOWHERE;
    old.Anonymous2.dwForwardProto = 3;
    (interface.Family, interface.InterfaceIndex) = (AF_INET, NOWHERE);
    // SAFETY: `zeroed` made both members of the union.
    unsafe {
        let address = &mut neighbor_row.Address.Ipv6;
        (address.sin6_family, address.sin6_addr.u.Byte[0], address.sin6_addr.u.Byte[1]) =
            (AF_INET6, 0xFE, 0x80);
        address.Anonymous.sin6_scope_id = 7;
    }
    (neighbor_row.InterfaceIndex, neighbor_row.PhysicalAddressLength) = (NOWHERE, 6);
    (unicast.Address, unicast.InterfaceIndex) = (neighbor_row.Address, NOWHERE);
    (unicast.PrefixOrigin, unicast.SuffixOrigin, unicast.OnLinkPrefixLength) = (16, 16, 64);
    // SAFETY: each pointer is NULL or points to a live row.
    unsafe {
        for (name, code) in [
            ("CreateIpForwardEntry2", route::create_ip_forward_entry2::<Win32>(&raw const forward)),
            ("SetIpForwardEntry2", route::set_ip_forward_entry2::<Win32>(&raw const forward)),
            ("CreateIpForwardEntry", route::create_ip_forward_entry(&raw const old)),
            ("SetIpForwardEntry", route::set_ip_forward_entry(&raw const old)),
            ("SetIpInterfaceEntry", ip_interface::set_ip_interface_entry::<Win32>(&raw mut interface)),
            ("CreateIpNetEntry2", neighbor::create_ip_net_entry2::<Win32>(&raw const neighbor_row)),
            ("DeleteIpNetEntry2", neighbor::delete_ip_net_entry2::<Win32>(&raw const neighbor_row)),
            (
                "CreateUnicastIpAddressEntry",
                address::create_unicast_ip_address_entry::<Win32>(&raw const unicast),
            ),
            (
                "DeleteUnicastIpAddressEntry",
                address::delete_unicast_ip_address_entry::<Win32>(&raw const unicast),
            ),
            ("DeleteIPAddress", address::delete_ip_address(0x1234)),
        ] {
            assert_eq!(code, ACCESS_DENIED, "{name}");
        }
        let driver = route::create_ip_forward_entry2::<NtStatus>(&raw const forward);
        assert_eq!(driver, NT_ACCESS_DENIED);
        forward.Publish = 2;
        let code = route::create_ip_forward_entry2::<Win32>(&raw const forward);
        assert_eq!(code, INVALID_PARAMETER, "a malformed row");
    }
}
