//! `iph doctor`.

use crate::exit::{Exit, Failure};
use crate::output::style::{GOOD, HEADING};
use crate::output::{self, json, table};
use crate::sanitize::sanitize;
use iphelper::Host;
use iphelper::doctor::{Diagnosis, KeptSettings};
use serde::Serialize;
use std::io::Write;

/// See what can be done and set here, what is set and stays, and what does not work as it is set
///
/// Here: on this kernel, in this network namespace, by this user. Asks the kernel and writes nothing. Run it as who would change something: without root nothing can be set, and parts of
/// the kernel are hidden.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sudo iph doctor
  iph doctor --json | jq '.warnings'")]
pub(crate) struct Args {
    /// Print one object, see docs/json.md
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    kernel: &'a str,
    may_change: bool,
    keeper: Option<bool>,
    abilities: Vec<Ability<'a>>,
    findings: Vec<Finding<'a>>,
    kept: Vec<Kept<'a>>,
    warnings: Vec<Warning<'a>>,
}

#[derive(Serialize)]
struct Ability<'a> {
    family: &'static str,
    property: &'a str,
    obstacle: Option<&'a str>,
}

#[derive(Serialize)]
struct Finding<'a> {
    chapter: &'a str,
    action: &'a str,
    obstacle: Option<&'a str>,
    detail: Option<&'a str>,
}

#[derive(Serialize)]
struct Kept<'a> {
    luid: String,
    index: u32,
    name: &'a str,
    family: &'static str,
    property: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct Warning<'a> {
    subject: &'a str,
    message: &'a str,
}

impl Args {
    pub(crate) fn run(self) -> Result<Exit, Failure> {
        let host = Host::open()?;
        let (diagnosis, kept) = (host.diagnose()?, host.kept_settings()?);
        if self.json { print_json(&diagnosis, &kept) } else { print(&diagnosis, &kept) }?;
        Ok(Exit::Success)
    }
}

fn print_json(diagnosis: &Diagnosis, kept: &[KeptSettings]) -> Result<(), Failure> {
    let abilities = diagnosis.abilities.iter().map(|it| Ability {
        family: json::family(it.family),
        property: it.property,
        obstacle: it.obstacle.as_deref(),
    });
    let findings = diagnosis.findings.iter().map(|it| Finding {
        chapter: it.chapter,
        action: it.action,
        obstacle: it.obstacle.as_deref(),
        detail: it.detail.as_deref(),
    });
    let kept = kept.iter().flat_map(|it| {
        it.properties.iter().map(|(property, value)| Kept {
            luid: it.luid.0.to_string(),
            index: it.index.0,
            name: &it.name,
            family: json::family(it.family),
            property,
            value,
        })
    });
    let warnings = diagnosis.warnings.iter().map(|it| Warning { subject: &it.subject, message: &it.message });
    let document = Document {
        kernel: &diagnosis.kernel,
        may_change: diagnosis.may_change,
        keeper: diagnosis.keeper,
        abilities: abilities.collect(),
        findings: findings.collect(),
        kept: kept.collect(),
        warnings: warnings.collect(),
    };
    let mut out = json::stdout();
    json::write(&mut out, &document)?;
    Ok(out.flush()?)
}

fn print(diagnosis: &Diagnosis, kept: &[KeptSettings]) -> Result<(), Failure> {
    let mut out = output::people();
    let keeper = match diagnosis.keeper {
        Some(true) => "runs",
        Some(false) => "does not run",
        None => "unknown to this user",
    };
    let may = if diagnosis.may_change { "may change settings" } else { "may only read" };
    writeln!(out, "Linux {}; this user {may}; keeper: {keeper}", sanitize(&diagnosis.kernel))?;
    writeln!(out)?;
    let mut table = table::new(&["Family", "Property", "Can be set"], &[], output::width());
    for it in &diagnosis.abilities {
        let answer =
            it.obstacle.as_ref().map_or_else(|| "yes".to_owned(), |obstacle| format!("no: {obstacle}"));
        let _ = table.add_row([it.family.to_string(), it.property.to_owned(), answer]);
    }
    table::write(&mut out, &table)?;
    writeln!(out)?;
    let mut table = table::new(&["Chapter", "What", "Can be done"], &[], output::width());
    for it in &diagnosis.findings {
        let mut answer = it.obstacle.as_ref().map_or_else(|| "yes".to_owned(), |why| format!("no: {why}"));
        if let Some(detail) = &it.detail {
            answer = format!("{answer}; {detail}");
        }
        let _ = table.add_row([it.chapter, it.action, &*sanitize(&answer)]);
    }
    table::write(&mut out, &table)?;
    writeln!(out)?;
    if !kept.is_empty() {
        let headings = ["Kept on", "Family", "Property", "Value", "Taken back by"];
        let mut table = table::new(&headings, &[], output::width());
        for it in kept {
            let name = sanitize(&it.name);
            for (property, value) in &it.properties {
                let undo = format!("iph interface reset {name}");
                let _ = table.add_row([&*name, &it.family.to_string(), property, value, &undo]);
            }
        }
        table::write(&mut out, &table)?;
        writeln!(out)?;
    }
    if diagnosis.warnings.is_empty() {
        writeln!(out, "{GOOD}Everything that is set works, as far as this user sees.{GOOD:#}")?;
    }
    for warning in &diagnosis.warnings {
        let (subject, message) = (sanitize(&warning.subject), sanitize(&warning.message));
        writeln!(out, "{HEADING}warning{HEADING:#}  {subject}: {message}")?;
    }
    Ok(out.flush()?)
}
