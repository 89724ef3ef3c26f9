//! `iph interface`: the interfaces and their IP properties.

mod change;
mod list;
mod reset;
mod set;
mod show;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// The interfaces of this computer and their IP properties
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Show(show::Args),
    Set(Box<set::Args>),
    Reset(reset::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Set(args) => args.run(),
            Self::Reset(args) => args.run(),
        }
    }
}
