//! What a policy decides, as a circuit over a [`Space`]: one literal for each thing that `decide` could answer.
//!
//! This is `docs/reference/deciding.md` once more, in the order of that page and with its step numbers; tests hold it to
//! the engine on random policies and requests. Read [`Meaning`] first.

mod classes;
mod levels;
mod outcome;
mod say;
mod select;

use super::calls;
use super::circuit::{FALSE, Lit, TRUE};
use super::space::Space;
use crate::decide::arguments::ArgumentTest;
use crate::decide::selector::{Pattern, Selector, Test};
use crate::policy::compile::{CitationId, Policy};
use crate::verdict::{AppClass, Mode, Verdict};

use classes::Classes;
pub(crate) use levels::Levels;
pub(crate) use outcome::Outcome;
pub(crate) use say::Say;
use say::{Basis, Kind};

/// What one policy decides about every request of a space.
#[derive(Debug)]
pub(crate) struct Meaning {
    /// Everything that can have a say.
    pub(crate) says: Vec<Say>,
    /// By index of the grant: that it lets a prompt through.
    pub(crate) grants: Vec<Lit>,
    /// That the app counts as a class, by class.
    pub(crate) app_class: [Lit; 4],
    /// That the text has a class or a higher one, by class.
    pub(crate) data_class: Vec<Lit>,
    /// That a class occurs in the text, by class.
    pub(crate) occurs: Vec<Lit>,
    classes: Classes,
    /// What happens now.
    pub(crate) now: Outcome,
    /// What would happen if every mode were `enforce`.
    pub(crate) full: Outcome,
}

impl Meaning {
    pub(crate) fn new(policy: &Policy, space: &mut Space) -> Self {
        let classes = Classes::new(policy, space);
        let encoder = Encoder {
            policy,
            space,
            classes,
            says: Vec::new(),
            shut: FALSE,
        };
        encoder.run()
    }

    /// That a selector matches.
    pub(crate) fn selector(&self, policy: &Policy, space: &mut Space, wanted: &Selector) -> Lit {
        select::selector(policy, space, &self.classes, wanted)
    }

    /// That one key of a selector matches.
    pub(crate) fn key(&self, policy: &Policy, space: &mut Space, wanted: &Test) -> Lit {
        select::test(policy, space, &self.classes, wanted)
    }

    /// That the principal is in a group, as the policy names it.
    pub(crate) fn group(&self, policy: &Policy, name: &str) -> Lit {
        policy
            .names
            .groups
            .index(name)
            .map_or(FALSE, |index| self.classes.group(index))
    }

    /// That the app counts as a class.
    pub(crate) fn counts_as(&self, class: AppClass) -> Lit {
        self.classes.counts_as(class)
    }

    /// That access refuses.
    pub(crate) fn refused(&self) -> Lit {
        let access = self.says.iter().find(|say| say.kind == Kind::Access);
        access.map_or(FALSE, |say| say.verdict.at(Verdict::Block))
    }
}

struct Encoder<'p, 's> {
    policy: &'p Policy,
    space: &'s mut Space,
    classes: Classes,
    says: Vec<Say>,
    /// That nothing more is looked at.
    shut: Lit,
}

impl Encoder<'_, '_> {
    fn run(mut self) -> Meaning {
        let policy = self.policy;
        self.what_could_not_be_seen();
        let excluded = self.excluded();
        let grants = self.grants();
        self.shut = excluded;
        let granted = self.space.circuit.or(grants.iter().copied());
        let refused = self.space.circuit.and([!self.space.answer, !granted]);
        self.constant(policy.citations.access, Verdict::Block, refused, &Basis::Nothing);
        let access = self.says.iter().find(|say| say.kind == Kind::Access);
        let access = access.map_or(FALSE, |say| say.acts.at(Verdict::Block));
        self.shut = self.space.circuit.or([excluded, access]);
        self.scope();
        self.matrix();
        self.answers();
        self.tools();
        self.gates();
        self.rules();
        let all: Vec<&Say> = self.says.iter().collect();
        let (now, full) = (outcome::now(&all, self.space), outcome::full(&all, self.space));
        Meaning {
            says: std::mem::take(&mut self.says),
            grants,
            app_class: self.classes.app,
            data_class: self.classes.text.clone(),
            occurs: self.classes.occurs.clone(),
            classes: self.classes,
            now,
            full,
        }
    }

    /// 1. Uninspectable content and failed detectors.
    fn what_could_not_be_seen(&mut self) {
        let (policy, citations) = (self.policy, &self.policy.citations);
        let read = self.space.endpoint.when(&mut self.space.circuit, Option::is_none);
        self.passes(!read);
        let unreadable = self.space.circuit.and([self.space.uninspectable, read]);
        for (occurs, citation, verdict) in [
            (unreadable, citations.uninspectable, policy.uninspectable),
            (self.space.failed, citations.detector_failure, policy.unavailable),
        ] {
            let verdict = if verdict == Verdict::Redact {
                Verdict::Block
            } else {
                verdict
            };
            let levels = Levels::when(verdict, occurs);
            self.says.push(Say {
                citation,
                verdict: levels,
                acts: levels,
                masks: Vec::new(),
                excepted: Vec::new(),
                mode: Mode::Enforce,
                kind: Kind::Unconditional,
            });
        }
    }

