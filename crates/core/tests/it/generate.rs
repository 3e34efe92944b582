//! Random policies, and random facts aimed at them: values mostly from what the policy names, and moments, counts and
//! dates near its boundaries. [`yaml::yaml`] prints a policy as the document that the product reads.
//! Every policy here is one that `check` accepts.

mod args;
mod facts;
mod keys;
mod selectors;
mod tests;
mod yaml;

pub(crate) use facts::facts;
pub(crate) use keys::{SELECTOR_KEYS, without_key};
pub(crate) use yaml::yaml;

use selectors::{app_selectors, data_names, has_span, selectors};

use crate::naive::model::{
    App, AppClass, Data, Escalation, Exception, Gate, Grant, Mode, Pass, Policy, Rule, Scope, Source, ToolEntry, Tools,
    Use, Verdict,
};
use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use std::collections::BTreeMap;

/// A splitmix64 generator: small, seedable, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % n as u64).expect("smaller than a usize")
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn maybe<T>(&mut self, chance: usize, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.percent(chance).then(|| make(self))
    }

    /// Between `min` and `max` different values, in their order.
    fn some<T: Clone>(&mut self, from: &[T], min: usize, max: usize) -> Vec<T> {
        let count = (min + self.below(max - min + 1)).min(from.len());
        let mut left: Vec<usize> = (0..from.len()).collect();
        while left.len() > count {
            let drop = self.below(left.len());
            left.remove(drop);
        }
        left.into_iter().map(|it| from[it].clone()).collect()
    }

    fn names(&mut self, from: &[&str], min: usize, max: usize) -> Vec<String> {
        self.some(from, min, max).into_iter().map(str::to_owned).collect()
    }

    /// A day on which the policies here are in force.
    fn day(&mut self) -> Date {
        date(2026, 12, 1) + i64::try_from(self.below(140)).expect("small").days()
    }
}

const PRINCIPALS: [&str; 3] = ["ana", "bo", "cy"];
const CLIENTS: [&str; 2] = ["ide-plugin", "crm-bot"];
const GROUPS: [&str; 3] = ["engineering", "clinicians", "finance"];
const USES: [&str; 3] = ["coding", "letters", "research"];
/// Ids in the catalogue; the last one is never listed.
pub(crate) const APPS: [&str; 5] = ["openai-api", "anthropic-api", "perplexity", "deepseek", "mistral-api"];
pub(crate) const CATEGORIES: [&str; 3] = ["coding", "api", "chat"];
const MODELS: [&str; 4] = ["gpt-5", "gpt-5-mini", "claude-4", "llama-3-mini"];
const MODEL_PATTERNS: [&str; 5] = ["gpt-5*", "*-mini", "claude-4", "*a*", "*"];
const TOOLS: [&str; 4] = ["mail.send", "mail.read", "ehr.search", "shell.send"];
const TOOL_PATTERNS: [&str; 4] = ["mail.*", "*.send", "ehr.search", "*"];
/// Ids of statements by detectors that have no span.
pub(crate) const FINDINGS: [&str; 2] = ["prompt-injection", "toxicity"];
pub(crate) const ENTITIES: [&str; 10] = [
    "payment-card",
    "iban",
    "email-address",
    "us-ssn",
    "private-key",
    "ai-provider-key",
    "aws-key",
    "person-name",
    "source-code",
    "medical-term",
];
const FAMILY_NAMES: [&str; 4] = ["secret", "financial", "contact", "government-id"];
/// Those that nobody reads, as the tables of endpoints have them.
const ENDPOINTS: [&str; 4] = [
    "openai POST /v1/files",
    "anthropic POST /v1/files",
    "openai GET /v1/files/{file_id}",
    "openai POST /v1/batches",
];
const COURSES: [&str; 2] = ["ai-basics", "ai-advanced"];
const CLASSES: [&str; 4] = ["public", "internal", "confidential", "restricted"];
const ATTRIBUTES: [(&str, &str, &str); 2] = [("region", "eu", "us"), ("account", "corporate", "personal")];
const ZONES: [&str; 5] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Pacific/Auckland",
];
const SOURCES: [Source; 5] = [
    Source::User,
    Source::System,
    Source::Tool,
    Source::Retrieved,
    Source::Model,
];
const VERDICTS: [Verdict; 6] = [
    Verdict::Allow,
    Verdict::Coach,
    Verdict::Justify,
    Verdict::Redact,
    Verdict::Hold,
    Verdict::Block,
];
pub(crate) const APP_CLASSES: [AppClass; 4] = [
    AppClass::Sanctioned,
    AppClass::Tolerated,
    AppClass::Unknown,
    AppClass::Unsanctioned,
];
/// The verdicts that need no span.
const SPANLESS: [Verdict; 5] = [
    Verdict::Allow,
    Verdict::Coach,
    Verdict::Justify,
    Verdict::Hold,
    Verdict::Block,
];
const LAST_EXCEPTION: Date = date(2027, 2, 15);

