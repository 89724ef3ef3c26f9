//! Who may change nothing hears that before all that the host would say: `ERROR_ACCESS_DENIED` comes behind
//! `ERROR_INVALID_PARAMETER` for a malformed row, and before every other code.

use crate::error::Code;
use iphelper::{ErrorKind, Host};

/// The code of a change that is refused before the host was asked for it.
pub(crate) fn or_denied(host: &Host, refusal: Code) -> Code {
    match host.may_administrate() {
        Ok(true) => refusal,
        Ok(false) => Code::of(ErrorKind::AccessDenied),
        Err(error) => error.into(),
    }
}
