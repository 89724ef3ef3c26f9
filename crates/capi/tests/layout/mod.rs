//! The structures as Rust has them, member by member, and what the facts of the headers say of them.
#![allow(dead_code, reason = "each program uses a part")]

use iphelper_capi::raw;

pub(crate) mod gaps;
pub(crate) mod types;
