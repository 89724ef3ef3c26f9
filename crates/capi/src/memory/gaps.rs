//! What stands between the members of a structure that goes to C: always zero.
//!
//! Rust does not write these bytes when it writes a structure, so that a program would get what stood in memory before, of
//! the library's heap or stack: what is no business of it, and no two equal rows would have equal bytes.

#[cfg(test)]
use crate::raw;
use crate::raw::*;

#[cfg(test)]
#[path = "../../tests/layout/gaps.rs"]
mod facts;
#[cfg(test)]
#[path = "../../tests/layout/types.rs"]
#[allow(dead_code, reason = "a part is used")]
mod types;

/// From which byte of a structure to which.
type Gap = (usize, usize);

/// A structure or number that goes to C.
///
/// # Safety
/// `GAPS` and `PARTS` lie within the type and name only bytes of no member; what is zero there is a value of the type.
pub(crate) unsafe trait Given: Copy {
    /// What no member has.
    const GAPS: &'static [Gap] = &[];
    /// Members that have gaps themselves: where they begin, and what no member of theirs has.
    const PARTS: &'static [(usize, &'static [Gap])] = &[];
}

/// Writes a value where C reads it, its gaps as zeros.
///
/// # Safety
/// `place` may be written; it need not be aligned.
pub(crate) unsafe fn write<T: Given>(place: *mut T, value: T) {
    // SAFETY: the caller's promise.
    unsafe {
        place.write_unaligned(value);
        clear(place);
    }
}

/// Writes rows one behind the other, as [`write`] does.
///
/// # Safety
/// `place` has room for them; it need not be aligned.
pub(crate) unsafe fn write_all<T: Given>(place: *mut T, rows: &[T]) {
    // SAFETY: the caller's promise; bytes need no alignment.
    unsafe {
        std::ptr::copy_nonoverlapping(rows.as_ptr().cast::<u8>(), place.cast::<u8>(), size_of_val(rows));
        if !(T::GAPS.is_empty() && T::PARTS.is_empty()) {
            (0..rows.len()).for_each(|row| clear(place.add(row)));
        }
    }
}

/// Makes the gaps of what stands at a place zeros.
///
/// # Safety
/// `place` may be written; it need not be aligned.
pub(crate) unsafe fn clear<T: Given>(place: *mut T) {
    let of_parts =
        T::PARTS.iter().flat_map(|(at, gaps)| gaps.iter().map(move |gap| (at + gap.0, at + gap.1)));
    for (start, end) in T::GAPS.iter().copied().chain(of_parts) {
        // SAFETY: the caller's promise; gaps lie within the type.
        unsafe { place.cast::<u8>().add(start).write_bytes(0, end - start) };
    }
}

/// The size of a member, told by a function that is not called.
const fn size_of_member<T, M>(_: &impl Fn(*const T) -> *const M) -> usize {
    size_of::<M>()
}

/// Where a member ends.
macro_rules! end_of {
    ($type:ident, $member:ident) => {
        std::mem::offset_of!($type, $member)
            // SAFETY: never called; it tells the type of the member.
            + size_of_member(&|row: *const $type| unsafe { &raw const (*row).$member })
    };
}

/// The gaps behind members, each up to a member or to the end; and members that have gaps themselves. A gap of no bytes is
/// one that 32-bit or 64-bit programs alone have.
macro_rules! given {
    ($($type:ident {
        $($from:ident .. $($to:ident)?),* $(; $($part:ident: $of:ty),*)?
    })*) => {$(
        // SAFETY: from the end of one member to where the next one begins, or to the end; the tests compare with what the
        // headers' facts leave over. All are made of numbers and pointers.
        unsafe impl Given for $type {
            const GAPS: &'static [Gap] = &[$((end_of!($type, $from), given!(@to $type $($to)?))),*];
            const PARTS: &'static [(usize, &'static [Gap])] =
                &[$($((std::mem::offset_of!($type, $part), <$of as Given>::GAPS)),*)?];
        }
    )*
        /// For each type its size and the bytes of no member.
        #[cfg(test)]
        const GIVEN: &[(&str, usize, &[Gap], &[(usize, &[Gap])])] =
            &[$((stringify!($type), size_of::<$type>(), <$type as Given>::GAPS, <$type as Given>::PARTS)),*];
    };
    (@to $type:ident $to:ident) => { std::mem::offset_of!($type, $to) };
    (@to $type:ident) => { size_of::<$type>() };
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        // SAFETY: a number, or a union of as many bytes of numbers whichever member is meant.
        unsafe impl Given for $type {}
    )*};
}

