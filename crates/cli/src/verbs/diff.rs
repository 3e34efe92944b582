//! `ordain diff`: what changes in meaning from one policy to another, with a request that shows each change.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::decide::Decision;
use ordain_core::diff::{self, Change, Difference, Direction, Reach, What, wording};
use ordain_core::policy::compile::Policy;
use serde_json::{Value, json};

use crate::exit::{Answer, print};
use crate::policy;

/// Say what changes in meaning from one policy to another
#[derive(Debug, Args)]
#[command(
    after_help = "Exit code 1 when some request is decided differently; changed words alone are listed, and are exit code 0.\n\nExample: git worktree add ../before main && ordain diff ../before/policy policy"
)]
pub(crate) struct Diff {
    /// The old policy: its folder, or the folder that `ordain up` made
    #[arg(value_name = "A")]
    old: PathBuf,
    /// The new policy
    #[arg(value_name = "B")]
    new: PathBuf,
    /// The moment around which to look, as in 2026-12-01T09:30:00Z; now when absent
    #[arg(long)]
    now: Option<Timestamp>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object with a list of changes
    Json,
    /// For a comment on a proposed change
    Markdown,
}

impl Diff {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let (old, old_loaded, catalog) = policy::read_for_use(&self.old)?.usable()?;
        let (new, new_loaded, _) = policy::read_for_use(&self.new)?.usable()?;
        let difference = diff::changes(&old, &new, &catalog, self.now.unwrap_or_else(this_minute));
        let words = match (&old_loaded.document, &new_loaded.document) {
            (Some(old), Some(new)) => wording::reworded(old, new),
            _ => Vec::new(),
        };
        let pair = Pair {
            old: &old,
            new: &new,
            catalog: &catalog,
        };
        match self.format {
            Format::Text => print(pair.text(&difference, &words).trim_end())?,
            Format::Markdown => print(pair.markdown(&difference, &words).trim_end())?,
            Format::Json => print(serde_json::to_string_pretty(&pair.json(&difference, &words))?)?,
        }
        Ok(Answer::from(difference.changes.is_empty() && difference.unshown == 0))
    }
}

/// Now, without the seconds that nobody would type again.
fn this_minute() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second() / 60 * 60).unwrap_or(now)
}

/// The policies that are compared.
struct Pair<'p> {
    old: &'p Policy,
    new: &'p Policy,
    catalog: &'p Catalog,
}

