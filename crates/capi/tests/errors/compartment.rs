//! Compartments.

use crate::walk::Walk;
use iphelper_capi::compartment;
use iphelper_capi::error::{NtStatus, Win32, last_error};
use iphelper_capi::raw::GUID;
use iphelper_testkit::{NetNs, eventually, run, unprivileged, with_private_folder};
use std::ptr::{null, null_mut};

/// No page lists codes of these functions: what they say here.
pub(super) fn compartments(walk: &mut Walk) {
    let other = NetNs::new();
    let program = other.run(|| std::process::Command::new("cat").stdin(std::process::Stdio::piped()).spawn());
    let mut program = program.expect("starting cat");
    let there = iphelper::compartment::process_compartment(program.id()).expect("looking at a child").0;
    let here = compartment::current_thread_compartment_id();
    let (mut id, mut site, mut scope) = (0, 9, 9);
    let mut guid = GUID::from_u128(0);
    let mut name = [0_u16; 8];
    let unnamed = [0_u16; 1];
    each(
        walk,
        "SetCurrentThreadCompartmentId",
        ["ERROR_INVALID_PARAMETER", "STATUS_INVALID_PARAMETER"],
        (
            compartment::set_current_thread_compartment_id::<Win32>(0),
            compartment::set_current_thread_compartment_id::<NtStatus>(0),
        ),
    );
    each(
        walk,
        "SetCurrentThreadCompartmentId",
        ["ERROR_NOT_FOUND", "STATUS_NOT_FOUND"],
        (
            compartment::set_current_thread_compartment_id::<Win32>(7),
            compartment::set_current_thread_compartment_id::<NtStatus>(7),
        ),
    );
    unprivileged(|| {
        let code = compartment::set_current_thread_compartment_id::<Win32>(there);
        // Whoever may not look into a process finds no compartment of it.
        assert!(matches!(code, 5 | 1168), "{code}");
        assert_eq!(compartment::set_current_thread_compartment_id::<Win32>(here), 0, "it is there");
    });
    each(
        walk,
        "SetCurrentThreadCompartmentScope",
        ["ERROR_NOT_SUPPORTED", "STATUS_NOT_SUPPORTED"],
        (
            compartment::set_current_thread_compartment_scope::<Win32>(u32::MAX),
            compartment::set_current_thread_compartment_scope::<NtStatus>(u32::MAX),
        ),
    );
    each(
        walk,
        "SetCurrentThreadCompartmentScope",
        ["ERROR_INVALID_PARAMETER", "STATUS_INVALID_PARAMETER"],
        (
            compartment::set_current_thread_compartment_scope::<Win32>(5),
            compartment::set_current_thread_compartment_scope::<NtStatus>(5),
        ),
    );
    assert_eq!(compartment::set_current_thread_compartment_scope::<Win32>(0), 0);
    sessions(walk, here, there);
    each(
        walk,
        "SetJobCompartmentId",
        ["ERROR_NOT_SUPPORTED", "STATUS_NOT_SUPPORTED"],
        (
            compartment::set_job_compartment_id::<Win32>(null_mut(), here),
            compartment::set_job_compartment_id::<NtStatus>(null_mut(), here),
        ),
    );
    assert_eq!((compartment::job_compartment_id(null_mut()), last_error::get()), (0, 50));
    last_error::set(0);
    assert_eq!(
        (compartment::session_compartment_id(program.id()), last_error::get()),
        (0, 1168),
        "leads no session"
    );
    // SAFETY: NULL or live variables.
    unsafe {
        compartment::current_thread_compartment_scope(&raw mut scope, &raw mut id);
        assert_eq!((scope, id), (0, here));
        compartment::current_thread_compartment_scope(null_mut(), null_mut());
        assert_eq!(compartment::compartment_id_to_guid::<Win32>(here, &raw mut guid), 0);
        assert_eq!(compartment::compartment_guid_to_id::<NtStatus>(&raw const guid, &raw mut id), 0);
        assert_eq!(id, here);
    }
    let unknown = GUID::from_u128(1);
    for (guid, id) in [(null(), &raw mut id), (&raw const guid, null_mut())] {
        refused!(walk, "ConvertCompartmentGuidToId", compartment::compartment_guid_to_id(guid, id));
    }
    both!(
        walk,
        "ConvertCompartmentGuidToId",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        compartment::compartment_guid_to_id(&raw const unknown, &raw mut id)
    );
    refused!(walk, "ConvertCompartmentIdToGuid", compartment::compartment_id_to_guid(here, null_mut()));
    refused!(walk, "ConvertCompartmentIdToGuid", compartment::compartment_id_to_guid(0, &raw mut guid));
    both!(
        walk,
        "ConvertCompartmentIdToGuid",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        compartment::compartment_id_to_guid(7, &raw mut guid)
    );
    refused!(
        walk,
        "GetNetworkInformation",
        compartment::network_information(null(), &raw mut id, &raw mut site, name.as_mut_ptr(), 8)
    );
    refused!(
        walk,
        "GetNetworkInformation",
        compartment::network_information(&raw const guid, &raw mut id, null_mut(), name.as_mut_ptr(), 8)
    );
    both!(
        walk,
        "GetNetworkInformation",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        compartment::network_information(
            &raw const unknown,
            &raw mut id,
            &raw mut site,
            name.as_mut_ptr(),
            8
        )
    );
    both!(
        walk,
        "GetNetworkInformation",
        "ERROR_INSUFFICIENT_BUFFER",
        "STATUS_BUFFER_TOO_SMALL",
        compartment::network_information(&raw const guid, &raw mut id, &raw mut site, name.as_mut_ptr(), 0)
    );
    // SAFETY: live variables; the name has room for one character at least.
    let code = unsafe {
        compartment::network_information::<Win32>(
            &raw const guid,
            &raw mut id,
            &raw mut site,
            name.as_mut_ptr(),
            1,
        )
    };
    assert_eq!((code, id, site, name[0]), (0, here, 0, 0));
    refused!(
        walk,
        "SetNetworkInformation",
        compartment::set_network_information(&raw const guid, here, null())
    );
    both!(
        walk,
        "SetNetworkInformation",
        "ERROR_NOT_FOUND",
        "STATUS_NOT_FOUND",
        compartment::set_network_information(&raw const unknown, here, unnamed.as_ptr())
    );
    both!(
        walk,
        "SetNetworkInformation",
        "ERROR_NOT_SUPPORTED",
        "STATUS_NOT_SUPPORTED",
        compartment::set_network_information(&raw const guid, there, unnamed.as_ptr())
    );
    // SAFETY: live variables.
    let code =
        unsafe { compartment::set_network_information::<Win32>(&raw const guid, here, unnamed.as_ptr()) };
    assert_eq!(code, 0, "it is so");
    with_private_folder("/run", || names(walk, here, there));
    let _ = program.kill();
    let _ = program.wait();
}

