//! Clauses and exceptions of a child, and when two selectors are the same.

use crate::policy::document::{AppSelector, At, Clause, Document, Evidence, Rule, Selector, Text};
use crate::policy::node::Place;
use crate::policy::problem::Problem;

use super::{Overlay, add_words};

impl Overlay<'_> {
    pub(super) fn clauses(&mut self, child: &Document, merged: &mut Document) {
        for clause in &child.clauses {
            match merged
                .clauses
                .iter_mut()
                .find(|known| known.id.value == clause.id.value)
            {
                Some(known) => self.clause(known, clause),
                None => {
                    self.whole(clause);
                    merged.clauses.push(clause.clone());
                }
            }
        }
        merged.clauses.sort_by_key(|clause| clause.section);
    }

    /// A clause of the child's own says all that a clause says.
    fn whole(&mut self, clause: &Clause) {
        let mut missing = |what: &str, place: Place| {
            let problem = Problem::error(
                "missing-key",
                place,
                format!("{what}, since no clause `{}` is extended", clause.id.value),
            );
            self.problems
                .push(problem.help("write the whole clause, or the id of one of the parent's"));
        };
        if clause.statement.is_none() {
            missing("a clause needs `statement`", clause.id.place);
        }
        if let Some(rule) = clause.rule.as_ref().filter(|rule| rule.when.is_empty()) {
            missing("a rule needs `when`", rule.place);
        }
    }

    fn clause(&mut self, known: &mut Clause, clause: &Clause) {
        let path = format!("{}.{}", known.section.as_str(), known.id.value);
        if clause.section != known.section {
            let message = format!(
                "`{}` stands in `{}` in the parent",
                clause.id.value,
                known.section.as_str()
            );
            self.differs(&path, clause.id.place, Some(known.id.place), message);
        }
        self.word(
            &format!("{path}.statement"),
            &mut known.statement,
            clause.statement.as_ref(),
        );
        self.word(&format!("{path}.owner"), &mut known.owner, clause.owner.as_ref());
        self.word(
            &format!("{path}.enforced_by"),
            &mut known.enforced_by,
            clause.enforced_by.as_ref(),
        );
        if let Some(rule) = &clause.rule {
            match &mut known.rule {
                Some(known) => self.rule(&path, known, rule),
                None => known.rule = Some(rule.clone()),
            }
        }
        if let Some(evidence) = &clause.evidence {
            match &mut known.evidence {
                Some(known) => self.evidence(&path, known, evidence),
                None => known.evidence = Some(evidence.clone()),
            }
        }
        for (pack, items) in &clause.frameworks {
            match known.frameworks.iter_mut().find(|(known, _)| known.value == pack.value) {
                Some((_, known)) => add_words(known, items),
                None => known.frameworks.push((pack.clone(), items.clone())),
            }
        }
        known.id = clause.id.clone();
    }

    fn rule(&mut self, path: &str, known: &mut Rule, rule: &Rule) {
        let of = Some(known.place);
        self.verdict(
            &format!("{path}.then"),
            known.then.value,
            Some(known.then.place),
            &rule.then,
        );
        known.then = rule.then.clone();
        known.tell = rule.tell.clone().or(known.tell.take());
        if !rule.when.is_empty() {
            let left = known
                .when
                .iter()
                .find(|was| !rule.when.iter().any(|now| same(was, now)));
            if let Some(left) = left {
                let message = "the parent's rule is also about what this one leaves out";
                self.loosens(&format!("{path}.when"), rule.place, Some(left.place), message);
            }
            known.when.clone_from(&rule.when);
        }
        if !rule.unless.is_empty() {
            if let Some(new) = rule
                .unless
                .iter()
                .find(|now| !known.unless.iter().any(|was| same(was, now)))
            {
                self.loosens(
                    &format!("{path}.unless"),
                    new.place,
                    of,
                    "the parent's rule is not left off here",
                );
            }
            known.unless.clone_from(&rule.unless);
        }
        if let Some(now) = &rule.condition {
            let message = "a condition of the child's own may leave out what the parent's rule is about";
            let same = known.condition.as_ref().is_some_and(|was| was.value == now.value);
            if !same {
                self.loosens(&format!("{path}.condition"), now.place, of, message);
            }
            known.condition = Some(now.clone());
        }
        known.place = rule.place;
    }

    fn evidence(&mut self, path: &str, known: &mut Evidence, evidence: &Evidence) {
        if (&known.kind.value, &known.what.value) != (&evidence.kind.value, &evidence.what.value) {
            let message = format!("the parent asks for `{}: {}`", known.kind.value, known.what.value);
            self.differs(
                &format!("{path}.evidence"),
                evidence.kind.place,
                Some(known.place),
                message,
            );
            known.kind = evidence.kind.clone();
            known.what = evidence.what.clone();
        }
        if let Some(every) = &evidence.every {
            self.days(&format!("{path}.days"), known.every.as_ref(), every);
            known.every = Some(every.clone());
        }
        self.word(&format!("{path}.evidence"), &mut known.by, evidence.by.as_ref());
        // What was shown for the group was not shown for the unit: its own date counts where it has one.
        known.last = evidence.last.clone().or(known.last.take());
        known.place = evidence.place;
    }

    pub(super) fn exceptions(&mut self, child: &Document, merged: &mut Document) {
        for one in &child.exceptions {
            let path = format!("exceptions.{}", one.clause.value);
            let known = merged
                .exceptions
                .iter_mut()
                .find(|known| known.id.value == one.id.value);
            let Some(known) = known else {
                if self.is_ours(child, one.clause.as_str()) {
                    let message = format!(
                        "`{}` is the parent's, and this would be an exception to it",
                        one.clause.value
                    );
                    self.loosens(&path, one.clause.place, None, message);
                }
                merged.exceptions.push(one.clone());
                continue;
            };
            let narrower = known.clause.value == one.clause.value
                && same_selectors(&known.who, &one.who)
                && one.then.as_ref().map(|then| then.value) >= known.then.as_ref().map(|then| then.value)
                && match (&known.expires, &one.expires) {
                    (Some(was), Some(now)) => now.value <= was.value,
                    (None, _) => true,
                    (Some(_), None) => false,
                };
            if !narrower {
                let message = format!(
                    "the parent's exception `{}` may only end sooner or be stricter here",
                    one.id.value
                );
                self.loosens(&path, one.place, Some(known.place), message);
            }
            *known = one.clone();
        }
        add_words(&mut merged.never_excepted, &child.never_excepted);
    }
}

