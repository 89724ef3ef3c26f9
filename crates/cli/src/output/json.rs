//! JSON: the documented form (`docs/json.md`), numbers of 64 bits as strings, unknown as null.

mod adapter;
mod address;
mod best_route;
mod compartment;
mod dns;
mod interface;
mod neighbor;
mod port_reservation;
mod route;
mod tcp;
mod udp;

pub(crate) use adapter::{Adapter, Lease};
pub(crate) use address::{AddressMember, UnicastAddress};
pub(crate) use best_route::{BestRoute, RouteExplanation};
pub(crate) use compartment::Compartment;
pub(crate) use dns::{Dns, DnsChange, InterfaceDns};
pub(crate) use interface::{Interface, IpInterface, PropertyChange};
pub(crate) use neighbor::{Neighbor, ProxyNeighbor};
pub(crate) use port_reservation::PortReservation;
pub(crate) use route::Route;
pub(crate) use tcp::{Connection, Outcome};
pub(crate) use udp::Endpoint;

use iphelper::Family;
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, PrettyFormatter, Serializer};
use std::io::{self, BufWriter, StdoutLock, Write};

/// The name of a family in every document.
pub(crate) const fn family(family: Family) -> &'static str {
    match family {
        Family::V4 => "ipv4",
        Family::V6 => "ipv6",
    }
}

/// Standard output for programs.
pub(crate) fn stdout() -> BufWriter<StdoutLock<'static>> {
    BufWriter::new(io::stdout().lock())
}

/// Writes one document for programs, indented for people.
pub(crate) fn write(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    document.serialize(&mut Serializer::with_formatter(&mut *out, Visible(PrettyFormatter::new())))?;
    writeln!(out)
}

/// Writes an array, one element a line, so that a table of any length is written as it is read.
pub(crate) fn write_array<T: Serialize>(
    out: &mut impl Write,
    elements: impl IntoIterator<Item = T>,
) -> io::Result<()> {
    let mut separator = "[\n  ";
    for element in elements {
        out.write_all(separator.as_bytes())?;
        write_compact(out, &element)?;
        separator = ",\n  ";
    }
    out.write_all(if separator.starts_with('[') { b"[]\n" } else { b"\n]\n" })
}

/// Writes one document on one line.
pub(crate) fn write_line(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    write_compact(out, document)?;
    writeln!(out)
}

fn write_compact(out: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    Ok(document
        .serialize(&mut Serializer::with_formatter(out, Visible(serde_json::ser::CompactFormatter)))?)
}

/// Escapes in strings what a terminal might obey or a reader be deceived by; the document's meaning stays the same.
struct Visible<F>(F);

impl<F: Formatter> Formatter for Visible<F> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(|c: char| !c.is_ascii() && c.escape_debug().len() > 1) {
            let (plain, special) = rest.split_at(at);
            writer.write_all(plain.as_bytes())?;
            let mut characters = special.chars();
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        writer.write_all(rest.as_bytes())
    }

    fn write_char_escape<W: ?Sized + Write>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()> {
        self.0.write_char_escape(writer, escape)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(document: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        write_line(&mut bytes, document).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_could_deceive_is_escaped() {
        assert_eq!(line(&"a\u{202e}b\u{9b}c\x1bd"), "\"a\\u202eb\\u009bc\\u001bd\"\n");
        assert_eq!(line(&"größe 网卡"), "\"größe 网卡\"\n");
        assert_eq!(line(&"\u{e0001}"), "\"\\udb40\\udc01\"\n", "beyond 16 bits: a pair");
    }

    #[test]
    fn an_array_has_one_element_a_line() {
        let mut bytes = Vec::new();
        write_array(&mut bytes, [1, 2]).unwrap();
        write_array::<u8>(&mut bytes, []).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), "[\n  1,\n  2\n]\n[]\n");
    }

    proptest! {
        #[test]
        fn every_text_reads_back(text in ".*") {
            prop_assert_eq!(serde_json::from_str::<String>(&line(&text)).unwrap(), text);
        }
    }
}
