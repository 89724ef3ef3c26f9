//! The page of each chapter leads to every call of it; links of the Markdown files lead somewhere, and so do their calls.
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

/// The Markdown files of the repository, `target` and hidden folders left out.
fn pages(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            pages(&path, found);
        } else if name.ends_with(".md") {
            found.push(path);
        }
    }
}

/// The anchors of a page, as its headings make them.
fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    headings
        .map(|it| it.trim().to_lowercase().chars().filter(kept).collect::<String>().replace(' ', "-"))
        .collect()
}

#[test]
fn links_and_calls_of_the_pages_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let mut found = Vec::new();
    pages(&root, &mut found);
    let mut sources = Vec::new();
    for file in files(&root.join("crates/iphelper/src")) {
        sources.extend(files(&file.with_extension("")).into_iter().chain([file]));
    }
    let sources: String = sources.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let (mut links, mut named) = (0, 0);
    for page in &found {
        let text = std::fs::read_to_string(page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.starts_with("http") {
                continue;
            }
            links += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", page.display());
            if !anchor.is_empty() {
                let there = anchors(&std::fs::read_to_string(&target).unwrap());
                assert!(there.iter().any(|it| it == anchor), "{}: no heading for {link}", page.display());
            }
        }
        for call in text.split("`Host::").skip(1).filter_map(|rest| rest.split(['`', '(']).next()) {
            named += 1;
            assert!(sources.contains(&format!("pub fn {call}")), "{}: no `Host::{call}`", page.display());
        }
    }
    assert!(links > 30 && named > 30, "the pages are no longer read as they are written: {links}, {named}");
}
