//! Runs `iph` as a user would, in the test's network namespace.
#![allow(dead_code, reason = "each test program uses its part")]

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// What a run of `iph` left behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// The exit code and what was printed, if the code is `expected`.
    #[track_caller]
    pub(crate) fn expect(self, expected: i32) -> Self {
        assert_eq!(self.code, Some(expected), "exit code of {self:#?}");
        self
    }

    /// The answer of a successful run.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        let run = self.expect(0);
        run.stdout
    }

    /// The answer of a successful run as JSON.
    #[track_caller]
    pub(crate) fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).expect("the answer is JSON")
    }

    /// The one line that says why a run failed with `expected`.
    #[track_caller]
    pub(crate) fn message(self, expected: i32) -> String {
        let run = self.expect(expected);
        assert_eq!(run.stdout, "", "a failure has no answer");
        assert_eq!(run.stderr.lines().count(), 1, "one line: {:?}", run.stderr);
        let message = run.stderr.strip_prefix("iph: ").expect("the line begins with the program");
        assert!(!message.starts_with(char::is_uppercase), "lower case: {message}");
        message.trim_end().to_owned()
    }
}

/// `iph` with these arguments, split at white space, in this thread's namespace, with nobody at a terminal.
pub(crate) fn command(arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iph"));
    let _ = command.args(arguments.split_whitespace());
    // The same everywhere: 80 columns, no colour because of the surroundings.
    let _ =
        command.env_clear().env("COLUMNS", "80").env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let _ = command.stdin(Stdio::null());
    command
}

/// Runs `iph`, see [`command`].
pub(crate) fn iph(arguments: &str) -> Run {
    run(&mut command(arguments))
}

/// Runs `iph` without any capability, whoever runs the test: root's own do not survive the bounding set.
pub(crate) fn unprivileged(arguments: &str) -> Run {
    let iph = command(arguments);
    let mut setpriv = Command::new("setpriv");
    let _ =
        setpriv.args(["--bounding-set=-all", "--inh-caps=-all"]).arg(iph.get_program()).args(iph.get_args());
    let _ = setpriv.stdin(Stdio::null());
    run(&mut setpriv)
}

/// Runs a command to its end.
pub(crate) fn run(command: &mut Command) -> Run {
    let output = command.output().expect("starting the program");
    let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs `work` in a namespace and a process of its own: what other tests start would have copies of the sockets until it
/// executes, and is their owner where its number is lower than this program's.
pub(crate) fn as_only_owner(test: &str, work: impl FnOnce() + Send) {
    iphelper_testkit::in_child(test, &["env"], || iphelper_testkit::isolated(work));
}

/// A program at a terminal of its own, 80 columns wide.
pub(crate) struct Terminal {
    controller: File,
    child: Child,
}

impl Terminal {
    /// Starts `command` with a terminal for its three streams.
    pub(crate) fn start(mut command: Command) -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("opening a terminal");
        grantpt(&controller).expect("granting the terminal");
        unlockpt(&controller).expect("unlocking the terminal");
        let name = ptsname(&controller, Vec::new()).expect("naming the terminal");
        let name = Path::new(name.to_str().expect("a plain name")).to_owned();
        let open = || {
            let file = File::options().read(true).write(true).open(&name);
            Stdio::from(file.expect("opening the terminal"))
        };
        let size = rustix::termios::Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&controller, size).expect("sizing the terminal");
        let child = command.env("TERM", "xterm").stdin(open()).stdout(open()).stderr(open()).spawn();
        // The command keeps its side open otherwise, and the terminal would never end.
        drop(command);
        Self { controller: File::from(controller), child: child.expect("starting the program") }
    }

    /// Reads the screen until `text` is on it.
    pub(crate) fn read_until(&mut self, text: &str) -> String {
        let mut screen = Vec::new();
        while !String::from_utf8_lossy(&screen).contains(text) {
            let mut bytes = [0; 4096];
            let len = self.controller.read(&mut bytes).unwrap_or(0);
            assert!(len > 0, "the screen ends without {text:?}: {}", String::from_utf8_lossy(&screen));
            screen.extend_from_slice(bytes.get(..len).expect("read gives no more than there is room"));
        }
        String::from_utf8_lossy(&screen).into_owned()
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        self.controller.write_all(format!("{line}\n").as_bytes()).expect("typing");
    }

    /// Waits for the end; the exit code and the rest of the screen.
    pub(crate) fn finish(mut self) -> (Option<i32>, String) {
        let mut screen = Vec::new();
        // A terminal whose program has gone fails with EIO.
        let _ = self.controller.read_to_end(&mut screen);
        let status = self.child.wait().expect("waiting for the program");
        (status.code(), String::from_utf8_lossy(&screen).into_owned())
    }
}

/// Compares with the file `tests/snapshots/NAME.txt`; with `UPDATE_SNAPSHOTS=1` writes it instead.
#[track_caller]
pub(crate) fn snapshot(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots").join(name).with_extension("txt");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, text).expect("writing the snapshot");
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, expected, "differs from {}; UPDATE_SNAPSHOTS=1 accepts it", path.display());
}

/// A folder that everybody may read, gone when dropped.
#[derive(Debug)]
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let path = iphelper_testkit::new_folder("iph");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&path, mode).expect("opening the folder to everybody");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
