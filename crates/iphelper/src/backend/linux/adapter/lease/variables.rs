//! Files of lines `NAME=value`, with `[sections]` or without.

use std::str::FromStr;

/// The values of one section.
#[derive(Debug)]
pub(super) struct Variables<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Variables<'a> {
    /// The lines of a section; of a file without any for "". A name may begin with the section's own (`dhcp4.ip_address`
    /// in `[dhcp4]`), which is left out.
    pub(super) fn of(text: &'a str, section: &str) -> Self {
        let mut present = "";
        let mut variables = Vec::new();
        for line in text.lines().map(str::trim) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                present = name;
            } else if present == section
                && !line.starts_with('#')
                && let Some((name, value)) = line.split_once('=')
            {
                let name = name.trim();
                let own = name.strip_prefix(section).and_then(|rest| rest.strip_prefix('.'));
                variables.push((own.unwrap_or(name), value.trim()));
            }
        }
        Self(variables)
    }

    /// A value as it stands there; of several the last one.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.0.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// A value, if it can be read.
    pub(super) fn value<T: FromStr>(&self, name: &str) -> Option<T> {
        self.text(name)?.parse().ok()
    }

    /// The parts of a value, between blanks or commas, that can be read.
    pub(super) fn list<T: FromStr>(&self, name: &str) -> Vec<T> {
        let text = self.text(name).unwrap_or_default();
        text.split([' ', ',']).filter_map(|part| part.parse().ok()).collect()
    }
}
