//! Files as the clients write them, and what nobody writes.

use super::*;
use crate::types::Lifetime;
use proptest::prelude::*;
use std::time::Duration;

fn text(text: &str) -> Text {
    Text { bytes: text.as_bytes().to_vec(), written: time(1_000_000) }
}

fn seconds(seconds: u64) -> Option<SystemTime> {
    time(seconds)
}

fn ipv4(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

#[test]
fn networkd_writes_variables() {
    let file = text(
        "# This is private data. Do not parse.\nADDRESS=192.0.2.7\nNETMASK=255.255.255.0\nROUTER=192.0.2.1\n\
         SERVER_ADDRESS=192.0.2.1\nT1=1800\nT2=3150\nLIFETIME=3600\nDNS=192.0.2.53 192.0.2.54\n",
    );
    let found = networkd::lease(b"7", &file).unwrap();
    assert_eq!(found.interface, Subject::Index(7));
    let lease = found.told;
    assert_eq!((lease.address, lease.server), (ipv4("192.0.2.7"), Some(ipv4("192.0.2.1"))));
    assert_eq!(lease.lifetime, Some(Lifetime::from_secs(3600)));
    assert_eq!((lease.obtained, lease.expires()), (seconds(1_000_000), seconds(1_003_600)));
    assert_eq!(lease.remaining(), Some(Lifetime::ZERO), "long over");
    assert_eq!(networkd::lease(b"eth0", &file), None, "files are named by index");
    assert_eq!(networkd::lease(b"7", &text("SERVER_ADDRESS=192.0.2.1\n")), None, "no address");
}

/// As version 1.42 writes it, and without the section in the names.
#[test]
fn network_manager_writes_sections() {
    let real = "[device]\nmanaged=true\nnm-owned=false\nroute-metric-default-effective=100\nnext-server=192.0.2.2\n\n\
         [dhcp4]\ndhcp4.broadcast_address=192.0.2.255\ndhcp4.dhcp_lease_time=600\n\
         dhcp4.dhcp_server_identifier=192.0.2.2\ndhcp4.expiry=2000600\ndhcp4.host_name=web\n\
         dhcp4.ip_address=192.0.2.8\ndhcp4.netbios_name_servers=192.0.2.3 192.0.2.4\ndhcp4.routers=192.0.2.2\n\n\
         [dhcp6]\ndhcp6.dhcp6_client_id=00:04:aa:bb\ndhcp6.fqdn_fqdn=web\ndhcp6.iaid=00:00:01:02\n\
         dhcp6.ip6_address=2001:db8::11f\n";
    for text_of in [real.to_owned(), real.replace("dhcp4.", "").replace("dhcp6.", "")] {
        let mut leases = Leases::default();
        network_manager::read(b"3", &text(&text_of), &mut leases);
        let lease = &leases.ipv4[0].told;
        assert_eq!((lease.address, lease.server), (ipv4("192.0.2.8"), Some(ipv4("192.0.2.2"))));
        assert_eq!((lease.obtained, lease.expires()), (seconds(2_000_000), seconds(2_000_600)));
        assert_eq!(lease.wins_servers, [ipv4("192.0.2.3"), ipv4("192.0.2.4")]);
        let client = &leases.ipv6[0].told;
        assert_eq!((client.duid.as_slice(), client.iaid), (&[0, 4, 0xaa, 0xbb][..], Some(258)));
    }
}

const LOG: &str = r#"
# The format of this file is documented in the dhclient.leases(5) manual page.
lease {
  interface "eth0";
  fixed-address 192.0.2.9;
  option dhcp-lease-time 60;
  expire 0 2026/11/22 06:00:00;
}
lease {
  interface "eth1";
  fixed-address 192.0.2.30;
  option host-name "a;b} {\"c";
  option dhcp-lease-time 4294967295;
  expire never;
}
lease {
  interface "eth0";
  fixed-address 192.0.2.10;
  option subnet-mask 255.255.255.0;
  option netbios-name-servers 192.0.2.3,192.0.2.4;
  option dhcp-lease-time 3600;
  option dhcp-server-identifier 192.0.2.1;
  renew 0 2026/11/22 06:30:00;
  expire 0 2026/11/22 07:00:00;
}
default-duid "\000\001";
lease6 {
  interface "eth0";
  ia-na 0a:00:00:02 {
    starts 1795327200;
    iaaddr 2001:db8::5 { starts 1795327200; preferred-life 100; max-life 200; }
  }
  option dhcp6.client-id 0:1:0:1:2a:ff;
}
"#;

#[test]
fn dhclient_writes_a_log_whose_end_counts() {
    let mut leases = Leases::default();
    dhclient::read(LOG.as_bytes(), &mut leases);
    let of = |name: &[u8]| {
        let mut found = leases.ipv4.iter().filter(|it| it.interface == Subject::Name(name.into()));
        let only = found.next().unwrap().told.clone();
        assert!(found.next().is_none());
        only
    };
    let lease = of(b"eth0");
    assert_eq!((lease.address, lease.server), (ipv4("192.0.2.10"), Some(ipv4("192.0.2.1"))));
    assert_eq!((lease.obtained, lease.expires()), (seconds(1_795_327_200), seconds(1_795_330_800)));
    assert_eq!(lease.wins_servers, [ipv4("192.0.2.3"), ipv4("192.0.2.4")]);
    let lease = of(b"eth1");
    assert_eq!((lease.lifetime, lease.expires()), (Some(Lifetime::INFINITE), None));
    assert_eq!(lease.remaining(), Some(Lifetime::INFINITE));
    let client = &leases.ipv6[0].told;
    assert_eq!((client.duid.as_slice(), client.iaid), (&[0, 1, 0, 1, 0x2a, 0xff][..], Some(0x0a00_0002)));
    assert!(dhclient::is_lease_file(b"dhclient.leases") && dhclient::is_lease_file(b"dhclient-u-eth0.lease"));
    assert!(!dhclient::is_lease_file(b"dhclient.eth0.pid") && !dhclient::is_lease_file(b"dhcpd.leases"));
}

/// A server's answer.
fn answer(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 236];
    bytes[0] = 2;
    bytes[16..20].copy_from_slice(&[192, 0, 2, 11]);
    bytes.extend([99, 130, 83, 99]);
    bytes.extend(options);
    bytes
}

