//! The library against the policies that it makes.

mod mutate;
mod pairs;

use jiff::civil::{Date, date};

use super::answers::Answers;
use super::assemble::{Assembly, assemble};
use super::cast;
use super::words::words_in;
use super::*;
use crate::catalog::Catalog;
use crate::detect::scanner::Scanner;
use crate::policy::problem::Severity;
use crate::policy::{Loaded, cases, load};

const TODAY: Date = date(2026, 12, 1);

/// Answers that say something to every question.
fn full() -> Answers {
    let text = include_str!("../../../../policies/library/answers.yaml");
    Answers::parse(text, Library::built_in(), &Catalog::built_in()).0
}

fn make(answers: &Answers) -> Assembly {
    assemble(Library::built_in(), answers, &Catalog::built_in(), TODAY)
}

/// Loads an assembled policy; everything that is wrong with it, as people read it. A note is no fault.
fn faults(assembly: &Assembly) -> Vec<String> {
    let files = assembly.as_files();
    let now = "2026-12-10T12:00:00Z".parse().expect("a moment");
    let loaded = load(&files, &Catalog::built_in(), now);
    let real = loaded
        .problems
        .iter()
        .filter(|problem| problem.severity != Severity::Note);
    let mut faults: Vec<String> = real.map(|problem| files.render(problem)).collect();
    faults.extend(failing(&loaded));
    faults
}

fn failing(loaded: &Loaded) -> Vec<String> {
    let (Some(policy), Some(document)) = (&loaded.policy, &loaded.document) else {
        return vec!["there is no policy".to_owned()];
    };
    let scanner = Scanner::new(policy.own_detectors());
    let outcomes = loaded
        .cases
        .iter()
        .map(|case| cases::run(policy, document, &scanner, &Catalog::built_in(), case));
    outcomes
        .filter(|outcome| !outcome.differences.is_empty())
        .map(|outcome| format!("{}: {}", outcome.case.name.value, outcome.differences.join("; ")))
        .collect()
}

#[test]
fn the_library_reads_without_problems() {
    let (library, problems) = Library::read(PROFILES, CLAUSES);
    let shown: Vec<String> = problems
        .iter()
        .map(|(path, problem)| {
            problem.render(
                path,
                CLAUSES
                    .iter()
                    .find(|(known, _)| known == path)
                    .map_or("", |(_, text)| text),
            )
        })
        .collect();
    assert!(shown.is_empty(), "{}", shown.join("\n"));
    assert_eq!(library.profiles.len(), PROFILES.len());
    let mut ids: Vec<&str> = library.clauses.iter().map(|clause| clause.id.as_str()).collect();
    ids.sort_unstable();
    assert!(
        ids.windows(2).all(|pair| pair[0] != pair[1]),
        "an id stands twice: {ids:?}"
    );
}

