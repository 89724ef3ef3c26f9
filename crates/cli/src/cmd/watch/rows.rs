//! Rows of all classes, as JSON and in words.

use crate::output::json;
use iphelper::address::Lifetime;
use iphelper::notification::Subject;
use serde_json::{Value, json as value};
use std::time::Duration;

/// The class of a row in documents.
pub(super) const fn class(subject: &Subject) -> &'static str {
    match subject {
        Subject::Interface(_) => "interface",
        Subject::IpInterface(_) => "ip_interface",
        Subject::UnicastAddress(_) => "address",
        Subject::Route(_) => "route",
        Subject::Neighbor(_) => "neighbor",
        Subject::TcpConnection(_) => "tcp",
        _ => "other",
    }
}

/// The class of a row for people.
pub(super) fn word(subject: &Subject) -> String {
    match subject {
        Subject::IpInterface(row) => row.family.to_string(),
        other => class(other).to_owned(),
    }
}

/// The row's fields. The name stands among those of an IP interface, too: a rename is a change.
pub(super) fn document(subject: &Subject, name: Option<&str>) -> Value {
    match subject {
        Subject::Interface(row) => value!({
            "luid": row.luid.0.to_string(),
            "index": row.index.0,
            "name": row.name,
            "description": row.description,
            "physical_address": hexadecimal(&row.physical_address),
            "mtu": row.mtu,
            "oper_status": row.oper_status.to_string(),
            "admin_status": format!("{:?}", row.admin_status).to_lowercase(),
            "media_connect_state": format!("{:?}", row.media_connect_state).to_lowercase(),
            "transmit_link_speed": row.transmit_link_speed.map(|speed| speed.to_string()),
        }),
        Subject::IpInterface(row) => {
            let mut document = serde_json::to_value(json::IpInterface::from(&**row)).unwrap_or_default();
            if let Value::Object(fields) = &mut document {
                let _ = fields.insert("name".to_owned(), row.name.clone().into());
            }
            document
        }
        Subject::UnicastAddress(row) => value!({
            "address": row.address.to_string(),
            "on_link_prefix_length": row.on_link_prefix_length,
            "prefix_origin": row.prefix_origin.to_string(),
            "suffix_origin": row.suffix_origin.to_string(),
            "valid_lifetime": seconds(row.valid_lifetime),
            "preferred_lifetime": seconds(row.preferred_lifetime),
            "skip_as_source": row.skip_as_source,
            "dad_state": row.dad_state.to_string(),
            "scope_id": row.scope_id,
        }),
        Subject::Route(row) => serde_json::to_value(json::Route::new(row, name)).unwrap_or_default(),
        Subject::Neighbor(row) => value!({
            "address": row.address.to_string(),
            "physical_address": row.physical_address.to_string(),
            "state": row.state.to_string(),
            "is_router": row.is_router,
            "is_unreachable": row.is_unreachable,
            "last_reachable": row.last_reachable.map(milliseconds),
            "last_unreachable": row.last_unreachable.map(milliseconds),
            "scope_id": row.scope_id,
        }),
        Subject::TcpConnection(row) => {
            serde_json::to_value(json::Connection::from(&**row)).unwrap_or_default()
        }
        _ => Value::Null,
    }
}

/// What the row is about, for people; an interface says all by its name.
pub(super) fn text(subject: &Subject) -> String {
    match subject {
        Subject::UnicastAddress(row) => format!("{}/{}", row.address, row.on_link_prefix_length),
        Subject::Route(row) => {
            let mut text = row.destination.to_string();
            if !row.next_hop.is_unspecified() {
                text += &format!(" by {}", row.next_hop);
            }
            text += &format!(" metric {}", row.metric);
            if row.table != iphelper::route::MAIN_TABLE {
                text += &format!(" table {}", row.table);
            }
            text
        }
        Subject::Neighbor(row) => format!("{} {} {}", row.address, row.physical_address, row.state),
        Subject::TcpConnection(row) => {
            let mut text = format!("{} {} {}", row.local, row.remote, row.state);
            if let Some(owner) = &row.owner {
                text += &format!(" {} ({})", crate::sanitize::sanitize(&owner.name), owner.pid);
            }
            text
        }
        _ => String::new(),
    }
}

/// Seconds; `None` is for ever.
fn seconds(lifetime: Lifetime) -> Option<u32> {
    (!lifetime.is_infinite()).then(|| lifetime.as_secs())
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn hexadecimal(bytes: &[u8]) -> String {
    let bytes: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}
