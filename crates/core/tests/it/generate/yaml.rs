//! Prints a generated policy as the document that the product reads: fourteen sections, each datum cited by a clause.

use crate::naive::model::{
    App, AppClass, AppSelector, Direction, Escalation, Grant, Mode, OneOf, Pass, Period, Policy, Rule, Selector,
    Source, Tools, Verdict,
};
use std::fmt::{Display, Write as _};

/// The whole document.
pub(crate) fn yaml(policy: &Policy) -> String {
    let mut out = String::new();
    header(&mut out, policy);
    section(
        &mut out,
        "purpose",
        "Let everyone use generative AI without exposing anybody.",
        &[],
        &[],
    );
    let (stated, cites) = scope(policy);
    section(
        &mut out,
        "scope",
        "Who and what this policy covers.",
        &stated,
        &clauses("SC", &cites),
    );
    let people = "people: {ciso: ciso@corp.example, dpo: dpo@corp.example, cto: cto@corp.example}".to_owned();
    let owner = "owner: {accountable: ciso, deputy: cto}".to_owned();
    let board = "board: {members: [ciso, dpo, cto], quorum: 2}".to_owned();
    section(
        &mut out,
        "roles",
        "Who answers for this policy.",
        &[people, owner, board],
        &[],
    );
    let (stated, cites) = applications(policy);
    section(
        &mut out,
        "applications",
        "Which apps may be used.",
        &stated,
        &clauses("AP", &cites),
    );
    section(
        &mut out,
        "acceptable_use",
        "What is fine and what is not.",
        &[],
        &rules(policy, "AU"),
    );
    let (stated, cites) = access(policy);
    section(
        &mut out,
        "access",
        "Who may reach what.",
        &stated,
        &clauses("AC", &cites),
    );
    let (stated, cites) = data(policy);
    section(
        &mut out,
        "data",
        "What may leave and come back.",
        &stated,
        &clauses("DA", &cites),
    );
    section(
        &mut out,
        "shadow_ai",
        "Nothing is used in the dark.",
        &[],
        &rules(policy, "SH"),
    );
    section(
        &mut out,
        "transparency",
        "People know when they talk to a machine.",
        &[],
        &[],
    );
    section(
        &mut out,
        "risk",
        "Risks are known and owned.",
        &[],
        &rules(policy, "RK"),
    );
    section(&mut out, "compliance", "The law is kept.", &[], &[]);
    section(&mut out, "monitoring", "What happens is recorded.", &[], &[]);
    let (stated, cites) = education(policy);
    section(
        &mut out,
        "education",
        "People learn before they use.",
        &stated,
        &clauses("EN", &cites),
    );
    section(&mut out, "consequences", "Mistakes are met with help.", &[], &[]);
    exceptions(&mut out, policy);
    out
}

fn header(out: &mut String, policy: &Policy) {
    let mut rollout: Vec<String> = policy
        .rollout_default
        .iter()
        .map(|it| format!("default: {}", mode(*it)))
        .collect();
    rollout.extend(
        policy
            .rollout
            .iter()
            .map(|(citation, it)| format!("{citation}: {}", mode(*it))),
    );
    out.push_str("ordain: 1\norganization: Corp\nversion: \"2026.12\"\n");
    line(out, 0, &format!("timezone: {}", policy.timezone));
    out.push_str("approved: {by: board, on: 2026-11-20, effective: 2026-12-01}\n");
    if !rollout.is_empty() {
        line(out, 0, &format!("rollout: {{{}}}", rollout.join(", ")));
    }
}

/// A section: its statement, its data, and its clauses, which start with a dash.
fn section(out: &mut String, name: &str, statement: &str, data: &[String], clauses: &[String]) {
    line(out, 0, &format!("{name}:"));
    line(out, 2, &format!("statement: {statement}"));
    data.iter().for_each(|it| line(out, 2, it));
    if !clauses.is_empty() {
        line(out, 2, "clauses:");
        clauses.iter().for_each(|it| line(out, 4, it));
    }
}

/// Text of one line or more, each indented.
fn line(out: &mut String, indent: usize, text: &str) {
    for text in text.lines() {
        writeln!(out, "{:indent$}{text}", "").expect("a string takes it");
    }
}

/// One clause for each piece of section data.
fn clauses(prefix: &str, cites: &[&str]) -> Vec<String> {
    let clause = |(at, data): (usize, &&str)| {
        format!("- {{id: {prefix}-D{at}, statement: This part stands., owner: ciso, enforced_by: {data}}}")
    };
    cites.iter().enumerate().map(clause).collect()
}

