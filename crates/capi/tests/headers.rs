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
    let _ = succeeded(std::process::Command::new(program).output().expect("starting the program"), "running");
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
    let headers = std::fs::read_dir(support::crate_dir().join("include")).expect("the headers");
    let headers: Vec<String> =
        headers.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(headers.len() > 30, "{headers:?}");
    let scratch = Scratch::new("alone");
    for (compiler, name, options, package) in [
        ("gcc", "alone.c", vec!["-std=c99", "-Wpedantic"], "gcc libc6-dev"),
        ("gcc", "alone.c", vec!["-std=gnu17", "-DUNICODE"], "gcc libc6-dev"),
        ("gcc", "alone.c", vec!["-m32"], "gcc-multilib"),
        ("g++", "alone.cc", vec!["-Wpedantic"], "g++"),
    ] {
        let target = if options.contains(&"-m32") { &options[..] } else { &[] };
        if !compiles(compiler, target, package) {
            continue;
        }
        for header in &headers {
            let source =
                scratch.write(name, &format!("#include <{header}>\n#include <{header}>\nint nothing;\n"));
            let mut command = std::process::Command::new(compiler);
            let _ = command.args(["-Wall", "-Wextra", "-Werror", "-fshort-wchar", "-O1", "-I"]);
            let _ = command.arg(support::crate_dir().join("include")).args(&options).arg("-c").arg(source);
            let _ = command.arg("-o").arg(scratch.path("alone.o"));
            let _ =
                succeeded(command.output().expect("starting the compiler"), &format!("{header} {options:?}"));
        }
    }
}
