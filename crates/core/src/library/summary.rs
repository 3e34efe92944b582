//! The page beside an assembled policy: what was decided and why, what acts, and what people have to do by when.

mod found;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Span;
use jiff::civil::Date;

use super::answers::Appetite;
use super::assemble::{Adopted, Decided, Plan};
use super::clause::HeldBy;
use super::words::and;
use crate::policy::fields::Reader;
use crate::policy::node;
use crate::verdict::Mode;

/// What was decided for the organisation, with the answer that it follows from.
pub(super) fn decided(plan: &Plan<'_>) -> Vec<Decided> {
    let answers = plan.answers;
    let mut out = Vec::new();
    let mut decide = |what: String, because: String| out.push(Decided { what, because });
    let required = plan
        .adopted
        .iter()
        .filter(|one| one.because.starts_with("required"))
        .count();
    decide(
        format!("{} clauses, of which {required} are required", plan.adopted.len()),
        format!(
            "profiles {}, appetite {}, size {}",
            and(&plan.profiles),
            answers.appetite,
            answers.size
        ),
    );
    if !plan.without_cast.is_empty() {
        let ids: Vec<String> = plan.without_cast.iter().map(|clause| clause.id.clone()).collect();
        decide(
            format!("{} stayed out", and(&ids)),
            "no group, app, use or tool here is what they are about".to_owned(),
        );
    }
    if plan.is_regulated() {
        let by = answers
            .brings_regulated()
            .unwrap_or_else(|| "profile regulated".to_owned());
        decide(
            "the overlay `regulated`: restricted data is not even sent masked, and cycles are shorter".to_owned(),
            by,
        );
    }
    decide(
        format!(
            "texts are kept for {} at most, records for {}",
            plan.value("DA-5", "content-days", "30 days"),
            plan.value("DA-5", "record-days", "400 days")
        ),
        kept_because(plan),
    );
    let pace = match answers.appetite {
        Appetite::Careful => {
            "evidence is asked for a step more often than usual, and unknown apps do not even get public text"
        }
        Appetite::Balanced => "evidence is asked for as often as is usual",
        Appetite::Bold => "evidence is asked for a step less often than usual, and nothing merely recommended came in",
    };
    decide(pace.to_owned(), format!("appetite {}", answers.appetite));
    if answers.works_council {
        decide(
            "monitoring and consequences need the works council's consent, before the gateway starts to record"
                .to_owned(),
            "there is a works council".to_owned(),
        );
    }
    for one in plan.adopted.iter().filter(|one| one.because.starts_with("asked")) {
        decide(format!("{} {}", one.clause.id, one.clause.title), one.because.clone());
    }
    out
}

fn kept_because(plan: &Plan<'_>) -> String {
    let mut reasons = plan.profiles.clone();
    let laws = plan.answers.bound_by().filter(|row| row.record_days.is_some());
    reasons.extend(laws.map(|row| row.name.to_owned()));
    and(&reasons)
}

/// The page, in Markdown.
pub(super) fn page(plan: &Plan<'_>, decided: &[Decided]) -> String {
    let answers = plan.answers;
    let mut out = format!("# {}: the policy in one page\n\n", answers.organization);
    let _ = writeln!(
        out,
        "Made on {}. The policy is `policy/policy.yaml`, its cases are beside it, and the answers are in `answers.yaml`.\n",
        plan.today
    );
    out.push_str("## What was decided, and why\n\n");
    for one in decided {
        let _ = writeln!(out, "- {} ({}).", capital(&one.what), one.because);
    }
    out.push_str(&acting(plan));
    out.push_str(&found::section(plan));
    out.push_str(&open(plan));
    out.push_str(&tasks(plan));
    let law: Vec<String> = answers
        .bound_by()
        .map(|row| format!("- {}: {}.\n", capital(row.name.trim_start_matches("the ")), row.duty))
        .collect();
    if !law.is_empty() {
        let _ = write!(out, "\n## What binds you\n\n{}", law.concat());
    }
    out.push_str(&next(plan));
    out
}

