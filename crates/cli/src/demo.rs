//! `iph demo`: a private network, where everything may be tried.

mod connections;
mod kernel;
mod namespace;
mod properties;
mod rtnetlink;
mod stage;
mod story;
mod uplinks;

use crate::exit::{Exit, Failure};
use iphelper::Host;
use story::Story;

/// Plays the demo from beginning to end.
pub(crate) fn run() -> Result<Exit, Failure> {
    // Before anything else: this process must still have one thread, and what is opened later must be inside.
    namespace::enter()?;
    let mut story = Story::new();
    let stage = stage::Stage::build()?;
    stage.describe(&mut story)?;
    let host = Host::open()?;
    connections::play(&mut story, &host, &stage)?;
    properties::play(&mut story, &host)?;
    uplinks::play(&mut story, &host)?;
    story.end()?;
    Ok(Exit::Success)
}

/// A step of the demo that went wrong, in words; the demo cannot go on.
fn failed(step: &str, error: impl std::fmt::Display) -> Failure {
    Failure::new(Exit::Failure, format!("demo: {step}: {error}"))
}
