//! Which classes of statistics are switched on.

/// A class whose collection is switched on and off; bandwidth has a switch for each direction.
#[doc(alias = "EnableCollection")]
#[allow(missing_docs, reason = "the names are those of the classes")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TcpEstatsSwitch {
    Data,
    SendCongestion,
    Path,
    SendBuffer,
    Receive,
    ObservedReceiver,
    #[doc(alias = "EnableCollectionOutbound")]
    OutboundBandwidth,
    #[doc(alias = "EnableCollectionInbound")]
    InboundBandwidth,
    FineRtt,
}

impl TcpEstatsSwitch {
    /// The switch's name, as a property of the connection.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::SendCongestion => "send_congestion",
            Self::Path => "path",
            Self::SendBuffer => "send_buffer",
            Self::Receive => "receive",
            Self::ObservedReceiver => "observed_receiver",
            Self::OutboundBandwidth => "outbound_bandwidth",
            Self::InboundBandwidth => "inbound_bandwidth",
            Self::FineRtt => "fine_rtt",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The switches of one connection, all off at first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct TcpEstatsCollection(u16);

impl TcpEstatsCollection {
    /// Whether this switch is on.
    #[must_use]
    pub const fn is_on(self, switch: TcpEstatsSwitch) -> bool {
        self.0 & switch.bit() != 0
    }

    /// These switches, with one set.
    #[must_use]
    pub const fn with(self, switch: TcpEstatsSwitch, on: bool) -> Self {
        if on { Self(self.0 | switch.bit()) } else { Self(self.0 & !switch.bit()) }
    }
}
