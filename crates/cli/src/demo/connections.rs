//! Chapter: real connections, one of them deleted.

use super::stage::{Stage, THERE};
use super::story::{Story, WIDTH};
use super::{failed, kernel};
use crate::exit::Failure;
use crate::output::connections;
use iphelper::Host;
use iphelper::tcp::{TcpCondition, TcpQuery, TcpState};
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const PORT: u16 = 443;
/// Nothing here takes longer unless it is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection, both ends in our hands.
struct Connection {
    here: TcpStream,
    there: TcpStream,
}

pub(super) fn play(story: &mut Story, host: &Host, stage: &Stage) -> Result<(), Failure> {
    let [v4, v6] = THERE;
    let mut v4 = Connection::open(stage, v4)?;
    let mut v6 = Connection::open(stage, v6)?;
    let local = v4.here.local_addr()?;
    let remote = v4.here.peer_addr()?;

    story.chapter("TCP connections: SetTcpEntry deletes one, and both ends learn of it")?;
    story.command("iph tcp list")?;
    let mut query = TcpQuery::default();
    query.filter.conditions = vec![TcpCondition::State(vec![TcpState::Established])];
    query.owners = true;
    query.ordered = true;
    let rows = host.tcp_connections(&query)?;
    story.table(&connections::table(host, &rows, Some(WIDTH)))?;

    story.command(&format!("iph tcp delete {local} {remote}"))?;
    story.flush()?;
    let row = rows
        .iter()
        .find(|row| row.local == local)
        .ok_or_else(|| failed("finding the connection in the table", "it is not there"))?;
    host.delete_tcp_connection(row)?;
    story.line("Deleted. Now both programs read from their end:")?;
    story.bad("  this end:   ", &saw(&mut v4.here))?;
    story.bad("  other end:  ", &saw(&mut v4.there))?;
    match kernel::has_connection(local) {
        false => story.good("  kernel:     ", "/proc/net/tcp has it no more")?,
        true => return Err(failed("deleting a connection", "/proc/net/tcp still has it")),
    }
    story.line("The other connection goes on:")?;
    let echo = v6.echo(b"still here").map_err(|error| failed("using the IPv6 connection", error))?;
    story.good("  IPv6:       ", &format!("sent \"still here\", got back \"{echo}\""))?;
    Ok(())
}

impl Connection {
    fn open(stage: &Stage, address: IpAddr) -> Result<Self, Failure> {
        let error = |error: io::Error| failed(&format!("connecting to {address}"), error);
        let server = SocketAddr::new(address, PORT);
        let listener = stage.there.run(|| TcpListener::bind(server))?.map_err(error)?;
        let here = connect(server).map_err(error)?;
        let (there, _) = listener.accept().map_err(error)?;
        for stream in [&here, &there] {
            stream.set_read_timeout(Some(PATIENCE)).map_err(error)?;
        }
        Ok(Self { here, there })
    }

    /// Sends bytes to the other computer and back.
    fn echo(&mut self, text: &[u8]) -> io::Result<String> {
        let mut buffer = vec![0; text.len()];
        self.here.write_all(text)?;
        self.there.read_exact(&mut buffer)?;
        self.there.write_all(&buffer)?;
        self.here.read_exact(&mut buffer)?;
        Ok(String::from_utf8_lossy(&buffer).into_owned())
    }
}

/// Connects, however long the cable takes to carry its first packet.
fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpStream::connect_timeout(&server, PATIENCE) {
            Err(_) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(20)),
            result => return result,
        }
    }
}

/// What a program reading from this end is told.
fn saw(stream: &mut TcpStream) -> String {
    match stream.read(&mut [0; 16]) {
        Ok(0) => "end of file".to_owned(),
        Ok(bytes) => format!("{bytes} bytes"),
        Err(error) => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default().to_owned();
            let name = match error.raw_os_error().map(nix::errno::Errno::from_raw) {
                Some(errno) => format!("{errno:?}"),
                None => error.kind().to_string(),
            };
            format!("{name}: {text}")
        }
    }
}
