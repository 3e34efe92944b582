//! From a checked document to the table that decisions run on.
//!
//! Names become numbers, dates become moments, sections become rows. A [`Policy`] holds nothing that could be invalid: it
//! is only made from a document without errors. Read [`Policy`] first; [`crate::decide`] is its one reader.

mod condition;
pub(super) mod names;

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(crate) use condition::Condition;
pub(crate) use names::{Names, Table};

use super::PolicyDigest;
use super::document::{Document, Text};
use super::node::Place;
use super::problem::Problem;
use crate::catalog::Catalog;
use crate::decide::Found;
use crate::decide::selector::{self, AppTest, Bits, Pattern, Selector};
use crate::detect::Detector;
use crate::verdict::{AppClass, Mode, Verdict};

/// A policy that can decide.
pub struct Policy {
    /// Its digest.
    pub digest: PolicyDigest,
    /// Whose it is.
    pub organization: String,
    /// Its version, as the organisation counts.
    pub version: String,
    pub(crate) zone: TimeZone,
    pub(crate) names: Names,
    pub(crate) default_class: u8,
    /// Class by entity index.
    pub(crate) entity_classes: Vec<u8>,
    pub(crate) escalations: Vec<Escalation>,
    /// Verdicts by data class, then app class.
    matrix: Vec<[Verdict; 4]>,
    pub(crate) answers: Vec<Verdict>,
    pub(crate) uninspectable: Verdict,
    pub(crate) unavailable: Verdict,
    /// By app index; `None` for apps that are only named in selectors.
    pub(crate) apps: Vec<Option<AppEntry>>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) tools: Option<Tools>,
    pub(crate) unmapped: Option<Verdict>,
    pub(crate) outside: Verdict,
    /// By use index.
    pub(crate) uses: Vec<Option<Use>>,
    pub(crate) excludes: Vec<Exclude>,
    courses: Vec<(String, Option<u32>)>,
    pub(crate) gates: Vec<Gate>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) exceptions: Vec<Exception>,
    pub(crate) citations: Citations,
    cited: Vec<Citation>,
    own_detectors: Vec<std::sync::Arc<dyn Detector>>,
    paths: Vec<String>,
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("organization", &self.organization)
            .field("version", &self.version)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

/// Something that a decision can name: a clause, a gate, or section data.
#[derive(Debug, Clone)]
pub struct Citation {
    /// Its id, such as `AU-3` or `data.matrix`.
    pub id: String,
    /// Where it stands in the document.
    pub place: Place,
    /// How it acts now.
    pub mode: Mode,
    /// What it says in the author's words: the clause's statement, or that of the clause it holds up.
    pub statement: Option<String>,
    /// The clause that section data holds up.
    pub clause: Option<String>,
    /// What the person is told.
    pub tell: Option<String>,
}

/// Number of a [`Citation`] in its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CitationId(u16);

/// The section data that decide.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Citations {
    pub(crate) uninspectable: CitationId,
    pub(crate) detector_failure: CitationId,
    pub(crate) access: CitationId,
    pub(crate) groups: CitationId,
    pub(crate) outside: CitationId,
    pub(crate) uses: CitationId,
    pub(crate) matrix: CitationId,
    pub(crate) answers: CitationId,
    pub(crate) tools: CitationId,
}

#[derive(Debug)]
pub(crate) struct AppEntry {
    /// The class of the list it stands in.
    pub(crate) class: AppClass,
    pub(crate) models: Option<Vec<Pattern>>,
    pub(crate) require: Vec<(String, String)>,
    pub(crate) cells: Vec<(u8, Verdict)>,
    pub(crate) only_for: Option<Vec<Selector>>,
    pub(crate) expires: Option<(Timestamp, AppClass)>,
}

#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) groups: Bits,
    pub(crate) apps: Option<Vec<AppTest>>,
    pub(crate) uses: Option<Bits>,
    pub(crate) models: Option<Vec<Pattern>>,
}