/// Whether two lists of selectors say the same in the same order.
pub(super) fn same_selectors(one: &[Selector], two: &[Selector]) -> bool {
    one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
}

/// Whether two selectors have the same keys with the same values, in any order.
fn same(one: &Selector, two: &Selector) -> bool {
    plain(one) == plain(two) && minutes(one) == minutes(two) && one.time == two.time
}

fn minutes(selector: &Selector) -> Option<u32> {
    selector.signed_in.as_ref().map(|within| within.value)
}

/// A selector's keys and values without places; `time` is compared as it is.
fn plain(selector: &Selector) -> Vec<Option<Vec<String>>> {
    fn sorted(words: impl Iterator<Item = String>) -> Vec<String> {
        let mut words: Vec<String> = words.collect();
        words.sort();
        words
    }
    let texts = |words: &Option<Vec<Text>>| Some(sorted(words.as_ref()?.iter().map(|word| word.value.clone())));
    let app = |app: &AppSelector| {
        let classes = app
            .class
            .as_ref()
            .map(|all| sorted(all.iter().map(|class| class.value.to_string())));
        format!("{:?} {classes:?} {:?}", texts(&app.id), texts(&app.category))
    };
    fn words<T: ToString>(list: &Option<Vec<At<T>>>) -> Option<Vec<String>> {
        Some(sorted(list.as_ref()?.iter().map(|word| word.value.to_string())))
    }
    vec![
        texts(&selector.principal),
        texts(&selector.group),
        texts(&selector.client),
        selector.app.as_ref().map(|apps| sorted(apps.iter().map(app))),
        texts(&selector.model),
        texts(&selector.tool),
        texts(&selector.use_),
        words(&selector.direction),
        texts(&selector.data),
        words(&selector.source),
        texts(&selector.finding),
        texts(&selector.training),
    ]
}
