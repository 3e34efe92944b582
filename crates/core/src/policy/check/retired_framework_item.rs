//! Items and editions that their publisher has replaced.

use super::{Context, Mapping, check, mappings};
use crate::policy::problem::{Fix, Problem};
use crate::standards::{self, Pack};

check!(
    "retired-framework-item",
    Warning,
    "`frameworks` name items that are in use; where a newer edition has taken a pack's place, a note says what became of the items.",
    "Name the successor; check that the clause still serves it.",
    Document(run),
    bad: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {mitre-atlas: [AML.T0019]}} #!\n",
    good: "risk:\n  clauses:\n    - {id: RI-1, statement: Weighed., evidence: {task: review, every: 90 days, by: ciso}, frameworks: {mitre-atlas: [AML.T0115.000]}}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for mapping in mappings(context.document) {
        let Some(pack) = standards::pack(mapping.pack.as_str()) else {
            continue;
        };
        if let Some(successor) = pack.successor.and_then(standards::pack) {
            problems.push(retired_pack(&mapping, pack, successor));
        }
        for written in mapping.items {
            let Some(item) = pack.item(written.as_str()).filter(|item| item.is_retired()) else {
                continue;
            };
            let problem = Problem::warning(
                "retired-framework-item",
                written.place,
                format!("`{}` has retired `{}`", pack.id, written.value),
            );
            problems.push(match item.successor.and_then(|id| pack.item(id)) {
                None => problem.help(format!("`ordain framework show {}` lists what there is now", pack.id)),
                Some(next) => {
                    // Written as the author writes: with what all ids have in common, or without.
                    let whole = written.as_str() == item.id;
                    let new = if whole { next.id } else { pack.short(next) };
                    problem
                        .help(format!("its successor is `{new}`"))
                        .fix(Fix::word(written.as_str(), new))
                }
            });
        }
    }
}

/// A whole edition that is past. Its items are not exchanged by themselves: the pack and all its items change together.
fn retired_pack(mapping: &Mapping<'_>, pack: &Pack, successor: &Pack) -> Problem {
    let moved = mapping.items.iter().filter_map(|written| {
        let next = successor.item(pack.item(written.as_str())?.successor?)?;
        Some(format!("`{}` is now `{}`", written.value, successor.short(next)))
    });
    let moved: Vec<String> = moved.collect();
    // A note: the reference is exact, and a contract may bind to that very edition.
    let problem = Problem::note(
        "retired-framework-item",
        mapping.pack.place,
        format!("`{}` is superseded by `{}`", pack.id, successor.id),
    );
    problem.help(match moved.as_slice() {
        [] => format!("map the clause to the items of `{}`", successor.id),
        moved => moved.join(", "),
    })
}
