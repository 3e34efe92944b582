//! All pairs: every value of every answer meets every value of every other at least once, and each policy is clean.

use super::*;
use crate::library::answers::{
    App, Appetite, Approved, Group, Keywords, Sector, Size, Tier, Tool, ToolKind, Use, Work,
};
use crate::verdict::{AppClass, Verdict};

/// One way to answer one question.
type Way = fn(&mut Answers);

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn app(id: &str, class: AppClass, models: &[&str]) -> App {
    App {
        models: strings(models),
        ..App::new(id, class)
    }
}

fn use_(id: &str, groups: &[&str], ceiling: Option<&str>, tier: Tier) -> Use {
    Use {
        id: id.to_owned(),
        statement: format!("Doing {id}: all of it."),
        owner: "cto".to_owned(),
        groups: strings(groups),
        ceiling: ceiling.map(str::to_owned),
        tier,
    }
}

fn tool(tool: &str, kind: ToolKind, groups: &[&str], then: Option<Verdict>) -> Tool {
    Tool {
        tool: tool.to_owned(),
        kind,
        groups: strings(groups),
        then,
    }
}

/// For each question the ways to answer it.
const QUESTIONS: &[&[Way]] = &[
    &[
        |a| a.organization = "Northwind".to_owned(),
        |a| a.organization = "Smith: \"Sons\" & Co, #1 <Süd>".to_owned(),
    ],
    &[
        |a| a.profiles = strings(&["builds-models"]),
        |a| a.profiles = strings(&["integrates-apis"]),
        |a| a.profiles = strings(&["uses-saas"]),
        |a| a.profiles = strings(&["public-tools"]),
        |a| a.profiles = strings(&["uses-saas", "public-tools"]),
        |a| a.profiles = strings(&["builds-models", "integrates-apis", "uses-saas", "public-tools"]),
        |a| a.profiles = strings(&["integrates-apis", "regulated"]),
    ],
    &[
        |a| a.size = Size::Small,
        |a| a.size = Size::Medium,
        |a| a.size = Size::Large,
    ],
    &[
        |a| a.sector = Sector::General,
        |a| a.sector = Sector::Health,
        |a| a.sector = Sector::Finance,
        |a| a.sector = Sector::Public,
    ],
    &[
        |a| a.regulations = Vec::new(),
        |a| a.regulations = strings(&["gdpr"]),
        |a| {
            a.regulations = strings(&[
                "eu-ai-act",
                "gdpr",
                "hipaa",
                "pci-dss",
                "dora",
                "nis2",
                "ccpa",
                "uk-gdpr",
            ])
        },
    ],
    &[
        |a| a.apps = Vec::new(),
        |a| {
            a.apps = vec![
                app("openai-api", AppClass::Sanctioned, &[]),
                app("deepseek", AppClass::Unsanctioned, &[]),
            ]
        },
        |a| {
            a.apps = vec![
                app("openai-api", AppClass::Sanctioned, &["gpt-5*"]),
                app("github-copilot", AppClass::Sanctioned, &[]),
                app("perplexity", AppClass::Tolerated, &[]),
                app("deepseek", AppClass::Tolerated, &[]),
                app("duckai", AppClass::Unsanctioned, &[]),
            ];
        },
        |a| {
            a.apps = vec![
                app("ms-copilot", AppClass::Sanctioned, &[]),
                app("chatgpt", AppClass::Tolerated, &[]),
                app("cursor", AppClass::Unsanctioned, &[]),
            ];
        },
    ],
    &[
        |a| a.data = Vec::new(),
        |a| a.data = strings(&["date-of-birth", "legal-privilege", "ip-address", "salary", "password"]),
        |a| a.data = strings(&["contact", "financial", "health", "government-id", "secret"]),
    ],
    &[
        |a| a.keywords = Vec::new(),
        |a| {
            a.keywords = vec![Keywords {
                entity: "project-name".to_owned(),
                class: "confidential".to_owned(),
                words: strings(&["project heron", "Bittern: II"]),
            }];
        },
    ],
    &[
        |a| a.groups = Vec::new(),
        |a| a.groups = vec![Group::new("staff", &[])],
        |a| a.groups = vec![Group::new("staff", &[Work::Develops, Work::HandlesMoney])],
        |a| {
            a.groups = vec![
                Group::new("everyday", &[]),
                Group::new("dev", &[Work::Develops]),
                Group::new("operations", &[Work::Develops]),
                Group::new("recruiting", &[Work::DecidesAboutPeople]),
                Group::new("money", &[Work::HandlesMoney]),
                Group::new("clinicians", &[Work::TreatsPatients]),
                Group::new("support", &[Work::TalksToCustomers]),
            ];
        },
    ],
    &[
        |a| a.people = Vec::new(),
        |a| {
            a.people = ["ciso", "cto", "dpo", "legal"]
                .iter()
                .map(|role| ((*role).to_owned(), "ada@example.org".to_owned()))
                .collect();
        },
        |a| a.people = vec![("cmo".to_owned(), "cmo@example.org".to_owned())],
    ],
    &[
        |a| {
            a.board = strings(&["ciso", "cto", "dpo", "legal"]);
            a.quorum = None;
        },
        |a| {
            a.board = strings(&["ciso", "hr", "legal"]);
            a.quorum = Some(3);
        },
        |a| a.board = Vec::new(),
    ],
    &[|a| a.works_council = false, |a| a.works_council = true],
    &[
        |a| a.uses = Vec::new(),
        |a| a.uses = vec![use_("drafting", &[], None, Tier::Limited)],
        |a| {
            a.uses = vec![
                use_("triage", &[], None, Tier::High),
                use_("credit", &[], Some("confidential"), Tier::High),
            ]
        },
        |a| a.uses = vec![use_("drafting", &[], Some("internal"), Tier::Minimal)],
    ],
    &[
        |a| a.appetite = Appetite::Careful,
        |a| a.appetite = Appetite::Balanced,
        |a| a.appetite = Appetite::Bold,
    ],
    &[
        |a| a.timezone = "UTC".to_owned(),
        |a| a.timezone = "America/Los_Angeles".to_owned(),
        |a| a.timezone = "Asia/Kolkata".to_owned(),
    ],
    &[
        |a| a.tools = Vec::new(),
        |a| {
            a.tools = vec![
                tool("search.web", ToolKind::Read, &[], None),
                tool("mail.send", ToolKind::Irreversible, &[], None),
            ]
        },
        |a| a.tools = vec![tool("db.*", ToolKind::Write, &["staff"], Some(Verdict::Coach))],
    ],
    &[
        |a| a.approved = None,
        |a| {
            a.approved = Some(Approved {
                by: "board".to_owned(),
                on: date(2026, 11, 20),
                effective: Some(date(2026, 12, 15)),
            });
        },
    ],
    &[
        |a| a.also = Vec::new(),
        |a| {
            a.also = Library::built_in()
                .clauses
                .iter()
                .map(|clause| clause.id.clone())
                .collect()
        },
    ],
];