fn rules(policy: &Policy, prefix: &str) -> Vec<String> {
    policy
        .rules
        .iter()
        .filter(|rule| rule.id.starts_with(prefix))
        .map(rule)
        .collect()
}

fn rule(rule: &Rule) -> String {
    let mut text = format!("- id: {}\n  statement: A rule.\n  owner: ciso\n  rule:\n", rule.id);
    line(&mut text, 4, &format!("when: {}", selectors(&rule.when)));
    if let Some(unless) = &rule.unless {
        line(&mut text, 4, &format!("unless: {}", selectors(unless)));
    }
    line(&mut text, 4, &format!("then: {}", verdict(rule.then)));
    if let Some(tell) = &rule.tell {
        line(&mut text, 4, &format!("tell: {tell}"));
    }
    text
}

fn scope(policy: &Policy) -> (Vec<String>, Vec<&'static str>) {
    let scope = &policy.scope;
    // The directory calls each group what the policy calls it.
    let mut groups: Vec<String> = scope
        .groups
        .iter()
        .map(|group| format!("{group}: {{claim: {group}}}"))
        .collect();
    groups.extend(scope.unmapped.map(|it| format!("unmapped: {}", verdict(it))));
    let mut data = vec![format!("groups: {{{}}}", groups.join(", "))];
    let mut cites = vec!["scope.groups"];
    if !scope.uses.is_empty() {
        data.push("uses:".to_owned());
        cites.push("scope.uses");
    }
    for it in &scope.uses {
        data.push(format!(
            "  - {{id: {}, statement: A use., owner: ciso, groups: {}, ceiling: {}, tier: limited}}",
            it.id,
            list(&it.groups),
            it.ceiling
        ));
    }
    if let Some(outside) = scope.outside {
        data.push(format!("outside: {}", verdict(outside)));
        cites.push("scope.outside");
    }
    if !scope.exclude.is_empty() {
        data.push("exclude:".to_owned());
        cites.push("scope.exclude");
    }
    for (group, until) in &scope.exclude {
        data.push(format!(
            "  - {{group: {group}, reason: synthetic data only, until: {until}}}"
        ));
    }
    (data, cites)
}

fn applications(policy: &Policy) -> (Vec<String>, Vec<&'static str>) {
    let mut data = Vec::new();
    for class in [AppClass::Sanctioned, AppClass::Tolerated, AppClass::Unsanctioned] {
        let apps: Vec<String> = policy.apps.iter().filter(|app| app.listed == class).map(app).collect();
        if !apps.is_empty() {
            data.push(format!("{}:", app_class(class)));
            data.extend(apps);
        }
    }
    (data, vec!["applications"])
}

fn app(app: &App) -> String {
    let mut text = format!("  - app: {}\n", app.id);
    let mut key = |key: &str, value: String| line(&mut text, 4, &format!("{key}: {value}"));
    match app.listed {
        AppClass::Sanctioned => key("owner", "ciso".to_owned()),
        AppClass::Tolerated | AppClass::Unknown | AppClass::Unsanctioned => key("reason", "as agreed".to_owned()),
    }
    if let Some(models) = &app.models {
        key("models", list(&quoted(models)));
    }
    if !app.require.is_empty() {
        key("require", map(&app.require));
    }
    if !app.cells.is_empty() {
        key("cells", map(app.cells.iter().map(|(class, it)| (class, verdict(*it)))));
    }
    if let Some(serves) = &app.serves {
        key("for", selectors(serves));
    }
    if let Some((on, then)) = app.expires {
        key("expires", format!("{{on: {on}, then: {}}}", app_class(then)));
    }
    text
}

fn access(policy: &Policy) -> (Vec<String>, Vec<&'static str>) {
    let mut data = vec!["grants:".to_owned()];
    data.extend(policy.grants.iter().enumerate().map(|(at, it)| grant(at, it)));
    let mut cites = vec!["access"];
    if let Some(it) = &policy.tools {
        data.extend(tools(it));
        cites.push("access.tools");
    }
    if !policy.passes.is_empty() {
        data.push("endpoints:".to_owned());
        data.extend(policy.passes.iter().enumerate().map(|(at, it)| pass(at, it)));
        cites.push("access.endpoints");
    }
    (data, cites)
}

