//! What the parameters of each function are: what a call must be given to keep a C caller's promises, and no more.

use crate::callbacks;
use crate::functions::Value;
use iphelper_capi::raw::{MIB_IPFORWARD_ROW2, MIB_IPINTERFACE_ROW, MIB_UNICASTIPADDRESS_ROW};

/// Which function frees.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Free {
    /// `FreeMibTable`.
    Table,
    /// `LocalFree`.
    Local,
    /// `HeapFree`, which is the C library's.
    Heap,
}

/// What a parameter is. Numbers name other parameters, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    // Pointers, each NULL at times.
    /// One of the declared type, which is a row of numbers.
    Row,
    /// So many bytes, which the declaration does not say.
    Room(usize),
    /// A socket address: as long as its family says.
    Socket,
    /// The same where NULL is as good.
    OptionalSocket,
    /// A text that ends with zero, of characters of so many bytes.
    Text(usize),
    /// As many of the declared type as another parameter says.
    Elements(usize),
    /// Room for as many units as another parameter says: its number, and the size of a unit.
    Bytes(usize, usize),
    /// Room for as many units as another parameter points to; of so many bytes, and so many units more.
    Buffer(usize, usize, usize),
    /// Where that number stands.
    Size,
    /// Where the address of an allocation is stored.
    Given(Free),
    /// An allocation that this function frees.
    Taken(Free),
    /// Where a handle is stored that `CancelMibChangeNotify2` takes.
    Registered,
    /// A request in the background, taken back by `CancelIPChangeNotify`.
    Overlapped,
    /// The same where it may be under way already.
    Armed,
    /// What `EnableRouter` was called with, taken back by `UnenableRouter`.
    Enabling,
    /// The same where it may be in force already.
    Enabled,
    /// A critical section that was initialised.
    Section,
    /// `IP_OPTION_INFORMATION`.
    EchoOptions,
    /// Settings of DNS, of the host or of one interface, and how the function uses them.
    Dns(Dns, Use),
    /// A pointer that is handed back and never followed, or ignored.
    Context,
    /// One that is to be NULL.
    Reserved,
    // Handles.
    /// Of an event, or none; the call may set it, reset it and wait for it.
    Waited,
    /// As many of those as another parameter says.
    WaitedAll(usize),
    /// Of an event or a thread, which the call closes.
    Closed,
    /// Of a thread.
    Thread,
    /// Where a handle is stored that `UnregisterWaitEx` takes, and such a handle.
    WaitRegistered,
    WaitRegistration,
    /// Of a registration, or none.
    Registration,
    /// Of echo requests over IPv4 or IPv6.
    Icmp,
    Icmp6,
    /// Of an event.
    Event,
    /// Of something that Linux does not have.
    NoHandle,
    // Others.
    Callback(fn() -> Value),
    /// A count that another parameter has room for, and the most of it.
    Length(usize),
    Family,
    Index,
    Address,
    Port,
    Guid,
    StackSize,
    /// Milliseconds to wait.
    Timeout,
    /// One of so many, which begin at 0.
    Class(u64),
    /// A count of things that are not to be there.
    Few,
    /// Some of these bits.
    Flags(u64),
    Process,
    Compartment,
    Number,
}

