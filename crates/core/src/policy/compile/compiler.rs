//! The way from a document to a policy: each section becomes its table.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{
    Answerable, AppEntry, BreakGlass, Citation, CitationId, Citations, Condition, Escalation, Exception, Exclude, Gate,
    Grant, Names, Pass, Policy, Restoring, Rule, Tool, Tools, Unseen, Use,
};
use crate::decide::arguments::ArgumentTest;
use crate::decide::selector::{self, Bits, Pattern};
use crate::detect::{Detector, EntityId, Keywords, Pattern as OwnPattern};
use crate::policy::document::{self, Document, Section, Text};
use crate::policy::node::Place;
use crate::policy::problem::Problem;
use crate::verdict::{Mode, Verdict};

/// Compiles a document that has no errors. What only compiling can find (a condition that does not type-check, a pattern
/// that cannot be run) is added to `problems`, and then there is no policy.
pub(crate) fn compile(document: &Document, problems: &mut Vec<Problem>) -> Option<Policy> {
    let before = problems.len();
    let policy = Compiler {
        document,
        names: Names::new(document),
        zone: document.zone(),
        cited: Vec::new(),
        problems,
    }
    .run();
    (problems.len() == before).then_some(policy)
}

struct Compiler<'d, 'p> {
    document: &'d Document,
    names: Names,
    zone: TimeZone,
    cited: Vec<Citation>,
    problems: &'p mut Vec<Problem>,
}

impl Compiler<'_, '_> {
    fn run(mut self) -> Policy {
        let document = self.document;
        let citations = self.section_data();
        let gates = document.education.gates.iter().map(|gate| self.gate(gate)).collect();
        let rules = document.clauses.iter().filter_map(|clause| self.rule(clause)).collect();
        let exceptions = document
            .exceptions
            .iter()
            .filter_map(|exception| self.exception(exception))
            .collect();
        let default_class = document
            .data
            .default
            .as_ref()
            .and_then(|class| self.names.class(class.as_str()))
            .unwrap_or(0);
        Policy {
            digest: document.digest,
            organization: document
                .organization
                .as_ref()
                .map(|text| text.value.clone())
                .unwrap_or_default(),
            version: document
                .version
                .as_ref()
                .map(|text| text.value.clone())
                .unwrap_or_default(),
            default_class,
            entity_classes: self.entity_classes(default_class),
            escalations: self.escalations(),
            matrix: self.matrix(),
            answers: self.answers(),
            uninspectable: document
                .data
                .uninspectable
                .as_ref()
                .map_or(Verdict::Block, |verdict| verdict.value),
            unavailable: document
                .data
                .unavailable
                .as_ref()
                .map_or(Verdict::Block, |verdict| verdict.value),
            apps: self.apps(),
            grants: self.grants(),
            tools: self.tools(),
            tokens: self.tokens(),
            labels: document.outputs.as_ref().is_some_and(|outputs| {
                let inherit = outputs.inherit.as_ref();
                inherit.is_some_and(|inherit| inherit.value == document::INHERIT_HIGHEST)
            }),
            passes: self.passes(),
            unseen: self.unseen(),
            unmapped: document.scope.unmapped.as_ref().map(|verdict| verdict.value),
            outside: document
                .scope
                .outside
                .as_ref()
                .map_or(Verdict::Block, |verdict| verdict.value),
            uses: self.uses(),
            excludes: self.excludes(),
            courses: document
                .education
                .courses
                .iter()
                .map(|course| (course.id.value.clone(), course.valid.as_ref().map(|days| days.value)))
                .collect(),
            own_detectors: self.own_detectors(),
            gates,
            rules,
            exceptions,
            citations,
            cited: self.cited,
            answerable: Answerable::of(document),
            break_glass: BreakGlass::of(document, &self.names),
            paths: document.paths.clone(),
            names: self.names,
            zone: self.zone,
        }
    }

