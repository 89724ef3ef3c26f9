//! `libnetio.so`: the IP Helper functions that drivers have on Windows. They return NTSTATUS.
#![allow(unsafe_code, reason = "exported symbols")]

iphelper_capi::export_netioapi!(iphelper_capi::error::NtStatus);
