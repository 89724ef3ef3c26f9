//! What the tests of the C libraries share: the built libraries, C compilers, and the facts.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::panic, reason = "helpers of tests fail as tests do")]

pub(crate) mod program;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{LazyLock, Mutex};

/// The folder of this crate.
pub(crate) fn crate_dir() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The repository's examples.
pub(crate) fn examples() -> PathBuf {
    crate_dir().join("../../examples")
}

/// Both libraries, built from the present source: the folder that they are in.
pub(crate) fn libraries() -> &'static Path {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        // This program is target/PROFILE/deps/NAME.
        let program = std::env::current_exe().expect("finding this program");
        let folder = program.ancestors().nth(2).expect("a test stands in deps").to_owned();
        let mut build = Command::new(env!("CARGO"));
        // As `scripts/test` builds, so that nothing is made again with other features of the same crates: `--examples`
        // takes those of the tests' own dependencies in.
        let _ = build.args(["build", "--quiet", "--workspace", "--all-features", "--lib", "--examples"]);
        let _ = build
            .current_dir(crate_dir())
            .env("CARGO_TARGET_DIR", folder.parent().expect("a folder of profiles"));
        if folder.ends_with("release") {
            let _ = build.arg("--release");
        }
        let _ = succeeded(build.output().expect("starting cargo"), "building the libraries");
        folder
    });
    &BUILT
}

/// What a program printed. Panics with its error output if it failed.
pub(crate) fn succeeded(output: Output, what: &str) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Rows of a file of `tests/facts`, their columns in order.
pub(crate) fn facts(name: &str) -> Vec<Vec<String>> {
    let path = crate_dir().join("tests/facts").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

/// A folder of one test, gone with this value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        Self(iphelper_testkit::new_folder(name))
    }

    /// A folder of a test program's, which its next run uses again: a value that lives until the end is never dropped.
    pub(crate) fn of_target(name: &str) -> Self {
        let path = libraries().join("c-programs").join(name);
        std::fs::create_dir_all(&path).expect("making a folder");
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("writing a file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether `compiler` with `options` makes a program here; if not, says so once, for then a test is skipped.
pub(crate) fn compiles(compiler: &str, options: &[&str], package: &str) -> bool {
    static ASKED: Mutex<Vec<(String, bool)>> = Mutex::new(Vec::new());
    let key = format!("{compiler} {}", options.join(" "));
    let mut asked = ASKED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some((_, answer)) = asked.iter().find(|(known, _)| *known == key) {
        return *answer;
    }
    let scratch = Scratch::new(&format!("compiler-{}", asked.len()));
    let source = scratch.write("empty.c", "#include <stdio.h>\nint main(void) { return puts(\"\") < 0; }\n");
    let made = Command::new(compiler).args(options).arg(source).arg("-o").arg(scratch.path("empty")).output();
    let answer = made.is_ok_and(|output| output.status.success());
    if !answer {
        eprintln!("SKIPPED: {key} makes no programs here (Debian: apt-get install {package})");
    }
    asked.push((key, answer));
    answer
}

/// gcc with our headers, every warning an error.
pub(crate) fn gcc() -> Command {
    let mut gcc = Command::new("gcc");
    let _ = gcc.args(["-Wall", "-Wextra", "-Werror", "-fshort-wchar", "-I"]).arg(crate_dir().join("include"));
    gcc
}

/// Compiles C source to a program that finds our libraries by itself; `options` name them.
pub(crate) fn compile(source: &Path, program: &Path, options: &[&str]) {
    let folder = libraries();
    let mut gcc = gcc();
    let _ = gcc.arg(source).arg("-o").arg(program).arg("-L").arg(folder).args(options);
    let _ = gcc.arg(format!("-Wl,-rpath,{}", folder.display()));
    let _ = succeeded(gcc.output().expect("starting gcc"), &format!("compiling {}", source.display()));
}

/// Everything of these interfaces that a change of an IP interface could write: the kernel's own files, and what `ip`
/// shows of all links.
pub(crate) fn settings(interfaces: &[&str]) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    for folder in ["ipv4/conf", "ipv6/conf", "ipv4/neigh", "ipv6/neigh"] {
        for interface in interfaces {
            let Ok(files) = std::fs::read_dir(format!("/proc/sys/net/{folder}/{interface}")) else {
                continue;
            };
            for file in files {
                let path = file.expect("reading a folder").path();
                // Some cannot be read (stable_secret before it is set).
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let _ = settings.insert(path.display().to_string(), text);
            }
        }
    }
    let _ = settings.insert("links".to_owned(), iphelper_testkit::run("ip -d link show"));
    settings
}
