//! A watcher without its thread, so that a test says when it looks.

mod ip_interfaces;
mod tables;
