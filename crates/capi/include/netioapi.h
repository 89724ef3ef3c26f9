/* Part of iphelper, MIT OR Apache-2.0. */
/*
 * The second generation of functions: interfaces and what IP knows of them, conversion between the names of an
 * interface, notifications. In a driver (ntddk.h before this) they return NTSTATUS and come from libnetio, else a Win32
 * code and come from libiphlpapi.
 */
#ifndef _NETIOAPI_H_
#define _NETIOAPI_H_

#include <ifdef.h>
#include <nldef.h>
#include <ntddndis.h>
#include <ws2ipdef.h>
#ifdef _KERNEL_MODE
#include <ntdef.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#ifdef _KERNEL_MODE
typedef NTSTATUS NETIO_STATUS;
#else
typedef DWORD NETIO_STATUS;
#endif
#define NETIO_SUCCESS(status) ((LONG)(status) == 0)

#define IF_NAMESIZE 256
#define MIB_INVALID_TEREDO_PORT_NUMBER 0

/* What a table holds of each interface. */
typedef enum _MIB_IF_TABLE_LEVEL {
    MibIfTableNormal = 0,
    MibIfTableRaw = 1,
    MibIfTableNormalWithoutStatistics = 2
} MIB_IF_TABLE_LEVEL, *PMIB_IF_TABLE_LEVEL;

/* What a row holds of its interface. */
typedef enum _MIB_IF_ENTRY_LEVEL {
    MibIfEntryNormal = 0,
    MibIfEntryNormalWithoutStatistics = 2
} MIB_IF_ENTRY_LEVEL, *PMIB_IF_ENTRY_LEVEL;

typedef enum _MIB_NOTIFICATION_TYPE {
    MibParameterNotification = 0,
    MibAddInstance = 1,
    MibDeleteInstance = 2,
    MibInitialNotification = 3
} MIB_NOTIFICATION_TYPE, *PMIB_NOTIFICATION_TYPE;

/* An interface as the link layer has it. */
typedef struct _MIB_IF_ROW2 {
    /* Keys: a LUID other than 0 decides alone, else the index. */
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;

    GUID InterfaceGuid;
    WCHAR Alias[IF_MAX_STRING_SIZE + 1];
    WCHAR Description[IF_MAX_STRING_SIZE + 1];
    ULONG PhysicalAddressLength;
    UCHAR PhysicalAddress[IF_MAX_PHYS_ADDRESS_LENGTH];
    UCHAR PermanentPhysicalAddress[IF_MAX_PHYS_ADDRESS_LENGTH];
    ULONG Mtu;
    IFTYPE Type;
    TUNNEL_TYPE TunnelType;
    NDIS_MEDIUM MediaType;
    NDIS_PHYSICAL_MEDIUM PhysicalMediumType;
    NET_IF_ACCESS_TYPE AccessType;
    NET_IF_DIRECTION_TYPE DirectionType;
    struct {
        BOOLEAN HardwareInterface : 1;
        BOOLEAN FilterInterface : 1;
        BOOLEAN ConnectorPresent : 1;
        BOOLEAN NotAuthenticated : 1;
        BOOLEAN NotMediaConnected : 1;
        BOOLEAN Paused : 1;
        BOOLEAN LowPower : 1;
        BOOLEAN EndPointInterface : 1;
    } InterfaceAndOperStatusFlags;
    IF_OPER_STATUS OperStatus;
    NET_IF_ADMIN_STATUS AdminStatus;
    NET_IF_MEDIA_CONNECT_STATE MediaConnectState;
    NET_IF_NETWORK_GUID NetworkGuid;
    NET_IF_CONNECTION_TYPE ConnectionType;

    /* Bits per second; NET_IF_LINK_SPEED_UNKNOWN where the driver does not tell. */
    ULONG64 TransmitLinkSpeed;
    ULONG64 ReceiveLinkSpeed;

    /* Counters; 0 where the level leaves them out or the host does not count them. */
    ULONG64 InOctets;
    ULONG64 InUcastPkts;
    ULONG64 InNUcastPkts;
    ULONG64 InDiscards;
    ULONG64 InErrors;
    ULONG64 InUnknownProtos;
    ULONG64 InUcastOctets;
    ULONG64 InMulticastOctets;
    ULONG64 InBroadcastOctets;
    ULONG64 OutOctets;
    ULONG64 OutUcastPkts;
    ULONG64 OutNUcastPkts;
    ULONG64 OutDiscards;
    ULONG64 OutErrors;
    ULONG64 OutUcastOctets;
    ULONG64 OutMulticastOctets;
    ULONG64 OutBroadcastOctets;
    ULONG64 OutQLen;
} MIB_IF_ROW2, *PMIB_IF_ROW2;

typedef struct _MIB_IF_TABLE2 {
    ULONG NumEntries;
    MIB_IF_ROW2 Table[ANYSIZE_ARRAY];
} MIB_IF_TABLE2, *PMIB_IF_TABLE2;

/* One interface standing on another. */
typedef struct _MIB_IFSTACK_ROW {
    NET_IFINDEX HigherLayerInterfaceIndex;
    NET_IFINDEX LowerLayerInterfaceIndex;
} MIB_IFSTACK_ROW, *PMIB_IFSTACK_ROW;

typedef struct _MIB_IFSTACK_TABLE {
    ULONG NumEntries;
    MIB_IFSTACK_ROW Table[ANYSIZE_ARRAY];
} MIB_IFSTACK_TABLE, *PMIB_IFSTACK_TABLE;