numbers!(u8, u16, u32, i32, SOCKADDR_INET);

given! {
    ICMP_ECHO_REPLY { ; Options: IP_OPTION_INFORMATION }
    ICMPV6_ECHO_REPLY { Address .. Status; Address: IPV6_ADDRESS_EX }
    INTERFACE_HARDWARE_CROSSTIMESTAMP {}
    INTERFACE_TIMESTAMP_CAPABILITIES { SoftwareCapabilities .. }
    IPV6_ADDRESS_EX {}
    IP_ADAPTER_ADDRESSES {
        TunnelType .. Dhcpv6Server, Dhcpv6ClientDuid .. Dhcpv6ClientDuidLength, Dhcpv6Iaid .. FirstDnsSuffix,
        FirstDnsSuffix ..; Dhcpv4Server: SOCKET_ADDRESS, Dhcpv6Server: SOCKET_ADDRESS
    }
    IP_ADAPTER_ANYCAST_ADDRESS { Address ..; Address: SOCKET_ADDRESS }
    IP_ADAPTER_DNS_SERVER_ADDRESS { Address ..; Address: SOCKET_ADDRESS }
    IP_ADAPTER_DNS_SUFFIX {}
    IP_ADAPTER_GATEWAY_ADDRESS { Address ..; Address: SOCKET_ADDRESS }
    IP_ADAPTER_INDEX_MAP {}
    IP_ADAPTER_INFO {
        DhcpEnabled .. CurrentIpAddress, HaveWins .. PrimaryWinsServer;
        IpAddressList: IP_ADDR_STRING, GatewayList: IP_ADDR_STRING, DhcpServer: IP_ADDR_STRING,
        PrimaryWinsServer: IP_ADDR_STRING, SecondaryWinsServer: IP_ADDR_STRING
    }
    IP_ADAPTER_MULTICAST_ADDRESS { Address ..; Address: SOCKET_ADDRESS }
    IP_ADAPTER_PREFIX { PrefixLength ..; Address: SOCKET_ADDRESS }
    IP_ADAPTER_UNICAST_ADDRESS { OnLinkPrefixLength ..; Address: SOCKET_ADDRESS }
    IP_ADAPTER_WINS_SERVER_ADDRESS { Address ..; Address: SOCKET_ADDRESS }
    IP_ADDRESS_PREFIX { PrefixLength .. }
    IP_ADDR_STRING { Context .. }
    IP_INTERFACE_NAME_INFO { AccessType .. DeviceGuid }
    IP_OPTION_INFORMATION { OptionsSize .. OptionsData }
    IP_PER_ADAPTER_INFO { ; DnsServerList: IP_ADDR_STRING }
    MIB_ANYCASTIPADDRESS_ROW { Address .. InterfaceLuid }
    MIB_FL_VIRTUAL_INTERFACE_ROW {
        Family .. IfLuid, Origin .. VirtualIfLuid, AllowLocalNd .. AttachedFlsnpiClients
    }
    MIB_ICMP {}
    MIB_ICMP_EX {}
    MIB_IFROW {}
    MIB_IFSTACK_ROW {}
    MIB_IF_ROW2 { InterfaceAndOperStatusFlags .. OperStatus, ConnectionType .. TransmitLinkSpeed }
    MIB_INVERTEDIFSTACK_ROW {}
    MIB_IPADDRROW {}
    MIB_IPFORWARDROW {}
    MIB_IPFORWARD_ROW2 { SitePrefixLength .. ValidLifetime; DestinationPrefix: IP_ADDRESS_PREFIX }
    MIB_IPINTERFACE_ROW {
        Family .. InterfaceLuid, AdvertiseDefaultRoute .. RouterDiscoveryBehavior, DisableDefaultRoutes ..
    }
    MIB_IPNETROW {}
    MIB_IPNET_ROW2 { Flags .. LastReachable }
    MIB_IPPATH_ROW { IsReachable .. LinkTransmitSpeed }
    MIB_IPSTATS {}
    MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES {
        ; InboundBandwidthInformation: NL_BANDWIDTH_INFORMATION, OutboundBandwidthInformation: NL_BANDWIDTH_INFORMATION
    }
    MIB_MULTICASTIPADDRESS_ROW { ScopeId .. }
    MIB_TCP6ROW {}
    MIB_TCP6ROW2 {}
    MIB_TCP6ROW_OWNER_MODULE {}
    MIB_TCP6ROW_OWNER_PID {}
    MIB_TCPROW {}
    MIB_TCPROW2 {}
    MIB_TCPROW_OWNER_MODULE {}
    MIB_TCPROW_OWNER_PID {}
    MIB_TCPSTATS {}
    MIB_TCPSTATS2 { dwCurrEstab .. dw64InSegs }
    MIB_UDP6ROW {}
    MIB_UDP6ROW_OWNER_MODULE { dwOwningPid .. liCreateTimestamp, dwFlags .. OwningModuleInfo }
    MIB_UDP6ROW_OWNER_PID {}
    MIB_UDPROW {}
    MIB_UDPROW_OWNER_MODULE { dwOwningPid .. liCreateTimestamp, dwFlags .. OwningModuleInfo }
    MIB_UDPROW_OWNER_PID {}
    MIB_UDPSTATS {}
    MIB_UDPSTATS2 { dwNumAddrs .. }
    MIB_UNICASTIPADDRESS_ROW { Address .. InterfaceLuid, SkipAsSource .. DadState }
    NL_BANDWIDTH_INFORMATION { BandwidthPeaked .. }
    NL_NETWORK_CONNECTIVITY_HINT { Roaming .. }
    SOCKADDR_IN {}
    SOCKADDR_IN6 {}
    SOCKET_ADDRESS { iSockaddrLength .. }
    DNS_DOT_SERVER_SETTINGS { Hostname .. Flags, Port .. }
    DNS_INTERFACE_SETTINGS4 {
        Version .. Flags, DisableUnconstrainedQueries .. SupplementalSearchList,
        cServerProperties .. ServerProperties, cProfileServerProperties .. ProfileServerProperties,
        EncryptedDnsAdapterFlags ..
    }
    DNS_SERVER_PROPERTY { Type .. Property }
    DNS_SETTINGS2 { Version .. Flags, SearchList .. SettingFlags }
    FIXED_INFO { EnableDns ..; DnsServerList: IP_ADDR_STRING }
    TCPIP_OWNER_MODULE_BASIC_INFO {}
    TCP_ESTATS_BANDWIDTH_ROD_v0 { InboundBandwidthPeaked .. }
    TCP_ESTATS_BANDWIDTH_RW_v0 {}
    TCP_ESTATS_DATA_ROD_v0 { SndMax .. ThruBytesAcked, RcvNxt .. ThruBytesReceived }
    TCP_ESTATS_FINE_RTT_ROD_v0 {}
    TCP_ESTATS_OBS_REC_ROD_v0 { WinScaleRcvd .. }
    TCP_ESTATS_PATH_ROD_v0 {}
    TCP_ESTATS_REC_ROD_v0 { MaxReasmQueue .. CurAppRQueue, WinScaleSent .. }
    TCP_ESTATS_SEND_BUFF_ROD_v0 {}
    TCP_ESTATS_SND_CONG_ROD_v0 { MinSsthresh .. }
    TCP_ESTATS_SND_CONG_ROS_v0 {}
    TCP_ESTATS_SYN_OPTS_ROS_v0 { ActiveOpen .. MssRcvd }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn gaps_are_what_the_headers_leave_over() {
        for (name, size, gaps, parts) in GIVEN {
            let mut ours = BTreeSet::new();
            for (start, end) in gaps.iter().copied() {
                assert!(start <= end && end <= *size, "{name}");
                ours.extend(start..end);
            }
            for (at, gaps) in parts.iter() {
                ours.extend(gaps.iter().flat_map(|(start, end)| at + start..at + end));
            }
            assert_eq!(facts::gaps(name).expect("facts of the structure"), ours, "{name}");
        }
        let with_gaps =
            GIVEN.iter().filter(|(.., gaps, parts)| !(gaps.is_empty() && parts.is_empty())).count();
        assert!(with_gaps > 30, "{with_gaps}");
    }

    #[test]
    fn gaps_are_zero_at_any_address() {
        let row = MIB_IPFORWARD_ROW2 { Metric: 7, SitePrefixLength: 9, ..Default::default() };
        let mut memory = [0xA5_u8; 3 * 104 + 8];
        for odd in 0..8 {
            memory.fill(0xA5);
            // SAFETY: room for two rows, at any address.
            unsafe { write_all(memory[odd..].as_mut_ptr().cast(), &[row; 2]) };
            assert!(memory[odd + 208..].iter().all(|byte| *byte == 0xA5));
            for row in memory[odd..odd + 208].as_chunks::<104>().0 {
                // Behind the prefix' length, and behind the site prefix' length.
                assert_eq!((row[41..44].to_vec(), row[73..76].to_vec()), (vec![0; 3], vec![0; 3]));
                assert_eq!((row[72], row[84]), (9, 7));
            }
        }
    }
}
