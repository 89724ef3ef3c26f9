//! `ConvertInterface*`, `if_nametoindex` and `if_indextoname`, masks, addresses and text.
//!
//! A failure clears the output, where there is one of a fixed size. Lengths are in characters, the terminator counted.

mod address_text;
mod mask;
mod network_string;

pub use address_text::{
    Unit, ethernet_to_string, ipv4_to_string, ipv4_to_string_ex, ipv6_to_string, ipv6_to_string_ex,
    string_to_ethernet, string_to_ipv4, string_to_ipv4_ex, string_to_ipv6, string_to_ipv6_ex,
};
pub use mask::{length_to_mask, mask_to_length};
pub use network_string::parse_string;

use crate::error::{Code, Flavour};
use crate::raw::{GUID, NET_LUID};
use crate::{guard, host, key, text};
use iphelper::convert::InterfaceNames;
use iphelper::{ErrorKind, Guid, InterfaceIndex, InterfaceLuid, Result};

/// `NDIS_IF_MAX_STRING_SIZE`: the longest name or alias, its terminator not counted.
const MAX_STRING: usize = 256;

/// `ConvertInterfaceIndexToLuid`.
///
/// `ERROR_FILE_NOT_FOUND` (driver flavour: `STATUS_INVALID_PARAMETER`) for an index of no interface,
/// `ERROR_INVALID_PARAMETER` for 0, which is never one, and for NULL.
#[doc(alias = "ConvertInterfaceIndexToLuid")]
pub unsafe fn index_to_luid<F: Flavour>(index: u32, luid: *mut NET_LUID) -> F::Status {
    // SAFETY: the caller's promise on `luid`.
    guard::status::<F>(|| unsafe {
        output(
            luid,
            |names| key::luid(names.luid),
            || {
                if index == 0 {
                    return Err(Code::INVALID_PARAMETER);
                }
                host::current()?.interface_names(InterfaceIndex(index)).map_err(|error| match error.kind() {
                    ErrorKind::InterfaceNotFound => Code::UNKNOWN_INDEX,
                    _ => error.into(),
                })
            },
        )
    })
}

/// `ConvertInterfaceLuidToIndex`.
#[doc(alias = "ConvertInterfaceLuidToIndex")]
pub unsafe fn luid_to_index<F: Flavour>(luid: *const NET_LUID, index: *mut u32) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe { output(index, |names| names.index.0, || of_luid(luid)) })
}

/// `ConvertInterfaceLuidToGuid`.
#[doc(alias = "ConvertInterfaceLuidToGuid")]
pub unsafe fn luid_to_guid<F: Flavour>(luid: *const NET_LUID, guid: *mut GUID) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe { output(guid, |names| c_guid(names.guid), || of_luid(luid)) })
}

/// `ConvertInterfaceGuidToLuid`.
#[doc(alias = "ConvertInterfaceGuidToLuid")]
pub unsafe fn guid_to_luid<F: Flavour>(guid: *const GUID, luid: *mut NET_LUID) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe {
        output(
            luid,
            |names| key::luid(names.luid),
            || {
                if guid.is_null() {
                    return Err(Code::INVALID_PARAMETER);
                }
                let guid = rust_guid(guid.read_unaligned());
                known(host::current()?.interface_with_guid(guid), Code::INVALID_PARAMETER)
            },
        )
    })
}

/// `ConvertInterfaceAliasToLuid`. The alias is Linux' name of the interface; its alternative names count, too.
#[doc(alias = "ConvertInterfaceAliasToLuid")]
pub unsafe fn alias_to_luid<F: Flavour>(alias: *const u16, luid: *mut NET_LUID) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe {
        output(luid, |names| key::luid(names.luid), || wide_named(alias, Code::INVALID_PARAMETER))
    })
}

