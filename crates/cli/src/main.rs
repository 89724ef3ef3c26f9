//! `iph`: see, explain and change a host's network.
#![forbid(unsafe_code)]

mod cli;
mod cmd;
mod confirm;
mod demo;
mod end;
mod exit;
mod families;
mod filter;
mod interface_name;
mod output;
mod prefix;
mod sanitize;
mod signals;
mod similar;
mod units;

use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return help_or_usage(&error),
    };
    cli.color.write_global();
    match cli.run() {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if !failure.message.is_empty() {
                // Nothing is left to be done where even standard error is closed.
                let _ = writeln!(anstream::stderr(), "iph: {}", failure.message);
            }
            failure.exit.into()
        }
    }
}

/// Help and version go to standard output and are a success; everything else is a usage error.
fn help_or_usage(error: &clap::Error) -> ExitCode {
    // A reader that has seen enough of the help may close the pipe.
    let _ = error.print();
    if error.use_stderr() { exit::Exit::Usage.into() } else { exit::Exit::Success.into() }
}
