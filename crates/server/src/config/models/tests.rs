use super::State;
use crate::config::parse;

const UPSTREAMS: &str = "upstreams:
  - {app: openai-api, dialect: openai, url: 'https://one.example', models: [fixed]}
  - {id: west, app: openai-api, dialect: openai, url: 'https://two.example'}
  - {app: anthropic-api, dialect: anthropic, url: 'https://three.example'}
  - {app: azure-openai, dialect: azure, url: 'https://four.example'}
";

/// The problems of `models` as people read them, one a line.
fn problems(models: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let config = parse(&format!("{UPSTREAMS}models:\n{models}\n"), &mut problems);
    assert_eq!(config.is_none(), !problems.is_empty());
    problems.iter().map(|one| one.message.clone()).collect()
}

#[test]
fn an_alias_says_what_is_in_use_on_trial_and_ready() {
    let text = format!(
        "{UPSTREAMS}models:
  assistant:
    use: stable
    before: old
    canary: 10
    versions:
      old: {{state: approved, upstream: west, model: gpt-4.1}}
      stable: {{state: approved, upstream: openai-api, model: gpt-5}}
      gpt-6: {{state: candidate, upstream: openai-api}}
      gone: {{state: retired, upstream: openai-api, model: gpt-3}}
"
    );
    let mut problems = Vec::new();
    let config = parse(&text, &mut problems).expect("a configuration");
    let [alias] = config.models.as_slice() else {
        panic!("one alias")
    };
    assert_eq!((alias.in_use, alias.before, alias.canary), (1, Some(0), 10));
    assert_eq!(
        (alias.candidate(), alias.versions[2].model.as_str()),
        (Some(2), "gpt-6")
    );
    assert_eq!(alias.versions[3].state, State::Retired);
    // The candidate falls back to what is in use, and that to what else is approved.
    assert_eq!(
        (alias.fallback_of(2), alias.fallback_of(1), alias.fallback_of(0)),
        (Some(1), Some(0), Some(1))
    );
}

#[test]
fn what_could_mean_two_things_or_lead_nowhere_is_a_problem() {
    let one = "{state: approved, upstream: west, model: m}";
    for (models, expected) in [
        (
            "  fixed: {use: v, versions: {v: {state: approved, upstream: west}}}",
            "`fixed` is an alias and a model of an upstream",
        ),
        (
            "  'a b': {use: v, versions: {v: {state: approved, upstream: west}}}",
            "`a b` is no name for a model",
        ),
        (
            "  a/b: {use: v, versions: {v: {state: approved, upstream: west}}}",
            "`a/b` is no name for a model",
        ),
        (
            "  a: {use: v, versions: {v: {state: approved, upstream: west, model: a}}}",
            "`a` leads to `a`, which is an alias",
        ),
        (
            "  a: {use: v, versions: {v: {state: approved, upstream: east}}}",
            "`east` is the id of no upstream",
        ),
        (
            "  a: {use: v, canary: 101, versions: {v: {state: approved, upstream: west}}}",
            "101 percent are more than all",
        ),
        (
            "  a: {use: v, versions: {v: {state: retired, upstream: west}}}",
            "`v` is in use and retired",
        ),
        (
            "  a: {use: w, versions: {v: {state: approved, upstream: west}}}",
            "`w` is no version of `a`",
        ),
        (
            "  a: {use: v, versions: {v: {state: approved, upstream: west, model: gpt–5}}}",
            "`gpt–5` is no name for a model",
        ),
        (
            "  a: {use: v, versions: {v: {state: approved, upstream: azure-openai, model: 'a/b'}}}",
            "`a/b` is no name for a model",
        ),
        (
            "  a: {use: v, versions: {v: {state: approved, upstream: west}, w: {state: candidate, upstream: west}, x: {state: candidate, upstream: west}}}",
            "`a` has more than one candidate",
        ),
        (
            "  a: {use: v, versions: {v: {state: approved, upstream: west}, w: {state: approved, upstream: anthropic-api}}}",
            "the versions of `a` speak different dialects",
        ),
    ] {
        assert!(
            problems(models).iter().any(|found| found == expected),
            "{models}\n{:?}",
            problems(models)
        );
    }
    let loops = format!(
        "  a: {{use: v, versions: {{v: {{state: approved, upstream: west, model: b}}}}}}\n  b: {{use: v, versions: {{v: {one}}}}}"
    );
    assert_eq!(problems(&loops), ["`a` leads to `b`, which is an alias"]);
}
