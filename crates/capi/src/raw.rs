//! C's structures and constants.
//!
//! They are `windows-sys`' declarations. Those with 64-bit members are declared here: Windows aligns such a member to
//! eight bytes on every processor, Rust on 32-bit Linux to four. So is the IP interface row, whose booleans carry 0xFF
//! for "no change", which a Rust `bool` must not hold.
#![allow(non_snake_case, non_camel_case_types, missing_docs, reason = "the names are Windows'")]
#![allow(missing_debug_implementations, reason = "windows-sys' structures inside have none")]

pub use windows_sys::Win32::Foundation::{ERROR_ACCESS_DENIED, ERROR_GEN_FAILURE, INVALID_HANDLE_VALUE};
pub use windows_sys::Win32::Foundation::{
    ERROR_BUFFER_OVERFLOW, ERROR_DEV_NOT_EXIST, ERROR_ELEVATION_REQUIRED, ERROR_INSUFFICIENT_BUFFER,
    ERROR_INVALID_DATA, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, ERROR_INVALID_USER_BUFFER,
    ERROR_IO_PENDING, ERROR_MR_MID_NOT_FOUND, ERROR_NO_DATA, ERROR_NOT_ENOUGH_MEMORY, ERROR_NOT_FOUND,
    ERROR_NOT_SUPPORTED, FILETIME, HANDLE, STATUS_BUFFER_OVERFLOW, STATUS_BUFFER_TOO_SMALL, STATUS_CANCELLED,
    STATUS_PENDING, STATUS_SUCCESS, STATUS_UNSUCCESSFUL,
};
pub use windows_sys::Win32::Foundation::{
    ERROR_IO_INCOMPLETE, WAIT_FAILED, WAIT_IO_COMPLETION, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
pub use windows_sys::Win32::NetworkManagement::IpHelper::{
    ICMP_ECHO_REPLY, ICMPV6_ECHO_REPLY_LH as ICMPV6_ECHO_REPLY, IP_BAD_DESTINATION, IP_BAD_OPTION,
    IP_BUF_TOO_SMALL, IP_OPTION_INFORMATION, IP_OPTION_TOO_BIG, IP_PENDING, IPV6_ADDRESS_EX,
};
pub use windows_sys::Win32::NetworkManagement::IpHelper::{
    IF_OPER_STATUS_CONNECTED, IF_OPER_STATUS_CONNECTING, IF_OPER_STATUS_DISCONNECTED,
    IF_OPER_STATUS_NON_OPERATIONAL, IF_OPER_STATUS_OPERATIONAL, IF_OPER_STATUS_UNREACHABLE,
    IP_ADDRESS_PREFIX, MIB_ICMP, MIB_ICMP_EX_XPSP1 as MIB_ICMP_EX, MIB_IF_ADMIN_STATUS_DOWN,
    MIB_IF_ADMIN_STATUS_TESTING, MIB_IF_ADMIN_STATUS_UP, MIB_IFROW, MIB_IFSTACK_ROW, MIB_IFSTACK_TABLE,
    MIB_IFTABLE, MIB_INVERTEDIFSTACK_ROW, MIB_INVERTEDIFSTACK_TABLE, MIB_IP_FORWARDING,
    MIB_IP_NOT_FORWARDING, MIB_IPADDR_DISCONNECTED, MIB_IPADDR_DYNAMIC, MIB_IPADDR_PRIMARY,
    MIB_IPADDRROW_XP as MIB_IPADDRROW, MIB_IPADDRTABLE, MIB_IPFORWARDROW, MIB_IPFORWARDROW_0,
    MIB_IPFORWARDROW_1, MIB_IPFORWARDTABLE, MIB_IPNET_TYPE_DYNAMIC, MIB_IPNET_TYPE_INVALID,
    MIB_IPNET_TYPE_STATIC, MIB_IPNETROW_LH as MIB_IPNETROW, MIB_IPNETROW_LH_0 as MIB_IPNETROW_0,
    MIB_IPNETTABLE, MIB_IPROUTE_METRIC_UNUSED, MIB_IPROUTE_TYPE_DIRECT, MIB_IPROUTE_TYPE_INDIRECT,
    MIB_IPROUTE_TYPE_OTHER, MIB_IPSTATS_LH as MIB_IPSTATS, MIB_IPSTATS_LH_0 as MIB_IPSTATS_0,
    MIB_TCP_STATE_DELETE_TCB, MIB_TCP6ROW, MIB_TCP6ROW_OWNER_PID, MIB_TCP6ROW2, MIB_TCP6TABLE,
    MIB_TCP6TABLE_OWNER_PID, MIB_TCP6TABLE2, MIB_TCPROW_LH as MIB_TCPROW, MIB_TCPROW_LH_0 as MIB_TCPROW_0,
    MIB_TCPROW_OWNER_PID, MIB_TCPROW2, MIB_TCPSTATS_LH as MIB_TCPSTATS, MIB_TCPSTATS_LH_0 as MIB_TCPSTATS_0,
    MIB_TCPTABLE, MIB_TCPTABLE_OWNER_PID, MIB_TCPTABLE2, MIB_UDP6ROW, MIB_UDP6ROW_OWNER_PID, MIB_UDP6TABLE,
    MIB_UDP6TABLE_OWNER_PID, MIB_UDPROW, MIB_UDPROW_OWNER_PID, MIB_UDPSTATS, MIB_UDPTABLE,
    MIB_UDPTABLE_OWNER_PID, MIB_USE_CURRENT_FORWARDING, MIB_USE_CURRENT_TTL, MIBICMPINFO, MIBICMPSTATS,
    MIBICMPSTATS_EX_XPSP1 as MIBICMPSTATS_EX, MibAddInstance, MibDeleteInstance, MibIfEntryNormal,
    MibIfEntryNormalWithoutStatistics, MibIfTableNormal, MibIfTableNormalWithoutStatistics, MibIfTableRaw,
    MibInitialNotification, MibParameterNotification, NET_ADDRESS_DNS_NAME, NET_ADDRESS_INFO,
    NET_ADDRESS_IPV4, NET_ADDRESS_IPV6, PINTERFACE_TIMESTAMP_CONFIG_CHANGE_CALLBACK,
    PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK, PTEREDO_PORT_CHANGE_CALLBACK, TCP_TABLE_BASIC_ALL,
    TCP_TABLE_BASIC_CONNECTIONS, TCP_TABLE_BASIC_LISTENER, TCP_TABLE_OWNER_MODULE_ALL,
    TCP_TABLE_OWNER_MODULE_CONNECTIONS, TCP_TABLE_OWNER_MODULE_LISTENER, TCP_TABLE_OWNER_PID_ALL,
    TCP_TABLE_OWNER_PID_CONNECTIONS, TCP_TABLE_OWNER_PID_LISTENER, TCPIP_OWNER_MODULE_BASIC_INFO,
    TCPIP_OWNER_MODULE_INFO_BASIC, TcpConnectionOffloadStateInHost, UDP_TABLE_BASIC, UDP_TABLE_OWNER_MODULE,
    UDP_TABLE_OWNER_PID,
};
pub use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, AF_UNSPEC, IN_ADDR, IN_ADDR_0, IN6_ADDR, IN6_ADDR_0, MIB_IPPROTO_NETMGMT,
    NL_INTERFACE_OFFLOAD_ROD, NL_NETWORK_CONNECTIVITY_HINT, NetworkConnectivityCostHintFixed,
    NetworkConnectivityCostHintUnknown, NetworkConnectivityCostHintUnrestricted,
    NetworkConnectivityLevelHintConstrainedInternetAccess, NetworkConnectivityLevelHintInternetAccess,
    NetworkConnectivityLevelHintLocalAccess, NetworkConnectivityLevelHintNone,
    NetworkConnectivityLevelHintUnknown, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_IN6_0,
    SOCKADDR_IN6_PAIR, SOCKADDR_INET,
};
pub use windows_sys::Win32::Networking::WinSock::{DL_EI48, DL_EUI48, DL_OUI};
pub use windows_sys::core::GUID;

