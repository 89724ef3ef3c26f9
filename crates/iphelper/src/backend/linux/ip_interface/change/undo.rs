//! All or nothing: what was done is put back when a later step fails.

use crate::error::{Error, ErrorKind, Result};

/// The value of a kernel object before and after.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Values<T> {
    pub(super) from: T,
    pub(super) to: T,
}

impl<T: Copy> Values<T> {
    /// The value to write.
    pub(super) fn toward(self, direction: Direction) -> T {
        match direction {
            Direction::Forward => self.to,
            Direction::Back => self.from,
        }
    }
}

/// Whether a step is done or put back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Direction {
    Forward,
    Back,
}

/// Takes all `steps` in order with `take`; when one fails, those that changed something are put back in reverse order,
/// and the first error is returned. A step that cannot be put back is named in it.
///
/// `take` gets a mark to set as soon as the step has changed anything, since a step of several parts may fail between
/// them.
pub(super) fn all_or_nothing<S>(
    steps: &[S],
    mut take: impl FnMut(&S, Direction, &mut bool) -> Result<()>,
) -> Result<()> {
    let mut changed = Vec::with_capacity(steps.len());
    for step in steps {
        let mut mark = false;
        let taken = take(step, Direction::Forward, &mut mark);
        if mark {
            changed.push(step);
        }
        if let Err(error) = taken {
            return Err(put_back(&changed, take, error));
        }
    }
    Ok(())
}

fn put_back<S>(
    changed: &[&S],
    mut take: impl FnMut(&S, Direction, &mut bool) -> Result<()>,
    first: Error,
) -> Error {
    let mut error = first;
    for step in changed.iter().rev() {
        match take(step, Direction::Back, &mut false) {
            Ok(()) => {}
            // Its properties went with the interface.
            Err(lost) if lost.kind() == ErrorKind::InterfaceNotFound => {}
            Err(lost) => {
                let reason = error.reason().map(|reason| format!("{reason}; ")).unwrap_or_default();
                error = error.because(format!("{reason}an earlier part could not be put back ({lost})"));
            }
        }
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &'static str) -> Error {
        Error::new(ErrorKind::Other, name)
    }

    /// Steps are numbers; takes them on a kernel that refuses some, and keeps what happened.
    fn script(steps: &[i32], refused: &[i32]) -> (Result<()>, Vec<i32>) {
        let mut happened = Vec::new();
        let result = all_or_nothing(steps, |step, direction, mark| {
            let step = if direction == Direction::Forward { *step } else { -*step };
            if refused.contains(&step) {
                return Err(refusal(if step < 0 { "undo" } else { "first" }));
            }
            happened.push(step);
            *mark = true;
            Ok(())
        });
        (result, happened)
    }

    #[test]
    fn all_steps_are_taken_in_order() {
        let (result, happened) = script(&[1, 2, 3], &[]);
        assert!(result.is_ok());
        assert_eq!(happened, [1, 2, 3]);
    }

    #[test]
    fn earlier_steps_are_put_back_in_reverse() {
        let (result, happened) = script(&[1, 2, 3, 4], &[3]);
        assert_eq!(result.unwrap_err().operation(), "first");
        assert_eq!(
            happened,
            [1, 2, -2, -1],
            "the refused step changed nothing, so nothing is put back for it"
        );
    }

    #[test]
    fn a_step_that_cannot_be_put_back_is_named_and_stops_no_other() {
        let (result, happened) = script(&[1, 2, 3], &[3, -2]);
        let error = result.unwrap_err();
        assert_eq!(error.operation(), "first", "the first error stays the error");
        assert!(error.reason().unwrap().contains("could not be put back (undo)"), "{error}");
        assert_eq!(happened, [1, 2, -1]);
    }

    #[test]
    fn a_step_that_failed_half_way_is_put_back_too() {
        let mut happened = Vec::new();
        let result = all_or_nothing(&[1, 2], |step, direction, mark| {
            happened.push((*step, direction));
            *mark = true;
            if *step == 2 && direction == Direction::Forward { Err(refusal("half")) } else { Ok(()) }
        });
        assert!(result.is_err());
        let expected =
            [(1, Direction::Forward), (2, Direction::Forward), (2, Direction::Back), (1, Direction::Back)];
        assert_eq!(happened, expected);
    }

    #[test]
    fn nothing_is_lost_when_the_interface_is_gone() {
        let result = all_or_nothing(&[1, 2], |step, direction, mark| match (step, direction) {
            (1, Direction::Forward) => {
                *mark = true;
                Ok(())
            }
            _ => Err(Error::new(ErrorKind::InterfaceNotFound, "gone")),
        });
        let error = result.unwrap_err();
        assert_eq!((error.kind(), error.reason()), (ErrorKind::InterfaceNotFound, None));
    }
}
