//! What hardware does for packets: the kernel's features in Windows' terms.
//!
//! Linux sums IPv4 headers in software, so no checksum or option of the network layer is offloaded; options of TCP are
//! under its checksum. The fast path is Windows' own.

use crate::backend::linux::ethtool::LinkFeatures;
use crate::ip_interface::Offload;
use crate::types::Family;

/// Without `BIG TCP` a packet to be cut into segments is at most this long (`GSO_LEGACY_MAX_SIZE`).
const LARGE: u32 = 65_536;

pub(super) fn transmit(family: Family, features: &LinkFeatures, gso_max_size: [u32; 2]) -> Offload {
    let [gso_ipv4, gso_ipv6] = gso_max_size;
    let (checksum, segmentation, gso) = match family {
        Family::V4 => (features.tx_checksum_ipv4, features.tx_tcp_segmentation, gso_ipv4),
        Family::V6 => (features.tx_checksum_ipv6, features.tx_tcp6_segmentation, gso_ipv6),
    };
    Offload {
        tl_large_send_offload_supported: segmentation,
        tl_giant_send_offload_supported: segmentation && gso > LARGE,
        ..transport(checksum || features.tx_checksum_any)
    }
}

pub(super) fn receive(features: &LinkFeatures) -> Offload {
    Offload { tl_large_send_offload_supported: features.rx_large, ..transport(features.rx_checksum) }
}

/// Checksums of both transports, which Linux switches together.
fn transport(checksum: bool) -> Offload {
    Offload {
        tl_datagram_checksum_supported: checksum,
        tl_stream_checksum_supported: checksum,
        tl_stream_options_supported: checksum,
        ..Offload::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cards that sum one family only; virtual ones do both.
    #[test]
    fn a_checksum_of_one_family_is_no_other() {
        let features =
            LinkFeatures { tx_checksum_ipv4: true, tx_tcp6_segmentation: true, ..LinkFeatures::default() };
        let [v4, v6] = Family::ALL.map(|family| transmit(family, &features, [LARGE; 2]));
        assert!(v4.tl_stream_checksum_supported && !v6.tl_stream_checksum_supported);
        assert!(!v4.tl_large_send_offload_supported && v6.tl_large_send_offload_supported);
    }

    #[test]
    fn giants_need_segmentation_and_a_size_above_the_old_limit() {
        let features = LinkFeatures { tx_tcp_segmentation: true, ..LinkFeatures::default() };
        let giant = |features, size| transmit(Family::V4, features, size).tl_giant_send_offload_supported;
        assert!(giant(&features, [LARGE + 1, LARGE]));
        assert!(!giant(&features, [LARGE, LARGE + 1]));
        assert!(!giant(&LinkFeatures::default(), [LARGE + 1, LARGE]));
    }
}
