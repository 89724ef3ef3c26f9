//! From filter words to the library's query: names become numbers.

use super::{Target, Word};
use crate::exit::{Exit, Failure};
use crate::interface_name;
use crate::sanitize::sanitize;
use iphelper::tcp::{TcpCondition, TcpQuery};
use iphelper::{Host, Prefix};
use std::ops::RangeInclusive;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The query for connections that meet all of `words`.
pub(crate) fn resolve(host: &Host, words: &[Word]) -> Result<TcpQuery, Failure> {
    let mut query = TcpQuery::default();
    for word in words {
        let conditions = &mut query.filter.conditions;
        match word {
            Word::Port(range) => conditions.push(TcpCondition::Port(range.clone())),
            Word::LocalPort(range) => conditions.push(TcpCondition::LocalPort(range.clone())),
            Word::RemotePort(range) => conditions.push(TcpCondition::RemotePort(range.clone())),
            Word::Local(target) => {
                target_conditions(
                    host,
                    target,
                    TcpCondition::LocalAddress,
                    TcpCondition::LocalPort,
                    conditions,
                )?;
            }
            Word::Remote(target) => {
                target_conditions(
                    host,
                    target,
                    TcpCondition::RemoteAddress,
                    TcpCondition::RemotePort,
                    conditions,
                )?;
            }
            Word::State(states) => conditions.push(TcpCondition::State(states.clone())),
            Word::Process(name) => conditions.push(TcpCondition::Process(name.clone())),
            Word::Pid(pid) => conditions.push(TcpCondition::Pid(*pid)),
            Word::User(user) => conditions.push(TcpCondition::UserId(user_id(user)?)),
            Word::Interface(name) => {
                conditions.push(TcpCondition::Interface(interface_name::find(host, name)?.index));
            }
            Word::Family(family) if query.family.is_some_and(|other| other != *family) => {
                return Err(Failure::usage(
                    "family: stands twice with different values, so that nothing matches",
                ));
            }
            Word::Family(family) => query.family = Some(*family),
            Word::Cgroup(group) => conditions.push(TcpCondition::Cgroup(cgroup_id(group)?)),
            Word::Mark { value, mask } => conditions.push(TcpCondition::Mark { value: *value, mask: *mask }),
        }
    }
    Ok(query)
}

fn target_conditions(
    host: &Host,
    target: &Target,
    address: fn(Prefix) -> TcpCondition,
    port: fn(RangeInclusive<u16>) -> TcpCondition,
    conditions: &mut Vec<TcpCondition>,
) -> Result<(), Failure> {
    conditions.push(address(target.prefix));
    if let Some(number) = target.port {
        conditions.push(port(number..=number));
    }
    if let Some(scope) = &target.scope {
        conditions.push(TcpCondition::Interface(interface_name::find(host, scope)?.index));
    }
    Ok(())
}

/// The id of a user by name, as the name service knows it, or by number.
fn user_id(user: &str) -> Result<u32, Failure> {
    if let Ok(id) = user.parse() {
        return Ok(id);
    }
    match nix::unistd::User::from_name(user) {
        Ok(Some(user)) => Ok(user.uid.as_raw()),
        Ok(None) => Err(Failure::new(Exit::NotFound, format!("no user is called \"{}\"", sanitize(user)))),
        Err(errno) => Err(Failure::new(
            Exit::Failure,
            format!("looking up user \"{}\": {}", sanitize(user), errno.desc()),
        )),
    }
}

/// The id of a control group, which is the inode of its directory.
fn cgroup_id(group: &str) -> Result<u64, Failure> {
    if let Ok(id) = group.parse() {
        return Ok(id);
    }
    const ROOT: &str = "/sys/fs/cgroup";
    let path = match Path::new(group) {
        path if path.starts_with(ROOT) => path.to_owned(),
        // As /proc/PID/cgroup and systemd write it: from the root of the hierarchy.
        path => Path::new(ROOT).join(path.strip_prefix("/").unwrap_or(path)),
    };
    match path.metadata() {
        Ok(directory) if directory.is_dir() => Ok(directory.ino()),
        Ok(_) => Err(Failure::usage(format!("{} is no control group", sanitize(&path.to_string_lossy())))),
        Err(error) => Err(Failure::new(
            if error.kind() == std::io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failure },
            format!("looking up control group {}: {error}", sanitize(&path.to_string_lossy())),
        )),
    }
}
