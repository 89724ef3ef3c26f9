//! A bus of a test's own, and services on it that answer as the test says.

use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use zbus::connection::Builder;
use zbus::export::futures_core::Stream;
use zbus::message::Type;
use zbus::wire::Structure;
use zbus::{Message, MessageStream, block_on};

/// The system's address.
pub const SOCKET: &str = "/run/dbus/system_bus_socket";
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
pub type Answer = Result<Option<Structure<'static>>, (String, String)>;

/// A signal of a service.
#[derive(Debug)]
pub struct Signal {
    /// The object.
    pub path: String,
    /// Its interface.
    pub interface: &'static str,
    /// The signal's name.
    pub member: &'static str,
    /// Its values.
    pub values: Structure<'static>,
}

/// Takes the `name` on the bus of this thread's `/run` and answers each call by `answer`, until the bus ends. Run it in a
/// process of its own ([`Child::start`](crate::Child::start)): a service is in the namespace of its process.
pub fn serve(name: &str, mut answer: impl FnMut(&Message) -> Answer) {
    serve_and_tell(name, |call, _| answer(call));
}

/// The same for two services in one process.
pub fn serve_both(names: [&str; 2], mut answer: impl FnMut(&Message) -> Answer) {
    serve_names(&names, |call, _| answer(call));
}

/// As [`serve`]; the signals that `answer` leaves are sent behind each answer.
pub fn serve_and_tell(name: &str, answer: impl FnMut(&Message, &mut Vec<Signal>) -> Answer) {
    serve_names(&[name], answer);
}

fn serve_names(names: &[&str], mut answer: impl FnMut(&Message, &mut Vec<Signal>) -> Answer) {
    let socket = UnixStream::connect(SOCKET).expect("connecting to the bus");
    block_on(async {
        let connection = Builder::unix_stream(socket).build().await.expect("greeting the bus");
        // Calls wait in it from the moment that the service has its name.
        let mut calls = MessageStream::from(&connection);
        for name in names {
            connection.request_name(*name).await.expect("taking a name");
        }
        while let Some(Ok(message)) = std::future::poll_fn(|cx| Pin::new(&mut calls).poll_next(cx)).await {
            if message.message_type() != Type::MethodCall {
                continue;
            }
            let header = message.header();
            let mut signals = Vec::new();
            let answered = match answer(&message, &mut signals) {
                Ok(Some(values)) => connection.reply(&header, &values).await,
                Ok(None) => connection.reply(&header, &()).await,
                Err((name, text)) => connection.reply_error(&header, name, &text).await,
            };
            if answered.is_err() {
                break;
            }
            for Signal { path, interface, member, values } in signals {
                let nobody = None::<&str>;
                let sent = connection.emit_signal(nobody, path.as_str(), interface, member, &values).await;
                sent.expect("sending a signal");
            }
        }
    });
}
