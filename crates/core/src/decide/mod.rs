//! The one decision: `(policy, facts) -> Decision`, pure, and never an error.
//!
//! What it means, law by law, is `docs/reference/deciding.md`; each step below carries the number it has there. An
//! independent naive evaluator in the tests holds this engine to that page. Read [`decide`] first.

pub(crate) mod arguments;
mod bound;
pub mod decision;
pub mod explain;
pub mod facts;
pub(crate) mod selector;
mod sign_in;
pub mod steps;
mod together;
mod withheld;

pub use decision::{Contribution, Decision, Mask};
pub use facts::{Called, Content, Destination, Facts, Seen, Who};
pub use selector::Pattern;
pub use sign_in::sign_in_needed;
pub use steps::{Asked, Covered};
pub use withheld::withheld;

pub(crate) use bound::{Bound, Found};

use crate::policy::compile::{CitationId, Grant, Policy, Rule};
use crate::verdict::{Direction, Mode, SourceSet, Verdict};

/// Decides on one half of an exchange. Whoever acts on somebody's behalf gets the stricter of both answers.
#[must_use]
pub fn decide(policy: &Policy, facts: &Facts) -> Decision {
    let own = decide_alone(policy, facts);
    match &facts.who.on_behalf_of {
        None => own,
        Some(other) => together::both(own, decide(policy, &facts.of(other))),
    }
}

fn decide_alone(policy: &Policy, facts: &Facts) -> Decision {
    let bound = Bound::new(policy, facts);
    let mut says = Says {
        bound: &bound,
        contributions: Vec::new(),
    };
    says.what_could_not_be_seen();
    let excluded = policy
        .excludes
        .iter()
        .any(|exclude| facts.now < exclude.until && bound.groups.contains(&exclude.group));
    let mut granted = None;
    if !excluded {
        let prompt = facts.direction == Direction::Prompt;
        granted = if prompt { grant(&bound) } else { None };
        if prompt && granted.is_none() {
            says.add(policy.citations.access, Verdict::Block, Basis::Nothing);
        }
        let refused = says
            .contributions
            .iter()
            .any(|one| policy.is_access(one.citation) && one.mode == Mode::Enforce && one.acts == Verdict::Block);
        if !refused {
            says.everything_that_matches(prompt);
        }
    }
    finish(&bound, says.contributions, granted, excluded)
}

/// Decides on a request that nobody could read, so that there is nothing to pass on whatever the policy says: step 1
/// alone, and `block`.
#[must_use]
pub fn decide_unread(policy: &Policy, facts: &Facts) -> Decision {
    let bound = Bound::new(policy, facts);
    let mut says = Says {
        bound: &bound,
        contributions: Vec::new(),
    };
    says.what_could_not_be_seen();
    let decision = finish(&bound, says.contributions, None, false);
    Decision {
        verdict: Verdict::Block,
        full: Verdict::Block,
        ..decision
    }
}

/// 8. The strictest of what acts, and the strictest of all.
fn finish(bound: &Bound<'_>, contributions: Vec<Contribution>, granted: Option<u16>, excluded: bool) -> Decision {
    let acting = contributions.iter().map(|one| one.acts).max();
    let mut decision = Decision {
        verdict: acting.unwrap_or(Verdict::Allow),
        full: Verdict::Allow,
        contributions,
        masks: Vec::new(),
        app_class: bound.app_class,
        data_class: bound.data_class,
        granted,
        excluded,
    };
    decision.full = decision
        .full_contributions(bound.policy)
        .map(|one| one.verdict)
        .max()
        .unwrap_or(Verdict::Allow);
    if decision.verdict != Verdict::Block {
        let mut masks: Vec<Mask> = Vec::new();
        for mask in decision
            .acting()
            .filter(|one| one.mode == Mode::Enforce)
            .flat_map(|one| &one.masks)
        {
            add_mask(&mut masks, mask.clone());
        }
        decision.masks = masks;
    }
    decision
}

fn add_mask(masks: &mut Vec<Mask>, new: Mask) {
    match masks.iter_mut().find(|mask| mask.entity == new.entity) {
        Some(mask) => mask.sources = mask.sources.union(new.sources),
        None => masks.push(new),
    }
}

/// 3. The grant that reaches the app with this use and model.
fn grant(bound: &Bound<'_>) -> Option<u16> {
    let facts = bound.facts;
    let model_is = |patterns: &Option<Vec<Pattern>>| match (patterns, &facts.model) {
        (None, _) => true,
        (Some(patterns), Some(model)) => patterns.iter().any(|pattern| pattern.matches(model)),
        (Some(_), None) => false,
    };
    if !bound.app_entry().is_none_or(|entry| model_is(&entry.models)) {
        return None;
    }
    let reaches = |grant: &Grant| {
        bound.groups.iter().any(|&group| grant.groups.contains(group))
            && grant
                .apps
                .as_ref()
                .is_none_or(|apps| apps.iter().any(|app| app.matches(bound, bound.app_class)))
            && grant
                .uses
                .as_ref()
                .is_none_or(|uses| bound.use_.is_some_and(|index| uses.contains(index)))
            && model_is(&grant.models)
    };
    bound
        .policy
        .grants
        .iter()
        .position(reaches)
        .and_then(|index| u16::try_from(index).ok())
}

