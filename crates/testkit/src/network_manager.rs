//! A stand-in for NetworkManager: it has the properties that a test gives it, tells when they change, and manages nothing.

use crate::bus::{Answer, Signal, serve_and_tell};
use crate::try_run;
use std::collections::{BTreeMap, HashMap};
use zbus::Message;
use zbus::wire::{ObjectPath, Str, StructureBuilder, Variant};

const NAME: &str = "org.freedesktop.NetworkManager";
const PATH: &str = "/org/freedesktop/NetworkManager";
const DEVICE: &str = "org.freedesktop.NetworkManager.Device";

/// Properties of each object, which is the manager's, or of a device that was given some.
type Objects = BTreeMap<String, BTreeMap<String, Variant<'static>>>;

/// Answers as NetworkManager, until the bus ends. It checks, and has found nothing out.
pub fn serve_network_manager() {
    let first: [(_, Variant<'static>); 4] = [
        ("Connectivity", 0_u32.into()),
        ("ConnectivityCheckAvailable", true.into()),
        ("ConnectivityCheckEnabled", true.into()),
        ("Metered", 0_u32.into()),
    ];
    let manager = first.map(|(name, value)| (name.to_owned(), value));
    let mut objects = Objects::from([(PATH.to_owned(), BTreeMap::from(manager))]);
    serve_and_tell(NAME, move |call, signals| answer(&mut objects, call, signals));
}

/// Gives the stand-in a property, as `dbus-send` writes its value: of a device, or with no name of the manager.
///
/// # Errors
/// What `dbus-send` says where the stand-in does not answer.
pub fn set_network_manager(device: &str, property: &str, value: &str) -> Result<(), String> {
    let (path, interface) = match device {
        "" => (PATH.to_owned(), NAME),
        device => (device_path(device), DEVICE),
    };
    let sent = try_run(&format!(
        "dbus-send --bus=unix:path=/run/dbus/system_bus_socket --print-reply --dest={NAME} {path} \
         org.freedesktop.DBus.Properties.Set string:{interface} string:{property} variant:{value}"
    ));
    sent.map(drop)
}

fn device_path(name: &str) -> String {
    format!("{PATH}/Devices/{name}")
}

fn answer(objects: &mut Objects, call: &Message, signals: &mut Vec<Signal>) -> Answer {
    let header = call.header();
    let path = header.path().map(|path| path.as_str().to_owned()).unwrap_or_default();
    let body = call.body();
    match header.member().map(|member| member.as_str()).unwrap_or_default() {
        "GetDeviceByIpIface" => {
            let (name,): (String,) = body.deserialize().expect("a name");
            let path = device_path(&name);
            if !objects.contains_key(&path) {
                return Err((format!("{NAME}.UnknownDevice"), "No device found".to_owned()));
            }
            let path = ObjectPath::try_from(path).expect("a path");
            Ok(Some((path,).into()))
        }
        "GetAll" => {
            let properties = objects.get(&path).into_iter().flatten();
            let properties: HashMap<String, Variant<'static>> =
                properties.map(|(name, value)| (name.clone(), copy(value))).collect();
            let values = StructureBuilder::new().add_field(properties);
            Ok(Some(values.build().expect("values")))
        }
        "Set" => {
            let (_, name, value): (String, String, Variant<'_>) = body.deserialize().expect("a property");
            let value = Variant::from(value.try_to_owned().expect("no descriptor"));
            let interface = if path == PATH { NAME } else { DEVICE };
            let changed = HashMap::from([(name.clone(), copy(&value))]);
            let _before = objects.entry(path.clone()).or_default().insert(name, value);
            let values = StructureBuilder::new()
                .add_field(Str::from(interface))
                .add_field(changed)
                .add_field(Vec::<String>::new());
            signals.push(Signal {
                path,
                interface: "org.freedesktop.DBus.Properties",
                member: "PropertiesChanged",
                values: values.build().expect("values"),
            });
            Ok(None)
        }
        // Whatever has the real one send something, or is not there.
        other => panic!("the manager was asked to {other}"),
    }
}

fn copy(value: &Variant<'static>) -> Variant<'static> {
    value.try_clone().expect("no descriptor")
}
