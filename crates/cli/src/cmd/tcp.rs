//! `iph tcp`: TCP connections and their deletion.

mod delete;
mod list;
pub(crate) mod selection;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// The TCP connections of this computer
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Delete(delete::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Delete(args) => args.run(),
        }
    }
}
