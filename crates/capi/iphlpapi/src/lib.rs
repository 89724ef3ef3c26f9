//! `libiphlpapi.so`: the IP Helper functions for programs. They return Win32 codes.
#![allow(unsafe_code, reason = "exported symbols")]

iphelper_capi::export_netioapi!(iphelper_capi::error::Win32);
iphelper_capi::export_iphlpapi!();
