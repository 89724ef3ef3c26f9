//! Policy rules whole, whoever made them: all that a rule can judge a packet by (`struct fib_rule_hdr`, `FRA_*`).
//!
//! [`rule`](super::rule) makes rules; this reads those of others, so that a decision can be told step by step.

use super::rule::{Action, NEW_RULE};
use crate::DecodeError;
use crate::attribute::Attribute;
use crate::message::Message;
use std::net::IpAddr;

const FIXED_LEN: usize = 12;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;

const DST: u16 = 1;
const SRC: u16 = 2;
const IIFNAME: u16 = 3;
const GOTO: u16 = 4;
const PRIORITY: u16 = 6;
const FWMARK: u16 = 10;
const FLOW: u16 = 11;
const TUNNEL_ID: u16 = 12;
const SUPPRESS_IFGROUP: u16 = 13;
const SUPPRESS_PREFIXLEN: u16 = 14;
const TABLE: u16 = 15;
const FWMASK: u16 = 16;
const OIFNAME: u16 = 17;
const PAD: u16 = 18;
const L3MDEV: u16 = 19;
const UID_RANGE: u16 = 20;
const PROTOCOL: u16 = 21;
const IP_PROTOCOL: u16 = 22;
const SOURCE_PORTS: u16 = 23;
const DESTINATION_PORTS: u16 = 24;
const DSCP: u16 = 25;
const FLOW_LABEL: u16 = 26;
const FLOW_LABEL_MASK: u16 = 27;
const SOURCE_PORT_MASK: u16 = 28;
const DESTINATION_PORT_MASK: u16 = 29;
const DSCP_MASK: u16 = 30;

/// `FIB_RULE_INVERT`: the rule applies where its selectors do not match.
const INVERT: u32 = 0x2;

/// A rule of the kernel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PolicyRule {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Its place among the rules, lower first.
    pub priority: u32,
    /// Who made it.
    pub protocol: u8,
    /// What it does.
    pub action: Action,
    /// Whether it applies to what its selectors do *not* match.
    pub inverted: bool,
    /// Packets to this prefix.
    pub destination: Option<(IpAddr, u8)>,
    /// Packets from this prefix.
    pub source: Option<(IpAddr, u8)>,
    /// Packets that came in by this interface; `lo`: those of this host.
    pub input: Option<String>,
    /// Packets whose sender is bound to this interface.
    pub output: Option<String>,
    /// Packets whose mark is this one, under the mask.
    pub mark: Option<(u32, u32)>,
    /// Packets of users from the first to the last.
    pub users: Option<(u32, u32)>,
    /// Packets with this type of service; 0: any.
    pub tos: u8,
    /// Packets of this protocol over IP (`IPPROTO_*`).
    pub ip_protocol: Option<u8>,
    /// Packets from these ports.
    pub source_ports: Option<Ports>,
    /// Packets to these ports.
    pub destination_ports: Option<Ports>,
    /// Packets with these differentiated services, under the mask.
    pub dscp: Option<(u8, u8)>,
    /// Packets with this IPv6 flow label, under the mask.
    pub flow_label: Option<(u32, u32)>,
    /// Packets of the tunnel with this number.
    pub tunnel: Option<u64>,
    /// Packets that pass a VRF, whose table is looked up.
    pub vrf: bool,
    /// Ignores routes that the table has for prefixes of at most this length.
    pub suppress_prefix_len: Option<u32>,
    /// Ignores routes over interfaces of this group.
    pub suppress_group: Option<u32>,
    /// Whether the rule judges by something that is not among these members.
    pub has_more: bool,
}

/// Ports that a rule is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ports {
    /// The first.
    pub first: u16,
    /// The last.
    pub last: u16,
    /// Which bits of the first one count; 0: those from the first to the last.
    pub mask: u16,
}

impl Ports {
    /// Whether a port is among them; 0, which none has, stands for a packet without ports.
    #[must_use]
    pub fn contains(&self, port: u16) -> bool {
        match self.mask {
            0 => (self.first..=self.last).contains(&port),
            mask => (self.first ^ port) & mask == 0,
        }
    }
}

