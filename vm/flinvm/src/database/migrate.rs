//! `flinvm db migrate`: how a program fits the data. Must stay true: `--dry-run` changes nothing and its exit code says
//! whether the program can be started without agreeing to anything.

use flin_runtime::store::{self, Consent, SchemaPlan, Store, StoreOptions};
use flin_runtime::{SystemWorld, schema_with_defaults};
use serde_json::{Value, json};

use super::arguments::{Format, Migrate};
use super::place;
use crate::arguments::{Engine, Jit};
use crate::fault::Fault;
use crate::load;
use crate::output::say;

pub(super) fn migrate(wanted: &Migrate, color: bool) -> Result<(), Fault> {
    let engine = Engine {
        jit: Jit::Off,
        jit_plain: false,
        stats: false,
    };
    let program = load::load(&wanted.program, engine, color)?.program;
    let schema = schema_with_defaults(&program, &SystemWorld);
    let disk = place::existing(&wanted.common.data)?;
    let plan = store::plan_schema(&*disk, &schema).map_err(place::refused)?;
    let impossible = plan.of(Consent::Impossible).count() > 0;
    let needs_consent = plan.of(Consent::Operator).count() > 0;
    let done = !wanted.dry_run && !impossible;
    if done {
        let options = StoreOptions {
            migrate: true,
            ..StoreOptions::inline()
        };
        let opened = Store::open(disk, &schema, options).map_err(place::refused)?;
        opened
            .store
            .close()
            .map_err(|failure| Fault::Disk(failure.to_string()))?;
    }
    match wanted.common.format {
        Format::Text => say(as_text(&plan, done).trim_end()),
        Format::Json => say(&as_json(&plan, done).to_string()),
    }
    match (impossible, needs_consent && !done) {
        (false, false) => Ok(()),
        (true, _) | (_, true) => Err(Fault::Damaged),
    }
}

fn as_text(plan: &SchemaPlan, done: bool) -> String {
    if plan.changes.is_empty() {
        return "the program fits the data as it is".to_owned();
    }
    let mut out = String::new();
    if let Some(holder) = &plan.holder {
        out.push_str(&format!(
            "The data is in use by {holder}; counted is what was durable just now.\n"
        ));
    }
    let sections = if done {
        [
            (Consent::None, "Changed:"),
            (Consent::Operator, "Agreed to:"),
            (Consent::Impossible, "Cannot be done:"),
        ]
    } else {
        [
            (Consent::None, "By itself, nothing is lost:"),
            (Consent::Operator, "Only with --migrate:"),
            (Consent::Impossible, "Cannot be done:"),
        ]
    };
    for (consent, title) in sections {
        let changes: Vec<String> = plan
            .of(consent)
            .map(|change| {
                if done {
                    change.done()
                } else {
                    change.to_string()
                }
            })
            .collect();
        if !changes.is_empty() {
            out.push_str(title);
            out.push('\n');
            changes
                .iter()
                .for_each(|change| out.push_str(&format!("- {change}\n")));
        }
    }
    if done {
        out.push_str(
            "Values that were given up stay in the history: flinvm db export --at shows them.\n",
        );
    }
    out
}

fn as_json(plan: &SchemaPlan, done: bool) -> Value {
    let changes = plan.changes.iter().map(|change| {
        let consent = match change.consent() {
            Consent::None => "nobody",
            Consent::Operator => "operator",
            Consent::Impossible => "impossible",
        };
        json!({ "consent": consent, "what": change.to_string() })
    });
    json!({ "done": done, "changes": changes.collect::<Vec<Value>>(), "in_use_by": plan.holder })
}
