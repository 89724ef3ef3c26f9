//! Why a packet takes the route that it takes, step by step.

use super::BestRoute;
use crate::error::Error;
use crate::neighbor::Neighbor;
use crate::route::Route;
use std::fmt;

/// The decision about one packet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteExplanation {
    /// The answer: that of [`Host::best_route`](crate::Host::best_route).
    pub best: Result<BestRoute, Error>,
    /// The policy rules in their order, as far as they were looked at; behind the one that decided, the main table if it
    /// was not looked up.
    pub steps: Vec<RuleStep>,
    /// How the source came about.
    pub source: SourceChoice,
    /// The router, or the destination itself where it is on the link; `None` where the host knows nothing of it, or needs
    /// no neighbour.
    pub neighbor: Option<Neighbor>,
    /// Whether these steps, which are told from rules and tables, lead to the kernel's answer. Where not, something was
    /// decided by what cannot be seen here, or changed meanwhile.
    pub agrees: bool,
}

/// A policy rule, and what became of the packet there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RuleStep {
    /// The rule's place.
    pub priority: u32,
    /// The rule, as `ip rule` words it.
    pub rule: String,
    /// What it is for, where it is one of ours.
    pub purpose: Option<String>,
    /// The table that it looks up, if it looks one up.
    pub table: Option<u32>,
    /// What became of the packet.
    pub outcome: RuleOutcome,
    /// The routes of the table that cover the destination, the best first.
    pub candidates: Vec<Candidate>,
}

/// What a rule does about a packet.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum RuleOutcome {
    /// It is not for this packet.
    DoesNotApply,
    /// No route of its table is taken; the next rule has its turn.
    NoRoute,
    /// A route of its table is taken.
    Decides,
    /// It ends the search, or a route of its table does: the packet goes nowhere.
    Forbids,
    /// An earlier rule has decided.
    NotReached,
    /// It judges by something that is not known here: a VRF, or what kernels after this library was made look at.
    Unknown,
}

/// A route that covers the destination.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Candidate {
    /// The route.
    pub route: Route,
    /// Whether it is taken, and why not.
    pub outcome: CandidateOutcome,
}

/// Whether a route that covers the destination is taken, and why not.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum CandidateOutcome {
    /// It is taken.
    Taken,
    /// One with a longer prefix is taken.
    ShorterPrefix,
    /// One to the same prefix, with a lower sum of the route's metric and the interface's, is taken.
    HigherMetric,
    /// One alike comes before it, or another of its next hops is taken.
    Later,
    /// It is over another interface than the one that was asked for.
    OtherInterface,
    /// It is for packets of another source, or another type of service.
    OtherPackets,
    /// Its interface is down, or has no carrier.
    Down,
    /// The rule does not take prefixes that short.
    Suppressed,
    /// The rule does not take routes over interfaces of this group, and so none of the table.
    SuppressedGroup,
    /// It is a default route over an interface whose default routes are disabled.
    DefaultRouteDisabled,
    /// The source is an address of an interface with `WeakHostSend` off: packets from there take the routes over that
    /// interface alone.
    StrongHost,
    /// An earlier rule has decided.
    NotReached,
    /// It ends the look-up in this table (throw).
    Throws,
}

/// How a packet's source came about.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum SourceChoice {
    /// It was asked for.
    Asked,
    /// The route says so.
    OfRoute,
    /// The kernel took the best address of the interface, or of the host.
    Chosen,
    /// There is none.
    None,
}

impl fmt::Display for CandidateOutcome {
    /// In words that follow the route's, such as "loses: ...".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Taken => "taken",
            Self::ShorterPrefix => "loses: a longer prefix covers the destination",
            Self::HigherMetric => "loses: its metric is higher",
            Self::Later => "loses: another of the same prefix and metric comes first",
            Self::OtherInterface => "passed over: another interface was asked for",
            Self::OtherPackets => "passed over: it is for packets of another source or type of service",
            Self::Down => "passed over: its interface is down or has no carrier",
            Self::Suppressed => "passed over: this rule takes no default routes",
            Self::SuppressedGroup => "is not taken: this rule takes none over interfaces of its group",
            Self::DefaultRouteDisabled => "passed over: default routes of its interface are disabled",
            Self::StrongHost => "not looked at: the source is another interface's, which sends from it alone",
            Self::NotReached => "not looked at: an earlier rule has decided",
            Self::Throws => "ends the look-up in this table",
        })
    }
}

impl fmt::Display for RuleOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DoesNotApply => "is not for this packet",
            Self::NoRoute => "has no route for it",
            Self::Decides => "decides",
            Self::Forbids => "forbids it",
            Self::NotReached => "is not reached",
            Self::Unknown => "judges by what is not known here",
        })
    }
}