impl PolicyRule {
    /// A rule of `family` that is for every packet.
    #[must_use]
    pub const fn for_all(family: u8, priority: u32, action: Action) -> Self {
        Self {
            family,
            priority,
            protocol: 0,
            action,
            inverted: false,
            destination: None,
            source: None,
            input: None,
            output: None,
            mark: None,
            users: None,
            tos: 0,
            ip_protocol: None,
            source_ports: None,
            destination_ports: None,
            dscp: None,
            flow_label: None,
            tunnel: None,
            vrf: false,
            suppress_prefix_len: None,
            suppress_group: None,
            has_more: false,
        }
    }

    /// Whether it is for every packet, and leaves no routes out.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let plain = Self::for_all(self.family, self.priority, self.action);
        *self == Self { protocol: self.protocol, ..plain }
    }

    /// Reads a message; `None` if it is about something else.
    pub fn parse(message: &Message<'_>) -> Result<Option<Self>, DecodeError> {
        if message.header.kind != NEW_RULE {
            return Ok(None);
        }
        let (fixed, attributes) = message.split::<FIXED_LEN>("fib_rule_hdr")?;
        let [family, destination_len, source_len, tos, table, _, _, action, f0, f1, f2, f3] = *fixed;
        if !matches!(family, AF_INET | AF_INET6) {
            return Ok(None);
        }
        let mut table = u32::from(table);
        let (mut mark, mut mask, mut target) = (None, u32::MAX, 0);
        let (mut dscp, mut dscp_mask) = (None, u8::MAX);
        let (mut label, mut label_mask) = (None, u32::MAX);
        let (mut source_mask, mut destination_mask) = (0, 0);
        let mut rule = Self { tos, ..Self::for_all(family, 0, Action::Other(action)) };
        rule.inverted = u32::from_ne_bytes([f0, f1, f2, f3]) & INVERT != 0;
        for attribute in attributes {
            let attribute = attribute?;
            match attribute.kind {
                DST => rule.destination = Some((address(family, &attribute)?, destination_len)),
                SRC => rule.source = Some((address(family, &attribute)?, source_len)),
                IIFNAME => rule.input = Some(name(&attribute)),
                OIFNAME => rule.output = Some(name(&attribute)),
                GOTO => target = attribute.u32()?,
                PRIORITY => rule.priority = attribute.u32()?,
                PROTOCOL => rule.protocol = attribute.u8()?,
                FWMARK => mark = Some(attribute.u32()?),
                FWMASK => mask = attribute.u32()?,
                TABLE => table = attribute.u32()?,
                L3MDEV => rule.vrf = attribute.u8()? != 0,
                UID_RANGE => {
                    let [a0, a1, a2, a3, b0, b1, b2, b3] = attribute.array()?;
                    let number = u32::from_ne_bytes;
                    rule.users = Some((number([a0, a1, a2, a3]), number([b0, b1, b2, b3])));
                }
                // -1 is none.
                SUPPRESS_PREFIXLEN => rule.suppress_prefix_len = u32::try_from(attribute.i32()?).ok(),
                SUPPRESS_IFGROUP => rule.suppress_group = u32::try_from(attribute.i32()?).ok(),
                // A realm is given to the route, and 0 is no tunnel; neither selects.
                FLOW | PAD => {}
                TUNNEL_ID => rule.tunnel = Some(u64::from_be(attribute.u64()?)).filter(|id| *id != 0),
                IP_PROTOCOL => rule.ip_protocol = Some(attribute.u8()?).filter(|protocol| *protocol != 0),
                SOURCE_PORTS => rule.source_ports = Some(ports(&attribute)?),
                DESTINATION_PORTS => rule.destination_ports = Some(ports(&attribute)?),
                SOURCE_PORT_MASK => source_mask = attribute.u16()?,
                DESTINATION_PORT_MASK => destination_mask = attribute.u16()?,
                DSCP => dscp = Some(attribute.u8()?),
                DSCP_MASK => dscp_mask = attribute.u8()?,
                FLOW_LABEL => label = Some(u32::from_be(attribute.u32()?)),
                FLOW_LABEL_MASK => label_mask = u32::from_be(attribute.u32()?),
                _ => rule.has_more = true,
            }
        }
        rule.action = Action::new(action, table, target);
        rule.mark = mark.map(|mark| (mark, mask)).filter(|(mark, mask)| (*mark, *mask) != (0, 0));
        rule.dscp = dscp.map(|dscp| (dscp, dscp_mask));
        rule.flow_label = label.map(|label| (label, label_mask));
        rule.source_ports = rule.source_ports.map(|ports| Ports { mask: source_mask, ..ports });
        rule.destination_ports =
            rule.destination_ports.map(|ports| Ports { mask: destination_mask, ..ports });
        Ok(Some(rule))
    }
}