#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) unlisted: Verdict,
    pub(crate) list: Vec<Tool>,
}

#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) pattern: Pattern,
    pub(crate) groups: Option<Bits>,
    pub(crate) then: Verdict,
}

#[derive(Debug)]
pub(crate) struct Use {
    pub(crate) groups: Option<Bits>,
    pub(crate) ceiling: Option<u8>,
}

#[derive(Debug)]
pub(crate) struct Exclude {
    pub(crate) group: u32,
    /// The first moment at which it no longer holds.
    pub(crate) until: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) citation: CitationId,
    pub(crate) course: String,
    pub(crate) grace: u32,
    pub(crate) then: Verdict,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) citation: CitationId,
    pub(crate) when: Vec<Selector>,
    pub(crate) unless: Vec<Selector>,
    pub(crate) condition: Option<Condition>,
    pub(crate) then: Verdict,
}

#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) id: String,
    pub(crate) citation: CitationId,
    pub(crate) who: Vec<Selector>,
    pub(crate) then: Verdict,
    /// The first moment at which it no longer holds.
    pub(crate) until: Timestamp,
}

#[derive(Debug)]
pub(crate) struct Escalation {
    /// Entity indices, one set for each entity or family named.
    groups: Vec<Bits>,
    at_least: Option<u32>,
    pub(crate) to: u8,
}

impl Escalation {
    pub(crate) fn names(&self, entity: u32) -> bool {
        self.groups.iter().any(|group| group.contains(entity))
    }

    pub(crate) fn applies(&self, found: &[Found<'_>]) -> bool {
        let of = |group: &Bits| -> u64 {
            let inside = found
                .iter()
                .filter(|one| one.index.is_some_and(|index| group.contains(index)));
            inside.map(|one| u64::from(one.seen.distinct)).sum()
        };
        match self.at_least {
            Some(number) => self.groups.iter().map(of).sum::<u64>() >= u64::from(number.max(1)),
            None => self.groups.iter().all(|group| of(group) > 0),
        }
    }
}

impl Policy {
    /// A citation by number.
    #[must_use]
    pub fn citation(&self, id: CitationId) -> &Citation {
        // INVARIANT: ids are made by `Compiler::cite` alone, with the index of what it pushed; `none` is never reached.
        static NONE: Citation = Citation {
            id: String::new(),
            place: Place {
                file: 0,
                line: 0,
                column: 0,
                length: 0,
            },
            mode: Mode::Enforce,
            statement: None,
            clause: None,
            tell: None,
        };
        self.cited.get(usize::from(id.0)).unwrap_or(&NONE)
    }

    /// Every citation.
    pub fn citations(&self) -> impl Iterator<Item = &Citation> {
        self.cited.iter()
    }

    /// A place as people read it: `policy.yaml:14:9`.
    #[must_use]
    pub fn locate(&self, place: Place) -> String {
        let path = self
            .paths
            .get(usize::from(place.file))
            .map_or(super::ROOT, String::as_str);
        format!("{path}:{}:{}", place.line, place.column)
    }

    /// The id of an exception.
    #[must_use]
    pub fn exception(&self, index: u16) -> &str {
        self.exceptions
            .get(usize::from(index))
            .map_or("", |exception| &exception.id)
    }

    /// The id of a grant.
    #[must_use]
    pub fn grant(&self, index: u16) -> Option<&str> {
        self.grants.get(usize::from(index)).map(|grant| grant.id.as_str())
    }

    /// The name of a data class.
    #[must_use]
    pub fn class_name(&self, class: u8) -> &str {
        self.names.class_name(class)
    }

    /// The policy's own keywords and patterns, as detectors.
    #[must_use]
    pub fn own_detectors(&self) -> &[std::sync::Arc<dyn Detector>] {
        &self.own_detectors
    }

    /// Whether a use is one of the scope's.
    #[must_use]
    pub fn has_use(&self, name: &str) -> bool {
        self.names.uses.index(name).is_some()
    }

