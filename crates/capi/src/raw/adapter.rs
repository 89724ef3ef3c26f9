//! Structures of adapters. Lists lead into the caller's buffer.
//!
//! A union in C begins each element: its length with a member of its own, and a number that aligns both to eight bytes.

use super::{GUID, NET_LUID, ULONG64};
pub use windows_sys::Win32::NetworkManagement::IpHelper::{
    GAA_FLAG_INCLUDE_ALL_COMPARTMENTS, GAA_FLAG_INCLUDE_ALL_INTERFACES, GAA_FLAG_INCLUDE_GATEWAYS,
    GAA_FLAG_INCLUDE_PREFIX, GAA_FLAG_INCLUDE_TUNNEL_BINDINGORDER, GAA_FLAG_INCLUDE_WINS_INFO,
    GAA_FLAG_SKIP_ANYCAST, GAA_FLAG_SKIP_DNS_INFO, GAA_FLAG_SKIP_DNS_SERVER, GAA_FLAG_SKIP_FRIENDLY_NAME,
    GAA_FLAG_SKIP_MULTICAST, GAA_FLAG_SKIP_UNICAST, IP_ADAPTER_ADDRESS_DNS_ELIGIBLE, IP_ADAPTER_DHCP_ENABLED,
    IP_ADAPTER_DNS_SUFFIX, IP_ADAPTER_INDEX_MAP, IP_ADAPTER_IPV4_ENABLED, IP_ADAPTER_IPV6_ENABLED,
    IP_ADAPTER_IPV6_MANAGE_ADDRESS_CONFIG, IP_ADAPTER_IPV6_OTHER_STATEFUL_CONFIG, IP_ADAPTER_NO_MULTICAST,
    IP_ADAPTER_ORDER_MAP, IP_ADAPTER_RECEIVE_ONLY, IP_ADDR_STRING, IP_INTERFACE_INFO,
    IP_INTERFACE_NAME_INFO_W2KSP1 as IP_INTERFACE_NAME_INFO,
    IP_PER_ADAPTER_INFO_W2KSP1 as IP_PER_ADAPTER_INFO, IP_UNIDIRECTIONAL_ADAPTER_ADDRESS,
};
pub use windows_sys::Win32::Networking::WinSock::SOCKET_ADDRESS;

/// A unicast address of an adapter.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct IP_ADAPTER_UNICAST_ADDRESS {
    pub Length: u32,
    pub Flags: u32,
    pub Next: *mut Self,
    pub Address: SOCKET_ADDRESS,
    pub PrefixOrigin: i32,
    pub SuffixOrigin: i32,
    pub DadState: i32,
    pub ValidLifetime: u32,
    pub PreferredLifetime: u32,
    pub LeaseLifetime: u32,
    pub OnLinkPrefixLength: u8,
}

macro_rules! address_lists {
    ($($(#[$about:meta])* $name:ident { $second:ident })*) => {$(
        $(#[$about])*
        #[derive(Clone, Copy)]
        #[repr(C, align(8))]
        pub struct $name {
            pub Length: u32,
            pub $second: u32,
            pub Next: *mut Self,
            pub Address: SOCKET_ADDRESS,
        }
    )*};
}

address_lists! {
    /// An anycast address of an adapter.
    IP_ADAPTER_ANYCAST_ADDRESS { Flags }
    /// A group that an adapter has joined.
    IP_ADAPTER_MULTICAST_ADDRESS { Flags }
    /// A name server of an adapter.
    IP_ADAPTER_DNS_SERVER_ADDRESS { Reserved }
    /// A NetBIOS name server of an adapter.
    IP_ADAPTER_WINS_SERVER_ADDRESS { Reserved }
    /// A router of an adapter.
    IP_ADAPTER_GATEWAY_ADDRESS { Reserved }
}

/// A prefix of an adapter.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct IP_ADAPTER_PREFIX {
    pub Length: u32,
    pub Flags: u32,
    pub Next: *mut Self,
    pub Address: SOCKET_ADDRESS,
    pub PrefixLength: u32,
}

/// An adapter with its lists.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub struct IP_ADAPTER_ADDRESSES {
    pub Length: u32,
    pub IfIndex: u32,
    pub Next: *mut Self,
    pub AdapterName: *mut u8,
    pub FirstUnicastAddress: *mut IP_ADAPTER_UNICAST_ADDRESS,
    pub FirstAnycastAddress: *mut IP_ADAPTER_ANYCAST_ADDRESS,
    pub FirstMulticastAddress: *mut IP_ADAPTER_MULTICAST_ADDRESS,
    pub FirstDnsServerAddress: *mut IP_ADAPTER_DNS_SERVER_ADDRESS,
    pub DnsSuffix: *mut u16,
    pub Description: *mut u16,
    pub FriendlyName: *mut u16,
    pub PhysicalAddress: [u8; 8],
    pub PhysicalAddressLength: u32,
    /// Bit fields in C, too: `IP_ADAPTER_DHCP_ENABLED` and its like.
    pub Flags: u32,
    pub Mtu: u32,
    pub IfType: u32,
    pub OperStatus: i32,
    pub Ipv6IfIndex: u32,
    pub ZoneIndices: [u32; 16],
    pub FirstPrefix: *mut IP_ADAPTER_PREFIX,
    pub TransmitLinkSpeed: ULONG64,
    pub ReceiveLinkSpeed: ULONG64,
    pub FirstWinsServerAddress: *mut IP_ADAPTER_WINS_SERVER_ADDRESS,
    pub FirstGatewayAddress: *mut IP_ADAPTER_GATEWAY_ADDRESS,
    pub Ipv4Metric: u32,
    pub Ipv6Metric: u32,
    pub Luid: NET_LUID,
    pub Dhcpv4Server: SOCKET_ADDRESS,
    pub CompartmentId: u32,
    pub NetworkGuid: GUID,
    pub ConnectionType: i32,
    pub TunnelType: i32,
    pub Dhcpv6Server: SOCKET_ADDRESS,
    pub Dhcpv6ClientDuid: [u8; 130],
    pub Dhcpv6ClientDuidLength: u32,
    pub Dhcpv6Iaid: u32,
    pub FirstDnsSuffix: *mut IP_ADAPTER_DNS_SUFFIX,
}

/// An IPv4 adapter as text. Times have as many bits as the host's `time_t`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct IP_ADAPTER_INFO {
    pub Next: *mut Self,
    pub ComboIndex: u32,
    pub AdapterName: [u8; 260],
    pub Description: [u8; 132],
    pub AddressLength: u32,
    pub Address: [u8; 8],
    pub Index: u32,
    pub Type: u32,
    pub DhcpEnabled: u32,
    pub CurrentIpAddress: *mut IP_ADDR_STRING,
    pub IpAddressList: IP_ADDR_STRING,
    pub GatewayList: IP_ADDR_STRING,
    pub DhcpServer: IP_ADDR_STRING,
    pub HaveWins: i32,
    pub PrimaryWinsServer: IP_ADDR_STRING,
    pub SecondaryWinsServer: IP_ADDR_STRING,
    pub LeaseObtained: isize,
    pub LeaseExpires: isize,
}