/// Rows of choices in which every pair of choices for two questions stands together at least once.
fn rows() -> Vec<Vec<usize>> {
    let sizes: Vec<usize> = QUESTIONS.iter().map(|ways| ways.len()).collect();
    let mut open: std::collections::BTreeSet<(usize, usize, usize, usize)> = std::collections::BTreeSet::new();
    for one in 0..sizes.len() {
        for two in one + 1..sizes.len() {
            open.extend((0..sizes[one]).flat_map(|a| (0..sizes[two]).map(move |b| (one, a, two, b))));
        }
    }
    let mut rows = Vec::new();
    while let Some(&(one, a, two, b)) = open.iter().next() {
        let mut row: Vec<Option<usize>> = vec![None; sizes.len()];
        (row[one], row[two]) = (Some(a), Some(b));
        for question in 0..sizes.len() {
            if row[question].is_some() {
                continue;
            }
            // The choice that settles most open pairs with what is chosen already.
            let settles = |choice: usize| {
                let pairs = row
                    .iter()
                    .enumerate()
                    .filter_map(|(other, chosen)| Some((other, (*chosen)?)));
                pairs
                    .filter(|&(other, chosen)| {
                        let pair = if other < question {
                            (other, chosen, question, choice)
                        } else {
                            (question, choice, other, chosen)
                        };
                        open.contains(&pair)
                    })
                    .count()
            };
            let best = (0..sizes[question]).rev().max_by_key(|&choice| settles(choice));
            row[question] = best;
        }
        let row: Vec<usize> = row.into_iter().map(|choice| choice.unwrap_or_default()).collect();
        open.retain(|&(one, a, two, b)| row[one] != a || row[two] != b);
        rows.push(row);
    }
    rows
}

#[test]
fn every_pair_of_answers_gives_a_clean_policy() {
    let mut faulty = Vec::new();
    let rows = rows();
    for row in &rows {
        let mut answers = Answers::default();
        for (ways, &choice) in QUESTIONS.iter().zip(row) {
            ways[choice](&mut answers);
        }
        if !answers.groups.iter().any(|group| group.id == "staff") && !answers.groups.is_empty() {
            answers.tools.retain(|tool| tool.groups.is_empty());
        }
        // A quorum that cannot be reached is refused when answers are read.
        let persons = u32::try_from(answers.board_of_persons().len()).unwrap_or_default();
        answers.quorum = answers.quorum.filter(|&quorum| quorum <= persons);
        let text = answers.render();
        let (read, problems) = Answers::parse(&text, Library::built_in(), &Catalog::built_in());
        assert_eq!(problems, [], "{text}");
        assert_eq!(read, answers, "{text}");
        let faults = faults(&make(&answers));
        if !faults.is_empty() {
            faulty.push(format!(
                "{row:?} {:?} {}:\n{}",
                answers.profiles,
                answers.appetite,
                faults.join("\n")
            ));
        }
    }
    assert!(
        faulty.is_empty(),
        "{} of {} policies:\n{}",
        faulty.len(),
        rows.len(),
        faulty.join("\n\n")
    );
}
