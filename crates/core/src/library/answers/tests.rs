//! Answers read and written.

use super::*;

fn parse(text: &str) -> (Answers, Vec<Problem>) {
    Answers::parse(text, Library::built_in(), &Catalog::built_in())
}

/// Answers that say something to every question.
pub(in crate::library) const FULL: &str = include_str!("../../../../../policies/library/answers.yaml");

#[test]
fn what_is_not_said_keeps_its_default() {
    let (answers, problems) = parse("organization: Northwind\n");
    assert_eq!(problems, []);
    let expected = Answers {
        organization: "Northwind".to_owned(),
        ..Answers::default()
    };
    assert_eq!(answers, expected);
}

#[test]
fn what_is_written_reads_back() {
    let (full, problems) = parse(FULL);
    assert_eq!(problems, []);
    assert_ne!(full, Answers::default());
    for answers in [Answers::default(), full] {
        let text = answers.render();
        let (again, problems) = parse(&text);
        assert_eq!(problems, [], "{text}");
        assert_eq!(again, answers, "{text}");
    }
}

#[test]
fn every_mistake_is_reported_at_its_line_with_what_was_meant() {
    let text = "organisation: X\nprofiles: [regulated]\nsize: mdium\nsector: helth\nregulations: [gdrp]\napps:\n  - {app: opnai-api, class: sanctioned}\n  - {app: claude, class: unknown}\ndata: [salry]\ngroups:\n  - {id: everyone}\n  - {id: the people}\n  - {id: dev, does: [develop]}\n  - {id: dev}\npeople: {ciso: nobody}\nboard: {members: [ciso, cfo], quorum: 1}\nuses:\n  - {id: a, statement: A., groups: [engineering], ceiling: secret, owner: cmo}\ntimezone: Berlin\nalso: [AU-99]\nwithout: [PU-1]\nsettings: {PU-1: {days: often, dys: 3 days}}\n";
    let (_, problems) = parse(text);
    let found: Vec<(u32, &str, String)> = problems
        .iter()
        .map(|problem| {
            (
                problem.place.line,
                problem.code,
                problem.help.clone().unwrap_or_default(),
            )
        })
        .collect();
    let lines: Vec<u32> = found.iter().map(|(line, _, _)| *line).collect();
    for line in (1..=22).filter(|line| !matches!(line, 6 | 10 | 17)) {
        assert!(lines.contains(&line), "line {line} in {found:#?}");
    }
    for meant in [
        "organization",
        "medium",
        "health",
        "gdpr",
        "openai-api",
        "salary",
        "develops",
        "days",
    ] {
        let help = format!("did you mean `{meant}`?");
        assert!(
            found.iter().any(|(_, _, found)| *found == help),
            "{meant} in {found:#?}"
        );
    }
}

#[test]
fn a_number_for_a_word_and_an_app_of_ones_own_get_help() {
    let (_, problems) = parse(
        "size: 800\napps:\n  - {app: klinik-ki, class: sanctioned}\n  - {app: openai-api, class: tolerated, models: [gpt 5, '*']}\n",
    );
    let found: Vec<(String, String)> = problems
        .iter()
        .map(|problem| (problem.message.clone(), problem.help.clone().unwrap_or_default()))
        .collect();
    let says = |message: &str, help: &str| {
        assert!(
            found.iter().any(|(said, way)| said == message && way.contains(help)),
            "{message} in {found:#?}"
        );
    };
    says("`800` is not a size", "known here: `small`, `medium`, `large`");
    says("no app called `klinik-ki` in the catalogue", "say so: `own: true`");
    says("`gpt 5` fits no model", "no spaces");
    says("`*` fits no model", "name none");
    assert_eq!(found.len(), 4, "{found:#?}");

    let (answers, problems) = parse("apps:\n  - {app: klinik-ki, class: sanctioned, own: true}\n");
    assert_eq!(problems, []);
    assert!(answers.apps[0].own);
    let (_, problems) = parse("apps:\n  - {app: opnai-api, class: sanctioned, own: true}\n");
    assert_eq!(problems[0].help.as_deref(), Some("did you mean `openai-api`?"));
}

#[test]
fn where_an_interview_goes_on_is_kept() {
    let left = Answers {
        next: Some("apps".to_owned()),
        works_council: true,
        people: vec![(COUNCIL.to_owned(), "council@example.org".to_owned())],
        ..Answers::default()
    };
    let (again, problems) = parse(&left.render());
    assert_eq!(problems, []);
    assert_eq!(again, left);
    let (_, problems) = parse("next: aps\n");
    assert_eq!(problems[0].help.as_deref(), Some("did you mean `apps`?"));
}

#[test]
fn one_person_cannot_hold_every_role() {
    let all: String = ROLES
        .iter()
        .map(|role| format!("  {role}: ada@example.com\n"))
        .collect();
    let (_, problems) = parse(&format!("people:\n{all}"));
    assert_eq!(
        problems.iter().map(|problem| problem.code).collect::<Vec<_>>(),
        ["one-person"]
    );
    let two = all.replacen("hr: ada", "hr: bob", 1);
    let (answers, problems) = parse(&format!("people:\n{two}"));
    assert_eq!(problems, []);
    assert_eq!(answers.owner_and_deputy(), Some(("ciso", "hr")));
    assert_eq!(
        (answers.board_of_persons(), answers.quorum_of(2)),
        (vec!["ciso", "hr"], 2)
    );
}
