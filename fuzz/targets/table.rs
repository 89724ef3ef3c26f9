//! Tables kept by what the kernel announces: which rows a message replaces. The rows before it are input, too.
#![no_main]

use iphelper_fuzz::message;
use iphelper_netlink::rtnetlink::table::{RouteOutline, RowMessage, Rows, alike, apply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let [kind, flags, before, input @ ..] = input else { return };
    let (before, payload) = input.split_at(usize::from(*before).min(input.len()));
    let mut message = message(u16::from(*kind), payload);
    message.header.flags = u16::from(*flags) << 8;
    let Ok(Some(row)) = RowMessage::parse(&message) else { return };
    let replay = flags & 1 != 0;
    let applied = apply(Rows::new(before), &row, replay);
    let again = apply(Rows::new(&applied.rows), &row, replay);
    for (one, other) in Rows::new(&applied.rows).zip(Rows::new(&again.rows)) {
        let _ = alike(row.subject, one, other);
        let _ = RouteOutline::of(one);
    }
});
