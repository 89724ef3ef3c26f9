//! A process that runs out of descriptors.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Runs `work` while this process can open `spare` descriptors and no more. In a child, since the limit is the whole
/// process's.
pub fn with_spare_descriptors<T>(spare: usize, work: impl FnOnce() -> T) -> T {
    let before = getrlimit(Resource::Nofile);
    let open = std::fs::read_dir("/proc/self/fd").expect("reading /proc/self/fd");
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let current = numbers.max().map(|highest| highest + 1 + spare as u64);
    setrlimit(Resource::Nofile, Rlimit { current, ..before }).expect("lowering the limit");
    let mut filling: Vec<_> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
    filling.truncate(filling.len().saturating_sub(spare));
    let result = work();
    drop(filling);
    setrlimit(Resource::Nofile, before).expect("setting the limit back");
    result
}
