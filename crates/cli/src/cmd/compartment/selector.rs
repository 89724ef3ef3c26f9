//! What names a compartment on the command line.

use crate::exit::Failure;
use iphelper::ErrorKind;
use iphelper::compartment::{CompartmentId, OpenCompartment};

/// A compartment as it was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Selector {
    /// A name of `ip netns`, or a number: a name may be all digits.
    Name(String),
    /// That of a process.
    Process(u32),
}

/// Reads a name, a number, or `pid:` and a process number.
pub(super) fn selector(text: &str) -> Result<Selector, String> {
    match text.strip_prefix("pid:") {
        Some(process) => process
            .parse()
            .map(Selector::Process)
            .map_err(|_| "after pid: stands the number of a process, such as pid:4711".to_owned()),
        None if text.is_empty() || text.contains('/') => {
            Err("give a number, a name of `ip netns`, or pid: and the number of a process".to_owned())
        }
        None => Ok(Selector::Name(text.to_owned())),
    }
}

impl Selector {
    pub(super) fn open(&self) -> Result<OpenCompartment, Failure> {
        match self {
            Self::Process(process) => Ok(OpenCompartment::of_process(*process)?),
            Self::Name(name) => match (OpenCompartment::named(name), name.parse()) {
                (Err(error), Ok(number)) if error.kind() == ErrorKind::NotFound => {
                    Ok(OpenCompartment::open(CompartmentId(number))?)
                }
                (named, _) => Ok(named?),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_are_names_numbers_and_processes() {
        assert_eq!(selector("blue"), Ok(Selector::Name("blue".to_owned())));
        assert_eq!(selector("4026532177"), Ok(Selector::Name("4026532177".to_owned())));
        assert_eq!(selector("pid:1"), Ok(Selector::Process(1)));
        for (text, reason) in
            [("", "ip netns"), ("a/b", "ip netns"), ("pid:", "pid:4711"), ("pid:-1", "pid:4711")]
        {
            assert!(selector(text).unwrap_err().contains(reason), "{text}");
        }
    }
}