/// `struct fib_rule_port_range`, in host order.
fn ports(attribute: &Attribute<'_>) -> Result<Ports, DecodeError> {
    let [a0, a1, b0, b1] = attribute.array()?;
    Ok(Ports { first: u16::from_ne_bytes([a0, a1]), last: u16::from_ne_bytes([b0, b1]), mask: 0 })
}

fn address(family: u8, attribute: &Attribute<'_>) -> Result<IpAddr, DecodeError> {
    if family == AF_INET { attribute.ipv4().map(IpAddr::V4) } else { attribute.ipv6().map(IpAddr::V6) }
}

fn name(attribute: &Attribute<'_>) -> String {
    String::from_utf8_lossy(attribute.c_bytes()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::AttributeWriter;
    use crate::captured::{bytes, message};
    use proptest::prelude::*;

    /// `ip rule add not fwmark 0x7 lookup main suppress_prefixlength 0 pref 32765 protocol 105` on Linux 6.18.
    #[cfg(target_endian = "little")]
    #[test]
    fn a_rule_of_the_kernel_is_read_whole() {
        let payload = bytes(include_str!("../../captured/rule-inet-suppress.hex"));
        let rule = PolicyRule::parse(&message(NEW_RULE, &payload)).unwrap().unwrap();
        assert!(rule.inverted);
        assert_eq!((rule.priority, rule.protocol, rule.action), (32765, 105, Action::Lookup(254)));
        assert_eq!((rule.mark, rule.suppress_prefix_len), (Some((7, u32::MAX)), Some(0)));
        assert!(!rule.has_more && !rule.is_plain(), "{rule:?}");
        assert!(PolicyRule::for_all(AF_INET, 32766, Action::Lookup(254)).is_plain());
    }

    #[test]
    fn every_selector_is_read() {
        let mut payload = vec![2, 8, 16, 0, 0, 0, 0, 2, 0, 0, 0, 0];
        let _ = payload.attribute(DST, &[10, 0, 0, 0]).attribute(SRC, &[192, 168, 0, 0]);
        let _ = payload.attribute_name(OIFNAME, b"eth0").attribute_u32(GOTO, 500).attribute_u8(L3MDEV, 1);
        let mut users = 0_u32.to_ne_bytes().to_vec();
        users.extend(1000_u32.to_ne_bytes());
        let _ = payload.attribute(UID_RANGE, &users).attribute(999, &[0; 4]);
        let ports = |first: u16, last: u16| [first.to_ne_bytes(), last.to_ne_bytes()].concat();
        let _ = payload.attribute_u8(IP_PROTOCOL, 6).attribute(SOURCE_PORTS, &ports(80, 90));
        let _ = payload.attribute(DESTINATION_PORTS, &ports(0x50, 0x50));
        let _ = payload.attribute(DESTINATION_PORT_MASK, &0xf0_u16.to_ne_bytes()).attribute_u8(DSCP, 10);
        let _ =
            payload.attribute(FLOW_LABEL, &7_u32.to_be_bytes()).attribute(TUNNEL_ID, &9_u64.to_be_bytes());
        let rule = PolicyRule::parse(&message(NEW_RULE, &payload)).unwrap().unwrap();
        assert_eq!(rule.destination, Some(("10.0.0.0".parse().unwrap(), 8)));
        assert_eq!(rule.source, Some(("192.168.0.0".parse().unwrap(), 16)));
        assert_eq!(rule.action, Action::Goto(500));
        assert_eq!((rule.output.as_deref(), rule.users), (Some("eth0"), Some((0, 1000))));
        assert!(rule.vrf && rule.has_more);
        assert_eq!((rule.ip_protocol, rule.tunnel), (Some(6), Some(9)));
        assert_eq!((rule.dscp, rule.flow_label), (Some((10, u8::MAX)), Some((7, u32::MAX))));
        let source = rule.source_ports.unwrap();
        assert!(source.contains(80) && source.contains(90) && !source.contains(91) && !source.contains(0));
        let destination = rule.destination_ports.unwrap();
        assert!(destination.contains(0x5f) && !destination.contains(0x60), "under the mask");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(payload in proptest::collection::vec(any::<u8>(), 0..150)) {
            let _ = PolicyRule::parse(&message(NEW_RULE, &payload));
        }
    }
}