mod adapter;

use crate::memory::gaps::Given;
pub use adapter::*;

/// What `GetNetworkParams` tells.
pub type FIXED_INFO = windows_sys::Win32::NetworkManagement::IpHelper::FIXED_INFO_W2KSP1;

/// A 64-bit member as Windows aligns it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C, align(8))]
pub struct ULONG64(pub u64);

/// The Linux number of `AF_INET6`, accepted on input beside Windows' 23.
pub const AF_INET6_HOST: u16 = 10;

/// A LUID. C sees a union of this value and of bit fields.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct NET_LUID {
    pub Value: ULONG64,
}

/// What IP knows of an interface.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct MIB_IPINTERFACE_ROW {
    pub Family: u16,
    pub InterfaceLuid: NET_LUID,
    pub InterfaceIndex: u32,
    pub MaxReassemblySize: u32,
    pub InterfaceIdentifier: ULONG64,
    pub MinRouterAdvertisementInterval: u32,
    pub MaxRouterAdvertisementInterval: u32,
    pub AdvertisingEnabled: u8,
    pub ForwardingEnabled: u8,
    pub WeakHostSend: u8,
    pub WeakHostReceive: u8,
    pub UseAutomaticMetric: u8,
    pub UseNeighborUnreachabilityDetection: u8,
    pub ManagedAddressConfigurationSupported: u8,
    pub OtherStatefulConfigurationSupported: u8,
    pub AdvertiseDefaultRoute: u8,
    pub RouterDiscoveryBehavior: i32,
    pub DadTransmits: u32,
    pub BaseReachableTime: u32,
    pub RetransmitTime: u32,
    pub PathMtuDiscoveryTimeout: u32,
    pub LinkLocalAddressBehavior: i32,
    pub LinkLocalAddressTimeout: u32,
    pub ZoneIndices: [u32; 16],
    pub SitePrefixLength: u32,
    pub Metric: u32,
    pub NlMtu: u32,
    pub Connected: u8,
    pub SupportsWakeUpPatterns: u8,
    pub SupportsNeighborDiscovery: u8,
    pub SupportsRouterDiscovery: u8,
    pub ReachableTime: u32,
    pub TransmitOffload: u8,
    pub ReceiveOffload: u8,
    pub DisableDefaultRoutes: u8,
}

