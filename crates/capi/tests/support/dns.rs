//! C's texts and structures of DNS settings.

use iphelper_capi::convert;
use iphelper_capi::error::Win32;
use iphelper_capi::raw::*;

pub(crate) fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// A text that C was given; none where it is NULL.
pub(crate) fn text(text: *const u16) -> String {
    if text.is_null() {
        return String::new();
    }
    let units: Vec<u16> = (0..).map(|at| unsafe { *text.add(at) }).take_while(|unit| *unit != 0).collect();
    String::from_utf16(&units).unwrap()
}

/// The GUID of an interface.
pub(crate) fn guid(name: &str) -> GUID {
    let name = std::ffi::CString::new(name).unwrap();
    let (mut luid, mut guid) = (NET_LUID::default(), GUID::from_u128(0));
    unsafe {
        assert_eq!(convert::name_to_luid_a::<Win32>(name.as_ptr().cast(), &raw mut luid), 0);
        assert_eq!(convert::luid_to_guid::<Win32>(&raw const luid, &raw mut guid), 0);
    }
    guid
}

/// Settings of which nothing is set but what is asked for.
pub(crate) fn empty(version: u32, flags: u64) -> DNS_INTERFACE_SETTINGS4 {
    let mut row: DNS_INTERFACE_SETTINGS4 = unsafe { std::mem::zeroed() };
    row.Version = version;
    row.Flags = ULONG64(flags);
    row
}