    fn cite(&mut self, id: &str, place: Place, statement: Option<&Text>, tell: Option<&Text>) -> CitationId {
        let rollout = &self.document.rollout;
        let own = rollout
            .entries
            .iter()
            .find(|(name, _)| name.as_str() == id)
            .map(|(_, mode)| mode.value);
        let mode = own
            .or_else(|| rollout.default.as_ref().map(|mode| mode.value))
            .unwrap_or(Mode::Enforce);
        // Clauses of other sections may speak of a table too; its own section says what it is for.
        let home = id.split('.').next().unwrap_or(id);
        let mut speaking = self
            .document
            .clauses
            .iter()
            .filter(|clause| clause.enforced_by.as_ref().is_some_and(|by| by.as_str() == id));
        let holds_up = speaking
            .clone()
            .find(|clause| clause.section.as_str() == home)
            .or_else(|| speaking.next());
        let own = self.document.clauses.iter().find(|clause| clause.id.as_str() == id);
        let owner = own.or(holds_up).and_then(|clause| clause.owner.as_ref());
        let statement = statement.or_else(|| holds_up.and_then(|clause| clause.statement.as_ref()));
        self.cited.push(Citation {
            id: id.to_owned(),
            place,
            mode,
            statement: statement.map(|text| text.value.clone()),
            clause: holds_up.map(|clause| clause.id.value.clone()),
            tell: tell.map(|text| text.value.clone()),
            owner: owner.map(|text| text.value.clone()),
        });
        CitationId(u16::try_from(self.cited.len() - 1).unwrap_or(u16::MAX))
    }

    fn section_data(&mut self) -> Citations {
        let document = self.document;
        let (access, scope, data) = (&document.access, &document.scope, &document.data);
        let head = |section| document.section_place(section);
        Citations {
            uninspectable: self.cite(
                "uninspectable",
                data.uninspectable
                    .as_ref()
                    .map_or(head(Section::Data), |verdict| verdict.place),
                None,
                None,
            ),
            detector_failure: self.cite(
                "detector-failure",
                data.unavailable
                    .as_ref()
                    .map_or(head(Section::Data), |verdict| verdict.place),
                None,
                None,
            ),
            access: self.cite(
                "access",
                access.grants_place.unwrap_or(head(Section::Access)),
                None,
                None,
            ),
            groups: self.cite(
                "scope.groups",
                scope.groups_place.unwrap_or(head(Section::Scope)),
                None,
                None,
            ),
            outside: self.cite(
                "scope.outside",
                scope
                    .outside
                    .as_ref()
                    .map_or(head(Section::Scope), |verdict| verdict.place),
                None,
                None,
            ),
            uses: self.cite(
                "scope.uses",
                scope.uses_place.unwrap_or(head(Section::Scope)),
                None,
                None,
            ),
            matrix: self.cite(
                "data.matrix",
                data.matrix.as_ref().map_or(head(Section::Data), |matrix| matrix.place),
                None,
                None,
            ),
            answers: self.cite(
                "data.answers",
                data.answers
                    .as_ref()
                    .map_or(head(Section::Data), |answers| answers.place),
                None,
                None,
            ),
            tools: self.cite(
                "access.tools",
                access.tools.as_ref().map_or(head(Section::Access), |tools| tools.place),
                None,
                None,
            ),
            endpoints: self.cite(
                "access.endpoints",
                access.endpoints_place.unwrap_or(head(Section::Access)),
                None,
                None,
            ),
        }
    }

    fn gate(&mut self, gate: &document::Gate) -> Gate {
        let citation = self.cite(gate.id.as_str(), gate.id.place, None, gate.tell.as_ref());
        Gate {
            citation,
            course: gate.without.value.clone(),
            grace: gate.grace.as_ref().map_or(0, |days| days.value),
            then: gate.then.value,
        }
    }

    fn rule(&mut self, clause: &document::Clause) -> Option<Rule> {
        let rule = clause.rule.as_ref()?;
        let citation = self.cite(
            clause.id.as_str(),
            clause.id.place,
            clause.statement.as_ref(),
            rule.tell.as_ref(),
        );
        let condition = match rule
            .condition
            .as_ref()
            .map(|text| (text, Condition::compile(text.as_str())))
        {
            None => None,
            Some((_, Ok(condition))) => Some(condition),
            Some((text, Err(reason))) => {
                let problem = Problem::error(
                    "bad-condition",
                    text.place,
                    format!("this condition cannot be used: {reason}"),
                );
                self.problems.push(
                    problem.help("the names and types that conditions may use are in docs/reference/deciding.md"),
                );
                None
            }
        };
        Some(Rule {
            citation,
            when: selector::compile_all(&rule.when, &self.names, &self.zone),
            unless: selector::compile_all(&rule.unless, &self.names, &self.zone),
            condition,
            then: rule.then.value,
        })
    }

    fn exception(&self, exception: &document::Exception) -> Option<Exception> {
        let citation = self
            .cited
            .iter()
            .position(|citation| citation.id == exception.clause.value)?;
        Some(Exception {
            id: exception.id.value.clone(),
            citation: CitationId(u16::try_from(citation).ok()?),
            who: selector::compile_all(&exception.who, &self.names, &self.zone),
            then: exception.then.as_ref()?.value,
            until: self.end_of(exception.expires.as_ref()?.value)?,
        })
    }

