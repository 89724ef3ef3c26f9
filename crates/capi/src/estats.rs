//! Extended statistics of one TCP connection, and their switches.
//!
//! Windows collects a class after an administrator has switched it on, and leaves the rest undefined. Linux counts always:
//! the values are there whatever the switch says, which is a record that this process keeps of the connection.

mod classes;

use crate::error::{Code, Win32};
use crate::raw::{
    MIB_TCP6ROW, MIB_TCPROW, TCP_ESTATS_BANDWIDTH_RW_v0, TcpBoolOptDisabled, TcpBoolOptEnabled,
    TcpBoolOptUnchanged, TcpConnectionEstatsBandwidth, TcpConnectionEstatsData, TcpConnectionEstatsFineRtt,
    TcpConnectionEstatsObsRec, TcpConnectionEstatsPath, TcpConnectionEstatsRec, TcpConnectionEstatsSendBuff,
    TcpConnectionEstatsSndCong, TcpConnectionEstatsSynOpts,
};
use crate::{guard, host, socket_row};
use classes::Class;
use iphelper::tcp::TcpConnection;
use iphelper::tcp::estats::{TcpEstatsCollection, TcpEstatsSwitch};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// A row that names a connection by its ends.
pub trait Ends: Copy {
    /// The local end and the remote one.
    fn ends(&self) -> (SocketAddr, SocketAddr);
}

impl Ends for MIB_TCPROW {
    fn ends(&self) -> (SocketAddr, SocketAddr) {
        let end = |address: u32, port: u32| {
            SocketAddrV4::new(Ipv4Addr::from(address.to_ne_bytes()), socket_row::port(port)).into()
        };
        (end(self.dwLocalAddr, self.dwLocalPort), end(self.dwRemoteAddr, self.dwRemotePort))
    }
}

impl Ends for MIB_TCP6ROW {
    fn ends(&self) -> (SocketAddr, SocketAddr) {
        let end = |address: [u8; 16], scope: u32, port: u32| {
            let address = Ipv6Addr::from(address);
            SocketAddrV6::new(address, socket_row::port(port), 0, u32::from_be(scope)).into()
        };
        // SAFETY: 16 bytes are what the union holds.
        let (local, remote) = unsafe { (self.LocalAddr.u.Byte, self.RemoteAddr.u.Byte) };
        (
            end(local, self.dwLocalScopeId, self.dwLocalPort),
            end(remote, self.dwRemoteScopeId, self.dwRemotePort),
        )
    }
}

/// One of the three parts that a caller asks for: version, buffer and size.
#[derive(Clone, Copy)]
struct Part {
    buffer: *mut u8,
    version: u32,
    size: u32,
}

impl Part {
    /// Whether `needed` bytes may be written; no size is a part that nobody wants.
    fn check(self, needed: usize) -> Result<(), Code> {
        match (self.buffer.is_null(), self.size) {
            (_, 0) if self.buffer.is_null() || needed == 0 => Ok(()),
            (true, _) => Err(Code::INVALID_USER_BUFFER),
            (false, size) if (size as usize) < needed => Err(Code::INSUFFICIENT_BUFFER),
            (false, _) => Ok(()),
        }
    }
}

/// `GetPerTcpConnectionEStats`, `GetPerTcp6ConnectionEStats`: up to three structures of one class.
///
/// Each part whose size is 0 is left out; a part that the class does not have is left alone. All that is wanted is
/// checked before anything is written. `ERROR_NOT_FOUND` for a connection that is gone, for a listener, and where the kernel
/// keeps no statistics (`TIME_WAIT`).
#[doc(alias = "GetPerTcpConnectionEStats")]
#[doc(alias = "GetPerTcp6ConnectionEStats")]
#[allow(clippy::too_many_arguments, reason = "the parameters are Windows'")]
pub unsafe fn connection_estats<R: Ends>(
    row: *const R,
    class: i32,
    rw: *mut u8,
    rw_version: u32,
    rw_size: u32,
    ros: *mut u8,
    ros_version: u32,
    ros_size: u32,
    rod: *mut u8,
    rod_version: u32,
    rod_size: u32,
) -> u32 {
    guard::status::<Win32>(|| {
        let (class, row) = (class_of(class)?, row);
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let parts = [
            Part { buffer: rw, version: rw_version, size: rw_size },
            Part { buffer: ros, version: ros_version, size: ros_size },
            Part { buffer: rod, version: rod_version, size: rod_size },
        ];
        if parts.iter().any(|part| part.version != 0) {
            return Err(Code::NOT_SUPPORTED);
        }
        for (part, needed) in parts.into_iter().zip(class.sizes()) {
            part.check(needed)?;
        }
        // SAFETY: the caller's promise; each member is a number, so that every pattern of bytes is a row.
        let connection = unsafe { connection(row)? };
        let host = host::current()?;
        let estats = host.tcp_estats(&connection)?;
        let switches = host.tcp_estats_collection(&connection)?;
        // SAFETY: the caller's promise, and each buffer was found large enough.
        unsafe { class.fill(&estats, switches, parts.map(|part| part.buffer)) };
        Ok(())
    })
}

