//! `LinkLocalAddressBehavior`: whether the interface gives itself a link-local address.

use super::plan::{Planner, Turn, unsupported};
use super::undo::Values;
use super::write::{NO_GENERATION, Write};
use crate::backend::linux::namespace::system;
use crate::error::Result;
use crate::ip_interface::LinkLocalAddressBehavior;
use crate::types::Family;

pub(super) fn link_local_address_behavior(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.link_local_address_behavior;
    let Some(to) = planner.change.link_local_address_behavior.filter(|to| *to != from) else { return Ok(()) };
    let generation = match (planner.row.family, to) {
        (Family::V4, _) => {
            return Err(unsupported(
                "link_local_address_behavior: Linux never gives an interface an IPv4 link-local address",
            ));
        }
        (Family::V6, LinkLocalAddressBehavior::Delayed) => {
            return Err(unsupported(
                "link_local_address_behavior: Linux does not wait for other addresses; take always_on or always_off",
            ));
        }
        (Family::V6, LinkLocalAddressBehavior::AlwaysOff) => NO_GENERATION,
        (Family::V6, LinkLocalAddressBehavior::AlwaysOn) => of_new_interfaces(planner)?,
    };
    let mechanism = planner.sysctl_name("addr_gen_mode");
    planner.tell("link_local_address_behavior", from, to, mechanism);
    let Some(ipv6) = planner.link.ipv6 else { return Ok(()) };
    planner.write(
        Turn::LinkLocal,
        Write::AddressGeneration(Values { from: ipv6.address_generation, to: generation }),
    );
    Ok(())
}

/// How the kernel would make the address of a new interface (`net/ipv6/addrconf.c`, `ipv6_add_dev`): with the secret
/// that somebody gave this interface or all, else as the default says; from the hardware address if that is not at all.
fn of_new_interfaces(planner: &Planner<'_>) -> Result<u8> {
    const FROM_HARDWARE_ADDRESS: u8 = 0;
    const WITH_SECRET: u8 = 2;
    // A secret that was not given reads as an I/O error. One that this caller may not read plays no part: what differs
    // is written only, and that takes the privilege to read it.
    let secret = |of: &str| planner.host.sysctl.read(Family::V6, &format!("conf/{of}/stable_secret")).is_ok();
    if secret(&planner.row.name) || secret("default") {
        return Ok(WITH_SECRET);
    }
    let text = planner.host.sysctl.read(Family::V6, "conf/default/addr_gen_mode");
    let text = text.map_err(|errno| system("reading net.ipv6.conf.default.addr_gen_mode", errno))?;
    Ok(text.parse().ok().filter(|mode| *mode != NO_GENERATION).unwrap_or(FROM_HARDWARE_ADDRESS))
}
