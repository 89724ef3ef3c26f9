//! `iph compartment exec`.

use super::selector::{Selector, selector};
use crate::exit::{Exit, Failure};
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Run a program in a compartment
///
/// The program takes the place of iph, and its exit code is its own. Its network is the compartment's; files stay as they
/// are, /sys and /etc/resolv.conf too, which `ip netns exec` replaces.
///
/// Needs root (CAP_SYS_ADMIN).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph compartment exec blue -- iph address list
  sudo iph compartment exec pid:4711 -- ss -tln")]
pub(crate) struct Args {
    /// A number, a name of `ip netns`, or pid:NUMBER
    #[arg(value_parser = selector)]
    compartment: Selector,

    /// The program and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Failure::usage("name a program to run"));
        };
        // This thread is the program's only one, and the program's from then on.
        let _left = self.compartment.open()?.enter()?;
        let error = Command::new(program).args(arguments).exec();
        let exit = match error.kind() {
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::PermissionDenied => Exit::Permission,
            _ => Exit::Failure,
        };
        let program = program.to_string_lossy();
        Err(Failure::new(exit, format!("starting {}: {error}", crate::sanitize::sanitize(&program))))
    }
}
