//! Time stamps of packets: what an interface's hardware and the kernel can stamp, what they stamp now, and the hardware's
//! clock beside the system's.
//!
//! - [`Host::timestamp_capabilities`], [`Host::active_timestamp_capabilities`], [`Host::hardware_cross_timestamp`];
//!   [`Host::notify_timestamp_change`] calls back when they change
//!
//! ```no_run
//! use iphelper::Host;
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! let can = host.timestamp_capabilities(&host.interface_named("eth0")?)?;
//! println!("hardware: {:?}, software: {:?}, clock: {:?}", can.hardware, can.software, can.clock);
//! # Ok(())
//! # }
//! ```

mod registration;

use crate::error::Result;
use crate::host::Host;
use crate::types::InterfaceKey;
use std::time::Duration;

pub use registration::TimestampRegistration;

/// What is stamped by an interface's hardware.
///
/// Linux does not tell PTP over IPv4 from PTP over IPv6: what is said here of UDP holds for both.
#[allow(clippy::struct_excessive_bools, reason = "each is a capability of its own")]
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct HardwareTimestamps {
    /// Events of PTP version 2 over UDP, when they come in.
    pub ptp_v2_event_receive: bool,
    /// Everything that comes in, other messages of PTP too.
    pub all_receive: bool,
    /// What is sent by a socket that asks for it, packet by packet.
    pub tagged_transmit: bool,
}

/// What is stamped by the kernel and the driver.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct SoftwareTimestamps {
    /// Everything that comes in, for the sockets that ask.
    pub all_receive: bool,
    /// What is sent by a socket that asks for it, packet by packet.
    pub tagged_transmit: bool,
}

/// What of an interface is stamped, and by whom.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct TimestampCapabilities {
    /// By the hardware.
    pub hardware: HardwareTimestamps,
    /// By the kernel and the driver.
    pub software: SoftwareTimestamps,
    /// The number of the hardware's clock, `N` in `/dev/ptpN`. It counts nanoseconds.
    pub clock: Option<u32>,
}

/// A reading of a hardware clock between two of the system's.
///
/// The system's are `CLOCK_MONOTONIC_RAW`, which nobody sets or steers. They are equal where the hardware tells both clocks of
/// one moment.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct CrossTimestamp {
    /// The system's clock before.
    pub system_before: Duration,
    /// The hardware's clock, since its own epoch.
    pub hardware: Duration,
    /// The system's clock after.
    pub system_after: Duration,
}

impl Host {
    /// What an interface's hardware, its driver and the kernel can stamp.
    ///
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where neither driver nor kernel tells.
    /// - Privilege: none.
    /// - Linux: ethtool, `ETHTOOL_MSG_TSINFO_GET`.
    #[doc(alias = "GetInterfaceSupportedTimestampCapabilities")]
    #[doc(alias = "GetInterfaceHardwareTimestampCapabilities")]
    pub fn timestamp_capabilities(
        &self,
        interface: impl Into<InterfaceKey>,
    ) -> Result<TimestampCapabilities> {
        self.backend().timestamp_capabilities(interface.into())
    }

    /// What of [`timestamp_capabilities`](Self::timestamp_capabilities) is in force: what the hardware was told to stamp, and
    /// what software stamps for whoever asks.
    ///
    /// - Errors: as there; also [`NotSupported`](crate::ErrorKind::NotSupported) where the hardware could stamp and its driver
    ///   does not tell whether it does.
    /// - Privilege: none.
    /// - Linux: ethtool, `ETHTOOL_MSG_TSCONFIG_GET`; where that says nothing (before Linux 6.14), `SIOCGHWTSTAMP`. Software
    ///   stamps are asked for by each socket (`SO_TIMESTAMPING`), so all that is possible is in force.
    #[doc(alias = "GetInterfaceActiveTimestampCapabilities")]
    #[doc(alias = "GetInterfaceCurrentTimestampCapabilities")]
    pub fn active_timestamp_capabilities(
        &self,
        interface: impl Into<InterfaceKey>,
    ) -> Result<TimestampCapabilities> {
        self.backend().active_timestamp_capabilities(interface.into())
    }

    /// Reads the hardware's clock, and the system's before and after.
    ///
    /// - Errors: [`InterfaceNotFound`](crate::ErrorKind::InterfaceNotFound);
    ///   [`NotSupported`](crate::ErrorKind::NotSupported) where the hardware has no clock;
    ///   [`AccessDenied`](crate::ErrorKind::AccessDenied) where the caller may not open it.
    /// - Privilege: reading `/dev/ptpN`, which is root's as a rule.
    /// - Linux: `/dev/ptpN`: `PTP_SYS_OFFSET_PRECISE`, where the hardware tells both clocks of one moment; else its dynamic clock
    ///   (`clock_gettime(2)`) between two readings.
    #[doc(alias = "CaptureInterfaceHardwareCrossTimestamp")]
    pub fn hardware_cross_timestamp(&self, interface: impl Into<InterfaceKey>) -> Result<CrossTimestamp> {
        self.backend().hardware_cross_timestamp(interface.into())
    }
}
