//! The tree of a page: blocks of inlines with anchors, free of file formats. Read [`Page`] first.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::state::State;
use crate::verdict::Verdict;

/// A run of text with its emphasis, code and links.
pub type Inlines = Vec<Inline>;

/// A piece of running text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    /// Plain text.
    Text(String),
    /// Strong emphasis.
    Strong(Inlines),
    /// Emphasis.
    Emphasis(Inlines),
    /// A word of the policy language, such as an id.
    Code(String),
    /// A link.
    Link {
        /// Where it leads.
        target: Target,
        /// What stands there.
        text: Inlines,
    },
}

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A place on the same page.
    Anchor(String),
    /// An address with one of the schemes `http`, `https` and `mailto`.
    Address(String),
}

/// A document.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its language, as a BCP 47 tag.
    pub language: &'static str,
    /// Whose it is.
    pub organization: String,
    /// What it is called.
    pub title: String,
    /// The version of the policy.
    pub version: String,
    /// The digest of the policy.
    pub digest: String,
    /// The day for which states and dates are told.
    pub today: Date,
    /// Whether it is the whole policy, with a title page, or a leaf of it.
    pub extent: Extent,
    /// What stands on the title page.
    pub facts: Vec<(String, Inlines)>,
    /// The rest.
    pub blocks: Vec<Block>,
}

/// How much of the policy a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// What one group needs.
    Part,
}

/// A block of a page.
#[derive(Debug, Clone)]
pub enum Block {
    /// A heading; the title of the page has level 1 and is no block.
    Heading(Heading),
    /// The table of contents.
    Contents(Vec<Entry>),
    /// A paragraph.
    Paragraph {
        /// Its anchor, if something leads here.
        anchor: Option<String>,
        /// What it says.
        text: Inlines,
    },
    /// A list.
    List {
        /// Whether its items are numbered.
        ordered: bool,
        /// Its items.
        items: Vec<Inlines>,
    },
    /// Terms with what they mean.
    Definitions(Vec<(Inlines, Inlines)>),
    /// A table.
    Table(Table),
    /// A clause.
    Clause(Clause),
    /// Something to keep in mind.
    Note(Inlines),
}

/// A heading.
#[derive(Debug, Clone)]
pub struct Heading {
    /// 2 for sections, 3 for what is inside them.
    pub level: u8,
    /// Its number, if it has one.
    pub number: Option<String>,
    /// What it says.
    pub text: String,
    /// Its anchor.
    pub anchor: String,
}

/// A line of the table of contents.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The number of the heading, if it has one.
    pub number: Option<String>,
    /// What the heading says.
    pub text: String,
    /// Its anchor.
    pub anchor: String,
}

/// A table with one row of column heads; the first cell of each row is its head.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its anchor, if something leads here.
    pub anchor: Option<String>,
    /// What it shows.
    pub caption: String,
    /// The heads of its columns.
    pub head: Vec<String>,
    /// Its rows, each as long as the head.
    pub rows: Vec<Vec<Cell>>,
}

/// A cell of a table.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What it says.
    pub text: Inlines,
    /// The verdict that it tells, if it tells one.
    pub verdict: Option<Verdict>,
}

/// A clause.
#[derive(Debug, Clone)]
pub struct Clause {
    /// `section.number`.
    pub number: String,
    /// Its id.
    pub id: String,
    /// Its anchor.
    pub anchor: String,
    /// Whether it acts now.
    pub state: State,
    /// What it says.
    pub statement: Inlines,
    /// Its owner, what holds it up, what people are told, what it serves.
    pub details: Vec<(String, Inlines)>,
}

impl Page {
    /// What stands at the head of each printed page.
    #[must_use]
    pub fn running_head(&self) -> String {
        format!(
            "{} · {} · version {} · {}",
            self.organization,
            self.title,
            self.version,
            self.short_digest()
        )
    }

    /// The beginning of the digest, enough to tell policies apart at a glance.
    #[must_use]
    pub fn short_digest(&self) -> String {
        self.digest.chars().take("sha256:".len() + 12).collect()
    }

