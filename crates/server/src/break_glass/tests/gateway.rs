//! A gateway whose store fails: the named use goes on, everything else gets 503, and nothing of that reaches the upstream.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use tempfile::TempDir;

use super::*;
use crate::budgets::Budgets;
use crate::gateway::{self, Gateway, Listening};
use crate::keys::{self, KeyRing};
use crate::recorder::Recorder;
use crate::recorder::tests::{Script, Scripted};
use crate::store::conformance::collect;
use crate::store::sqlite::SqliteStore;
use crate::store::{Filter, Kind, StoredRecord};
use crate::version::{Given as Overridden, Version};

const CLINICIAN: &str = "ada@example.com";
const CLERK: &str = "bo@example.com";

/// An upstream that counts what reaches it.
struct Upstream {
    address: SocketAddr,
    seen: Arc<AtomicUsize>,
}

impl Upstream {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut request = Vec::new();
                let mut some = [0; 4096];
                while !request.ends_with(b"}]}") {
                    match stream.read(&mut some) {
                        Ok(0) | Err(_) => break,
                        Ok(read) => request.extend_from_slice(&some[..read]),
                    }
                }
                count.fetch_add(1, Ordering::SeqCst);
                let body = r#"{"id":"c-1","object":"chat.completion","created":1,"model":"gpt-5","choices":[{"index":0,"message":{"role":"assistant","content":"All is well."},"finish_reason":"stop"}]}"#;
                let length = body.len();
                let _ = write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
                );
            }
        });
        Self { address, seen }
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// A gateway with everything under it, a store that fails when told, and a clock that stands still until it is moved.
struct World {
    dir: TempDir,
    upstream: Upstream,
    script: Arc<Mutex<Script>>,
    moment: Arc<Mutex<Moment>>,
    recorder: Recorder,
    listening: Listening,
    keys: [(&'static str, String); 2],
}

impl World {
    fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (dir, upstream) = (TempDir::new().expect("temporary directory"), Upstream::start());
        let folder = Folder::new(dir.path());
        std::fs::create_dir(folder.policy()).expect("a folder");
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a write");
        write("policy/policy.yaml", POLICY);
        write(
            "directory.yaml",
            &format!("people:\n  {CLINICIAN}: {{groups: [clinicians]}}\n  {CLERK}: {{groups: [staff]}}\n"),
        );
        let config = format!(
            "listen: 127.0.0.1:0\nupstreams: [{{dialect: openai, url: \"http://{}\"}}]\nbreak_glass: {{spool: spool, max_mib: 1}}\n",
            upstream.address
        );
        write("ordain.yaml", &config);
        let version = Version::read(&folder, &Overridden::default()).expect("a version");
        let mut store = SqliteStore::open(&folder.store()).expect("a store");
        let keys = [CLINICIAN, CLERK].map(|principal| {
            let request = keys::Request::unlimited(principal, "test", 0);
            let issued = keys::issue(&mut store, &hasher(), &mut rand::rng(), request).expect("a key");
            (principal, issued.0.expose().to_owned())
        });
        let ring = KeyRing::load(&store, &hasher()).expect("keys");
        let script = Arc::default();
        let recorder = Recorder::start(Box::new(Scripted::new(store, &script)), 64).expect("a recorder");
        let moment = Arc::new(Mutex::new(at(0)));
        let spool = version.config.break_glass.clone().expect("a spool");
        let keeper = Keeper::open(dir.path(), &spool, &hasher(), at(0)).expect("a keeper");
        let clock: Clock = {
            let moment = Arc::clone(&moment);
            Arc::new(move || *moment.lock().expect("a moment"))
        };
        let gateway = Gateway::new(version, ring, Budgets::new([]), recorder.handle(), None).expect("a gateway");
        let gateway = gateway.with_break_glass(keeper, clock).expect("a thread");
        let listening = gateway::listen(gateway, "127.0.0.1:0", None, &folder.store(), hasher()).expect("a port");
        Self {
            dir,
            upstream,
            script,
            moment,
            recorder,
            listening,
            keys,
        }
    }

    fn breaks(&self, broken: bool) {
        self.script.lock().expect("script").broken = broken;
    }

    fn move_to(&self, now: Moment) {
        *self.moment.lock().expect("a moment") = now;
    }

    fn send(&self, head: &str, body: &str) -> Answer {
        let mut stream = TcpStream::connect(self.listening.address()).expect("a connection");
        let length = body.len();
        write!(
            stream,
            "{head}host: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("a write");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        Answer(answer)
    }

    fn ask_about(&self, principal: &str, use_: &str, text: &str) -> Answer {
        let (_, key) = self.keys.iter().find(|(known, _)| *known == principal).expect("a key");
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\nordain-use: {use_}\r\n"
        );
        let body = format!(r#"{{"model":"gpt-5","messages":[{{"role":"user","content":"{text}"}}]}}"#);
        self.send(&head, &body)
    }

    fn ask(&self, principal: &str, use_: &str) -> Answer {
        self.ask_about(principal, use_, "Good morning.")
    }

    fn ready(&self) -> Answer {
        self.send("GET /readyz HTTP/1.1\r\n", "")
    }

    /// Lets the thread look whether the ledger works again, and waits until it has.
    fn look(&self) {
        let glass = self.listening.break_glass().expect("a break-glass");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(glass.look());
    }

    /// Those of exchanges and of what was spooled.
    fn records(&self) -> Vec<StoredRecord> {
        const KINDS: [Kind; 5] = [Kind::Intent, Kind::Outcome, Kind::Refusal, Kind::Gap, Kind::GapReview];
        let store = SqliteStore::open_read_only(&self.dir.path().join("store")).expect("a store");
        let mut records = collect(&store, &Filter::default());
        records.retain(|record| KINDS.contains(&record.kind));
        records
    }

    fn kinds(&self) -> Vec<Kind> {
        self.records().iter().map(|record| record.kind).collect()
    }

    fn end(self) {
        let glass = self.listening.break_glass().expect("a break-glass");
        self.listening.stop(Duration::from_secs(5));
        glass.close();
        self.recorder.shutdown().expect("all is written");
    }
}

struct Answer(String);

impl Answer {
    fn status(&self) -> u16 {
        let status = self.0.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.expect("a status")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let head = self.0.split("\r\n\r\n").next().unwrap_or_default();
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

#[test]
fn the_named_use_goes_on_and_nothing_else_does() {
    let world = World::new();
    let before = world.ask(CLINICIAN, "letters");
    assert_eq!(
        (before.status(), before.header("ordain-break-glass")),
        (200, None),
        "{}",
        before.0
    );
    world.breaks(true);
    let through = world.ask(CLINICIAN, "letters");
    assert_eq!(
        (through.status(), through.header("ordain-break-glass")),
        (200, Some("spooled")),
        "{}",
        through.0
    );
    let record = through.header("ordain-record").expect("a record").to_owned();
    assert_eq!(world.upstream.seen(), 2);
    for (principal, use_) in [
        (CLINICIAN, "rosters"),
        (CLERK, "letters"),
        (CLINICIAN, "other"),
        (CLERK, "rosters"),
    ] {
        let turned_away = world.ask(principal, use_);
        assert_eq!(turned_away.status(), 503, "{principal} {use_}: {}", turned_away.0);
        assert_eq!(turned_away.header("ordain-break-glass"), None);
    }
    assert_eq!(world.upstream.seen(), 2, "not a byte of them");
    // What the policy stops is stopped, and that is spooled too.
    let stopped = world.ask_about(CLINICIAN, "letters", "Card 4111 1111 1111 1111.");
    assert_eq!(
        (stopped.status(), stopped.header("ordain-decision")),
        (200, Some("block")),
        "{}",
        stopped.0
    );
    assert_eq!(stopped.header("ordain-break-glass"), Some("spooled"));
    assert_eq!(world.upstream.seen(), 2);
    world.look();
    let ready = world.ready();
    assert_eq!(ready.status(), 200);
    assert!(
        ready.0.contains("for the use `letters` alone, for 1800 seconds more"),
        "{}",
        ready.0
    );
    // Nothing of that is in the ledger.
    assert_eq!(world.kinds(), [Kind::Intent, Kind::Outcome]);

    world.breaks(false);
    let healed = world.ask(CLERK, "rosters");
    assert_eq!(
        (healed.status(), healed.header("ordain-break-glass")),
        (200, None),
        "{}",
        healed.0
    );
    world.look();
    assert_eq!(
        world.kinds().get(4..),
        Some([Kind::Intent, Kind::Outcome, Kind::Refusal, Kind::Gap].as_slice())
    );
    let records = world.records();
    assert_eq!(
        records.get(4).map(|one| one.id.to_string()),
        Some(record),
        "the record that the answer named"
    );
    let ready = world.ready();
    assert!(
        ready.status() == 200 && ready.0.contains("has to be reviewed"),
        "{}",
        ready.0
    );
    world.end();
}

#[test]
fn after_the_time_it_is_as_without_until_somebody_has_reviewed() {
    let world = World::new();
    world.breaks(true);
    assert_eq!(world.ask(CLINICIAN, "letters").status(), 200);
    world.move_to(at(29));
    assert_eq!(world.ask(CLINICIAN, "letters").status(), 200);
    world.move_to(at(30));
    let late = world.ask(CLINICIAN, "letters");
    assert_eq!(late.status(), 503, "{}", late.0);
    assert_eq!(world.upstream.seen(), 2, "not a byte of it");
    world.look();
    assert_eq!(world.ready().status(), 503);
    // By the clock that was set back it is the same.
    world.move_to(Moment {
        wall_ms: at(0).wall_ms,
        running: at(31).running,
    });
    assert_eq!(world.ask(CLINICIAN, "letters").status(), 503);

    world.breaks(false);
    assert_eq!(world.ask(CLINICIAN, "letters").status(), 200);
    world.look();
    world.breaks(true);
    assert_eq!(world.ask(CLINICIAN, "letters").status(), 503, "nobody has reviewed");
    world.breaks(false);
    assert_eq!(world.ask(CLINICIAN, "letters").status(), 200);

    // Whoever reviews leaves it beside the spool, and the gateway takes it in.
    let desk = Desk::new(world.dir.path(), &config(), &hasher());
    let seen = desk.look().expect("a folder").expect("an incident");
    assert_eq!(
        (seen.records, seen.taken, seen.gaps.len(), seen.users.len()),
        (4, 4, 1, 1)
    );
    let review = |by| {
        let given = Given {
            by,
            reason: "The disk was full.",
            at_ms: 0,
        };
        desk.post(&rules(), &given).expect("left there");
        world.look();
        desk.is_taken_in()
    };
    assert!(matches!(
        review(CLINICIAN),
        Err(ReviewError::NotCounted(NotCounted::TurnedDown(_)))
    ));
    assert!(matches!(review("dpo@example.com"), Ok(true)));
    assert_eq!(world.kinds().last(), Some(&Kind::GapReview));
    world.breaks(true);
    let again = world.ask(CLINICIAN, "letters");
    assert_eq!(
        (again.status(), again.header("ordain-break-glass")),
        (200, Some("spooled")),
        "{}",
        again.0
    );
    world.end();
}

#[test]
fn an_outcome_that_the_ledger_does_not_take_is_spooled_too() {
    let world = World::new();
    // The intent is in the ledger, then the store breaks.
    let breaks_behind_the_next = |world: &World| {
        assert_eq!(world.ask(CLERK, "rosters").status(), 200);
        let mut script = world.script.lock().expect("script");
        script.breaks_after = Some(script.batches.len() + 1);
    };
    breaks_behind_the_next(&world);
    let answer = world.ask(CLINICIAN, "letters");
    assert_eq!(
        (answer.status(), answer.header("ordain-break-glass")),
        (200, Some("spooled")),
        "{}",
        answer.0
    );
    let before = [Kind::Intent, Kind::Outcome, Kind::Intent];
    assert_eq!(world.kinds(), before);
    let other = World::new();
    breaks_behind_the_next(&other);
    assert_eq!(other.ask(CLERK, "letters").status(), 503);
    world.script.lock().expect("script").breaks_after = None;
    assert_eq!(world.ask(CLERK, "rosters").status(), 200);
    world.look();
    let after = [Kind::Intent, Kind::Outcome, Kind::Outcome, Kind::Gap];
    assert_eq!(world.kinds(), [before.as_slice(), after.as_slice()].concat());
    world.end();
    other.end();
}
