//! Every code that a function's page documents, provoked on a kernel, or listed with the reason why it cannot be.
//!
//! A code that is neither fails the test; so does a listed one that was provoked after all.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use iphelper_testkit::isolated;
use std::collections::{BTreeMap, BTreeSet};
use walk::Walk;

/// Calls a function in both flavours and expects a code of each.
macro_rules! both {
    ($walk:ident, $name:literal, $win32:literal, $nt:literal, $module:ident::$function:ident($($argument:expr),*)) => {{
        // SAFETY: each argument is NULL or points to a live variable of its type.
        unsafe {
            $walk.expect($name, $win32, $module::$function::<Win32>($($argument),*));
            $walk.expect($name, $nt, $module::$function::<NtStatus>($($argument),*).cast_unsigned());
        }
    }};
}

/// As [`both`], for the code of a wrong parameter.
macro_rules! refused {
    ($walk:ident, $name:literal, $module:ident::$function:ident($($argument:expr),*)) => {
        both!(
            $walk,
            $name,
            "ERROR_INVALID_PARAMETER",
            "STATUS_INVALID_PARAMETER",
            $module::$function($($argument),*)
        )
    };
}

mod absent;
mod adapter;
mod address;
mod address_text;
mod best_route;
mod compartment;
mod connectivity;
mod convert;
mod dns;
mod estats;
mod icmp;
mod interface;
mod ip_interface;
mod neighbor;
mod notification;
mod port_reservation;
mod route;
mod statistics;
#[path = "../support/mod.rs"]
mod support;
mod tcp;
mod timestamp;
mod udp;
mod walk;

iphelper_testkit::private_user_namespace!();

const MEMORY: &str = "Linux gives memory out before it has it and ends a program instead of refusing; that a refused \
                      allocation becomes this code is a unit test (memory.rs, impossible_sizes_are_out_of_memory)";
const FAMILY: &str = "needs a kernel without this family: IPv4 is in every one, IPv6 is left out by the boot option \
                      ipv6.disable=1 alone, which a namespace cannot set";

const TEREDO: &str = "Teredo is on no Linux host, so its functions go no further than ERROR_NOT_SUPPORTED";

