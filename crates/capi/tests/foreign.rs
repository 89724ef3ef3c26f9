//! The programs of `examples/` in other languages: each written for Windows, each finds the library and shows what `ss`
//! and `ip` show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail as tests do")]

use iphelper_testkit::{eventually, isolated, run};
use std::collections::BTreeSet;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use support::program::{Running, output};
use support::{Scratch, compiles, crate_dir, examples, libraries, succeeded};

mod support;

iphelper_testkit::private_user_namespace!();

/// How a program is started: its words so far.
struct Program(Vec<String>);

impl Program {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.0[0]);
        let _ = command.args(&self.0[1..]).args(arguments).env("LD_LIBRARY_PATH", libraries());
        command
    }

    /// Whether it succeeded, and all that it wrote.
    fn outcome(&self, arguments: &[&str]) -> (bool, String) {
        let output = output(&mut self.command(arguments));
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    }

    fn printed(&self, arguments: &[&str]) -> String {
        succeeded(output(&mut self.command(arguments)), arguments[0])
    }
}

/// Whether `program` can be started; if not, says so, for then a test is skipped.
fn starts(program: &str, package: &str) -> bool {
    let answer = Command::new(program).arg("--version").stdout(Stdio::null()).status();
    let there = answer.is_ok_and(|status| status.success());
    if !there {
        eprintln!("SKIPPED: no {program} here (Debian: apt-get install {package})");
    }
    there
}

/// Lists connections and closes one, where `end` puts an address and a port into a program's words.
fn connections(program: &Program, end: impl Fn(std::net::SocketAddr) -> Vec<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();

    let states = [("LISTEN", "LISTEN"), ("ESTAB", "ESTABLISHED")];
    let shown = || -> BTreeSet<String> {
        let text = run("ss -4tanpH");
        let row = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let state = states.iter().find(|(ss, _)| *ss == words[0]).unwrap().1;
            let pids = words[5].split("pid=").skip(1).map(|rest| rest.split(',').next().unwrap());
            let pid = pids.map(|pid| pid.parse::<u32>().unwrap()).min().unwrap();
            format!("{} {} {state} {pid}", words[3], words[4].replace('*', "0"))
        };
        text.lines().map(row).collect()
    };
    let listed = || -> BTreeSet<String> {
        let text = program.printed(&["connections"]);
        text.lines().map(|line| line.split_whitespace().take(4).collect::<Vec<_>>().join(" ")).collect()
    };
    // What another test starts has copies of the sockets until it executes, and may have a lower number.
    eventually("both show the same", || {
        let (shown, listed) = (shown(), listed());
        shown.len() == 3 && shown == listed
    });

    let ends = [end(client.local_addr().unwrap()), end(client.peer_addr().unwrap())].concat();
    let words: Vec<&str> = std::iter::once("close").chain(ends.iter().map(String::as_str)).collect();
    assert_eq!(program.outcome(&words), (true, "closed\n".to_owned()));
    assert_eq!(client.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionAborted);
    assert_eq!(server.read(&mut [0]).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
    let (success, again) = program.outcome(&words);
    assert!(!success && (again.contains("317") || again.contains("no such connection")), "{again}");
}

fn separate(end: std::net::SocketAddr) -> Vec<String> {
    vec![end.ip().to_string(), end.port().to_string()]
}

#[test]
fn python() {
    if !starts("python3", "python3") {
        return;
    }
    let script = |name: &str| examples().join("python").join(name).to_str().unwrap().to_owned();
    let program =
        Program(vec!["python3".to_owned(), script("windows_ctypes.py"), script("network_state.py")]);
    isolated(|| {
        connections(&program, separate);
        let _ = run("ip link set lo up");
        let mut lines = Running::start(&mut program.command(&["changes", "2"]));
        for address in ["192.0.2.1", "192.0.2.2"] {
            assert_eq!(lines.next().as_deref(), Some("waiting"));
            let _ = run(&format!("ip address add {address}/32 dev lo"));
            assert_eq!(lines.next().as_deref(), Some("changed"));
        }
        lines.ends();
    });
}

#[test]
fn c_sharp_on_mono() {
    if !starts("mcs", "mono-mcs") || !starts("mono", "mono-runtime libmono-system4.0-cil") {
        return;
    }
    let scratch = Scratch::new("mono");
    let folder = examples().join("csharp");
    let executable = scratch.path("NetworkState.exe");
    let compiled = Command::new("mcs")
        .arg(format!("-out:{}", executable.display()))
        .arg(folder.join("NetworkState.cs"))
        .output();
    let _ = succeeded(compiled.expect("starting mcs"), "compiling");
    // The file with the dllmap stands beside the program.
    let config = "NetworkState.exe.config";
    let _ = std::fs::copy(folder.join(config), scratch.path(config)).unwrap();
    let program = Program(vec!["mono".to_owned(), executable.to_str().unwrap().to_owned()]);
    isolated(|| {
        connections(&program, separate);
        let _ = run("ip link set lo up");
        let routes = program.printed(&["routes"]);
        assert!(routes.contains("127.0.0.0 255.0.0.0 by 0.0.0.0 interface 1 "), "{routes}");
        assert_eq!(routes.lines().count(), run("ip -4 route show table all").lines().count(), "{routes}");
        assert_eq!(program.printed(&["ping", "127.0.0.1"]), "127.0.0.1 answers, status 0\n");
        // The last error, as Mono has it.
        assert_eq!(program.outcome(&["ping", "203.0.113.1"]), (false, "IcmpSendEcho: 11002\n".to_owned()));
    });
}

