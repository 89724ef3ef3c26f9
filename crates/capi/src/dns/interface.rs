//! The settings of one interface.

use super::property;
use super::strings::{self, Strings};
use crate::convert::rust_guid;
use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::raw::{
    DNS_INTERFACE_SETTINGS, DNS_INTERFACE_SETTINGS_EX, DNS_INTERFACE_SETTINGS3, DNS_INTERFACE_SETTINGS4,
    GUID, ULONG64, dns_setting as setting,
};
use crate::{guard, host};
use iphelper::Family;
use iphelper::dns::{DnsServer, InterfaceDnsChange, InterfaceDnsSettings, LinkLookup};

/// What settings of each version may be about.
const VERSION1: u64 = setting::IPV6
    | setting::NAMESERVER
    | setting::SEARCHLIST
    | setting::REGISTRATION_ENABLED
    | setting::REGISTER_ADAPTER_NAME
    | setting::DOMAIN
    | setting::ENABLE_LLMNR
    | setting::QUERY_ADAPTER_NAME
    | setting::PROFILE_NAMESERVER;
const VERSION2: u64 = VERSION1 | setting::DISABLE_UNCONSTRAINED_QUERIES | setting::SUPPLEMENTAL_SEARCH_LIST;
const VERSION3: u64 = VERSION2 | setting::DOH | setting::DOH_PROFILE | setting::DOT | setting::DOT_PROFILE;
const VERSION4: u64 = VERSION3 | setting::ENCRYPTED_DNS_ADAPTER_FLAGS | setting::DDR;

/// The length of a version's settings, and what they may be about; `None`: an unknown version.
fn version(number: u32) -> Option<(usize, u64)> {
    match number {
        1 => Some((size_of::<DNS_INTERFACE_SETTINGS>(), VERSION1)),
        2 => Some((size_of::<DNS_INTERFACE_SETTINGS_EX>(), VERSION2)),
        3 => Some((size_of::<DNS_INTERFACE_SETTINGS3>(), VERSION3)),
        4 => Some((size_of::<DNS_INTERFACE_SETTINGS4>(), VERSION4)),
        _ => None,
    }
}

/// Reads the settings of any version, and their length; members that they lack are zero.
///
/// # Safety
/// `settings` is NULL or points to settings of the version that they say.
unsafe fn read(settings: *const DNS_INTERFACE_SETTINGS) -> Result<(DNS_INTERFACE_SETTINGS4, usize), Code> {
    if settings.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; every version begins with its number and has the members of the one before in the same
    // places. What is left out of the copy is zero, which integers and pointers may be.
    unsafe {
        let number = settings.cast::<u32>().read_unaligned();
        let (size, _) = version(number).ok_or(Code::INVALID_PARAMETER)?;
        let mut row: DNS_INTERFACE_SETTINGS4 = std::mem::zeroed();
        std::ptr::copy_nonoverlapping(settings.cast::<u8>(), (&raw mut row).cast(), size);
        Ok((row, size))
    }
}

/// That the flags are about members that the version has.
fn check_flags(row: &DNS_INTERFACE_SETTINGS4) -> Result<(), Code> {
    let known = version(row.Version).map_or(0, |(_, known)| known);
    if row.Flags.0 & !known == 0 { Ok(()) } else { Err(Code::INVALID_PARAMETER) }
}

/// `GetInterfaceDnsSettings`: the settings of one interface, of IPv4's servers or, with `DNS_SETTING_IPV6` in `Flags`, of
/// IPv6's. `Version` chooses the structure; `Flags` on return name the members that are told. Free them by
/// `FreeInterfaceDnsSettings`.
///
/// `ERROR_FILE_NOT_FOUND` for an unknown GUID.
#[doc(alias = "GetInterfaceDnsSettings")]
pub unsafe fn interface_dns_settings<F: Flavour>(
    interface: GUID,
    settings: *mut DNS_INTERFACE_SETTINGS,
) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise.
        let (asked, size) = unsafe { read(settings) }?;
        check_flags(&asked)?;
        let host = host::current()?;
        let luid = host.interface_with_guid(rust_guid(interface))?.luid;
        let mut strings = Strings::default();
        let mut row = row(&host.interface_dns(luid)?, &asked, &mut strings)?;
        // SAFETY: as many bytes as the version has, whatever their alignment.
        unsafe {
            gaps::clear(&raw mut row);
            std::ptr::copy_nonoverlapping((&raw const row).cast::<u8>(), settings.cast(), size);
        }
        strings.keep();
        Ok(())
    })
}

fn family_of(flags: u64) -> Family {
    if flags & setting::IPV6 == 0 { Family::V4 } else { Family::V6 }
}

