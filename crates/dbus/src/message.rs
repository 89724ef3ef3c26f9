//! A message: what is called or answered, and the values with it.

use crate::Malformed;
use crate::reader::Reader;
use crate::value::Value;
use crate::writer::Writer;

/// The first part of every header, which says how long the message is.
pub const PREFIX_LEN: usize = 16;
/// The specification's limit.
const LONGEST: usize = 1 << 27;
/// Do not start the service for this call.
const NO_AUTO_START: u8 = 2;
const NO_REPLY_EXPECTED: u8 = 1;

/// What a message is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// A method is called.
    Call,
    /// A call's answer.
    Return,
    /// A call is refused; [`Message::error_name`] says why.
    Error,
    /// Something happened.
    Signal,
    /// Something newer, to be passed over.
    Other(u8),
}

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// The sender's number of it, never 0.
    pub serial: u32,
    /// The object.
    pub path: Option<String>,
    /// The interface of the method or signal.
    pub interface: Option<String>,
    /// The method or signal.
    pub member: Option<String>,
    /// The error's name, such as `org.freedesktop.DBus.Error.AccessDenied`.
    pub error_name: Option<String>,
    /// The call that this answers.
    pub reply_serial: Option<u32>,
    /// Who it is for.
    pub destination: Option<String>,
    /// Who sent it, which the bus fills in.
    pub sender: Option<String>,
    /// Whether an answer is not wanted.
    pub no_reply_expected: bool,
    /// Whether the bus shall not start the service for this call.
    pub no_auto_start: bool,
    /// The arguments.
    pub body: Vec<Value>,
}

impl Message {
    /// A call that starts no service; fill in [`interface`](Self::interface), [`destination`](Self::destination) and
    /// [`body`](Self::body).
    #[must_use]
    pub fn call(serial: u32, path: &str, member: &str) -> Self {
        Self {
            kind: Kind::Call,
            serial,
            path: Some(path.to_owned()),
            interface: None,
            member: Some(member.to_owned()),
            error_name: None,
            reply_serial: None,
            destination: None,
            sender: None,
            no_reply_expected: false,
            no_auto_start: true,
            body: Vec::new(),
        }
    }

    /// The answer to a call.
    #[must_use]
    pub fn answer(serial: u32, to: &Self, body: Vec<Value>) -> Self {
        Self {
            kind: Kind::Return,
            path: None,
            member: None,
            reply_serial: Some(to.serial),
            destination: to.sender.clone(),
            no_reply_expected: true,
            no_auto_start: false,
            body,
            ..Self::call(serial, "/", "")
        }
    }

    /// The refusal of a call.
    #[must_use]
    pub fn refusal(serial: u32, to: &Self, name: &str, text: &str) -> Self {
        Self {
            kind: Kind::Error,
            error_name: Some(name.to_owned()),
            ..Self::answer(serial, to, vec![Value::text(text)])
        }
    }

