//! The program behind a socket.

use crate::backend::linux::namespace::system;
use crate::backend::linux::process::{Process, Processes, is_lack};
use crate::error::{Error, ErrorKind, Result};
use crate::socket::OwnerModule;
use rustix::io::Errno;

const OPERATION: &str = "looking for the program behind a socket";

pub(super) fn module(inode: Option<u64>, process: Option<u32>) -> Result<OwnerModule> {
    let not_found = |why| Error::new(ErrorKind::NotFound, OPERATION).because(why);
    let inode = inode.ok_or_else(|| not_found("no program has it open"))?;
    let processes = Processes::open()?;
    // The process that was seen, if it still holds the socket: its number may be another one's by now.
    if let Some(pid) = process
        && let Some(process) = processes.process(pid)?
        && holds(&process, inode)?
        && let Some(module) = describe(&process)?
    {
        return Ok(module);
    }
    let owners = processes.owners(std::iter::once(inode))?;
    if let Some(owner) = owners.get(&inode)
        && let Some(process) = processes.process(owner.pid)?
        && holds(&process, inode)?
        && let Some(module) = describe(&process)?
    {
        return Ok(module);
    }
    Err(not_found("no process that this caller may look into holds it"))
}

/// Whether a process has the socket open, as far as this caller may look into it.
fn holds(process: &Process, inode: u64) -> Result<bool> {
    match process.holds(inode) {
        Err(errno) if is_lack(errno) => Err(system(OPERATION, errno)),
        holds => Ok(holds == Ok(true)),
    }
}

/// Name and path of a process's program; `None` if the process has ended.
fn describe(process: &Process) -> Result<Option<OwnerModule>> {
    let path = match process.path() {
        Ok(path) => Some(path),
        // Another user's; or it ends just now.
        Err(Errno::ACCESS | Errno::PERM | Errno::NOENT) => None,
        Err(Errno::SRCH) => return Ok(None),
        Err(errno) => return Err(system(OPERATION, errno)),
    };
    let name = match path.as_ref().and_then(|path| path.file_name()) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => match process.name() {
            Ok(name) => name.as_ref().to_owned(),
            Err(errno) if is_lack(errno) => return Err(system(OPERATION, errno)),
            // It has ended.
            Err(_) => return Ok(None),
        },
    };
    Ok(Some(OwnerModule { pid: process.pid, name, path }))
}
