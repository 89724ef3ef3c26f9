//! The options that choose a family.

use iphelper::Family;

/// The options that choose a family; without them it is both.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct Families {
    /// IPv4 alone
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// IPv6 alone
    #[arg(short = '6', long)]
    ipv6: bool,
}

impl Families {
    /// The family that was chosen; `None` is both.
    pub(crate) fn get(self) -> Option<Family> {
        match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        }
    }
}
