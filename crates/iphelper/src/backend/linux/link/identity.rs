//! LUID and GUID of a link.
//!
//! ```text
//!  63             48 47                     31 30                      0
//!  +-----------------+------------------------+------------------------+
//!  | IANA ifType     | tag                    | index                  |
//!  +-----------------+------------------------+------------------------+
//! ```
//!
//! The tag is 17 bits of a hash of the kind and of what a link has from its making until its end, so that a later link
//! on the same index has another LUID. Both functions are fixed: programs store what they return, and other versions of
//! this library compare it.

use super::Link;
use crate::types::{Guid, InterfaceIndex, InterfaceLuid};
use uuid::Uuid;

const INDEX_BITS: u32 = 31;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;
const TYPE_SHIFT: u32 = 48;
const TAG_BITS: u32 = TYPE_SHIFT - INDEX_BITS;

/// The name space of this library's version 5 GUIDs, a random number.
pub(in crate::backend::linux) const NAME_SPACE: Uuid =
    Uuid::from_u128(0x8f5b_1c0a_5d0e_4e6b_9a37_21d4_63c8_f0be);

/// Kinds that are made in pairs: each end's `IFLA_LINK` is the other's index, which stays unless the other end moves to a
/// namespace where its index is taken.
const PAIRED: [&str; 3] = ["veth", "netkit", "vxcan"];

/// The index in a LUID.
pub(super) fn index_of(luid: InterfaceLuid) -> InterfaceIndex {
    InterfaceIndex(u32::try_from(luid.0 & INDEX_MASK).unwrap_or_default())
}

impl Link {
    /// The LUID.
    pub(in crate::backend::linux) fn luid(&self) -> InterfaceLuid {
        let kind = self.kind.as_deref().unwrap_or_default();
        let hash = Uuid::new_v5(&NAME_SPACE, &[b"tag", kind.as_bytes(), &self.origin()].join(&0));
        // From the top: further down stand the version's bits, which are the same in all.
        let tag = hash.as_u64_pair().0 >> (u64::BITS - TAG_BITS);
        InterfaceLuid(
            u64::from(self.interface_type.0) << TYPE_SHIFT | tag << INDEX_BITS | u64::from(self.index.0),
        )
    }

    /// The GUID: the same wherever this hardware is plugged in, else unique among the namespaces that exist.
    pub(in crate::backend::linux) fn guid(&self, namespace: u64) -> Guid {
        let uuid = match self.hardware_address() {
            Some(address) => {
                // The bus keeps a Hyper-V or virtio device and the hardware behind it apart: they share the address.
                let bus = self.parent.as_ref().map_or("", |parent| &parent.bus);
                Uuid::new_v5(&NAME_SPACE, &[b"hardware", bus.as_bytes(), address].join(&0))
            }
            None => {
                let (luid, namespace) = (self.luid().0.to_be_bytes(), namespace.to_be_bytes());
                Uuid::new_v5(&NAME_SPACE, &[&b"link"[..], &luid, &namespace].join(&0))
            }
        };
        Guid::from_bytes(uuid.into_bytes())
    }

    /// The address that the hardware came with. Virtual links repeat that of the device under them: macvlan in passthru
    /// mode, ipvlan, macsec, and the ports of a switch (DSA) all have one and the same.
    fn hardware_address(&self) -> Option<&[u8]> {
        self.permanent_address.as_deref().filter(|_| self.kind.is_none())
    }