/// The link layer's view of an interface.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct MIB_IF_ROW2 {
    pub InterfaceLuid: NET_LUID,
    pub InterfaceIndex: u32,
    pub InterfaceGuid: GUID,
    pub Alias: [u16; 257],
    pub Description: [u16; 257],
    pub PhysicalAddressLength: u32,
    pub PhysicalAddress: [u8; 32],
    pub PermanentPhysicalAddress: [u8; 32],
    pub Mtu: u32,
    pub Type: u32,
    pub TunnelType: i32,
    pub MediaType: i32,
    pub PhysicalMediumType: i32,
    pub AccessType: i32,
    pub DirectionType: i32,
    /// Bit fields in C, from bit 0: hardware interface, filter interface, connector present, not authenticated,
    /// not media connected, paused, low power, end point interface.
    pub InterfaceAndOperStatusFlags: u8,
    pub OperStatus: i32,
    pub AdminStatus: i32,
    pub MediaConnectState: i32,
    pub NetworkGuid: GUID,
    pub ConnectionType: i32,
    pub TransmitLinkSpeed: ULONG64,
    pub ReceiveLinkSpeed: ULONG64,
    pub InOctets: ULONG64,
    pub InUcastPkts: ULONG64,
    pub InNUcastPkts: ULONG64,
    pub InDiscards: ULONG64,
    pub InErrors: ULONG64,
    pub InUnknownProtos: ULONG64,
    pub InUcastOctets: ULONG64,
    pub InMulticastOctets: ULONG64,
    pub InBroadcastOctets: ULONG64,
    pub OutOctets: ULONG64,
    pub OutUcastPkts: ULONG64,
    pub OutNUcastPkts: ULONG64,
    pub OutDiscards: ULONG64,
    pub OutErrors: ULONG64,
    pub OutUcastOctets: ULONG64,
    pub OutMulticastOctets: ULONG64,
    pub OutBroadcastOctets: ULONG64,
    pub OutQLen: ULONG64,
}

/// A neighbour.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MIB_IPNET_ROW2 {
    pub Address: SOCKADDR_INET,
    pub InterfaceIndex: u32,
    pub InterfaceLuid: NET_LUID,
    pub PhysicalAddress: [u8; 32],
    pub PhysicalAddressLength: u32,
    pub State: i32,
    /// Bit fields in C, from bit 0: router, unreachable.
    pub Flags: u8,
    /// In C a union with `LastUnreachable`.
    pub LastReachable: u32,
}

/// A flow layer virtual interface.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MIB_FL_VIRTUAL_INTERFACE_ROW {
    pub Family: u16,
    pub IfLuid: NET_LUID,
    pub VirtualIfId: u32,
    pub CompartmentGuid: GUID,
    pub IsolationMode: i32,
    pub Origin: i32,
    pub VirtualIfLuid: NET_LUID,
    pub VirtualIfIndex: u32,
    pub AllowLocalNd: u8,
    pub AttachedFlsnpiClients: u32,
    pub FlsnpiClientConfigErrors: u32,
    pub FlsnpiClientInjectErrors: ULONG64,
    pub FlsnpiClientCloneErrors: ULONG64,
    pub InFlsnpiIndicatedPackets: ULONG64,
    pub InFlsnpiClientReturnedPackets: ULONG64,
    pub InFlsnpiClientSilentlyDroppedPackets: ULONG64,
    pub InFlsnpiClientDroppedPackets: ULONG64,
    pub InFlsnpiClientInjectedPackets: ULONG64,
    pub InFlsnpiClientClonedPackets: ULONG64,
    pub OutFlsnpiIndicatedPackets: ULONG64,
    pub OutFlsnpiClientReturnedPackets: ULONG64,
    pub OutFlsnpiClientDroppedPackets: ULONG64,
    pub OutFlsnpiClientSilentlyDroppedPackets: ULONG64,
    pub OutFlsnpiClientInjectedPackets: ULONG64,
    pub OutFlsnpiClientClonedPackets: ULONG64,
    pub OutFlsnpiClientClonedPacketsForNbSplit: ULONG64,
}

/// A hardware clock between two readings of the system's.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct INTERFACE_HARDWARE_CROSSTIMESTAMP {
    pub SystemTimestamp1: ULONG64,
    pub HardwareClockTimestamp: ULONG64,
    pub SystemTimestamp2: ULONG64,
}