fn row(
    of: &InterfaceDnsSettings,
    asked: &DNS_INTERFACE_SETTINGS4,
    strings: &mut Strings,
) -> Result<DNS_INTERFACE_SETTINGS4, Code> {
    let family = family_of(asked.Flags.0);
    let servers: Vec<&DnsServer> =
        of.servers.iter().filter(|server| Family::of(&server.address) == family).collect();
    // Without port and name, which are properties.
    let address = |server: &&DnsServer| match server.zone {
        Some(zone) => format!("{}%{zone}", server.address),
        None => server.address.to_string(),
    };
    let addresses: Vec<String> = servers.iter().map(address).collect();
    let search: Vec<&str> = of.domain_names(false).collect();
    let routing: Vec<&str> = of.domain_names(true).collect();
    let is_asked = |lookup| lookup != LinkLookup::Off;
    let (_, known) = version(asked.Version).ok_or(Code::INVALID_PARAMETER)?;
    let (properties, first_property) = if asked.Version >= 3 {
        property::write(strings, &servers, of.dns_over_tls)?
    } else {
        (0, std::ptr::null_mut())
    };
    let mut row = DNS_INTERFACE_SETTINGS4 {
        Version: asked.Version,
        Flags: ULONG64(0),
        Domain: strings.text(search.first().copied().unwrap_or_default())?,
        NameServer: strings.text(&addresses.join(","))?,
        SearchList: strings.text(&search.join(","))?,
        // Nobody on a Linux host registers names with a server by itself.
        RegistrationEnabled: 0,
        RegisterAdapterName: 0,
        EnableLLMNR: (is_asked(of.llmnr) || is_asked(of.multicast_dns)).into(),
        QueryAdapterName: 1,
        ProfileNameServer: std::ptr::null_mut(),
        DisableUnconstrainedQueries: (of.unconstrained_queries == Some(false)).into(),
        SupplementalSearchList: std::ptr::null_mut(),
        cServerProperties: properties,
        ServerProperties: first_property,
        cProfileServerProperties: 0,
        ProfileServerProperties: std::ptr::null_mut(),
        EncryptedDnsAdapterFlags: 0,
    };
    if asked.Version >= 2 {
        row.SupplementalSearchList = strings.text(&routing.join(","))?;
    }
    let mut flags = setting::REGISTRATION_ENABLED
        | setting::REGISTER_ADAPTER_NAME
        | setting::ENABLE_LLMNR
        | setting::QUERY_ADAPTER_NAME
        | (asked.Flags.0 & setting::IPV6);
    for (flag, is_there) in [
        (setting::DOMAIN, !row.Domain.is_null()),
        (setting::NAMESERVER, !row.NameServer.is_null()),
        (setting::SEARCHLIST, !row.SearchList.is_null()),
        (setting::SUPPLEMENTAL_SEARCH_LIST, !row.SupplementalSearchList.is_null()),
        (setting::DISABLE_UNCONSTRAINED_QUERIES, of.unconstrained_queries.is_some()),
        (setting::DOT, properties > 0),
    ] {
        if is_there {
            flags |= flag & known;
        }
    }
    row.Flags = ULONG64(flags);
    Ok(row)
}

/// `SetInterfaceDnsSettings`: the members that `Flags` name.
///
/// `ERROR_INVALID_PARAMETER` for a flag that the version does not know, a switch that is neither 0 nor 1, a server of another
/// family; `ERROR_NOT_SUPPORTED` for what Linux does not have (registration, profiles, DNS over HTTPS) unless it is off, and
/// for what [`Host::set_interface_dns`](iphelper::Host::set_interface_dns) refuses so; `ERROR_FILE_NOT_FOUND` for an unknown
/// GUID; `ERROR_ACCESS_DENIED`.
#[doc(alias = "SetInterfaceDnsSettings")]
pub unsafe fn set_interface_dns_settings<F: Flavour>(
    interface: GUID,
    settings: *const DNS_INTERFACE_SETTINGS,
) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise.
        let (row, _) = unsafe { read(settings) }?;
        check_flags(&row)?;
        let host = host::current()?;
        let luid = host.interface_with_guid(rust_guid(interface))?.luid;
        // SAFETY: the caller's promise.
        let mut change = unsafe { change_of(&row, || Ok(host.interface_dns(luid)?.servers)) }?;
        if wants(&row, setting::ENABLE_LLMNR, row.EnableLLMNR)? == Some(true) {
            let now = host.interface_dns(luid)?;
            if now.llmnr == LinkLookup::Off && now.multicast_dns == LinkLookup::Off {
                change.llmnr = Some(LinkLookup::On);
                change.multicast_dns = Some(LinkLookup::On);
            }
        }
        Ok(host.set_interface_dns(luid, &change).map(drop)?)
    })
}

/// What a switch says; `None` where the flags do not name it.
fn wants(row: &DNS_INTERFACE_SETTINGS4, flag: u64, value: u32) -> Result<Option<bool>, Code> {
    match (row.Flags.0 & flag, value) {
        (0, _) => Ok(None),
        (_, 0) => Ok(Some(false)),
        (_, 1) => Ok(Some(true)),
        _ => Err(Code::INVALID_PARAMETER),
    }
}

