//! The installed form: a program is compiled with what pkg-config says, and finds its library by the soname.

use std::process::Command;
use support::{Scratch, compiles, crate_dir, libraries, succeeded};

mod support;

iphelper_testkit::private_user_namespace!();

#[test]
fn a_program_is_compiled_and_run_with_the_installed_libraries() {
    if !compiles("gcc", &[], "gcc libc6-dev") {
        return;
    }
    let scratch = Scratch::new("install");
    let prefix = scratch.path("usr");
    let prefix = prefix.to_str().expect("a path in ASCII");
    let mut install = Command::new(crate_dir().join("install.sh"));
    let _ =
        install.arg("--libraries").arg(libraries()).arg(prefix).env("LIBDIR", "lib64").env_remove("DESTDIR");
    let _ = succeeded(install.output().expect("starting the script"), "installing");

    let installed =
        |path: &str| std::fs::metadata(format!("{prefix}/{path}")).is_ok_and(|file| file.is_file());
    for file in [
        "lib64/libnetio.so",
        "lib64/libiphlpapi.so.1",
        "lib64/pkgconfig/netio.pc",
        "include/iphelper/windows.h",
        "include/iphelper/Iphlpapi.h",
        "include/iphelper/WinSock2.h",
    ] {
        assert!(installed(file), "{file}");
    }
    let flags = |library: &str| {
        let mut ask = Command::new("pkg-config");
        let _ = ask
            .args(["--cflags", "--libs", library])
            .env("PKG_CONFIG_PATH", format!("{prefix}/lib64/pkgconfig"));
        match ask.output() {
            Ok(output) => {
                succeeded(output, "pkg-config").split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            }
            Err(_) => {
                eprintln!(
                    "pkg-config is not here (Debian: apt-get install pkg-config): its file is read instead"
                );
                let file = std::fs::read_to_string(format!("{prefix}/lib64/pkgconfig/{library}.pc"))
                    .expect("the file");
                assert!(file.contains(&format!("prefix={prefix}\n")) && !file.contains('@'), "{file}");
                let include = format!("-I{prefix}/include/iphelper");
                [include.as_str(), "-fshort-wchar", &format!("-L{prefix}/lib64"), &format!("-l{library}")]
                    .map(str::to_owned)
                    .into()
            }
        }
    };
    let run = |source: &str, library: &str| {
        let program = scratch.path(library);
        let mut gcc = Command::new("gcc");
        let _ = gcc
            .args(["-Wall", "-Wextra", "-Werror"])
            .arg(source)
            .arg("-o")
            .arg(&program)
            .args(flags(library));
        let _ = succeeded(gcc.output().expect("starting gcc"), source);
        let mut command = Command::new(program);
        let _ = command.env("LD_LIBRARY_PATH", format!("{prefix}/lib64"));
        iphelper_testkit::isolated(|| succeeded(support::program::output(&mut command), source))
    };
    let table = crate_dir().join("tests/c/ip_interface_table.c");
    let printed = run(table.to_str().expect("a path in ASCII"), "iphlpapi");
    assert!(printed.starts_with("ipv4 1 lo type 24 "), "{printed}");
    let spelled = scratch.write(
        "spelled.c",
        "#include <WinSock2.h>\n#include <Windows.h>\n#include <WS2tcpip.h>\n#include <IPHlpApi.h>\n\
         int main(void) { printf(\"%ls\\n\", L\"capitals\"); return 0; }\n",
    );
    assert_eq!(run(spelled.to_str().expect("a path in ASCII"), "iphlpapi"), "capitals\n");
    let cpp = std::fs::read_to_string(format!("{prefix}/lib64/pkgconfig/iphlpapi-c++.pc")).expect("the file");
    assert!(cpp.contains("Name: iphlpapi-c++\n") && !cpp.contains("short-wchar"), "{cpp}");
    assert!(cpp.contains("-liphlpapi\n") && cpp.contains("Cflags: -I${includedir}\n"), "{cpp}");
    let driver = scratch.write(
        "driver.c",
        "#include <ntddk.h>\n#include <netioapi.h>\n#include <iphelper_stdio.h>\n\
         int main(void) { printf(\"%08lX\\n\", GetIfTable2(NULL)); return 0; }\n",
    );
    assert_eq!(run(driver.to_str().expect("a path in ASCII"), "netio"), "C000000D\n");
}

#[test]
fn a_prefix_is_absolute() {
    for arguments in [&[][..], &["usr"], &["--libraries", "/tmp"]] {
        let output = Command::new(crate_dir().join("install.sh"))
            .args(arguments)
            .output()
            .expect("starting the script");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}
