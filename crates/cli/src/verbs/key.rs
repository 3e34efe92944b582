//! `ordain key`: virtual keys, shown once and kept as keyed hashes.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use ordain_core::decide::Pattern;
use ordain_core::wire::{self, Wire};
use ordain_server::directory::Source;
use ordain_server::keys::{self, KeyHasher, Secret};
use ordain_server::setup::Folder;
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::store::{KeyRow, KeyState, Limit, Scope, Store as _, Terms};
use serde_json::{Value, json};

use super::{Dir, Format};
use crate::exit::{Answer, print};
use crate::policy;

/// Make, list, rotate and revoke virtual keys
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key for a principal; it is shown once
    Create(Box<Create>),
    /// List keys, never their secrets
    List(List),
    /// Make another key in place of one, which goes on for a while
    Rotate(Rotate),
    /// Revoke a key; running gateways refuse it within a second
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Whom the key authenticates, as the directory file names them
    principal: String,
    /// The calling software that it is bound to
    #[arg(long)]
    client: Option<String>,
    /// A note to recognise it by
    #[arg(long, default_value = "")]
    label: String,
    /// When it ends: a length of time (90d, 12h, 30m) or its last day (2027-01-31, UTC); never if left out
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// The use that every request with it is for
    #[arg(long = "use", value_name = "USE")]
    use_: Option<String>,
    /// An app that it opens; may be repeated, and any if left out
    #[arg(long = "app", value_name = "APP")]
    apps: Vec<String>,
    /// A model that it opens, `*` standing for any characters
    #[arg(long = "model", value_name = "MODEL")]
    models: Vec<String>,
    /// A use that requests with it may declare
    #[arg(long = "for-use", value_name = "USE", conflicts_with = "use_")]
    uses: Vec<String>,
    /// A wire (openai-chat) or a path (/v1/chat/*) that it opens
    #[arg(long = "endpoint", value_name = "ENDPOINT")]
    endpoints: Vec<String>,
    /// What may be spent with it: requests=60/minute, tokens=2000000/day, cost=12.50/month; may be repeated
    #[arg(long = "limit", value_name = "LIMIT")]
    limits: Vec<String>,
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The key's id, from `ordain key list`
    id: String,
    /// For how long the old key goes on: 7d, 12h, 30m
    #[arg(long, value_name = "LENGTH")]
    overlap: String,
    /// When the new key ends; if left out, it lives for as long as the old one was made for
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The key's id, from `ordain key list`
    id: String,
    #[command(flatten)]
    dir: Dir,
}

impl Key {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::Create(verb) => verb.run(),
            Self::List(verb) => verb.run(),
            Self::Rotate(verb) => verb.run(),
            Self::Revoke(verb) => verb.run(),
        }
    }
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

/// When a key ends, from what somebody typed.
fn end(typed: Option<&str>, now_ms: i64) -> anyhow::Result<Option<i64>> {
    let Some(typed) = typed else { return Ok(None) };
    let end = keys::end_of(typed, now_ms).with_context(|| {
        format!("`{typed}` is no end of a key\n  = help: write a length of time (90d, 12h, 30m) or its last day (2027-01-31)")
    })?;
    anyhow::ensure!(end > now_ms, "`{typed}` is over already, so the key would open nothing");
    Ok(Some(end))
}

fn open(dir: &Dir) -> anyhow::Result<(Folder, SqliteStore)> {
    let folder = Folder::new(dir.path());
    anyhow::ensure!(folder.is_made(), "{}", dir.missing());
    let store = SqliteStore::open_shared(&folder.store())?;
    Ok((folder, store))
}

