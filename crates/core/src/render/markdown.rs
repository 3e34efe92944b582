//! A page as CommonMark with tables. Links inside the page become their words, since readers of Markdown make anchors in
//! different ways.

use std::fmt::Write as _;

use super::block::{Block, Cell, Clause, Extent, Inline, Page, Table, Target};

/// The page as text.
#[must_use]
pub fn write(page: &Page) -> String {
    let mut out = String::new();
    let title = match page.extent {
        Extent::Whole => format!("{}: {}", page.organization, page.title),
        Extent::Part => page.title.clone(),
    };
    let _ = writeln!(out, "# {}\n", escape(&title));
    if !page.facts.is_empty() {
        let _ = writeln!(out, "| | |\n|---|---|");
        for (name, text) in &page.facts {
            let _ = writeln!(out, "| **{}** | {} |", escape(name), cell(text));
        }
        out.push('\n');
    }
    for one in &page.blocks {
        block(one, &mut out);
    }
    let _ = writeln!(out, "---\n\n{}", escape(&page.running_head()));
    out
}

fn block(block: &Block, out: &mut String) {
    match block {
        Block::Heading(heading) => {
            let level = "#".repeat(usize::from(heading.level.clamp(2, 6)));
            let number = heading
                .number
                .as_ref()
                .map(|number| format!("{number} "))
                .unwrap_or_default();
            let _ = writeln!(out, "{level} {number}{}\n", escape(&heading.text));
        }
        Block::Contents(entries) => {
            let _ = writeln!(out, "## Contents\n");
            for entry in entries {
                let number = entry
                    .number
                    .as_ref()
                    .map(|number| format!("{number} "))
                    .unwrap_or_default();
                let _ = writeln!(out, "- {number}{}", escape(&entry.text));
            }
            out.push('\n');
        }
        Block::Paragraph { text, .. } => {
            let text = inlines(text);
            // What would begin a heading, a list or a quotation is only a character here.
            let mark = if text.starts_with(['#', '>', '-', '+', '=', '~']) {
                "\\"
            } else {
                ""
            };
            let _ = writeln!(out, "{mark}{text}\n");
        }
        Block::Note(text) => {
            let _ = writeln!(out, "> {}\n", inlines(text));
        }
        Block::List { ordered, items } => {
            for (index, item) in items.iter().enumerate() {
                let mark = if *ordered {
                    format!("{}.", index + 1)
                } else {
                    "-".to_owned()
                };
                let _ = writeln!(out, "{mark} {}", inlines(item));
            }
            out.push('\n');
        }
        Block::Definitions(items) => {
            for (term, text) in items {
                let _ = writeln!(out, "- **{}**: {}", inlines(term), inlines(text));
            }
            out.push('\n');
        }
        Block::Table(one) => table(one, out),
        Block::Clause(one) => clause(one, out),
    }
}

fn clause(clause: &Clause, out: &mut String) {
    let state = clause.state.kind.label();
    let _ = writeln!(out, "### {} {} ({state})\n", clause.number, escape(&clause.id));
    let _ = writeln!(out, "{}\n", inlines(&clause.statement));
    for (name, text) in &clause.details {
        let _ = writeln!(out, "- {}: {}", escape(name), inlines(text));
    }
    if !clause.state.detail.is_empty() {
        let _ = writeln!(out, "- State: {state}; {}", escape(&clause.state.detail));
    }
    out.push('\n');
}

fn table(table: &Table, out: &mut String) {
    let _ = writeln!(out, "**{}**\n", escape(&table.caption));
    let head: Vec<String> = table.head.iter().map(|word| escape(word).replace('|', "\\|")).collect();
    let _ = writeln!(out, "| {} |", head.join(" | "));
    let _ = writeln!(out, "|{}", "---|".repeat(table.head.len()));
    for row in &table.rows {
        let cells: Vec<String> = row.iter().map(|Cell { text, .. }| cell(text)).collect();
        let _ = writeln!(out, "| {} |", cells.join(" | "));
    }
    out.push('\n');
}

fn cell(text: &[Inline]) -> String {
    inlines(text).replace('|', "\\|")
}

fn inlines(text: &[Inline]) -> String {
    let mut out = String::new();
    for inline in text {
        match inline {
            Inline::Text(words) => out.push_str(&escape(words)),
            Inline::Code(words) => {
                // A fence longer than any run of backticks inside.
                let longest = words.split(|c| c != '`').map(str::len).max().unwrap_or(0);
                let (fence, space) = ("`".repeat(longest + 1), if longest > 0 { " " } else { "" });
                let _ = write!(out, "{fence}{space}{}{space}{fence}", one_line(words));
            }
            Inline::Strong(inner) => {
                let _ = write!(out, "**{}**", inlines(inner));
            }
            Inline::Emphasis(inner) => {
                let _ = write!(out, "*{}*", inlines(inner));
            }
            Inline::Link {
                target: Target::Address(address),
                text: inner,
            } => {
                let address: String = address
                    .chars()
                    .filter(|c| !c.is_whitespace() && !"<>".contains(*c))
                    .collect();
                let _ = write!(out, "[{}](<{address}>)", inlines(inner));
            }
            Inline::Link {
                target: Target::Anchor(_),
                text: inner,
            } => out.push_str(&inlines(inner)),
        }
    }
    out
}

/// Text with what CommonMark would read as its own escaped.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in one_line(text).chars() {
        if "\\`*_[]<&".contains(letter) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
