//! `iph route`: the forwarding table.

mod add;
mod arguments;
mod delete;
mod get;
mod list;
mod rows;
mod set;
mod show;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// The forwarding table: routes to see, make, change and delete
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Show(show::Args),
    Get(get::Args),
    Add(add::Args),
    Set(set::Args),
    Delete(delete::Args),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Show(args) => args.run(),
            Self::Get(args) => args.run(),
            Self::Add(args) => args.run(),
            Self::Set(args) => args.run(),
            Self::Delete(args) => args.run(),
        }
    }
}
