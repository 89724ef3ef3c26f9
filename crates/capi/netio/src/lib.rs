//! libnetio.so.
