//! The types that functions take and give, member by member, as Rust has them.

use super::raw::*;
use std::mem::offset_of;

/// A type, a member of it (or `__sizeof__`, `__alignof__`), its offset and size in bytes, and what tells the name of its type.
pub(crate) type Member = (&'static str, &'static str, usize, usize, fn() -> &'static str);

/// Offset and size of each member listed, and size and alignment of the type.
macro_rules! layouts {
    ($($type:ident { $($name:literal = $($path:ident).+),* $(,)? })*) => {
        &[$(
            (stringify!($type), "__sizeof__", 0, size_of::<$type>(), std::any::type_name::<$type>),
            (stringify!($type), "__alignof__", 0, align_of::<$type>(), std::any::type_name::<$type>),
            $(
                (
                    stringify!($type),
                    $name,
                    offset_of!($type, $($path).+),
                    // SAFETY: never called; it tells the type of the member.
                    size_of_member(&|row: &$type| unsafe { &row.$($path).+ }),
                    // SAFETY: as above.
                    name_of_member(&|row: &$type| unsafe { &row.$($path).+ }),
                ),
            )*
        )*]
    };
}

const fn size_of_member<T, M>(_: &impl Fn(&T) -> &M) -> usize {
    size_of::<M>()
}

const fn name_of_member<T, M>(_: &impl Fn(&T) -> &M) -> fn() -> &'static str {
    std::any::type_name::<M>
}

/// Types of the headers alone: the functions here neither take nor give them. And what Rust has as one number.
pub(crate) const OF_HEADERS: &[&str] = &[
    "IP_ADAPTER_ADDRESSES_XP",
    "IP_ADAPTER_UNICAST_ADDRESS_XP",
    "MIB_IFNUMBER",
    "MIB_IPFORWARDNUMBER",
    "SOCKADDR",
    "SOCKADDR_IN",
    "SOCKADDR_IN6",
    "SOCKADDR_INET",
    "SOCKADDR_STORAGE",
    "SCOPE_ID",
    "IN_ADDR",
    "LARGE_INTEGER",
    "ICMP_ECHO_REPLY32",
    "IP_OPTION_INFORMATION32",
    // Packed, so that no member can be borrowed; its size is in that of ICMPV6_ECHO_REPLY.
    "IPV6_ADDRESS_EX",
    "DL_EUI48",
    "DL_OUI",
    "DL_EI48",
];

