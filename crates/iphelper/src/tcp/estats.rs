//! Extended statistics of one TCP connection (RFC 4898): what it has sent, lost and waited for.
//!
//! ```no_run
//! use iphelper::Host;
//! use iphelper::tcp::{TcpCondition, TcpQuery, TcpState};
//!
//! # fn main() -> iphelper::Result<()> {
//! let host = Host::open()?;
//! let query = TcpQuery {
//!     filter: vec![TcpCondition::State(vec![TcpState::Established])].into(),
//!     ..TcpQuery::default()
//! };
//! for row in host.tcp_connections(&query)? {
//!     let estats = host.tcp_estats(&row)?;
//!     println!("{} -> {}: {:?}", row.local, row.remote, estats.path.smoothed_rtt);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A member that a host does not know is `None`. Linux counts part of what RFC 4898 names, and counts it always: nothing
//! need be switched on. A member without a word about Linux is one that its kernel does not tell, and `None` there;
//! `docs/linux-mechanisms.md` has the reason of each.

mod classes;
mod collection;
mod kernel;

pub use classes::{
    BandwidthEstats, DataEstats, FineRttEstats, ObservedReceiverEstats, PathEstats, ReceiveEstats,
    SendBufferEstats, SendCongestionEstats, SynOptionEstats,
};
pub use collection::{TcpEstatsCollection, TcpEstatsSwitch};
pub use kernel::{CongestionState, KernelEstats};

use super::TcpConnection;
use crate::Host;
use crate::error::Result;
use crate::ip_interface::PropertyChange;
use std::time::Duration;

/// All that is known of one connection, of one moment.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct TcpEstats {
    /// What the two ends agreed on when they connected.
    #[doc(alias = "TcpConnectionEstatsSynOpts")]
    pub syn_options: SynOptionEstats,
    /// Bytes and segments, in and out.
    #[doc(alias = "TcpConnectionEstatsData")]
    pub data: DataEstats,
    /// What limits the sender.
    #[doc(alias = "TcpConnectionEstatsSndCong")]
    pub send_congestion: SendCongestionEstats,
    /// Losses and times of the path.
    #[doc(alias = "TcpConnectionEstatsPath")]
    pub path: PathEstats,
    /// What waits to be sent or acknowledged.
    #[doc(alias = "TcpConnectionEstatsSendBuff")]
    pub send_buffer: SendBufferEstats,
    /// This end as receiver.
    #[doc(alias = "TcpConnectionEstatsRec")]
    pub receive: ReceiveEstats,
    /// The peer as receiver.
    #[doc(alias = "TcpConnectionEstatsObsRec")]
    pub observed_receiver: ObservedReceiverEstats,
    /// What the path carries.
    #[doc(alias = "TcpConnectionEstatsBandwidth")]
    pub bandwidth: BandwidthEstats,
    /// Round-trip times by the microsecond.
    #[doc(alias = "TcpConnectionEstatsFineRtt")]
    pub fine_rtt: FineRttEstats,
    /// What Linux knows beyond RFC 4898.
    pub kernel: KernelEstats,
}

/// The value of a member, for programs that list all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EstatsValue {
    /// A count, bytes or a rate.
    Number(u64),
    /// A time.
    Time(Duration),
    /// Yes or no.
    Flag(bool),
}

/// A member of a class, for programs that list all of them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct EstatsMember {
    /// The class: the name of its field in [`TcpEstats`].
    pub class: &'static str,
    /// The name of its field in the class.
    pub name: &'static str,
    /// Whether it is a time, also where its value is not known.
    pub is_time: bool,
    /// The value; `None` where it is not known.
    pub value: Option<EstatsValue>,
}

/// The types of members.
trait Kind: Into<EstatsValue> + Copy {
    const IS_TIME: bool = false;
}

impl Kind for u64 {}
impl Kind for bool {}

impl Kind for Duration {
    const IS_TIME: bool = true;
}

/// A member; its class is told later.
fn member<T: Kind>(name: &'static str, value: Option<T>) -> EstatsMember {
    EstatsMember { class: "", name, is_time: T::IS_TIME, value: value.map(T::into) }
}

