//! Rows of all classes, as JSON and in words.

use crate::output::json;
use iphelper::address::DadState;
use iphelper::notification::Subject;
use iphelper::route::{MAIN_TABLE, RouteKind};
use serde::Serialize;
use serde_json::{Value, json as value};

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
            "physical_address": (!row.physical_address.is_empty()).then(|| row.physical_address.to_string()),
            "mtu": row.mtu,
            "oper_status": row.oper_status.to_string(),
            "admin_status": format!("{:?}", row.admin_status).to_lowercase(),
            "media_connect_state": format!("{:?}", row.media_connect_state).to_lowercase(),
            "transmit_link_speed": row.transmit_link_speed.map(|speed| speed.to_string()),
        }),
        Subject::IpInterface(row) => {
            let mut document = fields(json::IpInterface::from(&**row));
            if let Value::Object(fields) = &mut document {
                let _ = fields.insert("name".to_owned(), row.name.clone().into());
            }
            document
        }
        Subject::UnicastAddress(row) => fields(json::UnicastAddress::from(&**row)),
        Subject::Route(row) => fields(json::Route::new(row, name)),
        Subject::Neighbor(row) => fields(json::Neighbor::from(&**row)),
        Subject::TcpConnection(row) => fields(json::Connection::from(&**row)),
        _ => Value::Null,
    }
}

/// What the row is about, for people; an interface says all by its name.
pub(super) fn text(subject: &Subject) -> String {
    match subject {
        Subject::UnicastAddress(row) => {
            let mut text = format!("{}/{}", row.address, row.on_link_prefix_length);
            if row.dad_state != DadState::Preferred {
                text += &format!(" {}", row.dad_state);
            }
            text
        }
        Subject::Route(row) => {
            let mut text = row.destination.to_string();
            if !row.next_hop.is_unspecified() {
                text += &format!(" by {}", row.next_hop);
            }
            if row.kind != RouteKind::Unicast {
                text += &format!(" {}", row.kind);
            }
            text += &format!(" metric {}", row.metric);
            if row.table != MAIN_TABLE {
                text += &format!(" table {}", row.table);
            }
            text
        }
        Subject::Neighbor(row) if row.physical_address.is_empty() => format!("{} {}", row.address, row.state),
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

/// A row in the form that its own command lists it in.
fn fields(row: impl Serialize) -> Value {
    serde_json::to_value(row).unwrap_or_default()
}
