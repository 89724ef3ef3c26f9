//! `iph udp`: UDP endpoints.

mod list;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// The UDP endpoints of this computer
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Self::List(args) = self;
        args.run()
    }
}
