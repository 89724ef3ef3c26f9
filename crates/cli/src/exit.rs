//! How the program ends: one exit code for each kind of outcome, and the failure that leads to it.

use crate::sanitize::sanitize;
use iphelper::ErrorKind;
use rustix::io::Errno;
use std::fmt;
use std::io;
use std::process::ExitCode;

/// The exit codes, which scripts may rely on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(crate) enum Exit {
    Success = 0,
    Failure = 1,
    Usage = 2,
    NotFound = 3,
    Permission = 4,
    NotSupported = 5,
    Partial = 6,
    Declined = 7,
}

/// The exit codes as `iph --help` explains them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  another failure; the message says which
  2  usage: the arguments are wrong, or a value is out of its range
  3  not found: no such interface or connection, no route, no answer
  4  permission: the caller may not do this (try sudo)
  5  not supported: this kernel or this host cannot do it
  6  partial: some of it was done, some failed
  7  declined: the question was answered with no, nothing was done";

impl Exit {
    /// The exit code of a failure of the library.
    pub(crate) fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::InvalidParameter | ErrorKind::InvalidName => Self::Usage,
            ErrorKind::InterfaceNotFound
            | ErrorKind::NotFound
            | ErrorKind::NetworkUnreachable
            | ErrorKind::HostUnreachable
            | ErrorKind::NeighborUnreachable => Self::NotFound,
            ErrorKind::AccessDenied | ErrorKind::ElevationRequired => Self::Permission,
            ErrorKind::NotSupported => Self::NotSupported,
            _ => Self::Failure,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command ended early: an exit code and one line for standard error, what to do next at its end.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    /// Empty where everything has been said, or nobody listens.
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// The arguments do not go together.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// An end whose reasons have been printed.
    pub(crate) fn silent(exit: Exit) -> Self {
        Self::new(exit, "")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<iphelper::Error> for Failure {
    fn from(error: iphelper::Error) -> Self {
        let exit = Exit::of(error.kind());
        Self::new(exit, explain(&error))
    }
}

impl From<io::Error> for Failure {
    /// A failure of standard output. Who closed the pipe has read enough: that is no error.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::silent(Exit::Success);
        }
        Self::new(Exit::Failure, format!("writing the answer: {error}"))
    }
}

/// The library's error in one line, with what to do next where that depends on who calls.
pub(crate) fn explain(error: &iphelper::Error) -> String {
    let errno = error.errno().map(Errno::from_raw_os_error);
    // What the library refuses by itself has its reason.
    let refused = matches!(errno, Some(Errno::PERM | Errno::ACCESS));
    let advice = match error.kind() {
        ErrorKind::AccessDenied | ErrorKind::ElevationRequired if !rustix::process::geteuid().is_root() => {
            "; run it with sudo"
        }
        ErrorKind::AccessDenied | ErrorKind::ElevationRequired if refused => {
            "; even root may not here, as in a container: add the capability to it"
        }
        ErrorKind::InterfaceNotFound => "; `iph interface list` shows the interfaces",
        ErrorKind::Interrupted => "; try again",
        _ => "",
    };
    format!("{}{advice}", sanitize(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_explained_once() {
        let all = [
            Exit::Success,
            Exit::Failure,
            Exit::Usage,
            Exit::NotFound,
            Exit::Permission,
            Exit::NotSupported,
            Exit::Partial,
            Exit::Declined,
        ];
        let lines: Vec<_> = HELP.lines().skip(1).collect();
        assert_eq!(lines.len(), all.len());
        for (line, exit) in lines.into_iter().zip(all) {
            assert!(line.trim_start().starts_with(&format!("{} ", exit as u8)), "{line:?} is not {exit:?}");
        }
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe));
        assert_eq!((failure.exit, failure.message.as_str()), (Exit::Success, ""));
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::StorageFull)).exit, Exit::Failure);
    }
}
