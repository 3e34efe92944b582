use std::fs;

use ordain_core::wire::endpoints::{Handling, find};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::config::Dialect;
use crate::keys::KeyHasher;
use crate::setup::Folder;
use crate::store::sqlite::SqliteStore;
use crate::version::{Given, Version};

const CONFIG: &str = "listen: 127.0.0.1:0
upstreams:
  - {app: openai-api, dialect: openai, url: 'http://one.example', models: [gpt-4o, stable-1]}
  - {id: west, app: openai-api, dialect: openai, url: 'http://two.example', models: [gpt-4o]}
  - {app: azure-openai, dialect: azure, url: 'http://three.example'}
  - {app: google-ai-studio, dialect: gemini, url: 'http://four.example'}
models:
  assistant:
    use: stable
    canary: 20
    versions:
      stable: {state: approved, upstream: openai-api, model: stable-1}
      next: {state: candidate, upstream: openai-api, model: next-2}
      other: {state: approved, upstream: west, model: other-3}
      old: {state: retired, upstream: openai-api, model: old-0}
  deployed: {use: v, versions: {v: {state: approved, upstream: azure-openai, model: real-dep}}}
  flash: {use: v, versions: {v: {state: approved, upstream: google-ai-studio, model: gemini-3}}}
";

struct Bench {
    live: Arc<Live>,
    keys: KeyRing,
    _dir: TempDir,
}

fn bench() -> Bench {
    let dir = TempDir::new().expect("a folder");
    let folder = Folder::new(&dir.path().join("ordain"));
    folder.make("127.0.0.1:0", &[]).expect("made");
    fs::write(folder.config(), CONFIG).expect("written");
    let version = Version::read(&folder, &Given::default()).expect("a version");
    let store = SqliteStore::open(&folder.store()).expect("a store");
    Bench {
        live: Arc::new(Live::new(version, None, None).expect("usable")),
        keys: KeyRing::load(&store, &KeyHasher::new(&[7; 32])).expect("keys"),
        _dir: dir,
    }
}

impl Bench {
    /// What becomes of a body at a path.
    fn judge(&self, path: &str, body: &[u8]) -> Result<Admitted, String> {
        let found = find("POST", path, Dialect::Openai).ok_or("no such endpoint")?;
        let Handling::Inspected(wire) = found.endpoint.handling else {
            return Err("not inspected".to_owned());
        };
        let who = Who {
            principal: "me".to_owned(),
            groups: vec!["staff".to_owned()],
            ..Who::default()
        };
        let asked = Asked {
            live: Arc::clone(&self.live),
            wire,
            endpoint: found.endpoint,
            named: found.model.map(str::to_owned),
            who: Arc::new(who),
            key: None,
            use_: None,
            record: "r".to_owned(),
            now: jiff::Timestamp::now(),
            body: Bytes::copy_from_slice(body),
        };
        asked.judge(SubjectId::from_bytes([1; 16]), Some(&self.keys))
    }

    /// Whether a request that was judged has somewhere to go.
    fn is_served(&self, dialect: Dialect, admitted: &Admitted) -> bool {
        admitted.aliased.is_some()
            || self
                .live
                .serving(dialect, admitted.inspected.inspection.model())
                .is_some()
    }
}

fn chat(model: &Value, says: &str) -> Vec<u8> {
    json!({"model": model, "messages": [{"role": "user", "content": says}]})
        .to_string()
        .into_bytes()
}

fn model_in(body: &[u8]) -> Value {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    body["model"].clone()
}

#[test]
fn what_the_policy_judges_is_what_the_upstream_gets() {
    let bench = bench();
    let admitted = bench
        .judge("/v1/chat/completions", &chat(&json!("assistant"), "Hello."))
        .expect("judged");
    let inspected = &admitted.inspected;
    let model = inspected.judged.facts.model.clone().expect("a model");
    assert!(["stable-1", "next-2"].contains(&model.as_str()));
    assert_eq!(model_in(&admitted.body), json!(model));
    assert_eq!(inspected.judged.facts.to.app, "openai-api");
    let aliased = admitted.aliased.expect("an alias");
    let recorded = aliased.recorded(&bench.live);
    assert_eq!(recorded.name, "assistant");
    let second = recorded.fallback.expect("a second place");
    let (again, body, choice) = aliased.again().expect("the same judgement");
    assert_eq!(
        (choice.model.as_str(), second.model),
        (second.model, choice.model.as_str())
    );
    assert_eq!(model_in(&body), json!(second.model));
    assert_eq!(&again.judged.decision, second.decision);
    assert_eq!(again.judged.facts.model.as_deref(), Some(second.model));
}

#[test]
fn one_conversation_stays_with_one_version_and_a_share_of_them_with_the_candidate() {
    let bench = bench();
    let version = |says: &str| {
        let admitted = bench
            .judge("/v1/chat/completions", &chat(&json!("assistant"), says))
            .expect("judged");
        admitted.aliased.expect("an alias").picked.first.version
    };
    let mut candidates = 0;
    for number in 0..500 {
        let says = format!("Question {number}.");
        let first = version(&says);
        let later = json!({"model": "assistant", "messages": [{"role": "system", "content": "Now kinder."},
            {"role": "user", "content": says}, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "And?"}]});
        let later = bench
            .judge("/v1/chat/completions", later.to_string().as_bytes())
            .expect("judged");
        assert_eq!(later.aliased.expect("an alias").picked.first.version, first);
        candidates += usize::from(first == "next");
    }
    // 100 are expected; 5 standard deviations are 45.
    assert!((55..=145).contains(&candidates), "{candidates} of 500");
}

