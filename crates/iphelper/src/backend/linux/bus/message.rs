//! Messages of D-Bus as bytes, by the [specification](https://dbus.freedesktop.org/doc/dbus-specification.html); what they
//! carry is written and read by `zbus`.

use serde::{Deserialize, Serialize};
use zbus::wire::serialized::{Context, Data};
use zbus::wire::{DynamicType, Endian, NATIVE_ENDIAN, Type, to_bytes_for_signature};
use zbus::{Error, Result, Signature, Variant};

/// What comes before the fields of the header: byte order, kind, flags, version, the body's length, serial number, and the
/// length of the fields.
pub(super) const START: usize = 16;
/// No message is longer.
const LONGEST: usize = 128 << 20;
const VERSION: u8 = 1;
/// Nobody is started for a call.
const NO_AUTO_START: u8 = 2;

/// `METHOD_CALL`, and what may come of one.
const CALL: u8 = 1;
pub(super) const RETURN: u8 = 2;
pub(super) const ERROR: u8 = 3;
pub(super) const SIGNAL: u8 = 4;

/// Codes of the header's fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;

/// Whom a call is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Method<'a> {
    pub(super) destination: &'a str,
    pub(super) path: &'a str,
    pub(super) interface: &'a str,
    pub(super) member: &'a str,
}

impl Method<'_> {
    /// A call of it as bytes.
    pub(super) fn call(&self, serial: u32, arguments: &(impl Serialize + DynamicType)) -> Result<Vec<u8>> {
        let signature = arguments.signature();
        let body = to_bytes_for_signature(Context::new(NATIVE_ENDIAN, 0), &signature, arguments)?;
        let length = u32::try_from(body.len()).map_err(|_| Error::ExcessData)?;

        let mut fields = Vec::new();
        put_text(&mut fields, PATH, b'o', self.path)?;
        put_text(&mut fields, INTERFACE, b's', self.interface)?;
        put_text(&mut fields, MEMBER, b's', self.member)?;
        put_text(&mut fields, DESTINATION, b's', self.destination)?;
        // Values one behind the other, not a structure of them.
        let signature = signature.to_string_no_parens();
        if !signature.is_empty() {
            put_head(&mut fields, SIGNATURE, b'g');
            fields.push(u8::try_from(signature.len()).map_err(|_| Error::ExcessData)?);
            fields.extend(signature.as_bytes());
            fields.push(0);
        }
        let of_fields = u32::try_from(fields.len()).map_err(|_| Error::ExcessData)?;

        let order = if cfg!(target_endian = "big") { b'B' } else { b'l' };
        let mut bytes = vec![order, CALL, NO_AUTO_START, VERSION];
        for number in [length, serial, of_fields] {
            bytes.extend(number.to_ne_bytes());
        }
        bytes.extend(fields);
        pad(&mut bytes);
        bytes.extend(body.bytes());
        if bytes.len() > LONGEST { Err(Error::ExcessData) } else { Ok(bytes) }
    }
}

/// What each field begins with: where a structure may, its code and the type of its value. The value comes at a multiple
/// of four bytes.
fn put_head(fields: &mut Vec<u8>, code: u8, kind: u8) {
    pad(fields);
    fields.extend([code, 1, kind, 0]);
}

fn put_text(fields: &mut Vec<u8>, code: u8, kind: u8, text: &str) -> Result<()> {
    put_head(fields, code, kind);
    fields.extend(u32::try_from(text.len()).map_err(|_| Error::ExcessData)?.to_ne_bytes());
    fields.extend(text.as_bytes());
    fields.push(0);
    Ok(())
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(8), 0);
}

/// A message that came.
#[derive(Debug)]
pub(super) struct Message {
    /// [`RETURN`] or another; some may be unknown.
    pub(super) kind: u8,
    /// The serial number of the call that it answers.
    pub(super) answers: Option<u32>,
    /// The name of a signal.
    pub(super) member: Option<String>,
    /// The name of an error.
    pub(super) error: Option<String>,
    signature: Signature,
    body: Data<'static, 'static>,
}

impl Message {
    /// How long the message is that begins with these bytes.
    pub(super) fn length(start: &[u8; START]) -> Result<usize> {
        let [order, _kind, _flags, version, b0, b1, b2, b3, .., f0, f1, f2, f3] = *start;
        if version != VERSION {
            return Err(Error::InvalidField);
        }
        let endian = endian(order)?;
        let number = |bytes| match endian {
            Endian::Little => u32::from_le_bytes(bytes),
            Endian::Big => u32::from_be_bytes(bytes),
        };
        let [body, fields] = [[b0, b1, b2, b3], [f0, f1, f2, f3]].map(|bytes| u64::from(number(bytes)));
        let length = START as u64 + fields.next_multiple_of(8) + body;
        usize::try_from(length).ok().filter(|length| *length <= LONGEST).ok_or(Error::ExcessData)
    }

    /// A message of that length.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self> {
        type Header<'a> = (u8, u8, u8, u8, u32, u32, Vec<(u8, Variant<'a>)>);
        let order = bytes.first().copied().ok_or(Error::OutOfBounds)?;
        let data = Data::new(bytes, Context::new(endian(order)?, 0));
        let ((_, kind, _, _, _, _, fields), end): (Header<'_>, usize) = data.deserialize()?;
        let end = end.next_multiple_of(8);
        // A slice beyond the end would be a panic.
        if end > data.len() {
            return Err(Error::OutOfBounds);
        }
        let mut message = Self {
            kind,
            answers: None,
            member: None,
            error: None,
            signature: Signature::Unit,
            body: data.slice(end..),
        };
        for (code, value) in fields {
            match (code, value) {
                (REPLY_SERIAL, Variant::U32(serial)) => message.answers = Some(serial),
                (MEMBER, Variant::Str(name)) => message.member = Some(name.as_str().to_owned()),
                (ERROR_NAME, Variant::Str(name)) => message.error = Some(name.as_str().to_owned()),
                (SIGNATURE, Variant::Signature(signature)) => message.signature = signature,
                _ => {}
            }
        }
        Ok(message)
    }

    /// What it carries.
    pub(super) fn body<T: for<'a> Deserialize<'a> + Type>(&self) -> Result<T> {
        self.body.deserialize_for_dynamic_signature(&self.signature).map(|(body, _)| body)
    }

    /// The first value that it carries, if that is a text: what an error says.
    pub(super) fn text(&self) -> Option<String> {
        let is_text = self.signature.to_string_no_parens().starts_with('s');
        is_text.then(|| self.body.deserialize().ok().map(|(text, _)| text))?
    }
}

fn endian(order: u8) -> Result<Endian> {
    match order {
        b'l' => Ok(Endian::Little),
        b'B' => Ok(Endian::Big),
        _ => Err(Error::IncorrectEndian),
    }
}
