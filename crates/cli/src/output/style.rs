//! The few styles of this program. Each only repeats what the words say.

use anstyle::{AnsiColor, Style};

/// Headings of tables and sections.
pub(crate) const HEADING: Style = Style::new().bold();
/// Names of things: interfaces, commands.
pub(crate) const NAME: Style = AnsiColor::Cyan.on_default();
/// What worked, and new values.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// What failed.
pub(crate) const BAD: Style = AnsiColor::Red.on_default();
/// What may be skipped by the eye.
pub(crate) const QUIET: Style = Style::new().dimmed();
