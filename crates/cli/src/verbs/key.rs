//! `ordain key`: virtual keys, shown once and kept as keyed hashes.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use ordain_server::directory::Source;
use ordain_server::keys::{self, KeyHasher};
use ordain_server::setup::Folder;
use ordain_server::store::Store as _;
use ordain_server::store::sqlite::SqliteStore;
use serde_json::json;

use super::{Dir, Format};
use crate::exit::{Answer, print};

/// Make, list and revoke virtual keys
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make a key for a principal; it is shown once
    Create(Create),
    /// List keys, never their secrets
    List(List),
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
            Self::Revoke(verb) => verb.run(),
        }
    }
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
        let (folder, mut store) = open(&self.dir)?;
        self.is_known(&folder);
        let mut rng = rand::rng();
        let hasher = KeyHasher::load_or_create(&folder.keys(), &mut rng)?;
        let at_ms = Timestamp::now().as_millisecond();
        let request = keys::Request {
            principal: &self.principal,
            client: self.client.as_deref(),
            label: &self.label,
            at_ms,
        };
        let (secret, row) =
            keys::issue(&mut store, &hasher, &mut rng, request).context("the key could not be stored")?;
        match self.format {
            Format::Text => {
                print(secret.expose())?;
                eprintln!("key {} for {}; it is not shown again", row.id, self.principal);
            }
            Format::Json => print(
                json!({"id": row.id, "key": secret.expose(), "principal": self.principal, "client": self.client}),
            )?,
        }
        Ok(Answer::Yes)
    }
}

impl Create {
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
                    "MADE",
                    "STATE",
                ]);
                for (key, principal) in rows {
                    let state = if key.revoked_ms.is_some() { "revoked" } else { "valid" };
                    let principal = principal.unwrap_or_else(|| "(erased)".to_owned());
                    table.add_row([
                        key.id,
                        key.prefix,
                        principal,
                        key.client.unwrap_or_default(),
                        key.label,
                        super::records::moment(key.created_ms),
                        state.to_owned(),
                    ]);
                }
                print(table)?;
            }
            Format::Json => {
                let keys: Vec<_> = rows
                    .iter()
                    .map(|(key, principal)| json!({"id": key.id, "prefix": key.prefix, "principal": principal, "client": key.client, "label": key.label, "created_ms": key.created_ms, "revoked_ms": key.revoked_ms}))
                    .collect();
                print(serde_json::to_string_pretty(&json!({"v": 1, "keys": keys}))?)?;
            }
        }
        Ok(Answer::Yes)
    }
}

impl Revoke {
    fn run(self) -> anyhow::Result<Answer> {
        let (_, mut store) = open(&self.dir)?;
        let revoked = store.revoke_key(&self.id, Timestamp::now().as_millisecond())?;
        if revoked {
            print(format_args!("revoked {}", self.id))?;
        } else {
            eprintln!("there is no valid key `{}`; `ordain key list` shows them", self.id);
        }
        Ok(Answer::from(revoked))
    }
}
