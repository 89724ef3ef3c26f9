//! A bus of a test's own, and services on it that answer as the test says.

use iphelper_dbus::message::PREFIX_LEN;
use iphelper_dbus::{Kind, Message, Value};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

const SOCKET: &str = "/run/dbus/system_bus_socket";
const CONFIGURATION: &str = "/run/dbus/test.conf";

/// A `dbus-daemon` at the system's address in the `/run` of this thread; ended when dropped.
#[derive(Debug)]
pub struct PrivateBus(Child);

impl PrivateBus {
    /// Starts it, within [`with_private_files`](crate::with_private_files). `None`, said aloud, where there is no such
    /// program.
    #[must_use]
    pub fn start() -> Option<Self> {
        let configuration = format!(
            "<busconfig><type>system</type><listen>unix:path={SOCKET}</listen><auth>EXTERNAL</auth>\
             <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>\
             <allow own=\"*\"/><allow user=\"*\"/></policy></busconfig>"
        );
        std::fs::write(CONFIGURATION, configuration).expect("writing the bus' configuration");
        let mut command = Command::new("dbus-daemon");
        let _ = command.arg(format!("--config-file={CONFIGURATION}")).args(["--nofork", "--nopidfile"]);
        let daemon = match command.stdin(Stdio::null()).stderr(Stdio::null()).spawn() {
            Ok(daemon) => Self(daemon),
            Err(error) => {
                eprintln!("skipped: no dbus-daemon here: {error}");
                return None;
            }
        };
        crate::eventually("the bus takes connections", || UnixStream::connect(SOCKET).is_ok());
        Some(daemon)
    }
}

impl Drop for PrivateBus {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a service answers: values, or the name and the text of an error.
pub type Answer = Result<Vec<Value>, (String, String)>;

/// Takes the `name` on the bus of this thread's `/run` and answers each call by `answer`, until the bus ends. Run it in a
/// process of its own ([`Child::start`](crate::Child::start)): a service is in the namespace of its process.
pub fn serve(name: &str, mut answer: impl FnMut(&Message) -> Answer) {
    let mut socket = UnixStream::connect(SOCKET).expect("connecting to the bus");
    socket.write_all(b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n").expect("greeting the bus");
    let mut line = Vec::new();
    while !line.starts_with(b"OK ") || !line.ends_with(b"\r\n") {
        if line.ends_with(b"\r\n") {
            line.clear();
        }
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("reading the bus' greeting");
        line.extend(byte);
    }
    let mut serial = 0;
    let mut send = |socket: &mut UnixStream, message: &dyn Fn(u32) -> Message| {
        serial += 1;
        let bytes = message(serial).to_bytes().expect("a message");
        socket.write_all(&bytes).is_ok()
    };
    for (member, body) in [("Hello", vec![]), ("RequestName", vec![Value::text(name), Value::U32(0)])] {
        let call = |serial| Message {
            destination: Some("org.freedesktop.DBus".to_owned()),
            interface: Some("org.freedesktop.DBus".to_owned()),
            body: body.clone(),
            ..Message::call(serial, "/org/freedesktop/DBus", member)
        };
        assert!(send(&mut socket, &call), "taking a name");
    }
    while let Some(message) = receive(&mut socket) {
        if message.kind != Kind::Call {
            continue;
        }
        let answered = match answer(&message) {
            Ok(body) => send(&mut socket, &|serial| Message::answer(serial, &message, body.clone())),
            Err((name, text)) => {
                send(&mut socket, &|serial| Message::refusal(serial, &message, &name, &text))
            }
        };
        if !answered {
            break;
        }
    }
}

fn receive(socket: &mut UnixStream) -> Option<Message> {
    let mut bytes = vec![0; PREFIX_LEN];
    socket.read_exact(&mut bytes).ok()?;
    bytes.resize(Message::len(&bytes).expect("a message"), 0);
    socket.read_exact(bytes.get_mut(PREFIX_LEN..)?).ok()?;
    Some(Message::parse(&bytes).expect("a message"))
}
