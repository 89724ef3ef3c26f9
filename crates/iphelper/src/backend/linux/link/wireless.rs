//! Wi-Fi, which a link message does not tell from Ethernet.

use super::Link;
use crate::backend::linux::LinuxHost;
use crate::error::Result;
use crate::interface::InterfaceType;
use iphelper_netlink::genetlink::nl80211;
use rustc_hash::FxHashSet;

impl LinuxHost {
    /// Corrects the type of those links that are Wi-Fi. One nl80211 dump if any link may be, else nothing.
    pub(in crate::backend::linux) fn mark_wireless(&self, links: &mut [Link]) -> Result<()> {
        if !links.iter().any(may_be_wireless) {
            return Ok(());
        }
        // The module may come and go, so its number is asked for each time.
        let Some(family) = self.generic_family(nl80211::NAME)? else {
            return Ok(());
        };
        let mut wireless = FxHashSet::default();
        let dumped = self.generic.take()?.dump(&mut nl80211::dump(family), |message| {
            wireless.extend(nl80211::index(message)?);
            Ok(())
        });
        let _ = dumped.map_err(|refusal| refusal.error("asking which interfaces are Wi-Fi"))?;
        for link in links.iter_mut().filter(|link| may_be_wireless(link) && wireless.contains(&link.index.0))
        {
            link.interface_type = InterfaceType::IEEE80211;
        }
        Ok(())
    }
}

/// Wi-Fi links are Ethernet on hardware; only `virt_wifi` has neither hardware nor a parent.
fn may_be_wireless(link: &Link) -> bool {
    link.interface_type == InterfaceType::ETHERNET_CSMACD
        && (link.parent.is_some() || link.kind.as_deref() == Some("virt_wifi"))
}