impl Kind {
    /// Whether it is passed by itself, and not by a pointer.
    pub(crate) fn is_number(self) -> bool {
        matches!(
            self,
            Self::Length(_)
                | Self::Family
                | Self::Index
                | Self::Address
                | Self::Port
                | Self::Timeout
                | Self::StackSize
                | Self::Class(_)
                | Self::Few
                | Self::Flags(_)
                | Self::Process
                | Self::Compartment
                | Self::Number
        )
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Dns {
    Host,
    Interface,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Use {
    Read,
    Filled,
    Freed,
}

use self::Dns::{Host, Interface};
use Free::{Heap, Local, Table};
use Kind::*;
use Use::{Filled, Freed, Read};

/// A buffer of bytes whose size is the next parameter's.
const BUFFER0: &[Kind] = &[Buffer(1, 1, 0), Size];
const BUFFER0_ORDER: &[Kind] = &[Buffer(1, 1, 0), Size, Number];
const EXTENDED: &[Kind] = &[Buffer(1, 1, 0), Size, Number, Family, Class(9), Class(0)];
const OWNER_MODULE: &[Kind] = &[Row, Class(1), Buffer(3, 1, 0), Size];
const ESTATS: &[Kind] = &[
    Row,
    Class(9),
    Bytes(4, 1),
    Class(0),
    Length(140),
    Bytes(7, 1),
    Class(0),
    Length(140),
    Bytes(10, 1),
    Class(0),
    Length(140),
];
const SET_ESTATS: &[Kind] = &[Row, Class(9), Bytes(4, 1), Class(0), Length(20), Class(0)];
const FROM_HEAP: &[Kind] = &[Given(Heap), Number, Context, Number, Family];
const TABLE_OF_FAMILY: &[Kind] = &[Family, Given(Table)];
const RESERVATION: &[Kind] = &[Port, Number, Row];

/// Each exported function with its parameters.
pub(crate) const LINES: &[(&str, &[Kind])] = &[
    ("AddIPAddress", &[Address, Address, Index, Row, Row]),
    ("AllocateAndGetTcpExTableFromStack", FROM_HEAP),
    ("AllocateAndGetUdpExTableFromStack", FROM_HEAP),
    ("CancelIPChangeNotify", &[Armed]),
    ("CancelIfTimestampConfigChange", &[Registration]),
    ("CancelMibChangeNotify2", &[Registration]),
    ("CancelSecurityHealthChangeNotify", &[Row]),
    ("CaptureInterfaceHardwareCrossTimestamp", &[Row, Row]),
    ("CloseHandle", &[Closed]),
    ("ConvertCompartmentGuidToId", &[Row, Row]),
    ("ConvertCompartmentIdToGuid", &[Compartment, Row]),
    ("ConvertInterfaceAliasToLuid", &[Text(2), Row]),
    ("ConvertInterfaceGuidToLuid", &[Row, Row]),
    ("ConvertInterfaceIndexToLuid", &[Index, Row]),
    ("ConvertInterfaceLuidToAlias", &[Row, Bytes(2, 2), Length(40)]),
    ("ConvertInterfaceLuidToGuid", &[Row, Row]),
    ("ConvertInterfaceLuidToIndex", &[Row, Row]),
    ("ConvertInterfaceLuidToNameA", &[Row, Bytes(2, 1), Length(40)]),
    ("ConvertInterfaceLuidToNameW", &[Row, Bytes(2, 2), Length(40)]),
    ("ConvertInterfaceNameToLuidA", &[Text(1), Row]),
    ("ConvertInterfaceNameToLuidW", &[Text(2), Row]),
    ("ConvertIpv4MaskToLength", &[Address, Row]),
    ("ConvertLengthToIpv4Mask", &[Number, Row]),
    ("CreateAnycastIpAddressEntry", &[Row]),
    ("CreateEventA", &[Reserved, Number, Number, Reserved]),
    ("CreateEventW", &[Reserved, Number, Number, Reserved]),
    ("CreateFlVirtualInterface", &[Row]),
    ("CreateIpForwardEntry", &[Row]),
    ("CreateIpForwardEntry2", &[Row]),
    ("CreateIpNetEntry", &[Row]),
    ("CreateIpNetEntry2", &[Row]),
    ("CreatePersistentTcpPortReservation", RESERVATION),
    ("CreatePersistentUdpPortReservation", RESERVATION),
    ("CreateProxyArpEntry", &[Address, Address, Index]),
    ("CreateSortedAddressPairs", &[Elements(1), Few, Elements(3), Length(12), Number, Given(Table), Row]),
    ("CreateThread", &[Reserved, StackSize, Callback(callbacks::thread), Context, Class(0), Row]),
    ("CreateUnicastIpAddressEntry", &[Row]),
    ("DeleteAnycastIpAddressEntry", &[Row]),
    ("DeleteCriticalSection", &[Section]),
    ("DeleteFlVirtualInterface", &[Row]),
    ("DeleteIPAddress", &[Number]),
    ("DeleteIpForwardEntry", &[Row]),
    ("DeleteIpForwardEntry2", &[Row]),
    ("DeleteIpNetEntry", &[Row]),
    ("DeleteIpNetEntry2", &[Row]),
    ("DeletePersistentTcpPortReservation", &[Port, Number]),
    ("DeletePersistentUdpPortReservation", &[Port, Number]),
    ("DeleteProxyArpEntry", &[Address, Address, Index]),
    ("DeleteUnicastIpAddressEntry", &[Row]),
    ("DisableMediaSense", &[Row, Overlapped]),
    ("EnableRouter", &[Row, Enabling]),
    ("EnterCriticalSection", &[Section]),
    ("FlushIpNetTable", &[Index]),
    ("FlushIpNetTable2", &[Family, Index]),
    ("FlushIpPathTable", &[Family]),
    // What the buffer of these is depends on the flags, which the engine knows.
    ("FormatMessageA", &[Number, Context, Number, Number, Bytes(5, 1), Length(80), Context]),
    ("FormatMessageW", &[Number, Context, Number, Number, Bytes(5, 2), Length(80), Context]),
    ("FreeDnsSettings", &[Dns(Host, Freed)]),
    ("FreeInterfaceDnsSettings", &[Dns(Interface, Freed)]),
    ("FreeMibTable", &[Taken(Table)]),
    ("GetAdapterIndex", &[Text(2), Row]),
    ("GetAdapterOrderMap", &[]),
    ("GetAdaptersAddresses", &[Family, Flags(0x3FF), Reserved, Buffer(4, 1, 0), Size]),
    ("GetAdaptersInfo", BUFFER0),
    ("GetAnycastIpAddressEntry", &[Row]),
    ("GetAnycastIpAddressTable", TABLE_OF_FAMILY),
    ("GetBestInterface", &[Address, Row]),
    ("GetBestInterfaceEx", &[Socket, Row]),
    ("GetBestRoute", &[Address, Address, Row]),
    ("GetBestRoute2", &[Row, Index, OptionalSocket, Socket, Number, Row, Row]),
    ("GetCurrentThreadCompartmentId", &[]),
    ("GetCurrentThreadCompartmentScope", &[Row, Row]),
    ("GetDefaultCompartmentId", &[]),
    ("GetDnsSettings", &[Dns(Host, Filled)]),
    ("GetExitCodeThread", &[Thread, Row]),
    ("GetExtendedTcpTable", EXTENDED),
    ("GetExtendedUdpTable", EXTENDED),
    ("GetFlVirtualInterface", &[Row]),
    ("GetFlVirtualInterfaceTable", TABLE_OF_FAMILY),
    ("GetFriendlyIfIndex", &[Index]),
    ("GetIcmpStatistics", &[Row]),
    ("GetIcmpStatisticsEx", &[Row, Family]),
    ("GetIfEntry", &[Row]),
    ("GetIfEntry2", &[Row]),
    ("GetIfEntry2Ex", &[Class(3), Row]),
    ("GetIfStackTable", &[Given(Table)]),
    ("GetIfTable", BUFFER0_ORDER),
    ("GetIfTable2", &[Given(Table)]),
    ("GetIfTable2Ex", &[Class(3), Given(Table)]),
    ("GetInterfaceActiveTimestampCapabilities", &[Row, Row]),
    ("GetInterfaceCurrentTimestampCapabilities", &[Row, Row]),
    ("GetInterfaceDnsSettings", &[Guid, Dns(Interface, Filled)]),
    ("GetInterfaceHardwareTimestampCapabilities", &[Row, Row]),
    ("GetInterfaceInfo", BUFFER0),
    ("GetInterfaceSupportedTimestampCapabilities", &[Row, Row]),
    ("GetInvertedIfStackTable", &[Given(Table)]),
    ("GetIpAddrTable", BUFFER0_ORDER),
    ("GetIpErrorString", &[Number, Buffer(2, 2, 1), Size]),
    ("GetIpForwardEntry2", &[Row]),
    ("GetIpForwardTable", BUFFER0_ORDER),
    ("GetIpForwardTable2", TABLE_OF_FAMILY),
    ("GetIpInterfaceEntry", &[Row]),
    ("GetIpInterfaceTable", TABLE_OF_FAMILY),
    ("GetIpNetEntry2", &[Row]),
    ("GetIpNetTable", BUFFER0_ORDER),
    ("GetIpNetTable2", TABLE_OF_FAMILY),
    ("GetIpNetworkConnectionBandwidthEstimates", &[Index, Family, Row]),
    ("GetIpPathEntry", &[Row]),
    ("GetIpPathTable", TABLE_OF_FAMILY),
    ("GetIpStatistics", &[Row]),
    ("GetIpStatisticsEx", &[Row, Family]),
    ("GetJobCompartmentId", &[NoHandle]),
    ("GetLastError", &[]),
    ("GetMulticastIpAddressEntry", &[Row]),
    ("GetMulticastIpAddressTable", TABLE_OF_FAMILY),
    ("GetNetworkConnectivityHint", &[Row]),
    ("GetNetworkConnectivityHintForInterface", &[Index, Row]),
    ("GetNetworkInformation", &[Row, Row, Row, Bytes(4, 2), Length(40)]),
    ("GetNetworkParams", BUFFER0),
    ("GetNumberOfInterfaces", &[Row]),
    ("GetOverlappedResult", &[Waited, Overlapped, Row, Class(1)]),
    ("GetOverlappedResultEx", &[Waited, Overlapped, Row, Timeout, Class(1)]),
    ("GetOwnerModuleFromPidAndInfo", &[Process, Row, Class(1), Buffer(4, 1, 0), Size]),
    ("GetOwnerModuleFromTcp6Entry", OWNER_MODULE),
    ("GetOwnerModuleFromTcpEntry", OWNER_MODULE),
    ("GetOwnerModuleFromUdp6Entry", OWNER_MODULE),
    ("GetOwnerModuleFromUdpEntry", OWNER_MODULE),
    ("GetPerAdapterInfo", &[Index, Buffer(2, 1, 0), Size]),
    ("GetPerTcp6ConnectionEStats", ESTATS),
    ("GetPerTcpConnectionEStats", ESTATS),
    ("GetRTTAndHopCount", &[Address, Row, Class(40), Row]),
    ("GetSessionCompartmentId", &[Process]),
    ("GetTcp6Table", BUFFER0_ORDER),
    ("GetTcp6Table2", BUFFER0_ORDER),
    ("GetTcpStatistics", &[Row]),
    ("GetTcpStatisticsEx", &[Row, Family]),
    ("GetTcpStatisticsEx2", &[Row, Family]),
    ("GetTcpTable", BUFFER0_ORDER),
    ("GetTcpTable2", BUFFER0_ORDER),
    ("GetTeredoPort", &[Row]),
    ("GetUdp6Table", BUFFER0_ORDER),
    ("GetUdpStatistics", &[Row]),
    ("GetUdpStatisticsEx", &[Row, Family]),
    ("GetUdpStatisticsEx2", &[Row, Family]),
    ("GetUdpTable", BUFFER0_ORDER),
    ("GetUniDirectionalAdapterInfo", BUFFER0),
    ("GetUnicastIpAddressEntry", &[Row]),
    ("GetUnicastIpAddressTable", TABLE_OF_FAMILY),
    ("Icmp6CreateFile", &[]),
    ("Icmp6ParseReplies", &[Bytes(1, 1), Length(120)]),
    (
        "Icmp6SendEcho2",
        &[
            Icmp6,
            Event,
            Callback(callbacks::apc),
            Context,
            Row,
            Row,
            Bytes(7, 1),
            Length(64),
            EchoOptions,
            Bytes(10, 1),
            Length(200),
            Timeout,
        ],
    ),
    ("IcmpCloseHandle", &[Icmp]),
    ("IcmpCreateFile", &[]),
    ("IcmpParseReplies", &[Bytes(1, 1), Length(120)]),
    (
        "IcmpSendEcho",
        &[Icmp, Address, Bytes(3, 1), Length(64), EchoOptions, Bytes(6, 1), Length(200), Timeout],
    ),
    (
        "IcmpSendEcho2",
        &[
            Icmp,
            Event,
            Callback(callbacks::apc),
            Context,
            Address,
            Bytes(6, 1),
            Length(64),
            EchoOptions,
            Bytes(9, 1),
            Length(200),
            Timeout,
        ],
    ),
    (
        "IcmpSendEcho2Ex",
        &[
            Icmp,
            Event,
            Callback(callbacks::apc),
            Context,
            Address,
            Address,
            Bytes(7, 1),
            Length(64),
            EchoOptions,
            Bytes(10, 1),
            Length(200),
            Timeout,
        ],
    ),
    ("InitializeCriticalSection", &[Row]),
    ("InitializeCriticalSectionAndSpinCount", &[Row, Number]),
    ("InitializeCriticalSectionEx", &[Row, Number, Number]),
    ("InitializeFlVirtualInterfaceEntry", &[Row]),
    ("InitializeIpForwardEntry", &[Row]),
    ("InitializeIpInterfaceEntry", &[Row]),
    ("InitializeUnicastIpAddressEntry", &[Row]),
    ("IpReleaseAddress", &[Row]),
    ("IpRenewAddress", &[Row]),
    ("LeaveCriticalSection", &[Section]),
    ("LocalAlloc", &[Number, Length(4096)]),
    ("LocalFree", &[Taken(Local)]),
    ("LookupPersistentTcpPortReservation", RESERVATION),
    ("LookupPersistentUdpPortReservation", RESERVATION),
    ("NhpAllocateAndGetInterfaceInfoFromStack", &[Given(Heap), Row, Number, Context, Number]),
    ("NotifyAddrChange", &[Row, Overlapped]),
    ("NotifyIfTimestampConfigChange", &[Context, Callback(callbacks::plain), Registered]),
    (
        "NotifyIpInterfaceChange",
        &[Family, Callback(callbacks::row::<MIB_IPINTERFACE_ROW>), Context, Number, Registered],
    ),
    ("NotifyNetworkConnectivityHintChange", &[Callback(callbacks::hint), Context, Number, Registered]),
    ("NotifyRouteChange", &[Row, Overlapped]),
    (
        "NotifyRouteChange2",
        &[Family, Callback(callbacks::row::<MIB_IPFORWARD_ROW2>), Context, Number, Registered],
    ),
    ("NotifySecurityHealthChange", &[Row, Overlapped, Row]),
    (
        "NotifyStableUnicastIpAddressTable",
        &[Family, Given(Table), Callback(callbacks::table), Context, Registered],
    ),
    ("NotifyTeredoPortChange", &[Callback(callbacks::port), Context, Number, Registered]),
    (
        "NotifyUnicastIpAddressChange",
        &[Family, Callback(callbacks::row::<MIB_UNICASTIPADDRESS_ROW>), Context, Number, Registered],
    ),
    ("ParseNetworkString", &[Text(2), Flags(0x3FF), Row, Row, Row]),
    ("RegisterInterfaceTimestampConfigChange", &[Callback(callbacks::plain), Context, Registered]),
    (
        "RegisterWaitForSingleObject",
        &[WaitRegistered, Waited, Callback(callbacks::wait), Context, Timeout, Number],
    ),
    ("ResetEvent", &[Waited]),
    ("ResolveIpNetEntry2", &[Row, OptionalSocket]),
    ("ResolveNeighbor", &[Socket, Buffer(2, 1, 0), Size]),
    ("RestoreMediaSense", &[Overlapped, Row]),
    ("RtlEthernetAddressToStringA", &[Row, Room(18)]),
    ("RtlEthernetAddressToStringW", &[Row, Room(36)]),
    ("RtlEthernetStringToAddressA", &[Text(1), Row, Row]),
    ("RtlEthernetStringToAddressW", &[Text(2), Row, Row]),
    ("RtlIpv4AddressToStringA", &[Row, Room(16)]),
    ("RtlIpv4AddressToStringExA", &[Row, Port, Buffer(3, 1, 0), Size]),
    ("RtlIpv4AddressToStringExW", &[Row, Port, Buffer(3, 2, 0), Size]),
    ("RtlIpv4AddressToStringW", &[Row, Room(32)]),
    ("RtlIpv4StringToAddressA", &[Text(1), Number, Row, Row]),
    ("RtlIpv4StringToAddressExA", &[Text(1), Number, Row, Row]),
    ("RtlIpv4StringToAddressExW", &[Text(2), Number, Row, Row]),
    ("RtlIpv4StringToAddressW", &[Text(2), Number, Row, Row]),
    ("RtlIpv6AddressToStringA", &[Row, Room(46)]),
    ("RtlIpv6AddressToStringExA", &[Row, Number, Port, Buffer(4, 1, 0), Size]),
    ("RtlIpv6AddressToStringExW", &[Row, Number, Port, Buffer(4, 2, 0), Size]),
    ("RtlIpv6AddressToStringW", &[Row, Room(92)]),
    ("RtlIpv6StringToAddressA", &[Text(1), Row, Row]),
    ("RtlIpv6StringToAddressExA", &[Text(1), Row, Row, Row]),
    ("RtlIpv6StringToAddressExW", &[Text(2), Row, Row, Row]),
    ("RtlIpv6StringToAddressW", &[Text(2), Row, Row]),
    ("SendARP", &[Address, Address, Buffer(3, 1, 0), Size]),
    ("SetCurrentThreadCompartmentId", &[Compartment]),
    ("SetCurrentThreadCompartmentScope", &[Number]),
    ("SetDnsSettings", &[Dns(Host, Read)]),
    ("SetEvent", &[Waited]),
    ("SetFlVirtualInterface", &[Row]),
    ("SetIfEntry", &[Row]),
    ("SetInterfaceDnsSettings", &[Guid, Dns(Interface, Read)]),
    ("SetIpForwardEntry", &[Row]),
    ("SetIpForwardEntry2", &[Row]),
    ("SetIpInterfaceEntry", &[Row]),
    ("SetIpNetEntry", &[Row]),
    ("SetIpNetEntry2", &[Row]),
    ("SetIpStatistics", &[Row]),
    ("SetIpStatisticsEx", &[Row, Family]),
    ("SetIpTTL", &[Number]),
    ("SetJobCompartmentId", &[NoHandle, Compartment]),
    ("SetLastError", &[Number]),
    ("SetNetworkInformation", &[Row, Compartment, Text(2)]),
    ("SetPerTcp6ConnectionEStats", SET_ESTATS),
    ("SetPerTcpConnectionEStats", SET_ESTATS),
    ("SetSessionCompartmentId", &[Number, Compartment]),
    ("SetTcpEntry", &[Row]),
    ("SetUnicastIpAddressEntry", &[Row]),
    ("Sleep", &[Timeout]),
    ("SleepEx", &[Timeout, Number]),
    ("TryEnterCriticalSection", &[Section]),
    ("UnenableRouter", &[Enabled, Row]),
    ("UnregisterInterfaceTimestampConfigChange", &[Registration]),
    ("UnregisterWait", &[WaitRegistration]),
    ("UnregisterWaitEx", &[WaitRegistration, Waited]),
    ("WaitForMultipleObjects", &[Length(66), WaitedAll(0), Number, Timeout]),
    ("WaitForMultipleObjectsEx", &[Length(66), WaitedAll(0), Number, Timeout, Number]),
    ("WaitForSingleObject", &[Waited, Timeout]),
    ("WaitForSingleObjectEx", &[Waited, Timeout, Number]),
    ("iphelper_if_indextoname", &[Index, Room(256)]),
    ("iphelper_if_nametoindex", &[Text(1)]),
];

/// Functions that change what the next ones find; each has a host of its own.
pub(crate) fn changes_the_host(name: &str) -> bool {
    ["Add", "Create", "Delete", "EnableRouter", "Flush", "Ip", "Set", "UnenableRouter"]
        .iter()
        .any(|verb| name.starts_with(verb))
        && !["CreateEvent", "CreateSorted", "CreateThread", "DeleteCritical", "SetEvent", "SetLastError"]
            .iter()
            .any(|verb| name.starts_with(verb))
}
