//! How far packets get and what they cost, as NetworkManager finds out and its own `nmcli` tells.

use crate::lab::{Uplink, eventually, host, start, stop};
use iphelper::connectivity::{ConnectivityCost, ConnectivityLevel};
use iphelper_testkit::run;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

static IS_PORTAL: AtomicBool = AtomicBool::new(true);

/// Answers NetworkManager's question as the Internet does, or as a portal.
fn serve(listener: &TcpListener) {
    for stream in listener.incoming() {
        let Ok(mut stream) = stream else { continue };
        let _ = stream.read(&mut [0; 4096]);
        let answer = if IS_PORTAL.load(Ordering::SeqCst) {
            "HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/login\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        } else {
            "HTTP/1.1 200 OK\r\nX-NetworkManager-Status: online\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        };
        let _ = stream.write_all(answer.as_bytes());
    }
}

/// A listener in the network beyond the uplink.
fn listener() -> TcpListener {
    std::thread::spawn(|| {
        let namespace = std::fs::File::open("/run/netns/beyond").unwrap();
        rustix::thread::move_into_link_name_space(
            std::os::fd::AsFd::as_fd(&namespace),
            Some(rustix::thread::LinkNameSpaceType::Network),
        )
        .unwrap();
        TcpListener::bind("192.0.2.1:80").unwrap()
    })
    .join()
    .unwrap()
}

#[test]
#[ignore = "scripts/test-services"]
fn what_the_manager_finds_is_told() {
    let host = host();
    let check = "[connectivity]\nuri=http://192.0.2.1/check\ninterval=300\n";
    std::fs::write("/etc/NetworkManager/conf.d/check.conf", check).unwrap();
    let uplink = Uplink::new();
    let listener = listener();
    let _server = std::thread::spawn(move || serve(&listener));
    start("NetworkManager");
    let index = host.interface_named("e0").unwrap().luid;
    let nmcli = || run("nmcli -g GENERAL.IP4-CONNECTIVITY,GENERAL.METERED device show e0").replace('\n', " ");
    let hint = || host.interface_connectivity_hint(index).unwrap();
    let all = || host.connectivity_hint().unwrap();
    eventually("NetworkManager is connected", || {
        run("nmcli -g GENERAL.STATE device show e0").contains("(connected)")
    });
    for (portal, word, level) in [
        (true, "portal", ConnectivityLevel::ConstrainedInternetAccess),
        (false, "full", ConnectivityLevel::InternetAccess),
    ] {
        let (send, told) = channel();
        let _watch = host
            .notify_connectivity_change(true, move |hint| {
                let _ = send.send(hint.level);
            })
            .expect("watching");
        IS_PORTAL.store(portal, Ordering::SeqCst);
        eventually("NetworkManager has found out", || {
            run("nmcli networking connectivity check").trim() == word && nmcli().contains(word)
        });
        assert_eq!((hint().level, all().level), (level, level), "{}", nmcli());
        // Told first as it is, or when it changes.
        while told.recv_timeout(Duration::from_secs(60)).expect("a notification") != level {}
    }
    for (metered, cost) in [("yes", ConnectivityCost::Fixed), ("no", ConnectivityCost::Unrestricted)] {
        let profile = run("nmcli -g GENERAL.CON-UUID device show e0");
        let _ = run(&format!("nmcli connection modify {} connection.metered {metered}", profile.trim()));
        let _ = run("nmcli device reapply e0");
        eventually("NetworkManager knows", || nmcli().trim().ends_with(metered));
        assert_eq!((hint().cost, all().cost), (Some(cost), Some(cost)), "{}", nmcli());
    }
    let _ = run("nmcli device set e0 managed no");
    // As far as the kernel knows.
    assert_eq!((hint().level, hint().cost), (ConnectivityLevel::InternetAccess, None), "nobody's finding");
    stop("NetworkManager");
    std::fs::remove_file("/etc/NetworkManager/conf.d/check.conf").unwrap();
    drop(uplink);
}
