//! What is stamped, over ethtool; the hardware's clock, as the dynamic clock of its device.

use super::LinuxHost;
use super::link::Link;
use super::namespace::system;
use super::socket::stamp::{self, ClockTime};
use crate::backend;
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::{CrossTimestamp, HardwareTimestamps, SoftwareTimestamps, TimestampCapabilities};
use crate::types::InterfaceKey;
use iphelper_netlink::genetlink::ethtool::{
    Bits, TimestampConfig, TimestampInfo, kind, receive, timestamp_config, timestamp_info, transmit,
};
use rustix::io::Errno;
use rustix::time::{ClockId, DynamicClockId, Timespec, clock_gettime, clock_gettime_dynamic};
use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

const OPERATION: &str = "asking what an interface stamps";
const CLOCK: &str = "reading a hardware clock";

impl backend::Timestamp for LinuxHost {
    fn timestamp_capabilities(&self, interface: InterfaceKey) -> Result<TimestampCapabilities> {
        let link = self.link(interface, OPERATION)?;
        self.possible(&link)?.ok_or_else(|| unknown("neither the driver nor this kernel tells"))
    }

    fn active_timestamp_capabilities(&self, interface: InterfaceKey) -> Result<TimestampCapabilities> {
        let link = self.link(interface, OPERATION)?;
        let Some(possible) = self.possible(&link)? else {
            return Err(unknown("neither the driver nor this kernel tells"));
        };
        if possible.hardware == HardwareTimestamps::default() {
            return Ok(possible);
        }
        let mut active = None;
        let _answered = self.ask_drivers(std::slice::from_ref(&link), timestamp_config, |message| {
            active = TimestampConfig::parse(message)?
                .map(|config| hardware(config.transmit, config.receive))
                .or(active);
            Ok(())
        })?;
        let hardware = active
            .or_else(|| self.stamped(&link))
            .ok_or_else(|| unknown("its driver does not tell what the hardware stamps now"))?;
        Ok(TimestampCapabilities { hardware, ..possible })
    }

    fn hardware_cross_timestamp(&self, interface: InterfaceKey) -> Result<CrossTimestamp> {
        let link = self.link(interface, CLOCK)?;
        let clock = self.possible(&link)?.and_then(|possible| possible.clock);
        let clock = clock.ok_or_else(|| {
            Error::new(ErrorKind::NotSupported, CLOCK).because("the interface's hardware has none")
        })?;
        cross_timestamp(format!("/dev/ptp{clock}").as_ref())
    }
}

impl LinuxHost {
    /// What the hardware stamps now, by the older request, which has a name in it; `None` where the driver does not tell.
    fn stamped(&self, link: &Link) -> Option<HardwareTimestamps> {
        let [sent, received] = stamp::stamping(self.route.take().ok()?.as_fd(), &link.name).ok()?;
        // The name may have changed hands before the kernel looked.
        let now = self.link(link.luid().into(), OPERATION).ok()?;
        let (sent, received) =
            (1_u32.checked_shl(sent)?.to_ne_bytes(), 1_u32.checked_shl(received)?.to_ne_bytes());
        (now.name == link.name).then(|| hardware(Bits::from_words(&sent), Bits::from_words(&received)))
    }

    /// What can be stamped; `None` where nobody tells.
    fn possible(&self, link: &Link) -> Result<Option<TimestampCapabilities>> {
        let mut possible = None;
        let _answered = self.ask_drivers(std::slice::from_ref(link), timestamp_info, |message| {
            possible = TimestampInfo::parse(message)?.map(|info| capabilities(&info)).or(possible);
            Ok(())
        })?;
        Ok(possible)
    }
}

fn unknown(reason: &'static str) -> Error {
    Error::new(ErrorKind::NotSupported, OPERATION).because(reason)
}

fn capabilities(info: &TimestampInfo<'_>) -> TimestampCapabilities {
    let on = |kind| info.kinds.contains(kind);
    let possible = hardware(info.transmit, info.receive);
    TimestampCapabilities {
        // A mode without the kind is one that nobody could ask for.
        hardware: HardwareTimestamps {
            ptp_v2_event_receive: possible.ptp_v2_event_receive && on(kind::RX_HARDWARE),
            all_receive: possible.all_receive && on(kind::RX_HARDWARE),
            tagged_transmit: possible.tagged_transmit && on(kind::TX_HARDWARE),
        },
        software: SoftwareTimestamps {
            all_receive: on(kind::RX_SOFTWARE),
            tagged_transmit: on(kind::TX_SOFTWARE),
        },
        clock: info.clock,
    }
}

fn hardware(sent: Bits<'_>, received: Bits<'_>) -> HardwareTimestamps {
    let any = |set: Bits<'_>, members: &[u32]| members.iter().any(|member| set.contains(*member));
    HardwareTimestamps {
        ptp_v2_event_receive: any(received, &[receive::ALL, receive::PTP_V2_L4_EVENT, receive::PTP_V2_EVENT]),
        all_receive: received.contains(receive::ALL),
        tagged_transmit: any(sent, &[transmit::ON, transmit::ONESTEP_SYNC, transmit::ONESTEP_P2P]),
    }
}

