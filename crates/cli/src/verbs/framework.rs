//! `ordain framework`: the packs that clauses map to, and what is in them.

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use ordain_core::standards::{self, Item, Pack};
use serde_json::{Value, json};

use super::Format;
use crate::exit::{Answer, print};

/// Look at the frameworks that clauses can map to
#[derive(Debug, Subcommand)]
pub(crate) enum Framework {
    /// List the packs
    List(List),
    /// Show the items of a pack
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Id of the pack, as in `ordain framework list`
    #[arg(value_name = "PACK")]
    pack: String,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Framework {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::List(verb) => verb.run(),
            Self::Show(verb) => verb.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<Answer> {
        let packs = standards::packs();
        match self.format {
            Format::Json => {
                let packs: Vec<Value> = packs.iter().map(|pack| about(pack, &json!(pack.items.len()))).collect();
                print(serde_json::to_string_pretty(&json!({"v": 1, "packs": packs}))?)?;
            }
            Format::Text => {
                let mut table = table(["PACK", "NAME", "VERSION", "ITEMS", "STATUS"]);
                for pack in packs {
                    let status = pack
                        .successor
                        .map_or_else(|| "current".to_owned(), |next| format!("see {next}"));
                    let items = pack.items.len().to_string();
                    table.add_row([pack.id, pack.name, pack.version, &items, &status]);
                }
                print(table)?;
            }
        }
        Ok(Answer::Yes)
    }
}

impl Show {
    fn run(self) -> anyhow::Result<Answer> {
        let Some(pack) = standards::pack(&self.pack) else {
            let editions: Vec<&str> = standards::versions(&self.pack).iter().map(|pack| pack.id).collect();
            match editions.as_slice() {
                [] => print(format_args!(
                    "no framework called `{}`; see `ordain framework list`",
                    self.pack
                ))?,
                editions => print(format_args!(
                    "`{}` has these editions: {}",
                    self.pack,
                    editions.join(", ")
                ))?,
            }
            return Ok(Answer::No);
        };
        match self.format {
            Format::Json => {
                let items: Vec<Value> = pack.items.iter().map(item).collect();
                let mut shown = about(pack, &json!(items));
                shown["v"] = json!(1);
                print(serde_json::to_string_pretty(&shown)?)?;
            }
            Format::Text => {
                print(format_args!(
                    "{} {}, {}\n{}",
                    pack.name, pack.version, pack.publisher, pack.url
                ))?;
                if let Some(next) = pack.successor {
                    print(format_args!("superseded by {next}"))?;
                }
                let mut table = table(["ITEM", "KIND", "TITLE", "NOW"]);
                for item in &pack.items {
                    table.add_row([
                        item.id,
                        item.kind,
                        item.title.unwrap_or_default(),
                        item.successor.unwrap_or_default(),
                    ]);
                }
                print(table)?;
            }
        }
        Ok(Answer::Yes)
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

fn about(pack: &Pack, items: &Value) -> Value {
    json!({
        "id": pack.id, "name": pack.name, "version": pack.version, "publisher": pack.publisher, "url": pack.url,
        "licence": pack.licence, "retired": pack.retired, "successor": pack.successor, "items": items,
    })
}

fn item(item: &Item) -> Value {
    json!({
        "id": item.id, "title": item.title, "kind": item.kind, "parent": item.parent, "successor": item.successor,
        "retired": item.is_retired(),
    })
}
