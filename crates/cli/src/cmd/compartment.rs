//! `iph compartment`: network stacks beside each other, on Linux network namespaces.

mod exec;
mod list;
mod rows;
mod selector;
mod show;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// Compartments: network namespaces with their names and processes
///
/// The primary one, number 1, is that of process 1; the number of another is the inode of its namespace.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Show(show::Args),
    Exec(exec::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Exec(args) => args.run(),
        }
    }
}