/// A policy that `check` accepts.
pub(crate) fn policy(rng: &mut Rng) -> Policy {
    let data = data(rng);
    let groups = rng.names(&GROUPS, 1, 3);
    let uses: Vec<Use> = rng
        .names(&USES, 0, 2)
        .into_iter()
        .map(|id| Use {
            id,
            groups: groups_or_everyone(rng, &groups),
            ceiling: high(rng, &data.classes),
        })
        .collect();
    let scope = Scope {
        unmapped: rng.maybe(30, |rng| rng.pick(&SPANLESS)),
        outside: rng.maybe(80, |rng| {
            rng.pick(&[
                Verdict::Allow,
                Verdict::Allow,
                Verdict::Coach,
                Verdict::Justify,
                Verdict::Block,
            ])
        }),
        exclude: match rng.below(12) {
            0 => vec![(rng.pick(&groups), rng.day())],
            _ => Vec::new(),
        },
        groups,
        uses,
    };
    let mut policy = Policy {
        timezone: rng.pick(&ZONES).to_owned(),
        rollout_default: match rng.below(10) {
            0..5 => None,
            5..8 => Some(Mode::Enforce),
            8 => Some(Mode::Observe),
            _ => Some(Mode::Coach),
        },
        rollout: BTreeMap::new(),
        scope,
        apps: Vec::new(),
        grants: Vec::new(),
        tools: None,
        passes: Vec::new(),
        data,
        courses: rng
            .names(&COURSES, 1, 2)
            .into_iter()
            .map(|id| (id, rng.pick(&[30, 90, 365])))
            .collect(),
        gates: Vec::new(),
        rules: Vec::new(),
        exceptions: Vec::new(),
    };
    // What selectors may name exists from here on, but for the apps: a `for` cannot test `app`.
    policy.apps = APPS[..4]
        .iter()
        .enumerate()
        .filter_map(|(at, id)| app(rng, &policy, id, at))
        .collect();
    policy.grants = grants(rng, &policy);
    policy.tools = rng.maybe(50, |rng| tools(rng, &policy));
    policy.passes = passes(rng, &policy);
    let courses: Vec<String> = policy.courses.keys().cloned().collect();
    if rng.percent(30) {
        let then = rng.pick(&[
            Verdict::Coach,
            Verdict::Coach,
            Verdict::Justify,
            Verdict::Hold,
            Verdict::Block,
        ]);
        policy.gates.push(Gate {
            id: "ED-1".to_owned(),
            without: rng.pick(&courses),
            grace: rng.pick(&[7, 30]),
            then,
        });
    }
    for number in 1..=rng.below(6) {
        let section = rng.pick(&["AU", "AU", "AU", "RK", "SH"]);
        let rule = rule(rng, &policy, format!("{section}-{number}"));
        policy.rules.push(rule);
    }
    for number in 1..=rng.below(3) {
        if let Some(exception) = exception(rng, &policy, format!("EX-{number}")) {
            policy.exceptions.push(exception);
        }
    }
    for citation in citations(&policy) {
        if rng.percent(12) {
            let mode = rng.pick(&[Mode::Observe, Mode::Coach, Mode::Enforce]);
            policy.rollout.insert(citation, mode);
        }
    }
    policy
}

/// What `rollout` may name: all that can be cited and that the document states.
fn citations(policy: &Policy) -> Vec<String> {
    let sections = [
        ("access", true),
        ("data.matrix", true),
        ("data.answers", !policy.data.answers.is_empty()),
        ("scope.groups", policy.scope.unmapped.is_some()),
        ("scope.outside", policy.scope.outside.is_some()),
        ("scope.uses", !policy.scope.uses.is_empty()),
        ("access.tools", policy.tools.is_some()),
    ];
    let sections = sections
        .iter()
        .filter(|(_, stated)| *stated)
        .map(|(name, _)| (*name).to_owned());
    let clauses = policy
        .rules
        .iter()
        .map(|rule| &rule.id)
        .chain(policy.gates.iter().map(|gate| &gate.id))
        .cloned();
    sections.chain(clauses).collect()
}