/// A session is where its leader is, and nowhere else.
fn sessions(walk: &mut Walk, here: u32, there: u32) {
    let mut leader = std::process::Command::new("setsid");
    let mut leader = leader.arg("cat").stdin(std::process::Stdio::piped()).spawn().expect("starting setsid");
    let session = leader.id();
    eventually("it leads a session", || compartment::session_compartment_id(session) == here);
    let set = |session, id| {
        (
            compartment::set_session_compartment_id::<Win32>(session, id),
            compartment::set_session_compartment_id::<NtStatus>(session, id),
        )
    };
    assert_eq!(set(session, here), (0, 0), "it is there");
    let name = "SetSessionCompartmentId";
    each(walk, name, ["ERROR_NOT_SUPPORTED", "STATUS_NOT_SUPPORTED"], set(session, there));
    each(walk, name, ["ERROR_INVALID_PARAMETER", "STATUS_INVALID_PARAMETER"], set(session, 0));
    drop(leader.stdin.take());
    let _ = leader.wait();
    each(walk, name, ["ERROR_NOT_FOUND", "STATUS_NOT_FOUND"], set(session, here));
}

/// Compartments without a name get one, as `ip netns` sees it.
fn names(walk: &mut Walk, here: u32, there: u32) {
    let guid = |id| {
        let mut guid = GUID::from_u128(0);
        // SAFETY: a live variable.
        assert_eq!(unsafe { compartment::compartment_id_to_guid::<Win32>(id, &raw mut guid) }, 0);
        guid
    };
    let set = |id, name: &str| {
        let (guid, name): (_, Vec<u16>) = (guid(id), name.encode_utf16().chain([0]).collect());
        // SAFETY: live variables, and the name ends with a zero.
        unsafe {
            (
                compartment::set_network_information::<Win32>(&raw const guid, id, name.as_ptr()),
                compartment::set_network_information::<NtStatus>(&raw const guid, id, name.as_ptr()),
            )
        }
    };
    assert_eq!(set(here, "blue"), (0, 0), "the second time it has it");
    assert_eq!(run("stat -L -c %i /run/netns/blue").trim(), here.to_string());
    let (mut id, mut site, mut name) = (0, 0, [9_u16; 8]);
    let blue = guid(here);
    for (length, expected) in [(4, 122), (5, 0)] {
        // SAFETY: live variables; the name has room for more characters.
        let code = unsafe {
            compartment::network_information::<Win32>(
                &raw const blue,
                &raw mut id,
                &raw mut site,
                name.as_mut_ptr(),
                length,
            )
        };
        assert_eq!(code, expected, "{length} characters");
    }
    assert_eq!((id, name), (here, [98, 108, 117, 101, 0, 9, 9, 9]), "blue");
    let function = "SetNetworkInformation";
    each(walk, function, ["ERROR_NOT_SUPPORTED", "STATUS_NOT_SUPPORTED"], set(here, "red"));
    each(walk, function, ["ERROR_OBJECT_ALREADY_EXISTS", "STATUS_OBJECTID_EXISTS"], set(there, "blue"));
    each(walk, function, ["ERROR_INVALID_NAME", "STATUS_OBJECT_NAME_INVALID"], set(there, "a/b"));
    let _ = run("ip netns delete blue");
    unprivileged(|| {
        each(walk, function, ["ERROR_ACCESS_DENIED", "STATUS_ACCESS_DENIED"], set(here, "blue"));
    });
    assert!(!std::path::Path::new("/run/netns/blue").exists(), "nothing is left");
}

/// Expects a code of each flavour.
fn each(walk: &mut Walk, name: &'static str, codes: [&'static str; 2], (win32, nt): (u32, i32)) {
    walk.expect(name, codes[0], win32);
    walk.expect(name, codes[1], nt.cast_unsigned());
}