/// Codes that this host cannot produce: functions, code, reason.
const IMPOSSIBLE: &[(&[&str], &str, &str)] = &[
    (
        &["GetAdaptersAddresses"],
        "ERROR_ADDRESS_NOT_ASSOCIATED",
        "said while Windows' own DHCP client has a lease and not its address yet; clients on Linux write a lease that they \
         use, and the other adapters are listed in any case",
    ),
    (&["GetAdaptersAddresses"], "ERROR_NOT_ENOUGH_MEMORY", MEMORY),
    (&["GetAdaptersInfo", "GetInterfaceInfo", "GetPerAdapterInfo"], "ERROR_NOT_SUPPORTED", FAMILY),
    (
        &["GetAdaptersInfo"],
        "ERROR_INVALID_DATA",
        "said of what Windows' registry tells of adapters; the kernel's messages that cannot be read are ERROR_GEN_FAILURE",
    ),
    (
        &["IpReleaseAddress", "IpRenewAddress"],
        "ERROR_PROC_NOT_FOUND",
        "said of an exception within Windows' DHCP client; a client's failure has its own kind here",
    ),
    (&["GetAdapterIndex"], "ERROR_NO_DATA", "is of a host without any adapter; loopback is always there"),
    (
        &["DisableMediaSense", "RestoreMediaSense"],
        "ERROR_IO_PENDING",
        "from before Windows Vista: since then they do nothing, at once",
    ),
    (
        &["DisableMediaSense", "RestoreMediaSense"],
        "ERROR_OPEN_FAILED",
        "from before Windows Vista: since then they open no driver",
    ),
    (
        &["DisableMediaSense", "RestoreMediaSense"],
        "ERROR_NOT_SUPPORTED",
        "from before Windows Vista: since then they succeed",
    ),
    (
        &["IcmpSendEcho", "IcmpSendEcho2", "IcmpSendEcho2Ex", "Icmp6SendEcho2"],
        "ERROR_NOT_ENOUGH_MEMORY",
        MEMORY,
    ),
    (
        &["Icmp6SendEcho2"],
        "ERROR_CALL_NOT_IMPLEMENTED",
        "what Windows without IPv6 says; a kernel without it has none of its sockets, which is ERROR_NOT_SUPPORTED",
    ),
    (
        &["Icmp6SendEcho2"],
        "IP_BUF_TOO_SMALL",
        "no answer is larger than the request, which has ERROR_INSUFFICIENT_BUFFER before it is sent",
    ),
    (&["GetNetworkParams"], "ERROR_NO_DATA", "every namespace has a name and the loopback interface"),
    (&["GetNetworkParams"], "ERROR_NOT_SUPPORTED", "every Linux host has a name and a resolver"),
    (&["GetTeredoPort"], "ERROR_NOT_READY", TEREDO),
    (
        &["GetInterfaceSupportedTimestampCapabilities"],
        "ERROR_NOT_SUPPORTED",
        "the kernel answers for every interface's driver since 5.7",
    ),
    (
        &["GetInterfaceActiveTimestampCapabilities"],
        "ERROR_NOT_SUPPORTED",
        "needs hardware that stamps, under a kernel or driver that does not tell whether it does",
    ),
    (
        &["GetInterfaceActiveTimestampCapabilities"],
        "ERROR_BAD_DRIVER",
        "what Windows says of a driver whose answer is malformed; here the kernel writes it",
    ),
    (&["NotifyTeredoPortChange"], "ERROR_INVALID_HANDLE", TEREDO),
    (&["NotifyTeredoPortChange"], "ERROR_NOT_ENOUGH_MEMORY", TEREDO),
    (&["NotifyTeredoPortChange"], "STATUS_NOT_ENOUGH_MEMORY", TEREDO),
    (&["GetTcpTable", "GetTcpTable2", "GetIfEntry", "GetIfTable"], "ERROR_NOT_SUPPORTED", FAMILY),
    (&["GetUdpTable", "GetUdp6Table"], "ERROR_NOT_SUPPORTED", FAMILY),
    (
        &[
            "GetIpStatisticsEx",
            "GetIcmpStatisticsEx",
            "GetTcpStatisticsEx",
            "GetTcpStatisticsEx2",
            "GetUdpStatisticsEx",
            "GetUdpStatisticsEx2",
        ],
        "ERROR_NOT_SUPPORTED",
        FAMILY,
    ),
    (
        &["GetExtendedUdpTable"],
        "ERROR_NOT_SUPPORTED",
        "is for a basic table of IPv6 before Windows Vista; and of a kernel without a family, which a namespace cannot be",
    ),
    (&["GetTcp6Table", "GetTcp6Table2", "GetIpInterfaceTable"], "ERROR_NOT_SUPPORTED", FAMILY),
    (&["GetIpInterfaceTable"], "STATUS_NOT_SUPPORTED", FAMILY),
    (
        &["GetTcpTable"],
        "STATUS_UNSUCCESSFUL",
        "the kernel does not tell that the table of sockets changed during a dump; should it ever, this code is ready",
    ),
    (&["GetOwnerModuleFromTcpEntry", "GetOwnerModuleFromTcp6Entry"], "ERROR_NOT_ENOUGH_MEMORY", MEMORY),
    (
        &["GetOwnerModuleFromTcpEntry", "GetOwnerModuleFromTcp6Entry"],
        "ERROR_PARTIAL_COPY",
        "Windows reads the other process's memory, half of which may be missing; Linux tells name and path itself",
    ),
    (
        &["GetIfEntry"],
        "ERROR_CAN_NOT_COMPLETE",
        "has no condition of its own on Linux: a failure says what failed",
    ),
    (
        &["GetIfEntry"],
        "ERROR_NOT_FOUND",
        "an index of no interface is ERROR_INVALID_DATA, and nothing else is looked for",
    ),
    (
        &[
            "GetIfTable2",
            "GetIfTable2Ex",
            "GetIfStackTable",
            "GetInvertedIfStackTable",
            "GetIpInterfaceTable",
            "NotifyIpInterfaceChange",
            "NotifyRouteChange2",
            "NotifyUnicastIpAddressChange",
            "NotifyAddrChange",
            "NotifyRouteChange",
        ],
        "ERROR_NOT_ENOUGH_MEMORY",
        MEMORY,
    ),
    (
        &[
            "GetIfTable2",
            "GetIfTable2Ex",
            "GetIfStackTable",
            "GetInvertedIfStackTable",
            "GetIpInterfaceTable",
            "NotifyIpInterfaceChange",
            "NotifyRouteChange2",
            "NotifyUnicastIpAddressChange",
        ],
        "STATUS_NOT_ENOUGH_MEMORY",
        MEMORY,
    ),
    (
        &["NotifyIpInterfaceChange", "NotifyRouteChange2", "NotifyUnicastIpAddressChange"],
        "ERROR_INVALID_HANDLE",
        "an internal failure of Windows without a counterpart here",
    ),
    (&["NotifyAddrChange", "NotifyRouteChange"], "ERROR_NOT_SUPPORTED", FAMILY),
    (
        &["NotifyAddrChange", "NotifyRouteChange"],
        "ERROR_CANCELLED",
        "said of a wait that Windows itself gives up, as when the network's services stop; the kernel's never do",
    ),
    (
        &[
            "RtlIpv4AddressToStringExA",
            "RtlIpv4AddressToStringExW",
            "RtlIpv6AddressToStringExA",
            "RtlIpv6AddressToStringExW",
        ],
        "ERROR_INVALID_PARAMETER",
        "the remarks name a buffer that is too small so, and the table of codes STATUS_INVALID_PARAMETER, which is returned",
    ),
    (
        &[
            "GetBestInterface",
            "GetBestInterfaceEx",
            "GetBestRoute2",
            "CreateSortedAddressPairs",
            "GetIpPathEntry",
            "GetIpPathTable",
        ],
        "ERROR_NOT_SUPPORTED",
        FAMILY,
    ),
    (&["FlushIpPathTable"], "ERROR_NOT_SUPPORTED", FAMILY),
    (
        &["FlushIpPathTable", "GetBestRoute2", "GetIpPathEntry", "GetIpPathTable"],
        "STATUS_NOT_SUPPORTED",
        FAMILY,
    ),
    (
        &["GetBestInterface", "GetBestInterfaceEx"],
        "ERROR_CAN_NOT_COMPLETE",
        "has no condition of its own on Linux: no route is ERROR_NETWORK_UNREACHABLE or ERROR_HOST_UNREACHABLE",
    ),
    (&["CreateSortedAddressPairs", "GetIpPathTable"], "ERROR_NOT_ENOUGH_MEMORY", MEMORY),
    (&["CreateSortedAddressPairs", "GetIpPathTable"], "STATUS_NOT_ENOUGH_MEMORY", MEMORY),
    (
        &[
            "CreateIpNetEntry",
            "CreateIpNetEntry2",
            "DeleteIpNetEntry",
            "DeleteIpNetEntry2",
            "FlushIpNetTable",
            "FlushIpNetTable2",
            "GetIpNetEntry2",
            "GetIpNetTable",
            "GetIpNetTable2",
            "ResolveIpNetEntry2",
            "SendARP",
            "SetIpNetEntry",
            "SetIpNetEntry2",
        ],
        "ERROR_NOT_SUPPORTED",
        FAMILY,
    ),
    (
        &[
            "CreateIpNetEntry2",
            "DeleteIpNetEntry2",
            "FlushIpNetTable2",
            "GetIpNetEntry2",
            "GetIpNetTable2",
            "ResolveIpNetEntry2",
            "SetIpNetEntry2",
        ],
        "STATUS_NOT_SUPPORTED",
        FAMILY,
    ),
    (&["GetIpNetTable2"], "ERROR_NOT_ENOUGH_MEMORY", MEMORY),
    (&["GetIpNetTable2"], "STATUS_NOT_ENOUGH_MEMORY", MEMORY),
    (
        &["SendARP"],
        "ERROR_GEN_FAILURE",
        "what Windows before Vista said of a host that does not answer: ERROR_BAD_NET_NAME since",
    ),
    (
        &["SendARP"],
        "ERROR_INVALID_USER_BUFFER",
        "what Windows before Vista said of a length of 0: ERROR_BUFFER_OVERFLOW since",
    ),
    (
        &["ResolveNeighbor"],
        "ERROR_NOT_SUPPORTED",
        "what Windows says of the function since Vista; here it resolves",
    ),
    (
        &[
            "AddIPAddress",
            "DeleteIPAddress",
            "GetIpAddrTable",
            "CreateAnycastIpAddressEntry",
            "CreateUnicastIpAddressEntry",
            "DeleteAnycastIpAddressEntry",
            "DeleteUnicastIpAddressEntry",
            "GetAnycastIpAddressEntry",
            "GetAnycastIpAddressTable",
            "GetMulticastIpAddressEntry",
            "GetMulticastIpAddressTable",
            "GetUnicastIpAddressEntry",
            "GetUnicastIpAddressTable",
            "SetUnicastIpAddressEntry",
        ],
        "ERROR_NOT_SUPPORTED",
        FAMILY,
    ),
    (
        &[
            "CreateAnycastIpAddressEntry",
            "CreateUnicastIpAddressEntry",
            "DeleteAnycastIpAddressEntry",
            "DeleteUnicastIpAddressEntry",
            "GetAnycastIpAddressEntry",
            "GetAnycastIpAddressTable",
            "GetMulticastIpAddressEntry",
            "GetMulticastIpAddressTable",
            "GetUnicastIpAddressEntry",
            "GetUnicastIpAddressTable",
            "SetUnicastIpAddressEntry",
        ],
        "STATUS_NOT_SUPPORTED",
        FAMILY,
    ),
    (
        &[
            "GetAnycastIpAddressTable",
            "GetMulticastIpAddressTable",
            "GetUnicastIpAddressTable",
            "NotifyStableUnicastIpAddressTable",
        ],
        "ERROR_NOT_ENOUGH_MEMORY",
        MEMORY,
    ),
    (
        &[
            "GetAnycastIpAddressTable",
            "GetMulticastIpAddressTable",
            "GetUnicastIpAddressTable",
            "NotifyStableUnicastIpAddressTable",
        ],
        "STATUS_NOT_ENOUGH_MEMORY",
        MEMORY,
    ),
    (
        &["NotifyStableUnicastIpAddressTable"],
        "ERROR_INVALID_HANDLE",
        "an internal failure of Windows without a counterpart here",
    ),
    (&["InitializeIpInterfaceEntry"], "STATUS_INVALID_PARAMETER", "the function returns nothing"),
    (&["GetIpForwardEntry2", "GetIpForwardTable2", "DeleteIpForwardEntry2"], "ERROR_NOT_SUPPORTED", FAMILY),
    (&["GetIpForwardEntry2", "GetIpForwardTable2", "DeleteIpForwardEntry2"], "STATUS_NOT_SUPPORTED", FAMILY),
    (&["GetIpForwardTable", "DeleteIpForwardEntry"], "ERROR_NOT_SUPPORTED", FAMILY),
    (&["GetIpForwardTable2"], "ERROR_NOT_ENOUGH_MEMORY", MEMORY),
    (&["GetIpForwardTable2"], "STATUS_NOT_ENOUGH_MEMORY", MEMORY),
];