/// What a contribution is about, for masks.
#[derive(Clone, Copy)]
enum Basis<'b> {
    /// Nothing that could be masked.
    Nothing,
    /// A cell of the matrix or of the answers' table: the classes whose cell says `redact`, by class.
    Cells(&'b dyn Fn(u8) -> Verdict),
    /// The class of the text.
    TextClass,
    /// A rule: what the selectors that matched name.
    Rule(&'b Rule),
}

/// The contributions, as they come.
struct Says<'b, 'f> {
    bound: &'b Bound<'f>,
    contributions: Vec<Contribution>,
}

impl Says<'_, '_> {
    /// 1. Uninspectable content and failed detectors: no mode, no exception.
    fn what_could_not_be_seen(&mut self) {
        let (policy, content) = (self.bound.policy, &self.bound.facts.content);
        let passed = content.endpoint.as_deref();
        for (occurs, citation, verdict) in [
            (
                passed.is_some(),
                policy.citations.endpoints,
                passed.map_or(Verdict::Allow, |endpoint| self.passes(endpoint)),
            ),
            (
                content.uninspectable && passed.is_none(),
                policy.citations.uninspectable,
                policy.uninspectable,
            ),
            (content.failed, policy.citations.detector_failure, policy.unavailable),
        ] {
            // Nothing to mask in what nobody could read.
            let verdict = if verdict == Verdict::Redact {
                Verdict::Block
            } else {
                verdict
            };
            // A line that lets pass what nobody reads is cited even where it says no more than that.
            if occurs && (verdict > Verdict::Allow || citation == policy.citations.endpoints) {
                self.contributions.push(Contribution {
                    citation,
                    verdict,
                    mode: Mode::Enforce,
                    acts: verdict,
                    excepted: None,
                    masks: Vec::new(),
                    unmaskable: false,
                });
            }
        }
    }

    /// What the lines of `access.endpoints` say about an endpoint that nobody reads: the strictest of those that match; what
    /// none matches is blocked.
    fn passes(&self, endpoint: &str) -> Verdict {
        let bound = self.bound;
        let matching = bound.policy.passes.iter().filter(|pass| {
            pass.endpoints.iter().any(|one| one == endpoint)
                && pass.until.is_none_or(|until| bound.facts.now < until)
                && bound.groups.iter().any(|&group| pass.groups.contains(group))
        });
        matching.map(|pass| pass.then).max().unwrap_or(Verdict::Block)
    }

    /// 4. Everything that matches counts.
    fn everything_that_matches(&mut self, prompt: bool) {
        if prompt {
            self.scope();
            self.matrix();
        } else {
            self.answers();
            self.tools();
        }
        if prompt {
            self.gates();
        }
        self.rules();
    }

    fn scope(&mut self) {
        let (bound, policy) = (self.bound, self.bound.policy);
        if let Some(unmapped) = policy.unmapped
            && bound.groups.len() <= 1
        {
            self.add(policy.citations.groups, unmapped, Basis::Nothing);
        }
        if bound.facts.use_.is_none() {
            return;
        }
        let Some(entry) = bound
            .use_
            .and_then(|index| policy.uses.get(index as usize))
            .and_then(Option::as_ref)
        else {
            self.add(policy.citations.outside, policy.outside, Basis::Nothing);
            return;
        };
        let theirs = entry
            .groups
            .as_ref()
            .is_none_or(|groups| bound.groups.iter().any(|&group| groups.contains(group)));
        if !theirs || entry.ceiling.is_some_and(|ceiling| bound.data_class > ceiling) {
            self.add(policy.citations.uses, Verdict::Block, Basis::TextClass);
        }
    }

    /// The classes that occur: those of what was found, or the default.
    fn strictest(&self, cell: &dyn Fn(u8) -> Verdict) -> Verdict {
        let found = self.bound.found.iter().map(|found| cell(found.class)).max();
        found.unwrap_or_else(|| cell(self.bound.policy.default_class))
    }

    fn matrix(&mut self) {
        let (bound, policy) = (self.bound, self.bound.policy);
        let own = bound
            .app_entry()
            .filter(|entry| entry.class == bound.app_class)
            .map(|entry| entry.cells.as_slice())
            .unwrap_or_default();
        let cell = |class: u8| {
            let own = own.iter().find(|(of, _)| *of == class).map(|&(_, verdict)| verdict);
            own.unwrap_or_else(|| policy.cell(class, bound.app_class))
        };
        self.add(policy.citations.matrix, self.strictest(&cell), Basis::Cells(&cell));
    }

    fn answers(&mut self) {
        let policy = self.bound.policy;
        let cell = |class: u8| {
            policy
                .answers
                .get(usize::from(class))
                .copied()
                .unwrap_or(Verdict::Allow)
        };
        self.add(policy.citations.answers, self.strictest(&cell), Basis::Cells(&cell));
    }

    fn tools(&mut self) {
        let (bound, policy) = (self.bound, self.bound.policy);
        let Some(tools) = &policy.tools else { return };
        let one = |call: &Called| {
            let listed = tools.list.iter().find(|tool| {
                tool.is_for(&call.name, &bound.groups)
                    && tool
                        .conditions
                        .iter()
                        .all(|condition| call.met.contains(&condition.label))
            });
            listed.map_or(tools.unlisted, |tool| tool.then)
        };
        if let Some(verdict) = bound
            .facts
            .content
            .tools
            .iter()
            .filter(|call| !call.awaited)
            .map(one)
            .max()
        {
            self.add(policy.citations.tools, verdict, Basis::Nothing);
        }
    }

    fn gates(&mut self) {
        for gate in &self.bound.policy.gates {
            let today = self.bound.local().date();
            let last = self
                .bound
                .facts
                .who
                .since
                .and_then(|since| since.checked_add(jiff::Span::new().days(i64::from(gate.grace))).ok());
            let newcomer = last.is_some_and(|last| today <= last);
            if !newcomer && !self.bound.holds_course(&gate.course) {
                self.add(gate.citation, gate.then, Basis::Nothing);
            }
        }
    }

    fn rules(&mut self) {
        for rule in &self.bound.policy.rules {
            let matches = selector::any(&rule.when, self.bound) && !selector::any(&rule.unless, self.bound);
            if matches
                && rule
                    .condition
                    .as_ref()
                    .is_none_or(|condition| condition.holds(self.bound))
            {
                self.add(rule.citation, rule.then, Basis::Rule(rule));
            }
        }
    }

    /// 5 to 7. Exceptions, masks, mode.
    fn add(&mut self, citation: CitationId, verdict: Verdict, basis: Basis<'_>) {
        if verdict == Verdict::Allow {
            return;
        }
        let (bound, policy) = (self.bound, self.bound.policy);
        let now = bound.facts.now;
        let mut contribution = Contribution {
            citation,
            verdict,
            mode: policy.citation(citation).mode,
            acts: Verdict::Allow,
            excepted: None,
            masks: Vec::new(),
            unmaskable: false,
        };
        let exception = policy
            .exceptions
            .iter()
            .enumerate()
            .find(|(_, one)| one.citation == citation && now < one.until && selector::any(&one.who, bound));
        if let Some((index, exception)) = exception {
            contribution.excepted = Some((u16::try_from(index).unwrap_or(u16::MAX), verdict));
            contribution.verdict = exception.then;
        }
        let excepted = contribution.excepted.is_some();
        // A table judges each class by itself: its redact cells mask even where another class is held.
        let redacts = match basis {
            Basis::Cells(cell) if !excepted => bound.found.iter().any(|found| cell(found.class) == Verdict::Redact),
            _ => contribution.verdict == Verdict::Redact,
        };
        if redacts && contribution.verdict != Verdict::Block {
            // A table that was excepted to `redact` has no redact cells of its own: what it was about is masked.
            let basis = match basis {
                Basis::Cells(_) if excepted => Basis::TextClass,
                other => other,
            };
            match self.masks(basis) {
                Some(masks) => contribution.masks = masks,
                None => {
                    contribution.verdict = Verdict::Block;
                    contribution.unmaskable = true;
                }
            }
        }
        contribution.acts = contribution.mode.limit(contribution.verdict);
        self.contributions.push(contribution);
    }

    /// 6. What a `redact` masks; `None` when it cannot: nothing is there to mask, or some of it cannot be edited.
    fn masks(&self, basis: Basis<'_>) -> Option<Vec<Mask>> {
        let mut masks = Vec::new();
        let mut mask = |found: &Found<'_>, sources: SourceSet| {
            let sources = sources.intersection(found.seen.sources);
            if !sources.is_empty() {
                add_mask(
                    &mut masks,
                    Mask {
                        entity: found.seen.entity.clone(),
                        sources,
                    },
                );
            }
        };
        for found in &self.bound.found {
            match basis {
                Basis::Nothing => {}
                Basis::Cells(cell) => {
                    if cell(found.class) == Verdict::Redact {
                        mask(found, SourceSet::ALL);
                    }
                }
                Basis::TextClass => {
                    if found.class == self.bound.data_class {
                        mask(found, SourceSet::ALL);
                    }
                }
                Basis::Rule(rule) => {
                    for (data, sources) in rule
                        .when
                        .iter()
                        .filter(|one| one.matches(self.bound))
                        .filter_map(selector::Selector::masked)
                    {
                        if data.names(found.index, found.class) {
                            mask(found, sources);
                        }
                    }
                }
            }
        }
        let fixed = |mask: &Mask| {
            let found = self.bound.found.iter().find(|found| found.seen.entity == mask.entity);
            found.is_some_and(|found| !found.seen.fixed.intersection(mask.sources).is_empty())
        };
        (!masks.is_empty() && !masks.iter().any(fixed)).then_some(masks)
    }
}