impl Create {
    fn run(self) -> anyhow::Result<Answer> {
        anyhow::ensure!(!self.principal.trim().is_empty(), "a key needs a principal");
        let at_ms = now_ms();
        let expires_ms = end(self.expires.as_deref(), at_ms)?;
        let terms = self.terms()?;
        let (folder, mut store) = open(&self.dir)?;
        self.is_known(&folder);
        self.uses_are_known(&folder);
        let mut rng = rand::rng();
        let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rng)?;
        let request = keys::Request {
            principal: &self.principal,
            client: self.client.as_deref(),
            label: &self.label,
            at_ms,
            expires_ms,
            terms,
        };
        let (secret, row) =
            keys::issue(&mut store, &hasher, &mut rng, request).context("the key could not be stored")?;
        show(&secret, &row, &self.principal, self.format)
    }

    /// What the key may be used for.
    fn terms(&self) -> anyhow::Result<Terms> {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        let limits = self.limits.iter().map(|text| {
            Limit::parse(text).with_context(|| {
                format!("`{text}` is no limit\n  = help: write requests=60/minute, tokens=2000000/day or cost=12.50/month, for each minute, hour, day or month")
            })
        });
        let known = wire::all().map(Wire::id);
        for endpoint in &self.endpoints {
            let fits = |wire: &&str| Pattern::new(endpoint).matches(wire);
            anyhow::ensure!(
                endpoint.starts_with('/') || known.iter().any(fits),
                "`{endpoint}` is no wire and no path\n  = help: the wires are {}",
                known.join(", ")
            );
        }
        Ok(Terms {
            scope: Scope {
                apps: self.apps.clone(),
                models: patterns(&self.models),
                uses: self.uses.clone(),
                endpoints: patterns(&self.endpoints),
            },
            use_: self.use_.clone(),
            limits: limits.collect::<anyhow::Result<_>>()?,
        })
    }
}

/// Shows a new key to its owner, once.
fn show(secret: &Secret, row: &KeyRow, principal: &str, format: Format) -> anyhow::Result<Answer> {
    match format {
        Format::Text => {
            print(secret.expose())?;
            eprintln!("key {} for {principal}; it is not shown again", row.id);
        }
        Format::Json => print(json!({
            "id": row.id,
            "key": secret.expose(),
            "principal": principal,
            "client": row.client,
            "expires_ms": row.expires_ms,
        }))?,
    }
    Ok(Answer::Yes)
}

impl Rotate {
    fn run(self) -> anyhow::Result<Answer> {
        let at_ms = now_ms();
        let overlap = keys::milliseconds(&self.overlap).with_context(|| {
            format!(
                "`{}` is no length of time\n  = help: write 7d, 12h, 30m, or 0m for none",
                self.overlap
            )
        })?;
        let expires_ms = end(self.expires.as_deref(), at_ms)?;
        let (folder, mut store) = open(&self.dir)?;
        let old = store.keys()?.into_iter().find(|key| key.id == self.id);
        let Some(old) = old.filter(|key| key.state(at_ms) == KeyState::Valid) else {
            eprintln!("there is no valid key `{}`; `ordain key list` shows them", self.id);
            return Ok(Answer::No);
        };
        let Some(principal) = store.name_of(old.subject)? else {
            eprintln!(
                "the name behind key `{}` was erased, so nobody could use another",
                self.id
            );
            return Ok(Answer::No);
        };
        let mut rng = rand::rng();
        let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rng)?;
        let until_ms = at_ms.saturating_add(overlap);
        let rotated = keys::rotate(&mut store, &hasher, &mut rng, &old, at_ms, until_ms, expires_ms);
        let Some((secret, row)) = rotated.context("the key could not be stored")? else {
            eprintln!("key `{}` was revoked just now", self.id);
            return Ok(Answer::No);
        };
        let end = old.expires_ms.map_or(until_ms, |end| end.min(until_ms));
        eprintln!("key {} goes on until {}", old.id, super::records::moment(end));
        show(&secret, &row, &principal, self.format)
    }
}

impl Create {
    /// Says so when the policy does not know a use that the key is for; the key is made all the same.
    fn uses_are_known(&self, folder: &Folder) {
        if self.use_.is_none() && self.uses.is_empty() {
            return;
        }
        let read = policy::read_for_use(folder.path());
        let Some(policy) = read.ok().and_then(|read| read.loaded.policy) else {
            return;
        };
        for name in self.use_.iter().chain(&self.uses).filter(|name| !policy.has_use(name)) {
            eprintln!(
                "note: the policy has no use `{name}`, so requests for it count as undeclared; `scope.uses` lists those that it has"
            );
        }
    }

