//! The handle itself: which namespace it is bound to.

use iphelper::{ErrorKind, Host};
use iphelper_testkit::{NetNs, isolated, unprivileged};

iphelper_testkit::private_user_namespace!();

#[test]
fn a_file_that_is_no_network_namespace_is_refused() {
    let file = std::fs::File::open("/proc/self/status").unwrap();
    let error = Host::open_namespace(file.into()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
}

#[test]
fn entering_another_namespace_needs_a_privilege() {
    let other = NetNs::new();
    isolated(|| {
        let error = unprivileged(|| Host::open_namespace(other.descriptor())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error}");
    });
}
