//! What changed of a row: the properties whose values differ.

use serde::Serialize;
use serde_json::Value;

/// What runs by itself, so that a difference is no change that anybody made.
const MOVING: [&str; 6] =
    ["reachable_time", "valid_lifetime", "preferred_lifetime", "age", "last_reachable", "last_unreachable"];

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
        (from != *to && !MOVING.contains(&property.as_str())).then(|| Difference {
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
        assert_eq!(differences(&before, &now), [expected]);
    }
}
