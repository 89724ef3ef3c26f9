//! Changes of `resolv.conf` by callers that are killed at each step.

use crate::backend::Dns as _;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::socket::killed;
use crate::dns::DnsChange;
use iphelper_testkit::{isolated, with_private_files};
use std::os::unix::fs::PermissionsExt;

const OLD: &str = "# mine\nnameserver 192.0.2.1\noptions ndots:2\n";
const NEW: &str = "# mine\nnameserver 192.0.2.2\noptions ndots:2\nsearch a.example\n";

#[test]
fn a_killed_change_leaves_a_whole_file_and_is_completed_by_the_next() {
    isolated(|| {
        let _ = with_private_files(|| {
            let host = LinuxHost::open().unwrap();
            let change = DnsChange {
                servers: Some(vec!["192.0.2.2".parse().unwrap()]),
                search: Some(vec!["a.example".to_owned()]),
                ..DnsChange::default()
            };
            let mut steps = 0;
            let mut seen = [0; 2];
            loop {
                std::fs::write("/etc/resolv.conf", OLD).unwrap();
                std::fs::set_permissions("/etc/resolv.conf", PermissionsExt::from_mode(0o640)).unwrap();
                let (result, died) = killed::after(steps, || host.set_dns(&change, true));
                let text = std::fs::read_to_string("/etc/resolv.conf").unwrap();
                let mode = std::fs::metadata("/etc/resolv.conf").unwrap().permissions().mode() & 0o7777;
                assert!(text == OLD || text == NEW, "killed before step {steps}: {text}");
                assert_eq!(mode, 0o640, "killed before step {steps}");
                seen[usize::from(text == NEW)] += 1;

                let _ = host.set_dns(&change, true).unwrap();
                assert_eq!(std::fs::read_to_string("/etc/resolv.conf").unwrap(), NEW);
                if !died {
                    assert_eq!(result.unwrap().len(), 2);
                    break;
                }
                steps += 1;
            }
            assert!(seen[0] >= 6 && seen[1] >= 2, "{seen:?} of {steps} steps");
            let mut left: Vec<_> =
                std::fs::read_dir("/etc").unwrap().flatten().map(|entry| entry.file_name()).collect();
            left.retain(|name| name.to_string_lossy().contains("resolv"));
            // A caller that was killed behind its last write of the file leaves its lock, which the next one takes along.
            std::fs::write("/etc/resolv.conf", OLD).unwrap();
            let _ = host.set_dns(&change, true).unwrap();
            assert_eq!(left.len(), 1, "{left:?}");
        });
    });
}
