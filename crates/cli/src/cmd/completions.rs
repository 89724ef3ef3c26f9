//! `iph completions`.

use crate::exit::{Exit, Failure};
use crate::output::json;
use clap_complete::Shell;
use std::io::Write;

/// Print what a shell needs to complete iph's arguments
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Save the output where your shell looks for it:
  iph completions bash > ~/.local/share/bash-completion/completions/iph
  iph completions zsh > \"${fpath[1]}/_iph\"
  iph completions fish > ~/.config/fish/completions/iph.fish")]
pub(crate) struct Args {
    /// The shell
    shell: Shell,
}

impl Args {
    pub(crate) fn run(self, command: &mut clap::Command) -> Result<Exit, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "iph", &mut script);
        let mut out = json::stdout();
        out.write_all(&script)?;
        out.flush()?;
        Ok(Exit::Success)
    }
}