/// `ConvertInterfaceLuidToAlias`.
#[doc(alias = "ConvertInterfaceLuidToAlias")]
pub unsafe fn luid_to_alias<F: Flavour>(luid: *const NET_LUID, alias: *mut u16, length: usize) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe { luid_to_wide(luid, alias, length) })
}

/// `ConvertInterfaceLuidToNameW`. On Linux an interface's name and alias are the same.
#[doc(alias = "ConvertInterfaceLuidToNameW")]
pub unsafe fn luid_to_name_w<F: Flavour>(luid: *const NET_LUID, name: *mut u16, length: usize) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe { luid_to_wide(luid, name, length) })
}

/// `ConvertInterfaceLuidToNameA`.
#[doc(alias = "ConvertInterfaceLuidToNameA")]
pub unsafe fn luid_to_name_a<F: Flavour>(luid: *const NET_LUID, name: *mut u8, length: usize) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe { luid_to_text(luid, name, length, |name| name.as_bytes().to_vec()) })
}

/// `ConvertInterfaceNameToLuidA`. `ERROR_BUFFER_OVERFLOW` for a name longer than any, `ERROR_INVALID_NAME` for one
/// that no interface has.
#[doc(alias = "ConvertInterfaceNameToLuidA")]
pub unsafe fn name_to_luid_a<F: Flavour>(name: *const u8, luid: *mut NET_LUID) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe {
        output(
            luid,
            |names| key::luid(names.luid),
            || {
                if name.is_null() {
                    return Err(Code::INVALID_NAME);
                }
                let bytes = text::read(name, MAX_STRING).ok_or(Code::BUFFER_OVERFLOW)?;
                named(String::from_utf8(bytes).ok(), Code::INVALID_NAME, Code::INVALID_NAME)
            },
        )
    })
}

/// `ConvertInterfaceNameToLuidW`. `ERROR_INVALID_NAME` for a name that no interface has, or longer than any.
#[doc(alias = "ConvertInterfaceNameToLuidW")]
pub unsafe fn name_to_luid_w<F: Flavour>(name: *const u16, luid: *mut NET_LUID) -> F::Status {
    // SAFETY: the caller's promise on both pointers.
    guard::status::<F>(|| unsafe {
        output(luid, |names| key::luid(names.luid), || wide_named(name, Code::INVALID_NAME))
    })
}

/// `if_nametoindex`: 0 for a name of no interface, and for NULL.
#[doc(alias = "if_nametoindex")]
pub unsafe fn name_to_index(name: *const u8) -> u32 {
    let index = || {
        if name.is_null() {
            return None;
        }
        // SAFETY: the caller's promise: `name` is a C string.
        let name = String::from_utf8(unsafe { text::read(name, MAX_STRING) }?).ok()?;
        host::current().ok()?.interface_named(&name).ok()
    };
    guard::caught(index, None).map_or(0, |names| names.index.0)
}

/// `if_indextoname`: writes the name to `name`, which has room for `IF_NAMESIZE` (256) characters, and gives `name`;
/// NULL for an index of no interface.
#[doc(alias = "if_indextoname")]
pub unsafe fn index_to_name(index: u32, name: *mut u8) -> *mut u8 {
    const IF_NAMESIZE: usize = 256;
    let written = || {
        if name.is_null() || index == 0 {
            return false;
        }
        let names = host::current().ok().and_then(|host| host.interface_names(InterfaceIndex(index)).ok());
        // SAFETY: the caller's promise: `name` has IF_NAMESIZE characters.
        names.is_some_and(|names| unsafe { text::write(name, IF_NAMESIZE, names.name.as_bytes()) })
    };
    if guard::caught(written, false) { name } else { std::ptr::null_mut() }
}

/// The interface that a text of 16-bit characters names; `code` for NULL and for a text that no interface has as name.
///
/// # Safety
/// `name` is NULL or a text with a terminator.
unsafe fn wide_named(name: *const u16, code: Code) -> Result<InterfaceNames, Code> {
    if name.is_null() {
        return Err(code);
    }
    // SAFETY: the caller's promise on `name`.
    let units = unsafe { text::read(name, MAX_STRING) };
    named(units.and_then(|units| String::from_utf16(&units).ok()), code, code)
}

