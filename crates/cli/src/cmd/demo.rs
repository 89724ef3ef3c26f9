//! `iph demo`.

use crate::demo;
use crate::exit::{Exit, Failure};

/// See iph at work, without root and without risk
///
/// Makes a private network in namespaces of its own: nothing of this computer's network is touched, no other program
/// sees it, and it is gone when the demo ends. There it opens real TCP connections and deletes one, changes properties
/// of an interface, each read back from the kernel itself, and disables the default routes of the better of two uplinks,
/// while the routers behind them count the packets.
///
/// Needs no root, but a kernel that lets users make namespaces; where it does not, the demo says how to allow it.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        demo::run()
    }
}
