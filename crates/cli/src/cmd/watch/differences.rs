//! What changed of a row: the properties whose values differ.

use crate::exit::Failure;
use crate::output::json::IpInterface;
use iphelper::notification::{ChangeKind, IpInterfaceChanged};
use iphelper::{ErrorKind, Family, Host};
use serde::Serialize;
use serde_json::Value;
use std::collections::HashMap;

/// One property that changed.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) property: String,
    pub(super) from: Value,
    pub(super) to: Value,
}

/// The rows as they were last seen, in their JSON form, whose field names and values people and programs know.
#[derive(Debug, Default)]
pub(super) struct Known(HashMap<(Family, u32), Value>);

impl Known {
    /// The rows as they are now.
    pub(super) fn read(host: &Host, family: Option<Family>) -> Result<Self, Failure> {
        let mut known = Self::default();
        for family in Family::ALL.into_iter().filter(|each| family.is_none_or(|only| only == *each)) {
            match host.ip_interfaces(Some(family)) {
                Ok(rows) => known.0.extend(rows.iter().map(|row| ((family, row.index.0), document(row)))),
                Err(error) if error.kind() == ErrorKind::NotSupported => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(known)
    }

    /// What is different now from when the interface was last seen: nothing for one that is new or was deleted; `None`
    /// for one that is gone before it could be looked at.
    pub(super) fn update(&mut self, host: &Host, change: &IpInterfaceChanged) -> Option<Vec<Difference>> {
        let key = (change.family, change.index.0);
        if change.kind == ChangeKind::Delete {
            let _ = self.0.remove(&key);
            return Some(Vec::new());
        }
        // By LUID: a row of another interface that has the index by now would be told as a change of this one.
        let row = host.ip_interface(change.family, change.luid).ok()?;
        let now = document(&row);
        let differences = match self.0.get(&key) {
            Some(before) if change.kind == ChangeKind::Parameter => between(before, &now),
            _ => Vec::new(),
        };
        let _ = self.0.insert(key, now);
        Some(differences)
    }
}

/// The row's fields, and the name, which stands beside the rows in other documents: a rename is a change, too.
fn document(row: &iphelper::ip_interface::IpInterface) -> Value {
    let mut document = serde_json::to_value(IpInterface::from(row)).unwrap_or_default();
    if let Value::Object(fields) = &mut document {
        let _ = fields.insert("name".to_owned(), row.name.clone().into());
    }
    document
}

/// The fields of two documents that differ. The kernel draws the reachable time anew every few minutes, which is no
/// change that anybody made.
fn between(before: &Value, now: &Value) -> Vec<Difference> {
    let (Value::Object(before), Value::Object(now)) = (before, now) else { return Vec::new() };
    let differs = |(property, to): (&String, &Value)| {
        let from = before.get(property).cloned().unwrap_or_default();
        (from != *to && property != "reachable_time").then(|| Difference {
            property: property.clone(),
            from,
            to: to.clone(),
        })
    };
    now.iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"nl_mtu": 1500, "connected": true, "reachable_time": 20_000});
        let now = json!({"nl_mtu": 1400, "connected": true, "reachable_time": 30_000});
        let expected = Difference { property: "nl_mtu".to_owned(), from: json!(1500), to: json!(1400) };
        assert_eq!(between(&before, &now), [expected]);
    }
}
