//! Our headers, as C compilers read them: layouts and constants against Windows' own, every header by itself.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail as tests do"
)]

use std::fmt::Write as _;
use std::path::Path;
use support::{Scratch, compiles, facts, gcc, succeeded};

mod support;

/// A program that fails to compile where a member or a size is another than `facts` says, and checks bit fields when run.
fn layout_program(bits: u32) -> String {
    let mut declarations = String::new();
    let mut checks = String::new();
    let unused = facts(&format!("structs{bits}_headers.tsv"));
    for fact in facts(&format!("structs{bits}.tsv")).into_iter().chain(unused) {
        let [name, member, offset, size, bits] = fact.as_slice() else { panic!("{fact:?}") };
        let assertion = match (member.as_str(), bits.split_once(':')) {
            ("__sizeof__", _) => format!("sizeof({name}) == {size}"),
            ("__alignof__", _) => format!("_Alignof({name}) == {size}"),
            (_, None) => {
                format!("offsetof({name}, {member}) == {offset} && sizeof((({name} *)0)->{member}) == {size}")
            }
            (_, Some((position, width))) => {
                writeln!(
                    checks,
                    "    {{ {name} row; memset(&row, 0, sizeof row); row.{member} = ~0; \
                     wrong += differs(&row, sizeof row, {offset} * 8 + {position}, {width}, \"{name}.{member}\"); }}"
                )
                .unwrap();
                continue;
            }
        };
        writeln!(declarations, "_Static_assert({assertion}, \"{name}.{member}\");").unwrap();
    }
    format!(
        "#include <winsock2.h>\n#include <ws2tcpip.h>\n#include <iphlpapi.h>\n#include <mstcpip.h>\n#include <netiodef.h>\n#include <winternl.h>\n\
         #include <stddef.h>\n{declarations}\n\
         static int differs(void *row, size_t size, size_t position, size_t width, const char *name)\n{{\n\
         \x20   const unsigned char *bytes = row;\n    size_t bit;\n\
         \x20   for (bit = 0; bit < size * 8; bit++)\n\
         \x20       if ((bytes[bit / 8] >> bit % 8 & 1) != (bit >= position && bit < position + width)) {{\n\
         \x20           printf(\"%s: bit %u\\n\", name, (unsigned)bit);\n            return 1;\n        }}\n\
         \x20   return 0;\n}}\n\nint main(void)\n{{\n    int wrong = 0;\n{checks}    return wrong;\n}}\n"
    )
}

fn compile_and_run(source: &Path, program: &Path, options: &[&str]) {
    let mut gcc = gcc();
    // Bit fields take as many bits of ~0 as they have.
    let _ = gcc.args(options).args(["-Wno-overflow"]).arg(source).arg("-o").arg(program);
    let _ = gcc.arg("-Wl,--unresolved-symbols=ignore-all");
    let _ = succeeded(gcc.output().expect("starting gcc"), "compiling");
    let _ = succeeded(support::program::output(&mut std::process::Command::new(program)), "running");
}

#[test]
fn structures_have_windows_layout_on_64_bits() {
    if compiles("gcc", &[], "gcc libc6-dev") {
        let scratch = Scratch::new("layout64");
        let source = scratch.write("layout.c", &layout_program(64));
        compile_and_run(&source, &scratch.path("layout"), &[]);
    }
}

#[test]
fn structures_have_windows_layout_on_32_bits() {
    if compiles("gcc", &["-m32"], "gcc-multilib") {
        let scratch = Scratch::new("layout32");
        let source = scratch.write("layout.c", &layout_program(32));
        compile_and_run(&source, &scratch.path("layout"), &["-m32"]);
    }
}

#[test]
fn constants_have_windows_values() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::new("constants");
    let constants = facts("constants.tsv");
    // What a driver and what a program includes cannot stand in one source where NTSTATUS values meet.
    let mut text = String::from(
        "#include <winsock2.h>\n#include <ws2tcpip.h>\n#include <iphlpapi.h>\n#include <mstcpip.h>\n#include <ntstatus.h>\n\
         int main(void) { return 0; }\n",
    );
    for constant in &constants {
        let [name, value, header] = constant.as_slice() else { panic!("{constant:?}") };
        let line = format!("_Static_assert((long long)({name}) == {value}LL, \"{name} of {header}\");\n");
        text.push_str(&line);
    }
    assert!(constants.len() > 700, "{} constants", constants.len());
    let source = scratch.write("constants.c", &text);
    compile_and_run(&source, &scratch.path("constants"), &[]);
}

