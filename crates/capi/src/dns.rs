//! DNS settings: `GetInterfaceDnsSettings` and the like.
//!
//! Texts hold UTF-16; a list has commas between its items, and is read with commas, semicolons or white space there. What a
//! function allocates, its own function frees.

mod interface;
mod network_params;
mod property;
mod strings;

pub use interface::{free_interface_dns_settings, interface_dns_settings, set_interface_dns_settings};
pub use network_params::network_params;

use crate::error::{Code, Flavour};
use crate::memory::gaps;
use crate::raw::{DNS_SETTINGS, DNS_SETTINGS2, ULONG64, dns_setting as setting};
use crate::{guard, host};
use iphelper::dns::DnsChange;
use strings::Strings;

/// What the settings of the host may be about; of version 2 the flags of encryption are, too.
const KNOWN: u64 = setting::HOSTNAME | setting::DOMAIN | setting::SEARCHLIST;
const ENCRYPTION: u64 = setting::DOH | setting::DOT | setting::DDR;

/// How long the settings of a version are; `None`: an unknown version.
fn size_of_host(version: u32) -> Option<usize> {
    match version {
        1 => Some(size_of::<DNS_SETTINGS>()),
        2 => Some(size_of::<DNS_SETTINGS2>()),
        _ => None,
    }
}

/// Reads the settings of either version; members that it lacks are zero.
///
/// # Safety
/// `settings` is NULL or points to settings of the version that they say.
unsafe fn read_host(settings: *const DNS_SETTINGS) -> Result<(DNS_SETTINGS2, usize), Code> {
    if settings.is_null() {
        return Err(Code::INVALID_PARAMETER);
    }
    // SAFETY: the caller's promise; every version begins with its number. What is left out of the copy is zero, which
    // integers and pointers may be.
    unsafe {
        let size = size_of_host(settings.cast::<u32>().read_unaligned()).ok_or(Code::INVALID_PARAMETER)?;
        let mut read: DNS_SETTINGS2 = std::mem::zeroed();
        std::ptr::copy_nonoverlapping(settings.cast::<u8>(), (&raw mut read).cast(), size);
        Ok((read, size))
    }
}

/// That the flags are about members that the version has.
fn check_flags(row: &DNS_SETTINGS2) -> Result<(), Code> {
    let known = if row.Version == 1 { KNOWN } else { KNOWN | ENCRYPTION };
    if row.Flags.0 & !known == 0 { Ok(()) } else { Err(Code::INVALID_PARAMETER) }
}

/// `GetDnsSettings`: the host's name (its first label), its domain, and the domains that are tried. `Version` chooses the
/// structure; `Flags` on return name the members that are set. Free them by `FreeDnsSettings`.
#[doc(alias = "GetDnsSettings")]
pub unsafe fn dns_settings<F: Flavour>(settings: *mut DNS_SETTINGS) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise.
        let (mut row, size) = unsafe { read_host(settings) }?;
        check_flags(&row)?;
        let dns = host::current()?.dns()?;
        let mut strings = Strings::default();
        let name = dns.host_name.split('.').next().unwrap_or_default();
        let search: Vec<_> =
            dns.domains.iter().filter(|domain| !domain.routing_only).map(|domain| &*domain.name).collect();
        row.Hostname = strings.text(name)?;
        row.Domain = strings.text(dns.domain_name.as_deref().unwrap_or_default())?;
        row.SearchList = strings.text(&search.join(","))?;
        let flag = |text: *mut u16, flag| if text.is_null() { 0 } else { flag };
        row.Flags = ULONG64(
            flag(row.Hostname, setting::HOSTNAME)
                | flag(row.Domain, setting::DOMAIN)
                | flag(row.SearchList, setting::SEARCHLIST),
        );
        row.SettingFlags = ULONG64(0);
        // SAFETY: as many bytes as the version has, whatever their alignment.
        unsafe {
            gaps::clear(&raw mut row);
            std::ptr::copy_nonoverlapping((&raw const row).cast::<u8>(), settings.cast(), size);
        }
        strings.keep();
        Ok(())
    })
}

/// `SetDnsSettings`: the members that `Flags` name.
///
/// `ERROR_NOT_SUPPORTED` for encryption, and for what [`Host::set_dns`](iphelper::Host::set_dns) refuses so.
#[doc(alias = "SetDnsSettings")]
pub unsafe fn set_dns_settings<F: Flavour>(settings: *const DNS_SETTINGS) -> F::Status {
    guard::status::<F>(|| {
        // SAFETY: the caller's promise.
        let (row, _) = unsafe { read_host(settings) }?;
        check_flags(&row)?;
        let has = |flag| row.Flags.0 & flag != 0;
        // SAFETY: the caller's promise, of the texts too.
        let text = |text, flag| has(flag).then(|| unsafe { strings::read(text) }).transpose();
        let (name, domain) = (text(row.Hostname, setting::HOSTNAME)?, text(row.Domain, setting::DOMAIN)?);
        let search = text(row.SearchList, setting::SEARCHLIST)?;
        if row.SettingFlags.0 != 0 {
            return Err(Code::NOT_SUPPORTED);
        }
        // A label: what follows it in the name is the domain's.
        if name.as_ref().is_some_and(|name| name.contains('.')) {
            return Err(Code::INVALID_PARAMETER);
        }
        let search = search.map(|list| strings::items(&list));
        let change = DnsChange { search, domain, host_name: name, ..DnsChange::default() };
        Ok(host::current()?.set_dns(&change).map(drop)?)
    })
}

/// `FreeDnsSettings`: frees what `GetDnsSettings` allocated, and leaves NULL in its place. What is not of this library is
/// left alone.
#[doc(alias = "FreeDnsSettings")]
pub unsafe fn free_dns_settings(settings: *mut DNS_SETTINGS) {
    guard::caught(
        || {
            // SAFETY: the caller's promise.
            let Ok((mut row, size)) = (unsafe { read_host(settings) }) else { return };
            for text in [&mut row.Hostname, &mut row.Domain, &mut row.SearchList] {
                // SAFETY: the caller's promise: NULL, or what `GetDnsSettings` stored there.
                unsafe { strings::free(text) };
            }
            // SAFETY: as many bytes as were read.
            unsafe {
                gaps::clear(&raw mut row);
                std::ptr::copy_nonoverlapping((&raw const row).cast::<u8>(), settings.cast(), size);
            }
        },
        (),
    );
}
