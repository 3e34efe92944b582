//! `ordain render`: the policy as a document, for people.

use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use ordain_core::render::block::Page;
use ordain_core::render::{Given, groups, html, markdown, page, part};

use super::PolicyDir;
use crate::exit::Answer;
use crate::{pdf, policy};

/// Print the policy as a document, with its digest
#[derive(Debug, Args)]
#[command(
    after_help = "The same policy and date give the same bytes.\n\nExample: ordain render --to pdf --out policy.pdf"
)]
pub(crate) struct Render {
    #[command(flatten)]
    dir: PolicyDir,
    /// Which kind of document
    #[arg(long, value_enum, default_value = "md")]
    to: To,
    /// Only what the policy asks of this group, on one page
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// File to write; standard output when absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The day for which states and dates are told, as in 2026-12-01; today in the policy's time zone when absent
    #[arg(long)]
    date: Option<Date>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum To {
    /// One self-contained file for a browser
    Html,
    /// CommonMark with tables
    Md,
    /// A4, with bookmarks
    Pdf,
}

impl Render {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let (policy, loaded, catalog) = policy::read(self.dir.path())?.usable()?;
        let document = loaded.document.as_ref().context("the policy could not be read")?;
        let given = Given {
            document,
            policy: &policy,
            catalog: &catalog,
            problems: &loaded.problems,
            today: self.date.unwrap_or_else(|| document.date_of(Timestamp::now())),
        };
        let page = match &self.group {
            None => page(&given),
            Some(group) => part(&given, group).with_context(|| {
                let known: Vec<String> = groups(document).map(|name| format!("`{name}`")).collect();
                format!("no group called `{group}`; known here: {}", known.join(", "))
            })?,
        };
        self.write(&self.bytes(&page)?)?;
        Ok(Answer::Yes)
    }

    fn bytes(&self, page: &Page) -> anyhow::Result<Vec<u8>> {
        Ok(match self.to {
            To::Html => html::write(page).into_bytes(),
            To::Md => markdown::write(page).into_bytes(),
            To::Pdf => {
                if self.out.is_none() && std::io::stdout().is_terminal() {
                    bail!("a PDF is not for a terminal; give `--out FILE`");
                }
                let written = pdf::write(page)?;
                if !written.missing.is_empty() {
                    let missing: String = written.missing.into_iter().take(40).collect();
                    eprintln!(
                        "warning: the fonts of the PDF lack `{missing}`; `?` stands in their place, and `--to html` shows them"
                    );
                }
                written.bytes
            }
        })
    }

    fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        match &self.out {
            Some(path) => fs::write(path, bytes).with_context(|| format!("`{}` could not be written", path.display())),
            None => {
                let mut out = std::io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()?;
                Ok(())
            }
        }
    }
}