/// What hardware stamps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct INTERFACE_HARDWARE_TIMESTAMP_CAPABILITIES {
    pub PtpV2OverUdpIPv4EventMessageReceive: u8,
    pub PtpV2OverUdpIPv4AllMessageReceive: u8,
    pub PtpV2OverUdpIPv4EventMessageTransmit: u8,
    pub PtpV2OverUdpIPv4AllMessageTransmit: u8,
    pub PtpV2OverUdpIPv6EventMessageReceive: u8,
    pub PtpV2OverUdpIPv6AllMessageReceive: u8,
    pub PtpV2OverUdpIPv6EventMessageTransmit: u8,
    pub PtpV2OverUdpIPv6AllMessageTransmit: u8,
    pub AllReceive: u8,
    pub AllTransmit: u8,
    pub TaggedTransmit: u8,
}

/// What software stamps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct INTERFACE_SOFTWARE_TIMESTAMP_CAPABILITIES {
    pub AllReceive: u8,
    pub AllTransmit: u8,
    pub TaggedTransmit: u8,
}

/// What of an interface is stamped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct INTERFACE_TIMESTAMP_CAPABILITIES {
    pub HardwareClockFrequencyHz: ULONG64,
    pub SupportsCrossTimestamp: u8,
    pub HardwareCapabilities: INTERFACE_HARDWARE_TIMESTAMP_CAPABILITIES,
    pub SoftwareCapabilities: INTERFACE_SOFTWARE_TIMESTAMP_CAPABILITIES,
}

/// The path to one destination.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MIB_IPPATH_ROW {
    pub Source: SOCKADDR_INET,
    pub Destination: SOCKADDR_INET,
    pub InterfaceLuid: NET_LUID,
    pub InterfaceIndex: u32,
    pub CurrentNextHop: SOCKADDR_INET,
    pub PathMtu: u32,
    pub RttMean: u32,
    pub RttDeviation: u32,
    /// In C a union with `LastUnreachable`.
    pub LastReachable: u32,
    pub IsReachable: u8,
    pub LinkTransmitSpeed: ULONG64,
    pub LinkReceiveSpeed: ULONG64,
}

/// An estimate of bandwidth, in bits per second.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct NL_BANDWIDTH_INFORMATION {
    pub Bandwidth: ULONG64,
    pub Instability: ULONG64,
    pub BandwidthPeaked: u8,
}

/// The estimates of an interface and a family.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES {
    pub InboundBandwidthInformation: NL_BANDWIDTH_INFORMATION,
    pub OutboundBandwidthInformation: NL_BANDWIDTH_INFORMATION,
}

/// A route.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MIB_IPFORWARD_ROW2 {
    pub InterfaceLuid: NET_LUID,
    pub InterfaceIndex: u32,
    pub DestinationPrefix: IP_ADDRESS_PREFIX,
    pub NextHop: SOCKADDR_INET,
    pub SitePrefixLength: u8,
    pub ValidLifetime: u32,
    pub PreferredLifetime: u32,
    pub Metric: u32,
    pub Protocol: i32,
    pub Loopback: u8,
    pub AutoconfigureAddress: u8,
    pub Publish: u8,
    pub Immortal: u8,
    pub Age: u32,
    pub Origin: i32,
}

/// A unicast address of an interface.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MIB_UNICASTIPADDRESS_ROW {
    pub Address: SOCKADDR_INET,
    pub InterfaceLuid: NET_LUID,
    pub InterfaceIndex: u32,
    pub PrefixOrigin: i32,
    pub SuffixOrigin: i32,
    pub ValidLifetime: u32,
    pub PreferredLifetime: u32,
    pub OnLinkPrefixLength: u8,
    pub SkipAsSource: u8,
    pub DadState: i32,
    pub ScopeId: u32,
    pub CreationTimeStamp: ULONG64,
}

/// What came of an operation.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct IO_STATUS_BLOCK {
    pub Anonymous: IO_STATUS_BLOCK_0,
    pub Information: usize,
}

#[derive(Clone, Copy)]
#[repr(C)]
pub union IO_STATUS_BLOCK_0 {
    pub Status: i32,
    pub Pointer: *mut std::ffi::c_void,
}

/// What is called at the end of an operation; `None` for NULL.
pub type PIO_APC_ROUTINE =
    Option<unsafe extern "system" fn(*mut std::ffi::c_void, *mut IO_STATUS_BLOCK, u32)>;

/// What is called when a registered wait ends; the second argument tells that its time was over.
pub type WAITORTIMERCALLBACK = Option<unsafe extern "system" fn(*mut std::ffi::c_void, bool)>;

/// What a thread begins with.
pub type LPTHREAD_START_ROUTINE = Option<unsafe extern "system" fn(*mut std::ffi::c_void) -> u32>;