#[test]
fn dhcpcd_keeps_the_answer() {
    let bytes = answer(&[
        53, 1, 5, 0, 51, 4, 0, 0, 14, 16, 54, 4, 192, 0, 2, 1, 44, 8, 192, 0, 2, 3, 192, 0, 2, 4, 255, 9,
    ]);
    let file = Text { bytes, written: time(5000) };
    let mut leases = Leases::default();
    dhcpcd::read(b"wlan-0-my net.lease", &file, &mut leases);
    let names: Vec<_> = leases.ipv4.iter().map(|it| it.interface.clone()).collect();
    let name = |text: &str| Subject::Name(text.into());
    assert_eq!(names, [name("wlan"), name("wlan-0"), name("wlan-0-my net")]);
    let lease = &leases.ipv4[0].told;
    assert_eq!((lease.address, lease.server), (ipv4("192.0.2.11"), Some(ipv4("192.0.2.1"))));
    assert_eq!((lease.lifetime, lease.expires()), (Some(Lifetime::from_secs(3600)), seconds(8600)));
    assert_eq!(lease.wins_servers.len(), 2);
    let reply = [7, 0, 0, 1, 0, 1, 0, 3, 9, 8, 7, 0, 3, 0, 12, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0];
    dhcpcd::read(b"e0.lease6", &Text { bytes: reply.to_vec(), written: None }, &mut leases);
    assert_eq!((leases.ipv6[0].told.duid.as_slice(), leases.ipv6[0].told.iaid), (&[9, 8, 7][..], Some(258)));
}

#[test]
fn a_lease_that_ends_beyond_all_clocks_has_no_end() {
    let lease = networkd::lease(b"1", &text("ADDRESS=10.0.0.1\nLIFETIME=99999999999\n")).unwrap().told;
    assert_eq!(lease.lifetime, None);
    let late = SystemTime::now() + Duration::from_secs(100);
    let lease = DhcpLease { obtained: Some(late), lifetime: Some(Lifetime::from_secs(9)), ..lease };
    assert!(lease.remaining() > Some(Lifetime::from_secs(100)));
}

proptest! {
    /// Whatever is in a file, and wherever it is cut off: it is read to an end, and gives no lease of nobody.
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..700), cut in 0..LOG.len(), at in 0..500_usize) {
        let mut leases = Leases::default();
        let mut log = LOG.as_bytes().get(..cut).unwrap().to_vec();
        log.extend(&bytes);
        let mut packet = answer(&bytes);
        packet.truncate(at);
        for bytes in [bytes, log, packet] {
            let file = Text { bytes, written: time(1) };
            let _ = networkd::lease(b"1", &file);
            network_manager::read(b"1", &file, &mut leases);
            dhclient::read(&file.bytes, &mut leases);
            dhcpcd::read(b"a.lease", &file, &mut leases);
            dhcpcd::read(b"a.lease6", &file, &mut leases);
        }
        prop_assert!(leases.ipv4.iter().all(|it| !it.told.address.is_unspecified()));
        prop_assert!(leases.ipv6.iter().all(|it| (1..=130).contains(&it.told.duid.len())));
    }

    /// Pieces of real lines in any order.
    #[test]
    fn any_order_of_words_is_read(
        words in proptest::collection::vec(
            prop::sample::select(vec![
                "lease {", "lease6 {", "}", "interface \"e0\";", "fixed-address 10.0.0.1;", "expire 0 2026/02/31 1:2:3;",
                "option dhcp-lease-time 5;", "ia-na 1:2:3:4 {", "option dhcp6.client-id 1;", "\"", "\\", "# x\n", ";",
                "[dhcp4]\n", "ip_address=10.0.0.1\n", "dhcp4.ip_address=10.0.0.2\n", "ADDRESS=0.0.0.0\n",
            ]),
            0..40,
        ),
    ) {
        let joined = words.concat();
        let mut leases = Leases::default();
        dhclient::read(joined.as_bytes(), &mut leases);
        network_manager::read(b"2", &text(&joined), &mut leases);
        prop_assert!(networkd::lease(b"2", &text(&joined)).is_none_or(|it| !it.told.address.is_unspecified()));
        prop_assert!(leases.ipv4.iter().all(|it| !it.told.address.is_unspecified()));
    }
}