impl Pair<'_> {
    fn text(&self, difference: &Difference, words: &[wording::Reworded]) -> String {
        let mut out = String::new();
        for (direction, title) in [(Direction::Loosened, "loosened"), (Direction::Tightened, "tightened")] {
            let changes: Vec<&Change> = difference
                .changes
                .iter()
                .filter(|change| change.direction == direction)
                .collect();
            if changes.is_empty() {
                continue;
            }
            let _ = writeln!(out, "{title}");
            for change in changes {
                let _ = writeln!(out, "  {}", headline(change));
                let _ = writeln!(out, "      who: {}", self.reach(&change.reach));
                let _ = writeln!(out, "      for example: {}", change.witness.to_yaml(self.new.zone()));
                let _ = writeln!(out, "      before: {}", said(self.old, &change.before));
                let _ = writeln!(out, "      after:  {}", said(self.new, &change.after));
            }
        }
        if !words.is_empty() {
            let _ = writeln!(out, "wording");
        }
        let (with, without): (Vec<_>, Vec<_>) = words.iter().partition(|one| one.texts.is_some());
        for one in with {
            let _ = writeln!(out, "  {} ({})", one.id, one.how.as_str());
            if let Some([old, new]) = &one.texts {
                let _ = writeln!(out, "      before: {}\n      after:  {}", quoted(old), quoted(new));
            }
        }
        if !without.is_empty() {
            let list: Vec<String> = without.iter().map(|one| named(one)).collect();
            let _ = writeln!(out, "  {}", list.join(", "));
        }
        let _ = writeln!(out, "{}", summary(difference));
        out
    }

    fn markdown(&self, difference: &Difference, words: &[wording::Reworded]) -> String {
        let mut out = format!("### Policy: {}\n", summary(difference));
        if !difference.changes.is_empty() {
            out.push_str("\n| | change | who | for example |\n|---|---|---|---|\n");
        }
        for change in &difference.changes {
            let way = if change.direction == Direction::Loosened {
                "loosened"
            } else {
                "tightened"
            };
            let cell = |text: String| text.replace('|', "\\|");
            let example = change.witness.to_yaml(self.new.zone());
            let _ = writeln!(
                out,
                "| {way} | {} | {} | `{}` |",
                cell(headline(change)),
                cell(self.reach(&change.reach)),
                cell(example)
            );
        }
        if !words.is_empty() {
            out.push_str("\nWording:\n\n");
        }
        for one in words {
            let texts = one
                .texts
                .as_ref()
                .map(|[old, new]| format!(": {} → {}", quoted(old), quoted(new)));
            let _ = writeln!(out, "- {}{}", named(one), texts.unwrap_or_default());
        }
        out
    }

    fn json(&self, difference: &Difference, words: &[wording::Reworded]) -> Value {
        let decision = |policy: &Policy, decision: &Decision| {
            let cited: Vec<&str> = decision
                .full_contributions(policy)
                .map(|one| policy.citation(one.citation).id.as_str())
                .collect();
            json!({"verdict": decision.verdict.as_str(), "full": decision.full.as_str(), "clauses": cited})
        };
        let one = |change: &Change| {
            let (kind, from, to, entity) = match &change.what {
                What::Verdict(from, to) => ("verdict", Some(from.as_str()), Some(to.as_str()), None),
                What::Rollout(from, to) => ("rollout", Some(from.as_str()), Some(to.as_str()), None),
                What::Mask(entity) => ("mask", None, None, Some(entity)),
                What::RolloutMask(entity) => ("rollout-mask", None, None, Some(entity)),
            };
            let reach = &change.reach;
            let classes = reach
                .classes
                .as_ref()
                .map(|classes| classes.iter().map(|class| class.as_str()).collect::<Vec<_>>());
            json!({
                "direction": if change.direction == Direction::Loosened { "loosened" } else { "tightened" },
                "what": kind, "from": from, "to": to, "entity": entity, "by": change.by,
                "reach": {"groups": reach.groups, "later": reach.later, "app_classes": classes, "apps": reach.apps, "uses": reach.uses, "data": reach.data, "answers": reach.answers, "dated": reach.dated},
                "witness": change.witness.to_yaml(self.new.zone()),
                "before": decision(self.old, &change.before), "after": decision(self.new, &change.after),
            })
        };
        let changes: Vec<Value> = difference.changes.iter().map(one).collect();
        let words: Vec<Value> = words
            .iter()
            .map(|one| {
                let [before, after] = one.texts.as_ref().map_or([None; 2], |texts| texts.each_ref().map(Some));
                json!({"clause": one.id, "how": one.how.as_str(), "before": before, "after": after})
            })
            .collect();
        json!({"v": 1, "changes": changes, "unshown": difference.unshown, "wording": words})
    }

    /// The requests that a change is about, in words.
    fn reach(&self, reach: &Reach) -> String {
        let mut parts = Vec::new();
        let named = |names: &[String], none: &str| -> String {
            let names: Vec<&str> = names
                .iter()
                .map(|name| if name.is_empty() { none } else { name.as_str() })
                .collect();
            names.join(", ")
        };
        parts.push(reach.groups.as_ref().map_or_else(
            || "everyone".to_owned(),
            |groups| {
                let real = |names: &[String]| {
                    names
                        .iter()
                        .filter(|name| !name.is_empty())
                        .cloned()
                        .collect::<Vec<_>>()
                };
                let (those, others) = (real(groups), real(&reach.others));
                let who = if groups.is_empty() {
                    "members of several groups".to_owned()
                } else if those.len() > 3 && those.len() > others.len() {
                    let strangers = groups.iter().any(String::is_empty);
                    let all = if strangers { "everyone" } else { "everyone in a group" };
                    if others.is_empty() {
                        all.to_owned()
                    } else {
                        format!("{all} but {}", others.join(", "))
                    }
                } else {
                    named(groups, "people in no group")
                };
                if reach.later.is_empty() {
                    who
                } else {
                    format!("{who} ({} at another time)", named(&reach.later, "people in no group"))
                }
            },
        ));
        parts.extend(
            reach
                .answers
                .map(|answers| if answers { "answers" } else { "prompts" }.to_owned()),
        );
        match (&reach.classes, &reach.apps) {
            (Some(classes), apps) => {
                let classes: Vec<&str> = classes.iter().map(|class| class.as_str()).collect();
                let apps = apps
                    .as_ref()
                    .filter(|apps| apps.len() <= 4)
                    .map(|apps| format!(" ({})", self.apps(apps)));
                parts.push(format!("{} apps{}", classes.join(" and "), apps.unwrap_or_default()));
            }
            (None, Some(apps)) => parts.push(self.apps(apps)),
            (None, None) => {}
        }
        parts.extend(
            reach
                .data
                .as_ref()
                .map(|classes| format!("{} data", classes.join(" and "))),
        );
        parts.extend(
            reach
                .uses
                .as_ref()
                .map(|uses| format!("for {}", named(uses, "no declared use"))),
        );
        if reach.dated {
            parts.push("at some times".to_owned());
        }
        parts.join("; ")
    }

    fn apps(&self, ids: &[String]) -> String {
        let name = |id: &String| {
            self.catalog
                .app(id)
                .map_or_else(|| id.clone(), |app| app.name.to_owned())
        };
        ids.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}