    /// Endpoints that nobody reads: the strictest line that matches, or else `block`.
    fn passes(&mut self, unread: Lit) {
        let policy = self.policy;
        let mut given = Vec::new();
        for pass in &policy.passes {
            let is = |endpoint: &Option<String>| endpoint.as_ref().is_some_and(|one| pass.endpoints.contains(one));
            let endpoint = self.space.endpoint.when(&mut self.space.circuit, is);
            let in_time = match pass.until {
                None => TRUE,
                Some(until) => self.space.moment.when(&mut self.space.circuit, |&now| now < until),
            };
            let groups = self.classes.any_group(self.space, &pass.groups);
            given.push((pass.then, self.space.circuit.and([endpoint, in_time, groups])));
        }
        let any = self.space.circuit.or(given.iter().map(|&(_, lit)| lit));
        given.push((Verdict::Block, self.space.circuit.and([unread, !any])));
        let levels = Levels::strictest_of(&mut self.space.circuit, &given);
        self.says.push(Say {
            citation: policy.citations.endpoints,
            verdict: levels,
            acts: levels,
            masks: Vec::new(),
            excepted: Vec::new(),
            mode: Mode::Enforce,
            kind: Kind::Unconditional,
        });
    }

    /// 2. Groups that are left out.
    fn excluded(&mut self) -> Lit {
        let one = |exclude: &crate::policy::compile::Exclude| {
            let in_time = self
                .space
                .moment
                .when(&mut self.space.circuit, |&now| now < exclude.until);
            self.space.circuit.and([in_time, self.classes.group(exclude.group)])
        };
        let lits: Vec<Lit> = self.policy.excludes.iter().map(one).collect();
        self.space.circuit.or(lits)
    }

    /// 3. What each grant lets through.
    fn grants(&mut self) -> Vec<Lit> {
        let policy = self.policy;
        // The app's own models come first.
        let fits: Vec<Lit> = {
            let limited = policy
                .apps
                .iter()
                .enumerate()
                .filter_map(|(index, entry)| Some((index, entry.as_ref()?.models.as_ref()?)));
            limited
                .map(|(index, models)| {
                    let app = self.classes.is_app(index);
                    let fits = model_is(self.space, models);
                    self.space.circuit.or([!app, fits])
                })
                .collect()
        };
        let fits = self.space.circuit.and(fits);
        let prompt = !self.space.answer;
        let mut grants = Vec::new();
        for grant in &policy.grants {
            let groups = self.classes.any_group(self.space, &grant.groups);
            let apps = match &grant.apps {
                None => TRUE,
                Some(apps) => select::apps(policy, self.space, apps, &self.classes.app),
            };
            let uses = match &grant.uses {
                None => TRUE,
                Some(uses) => select::use_is(policy, self.space, |index| uses.contains(index)),
            };
            let models = grant
                .models
                .as_ref()
                .map_or(TRUE, |models| model_is(self.space, models));
            grants.push(self.space.circuit.and([prompt, fits, groups, apps, uses, models]));
        }
        grants
    }

