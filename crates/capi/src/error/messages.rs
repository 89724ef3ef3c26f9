//! What the codes mean, in our own words: one sentence each, in English.

/// Win32 codes and NTSTATUS values with their texts, in ascending order of the code.
pub(super) const TABLE: &[(u32, &str)] = &[
    (0, "Success."),
    (1, "This function does not exist here."),
    (2, "No such thing: for a network function, no interface has this LUID or index."),
    (5, "Permission is missing: changes of the network need CAP_NET_ADMIN."),
    (6, "The handle is not valid, or no longer."),
    (8, "There is not enough memory, or the buffer for a name is too short."),
    (13, "The data are not valid: for an interface function, no interface has this index."),
    (14, "There is not enough memory to finish this."),
    (21, "The device is not ready."),
    (24, "The length of the request is wrong."),
    (31, "The operation failed for a reason that has no number of its own."),
    (32, "Somebody else is using it."),
    (38, "The end was reached."),
    (50, "This host cannot do what was asked."),
    (53, "The network path was not found."),
    (55, "The network resource is not there any more."),
    (67, "The network name was not found, or the neighbour does not answer."),
    (80, "It exists already."),
    (87, "A parameter is wrong."),
    (110, "It could not be opened."),
    (111, "The name is too long, or the buffer too small."),
    (120, "This function is not available here."),
    (121, "The time to wait is over."),
    (122, "The buffer is too small; the needed size was stored."),
    (123, "The name is not one that an interface has or can have."),
    (126, "The module was not found."),
    (127, "The procedure was not found."),
    (160, "One or more arguments are wrong."),
    (170, "It is in use."),
    (183, "It exists already."),
    (232, "There are no data."),
    (234, "There are more data."),
    (258, "The time to wait is over."),
    (259, "There are no more items."),
    (261, "There are more entries."),
    (299, "Only a part of it could be read."),
    (
        317,
        "No text for this number; from SetTcpEntry: not elevated, or no such connection (the last error tells which).",
    ),
    (433, "There is no such device."),
    (534, "A number became too large."),
    (740, "This needs raised rights: run it with sudo or an equivalent."),
    (995, "The operation was cancelled."),
    (996, "The operation has not finished yet."),
    (997, "The operation goes on in the background."),
    (998, "The memory may not be accessed in this way."),
    (1003, "This cannot be completed."),
    (1004, "The flags are wrong."),
    (1062, "The service is not running."),
    (1167, "The device is not connected."),
    (1168, "Not found."),
    (1221, "Another computer has the name or the address."),
    (1223, "The user cancelled it."),
    (1225, "The other side refused the connection."),
    (1227, "The address belongs to an endpoint already."),
    (1228, "No address belongs to the endpoint yet."),
    (1229, "There is no such connection."),
    (1231, "The network cannot be reached."),
    (1232, "The host cannot be reached."),
    (1233, "The other side does not know the protocol."),
    (1234, "Nobody listens on the port at the other side."),
    (1235, "The request was given up."),
    (1236, "The connection was ended by this host."),
    (1237, "It did not work this time: try again."),
    (1314, "The caller does not hold a privilege that this needs."),
    (1450, "A limit of the system was reached: descriptors, threads or locked memory."),
    (1460, "The time to wait is over."),
    (1784, "The caller's buffer does not fit the request."),
    (2001, "The driver is not usable."),
    (5010, "It exists already."),
    (10013, "Permission for this use of a socket is missing."),
    (10022, "An argument of a socket function is wrong."),
    (10047, "The address family is not supported here."),
    (10049, "The address is not one of this host."),
    (10051, "The network cannot be reached."),
    (10055, "There is no buffer space left."),
    (10065, "The host cannot be reached."),
    (0x8000_0005, "The buffer was too small for all of it."),
    (0x8000_001A, "There are no more entries."),
    (0xC000_0001, "The operation failed; the table may have kept growing while it was read: try again."),
    (0xC000_0002, "This is not implemented."),
    (0xC000_0003, "The class of information does not exist."),
    (0xC000_0004, "The length does not fit the class of information."),
    (0xC000_0005, "The memory may not be accessed in this way."),
    (0xC000_0008, "The handle is not valid, or no longer."),
    (0xC000_000D, "A parameter is wrong."),
    (0xC000_000E, "There is no such device."),
    (0xC000_0010, "The device does not know this request."),
    (0xC000_0017, "There is not enough memory, or the buffer for a name is too short."),
    (0xC000_0022, "Permission is missing: changes of the network need CAP_NET_ADMIN."),
    (0xC000_0023, "The buffer is too small; the needed size was stored."),
    (0xC000_0024, "The object is of another type."),
    (0xC000_0033, "The name is not one that an interface has or can have."),
    (0xC000_0034, "Nothing has this name."),
    (0xC000_0035, "The name is taken."),
    (0xC000_0043, "Somebody else is using it."),
    (0xC000_0061, "The caller does not hold a privilege that this needs."),
    (0xC000_0089, "The resource was not found."),
    (0xC000_009A, "A limit of the system was reached: descriptors, threads or locked memory."),
    (0xC000_009D, "The device is not connected."),
    (0xC000_00A3, "The device is not ready."),
    (0xC000_00B5, "The time to wait is over."),
    (0xC000_00BB, "This host cannot do what was asked."),
    (0xC000_00BE, "The network path was not found."),
    (0xC000_00CC, "The network name was not found, or the neighbour does not answer."),
    (0xC000_00E8, "The caller's buffer does not fit the request."),
    (0xC000_00EF, "The first parameter is wrong."),
    (0xC000_00F0, "The second parameter is wrong."),
    (0xC000_00F1, "The third parameter is wrong."),
    (0xC000_0120, "The operation was cancelled."),
    (0xC000_0140, "The connection is not valid."),
    (0xC000_0141, "The address is not valid."),
    (0xC000_020A, "The address exists already."),
    (0xC000_021B, "The data were not accepted."),
    (0xC000_0225, "Not found."),
    (0xC000_022A, "It exists already."),
    (0xC000_022B, "It exists already."),
    (0xC000_022D, "It did not work this time: try again."),
    (0xC000_0236, "The other side refused the connection."),
    (0xC000_0239, "No address belongs to the endpoint yet."),
    (0xC000_023A, "There is no such connection."),
    (0xC000_023C, "The network cannot be reached."),
    (0xC000_023D, "The host cannot be reached."),
    (0xC000_023E, "The other side does not know the protocol."),
    (0xC000_023F, "Nobody listens on the port at the other side."),
    (0xC000_0240, "The request was given up."),
    (0xC000_0241, "The connection was ended by this host."),
    (0xC000_0254, "Another computer uses the address."),
    (0xC000_042C, "This needs raised rights: run it with sudo or an equivalent."),
    (0xC023_0006, "The network adapter was not found."),
    (0xC023_0019, "The medium is not supported."),
    (0xC023_0022, "The address is not valid for the network adapter."),
    (0xC023_002A, "The network interface is paused."),
    (0xC023_002B, "The network interface was not found."),
    (0xC023_00BB, "The network adapter does not support this."),
];

/// The text of a code.
pub(super) fn of(code: u32) -> Option<&'static str> {
    let position = TABLE.binary_search_by_key(&code, |(code, _)| *code).ok()?;
    TABLE.get(position).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_texts_are_plain_sentences() {
        assert!(TABLE.is_sorted_by_key(|(code, _)| *code));
        for (code, text) in TABLE {
            assert!(text.is_ascii() && text.ends_with('.') && !text.contains('%'), "{code}: {text}");
            assert_eq!(of(*code), Some(*text));
        }
    }

    #[test]
    fn each_kind_of_error_has_a_text_in_both_flavours() {
        for (kind, win32, _, ntstatus, _) in iphelper::error::codes::TABLE {
            assert!(of(*win32).is_some() && of(*ntstatus).is_some(), "{kind:?}");
        }
    }
}