fn named(one: &wording::Reworded) -> String {
    format!("{} ({})", one.id, one.how.as_str())
}

/// A text on one line.
fn quoted(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    format!("“{}”", words.join(" "))
}

fn headline(change: &Change) -> String {
    let by = if change.by.is_empty() {
        String::new()
    } else {
        format!(" by {}", change.by)
    };
    match &change.what {
        What::Verdict(from, to) => format!("{from} → {to}{by}"),
        What::Rollout(from, to) => format!("{from} → {to}{by}, by how it acts now"),
        What::Mask(entity) => match change.direction {
            Direction::Loosened => format!("{entity} is no longer masked{by}"),
            Direction::Tightened => format!("{entity} is masked{by}"),
        },
        What::RolloutMask(entity) => match change.direction {
            Direction::Loosened => format!("{entity} is no longer masked{by}, by how it acts now"),
            Direction::Tightened => format!("{entity} is masked{by}, by how it acts now"),
        },
    }
}

fn said(policy: &Policy, decision: &Decision) -> String {
    let cited: Vec<&str> = decision
        .full_contributions(policy)
        .map(|one| policy.citation(one.citation).id.as_str())
        .collect();
    let by = if cited.is_empty() {
        String::new()
    } else {
        format!(" by {}", cited.join(", "))
    };
    let now = if decision.verdict == decision.full {
        String::new()
    } else {
        format!("; acts as {} now", decision.verdict)
    };
    format!("{}{by}{now}", decision.full)
}

fn summary(difference: &Difference) -> String {
    let count = |direction| {
        difference
            .changes
            .iter()
            .filter(|change| change.direction == direction)
            .count()
    };
    let (loosened, tightened) = (count(Direction::Loosened), count(Direction::Tightened));
    let mut text = if loosened + tightened == 0 {
        "no request is decided differently".to_owned()
    } else {
        format!("{loosened} loosened, {tightened} tightened")
    };
    if difference.unshown > 0 {
        let _ = write!(
            text,
            "; {} more may change with conditions in CEL, which are not looked into",
            difference.unshown
        );
    }
    text
}