typedef struct _MIB_INVERTEDIFSTACK_ROW {
    NET_IFINDEX LowerLayerInterfaceIndex;
    NET_IFINDEX HigherLayerInterfaceIndex;
} MIB_INVERTEDIFSTACK_ROW, *PMIB_INVERTEDIFSTACK_ROW;

typedef struct _MIB_INVERTEDIFSTACK_TABLE {
    ULONG NumEntries;
    MIB_INVERTEDIFSTACK_ROW Table[ANYSIZE_ARRAY];
} MIB_INVERTEDIFSTACK_TABLE, *PMIB_INVERTEDIFSTACK_TABLE;

/*
 * An interface as one address family uses it. InitializeIpInterfaceEntry leaves in each settable member the value that
 * tells SetIpInterfaceEntry "no change". Times are in milliseconds.
 */
typedef struct _MIB_IPINTERFACE_ROW {
    /* Keys: the family, and of the others a LUID other than 0 decides alone, else the index. */
    ADDRESS_FAMILY Family;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;

    ULONG MaxReassemblySize;
    ULONG64 InterfaceIdentifier;
    ULONG MinRouterAdvertisementInterval;
    ULONG MaxRouterAdvertisementInterval;

    BOOLEAN AdvertisingEnabled;
    BOOLEAN ForwardingEnabled;
    BOOLEAN WeakHostSend;
    BOOLEAN WeakHostReceive;
    BOOLEAN UseAutomaticMetric;
    BOOLEAN UseNeighborUnreachabilityDetection;
    BOOLEAN ManagedAddressConfigurationSupported;
    BOOLEAN OtherStatefulConfigurationSupported;
    BOOLEAN AdvertiseDefaultRoute;

    NL_ROUTER_DISCOVERY_BEHAVIOR RouterDiscoveryBehavior;
    ULONG DadTransmits;
    ULONG BaseReachableTime;
    ULONG RetransmitTime;
    ULONG PathMtuDiscoveryTimeout;

    NL_LINK_LOCAL_ADDRESS_BEHAVIOR LinkLocalAddressBehavior;
    ULONG LinkLocalAddressTimeout;
    ULONG ZoneIndices[ScopeLevelCount];
    ULONG SitePrefixLength;
    ULONG Metric;
    ULONG NlMtu;

    /* Set ignores these. */
    BOOLEAN Connected;
    BOOLEAN SupportsWakeUpPatterns;
    BOOLEAN SupportsNeighborDiscovery;
    BOOLEAN SupportsRouterDiscovery;
    ULONG ReachableTime;
    NL_INTERFACE_OFFLOAD_ROD TransmitOffload;
    NL_INTERFACE_OFFLOAD_ROD ReceiveOffload;

    BOOLEAN DisableDefaultRoutes;
} MIB_IPINTERFACE_ROW, *PMIB_IPINTERFACE_ROW;

typedef struct _MIB_IPINTERFACE_TABLE {
    ULONG NumEntries;
    MIB_IPINTERFACE_ROW Table[ANYSIZE_ARRAY];
} MIB_IPINTERFACE_TABLE, *PMIB_IPINTERFACE_TABLE;

typedef struct _IP_ADDRESS_PREFIX {
    SOCKADDR_INET Prefix;
    UINT8 PrefixLength;
} IP_ADDRESS_PREFIX, *PIP_ADDRESS_PREFIX;

/*
 * A route. Its metric is added to that of the interface. InitializeIpForwardEntry leaves in Metric and Protocol values
 * that are none: Create needs a metric, Set takes them for "no change". A route over no interface has LUID and index 0.
 */
typedef struct _MIB_IPFORWARD_ROW2 {
    /* Keys: of the interface's two a LUID other than 0 decides alone. */
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    IP_ADDRESS_PREFIX DestinationPrefix;
    SOCKADDR_INET NextHop;

    UCHAR SitePrefixLength;
    ULONG ValidLifetime;
    ULONG PreferredLifetime;
    ULONG Metric;
    NL_ROUTE_PROTOCOL Protocol;
    BOOLEAN Loopback;
    BOOLEAN AutoconfigureAddress;
    BOOLEAN Publish;
    BOOLEAN Immortal;

    /* Create and Set ignore these. */
    ULONG Age;
    NL_ROUTE_ORIGIN Origin;
} MIB_IPFORWARD_ROW2, *PMIB_IPFORWARD_ROW2;

typedef struct _MIB_IPFORWARD_TABLE2 {
    ULONG NumEntries;
    MIB_IPFORWARD_ROW2 Table[ANYSIZE_ARRAY];
} MIB_IPFORWARD_TABLE2, *PMIB_IPFORWARD_TABLE2;

/*
 * What was learnt of the path to one destination. Of times and reachability this host knows nothing: 0, and FALSE. An
 * unknown speed is ULONG64_MAX.
 */
typedef struct _MIB_IPPATH_ROW {
    SOCKADDR_INET Source;
    SOCKADDR_INET Destination;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    SOCKADDR_INET CurrentNextHop;
    ULONG PathMtu;
    ULONG RttMean;
    ULONG RttDeviation;
    __extension__ union {
        ULONG LastReachable;
        ULONG LastUnreachable;
    };
    BOOLEAN IsReachable;
    ULONG64 LinkTransmitSpeed;
    ULONG64 LinkReceiveSpeed;
} MIB_IPPATH_ROW, *PMIB_IPPATH_ROW;

typedef struct _MIB_IPPATH_TABLE {
    ULONG NumEntries;
    MIB_IPPATH_ROW Table[1];
} MIB_IPPATH_TABLE, *PMIB_IPPATH_TABLE;

