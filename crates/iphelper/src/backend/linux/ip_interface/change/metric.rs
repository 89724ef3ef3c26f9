//! `UseAutomaticMetric` and `Metric`: how much the interface adds to the metric of each route over it.

use super::plan::{Planner, Turn, invalid};
use super::undo::Values;
use super::write::Write;
use crate::error::Result;
use crate::types::Family;
use std::fmt::{self, Display};

/// A metric as people read it: automatic is 0 more on Linux, whatever Windows' table says.
struct Offset(Option<u32>);

impl Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(metric) => metric.fmt(f),
            None => f.write_str("automatic"),
        }
    }
}

pub(super) fn use_automatic_metric(planner: &mut Planner<'_>) -> Result<()> {
    let from = planner.row.use_automatic_metric;
    let Some(to) = asked(planner)? else { return Ok(()) };
    if to.is_none() != from {
        planner.tell("use_automatic_metric", from, to.is_none(), "a marker route, see metric");
    }
    Ok(())
}

pub(super) fn metric(planner: &mut Planner<'_>) -> Result<()> {
    let Some(to) = asked(planner)? else { return Ok(()) };
    let (host, row, link) = (planner.host, planner.row, planner.link);
    let from = (!row.use_automatic_metric).then_some(row.metric);
    // The same again moves routes that were added since, and completes what a caller that was killed has begun.
    let again = from == to;
    let unfinished = host.route_settings()?.is_metric_unfinished(row.family, link);
    if again && to.is_none() && !unfinished {
        return Ok(());
    }
    let work = host.interface_metric_work(row.family, link, to)?;
    if again && !unfinished && work.routes == 0 && work.addresses == 0 {
        return Ok(());
    }
    let mechanism = format!(
        "RTA_PRIORITY of {}, IFA_RT_PRIORITY of {}",
        count(work.routes, "route", "routes"),
        count(work.addresses, "address", "addresses")
    );
    let mechanism = match row.family {
        Family::V4 => mechanism,
        Family::V6 => format!("{mechanism}, {}", planner.sysctl_name("ra_defrtr_metric")),
    };
    planner.tell("metric", Offset(from), Offset(to), mechanism);
    planner.write(Turn::Metric, Write::Metric(Values { from, to }));
    Ok(())
}

/// The metric that is asked for, `Some(None)` being automatic; `None` if nothing is.
fn asked(planner: &Planner<'_>) -> Result<Option<Option<u32>>> {
    let (row, change) = (planner.row, planner.change);
    match (change.use_automatic_metric, change.metric) {
        (None, None) => Ok(None),
        (Some(true), Some(metric)) if metric != row.metric => Err(invalid(format!(
            "metric: {metric} cannot be set while use_automatic_metric is TRUE; set that to FALSE"
        ))),
        (Some(true), _) => Ok(Some(None)),
        // The value that holds already.
        (None, Some(metric)) if row.use_automatic_metric && metric == row.metric => Ok(Some(None)),
        (None, Some(metric)) => Ok(Some(Some(metric))),
        (Some(false), metric) => Ok(Some(Some(metric.unwrap_or(row.metric)))),
    }
}

/// A number of things, as people read it.
pub(super) fn count(number: usize, one: &str, more: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { more })
}