    /// The first moment after a date.
    fn end_of(&self, date: Date) -> Option<Timestamp> {
        self.zone.to_timestamp(date.tomorrow().ok()?.at(0, 0, 0, 0)).ok()
    }

    fn entity_classes(&self, default: u8) -> Vec<u8> {
        let mut classes = vec![default; self.names.entities.len()];
        // Families first, so that what an entity itself is given stands.
        let (own, families): (Vec<_>, Vec<_>) = self
            .document
            .data
            .entities
            .iter()
            .partition(|(name, _)| self.names.entities.index(name.as_str()).is_some());
        for (name, class) in families.into_iter().chain(own) {
            let Some(class) = self.names.class(class.as_str()) else {
                continue;
            };
            for index in self.names.entity_indices(name.as_str()) {
                if let Some(slot) = classes.get_mut(index as usize) {
                    *slot = class;
                }
            }
        }
        classes
    }

    fn tokens(&self) -> Vec<Option<Restoring>> {
        let given = &self.document.data.tokens;
        if given.is_empty() {
            return Vec::new();
        }
        let mut tokens = vec![None; self.names.entities.len()];
        // Families first, as with classes.
        let (own, families): (Vec<_>, Vec<_>) = given
            .iter()
            .partition(|(name, _)| self.names.entities.index(name.as_str()).is_some());
        for (name, how) in families.into_iter().chain(own) {
            let restoring = if how.value == document::TOKENS[0] {
                Restoring::Judged
            } else {
                Restoring::Freely
            };
            for index in self.names.entity_indices(name.as_str()) {
                if let Some(slot) = tokens.get_mut(index as usize) {
                    *slot = Some(restoring);
                }
            }
        }
        tokens
    }

    fn escalations(&self) -> Vec<Escalation> {
        let one = |escalation: &document::Escalation| {
            let groups = escalation
                .entities
                .iter()
                .map(|name| self.names.entity_indices(name.as_str()).collect())
                .collect();
            Some(Escalation {
                groups,
                at_least: escalation.at_least,
                to: self.names.class(escalation.to.as_str())?,
            })
        };
        self.document.data.escalate.iter().filter_map(one).collect()
    }

    fn matrix(&self) -> Vec<[Verdict; 4]> {
        let mut table = vec![[Verdict::Block; 4]; self.names.class_count()];
        for row in self.document.data.matrix.iter().flat_map(|matrix| &matrix.rows) {
            let Some(cells) = self
                .names
                .class(row.class.as_str())
                .and_then(|class| table.get_mut(usize::from(class)))
            else {
                continue;
            };
            for (app, verdict) in &row.cells {
                if let Some(cell) = cells.get_mut(app.value as usize) {
                    *cell = verdict.value;
                }
            }
        }
        table
    }

    fn answers(&self) -> Vec<Verdict> {
        let mut table = vec![Verdict::Allow; self.names.class_count()];
        for (class, verdict) in self.document.data.answers.iter().flat_map(|answers| &answers.value) {
            if let Some(cell) = self
                .names
                .class(class.as_str())
                .and_then(|class| table.get_mut(usize::from(class)))
            {
                *cell = verdict.value;
            }
        }
        table
    }

    fn apps(&self) -> Vec<Option<AppEntry>> {
        let mut apps: Vec<Option<AppEntry>> = Vec::new();
        apps.resize_with(self.names.apps.len(), || None);
        for app in &self.document.apps {
            let cells = app
                .cells
                .iter()
                .filter_map(|(class, verdict)| Some((self.names.class(class.as_str())?, verdict.value)));
            let entry = AppEntry {
                class: app.class,
                models: app.models.as_deref().map(selector::patterns),
                require: app
                    .require
                    .iter()
                    .map(|(key, value)| (key.value.clone(), value.value.clone()))
                    .collect(),
                cells: cells.collect(),
                only_for: app
                    .only_for
                    .as_ref()
                    .map(|selectors| selector::compile_all(&selectors.value, &self.names, &self.zone)),
                expires: app
                    .expires
                    .as_ref()
                    .and_then(|expires| Some((self.end_of(expires.on.value)?, expires.then.value))),
            };
            if let Some(slot) = self
                .names
                .apps
                .index(app.id.as_str())
                .and_then(|index| apps.get_mut(index as usize))
            {
                *slot = Some(entry);
            }
        }
        apps
    }

