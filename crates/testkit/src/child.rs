//! Tests that need a process of their own: another user namespace, other mounts.

use std::process::Command;

/// Names the test that a child process runs.
const VARIABLE: &str = "IPHELPER_TEST_CHILD";

/// Runs `work` in a child process: this test program again, started by `wrapper` (such as `unshare --net`), with this
/// `test` (its full name) alone. Panics if it fails there.
///
/// The words of `wrapper` are not interpreted; the test program and its arguments are appended to them.
pub fn in_child(test: &str, wrapper: &[&str], work: impl FnOnce()) {
    if std::env::var(VARIABLE).is_ok_and(|running| running == test) {
        return work();
    }
    let (program, arguments) = wrapper.split_first().expect("a wrapper has a first word");
    let this = std::env::current_exe().expect("finding the test program");
    let output = Command::new(program)
        .args(arguments)
        .arg(this)
        .args(["--exact", test, "--nocapture"])
        .env(VARIABLE, test)
        .output()
        .unwrap_or_else(|error| panic!("starting {program}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{test} failed in its child process:\n{printed}\n{errors}");
    assert!(printed.contains("1 passed"), "{test} did not run in its child process:\n{printed}\n{errors}");
}

/// A process that runs one test of this program; killed when dropped.
#[derive(Debug)]
pub struct Child(std::process::Child);

impl Child {
    /// Starts this test program again with this `test` (its full name) alone, in this thread's namespace. The test finds
    /// [`is_child`] to be true there.
    #[must_use]
    pub fn start(test: &str) -> Self {
        let this = std::env::current_exe().expect("finding the test program");
        let mut command = Command::new(this);
        let command = command.args(["--exact", test, "--nocapture"]).env(VARIABLE, test);
        Self(command.spawn().expect("starting the test program again"))
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Kills it (`SIGKILL`) and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.end();
    }
}

/// Whether this process was started by [`Child::start`] for this test.
#[must_use]
pub fn is_child(test: &str) -> bool {
    std::env::var(VARIABLE).is_ok_and(|running| running == test)
}
