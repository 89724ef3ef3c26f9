//! `CreatePersistentTcpPortReservation` and its kin. Ports are in network byte order.

use crate::error::{Code, Win32};
use crate::{guard, host};
use iphelper::Host;
use iphelper::port_reservation::{PortProtocol, PortRange, PortReservation};

/// A range as C gives it.
fn range(start: u16, count: u16) -> Result<PortRange, Code> {
    Ok(PortRange::new(u16::from_be(start), count)?)
}

/// Does what `work` does with a range, and writes the token of the reservation.
///
/// # Safety
/// `token` is NULL or points to a number.
unsafe fn token_of(
    start: u16,
    count: u16,
    token: *mut u64,
    work: impl FnOnce(&Host, PortRange) -> iphelper::Result<PortReservation>,
) -> u32 {
    guard::status::<Win32>(|| {
        if token.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let reservation = work(&*host::current()?, range(start, count)?)?;
        // SAFETY: the caller's promise on `token`.
        unsafe { token.write_unaligned(reservation.token.unwrap_or_default()) };
        Ok(())
    })
}

/// `CreatePersistentTcpPortReservation`: `count` ports from `start` on are given to no socket that does not ask for one.
///
/// `ERROR_SHARING_VIOLATION` where one of them is reserved or used.
#[doc(alias = "CreatePersistentTcpPortReservation")]
pub unsafe fn create_tcp(start: u16, count: u16, token: *mut u64) -> u32 {
    // SAFETY: the caller's promise on `token`.
    unsafe {
        token_of(start, count, token, |host, ports| host.create_port_reservation(PortProtocol::Tcp, ports))
    }
}

/// `CreatePersistentUdpPortReservation`, as [`create_tcp`].
#[doc(alias = "CreatePersistentUdpPortReservation")]
pub unsafe fn create_udp(start: u16, count: u16, token: *mut u64) -> u32 {
    // SAFETY: the caller's promise on `token`.
    unsafe {
        token_of(start, count, token, |host, ports| host.create_port_reservation(PortProtocol::Udp, ports))
    }
}

/// `LookupPersistentTcpPortReservation`: the token of exactly these ports, else `ERROR_NOT_FOUND`.
#[doc(alias = "LookupPersistentTcpPortReservation")]
pub unsafe fn lookup_tcp(start: u16, count: u16, token: *mut u64) -> u32 {
    // SAFETY: the caller's promise on `token`.
    unsafe { token_of(start, count, token, |host, ports| host.port_reservation(PortProtocol::Tcp, ports)) }
}

/// `LookupPersistentUdpPortReservation`, as [`lookup_tcp`].
#[doc(alias = "LookupPersistentUdpPortReservation")]
pub unsafe fn lookup_udp(start: u16, count: u16, token: *mut u64) -> u32 {
    // SAFETY: the caller's promise on `token`.
    unsafe { token_of(start, count, token, |host, ports| host.port_reservation(PortProtocol::Udp, ports)) }
}

fn delete(protocol: PortProtocol, start: u16, count: u16) -> u32 {
    guard::status::<Win32>(|| {
        let _gone = host::current()?.delete_port_reservation(protocol, range(start, count)?)?;
        Ok(())
    })
}

/// `DeletePersistentTcpPortReservation`: exactly these ports, else `ERROR_NOT_FOUND`.
#[doc(alias = "DeletePersistentTcpPortReservation")]
#[must_use]
pub fn delete_tcp(start: u16, count: u16) -> u32 {
    delete(PortProtocol::Tcp, start, count)
}

/// `DeletePersistentUdpPortReservation`, as [`delete_tcp`].
#[doc(alias = "DeletePersistentUdpPortReservation")]
#[must_use]
pub fn delete_udp(start: u16, count: u16) -> u32 {
    delete(PortProtocol::Udp, start, count)
}