    fn groups(&self, names: &[Text]) -> Bits {
        names
            .iter()
            .filter_map(|name| self.names.groups.index(name.as_str()))
            .collect()
    }

    fn grants(&self) -> Vec<Grant> {
        let one = |grant: &document::Grant| Grant {
            id: grant.id.value.clone(),
            groups: self.groups(&grant.groups),
            apps: grant.apps.as_deref().map(|apps| selector::app_tests(apps, &self.names)),
            uses: grant.uses.as_ref().map(|uses| {
                uses.iter()
                    .filter_map(|name| self.names.uses.index(name.as_str()))
                    .collect()
            }),
            models: grant.models.as_deref().map(selector::patterns),
        };
        self.document.access.grants.iter().map(one).collect()
    }

    fn passes(&self) -> Vec<Pass> {
        let one = |pass: &document::Pass| Pass {
            endpoints: pass.endpoints.iter().map(|endpoint| endpoint.value.clone()).collect(),
            groups: self.groups(&pass.groups),
            then: pass.then.value,
            until: pass.until.as_ref().and_then(|until| self.end_of(until.value)),
        };
        self.document.access.endpoints.iter().map(one).collect()
    }

    fn tools(&self) -> Option<Tools> {
        let tools = self.document.access.tools.as_ref()?;
        let list = tools.list.iter().map(|tool| Tool {
            pattern: Pattern::new(tool.tool.as_str()),
            groups: (!tool.groups.is_empty()).then(|| self.groups(&tool.groups)),
            conditions: tool
                .args
                .iter()
                .filter_map(|(name, patterns)| ArgumentTest::new(name.as_str(), patterns.iter().map(Text::as_str)))
                .collect(),
            then: tool.then.as_ref().map_or(Verdict::Allow, |verdict| verdict.value),
        });
        Some(Tools {
            unlisted: tools.unlisted.as_ref().map_or(Verdict::Block, |verdict| verdict.value),
            list: list.collect(),
        })
    }

    fn uses(&self) -> Vec<Option<Use>> {
        let mut uses: Vec<Option<Use>> = Vec::new();
        uses.resize_with(self.names.uses.len(), || None);
        for one in &self.document.scope.uses {
            let entry = Use {
                groups: (!one.groups.is_empty()).then(|| self.groups(&one.groups)),
                ceiling: one.ceiling.as_ref().and_then(|class| self.names.class(class.as_str())),
            };
            if let Some(slot) = self
                .names
                .uses
                .index(one.id.as_str())
                .and_then(|index| uses.get_mut(index as usize))
            {
                *slot = Some(entry);
            }
        }
        uses
    }

    fn excludes(&self) -> Vec<Exclude> {
        let one = |exclude: &document::Exclude| {
            let group = self.names.groups.index(exclude.group.as_ref()?.as_str())?;
            Some(Exclude {
                group,
                until: self.end_of(exclude.until.as_ref()?.value)?,
            })
        };
        self.document.scope.exclude.iter().filter_map(one).collect()
    }

    fn unseen(&self) -> Vec<Unseen> {
        let one = |one: &document::Unseen| {
            Some(Unseen {
                endpoint: one.endpoint.as_ref()?.value.clone(),
                until: self.end_of(one.until.as_ref()?.value)?,
            })
        };
        self.document.data.unseen.iter().filter_map(one).collect()
    }

    fn own_detectors(&mut self) -> Vec<std::sync::Arc<dyn Detector>> {
        let data = &self.document.data;
        let mut detectors: Vec<std::sync::Arc<dyn Detector>> = Vec::new();
        for (entity, words) in &data.keywords {
            let list: Vec<String> = words.iter().map(|word| word.value.clone()).collect();
            match Keywords::new(EntityId::from(entity.as_str()), &list) {
                Ok(detector) => detectors.push(std::sync::Arc::new(detector)),
                Err(reason) => self.problems.push(Problem::error(
                    "bad-keywords",
                    entity.place,
                    format!("these keywords cannot be used: {reason}"),
                )),
            }
        }
        for (entity, pattern) in &data.patterns {
            match OwnPattern::new(EntityId::from(entity.as_str()), pattern.as_str()) {
                Ok(detector) => detectors.push(std::sync::Arc::new(detector)),
                Err(reason) => self.problems.push(Problem::error(
                    "bad-pattern",
                    pattern.place,
                    format!("this pattern cannot be used: {reason}"),
                )),
            }
        }
        detectors
    }
}