#[test]
fn an_alias_in_a_path_is_replaced_there_too() {
    let bench = bench();
    for (path, body, model, at) in [
        (
            "/openai/deployments/deployed/chat/completions",
            json!({"messages": []}),
            "real-dep",
            "/openai/deployments/real-dep/chat/completions?api-version=1",
        ),
        (
            "/openai/deployments/deployed/chat/completions",
            json!({"messages": [], "model": "deployed"}),
            "real-dep",
            "/openai/deployments/real-dep/chat/completions?api-version=1",
        ),
        (
            "/v1beta/models/flash:generateContent",
            json!({"contents": [], "model": "models/flash"}),
            "gemini-3",
            "/v1beta/models/gemini-3:generateContent?api-version=1",
        ),
    ] {
        let admitted = bench.judge(path, body.to_string().as_bytes()).expect("judged");
        assert_eq!(admitted.inspected.judged.facts.model.as_deref(), Some(model));
        let aliased = admitted.aliased.expect("an alias");
        let uri: Uri = format!("{path}?api-version=1").parse().expect("an address");
        let renamed = aliased.at(&uri, &aliased.picked.first).expect("an address");
        assert_eq!(renamed.as_ref().to_string(), at);
    }
}

/// Names that are nearly one that may be used, each refused or of nobody: none is taken for the real one (threat C10).
#[test]
fn what_is_nearly_the_name_of_a_model_is_not_that_model() {
    let bench = bench();
    let near = [
        "gpt-4o:ft-x",
        "GPT-4o",
        "Gpt-4O",
        "gpt-4o ",
        " gpt-4o",
        "gpt-4o\t",
        "gpt-4o\n",
        "gpt-4o\u{0}",
        "gpt\u{2010}4o",
        "gpt\u{2011}4o",
        "gpt\u{2013}4o",
        "gpt-4\u{043e}",
        "gpt-4\u{03bf}",
        "\u{ff47}pt-4o",
        "gpt-4\u{ff4f}",
        "gpt-4o\u{200b}",
        "\u{feff}gpt-4o",
        "gpt-4o\u{301}",
        "g\u{0440}t-4o",
        "gpt-4o/",
        "/gpt-4o",
        "models/gpt-4o",
        "openai/gpt-4o",
        "gpt-4o@latest",
        "gpt-4o#",
        "gpt-4o?x=1",
        "gpt-4o%20",
        "gpt-4o;",
        "gpt-4o,other",
        "gpt_4o",
        "gpt-4",
        "gpt-4o-",
        "gpt-4oo",
        "ft:gpt-4o:x",
        "",
        "Assistant",
        "ASSISTANT",
        "assistant ",
        "assist\u{430}nt",
        "assistant:next",
        "assistant/next",
        "assistant@next",
        "assistant.",
        "next-2",
        "NEXT-2",
        "old-0",
        "old-0 ",
        "other-3",
        "stable",
        "stable-1 ",
        "deployed",
        "flash",
    ];
    for name in near {
        if let Ok(admitted) = bench.judge("/v1/chat/completions", &chat(&json!(name), "Hello.")) {
            assert!(!bench.is_served(Dialect::Openai, &admitted), "{name:?}");
            assert_eq!(admitted.inspected.inspection.model(), name, "no other name is judged");
        } else {
            let odd = name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_graphic());
            assert!(odd, "{name:?} is plain, and refused as malformed");
        }
    }
    for (path, body) in [
        (
            "/v1/chat/completions",
            r#"{"model":"gpt-4o","model":"assistant","messages":[]}"#,
        ),
        ("/v1/chat/completions", r#"{"model":["gpt-4o"],"messages":[]}"#),
        ("/v1/chat/completions", r#"{"model":{"name":"gpt-4o"},"messages":[]}"#),
        ("/v1/chat/completions", r#"{"model":1,"messages":[]}"#),
        ("/v1/chat/completions", r#"{"model":null,"messages":[]}"#),
        ("/v1/chat/completions", r#"{"messages":[]}"#),
        (
            "/openai/deployments/deployed/chat/completions",
            r#"{"model":"real-dep","messages":[]}"#,
        ),
        (
            "/openai/deployments/real-dep/chat/completions",
            r#"{"model":"deployed","messages":[]}"#,
        ),
        (
            "/v1beta/models/flash:generateContent",
            r#"{"model":"models/gemini-3","contents":[]}"#,
        ),
        (
            "/v1beta/models/gemini-3:generateContent",
            r#"{"model":"models/flash","contents":[]}"#,
        ),
        (
            "/v1beta/models/gemini-3:generateContent",
            r#"{"model":"models/models/gemini-3","contents":[]}"#,
        ),
    ] {
        assert!(bench.judge(path, body.as_bytes()).is_err(), "{path} {body}");
    }
    // The names themselves are served, so that the list above says something.
    for name in ["gpt-4o", "stable-1", "assistant"] {
        let admitted = bench
            .judge("/v1/chat/completions", &chat(&json!(name), "Hello."))
            .expect("judged");
        assert!(bench.is_served(Dialect::Openai, &admitted), "{name}");
    }
}
