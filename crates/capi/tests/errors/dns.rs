//! `GetNetworkParams`.

use crate::walk::Walk;
use iphelper_capi::dns;
use std::ptr::null_mut;

pub(super) fn network_params(walk: &mut Walk) {
    const NAME: &str = "GetNetworkParams";
    let mut size = 0;
    // SAFETY: each argument is NULL or points to a live variable of its type.
    unsafe {
        walk.expect(NAME, "ERROR_INVALID_PARAMETER", dns::network_params(null_mut(), null_mut()));
        walk.expect(NAME, "ERROR_BUFFER_OVERFLOW", dns::network_params(null_mut(), &raw mut size));
    }
}
