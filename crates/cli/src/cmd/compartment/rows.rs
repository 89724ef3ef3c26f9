//! Compartments for people.

use crate::sanitize::sanitize;
use iphelper::compartment::{Compartment, CompartmentId};

/// What the columns do not say.
pub(super) fn notes(row: &Compartment) -> String {
    let mut notes = Vec::new();
    if row.id == CompartmentId::PRIMARY {
        notes.push("primary".to_owned());
    }
    if row.is_current {
        notes.push("this one".to_owned());
    }
    notes.extend(row.paths.iter().map(|path| sanitize(&path.to_string_lossy()).into_owned()));
    notes.join(", ")
}
