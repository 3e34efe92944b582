//! The guide for a policy's owner is true: what it shows is run, in its order, in a folder of its own.
//!
//! Three kinds of blocks count, and all others are left alone. ```` ```console ```` holds commands (lines that begin with
//! `$ `) with what they print; one line `…` stands for lines that are left out. ```` ```diff ```` begins with `--- FILE` and
//! changes that file. ```` ```yaml FILE ```` makes a file. With `UPDATE=1` the commands stay and what they print is written
//! anew. Dates, digests and whatever else is never the same twice are not compared. The minutes in its headings are at least
//! what following them takes. Read [`the_guide_is_true`] first.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use ordain_core::library::questions::QUESTIONS;
use regex_automata::meta::Regex;
use tempfile::TempDir;

/// The address that the guide shows; the test's gateway listens wherever there is room.
const ADDRESS: &str = "127.0.0.1:8080";
/// The line of the guide that stands for lines left out.
const LEFT_OUT: &str = "…";

#[test]
fn the_guide_is_true() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/guide/policy-owner.md");
    let guide = fs::read_to_string(&path).expect("the guide");
    let mut reader = Reader::new();
    let mut made = String::new();
    let mut rest = guide.as_str();
    while let Some((before, after)) = rest.split_once("\n```") {
        let (kind, after) = after.split_once('\n').expect("a block begins");
        let (block, after) = after.split_once("\n```\n").expect("a block ends");
        let block = match kind.split_once(' ').unwrap_or((kind, "")) {
            ("console", _) => reader.console(block),
            ("diff", _) => {
                reader.edit(block);
                block.to_owned()
            }
            ("yaml", file) if !file.is_empty() => {
                fs::write(reader.path(file), format!("{block}\n")).expect("a file is written");
                block.to_owned()
            }
            ("text", "questions") => questions(),
            _ => block.to_owned(),
        };
        made.push_str(&format!("{before}\n```{kind}\n{block}\n```\n"));
        rest = after;
    }
    made.push_str(rest);
    let page = fs::read_to_string(reader.path("acme/summary.md")).expect("the summary");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).expect("the guide is written");
        return minutes_are_honest(&made, words(&page));
    }
    for (number, (made, guide)) in made.lines().zip(guide.lines()).enumerate() {
        assert_eq!(
            guide,
            made,
            "line {} of the guide shows something else; UPDATE=1 writes it anew",
            number + 1
        );
    }
    assert_eq!(
        guide.len(),
        made.len(),
        "the guide ends otherwise; UPDATE=1 writes it anew"
    );
    minutes_are_honest(&guide, words(&page));
}

