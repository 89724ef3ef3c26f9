//! The symbols of the built libraries: those of `exports.def` and no others, versioned, so that both libraries may live
//! in one process.
#![allow(clippy::panic, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use std::collections::BTreeSet;
use std::process::Command;
use support::program::output;
use support::{Scratch, compile, compiles, crate_dir, facts, libraries, succeeded};

mod support;

iphelper_testkit::private_user_namespace!();

/// What a library's `exports.def` names.
fn declared(library: &str) -> BTreeSet<String> {
    let path = crate_dir().join(library).join("exports.def");
    let text = std::fs::read_to_string(path).expect("reading exports.def");
    let names: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "EXPORTS")
        .skip(1)
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with(';'))
        .collect();
    assert!(names.is_sorted(), "{library}: names are in order");
    let set: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(set.len(), names.len(), "{library}: each name stands once");
    set
}

/// `nm -D` of a library: names with their versions.
fn exported(library: &str) -> BTreeSet<String> {
    let file = libraries().join(format!("lib{library}.so"));
    let output = Command::new("nm").args(["-D", "--defined-only"]).arg(file).output().expect("starting nm");
    succeeded(output, "nm")
        .lines()
        .map(|line| line.split_whitespace().skip(1).collect::<Vec<_>>())
        // `A` is the version itself.
        .filter(|words| words[0] != "A")
        .map(|words| words[1].to_owned())
        .collect()
}

#[test]
fn each_library_exports_what_its_list_names_with_its_version() {
    for library in ["iphlpapi", "netio"] {
        let expected: BTreeSet<String> =
            declared(library).iter().map(|name| format!("{name}@@lib{library}.so.1")).collect();
        assert_eq!(exported(library), expected, "{library}");
    }
}

#[test]
fn the_drivers_functions_are_among_those_of_programs() {
    assert!(declared("netio").is_subset(&declared("iphlpapi")));
}

/// What headers hide behind other names, and functions of `windows.h`.
const BEYOND_THE_REFERENCE: [&str; 33] = [
    "CloseHandle",
    "CreateEventA",
    "CreateEventW",
    "CreateThread",
    "FormatMessageA",
    "FormatMessageW",
    "GetExitCodeThread",
    "GetLastError",
    "GetOverlappedResult",
    "GetOverlappedResultEx",
    "LocalAlloc",
    "LocalFree",
    "RegisterWaitForSingleObject",
    "ResetEvent",
    "SetEvent",
    "SetLastError",
    "Sleep",
    "SleepEx",
    "UnregisterWait",
    "UnregisterWaitEx",
    "WaitForMultipleObjects",
    "WaitForMultipleObjectsEx",
    "WaitForSingleObject",
    "WaitForSingleObjectEx",
    "iphelper_if_indextoname",
    "iphelper_if_nametoindex",
    "DeleteCriticalSection",
    "EnterCriticalSection",
    "InitializeCriticalSection",
    "InitializeCriticalSectionAndSpinCount",
    "InitializeCriticalSectionEx",
    "LeaveCriticalSection",
    "TryEnterCriticalSection",
];

#[test]
fn every_function_of_the_reference_is_there_and_its_state_is_documented() {
    let exported = declared("iphlpapi");
    let reference = facts("reference.tsv");
    assert_eq!(reference.len(), 215);
    let page = std::fs::read_to_string(crate_dir().join("../../docs/windows-compatibility.md"))
        .expect("the page of functions");
    for row in &reference {
        let [name, _, state, _] = row.as_slice() else { panic!("{row:?}") };
        let symbol = if name.starts_with("if_") { format!("iphelper_{name}") } else { name.clone() };
        assert!(exported.contains(&symbol), "{name} is not exported");
        assert!(["works", "not supported", "no effect"].contains(&state.as_str()), "{name}: {state}");
        // The page names the two widths of a function once.
        let base = name.strip_suffix(['A', 'W']).unwrap_or(name);
        let base = if base.starts_with("Rtl") { base.strip_suffix("Ex").unwrap_or(base) } else { base };
        assert!(page.contains(base), "{name} is not in windows-compatibility.md");
    }
    let known: BTreeSet<String> = reference.iter().map(|row| row[0].clone()).collect();
    let beyond: Vec<&String> = exported
        .iter()
        .filter(|name| !known.contains(*name) && !BEYOND_THE_REFERENCE.contains(&name.as_str()))
        .collect();
    assert!(beyond.is_empty(), "of no reference: {beyond:?}");
}

/// No test through C shows the effect of these: why, and what shows it else.
const NO_PROOF: [(&str, &str); 1] = [(
    "CaptureInterfaceHardwareCrossTimestamp",
    "needs a network card with a clock, which no namespace of a test can have; without one it is refused \
     (errors/timestamp.rs), and what is read is written as src/timestamp.rs tests",
)];

