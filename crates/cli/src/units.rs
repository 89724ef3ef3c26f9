//! Values on the command line that are no plain numbers: durations, interface identifiers, zones.

use std::net::Ipv6Addr;
use std::time::Duration;

/// Reads a plain number of 32 bits, as Windows' rows have them.
pub(crate) fn number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("give a plain number from 0 to {}", u32::MAX))
}

/// Reads `500ms`, `30s`, `10m`, `1h`, or a plain number of milliseconds, as Windows' rows and the JSON form count.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let milliseconds = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err("the unit is ms, s, m or h".to_owned()),
    };
    let count: u64 = digits.parse().map_err(|_| "give a time such as 500ms, 30s or 10m".to_owned())?;
    let total = count.checked_mul(milliseconds).ok_or("the time is too long".to_owned())?;
    Ok(Duration::from_millis(total))
}

/// A duration for people, in the largest unit that leaves a whole number.
pub(crate) fn show_duration(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    match milliseconds {
        0 => "0 s".to_owned(),
        ms if ms % 1_000 != 0 => format!("{ms} ms"),
        ms => format!("{} s", ms / 1_000),
    }
}

/// Bits each second for people, with three figures at least.
pub(crate) fn show_rate(bits: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "Gbit/s"), (1_000_000, "Mbit/s"), (1_000, "kbit/s")];
    let Some((size, unit)) = UNITS.into_iter().find(|(size, _)| bits >= *size) else {
        return format!("{bits} bit/s");
    };
    format!("{}.{:02} {unit}", bits / size, bits % size / (size / 100))
}

/// Reads an interface identifier: `::1:2:3:4` (the lower half of an address), `0x...`, or `none`.
pub(crate) fn interface_identifier(text: &str) -> Result<u64, String> {
    if text == "none" {
        return Ok(0);
    }
    if let Some(hexadecimal) = text.strip_prefix("0x") {
        return u64::from_str_radix(hexadecimal, 16)
            .map_err(|_| "more than 64 bits, or no number".to_owned());
    }
    if let Ok(number) = text.parse() {
        return Ok(number);
    }
    let bits = text.parse::<Ipv6Addr>().map_err(|_| "give ::a:b:c:d, a number or none".to_owned())?.to_bits();
    u64::try_from(bits).map_err(|_| "only the lower 64 bits count: the address must begin with ::".to_owned())
}

/// An interface identifier for people: the lower half of an address, or `none`.
pub(crate) fn show_interface_identifier(identifier: u64) -> String {
    match identifier {
        0 => "none".to_owned(),
        bits => Ipv6Addr::from_bits(u128::from(bits)).to_string(),
    }
}

/// Reads `LEVEL=ZONE`, the zone of one scope level (0 to 15).
pub(crate) fn zone(text: &str) -> Result<(usize, u32), String> {
    let wrong = || "give LEVEL=ZONE, the level from 0 to 15".to_owned();
    let (level, zone) = text.split_once('=').ok_or_else(wrong)?;
    match (level.parse(), zone.parse()) {
        (Ok(level @ 0..=15), Ok(zone)) => Ok((level, zone)),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates_have_three_figures() {
        for (bits, text) in [
            (0, "0 bit/s"),
            (999, "999 bit/s"),
            (1_000, "1.00 kbit/s"),
            (12_345_678, "12.34 Mbit/s"),
            (u64::MAX, "18446744073.70 Gbit/s"),
        ] {
            assert_eq!(show_rate(bits), text);
        }
    }

    #[test]
    fn durations_read_as_they_are_written() {
        for (text, milliseconds) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("10m", 600_000),
            ("10min", 600_000),
            ("1h", 3_600_000),
            ("20", 20),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1s", "1.5s", "1d", "99999999999999999999h", "18446744073709551615h", "1 s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn identifiers_are_the_lower_half_of_an_address() {
        for (text, identifier) in
            [("::aa", 0xaa), ("0xaa", 0xaa), ("170", 0xaa), ("none", 0), ("::1:2:3:4", 0x1_0002_0003_0004)]
        {
            assert_eq!(interface_identifier(text), Ok(identifier), "{text}");
        }
        for text in ["2001:db8::1", "", "0x", "0x10000000000000000", "eth0"] {
            assert!(interface_identifier(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_are_plain() {
        assert_eq!((number("0"), number("4294967295")), (Ok(0), Ok(u32::MAX)));
        for text in ["", "68k", "-1", "4294967296", "1.5", " 1"] {
            assert_eq!(number(text).unwrap_err(), "give a plain number from 0 to 4294967295", "{text}");
        }
    }

    #[test]
    fn zones_have_a_level() {
        assert_eq!(zone("2=7"), Ok((2, 7)));
        for text in ["2", "16=1", "x=1", "1=x", "=", ""] {
            assert!(zone(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = duration(&text);
            let _ = zone(&text);
            if let Ok(identifier) = interface_identifier(&text) {
                prop_assert_eq!(interface_identifier(&show_interface_identifier(identifier)), Ok(identifier));
            }
        }
    }
}
