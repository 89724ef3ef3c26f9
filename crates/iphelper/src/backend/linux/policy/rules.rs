//! The rules. First those of strong interfaces: what has such an interface's source address goes by its own routes, or
//! nowhere. Then the three that choose an allowed default route: all else of the main table first, then the defaults that
//! are allowed, then nothing.

mod detours;

use super::OPERATION;
use super::converge::send;
use super::names::{DEFAULTS_TABLE, INTERFACE_TABLES, MAIN_TABLE, PROTOCOL, RULE_PRIORITY, UNUSED_MARK};
use super::routes::Source;
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::address_family;
use crate::error::{ErrorKind, Result};
use crate::types::Family;
pub(super) use detours::Detours;
use iphelper_netlink::rtnetlink::rule::{Action, Rule};

/// The rules in the order in which they are to stand, which is that in which they are made. `sources` are the prefixes of
/// strong interfaces.
pub(super) fn wanted(family: Family, sources: &[Source], guards_defaults: bool) -> Vec<Rule> {
    let rule = |action| Rule {
        family: address_family(family),
        priority: RULE_PRIORITY,
        protocol: PROTOCOL,
        action,
        source: None,
        input: None,
        unless_marked: None,
        suppress_prefix_len: None,
    };
    let mut rules = Vec::new();
    for Source { link, address, prefix_len } in sources {
        for action in [Action::Lookup(INTERFACE_TABLES | link), Action::Unreachable] {
            rules.push(Rule {
                source: Some((*address, *prefix_len)),
                // Packets of this host alone: others' may have any source.
                input: Some("lo".to_owned()),
                ..rule(action)
            });
        }
    }
    if guards_defaults {
        rules.push(Rule {
            unless_marked: Some(UNUSED_MARK),
            suppress_prefix_len: Some(0),
            ..rule(Action::Lookup(MAIN_TABLE))
        });
        rules.push(rule(Action::Lookup(DEFAULTS_TABLE)));
        rules.push(rule(Action::Unreachable));
    }
    rules
}

/// Our rules of a family, in order; [`ErrorKind::NotSupported`] where the kernel has no policy rules.
pub(super) fn read(host: &LinuxHost, family: Family) -> Result<Vec<Rule>> {
    let rules =
        host.route.take()?.snapshot(&mut Rule::dump(address_family(family)), Vec::new, |rules, message| {
            let ours = |rule: &Rule| rule.protocol == PROTOCOL && rule.priority == RULE_PRIORITY;
            rules.extend(Rule::parse(message)?.filter(ours));
            Ok(())
        });
    rules.map_err(|refusal| match refusal.errno() {
        libc::EOPNOTSUPP | libc::EAFNOSUPPORT => refusal
            .into_error(ErrorKind::NotSupported, OPERATION)
            .because(format!("this kernel has no policy rules for {family} (CONFIG_IP_MULTIPLE_TABLES)")),
        _ => refusal.error(OPERATION).because("listing the rules"),
    })
}

/// Makes the rules stand as wanted. At no time is a way chosen that neither the old nor the new ones choose, but for
/// moments in which less is reachable.
pub(super) fn install(host: &LinuxHost, wanted: &[Rule], present: &[Rule]) -> Result<()> {
    let ends = |rule: &Rule| rule.action == Action::Unreachable;
    if let Some(missing) = wanted.strip_prefix(present) {
        // None, all, or what a caller that was killed got done: the rest goes behind them.
        return missing.iter().try_for_each(|rule| send(host, rule.create(), "adding a rule"));
    }
    match present.strip_prefix(wanted) {
        // The last one first, so that the search ends earlier at no time.
        Some(gone) if !wanted.iter().any(ends) => gone.iter().rev().try_for_each(|rule| delete(host, rule)),
        // Some in the middle differ, or have to be told from earlier ones. A new sequence stands behind; the first of a
        // kind is the old one.
        _ => {
            wanted.iter().try_for_each(|rule| send(host, rule.create(), "adding a rule"))?;
            present.iter().rev().try_for_each(|rule| delete(host, rule))
        }
    }
}

/// Takes the first rule like this one away. The kernel takes any rule for one like it that has more selectors, so rules
/// which end the search are taken away in their order, whatever their source.
fn delete(host: &LinuxHost, rule: &Rule) -> Result<()> {
    let mut rule = rule.clone();
    if rule.action == Action::Unreachable {
        (rule.source, rule.input) = (None, None);
    }
    match send(host, rule.delete(), "deleting a rule") {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