/// `SetPerTcpConnectionEStats`, `SetPerTcp6ConnectionEStats`: the switch of one class.
///
/// `ERROR_INVALID_PARAMETER` for `TcpConnectionEstatsSynOpts`, which has no switch, and for a bandwidth switch that is none
/// of the three values; `ERROR_INVALID_USER_BUFFER` also where the structure is cut short.
#[doc(alias = "SetPerTcpConnectionEStats")]
#[doc(alias = "SetPerTcp6ConnectionEStats")]
pub unsafe fn set_connection_estats<R: Ends>(
    row: *const R,
    class: i32,
    rw: *const u8,
    rw_version: u32,
    rw_size: u32,
    offset: u32,
) -> u32 {
    guard::status::<Win32>(|| {
        let class = class_of(class)?;
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        if rw_version != 0 || offset != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        if rw_size == 0 {
            return Ok(());
        }
        let [needed, ..] = class.sizes();
        if needed == 0 {
            return Err(Code::INVALID_PARAMETER);
        }
        if rw.is_null() || (rw_size as usize) < needed {
            return Err(Code::INVALID_USER_BUFFER);
        }
        // SAFETY: the caller's promise: `rw` has `rw_size` bytes, which are enough.
        let switches = unsafe { wanted(class, rw)? };
        // SAFETY: the caller's promise, as above.
        let connection = unsafe { connection(row)? };
        let _changes = host::current()?.set_tcp_estats_collection(&connection, &switches)?;
        Ok(())
    })
}

/// The connection that a row names.
///
/// # Safety
/// `row` may be read.
unsafe fn connection<R: Ends>(row: *const R) -> Result<TcpConnection, Code> {
    // SAFETY: the caller's promise; it may be unaligned.
    let (local, remote) = unsafe { row.read_unaligned() }.ends();
    Ok(host::current()?.tcp_connection(local, remote)?)
}

fn class_of(number: i32) -> Result<Class, Code> {
    #[allow(non_upper_case_globals, reason = "the names are Windows'")]
    Ok(match number {
        TcpConnectionEstatsSynOpts => Class::SynOptions,
        TcpConnectionEstatsData => Class::Data,
        TcpConnectionEstatsSndCong => Class::SendCongestion,
        TcpConnectionEstatsPath => Class::Path,
        TcpConnectionEstatsSendBuff => Class::SendBuffer,
        TcpConnectionEstatsRec => Class::Receive,
        TcpConnectionEstatsObsRec => Class::ObservedReceiver,
        TcpConnectionEstatsBandwidth => Class::Bandwidth,
        TcpConnectionEstatsFineRtt => Class::FineRtt,
        _ => return Err(Code::INVALID_PARAMETER),
    })
}

/// The switches that a caller's structure sets.
///
/// # Safety
/// `rw` may be read for as many bytes as the class's structure has.
unsafe fn wanted(class: Class, rw: *const u8) -> Result<Vec<(TcpEstatsSwitch, bool)>, Code> {
    if let Some(switch) = class.switch() {
        // SAFETY: the caller's promise.
        return Ok(vec![(switch, unsafe { rw.read() } != 0)]);
    }
    // SAFETY: the caller's promise; both members are numbers.
    let both = unsafe { rw.cast::<TCP_ESTATS_BANDWIDTH_RW_v0>().read_unaligned() };
    let mut switches = Vec::new();
    for (switch, value) in [
        (TcpEstatsSwitch::OutboundBandwidth, both.EnableCollectionOutbound),
        (TcpEstatsSwitch::InboundBandwidth, both.EnableCollectionInbound),
    ] {
        #[allow(non_upper_case_globals, reason = "the names are Windows'")]
        match value {
            TcpBoolOptUnchanged => {}
            TcpBoolOptDisabled => switches.push((switch, false)),
            TcpBoolOptEnabled => switches.push((switch, true)),
            _ => return Err(Code::INVALID_PARAMETER),
        }
    }
    Ok(switches)
}

/// The switches of bandwidth, as C has them.
fn bandwidth_switches(switches: TcpEstatsCollection) -> TCP_ESTATS_BANDWIDTH_RW_v0 {
    let value = |switch| if switches.is_on(switch) { TcpBoolOptEnabled } else { TcpBoolOptDisabled };
    TCP_ESTATS_BANDWIDTH_RW_v0 {
        EnableCollectionOutbound: value(TcpEstatsSwitch::OutboundBandwidth),
        EnableCollectionInbound: value(TcpEstatsSwitch::InboundBandwidth),
    }
}
