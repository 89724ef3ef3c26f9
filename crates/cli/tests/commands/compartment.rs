//! `iph compartment`.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support;
use crate::support::{command, iph, unprivileged};
use iphelper_testkit::{isolated, run, with_private_folder};

/// The number of this thread's namespace, as `readlink` tells it.
fn here() -> String {
    let link = run("readlink /proc/self/ns/net");
    link.trim().trim_start_matches("net:[").trim_end_matches(']').to_owned()
}

#[test]
fn compartments_are_listed_and_shown() {
    with_private_folder("/run", || {
        isolated(|| {
            let _ = run("ip netns add blue");
            let blue = run("stat -L -c %i /run/netns/blue").trim().to_owned();
            let rows = iph("compartment list --json").json();
            let find = |id: &str| {
                let rows = rows.as_array().unwrap();
                rows.iter()
                    .find(|row| row["id"].as_u64() == id.parse().ok())
                    .unwrap_or_else(|| panic!("{id}: {rows:?}"))
            };
            assert_eq!(find(&blue)["names"], serde_json::json!(["blue"]));
            assert_eq!(find(&blue)["is_current"], false);
            assert_eq!(find(&here())["is_current"], true);
            let own = find(&here())["processes"].as_array().unwrap();
            assert!(own.contains(&std::process::id().into()), "a thread of this process: {own:?}");
            let text = iph("compartment list").ok();
            let line = text.lines().find(|line| line.contains(&blue)).unwrap();
            assert!(line.contains("blue"), "{text}");
            for selector in ["blue".to_owned(), blue.clone()] {
                let row = iph(&format!("compartment show {selector} --json")).json();
                assert_eq!(&row, find(&blue), "{selector}");
            }
            let shown = iph("compartment show").ok();
            assert!(shown.contains(&format!("net:[{}]", here())) && shown.contains("this one"), "{shown}");
            let of_process = format!("compartment show pid:{} --json", std::process::id());
            assert_eq!(iph(&of_process).json()["inode"].as_u64().unwrap(), first_threads_inode());
            // Reading needs no privilege.
            assert_eq!(unprivileged("compartment show --json").json()["id"].to_string(), here());
        });
    });
}

/// That of this program's first thread, which is where `isolated` is not.
fn first_threads_inode() -> u64 {
    std::os::linux::fs::MetadataExt::st_ino(&std::fs::metadata("/proc/self/ns/net").unwrap())
}

#[test]
fn programs_run_in_a_compartment() {
    with_private_folder("/run", || {
        isolated(|| {
            let _ = run("ip netns add blue");
            let blue = run("stat -L -c %i /run/netns/blue").trim().to_owned();
            let shown = iph("compartment exec blue -- readlink /proc/self/ns/net").ok();
            assert_eq!(shown, format!("net:[{blue}]\n"));
            assert_eq!(iph(&format!("compartment exec {blue} readlink /proc/self/ns/net")).ok(), shown);
            // Its arguments are the program's, and so is its exit code.
            let mut failing = command("compartment exec blue -- sh -c");
            assert_eq!(support::run(failing.arg("exit 42")).code, Some(42));
            let message = iph("compartment exec blue -- /no/such/program").message(3);
            assert!(message.contains("starting /no/such/program"), "{message}");
            let message = unprivileged("compartment exec blue -- true").message(4);
            assert!(message.contains("CAP_SYS_ADMIN"), "{message}");
        });
    });
}

#[test]
fn what_is_no_compartment_says_so() {
    isolated(|| {
        for (selector, code) in [("green", 3), ("7", 3), ("0", 2), ("pid:0", 3)] {
            let _ = iph(&format!("compartment show {selector}")).message(code);
        }
        for selector in ["pid:x", "a/b"] {
            let run = iph(&format!("compartment show {selector}")).expect(2);
            assert!(run.stderr.contains("pid:"), "{}", run.stderr);
        }
    });
}