    /// 4. The scope: nobody's group, a use that is not listed, a use that is not theirs or below the data.
    fn scope(&mut self) {
        let policy = self.policy;
        let prompt = !self.space.answer;
        if let Some(verdict) = policy.unmapped {
            let nobody = !self.classes.mapped(self.space);
            let matches = self.space.circuit.and([prompt, nobody]);
            self.constant(policy.citations.groups, verdict, matches, &Basis::Nothing);
        }
        let declared = self.space.use_.when(&mut self.space.circuit, Option::is_some);
        let listed = select::use_is(policy, self.space, |index| {
            policy.uses.get(index as usize).is_some_and(Option::is_some)
        });
        let outside = self.space.circuit.and([prompt, declared, !listed]);
        self.constant(policy.citations.outside, policy.outside, outside, &Basis::Nothing);
        let mut wrong = Vec::new();
        for (index, entry) in policy
            .uses
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| Some((index, entry.as_ref()?)))
        {
            let this = select::use_is(policy, self.space, |other| other as usize == index);
            let theirs = entry
                .groups
                .as_ref()
                .map_or(TRUE, |groups| self.classes.any_group(self.space, groups));
            let above = entry
                .ceiling
                .map_or(FALSE, |ceiling| self.classes.text_at_least(ceiling + 1));
            let bad = self.space.circuit.or([!theirs, above]);
            wrong.push(self.space.circuit.and([prompt, this, bad]));
        }
        let wrong = self.space.circuit.or(wrong);
        self.constant(policy.citations.uses, Verdict::Block, wrong, &Basis::TextClass);
    }

    fn matrix(&mut self) {
        let policy = self.policy;
        let cells: Vec<Levels> = (0..policy.names.class_count())
            .map(|class| self.cell(u8::try_from(class).unwrap_or(u8::MAX)))
            .collect();
        self.table(policy.citations.matrix, !self.space.answer, &cells);
    }

    /// What the matrix, or the app's own row of it, says on a class.
    fn cell(&mut self, class: u8) -> Levels {
        let policy = self.policy;
        let mut own: Vec<(Verdict, Lit)> = Vec::new();
        for (index, entry) in policy
            .apps
            .iter()
            .enumerate()
            .filter_map(|(index, entry)| Some((index, entry.as_ref()?)))
        {
            if let Some(&(_, verdict)) = entry.cells.iter().find(|(of, _)| *of == class) {
                let app = self.classes.is_app(index);
                let counts = self.classes.counts_as(entry.class);
                own.push((verdict, self.space.circuit.and([app, counts])));
            }
        }
        let any_own = self.space.circuit.or(own.iter().map(|&(_, lit)| lit));
        let mut given = own;
        for &app in AppClass::ALL {
            let counts = self.space.circuit.and([self.classes.counts_as(app), !any_own]);
            given.push((policy.cell(class, app), counts));
        }
        Levels::strictest_of(&mut self.space.circuit, &given)
    }

    fn answers(&mut self) {
        let cells: Vec<Levels> = self
            .policy
            .answers
            .iter()
            .map(|&verdict| Levels::when(verdict, TRUE))
            .collect();
        self.table(self.policy.citations.answers, self.space.answer, &cells);
    }

    /// The strictest cell of the classes that occur.
    fn table(&mut self, citation: CitationId, applies: Lit, cells: &[Levels]) {
        let occurs = self.classes.occurs.clone();
        let circuit = &mut self.space.circuit;
        let said: Vec<Levels> = occurs
            .into_iter()
            .zip(cells)
            .map(|(occurs, cell)| {
                let counts = circuit.and([applies, occurs]);
                cell.only_when(circuit, counts)
            })
            .collect();
        let strictest = Levels::strictest(circuit, &said);
        let redacts = cells
            .iter()
            .map(|cell| cell.exactly(circuit, Verdict::Redact))
            .collect();
        self.say(citation, strictest, &Basis::Cells(redacts));
    }

    fn tools(&mut self) {
        let policy = self.policy;
        let Some(tools) = &policy.tools else { return };
        let mut given = Vec::new();
        for (call, called) in self.space.calls.clone() {
            let mut earlier = FALSE;
            let met = calls::met(policy, &call);
            let listed = tools.list.iter().filter(|tool| {
                let fits = |condition: &ArgumentTest| met.contains(&condition.label);
                tool.pattern.matches(&call.tool) && tool.conditions.iter().all(fits)
            });
            for tool in listed {
                let theirs = tool
                    .groups
                    .as_ref()
                    .map_or(TRUE, |groups| self.classes.any_group(self.space, groups));
                given.push((tool.then, self.space.circuit.and([called, theirs, !earlier])));
                earlier = self.space.circuit.or([earlier, theirs]);
            }
            given.push((tools.unlisted, self.space.circuit.and([called, !earlier])));
        }
        let strictest = Levels::strictest_of(&mut self.space.circuit, &given);
        let strictest = strictest.only_when(&mut self.space.circuit, self.space.answer);
        self.say(policy.citations.tools, strictest, &Basis::Nothing);
    }

    fn gates(&mut self) {
        for gate in &self.policy.gates {
            let newcomer = self.space.known.when(&mut self.space.circuit, |days| {
                days.is_some_and(|days| days <= gate.grace)
            });
            let learned = select::holds_course(self.policy, self.space, &gate.course);
            let matches = self.space.circuit.and([!self.space.answer, !newcomer, !learned]);
            self.constant(gate.citation, gate.then, matches, &Basis::Nothing);
        }
    }

    fn rules(&mut self) {
        for rule in &self.policy.rules {
            let when = self.any(&rule.when);
            let unless = self.any(&rule.unless);
            let condition = rule.condition.as_ref().map_or(TRUE, |condition| {
                let known = self
                    .space
                    .conditions
                    .iter()
                    .find(|(source, _)| source == condition.source());
                known.map_or(TRUE, |&(_, lit)| lit)
            });
            let matches = self.space.circuit.and([when, !unless, condition]);
            self.constant(rule.citation, rule.then, matches, &Basis::Rule(rule));
        }
    }

    fn any(&mut self, selectors: &[Selector]) -> Lit {
        let lits: Vec<Lit> = selectors
            .iter()
            .map(|selector| select::selector(self.policy, self.space, &self.classes, selector))
            .collect();
        self.space.circuit.or(lits)
    }
}

fn model_is(space: &mut Space, patterns: &[Pattern]) -> Lit {
    space.model.when(&mut space.circuit, |model| {
        model
            .as_ref()
            .is_some_and(|model| patterns.iter().any(|pattern| pattern.matches(model)))
    })
}
