//! The one table of error numbers: a kind, its Win32 code and its NTSTATUS.
//!
//! Values: `winerror.h` and `ntstatus.h`. Which kind an errno becomes is the chapter's choice, since Windows' functions
//! name one condition differently: an unknown interface is `ERROR_FILE_NOT_FOUND` to `SetIpInterfaceEntry`, and
//! `ERROR_NOT_FOUND` to `DeleteUnicastIpAddressEntry`.

use super::ErrorKind;

macro_rules! codes {
    ($($kind:ident $win32:literal $win32_name:ident $ntstatus:literal $ntstatus_name:ident,)*) => {
        $(
            #[doc = concat!("Win32 code ", $win32, ", of [`ErrorKind::", stringify!($kind), "`].")]
            pub const $win32_name: u32 = $win32;
        )*

        /// Every kind with its two numbers and their Windows names, in the order of [`ErrorKind`].
        pub const TABLE: &[(ErrorKind, u32, &str, u32, &str)] = &[
            $((ErrorKind::$kind, $win32, stringify!($win32_name), $ntstatus, stringify!($ntstatus_name)),)*
        ];

        /// The Win32 code and the NTSTATUS of a kind.
        #[must_use]
        pub const fn of(kind: ErrorKind) -> (u32, u32) {
            match kind {
                $(ErrorKind::$kind => ($win32, $ntstatus),)*
            }
        }
    };
}

codes! {
    InvalidParameter      87 ERROR_INVALID_PARAMETER    0xC000_000D STATUS_INVALID_PARAMETER,
    AccessDenied           5 ERROR_ACCESS_DENIED        0xC000_0022 STATUS_ACCESS_DENIED,
    ElevationRequired    317 ERROR_MR_MID_NOT_FOUND     0xC000_042C STATUS_ELEVATION_REQUIRED,
    InterfaceNotFound      2 ERROR_FILE_NOT_FOUND       0xC000_0225 STATUS_NOT_FOUND,
    NotFound            1168 ERROR_NOT_FOUND            0xC000_0225 STATUS_NOT_FOUND,
    NotSupported          50 ERROR_NOT_SUPPORTED        0xC000_00BB STATUS_NOT_SUPPORTED,
    AlreadyExists       5010 ERROR_OBJECT_ALREADY_EXISTS 0xC000_022B STATUS_OBJECTID_EXISTS,
    InUse                 32 ERROR_SHARING_VIOLATION    0xC000_0043 STATUS_SHARING_VIOLATION,
    AddressConflict     1221 ERROR_DUP_DOMAINNAME       0xC000_0254 STATUS_IP_ADDRESS_CONFLICT1,
    InvalidName          123 ERROR_INVALID_NAME         0xC000_0033 STATUS_OBJECT_NAME_INVALID,
    InvalidHandle          6 ERROR_INVALID_HANDLE       0xC000_0008 STATUS_INVALID_HANDLE,
    OutOfMemory            8 ERROR_NOT_ENOUGH_MEMORY    0xC000_0017 STATUS_NO_MEMORY,
    ResourceLimit       1450 ERROR_NO_SYSTEM_RESOURCES  0xC000_009A STATUS_INSUFFICIENT_RESOURCES,
    Interrupted         1237 ERROR_RETRY                0xC000_022D STATUS_RETRY,
    TimedOut            1460 ERROR_TIMEOUT              0x0000_0102 STATUS_TIMEOUT,
    NetworkUnreachable  1231 ERROR_NETWORK_UNREACHABLE  0xC000_023C STATUS_NETWORK_UNREACHABLE,
    HostUnreachable     1232 ERROR_HOST_UNREACHABLE     0xC000_023D STATUS_HOST_UNREACHABLE,
    NeighborUnreachable   67 ERROR_BAD_NET_NAME         0xC000_00CC STATUS_BAD_NETWORK_NAME,
    Other                 31 ERROR_GEN_FAILURE          0xC000_0001 STATUS_UNSUCCESSFUL,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_stands_once_and_reads_back() {
        for (position, (kind, win32, _, ntstatus, _)) in TABLE.iter().enumerate() {
            assert_eq!(of(*kind), (*win32, *ntstatus));
            let first = TABLE.iter().position(|row| row.1 == *win32);
            assert_eq!(first, Some(position), "{kind:?}: two kinds with one Win32 code cannot be told apart");
        }
    }
}
