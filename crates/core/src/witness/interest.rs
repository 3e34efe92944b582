//! What policies ask about: every name, pattern, limit and source that some part of them looks at.

use std::collections::{BTreeMap, BTreeSet};

use super::space::detected_first;
use crate::decide::selector::{AppTest, Data, Pattern, Selector, Test};
use crate::policy::compile::Policy;
use crate::verdict::{Source, SourceSet};

/// The names that policies tell apart.
#[derive(Debug, Default)]
pub(crate) struct Interest {
    pub(crate) claims: BTreeSet<String>,
    pub(crate) principals: BTreeSet<String>,
    pub(crate) clients: BTreeSet<String>,
    pub(crate) uses: BTreeSet<String>,
    pub(crate) apps: BTreeSet<String>,
    /// Endpoints that some line is about.
    pub(crate) endpoints: BTreeSet<String>,
    pub(crate) categories: BTreeSet<String>,
    pub(crate) attributes: BTreeSet<(String, String)>,
    /// Patterns.
    pub(crate) models: BTreeSet<String>,
    /// Patterns.
    pub(crate) tools: BTreeSet<String>,
    /// For how many days completions of a course count.
    pub(crate) courses: BTreeMap<String, BTreeSet<u32>>,
    /// Days of grace.
    pub(crate) graces: BTreeSet<u32>,
    /// Minutes for which a sign-in counts.
    pub(crate) sign_ins: BTreeSet<u32>,
    pub(crate) findings: BTreeSet<String>,
    pub(crate) sources: BTreeSet<Source>,
    pub(crate) conditions: BTreeSet<String>,
}

/// What `policies` ask about, together.
pub(crate) fn of(policies: &[&Policy]) -> Interest {
    let mut interest = Interest::default();
    for policy in policies {
        interest.policy(policy);
    }
    interest
}

/// Every selector of a policy.
pub(crate) fn selectors(policy: &Policy) -> impl Iterator<Item = &Selector> {
    let rules = policy
        .rules
        .iter()
        .flat_map(|rule| rule.when.iter().chain(&rule.unless));
    let exceptions = policy.exceptions.iter().flat_map(|exception| &exception.who);
    let scoped = policy
        .apps
        .iter()
        .flatten()
        .flat_map(|entry| entry.only_for.iter().flatten());
    rules.chain(exceptions).chain(scoped)
}

/// One entity for each way in which policies treat entities, with the counts that matter to them.
pub(crate) fn entities(policies: &[&Policy]) -> Vec<(String, BTreeSet<u32>)> {
    let mut ids: Vec<&str> = policies
        .iter()
        .flat_map(|policy| policy.names.entities.names())
        .collect();
    ids.sort_by_key(|id| detected_first(id));
    ids.dedup();
    let mut seen = BTreeSet::new();
    ids.retain(|id| seen.insert(policies.iter().map(|policy| treatment(policy, id)).collect::<Vec<_>>()));
    ids.into_iter()
        .map(|id| {
            (
                id.to_owned(),
                policies
                    .iter()
                    .flat_map(|policy| counts(policy, id))
                    .chain([1])
                    .collect(),
            )
        })
        .collect()
}

/// The class of an entity, and which lists of a policy it is on.
fn treatment(policy: &Policy, id: &str) -> (u8, Vec<bool>) {
    let index = policy.names.entities.index(id);
    let class = index
        .and_then(|index| policy.entity_classes.get(index as usize).copied())
        .unwrap_or(policy.default_class);
    let on = |list: &crate::decide::selector::Bits| index.is_some_and(|index| list.contains(index));
    let escalated = policy
        .escalations
        .iter()
        .flat_map(|escalation| &escalation.groups)
        .map(on);
    let named = selectors(policy)
        .filter_map(Selector::data)
        .map(|data| on(&data.entities));
    (class, escalated.chain(named).collect())
}

/// One less than each limit that counts an entity, and the limit.
fn counts(policy: &Policy, id: &str) -> BTreeSet<u32> {
    let Some(index) = policy.names.entities.index(id) else {
        return BTreeSet::new();
    };
    let counting = policy.escalations.iter().filter(|escalation| escalation.names(index));
    let limits = counting.filter_map(|escalation| escalation.at_least);
    limits
        .flat_map(|limit| [limit.saturating_sub(1), limit])
        .filter(|&count| count > 0)
        .collect()
}

impl Interest {
    fn policy(&mut self, policy: &Policy) {
        let names = &policy.names;
        self.claims.extend(names.claims().map(str::to_owned));
        self.uses.extend(names.uses.names().map(str::to_owned));
        self.apps.extend(names.apps.names().map(str::to_owned));
        self.principals.extend(names.principals.names().map(str::to_owned));
        self.clients.extend(names.clients.names().map(str::to_owned));
        self.conditions.extend(
            policy
                .rules
                .iter()
                .filter_map(|rule| rule.condition.as_ref())
                .map(|condition| condition.source().to_owned()),
        );
        for entry in policy.apps.iter().flatten() {
            self.attributes.extend(entry.require.iter().cloned());
            self.models.extend(entry.models.iter().flatten().map(Pattern::text));
        }
        for grant in &policy.grants {
            self.models.extend(grant.models.iter().flatten().map(Pattern::text));
            self.apps(grant.apps.iter().flatten());
        }
        for tool in policy.tools.iter().flat_map(|tools| &tools.list) {
            self.tools.insert(tool.pattern.text());
        }
        let passed = policy.passes.iter().flat_map(|pass| &pass.endpoints);
        self.endpoints.extend(passed.cloned());
        for gate in &policy.gates {
            self.graces.insert(gate.grace);
            self.course(policy, &gate.course);
        }
        for selector in selectors(policy) {
            for test in selector.tests() {
                self.test(policy, test);
            }
        }
    }

    fn course(&mut self, policy: &Policy, course: &str) {
        self.courses
            .entry(course.to_owned())
            .or_default()
            .extend(policy.course_days(course));
    }

    fn apps<'t>(&mut self, tests: impl Iterator<Item = &'t AppTest>) {
        self.categories
            .extend(tests.flat_map(|test| test.categories.iter().flatten().cloned()));
    }

    fn sources(&mut self, sources: SourceSet) {
        if sources != SourceSet::ALL {
            self.sources.extend(sources.iter());
        }
    }

    fn test(&mut self, policy: &Policy, test: &Test) {
        match test {
            Test::Data(Data { .. }, Some(sources)) | Test::Source(sources) => self.sources(*sources),
            Test::App(tests) => self.apps(tests.iter()),
            Test::Model(patterns) => self.models.extend(patterns.iter().map(Pattern::text)),
            Test::Tool(patterns) => self.tools.extend(patterns.iter().map(Pattern::text)),
            Test::Finding(ids, sources) => {
                self.findings.extend(ids.iter().cloned());
                self.sources(*sources);
            }
            Test::Training(courses) => courses.iter().for_each(|course| self.course(policy, course)),
            Test::SignedIn(within) => {
                self.sign_ins.insert(*within);
            }
            Test::Direction(_)
            | Test::Data(_, None)
            | Test::Group(_)
            | Test::Principal(_)
            | Test::Client(_)
            | Test::Use(_)
            | Test::Time(_) => {}
        }
    }
}
