//! Compartments (network namespaces): `GetCurrentThreadCompartmentId` and its kin.

use crate::convert::{c_guid, rust_guid};
use crate::error::{Code, Flavour, last_error};
use crate::guard;
use crate::raw::{GUID, HANDLE};
use crate::text;
use iphelper::ErrorKind;
use iphelper::compartment::{self, Compartment, CompartmentId, OpenCompartment};
use std::cell::RefCell;

/// `NET_IF_CURRENT_SESSION`.
const CURRENT_SESSION: u32 = u32::MAX;
/// `NET_IF_COMPARTMENT_SCOPE_UNSPECIFIED`: a thread sees its own compartment alone.
const SCOPE_UNSPECIFIED: u32 = 0;
/// `NET_IF_COMPARTMENT_SCOPE_ALL`.
const SCOPE_ALL: u32 = u32::MAX;
/// `NET_IF_SITEID_UNSPECIFIED`: Linux has no sites.
const SITE_UNSPECIFIED: u32 = 0;
/// More than programs nest.
const MOST_LEFT: usize = 16;
/// `NAME_MAX`: names are files of `ip netns`.
const LONGEST_NAME: usize = 255;

thread_local! {
    /// The compartments that this thread left, the last one at the end: nothing else may keep one that it goes back to.
    static LEFT: RefCell<Vec<OpenCompartment>> = const { RefCell::new(Vec::new()) };
}

/// A number, or `NET_IF_COMPARTMENT_ID_UNSPECIFIED` with the last error.
fn number(work: impl FnOnce() -> Result<CompartmentId, Code>) -> u32 {
    match guard::caught(work, Err(Code::of(ErrorKind::Other))) {
        Ok(id) => id.0,
        Err(code) => {
            last_error::set(code.win32());
            CompartmentId::UNSPECIFIED.0
        }
    }
}

/// `GetCurrentThreadCompartmentId`: where the calling thread is.
#[doc(alias = "GetCurrentThreadCompartmentId")]
pub fn current_thread_compartment_id() -> u32 {
    number(|| Ok(compartment::current_thread_compartment()?))
}

/// `SetCurrentThreadCompartmentId`: moves the calling thread. Every function that it calls from then on acts there.
///
/// `ERROR_INVALID_PARAMETER` for 0, `ERROR_NOT_FOUND` for a compartment that is not known, `ERROR_ACCESS_DENIED`. The last
/// sixteen that a thread left are kept for it, so that it finds back.
#[doc(alias = "SetCurrentThreadCompartmentId")]
pub fn set_current_thread_compartment_id<F: Flavour>(id: u32) -> F::Status {
    guard::status::<F>(|| {
        let id = CompartmentId(id);
        let back = LEFT.try_with(|left| {
            let left = left.borrow();
            left.iter().rev().find(|compartment| compartment.id() == id).map(OpenCompartment::enter)
        });
        let left = match back {
            Ok(Some(entered)) => entered?,
            _ => compartment::set_current_thread_compartment(id)?,
        };
        let _at_its_end = LEFT.try_with(|kept| {
            let mut kept = kept.borrow_mut();
            kept.retain(|compartment| compartment.id() != left.id());
            if kept.len() == MOST_LEFT {
                drop(kept.remove(0));
            }
            kept.push(left);
        });
        Ok(())
    })
}

/// `GetCurrentThreadCompartmentScope`: the thread's own compartment alone, and which that is. NULL is passed over.
#[doc(alias = "GetCurrentThreadCompartmentScope")]
pub unsafe fn current_thread_compartment_scope(scope: *mut u32, id: *mut u32) {
    let current = current_thread_compartment_id();
    for (target, value) in [(scope, SCOPE_UNSPECIFIED), (id, current)] {
        if !target.is_null() {
            // SAFETY: the caller's promise on both pointers.
            unsafe { target.write_unaligned(value) };
        }
    }
}

/// `SetCurrentThreadCompartmentScope`: `NET_IF_COMPARTMENT_SCOPE_UNSPECIFIED`, which holds already. To see all compartments
/// at once is `ERROR_NOT_SUPPORTED`: a Linux thread is in one.
#[doc(alias = "SetCurrentThreadCompartmentScope")]
pub fn set_current_thread_compartment_scope<F: Flavour>(scope: u32) -> F::Status {
    guard::status::<F>(|| match scope {
        SCOPE_UNSPECIFIED => Ok(()),
        SCOPE_ALL => Err(Code::NOT_SUPPORTED),
        _ => Err(Code::INVALID_PARAMETER),
    })
}

/// `GetDefaultCompartmentId`: 1, unless process 1 is hidden.
#[doc(alias = "GetDefaultCompartmentId")]
pub fn default_compartment_id() -> u32 {
    number(|| Ok(compartment::default_compartment()?))
}

/// `GetSessionCompartmentId`: that of the leader of a session (`setsid(2)`), whose process number is the session's.
#[doc(alias = "GetSessionCompartmentId")]
pub fn session_compartment_id(session: u32) -> u32 {
    number(|| session_compartment(session))
}

fn session_compartment(session: u32) -> Result<CompartmentId, Code> {
    let session = (session != CURRENT_SESSION).then_some(session);
    Ok(compartment::session_compartment(session)?)
}

