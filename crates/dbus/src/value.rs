//! Values of every D-Bus type.

use crate::Malformed;
use crate::signature::one_type;

/// A value with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `y`
    Byte(u8),
    /// `b`
    Bool(bool),
    /// `n`
    I16(i16),
    /// `q`
    U16(u16),
    /// `i`
    I32(i32),
    /// `u`
    U32(u32),
    /// `x`
    I64(i64),
    /// `t`
    U64(u64),
    /// `d`
    F64(f64),
    /// `s`
    Text(String),
    /// `o`: the path of an object.
    Path(String),
    /// `g`: a list of types.
    Signature(String),
    /// `h`: the position of a descriptor beside the message.
    Descriptor(u32),
    /// `a`: the type of each element, and the elements.
    Array(String, Vec<Value>),
    /// `(...)`
    Struct(Vec<Value>),
    /// `{..}`: key and value; an element of an array alone.
    Entry(Box<(Value, Value)>),
    /// `v`: a value that says of what type it is.
    Variant(Box<Value>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An array of bytes (`ay`).
    #[must_use]
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Array("y".to_owned(), bytes.iter().map(|byte| Self::Byte(*byte)).collect())
    }

    /// The type as text.
    #[must_use]
    pub fn signature(&self) -> String {
        let mut signature = String::new();
        self.write_signature(&mut signature);
        signature
    }

    pub(crate) fn write_signature(&self, to: &mut String) {
        match self {
            Self::Array(element, _) => {
                to.push('a');
                to.push_str(element);
            }
            Self::Struct(members) => {
                to.push('(');
                members.iter().for_each(|member| member.write_signature(to));
                to.push(')');
            }
            Self::Entry(entry) => {
                to.push('{');
                entry.0.write_signature(to);
                entry.1.write_signature(to);
                to.push('}');
            }
            basic => to.push(char::from(basic.code())),
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Byte(_) => b'y',
            Self::Bool(_) => b'b',
            Self::I16(_) => b'n',
            Self::U16(_) => b'q',
            Self::I32(_) => b'i',
            Self::U32(_) => b'u',
            Self::I64(_) => b'x',
            Self::U64(_) => b't',
            Self::F64(_) => b'd',
            Self::Text(_) => b's',
            Self::Path(_) => b'o',
            Self::Signature(_) => b'g',
            Self::Descriptor(_) => b'h',
            Self::Array(..) => b'a',
            Self::Struct(_) => b'(',
            Self::Entry(_) => b'{',
            Self::Variant(_) => b'v',
        }
    }

    /// Whether the value is of the one type that a text names.
    #[must_use]
    pub fn is_of(&self, signature: &str) -> bool {
        one_type(signature.as_bytes()).is_ok_and(|len| len == signature.len())
            && self.signature() == signature
    }

    /// The value within variants.
    #[must_use]
    pub fn plain(&self) -> &Self {
        let mut value = self;
        while let Self::Variant(inner) = value {
            value = inner;
        }
        value
    }

    /// The text, of a text or a path; within variants, as with all that follow.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self.plain() {
            Self::Text(text) | Self::Path(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self.plain() { Some(*value) } else { None }
    }

    /// The number, of any type of whole numbers.
    #[must_use]
    pub fn as_integer(&self) -> Option<i128> {
        Some(match self.plain() {
            Self::Byte(value) => i128::from(*value),
            Self::I16(value) => i128::from(*value),
            Self::U16(value) => i128::from(*value),
            Self::I32(value) => i128::from(*value),
            Self::U32(value) => i128::from(*value),
            Self::I64(value) => i128::from(*value),
            Self::U64(value) => i128::from(*value),
            _ => return None,
        })
    }

    /// The elements of an array, or the members of a struct.
    #[must_use]
    pub fn items(&self) -> Option<&[Self]> {
        match self.plain() {
            Self::Array(_, items) | Self::Struct(items) => Some(items),
            _ => None,
        }
    }

    /// The bytes of an array of bytes.
    #[must_use]
    pub fn as_bytes(&self) -> Option<Vec<u8>> {
        match self.plain() {
            Self::Array(element, items) if element == "y" => items
                .iter()
                .map(|item| if let Self::Byte(byte) = item { Some(*byte) } else { None })
                .collect(),
            _ => None,
        }
    }

    /// The pairs of a dictionary, in their order.
    pub fn entries(&self) -> impl Iterator<Item = (&Self, &Self)> {
        let items = match self.plain() {
            Self::Array(_, items) => items.as_slice(),
            _ => &[],
        };
        items.iter().filter_map(|item| match item {
            Self::Entry(entry) => Some((&entry.0, entry.1.plain())),
            _ => None,
        })
    }

    /// What a dictionary with texts as keys holds under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value)
    }

    /// That a value can be written: the types in it are those that it says.
    pub(crate) fn check_element(element: &str, item: &Self) -> Result<(), Malformed> {
        if item.signature() == element { Ok(()) } else { Err(Malformed("an element of another type")) }
    }
}
