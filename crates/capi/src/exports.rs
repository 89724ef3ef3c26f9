//! The exported symbols, by Windows' names. A crate of type `cdylib` uses one of the macros and has nothing else.

/// Exports what `netioapi.h` declares, in one [flavour](crate::error::Flavour).
///
/// Something else is done with the list of functions where another macro is named, as the tests do that call each of
/// them: the value is what that macro makes of the list.
///
/// `if_nametoindex` and `if_indextoname` must not replace the C library's, whose parameters differ; they are exported
/// under other names, which the header hides.
#[macro_export]
macro_rules! export_netioapi {
    ($flavour:ty) => {
        const _: () = $crate::export_netioapi!($flavour, $crate::export);
    };
    ($flavour:ty, $($with:tt)+) => {
        {
            use $crate::error::Flavour;
            use $crate::address::StableUnicastIpAddressTableCallback;
            use $crate::raw::*;
            use $crate::*;
            use $crate::notification::{
                IpInterfaceChangeCallback, RouteChangeCallback, UnicastIpAddressChangeCallback,
            };
            use std::ffi::c_void;

            type Status = <$flavour as Flavour>::Status;

            $($with)+! {
                CancelMibChangeNotify2(handle: HANDLE) -> Status = notification::cancel::<$flavour>;
                ConvertCompartmentGuidToId(guid: *const GUID, id: *mut u32) -> Status
                    = compartment::compartment_guid_to_id::<$flavour>;
                ConvertCompartmentIdToGuid(id: u32, guid: *mut GUID) -> Status
                    = compartment::compartment_id_to_guid::<$flavour>;
                ConvertInterfaceAliasToLuid(alias: *const u16, luid: *mut NET_LUID) -> Status
                    = convert::alias_to_luid::<$flavour>;
                ConvertInterfaceGuidToLuid(guid: *const GUID, luid: *mut NET_LUID) -> Status
                    = convert::guid_to_luid::<$flavour>;
                ConvertInterfaceIndexToLuid(index: u32, luid: *mut NET_LUID) -> Status
                    = convert::index_to_luid::<$flavour>;
                ConvertInterfaceLuidToAlias(luid: *const NET_LUID, alias: *mut u16, length: usize) -> Status
                    = convert::luid_to_alias::<$flavour>;
                ConvertInterfaceLuidToGuid(luid: *const NET_LUID, guid: *mut GUID) -> Status
                    = convert::luid_to_guid::<$flavour>;
                ConvertInterfaceLuidToIndex(luid: *const NET_LUID, index: *mut u32) -> Status
                    = convert::luid_to_index::<$flavour>;
                ConvertInterfaceLuidToNameA(luid: *const NET_LUID, name: *mut u8, length: usize) -> Status
                    = convert::luid_to_name_a::<$flavour>;
                ConvertInterfaceLuidToNameW(luid: *const NET_LUID, name: *mut u16, length: usize) -> Status
                    = convert::luid_to_name_w::<$flavour>;
                ConvertInterfaceNameToLuidA(name: *const u8, luid: *mut NET_LUID) -> Status
                    = convert::name_to_luid_a::<$flavour>;
                ConvertInterfaceNameToLuidW(name: *const u16, luid: *mut NET_LUID) -> Status
                    = convert::name_to_luid_w::<$flavour>;
                ConvertIpv4MaskToLength(mask: u32, length: *mut u8) -> Status = convert::mask_to_length::<$flavour>;
                ConvertLengthToIpv4Mask(length: u32, mask: *mut u32) -> Status = convert::length_to_mask::<$flavour>;
                CreateAnycastIpAddressEntry(row: *const MIB_ANYCASTIPADDRESS_ROW) -> Status
                    = address::create_anycast_ip_address_entry::<$flavour>;
                CreateFlVirtualInterface(row: *const MIB_FL_VIRTUAL_INTERFACE_ROW) -> Status
                    = absent::change_fl_virtual_interface::<$flavour>;
                CreateIpForwardEntry2(row: *const MIB_IPFORWARD_ROW2) -> Status
                    = route::create_ip_forward_entry2::<$flavour>;
                CreateIpNetEntry2(row: *const MIB_IPNET_ROW2) -> Status = neighbor::create_ip_net_entry2::<$flavour>;
                CreateSortedAddressPairs(
                    sources: *const SOCKADDR_IN6, source_count: u32, destinations: *const SOCKADDR_IN6,
                    destination_count: u32, options: u32, pairs: *mut *mut SOCKADDR_IN6_PAIR, pair_count: *mut u32
                ) -> Status = destination::create_sorted_address_pairs::<$flavour>;
                CreateUnicastIpAddressEntry(row: *const MIB_UNICASTIPADDRESS_ROW) -> Status
                    = address::create_unicast_ip_address_entry::<$flavour>;
                DeleteAnycastIpAddressEntry(row: *const MIB_ANYCASTIPADDRESS_ROW) -> Status
                    = address::delete_anycast_ip_address_entry::<$flavour>;
                DeleteFlVirtualInterface(row: *const MIB_FL_VIRTUAL_INTERFACE_ROW) -> Status
                    = absent::change_fl_virtual_interface::<$flavour>;
                DeleteIpForwardEntry2(row: *const MIB_IPFORWARD_ROW2) -> Status
                    = route::delete_ip_forward_entry2::<$flavour>;
                DeleteIpNetEntry2(row: *const MIB_IPNET_ROW2) -> Status = neighbor::delete_ip_net_entry2::<$flavour>;
                DeleteUnicastIpAddressEntry(row: *const MIB_UNICASTIPADDRESS_ROW) -> Status
                    = address::delete_unicast_ip_address_entry::<$flavour>;
                FlushIpNetTable2(family: u16, index: u32) -> Status = neighbor::flush_ip_net_table2::<$flavour>;
                FlushIpPathTable(family: u16) -> Status = path::flush_ip_path_table::<$flavour>;
                FreeDnsSettings(settings: *mut DNS_SETTINGS) = dns::free_dns_settings;
                FreeInterfaceDnsSettings(settings: *mut DNS_INTERFACE_SETTINGS) = dns::free_interface_dns_settings;
                FreeMibTable(memory: *mut c_void) = memory::free_mib_table;
                GetAnycastIpAddressEntry(row: *mut MIB_ANYCASTIPADDRESS_ROW) -> Status
                    = address::anycast_ip_address_entry::<$flavour>;
                GetAnycastIpAddressTable(family: u16, table: *mut *mut MIB_ANYCASTIPADDRESS_TABLE) -> Status
                    = address::anycast_ip_address_table::<$flavour>;
                GetBestRoute2(
                    luid: *const NET_LUID, index: u32, source: *const SOCKADDR_INET,
                    destination: *const SOCKADDR_INET, options: u32, best_route: *mut MIB_IPFORWARD_ROW2,
                    best_source: *mut SOCKADDR_INET
                ) -> Status = best_route::best_route2::<$flavour>;
                GetCurrentThreadCompartmentId() -> u32 = compartment::current_thread_compartment_id;
                GetCurrentThreadCompartmentScope(scope: *mut u32, id: *mut u32)
                    = compartment::current_thread_compartment_scope;
                GetDefaultCompartmentId() -> u32 = compartment::default_compartment_id;
                GetDnsSettings(settings: *mut DNS_SETTINGS) -> Status = dns::dns_settings::<$flavour>;
                GetFlVirtualInterface(row: *mut MIB_FL_VIRTUAL_INTERFACE_ROW) -> Status
                    = absent::fl_virtual_interface::<$flavour>;
                GetFlVirtualInterfaceTable(family: u16, table: *mut *mut MIB_FL_VIRTUAL_INTERFACE_TABLE) -> Status
                    = absent::fl_virtual_interface_table::<$flavour>;
                GetIfEntry2(row: *mut MIB_IF_ROW2) -> Status = interface::if_entry2::<$flavour>;
                GetIfEntry2Ex(level: i32, row: *mut MIB_IF_ROW2) -> Status = interface::if_entry2_ex::<$flavour>;
                GetIfStackTable(table: *mut *mut MIB_IFSTACK_TABLE) -> Status
                    = interface::if_stack_table::<$flavour>;
                GetIfTable2(table: *mut *mut MIB_IF_TABLE2) -> Status = interface::if_table2::<$flavour>;
                GetIfTable2Ex(level: i32, table: *mut *mut MIB_IF_TABLE2) -> Status
                    = interface::if_table2_ex::<$flavour>;
                GetInterfaceDnsSettings(interface: GUID, settings: *mut DNS_INTERFACE_SETTINGS) -> Status
                    = dns::interface_dns_settings::<$flavour>;
                GetInvertedIfStackTable(table: *mut *mut MIB_INVERTEDIFSTACK_TABLE) -> Status
                    = interface::inverted_if_stack_table::<$flavour>;
                GetIpForwardEntry2(row: *mut MIB_IPFORWARD_ROW2) -> Status = route::ip_forward_entry2::<$flavour>;
                GetIpForwardTable2(family: u16, table: *mut *mut MIB_IPFORWARD_TABLE2) -> Status
                    = route::ip_forward_table2::<$flavour>;
                GetIpInterfaceEntry(row: *mut MIB_IPINTERFACE_ROW) -> Status
                    = ip_interface::ip_interface_entry::<$flavour>;
                GetIpInterfaceTable(family: u16, table: *mut *mut MIB_IPINTERFACE_TABLE) -> Status
                    = ip_interface::ip_interface_table::<$flavour>;
                GetIpNetEntry2(row: *mut MIB_IPNET_ROW2) -> Status = neighbor::ip_net_entry2::<$flavour>;
                GetIpNetTable2(family: u16, table: *mut *mut MIB_IPNET_TABLE2) -> Status
                    = neighbor::ip_net_table2::<$flavour>;
                GetIpNetworkConnectionBandwidthEstimates(
                    index: u32, family: u16, estimates: *mut MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES
                ) -> Status = path::bandwidth_estimates::<$flavour>;
                GetIpPathEntry(row: *mut MIB_IPPATH_ROW) -> Status = path::ip_path_entry::<$flavour>;
                GetIpPathTable(family: u16, table: *mut *mut MIB_IPPATH_TABLE) -> Status
                    = path::ip_path_table::<$flavour>;
                GetJobCompartmentId(job: HANDLE) -> u32 = compartment::job_compartment_id;
                GetMulticastIpAddressEntry(row: *mut MIB_MULTICASTIPADDRESS_ROW) -> Status
                    = address::multicast_ip_address_entry::<$flavour>;
                GetMulticastIpAddressTable(family: u16, table: *mut *mut MIB_MULTICASTIPADDRESS_TABLE) -> Status
                    = address::multicast_ip_address_table::<$flavour>;
                GetNetworkInformation(
                    guid: *const GUID, id: *mut u32, site: *mut u32, name: *mut u16, length: u32
                ) -> Status = compartment::network_information::<$flavour>;
                GetSessionCompartmentId(session: u32) -> u32 = compartment::session_compartment_id;
                GetNetworkConnectivityHint(hint: *mut NL_NETWORK_CONNECTIVITY_HINT) -> Status
                    = connectivity::connectivity_hint::<$flavour>;
                GetNetworkConnectivityHintForInterface(index: u32, hint: *mut NL_NETWORK_CONNECTIVITY_HINT) -> Status
                    = connectivity::interface_connectivity_hint::<$flavour>;
                GetTeredoPort(port: *mut u16) -> Status = absent::teredo_port::<$flavour>;
                GetUnicastIpAddressEntry(row: *mut MIB_UNICASTIPADDRESS_ROW) -> Status
                    = address::unicast_ip_address_entry::<$flavour>;
                GetUnicastIpAddressTable(family: u16, table: *mut *mut MIB_UNICASTIPADDRESS_TABLE) -> Status
                    = address::unicast_ip_address_table::<$flavour>;
                InitializeFlVirtualInterfaceEntry(row: *mut MIB_FL_VIRTUAL_INTERFACE_ROW)
                    = absent::initialize_fl_virtual_interface_entry;
                InitializeIpForwardEntry(row: *mut MIB_IPFORWARD_ROW2) = route::initialize_ip_forward_entry;
                InitializeIpInterfaceEntry(row: *mut MIB_IPINTERFACE_ROW)
                    = ip_interface::initialize_ip_interface_entry;
                InitializeUnicastIpAddressEntry(row: *mut MIB_UNICASTIPADDRESS_ROW)
                    = address::initialize_unicast_ip_address_entry;
                NotifyIpInterfaceChange(
                    family: u16, callback: Option<IpInterfaceChangeCallback>, context: *mut c_void, initial: u8,
                    handle: *mut HANDLE
                ) -> Status = notification::notify_ip_interface_change::<$flavour>;
                NotifyNetworkConnectivityHintChange(
                    callback: PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK, context: *mut c_void, initial: u8, handle: *mut HANDLE
                ) -> Status = connectivity::notify_connectivity_hint_change::<$flavour>;
                NotifyRouteChange2(
                    family: u16, callback: Option<RouteChangeCallback>, context: *mut c_void, initial: u8,
                    handle: *mut HANDLE
                ) -> Status = notification::notify_route_change2::<$flavour>;
                NotifyStableUnicastIpAddressTable(
                    family: u16, table: *mut *mut MIB_UNICASTIPADDRESS_TABLE,
                    callback: Option<StableUnicastIpAddressTableCallback>, context: *mut c_void, handle: *mut HANDLE
                ) -> Status = address::notify_stable_unicast_ip_address_table::<$flavour>;
                NotifyTeredoPortChange(
                    callback: PTEREDO_PORT_CHANGE_CALLBACK, context: *mut c_void, initial: u8, handle: *mut HANDLE
                ) -> Status = absent::notify_teredo_port_change::<$flavour>;
                NotifyUnicastIpAddressChange(
                    family: u16, callback: Option<UnicastIpAddressChangeCallback>, context: *mut c_void, initial: u8,
                    handle: *mut HANDLE
                ) -> Status = notification::notify_unicast_ip_address_change::<$flavour>;
                ResolveIpNetEntry2(row: *mut MIB_IPNET_ROW2, source: *const SOCKADDR_INET) -> Status
                    = neighbor::resolve_ip_net_entry2::<$flavour>;
                SetCurrentThreadCompartmentId(id: u32) -> Status
                    = compartment::set_current_thread_compartment_id::<$flavour>;
                SetCurrentThreadCompartmentScope(scope: u32) -> Status
                    = compartment::set_current_thread_compartment_scope::<$flavour>;
                SetDnsSettings(settings: *const DNS_SETTINGS) -> Status = dns::set_dns_settings::<$flavour>;
                SetFlVirtualInterface(row: *const MIB_FL_VIRTUAL_INTERFACE_ROW) -> Status
                    = absent::change_fl_virtual_interface::<$flavour>;
                SetInterfaceDnsSettings(interface: GUID, settings: *const DNS_INTERFACE_SETTINGS) -> Status
                    = dns::set_interface_dns_settings::<$flavour>;
                SetIpForwardEntry2(row: *const MIB_IPFORWARD_ROW2) -> Status
                    = route::set_ip_forward_entry2::<$flavour>;
                SetIpInterfaceEntry(row: *mut MIB_IPINTERFACE_ROW) -> Status
                    = ip_interface::set_ip_interface_entry::<$flavour>;
                SetIpNetEntry2(row: *const MIB_IPNET_ROW2) -> Status = neighbor::set_ip_net_entry2::<$flavour>;
                SetJobCompartmentId(job: HANDLE, id: u32) -> Status
                    = compartment::set_job_compartment_id::<$flavour>;
                SetNetworkInformation(guid: *const GUID, id: u32, name: *const u16) -> Status
                    = compartment::set_network_information::<$flavour>;
                SetSessionCompartmentId(session: u32, id: u32) -> Status
                    = compartment::set_session_compartment_id::<$flavour>;
                SetUnicastIpAddressEntry(row: *const MIB_UNICASTIPADDRESS_ROW) -> Status
                    = address::set_unicast_ip_address_entry::<$flavour>;
                iphelper_if_indextoname(index: u32, name: *mut u8) -> *mut u8 = convert::index_to_name;
                iphelper_if_nametoindex(name: *const u8) -> u32 = convert::name_to_index;
            }
        }
    };
}