fn grant(at: usize, grant: &Grant) -> String {
    let mut keys = vec![format!("id: GR-{at}"), format!("groups: {}", list(&grant.groups))];
    keys.extend(grant.apps.as_ref().map(|apps| format!("apps: {}", app_selectors(apps))));
    keys.extend(grant.uses.as_ref().map(|uses| format!("uses: {}", list(uses))));
    keys.extend(
        grant
            .models
            .as_ref()
            .map(|models| format!("models: {}", list(&quoted(models)))),
    );
    format!("  - {{{}}}", keys.join(", "))
}

fn pass(at: usize, pass: &Pass) -> String {
    let mut keys = vec![
        format!("id: EP-{at}"),
        format!("endpoints: {}", list(&quoted(&pass.endpoints))),
        format!("groups: {}", list(&pass.groups)),
        format!("then: {}", verdict(pass.then)),
        "reason: as agreed".to_owned(),
    ];
    keys.extend(pass.until.map(|until| format!("until: {until}")));
    format!("  - {{{}}}", keys.join(", "))
}

fn tools(tools: &Tools) -> Vec<String> {
    let mut data = vec!["tools:".to_owned(), format!("  unlisted: {}", verdict(tools.unlisted))];
    if !tools.list.is_empty() {
        data.push("  list:".to_owned());
    }
    for it in &tools.list {
        let mut keys = vec![format!("tool: \"{}\"", it.tool), "kind: read".to_owned()];
        keys.extend(it.groups.as_ref().map(|groups| format!("groups: {}", list(groups))));
        keys.extend(it.then.map(|then| format!("then: {}", verdict(then))));
        if !it.args.is_empty() {
            let args = it
                .args
                .iter()
                .map(|(name, patterns)| (format!("\"{name}\""), one_or_list(quoted(patterns))));
            keys.push(format!("args: {}", map(args)));
        }
        data.push(format!("    - {{{}}}", keys.join(", ")));
    }
    data
}

fn data(policy: &Policy) -> (Vec<String>, Vec<&'static str>) {
    let data = &policy.data;
    let mut out = vec![
        format!("classes: {}", list(&data.classes)),
        format!("default: {}", data.default),
        format!("entities: {}", map(&data.entities)),
    ];
    if !data.escalate.is_empty() {
        out.push("escalate:".to_owned());
    }
    for escalation in &data.escalate {
        out.push(match escalation {
            Escalation::AtLeast { entity, at_least, to } => {
                format!("  - {{entity: {entity}, at_least: {at_least}, to: {to}}}")
            }
            Escalation::All { all, to } => format!("  - {{all: {}, to: {to}}}", list(all)),
        });
    }
    out.push("matrix:".to_owned());
    for class in &data.classes {
        let cells = data.matrix[class]
            .iter()
            .map(|(app, it)| (app_class(*app), verdict(*it)));
        out.push(format!("  {class}: {}", map(cells)));
    }
    let mut cites = vec!["data.matrix"];
    if !data.answers.is_empty() {
        out.push(format!(
            "answers: {}",
            map(data.answers.iter().map(|(class, it)| (class, verdict(*it))))
        ));
        cites.push("data.answers");
    }
    out.extend(data.uninspectable.map(|it| format!("uninspectable: {}", verdict(it))));
    out.extend(data.unavailable.map(|it| format!("unavailable: {}", verdict(it))));
    (out, cites)
}

fn education(policy: &Policy) -> (Vec<String>, Vec<&'static str>) {
    let course = |valid: &i32| format!("{{valid: {valid} days, records: training.csv}}");
    let mut data = vec![format!(
        "courses: {}",
        map(policy.courses.iter().map(|(id, valid)| (id, course(valid))))
    )];
    let mut cites = Vec::new();
    if !policy.gates.is_empty() {
        data.push("gates:".to_owned());
        cites.push("education.gates");
    }
    for gate in &policy.gates {
        data.push(format!(
            "  - {{id: {}, without: {}, grace: {} days, then: {}}}",
            gate.id,
            gate.without,
            gate.grace,
            verdict(gate.then)
        ));
    }
    (data, cites)
}

fn exceptions(out: &mut String, policy: &Policy) {
    if !policy.exceptions.is_empty() {
        line(out, 0, "exceptions:");
    }
    for it in &policy.exceptions {
        line(out, 2, &format!("- id: {}\n  clause: {}", it.id, it.clause));
        if let Some(who) = &it.who {
            line(out, 4, &format!("who: {}", selectors(who)));
        }
        line(
            out,
            4,
            &format!("then: {}\nreason: trial\ncompensating: weekly review", verdict(it.then)),
        );
        line(
            out,
            4,
            &format!("requested: cto\napproved: [ciso, dpo]\nexpires: {}", it.expires),
        );
    }
}