typedef struct _MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES {
    NL_BANDWIDTH_INFORMATION InboundBandwidthInformation;
    NL_BANDWIDTH_INFORMATION OutboundBandwidthInformation;
} MIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES, *PMIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES;

/*
 * A neighbour. IsRouter is FALSE of an IPv4 neighbour, since ARP does not tell. ReachabilityTime is how many milliseconds
 * ago it was last confirmed, or, where IsUnreachable is TRUE, found unreachable; 0 where nobody knows.
 */
typedef struct _MIB_IPNET_ROW2 {
    /* Keys: the address, and of the others a LUID other than 0 decides alone, else the index. */
    SOCKADDR_INET Address;
    NET_IFINDEX InterfaceIndex;
    NET_LUID InterfaceLuid;

    UCHAR PhysicalAddress[IF_MAX_PHYS_ADDRESS_LENGTH];

    /* The length is read by Create and Set; the rest is not. */
    ULONG PhysicalAddressLength;
    NL_NEIGHBOR_STATE State;
    __extension__ union {
        __extension__ struct {
            BOOLEAN IsRouter : 1;
            BOOLEAN IsUnreachable : 1;
        };
        UCHAR Flags;
    };
    union {
        ULONG LastReachable;
        ULONG LastUnreachable;
    } ReachabilityTime;
} MIB_IPNET_ROW2, *PMIB_IPNET_ROW2;

typedef struct _MIB_IPNET_TABLE2 {
    ULONG NumEntries;
    MIB_IPNET_ROW2 Table[ANYSIZE_ARRAY];
} MIB_IPNET_TABLE2, *PMIB_IPNET_TABLE2;
/* A unicast address of an interface. The keys are both. */
typedef struct _MIB_UNICASTIPADDRESS_ROW {
    SOCKADDR_INET Address;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;

    NL_PREFIX_ORIGIN PrefixOrigin;
    NL_SUFFIX_ORIGIN SuffixOrigin;
    ULONG ValidLifetime;
    ULONG PreferredLifetime;
    UINT8 OnLinkPrefixLength;
    BOOLEAN SkipAsSource;

    NL_DAD_STATE DadState;
    SCOPE_ID ScopeId;
    LARGE_INTEGER CreationTimeStamp;
} MIB_UNICASTIPADDRESS_ROW, *PMIB_UNICASTIPADDRESS_ROW;

typedef struct _MIB_UNICASTIPADDRESS_TABLE {
    ULONG NumEntries;
    MIB_UNICASTIPADDRESS_ROW Table[ANYSIZE_ARRAY];
} MIB_UNICASTIPADDRESS_TABLE, *PMIB_UNICASTIPADDRESS_TABLE;

/* Anycast addresses, and the groups that interfaces have joined. Mind the order of the interface's keys. */
typedef struct _MIB_ANYCASTIPADDRESS_ROW {
    SOCKADDR_INET Address;
    NET_LUID InterfaceLuid;
    NET_IFINDEX InterfaceIndex;
    SCOPE_ID ScopeId;
} MIB_ANYCASTIPADDRESS_ROW, *PMIB_ANYCASTIPADDRESS_ROW;

typedef struct _MIB_ANYCASTIPADDRESS_TABLE {
    ULONG NumEntries;
    MIB_ANYCASTIPADDRESS_ROW Table[ANYSIZE_ARRAY];
} MIB_ANYCASTIPADDRESS_TABLE, *PMIB_ANYCASTIPADDRESS_TABLE;

typedef struct _MIB_MULTICASTIPADDRESS_ROW {
    SOCKADDR_INET Address;
    NET_IFINDEX InterfaceIndex;
    NET_LUID InterfaceLuid;
    SCOPE_ID ScopeId;
} MIB_MULTICASTIPADDRESS_ROW, *PMIB_MULTICASTIPADDRESS_ROW;

typedef struct _MIB_MULTICASTIPADDRESS_TABLE {
    ULONG NumEntries;
    MIB_MULTICASTIPADDRESS_ROW Table[ANYSIZE_ARRAY];
} MIB_MULTICASTIPADDRESS_TABLE, *PMIB_MULTICASTIPADDRESS_TABLE;

/* Interfaces. */
NETIO_STATUS NETIOAPI_API_ GetIfEntry2(PMIB_IF_ROW2 Row);
NETIO_STATUS NETIOAPI_API_ GetIfEntry2Ex(MIB_IF_ENTRY_LEVEL Level, PMIB_IF_ROW2 Row);
NETIO_STATUS NETIOAPI_API_ GetIfTable2(PMIB_IF_TABLE2 *Table);
NETIO_STATUS NETIOAPI_API_ GetIfTable2Ex(MIB_IF_TABLE_LEVEL Level, PMIB_IF_TABLE2 *Table);
NETIO_STATUS NETIOAPI_API_ GetIfStackTable(PMIB_IFSTACK_TABLE *Table);
NETIO_STATUS NETIOAPI_API_ GetInvertedIfStackTable(PMIB_INVERTEDIFSTACK_TABLE *Table);

