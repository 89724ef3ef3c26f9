//! A question before something that cannot be undone.

use crate::exit::{Exit, Failure};
use std::io::{self, IsTerminal, Write};

/// Whether somebody is there to answer: the question goes to standard error, the answer comes from standard input.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks `question`; anything but yes ends the command with [`Exit::Declined`].
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    let mut answer = String::new();
    let asked =
        write!(anstream::stderr(), "{question} [y/N] ").and_then(|()| io::stdin().read_line(&mut answer));
    match asked {
        Ok(_) if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") => Ok(()),
        Ok(_) => Err(Failure::new(Exit::Declined, "nothing was done")),
        Err(error) => Err(Failure::new(Exit::Failure, format!("asking on the terminal: {error}"))),
    }
}
