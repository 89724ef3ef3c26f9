//! `iph neighbor flush`.

use super::rows::write;
use crate::exit::{Exit, Failure};
use crate::families::Families;
use crate::interface_name;
use crate::output;
use crate::output::style::QUIET;
use iphelper::Host;
use iphelper::neighbor::NeighborFlush;
use std::io::Write;

/// Forget neighbours
///
/// Learned ones, in whatever state; what is sent to them next seeks them anew. Those that somebody has set stay unless
/// --permanent is given, groups always. Prints the rows as they were.
///
/// Needs root (CAP_NET_ADMIN); --dry-run does not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph neighbor flush --interface eth0
  iph neighbor flush -6 --permanent --dry-run")]
pub(crate) struct Args {
    #[command(flatten)]
    families: Families,

    /// Only those on this interface
    #[arg(long, short, visible_alias = "dev", value_name = "NAME")]
    interface: Option<String>,

    /// Also permanent ones, those of other programs' control planes, and those that the kernel keeps resolved
    #[arg(long)]
    permanent: bool,

    /// Say what would be forgotten, but forget nothing
    #[arg(short = 'n', long)]
    dry_run: bool,

    /// Print an array of the neighbours, see docs/json.md
    #[arg(long)]
    json: bool,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let interface = interface_name::find_any(&host, self.interface.as_deref())?.map(Into::into);
        let which = NeighborFlush { family: self.families.get(), interface, permanent: self.permanent };
        let rows =
            if self.dry_run { host.plan_flush_neighbors(&which) } else { host.flush_neighbors(&which) }?;
        if rows.is_empty() && !self.json {
            let _ = writeln!(anstream::stderr(), "{QUIET}there was nothing to forget{QUIET:#}");
        } else {
            write(&rows, self.json)?;
        }
        output::tell_dry_run(self.dry_run, "forgotten");
        Ok(Exit::Success)
    }
}
