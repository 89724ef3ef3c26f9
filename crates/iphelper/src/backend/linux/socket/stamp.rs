//! What is known of time stamps by `ioctl` alone: how a driver stamps now (`SIOCGHWTSTAMP`), and what a hardware's clock and
//! the system's are at one moment (`PTP_SYS_OFFSET_PRECISE`).

use rustix::io::Errno;
use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
use std::os::fd::AsFd;

/// `SIOCGHWTSTAMP` of `linux/sockios.h`, which has no size in it.
const SIOCGHWTSTAMP: Opcode = 0x89b1;
/// `PTP_SYS_OFFSET_PRECISE` of `linux/ptp_clock.h`.
const SYS_OFFSET_PRECISE: Opcode = opcode::read_write::<Precise>(b'=', 8);

/// `struct hwtstamp_config` of `linux/net_tstamp.h`.
#[repr(C)]
#[derive(Debug, Default)]
struct Config {
    flags: i32,
    transmit: i32,
    receive: i32,
}

/// `struct ifreq` with a pointer, at least as large.
#[repr(C)]
struct Request {
    name: [u8; 16],
    config: *mut Config,
    rest: [u64; 2],
}

/// `struct ptp_clock_time`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::backend::linux) struct ClockTime {
    pub(in crate::backend::linux) seconds: i64,
    pub(in crate::backend::linux) nanoseconds: u32,
    pub(in crate::backend::linux) reserved: u32,
}

/// `struct ptp_sys_offset_precise`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::backend::linux) struct Precise {
    /// The hardware's clock.
    pub(in crate::backend::linux) hardware: ClockTime,
    _realtime: ClockTime,
    /// `CLOCK_MONOTONIC_RAW` at that moment.
    pub(in crate::backend::linux) system: ClockTime,
    reserved: [u32; 4],
}

const _: () = assert!(size_of::<Precise>() == 64 && size_of::<Request>() >= size_of::<libc::ifreq>());

/// How the driver of the link with this name stamps what is sent and received now: the numbers of `HWTSTAMP_TX_*` and
/// `HWTSTAMP_FILTER_*`. Any socket of the link's namespace asks.
pub(in crate::backend::linux) fn stamping(socket: impl AsFd, name: &[u8]) -> Result<[u32; 2], Errno> {
    let mut config = Config::default();
    let mut request = Request { name: [0; 16], config: &raw mut config, rest: [0; 2] };
    // The last octet stays 0.
    let place = request.name.get_mut(..name.len()).filter(|_| name.len() < 16).ok_or(Errno::NODEV)?;
    place.copy_from_slice(name);
    // SAFETY: SIOCGHWTSTAMP reads and writes a `struct ifreq`, than which `request` is no smaller, and writes a
    // `struct hwtstamp_config` where its pointer leads: to `config`, which lives on. The number is that of the request.
    unsafe { ioctl(socket.as_fd(), Updater::<SIOCGHWTSTAMP, Request>::new(&mut request)) }?;
    let number = |mode: i32| u32::try_from(mode).map_err(|_| Errno::INVAL);
    Ok([number(config.transmit)?, number(config.receive)?])
}

/// What the hardware's clock behind a device and the system's are at one moment, where the hardware can tell.
pub(in crate::backend::linux) fn precise(device: impl AsFd) -> Result<Precise, Errno> {
    let mut times = Precise::default();
    // SAFETY: PTP_SYS_OFFSET_PRECISE writes a `struct ptp_sys_offset_precise`, which `times` is, and whose size is in the
    // number. Other devices have other requests: with the letter '=' none but these.
    unsafe { ioctl(device.as_fd(), Updater::<SYS_OFFSET_PRECISE, Precise>::new(&mut times)) }?;
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_testkit::{isolated, run};

    #[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64", target_arch = "arm"))]
    #[test]
    fn the_number_is_that_of_the_header() {
        assert_eq!(u64::from(SYS_OFFSET_PRECISE), 0xc040_3d08);
    }

    #[test]
    fn drivers_are_asked_by_name() {
        isolated(|| {
            let _ = run("ip link add a-name-of-15-ch type bridge");
            let socket = std::net::UdpSocket::bind("[::]:0").unwrap();
            // The kernel has found it, and its driver stamps nothing.
            assert_eq!(stamping(&socket, b"a-name-of-15-ch").unwrap_err(), Errno::OPNOTSUPP);
            assert_eq!(stamping(&socket, b"lo").unwrap_err(), Errno::OPNOTSUPP);
            for absent in [&b"nowhere"[..], b"", b"a-name-of-15-chs", b"a-name-of-more-than-15-characters"] {
                assert_eq!(stamping(&socket, absent).unwrap_err(), Errno::NODEV);
            }
        });
    }

    #[test]
    fn what_is_no_clock_has_no_times() {
        let device = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(precise(&device).unwrap_err(), Errno::NOTTY);
    }
}