    /// The message as bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for a value that is not of the type that it says, a text with a zero byte, and what is longer than
    /// D-Bus allows.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Malformed> {
        let mut body = Writer::default();
        let mut signature = String::new();
        for value in &self.body {
            value.write_signature(&mut signature);
            body.value(value, 0)?;
        }
        let mut fields = Vec::new();
        let mut field = |code: u8, value: Value| {
            fields.push(Value::Struct(vec![Value::Byte(code), Value::Variant(Box::new(value))]));
        };
        if let Some(path) = &self.path {
            field(1, Value::Path(path.clone()));
        }
        for (code, text) in [
            (2, &self.interface),
            (3, &self.member),
            (4, &self.error_name),
            (6, &self.destination),
            (7, &self.sender),
        ] {
            if let Some(text) = text {
                field(code, Value::Text(text.clone()));
            }
        }
        if let Some(serial) = self.reply_serial {
            field(5, Value::U32(serial));
        }
        if !signature.is_empty() {
            field(8, Value::Signature(signature));
        }
        let kind = match self.kind {
            Kind::Call => 1,
            Kind::Return => 2,
            Kind::Error => 3,
            Kind::Signal => 4,
            Kind::Other(kind) => kind,
        };
        let flags = (u8::from(self.no_reply_expected) * NO_REPLY_EXPECTED)
            | (u8::from(self.no_auto_start) * NO_AUTO_START);
        let mut message = Writer::default();
        message.bytes.extend_from_slice(&[b'l', kind, flags, 1]);
        message.u32(u32::try_from(body.bytes.len()).map_err(|_| Malformed("a body is too long"))?);
        message.u32(self.serial);
        message.value(&Value::Array("(yv)".to_owned(), fields), 0)?;
        message.align(8);
        message.bytes.append(&mut body.bytes);
        if message.bytes.len() > LONGEST {
            return Err(Malformed("a message is too long"));
        }
        Ok(message.bytes)
    }

    /// How long the message is that begins with `prefix` (of [`PREFIX_LEN`] bytes).
    ///
    /// # Errors
    ///
    /// [`Malformed`] where no message of D-Bus' version 1 begins so.
    pub fn len(prefix: &[u8]) -> Result<usize, Malformed> {
        let [order, _, _, version, ..] = *prefix else { return Err(Malformed("it ends early")) };
        if version != 1 {
            return Err(Malformed("an unknown version"));
        }
        let mut reader = Reader::new(prefix.get(4..).unwrap_or_default(), is_big(order)?);
        let body = reader.u32()?;
        let _serial = reader.u32()?;
        let fields = reader.u32()?;
        let size = |len: u32| usize::try_from(len).ok().filter(|len| *len <= LONGEST);
        let len = size(body)
            .zip(size(fields))
            .map(|(body, fields)| (PREFIX_LEN + fields).next_multiple_of(8) + body);
        len.filter(|len| *len <= LONGEST).ok_or(Malformed("a message is too long"))
    }

    /// Reads a whole message.
    ///
    /// # Errors
    ///
    /// [`Malformed`] says what is wrong with it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if Self::len(bytes)? != bytes.len() {
            return Err(Malformed("it is not as long as it says"));
        }
        let [order, kind, flags, ..] = *bytes else { return Err(Malformed("it ends early")) };
        let mut reader = Reader::new(bytes, is_big(order)?);
        let header = reader.values("yyyyuua(yv)")?;
        reader.align(8)?;
        let serial = match header.get(5) {
            Some(Value::U32(serial)) if *serial != 0 => *serial,
            _ => return Err(Malformed("a message has the number 0")),
        };
        let mut message = Self {
            kind: match kind {
                1 => Kind::Call,
                2 => Kind::Return,
                3 => Kind::Error,
                4 => Kind::Signal,
                0 => return Err(Malformed("a message of no kind")),
                kind => Kind::Other(kind),
            },
            path: None,
            member: None,
            no_reply_expected: flags & NO_REPLY_EXPECTED != 0,
            no_auto_start: flags & NO_AUTO_START != 0,
            ..Self::call(serial, "/", "")
        };
        let mut signature = String::new();
        for field in header.get(6).and_then(Value::items).unwrap_or_default() {
            let Some([Value::Byte(code), value]) = field.items() else { continue };
            match (code, value.plain()) {
                (1, Value::Path(path)) => message.path = Some(path.clone()),
                (2, Value::Text(text)) => message.interface = Some(text.clone()),
                (3, Value::Text(text)) => message.member = Some(text.clone()),
                (4, Value::Text(text)) => message.error_name = Some(text.clone()),
                (5, Value::U32(serial)) => message.reply_serial = Some(*serial),
                (6, Value::Text(text)) => message.destination = Some(text.clone()),
                (7, Value::Text(text)) => message.sender = Some(text.clone()),
                (8, Value::Signature(text)) => signature.clone_from(text),
                (1..=8, _) => return Err(Malformed("a field of the header has another type")),
                // 9 is the number of descriptors; later ones are to be passed over.
                _ => {}
            }
        }
        message.body = reader.values(&signature)?;
        if reader.is_at_end() { Ok(message) } else { Err(Malformed("more values than it says")) }
    }

    /// The text of an error, for people.
    #[must_use]
    pub fn error_text(&self) -> &str {
        self.body.first().and_then(Value::as_text).unwrap_or_default()
    }
}