/// A lock of one process. What its members mean is the library's own matter.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct CRITICAL_SECTION {
    pub DebugInfo: *mut std::ffi::c_void,
    pub LockCount: i32,
    pub RecursionCount: i32,
    pub OwningThread: HANDLE,
    pub LockSemaphore: HANDLE,
    pub SpinCount: usize,
}

impl Default for CRITICAL_SECTION {
    fn default() -> Self {
        let nothing = std::ptr::null_mut();
        Self {
            DebugInfo: nothing,
            LockCount: 0,
            RecursionCount: 0,
            OwningThread: nothing,
            LockSemaphore: nothing,
            SpinCount: 0,
        }
    }
}

/// A time without an end.
pub const INFINITE: u32 = u32::MAX;
/// So many events can be waited for at once.
pub const MAXIMUM_WAIT_OBJECTS: u32 = 64;
/// The exit code of a thread that runs.
pub const STILL_ACTIVE: u32 = 259;
/// The flag of `CreateThread` that tells what its size means, which is one thing on Linux.
pub const STACK_SIZE_PARAM_IS_A_RESERVATION: u32 = 0x0001_0000;
/// The flag of `RegisterWaitForSingleObject` for one call.
pub const WT_EXECUTEONLYONCE: u32 = 8;

/// What an operation that goes on in the background is known by.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct OVERLAPPED {
    pub Internal: usize,
    pub InternalHigh: usize,
    pub Anonymous: OVERLAPPED_0,
    pub hEvent: HANDLE,
}

/// A place in a file: a number in two halves, or a pointer.
#[derive(Clone, Copy)]
#[repr(C)]
pub union OVERLAPPED_0 {
    pub Anonymous: OVERLAPPED_0_0,
    pub Pointer: *mut std::ffi::c_void,
}

/// A place in a file.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct OVERLAPPED_0_0 {
    pub Offset: u32,
    pub OffsetHigh: u32,
}

/// An anycast address of an interface.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MIB_ANYCASTIPADDRESS_ROW {
    pub Address: SOCKADDR_INET,
    pub InterfaceLuid: NET_LUID,
    pub InterfaceIndex: u32,
    pub ScopeId: u32,
}

/// A group that an interface has joined.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct MIB_MULTICASTIPADDRESS_ROW {
    pub Address: SOCKADDR_INET,
    pub InterfaceIndex: u32,
    pub InterfaceLuid: NET_LUID,
    pub ScopeId: u32,
}

/// A TCP connection with what tells its program.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct MIB_TCPROW_OWNER_MODULE {
    pub dwState: u32,
    pub dwLocalAddr: u32,
    pub dwLocalPort: u32,
    pub dwRemoteAddr: u32,
    pub dwRemotePort: u32,
    pub dwOwningPid: u32,
    /// A 100 ns count since 1601.
    pub liCreateTimestamp: ULONG64,
    pub OwningModuleInfo: [ULONG64; 16],
}

/// An IPv6 TCP connection with what tells its program.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct MIB_TCP6ROW_OWNER_MODULE {
    pub ucLocalAddr: [u8; 16],
    pub dwLocalScopeId: u32,
    pub dwLocalPort: u32,
    pub ucRemoteAddr: [u8; 16],
    pub dwRemoteScopeId: u32,
    pub dwRemotePort: u32,
    pub dwState: u32,
    pub dwOwningPid: u32,
    /// A 100 ns count since 1601.
    pub liCreateTimestamp: ULONG64,
    pub OwningModuleInfo: [ULONG64; 16],
}

/// A UDP endpoint with what tells its program.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct MIB_UDPROW_OWNER_MODULE {
    pub dwLocalAddr: u32,
    pub dwLocalPort: u32,
    pub dwOwningPid: u32,
    /// A 100 ns count since 1601.
    pub liCreateTimestamp: ULONG64,
    /// A bit field in C; bit 0: the program asked for this port.
    pub dwFlags: i32,
    pub OwningModuleInfo: [ULONG64; 16],
}

/// An IPv6 UDP endpoint with what tells its program.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct MIB_UDP6ROW_OWNER_MODULE {
    pub ucLocalAddr: [u8; 16],
    pub dwLocalScopeId: u32,
    pub dwLocalPort: u32,
    pub dwOwningPid: u32,
    /// A 100 ns count since 1601.
    pub liCreateTimestamp: ULONG64,
    /// A bit field in C; bit 0: the program asked for this port.
    pub dwFlags: i32,
    pub OwningModuleInfo: [ULONG64; 16],
}

/// Counters of TCP, segments in 64 bits.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct MIB_TCPSTATS2 {
    pub RtoAlgorithm: i32,
    pub dwRtoMin: u32,
    pub dwRtoMax: u32,
    pub dwMaxConn: u32,
    pub dwActiveOpens: u32,
    pub dwPassiveOpens: u32,
    pub dwAttemptFails: u32,
    pub dwEstabResets: u32,
    pub dwCurrEstab: u32,
    pub dw64InSegs: ULONG64,
    pub dw64OutSegs: ULONG64,
    pub dwRetransSegs: u32,
    pub dwInErrs: u32,
    pub dwOutRsts: u32,
    pub dwNumConns: u32,
}