    /// Whether an app is listed.
    #[must_use]
    pub fn app_class(&self, app: &str) -> AppClass {
        let entry = self
            .names
            .apps
            .index(app)
            .and_then(|index| self.apps.get(index as usize))
            .and_then(Option::as_ref);
        entry.map_or(AppClass::Unknown, |entry| entry.class)
    }

    pub(crate) fn is_access(&self, citation: CitationId) -> bool {
        citation == self.citations.access
    }

    /// Whether a citation has neither mode nor exceptions.
    pub(crate) fn is_unconditional(&self, citation: CitationId) -> bool {
        citation == self.citations.uninspectable || citation == self.citations.detector_failure
    }

    pub(crate) fn cell(&self, data: u8, app: AppClass) -> Verdict {
        let row = self.matrix.get(usize::from(data));
        row.and_then(|row| row.get(app as usize))
            .copied()
            .unwrap_or(Verdict::Block)
    }

    pub(crate) fn course_days(&self, course: &str) -> Option<u32> {
        self.courses
            .iter()
            .find(|(id, _)| id == course)
            .and_then(|&(_, days)| days)
    }
}

/// Compiles a document that has no errors. What only compiling can find (a condition that does not type-check, a pattern
/// that cannot be run) is added to `problems`, and then there is no policy.
pub(super) fn compile(document: &Document, catalog: &Catalog, problems: &mut Vec<Problem>) -> Option<Policy> {
    let before = problems.len();
    let policy = Compiler {
        document,
        names: Names::new(document, catalog),
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
        let holds_up = self
            .document
            .clauses
            .iter()
            .find(|clause| clause.enforced_by.as_ref().is_some_and(|by| by.as_str() == id));
        let statement = statement.or_else(|| holds_up.and_then(|clause| clause.statement.as_ref()));
        self.cited.push(Citation {
            id: id.to_owned(),
            place,
            mode,
            statement: statement.map(|text| text.value.clone()),
            clause: holds_up.map(|clause| clause.id.value.clone()),
            tell: tell.map(|text| text.value.clone()),
        });
        CitationId(u16::try_from(self.cited.len() - 1).unwrap_or(u16::MAX))
    }

    fn section_data(&mut self) -> Citations {
        use super::document::Section;
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
        }
    }

    fn gate(&mut self, gate: &super::document::Gate) -> Gate {
        let citation = self.cite(gate.id.as_str(), gate.id.place, None, gate.tell.as_ref());
        Gate {
            citation,
            course: gate.without.value.clone(),
            grace: gate.grace.as_ref().map_or(0, |days| days.value),
            then: gate.then.value,
        }
    }

    fn rule(&mut self, clause: &super::document::Clause) -> Option<Rule> {
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

    fn exception(&self, exception: &super::document::Exception) -> Option<Exception> {
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

    fn escalations(&self) -> Vec<Escalation> {
        let one = |escalation: &super::document::Escalation| {
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
        let one = |grant: &super::document::Grant| Grant {
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

    fn tools(&self) -> Option<Tools> {
        let tools = self.document.access.tools.as_ref()?;
        // Arguments are not checked yet: an entry that depends on them matches no call, so that `unlisted` decides.
        let list = tools.list.iter().filter(|tool| tool.args.is_empty()).map(|tool| Tool {
            pattern: Pattern::new(tool.tool.as_str()),
            groups: (!tool.groups.is_empty()).then(|| self.groups(&tool.groups)),
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
        let one = |exclude: &super::document::Exclude| {
            let group = self.names.groups.index(exclude.group.as_ref()?.as_str())?;
            Some(Exclude {
                group,
                until: self.end_of(exclude.until.as_ref()?.value)?,
            })
        };
        self.document.scope.exclude.iter().filter_map(one).collect()
    }

    fn own_detectors(&mut self) -> Vec<std::sync::Arc<dyn Detector>> {
        use crate::detect::{EntityId, Keywords, Pattern};
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
            match Pattern::new(EntityId::from(entity.as_str()), pattern.as_str()) {
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