#[test]
fn rust_with_windows_sys() {
    let manifest = examples().join("windows-sys/Cargo.toml");
    let target = libraries().join("windows-sys");
    // The library is found at build and at run time without being installed.
    let folder = libraries().display();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--locked", "--manifest-path"])
        .arg(manifest)
        .env("CARGO_TARGET_DIR", &target)
        .env("RUSTFLAGS", format!("-L {folder} -l iphlpapi -C link-arg=-Wl,-rpath,{folder}"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(crate_dir())
        .output();
    let _ = succeeded(built.expect("starting cargo"), "building");
    let program = Program(vec![target.join("debug/network-state").to_str().unwrap().to_owned()]);
    isolated(|| {
        connections(&program, |end| vec![end.to_string()]);
        routes_and_their_changes(&program);
    });
}

#[test]
fn cpp() {
    if !compiles("g++", &[], "g++") {
        return;
    }
    let source = examples().join("cpp/network_watch.cc");
    let scratch = Scratch::new("cpp");
    let options = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wno-unknown-pragmas"];
    let windows = "x86_64-w64-mingw32-g++-posix";
    if compiles(windows, &[], "g++-mingw-w64-x86-64-posix") {
        let mut command = Command::new(windows);
        let _ = command.args(options).arg(&source).arg("-o").arg(scratch.path("watch.exe"));
        let made = command.args(["-liphlpapi", "-lws2_32"]).output();
        let _ = succeeded(made.expect("starting the compiler"), "compiling for Windows");
    }
    let program = scratch.path("watch");
    let mut command = Command::new("g++");
    let _ =
        command.args(options).arg("-I").arg(crate_dir().join("include")).arg(&source).arg("-o").arg(&program);
    let made = command.arg("-L").arg(libraries()).arg("-liphlpapi").output();
    let _ = succeeded(made.expect("starting the compiler"), "compiling");
    let program = Program(vec![program.to_str().unwrap().to_owned()]);
    isolated(|| {
        let _ = run("ip link set lo up");
        let _ = run("ip address add 192.0.2.1/24 dev lo");
        let _ = run("ip route add default dev lo");
        let mut lines = Running::start(&mut program.command(&[]));
        assert_eq!(lines.next().unwrap(), "lo MTU 65536 up 127.0.0.1/8 192.0.2.1/24 ::1/128");
        assert_eq!(lines.next().unwrap(), "default by 0.0.0.0 on lo");
        assert_eq!(lines.next().unwrap(), "watching");
        let _ = run("ip address add 2001:db8::7/128 dev lo nodad");
        assert!(lines.any(|line| line == "2001:db8::7 added"));
        let _ = run("ip address del 192.0.2.1/24 dev lo");
        assert!(lines.any(|line| line == "192.0.2.1 deleted"));
        lines.ends();
    });
}

fn routes_and_their_changes(program: &Program) {
    let _ = run("ip link set lo up");
    let mut lines = Running::start(&mut program.command(&["watch"]));
    assert_eq!(lines.next().unwrap(), "watching");
    let mut wait_for = |wanted: &str| assert!(lines.any(|line| line == wanted), "{wanted}");
    for (ip, prefix, next_hop) in [("ip -4", "203.0.113.0/24", "0.0.0.0"), ("ip -6", "2001:db8::/32", "::")] {
        let shown = || run(&format!("{ip} route show {prefix}"));
        let words = [prefix, next_hop, "1"];
        assert_eq!(program.printed(&[&["route", "add"], &words[..]].concat()), "");
        assert!(shown().contains("dev lo"));
        wait_for(&format!("route {prefix} by {next_hop} interface 1 added"));
        let listed = program.printed(&["routes"]);
        assert!(listed.contains(&format!("{prefix} by {next_hop} interface 1 metric 10\n")), "{listed}");
        let (success, again) = program.outcome(&[&["route", "add"], &words[..]].concat());
        assert!(!success && again.contains("CreateIpForwardEntry2: 5010: "), "{again}");
        assert_eq!(program.printed(&[&["route", "delete"], &words[..]].concat()), "");
        assert_eq!(shown(), "");
        wait_for(&format!("route {prefix} by {next_hop} interface 1 deleted"));
    }
    let _ = run("ip address add 192.0.2.1/32 dev lo");
    wait_for("address 192.0.2.1 interface 1 added");
    lines.ends();
}

#[test]
fn the_rust_program_names_no_operating_system() {
    for file in std::fs::read_dir(examples().join("windows-sys/src")).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("cfg"), "{}", path.display());
    }
}