/// Exports what `iphlpapi.h` declares beyond `netioapi.h`, and the error functions of `windows.h`. Programs alone have
/// these: they return Win32 codes.
#[macro_export]
macro_rules! export_iphlpapi {
    () => {
        const _: () = $crate::export_iphlpapi!($crate::export);
        const _: () = $crate::export_windows!($crate::export);
    };
    ($($with:tt)+) => {
        {
            use $crate::error::{format_message, ip_error_string, last_error};
            use $crate::icmp;
            use $crate::notification::overlapped;
            use $crate::raw::*;
            use $crate::*;
            use std::ffi::c_void;

            $($with)+! {
                AddIPAddress(
                    address: u32, mask: u32, index: u32, context: *mut u32, instance: *mut u32
                ) -> u32 = address::add_ip_address;
                AllocateAndGetTcpExTableFromStack(
                    table: *mut *mut c_void, order: i32, heap: HANDLE, flags: u32, family: u32
                ) -> u32 = tcp::allocate_tcp_ex_table;
                AllocateAndGetUdpExTableFromStack(
                    table: *mut *mut c_void, order: i32, heap: HANDLE, flags: u32, family: u32
                ) -> u32 = udp::allocate_udp_ex_table;
                CancelIPChangeNotify(overlapped: *const OVERLAPPED) -> i32 = overlapped::cancel_ip_change_notify;
                CancelIfTimestampConfigChange(handle: HANDLE) = timestamp::unregister_change;
                CancelSecurityHealthChangeNotify(overlapped: *mut OVERLAPPED) -> u32
                    = absent::cancel_security_health_change_notify;
                CaptureInterfaceHardwareCrossTimestamp(
                    luid: *const NET_LUID, timestamp: *mut INTERFACE_HARDWARE_CROSSTIMESTAMP
                ) -> u32 = timestamp::hardware_cross_timestamp;
                CreateIpForwardEntry(row: *const MIB_IPFORWARDROW) -> u32 = route::create_ip_forward_entry;
                CreateIpNetEntry(row: *const MIB_IPNETROW) -> u32 = neighbor::create_ip_net_entry;
                CreatePersistentTcpPortReservation(start: u16, count: u16, token: *mut u64) -> u32
                    = port_reservation::create_tcp;
                CreatePersistentUdpPortReservation(start: u16, count: u16, token: *mut u64) -> u32
                    = port_reservation::create_udp;
                CreateProxyArpEntry(address: u32, mask: u32, index: u32) -> u32 = neighbor::create_proxy_arp_entry;
                DeleteIPAddress(context: u32) -> u32 = address::delete_ip_address;
                DeleteIpForwardEntry(row: *const MIB_IPFORWARDROW) -> u32 = route::delete_ip_forward_entry;
                DeleteIpNetEntry(row: *const MIB_IPNETROW) -> u32 = neighbor::delete_ip_net_entry;
                DeletePersistentTcpPortReservation(start: u16, count: u16) -> u32
                    = port_reservation::delete_tcp;
                DeletePersistentUdpPortReservation(start: u16, count: u16) -> u32
                    = port_reservation::delete_udp;
                DeleteProxyArpEntry(address: u32, mask: u32, index: u32) -> u32 = neighbor::delete_proxy_arp_entry;
                DisableMediaSense(handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> u32
                    = adapter::disable_media_sense;
                EnableRouter(handle: *mut HANDLE, overlapped: *mut c_void) -> u32 = router::enable_router;
                FlushIpNetTable(index: u32) -> u32 = neighbor::flush_ip_net_table;
                FormatMessageA(
                    flags: u32, source: *const c_void, id: u32, language: u32, buffer: *mut u8, size: u32,
                    arguments: *mut c_void
                ) -> u32 = format_message::narrow;
                FormatMessageW(
                    flags: u32, source: *const c_void, id: u32, language: u32, buffer: *mut u16, size: u32,
                    arguments: *mut c_void
                ) -> u32 = format_message::wide;
                GetAdapterIndex(name: *const u16, index: *mut u32) -> u32 = adapter::adapter_index;
                GetAdapterOrderMap() -> *mut IP_ADAPTER_ORDER_MAP = adapter::adapter_order_map;
                GetAdaptersAddresses(
                    family: u32, flags: u32, reserved: *mut c_void, addresses: *mut IP_ADAPTER_ADDRESSES,
                    size: *mut u32
                ) -> u32 = adapter::adapters_addresses;
                GetAdaptersInfo(info: *mut IP_ADAPTER_INFO, size: *mut u32) -> u32 = adapter::adapters_info;
                GetBestInterface(destination: u32, index: *mut u32) -> u32 = best_route::best_interface;
                GetBestInterfaceEx(destination: *const c_void, index: *mut u32) -> u32
                    = best_route::best_interface_ex;
                GetBestRoute(destination: u32, source: u32, route: *mut MIB_IPFORWARDROW) -> u32
                    = best_route::best_route;
                GetExtendedTcpTable(
                    table: *mut c_void, size: *mut u32, order: i32, family: u32, class: i32, reserved: u32
                ) -> u32 = tcp::extended_tcp_table;
                GetExtendedUdpTable(
                    table: *mut c_void, size: *mut u32, order: i32, family: u32, class: i32, reserved: u32
                ) -> u32 = udp::extended_udp_table;
                GetFriendlyIfIndex(index: u32) -> u32 = adapter::friendly_if_index;
                GetIcmpStatistics(statistics: *mut MIB_ICMP) -> u32 = statistics::icmp_statistics;
                GetIcmpStatisticsEx(statistics: *mut MIB_ICMP_EX, family: u32) -> u32 = statistics::icmp_statistics_ex;
                GetIfEntry(row: *mut MIB_IFROW) -> u32 = interface::if_entry;
                GetIfTable(table: *mut MIB_IFTABLE, size: *mut u32, order: i32) -> u32 = interface::if_table;
                GetInterfaceActiveTimestampCapabilities(
                    luid: *const NET_LUID, capabilities: *mut INTERFACE_TIMESTAMP_CAPABILITIES
                ) -> u32 = timestamp::active_capabilities;
                GetInterfaceCurrentTimestampCapabilities(
                    luid: *const NET_LUID, capabilities: *mut INTERFACE_TIMESTAMP_CAPABILITIES
                ) -> u32 = timestamp::active_capabilities;
                GetInterfaceHardwareTimestampCapabilities(
                    luid: *const NET_LUID, capabilities: *mut INTERFACE_TIMESTAMP_CAPABILITIES
                ) -> u32 = timestamp::supported_capabilities;
                GetInterfaceSupportedTimestampCapabilities(
                    luid: *const NET_LUID, capabilities: *mut INTERFACE_TIMESTAMP_CAPABILITIES
                ) -> u32 = timestamp::supported_capabilities;
                GetInterfaceInfo(info: *mut IP_INTERFACE_INFO, size: *mut u32) -> u32 = adapter::interface_info;
                GetIpAddrTable(table: *mut MIB_IPADDRTABLE, size: *mut u32, order: i32) -> u32
                    = address::ip_addr_table;
                GetIpForwardTable(table: *mut MIB_IPFORWARDTABLE, size: *mut u32, order: i32) -> u32
                    = route::ip_forward_table;
                GetIpNetTable(table: *mut MIB_IPNETTABLE, size: *mut u32, order: i32) -> u32 = neighbor::ip_net_table;
                GetIpStatistics(statistics: *mut MIB_IPSTATS) -> u32 = statistics::ip_statistics;
                GetIpStatisticsEx(statistics: *mut MIB_IPSTATS, family: u32) -> u32 = statistics::ip_statistics_ex;
                GetIpErrorString(status: u32, buffer: *mut u16, size: *mut u32) -> u32
                    = ip_error_string::ip_error_string;
                GetLastError() -> u32 = last_error::get;
                GetNetworkParams(info: *mut FIXED_INFO, size: *mut u32) -> u32 = dns::network_params;
                GetNumberOfInterfaces(number: *mut u32) -> u32 = interface::number_of_interfaces;
                GetOwnerModuleFromPidAndInfo(
                    pid: u32, info: *const ULONG64, class: i32, buffer: *mut c_void, size: *mut u32
                ) -> u32 = owner_module::owner_module_from_pid_and_info;
                GetOwnerModuleFromTcp6Entry(
                    row: *const MIB_TCP6ROW_OWNER_MODULE, class: i32, buffer: *mut c_void, size: *mut u32
                ) -> u32 = owner_module::owner_module::<MIB_TCP6ROW_OWNER_MODULE>;
                GetOwnerModuleFromTcpEntry(
                    row: *const MIB_TCPROW_OWNER_MODULE, class: i32, buffer: *mut c_void, size: *mut u32
                ) -> u32 = owner_module::owner_module::<MIB_TCPROW_OWNER_MODULE>;
                GetOwnerModuleFromUdp6Entry(
                    row: *const MIB_UDP6ROW_OWNER_MODULE, class: i32, buffer: *mut c_void, size: *mut u32
                ) -> u32 = owner_module::owner_module::<MIB_UDP6ROW_OWNER_MODULE>;
                GetOwnerModuleFromUdpEntry(
                    row: *const MIB_UDPROW_OWNER_MODULE, class: i32, buffer: *mut c_void, size: *mut u32
                ) -> u32 = owner_module::owner_module::<MIB_UDPROW_OWNER_MODULE>;
                GetPerTcp6ConnectionEStats(
                    row: *const MIB_TCP6ROW, class: i32, rw: *mut u8, rw_version: u32, rw_size: u32, ros: *mut u8,
                    ros_version: u32, ros_size: u32, rod: *mut u8, rod_version: u32, rod_size: u32
                ) -> u32 = estats::connection_estats::<MIB_TCP6ROW>;
                GetPerTcpConnectionEStats(
                    row: *const MIB_TCPROW, class: i32, rw: *mut u8, rw_version: u32, rw_size: u32, ros: *mut u8,
                    ros_version: u32, ros_size: u32, rod: *mut u8, rod_version: u32, rod_size: u32
                ) -> u32 = estats::connection_estats::<MIB_TCPROW>;
                GetPerAdapterInfo(index: u32, info: *mut IP_PER_ADAPTER_INFO, size: *mut u32) -> u32
                    = adapter::per_adapter_info;
                GetRTTAndHopCount(destination: u32, hops: *mut u32, most: u32, rtt: *mut u32) -> i32
                    = round_trip::rtt_and_hop_count;
                GetTcp6Table(table: *mut MIB_TCP6TABLE, size: *mut u32, order: i32) -> u32 = tcp::tcp6_table;
                GetTcp6Table2(table: *mut MIB_TCP6TABLE2, size: *mut u32, order: i32) -> u32 = tcp::tcp6_table2;
                GetTcpStatistics(statistics: *mut MIB_TCPSTATS) -> u32 = statistics::tcp_statistics;
                GetTcpStatisticsEx(statistics: *mut MIB_TCPSTATS, family: u32) -> u32 = statistics::tcp_statistics_ex;
                GetTcpStatisticsEx2(statistics: *mut MIB_TCPSTATS2, family: u32) -> u32
                    = statistics::tcp_statistics_ex2;
                GetTcpTable(table: *mut MIB_TCPTABLE, size: *mut u32, order: i32) -> u32 = tcp::tcp_table;
                GetTcpTable2(table: *mut MIB_TCPTABLE2, size: *mut u32, order: i32) -> u32 = tcp::tcp_table2;
                GetUdp6Table(table: *mut MIB_UDP6TABLE, size: *mut u32, order: i32) -> u32 = udp::udp6_table;
                GetUdpStatistics(statistics: *mut MIB_UDPSTATS) -> u32 = statistics::udp_statistics;
                GetUdpStatisticsEx(statistics: *mut MIB_UDPSTATS, family: u32) -> u32 = statistics::udp_statistics_ex;
                GetUdpStatisticsEx2(statistics: *mut MIB_UDPSTATS2, family: u32) -> u32
                    = statistics::udp_statistics_ex2;
                GetUdpTable(table: *mut MIB_UDPTABLE, size: *mut u32, order: i32) -> u32 = udp::udp_table;
                GetUniDirectionalAdapterInfo(
                    info: *mut IP_UNIDIRECTIONAL_ADAPTER_ADDRESS, size: *mut u32
                ) -> u32 = adapter::unidirectional_adapter_info;
                Icmp6CreateFile() -> HANDLE = icmp::create_file6;
                Icmp6ParseReplies(buffer: *mut c_void, size: u32) -> u32 = icmp::parse_replies6;
                Icmp6SendEcho2(
                    handle: HANDLE, event: HANDLE, routine: PIO_APC_ROUTINE, context: *mut c_void,
                    source: *const SOCKADDR_IN6, destination: *const SOCKADDR_IN6, data: *const c_void, size: u16,
                    options: *const IP_OPTION_INFORMATION, buffer: *mut c_void, buffer_size: u32, timeout: u32
                ) -> u32 = icmp::send_echo6;
                IcmpCloseHandle(handle: HANDLE) -> i32 = icmp::close_handle;
                IcmpCreateFile() -> HANDLE = icmp::create_file;
                IcmpParseReplies(buffer: *mut c_void, size: u32) -> u32 = icmp::parse_replies;
                IcmpSendEcho(
                    handle: HANDLE, destination: u32, data: *const c_void, size: u16,
                    options: *const IP_OPTION_INFORMATION, buffer: *mut c_void, buffer_size: u32, timeout: u32
                ) -> u32 = icmp::send_echo;
                IcmpSendEcho2(
                    handle: HANDLE, event: HANDLE, routine: PIO_APC_ROUTINE, context: *mut c_void, destination: u32,
                    data: *const c_void, size: u16, options: *const IP_OPTION_INFORMATION, buffer: *mut c_void,
                    buffer_size: u32, timeout: u32
                ) -> u32 = icmp::send_echo2;
                IcmpSendEcho2Ex(
                    handle: HANDLE, event: HANDLE, routine: PIO_APC_ROUTINE, context: *mut c_void, source: u32,
                    destination: u32, data: *const c_void, size: u16, options: *const IP_OPTION_INFORMATION,
                    buffer: *mut c_void, buffer_size: u32, timeout: u32
                ) -> u32 = icmp::send_echo2_ex;
                IpReleaseAddress(map: *const IP_ADAPTER_INDEX_MAP) -> u32 = adapter::ip_release_address;
                IpRenewAddress(map: *const IP_ADAPTER_INDEX_MAP) -> u32 = adapter::ip_renew_address;
                LocalAlloc(flags: u32, size: usize) -> *mut c_void = memory::local_alloc;
                LocalFree(memory: *mut c_void) -> *mut c_void = memory::local_free;
                LookupPersistentTcpPortReservation(start: u16, count: u16, token: *mut u64) -> u32
                    = port_reservation::lookup_tcp;
                LookupPersistentUdpPortReservation(start: u16, count: u16, token: *mut u64) -> u32
                    = port_reservation::lookup_udp;
                NhpAllocateAndGetInterfaceInfoFromStack(
                    table: *mut *mut IP_INTERFACE_NAME_INFO, count: *mut u32, order: i32, heap: HANDLE, flags: u32
                ) -> u32 = adapter::interface_info_from_stack;
                NotifyAddrChange(handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> u32
                    = overlapped::notify_addr_change;
                NotifyIfTimestampConfigChange(
                    context: *mut c_void, callback: PINTERFACE_TIMESTAMP_CONFIG_CHANGE_CALLBACK, handle: *mut HANDLE
                ) -> u32 = timestamp::notify_change;
                NotifyRouteChange(handle: *mut HANDLE, overlapped: *mut OVERLAPPED) -> u32
                    = overlapped::notify_route_change;
                NotifySecurityHealthChange(
                    handle: *mut HANDLE, overlapped: *mut OVERLAPPED, flags: *mut u32
                ) -> u32 = absent::notify_security_health_change;
                ParseNetworkString(
                    text: *const u16, types: u32, info: *mut NET_ADDRESS_INFO, port: *mut u16, prefix_length: *mut u8
                ) -> u32 = convert::parse_string;
                RegisterInterfaceTimestampConfigChange(
                    callback: PINTERFACE_TIMESTAMP_CONFIG_CHANGE_CALLBACK, context: *mut c_void, handle: *mut HANDLE
                ) -> u32 = timestamp::register_change;
                ResolveNeighbor(address: *const c_void, physical: *mut c_void, length: *mut u32) -> u32
                    = neighbor::resolve_neighbor;
                RestoreMediaSense(overlapped: *mut OVERLAPPED, count: *mut u32) -> u32 = adapter::restore_media_sense;
                RtlEthernetAddressToStringA(address: *const DL_EUI48, text: *mut u8) -> *mut u8
                    = convert::ethernet_to_string::<u8>;
                RtlEthernetAddressToStringW(address: *const DL_EUI48, text: *mut u16) -> *mut u16
                    = convert::ethernet_to_string::<u16>;
                RtlEthernetStringToAddressA(text: *const u8, rest: *mut *const u8, address: *mut DL_EUI48) -> i32
                    = convert::string_to_ethernet::<u8>;
                RtlEthernetStringToAddressW(text: *const u16, rest: *mut *const u16, address: *mut DL_EUI48) -> i32
                    = convert::string_to_ethernet::<u16>;
                RtlIpv4AddressToStringA(address: *const IN_ADDR, text: *mut u8) -> *mut u8
                    = convert::ipv4_to_string::<u8>;
                RtlIpv4AddressToStringExA(address: *const IN_ADDR, port: u16, text: *mut u8, length: *mut u32) -> i32
                    = convert::ipv4_to_string_ex::<u8>;
                RtlIpv4AddressToStringExW(address: *const IN_ADDR, port: u16, text: *mut u16, length: *mut u32) -> i32
                    = convert::ipv4_to_string_ex::<u16>;
                RtlIpv4AddressToStringW(address: *const IN_ADDR, text: *mut u16) -> *mut u16
                    = convert::ipv4_to_string::<u16>;
                RtlIpv4StringToAddressA(
                    text: *const u8, strict: u8, rest: *mut *const u8, address: *mut IN_ADDR
                ) -> i32 = convert::string_to_ipv4::<u8>;
                RtlIpv4StringToAddressExA(text: *const u8, strict: u8, address: *mut IN_ADDR, port: *mut u16) -> i32
                    = convert::string_to_ipv4_ex::<u8>;
                RtlIpv4StringToAddressExW(text: *const u16, strict: u8, address: *mut IN_ADDR, port: *mut u16) -> i32
                    = convert::string_to_ipv4_ex::<u16>;
                RtlIpv4StringToAddressW(
                    text: *const u16, strict: u8, rest: *mut *const u16, address: *mut IN_ADDR
                ) -> i32 = convert::string_to_ipv4::<u16>;
                RtlIpv6AddressToStringA(address: *const IN6_ADDR, text: *mut u8) -> *mut u8
                    = convert::ipv6_to_string::<u8>;
                RtlIpv6AddressToStringExA(
                    address: *const IN6_ADDR, scope_id: u32, port: u16, text: *mut u8, length: *mut u32
                ) -> i32 = convert::ipv6_to_string_ex::<u8>;
                RtlIpv6AddressToStringExW(
                    address: *const IN6_ADDR, scope_id: u32, port: u16, text: *mut u16, length: *mut u32
                ) -> i32 = convert::ipv6_to_string_ex::<u16>;
                RtlIpv6AddressToStringW(address: *const IN6_ADDR, text: *mut u16) -> *mut u16
                    = convert::ipv6_to_string::<u16>;
                RtlIpv6StringToAddressA(text: *const u8, rest: *mut *const u8, address: *mut IN6_ADDR) -> i32
                    = convert::string_to_ipv6::<u8>;
                RtlIpv6StringToAddressExA(
                    text: *const u8, address: *mut IN6_ADDR, scope_id: *mut u32, port: *mut u16
                ) -> i32 = convert::string_to_ipv6_ex::<u8>;
                RtlIpv6StringToAddressExW(
                    text: *const u16, address: *mut IN6_ADDR, scope_id: *mut u32, port: *mut u16
                ) -> i32 = convert::string_to_ipv6_ex::<u16>;
                RtlIpv6StringToAddressW(text: *const u16, rest: *mut *const u16, address: *mut IN6_ADDR) -> i32
                    = convert::string_to_ipv6::<u16>;
                SendARP(destination: u32, source: u32, physical: *mut c_void, length: *mut u32) -> u32
                    = neighbor::send_arp;
                SetIfEntry(row: *const MIB_IFROW) -> u32 = interface::set_if_entry;
                SetIpForwardEntry(row: *const MIB_IPFORWARDROW) -> u32 = route::set_ip_forward_entry;
                SetIpNetEntry(row: *const MIB_IPNETROW) -> u32 = neighbor::set_ip_net_entry;
                SetIpStatistics(statistics: *const MIB_IPSTATS) -> u32 = statistics::set_ip_statistics;
                SetIpStatisticsEx(statistics: *const MIB_IPSTATS, family: u32) -> u32
                    = statistics::set_ip_statistics_ex;
                SetIpTTL(ttl: u32) -> u32 = statistics::set_ip_ttl;
                SetLastError(code: u32) = last_error::set;
                SetPerTcp6ConnectionEStats(
                    row: *const MIB_TCP6ROW, class: i32, rw: *const u8, rw_version: u32, rw_size: u32, offset: u32
                ) -> u32 = estats::set_connection_estats::<MIB_TCP6ROW>;
                SetPerTcpConnectionEStats(
                    row: *const MIB_TCPROW, class: i32, rw: *const u8, rw_version: u32, rw_size: u32, offset: u32
                ) -> u32 = estats::set_connection_estats::<MIB_TCPROW>;
                SetTcpEntry(row: *const MIB_TCPROW) -> u32 = tcp::set_tcp_entry;
                UnenableRouter(overlapped: *mut c_void, count: *mut u32) -> u32 = router::unenable_router;
                UnregisterInterfaceTimestampConfigChange(handle: HANDLE) = timestamp::unregister_change;
            }
        }
    };
}

/// Exports what programs use of `windows.h` together with these functions, which is not IP Helper's. Another macro may take
/// the list as of [`export_netioapi!`].
#[doc(hidden)]
#[macro_export]
macro_rules! export_windows {
    ($($with:tt)+) => {
        {
            use $crate::raw::*;
            use $crate::wait::{critical_section, overlapped, registered, thread};
            use $crate::*;
            use std::ffi::c_void;

            $($with)+! {
                CloseHandle(handle: HANDLE) -> i32 = wait::close_handle;
                CreateEventA(attributes: *const c_void, manual: i32, initial: i32, name: *const u8) -> HANDLE
                    = wait::create_event_a;
                CreateEventW(attributes: *const c_void, manual: i32, initial: i32, name: *const u16) -> HANDLE
                    = wait::create_event_w;
                CreateThread(
                    attributes: *const c_void, stack: usize, routine: LPTHREAD_START_ROUTINE, argument: *mut c_void,
                    flags: u32, id: *mut u32
                ) -> HANDLE = thread::create_thread;
                DeleteCriticalSection(section: *mut CRITICAL_SECTION) = critical_section::delete;
                EnterCriticalSection(section: *mut CRITICAL_SECTION) = critical_section::enter;
                GetExitCodeThread(handle: HANDLE, code: *mut u32) -> i32 = thread::get_exit_code_thread;
                GetOverlappedResult(
                    handle: HANDLE, overlapped: *const OVERLAPPED, transferred: *mut u32, wait: i32
                ) -> i32 = overlapped::get_overlapped_result;
                GetOverlappedResultEx(
                    handle: HANDLE, overlapped: *const OVERLAPPED, transferred: *mut u32, milliseconds: u32,
                    alertable: i32
                ) -> i32 = overlapped::get_overlapped_result_ex;
                InitializeCriticalSection(section: *mut CRITICAL_SECTION) = critical_section::initialize;
                InitializeCriticalSectionAndSpinCount(section: *mut CRITICAL_SECTION, count: u32) -> i32
                    = critical_section::initialize_and_spin_count;
                InitializeCriticalSectionEx(section: *mut CRITICAL_SECTION, count: u32, flags: u32) -> i32
                    = critical_section::initialize_ex;
                LeaveCriticalSection(section: *mut CRITICAL_SECTION) = critical_section::leave;
                RegisterWaitForSingleObject(
                    handle: *mut HANDLE, object: HANDLE, routine: WAITORTIMERCALLBACK, context: *mut c_void,
                    milliseconds: u32, flags: u32
                ) -> i32 = registered::register_wait;
                ResetEvent(handle: HANDLE) -> i32 = wait::reset_event;
                SetEvent(handle: HANDLE) -> i32 = wait::set_event;
                Sleep(milliseconds: u32) = wait::sleep;
                SleepEx(milliseconds: u32, alertable: i32) -> u32 = wait::sleep_ex;
                TryEnterCriticalSection(section: *mut CRITICAL_SECTION) -> i32 = critical_section::try_enter;
                UnregisterWait(handle: HANDLE) -> i32 = registered::unregister_wait;
                UnregisterWaitEx(handle: HANDLE, completion: HANDLE) -> i32 = registered::unregister_wait_ex;
                WaitForMultipleObjects(count: u32, handles: *const HANDLE, all: i32, milliseconds: u32) -> u32
                    = wait::wait_for_multiple_objects;
                WaitForMultipleObjectsEx(
                    count: u32, handles: *const HANDLE, all: i32, milliseconds: u32, alertable: i32
                ) -> u32 = wait::wait_for_multiple_objects_ex;
                WaitForSingleObject(handle: HANDLE, milliseconds: u32) -> u32 = wait::wait_for_single_object;
                WaitForSingleObjectEx(handle: HANDLE, milliseconds: u32, alertable: i32) -> u32
                    = wait::wait_for_single_object_ex;
            }
        }
    };
}

/// Defines the functions that a library exports.
#[doc(hidden)]
#[macro_export]
macro_rules! export {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? = $function:path;)*) => {$(
        #[doc(hidden)]
        #[allow(non_snake_case, reason = "the names are Windows'")]
        #[allow(unused_unsafe, reason = "those without pointers are safe")]
        #[unsafe(no_mangle)]
        pub unsafe extern "system" fn $name($($argument: $type),*) $(-> $result)? {
            // SAFETY: the C caller's promise, passed on.
            unsafe { $function($($argument),*) }
        }
    )*};
}
