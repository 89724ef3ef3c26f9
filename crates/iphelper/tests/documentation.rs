//! The page of each chapter leads to every call of it.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some()).collect()
}

/// The names of the public methods that a file adds to `Host`.
fn calls(source: &str) -> Vec<&str> {
    let blocks = source.split("\nimpl Host {").skip(1).filter_map(|rest| rest.split("\n}").next());
    let after = blocks.flat_map(|block| block.split("\n    pub fn ").skip(1));
    after.filter_map(|rest| rest.split(['(', '<']).next()).collect()
}

#[test]
fn every_call_is_named_by_the_page_of_its_chapter() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = 0;
    for chapter in files(&root) {
        let head = std::fs::read_to_string(&chapter).unwrap();
        let head: Vec<&str> = head.lines().take_while(|line| line.starts_with("//!")).collect();
        let head = head.join("\n");
        let name = chapter.file_stem().unwrap().to_str().unwrap();
        // `Host` itself has no chapter.
        for file in files(&root.join(name)).into_iter().chain([chapter.clone()]).filter(|_| name != "host") {
            for call in calls(&std::fs::read_to_string(&file).unwrap()) {
                seen += 1;
                assert!(
                    head.contains(&format!("[`Host::{call}`]")),
                    "{}: its first lines do not lead to `Host::{call}` of {}",
                    chapter.display(),
                    file.display()
                );
            }
        }
    }
    assert!(seen > 100, "the files are no longer read as they are written: {seen} calls found");
}
