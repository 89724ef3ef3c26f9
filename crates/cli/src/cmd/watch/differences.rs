//! What changed of a row: the properties whose values differ.

use serde::Serialize;
use serde_json::Value;

/// What runs by itself, so that a difference is no change that anybody made.
const MOVING: [&str; 4] = ["reachable_time", "age", "last_reachable", "last_unreachable"];

/// What runs by itself unless it is for ever, which is null.
const LIFETIMES: [&str; 2] = ["valid_lifetime", "preferred_lifetime"];

/// One property that changed.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(super) struct Difference {
    pub(super) property: String,
    pub(super) from: Value,
    pub(super) to: Value,
}

/// The fields of two documents that differ.
pub(super) fn differences(before: &Value, now: &Value) -> Vec<Difference> {
    let (Value::Object(before), Value::Object(now)) = (before, now) else { return Vec::new() };
    let differs = |(property, to): (&String, &Value)| {
        let from = before.get(property).cloned().unwrap_or_default();
        let runs = MOVING.contains(&property.as_str())
            || LIFETIMES.contains(&property.as_str()) && from.is_number() && to.is_number();
        (from != *to && !runs).then(|| Difference { property: property.clone(), from, to: to.clone() })
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
        assert_eq!(differences(&before, &now), [expected]);
    }

    #[test]
    fn a_lifetime_runs_unless_it_begins_or_ends_to_be_for_ever() {
        let before = json!({"valid_lifetime": null, "preferred_lifetime": 60_000});
        let now = json!({"valid_lifetime": 90_000, "preferred_lifetime": 59_000});
        let expected =
            Difference { property: "valid_lifetime".to_owned(), from: Value::Null, to: json!(90_000) };
        assert_eq!(differences(&before, &now), [expected]);
    }
}