/// Counters of UDP, datagrams in 64 bits.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct MIB_UDPSTATS2 {
    pub dw64InDatagrams: ULONG64,
    pub dwNoPorts: u32,
    pub dwInErrors: u32,
    pub dw64OutDatagrams: ULONG64,
    pub dwNumAddrs: u32,
}

// Those of extended statistics without 64-bit members.
pub use windows_sys::Win32::NetworkManagement::IpHelper::{
    TCP_ESTATS_BANDWIDTH_RW_v0, TCP_ESTATS_FINE_RTT_ROD_v0, TCP_ESTATS_OBS_REC_ROD_v0,
    TCP_ESTATS_PATH_ROD_v0, TCP_ESTATS_REC_ROD_v0, TCP_ESTATS_SEND_BUFF_ROD_v0, TCP_ESTATS_SND_CONG_ROD_v0,
    TCP_ESTATS_SND_CONG_ROS_v0, TcpBoolOptDisabled, TcpBoolOptEnabled, TcpBoolOptUnchanged,
    TcpConnectionEstatsBandwidth, TcpConnectionEstatsData, TcpConnectionEstatsFineRtt,
    TcpConnectionEstatsObsRec, TcpConnectionEstatsPath, TcpConnectionEstatsRec, TcpConnectionEstatsSendBuff,
    TcpConnectionEstatsSndCong, TcpConnectionEstatsSynOpts,
};

/// Bytes and segments of a TCP connection.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct TCP_ESTATS_DATA_ROD_v0 {
    pub DataBytesOut: ULONG64,
    pub DataSegsOut: ULONG64,
    pub DataBytesIn: ULONG64,
    pub DataSegsIn: ULONG64,
    pub SegsOut: ULONG64,
    pub SegsIn: ULONG64,
    pub SoftErrors: u32,
    pub SoftErrorReason: u32,
    pub SndUna: u32,
    pub SndNxt: u32,
    pub SndMax: u32,
    pub ThruBytesAcked: ULONG64,
    pub RcvNxt: u32,
    pub ThruBytesReceived: ULONG64,
}

/// What the path of a TCP connection carries, bits each second.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct TCP_ESTATS_BANDWIDTH_ROD_v0 {
    pub OutboundBandwidth: ULONG64,
    pub InboundBandwidth: ULONG64,
    pub OutboundInstability: ULONG64,
    pub InboundInstability: ULONG64,
    pub OutboundBandwidthPeaked: u8,
    pub InboundBandwidthPeaked: u8,
}

/// What two ends told each other when they connected.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct TCP_ESTATS_SYN_OPTS_ROS_v0 {
    pub ActiveOpen: u8,
    pub MssRcvd: u32,
    pub MssSent: u32,
}

macro_rules! switches {
    ($($name:ident,)*) => {$(
        /// The switch of a class of statistics: a BOOLEAN, of which C may write any byte.
        #[derive(Clone, Copy, Debug, Default)]
        #[repr(C)]
        pub struct $name {
            pub EnableCollection: u8,
        }
    )*};
}

switches! {
    TCP_ESTATS_DATA_RW_v0,
    TCP_ESTATS_SND_CONG_RW_v0,
    TCP_ESTATS_PATH_RW_v0,
    TCP_ESTATS_SEND_BUFF_RW_v0,
    TCP_ESTATS_REC_RW_v0,
    TCP_ESTATS_OBS_REC_RW_v0,
    TCP_ESTATS_FINE_RTT_RW_v0,
}

macro_rules! tables {
    ($($table:ident { $count:ident, $rows:ident: $row:ident },)*) => {$(
        #[doc = concat!("A table of [`", stringify!($row), "`]; declared with one row, allocated with all.")]
        #[derive(Clone, Copy)]
        #[repr(C)]
        pub struct $table {
            pub $count: u32,
            pub $rows: [$row; 1],
        }
    )*};
}

tables! {
    MIB_MULTICASTIPADDRESS_TABLE { NumEntries, Table: MIB_MULTICASTIPADDRESS_ROW },
    MIB_ANYCASTIPADDRESS_TABLE { NumEntries, Table: MIB_ANYCASTIPADDRESS_ROW },
    MIB_UNICASTIPADDRESS_TABLE { NumEntries, Table: MIB_UNICASTIPADDRESS_ROW },
    MIB_IPINTERFACE_TABLE { NumEntries, Table: MIB_IPINTERFACE_ROW },
    MIB_IF_TABLE2 { NumEntries, Table: MIB_IF_ROW2 },
    MIB_IPNET_TABLE2 { NumEntries, Table: MIB_IPNET_ROW2 },
    MIB_IPFORWARD_TABLE2 { NumEntries, Table: MIB_IPFORWARD_ROW2 },
    MIB_IPPATH_TABLE { NumEntries, Table: MIB_IPPATH_ROW },
    MIB_FL_VIRTUAL_INTERFACE_TABLE { NumEntries, Table: MIB_FL_VIRTUAL_INTERFACE_ROW },
    MIB_TCPTABLE_OWNER_MODULE { dwNumEntries, table: MIB_TCPROW_OWNER_MODULE },
    MIB_TCP6TABLE_OWNER_MODULE { dwNumEntries, table: MIB_TCP6ROW_OWNER_MODULE },
    MIB_UDPTABLE_OWNER_MODULE { dwNumEntries, table: MIB_UDPROW_OWNER_MODULE },
    MIB_UDP6TABLE_OWNER_MODULE { dwNumEntries, table: MIB_UDP6ROW_OWNER_MODULE },
}

