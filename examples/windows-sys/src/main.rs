//! Shows and changes a computer's network state, by the functions of Windows' IP Helper alone.
//!
//! The same source is a program for Windows (`cargo build`) and for Linux, where it needs `libiphlpapi.so`:
//!
//! ```sh
//! RUSTFLAGS="-L $PWD/target/release -l iphlpapi -C link-arg=-Wl,-rpath,$PWD/target/release" \
//!     cargo run --manifest-path examples/windows-sys/Cargo.toml -- connections
//! ```

mod address;
mod connections;
mod error;
mod routes;
mod watch;

use error::Outcome;

const USAGE: &str = "usage: network-state connections
       network-state close LOCAL REMOTE
       network-state routes
       network-state route add|delete DESTINATION/LENGTH NEXT-HOP INTERFACE-INDEX
       network-state watch
LOCAL and REMOTE are an IPv4 address and a port, such as 192.0.2.1:443.
watch shows changes until its standard input ends.";

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["connections"] => connections::list(),
        ["close", local, remote] => connections::close(local, remote),
        ["routes"] => routes::list(),
        ["route", "add", prefix, next_hop, interface] => routes::add(prefix, next_hop, interface),
        ["route", "delete", prefix, next_hop, interface] => routes::delete(prefix, next_hop, interface),
        ["watch"] => watch::until_the_input_ends(),
        _ => Err(USAGE.to_owned()),
    };
    if let Err(message) = outcome {
        eprintln!("{message}");
        std::process::exit(1);
    }
}

/// What a part of the program returns.
pub type Result = Outcome<()>;
