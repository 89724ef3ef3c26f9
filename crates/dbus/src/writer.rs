//! Values to bytes, in little-endian order.

use crate::signature::{LONGEST, alignment, one_type};
use crate::value::Value;
use crate::{DEEPEST, Malformed};

/// Bytes that grow; alignment counts from their start.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    pub(crate) bytes: Vec<u8>,
}

impl Writer {
    pub(crate) fn align(&mut self, to: usize) {
        self.bytes.resize(self.bytes.len().next_multiple_of(to), 0);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.align(4);
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub(crate) fn signature(&mut self, signature: &str) -> Result<(), Malformed> {
        let len = u8::try_from(signature.len()).map_err(|_| Malformed("a signature is too long"))?;
        self.bytes.push(len);
        self.bytes.extend_from_slice(signature.as_bytes());
        self.bytes.push(0);
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        if text.contains('\0') {
            return Err(Malformed("a text with a zero byte"));
        }
        self.u32(u32::try_from(text.len()).map_err(|_| Malformed("a text is too long"))?);
        self.bytes.extend_from_slice(text.as_bytes());
        self.bytes.push(0);
        Ok(())
    }

    pub(crate) fn value(&mut self, value: &Value, depth: usize) -> Result<(), Malformed> {
        if depth > DEEPEST {
            return Err(Malformed("a value is too deep"));
        }
        match value {
            Value::Byte(value) => self.bytes.push(*value),
            Value::Bool(value) => self.u32(u32::from(*value)),
            Value::I16(value) => self.fixed(&value.to_le_bytes()),
            Value::U16(value) => self.fixed(&value.to_le_bytes()),
            Value::I32(value) => self.fixed(&value.to_le_bytes()),
            Value::U32(value) | Value::Descriptor(value) => self.u32(*value),
            Value::I64(value) => self.fixed(&value.to_le_bytes()),
            Value::U64(value) => self.fixed(&value.to_le_bytes()),
            Value::F64(value) => self.fixed(&value.to_le_bytes()),
            Value::Text(text) => self.text(text)?,
            Value::Path(path) if is_path(path) => self.text(path)?,
            Value::Path(_) => return Err(Malformed("no path of an object")),
            Value::Signature(signature) => self.signature(signature)?,
            Value::Array(element, items) => self.array(element, items, depth)?,
            Value::Struct(members) => {
                self.align(8);
                for member in members {
                    self.value(member, depth + 1)?;
                }
            }
            Value::Entry(entry) => {
                self.align(8);
                self.value(&entry.0, depth + 1)?;
                self.value(&entry.1, depth + 1)?;
            }
            Value::Variant(inner) => {
                let signature = inner.signature();
                if one_type(signature.as_bytes())? != signature.len() {
                    return Err(Malformed("a variant of no complete type"));
                }
                self.signature(&signature)?;
                self.value(inner, depth + 1)?;
            }
        }
        Ok(())
    }

    fn fixed(&mut self, bytes: &[u8]) {
        self.align(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    fn array(&mut self, element: &str, items: &[Value], depth: usize) -> Result<(), Malformed> {
        let whole = format!("a{element}");
        if whole.len() > LONGEST || one_type(whole.as_bytes())? != whole.len() {
            return Err(Malformed("an array of no complete type"));
        }
        self.u32(0);
        let len_at = self.bytes.len() - 4;
        self.align(alignment(element.bytes().next().unwrap_or_default()));
        let start = self.bytes.len();
        for item in items {
            Value::check_element(element, item)?;
            self.value(item, depth + 1)?;
        }
        let len = u32::try_from(self.bytes.len() - start).map_err(|_| Malformed("an array is too long"))?;
        if let Some(place) = self.bytes.get_mut(len_at..len_at + 4) {
            place.copy_from_slice(&len.to_le_bytes());
        }
        Ok(())
    }
}

/// Whether a text is the path of an object: `/`, or names of letters, digits and underscores.
pub(crate) fn is_path(path: &str) -> bool {
    let Some(names) = path.strip_prefix('/') else { return false };
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    names.is_empty() || names.split('/').all(is_name)
}
