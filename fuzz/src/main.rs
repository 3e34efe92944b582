//! Feeds broken policies to everything that reads one, and says how fast. Nothing may panic, overflow or hang.
//!
//! `ordain-fuzz policy SECONDS [SEED]` mutates the sample policies, and keeps every mutant that draws problems which no
//! other one drew, to mutate it further. It needs no nightly compiler. `ordain-fuzz policy FILE` runs one input. An input
//! is a policy, and after a line `#### cases` a file of cases; this is also how crashes are kept.

mod mutate;

use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use jiff::Timestamp;
use mutate::Dice;
use ordain_core::catalog::Catalog;
use ordain_core::cedar::{self, Bridge};
use ordain_core::detect::scanner::Scanner;
use ordain_core::policy::{File, Files, cases, load};

/// Between the policy and its cases in one input.
const SEAM: &str = "#### cases\n";
/// One run that takes this long counts as a hang.
const HANG: Duration = Duration::from_secs(20);
/// How many inputs are kept to go on from.
const POOL: usize = 512;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let catalog = Catalog::built_in();
    match words.as_slice() {
        ["policy", seconds] if seconds.parse::<u64>().is_ok() => fuzz(&catalog, seconds.parse().unwrap_or(60), 1),
        ["policy", seconds, seed] => fuzz(&catalog, seconds.parse().unwrap_or(60), seed.parse().unwrap_or(1)),
        ["policy", path] => {
            let bytes = fs::read(path).expect("an input");
            println!("{:?}", one(&catalog, &bytes));
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: ordain-fuzz policy SECONDS [SEED] | policy FILE");
            ExitCode::from(2)
        }
    }
}

/// Everything that meets a policy: reading, checking, compiling, its cases, reports, and the bridges.
fn one(catalog: &Catalog, bytes: &[u8]) -> BTreeSet<&'static str> {
    let text = String::from_utf8_lossy(bytes);
    let (policy, cases) = text.split_once(SEAM).unwrap_or((&text, ""));
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    let mut all = vec![file("policy.yaml", policy)];
    if !cases.is_empty() {
        all.push(file("cases/all.yaml", cases));
    }
    let files = Files::new(all);
    let now: Timestamp = "2026-12-15T12:00:00Z".parse().expect("a moment");
    let loaded = load(&files, catalog, now);
    let mut drawn: BTreeSet<&'static str> = loaded.problems.iter().map(|problem| problem.code).collect();
    for problem in &loaded.problems {
        assert!(!files.render(problem).is_empty());
    }
    if let (Some(policy), Some(document)) = (&loaded.policy, &loaded.document) {
        drawn.insert("compiled");
        let _ = (cedar::policies(document), cedar::schema(document));
        let (bridge, scanner) = (Bridge::new(document, policy), Scanner::new(policy.own_detectors()));
        for case in loaded.cases.iter().take(8) {
            let outcome = cases::run(policy, document, &scanner, catalog, case);
            drawn.insert(outcome.answer.decision.full.as_str());
            let _ = bridge.questions(&outcome.answer.facts);
        }
    } else if let Some(document) = &loaded.document {
        let _ = cedar::policies(document);
    }
    drawn
}

fn fuzz(catalog: &Catalog, seconds: u64, seed: u64) -> ExitCode {
    let folder = PathBuf::from(env::var_os("ORDAIN_FUZZ_DIR").unwrap_or_else(|| "target/fuzz".into()));
    fs::create_dir_all(&folder).expect("a folder for crashes");
    let mut pool = seeds(Path::new("policies"));
    assert!(!pool.is_empty(), "run from the root of the repository");
    let firsts = pool.len();
    let said = Arc::new(Mutex::new(String::new()));
    let hook = Arc::clone(&said);
    panic::set_hook(Box::new(move |info| {
        if let Ok(mut said) = hook.lock() {
            *said = info.to_string();
        }
    }));
    let (mut dice, mut seen, mut crashes) = (Dice::new(seed), BTreeSet::new(), BTreeSet::new());
    let (began, mut runs, mut kept) = (Instant::now(), 0_u64, 0_u64);
    let mut slowest = (Duration::ZERO, Vec::new());
    let alive = watch(folder.join("current"), began);
    while began.elapsed() < Duration::from_secs(seconds) {
        let mut input = dice.pick(&pool).clone();
        for _ in 0..=dice.below(4) {
            let other = dice.pick(&pool).clone();
            mutate::once(&mut input, &other, &mut dice);
        }
        input.truncate(256 << 10);
        // What ends the process (a stack that overflows) leaves its input here.
        fs::write(folder.join("current"), &input).expect("written");
        alive.store(began.elapsed().as_millis() as u64, Ordering::Relaxed);
        let start = Instant::now();
        let drawn = panic::catch_unwind(AssertUnwindSafe(|| one(catalog, &input)));
        let took = start.elapsed();
        runs += 1;
        if took > slowest.0 {
            slowest = (took, input.clone());
        }
        match drawn {
            Ok(drawn) => {
                if seen.insert(drawn) {
                    kept += 1;
                    if pool.len() < POOL {
                        pool.push(input);
                    } else {
                        let old = firsts + dice.below(POOL - firsts);
                        pool[old] = input;
                    }
                }
            }
            Err(_) => {
                let message = said.lock().map(|said| said.clone()).unwrap_or_default();
                if crashes.insert(message.clone()) {
                    let path = folder.join(format!("crash-{seed}-{runs}.yaml"));
                    fs::write(&path, &input).expect("written");
                    println!("{}: {message}", path.display());
                }
            }
        }
    }
    let (took, input) = slowest;
    fs::write(folder.join("slowest.yaml"), input).expect("written");
    let elapsed = began.elapsed().as_secs_f64();
    println!(
        "{runs} runs in {elapsed:.0} s ({:.0} runs/s), seed {seed}; {kept} different answers; slowest {} ms; {} different crashes",
        runs as f64 / elapsed,
        took.as_millis(),
        crashes.len()
    );
    let _ = fs::remove_file(folder.join("current"));
    if crashes.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    }
}

/// Ends the process when one run takes too long; its input stays.
fn watch(current: PathBuf, began: Instant) -> Arc<AtomicU64> {
    let alive = Arc::new(AtomicU64::new(0));
    let seen = Arc::clone(&alive);
    thread::spawn(move || {
        loop {
            thread::sleep(Duration::from_secs(1));
            let last = Duration::from_millis(seen.load(Ordering::Relaxed));
            if began.elapsed().saturating_sub(last) > HANG {
                println!("hangs: {}", current.display());
                std::process::exit(1);
            }
        }
    });
    alive
}

/// The sample policies with their cases, each as one input.
fn seeds(folder: &Path) -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
        seeds.extend(seeds_below(&path));
    }
    seeds
}

fn seeds_below(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(mut policy) = fs::read(folder.join("policy.yaml")) else {
        return seeds(folder);
    };
    let cases = fs::read_dir(folder.join("cases")).into_iter().flatten().flatten();
    if let Some(text) = cases.filter_map(|entry| fs::read(entry.path()).ok()).next() {
        policy.extend_from_slice(SEAM.as_bytes());
        policy.extend(text);
    }
    vec![policy]
}
