//! Forwarding and the default time to live of a whole host.

use crate::backend::linux::LinuxHost;
use crate::backend::linux::namespace::system;
use crate::backend::linux::sysctl::{read_value, write_value};
use crate::error::{Error, ErrorKind, Result};
use crate::ip_interface::PropertyChange;
use crate::statistics::IpStatisticsChange;
use crate::types::Family;
use rustix::fs::OFlags;
use std::os::fd::OwnedFd;

const OPERATION: &str = "changing IP's settings";

/// A file and the value to write.
struct Step {
    property: &'static str,
    file: OwnedFd,
    from: String,
    to: String,
    mechanism: String,
}

pub(super) fn set(
    host: &LinuxHost,
    family: Family,
    change: &IpStatisticsChange,
    write: bool,
) -> Result<Vec<PropertyChange>> {
    if change.default_ttl == Some(0) {
        return Err(Error::new(ErrorKind::InvalidParameter, OPERATION)
            .because("a time to live of 0 reaches nobody: give one from 1 to 255"));
    }
    if !host.sysctl.has(family) {
        return Err(Error::new(ErrorKind::NotSupported, OPERATION).because("this kernel has no IPv6"));
    }
    if write {
        host.require_administrator(OPERATION)?;
    }
    let steps = match family {
        Family::V4 => ipv4(host, change, write)?,
        Family::V6 => ipv6(host, change, write)?,
    };
    if write {
        take(&steps)?;
        host.tell_listeners();
    }
    Ok(steps
        .into_iter()
        .map(|Step { property, from, to, mechanism, .. }| PropertyChange { property, from, to, mechanism })
        .collect())
}

fn ipv4(host: &LinuxHost, change: &IpStatisticsChange, write: bool) -> Result<Vec<Step>> {
    let mut steps = Vec::new();
    if let Some(ttl) = change.default_ttl {
        steps.extend(step(host, Family::V4, "default_ttl", "ip_default_ttl", &ttl.to_string(), write)?);
    }
    // The last one: it writes the setting of every interface, which nothing could put back.
    if let Some(forwarding) = change.forwarding {
        let to = u8::from(forwarding).to_string();
        steps.extend(step(host, Family::V4, "forwarding", "ip_forward", &to, write)?);
    }
    Ok(steps)
}

fn ipv6(host: &LinuxHost, change: &IpStatisticsChange, write: bool) -> Result<Vec<Step>> {
    if let Some(forwarding) = change.forwarding
        && forwarding != super::forwards(host, Family::V6)?
    {
        return Err(Error::new(ErrorKind::NotSupported, OPERATION).because(
            "IPv6 is forwarded by interface: net.ipv6.conf.all.forwarding would take the routes that routers advertise \
             away; set ForwardingEnabled of each interface",
        ));
    }
    let mut steps = Vec::new();
    let Some(ttl) = change.default_ttl else { return Ok(steps) };
    let present = super::default_ttl(host, Family::V6)?.to_string();
    let names = host.ip_interfaces_with(Family::V6)?;
    for name in ["default", "all"].into_iter().chain(names.iter().map(String::as_str)) {
        let path = format!("conf/{name}/hop_limit");
        let found = step(host, Family::V6, "default_ttl", &path, &ttl.to_string(), write)?;
        // An interface with another limit was told it by a router or an administrator.
        steps.extend(found.filter(|step| name == "default" || step.from == present));
    }
    Ok(steps)
}

/// The step that makes a file say `to`, if it says something else.
fn step(
    host: &LinuxHost,
    family: Family,
    property: &'static str,
    path: &str,
    to: &str,
    write: bool,
) -> Result<Option<Step>> {
    let flags = if write { OFlags::RDWR } else { OFlags::RDONLY };
    let failed = |errno| system(OPERATION, errno).because(format!("opening {path}"));
    let file = host.sysctl.file(family, path, flags).map_err(failed)?;
    let from = read_value(&file).map_err(failed)?;
    let tree = if family == Family::V4 { "ipv4" } else { "ipv6" };
    let mechanism = format!("net.{tree}.{}", path.replace('/', "."));
    Ok((from != to).then(|| Step { property, file, from, to: to.to_owned(), mechanism }))
}

/// Writes all, or puts back what was written and gives the first error.
fn take(steps: &[Step]) -> Result<()> {
    for (position, step) in steps.iter().enumerate() {
        if let Err(errno) = write_value(&step.file, &step.to) {
            let error = system(OPERATION, errno);
            let mut reason = format!("writing {} to {}", step.to, step.mechanism);
            for written in steps.iter().take(position).rev() {
                if write_value(&written.file, &written.from).is_err() {
                    reason.push_str(&format!("; {} could not be put back", written.mechanism));
                }
            }
            return Err(error.because(reason));
        }
    }
    Ok(())
}
