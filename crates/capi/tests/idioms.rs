//! What Windows programs do beside calling IP Helper, and our headers do for them: printing, 16-bit strings, sockets,
//! events. The programs are compiled for Windows, too, where that compiler is.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use iphelper_testkit::isolated;
use std::process::Command;
use support::program::output;
use support::{Scratch, compile, compiles, crate_dir, succeeded};

mod support;

iphelper_testkit::private_user_namespace!();

/// What a program prints in a namespace of its own, compiled plain and optimised; `None` without a compiler.
fn printed(name: &str) -> Option<String> {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return None;
    }
    let scratch = Scratch::new(name);
    let source = crate_dir().join(format!("tests/c/{name}.c"));
    let windows = "x86_64-w64-mingw32-gcc";
    if compiles(windows, &[], "gcc-mingw-w64-x86-64-win32") {
        let mut command = Command::new(windows);
        // Its idea of formats is that of another compiler.
        let _ = command.args(["-Wall", "-Wextra", "-Werror", "-Wno-format"]).arg(&source).arg("-o");
        let _ = command.arg(scratch.path("windows.exe")).args(["-liphlpapi", "-lws2_32", "-lole32"]);
        let _ = succeeded(command.output().expect("starting the compiler"), name);
    }
    let run = |options: &[&str]| {
        let program = scratch.path(name);
        compile(&source, &program, &[options, &["-liphlpapi"]].concat());
        isolated(|| succeeded(output(&mut Command::new(&program)), name))
    };
    let plain = run(&["-O0", "-g"]);
    assert_eq!(run(&["-O2", "-D_FORTIFY_SOURCE=2"]), plain);
    let sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover"];
    if compiles("gcc", &sanitizers, "libasan8 libubsan1") {
        assert_eq!(run(&sanitizers), plain);
    }
    Some(plain)
}

#[test]
fn printf_reads_formats_as_windows_does() {
    let Some(printed) = printed("text") else { return };
    let expected = "\
4000000000 -5 ee6b2800 EE6B2800 1099511627776 -1 10000000000
1 -25536 1|   42|42   |00042|+42|beef|10
1.50|   3.142|1.234568e+04|0.0001|2
text|   ab|ab   |ab|x|%
   7|7   |ab
wïde|漢字|ws|ab|     ä|ö
wïde|ls|hs|S|4000000000|ü
€ and 😀
7 wide-12 7
10 10
1 0 0
-b-c -c b-c
31 -12 77
4 eth0
5 wlan0
wider wid
5 6 höhe
0 122
";
    assert_eq!(printed, expected);
}

#[test]
fn sockets_have_windows_families_and_codes() {
    let Some(printed) = printed("sockets") else { return };
    assert_eq!(printed, "fe80::1 fe80::1 127.0.0.1 4444 01020304 1\nIPv6 ::1 1\nIPv4 127.0.0.1 1\n");
}

#[test]
fn a_callback_sets_an_event() {
    let Some(printed) = printed("events") else { return };
    assert_eq!(printed, "258 0\n0\n258 0\n258\n0\n2 2 7 8\n");
}

#[test]
fn threads_share_by_critical_sections() {
    let Some(printed) = printed("locks") else { return };
    assert_eq!(printed, "0 80000 1 0 1\n");
}

#[test]
fn locks_clocks_names_and_texts_come_with_windows_h() {
    let Some(printed) = printed("helpers") else { return };
    let expected = "\
80000 80000 1 0
0 1 1
0 1 0 0 1460 1 7
1 6 6 9 0 6 2 10 1 1
0 1 1 1 127 1 1 126
0 16 c0000201 80 0 192.0.2.1:80 13 0 3 53 0 [fe80::1%3]:53 15 -1 10014 -1 10022
0 1 {01020304-0506-0708-090A-0B0C0D0E0F10} 1 1 0 1 1
997 1 0 0 1168
";
    assert_eq!(printed, expected);
}

#[test]
fn times_and_guids_come_with_windows_h() {
    let Some(printed) = printed("time") else { return };
    let expected = "\
1601-01-01 1 00:00:00.000
1970-01-01 4 00:00:00.000
2000-02-29 2 23:59:59.999
2024-02-29 4 00:00:00.000
2024-03-01 5 00:00:00.123
30828-09-14 4 02:48:05.477
87
1
1 1
39 {01020304-0506-0708-090A-0B0C0D0E0F10}
";
    assert_eq!(printed, expected);
}

#[test]
fn wmain_gets_wide_arguments() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::new("wmain");
    let source = scratch.write(
        "wmain.c",
        "#include <windows.h>\nint __cdecl wmain(int argc, WCHAR **argv)\n{\n    int i;\n\
         \x20   for (i = 1; i < argc; i++)\n        wprintf(L\"%s %u\\n\", argv[i], (unsigned)wcslen(argv[i]));\n\
         \x20   return argv[argc] != NULL;\n}\n",
    );
    let program = scratch.path("wmain");
    compile(&source, &program, &["-liphlpapi"]);
    let printed = output(Command::new(&program).args(["höhe0", "😀", ""]));
    assert_eq!(succeeded(printed, "wmain"), "höhe0 5\n😀 2\n 0\n");
}

#[test]
fn the_documentation_s_program_compiles_and_runs() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let document = std::fs::read_to_string(crate_dir().join("../../docs/c-api.md")).unwrap();
    let program = document.split("```c\n").nth(1).unwrap().split("```").next().unwrap();
    let scratch = Scratch::new("documentation");
    let source = scratch.write("interfaces.c", program);
    let program = scratch.path("interfaces");
    compile(&source, &program, &["-liphlpapi"]);
    let printed = isolated(|| succeeded(output(&mut Command::new(&program)), "the documentation's program"));
    assert_eq!(printed, "1 MTU 65536\n1 MTU 65536\n");
}

#[test]
fn cpp_programs_have_the_whole_library_beside_the_headers() {
    if !compiles("g++", &[], "g++") {
        return;
    }
    let scratch = Scratch::new("names");
    let include = crate_dir().join("include");
    let libraries = support::libraries();
    for standard in ["-std=c++17", "-std=c++20"] {
        let program = scratch.path("names");
        let mut command = Command::new("g++");
        let _ = command.args(["-Wall", "-Wextra", "-Wpedantic", "-Werror", standard, "-I"]).arg(&include);
        let _ = command.arg("-I").arg(include.join("spellings")).arg(crate_dir().join("tests/c/names.cc"));
        let _ = command.arg("-o").arg(&program).arg("-L").arg(libraries).arg("-liphlpapi");
        let _ = command.arg(format!("-Wl,-rpath,{}", libraries.display()));
        let _ = succeeded(command.output().expect("starting the compiler"), "names.cc");
        let printed = isolated(|| {
            let _ = iphelper_testkit::run("ip link set lo up");
            succeeded(output(&mut Command::new(&program)), "names.cc")
        });
        assert_eq!(printed, "3 4 5 2 4294967295\n2 lo 1\n00 23 0\n0\n", "{standard}");
    }
}