    /// Turns links to anchors that the page does not have into plain text.
    pub(super) fn settle_links(&mut self) {
        let anchors: BTreeSet<String> = self
            .blocks
            .iter()
            .filter_map(Block::anchor)
            .map(str::to_owned)
            .collect();
        let facts = self.facts.iter_mut().map(|(_, text)| text);
        for text in facts.chain(self.blocks.iter_mut().flat_map(Block::texts_mut)) {
            settle(text, &anchors);
        }
    }
}

fn settle(text: &mut Inlines, anchors: &BTreeSet<String>) {
    let old = std::mem::take(text);
    for mut inline in old {
        match &mut inline {
            Inline::Link {
                target: Target::Anchor(anchor),
                text: inner,
            } if !anchors.contains(anchor) => {
                settle(inner, anchors);
                text.append(inner);
                continue;
            }
            Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Link { text: inner, .. } => {
                settle(inner, anchors);
            }
            Inline::Text(_) | Inline::Code(_) => {}
        }
        text.push(inline);
    }
}

impl Block {
    /// A paragraph that nothing leads to.
    #[must_use]
    pub const fn paragraph(text: Inlines) -> Self {
        Self::Paragraph { anchor: None, text }
    }

    /// The anchor of the block, if it has one.
    #[must_use]
    pub fn anchor(&self) -> Option<&str> {
        match self {
            Self::Heading(heading) => Some(&heading.anchor),
            Self::Clause(clause) => Some(&clause.anchor),
            Self::Table(table) => table.anchor.as_deref(),
            Self::Paragraph { anchor, .. } => anchor.as_deref(),
            Self::Contents(_) | Self::List { .. } | Self::Definitions(_) | Self::Note(_) => None,
        }
    }

    fn texts_mut(&mut self) -> Vec<&mut Inlines> {
        match self {
            Self::Heading(_) | Self::Contents(_) => Vec::new(),
            Self::Paragraph { text, .. } | Self::Note(text) => vec![text],
            Self::List { items, .. } => items.iter_mut().collect(),
            Self::Definitions(items) => items.iter_mut().flat_map(|(term, text)| [term, text]).collect(),
            Self::Table(table) => table.rows.iter_mut().flatten().map(|cell| &mut cell.text).collect(),
            Self::Clause(clause) => {
                let details = clause.details.iter_mut().map(|(_, text)| text);
                std::iter::once(&mut clause.statement).chain(details).collect()
            }
        }
    }
}

impl Table {
    /// A table without rows yet.
    #[must_use]
    pub fn new(anchor: Option<&str>, caption: impl Into<String>, head: &[&str]) -> Self {
        Self {
            anchor: anchor.map(str::to_owned),
            caption: caption.into(),
            head: head.iter().map(|&word| word.to_owned()).collect(),
            rows: Vec::new(),
        }
    }
}

impl From<Inlines> for Cell {
    fn from(text: Inlines) -> Self {
        Self { text, verdict: None }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(vec![Inline::from(text)])
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(vec![Inline::Text(text)])
    }
}

impl From<&str> for Inline {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Inline {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Inline {
    /// A word of the policy language.
    #[must_use]
    pub fn code(word: impl Into<String>) -> Self {
        Self::Code(word.into())
    }

    /// This as a link to a place on the same page.
    #[must_use]
    pub fn linked(self, anchor: String) -> Self {
        Self::Link {
            target: Target::Anchor(anchor),
            text: vec![self],
        }
    }

    /// A link to a place on the same page.
    #[must_use]
    pub fn to(anchor: impl Into<String>, text: impl Into<Self>) -> Self {
        Self::Link {
            target: Target::Anchor(anchor.into()),
            text: vec![text.into()],
        }
    }
}

/// The words of running text alone.
#[must_use]
pub fn plain(text: &[Inline]) -> String {
    let mut out = String::new();
    for inline in text {
        match inline {
            Inline::Text(words) | Inline::Code(words) => out.push_str(words),
            Inline::Strong(inner) | Inline::Emphasis(inner) | Inline::Link { text: inner, .. } => {
                out.push_str(&plain(inner));
            }
        }
    }
    out
}