    /// Says so when the directory does not know the principal; the key is made all the same.
    fn is_known(&self, folder: &Folder) {
        // What is wrong with the directory itself, `check` and `serve` tell.
        let (Ok(Some(source)), Ok(directory)) = (Source::find(folder), ordain_server::version::directory(folder))
        else {
            return;
        };
        if directory.knows(&self.principal) {
            return;
        }
        let meant = directory.name_of(&self.principal);
        let help = meant.map_or_else(
            || "add the name there, with its groups".to_owned(),
            |meant| format!("did you mean `{meant}`?"),
        );
        eprintln!(
            "note: `{}` is not in `{}`, so in no group but `everyone`; {help}",
            self.principal,
            source.path.display()
        );
    }
}

impl List {
    fn run(self) -> anyhow::Result<Answer> {
        let (_, store) = open(&self.dir)?;
        let now_ms = now_ms();
        let mut rows = Vec::new();
        for key in store.keys()? {
            let principal = store.name_of(key.subject)?;
            rows.push((key, principal));
        }
        match self.format {
            Format::Text if rows.is_empty() => print("no keys yet; `ordain key create PRINCIPAL` makes one")?,
            Format::Text => {
                let mut table = Table::new();
                table.load_style(presets::NOTHING).set_header([
                    "ID",
                    "BEGINS",
                    "PRINCIPAL",
                    "CLIENT",
                    "LABEL",
                    "STATE",
                    "MADE",
                    "ENDS",
                    "USED",
                    "FOR",
                ]);
                for (key, principal) in rows {
                    table.add_row([
                        key.id.clone(),
                        key.prefix.clone(),
                        principal.unwrap_or_else(|| "(erased)".to_owned()),
                        key.client.clone().unwrap_or_default(),
                        key.label.clone(),
                        key.state(now_ms).as_str().to_owned(),
                        super::records::moment(key.created_ms),
                        key.expires_ms.map(super::records::moment).unwrap_or_default(),
                        key.used_day.map_or_else(|| "never".to_owned(), day),
                        in_words(&key.terms),
                    ]);
                }
                print(table)?;
            }
            Format::Json => {
                let keys: Vec<_> = rows
                    .iter()
                    .map(|(key, principal)| listed(key, principal.as_deref(), now_ms))
                    .collect();
                print(serde_json::to_string_pretty(&json!({"v": 1, "keys": keys}))?)?;
            }
        }
        Ok(Answer::Yes)
    }
}

/// A key as programs read it.
fn listed(key: &KeyRow, principal: Option<&str>, now_ms: i64) -> Value {
    json!({
        "id": key.id,
        "prefix": key.prefix,
        "principal": principal,
        "client": key.client,
        "label": key.label,
        "state": key.state(now_ms).as_str(),
        "created_ms": key.created_ms,
        "revoked_ms": key.revoked_ms,
        "expires_ms": key.expires_ms,
        "used_on": key.used_day.map(day),
        "line": key.line,
        "terms": key.terms.to_json(),
    })
}

/// A day since 1970 as people read it.
fn day(days: i64) -> String {
    let seconds = days.saturating_mul(86_400);
    Timestamp::from_second(seconds).map_or_else(|_| days.to_string(), |moment| moment.strftime("%Y-%m-%d").to_string())
}

/// What a key may be used for, in a line.
fn in_words(terms: &Terms) -> String {
    let mut words: Vec<String> = Vec::new();
    words.extend(terms.use_.iter().map(|use_| format!("use {use_}")));
    let lists = terms.scope.lists().into_iter().filter(|(_, list)| !list.is_empty());
    words.extend(lists.map(|(name, list)| format!("{name} {}", list.join(" "))));
    words.extend(terms.limits.iter().map(ToString::to_string));
    if words.is_empty() {
        "everything".to_owned()
    } else {
        words.join("; ")
    }
}

impl Revoke {
    fn run(self) -> anyhow::Result<Answer> {
        let (_, mut store) = open(&self.dir)?;
        let revoked = store.revoke_key(&self.id, now_ms())?;
        if revoked {
            print(format_args!("revoked {}", self.id))?;
        } else {
            eprintln!("there is no valid key `{}`; `ordain key list` shows them", self.id);
        }
        Ok(Answer::from(revoked))
    }
}
