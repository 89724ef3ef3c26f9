//! `GetIpForwardTable2`, `GetIpForwardEntry2`, `InitializeIpForwardEntry`, `CreateIpForwardEntry2`,
//! `SetIpForwardEntry2`, `DeleteIpForwardEntry2`, and the first generation.

pub(crate) mod first_generation;
pub(crate) mod row;

pub use first_generation::{
    create_ip_forward_entry, delete_ip_forward_entry, ip_forward_table, set_ip_forward_entry,
};

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::memory::table;
use crate::raw::{MIB_IPFORWARD_ROW2, MIB_IPFORWARD_TABLE2};
use crate::{guard, host, key, privilege};
use iphelper::route::{RouteQuery, RouteTables};
use iphelper::{ErrorKind, Host};

/// How often a table that changed while it was read is read again.
const ATTEMPTS: usize = 10;

/// `GetIpForwardTable2`: the routes of the main table and of this host's own addresses, IPv4 first.
///
/// A route that leads over no interface, such as an IPv4 blackhole, has LUID and index 0.
#[doc(alias = "GetIpForwardTable2")]
pub unsafe fn ip_forward_table2<F: Flavour>(family: u16, table: *mut *mut MIB_IPFORWARD_TABLE2) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let family = key::families(family)?;
            let query = RouteQuery { family, tables: RouteTables::MainAndLocal, interface: None };
            let host = host::current()?;
            let mut rows: Vec<MIB_IPFORWARD_ROW2> = Vec::new();
            for attempt in 1.. {
                rows.clear();
                // A table of a million routes is there once, as C's rows.
                let failure = host.routes_iter(&query)?.try_for_each(|route| {
                    rows.push(row::of(&route?));
                    Ok(())
                });
                match failure {
                    Err(error)
                        if iphelper::Error::kind(&error) == ErrorKind::Interrupted && attempt < ATTEMPTS => {}
                    done => {
                        done?;
                        break;
                    }
                }
            }
            Ok(rows)
        })
    })
}

/// `GetIpForwardEntry2`: of several routes of this prefix, next hop and interface the one with the lowest metric.
///
/// `ERROR_NOT_FOUND` for no such route, no such interface, and one without the family.
#[doc(alias = "GetIpForwardEntry2")]
pub unsafe fn ip_forward_entry2<F: Flavour>(row: *mut MIB_IPFORWARD_ROW2) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise on `row`.
        let key = unsafe { row::key(row) }?;
        let route = host::current()?.route(&key).map_err(row::code)?;
        // SAFETY: as above; `key` refuses NULL.
        unsafe { gaps::write(row, row::of(&route)) };
        Ok(())
    })
}

/// `InitializeIpForwardEntry`. NULL is left alone.
#[doc(alias = "InitializeIpForwardEntry")]
pub unsafe fn initialize_ip_forward_entry(row: *mut MIB_IPFORWARD_ROW2) {
    if !row.is_null() {
        // SAFETY: the caller's promise on `row`.
        unsafe { gaps::write(row, row::INITIAL) };
    }
}

/// `CreateIpForwardEntry2`: beside all other routes to the destination.
///
/// `ERROR_OBJECT_ALREADY_EXISTS` for one with this prefix, next hop and interface. A Protocol as Initialize leaves it is
/// `MIB_IPPROTO_NETMGMT`; a Metric so is `ERROR_INVALID_PARAMETER`.
#[doc(alias = "CreateIpForwardEntry2")]
pub unsafe fn create_ip_forward_entry2<F: Flavour>(row: *const MIB_IPFORWARD_ROW2) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise on `row`.
        let new = unsafe { row::new(row) };
        let host = host::current()?;
        let _made = host.create_route(&new.map_err(|code| refused(&host, code))?).map_err(row::code)?;
        Ok(())
    })
}

/// `SetIpForwardEntry2`: metric, protocol and lifetime, of exactly the route that is named. Metric and Protocol as
/// Initialize leaves them mean "no change".
#[doc(alias = "SetIpForwardEntry2")]
pub unsafe fn set_ip_forward_entry2<F: Flavour>(row: *const MIB_IPFORWARD_ROW2) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise on `row`.
        let (key, change) = unsafe { (row::key(row)?, row::change(row)) };
        let host = host::current()?;
        let change = change.map_err(|code| refused(&host, code))?;
        let _changes = host.set_route(&key, &change).map_err(row::code)?;
        Ok(())
    })
}

/// `DeleteIpForwardEntry2`: exactly the route of this prefix, next hop and interface.
#[doc(alias = "DeleteIpForwardEntry2")]
pub unsafe fn delete_ip_forward_entry2<F: Flavour>(row: *const MIB_IPFORWARD_ROW2) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise on `row`.
        let key = unsafe { row::key(row) }?;
        let _gone = host::current()?.delete_route(&key).map_err(row::code)?;
        Ok(())
    })
}

/// The code of a row that this host is not asked for.
fn refused(host: &Host, code: Code) -> Code {
    if code == Code::INVALID_PARAMETER { code } else { privilege::or_denied(host, code) }
}