/* IP interfaces. */
NETIO_STATUS NETIOAPI_API_ GetIpInterfaceEntry(PMIB_IPINTERFACE_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetIpInterfaceTable(ADDRESS_FAMILY Family, PMIB_IPINTERFACE_TABLE *Table);
VOID NETIOAPI_API_ InitializeIpInterfaceEntry(PMIB_IPINTERFACE_ROW Row);
NETIO_STATUS NETIOAPI_API_ SetIpInterfaceEntry(PMIB_IPINTERFACE_ROW Row);

/* Routes. */
NETIO_STATUS NETIOAPI_API_ GetIpForwardEntry2(PMIB_IPFORWARD_ROW2 Row);
NETIO_STATUS NETIOAPI_API_ GetIpForwardTable2(ADDRESS_FAMILY Family, PMIB_IPFORWARD_TABLE2 *Table);
VOID NETIOAPI_API_ InitializeIpForwardEntry(PMIB_IPFORWARD_ROW2 Row);
NETIO_STATUS NETIOAPI_API_ CreateIpForwardEntry2(CONST MIB_IPFORWARD_ROW2 *Row);
NETIO_STATUS NETIOAPI_API_ SetIpForwardEntry2(CONST MIB_IPFORWARD_ROW2 *Route);
NETIO_STATUS NETIOAPI_API_ DeleteIpForwardEntry2(CONST MIB_IPFORWARD_ROW2 *Row);

/*
 * The route that a packet takes, and the address that it is sent from. LUID NULL and index 0: over any interface. Source
 * NULL: this host chooses.
 */
NETIO_STATUS NETIOAPI_API_ GetBestRoute2(
    NET_LUID *InterfaceLuid, NET_IFINDEX InterfaceIndex, CONST SOCKADDR_INET *SourceAddress,
    CONST SOCKADDR_INET *DestinationAddress, ULONG AddressSortOptions, PMIB_IPFORWARD_ROW2 BestRoute,
    SOCKADDR_INET *BestSourceAddress);

/* Paths. */
NETIO_STATUS NETIOAPI_API_ GetIpPathEntry(PMIB_IPPATH_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetIpPathTable(ADDRESS_FAMILY Family, PMIB_IPPATH_TABLE *Table);
NETIO_STATUS NETIOAPI_API_ FlushIpPathTable(ADDRESS_FAMILY Family);
/* What TCP connections over an interface have measured, outbound. */
NETIO_STATUS NETIOAPI_API_ GetIpNetworkConnectionBandwidthEstimates(
    NET_IFINDEX InterfaceIndex, ADDRESS_FAMILY AddressFamily,
    PMIB_IP_NETWORK_CONNECTION_BANDWIDTH_ESTIMATES BandwidthEstimates);

/* Destinations in the order in which to try them (RFC 6724). The list of sources must be NULL; IPv4 is IPv4-mapped. */
NETIO_STATUS NETIOAPI_API_ CreateSortedAddressPairs(
    CONST PSOCKADDR_IN6 SourceAddressList, ULONG SourceAddressCount, CONST PSOCKADDR_IN6 DestinationAddressList,
    ULONG DestinationAddressCount, ULONG AddressSortOptions, PSOCKADDR_IN6_PAIR *SortedAddressPairList,
    ULONG *SortedAddressPairCount);

/* Neighbours. Resolve asks, by ARP or neighbour solicitation; SourceAddress may be NULL, else it chooses the interface. */
NETIO_STATUS NETIOAPI_API_ CreateIpNetEntry2(CONST MIB_IPNET_ROW2 *Row);
NETIO_STATUS NETIOAPI_API_ DeleteIpNetEntry2(CONST MIB_IPNET_ROW2 *Row);
NETIO_STATUS NETIOAPI_API_ FlushIpNetTable2(ADDRESS_FAMILY Family, NET_IFINDEX InterfaceIndex);
NETIO_STATUS NETIOAPI_API_ GetIpNetEntry2(PMIB_IPNET_ROW2 Row);
NETIO_STATUS NETIOAPI_API_ GetIpNetTable2(ADDRESS_FAMILY Family, PMIB_IPNET_TABLE2 *Table);
NETIO_STATUS NETIOAPI_API_ ResolveIpNetEntry2(PMIB_IPNET_ROW2 Row, CONST SOCKADDR_INET *SourceAddress);
NETIO_STATUS NETIOAPI_API_ SetIpNetEntry2(PMIB_IPNET_ROW2 Row);

/* Addresses. Create of an IPv4 address waits until duplicate address detection is over. */
NETIO_STATUS NETIOAPI_API_ CreateAnycastIpAddressEntry(CONST MIB_ANYCASTIPADDRESS_ROW *Row);
NETIO_STATUS NETIOAPI_API_ CreateUnicastIpAddressEntry(CONST MIB_UNICASTIPADDRESS_ROW *Row);
NETIO_STATUS NETIOAPI_API_ DeleteAnycastIpAddressEntry(CONST MIB_ANYCASTIPADDRESS_ROW *Row);
NETIO_STATUS NETIOAPI_API_ DeleteUnicastIpAddressEntry(CONST MIB_UNICASTIPADDRESS_ROW *Row);
NETIO_STATUS NETIOAPI_API_ GetAnycastIpAddressEntry(PMIB_ANYCASTIPADDRESS_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetAnycastIpAddressTable(ADDRESS_FAMILY Family, PMIB_ANYCASTIPADDRESS_TABLE *Table);
NETIO_STATUS NETIOAPI_API_ GetMulticastIpAddressEntry(PMIB_MULTICASTIPADDRESS_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetMulticastIpAddressTable(ADDRESS_FAMILY Family, PMIB_MULTICASTIPADDRESS_TABLE *Table);
NETIO_STATUS NETIOAPI_API_ GetUnicastIpAddressEntry(PMIB_UNICASTIPADDRESS_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetUnicastIpAddressTable(ADDRESS_FAMILY Family, PMIB_UNICASTIPADDRESS_TABLE *Table);
VOID NETIOAPI_API_ InitializeUnicastIpAddressEntry(PMIB_UNICASTIPADDRESS_ROW Row);
NETIO_STATUS NETIOAPI_API_ SetUnicastIpAddressEntry(CONST MIB_UNICASTIPADDRESS_ROW *Row);

/* The table at once, or ERROR_IO_PENDING and a call once every address is stable. The callee frees its table. */
typedef VOID(NETIOAPI_API_ *PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK)(
    PVOID CallerContext, PMIB_UNICASTIPADDRESS_TABLE AddressTable);
NETIO_STATUS NETIOAPI_API_ NotifyStableUnicastIpAddressTable(
    ADDRESS_FAMILY Family, PMIB_UNICASTIPADDRESS_TABLE *Table,
    PSTABLE_UNICAST_IPADDRESS_TABLE_CALLBACK CallerCallback, PVOID CallerContext, HANDLE *NotificationHandle);

/* Frees what a function allocated for its Table. */
VOID NETIOAPI_API_ FreeMibTable(PVOID Memory);

/* Notifications: Row is NULL for MibInitialNotification, else it holds the keys alone. */
typedef VOID(NETIOAPI_API_ *PIPINTERFACE_CHANGE_CALLBACK)(
    PVOID CallerContext, PMIB_IPINTERFACE_ROW Row, MIB_NOTIFICATION_TYPE NotificationType);
NETIO_STATUS NETIOAPI_API_ NotifyIpInterfaceChange(
    ADDRESS_FAMILY Family, PIPINTERFACE_CHANGE_CALLBACK Callback, PVOID CallerContext, BOOLEAN InitialNotification,
    HANDLE *NotificationHandle);
typedef VOID(NETIOAPI_API_ *PIPFORWARD_CHANGE_CALLBACK)(
    PVOID CallerContext, PMIB_IPFORWARD_ROW2 Row, MIB_NOTIFICATION_TYPE NotificationType);
NETIO_STATUS NETIOAPI_API_ NotifyRouteChange2(
    ADDRESS_FAMILY AddressFamily, PIPFORWARD_CHANGE_CALLBACK Callback, PVOID CallerContext,
    BOOLEAN InitialNotification, HANDLE *NotificationHandle);
typedef VOID(NETIOAPI_API_ *PUNICAST_IPADDRESS_CHANGE_CALLBACK)(
    PVOID CallerContext, PMIB_UNICASTIPADDRESS_ROW Row, MIB_NOTIFICATION_TYPE NotificationType);
NETIO_STATUS NETIOAPI_API_ NotifyUnicastIpAddressChange(
    ADDRESS_FAMILY Family, PUNICAST_IPADDRESS_CHANGE_CALLBACK Callback, PVOID CallerContext,
    BOOLEAN InitialNotification, HANDLE *NotificationHandle);
NETIO_STATUS NETIOAPI_API_ CancelMibChangeNotify2(HANDLE NotificationHandle);

/* Names of an interface. Lengths are in characters, the terminator counted. */
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceAliasToLuid(CONST WCHAR *InterfaceAlias, PNET_LUID InterfaceLuid);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceGuidToLuid(CONST GUID *InterfaceGuid, PNET_LUID InterfaceLuid);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceIndexToLuid(NET_IFINDEX InterfaceIndex, PNET_LUID InterfaceLuid);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToAlias(
    CONST NET_LUID *InterfaceLuid, PWSTR InterfaceAlias, SIZE_T Length);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToGuid(CONST NET_LUID *InterfaceLuid, GUID *InterfaceGuid);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToIndex(CONST NET_LUID *InterfaceLuid, PNET_IFINDEX InterfaceIndex);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToNameA(
    CONST NET_LUID *InterfaceLuid, PSTR InterfaceName, SIZE_T Length);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceLuidToNameW(
    CONST NET_LUID *InterfaceLuid, PWSTR InterfaceName, SIZE_T Length);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceNameToLuidA(CONST CHAR *InterfaceName, NET_LUID *InterfaceLuid);
NETIO_STATUS NETIOAPI_API_ ConvertInterfaceNameToLuidW(CONST WCHAR *InterfaceName, NET_LUID *InterfaceLuid);
#ifdef UNICODE
#define ConvertInterfaceLuidToName ConvertInterfaceLuidToNameW
#define ConvertInterfaceNameToLuid ConvertInterfaceNameToLuidW
#else
#define ConvertInterfaceLuidToName ConvertInterfaceLuidToNameA
#define ConvertInterfaceNameToLuid ConvertInterfaceNameToLuidA
#endif

/*
 * Compartments are network namespaces: 1 is that of process 1, others have their inode numbers. A thread that moves to
 * another acts there. A session is that of setsid(2); sessions and jobs have no compartment to be set.
 */
NET_IF_COMPARTMENT_ID NETIOAPI_API_ GetCurrentThreadCompartmentId(VOID);
NETIO_STATUS NETIOAPI_API_ SetCurrentThreadCompartmentId(NET_IF_COMPARTMENT_ID CompartmentId);
VOID NETIOAPI_API_ GetCurrentThreadCompartmentScope(
    PNET_IF_COMPARTMENT_SCOPE CompartmentScope, PNET_IF_COMPARTMENT_ID CompartmentId);
NETIO_STATUS NETIOAPI_API_ SetCurrentThreadCompartmentScope(NET_IF_COMPARTMENT_SCOPE CompartmentScope);
NET_IF_COMPARTMENT_ID NETIOAPI_API_ GetDefaultCompartmentId(VOID);
NET_IF_COMPARTMENT_ID NETIOAPI_API_ GetJobCompartmentId(HANDLE JobHandle);
NETIO_STATUS NETIOAPI_API_ SetJobCompartmentId(HANDLE JobHandle, NET_IF_COMPARTMENT_ID CompartmentId);
NET_IF_COMPARTMENT_ID NETIOAPI_API_ GetSessionCompartmentId(ULONG SessionId);
NETIO_STATUS NETIOAPI_API_ SetSessionCompartmentId(ULONG SessionId, NET_IF_COMPARTMENT_ID CompartmentId);
NETIO_STATUS NETIOAPI_API_ ConvertCompartmentGuidToId(
    CONST GUID *CompartmentGuid, PNET_IF_COMPARTMENT_ID CompartmentId);
NETIO_STATUS NETIOAPI_API_ ConvertCompartmentIdToGuid(NET_IF_COMPARTMENT_ID CompartmentId, GUID *CompartmentGuid);
/* A network is its compartment, and has its GUID. Length counts characters. */
NETIO_STATUS NETIOAPI_API_ GetNetworkInformation(
    CONST NET_IF_NETWORK_GUID *NetworkGuid, PNET_IF_COMPARTMENT_ID CompartmentId, PULONG SiteId, PWCHAR NetworkName,
    ULONG Length);
NETIO_STATUS NETIOAPI_API_ SetNetworkInformation(
    CONST NET_IF_NETWORK_GUID *NetworkGuid, NET_IF_COMPARTMENT_ID CompartmentId, CONST WCHAR *NetworkName);

/* IPv4 masks, in network byte order. */
NETIO_STATUS NETIOAPI_API_ ConvertIpv4MaskToLength(ULONG Mask, PUINT8 MaskLength);
NETIO_STATUS NETIOAPI_API_ ConvertLengthToIpv4Mask(ULONG MaskLength, PULONG Mask);

/* How far this host reaches, by its routes and neighbours: no packet is sent for it. What it costs is known where
   NetworkManager runs. */
typedef VOID(NETIOAPI_API_ *PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK)(
    PVOID CallerContext, NL_NETWORK_CONNECTIVITY_HINT ConnectivityHint);
NETIO_STATUS NETIOAPI_API_ GetNetworkConnectivityHint(NL_NETWORK_CONNECTIVITY_HINT *ConnectivityHint);
NETIO_STATUS NETIOAPI_API_ GetNetworkConnectivityHintForInterface(
    NET_IFINDEX InterfaceIndex, NL_NETWORK_CONNECTIVITY_HINT *ConnectivityHint);
NETIO_STATUS NETIOAPI_API_ NotifyNetworkConnectivityHintChange(
    PNETWORK_CONNECTIVITY_HINT_CHANGE_CALLBACK Callback, PVOID CallerContext, BOOLEAN InitialNotification,
    PHANDLE NotificationHandle);

/* DNS settings. Texts are lists with commas or spaces between their items; Flags say of which members a call speaks. */
#define DNS_SETTINGS_VERSION1 0x0001
#define DNS_SETTINGS_VERSION2 0x0002
#define DNS_INTERFACE_SETTINGS_VERSION1 0x0001
#define DNS_INTERFACE_SETTINGS_VERSION2 0x0002
#define DNS_INTERFACE_SETTINGS_VERSION3 0x0003
#define DNS_INTERFACE_SETTINGS_VERSION4 0x0004

#define DNS_SETTING_IPV6 0x0001
#define DNS_SETTING_NAMESERVER 0x0002
#define DNS_SETTING_SEARCHLIST 0x0004
#define DNS_SETTING_REGISTRATION_ENABLED 0x0008
#define DNS_SETTING_REGISTER_ADAPTER_NAME 0x0010
#define DNS_SETTING_DOMAIN 0x0020
#define DNS_SETTING_HOSTNAME 0x0040
#define DNS_SETTINGS_ENABLE_LLMNR 0x0080
#define DNS_SETTINGS_QUERY_ADAPTER_NAME 0x0100
#define DNS_SETTING_PROFILE_NAMESERVER 0x0200
#define DNS_SETTING_DISABLE_UNCONSTRAINED_QUERIES 0x0400
#define DNS_SETTING_SUPPLEMENTAL_SEARCH_LIST 0x0800
#define DNS_SETTING_DOH 0x1000
#define DNS_SETTING_DOH_PROFILE 0x2000
#define DNS_SETTING_ENCRYPTED_DNS_ADAPTER_FLAGS 0x4000
#define DNS_SETTING_DDR 0x8000
#define DNS_SETTING_DOT 0x10000
#define DNS_SETTING_DOT_PROFILE 0x20000
#define DNS_ENABLE_DOH 0x0001
#define DNS_DOH_POLICY_NOT_CONFIGURED 0x0004
#define DNS_DOH_POLICY_DISABLE 0x0008
#define DNS_DOH_POLICY_AUTO 0x0010
#define DNS_DOH_POLICY_REQUIRED 0x0020
#define DNS_ENCRYPTION_POLICY_NOT_CONFIGURED 0x0004
#define DNS_ENCRYPTION_POLICY_DISABLE 0x0008
#define DNS_ENCRYPTION_POLICY_AUTO 0x0010
#define DNS_ENCRYPTION_POLICY_REQUIRED 0x0020
#define DNS_ENABLE_DDR 0x0040
#define DNS_ENABLE_DOT 0x0080
#define DNS_DOT_POLICY_BLOCK 0x0100
#define DNS_DOH_POLICY_BLOCK 0x0200
#define DNS_ENABLE_DNR 0x0400
#define DNS_DOH_SERVER_SETTINGS_ENABLE_AUTO 0x0001
#define DNS_DOH_SERVER_SETTINGS_ENABLE 0x0002
#define DNS_DOH_SERVER_SETTINGS_FALLBACK_TO_UDP 0x0004
#define DNS_DOH_AUTO_UPGRADE_SERVER 0x0008
#define DNS_DOH_SERVER_SETTINGS_ENABLE_DDR 0x0010
#define DNS_DOH_SERVER_SETTINGS_MAKE_DDR_NON_BLOCKING 0x0020
#define DNS_DOT_SERVER_SETTINGS_ENABLE 0x0001
#define DNS_DOT_SERVER_SETTINGS_FALLBACK_TO_UDP 0x0002
#define DNS_DOT_AUTO_UPGRADE_SERVER 0x0004
#define DNS_DOT_SERVER_SETTINGS_ENABLE_AUTO 0x0008
#define DNS_DOT_SERVER_SETTINGS_ENABLE_DDR 0x0010
#define DNS_DOT_SERVER_SETTINGS_MAKE_DDR_NON_BLOCKING 0x0020
#define DNS_DDR_ADAPTER_ENABLE_DOH 0x0001
#define DNS_DDR_ADAPTER_ENABLE 0x0001
#define DNS_DDR_ADAPTER_ENABLE_UDP_FALLBACK 0x0002
#define DNS_DDR_ADAPTER_MAKE_DDR_NON_BLOCKING 0x0004
#define DNS_SERVER_PROPERTY_VERSION1 0x0001

typedef enum {
    DnsServerInvalidProperty,
    DnsServerDohProperty,
    DnsServerDotProperty
} DNS_SERVER_PROPERTY_TYPE;

typedef struct _DNS_SETTINGS {
    ULONG Version;
    ULONG64 Flags;
    PWSTR Hostname;
    PWSTR Domain;
    PWSTR SearchList;
} DNS_SETTINGS;

typedef struct {
    ULONG Version;
    ULONG64 Flags;
    PWSTR Hostname;
    PWSTR Domain;
    PWSTR SearchList;
    ULONG64 SettingFlags;
} DNS_SETTINGS2;

typedef struct _DNS_DOH_SERVER_SETTINGS {
    PWSTR Template;
    ULONG64 Flags;
} DNS_DOH_SERVER_SETTINGS;

typedef struct _DNS_DOT_SERVER_SETTINGS {
    PWSTR Hostname;
    ULONG64 Flags;
    USHORT Port;
} DNS_DOT_SERVER_SETTINGS;

typedef union _DNS_SERVER_PROPERTY_TYPES {
    DNS_DOH_SERVER_SETTINGS *DohSettings;
    DNS_DOT_SERVER_SETTINGS *DotSettings;
} DNS_SERVER_PROPERTY_TYPES;

typedef struct _DNS_SERVER_PROPERTY {
    ULONG Version;
    ULONG ServerIndex;
    DNS_SERVER_PROPERTY_TYPE Type;
    DNS_SERVER_PROPERTY_TYPES Property;
} DNS_SERVER_PROPERTY;

typedef struct _DNS_INTERFACE_SETTINGS {
    ULONG Version;
    ULONG64 Flags;
    PWSTR Domain;
    PWSTR NameServer;
    PWSTR SearchList;
    ULONG RegistrationEnabled;
    ULONG RegisterAdapterName;
    ULONG EnableLLMNR;
    ULONG QueryAdapterName;
    PWSTR ProfileNameServer;
} DNS_INTERFACE_SETTINGS;

typedef struct _DNS_INTERFACE_SETTINGS_EX {
    DNS_INTERFACE_SETTINGS SettingsV1;
    ULONG DisableUnconstrainedQueries;
    PWSTR SupplementalSearchList;
} DNS_INTERFACE_SETTINGS_EX;

typedef struct _DNS_INTERFACE_SETTINGS3 {
    ULONG Version;
    ULONG64 Flags;
    PWSTR Domain;
    PWSTR NameServer;
    PWSTR SearchList;
    ULONG RegistrationEnabled;
    ULONG RegisterAdapterName;
    ULONG EnableLLMNR;
    ULONG QueryAdapterName;
    PWSTR ProfileNameServer;
    ULONG DisableUnconstrainedQueries;
    PWSTR SupplementalSearchList;
    ULONG cServerProperties;
    DNS_SERVER_PROPERTY *ServerProperties;
    ULONG cProfileServerProperties;
    DNS_SERVER_PROPERTY *ProfileServerProperties;
} DNS_INTERFACE_SETTINGS3;

typedef struct _DNS_INTERFACE_SETTINGS4 {
    ULONG Version;
    ULONG64 Flags;
    PWSTR Domain;
    PWSTR NameServer;
    PWSTR SearchList;
    ULONG RegistrationEnabled;
    ULONG RegisterAdapterName;
    ULONG EnableLLMNR;
    ULONG QueryAdapterName;
    PWSTR ProfileNameServer;
    ULONG DisableUnconstrainedQueries;
    PWSTR SupplementalSearchList;
    ULONG cServerProperties;
    DNS_SERVER_PROPERTY *ServerProperties;
    ULONG cProfileServerProperties;
    DNS_SERVER_PROPERTY *ProfileServerProperties;
    ULONG EncryptedDnsAdapterFlags;
} DNS_INTERFACE_SETTINGS4;

NETIO_STATUS NETIOAPI_API_ GetDnsSettings(DNS_SETTINGS *Settings);
VOID NETIOAPI_API_ FreeDnsSettings(DNS_SETTINGS *Settings);
NETIO_STATUS NETIOAPI_API_ SetDnsSettings(CONST DNS_SETTINGS *Settings);
NETIO_STATUS NETIOAPI_API_ GetInterfaceDnsSettings(GUID Interface, DNS_INTERFACE_SETTINGS *Settings);
VOID NETIOAPI_API_ FreeInterfaceDnsSettings(DNS_INTERFACE_SETTINGS *Settings);
NETIO_STATUS NETIOAPI_API_ SetInterfaceDnsSettings(GUID Interface, CONST DNS_INTERFACE_SETTINGS *Settings);

/* Flow layer virtual interfaces: no Linux host has them; ERROR_NOT_SUPPORTED. */
typedef enum _NET_FL_VIRTUAL_INTERFACE_ORIGIN {
    NetFlVirtualInterfaceOriginOid,
    NetFlVirtualInterfaceOriginApi,
    NetFlVirtualInterfaceOriginDefault
} NET_FL_VIRTUAL_INTERFACE_ORIGIN, *PNET_FL_VIRTUAL_INTERFACE_ORIGIN;

typedef enum _NET_FL_ISOLATION_MODE {
    NetFlIsolationModeNone,
    NetFlIsolationModeVlan,
    NetFlIsolationModeVsid
} NET_FL_ISOLATION_MODE, *PNET_FL_ISOLATION_MODE;

typedef struct _MIB_FL_VIRTUAL_INTERFACE_ROW {
    ADDRESS_FAMILY Family;
    IF_LUID IfLuid;
    ULONG VirtualIfId;
    GUID CompartmentGuid;
    NET_FL_ISOLATION_MODE IsolationMode;
    NET_FL_VIRTUAL_INTERFACE_ORIGIN Origin;
    IF_LUID VirtualIfLuid;
    IF_INDEX VirtualIfIndex;
    BOOLEAN AllowLocalNd;
    ULONG AttachedFlsnpiClients;
    ULONG FlsnpiClientConfigErrors;
    ULONG64 FlsnpiClientInjectErrors;
    ULONG64 FlsnpiClientCloneErrors;
    ULONG64 InFlsnpiIndicatedPackets;
    ULONG64 InFlsnpiClientReturnedPackets;
    ULONG64 InFlsnpiClientSilentlyDroppedPackets;
    ULONG64 InFlsnpiClientDroppedPackets;
    ULONG64 InFlsnpiClientInjectedPackets;
    ULONG64 InFlsnpiClientClonedPackets;
    ULONG64 OutFlsnpiIndicatedPackets;
    ULONG64 OutFlsnpiClientReturnedPackets;
    ULONG64 OutFlsnpiClientDroppedPackets;
    ULONG64 OutFlsnpiClientSilentlyDroppedPackets;
    ULONG64 OutFlsnpiClientInjectedPackets;
    ULONG64 OutFlsnpiClientClonedPackets;
    ULONG64 OutFlsnpiClientClonedPacketsForNbSplit;
} MIB_FL_VIRTUAL_INTERFACE_ROW, *PMIB_FL_VIRTUAL_INTERFACE_ROW;

typedef struct _MIB_FL_VIRTUAL_INTERFACE_TABLE {
    ULONG NumEntries;
    MIB_FL_VIRTUAL_INTERFACE_ROW Table[1];
} MIB_FL_VIRTUAL_INTERFACE_TABLE, *PMIB_FL_VIRTUAL_INTERFACE_TABLE;

VOID NETIOAPI_API_ InitializeFlVirtualInterfaceEntry(PMIB_FL_VIRTUAL_INTERFACE_ROW Row);
NETIO_STATUS NETIOAPI_API_ CreateFlVirtualInterface(CONST MIB_FL_VIRTUAL_INTERFACE_ROW *Row);
NETIO_STATUS NETIOAPI_API_ DeleteFlVirtualInterface(CONST MIB_FL_VIRTUAL_INTERFACE_ROW *Row);
NETIO_STATUS NETIOAPI_API_ GetFlVirtualInterface(PMIB_FL_VIRTUAL_INTERFACE_ROW Row);
NETIO_STATUS NETIOAPI_API_ GetFlVirtualInterfaceTable(
    ADDRESS_FAMILY Family, PMIB_FL_VIRTUAL_INTERFACE_TABLE *Table);
NETIO_STATUS NETIOAPI_API_ SetFlVirtualInterface(CONST MIB_FL_VIRTUAL_INTERFACE_ROW *Row);

/* Teredo: no Linux host has it; ERROR_NOT_SUPPORTED. */
#define MIB_INVALID_TEREDO_PORT_NUMBER 0
typedef VOID(NETIOAPI_API_ *PTEREDO_PORT_CHANGE_CALLBACK)(
    PVOID CallerContext, USHORT Port, MIB_NOTIFICATION_TYPE NotificationType);
NETIO_STATUS NETIOAPI_API_ GetTeredoPort(USHORT *Port);
NETIO_STATUS NETIOAPI_API_ NotifyTeredoPortChange(
    PTEREDO_PORT_CHANGE_CALLBACK Callback, PVOID CallerContext, BOOLEAN InitialNotification,
    HANDLE *NotificationHandle);

/* The C library has functions of these names and another meaning of the buffer's size, so the symbols differ. */
NET_IFINDEX NETIOAPI_API_ iphelper_if_nametoindex(PCSTR InterfaceName);
PCHAR NETIOAPI_API_ iphelper_if_indextoname(NET_IFINDEX InterfaceIndex, PCHAR InterfaceName);
#define if_nametoindex iphelper_if_nametoindex
#define if_indextoname iphelper_if_indextoname

#ifdef __cplusplus
}
#endif

#endif