fn is_big(order: u8) -> Result<bool, Malformed> {
    match order {
        b'l' => Ok(false),
        b'B' => Ok(true),
        _ => Err(Malformed("an unknown order of bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `dbus-daemon` 1.14 answered to `Hello`, as `strace` saw it.
    const NAME: &[u8] = &[
        b'l', 2, 1, 1, 10, 0, 0, 0, 1, 0, 0, 0, 61, 0, 0, 0, // header
        6, 1, b's', 0, 5, 0, 0, 0, b':', b'1', b'.', b'1', b'3', 0, 0, 0, // destination
        5, 1, b'u', 0, 1, 0, 0, 0, // answers
        8, 1, b'g', 0, 1, b's', 0, 0, // signature
        7, 1, b's', 0, 20, 0, 0, 0, // sender
        b'o', b'r', b'g', b'.', b'f', b'r', b'e', b'e', b'd', b'e', b's', b'k', b't', b'o', b'p', b'.', b'D',
        b'B', b'u', b's', 0, 0, 0, 0, // and padding
        5, 0, 0, 0, b':', b'1', b'.', b'1', b'3', 0,
    ];

    #[test]
    fn an_answer_of_a_bus_is_read() {
        let message = Message::parse(NAME).unwrap();
        assert_eq!(message.kind, Kind::Return);
        assert_eq!((message.serial, message.reply_serial), (1, Some(1)));
        assert_eq!(message.sender.as_deref(), Some("org.freedesktop.DBus"));
        assert_eq!(message.body, [Value::text(":1.13")]);
        for len in 0..NAME.len() {
            let _ = Message::parse(&NAME[..len]).unwrap_err();
        }
    }

    #[test]
    fn the_other_order_of_bytes_is_read() {
        let bytes =
            [b'B', 4, 0, 1, 0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 7, 8, 1, b'g', 0, 1, b'u', 0, 0, 1, 2, 3, 4];
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.kind, message.serial), (Kind::Signal, 9));
        assert_eq!(message.body, [Value::U32(0x0102_0304)]);
    }

    #[test]
    fn values_of_another_type_than_they_say_are_not_written() {
        let mut message = Message::call(1, "/a", "B");
        for bad in [
            Value::Array("i".to_owned(), vec![Value::Byte(1)]),
            Value::Array("(".to_owned(), vec![]),
            Value::text("a\0b"),
            Value::Path("a//b".to_owned()),
            Value::Variant(Box::new(Value::Struct(vec![]))),
        ] {
            message.body = vec![bad];
            let _ = message.to_bytes().unwrap_err();
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<u8>().prop_map(Value::Byte),
            any::<bool>().prop_map(Value::Bool),
            any::<i16>().prop_map(Value::I16),
            any::<u16>().prop_map(Value::U16),
            any::<i32>().prop_map(Value::I32),
            any::<u32>().prop_map(Value::U32),
            any::<i64>().prop_map(Value::I64),
            any::<u64>().prop_map(Value::U64),
            (-1e9..1e9).prop_map(Value::F64),
            "[a-zäß.]{0,9}".prop_map(Value::Text),
            "(/[a-z0-9_]{1,4}){1,3}".prop_map(Value::Path),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| Value::bytes(&bytes)),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                inner.clone().prop_map(|value| Value::Variant(Box::new(value))),
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Struct),
                (inner.clone(), 0..4_usize)
                    .prop_map(|(value, len)| Value::Array(value.signature(), vec![value; len])),
                ("[a-z]{0,4}", inner).prop_map(|(key, value)| Value::Array(
                    "{sv}".to_owned(),
                    vec![Value::Entry(Box::new((Value::Text(key), Value::Variant(Box::new(value)))))],
                )),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(body in prop::collection::vec(any_value(), 0..4), serial in 1..u32::MAX, start: bool) {
            let mut message = Message::call(serial, "/org/example", "Do");
            message.interface = Some("org.example.It".to_owned());
            message.destination = Some("org.example".to_owned());
            message.no_auto_start = start;
            message.body = body;
            let bytes = message.to_bytes().unwrap();
            prop_assert_eq!(Message::len(&bytes[..PREFIX_LEN]), Ok(bytes.len()));
            prop_assert_eq!(Message::parse(&bytes).unwrap(), message);
            for len in 0..bytes.len() {
                prop_assert!(Message::parse(&bytes[..len]).is_err());
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), place in 0..200_usize, byte: u8) {
            let _ = Message::parse(&bytes);
            let mut almost = NAME.to_vec();
            if let Some(changed) = almost.get_mut(place) {
                *changed = byte;
            }
            let _ = Message::parse(&almost);
            let mut tail = NAME[..PREFIX_LEN].to_vec();
            tail.extend(bytes);
            tail.resize(NAME.len(), 0);
            let _ = Message::parse(&tail);
        }
    }
}