/// DNS settings of an interface, version 1.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_INTERFACE_SETTINGS {
    pub Version: u32,
    pub Flags: ULONG64,
    pub Domain: *mut u16,
    pub NameServer: *mut u16,
    pub SearchList: *mut u16,
    pub RegistrationEnabled: u32,
    pub RegisterAdapterName: u32,
    pub EnableLLMNR: u32,
    pub QueryAdapterName: u32,
    pub ProfileNameServer: *mut u16,
}

/// The same, version 2.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_INTERFACE_SETTINGS_EX {
    pub SettingsV1: DNS_INTERFACE_SETTINGS,
    pub DisableUnconstrainedQueries: u32,
    pub SupplementalSearchList: *mut u16,
}

/// The same, version 3.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_INTERFACE_SETTINGS3 {
    pub Version: u32,
    pub Flags: ULONG64,
    pub Domain: *mut u16,
    pub NameServer: *mut u16,
    pub SearchList: *mut u16,
    pub RegistrationEnabled: u32,
    pub RegisterAdapterName: u32,
    pub EnableLLMNR: u32,
    pub QueryAdapterName: u32,
    pub ProfileNameServer: *mut u16,
    pub DisableUnconstrainedQueries: u32,
    pub SupplementalSearchList: *mut u16,
    pub cServerProperties: u32,
    pub ServerProperties: *mut DNS_SERVER_PROPERTY,
    pub cProfileServerProperties: u32,
    pub ProfileServerProperties: *mut DNS_SERVER_PROPERTY,
}

/// The same, version 4, which begins as each of the others.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_INTERFACE_SETTINGS4 {
    pub Version: u32,
    pub Flags: ULONG64,
    pub Domain: *mut u16,
    pub NameServer: *mut u16,
    pub SearchList: *mut u16,
    pub RegistrationEnabled: u32,
    pub RegisterAdapterName: u32,
    pub EnableLLMNR: u32,
    pub QueryAdapterName: u32,
    pub ProfileNameServer: *mut u16,
    pub DisableUnconstrainedQueries: u32,
    pub SupplementalSearchList: *mut u16,
    pub cServerProperties: u32,
    pub ServerProperties: *mut DNS_SERVER_PROPERTY,
    pub cProfileServerProperties: u32,
    pub ProfileServerProperties: *mut DNS_SERVER_PROPERTY,
    pub EncryptedDnsAdapterFlags: u32,
}

/// What is known of one of the servers.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_SERVER_PROPERTY {
    pub Version: u32,
    pub ServerIndex: u32,
    pub Type: i32,
    pub Property: DNS_SERVER_PROPERTY_TYPES,
}

/// By the type of the property.
#[derive(Clone, Copy)]
#[repr(C)]
pub union DNS_SERVER_PROPERTY_TYPES {
    pub DohSettings: *mut DNS_DOH_SERVER_SETTINGS,
    pub DotSettings: *mut DNS_DOT_SERVER_SETTINGS,
}

/// DNS over HTTPS.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_DOH_SERVER_SETTINGS {
    pub Template: *mut u16,
    pub Flags: ULONG64,
}

/// DNS over TLS.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_DOT_SERVER_SETTINGS {
    pub Hostname: *mut u16,
    pub Flags: ULONG64,
    pub Port: u16,
}

/// DNS settings of the host, version 1.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_SETTINGS {
    pub Version: u32,
    pub Flags: ULONG64,
    pub Hostname: *mut u16,
    pub Domain: *mut u16,
    pub SearchList: *mut u16,
}

/// The same, version 2.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct DNS_SETTINGS2 {
    pub Version: u32,
    pub Flags: ULONG64,
    pub Hostname: *mut u16,
    pub Domain: *mut u16,
    pub SearchList: *mut u16,
    pub SettingFlags: ULONG64,
}

