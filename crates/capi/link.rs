//! How the shared libraries are linked; the build script of both.
//!
//! Both may live in one process and export the same names with different return values, so:
//!
//! - each symbol carries its library's name as a version (`GetIfEntry2@@libnetio.so.1`), and a program keeps to the
//!   library that it was linked with;
//! - what a library calls of itself is bound inside it (`-Bsymbolic`);
//! - a library stays until the process ends (`nodelete`), for its threads may be inside it.
//!
//! rustc passes its own list of exports as a version script without a name, which no second script may join. GNU ld
//! makes versions without one, `--default-symver`; LLVM's linker, rustc's default on some targets, does not.

use std::path::Path;

/// Goes up when a program that was linked before would not work any more. Windows' declarations do not change.
const ABI: u32 = 1;

fn main() {
    println!("cargo::rerun-if-changed=../link.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let name = std::env::var("CARGO_PKG_NAME").expect("cargo names the package");
    let soname = format!("lib{name}.so.{ABI}");
    for argument in [
        "-fuse-ld=bfd",
        &format!("-Wl,-soname,{soname}"),
        "-Wl,--default-symver",
        "-Wl,-Bsymbolic",
        "-Wl,-z,nodelete",
    ] {
        println!("cargo::rustc-cdylib-link-arg={argument}");
    }
    // A program finds its library by the soname, also one that is run against `target/release`.
    let out = std::env::var("OUT_DIR").expect("cargo gives a directory");
    if let Some(profile) = Path::new(&out).ancestors().nth(3) {
        let link = profile.join(soname);
        if !link.is_symlink() {
            // Somebody else may have made it meanwhile; without it, only such a program misses something.
            let _made = std::os::unix::fs::symlink(format!("lib{name}.so"), link);
        }
    }
}
