//! Conversations with buses that are not as they should be.

use super::*;
use proptest::collection::vec;
use proptest::prelude::{any, proptest};
use proptest::sample::Index;
use std::io::{Read as _, Write as _};
use std::os::unix::thread::JoinHandleExt as _;
use std::sync::mpsc::channel;
use std::thread;
use zbus::OwnedVariant;

const METHOD: Method<'_> = Method { destination: ":1.7", path: "/a", interface: "a.b", member: "Get" };
/// Only who waits for ever has not given up by then.
const LONG: Duration = Duration::from_secs(100);

/// A connection, and the bus' end.
fn pair() -> (Connection, UnixStream) {
    let (socket, bus) = UnixStream::pair().unwrap();
    bus.set_read_timeout(Some(LONG)).unwrap();
    (Connection { socket: socket.into(), received: Vec::new(), serial: 0, process: std::process::id() }, bus)
}

fn soon() -> Instant {
    Instant::now() + Duration::from_millis(200)
}

fn later() -> Instant {
    Instant::now() + LONG
}

/// Runs it, unless it takes for ever.
fn ends<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = channel();
    let _ = thread::spawn(move || done.send(work()));
    result.recv_timeout(LONG).expect("it takes for ever, or panics")
}

/// A message without a body of its own: `fields` are whole, `body` too.
fn message(order: u8, kind: u8, fields: &[u8], body: &[u8]) -> Vec<u8> {
    let number = |number: usize| {
        let number = u32::try_from(number).unwrap();
        if order == b'l' { number.to_le_bytes() } else { number.to_be_bytes() }
    };
    let mut bytes = vec![order, kind, 0, 1];
    bytes.extend([number(body.len()), number(7), number(fields.len())].concat());
    bytes.extend(fields);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes.extend(body);
    bytes
}

/// The fields `REPLY_SERIAL` of 1 and `SIGNATURE` of one text, and that text, as `dbus-daemon` sends them.
fn answer(order: u8) -> Vec<u8> {
    let (one, length) =
        if order == b'l' { ([1, 0, 0, 0], [2, 0, 0, 0]) } else { ([0, 0, 0, 1], [0, 0, 0, 2]) };
    let fields = [&[5, 1, b'u', 0][..], &one, &[8, 1, b'g', 0, 1, b's', 0]].concat();
    message(order, RETURN, &fields, &[&length[..], b"hi\0"].concat())
}

fn signal() -> Vec<u8> {
    message(b'l', 4, &[3, 1, b's', 0, 1, 0, 0, 0, b'S', 0], &[])
}

#[test]
fn an_answer_is_found_among_other_messages_and_in_pieces() {
    for order in [b'l', b'B'] {
        let (mut connection, mut bus) = pair();
        let _ = thread::spawn(move || {
            for byte in [signal(), message(b'l', 200, &[], &[1]), answer(order), signal()].concat() {
                bus.write_all(&[byte]).unwrap();
            }
            // Stays open until the other end is closed.
            let _ = bus.read_to_end(&mut Vec::new());
        });
        let text: String = connection.call_until(METHOD, &(), later()).unwrap();
        assert_eq!(text, "hi");
        assert_eq!(connection.receive(Some(later())).unwrap().member.as_deref(), Some("S"));
    }
}

#[test]
fn a_call_is_as_another_program_reads_it() {
    let text = |text: &str| OwnedVariant::from(zbus::Str::from(text.to_owned()));
    let (mut connection, mut bus) = pair();
    let arguments = ("x", std::collections::HashMap::from([("key", text("value"))]));
    let sent = connection.call_until::<()>(METHOD, &arguments, soon());
    assert!(matches!(sent, Err(Failure::TimedOut)), "{sent:?}");
    drop(connection);
    let mut bytes = Vec::new();
    let _ = bus.read_to_end(&mut bytes).unwrap();
    // By the tables of the specification.
    let head = b"l\x01\x02\x01\x26\0\0\0\x01\0\0\0\x4c\0\0\0";
    let path = b"\x01\x01o\0\x02\0\0\0/a\0\0\0\0\0\0";
    let interface = b"\x02\x01s\0\x03\0\0\0a.b\0\0\0\0\0";
    let member = b"\x03\x01s\0\x03\0\0\0Get\0\0\0\0\0";
    let destination = b"\x06\x01s\0\x04\0\0\0:1.7\0\0\0\0";
    let signature = b"\x08\x01g\0\x06sa{sv}\0\0\0\0\0";
    let body = b"\x01\0\0\0x\0\0\0\x16\0\0\0\0\0\0\0\x03\0\0\0key\0\x01s\0\0\x05\0\0\0value\0";
    let expected = [&head[..], path, interface, member, destination, signature, body].concat();
    if cfg!(target_endian = "little") {
        assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }
}