#[test]
fn each_documented_code_is_provoked_or_has_a_reason() {
    let mut walk = isolated(|| {
        // What TCP learns of paths is forgotten for nobody in a user namespace (`TCP_METRICS_CMD_DEL`).
        iphelper_testkit::set_sysctl("ipv4/tcp_no_metrics_save", "1");
        let mut walk = Walk::new();
        tcp::tcp_tables(&mut walk);
        tcp::tcp_owners(&mut walk);
        tcp::tcp_deletion(&mut walk);
        estats::connections(&mut walk);
        estats::tables_of_windows_xp();
        estats::owner_of_pid_and_info();
        udp::udp_tables(&mut walk);
        statistics::counters(&mut walk);
        statistics::settings(&mut walk);
        udp::udp_owners(&mut walk);
        interface::first_generation(&mut walk);
        interface::interfaces(&mut walk);
        ip_interface::ip_interfaces(&mut walk);
        convert::conversion(&mut walk);
        address_text::masks(&mut walk);
        address_text::network_strings(&mut walk);
        address_text::addresses_and_text(&mut walk);
        address_text::ethernet(&mut walk);
        icmp::echoes(&mut walk);
        best_route::best_routes(&mut walk);
        best_route::best_routes2(&mut walk);
        best_route::paths(&mut walk);
        best_route::routers(&mut walk);
        best_route::distances();
        best_route::sorted_pairs(&mut walk);
        neighbor::neighbors(&mut walk);
        adapter::adapters(&mut walk);
        address::addresses(&mut walk);
        notification::notifications(&mut walk);
        notification::one_change(&mut walk);
        route::routes(&mut walk);
        route::first_generation(&mut walk);
        timestamp::timestamps(&mut walk);
        connectivity::hints(&mut walk);
        dns::network_params(&mut walk);
        absent::teredo(&mut walk);
        absent::without_pages();
        compartment::compartments(&mut walk);
        port_reservation::reservations(&mut walk);
        walk
    });
    let impossible: BTreeMap<(&str, &str), &str> = IMPOSSIBLE
        .iter()
        .flat_map(|(functions, code, reason)| {
            functions.iter().map(move |function| ((*function, *code), *reason))
        })
        .collect();
    let mut documented = BTreeSet::new();
    for row in support::facts("functions.tsv") {
        for code in row[2].split(',').chain(row[3].split(',')).filter(|code| !code.is_empty()) {
            let _ = documented.insert((row[0].clone(), code.to_owned()));
        }
    }
    for (function, code) in &documented {
        let key = (function.as_str(), code.as_str());
        let provoked = walk.provoked.iter().any(|entry| *entry == key);
        match (provoked, impossible.get(&key)) {
            (true, None) => {}
            (false, Some(reason)) => println!("{function}: {code} not provoked: {reason}"),
            (true, Some(_)) => panic!("{function}: {code} was provoked though listed as impossible"),
            (false, None) => panic!("{function}: {code} is documented and neither provoked nor explained"),
        }
    }
    for key in impossible.keys() {
        assert!(
            documented.contains(&(key.0.to_owned(), key.1.to_owned())),
            "{key:?} is explained, not documented"
        );
    }
    walk.provoked
        .retain(|(function, code)| !documented.contains(&((*function).to_owned(), (*code).to_owned())));
    println!("beyond the pages: {:?}", walk.provoked);
}