/// Each section takes no longer than its heading says, and all together no longer than half an hour. Somebody reads 200 words a
/// minute, and `page` words of the summary where the guide asks for it; a command takes a third of a minute and an edit one.
fn minutes_are_honest(guide: &str, page: usize) {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut in_block = false;
    for line in guide.lines() {
        in_block ^= line.starts_with("```");
        match sections.last_mut() {
            _ if line.starts_with("## ") && !in_block => sections.push((line, Vec::new())),
            Some((_, lines)) => lines.push(line),
            None => {}
        }
    }
    let mut all = 0;
    for (heading, lines) in &sections {
        let end = [" minutes)", " minute)"]
            .into_iter()
            .find_map(|end| heading.strip_suffix(end));
        let Some((_, said)) = end.and_then(|start| start.rsplit_once('(')) else {
            continue;
        };
        let said: usize = said.parse().expect("a number of minutes");
        let starting = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
        let asks_for_page = lines
            .iter()
            .any(|line| line.starts_with("Open `acme/summary.md` and read it."));
        let shown: usize = lines.iter().map(|line| words(line)).sum();
        let read = shown + if asks_for_page { page } else { 0 };
        let edits = starting("```diff") + starting("```yaml ");
        // In hundredths of a minute.
        let takes = read / 2 + 30 * starting("$ ") + 100 * edits;
        assert!(takes <= said * 100, "{heading}: takes {takes} hundredths of a minute");
        all += said;
    }
    assert!(all > 0 && all <= 30, "{all} minutes altogether");
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The questions of the interview, as it puts them.
fn questions() -> String {
    let all = QUESTIONS.iter().enumerate();
    let lines: Vec<String> = all
        .map(|(number, question)| format!("[{}/{}] {}", number + 1, QUESTIONS.len(), question.ask))
        .collect();
    lines.join("\n")
}

/// Somebody who follows the guide: a folder, and what runs in the other terminal.
struct Reader {
    dir: TempDir,
    masks: Vec<(Regex, &'static str)>,
    /// Ids of exchanges as they came, by the ids that the guide shows.
    exchanges: BTreeMap<String, String>,
    exchange: Regex,
    gateway: Option<Gateway>,
    key: String,
}

impl Reader {
    fn new() -> Self {
        let regex = |pattern| Regex::new(pattern).expect("a pattern");
        let masks = [
            (r"sha256:[0-9a-f]{64}", "sha256:…"),
            (r"\bord-[A-Za-z0-9_-]{16,}", "ord-…"),
            (r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}:\d{2})?", "DATE"),
            (r"dur=[0-9.]+", "dur=…"),
            (r#""created":[0-9]+"#, "CREATED"),
            (r"\b[0-9a-f]{8}\b", "SUBJECT"),
            (r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} [0-9:]{8} GMT", "DATE"),
        ];
        Self {
            dir: TempDir::new().expect("a folder"),
            masks: masks.map(|(pattern, put)| (regex(pattern), put)).to_vec(),
            exchanges: BTreeMap::new(),
            exchange: regex(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
            gateway: None,
            key: String::new(),
        }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// Runs a block's commands; the block with what they print now, or as it was if only what always changes differs.
    fn console(&mut self, block: &str) -> String {
        let mut parts: Vec<(String, Vec<&str>)> = Vec::new();
        for line in block.lines() {
            match parts.last_mut() {
                Some((command, _)) if command.ends_with('\\') => {
                    command.push('\n');
                    command.push_str(line);
                }
                _ if line.starts_with("$ ") => parts.push((line.to_owned(), Vec::new())),
                Some((_, shown)) => shown.push(line),
                None => panic!("a block begins with a command, not with `{line}`"),
            }
        }
        let mut lines: Vec<String> = Vec::new();
        for (command, shown) in parts {
            let printed = self.run(command.trim_start_matches("$ "));
            let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
            lines.push(command);
            lines.extend(self.kept(&shown, &printed));
        }
        lines.join("\n")
    }

    /// What the guide shows, with lines that say something else now in the place of its own.
    fn kept(&self, shown: &[&str], printed: &[&str]) -> Vec<String> {
        let kept = |shown: &[&str], printed: &[&str]| -> Vec<String> {
            let line = |(number, printed): (usize, &&str)| match shown.get(number) {
                Some(shown) if self.mask(shown) == self.mask(printed) => (*shown).to_owned(),
                _ => self.stable(printed),
            };
            printed.iter().enumerate().map(line).collect()
        };
        let Some(gap) = shown.iter().position(|&line| line == LEFT_OUT) else {
            return kept(shown, printed);
        };
        let (head, tail) = (&shown[..gap], &shown[gap + 1..]);
        if head.len() + tail.len() >= printed.len() {
            return kept(&[], printed);
        }
        let mut lines = kept(head, &printed[..head.len()]);
        lines.push(LEFT_OUT.to_owned());
        lines.extend(kept(tail, &printed[printed.len() - tail.len()..]));
        lines
    }

    /// A line without what is never the same twice.
    fn mask(&self, line: &str) -> String {
        let masks = self.masks.iter();
        masks.fold(line.to_owned(), |line, (regex, put)| {
            replace(regex, &line, |_| (*put).to_owned())
        })
    }

    /// A line as the guide shows it: what nobody could type or would compare is cut.
    fn stable(&self, line: &str) -> String {
        let masks = self.masks.iter().take(2);
        masks.fold(line.to_owned(), |line, (regex, put)| {
            replace(regex, &line, |_| (*put).to_owned())
        })
    }

    fn run(&mut self, command: &str) -> String {
        let printed = if command.starts_with("ordain up ") {
            self.up(command)
        } else if command.starts_with("export ") {
            // The key that the guide shows is cut; the real one is known since `up` printed it.
            String::new()
        } else {
            let shell = self.shell(command).output().expect("a shell");
            String::from_utf8(shell.stdout).expect("text")
        };
        self.numbered(&printed)
    }

    /// A command in a shell, as it would be typed, in the folder.
    fn shell(&self, command: &str) -> Command {
        let ordain = Path::new(env!("CARGO_BIN_EXE_ordain"));
        let beside = ordain.parent().expect("a folder").display().to_string();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = self.real(command);
        command.insert_str(0, "exec 2>&1; ");
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &command])
            .current_dir(self.dir.path())
            .env("PATH", format!("{beside}:{path}"))
            .env("LC_ALL", "C.UTF-8")
            .env("ORDAIN_KEY", &self.key)
            .env_remove("OPENAI_API_KEY")
            .env_remove("ANTHROPIC_API_KEY")
            .env_remove("ORDAIN_LOG")
            .stdin(Stdio::null());
        shell
    }

    /// A command with the real address and the real ids in the place of those that the guide shows.
    fn real(&self, command: &str) -> String {
        let mut command = command.to_owned();
        if let Some(gateway) = &self.gateway {
            command = command.replace(ADDRESS, &gateway.address);
        }
        for (shown, real) in &self.exchanges {
            command = command.replace(shown, real);
        }
        command
    }

    /// Output with the address and the ids that the guide shows.
    fn numbered(&mut self, printed: &str) -> String {
        let printed = match &self.gateway {
            Some(gateway) => printed.replace(&gateway.address, ADDRESS),
            None => printed.to_owned(),
        };
        let exchanges = &mut self.exchanges;
        replace(&self.exchange, &printed, |real| {
            let known = exchanges.iter().find(|(_, known)| known.as_str() == real);
            if let Some((shown, _)) = known {
                return shown.clone();
            }
            let shown = format!("019ac0de-0000-7000-8000-{:012}", exchanges.len() + 1);
            exchanges.insert(shown.clone(), real.to_owned());
            shown
        })
    }

    /// Starts the gateway, as in a terminal of its own; one that runs is stopped before.
    fn up(&mut self, command: &str) -> String {
        self.gateway = None;
        let mut child = self
            .shell(&format!("exec {command} --listen 127.0.0.1:0"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("ordain starts");
        let mut printed = String::new();
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        while !printed.trim_end().ends_with("Stop with Ctrl-C.") {
            let Some(line) = lines.next() else {
                panic!("`{command}` did not start:\n{printed}");
            };
            printed.push_str(&format!("{}\n", line.expect("a line")));
        }
        let word = |before: &str| {
            printed
                .split_once(before)?
                .1
                .split_whitespace()
                .next()
                .map(str::to_owned)
        };
        self.key = word("export ORDAIN_KEY=").unwrap_or_else(|| self.key.clone());
        self.gateway = Some(Gateway {
            child,
            address: word("http://").expect("an address"),
            _output: lines,
        });
        printed
    }

    /// Changes a file as a block with `-` and `+` says; what it takes out stands there exactly once.
    fn edit(&self, block: &str) {
        let (head, hunks) = block.split_once('\n').expect("a file and a change");
        let path = self.path(head.strip_prefix("--- ").expect("the file that changes"));
        let mut text = fs::read_to_string(&path).expect("the file");
        for hunk in hunks.split("\n@@\n") {
            let of = |other: char| -> String {
                let lines = hunk.lines().filter(|line| !line.starts_with(other));
                lines
                    .filter_map(|line| line.get(1..))
                    .map(|line| format!("{line}\n"))
                    .collect()
            };
            let (old, new) = (of('+'), current(&of('-')));
            assert_eq!(
                text.matches(&old).count(),
                1,
                "{} has this once:\n{old}",
                path.display()
            );
            text = text.replace(&old, &new);
        }
        fs::write(&path, text).expect("the file is written");
    }
}

/// A change with dates that hold today: what the guide shows as granted and as expiring would run out one day.
fn current(text: &str) -> String {
    let today = jiff::Zoned::now().date();
    let line = |line: &str| {
        let dated = [("granted: ", 0), ("expires: ", 60)]
            .into_iter()
            .find_map(|(key, days)| {
                let start = line.strip_suffix(line.trim_start())?;
                line.trim_start().strip_prefix(key)?;
                let date = today.checked_add(jiff::Span::new().days(days)).ok()?;
                Some(format!("{start}{key}{date}\n"))
            });
        dated.unwrap_or_else(|| format!("{line}\n"))
    };
    text.lines().map(line).collect()
}

/// What runs in the other terminal.
struct Gateway {
    child: Child,
    address: String,
    /// Held open for as long as it may write.
    _output: Lines<BufReader<ChildStdout>>,
}

impl Drop for Gateway {
    /// As Ctrl-C does it: what runs may end.
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .args(["-INT", &self.child.id().to_string()])
            .status();
        let _ = self.child.wait();
    }
}

/// Every match of a pattern replaced.
fn replace(regex: &Regex, text: &str, mut put: impl FnMut(&str) -> String) -> String {
    let mut out = String::new();
    let mut done = 0;
    for found in regex.find_iter(text) {
        out.push_str(text.get(done..found.start()).unwrap_or_default());
        out.push_str(&put(text.get(found.range()).unwrap_or_default()));
        done = found.end();
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}