    /// What tells this link from another of its kind on the same index: the hardware's address, or the index of the
    /// other end of a pair. Not the present address: udev gives a virtual device another one soon after it was made, a
    /// bond its ports, and a bridge has a port's.
    fn origin(&self) -> Vec<u8> {
        match (self.hardware_address(), self.kind.as_deref()) {
            (Some(address), _) => address.to_vec(),
            (None, Some(kind)) if PAIRED.contains(&kind) => self.linked_index.to_be_bytes().to_vec(),
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_netlink::rtnetlink::link::{LinkMessage, arphrd};

    const ADDRESS: &[u8] = &[2, 0, 0, 0, 0, 7];
    const OTHER_ADDRESS: &[u8] = &[2, 0, 0, 0, 0, 1];

    /// A link with index 7, after `fill`.
    fn link(fill: impl FnOnce(&mut LinkMessage<'static>)) -> Link {
        let mut message = LinkMessage::default();
        (message.index, message.hardware_type, message.address) = (7, arphrd::ETHER, Some(ADDRESS));
        fill(&mut message);
        Link::new(&message).unwrap()
    }

    fn veth() -> Link {
        link(|message| {
            message.kind = Some(b"veth");
            message.link = Some(8);
        })
    }

    fn card() -> Link {
        link(|message| {
            message.permanent_address = Some(ADDRESS);
            message.parent_bus = Some(b"pci");
            message.parent_device = Some(b"0000:00:1f.6");
        })
    }

    /// Stored LUIDs and GUIDs must stay valid, so these numbers never change.
    #[test]
    fn identities_are_fixed() {
        assert_eq!(veth().luid().to_string(), "0x6c5e980000007");
        assert_eq!(veth().guid(4_026_531_840).to_string(), "{4C4C6D4A-5AE8-5438-A58C-F6512225B71F}");
        assert_eq!(card().luid().to_string(), "0x6b28300000007");
        assert_eq!(card().guid(4_026_531_840).to_string(), "{18844479-FA80-53A7-9967-F2C9684FA08E}");
    }

    #[test]
    fn a_luid_holds_type_and_index() {
        let loopback = link(|message| {
            (message.index, message.hardware_type) = (0x7fff_fffe, arphrd::LOOPBACK);
        });
        let luid = loopback.luid();
        assert_eq!((luid.interface_type(), index_of(luid).0), (24, 0x7fff_fffe));
    }

    #[test]
    fn another_link_on_the_same_index_has_another_luid() {
        assert_eq!(veth().luid(), veth().luid(), "a twin");
        let other_pair = link(|message| {
            message.kind = Some(b"veth");
            message.link = Some(9);
        });
        assert_ne!(other_pair.luid(), veth().luid());
        let other_kind = link(|message| message.kind = Some(b"macvlan"));
        assert_ne!(other_kind.luid(), veth().luid());
    }

    #[test]
    fn what_can_change_under_a_link_is_no_part_of_its_identity() {
        let bridge = link(|message| message.kind = Some(b"bridge"));
        let grown = link(|message| {
            message.kind = Some(b"bridge");
            message.address = Some(OTHER_ADDRESS);
            message.name = b"br1";
            message.mtu = Some(1280);
        });
        assert_eq!((bridge.luid(), bridge.guid(1)), (grown.luid(), grown.guid(1)));

        let mut disguised = veth();
        disguised.address = OTHER_ADDRESS.to_vec();
        assert_eq!((veth().luid(), veth().guid(1)), (disguised.luid(), disguised.guid(1)));

        let mut disguised = card();
        disguised.address = OTHER_ADDRESS.to_vec();
        assert_eq!((card().luid(), card().guid(1)), (disguised.luid(), disguised.guid(1)));
    }

    #[test]
    fn a_guid_follows_hardware_to_another_namespace_and_nothing_else() {
        assert_eq!(card().guid(1), card().guid(2));
        assert_ne!(veth().guid(1), veth().guid(2));
        assert_ne!(veth().guid(1), card().guid(1));
    }

    #[test]
    fn what_repeats_the_hardwares_address_is_not_the_hardware() {
        let passthru = link(|message| {
            message.kind = Some(b"macvlan");
            message.permanent_address = Some(ADDRESS);
        });
        let port = link(|message| {
            message.kind = Some(b"dsa");
            message.permanent_address = Some(ADDRESS);
            message.parent_bus = Some(b"pci");
            message.parent_device = Some(b"0000:00:1f.6");
        });
        let guids = [passthru.guid(1), port.guid(1), card().guid(1)];
        assert!(guids[0] != guids[1] && guids[1] != guids[2] && guids[0] != guids[2], "{guids:?}");
    }

    #[test]
    fn hardware_that_shares_an_address_has_guids_of_its_own() {
        let mut front = card();
        front.parent = front.parent.map(|parent| super::super::Parent { bus: "vmbus".to_owned(), ..parent });
        assert_ne!(front.guid(1), card().guid(1));
    }
}