#[test]
fn a_refusal_has_its_name_and_its_text() {
    let (mut connection, mut bus) = pair();
    let fields = b"\x05\x01u\0\x01\0\0\0\x04\x01s\0\x03\0\0\0a.B\0\0\0\0\0\x08\x01g\0\x02su\0";
    bus.write_all(&message(b'l', ERROR, fields, b"\x02\0\0\0no\0\0\x05\0\0\0")).unwrap();
    bus.write_all(&message(b'l', ERROR, b"\x05\x01u\0\x02\0\0\0\x04\x01s\0\x03\0\0\0a.C\0", b"")).unwrap();
    for expected in [("a.B", "no"), ("a.C", "")] {
        match connection.call_until::<()>(METHOD, &(), later()) {
            Err(Failure::Refused { name, text }) => assert_eq!((name.as_str(), text.as_str()), expected),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_bus_that_does_not_answer_is_waited_for_no_longer_than_said() {
    // Silence, a piece of an answer, and more signals than one can read.
    let talks: [fn(UnixStream); 3] = [
        |mut bus| drop(bus.read_to_end(&mut Vec::new())),
        |mut bus| {
            let _ = bus.write_all(answer(b'l').split_last().unwrap().1);
            let _ = bus.read_to_end(&mut Vec::new());
        },
        |mut bus| while bus.write_all(&signal()).is_ok() {},
    ];
    for (number, talk) in talks.into_iter().enumerate() {
        let (mut connection, bus) = pair();
        let _ = thread::spawn(move || talk(bus));
        let failure = ends(move || connection.call_until::<String>(METHOD, &(), soon()).unwrap_err());
        assert!(matches!(failure, Failure::TimedOut), "{number}: {failure:?}");
    }
}

#[test]
fn a_bus_that_does_not_listen_is_waited_for_no_longer_than_said() {
    let (mut connection, _bus) = pair();
    let failure = ends(move || {
        let much = "x".repeat(10 << 20);
        let first = connection.call_until::<()>(METHOD, &(much,), soon()).unwrap_err();
        // What would follow would not be understood.
        (first, connection.call_until::<()>(METHOD, &(), later()).unwrap_err())
    });
    assert!(matches!(failure, (Failure::TimedOut, Failure::Ended(Errno::PIPE))), "{failure:?}");
}

#[test]
fn a_bus_whose_queue_is_full_is_waited_for_no_longer_than_said() {
    let name = format!("iphelper-full-{}", std::process::id());
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    let address = SocketAddrUnix::new_abstract_name(name.as_bytes()).unwrap();
    rustix::net::bind(&socket, &address).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let opened = ends(move || {
        // One waits even so.
        let waiting = Connection::open(&address, later()).unwrap();
        let failure = Connection::open(&address, soon()).unwrap_err();
        drop(waiting);
        failure
    });
    assert!(matches!(opened, Failure::TimedOut), "{opened:?}");
    drop(socket);
}

#[test]
fn a_bus_that_ends_is_noticed() {
    for talk in [b"".to_vec(), answer(b'l')[..20].to_vec()] {
        let (mut connection, mut bus) = pair();
        bus.write_all(&talk).unwrap();
        bus.shutdown(Shutdown::Write).unwrap();
        let failure = connection.call_until::<String>(METHOD, &(), later()).unwrap_err();
        assert!(matches!(failure, Failure::Ended(Errno::PIPE)), "{failure:?}");
    }
}

#[test]
fn a_bus_that_speaks_nonsense_is_heard_no_longer() {
    let mut too_long = answer(b'l');
    too_long[4..8].copy_from_slice(&[0xff; 4]);
    let mut long_fields = answer(b'l');
    long_fields[12..16].copy_from_slice(&[0xff; 4]);
    let mut version = answer(b'l');
    version[3] = 2;
    let no_field = message(b'l', RETURN, &[5, 1, b'u', 0, 1, 0], &[0; 8]);
    let no_type = message(b'l', RETURN, &[8, 1, b'g', 0, 1, b'?', 0, 0], &[0; 8]);
    // A field of 7 bytes that says it has more, up to the end of the body and beyond.
    let overlong = message(b'l', RETURN, &[3, 1, b's', 0, 200, 0, 0, 0], &[b'x'; 16]);
    for bytes in [b"HTTP/1.1 400 Bad".to_vec(), too_long, long_fields, version, no_field, no_type, overlong] {
        let (mut connection, mut bus) = pair();
        bus.write_all(&bytes).unwrap();
        let failure = connection.call_until::<String>(METHOD, &(), later()).unwrap_err();
        assert!(matches!(failure, Failure::Malformed(_)), "{failure:?} of {}", bytes.escape_ascii());
        let failure = connection.call_until::<String>(METHOD, &(), later()).unwrap_err();
        assert!(matches!(failure, Failure::Ended(Errno::PIPE)), "{failure:?}");
    }
    // An answer of another type is no nonsense.
    let (mut connection, mut bus) = pair();
    bus.write_all(&answer(b'l')).unwrap();
    let failure = connection.call_until::<u32>(METHOD, &(), later()).unwrap_err();
    assert!(matches!(failure, Failure::Malformed(_)), "{failure:?}");
    let failure = connection.call_until::<u32>(METHOD, &(), soon()).unwrap_err();
    assert!(matches!(failure, Failure::TimedOut), "{failure:?}");
}

proptest! {
    #[test]
    fn no_message_is_a_panic(
        changes in vec((any::<Index>(), any::<u8>()), 0..6),
        big in any::<bool>(),
        cut in any::<Index>(),
    ) {
        let mut bytes = answer(if big { b'B' } else { b'l' });
        for (index, byte) in changes {
            let length = bytes.len();
            bytes[index.index(length)] = byte;
        }
        bytes.truncate(START + cut.index(bytes.len() - START + 1));
        let _ = Message::length(bytes.first_chunk().unwrap());
        if let Ok(message) = Message::read(bytes) {
            let _ = message.text();
            let _ = message.body::<String>();
            let _ = message.body::<(String, u32)>();
            let _ = message.body::<std::collections::HashMap<String, OwnedVariant>>();
            let _ = message.body::<OwnedVariant>();
        }
    }
}

#[test]
fn only_who_is_welcome_is_given_a_name() {
    let greeted_until = |deadline: Instant, talk: fn(UnixStream)| {
        let (mut connection, bus) = pair();
        let bus = thread::spawn(move || talk(bus));
        let greeted = ends(move || connection.greet(deadline));
        bus.join().unwrap();
        greeted
    };
    let greeted = |talk| greeted_until(later(), talk);
    let rejected = |mut bus: UnixStream| {
        bus.write_all(b"REJECTED EXTERNAL\r\n").unwrap();
        let _ = bus.read_to_end(&mut Vec::new());
    };
    assert!(matches!(greeted(rejected), Err(Failure::Unwelcome)));
    let endless = |mut bus: UnixStream| {
        let _ = bus.write_all(&[b'O'; 1 << 20]);
        let _ = bus.read_to_end(&mut Vec::new());
    };
    assert!(matches!(greeted(endless), Err(Failure::Unwelcome)));
    let silent = |mut bus: UnixStream| drop(bus.read_to_end(&mut Vec::new()));
    assert!(matches!(greeted_until(soon(), silent), Err(Failure::TimedOut)));
    let gone = |bus: UnixStream| drop(bus);
    assert!(matches!(greeted(gone), Err(Failure::Ended(_))));
}

#[test]
fn a_conversation_ends_for_all_who_have_copies_of_the_socket() {
    let (connection, mut bus) = pair();
    let copy = connection.socket.try_clone().unwrap();
    drop(connection);
    assert_eq!(bus.read(&mut [0]).unwrap(), 0, "the bus is told");
    drop(copy);

    // What a forked child drops is its parent's.
    let (mut connection, mut bus) = pair();
    let copy = connection.socket.try_clone().unwrap();
    connection.process += 1;
    drop(connection);
    bus.write_all(b"x").unwrap();
    assert_eq!((&copy).read(&mut [0]).unwrap(), 1);
}

#[test]
fn a_signal_to_the_program_ends_no_call() {
    extern "C" fn nothing(_: i32) {}
    let handler = nix::sys::signal::SigHandler::Handler(nothing);
    let (flags, mask) = (nix::sys::signal::SaFlags::empty(), nix::sys::signal::SigSet::empty());
    let action = nix::sys::signal::SigAction::new(handler, flags, mask);
    // SAFETY: the handler does nothing, and no other test uses the signal.
    let _ = unsafe { nix::sys::signal::sigaction(nix::sys::signal::Signal::SIGUSR1, &action) }.unwrap();

    let (mut connection, mut bus) = pair();
    let call = thread::spawn(move || connection.call_until::<String>(METHOD, &(), later()));
    for _ in 0..200 {
        thread::sleep(Duration::from_millis(1));
        // SAFETY: the thread is not joined, so that its number is its own.
        let _ = unsafe { libc::pthread_kill(call.as_pthread_t(), libc::SIGUSR1) };
    }
    bus.write_all(&answer(b'l')).unwrap();
    assert_eq!(call.join().unwrap().unwrap(), "hi");
}
