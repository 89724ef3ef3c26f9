//! `iph adapter`: interfaces with all that belongs to them.

mod lease;
mod list;
mod show;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// The interfaces of this computer with their addresses, routers, name servers and leases
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Show(show::Args),
    Renew(lease::Renew),
    Release(lease::Release),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Renew(args) => args.run(),
            Self::Release(args) => args.run(),
        }
    }
}