fn data(rng: &mut Rng) -> Data {
    let classes = rng.names(&CLASSES, 2, 4);
    let default = rng.below(classes.len() - 1);
    let mut entities = BTreeMap::new();
    for name in rng
        .names(&ENTITIES, 3, 7)
        .into_iter()
        .chain(rng.names(&FAMILY_NAMES, 0, 2))
    {
        entities.insert(name, rng.pick(&classes[default..]));
    }
    let mut escalate = Vec::new();
    for _ in 0..rng.below(3) {
        let to = rng.pick(&classes[default + 1..]);
        escalate.push(if rng.percent(50) {
            let entity = if rng.percent(50) {
                rng.pick(&FAMILY_NAMES)
            } else {
                rng.pick(&ENTITIES)
            };
            Escalation::AtLeast {
                entity: entity.to_owned(),
                at_least: rng.pick(&[2, 3, 5, 20]),
                to,
            }
        } else {
            let mut all = rng.names(&ENTITIES, 1, 2);
            all.extend(rng.names(&FAMILY_NAMES, usize::from(all.len() == 1), 1));
            Escalation::All { all, to }
        });
    }
    let mut matrix: BTreeMap<String, BTreeMap<AppClass, Verdict>> = BTreeMap::new();
    let mut row = [Verdict::Allow; 4];
    for (rank, class) in classes.iter().enumerate() {
        let mut left = Verdict::Allow;
        for cell in &mut row {
            left = cell_from(rng, left.max(*cell), rank > default);
            *cell = left;
        }
        matrix.insert(class.clone(), APP_CLASSES.into_iter().zip(row).collect());
    }
    let mut answers = BTreeMap::new();
    let mut least = Verdict::Allow;
    if rng.percent(75) {
        for (rank, class) in classes.iter().enumerate() {
            least = cell_from(rng, least, rank > default);
            if least > Verdict::Allow || rng.percent(20) {
                answers.insert(class.clone(), least);
            }
        }
    }
    Data {
        default: classes[default].clone(),
        classes,
        entities,
        escalate,
        matrix,
        answers,
        uninspectable: rng.maybe(50, |rng| rng.pick(&SPANLESS)),
        unavailable: rng.maybe(50, |rng| rng.pick(&SPANLESS)),
    }
}

/// A verdict that is at least `least`, and no `redact` where nothing found means nothing to mask.
fn cell_from(rng: &mut Rng, least: Verdict, may_redact: bool) -> Verdict {
    let step = rng.pick(&[0, 0, 0, 0, 0, 0, 1, 1, 2, 3]);
    let at = VERDICTS.iter().position(|it| *it == least).expect("it is one of them");
    if may_redact && least < Verdict::Redact && rng.percent(40) {
        return Verdict::Redact;
    }
    let verdict = VERDICTS[(at + step).min(VERDICTS.len() - 1)];
    if verdict == Verdict::Redact && !may_redact {
        Verdict::Hold
    } else {
        verdict
    }
}

/// One of the two highest classes.
fn high(rng: &mut Rng, classes: &[String]) -> String {
    rng.pick(&classes[classes.len() - 2..])
}

fn groups_or_everyone(rng: &mut Rng, groups: &[String]) -> Vec<String> {
    if rng.percent(50) {
        vec!["everyone".to_owned()]
    } else {
        rng.some(groups, 1, 2)
    }
}

fn app(rng: &mut Rng, policy: &Policy, id: &str, at: usize) -> Option<App> {
    let listed = match at {
        0 => AppClass::Sanctioned,
        _ if rng.percent(15) => return None,
        _ => rng.pick(&[AppClass::Sanctioned, AppClass::Tolerated, AppClass::Unsanctioned]),
    };
    let mut app = App {
        id: id.to_owned(),
        listed,
        models: None,
        require: BTreeMap::new(),
        cells: BTreeMap::new(),
        serves: None,
        expires: None,
    };
    if listed == AppClass::Unsanctioned {
        return Some(app);
    }
    app.models = rng.maybe(15, |rng| rng.names(&MODEL_PATTERNS, 1, 2));
    for (key, value, _) in rng.some(&ATTRIBUTES, 0, 2) {
        if rng.percent(40) {
            app.require.insert(key.to_owned(), value.to_owned());
        }
    }
    if rng.percent(30) {
        app.cells = cells(rng, policy, listed);
    }
    app.serves = rng.maybe(30, |rng| selectors(rng, policy, "for", 30));
    app.expires = rng.maybe(25, |rng| {
        let worse: Vec<AppClass> = APP_CLASSES.into_iter().filter(|class| *class > listed).collect();
        (rng.day(), rng.pick(&worse))
    });
    Some(app)
}

/// Cells of an app's own that keep its row monotone; none if the dice have it so.
fn cells(rng: &mut Rng, policy: &Policy, listed: AppClass) -> BTreeMap<String, Verdict> {
    let data = &policy.data;
    let default = data
        .classes
        .iter()
        .position(|class| *class == data.default)
        .expect("it is declared");
    let mut cells = BTreeMap::new();
    let mut row = Vec::new();
    for (rank, class) in data.classes.iter().enumerate() {
        let mut cell = data.matrix[class][&listed];
        if rng.percent(50) {
            cell = cell_from(rng, row.last().copied().unwrap_or(Verdict::Allow), rank > default);
            cells.insert(class.clone(), cell);
        }
        row.push(cell);
    }
    if row.is_sorted() { cells } else { BTreeMap::new() }
}

