//! A tunnel's interface, as VPN programs make one.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::net::IpAddr;
use std::os::fd::AsRawFd;

/// A TUN interface of the namespace in which it was made. It goes with this value, and with the process however that
/// ends: so do its addresses and routes.
#[derive(Debug)]
pub struct Tun(File);

impl Tun {
    /// Makes an interface of this name, which has at most 15 bytes.
    ///
    /// - Errors: those of `/dev/net/tun`, which a host may lack, and of `TUNSETIFF`
    pub fn new(name: &str) -> io::Result<Self> {
        const TUN_WITHOUT_HEADER: u16 = 0x1001;
        const TUNSETIFF: u32 = 0x4004_54ca;
        let file = OpenOptions::new().read(true).write(true).open("/dev/net/tun")?;
        // `struct ifreq`: the name, the flags, and room.
        let mut request = [0_u8; 40];
        let name = name.as_bytes().iter().take(15);
        request.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
        request.iter_mut().skip(16).zip(TUN_WITHOUT_HEADER.to_ne_bytes()).for_each(|(to, from)| *to = from);
        // SAFETY: the descriptor is open, and TUNSETIFF reads and writes a `struct ifreq`, which has this size.
        let done = unsafe { libc::ioctl(file.as_raw_fd(), TUNSETIFF.into(), request.as_mut_ptr()) };
        if done == 0 { Ok(Self(file)) } else { Err(io::Error::last_os_error()) }
    }

    /// Waits for the next packet that is to go through the tunnel, and gives its destination; `None` for what is neither
    /// IPv4 nor IPv6.
    pub fn next_destination(&self) -> io::Result<Option<IpAddr>> {
        let mut packet = [0; 2048];
        let len = (&self.0).read(&mut packet)?;
        let packet = packet.get(..len).unwrap_or_default();
        let address = match packet.first().map(|byte| byte >> 4) {
            Some(4) => packet.get(16..20).and_then(|it| it.first_chunk::<4>()).map(|it| IpAddr::from(*it)),
            Some(6) => packet.get(24..40).and_then(|it| it.first_chunk::<16>()).map(|it| IpAddr::from(*it)),
            _ => None,
        };
        Ok(address)
    }
}
