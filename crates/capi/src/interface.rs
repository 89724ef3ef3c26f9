//! Interfaces at the link layer: `GetIfEntry2`, `GetIfTable2`, the stack tables, and the first generation's
//! `GetIfEntry`, `GetIfTable`, `SetIfEntry`, `GetNumberOfInterfaces`.
#![allow(non_upper_case_globals, reason = "Windows' enumerators in patterns")]

mod first_generation;
mod row;

pub use first_generation::{if_entry, if_table, number_of_interfaces, set_if_entry};
pub(crate) use row::{copy, of as row};

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::memory::table;
use crate::raw::{
    MIB_IF_ROW2, MIB_IF_TABLE2, MIB_IFSTACK_ROW, MIB_IFSTACK_TABLE, MIB_INVERTEDIFSTACK_ROW,
    MIB_INVERTEDIFSTACK_TABLE, MibIfEntryNormal, MibIfEntryNormalWithoutStatistics, MibIfTableNormal,
    MibIfTableNormalWithoutStatistics, MibIfTableRaw,
};
use crate::{guard, host, key};
use iphelper::interface::InterfaceLevel;

/// `GetIfEntry2`.
#[doc(alias = "GetIfEntry2")]
pub unsafe fn if_entry2<F: Flavour>(row: *mut MIB_IF_ROW2) -> F::Status {
    // SAFETY: the caller's promise on `row`.
    unsafe { if_entry2_ex::<F>(MibIfEntryNormal, row) }
}

/// `GetIfEntry2Ex`. `ERROR_INVALID_PARAMETER` for a level that the enumeration does not have.
#[doc(alias = "GetIfEntry2Ex")]
pub unsafe fn if_entry2_ex<F: Flavour>(level: i32, row: *mut MIB_IF_ROW2) -> F::Status {
    guard::status::<F>(|| {
        if row.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        let level = match level {
            MibIfEntryNormal => InterfaceLevel::Normal,
            MibIfEntryNormalWithoutStatistics => InterfaceLevel::NormalWithoutStatistics,
            _ => return Err(Code::INVALID_PARAMETER),
        };
        // SAFETY: the caller's promise on `row`; the rest of the row need not be initialised, so only keys are read.
        let (luid, index) = unsafe {
            (
                (&raw const (*row).InterfaceLuid).read_unaligned(),
                (&raw const (*row).InterfaceIndex).read_unaligned(),
            )
        };
        let interface = host::current()?.interface(key::interface(luid, index)?, level)?;
        // SAFETY: the caller's promise on `row`.
        unsafe { gaps::write(row, row::of(&interface)) };
        Ok(())
    })
}

/// `GetIfTable2`.
#[doc(alias = "GetIfTable2")]
pub unsafe fn if_table2<F: Flavour>(table: *mut *mut MIB_IF_TABLE2) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    unsafe { if_table2_ex::<F>(MibIfTableNormal, table) }
}

/// `GetIfTable2Ex`. `ERROR_INVALID_PARAMETER` for a level that the enumeration does not have.
#[doc(alias = "GetIfTable2Ex")]
pub unsafe fn if_table2_ex<F: Flavour>(level: i32, table: *mut *mut MIB_IF_TABLE2) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, None, || {
            let level = match level {
                MibIfTableNormal => InterfaceLevel::Normal,
                MibIfTableRaw => InterfaceLevel::Raw,
                MibIfTableNormalWithoutStatistics => InterfaceLevel::NormalWithoutStatistics,
                _ => return Err(Code::INVALID_PARAMETER),
            };
            Ok(host::current()?.interfaces(level)?.iter().map(row::of).collect())
        })
    })
}

/// `GetIfStackTable`, ordered by the higher interface. `ERROR_NOT_FOUND` where no interface stands on another.
#[doc(alias = "GetIfStackTable")]
pub unsafe fn if_stack_table<F: Flavour>(table: *mut *mut MIB_IFSTACK_TABLE) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let stack = host::current()?.interface_stack()?;
            Ok(stack
                .iter()
                .map(|entry| MIB_IFSTACK_ROW {
                    HigherLayerInterfaceIndex: entry.higher.0,
                    LowerLayerInterfaceIndex: entry.lower.0,
                })
                .collect())
        })
    })
}

/// `GetInvertedIfStackTable`, ordered by the lower interface. `ERROR_NOT_FOUND` where no interface stands on another.
#[doc(alias = "GetInvertedIfStackTable")]
pub unsafe fn inverted_if_stack_table<F: Flavour>(table: *mut *mut MIB_INVERTEDIFSTACK_TABLE) -> F::Status {
    // SAFETY: the caller's promise on `table`.
    guard::status::<F>(|| unsafe {
        table::answer(table, Some(Code::NOT_FOUND), || {
            let mut stack = host::current()?.interface_stack()?;
            stack.sort_unstable_by_key(|entry| (entry.lower, entry.higher));
            Ok(stack
                .iter()
                .map(|entry| MIB_INVERTEDIFSTACK_ROW {
                    LowerLayerInterfaceIndex: entry.lower.0,
                    HigherLayerInterfaceIndex: entry.higher.0,
                })
                .collect())
        })
    })
}
