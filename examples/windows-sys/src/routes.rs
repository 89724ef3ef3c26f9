//! The route table, and one route more or less.

use crate::Result;
use crate::address::{from_windows, to_windows};
use crate::error::{Outcome, check};
use std::net::IpAddr;
use std::ptr::null_mut;
use windows_sys::Win32::NetworkManagement::IpHelper::{
    CreateIpForwardEntry2, DeleteIpForwardEntry2, FreeMibTable, GetIpForwardTable2, InitializeIpForwardEntry,
    MIB_IPFORWARD_ROW2,
};
use windows_sys::Win32::Networking::WinSock::AF_UNSPEC;

/// One line for each route.
pub fn list() -> Result {
    let mut table = null_mut();
    // SAFETY: a live variable for the table, which is freed below, after its last use.
    check("GetIpForwardTable2", unsafe { GetIpForwardTable2(AF_UNSPEC, &raw mut table) })?;
    // SAFETY: the function stored a table, whose rows follow its count.
    let rows = unsafe {
        let first = (&raw const (*table).Table).cast::<MIB_IPFORWARD_ROW2>();
        std::slice::from_raw_parts(first, (*table).NumEntries as usize)
    };
    for row in rows {
        let address = |it| from_windows(it).map_or("?".to_owned(), |address: IpAddr| address.to_string());
        println!(
            "{}/{} by {} interface {} metric {}",
            address(&row.DestinationPrefix.Prefix),
            row.DestinationPrefix.PrefixLength,
            address(&row.NextHop),
            row.InterfaceIndex,
            row.Metric
        );
    }
    // SAFETY: allocated by this library, and not used any more.
    unsafe { FreeMibTable(table.cast()) };
    Ok(())
}

/// Adds a route.
pub fn add(prefix: &str, next_hop: &str, interface: &str) -> Result {
    let row = row(prefix, next_hop, interface)?;
    // SAFETY: a live row.
    check("CreateIpForwardEntry2", unsafe { CreateIpForwardEntry2(&raw const row) })
}

/// Deletes the route that [`add`] made of the same words.
pub fn delete(prefix: &str, next_hop: &str, interface: &str) -> Result {
    let row = row(prefix, next_hop, interface)?;
    // SAFETY: a live row.
    check("DeleteIpForwardEntry2", unsafe { DeleteIpForwardEntry2(&raw const row) })
}

fn row(prefix: &str, next_hop: &str, interface: &str) -> Outcome<MIB_IPFORWARD_ROW2> {
    let wrong = |text: &str, what| format!("{text}: no {what}");
    let address = |text: &str| text.parse::<IpAddr>().map_err(|_| wrong(text, "IP address"));
    let (destination, length) = prefix.split_once('/').ok_or_else(|| wrong(prefix, "prefix"))?;
    let mut row = MIB_IPFORWARD_ROW2::default();
    // SAFETY: a live row.
    unsafe { InitializeIpForwardEntry(&raw mut row) };
    row.InterfaceIndex = interface.parse().map_err(|_| wrong(interface, "interface index"))?;
    row.DestinationPrefix.Prefix = to_windows(address(destination)?);
    row.DestinationPrefix.PrefixLength = length.parse().map_err(|_| wrong(length, "prefix length"))?;
    row.NextHop = to_windows(address(next_hop)?);
    row.Metric = 10;
    Ok(row)
}