fn cross_timestamp(device: &Path) -> Result<CrossTimestamp> {
    let file = File::open(device).map_err(|error| {
        let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
        let error = system(CLOCK, errno);
        let shown = device.display();
        match errno {
            Errno::NOENT => error
                .with_kind(ErrorKind::NotSupported)
                .because(format!("there is no {shown} here; a container needs it passed in")),
            Errno::ACCESS | Errno::PERM => error.because(format!("{shown} may not be opened by this user")),
            _ => error.because(format!("{shown} cannot be opened")),
        }
    })?;
    // Where the hardware can, it tells both clocks of one moment.
    if let Ok(both) = stamp::precise(&file) {
        let system = at(both.system)?;
        return Ok(CrossTimestamp {
            system_before: system,
            hardware: at(both.hardware)?,
            system_after: system,
        });
    }
    let system_before = clock_gettime(ClockId::MonotonicRaw);
    let hardware = clock_gettime_dynamic(DynamicClockId::Dynamic(file.as_fd()));
    let system_after = clock_gettime(ClockId::MonotonicRaw);
    let hardware = hardware.map_err(|errno| system(CLOCK, errno).because("its driver refuses to read it"))?;
    Ok(CrossTimestamp {
        system_before: duration(system_before)?,
        hardware: duration(hardware)?,
        system_after: duration(system_after)?,
    })
}

fn at(time: ClockTime) -> Result<Duration> {
    let seconds = u64::try_from(time.seconds).map_err(|_| before_its_epoch())?;
    Ok(Duration::from_secs(seconds).saturating_add(Duration::from_nanos(time.nanoseconds.into())))
}

fn duration(time: Timespec) -> Result<Duration> {
    Duration::try_from(time).map_err(|_| before_its_epoch())
}

fn before_its_epoch() -> Error {
    Error::new(ErrorKind::Other, CLOCK).because("it stands before its own epoch")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_read_as_windows_calls_them() {
        let on = 1_u32 << transmit::ON;
        let words = |bits: u32| bits.to_ne_bytes();
        let hardware = |sent: u32, received: u32| {
            hardware(Bits::from_words(&words(sent)), Bits::from_words(&words(received)))
        };
        let everything = hardware(on, 1 << receive::ALL);
        assert!(everything.tagged_transmit && everything.all_receive && everything.ptp_v2_event_receive);
        for filter in [receive::PTP_V2_EVENT, receive::PTP_V2_L4_EVENT] {
            let events = hardware(1 << transmit::ONESTEP_SYNC, 1 << filter);
            assert!(events.tagged_transmit && !events.all_receive && events.ptp_v2_event_receive);
        }
        // "Off" and "nothing" are modes, too; so are those of other protocols (PTP version 1, over Ethernet, NTP).
        let off = hardware(1, 1 | 1 << 3 | 1 << 9 | 1 << 15);
        assert_eq!(off, HardwareTimestamps::default());
    }

    #[test]
    fn a_mode_without_its_kind_is_none() {
        let (kinds, modes) = ((1_u32 << kind::RX_SOFTWARE).to_ne_bytes(), (1_u32 << 1).to_ne_bytes());
        let modes = Bits::from_words(&modes);
        let info = TimestampInfo {
            index: 2,
            kinds: Bits::from_words(&kinds),
            transmit: modes,
            receive: modes,
            clock: Some(1),
        };
        let capabilities = capabilities(&info);
        assert_eq!(capabilities.hardware, HardwareTimestamps::default());
        assert!(capabilities.software.all_receive && !capabilities.software.tagged_transmit);
        assert_eq!(capabilities.clock, Some(1));
    }

    #[test]
    fn moments_are_nanoseconds_since_an_epoch() {
        let moment = |seconds, nanoseconds| at(ClockTime { seconds, nanoseconds, ..ClockTime::default() });
        assert_eq!(moment(1_700_000_037, 5).unwrap().as_nanos(), 1_700_000_037_000_000_005);
        assert_eq!(moment(0, 999_999_999).unwrap().as_nanos(), 999_999_999);
        assert!(moment(-1, 0).unwrap_err().to_string().contains("epoch"));
    }

    /// The one piece of hardware that the tests can have; its clock is any.
    #[test]
    fn a_clock_of_this_computer_is_read_between_two_of_the_systems() {
        let device = Path::new("/dev/ptp0");
        if File::open(device).is_err() {
            eprintln!("skipped: no {} here, or not for this user", device.display());
            return;
        }
        let outside = || duration(clock_gettime(ClockId::MonotonicRaw)).unwrap();
        let (before, read, after) = (outside(), cross_timestamp(device).unwrap(), outside());
        assert!(read.system_before <= read.system_after && read.system_after <= after, "{read:?}");
        // Some hardware answers with a moment just before the question.
        assert!(read.system_before + Duration::from_secs(1) > before, "{read:?}");
        let later = cross_timestamp(device).unwrap();
        assert!(later.hardware > read.hardware, "{read:?} {later:?}");
    }

    #[test]
    fn a_clock_that_is_not_there_or_is_none_is_refused() {
        let missing = cross_timestamp("/dev/ptp-that-is-not".as_ref()).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotSupported);
        assert!(missing.to_string().contains("/dev/ptp-that-is-not"), "{missing}");
        let none = cross_timestamp("/dev/null".as_ref()).unwrap_err();
        assert!(none.to_string().contains("its driver refuses"), "{none}");
    }
}
