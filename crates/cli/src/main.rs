//! `iph`: see, explain and change a host's network.

fn main() {}