/// Bits of the settings' flags, which say of which members they speak.
pub mod dns_setting {
    pub const IPV6: u64 = 0x1;
    pub const NAMESERVER: u64 = 0x2;
    pub const SEARCHLIST: u64 = 0x4;
    pub const REGISTRATION_ENABLED: u64 = 0x8;
    pub const REGISTER_ADAPTER_NAME: u64 = 0x10;
    pub const DOMAIN: u64 = 0x20;
    pub const HOSTNAME: u64 = 0x40;
    pub const ENABLE_LLMNR: u64 = 0x80;
    pub const QUERY_ADAPTER_NAME: u64 = 0x100;
    pub const PROFILE_NAMESERVER: u64 = 0x200;
    pub const DISABLE_UNCONSTRAINED_QUERIES: u64 = 0x400;
    pub const SUPPLEMENTAL_SEARCH_LIST: u64 = 0x800;
    pub const DOH: u64 = 0x1000;
    pub const DOH_PROFILE: u64 = 0x2000;
    pub const ENCRYPTED_DNS_ADAPTER_FLAGS: u64 = 0x4000;
    pub const DDR: u64 = 0x8000;
    pub const DOT: u64 = 0x1_0000;
    pub const DOT_PROFILE: u64 = 0x2_0000;
}

/// `DnsServerDotProperty`.
pub const DNS_SERVER_DOT_PROPERTY: i32 = 2;
/// `DNS_SERVER_PROPERTY_VERSION1`.
pub const DNS_SERVER_PROPERTY_VERSION1: u32 = 1;
/// Flags of [`DNS_DOT_SERVER_SETTINGS`]: ask over TLS, and in clear text where that fails.
pub const DNS_DOT_SERVER_SETTINGS_ENABLE: u64 = 1;
pub const DNS_DOT_SERVER_SETTINGS_FALLBACK_TO_UDP: u64 = 2;

/// A table: a count of rows at its beginning, the rows at `ROWS_AT`.
///
/// # Safety
/// The type is `repr(C)`, begins with a `u32` and holds its rows from `ROWS_AT` on.
pub unsafe trait Table {
    /// The rows.
    #[allow(private_bounds, reason = "implemented here alone")]
    type Row: Given;
    /// Offset of the first row, which follows the count after the padding that its alignment asks for.
    const ROWS_AT: usize;
}

macro_rules! is_table {
    ($($table:ident $rows:ident $row:ident,)*) => {$(
        // SAFETY: repr(C), a `u32` count first, the rows where `offset_of` says; tests/layout.rs compares both with
        // Windows' own layout.
        unsafe impl Table for $table {
            type Row = $row;
            const ROWS_AT: usize = std::mem::offset_of!($table, $rows);
        }
    )*};
}

is_table! {
    MIB_IPADDRTABLE table MIB_IPADDRROW,
    MIB_MULTICASTIPADDRESS_TABLE Table MIB_MULTICASTIPADDRESS_ROW,
    MIB_ANYCASTIPADDRESS_TABLE Table MIB_ANYCASTIPADDRESS_ROW,
    MIB_UNICASTIPADDRESS_TABLE Table MIB_UNICASTIPADDRESS_ROW,
    MIB_IPINTERFACE_TABLE Table MIB_IPINTERFACE_ROW,
    MIB_IF_TABLE2 Table MIB_IF_ROW2,
    MIB_IPNET_TABLE2 Table MIB_IPNET_ROW2,
    MIB_IPFORWARD_TABLE2 Table MIB_IPFORWARD_ROW2,
    MIB_IPFORWARDTABLE table MIB_IPFORWARDROW,
    MIB_IPPATH_TABLE Table MIB_IPPATH_ROW,
    MIB_IPNETTABLE table MIB_IPNETROW,
    MIB_IFSTACK_TABLE Table MIB_IFSTACK_ROW,
    MIB_INVERTEDIFSTACK_TABLE Table MIB_INVERTEDIFSTACK_ROW,
    MIB_IFTABLE table MIB_IFROW,
    MIB_TCPTABLE table MIB_TCPROW,
    MIB_TCPTABLE2 table MIB_TCPROW2,
    MIB_TCPTABLE_OWNER_PID table MIB_TCPROW_OWNER_PID,
    MIB_TCPTABLE_OWNER_MODULE table MIB_TCPROW_OWNER_MODULE,
    MIB_TCP6TABLE table MIB_TCP6ROW,
    MIB_TCP6TABLE2 table MIB_TCP6ROW2,
    MIB_TCP6TABLE_OWNER_PID table MIB_TCP6ROW_OWNER_PID,
    MIB_TCP6TABLE_OWNER_MODULE table MIB_TCP6ROW_OWNER_MODULE,
    MIB_UDPTABLE table MIB_UDPROW,
    MIB_UDPTABLE_OWNER_PID table MIB_UDPROW_OWNER_PID,
    MIB_UDPTABLE_OWNER_MODULE table MIB_UDPROW_OWNER_MODULE,
    MIB_UDP6TABLE table MIB_UDP6ROW,
    MIB_UDP6TABLE_OWNER_PID table MIB_UDP6ROW_OWNER_PID,
    MIB_UDP6TABLE_OWNER_MODULE table MIB_UDP6ROW_OWNER_MODULE,
}
