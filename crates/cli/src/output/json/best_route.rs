//! Best routes and their explanations as JSON.

use super::Route;
use iphelper::best_route::{self, CandidateOutcome, RuleOutcome, SourceChoice};
use iphelper::route;
use serde::Serialize;
use std::net::IpAddr;

/// The route that a packet takes.
#[derive(Debug, Serialize)]
pub(crate) struct BestRoute<'a> {
    destination: IpAddr,
    source: Option<IpAddr>,
    route: Route<'a>,
}

impl<'a> BestRoute<'a> {
    pub(crate) fn new(destination: IpAddr, best: &best_route::BestRoute, interface: Option<&'a str>) -> Self {
        Self { destination, source: best.source, route: Route::new(&best.route, interface) }
    }
}

/// Why it takes it.
#[derive(Debug, Serialize)]
pub(crate) struct RouteExplanation<'a> {
    destination: IpAddr,
    best: Option<BestRoute<'a>>,
    error: Option<String>,
    source_choice: &'static str,
    rules: Vec<Rule<'a>>,
    neighbor: Option<Neighbor>,
    agrees: bool,
}

#[derive(Debug, Serialize)]
struct Rule<'a> {
    priority: u32,
    rule: String,
    purpose: Option<String>,
    table: Option<u32>,
    outcome: &'static str,
    candidates: Vec<Candidate<'a>>,
}

#[derive(Debug, Serialize)]
struct Candidate<'a> {
    outcome: &'static str,
    route: Route<'a>,
}

#[derive(Debug, Serialize)]
struct Neighbor {
    address: IpAddr,
    physical_address: Option<String>,
    state: String,
}

impl<'a> RouteExplanation<'a> {
    pub(crate) fn new(
        destination: IpAddr,
        explained: &best_route::RouteExplanation,
        name_of: impl Fn(&route::Route) -> Option<&'a str>,
    ) -> Self {
        let best = explained.best.as_ref();
        let rules = explained.steps.iter().map(|step| Rule {
            priority: step.priority,
            rule: step.rule.clone(),
            purpose: step.purpose.clone(),
            table: step.table,
            outcome: rule_outcome(step.outcome),
            candidates: step
                .candidates
                .iter()
                .map(|candidate| Candidate {
                    outcome: candidate_outcome(candidate.outcome),
                    route: Route::new(&candidate.route, name_of(&candidate.route)),
                })
                .collect(),
        });
        Self {
            destination,
            best: best.ok().map(|best| BestRoute::new(destination, best, name_of(&best.route))),
            error: best.err().map(ToString::to_string),
            source_choice: match explained.source {
                SourceChoice::Asked => "asked",
                SourceChoice::OfRoute => "of_route",
                SourceChoice::Chosen => "chosen",
                _ => "none",
            },
            rules: rules.collect(),
            neighbor: explained.neighbor.as_ref().map(|neighbor| Neighbor {
                address: neighbor.address,
                physical_address: Some(neighbor.physical_address.to_string()).filter(|text| !text.is_empty()),
                state: neighbor.state.to_string(),
            }),
            agrees: explained.agrees,
        }
    }
}

fn rule_outcome(outcome: RuleOutcome) -> &'static str {
    match outcome {
        RuleOutcome::DoesNotApply => "does_not_apply",
        RuleOutcome::NoRoute => "no_route",
        RuleOutcome::Decides => "decides",
        RuleOutcome::Forbids => "forbids",
        RuleOutcome::NotReached => "not_reached",
        _ => "unknown",
    }
}

fn candidate_outcome(outcome: CandidateOutcome) -> &'static str {
    match outcome {
        CandidateOutcome::Taken => "taken",
        CandidateOutcome::ShorterPrefix => "shorter_prefix",
        CandidateOutcome::HigherMetric => "higher_metric",
        CandidateOutcome::Later => "later",
        CandidateOutcome::OtherInterface => "other_interface",
        CandidateOutcome::OtherPackets => "other_packets",
        CandidateOutcome::Down => "down",
        CandidateOutcome::Suppressed => "suppressed",
        CandidateOutcome::SuppressedGroup => "suppressed_group",
        CandidateOutcome::DefaultRouteDisabled => "default_route_disabled",
        CandidateOutcome::StrongHost => "strong_host",
        CandidateOutcome::NotReached => "not_reached",
        CandidateOutcome::Throws => "throws",
        _ => "unknown",
    }
}