#[test]
fn each_constant_is_declared_by_its_header() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::new("constant-headers");
    let constants = facts("constants.tsv");
    let mut headers: Vec<&str> = constants.iter().map(|constant| constant[2].as_str()).collect();
    headers.sort_unstable();
    headers.dedup();
    for header in headers {
        let mut text = format!("#include <windows.h>\n#include <{header}>\nlong long values[] = {{\n");
        for constant in constants.iter().filter(|constant| constant[2] == header) {
            writeln!(text, "    (long long)({}),", constant[0]).unwrap();
        }
        text.push_str("};\n");
        let source = scratch.write("header.c", &text);
        let output = gcc().arg("-c").arg(source).arg("-o").arg(scratch.path("header.o")).output();
        let _ = succeeded(output.expect("starting gcc"), header);
    }
}

#[test]
fn every_header_stands_alone_in_c_and_cpp() {
    let headers = headers(&support::crate_dir().join("include"));
    assert!(headers.len() > 30, "{headers:?}");
    let scratch = Scratch::new("alone");
    for (compiler, name, options, package) in [
        ("gcc", "alone.c", vec!["-fshort-wchar", "-std=c99", "-Wpedantic"], "gcc libc6-dev"),
        ("gcc", "alone.c", vec!["-fshort-wchar", "-std=gnu17", "-DUNICODE"], "gcc libc6-dev"),
        ("gcc", "alone.c", vec!["-fshort-wchar", "-m32"], "gcc-multilib"),
        ("g++", "alone.cc", vec!["-Wpedantic"], "g++"),
        ("clang", "alone.c", vec!["-fshort-wchar"], "clang"),
    ] {
        let target = if options.contains(&"-m32") { &["-m32"][..] } else { &[] };
        if !compiles(compiler, target, package) {
            continue;
        }
        for header in &headers {
            let text = format!("#include <{header}>\n#include <{header}>\nint nothing;\n");
            syntax(compiler, &scratch.write(name, &text), &options, header);
        }
    }
}

#[test]
fn all_headers_stand_together_in_cpp() {
    let folder = support::crate_dir().join("include");
    let scratch = Scratch::new("together");
    let mut text = String::from("#include <winsock2.h>\n#include <ws2tcpip.h>\n");
    // A driver's are the other flavour.
    for header in
        headers(&folder).iter().filter(|name| !["ntddk.h", "wdm.h", "ntifs.h"].contains(&name.as_str()))
    {
        writeln!(text, "#include <{header}>").unwrap();
    }
    // In a block for C, and after the library's own headers, as some programs have them.
    let inside =
        format!("#include <functional>\n#include <iostream>\nextern \"C\" {{\n{text}}}\nint nothing;\n");
    let source = scratch.write("together.cc", &inside);
    for compiler in ["g++", "clang++"] {
        if !compiles(compiler, &[], compiler) {
            continue;
        }
        for options in [
            vec!["-std=c++11"],
            vec!["-std=c++20", "-DUNICODE"],
            vec!["-std=c++17", "-fshort-wchar", "-DIPHELPER_SHORT_WCHAR"],
        ] {
            syntax(compiler, &source, &[&options[..], &["-Wpedantic"]].concat(), "all");
        }
    }
}

/// Standard wide strings have 32 bits, whatever a program is compiled with, and would be overrun.
#[test]
fn short_wide_characters_are_refused_in_cpp() {
    if !compiles("g++", &[], "g++") {
        return;
    }
    let scratch = Scratch::new("short");
    let source = scratch.write("short.cc", "#include <windows.h>\nint nothing;\n");
    let mut command = std::process::Command::new("g++");
    let _ = command.args(["-fshort-wchar", "-fsyntax-only", "-I"]).arg(support::crate_dir().join("include"));
    let output = command.arg(source).output().expect("starting the compiler");
    assert!(!output.status.success());
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("IPHELPER_SHORT_WCHAR"), "{message}");
}

#[test]
fn spellings_of_header_names_lead_to_the_headers() {
    let folder = support::crate_dir().join("include");
    let spellings = headers(&folder.join("spellings"));
    for spelling in &spellings {
        let place = std::fs::canonicalize(folder.join("spellings").join(spelling)).expect(spelling);
        assert_eq!(place, std::fs::canonicalize(folder.join(spelling.to_lowercase())).unwrap());
    }
    for common in
        ["WinSock2.h", "Windows.h", "Ws2tcpip.h", "WS2tcpip.h", "Iphlpapi.h", "IPHlpApi.h", "IcmpAPI.h"]
    {
        assert!(spellings.iter().any(|spelling| spelling == common), "{common}");
    }
}

/// The names of a folder's headers.
fn headers(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the headers");
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| name.to_lowercase().ends_with(".h"));
    names.sort_unstable();
    names
}

/// Compiles without making anything, each warning an error.
fn syntax(compiler: &str, source: &Path, options: &[&str], what: &str) {
    let mut command = std::process::Command::new(compiler);
    let _ = command.args(["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-I"]);
    let _ = command.arg(support::crate_dir().join("include")).args(options).arg(source);
    let output = command.output().expect("starting the compiler");
    let _ = succeeded(output, &format!("{compiler} {what} {options:?}"));
}