fn grants(rng: &mut Rng, policy: &Policy) -> Vec<Grant> {
    let everyone = vec!["everyone".to_owned()];
    let mut grants = Vec::new();
    if rng.percent(80) {
        grants.push(Grant {
            groups: everyone,
            apps: None,
            uses: None,
            models: None,
        });
    }
    for _ in 0..=rng.below(3) {
        let uses: Vec<String> = policy.scope.uses.iter().map(|it| it.id.clone()).collect();
        grants.push(Grant {
            groups: groups_or_everyone(rng, &policy.scope.groups),
            apps: rng.maybe(50, |rng| app_selectors(rng, policy)),
            uses: rng.maybe(if uses.is_empty() { 0 } else { 30 }, |rng| rng.some(&uses, 1, 2)),
            models: rng.maybe(20, |rng| rng.names(&MODEL_PATTERNS, 1, 2)),
        });
    }
    grants
}

fn passes(rng: &mut Rng, policy: &Policy) -> Vec<Pass> {
    let count = rng.pick(&[0, 0, 1, 2, 3]);
    let mut passes = Vec::new();
    for _ in 0..count {
        passes.push(Pass {
            endpoints: rng.names(&ENDPOINTS, 1, 2),
            groups: groups_or_everyone(rng, &policy.scope.groups),
            then: rng.pick(&SPANLESS),
            until: rng.maybe(40, Rng::day),
        });
    }
    passes
}

fn tools(rng: &mut Rng, policy: &Policy) -> Tools {
    let mut list = Vec::new();
    for _ in 0..rng.below(4) {
        list.push(ToolEntry {
            tool: rng.pick(&TOOL_PATTERNS).to_owned(),
            groups: rng.maybe(40, |rng| groups_or_everyone(rng, &policy.scope.groups)),
            then: rng.maybe(60, |rng| rng.pick(&SPANLESS)),
            args: match rng.below(5) {
                0 | 1 => args::conditions(rng),
                _ => BTreeMap::new(),
            },
        });
    }
    Tools {
        unlisted: rng.pick(&SPANLESS),
        list,
    }
}

fn rule(rng: &mut Rng, policy: &Policy, id: String) -> Rule {
    let then = rng.pick(&[
        Verdict::Allow,
        Verdict::Coach,
        Verdict::Coach,
        Verdict::Justify,
        Verdict::Justify,
        Verdict::Redact,
        Verdict::Redact,
        Verdict::Redact,
        Verdict::Hold,
        Verdict::Hold,
        Verdict::Block,
    ]);
    let mut when = selectors(rng, policy, "when", 20);
    if then == Verdict::Redact {
        for map in &mut when {
            map.data = Some(data_names(rng, policy, true));
        }
    }
    Rule {
        id,
        when,
        unless: rng.maybe(40, |rng| selectors(rng, policy, "unless", 20)),
        then,
        tell: rng.maybe(40, |_| "Ask first.".to_owned()),
    }
}

/// An exception that loosens something, if the policy has something to loosen.
fn exception(rng: &mut Rng, policy: &Policy, id: String) -> Option<Exception> {
    let mut clauses = vec![("data.matrix".to_owned(), Verdict::Block)];
    if !policy.data.answers.is_empty() {
        clauses.push(("data.answers".to_owned(), Verdict::Block));
    }
    if !policy.scope.uses.is_empty() {
        clauses.push(("scope.uses".to_owned(), Verdict::Block));
    }
    clauses.extend(policy.gates.iter().map(|gate| (gate.id.clone(), gate.then)));
    clauses.extend(policy.rules.iter().map(|rule| (rule.id.clone(), rule.then)));
    let (clause, now) = rng.pick(&clauses);
    let rule = policy.rules.iter().find(|rule| rule.id == clause);
    let can_redact = match rule {
        Some(rule) => rule.when.iter().all(|map| {
            map.data
                .as_ref()
                .is_some_and(|names| names.iter().all(|it| has_span(policy, it)))
        }),
        None => clause.contains('.'),
    };
    let weaker: Vec<Verdict> = VERDICTS
        .into_iter()
        .filter(|it| *it < now && (can_redact || *it != Verdict::Redact))
        .collect();
    if weaker.is_empty() {
        return None;
    }
    let who = selectors(rng, policy, "who", 15);
    let expires = rng.day().min(LAST_EXCEPTION);
    Some(Exception {
        id,
        clause,
        who: Some(who),
        then: rng.pick(&weaker),
        expires,
    })
}
