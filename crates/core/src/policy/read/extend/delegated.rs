//! What a policy leaves to those that extend it, as paths into the document.

use crate::policy::document::{Document, Section, Text};
use crate::policy::problem::Problem;
use crate::verdict::AppClass;

use super::Overlay;

/// Whether a path or one above it is among those delegated.
pub(super) fn covers(delegated: &[Text], path: &str) -> bool {
    let within = |one: &Text| {
        path.strip_prefix(one.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    delegated.iter().any(within)
}

/// Every delegated path leads somewhere.
pub(in crate::policy::read) fn check(document: &Document, problems: &mut Vec<Problem>) {
    if document.delegated.is_empty() {
        return;
    }
    let known = paths(document);
    for path in &document.delegated {
        let open = OPEN
            .iter()
            .any(|start| path.value.strip_prefix(start).is_some_and(|name| !name.is_empty()));
        if !open && !known.contains(&path.value) {
            let problem = Problem::error(
                "unknown-path",
                path.place,
                format!("`{}` is nothing that can be delegated", path.value),
            );
            problems.push(
                problem
                    .help("paths such as `data.matrix.internal.tolerated`; all of them are in docs/reference/extending.md")
                    .suggest(&path.value, known.iter().map(String::as_str)),
            );
        }
    }
}

/// Whether a policy delegates something of what a citation names, or all of it.
pub(in crate::policy) fn is_touched(document: &Document, citation: &str) -> bool {
    let touches = |path: &Text| {
        let mut rest = path.as_str();
        loop {
            let named = rest.strip_prefix(citation);
            if named.is_some_and(|after| after.is_empty() || after.starts_with('.')) {
                return true;
            }
            match rest.split_once('.') {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
    };
    covers(&document.delegated, citation) || document.delegated.iter().any(touches)
}

impl Overlay<'_> {
    /// A child passes on what was delegated to it, and what is its own.
    pub(super) fn passed_on(&mut self, child: &Document) {
        if child.delegated.is_empty() {
            return;
        }
        let (of_parent, of_child) = (paths(self.parent), paths(child));
        for path in &child.delegated {
            let own = of_child.contains(&path.value) && !of_parent.contains(&path.value);
            if !own {
                self.loosens(
                    &path.value,
                    path.place,
                    None,
                    format!(
                        "`{}` was not delegated to this policy, so it cannot be passed on",
                        path.value
                    ),
                );
            }
        }
    }
}

/// What may be followed by a name that only the child knows.
const OPEN: [&str; 13] = [
    "applications.",
    "access.endpoints.",
    "access.grants.",
    "access.tools.",
    "data.entities.",
    "data.keywords.",
    "data.patterns.",
    "data.tokens.",
    "exceptions.",
    "purpose.objectives.",
    "roles.people.",
    "scope.groups.",
    "scope.uses.",
];

/// Whole things that can be delegated.
const WHOLE: [&str; 46] = [
    "timezone",
    "review.every",
    "rollout",
    "rollout.default",
    "purpose.objectives",
    "scope.groups",
    "scope.groups.unmapped",
    "scope.uses",
    "scope.outside",
    "scope.exclude",
    "roles.people",
    "roles.owner",
    "roles.board",
    "roles.raci",
    "applications",
    "access.endpoints",
    "access.grants",
    "access.tools",
    "access.tools.unlisted",
    "data.default",
    "data.entities",
    "data.matrix",
    "data.answers",
    "data.retention",
    "data.uninspectable",
    "data.unavailable",
    "data.unseen",
    "data.keywords",
    "data.patterns",
    "data.tokens",
    "acceptable_use.outputs",
    "acceptable_use.outputs.inherit",
    "acceptable_use.outputs.reuse",
    "monitoring.break_glass",
    "monitoring.break_glass.groups",
    "monitoring.break_glass.lasts",
    "monitoring.break_glass.reviewer",
    "monitoring.break_glass.use",
    "education.courses",
    "education.gates",
    "consequences",
    "consequences.ladder",
    "consequences.window",
    "consequences.start",
    "consequences.two_people_from",
    "exceptions",
];

/// What of a clause can be delegated.
const OF_CLAUSE: [&str; 10] = [
    "statement",
    "owner",
    "when",
    "unless",
    "condition",
    "then",
    "tell",
    "days",
    "evidence",
    "enforced_by",
];

/// Every path that a document has, but for names that are still to come.
fn paths(document: &Document) -> Vec<String> {
    let mut all: Vec<String> = WHOLE.iter().map(|path| (*path).to_owned()).collect();
    all.push("consequences.appeal".to_owned());
    all.extend(Section::ALL.iter().map(|section| section.as_str().to_owned()));
    for clause in &document.clauses {
        let path = format!("{}.{}", clause.section.as_str(), clause.id.value);
        all.extend(OF_CLAUSE.iter().map(|field| format!("{path}.{field}")));
        all.push(path);
        all.push(format!("rollout.{}", clause.id.value));
        all.push(format!("exceptions.{}", clause.id.value));
    }
    for gate in &document.education.gates {
        all.push(format!("education.gates.{}", gate.id.value));
        all.push(format!("rollout.{}", gate.id.value));
    }
    for data in [
        "access",
        "access.tools",
        "scope.groups",
        "scope.uses",
        "scope.outside",
        "data.matrix",
        "data.answers",
    ] {
        all.push(format!("rollout.{data}"));
    }
    for class in &document.data.classes {
        all.push(format!("data.matrix.{}", class.value));
        all.push(format!("data.answers.{}", class.value));
        all.extend(
            AppClass::ALL
                .iter()
                .map(|app| format!("data.matrix.{}.{app}", class.value)),
        );
    }
    all.extend(AppClass::ALL.iter().map(|class| format!("applications.{class}")));
    let mut named = |start: &str, names: &mut dyn Iterator<Item = &Text>| {
        all.extend(names.map(|name| format!("{start}.{}", name.value)));
    };
    named("applications", &mut document.apps.iter().map(|app| &app.id));
    named(
        "access.grants",
        &mut document.access.grants.iter().map(|grant| &grant.id),
    );
    named(
        "access.endpoints",
        &mut document.access.endpoints.iter().map(|pass| &pass.id),
    );
    named(
        "education.courses",
        &mut document.education.courses.iter().map(|course| &course.id),
    );
    named(
        "scope.exclude",
        &mut document.scope.exclude.iter().filter_map(|one| one.group.as_ref()),
    );
    named("scope.uses", &mut document.scope.uses.iter().map(|one| &one.id));
    let retention = document.data.retention.iter().flat_map(|retention| &retention.value);
    named("data.retention", &mut retention.map(|(name, _)| name));
    let reuse = document.outputs.iter().flat_map(|outputs| &outputs.reuse);
    named("acceptable_use.outputs.reuse", &mut reuse.map(|(name, _)| name));
    all
}
