//! Three things that every policy for generative AI has to speak about: prompt injection, tools, and shadow AI.

use super::{Context, check, mappings};
use crate::policy::document::{Clause, Section};
use crate::policy::problem::Problem;
use crate::standards;
use crate::verdict::AppClass;

check!(
    "missing-topic",
    Warning,
    "Some clause is about prompt injection, some about tools and plugins, and some about AI that nobody agreed to.",
    "Add a clause, or map the clause that is about it to the item of a framework: `owasp-llm-2026` LLM01 for prompt injection, LLM03 for tools.",
    Document(run),
    bad: "access: #!\n  grants: [{id: AC-1, groups: [everyone]}]\n  clauses: [{id: AC-2, statement: Whose., enforced_by: access}]\ncompliance:\n  clauses: [{id: CO-9, statement: Tried., evidence: {task: test, every: 90 days, by: ciso}, frameworks: {owasp-llm-2026: [LLM01]}}]\n",
    good: "compliance:\n  clauses: [{id: CO-9, statement: Prompt injection is tried, evidence: {task: test, every: 90 days, by: ciso}, frameworks: {owasp-asi-2026: [ASI02]}}]\n",
);

/// A topic: how prose and titles of framework items name it, and items without a title.
struct Topic {
    name: &'static str,
    section: Section,
    titles: &'static [&'static str],
    items: &'static [(&'static str, &'static str)],
    help: &'static str,
}

const INJECTION: Topic = Topic {
    name: "prompt injection",
    section: Section::Risk,
    titles: &["prompt injection", "jailbreak", "goal hijack"],
    items: &[("csa-aicm-1.1", "AIS-15")],
    help: "add a clause with a rule on `finding: prompt-injection`, or evidence of tests mapped to `owasp-llm-2026: [LLM01]`",
};

const TOOLS: Topic = Topic {
    name: "plugins and tools",
    section: Section::Access,
    titles: &[
        "plugin",
        "plug-in",
        "connector",
        "excessive agency",
        "tool misuse",
        "agent tool",
        "tool invocation",
        "tool source",
        "mcp server",
        "tool call",
    ],
    items: &[("csa-aicm-1.1", "AIS-11"), ("csa-aicm-1.1", "IAM-18")],
    help: "add `access.tools` and a clause `enforced_by: access.tools`, or a clause mapped to `owasp-llm-2026: [LLM03]`",
};

const SHADOW: Topic = Topic {
    name: "shadow AI",
    section: Section::ShadowAi,
    titles: &["shadow"],
    items: &[],
    help: "add a clause on unknown apps and their discovery to `shadow_ai`",
};

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    let document = context.document;
    for topic in [INJECTION, TOOLS, SHADOW] {
        let covered = document.clauses.iter().any(|clause| {
            says(clause, &topic)
                || maps(context, clause, &topic)
                || match topic.section {
                    Section::Risk => finds_injection(clause),
                    Section::Access => looks_at_tools(clause),
                    _ => clause.section == Section::ShadowAi || looks_at_unknown_apps(clause),
                }
        });
        if !covered {
            let message = format!("no clause is about {}", topic.name);
            let problem = Problem::warning("missing-topic", document.section_place(topic.section), message);
            problems.push(problem.help(topic.help));
        }
    }
}

fn says(clause: &Clause, topic: &Topic) -> bool {
    let statement = clause
        .statement
        .as_ref()
        .map(|statement| statement.value.to_lowercase());
    statement.is_some_and(|statement| topic.titles.iter().any(|title| statement.contains(title)))
}

/// Whether the clause maps to an item of that topic.
fn maps(context: &Context<'_>, clause: &Clause, topic: &Topic) -> bool {
    mappings(context.document).any(|mapping| {
        mapping.clause.id == clause.id
            && mapping.items.iter().any(|item| {
                let Some(item) = standards::resolve(mapping.pack.as_str(), item.as_str()) else {
                    return false;
                };
                let title = item.title.unwrap_or_default().to_lowercase();
                topic.titles.iter().any(|named| title.contains(named))
                    || topic.items.contains(&(mapping.pack.as_str(), item.id))
            })
    })
}

fn finds_injection(clause: &Clause) -> bool {
    let selectors = clause.rule.iter().flat_map(|rule| &rule.when);
    selectors
        .flat_map(|selector| selector.finding.iter().flatten())
        .any(|finding| matches!(finding.as_str(), "prompt-injection" | "jailbreak"))
}

fn looks_at_tools(clause: &Clause) -> bool {
    // Elsewhere people call the apps themselves tools; where it is about access, tools are what an app may use.
    let statement = clause.statement.iter().filter(|_| clause.section == Section::Access);
    let mut words = statement.flat_map(|statement| statement.value.split(|c: char| !c.is_alphanumeric()));
    let named = words.any(|word| word.eq_ignore_ascii_case("tool") || word.eq_ignore_ascii_case("tools"));
    let by = clause
        .enforced_by
        .as_ref()
        .is_some_and(|by| by.as_str() == "access.tools");
    named
        || by
        || clause
            .rule
            .iter()
            .flat_map(|rule| &rule.when)
            .any(|selector| selector.tool.is_some())
}

fn looks_at_unknown_apps(clause: &Clause) -> bool {
    let selectors = clause.rule.iter().flat_map(|rule| &rule.when);
    selectors
        .flat_map(|selector| selector.app.iter().flatten())
        .flat_map(|app| app.class.iter().flatten())
        .any(|class| class.value == AppClass::Unknown)
}