#[test]
fn clauses_use_words_that_exist_and_say_what_they_need() {
    let library = Library::built_in();
    let mut faults = Vec::new();
    for clause in &library.clauses {
        let id = &clause.id;
        if clause.title.chars().count() > 60 {
            faults.push(format!("{id}: the title is too long"));
        }
        for word in clause.cast_words() {
            let covered = cast::ALWAYS.contains(&word)
                || clause
                    .needs
                    .iter()
                    .any(|need| need == word || *need == format!("{word}s"));
            if !cast::is_word(word) || !covered {
                faults.push(format!("{id}: needs `{word}` and does not say so"));
            }
        }
        let used: String = clause
            .cases
            .iter()
            .map(|case| case.text.as_str())
            .chain([clause.text.as_str()])
            .collect();
        for word in words_in(&used) {
            if clause.parameter(word).is_none() && !cast::is_word(word) {
                faults.push(format!("{id}: nothing stands for `{word}`"));
            }
        }
        for parameter in &clause.parameters {
            let (name, default) = (&parameter.name, &parameter.default);
            // Some parameters set a table of the frame.
            if !words_in(&used).contains(&name.as_str()) {
                faults.push(format!("{id}: the parameter `{name}` sets nothing"));
            }
            if words_in(default).is_empty()
                && let Some(expected) = answers::wrong_value(parameter.kind, default)
            {
                faults.push(format!("{id}: `{name}` is `{default}`, but {expected}"));
            }
        }
        for (profile, _) in &clause.standing {
            if library.profile(profile).is_none() {
                faults.push(format!("{id}: no profile `{profile}`"));
            }
        }
        for (profile, values) in &clause.overrides {
            if library.profile(profile).is_none() && answers::Size::parse(profile).is_none() {
                faults.push(format!("{id}: no profile `{profile}`"));
            }
            for (name, value) in values {
                match clause.parameter(name) {
                    Some(parameter) if answers::wrong_value(parameter.kind, value).is_none() => {}
                    _ => faults.push(format!("{id}: `{name}: {value}` for {profile}")),
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_reference_organisation_gets_a_clean_policy() {
    let assembly = make(&full());
    let faults = faults(&assembly);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(assembly.group, "staff");
}

/// Each profile alone and under the overlay, with everything that could be asked for.
#[test]
fn every_profile_gets_a_clean_policy() {
    let library = Library::built_in();
    let every: Vec<String> = library.clauses.iter().map(|clause| clause.id.clone()).collect();
    let mut faulty = Vec::new();
    for profile in library.profiles.iter().filter(|profile| !profile.overlay) {
        for overlay in [false, true] {
            for also in [Vec::new(), every.clone()] {
                let mut profiles = vec![profile.id.clone()];
                profiles.extend(overlay.then(|| answers::REGULATED.to_owned()));
                let what = format!("{profiles:?} with {} more", also.len());
                let answers = Answers {
                    profiles,
                    also,
                    ..full()
                };
                let faults = faults(&make(&answers));
                if !faults.is_empty() {
                    faulty.push(format!("{what}:\n{}", faults.join("\n")));
                }
            }
        }
    }
    assert!(faulty.is_empty(), "{}", faulty.join("\n\n"));
}

#[test]
fn the_same_answers_give_the_same_bytes() {
    let text =
        |assembly: Assembly| assembly.files.into_iter().map(|file| file.text).collect::<String>() + &assembly.summary;
    assert_eq!(text(make(&full())), text(make(&full())));
}

#[test]
fn the_summary_fits_on_a_page_and_tells_what_matters() {
    let assembly = make(&full());
    for heading in [
        "What was decided, and why",
        "What acts now",
        "What will act once something finds it",
        "What only observes",
        "What nothing finds yet",
        "What people have to do",
        "Next three steps",
    ] {
        assert!(assembly.summary.contains(heading), "{heading}");
    }
    assert!(assembly.summary.lines().count() < 90, "{}", assembly.summary);
}

/// The lines of the summary below a heading.
fn below<'s>(assembly: &'s Assembly, heading: &str) -> &'s str {
    let after = assembly
        .summary
        .split_once(&format!("## {heading}\n"))
        .map(|(_, after)| after);
    after.map_or("", |after| after.split("\n## ").next().unwrap_or_default())
}

#[test]
fn a_clause_that_nothing_sets_off_is_not_called_acting() {
    let assembly = make(&full());
    let (now, later) = (
        below(&assembly, "What acts now"),
        below(&assembly, "What will act once something finds it"),
    );
    assert!(!now.contains("- AU-2") && now.contains("- DA-3: "), "{now}");
    assert!(
        later.contains("- AU-2: ") && later.contains("waits for a detector of `harmful-request`"),
        "{later}"
    );
    // What is found in part acts, and says what it does not see.
    let told = now.lines().find(|line| line.starts_with("- DA-2 ")).unwrap_or_default();
    assert!(
        told.contains("It does not see `postal-address` and `person-name` yet.") && !told.contains("`email"),
        "{told}"
    );
}

#[test]
fn what_nothing_finds_is_said_and_whose_it_is() {
    let clinic = Answers {
        data: vec!["health-record".to_owned()],
        groups: vec![answers::Group::new("clinicians", &[answers::Work::TreatsPatients])],
        ..Answers::default()
    };
    let assembly = make(&clinic);
    let missing = below(&assembly, "What nothing finds yet");
    for entity in [
        "health-record",
        "medical-term",
        "person-name",
        "postal-address",
        "salary",
    ] {
        assert!(missing.contains(&format!("`{entity}`")), "{missing}");
    }
    assert!(!missing.contains("payment-card"), "{missing}");
    assert!(
        missing.contains("You said that you hold `medical-term` and `health-record`"),
        "{missing}"
    );
    let policy = &assembly.files[0].text;
    assert!(policy.contains("    medical-term: confidential\n"), "{policy}");
    let words = Answers {
        keywords: vec![answers::Keywords {
            entity: "project-name".to_owned(),
            class: "confidential".to_owned(),
            words: vec!["heron".to_owned()],
        }],
        ..Answers::default()
    };
    let missing = make(&words);
    assert!(!below(&missing, "What nothing finds yet").contains("project-name"));
}

#[test]
fn a_works_council_consents_before_anything_is_recorded() {
    let assembly = make(&Answers {
        works_council: true,
        ..Answers::default()
    });
    let policy = &assembly.files[0].text;
    assert!(
        policy.contains("    works-council: works-council@example.com\n"),
        "{policy}"
    );
    assert!(policy.contains("id: MO-7\n"), "what is evaluated is agreed first");
    let steps = below(&assembly, "Next three steps");
    let (consent, start) = (steps.find("works council"), steps.find("ordain up"));
    assert!(consent.is_some() && consent < start, "{steps}");
    let without = make(&Answers::default());
    assert!(!without.files[0].text.contains("works-council"));
    // It is asked, and never made a deputy or a member of the board because somebody was needed.
    let alone = Answers {
        works_council: true,
        people: answers::ROLES
            .iter()
            .map(|role| ((*role).to_owned(), "ada@example.org".to_owned()))
            .collect(),
        ..Answers::default()
    };
    assert_eq!(alone.owner_and_deputy(), None);
}

#[test]
fn deadlines_are_the_shortest_that_a_law_sets_and_the_review_is_the_approval() {
    let bound = |regulations: &[&str]| Answers {
        regulations: regulations.iter().map(|&id| id.to_owned()).collect(),
        ..Answers::default()
    };
    let policy = |answers: &Answers| make(answers).files[0].text.clone();
    assert!(policy(&bound(&["gdpr"])).contains("within 72 hours to all"));
    assert!(policy(&bound(&["gdpr", "nis2"])).contains("within 24 hours to all"));
    assert!(policy(&bound(&[])).contains("review: {every: 365 days,"));
    let large = Answers {
        size: answers::Size::Large,
        ..Answers::default()
    };
    let large = policy(&large);
    assert!(large.contains("review: {every: 180 days,") && large.contains("approves it again at least every 180 days"));
}

#[test]
fn people_are_pointed_to_an_app_that_they_have() {
    let app = |id: &str, models: &[&str]| answers::App {
        models: models.iter().map(|&model| model.to_owned()).collect(),
        ..answers::App::new(id, crate::verdict::AppClass::Sanctioned)
    };
    let with = |apps: Vec<answers::App>| {
        let made = make(&Answers {
            apps,
            ..Answers::default()
        });
        (made.app, made.model)
    };
    assert_eq!(with(vec![app("ms-copilot", &[])]), ("ms-copilot".to_owned(), None));
    let limited = vec![app("anthropic-api", &["claude-*"])];
    assert_eq!(with(limited), ("anthropic-api".to_owned(), Some("claude-".to_owned())));
    assert_eq!(with(Vec::new()).0, "demo");
}

#[test]
fn what_the_answers_rule_out_elsewhere_is_a_decision_to_take() {
    let letters = |sector| Answers {
        sector,
        groups: vec![answers::Group::new("clinicians", &[answers::Work::TreatsPatients])],
        uses: vec![answers::Use {
            id: "letters".to_owned(),
            statement: "Writing letters to other doctors.".to_owned(),
            owner: "cto".to_owned(),
            groups: vec!["clinicians".to_owned()],
            ceiling: Some("restricted".to_owned()),
            tier: answers::Tier::Limited,
        }],
        ..Answers::default()
    };
    let assembly = make(&letters(answers::Sector::Health));
    let open = below(&assembly, "What you still have to decide");
    assert!(
        open.contains("the use `letters` and those who handle health records"),
        "{open}"
    );
    assert!(
        below(
            &make(&letters(answers::Sector::General)),
            "What you still have to decide"
        )
        .is_empty()
    );

    // The way out that the page names is one: the policy with it has no fault but the cases that expect the old answer.
    let mut changed = assembly.clone();
    let line = "- {app: openai-api, owner: cto";
    let policy = &mut changed.files[0].text;
    assert!(policy.contains(line) && open.contains("`app: openai-api`"), "{open}");
    *policy = policy.replace(line, &format!("{line}, cells: {{restricted: redact}}"));
    let faults = faults(&changed);
    assert!(
        !faults.is_empty() && faults.iter().all(|fault| fault.contains("expected `block`")),
        "{}",
        faults.join("\n")
    );
}

#[test]
fn an_app_of_ones_own_is_in_the_policy_and_only_a_warning_says_so() {
    let assembly = make(&Answers {
        apps: vec![answers::App {
            own: true,
            ..answers::App::new("klinik-ki", crate::verdict::AppClass::Sanctioned)
        }],
        ..Answers::default()
    });
    assert_eq!(assembly.app, "klinik-ki");
    let faults = faults(&assembly);
    assert!(
        matches!(faults.as_slice(), [only] if only.contains("warning[unknown-app]") && only.contains("an app of your own")),
        "{}",
        faults.join("\n")
    );
}