/// `SetSessionCompartmentId`: nothing to do where the session is there. Else `ERROR_NOT_SUPPORTED`: a Linux session has no
/// compartment that its processes would follow: each thread has its own, begins in that of the thread which made it, and is
/// moved by nobody else.
#[doc(alias = "SetSessionCompartmentId")]
pub fn set_session_compartment_id<F: Flavour>(session: u32, id: u32) -> F::Status {
    guard::status::<F>(|| {
        if id == CompartmentId::UNSPECIFIED.0 {
            return Err(Code::INVALID_PARAMETER);
        }
        if session_compartment(session)?.0 == id { Ok(()) } else { Err(Code::NOT_SUPPORTED) }
    })
}

/// `GetJobCompartmentId`: 0 with the last error `ERROR_NOT_SUPPORTED`. Linux has no jobs, and a control group has no
/// network namespace.
#[doc(alias = "GetJobCompartmentId")]
pub fn job_compartment_id(_job: HANDLE) -> u32 {
    number(|| Err(Code::NOT_SUPPORTED))
}

/// `SetJobCompartmentId`: `ERROR_NOT_SUPPORTED`, as [`job_compartment_id`].
#[doc(alias = "SetJobCompartmentId")]
pub fn set_job_compartment_id<F: Flavour>(_job: HANDLE, _id: u32) -> F::Status {
    guard::status::<F>(|| Err(Code::NOT_SUPPORTED))
}

/// `ConvertCompartmentGuidToId`: `ERROR_NOT_FOUND` for the GUID of none that is known.
#[doc(alias = "ConvertCompartmentGuidToId")]
pub unsafe fn compartment_guid_to_id<F: Flavour>(guid: *const GUID, id: *mut u32) -> F::Status {
    guard::status::<F>(|| {
        if guid.is_null() || id.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on both pointers.
        unsafe { id.write_unaligned(CompartmentId::from_guid(rust_guid(guid.read_unaligned()))?.0) };
        Ok(())
    })
}

/// `ConvertCompartmentIdToGuid`: `ERROR_NOT_FOUND` for a compartment that is not known, `ERROR_INVALID_PARAMETER` for 0.
#[doc(alias = "ConvertCompartmentIdToGuid")]
pub unsafe fn compartment_id_to_guid<F: Flavour>(id: u32, guid: *mut GUID) -> F::Status {
    guard::status::<F>(|| {
        if guid.is_null() || id == CompartmentId::UNSPECIFIED.0 {
            return Err(Code::INVALID_PARAMETER);
        }
        let known = find(|compartment| compartment.id.0 == id)?;
        // SAFETY: the caller's promise on `guid`.
        unsafe { guid.write_unaligned(c_guid(known.guid)) };
        Ok(())
    })
}

/// `GetNetworkInformation`: each compartment is one network, named by the compartment's GUID, and by its first name in
/// `ip netns` if it has one. `ERROR_INSUFFICIENT_BUFFER` where the name and a terminator do not fit in `length` characters.
#[doc(alias = "GetNetworkInformation")]
pub unsafe fn network_information<F: Flavour>(
    guid: *const GUID,
    id: *mut u32,
    site: *mut u32,
    name: *mut u16,
    length: u32,
) -> F::Status {
    guard::status::<F>(|| {
        if guid.is_null() || id.is_null() || site.is_null() || name.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on `guid`.
        let wanted = rust_guid(unsafe { guid.read_unaligned() });
        let known = find(|compartment| compartment.guid == wanted)?;
        let units: Vec<u16> = known.names.first().map_or("", String::as_str).encode_utf16().collect();
        // The declaration counts characters (`_Out_writes_`), as those of the interfaces' names do.
        let room = usize::try_from(length).unwrap_or(usize::MAX);
        // SAFETY: the caller's promise: `name` has so many characters; and on the two numbers.
        unsafe {
            if !text::write(name, room, &units) {
                return Err(Code::INSUFFICIENT_BUFFER);
            }
            id.write_unaligned(known.id.0);
            site.write_unaligned(SITE_UNSPECIFIED);
        }
        Ok(())
    })
}

/// `SetNetworkInformation`: gives the network, which is the compartment, a name of `ip netns`; nothing to do where it has it.
///
/// `ERROR_NOT_SUPPORTED` for another compartment than its own, since a network is its compartment, and for another name than
/// the one that it has, which is whoever's gave it. `ERROR_OBJECT_ALREADY_EXISTS` where another compartment has the name.
#[doc(alias = "SetNetworkInformation")]
pub unsafe fn set_network_information<F: Flavour>(guid: *const GUID, id: u32, name: *const u16) -> F::Status {
    guard::status::<F>(|| {
        if guid.is_null() || name.is_null() {
            return Err(Code::INVALID_PARAMETER);
        }
        // SAFETY: the caller's promise on both pointers.
        let (wanted, name) = unsafe { (rust_guid(guid.read_unaligned()), text::read(name, LONGEST_NAME)) };
        let name = name.ok_or(Code::INVALID_PARAMETER)?;
        let name = String::from_utf16(&name).map_err(|_| Code::INVALID_PARAMETER)?;
        let known = find(|compartment| compartment.guid == wanted)?;
        if known.id.0 != id {
            return Err(Code::NOT_SUPPORTED);
        }
        match known.names.first() {
            None if name.is_empty() => Ok(()),
            Some(has) if *has == name => Ok(()),
            None => Ok(OpenCompartment::open(known.id)?.set_name(&name)?),
            Some(_) => Err(Code::NOT_SUPPORTED),
        }
    })
}

fn find(is_meant: impl Fn(&Compartment) -> bool) -> Result<Compartment, Code> {
    compartment::compartments()?.into_iter().find(is_meant).ok_or(Code::NOT_FOUND)
}
