//! The metric that Windows gives an interface while `UseAutomaticMetric` is TRUE.
//!
//! Windows 10 and later; see "The Automatic Metric feature for IPv4 routes" on learn.microsoft.com.

use crate::interface::InterfaceType;

/// Bits per second from which a metric holds, and the metric.
type Table = [(u64, u32)];

const M: u64 = 1_000_000;
const G: u64 = 1_000 * M;

const WIRED: &Table = &[
    (100 * G, 5),
    (40 * G, 10),
    (10 * G, 15),
    (2 * G, 20),
    (200 * M, 25),
    (80 * M, 35),
    (20 * M, 45),
    (4 * M, 55),
    (M / 2, 65),
    (0, 75),
];

const WIRELESS: &Table = &[
    (2 * G, 25),
    (500 * M, 30),
    (200 * M, 35),
    (150 * M, 40),
    (80 * M, 45),
    (50 * M, 50),
    (20 * M, 55),
    (10 * M, 60),
    (4 * M, 65),
    (2 * M, 70),
    (M / 2, 75),
    (M / 5, 80),
    (0, 85),
];

/// For a driver that does not know its speed (virtio, TUN), where Windows has no rule: that of 1 Gbit/s.
const UNKNOWN_WIRED: u32 = 25;
/// The same without a wire: that of 100 Mbit/s.
const UNKNOWN_WIRELESS: u32 = 45;
/// Windows' loopback interface.
const LOOPBACK: u32 = 75;

/// The metric of an interface of this type and speed in bits per second.
pub(in crate::backend::linux) fn automatic(interface_type: InterfaceType, speed: Option<u64>) -> u32 {
    let (table, unknown) = match interface_type {
        InterfaceType::SOFTWARE_LOOPBACK => return LOOPBACK,
        InterfaceType::IEEE80211 | InterfaceType::WWANPP => (WIRELESS, UNKNOWN_WIRELESS),
        _ => (WIRED, UNKNOWN_WIRED),
    };
    let reached = |speed| table.iter().find(|(from, _)| speed >= *from).map(|(_, metric)| *metric);
    speed.and_then(reached).unwrap_or(unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_holds_from_its_speed_on() {
        let wired = |speed| automatic(InterfaceType::ETHERNET_CSMACD, Some(speed));
        assert_eq!(
            [100 * G, 100 * G - 1, 10 * G, G, 100 * M, 10 * M, 0].map(wired),
            [5, 10, 15, 25, 35, 55, 75]
        );
        let wireless = |speed| automatic(InterfaceType::IEEE80211, Some(speed));
        assert_eq!([2 * G, G, 54 * M, 11 * M, 100_000].map(wireless), [25, 30, 50, 60, 85]);
    }

    #[test]
    fn what_no_rule_covers_has_a_constant() {
        assert_eq!(automatic(InterfaceType::ETHERNET_CSMACD, None), 25);
        assert_eq!(automatic(InterfaceType::WWANPP, None), 45);
        assert_eq!(automatic(InterfaceType::SOFTWARE_LOOPBACK, None), 75);
    }
}
