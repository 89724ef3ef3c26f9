//! Detours: rules of others that send packets by the main table, before our rules have their turn.
//!
//! A tunnel's own packets go that way, told by a mark (Tailscale: `5210: from all fwmark 0x80000/0xff0000 lookup main`). The
//! best default route of that table may be one that is disabled; then the filter would stop them although another one is
//! allowed. So a rule of ours with the same selectors stands one priority before, and sends them to our rules.
//!
//! A detour goes to a priority, where no foreign rule "like it" can be found by a program that deletes its own by
//! selectors alone; without our rules it leads nowhere, and the kernel passes over it.

use super::super::OPERATION;
use super::super::converge::{gone_is_fine, send};
use super::super::names::{MAIN_TABLE, PROTOCOL, RULE_PRIORITY};
use crate::backend::linux::LinuxHost;
use crate::backend::linux::link::address_family;
use crate::error::Result;
use crate::types::Family;
use iphelper_netlink::rtnetlink::rule::{Action, Rule, WholeRule};

/// The detours that are there and those that must be.
#[derive(Debug, Default)]
pub(in crate::backend::linux::policy) struct Detours {
    present: Vec<WholeRule>,
    wanted: Vec<WholeRule>,
}

impl Detours {
    /// Reads the rules of a family.
    pub(in crate::backend::linux::policy) fn read(
        host: &LinuxHost,
        family: Family,
        guards_defaults: bool,
    ) -> Result<Self> {
        let mut request = Rule::dump(address_family(family));
        let detours = host.route.take()?.snapshot(&mut request, Self::default, |detours, message| {
            if let Some(rule) = WholeRule::parse(message)? {
                detours.add(rule, guards_defaults);
            }
            Ok(())
        });
        detours.map_err(|refusal| refusal.error(OPERATION).because("listing the rules"))
    }

    fn add(&mut self, rule: WholeRule, guards_defaults: bool) {
        if rule.protocol == PROTOCOL {
            if matches!(rule.action, Action::Goto(_)) {
                self.present.push(rule);
            }
            return;
        }
        let by_main = rule.action == Action::Lookup(MAIN_TABLE) && !rule.suppresses;
        // Where there is no place before it, before ours.
        if guards_defaults && by_main && (2..RULE_PRIORITY).contains(&rule.priority) {
            let (priority, action) = (rule.priority - 1, Action::Goto(RULE_PRIORITY));
            let detour = WholeRule { priority, protocol: PROTOCOL, action, ..rule };
            if !self.wanted.contains(&detour) {
                self.wanted.push(detour);
            }
        }
    }

    /// The detours that are there.
    pub(in crate::backend::linux::policy) fn present(&self) -> &[WholeRule] {
        &self.present
    }

    /// Adds those that are missing. Our rules must be there.
    pub(in crate::backend::linux::policy) fn open(&self, host: &LinuxHost) -> Result<()> {
        let missing = self.wanted.iter().filter(|rule| !self.present.contains(rule));
        missing.map(WholeRule::create).try_for_each(|request| send(host, request, "adding a rule"))
    }

    /// Takes those away that lead around nothing.
    pub(in crate::backend::linux::policy) fn close(&self, host: &LinuxHost) -> Result<()> {
        let left = self.present.iter().filter(|rule| !self.wanted.contains(rule));
        left.map(WholeRule::delete)
            .try_for_each(|request| gone_is_fine(send(host, request, "deleting a rule")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use iphelper_netlink::rtnetlink::rule::Selectors;

    fn rule(priority: u32, protocol: u8, action: Action) -> WholeRule {
        WholeRule {
            family: 2,
            priority,
            protocol,
            action,
            selectors: Selectors::default(),
            suppresses: false,
        }
    }

    #[test]
    fn only_rules_that_use_defaults_of_the_main_table_have_one() {
        let mut detours = Detours::default();
        detours.add(rule(5210, 3, Action::Lookup(MAIN_TABLE)), true);
        detours.add(rule(5210, 3, Action::Lookup(MAIN_TABLE)), true);
        detours.add(rule(5270, 3, Action::Lookup(52)), true);
        detours.add(WholeRule { suppresses: true, ..rule(100, 3, Action::Lookup(MAIN_TABLE)) }, true);
        for priority in [0, 1, RULE_PRIORITY, RULE_PRIORITY + 1] {
            detours.add(rule(priority, 2, Action::Lookup(MAIN_TABLE)), true);
        }
        detours.add(rule(7, 3, Action::Lookup(MAIN_TABLE)), false);
        detours.add(rule(RULE_PRIORITY, PROTOCOL, Action::Lookup(MAIN_TABLE)), true);
        assert_eq!(detours.wanted, [rule(5209, PROTOCOL, Action::Goto(RULE_PRIORITY))]);
        assert!(detours.present.is_empty());
    }
}