/// # Safety
/// The texts and properties are as the flags say.
unsafe fn change_of(
    row: &DNS_INTERFACE_SETTINGS4,
    present: impl FnOnce() -> Result<Vec<DnsServer>, Code>,
) -> Result<InterfaceDnsChange, Code> {
    let has = |flag| row.Flags.0 & flag != 0;
    // SAFETY: the caller's promise.
    let text = |flag, text| has(flag).then(|| unsafe { strings::read(text) }).transpose();
    let list = |flag, of| Ok::<_, Code>(text(flag, of)?.map(|list| strings::items(&list)));
    let mut change = InterfaceDnsChange {
        domain: text(setting::DOMAIN, row.Domain)?,
        search: list(setting::SEARCHLIST, row.SearchList)?,
        routing: list(setting::SUPPLEMENTAL_SEARCH_LIST, row.SupplementalSearchList)?,
        unconstrained_queries: wants(
            row,
            setting::DISABLE_UNCONSTRAINED_QUERIES,
            row.DisableUnconstrainedQueries,
        )?
        .map(|disabled| !disabled),
        ..InterfaceDnsChange::default()
    };
    if wants(row, setting::ENABLE_LLMNR, row.EnableLLMNR)? == Some(false) {
        change.llmnr = Some(LinkLookup::Off);
        change.multicast_dns = Some(LinkLookup::Off);
    }
    for (flag, value, only) in [
        (setting::REGISTRATION_ENABLED, row.RegistrationEnabled, false),
        (setting::REGISTER_ADAPTER_NAME, row.RegisterAdapterName, false),
        (setting::QUERY_ADAPTER_NAME, row.QueryAdapterName, true),
    ] {
        if wants(row, flag, value)?.is_some_and(|wanted| wanted != only) {
            return Err(Code::NOT_SUPPORTED);
        }
    }
    let has_profile = text(setting::PROFILE_NAMESERVER, row.ProfileNameServer)?
        .is_some_and(|servers| !strings::items(&servers).is_empty());
    let is_absent = |flag, number: u32| has(flag) && number != 0;
    if has_profile
        || is_absent(setting::DOH, row.cServerProperties) && !has(setting::DOT)
        || is_absent(setting::DOH_PROFILE | setting::DOT_PROFILE, row.cProfileServerProperties)
        || is_absent(setting::ENCRYPTED_DNS_ADAPTER_FLAGS | setting::DDR, row.EncryptedDnsAdapterFlags)
    {
        return Err(Code::NOT_SUPPORTED);
    }
    if let Some(servers) = list(setting::NAMESERVER, row.NameServer)? {
        let family = family_of(row.Flags.0);
        let parsed: Result<Vec<DnsServer>, _> = servers.iter().map(|server| server.parse()).collect();
        let mut servers = parsed?;
        if servers.iter().any(|server| Family::of(&server.address) != family) {
            return Err(Code::INVALID_PARAMETER);
        }
        if !servers.is_empty() {
            keep_ports_and_names(&mut servers, present()?);
        }
        if has(setting::DOT) {
            // SAFETY: the caller's promise.
            let tls = unsafe { property::read(row.cServerProperties, row.ServerProperties, &mut servers) }?;
            change.dns_over_tls = Some(tls);
        }
        change.servers = Some(servers);
        change.servers_of = Some(family);
    } else if has(setting::DOT) {
        // The page: the properties are of the servers that are set with them.
        return Err(Code::INVALID_PARAMETER);
    }
    Ok(change)
}

/// Gives servers that are there already the ports and names that they have, of which their addresses say nothing: who sets
/// again what was got changes neither.
fn keep_ports_and_names(servers: &mut [DnsServer], mut present: Vec<DnsServer>) {
    for server in servers.iter_mut().filter(|it| it.port == DnsServer::PORT && it.name.is_none()) {
        let is_it = |other: &DnsServer| {
            other.address == server.address && (server.zone.is_none() || other.zone == server.zone)
        };
        if let Some(position) = present.iter().position(is_it) {
            let known = present.remove(position);
            (server.port, server.name) = (known.port, known.name);
        }
    }
}

/// `FreeInterfaceDnsSettings`: frees what `GetInterfaceDnsSettings` allocated, and leaves NULL in its place. What is not of
/// this library is left alone.
#[doc(alias = "FreeInterfaceDnsSettings")]
pub unsafe fn free_interface_dns_settings(settings: *mut DNS_INTERFACE_SETTINGS) {
    guard::caught(
        || {
            // SAFETY: the caller's promise.
            let Ok((mut row, size)) = (unsafe { read(settings) }) else { return };
            // SAFETY: the caller's promise: NULL, or what `GetInterfaceDnsSettings` stored there.
            unsafe {
                strings::free(&mut row.Domain);
                strings::free(&mut row.NameServer);
                strings::free(&mut row.SearchList);
                strings::free(&mut row.ProfileNameServer);
                strings::free(&mut row.SupplementalSearchList);
                strings::free(&mut row.ServerProperties);
                strings::free(&mut row.ProfileServerProperties);
            }
            row.cServerProperties = 0;
            row.cProfileServerProperties = 0;
            // SAFETY: as many bytes as were read.
            unsafe {
                gaps::clear(&raw mut row);
                std::ptr::copy_nonoverlapping((&raw const row).cast::<u8>(), settings.cast(), size);
            }
        },
        (),
    );
}
