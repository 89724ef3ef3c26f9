//! The arguments, from the program's name to the noun; each noun's own are beside its commands.

use crate::cmd::{
    adapter, address, bandwidth, compartment, completions, connectivity, demo, dns, doctor, estats,
    interface, keeper, man, neighbor, path, path_mtu, ping, port_reservation, route, stats, tcp, timestamp,
    ttl, udp, watch,
};
use crate::exit::{self, Exit, Failure};
use anstyle::{AnsiColor, Style};
use clap::builder::Styles;
use clap::{CommandFactory, Parser, Subcommand, ValueEnum};

/// Headings and names stand out; nothing is told by colour alone.
const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold());

const AFTER_HELP: &str = "\
Examples:
  iph demo                             see it work, without root or risk
  iph tcp list port:443                who uses port 443
  iph tcp list state:listen            who is listening
  sudo iph tcp delete process:firefox  end a program's connections
  iph route get 203.0.113.5 --explain  which way, and why
  sudo iph route add 203.0.113.0/24 --via 192.0.2.1
  sudo iph address add 192.0.2.5/24 --interface eth0
  sudo iph dns set eth0 --servers 192.0.2.53
  sudo iph interface set eth0 --ipv4 --ipv6 --mtu 1400
  iph watch                            what changes, and who did it
  iph doctor                           what can be done here";

/// See, explain and change this computer's network.
///
/// iph is Windows' IP Helper API as a command, on the Linux kernel: tables of interfaces, routes, TCP
/// connections and UDP endpoints, every IP property of an interface to read and to set, routes to make and change,
/// connections to delete, changes to watch.
///
/// Of a command's name its beginning is enough where no other begins so: `iph addr list`.
///
/// Reading needs no privilege and changes nothing. The answer goes to standard output, everything else to standard
/// error; with --json the answer has a documented, stable form.
#[derive(Debug, Parser)]
#[command(name = "iph", version, styles = STYLES, after_help = AFTER_HELP, after_long_help = long_help())]
#[command(max_term_width = 100, infer_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,

    /// When to use colour: auto, always or never; NO_COLOR is respected
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    #[arg(hide_possible_values = true, hide_default_value = true)]
    pub(crate) color: Color,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(subcommand)]
    Interface(interface::Command),
    #[command(subcommand)]
    Adapter(adapter::Command),
    #[command(subcommand)]
    Address(address::Command),
    #[command(subcommand)]
    Route(route::Command),
    #[command(subcommand)]
    Neighbor(neighbor::Command),
    Ping(ping::Args),
    #[command(subcommand)]
    Tcp(tcp::Command),
    #[command(subcommand)]
    Udp(udp::Command),
    #[command(subcommand)]
    Dns(dns::Command),
    Stats(stats::Args),
    Estats(estats::Args),
    #[command(subcommand)]
    Path(path::Command),
    #[command(subcommand)]
    PathMtu(path_mtu::Command),
    #[command(subcommand)]
    Ttl(ttl::Command),
    #[command(subcommand)]
    PortReservation(port_reservation::Command),
    #[command(subcommand)]
    Compartment(compartment::Command),
    Connectivity(connectivity::Args),
    Bandwidth(bandwidth::Args),
    #[command(subcommand)]
    Timestamp(timestamp::Command),
    Watch(watch::Args),
    Keeper(keeper::Args),
    Doctor(doctor::Args),
    Demo(demo::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// When to use colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

impl Color {
    /// Makes this the choice of every stream.
    pub(crate) fn write_global(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

impl Cli {
    /// Does what the arguments say.
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        match self.command {
            Command::Interface(command) => command.run(),
            Command::Adapter(command) => command.run(),
            Command::Address(command) => command.run(),
            Command::Route(command) => command.run(),
            Command::Neighbor(command) => command.run(),
            Command::Ping(args) => args.run(),
            Command::Tcp(command) => command.run(),
            Command::Udp(command) => command.run(),
            Command::Dns(command) => command.run(),
            Command::Stats(args) => args.run(),
            Command::Estats(args) => args.run(),
            Command::Path(command) => command.run(),
            Command::PathMtu(command) => command.run(),
            Command::Ttl(command) => command.run(),
            Command::PortReservation(command) => command.run(),
            Command::Compartment(command) => command.run(),
            Command::Connectivity(args) => args.run(),
            Command::Bandwidth(args) => args.run(),
            Command::Timestamp(command) => command.run(),
            Command::Watch(args) => args.run(),
            Command::Doctor(args) => args.run(),
            Command::Keeper(args) => args.run(),
            Command::Demo(args) => args.run(),
            Command::Completions(args) => args.run(&mut Self::command()),
            Command::Man(args) => args.run(Self::command()),
        }
    }
}

fn long_help() -> String {
    format!("{AFTER_HELP}\n\n{}", exit::HELP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
