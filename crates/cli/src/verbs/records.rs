//! `ordain records`: what was decided, by pseudonym.

mod review;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ordain_server::setup::Folder;
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::store::tickets::TicketBook as _;
use ordain_server::store::{Filter, Kind, Order, Store as _, StoredRecord, SubjectId};
use serde_json::Value;
use uuid::Uuid;

use super::{Dir, Format};
use crate::exit::{Answer, print};
use crate::policy;

/// Look at the records of what was decided
#[derive(Debug, Subcommand)]
pub(crate) enum Records {
    /// List records, newest first
    List(List),
    /// Show all records of one exchange
    Show(Show),
    /// Print records as they are written
    Tail(Tail),
    /// Erase the words that a person wrote about a request; its record stays
    EraseReason(EraseReason),
    /// Say whether a clause was right about an exchange
    Review(review::Review),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    dir: Dir,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: u64,
    /// Only intent, outcome, refusal, approval, denial, gap or gap-review
    #[arg(long, value_parser = kind)]
    kind: Option<Kind>,
    /// Only this subject: its id, or as much of its beginning as no other has
    #[arg(long, value_name = "ID", value_parser = subject)]
    subject: Option<String>,
    /// Only records from this moment on, as in 2026-12-01T00:00:00Z
    #[arg(long)]
    since: Option<Timestamp>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The id from the `ordain-record` header
    id: Uuid,
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct EraseReason {
    /// The id of the record: of an intent or refusal, or of the answer to a ticket
    id: Uuid,
    #[command(flatten)]
    dir: Dir,
}

#[derive(Debug, Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

fn kind(word: &str) -> Result<Kind, String> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == word)
        .ok_or_else(|| "use intent, outcome, refusal, approval, denial, activation, gap or gap-review".to_owned())
}

fn subject(text: &str) -> Result<String, String> {
    let digits = text.len() <= 32 && text.chars().all(|c| c.is_ascii_hexdigit());
    if digits && !text.is_empty() {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("a subject is 32 hexadecimal digits, or the first of them".to_owned())
    }
}

/// The subject with this id or the only one whose id begins like this; `None` when there is none.
fn the_subject(store: &SqliteStore, beginning: &str) -> anyhow::Result<Option<SubjectId>> {
    if let Some(whole) = SubjectId::parse(beginning) {
        return Ok(Some(whole));
    }
    let mut found = BTreeMap::new();
    store.scan(&Filter::default(), &mut |record| {
        let id = record.subject.to_string();
        if id.starts_with(beginning) {
            found.insert(id, record.subject);
        }
        ControlFlow::Continue(())
    })?;
    if found.len() > 1 {
        let ids: Vec<&str> = found.keys().take(4).map(String::as_str).collect();
        anyhow::bail!(
            "{} subjects begin with `{beginning}`: `{}`{}; give more of it",
            found.len(),
            ids.join("`, `"),
            if found.len() > ids.len() { ", …" } else { "" }
        );
    }
    Ok(found.into_values().next())
}

/// Opens a store to read from.
pub(super) fn open(dir: &Dir) -> anyhow::Result<SqliteStore> {
    let folder = Folder::new(dir.path());
    anyhow::ensure!(folder.is_made(), "{}", dir.missing());
    Ok(SqliteStore::open_read_only(&folder.store())?)
}

/// A moment as people read it.
pub(super) fn moment(ms: i64) -> String {
    Timestamp::from_millisecond(ms).map_or_else(|_| ms.to_string(), |at| at.strftime("%Y-%m-%d %H:%M:%S").to_string())
}

