//! A DNS server that answers every question about an IPv4 address.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// A server on this thread's namespace; it ends with the process or the namespace's last user.
#[derive(Debug)]
pub struct DnsServer {
    asked: Arc<Mutex<Vec<String>>>,
}

impl DnsServer {
    /// Answers questions for the address of names that end in `domain`, at `address`, port 53, with `answer`; other names
    /// do not exist.
    #[must_use]
    pub fn start(address: &str, domain: &'static str, answer: Ipv4Addr) -> Self {
        let address: SocketAddr = format!("{address}:53").parse().expect("an address");
        let socket = UdpSocket::bind(address).expect("binding port 53 of a private namespace");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let names = Arc::clone(&asked);
        let _ = std::thread::spawn(move || {
            let mut buffer = [0; 512];
            while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                let Some((reply, name)) = reply(buffer.get(..len).unwrap_or_default(), domain, answer) else {
                    continue;
                };
                if let Ok(mut names) = names.lock() {
                    names.push(name);
                }
                let _ = socket.send_to(&reply, from);
            }
        });
        Self { asked }
    }

    /// The names that it was asked about.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().map(|names| names.clone()).unwrap_or_default()
    }
}

/// RFC 1035, 4.1: header of 12 octets, the question, and then the answer, whose name points to the question's.
fn reply(question: &[u8], domain: &str, answer: Ipv4Addr) -> Option<(Vec<u8>, String)> {
    let mut labels = Vec::new();
    let mut at = 12;
    loop {
        let len = usize::from(*question.get(at)?);
        if len == 0 {
            break;
        }
        labels.push(String::from_utf8_lossy(question.get(at + 1..at + 1 + len)?).into_owned());
        at += 1 + len;
    }
    let asks_for_ipv4 = question.get(at + 1..at + 5)? == [0, 1, 0, 1];
    let name = labels.join(".");
    let exists = name.ends_with(domain);
    let mut reply = question.get(..2)?.to_vec();
    reply.extend([
        0x81,
        if exists { 0x80 } else { 0x83 },
        0,
        1,
        0,
        u8::from(exists && asks_for_ipv4),
        0,
        0,
        0,
        0,
    ]);
    reply.extend_from_slice(question.get(12..at + 5)?);
    if exists && asks_for_ipv4 {
        reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4]);
        reply.extend(answer.octets());
    }
    Some((reply, name))
}
