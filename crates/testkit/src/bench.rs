//! What the benchmarks share: times by name, `ip -batch`, the walk through a dump that is every reader's floor, and processes
//! that hold sockets.

use rustix::fd::OwnedFd;
use rustix::net::{RecvFlags, SendFlags};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Whether the program shall only show that everything works.
pub fn is_smoke() -> bool {
    std::env::args().any(|argument| argument == "--smoke")
}

/// The number behind an argument of the program.
pub fn value(name: &str) -> Option<usize> {
    std::env::args().skip_while(|argument| argument != name).nth(1)?.parse().ok()
}

/// The number behind an argument, or the one for a small or a whole run.
pub fn value_or(name: &str, small: usize, whole: usize) -> usize {
    value(name).unwrap_or(if is_smoke() { small } else { whole })
}

/// Measurements by name, in the order in which they were first taken.
#[derive(Debug, Default)]
pub struct Times {
    rows: Vec<(&'static str, Vec<Duration>)>,
}

impl Times {
    /// Does the work and keeps how long it took.
    pub fn take(&mut self, name: &'static str, work: impl FnOnce()) {
        let start = Instant::now();
        work();
        self.push(name, start.elapsed());
    }

    /// Keeps a time that was taken elsewhere.
    pub fn push(&mut self, name: &'static str, took: Duration) {
        match self.rows.iter_mut().find(|row| row.0 == name) {
            Some((_, times)) => times.push(took),
            None => self.rows.push((name, vec![took])),
        }
    }

    /// In milliseconds.
    pub fn median(&self, name: &str) -> f64 {
        let times = self.rows.iter().find(|row| row.0 == name).map(|row| row.1.as_slice());
        median(times.unwrap_or_default().iter().map(|time| time.as_secs_f64() * 1e3).collect())
    }

    /// How many times as long as `floor` something took.
    pub fn ratio(&self, name: &str, floor: &str) -> f64 {
        self.median(name) / self.median(floor)
    }

    /// Every median, in milliseconds and beside that of `floor`.
    pub fn print(&self, floor: &str) {
        for (name, _) in &self.rows {
            println!("{name:50} {:10.1} ms {:8.2} x", self.median(name), self.ratio(name, floor));
        }
    }

    /// Of each pair how many times as long the first takes, and what is wanted of it.
    pub fn print_ratios(&self, pairs: &[(&str, &str, &str)]) {
        for (slow, fast, wanted) in pairs {
            println!("ratio {slow} / {fast}: {:.2} {wanted}", self.ratio(slow, fast));
        }
    }
}

/// The middle one of some numbers; 0 of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// Has `ip` carry out a script.
///
/// # Panics
/// If it refuses any of it.
pub fn ip_batch(script: &str) {
    let ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn();
    let mut ip = ip.expect("starting ip");
    ip.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("writing to ip");
    assert!(ip.wait().expect("waiting for ip").success(), "ip -batch has failed");
}

/// Runs a program to its end, what it says thrown away.
///
/// # Panics
/// If it fails.
pub fn run_quietly(program: &str, arguments: &[&str]) {
    let status = Command::new(program).args(arguments).stdout(Stdio::null()).status();
    assert!(status.expect("starting a program").success(), "{program} has failed");
}

/// The least that any reader of a dump has to do: to ask, to receive, and to walk the messages' headers; how many there are.
///
/// # Panics
/// If the kernel refuses.
pub fn walk_dump(socket: &OwnedFd, request: &[u8]) -> usize {
    const NLMSG_ERROR: u16 = 2;
    const NLMSG_DONE: u16 = 3;
    let mut buffer = vec![0_u8; 64 * 1024];
    let _ = rustix::net::send(socket, request, SendFlags::empty()).expect("asking for a dump");
    let mut messages = 0;
    loop {
        let (len, _) = rustix::net::recv(socket, &mut buffer, RecvFlags::empty()).expect("receiving a dump");
        let mut rest = buffer.get(..len).unwrap_or_default();
        while let Some(&[a, b, c, d, e, f, ..]) = rest.first_chunk::<16>() {
            match u16::from_ne_bytes([e, f]) {
                NLMSG_DONE => return messages,
                NLMSG_ERROR => panic!("a dump was refused"),
                _ => messages += 1,
            }
            let len = u32::from_ne_bytes([a, b, c, d]).max(16).next_multiple_of(4) as usize;
            rest = rest.get(len..).unwrap_or_default();
        }
    }
}

/// Processes that hold sockets: this program once more, with `--hold` and how many, and other arguments. They end with this.
#[derive(Debug)]
pub struct Holders {
    processes: Vec<Child>,
}

impl Holders {
    /// Descriptors that a process holds beside its sockets.
    const SPARE_DESCRIPTORS: usize = 64;

    /// Spreads as many as asked for, each of some descriptors, over as many processes as their limits make necessary;
    /// `arguments` tells those of each process.
    ///
    /// # Panics
    /// If one cannot be started, or does not say that it holds them.
    pub fn new(count: usize, descriptors: usize, arguments: impl Fn(usize) -> [String; 2]) -> Self {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let limit = usize::try_from(limit.unwrap_or(1 << 20)).unwrap_or(1 << 20);
        let most =
            (limit.saturating_sub(Self::SPARE_DESCRIPTORS) / descriptors).clamp(1, 19_800 / descriptors);
        let processes = count.div_ceil(most).max(4);
        let this = std::env::current_exe().expect("this program's path");
        let started = (0..processes).map(|number| {
            // As even as whole numbers allow.
            let share = count * (number + 1) / processes - count * number / processes;
            Command::new(&this)
                .args(["--hold", &share.to_string()])
                .args(arguments(number))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("starting a holder")
        });
        let mut holders = Self { processes: started.collect() };
        for process in &mut holders.processes {
            let mut ready = String::new();
            let _ = BufReader::new(process.stdout.as_mut().expect("a pipe")).read_line(&mut ready);
            assert_eq!(ready, "ready\n");
        }
        holders
    }

    /// How many processes hold them.
    pub fn count(&self) -> usize {
        self.processes.len()
    }

    /// What a holder does once it has its sockets: it says so, and keeps them until its input ends.
    ///
    /// # Panics
    /// If nobody listens.
    pub fn hold<T>(sockets: T) {
        println!("ready");
        std::io::stdout().flush().expect("saying so");
        let _ = std::io::stdin().read(&mut [0]);
        drop(sockets);
    }
}

impl Drop for Holders {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // The end of its input ends it.
            drop(process.stdin.take());
        }
        for process in &mut self.processes {
            let _ = process.wait();
        }
    }
}