/// A state is no better than the test behind it: each row names the file where the function is called for what it does.
#[test]
fn every_state_has_a_test_that_shows_it() {
    let tests = crate_dir().join("tests");
    let read = |path: &str| {
        std::fs::read_to_string(tests.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    };
    let exports = std::fs::read_to_string(crate_dir().join("src/exports.rs")).expect("the exports");
    let runners: String = std::fs::read_dir(&tests)
        .expect("the tests")
        .map(|entry| entry.expect("a test").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| std::fs::read_to_string(path).expect("a test"))
        .collect();
    let mut unproved = Vec::new();
    for row in facts("reference.tsv") {
        let [name, _, state, proof] = row.as_slice() else { panic!("{row:?}") };
        if proof == "-" {
            unproved.push(name.clone());
            continue;
        }
        let text = read(proof);
        // What the export calls, as Rust tests name it.
        let symbol = if name.starts_with("if_") { format!("iphelper_{name}(") } else { format!(" {name}(") };
        let target = exports.split_once(symbol.as_str()).expect(name).1.split_once("= ").expect(name).1;
        let target = target.split([';', '<']).next().unwrap_or_default().trim_end_matches("::").trim();
        let function = target.rsplit("::").next().unwrap_or_default();
        assert!(
            text.contains(name.as_str()) || text.contains(function),
            "{name} ({function}) is not in {proof}"
        );
        if let Some(program) = proof.strip_prefix("c/") {
            let stem = program.trim_end_matches(".c");
            assert!(
                runners.contains(&format!("\"{stem}\"")) || runners.contains(program),
                "nobody runs {program}"
            );
        }
        let refused = proof.starts_with("errors/");
        match state.as_str() {
            "not supported" => assert!(refused && text.contains("ERROR_NOT_SUPPORTED"), "{name}"),
            "no effect" => assert!(refused, "{name}"),
            _ => {}
        }
    }
    assert_eq!(unproved, NO_PROOF.map(|(name, _)| name.to_owned()));
}

#[test]
fn the_headers_declare_every_export() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::new("declared");
    for (library, first) in [
        (
            "iphlpapi",
            "#include <winsock2.h>\n#include <iphlpapi.h>\n#include <icmpapi.h>\n#include <ip2string.h>",
        ),
        ("netio", "#include <ntddk.h>"),
    ] {
        let addresses: String =
            declared(library).iter().map(|name| format!("    (void *)(size_t){name},\n")).collect();
        let text = format!(
            "{first}\n#include <netioapi.h>\nvoid *const exports[] = {{\n{addresses}}};\n\
             int main(void) {{ return exports[0] == NULL; }}\n"
        );
        let program = scratch.path(library);
        compile(&scratch.write("declared.c", &text), &program, &[&format!("-l{library}")]);
        let _ = succeeded(output(&mut Command::new(&program)), library);
    }
}

#[test]
fn no_function_of_the_c_library_is_replaced() {
    for library in ["iphlpapi", "netio"] {
        for name in ["if_nametoindex", "if_indextoname", "socket", "connect", "free"] {
            assert!(!declared(library).contains(name), "{library}: {name}");
        }
    }
}

#[test]
fn each_library_has_its_soname_and_binds_its_own_symbols() {
    for library in ["iphlpapi", "netio"] {
        let file = libraries().join(format!("lib{library}.so"));
        let output = Command::new("readelf").args(["-d", "-W"]).arg(file).output().expect("starting readelf");
        let dynamic = succeeded(output, "readelf");
        assert!(dynamic.contains(&format!("soname: [lib{library}.so.1]")), "{dynamic}");
        assert!(dynamic.contains("SYMBOLIC") && dynamic.contains("NODELETE"), "{dynamic}");
    }
}

#[test]
fn both_libraries_live_in_one_process() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::new("both");
    let sources = crate_dir().join("tests/c");
    let part = scratch.path("libpart.so");
    compile(&sources.join("both_driver.c"), &part, &["-shared", "-fPIC", "-lnetio"]);
    // Whichever library the loader meets first.
    let part = part.to_str().expect("a path in ASCII");
    for order in [[part, "-liphlpapi"], ["-liphlpapi", part], [part, "-lnetio"]] {
        let program = scratch.path("program");
        compile(&sources.join("both_program.c"), &program, &[order[0], order[1], "-ldl", "-liphlpapi"]);
        let printed = succeeded(output(&mut Command::new(&program)), "calling both");
        let linked =
            if order[1] == "-lnetio" { "linked 3221226021 0xC0000225" } else { "linked 2 0xC0000225" };
        assert_eq!(printed, format!("{linked}\nopened 2 0xC0000225\n"), "{order:?}");
    }
}
