//! Starts a keeper for a caller who allows it.

use super::super::LinuxHost;
use super::super::privilege::has_more_rights_than_its_caller;
use super::super::thread::start_thread;
use crate::error::{Error, ErrorKind, Result};
use crate::keeper::{KeeperOptions, KeeperStart};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

const OPERATION: &str = "starting a keeper";
/// How long a keeper may take until it has its place.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(5);
/// Where systemd's program is, whatever the caller's `PATH` says.
const SYSTEMCTL: [&str; 2] = ["/usr/bin/systemctl", "/bin/systemctl"];

/// Starts one unless one runs; whether it did.
pub(super) fn ensure(host: &LinuxHost, start: &KeeperStart) -> Result<bool> {
    host.require_administrator(OPERATION)?;
    if host.is_kept()? == Some(true) {
        return Ok(false);
    }
    if has_more_rights_than_its_caller() {
        return Err(Error::new(ErrorKind::AccessDenied, OPERATION)
            .because("this program has more rights than who started it, and starts no other"));
    }
    match start {
        KeeperStart::Program { path, options } => run(host, path, options),
        KeeperStart::Unit(unit) => start_unit(host, unit),
    }
}

fn run(host: &LinuxHost, path: &Path, options: &KeeperOptions) -> Result<bool> {
    if !path.is_absolute() {
        return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
            .because(format!("{} is no absolute path", path.display())));
    }
    let mut command = Command::new(path);
    let _ = command.arg("keeper").arg("--status-directory").arg(&options.status_directory);
    let mut child = host.namespace.run(|| spawn(&mut command))??;
    let done = wait(host, &mut child);
    if matches!(&done, Err(error) if error.kind() == ErrorKind::TimedOut) {
        let _ = child.kill();
    }
    // Nobody else waits for it, and it shall not stay in the list of processes when it ends.
    let reaper = start_thread("iphelper-reaper", move || drop(child.wait()));
    done.and_then(|started| reaper.map(|_| started))
}

fn spawn(command: &mut Command) -> Result<Child> {
    let command = command.env_clear().current_dir("/").process_group(0);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().map_err(|error| {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::AccessDenied,
            _ => ErrorKind::Other,
        };
        let program = command.get_program().to_string_lossy().into_owned();
        let refused = Error::new(kind, OPERATION).because(format!("running {program}: {error}"));
        match error.raw_os_error() {
            Some(errno) => refused.with_errno(errno),
            None => refused,
        }
    })
}

/// Waits until a keeper has its place; whether it is the one that was started.
fn wait(host: &LinuxHost, child: &mut Child) -> Result<bool> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let ended = child.try_wait().map_err(|error| {
            Error::new(ErrorKind::Other, OPERATION).because(format!("waiting for it: {error}"))
        })?;
        let runs = host.is_kept()? == Some(true);
        match (runs, ended) {
            // Somebody else's was quicker, if this one has ended.
            (true, ended) => return Ok(ended.is_none()),
            (false, Some(status)) => return Err(ended_early("the keeper", status)),
            (false, None) if Instant::now() >= deadline => {
                return Err(Error::new(ErrorKind::TimedOut, OPERATION).because("it does not work after 10 s"));
            }
            (false, None) => std::thread::sleep(PAUSE),
        }
    }
}

fn start_unit(host: &LinuxHost, unit: &str) -> Result<bool> {
    let may_be_in_a_name = |c: char| c.is_ascii_alphanumeric() || "-_.:@\\".contains(c);
    if unit.is_empty() || unit.starts_with('-') || !unit.chars().all(may_be_in_a_name) {
        return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
            .because(format!("{unit:?} is no name of a unit")));
    }
    let program = SYSTEMCTL.into_iter().find(|path| Path::new(path).exists());
    let program = program
        .ok_or_else(|| Error::new(ErrorKind::NotFound, OPERATION).because("this host has no systemctl"))?;
    let mut command = Command::new(program);
    let status =
        spawn(command.args(["--no-ask-password", "start", "--", unit]))?.wait().map_err(|error| {
            Error::new(ErrorKind::Other, OPERATION).because(format!("waiting for systemctl: {error}"))
        })?;
    if !status.success() {
        return Err(ended_early("systemctl", status));
    }
    let deadline = Instant::now() + PATIENCE;
    while host.is_kept()? != Some(true) {
        if Instant::now() >= deadline {
            return Err(Error::new(ErrorKind::NotFound, OPERATION)
                .because(format!("{unit} was started, and no keeper keeps this network namespace")));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(true)
}

fn ended_early(what: &str, status: ExitStatus) -> Error {
    Error::new(ErrorKind::Other, OPERATION).because(format!("{what} ended at once ({status})"))
}