impl Records {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::List(verb) => verb.run(),
            Self::Show(verb) => verb.run(),
            Self::Tail(verb) => verb.run(),
            Self::EraseReason(verb) => verb.run(),
            Self::Review(verb) => verb.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<Answer> {
        let store = open(&self.dir)?;
        let subject = match &self.subject {
            None => None,
            Some(beginning) => {
                let Some(subject) = the_subject(&store, beginning)? else {
                    eprintln!("no records of a subject that begins with `{beginning}`");
                    return Ok(Answer::No);
                };
                Some(subject)
            }
        };
        let filter = Filter {
            kind: self.kind,
            subject,
            from_ms: self.since.map(Timestamp::as_millisecond),
            limit: Some(self.limit),
            order: Order::NewestFirst,
            ..Filter::default()
        };
        let mut rows = Vec::new();
        store.scan(&filter, &mut |record| {
            rows.push(record);
            ControlFlow::Continue(())
        })?;
        match self.format {
            Format::Json => {
                let records = rows.iter().map(value).collect::<anyhow::Result<Vec<_>>>()?;
                print(serde_json::to_string_pretty(
                    &serde_json::json!({"v": 1, "records": records}),
                )?)?;
            }
            Format::Text if rows.is_empty() => print("no records yet")?,
            Format::Text => {
                let mut table = Table::new();
                table.load_style(presets::NOTHING).set_header([
                    "WHEN (UTC)",
                    "KIND",
                    "EXCHANGE",
                    "SUBJECT",
                    "APP",
                    "VERDICT",
                    "FULL",
                    "CLAUSES",
                ]);
                for row in &rows {
                    table.add_row(columns(row)?);
                }
                print(table)?;
            }
        }
        Ok(Answer::Yes)
    }
}

pub(super) fn value(record: &StoredRecord) -> anyhow::Result<Value> {
    serde_json::from_slice(&record.bytes).with_context(|| format!("record {} is not readable", record.sequence))
}

fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The clauses of a record that say more than `allow`.
fn clauses(value: &Value) -> String {
    // Of an answer to a ticket they are ids alone.
    let clauses = value.pointer("/decision/clauses").or_else(|| value.get("clauses"));
    clauses
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|clause| clause.as_str().unwrap_or_else(|| text(clause, "/id")))
        .collect::<Vec<_>>()
        .join(", ")
}

fn columns(record: &StoredRecord) -> anyhow::Result<[String; 8]> {
    let value = value(record)?;
    let verdict = match text(&value, "/result") {
        "" | "completed" => text(&value, "/decision/verdict").to_owned(),
        other => format!("{} ({other})", text(&value, "/decision/verdict"))
            .trim()
            .to_owned(),
    };
    let subject: String = record.subject.to_string().chars().take(8).collect();
    Ok([
        moment(record.at_ms),
        record.kind.to_string(),
        record.exchange.to_string(),
        subject,
        text(&value, "/to/app").to_owned(),
        verdict,
        text(&value, "/decision/full").to_owned(),
        clauses(&value),
    ])
}

