//! libiphlpapi.so.
