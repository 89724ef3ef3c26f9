//! Programs that tests start. One that hangs is ended, and its test fails with what it has printed: a test that waits for ever
//! tells nobody why.

#![allow(clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So long a program may say nothing, or take to its end. On a busy machine, too, only a broken one does.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a program to its end, without input, as [`Command::output`] does.
pub(crate) fn output(command: &mut Command) -> Output {
    output_within(command, LIMIT)
}

fn output_within(command: &mut Command, limit: Duration) -> Output {
    let _ = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("starting {command:?}: {error}"));
    let (printed, errors) = (collect(child.stdout.take()), collect(child.stderr.take()));
    let status = wait(&mut child, limit).unwrap_or_else(|| {
        end(&mut child);
        panic!("{command:?} has not ended after {limit:?}:\n{}{}", printed.so_far(), errors.so_far())
    });
    Output { status, stdout: printed.all(), stderr: errors.all() }
}

/// What comes out of a pipe, read by a thread of its own.
struct Collected {
    bytes: Arc<Mutex<Vec<u8>>>,
    thread: std::thread::JoinHandle<()>,
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Collected {
    let mut pipe = pipe.expect("a pipe");
    let bytes = Arc::<Mutex<Vec<u8>>>::default();
    let shared = Arc::clone(&bytes);
    let thread = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = pipe.read(&mut buffer) {
            shared.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..count]);
        }
    });
    Collected { bytes, thread }
}

impl Collected {
    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }

    fn all(self) -> Vec<u8> {
        self.thread.join().expect("reading a pipe");
        std::mem::take(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How it ended; `None` if it has not when the time is over.
fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("asking for a program") {
            return Some(status);
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// A program under way: its lines as they come. Ended when dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
    printed: Vec<String>,
}

impl Running {
    /// Starts it; its input stays open until [`close_input`](Self::close_input).
    pub(crate) fn start(command: &mut Command) -> Self {
        let _ = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("starting {command:?}: {error}"));
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        let _reader = std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, printed: Vec::new() }
    }

    /// The next line; `None` where there are no more.
    fn line_within(&mut self, limit: Duration) -> Option<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => {
                self.printed.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => self.fail("says nothing more", limit),
        }
    }

    fn fail(&mut self, how: &str, limit: Duration) -> ! {
        end(&mut self.child);
        panic!("the program {how} after {limit:?}; it has printed:\n{}", self.printed.join("\n"))
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("asking for a program").is_some()
    }

    pub(crate) fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    pub(crate) fn kill(&mut self) {
        end(&mut self.child);
    }

    /// Closes its input and fails unless it then ends well.
    pub(crate) fn ends(mut self) {
        self.close_input();
        let Some(status) = wait(&mut self.child, LIMIT) else { self.fail("has not ended", LIMIT) };
        assert!(status.success(), "{status}, after:\n{}", self.printed.join("\n"));
    }
}

impl Iterator for Running {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.line_within(LIMIT)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// Both ways fail with what is known, and leave no program behind: once, in a program that has a test for it.
pub(crate) fn check_limits() {
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        let _ = command.args(["-c", script]);
        command
    };
    let message =
        |failed: Box<dyn std::any::Any + Send>| failed.downcast_ref::<String>().cloned().unwrap_or_default();
    let short = Duration::from_millis(200);

    let mut running = Running::start(&mut shell("echo begun; exec sleep 6000"));
    assert_eq!(running.next().as_deref(), Some("begun"));
    let id = running.child.id();
    let hung = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| running.line_within(short)));
    let said = message(hung.expect_err("a program that hangs"));
    assert!(said.contains("says nothing more") && said.ends_with("begun"), "{said}");
    assert!(!std::path::Path::new(&format!("/proc/{id}")).exists(), "still there");

    let hung = std::panic::catch_unwind(|| output_within(&mut shell("exec sleep 6000"), short));
    let said = message(hung.expect_err("a program that hangs"));
    assert!(said.contains("sleep 6000") && said.contains("has not ended"), "{said}");

    let output = output(&mut shell("echo out; echo err >&2; exit 3"));
    assert_eq!(
        (output.status.code(), output.stdout, output.stderr),
        (Some(3), b"out\n".to_vec(), b"err\n".to_vec())
    );
}
