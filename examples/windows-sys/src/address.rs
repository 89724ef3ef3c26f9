//! Socket addresses, as Windows has them and as Rust has them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, IN_ADDR, IN_ADDR_0, IN6_ADDR, IN6_ADDR_0, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_INET,
};

/// The address in `address`; `None` for a family that is neither.
pub fn from_windows(address: &SOCKADDR_INET) -> Option<IpAddr> {
    // SAFETY: the family stands in each variant and says which one is there; all bytes are valid for both.
    unsafe {
        match address.si_family {
            AF_INET => Some(Ipv4Addr::from_bits(u32::from_be(address.Ipv4.sin_addr.S_un.S_addr)).into()),
            AF_INET6 => Some(Ipv6Addr::from(address.Ipv6.sin6_addr.u.Byte).into()),
            _ => None,
        }
    }
}

/// `address` as Windows has it, without a port.
pub fn to_windows(address: IpAddr) -> SOCKADDR_INET {
    match address {
        IpAddr::V4(address) => SOCKADDR_INET {
            Ipv4: SOCKADDR_IN {
                sin_family: AF_INET,
                sin_addr: IN_ADDR { S_un: IN_ADDR_0 { S_addr: address.to_bits().to_be() } },
                ..Default::default()
            },
        },
        IpAddr::V6(address) => SOCKADDR_INET {
            Ipv6: SOCKADDR_IN6 {
                sin6_family: AF_INET6,
                sin6_addr: IN6_ADDR { u: IN6_ADDR_0 { Byte: address.octets() } },
                ..Default::default()
            },
        },
    }
}
