//! `iph dns`: who resolves names, and how.

mod arguments;
mod list;
mod set;
mod show;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// DNS servers and domains of this host and of its interfaces: to see and change
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Show(show::Args),
    Set(set::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Set(args) => args.run(),
        }
    }
}