/// One map stands alone, several make a list.
fn selectors(maps: &[Selector]) -> String {
    one_or_list(maps.iter().map(selector).collect())
}

fn selector(it: &Selector) -> String {
    let mut keys: Vec<String> = Vec::new();
    let mut key = |key: &str, values: Option<String>| keys.extend(values.map(|values| format!("{key}: {values}")));
    let names = |values: &OneOf<String>| values.as_ref().map(|values| one_or_list(values.clone()));
    let patterns = |values: &OneOf<String>| values.as_ref().map(|values| one_or_list(quoted(values)));
    key("principal", names(&it.principal));
    key("client", names(&it.client));
    key("use", names(&it.uses));
    key("group", names(&it.group));
    key("app", it.app.as_ref().map(|apps| app_selectors(apps)));
    key("model", patterns(&it.model));
    key("tool", patterns(&it.tool));
    key("direction", it.direction.map(|it| direction(it).to_owned()));
    key(
        "source",
        it.source
            .as_ref()
            .map(|all| one_or_list(all.iter().map(|it| source(*it).to_owned()).collect())),
    );
    key("data", it.data.as_ref().map(|names| list(names)));
    key("finding", names(&it.finding));
    key("training", names(&it.training));
    key("signed_in", it.signed_in.map(|minutes| format!("{minutes} minutes")));
    key("time", it.time.as_ref().map(period));
    format!("{{{}}}", keys.join(", "))
}

/// Names when there are only names, else maps.
fn app_selectors(apps: &[AppSelector]) -> String {
    let plain = |it: &AppSelector| match (&it.id, &it.class, &it.category) {
        (Some(ids), None, None) if ids.len() == 1 => ids.first().cloned(),
        _ => None,
    };
    let names: Option<Vec<String>> = apps.iter().map(plain).collect();
    one_or_list(names.unwrap_or_else(|| apps.iter().map(app_map).collect()))
}

fn app_map(app: &AppSelector) -> String {
    let classes = app
        .class
        .as_ref()
        .map(|all| all.iter().map(|it| app_class(*it).to_owned()).collect());
    let keys = [
        ("id", app.id.clone()),
        ("class", classes),
        ("category", app.category.clone()),
    ];
    map(keys
        .into_iter()
        .filter_map(|(key, values)| Some((key, one_or_list(values?)))))
}

fn period(time: &Period) -> String {
    let clock = |minute: i32| format!("{:02}:{:02}", minute / 60, minute % 60);
    let keys = [
        ("days", time.days.as_ref().map(|days| list(days))),
        (
            "hours",
            time.hours
                .map(|(start, end)| format!("\"{}-{}\"", clock(start), clock(end))),
        ),
        ("from", time.from.map(|it| it.to_string())),
        ("until", time.until.map(|it| it.to_string())),
    ];
    map(keys.into_iter().filter_map(|(key, value)| Some((key, value?))))
}

fn map<K: Display, V: Display>(pairs: impl IntoIterator<Item = (K, V)>) -> String {
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn list(values: &[String]) -> String {
    format!("[{}]", values.join(", "))
}

fn one_or_list(mut values: Vec<String>) -> String {
    if values.len() == 1 {
        values.remove(0)
    } else {
        list(&values)
    }
}

fn quoted(patterns: &[String]) -> Vec<String> {
    patterns.iter().map(|it| format!("\"{it}\"")).collect()
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "allow",
        Verdict::Coach => "coach",
        Verdict::Justify => "justify",
        Verdict::Redact => "redact",
        Verdict::Hold => "hold",
        Verdict::Block => "block",
    }
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "observe",
        Mode::Coach => "coach",
        Mode::Enforce => "enforce",
    }
}

fn app_class(class: AppClass) -> &'static str {
    match class {
        AppClass::Sanctioned => "sanctioned",
        AppClass::Tolerated => "tolerated",
        AppClass::Unknown => "unknown",
        AppClass::Unsanctioned => "unsanctioned",
    }
}

fn direction(direction: Direction) -> &'static str {
    match direction {
        Direction::Prompt => "prompt",
        Direction::Answer => "answer",
    }
}

fn source(source: Source) -> &'static str {
    match source {
        Source::User => "user",
        Source::System => "system",
        Source::Tool => "tool",
        Source::Retrieved => "retrieved",
        Source::Model => "model",
    }
}