#[allow(unused_unsafe, reason = "most members are of structures, some of unions")]
pub(crate) const OURS: &[Member] = layouts! {
    IP_ADAPTER_ADDRESSES {
        "IfIndex" = IfIndex, "Length" = Length, "Next" = Next, "AdapterName" = AdapterName,
        "FirstUnicastAddress" = FirstUnicastAddress, "FirstAnycastAddress" = FirstAnycastAddress,
        "FirstMulticastAddress" = FirstMulticastAddress, "FirstDnsServerAddress" = FirstDnsServerAddress,
        "DnsSuffix" = DnsSuffix, "Description" = Description, "FriendlyName" = FriendlyName,
        "PhysicalAddress" = PhysicalAddress, "PhysicalAddressLength" = PhysicalAddressLength, "Flags" = Flags,
        "Mtu" = Mtu, "IfType" = IfType, "OperStatus" = OperStatus, "Ipv6IfIndex" = Ipv6IfIndex, "ZoneIndices" =
        ZoneIndices, "FirstPrefix" = FirstPrefix, "TransmitLinkSpeed" = TransmitLinkSpeed, "ReceiveLinkSpeed" =
        ReceiveLinkSpeed, "FirstWinsServerAddress" = FirstWinsServerAddress, "FirstGatewayAddress" =
        FirstGatewayAddress, "Ipv4Metric" = Ipv4Metric, "Ipv6Metric" = Ipv6Metric, "Luid" = Luid, "Dhcpv4Server" =
        Dhcpv4Server, "CompartmentId" = CompartmentId, "NetworkGuid" = NetworkGuid, "ConnectionType" =
        ConnectionType, "TunnelType" = TunnelType, "Dhcpv6Server" = Dhcpv6Server, "Dhcpv6ClientDuid" =
        Dhcpv6ClientDuid, "Dhcpv6ClientDuidLength" = Dhcpv6ClientDuidLength, "Dhcpv6Iaid" = Dhcpv6Iaid,
        "FirstDnsSuffix" = FirstDnsSuffix
    }
    IP_ADAPTER_UNICAST_ADDRESS {
        "Length" = Length, "Flags" = Flags, "Next" = Next, "Address" = Address, "PrefixOrigin" = PrefixOrigin,
        "SuffixOrigin" = SuffixOrigin, "DadState" = DadState, "ValidLifetime" = ValidLifetime,
        "PreferredLifetime" = PreferredLifetime, "LeaseLifetime" = LeaseLifetime, "OnLinkPrefixLength" =
        OnLinkPrefixLength
    }
    IP_ADAPTER_ANYCAST_ADDRESS {
        "Length" = Length, "Flags" = Flags, "Next" = Next, "Address" = Address
    }
    IP_ADAPTER_MULTICAST_ADDRESS {
        "Length" = Length, "Flags" = Flags, "Next" = Next, "Address" = Address
    }
    IP_ADAPTER_DNS_SERVER_ADDRESS {
        "Length" = Length, "Reserved" = Reserved, "Next" = Next, "Address" = Address
    }
    IP_ADAPTER_WINS_SERVER_ADDRESS {
        "Length" = Length, "Reserved" = Reserved, "Next" = Next, "Address" = Address
    }
    IP_ADAPTER_GATEWAY_ADDRESS {
        "Length" = Length, "Reserved" = Reserved, "Next" = Next, "Address" = Address
    }
    IP_ADAPTER_PREFIX {
        "Length" = Length, "Flags" = Flags, "Next" = Next, "Address" = Address, "PrefixLength" = PrefixLength
    }
    IP_ADAPTER_DNS_SUFFIX {
        "Next" = Next, "String" = String
    }
    IP_ADAPTER_INFO {
        "Next" = Next, "ComboIndex" = ComboIndex, "AdapterName" = AdapterName, "Description" = Description,
        "AddressLength" = AddressLength, "Address" = Address, "Index" = Index, "Type" = Type, "DhcpEnabled" =
        DhcpEnabled, "CurrentIpAddress" = CurrentIpAddress, "IpAddressList" = IpAddressList, "GatewayList" =
        GatewayList, "DhcpServer" = DhcpServer, "HaveWins" = HaveWins, "PrimaryWinsServer" = PrimaryWinsServer,
        "SecondaryWinsServer" = SecondaryWinsServer, "LeaseObtained" = LeaseObtained, "LeaseExpires" = LeaseExpires
    }
    IP_ADDR_STRING {
        "Next" = Next, "IpAddress" = IpAddress, "IpMask" = IpMask, "Context" = Context
    }
    IP_PER_ADAPTER_INFO {
        "AutoconfigEnabled" = AutoconfigEnabled, "AutoconfigActive" = AutoconfigActive, "CurrentDnsServer" =
        CurrentDnsServer, "DnsServerList" = DnsServerList
    }
    IP_ADAPTER_INDEX_MAP {
        "Index" = Index, "Name" = Name
    }
    IP_INTERFACE_INFO {
        "NumAdapters" = NumAdapters, "Adapter" = Adapter
    }
    IP_UNIDIRECTIONAL_ADAPTER_ADDRESS {
        "NumAdapters" = NumAdapters, "Address" = Address
    }
    IP_ADAPTER_ORDER_MAP {
        "NumAdapters" = NumAdapters, "AdapterOrder" = AdapterOrder
    }
    IP_INTERFACE_NAME_INFO {
        "Index" = Index, "MediaType" = MediaType, "ConnectionType" = ConnectionType, "AccessType" = AccessType,
        "DeviceGuid" = DeviceGuid, "InterfaceGuid" = InterfaceGuid
    }
    SOCKET_ADDRESS {
        "lpSockaddr" = lpSockaddr, "iSockaddrLength" = iSockaddrLength
    }
    MIB_IFSTACK_ROW {
        "HigherLayerInterfaceIndex" = HigherLayerInterfaceIndex, "LowerLayerInterfaceIndex" =
        LowerLayerInterfaceIndex
    }
    MIB_IFSTACK_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_IF_ROW2 {
        "InterfaceLuid" = InterfaceLuid, "InterfaceIndex" = InterfaceIndex, "InterfaceGuid" =
        InterfaceGuid, "Alias" = Alias, "Description" = Description, "PhysicalAddressLength" =
        PhysicalAddressLength, "PhysicalAddress" = PhysicalAddress, "PermanentPhysicalAddress" =
        PermanentPhysicalAddress, "Mtu" = Mtu, "Type" = Type, "TunnelType" = TunnelType, "MediaType" =
        MediaType, "PhysicalMediumType" = PhysicalMediumType, "AccessType" = AccessType, "DirectionType"
        = DirectionType, "InterfaceAndOperStatusFlags" = InterfaceAndOperStatusFlags, "OperStatus" =
        OperStatus, "AdminStatus" = AdminStatus, "MediaConnectState" = MediaConnectState, "NetworkGuid"
        = NetworkGuid, "ConnectionType" = ConnectionType, "TransmitLinkSpeed" = TransmitLinkSpeed,
        "ReceiveLinkSpeed" = ReceiveLinkSpeed, "InOctets" = InOctets, "InUcastPkts" = InUcastPkts,
        "InNUcastPkts" = InNUcastPkts, "InDiscards" = InDiscards, "InErrors" = InErrors,
        "InUnknownProtos" = InUnknownProtos, "InUcastOctets" = InUcastOctets, "InMulticastOctets" =
        InMulticastOctets, "InBroadcastOctets" = InBroadcastOctets, "OutOctets" = OutOctets,
        "OutUcastPkts" = OutUcastPkts, "OutNUcastPkts" = OutNUcastPkts, "OutDiscards" = OutDiscards,
        "OutErrors" = OutErrors, "OutUcastOctets" = OutUcastOctets, "OutMulticastOctets" =
        OutMulticastOctets, "OutBroadcastOctets" = OutBroadcastOctets, "OutQLen" = OutQLen
    }
    MIB_IF_TABLE2 {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_IPNETROW {
        "dwIndex" = dwIndex, "dwPhysAddrLen" = dwPhysAddrLen, "bPhysAddr" = bPhysAddr, "dwAddr" = dwAddr,
        "dwType" = Anonymous.dwType, "Type" = Anonymous.Type
    }
    MIB_IPNETTABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_IPNET_ROW2 {
        "Address" = Address, "InterfaceIndex" = InterfaceIndex, "InterfaceLuid" = InterfaceLuid,
        "PhysicalAddress" = PhysicalAddress, "PhysicalAddressLength" = PhysicalAddressLength, "State" =
        State, "Flags" = Flags, "ReachabilityTime" = LastReachable, "ReachabilityTime.LastReachable" =
        LastReachable, "ReachabilityTime.LastUnreachable" = LastReachable
    }
    MIB_IPNET_TABLE2 {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_UNICASTIPADDRESS_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_ANYCASTIPADDRESS_ROW {
        "Address" = Address, "InterfaceLuid" = InterfaceLuid, "InterfaceIndex" = InterfaceIndex,
        "ScopeId" = ScopeId
    }
    MIB_ANYCASTIPADDRESS_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_MULTICASTIPADDRESS_ROW {
        "Address" = Address, "InterfaceIndex" = InterfaceIndex, "InterfaceLuid" = InterfaceLuid,
        "ScopeId" = ScopeId
    }
    MIB_MULTICASTIPADDRESS_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_IPADDRROW {
        "dwAddr" = dwAddr, "dwIndex" = dwIndex, "dwMask" = dwMask, "dwBCastAddr" = dwBCastAddr,
        "dwReasmSize" = dwReasmSize, "unused1" = unused1, "wType" = wType
    }
    MIB_IPADDRTABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_INVERTEDIFSTACK_ROW {
        "LowerLayerInterfaceIndex" = LowerLayerInterfaceIndex, "HigherLayerInterfaceIndex" =
        HigherLayerInterfaceIndex
    }
    MIB_INVERTEDIFSTACK_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_IPINTERFACE_ROW {
        "Family" = Family, "InterfaceLuid" = InterfaceLuid, "InterfaceIndex" = InterfaceIndex,
        "MaxReassemblySize" = MaxReassemblySize, "InterfaceIdentifier" = InterfaceIdentifier,
        "MinRouterAdvertisementInterval" = MinRouterAdvertisementInterval,
        "MaxRouterAdvertisementInterval" = MaxRouterAdvertisementInterval, "AdvertisingEnabled" =
        AdvertisingEnabled, "ForwardingEnabled" = ForwardingEnabled, "WeakHostSend" = WeakHostSend,
        "WeakHostReceive" = WeakHostReceive, "UseAutomaticMetric" = UseAutomaticMetric,
        "UseNeighborUnreachabilityDetection" = UseNeighborUnreachabilityDetection,
        "ManagedAddressConfigurationSupported" = ManagedAddressConfigurationSupported,
        "OtherStatefulConfigurationSupported" = OtherStatefulConfigurationSupported,
        "AdvertiseDefaultRoute" = AdvertiseDefaultRoute, "RouterDiscoveryBehavior" =
        RouterDiscoveryBehavior, "DadTransmits" = DadTransmits, "BaseReachableTime" = BaseReachableTime,
        "RetransmitTime" = RetransmitTime, "PathMtuDiscoveryTimeout" = PathMtuDiscoveryTimeout,
        "LinkLocalAddressBehavior" = LinkLocalAddressBehavior, "LinkLocalAddressTimeout" =
        LinkLocalAddressTimeout, "ZoneIndices" = ZoneIndices, "SitePrefixLength" = SitePrefixLength,
        "Metric" = Metric, "NlMtu" = NlMtu, "Connected" = Connected, "SupportsWakeUpPatterns" =
        SupportsWakeUpPatterns, "SupportsNeighborDiscovery" = SupportsNeighborDiscovery,
        "SupportsRouterDiscovery" = SupportsRouterDiscovery, "ReachableTime" = ReachableTime,
        "TransmitOffload" = TransmitOffload, "ReceiveOffload" = ReceiveOffload, "DisableDefaultRoutes" =
        DisableDefaultRoutes
    }
    MIB_IPINTERFACE_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_IPPATH_ROW {
        "Source" = Source, "Destination" = Destination, "InterfaceLuid" = InterfaceLuid, "InterfaceIndex" =
        InterfaceIndex, "CurrentNextHop" = CurrentNextHop, "PathMtu" = PathMtu, "RttMean" = RttMean,
        "RttDeviation" = RttDeviation, "LastReachable" = LastReachable, "LastUnreachable" = LastReachable,
        "IsReachable" = IsReachable, "LinkTransmitSpeed" = LinkTransmitSpeed, "LinkReceiveSpeed" =
        LinkReceiveSpeed
    }
    NL_BANDWIDTH_INFORMATION {
        "Bandwidth" = Bandwidth, "Instability" = Instability, "BandwidthPeaked" = BandwidthPeaked
    }
    MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES {
        "InboundBandwidthInformation" = InboundBandwidthInformation, "OutboundBandwidthInformation" =
        OutboundBandwidthInformation
    }
    MIB_IPFORWARD_ROW2 {
        "InterfaceLuid" = InterfaceLuid, "InterfaceIndex" = InterfaceIndex, "DestinationPrefix" =
        DestinationPrefix, "NextHop" = NextHop, "SitePrefixLength" = SitePrefixLength, "ValidLifetime" =
        ValidLifetime, "PreferredLifetime" = PreferredLifetime, "Metric" = Metric, "Protocol" = Protocol,
        "Loopback" = Loopback, "AutoconfigureAddress" = AutoconfigureAddress, "Publish" = Publish,
        "Immortal" = Immortal, "Age" = Age, "Origin" = Origin
    }
    MIB_IPFORWARD_TABLE2 {
        "NumEntries" = NumEntries, "Table" = Table
    }
    IP_ADDRESS_PREFIX {
        "Prefix" = Prefix, "PrefixLength" = PrefixLength
    }
    MIB_IPFORWARDROW {
        "dwForwardDest" = dwForwardDest, "dwForwardMask" = dwForwardMask, "dwForwardPolicy" =
        dwForwardPolicy, "dwForwardNextHop" = dwForwardNextHop, "dwForwardIfIndex" = dwForwardIfIndex,
        "dwForwardType" = Anonymous1.dwForwardType, "ForwardType" = Anonymous1.ForwardType,
        "dwForwardProto" = Anonymous2.dwForwardProto, "ForwardProto" = Anonymous2.ForwardProto,
        "dwForwardAge" = dwForwardAge, "dwForwardNextHopAS" = dwForwardNextHopAS, "dwForwardMetric1" =
        dwForwardMetric1, "dwForwardMetric2" = dwForwardMetric2, "dwForwardMetric3" = dwForwardMetric3,
        "dwForwardMetric4" = dwForwardMetric4, "dwForwardMetric5" = dwForwardMetric5
    }
    MIB_IPFORWARDTABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    DNS_DOH_SERVER_SETTINGS {
        "Template" = Template, "Flags" = Flags
    }
    DNS_DOT_SERVER_SETTINGS {
        "Hostname" = Hostname, "Flags" = Flags, "Port" = Port
    }
    DNS_INTERFACE_SETTINGS {
        "Version" = Version, "Flags" = Flags, "Domain" = Domain, "NameServer" = NameServer, "SearchList" = SearchList, "RegistrationEnabled" = RegistrationEnabled, "RegisterAdapterName" = RegisterAdapterName, "EnableLLMNR" = EnableLLMNR, "QueryAdapterName" = QueryAdapterName, "ProfileNameServer" = ProfileNameServer
    }
    DNS_INTERFACE_SETTINGS3 {
        "Version" = Version, "Flags" = Flags, "Domain" = Domain, "NameServer" = NameServer, "SearchList" = SearchList, "RegistrationEnabled" = RegistrationEnabled, "RegisterAdapterName" = RegisterAdapterName, "EnableLLMNR" = EnableLLMNR, "QueryAdapterName" = QueryAdapterName, "ProfileNameServer" = ProfileNameServer, "DisableUnconstrainedQueries" = DisableUnconstrainedQueries, "SupplementalSearchList" = SupplementalSearchList, "cServerProperties" = cServerProperties, "ServerProperties" = ServerProperties, "cProfileServerProperties" = cProfileServerProperties, "ProfileServerProperties" = ProfileServerProperties
    }
    DNS_INTERFACE_SETTINGS4 {
        "Version" = Version, "Flags" = Flags, "Domain" = Domain, "NameServer" = NameServer, "SearchList" = SearchList, "RegistrationEnabled" = RegistrationEnabled, "RegisterAdapterName" = RegisterAdapterName, "EnableLLMNR" = EnableLLMNR, "QueryAdapterName" = QueryAdapterName, "ProfileNameServer" = ProfileNameServer, "DisableUnconstrainedQueries" = DisableUnconstrainedQueries, "SupplementalSearchList" = SupplementalSearchList, "cServerProperties" = cServerProperties, "ServerProperties" = ServerProperties, "cProfileServerProperties" = cProfileServerProperties, "ProfileServerProperties" = ProfileServerProperties, "EncryptedDnsAdapterFlags" = EncryptedDnsAdapterFlags
    }
    DNS_INTERFACE_SETTINGS_EX {
        "SettingsV1" = SettingsV1, "DisableUnconstrainedQueries" = DisableUnconstrainedQueries, "SupplementalSearchList" = SupplementalSearchList
    }
    DNS_SERVER_PROPERTY {
        "Version" = Version, "ServerIndex" = ServerIndex, "Type" = Type, "Property" = Property
    }
    DNS_SERVER_PROPERTY_TYPES {
        "DohSettings" = DohSettings, "DotSettings" = DotSettings
    }
    FIXED_INFO {
        "HostName" = HostName, "DomainName" = DomainName, "CurrentDnsServer" = CurrentDnsServer, "DnsServerList" = DnsServerList, "NodeType" = NodeType, "ScopeId" = ScopeId, "EnableRouting" = EnableRouting, "EnableProxy" = EnableProxy, "EnableDns" = EnableDns
    }
    DNS_SETTINGS {
        "Version" = Version, "Flags" = Flags, "Hostname" = Hostname, "Domain" = Domain, "SearchList" = SearchList
    }
    DNS_SETTINGS2 {
        "Version" = Version, "Flags" = Flags, "Hostname" = Hostname, "Domain" = Domain, "SearchList" = SearchList, "SettingFlags" = SettingFlags
    }
    MIB_FL_VIRTUAL_INTERFACE_ROW {
        "Family" = Family, "IfLuid" = IfLuid, "VirtualIfId" = VirtualIfId, "CompartmentGuid" = CompartmentGuid, "IsolationMode" = IsolationMode, "Origin" = Origin, "VirtualIfLuid" = VirtualIfLuid, "VirtualIfIndex" = VirtualIfIndex, "AllowLocalNd" = AllowLocalNd, "AttachedFlsnpiClients" = AttachedFlsnpiClients, "FlsnpiClientConfigErrors" = FlsnpiClientConfigErrors, "FlsnpiClientInjectErrors" = FlsnpiClientInjectErrors, "FlsnpiClientCloneErrors" = FlsnpiClientCloneErrors, "InFlsnpiIndicatedPackets" = InFlsnpiIndicatedPackets, "InFlsnpiClientReturnedPackets" = InFlsnpiClientReturnedPackets, "InFlsnpiClientSilentlyDroppedPackets" = InFlsnpiClientSilentlyDroppedPackets, "InFlsnpiClientDroppedPackets" = InFlsnpiClientDroppedPackets, "InFlsnpiClientInjectedPackets" = InFlsnpiClientInjectedPackets, "InFlsnpiClientClonedPackets" = InFlsnpiClientClonedPackets, "OutFlsnpiIndicatedPackets" = OutFlsnpiIndicatedPackets, "OutFlsnpiClientReturnedPackets" = OutFlsnpiClientReturnedPackets, "OutFlsnpiClientDroppedPackets" = OutFlsnpiClientDroppedPackets, "OutFlsnpiClientSilentlyDroppedPackets" = OutFlsnpiClientSilentlyDroppedPackets, "OutFlsnpiClientInjectedPackets" = OutFlsnpiClientInjectedPackets, "OutFlsnpiClientClonedPackets" = OutFlsnpiClientClonedPackets, "OutFlsnpiClientClonedPacketsForNbSplit" = OutFlsnpiClientClonedPacketsForNbSplit
    }
    MIB_FL_VIRTUAL_INTERFACE_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    INTERFACE_HARDWARE_CROSSTIMESTAMP {
        "SystemTimestamp1" = SystemTimestamp1, "HardwareClockTimestamp" = HardwareClockTimestamp, "SystemTimestamp2" = SystemTimestamp2
    }
    INTERFACE_HARDWARE_TIMESTAMP_CAPABILITIES {
        "PtpV2OverUdpIPv4EventMessageReceive" = PtpV2OverUdpIPv4EventMessageReceive, "PtpV2OverUdpIPv4AllMessageReceive" = PtpV2OverUdpIPv4AllMessageReceive, "PtpV2OverUdpIPv4EventMessageTransmit" = PtpV2OverUdpIPv4EventMessageTransmit, "PtpV2OverUdpIPv4AllMessageTransmit" = PtpV2OverUdpIPv4AllMessageTransmit, "PtpV2OverUdpIPv6EventMessageReceive" = PtpV2OverUdpIPv6EventMessageReceive, "PtpV2OverUdpIPv6AllMessageReceive" = PtpV2OverUdpIPv6AllMessageReceive, "PtpV2OverUdpIPv6EventMessageTransmit" = PtpV2OverUdpIPv6EventMessageTransmit, "PtpV2OverUdpIPv6AllMessageTransmit" = PtpV2OverUdpIPv6AllMessageTransmit, "AllReceive" = AllReceive, "AllTransmit" = AllTransmit, "TaggedTransmit" = TaggedTransmit
    }
    INTERFACE_SOFTWARE_TIMESTAMP_CAPABILITIES {
        "AllReceive" = AllReceive, "AllTransmit" = AllTransmit, "TaggedTransmit" = TaggedTransmit
    }
    INTERFACE_TIMESTAMP_CAPABILITIES {
        "HardwareClockFrequencyHz" = HardwareClockFrequencyHz, "SupportsCrossTimestamp" = SupportsCrossTimestamp, "HardwareCapabilities" = HardwareCapabilities, "SoftwareCapabilities" = SoftwareCapabilities
    }
    NL_NETWORK_CONNECTIVITY_HINT {
        "ConnectivityLevel" = ConnectivityLevel, "ConnectivityCost" = ConnectivityCost, "ApproachingDataLimit" = ApproachingDataLimit, "OverDataLimit" = OverDataLimit, "Roaming" = Roaming
    }
    MIB_IPPATH_TABLE {
        "NumEntries" = NumEntries, "Table" = Table
    }
    MIB_UNICASTIPADDRESS_ROW {
        "Address" = Address, "InterfaceLuid" = InterfaceLuid, "InterfaceIndex" = InterfaceIndex, "PrefixOrigin"
        = PrefixOrigin, "SuffixOrigin" = SuffixOrigin, "ValidLifetime" = ValidLifetime, "PreferredLifetime" =
        PreferredLifetime, "OnLinkPrefixLength" = OnLinkPrefixLength, "SkipAsSource" = SkipAsSource, "DadState"
        = DadState, "ScopeId" = ScopeId, "CreationTimeStamp" = CreationTimeStamp
    }
    OVERLAPPED {
        "Internal" = Internal, "InternalHigh" = InternalHigh, "Offset" = Anonymous.Anonymous.Offset, "OffsetHigh" =
        Anonymous.Anonymous.OffsetHigh, "Pointer" = Anonymous.Pointer, "hEvent" = hEvent
    }
    SOCKADDR_IN6_PAIR {
        "SourceAddress" = SourceAddress, "DestinationAddress" = DestinationAddress
    }
    MIB_TCP6ROW {
        "State" = State, "LocalAddr" = LocalAddr, "dwLocalScopeId" = dwLocalScopeId, "dwLocalPort" =
        dwLocalPort, "RemoteAddr" = RemoteAddr, "dwRemoteScopeId" = dwRemoteScopeId, "dwRemotePort" =
        dwRemotePort
    }
    MIB_TCP6ROW2 {
        "LocalAddr" = LocalAddr, "dwLocalScopeId" = dwLocalScopeId, "dwLocalPort" = dwLocalPort,
        "RemoteAddr" = RemoteAddr, "dwRemoteScopeId" = dwRemoteScopeId, "dwRemotePort" = dwRemotePort,
        "State" = State, "dwOwningPid" = dwOwningPid, "dwOffloadState" = dwOffloadState
    }
    MIB_TCP6ROW_OWNER_MODULE {
        "ucLocalAddr" = ucLocalAddr, "dwLocalScopeId" = dwLocalScopeId, "dwLocalPort" = dwLocalPort,
        "ucRemoteAddr" = ucRemoteAddr, "dwRemoteScopeId" = dwRemoteScopeId, "dwRemotePort" =
        dwRemotePort, "dwState" = dwState, "dwOwningPid" = dwOwningPid, "liCreateTimestamp" =
        liCreateTimestamp, "OwningModuleInfo" = OwningModuleInfo
    }
    MIB_TCP6ROW_OWNER_PID {
        "ucLocalAddr" = ucLocalAddr, "dwLocalScopeId" = dwLocalScopeId, "dwLocalPort" = dwLocalPort,
        "ucRemoteAddr" = ucRemoteAddr, "dwRemoteScopeId" = dwRemoteScopeId, "dwRemotePort" =
        dwRemotePort, "dwState" = dwState, "dwOwningPid" = dwOwningPid
    }
    MIB_TCP6TABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_TCP6TABLE2 {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_TCP6TABLE_OWNER_MODULE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_TCP6TABLE_OWNER_PID {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_TCPROW {
        "dwState" = Anonymous.dwState, "State" = Anonymous.State, "dwLocalAddr" = dwLocalAddr,
        "dwLocalPort" = dwLocalPort, "dwRemoteAddr" = dwRemoteAddr, "dwRemotePort" = dwRemotePort
    }
    MIB_TCPROW2 {
        "dwState" = dwState, "dwLocalAddr" = dwLocalAddr, "dwLocalPort" = dwLocalPort, "dwRemoteAddr" =
        dwRemoteAddr, "dwRemotePort" = dwRemotePort, "dwOwningPid" = dwOwningPid, "dwOffloadState" =
        dwOffloadState
    }
    MIB_TCPROW_OWNER_MODULE {
        "dwState" = dwState, "dwLocalAddr" = dwLocalAddr, "dwLocalPort" = dwLocalPort, "dwRemoteAddr" =
        dwRemoteAddr, "dwRemotePort" = dwRemotePort, "dwOwningPid" = dwOwningPid, "liCreateTimestamp" =
        liCreateTimestamp, "OwningModuleInfo" = OwningModuleInfo
    }
    MIB_TCPROW_OWNER_PID {
        "dwState" = dwState, "dwLocalAddr" = dwLocalAddr, "dwLocalPort" = dwLocalPort, "dwRemoteAddr" =
        dwRemoteAddr, "dwRemotePort" = dwRemotePort, "dwOwningPid" = dwOwningPid
    }
    MIB_TCPTABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_TCPTABLE2 {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_TCPTABLE_OWNER_MODULE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_TCPTABLE_OWNER_PID {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_IFROW {
        "wszName" = wszName, "dwIndex" = dwIndex, "dwType" = dwType, "dwMtu" = dwMtu, "dwSpeed" =
        dwSpeed, "dwPhysAddrLen" = dwPhysAddrLen, "bPhysAddr" = bPhysAddr, "dwAdminStatus" =
        dwAdminStatus, "dwOperStatus" = dwOperStatus, "dwLastChange" = dwLastChange, "dwInOctets" =
        dwInOctets, "dwInUcastPkts" = dwInUcastPkts, "dwInNUcastPkts" = dwInNUcastPkts, "dwInDiscards" =
        dwInDiscards, "dwInErrors" = dwInErrors, "dwInUnknownProtos" = dwInUnknownProtos, "dwOutOctets"
        = dwOutOctets, "dwOutUcastPkts" = dwOutUcastPkts, "dwOutNUcastPkts" = dwOutNUcastPkts,
        "dwOutDiscards" = dwOutDiscards, "dwOutErrors" = dwOutErrors, "dwOutQLen" = dwOutQLen,
        "dwDescrLen" = dwDescrLen, "bDescr" = bDescr
    }
    MIB_IFTABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    TCPIP_OWNER_MODULE_BASIC_INFO {
        "pModuleName" = pModuleName, "pModulePath" = pModulePath
    }
    NL_INTERFACE_OFFLOAD_ROD {

    }
    NET_LUID {
        "Value" = Value
    }
    GUID {
        "Data1" = data1, "Data2" = data2, "Data3" = data3, "Data4" = data4
    }
    IN6_ADDR {
        "u" = u, "u.Byte" = u.Byte, "u.Word" = u.Word
    }
    TCP_ESTATS_SYN_OPTS_ROS_v0 {
        "ActiveOpen" = ActiveOpen, "MssRcvd" = MssRcvd, "MssSent" = MssSent
    }
    TCP_ESTATS_DATA_ROD_v0 {
        "DataBytesOut" = DataBytesOut, "DataSegsOut" = DataSegsOut, "DataBytesIn" = DataBytesIn, "DataSegsIn" = DataSegsIn, "SegsOut" = SegsOut, "SegsIn" = SegsIn, "SoftErrors" = SoftErrors, "SoftErrorReason" = SoftErrorReason, "SndUna" = SndUna, "SndNxt" = SndNxt, "SndMax" = SndMax, "ThruBytesAcked" = ThruBytesAcked, "RcvNxt" = RcvNxt, "ThruBytesReceived" = ThruBytesReceived
    }
    TCP_ESTATS_DATA_RW_v0 {
        "EnableCollection" = EnableCollection
    }
    TCP_ESTATS_SND_CONG_ROS_v0 {
        "LimCwnd" = LimCwnd
    }
    TCP_ESTATS_SND_CONG_ROD_v0 {
        "SndLimTransRwin" = SndLimTransRwin, "SndLimTimeRwin" = SndLimTimeRwin, "SndLimBytesRwin" = SndLimBytesRwin, "SndLimTransCwnd" = SndLimTransCwnd, "SndLimTimeCwnd" = SndLimTimeCwnd, "SndLimBytesCwnd" = SndLimBytesCwnd, "SndLimTransSnd" = SndLimTransSnd, "SndLimTimeSnd" = SndLimTimeSnd, "SndLimBytesSnd" = SndLimBytesSnd, "SlowStart" = SlowStart, "CongAvoid" = CongAvoid, "OtherReductions" = OtherReductions, "CurCwnd" = CurCwnd, "MaxSsCwnd" = MaxSsCwnd, "MaxCaCwnd" = MaxCaCwnd, "CurSsthresh" = CurSsthresh, "MaxSsthresh" = MaxSsthresh, "MinSsthresh" = MinSsthresh
    }
    TCP_ESTATS_SND_CONG_RW_v0 {
        "EnableCollection" = EnableCollection
    }
    TCP_ESTATS_PATH_ROD_v0 {
        "FastRetran" = FastRetran, "Timeouts" = Timeouts, "SubsequentTimeouts" = SubsequentTimeouts, "CurTimeoutCount" = CurTimeoutCount, "AbruptTimeouts" = AbruptTimeouts, "PktsRetrans" = PktsRetrans, "BytesRetrans" = BytesRetrans, "DupAcksIn" = DupAcksIn, "SacksRcvd" = SacksRcvd, "SackBlocksRcvd" = SackBlocksRcvd, "CongSignals" = CongSignals, "PreCongSumCwnd" = PreCongSumCwnd, "PreCongSumRtt" = PreCongSumRtt, "PostCongSumRtt" = PostCongSumRtt, "PostCongCountRtt" = PostCongCountRtt, "EcnSignals" = EcnSignals, "EceRcvd" = EceRcvd, "SendStall" = SendStall, "QuenchRcvd" = QuenchRcvd, "RetranThresh" = RetranThresh, "SndDupAckEpisodes" = SndDupAckEpisodes, "SumBytesReordered" = SumBytesReordered, "NonRecovDa" = NonRecovDa, "NonRecovDaEpisodes" = NonRecovDaEpisodes, "AckAfterFr" = AckAfterFr, "DsackDups" = DsackDups, "SampleRtt" = SampleRtt, "SmoothedRtt" = SmoothedRtt, "RttVar" = RttVar, "MaxRtt" = MaxRtt, "MinRtt" = MinRtt, "SumRtt" = SumRtt, "CountRtt" = CountRtt, "CurRto" = CurRto, "MaxRto" = MaxRto, "MinRto" = MinRto, "CurMss" = CurMss, "MaxMss" = MaxMss, "MinMss" = MinMss, "SpuriousRtoDetections" = SpuriousRtoDetections
    }
    TCP_ESTATS_PATH_RW_v0 {
        "EnableCollection" = EnableCollection
    }
    TCP_ESTATS_SEND_BUFF_ROD_v0 {
        "CurRetxQueue" = CurRetxQueue, "MaxRetxQueue" = MaxRetxQueue, "CurAppWQueue" = CurAppWQueue, "MaxAppWQueue" = MaxAppWQueue
    }
    TCP_ESTATS_SEND_BUFF_RW_v0 {
        "EnableCollection" = EnableCollection
    }
    TCP_ESTATS_REC_ROD_v0 {
        "CurRwinSent" = CurRwinSent, "MaxRwinSent" = MaxRwinSent, "MinRwinSent" = MinRwinSent, "LimRwin" = LimRwin, "DupAckEpisodes" = DupAckEpisodes, "DupAcksOut" = DupAcksOut, "CeRcvd" = CeRcvd, "EcnSent" = EcnSent, "EcnNoncesRcvd" = EcnNoncesRcvd, "CurReasmQueue" = CurReasmQueue, "MaxReasmQueue" = MaxReasmQueue, "CurAppRQueue" = CurAppRQueue, "MaxAppRQueue" = MaxAppRQueue, "WinScaleSent" = WinScaleSent
    }
    TCP_ESTATS_REC_RW_v0 {
        "EnableCollection" = EnableCollection
    }
    TCP_ESTATS_OBS_REC_ROD_v0 {
        "CurRwinRcvd" = CurRwinRcvd, "MaxRwinRcvd" = MaxRwinRcvd, "MinRwinRcvd" = MinRwinRcvd, "WinScaleRcvd" = WinScaleRcvd
    }
    TCP_ESTATS_OBS_REC_RW_v0 {
        "EnableCollection" = EnableCollection
    }
    TCP_ESTATS_BANDWIDTH_ROD_v0 {
        "OutboundBandwidth" = OutboundBandwidth, "InboundBandwidth" = InboundBandwidth, "OutboundInstability" = OutboundInstability, "InboundInstability" = InboundInstability, "OutboundBandwidthPeaked" = OutboundBandwidthPeaked, "InboundBandwidthPeaked" = InboundBandwidthPeaked
    }
    TCP_ESTATS_BANDWIDTH_RW_v0 {
        "EnableCollectionOutbound" = EnableCollectionOutbound, "EnableCollectionInbound" = EnableCollectionInbound
    }
    TCP_ESTATS_FINE_RTT_ROD_v0 {
        "RttVar" = RttVar, "MaxRtt" = MaxRtt, "MinRtt" = MinRtt, "SumRtt" = SumRtt
    }
    TCP_ESTATS_FINE_RTT_RW_v0 {
        "EnableCollection" = EnableCollection
    }
    MIB_UDPROW {
        "dwLocalAddr" = dwLocalAddr, "dwLocalPort" = dwLocalPort
    }
    MIB_UDPTABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_UDPROW_OWNER_PID {
        "dwLocalAddr" = dwLocalAddr, "dwLocalPort" = dwLocalPort, "dwOwningPid" = dwOwningPid
    }
    MIB_UDPTABLE_OWNER_PID {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_UDPROW_OWNER_MODULE {
        "dwLocalAddr" = dwLocalAddr, "dwLocalPort" = dwLocalPort, "dwOwningPid" = dwOwningPid, "liCreateTimestamp" = liCreateTimestamp, "dwFlags" = dwFlags, "OwningModuleInfo" = OwningModuleInfo
    }
    MIB_UDPTABLE_OWNER_MODULE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_UDP6ROW {
        "dwLocalAddr" = dwLocalAddr, "dwLocalScopeId" = dwLocalScopeId, "dwLocalPort" = dwLocalPort
    }
    MIB_UDP6TABLE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_UDP6ROW_OWNER_PID {
        "ucLocalAddr" = ucLocalAddr, "dwLocalScopeId" = dwLocalScopeId, "dwLocalPort" = dwLocalPort, "dwOwningPid" = dwOwningPid
    }
    MIB_UDP6TABLE_OWNER_PID {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_UDP6ROW_OWNER_MODULE {
        "ucLocalAddr" = ucLocalAddr, "dwLocalScopeId" = dwLocalScopeId, "dwLocalPort" = dwLocalPort, "dwOwningPid" = dwOwningPid, "liCreateTimestamp" = liCreateTimestamp, "dwFlags" = dwFlags, "OwningModuleInfo" = OwningModuleInfo
    }
    MIB_UDP6TABLE_OWNER_MODULE {
        "dwNumEntries" = dwNumEntries, "table" = table
    }
    MIB_IPSTATS {
        "dwForwarding" = Anonymous.dwForwarding, "Forwarding" = Anonymous.Forwarding, "dwDefaultTTL" = dwDefaultTTL, "dwInReceives" = dwInReceives, "dwInHdrErrors" = dwInHdrErrors, "dwInAddrErrors" = dwInAddrErrors, "dwForwDatagrams" = dwForwDatagrams, "dwInUnknownProtos" = dwInUnknownProtos, "dwInDiscards" = dwInDiscards, "dwInDelivers" = dwInDelivers, "dwOutRequests" = dwOutRequests, "dwRoutingDiscards" = dwRoutingDiscards, "dwOutDiscards" = dwOutDiscards, "dwOutNoRoutes" = dwOutNoRoutes, "dwReasmTimeout" = dwReasmTimeout, "dwReasmReqds" = dwReasmReqds, "dwReasmOks" = dwReasmOks, "dwReasmFails" = dwReasmFails, "dwFragOks" = dwFragOks, "dwFragFails" = dwFragFails, "dwFragCreates" = dwFragCreates, "dwNumIf" = dwNumIf, "dwNumAddr" = dwNumAddr, "dwNumRoutes" = dwNumRoutes
    }
    MIBICMPSTATS {
        "dwMsgs" = dwMsgs, "dwErrors" = dwErrors, "dwDestUnreachs" = dwDestUnreachs, "dwTimeExcds" = dwTimeExcds, "dwParmProbs" = dwParmProbs, "dwSrcQuenchs" = dwSrcQuenchs, "dwRedirects" = dwRedirects, "dwEchos" = dwEchos, "dwEchoReps" = dwEchoReps, "dwTimestamps" = dwTimestamps, "dwTimestampReps" = dwTimestampReps, "dwAddrMasks" = dwAddrMasks, "dwAddrMaskReps" = dwAddrMaskReps
    }
    MIBICMPINFO {
        "icmpInStats" = icmpInStats, "icmpOutStats" = icmpOutStats
    }
    MIB_ICMP {
        "stats" = stats
    }
    MIBICMPSTATS_EX {
        "dwMsgs" = dwMsgs, "dwErrors" = dwErrors, "rgdwTypeCount" = rgdwTypeCount
    }
    MIB_ICMP_EX {
        "icmpInStats" = icmpInStats, "icmpOutStats" = icmpOutStats
    }
    MIB_TCPSTATS {
        "dwRtoAlgorithm" = Anonymous.dwRtoAlgorithm, "RtoAlgorithm" = Anonymous.RtoAlgorithm, "dwRtoMin" = dwRtoMin, "dwRtoMax" = dwRtoMax, "dwMaxConn" = dwMaxConn, "dwActiveOpens" = dwActiveOpens, "dwPassiveOpens" = dwPassiveOpens, "dwAttemptFails" = dwAttemptFails, "dwEstabResets" = dwEstabResets, "dwCurrEstab" = dwCurrEstab, "dwInSegs" = dwInSegs, "dwOutSegs" = dwOutSegs, "dwRetransSegs" = dwRetransSegs, "dwInErrs" = dwInErrs, "dwOutRsts" = dwOutRsts, "dwNumConns" = dwNumConns
    }
    MIB_TCPSTATS2 {
        "RtoAlgorithm" = RtoAlgorithm, "dwRtoMin" = dwRtoMin, "dwRtoMax" = dwRtoMax, "dwMaxConn" = dwMaxConn, "dwActiveOpens" = dwActiveOpens, "dwPassiveOpens" = dwPassiveOpens, "dwAttemptFails" = dwAttemptFails, "dwEstabResets" = dwEstabResets, "dwCurrEstab" = dwCurrEstab, "dw64InSegs" = dw64InSegs, "dw64OutSegs" = dw64OutSegs, "dwRetransSegs" = dwRetransSegs, "dwInErrs" = dwInErrs, "dwOutRsts" = dwOutRsts, "dwNumConns" = dwNumConns
    }
    MIB_UDPSTATS {
        "dwInDatagrams" = dwInDatagrams, "dwNoPorts" = dwNoPorts, "dwInErrors" = dwInErrors, "dwOutDatagrams" = dwOutDatagrams, "dwNumAddrs" = dwNumAddrs
    }
    MIB_UDPSTATS2 {
        "dw64InDatagrams" = dw64InDatagrams, "dwNoPorts" = dwNoPorts, "dwInErrors" = dwInErrors, "dw64OutDatagrams" = dw64OutDatagrams, "dwNumAddrs" = dwNumAddrs
    }
    NET_ADDRESS_INFO {
        "Format" = Format, "NamedAddress" = Anonymous.NamedAddress, "NamedAddress.Address" =
        Anonymous.NamedAddress.Address, "NamedAddress.Port" = Anonymous.NamedAddress.Port, "Ipv4Address" =
        Anonymous.Ipv4Address, "Ipv6Address" = Anonymous.Ipv6Address, "IpAddress" = Anonymous.IpAddress
    }
    ICMP_ECHO_REPLY {
        "Address" = Address, "Status" = Status, "RoundTripTime" = RoundTripTime, "DataSize" = DataSize, "Reserved" =
        Reserved, "Data" = Data, "Options" = Options
    }
    ICMPV6_ECHO_REPLY {
        "Address" = Address, "Status" = Status, "RoundTripTime" = RoundTripTime
    }
    IP_OPTION_INFORMATION {
        "Ttl" = Ttl, "Tos" = Tos, "Flags" = Flags, "OptionsSize" = OptionsSize, "OptionsData" = OptionsData
    }
    IO_STATUS_BLOCK {
        "Status" = Anonymous.Status, "Pointer" = Anonymous.Pointer, "Information" = Information
    }
    FILETIME {
        "dwLowDateTime" = dwLowDateTime, "dwHighDateTime" = dwHighDateTime
    }
};