impl From<u64> for EstatsValue {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<Duration> for EstatsValue {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

impl From<bool> for EstatsValue {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl TcpEstats {
    /// The members of every class, those that are not known among them. Not the two members of `kernel` that are words.
    #[must_use]
    pub fn members(&self) -> Vec<EstatsMember> {
        let classes = [
            ("syn_options", self.syn_options.members()),
            ("data", self.data.members()),
            ("send_congestion", self.send_congestion.members()),
            ("path", self.path.members()),
            ("send_buffer", self.send_buffer.members()),
            ("receive", self.receive.members()),
            ("observed_receiver", self.observed_receiver.members()),
            ("bandwidth", self.bandwidth.members()),
            ("fine_rtt", self.fine_rtt.members()),
            ("kernel", self.kernel.members()),
        ];
        let named = |(class, members): (&'static str, Vec<EstatsMember>)| {
            members.into_iter().map(move |member| EstatsMember { class, ..member })
        };
        classes.into_iter().flat_map(named).collect()
    }
}

impl Host {
    /// The extended statistics of the very connection that was listed, by its cookie: a later one on the same ends is
    /// never taken for it.
    ///
    /// - Windows: `GetPerTcpConnectionEStats`, `GetPerTcp6ConnectionEStats`. There a class must be switched on first; Linux
    ///   counts always.
    /// - Errors: [`NotFound`](crate::ErrorKind::NotFound) where the connection is gone, and for rows that have no statistics:
    ///   listeners, connections in [`TimeWait`](super::TcpState::TimeWait), requests that wait for their last
    ///   acknowledgement; [`InvalidParameter`](crate::ErrorKind::InvalidParameter) for a row that was changed to name no
    ///   socket; [`NotSupported`](crate::ErrorKind::NotSupported) for a kernel without `CONFIG_INET_TCP_DIAG`
    /// - Linux: `SOCK_DIAG_BY_FAMILY` of the cookie, with `INET_DIAG_INFO`, `INET_DIAG_SKMEMINFO`, `INET_DIAG_CONG` and
    ///   `INET_DIAG_VEGASINFO`
    /// - Privilege: none
    #[doc(alias = "GetPerTcpConnectionEStats")]
    #[doc(alias = "GetPerTcp6ConnectionEStats")]
    pub fn tcp_estats(&self, connection: &TcpConnection) -> Result<TcpEstats> {
        self.backend().tcp_estats(connection)
    }

    /// Which classes are switched on for a connection.
    ///
    /// - Windows: the `Rw` part of `GetPerTcpConnectionEStats`
    /// - Errors: as [`tcp_estats`](Self::tcp_estats)
    /// - Linux: a record of this process, see [`set_tcp_estats_collection`](Self::set_tcp_estats_collection)
    /// - Privilege: none
    pub fn tcp_estats_collection(&self, connection: &TcpConnection) -> Result<TcpEstatsCollection> {
        self.backend().tcp_estats_collection(connection)
    }

    /// Switches the collection of classes on or off for a connection; what that changed.
    ///
    /// Linux counts for every connection, always, and has no switch. The switches are therefore a record that this process
    /// keeps of the connection until it ends: they say what was asked for, and change no counter.
    ///
    /// - Windows: `SetPerTcpConnectionEStats`, `SetPerTcp6ConnectionEStats`
    /// - Errors: as [`tcp_estats`](Self::tcp_estats), and [`AccessDenied`](crate::ErrorKind::AccessDenied)
    /// - Linux: memory of this process, by socket cookie
    /// - Privilege: `CAP_NET_ADMIN` over the network namespace, as Windows asks for an administrator
    #[doc(alias = "SetPerTcpConnectionEStats")]
    #[doc(alias = "SetPerTcp6ConnectionEStats")]
    pub fn set_tcp_estats_collection(
        &self,
        connection: &TcpConnection,
        switches: &[(TcpEstatsSwitch, bool)],
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_tcp_estats_collection(connection, switches, true)
    }

    /// What [`set_tcp_estats_collection`](Self::set_tcp_estats_collection) would change. Changes nothing, and needs no
    /// privilege.
    pub fn plan_set_tcp_estats_collection(
        &self,
        connection: &TcpConnection,
        switches: &[(TcpEstatsSwitch, bool)],
    ) -> Result<Vec<PropertyChange>> {
        self.backend().set_tcp_estats_collection(connection, switches, false)
    }
}