/// All records of an exchange.
pub(super) fn exchange(store: &SqliteStore, id: Uuid) -> anyhow::Result<Vec<StoredRecord>> {
    let mut found = Vec::new();
    let filter = Filter {
        exchange: Some(id),
        ..Filter::default()
    };
    store.scan(&filter, &mut |record| {
        found.push(record);
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

fn no_exchange(id: Uuid) -> Answer {
    eprintln!("no exchange `{id}`; the id is in the `ordain-record` header of its answer");
    Answer::No
}

impl Show {
    fn run(self) -> anyhow::Result<Answer> {
        let store = open(&self.dir)?;
        let found = exchange(&store, self.id)?;
        if found.is_empty() {
            return Ok(no_exchange(self.id));
        }
        let mut reasons = Vec::new();
        for record in &found {
            reasons.extend(store.reason(record.id)?.map(|words| (record.id, words)));
        }
        if self.format == Format::Json {
            let records = found.iter().map(value).collect::<anyhow::Result<Vec<_>>>()?;
            let mut shown = serde_json::json!({"v": 1, "records": records});
            if let Some(members) = shown.as_object_mut().filter(|_| !reasons.is_empty()) {
                let reasons = reasons.into_iter().map(|(id, words)| (id.to_string(), words.into()));
                members.insert("reasons".to_owned(), Value::Object(reasons.collect()));
            }
            print(serde_json::to_string_pretty(&shown)?)?;
            return Ok(Answer::Yes);
        }
        for record in &found {
            show_record(record, self.dir.path())?;
            if let Some((_, words)) = reasons.iter().find(|(id, _)| *id == record.id) {
                print(format_args!(
                    "# beside the record, in a person's own words\nreason: {words}\n"
                ))?;
            }
        }
        Ok(Answer::Yes)
    }
}

/// Prints a record for people. Without a policy that can be read, times are those of the whole world.
pub(super) fn show_record(record: &StoredRecord, dir: &Path) -> anyhow::Result<()> {
    let policy = policy::read_for_use(dir).and_then(policy::Read::usable);
    let zone = policy.map_or(TimeZone::UTC, |(policy, ..)| policy.zone().clone());
    print(format_args!(
        "# {}, {}; sequence {}, leaf {}",
        record.kind,
        local(record.at_ms, &zone),
        record.sequence,
        record.leaf
    ))?;
    let mut lines = String::new();
    outline(&value(record)?, "", &zone, 0, &mut lines);
    print(lines)
}

impl EraseReason {
    fn run(self) -> anyhow::Result<Answer> {
        let folder = Folder::new(self.dir.path());
        anyhow::ensure!(folder.is_made(), "{}", self.dir.missing());
        let erased = SqliteStore::open_shared(&folder.store())?.erase_reason(self.id)?;
        if erased {
            print(format_args!(
                "erased what was written about {}; its record stays",
                self.id
            ))?;
        } else {
            eprintln!("nobody wrote anything about `{}`, or it was erased", self.id);
        }
        Ok(Answer::from(erased))
    }
}

/// A moment as people in a zone read it.
fn local(ms: i64, zone: &TimeZone) -> String {
    Timestamp::from_millisecond(ms).map_or_else(
        |_| ms.to_string(),
        |at| at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
    )
}

/// A value as an indented outline: what is small on one line, moments in words.
fn outline(value: &Value, key: &str, zone: &TimeZone, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let small = |value: &Value| !value.is_object() && !value.is_array();
    match value {
        Value::Object(members) if !members.is_empty() => {
            let deeper = if key.is_empty() { depth } else { depth + 1 };
            if !key.is_empty() {
                let _ = writeln!(out, "{indent}{key}:");
            }
            for (name, member) in members {
                outline(member, name, zone, deeper, out);
            }
        }
        Value::Array(items) if !items.iter().all(small) => {
            let _ = writeln!(out, "{indent}{key}:");
            for item in items {
                let mut lines = String::new();
                outline(item, "", zone, depth + 2, &mut lines);
                let dashed = format!("{indent}  - {}", lines.trim_start());
                out.push_str(&dashed);
            }
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| plain(item, key, zone)).collect();
            let _ = writeln!(
                out,
                "{indent}{key}: {}",
                if items.is_empty() {
                    "none".to_owned()
                } else {
                    items.join(", ")
                }
            );
        }
        other => {
            let _ = writeln!(out, "{indent}{key}: {}", plain(other, key, zone));
        }
    }
}

/// A value without members, as people read it.
fn plain(value: &Value, key: &str, zone: &TimeZone) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if key == "at" => {
            number.as_i64().map_or_else(|| number.to_string(), |ms| local(ms, zone))
        }
        Value::Null => "none".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// How often a tail looks for more.
const POLL: Duration = Duration::from_millis(200);

impl Tail {
    fn run(self) -> anyhow::Result<Answer> {
        let store = open(&self.dir)?;
        let mut last = None;
        store.scan(
            &Filter {
                limit: Some(1),
                order: Order::NewestFirst,
                ..Filter::default()
            },
            &mut |record| {
                last = Some(record.sequence);
                ControlFlow::Continue(())
            },
        )?;
        loop {
            let mut rows = Vec::new();
            store.scan(
                &Filter {
                    after: last,
                    ..Filter::default()
                },
                &mut |record| {
                    rows.push(record);
                    ControlFlow::Continue(())
                },
            )?;
            for row in &rows {
                last = Some(row.sequence);
                match self.format {
                    Format::Json => print(value(row)?)?,
                    Format::Text => print(columns(row)?.join("  "))?,
                }
            }
            std::thread::sleep(POLL);
        }
    }
}
