//! `iph neighbor`: the hosts of the links and their physical addresses.

mod add;
mod arguments;
mod delete;
mod flush;
mod list;
mod proxy;
mod resolve;
mod rows;
mod set;

use crate::exit::{Exit, Failure};
use clap::Subcommand;

/// The hosts of the links and their physical addresses (ARP, neighbour discovery)
#[derive(Debug, Subcommand)]
#[command(visible_alias = "neighbour")]
pub(crate) enum Command {
    List(list::Args),
    Resolve(resolve::Args),
    Add(add::Args),
    Set(set::Args),
    Delete(delete::Args),
    Flush(flush::Args),
    #[command(subcommand)]
    Proxy(proxy::Command),
}

impl Command {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self {
            Self::List(args) => args.run(),
            Self::Resolve(args) => args.run(),
            Self::Add(args) => args.run(),
            Self::Set(args) => args.run(),
            Self::Delete(args) => args.run(),
            Self::Flush(args) => args.run(),
            Self::Proxy(command) => command.run(),
        }
    }
}
