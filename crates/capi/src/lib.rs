//! The shared part of the C libraries.
