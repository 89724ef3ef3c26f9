//! One change of both families, all or nothing.

use crate::exit::Failure;
use iphelper::ip_interface::{IpInterfaceChange, PropertyChange};
use iphelper::{Family, Host, InterfaceLuid};

pub(super) fn plan(
    host: &Host,
    key: InterfaceLuid,
    change: &IpInterfaceChange,
) -> Result<Vec<(Family, PropertyChange)>, Failure> {
    let mut all = Vec::new();
    for family in Family::ALL {
        all.extend(host.plan_ip_interface(family, key, change)?.into_iter().map(|change| (family, change)));
    }
    Ok(all)
}

pub(super) fn set(
    host: &Host,
    key: InterfaceLuid,
    change: &IpInterfaceChange,
) -> Result<Vec<(Family, PropertyChange)>, Failure> {
    let mut all = Vec::new();
    for family in Family::ALL {
        all.extend(host.set_ip_interface(family, key, change)?.into_iter().map(|change| (family, change)));
    }
    Ok(all)
}
