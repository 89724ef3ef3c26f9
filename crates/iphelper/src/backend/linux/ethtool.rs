//! What drivers tell over ethtool: speeds, features, wake-on-LAN.

use super::LinuxHost;
use super::link::Link;
use crate::error::Result;
use iphelper_netlink::DecodeError;
use iphelper_netlink::genetlink::ethtool::{self, Bits, Features, Speed, WakeOnLan};
use iphelper_netlink::message::{Message, Request};
use rustc_hash::{FxHashMap, FxHashSet};
use std::sync::OnceLock;

/// What stays the same as long as the kernel runs; `None` where it has no ethtool over netlink.
#[derive(Debug, Default)]
pub(super) struct Ethtool {
    family: OnceLock<Option<u16>>,
    names: OnceLock<FeatureBits>,
}

/// Features of a link that are switched on, as far as IP Helper asks for them.
#[allow(clippy::struct_excessive_bools, reason = "each is a feature of the kernel")]
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct LinkFeatures {
    /// Checksums of TCP and UDP over any protocol.
    pub(super) tx_checksum_any: bool,
    pub(super) tx_checksum_ipv4: bool,
    pub(super) tx_checksum_ipv6: bool,
    pub(super) tx_tcp_segmentation: bool,
    pub(super) tx_tcp6_segmentation: bool,
    pub(super) rx_checksum: bool,
    /// Received segments are put together by the hardware, in either way.
    pub(super) rx_large: bool,
}

/// Where the features stand in a bit set; numbers differ between kernels, names do not.
#[derive(Debug, Default)]
struct FeatureBits(FxHashMap<Box<[u8]>, u32>);

impl FeatureBits {
    fn select(&self, active: Bits<'_>) -> LinkFeatures {
        let on = |name: &[u8]| self.0.get(name).is_some_and(|bit| active.contains(*bit));
        LinkFeatures {
            tx_checksum_any: on(b"tx-checksum-ip-generic"),
            tx_checksum_ipv4: on(b"tx-checksum-ipv4"),
            tx_checksum_ipv6: on(b"tx-checksum-ipv6"),
            tx_tcp_segmentation: on(b"tx-tcp-segmentation"),
            tx_tcp6_segmentation: on(b"tx-tcp6-segmentation"),
            rx_checksum: on(b"rx-checksum"),
            rx_large: on(b"rx-gro-hw") || on(b"rx-lro"),
        }
    }
}

impl LinuxHost {
    /// Speeds in bits per second, by index; links whose driver does not know are left out.
    pub(super) fn link_speeds(&self, links: &[Link]) -> Result<FxHashMap<u32, u64>> {
        let mut speeds = FxHashMap::default();
        let _ = self.ask_drivers(links, ethtool::speed, |message| {
            if let Some(Speed { index, megabits: Some(megabits) }) = Speed::parse(message)? {
                let _ = speeds.insert(index, u64::from(megabits) * 1_000_000);
            }
            Ok(())
        })?;
        Ok(speeds)
    }

    /// Features by index; all are off where the kernel does not tell.
    pub(super) fn link_features(&self, links: &[Link]) -> Result<FxHashMap<u32, LinkFeatures>> {
        let mut features = FxHashMap::default();
        let Some(names) = self.feature_bits()? else {
            return Ok(features);
        };
        let _ = self.ask_drivers(links, ethtool::features, |message| {
            if let Some(row) = Features::parse(message)? {
                let _ = features.insert(row.index, names.select(row.active));
            }
            Ok(())
        })?;
        Ok(features)
    }

    /// The links that can wake the computer; `None` where the caller may not ask, or the kernel does not tell.
    pub(super) fn wake_on_lan(&self, links: &[Link]) -> Result<Option<FxHashSet<u32>>> {
        let mut wakers = FxHashSet::default();
        let answered = self.ask_drivers(links, ethtool::wake_on_lan, |message| {
            wakers.extend(
                WakeOnLan::parse(message)?.filter(|row| !row.supported.is_empty()).map(|row| row.index),
            );
            Ok(())
        })?;
        Ok(answered.then_some(wakers))
    }

    /// Gives what drivers answer about `links` to `visit`: one request for one link, one dump for more. Whether anybody
    /// could answer: not without the right to ask, or a kernel that can.
    ///
    /// A driver that cannot tell (`EOPNOTSUPP`) is no failure. One that fails (hardware that sleeps) ends the kernel's
    /// dump with its error; then each link is asked for itself, so that it does not hide the others.
    pub(super) fn ask_drivers(
        &self,
        links: &[Link],
        request: impl Fn(u16, Option<u32>) -> Request,
        mut visit: impl FnMut(&Message<'_>) -> Result<(), DecodeError>,
    ) -> Result<bool> {
        let Some(family) = self.ethtool_family()? else {
            return Ok(false);
        };
        let mut socket = self.generic.take()?;
        if links.len() != 1 {
            // Whether the table changed meanwhile does not matter: each answer is about one link.
            match socket.dump(&mut request(family, None), &mut visit) {
                Ok(_) => return Ok(true),
                Err(refusal) if refusal.errno() == libc::EPERM => return Ok(false),
                Err(_) => {}
            }
        }
        for link in links {
            match socket.ask(&mut request(family, Some(link.index.0)), &mut visit) {
                Err(refusal) if refusal.errno() == libc::EPERM => return Ok(false),
                // The driver cannot tell, or the link is gone: then it says nothing.
                Ok(()) | Err(_) => {}
            }
        }
        Ok(true)
    }

    fn ethtool_family(&self) -> Result<Option<u16>> {
        if let Some(family) = self.ethtool.family.get() {
            return Ok(*family);
        }
        let family = self.generic_family(ethtool::NAME)?;
        Ok(*self.ethtool.family.get_or_init(|| family))
    }

    fn feature_bits(&self) -> Result<Option<&FeatureBits>> {
        if let Some(bits) = self.ethtool.names.get() {
            return Ok(Some(bits));
        }
        let Some(family) = self.ethtool_family()? else {
            return Ok(None);
        };
        let mut bits = FeatureBits::default();
        self.generic
            .take()?
            .ask(&mut ethtool::feature_names(family), |message| {
                let names = ethtool::feature_name_list(message)?;
                bits.0.extend(names.into_iter().map(|(bit, name)| (Box::from(name), bit)));
                Ok(())
            })
            .map_err(|refusal| refusal.error("asking for the names of features"))?;
        Ok(Some(self.ethtool.names.get_or_init(|| bits)))
    }
}
