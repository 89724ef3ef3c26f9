//! `iph address`: the addresses of the interfaces.

mod add;
mod arguments;
mod delete;
mod list;
mod rows;
mod set;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// The addresses of the interfaces: to see, add, change and delete
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Add(add::Args),
    Set(set::Args),
    Delete(delete::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Add(args) => args.run(),
            Self::Set(args) => args.run(),
            Self::Delete(args) => args.run(),
        }
    }
}