fn acting(plan: &Plan<'_>) -> String {
    let of = |mode: Mode| plan.adopted.iter().filter(move |one| one.mode() == Some(mode));
    let mut now = String::from("\n## What acts now\n\n");
    let mut later = String::new();
    for one in of(Mode::Enforce).chain(of(Mode::Coach)) {
        let mode = if one.mode() == Some(Mode::Coach) {
            " (tells only)"
        } else {
            ""
        };
        let (id, statement) = (&one.clause.id, &one.statement);
        let reach = found::reach(one, plan);
        let missing = and(&reach.missing);
        if !reach.acts {
            let _ = writeln!(later, "- {id}{mode}: {statement} It waits for a detector of {missing}.");
        } else if reach.missing.is_empty() {
            let _ = writeln!(now, "- {id}{mode}: {statement}");
        } else {
            let _ = writeln!(now, "- {id}{mode}: {statement} It does not see {missing} yet.");
        }
    }
    now.push_str("- What cannot be read as text is refused, and nothing passes when a check does not run.\n");
    if !later.is_empty() {
        let _ = write!(now, "\n## What will act once something finds it\n\n{later}");
    }
    let (watching, blind): (Vec<_>, Vec<_>) = of(Mode::Observe).partition(|one| found::reach(one, plan).acts);
    let ids = |all: &[&Adopted<'_>]| -> Vec<String> { all.iter().map(|one| one.clause.id.clone()).collect() };
    let tables = plan
        .adopted
        .iter()
        .filter(|one| one.clause.held_by == HeldBy::Table)
        .count();
    let _ = write!(
        now,
        "\n## What only observes\n\nAccess, the matrix and the other tables ({tables} clauses speak of them), and the rules {}. They record what they would do; `ordain impact` adds it up.\n",
        and(&ids(&watching))
    );
    if !blind.is_empty() {
        let _ = writeln!(
            now,
            "{} would, but nothing finds what they are about yet.",
            and(&ids(&blind))
        );
    }
    now
}

/// What people have to show, by role, soonest first.
fn tasks(plan: &Plan<'_>) -> String {
    let mut by_role: BTreeMap<String, Vec<(Date, String)>> = BTreeMap::new();
    for one in plan.adopted.iter().filter(|one| one.clause.held_by == HeldBy::Evidence) {
        let Some((what, days, by)) = evidence(one) else {
            continue;
        };
        let due = plan
            .today
            .checked_add(Span::new().days(i64::from(days)))
            .unwrap_or(plan.today);
        let owner = plan.answers.owner_and_deputy().map_or("ciso", |(owner, _)| owner);
        let role = if by == "owner" { owner.to_owned() } else { by };
        by_role
            .entry(role)
            .or_default()
            .push((due, format!("{what} ({})", one.clause.id)));
    }
    let mut out =
        String::from("\n## What people have to do, and by when\n\n| who | what | first by |\n|---|---|---|\n");
    for (role, mut tasks) in by_role {
        tasks.sort();
        let all = tasks.len();
        for (due, what) in tasks.into_iter().take(SHOWN) {
            let _ = writeln!(out, "| {role} | {} | {due} |", capital(&what));
        }
        if all > SHOWN {
            let _ = writeln!(out, "| {role} | and {} more, later | |", all - SHOWN);
        }
    }
    out
}

/// A page is read; a list of fifty tasks is not.
const SHOWN: usize = 4;

fn evidence(one: &Adopted<'_>) -> Option<(String, u32, String)> {
    let mut reader = Reader::default();
    let tree = node::parse(0, &one.text, &mut reader.problems)?;
    let mut fields = reader.fields(&tree, "a clause")?;
    let mut inner = reader.fields(fields.node("evidence")?, "evidence")?;
    let what = ["task", "attestation", "training", "ledger"]
        .into_iter()
        .find_map(|kind| Some((kind, inner.text(kind, &mut reader)?.value)))?;
    let days = inner.node("every").and_then(|node| reader.days(node))?.value;
    let by = inner.text("by", &mut reader)?.value;
    let what = match what {
        ("training", course) => format!("course `{course}`"),
        ("ledger", query) => format!("records: {query}"),
        (_, what) => what,
    };
    Some((what, days, by))
}

/// What the answers leave open: what they ask for in one place and rule out in another.
fn open(plan: &Plan<'_>) -> String {
    if !plan.is_regulated() {
        return String::new();
    }
    let uses = plan
        .cast
        .uses
        .iter()
        .filter(|one| one.ceiling.as_deref() == Some("restricted"));
    let mut wishes: Vec<String> = uses.map(|one| format!("the use `{}`", one.id)).collect();
    let handlers = plan.adopted.iter().find(|one| one.clause.id == "DA-21");
    wishes.extend(handlers.map(|_| "those who handle health records (DA-21)".to_owned()));
    if wishes.is_empty() {
        return String::new();
    }
    let app = plan.word("own-app");
    format!(
        "\n## What you still have to decide\n\nBy your answers, {} may work with restricted data, such as health records. But in full force the matrix sends it to no app at all, because you are under special supervision: as far as something finds it, such a request is stopped. Decide before the matrix is enforced:\n\n- It stays so. Then give such uses the ceiling `confidential`, so that nobody expects more.\n- Or one app whose contract allows it may have it, masked: add `cells: {{restricted: redact}}` to `app: {app}` under `applications`. `ordain test` then shows the cases that expect the stricter answer.\n",
        and(&wishes)
    )
}

fn next(plan: &Plan<'_>) -> String {
    let approval = plan.adopted.iter().any(|one| one.clause.id == "PU-1");
    let approved = plan.answers.approved.is_some();
    let first = match (plan.answers.works_council, approved) {
        (true, _) => {
            "Read the policy with the works council and get its consent to what is recorded and to what may follow from it (MO-7). The gateway records from its first request on, so start it only then: `ordain up --dir DIR`."
        }
        (false, true) => {
            "Start the gateway: `ordain up --dir DIR`. Send a few requests of your own and look at `ordain records list --dir DIR`."
        }
        (false, false) => {
            "Read the policy with those whom it names, and start the gateway meanwhile: `ordain up --dir DIR`. It mostly observes."
        }
    };
    let told = if plan.answers.works_council {
        ", once the works council has consented to that too"
    } else {
        ""
    };
    let last = if approval && !approved {
        "Have your management approve the policy, and say so in its `approved` line (PU-1)."
    } else {
        "Bring the first evidence of the table above, and give its date as `last` in the policy."
    };
    format!(
        "\n## Next three steps\n\n1. {first}\n2. After two weeks, `ordain impact --dir DIR`: what full enforcement would have done, by clause. Set what looks right to `enforce` under `rollout`{told}.\n3. {last}\n"
    )
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