/// Stores what `pick` takes of the names that `find` gives, or the type's zero where it fails.
///
/// # Safety
/// `target` is NULL or may be written.
unsafe fn output<T: Default>(
    target: *mut T,
    pick: impl FnOnce(&InterfaceNames) -> T,
    find: impl FnOnce() -> Result<InterfaceNames, Code>,
) -> Result<(), Code> {
    if target.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise. Written before the search, so that a panic in it leaves zero, too.
    unsafe { target.write_unaligned(T::default()) };
    let names = find()?;
    // SAFETY: as above.
    unsafe { target.write_unaligned(pick(&names)) };
    Ok(())
}

/// The names behind a LUID; `ERROR_INVALID_PARAMETER` if there are none.
///
/// # Safety
/// `luid` is NULL or may be read.
unsafe fn of_luid(luid: *const NET_LUID) -> Result<InterfaceNames, Code> {
    if luid.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise.
    let luid = InterfaceLuid(unsafe { luid.read_unaligned() }.Value.0);
    known(host::current()?.interface_names(luid), Code::INVALID_PARAMETER)
}

unsafe fn luid_to_wide(luid: *const NET_LUID, name: *mut u16, length: usize) -> Result<(), Code> {
    // SAFETY: the caller's promise.
    unsafe { luid_to_text(luid, name, length, |name| name.encode_utf16().collect()) }
}

/// # Safety
/// `luid` is NULL or may be read; `target` is NULL or has `length` units.
unsafe fn luid_to_text<U: Copy + Default>(
    luid: *const NET_LUID,
    target: *mut U,
    length: usize,
    units: impl FnOnce(&str) -> Vec<U>,
) -> Result<(), Code> {
    if target.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise.
    unsafe {
        let names = of_luid(luid)?;
        if text::write(target, length, &units(&names.name)) { Ok(()) } else { Err(Code::NOT_ENOUGH_MEMORY) }
    }
}

/// The interface called `name`; `malformed` where the caller's bytes are no text or no possible name.
fn named(name: Option<String>, malformed: Code, unknown: Code) -> Result<InterfaceNames, Code> {
    let name = name.ok_or(malformed)?;
    known(host::current()?.interface_named(&name), unknown)
}

/// `unknown` for what no interface has or can have.
fn known(names: Result<InterfaceNames>, unknown: Code) -> Result<InterfaceNames, Code> {
    names.map_err(|error| match error.kind() {
        ErrorKind::InterfaceNotFound | ErrorKind::InvalidName | ErrorKind::InvalidParameter => unknown,
        _ => error.into(),
    })
}

/// A GUID as C has it: the first three parts are numbers in host order.
pub(crate) fn c_guid(guid: Guid) -> GUID {
    GUID::from_u128(u128::from_be_bytes(guid.to_bytes()))
}

/// A GUID of C's.
pub(crate) fn rust_guid(guid: GUID) -> Guid {
    let [a, b, c, d] = guid.data1.to_be_bytes();
    let [e, f] = guid.data2.to_be_bytes();
    let [g, h] = guid.data3.to_be_bytes();
    let [i, j, k, l, m, n, o, p] = guid.data4;
    Guid::from_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guids_keep_their_text() {
        let bytes = std::array::from_fn(|position| u8::try_from(position).unwrap() * 16 + 1);
        let c = c_guid(Guid::from_bytes(bytes));
        assert_eq!(c.data1, 0x0111_2131);
        assert_eq!((c.data2, c.data3), (0x4151, 0x6171));
        assert_eq!(c.data4, [0x81, 0x91, 0xA1, 0xB1, 0xC1, 0xD1, 0xE1, 0xF1]);
        assert_eq!(rust_guid(c), Guid::from_bytes(bytes));
    }
}
