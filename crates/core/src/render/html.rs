//! A page as one self-contained HTML file: no script, no address that is fetched, readable in light and dark, printable on
//! A4 and Letter.

use std::fmt::Write as _;

use super::block::{Block, Cell, Clause, Entry, Extent, Heading, Inline, Page, Table, Target};
use super::state::Kind;

const STYLE: &str = include_str!("html.css");

/// The page as text.
#[must_use]
pub fn write(page: &Page) -> String {
    let mut out = String::with_capacity(64 * 1024);
    head(page, &mut out);
    out.push_str("<body>\n<a class=\"skip\" href=\"#content\">Skip to the content</a>\n");
    title(page, &mut out);
    let contents = page.blocks.iter().find_map(|block| match block {
        Block::Contents(entries) => Some(entries),
        _ => None,
    });
    let extent = match page.extent {
        Extent::Whole => "whole",
        Extent::Part => "part",
    };
    let _ = writeln!(out, "<main id=\"content\" class=\"{extent}\">");
    if let Some(entries) = contents {
        toc(entries, &mut out);
    }
    let mut tables = 0;
    for one in &page.blocks {
        block(one, &mut tables, &mut out);
    }
    out.push_str("</main>\n");
    let _ = writeln!(
        out,
        "<footer><p>{}</p></footer>\n</body>\n</html>",
        escape(&page.running_head())
    );
    out
}

fn head(page: &Page, out: &mut String) {
    let title = format!("{}: {}, version {}", page.organization, page.title, page.version);
    let _ = writeln!(
        out,
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"ordain-policy\" content=\"{}\">\n<title>{}</title>",
        escape(page.language),
        escape(&page.digest),
        escape(&title),
    );
    let _ = writeln!(
        out,
        "<style>\n{STYLE}\n@page {{ @top-left {{ content: {}; }} }}\n</style>\n</head>",
        css_string(&page.running_head()),
    );
}

fn title(page: &Page, out: &mut String) {
    out.push_str("<header class=\"title\">\n");
    match page.extent {
        Extent::Whole => {
            let _ = writeln!(out, "<p class=\"organization\">{}</p>", escape(&page.organization));
        }
        Extent::Part => {}
    }
    let _ = writeln!(out, "<h1>{}</h1>", escape(&page.title));
    if !page.facts.is_empty() {
        out.push_str("<dl class=\"facts\">\n");
        for (name, text) in &page.facts {
            let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), inlines(text));
        }
        out.push_str("</dl>\n");
    }
    out.push_str("</header>\n");
}

fn toc(entries: &[Entry], out: &mut String) {
    out.push_str("<nav class=\"contents\" aria-labelledby=\"contents\">\n<h2 id=\"contents\">Contents</h2>\n<ol>\n");
    for entry in entries {
        let number = entry.number.as_deref().unwrap_or_default();
        let _ = writeln!(
            out,
            "<li><a href=\"#{}\"><span class=\"number\">{}</span> <span>{}</span></a></li>",
            escape(&entry.anchor),
            escape(number),
            escape(&entry.text)
        );
    }
    out.push_str("</ol>\n</nav>\n");
}

fn block(block: &Block, tables: &mut usize, out: &mut String) {
    match block {
        Block::Heading(one) => heading(one, out),
        // Stands before the rest, as navigation.
        Block::Contents(_) => {}
        Block::Paragraph { anchor, text } => {
            let _ = writeln!(out, "<p{}>{}</p>", id(anchor.as_deref()), inlines(text));
        }
        Block::Note(text) => {
            let _ = writeln!(out, "<p class=\"note\">{}</p>", inlines(text));
        }
        Block::List { ordered, items } => {
            let kind = if *ordered { "ol" } else { "ul" };
            let _ = writeln!(out, "<{kind}>");
            for item in items {
                let _ = writeln!(out, "<li>{}</li>", inlines(item));
            }
            let _ = writeln!(out, "</{kind}>");
        }
        Block::Definitions(items) => {
            out.push_str("<dl class=\"terms\">\n");
            for (term, text) in items {
                let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", inlines(term), inlines(text));
            }
            out.push_str("</dl>\n");
        }
        Block::Table(one) => {
            *tables += 1;
            table(one, *tables, out);
        }
        Block::Clause(one) => clause(one, out),
    }
}

fn heading(heading: &Heading, out: &mut String) {
    let level = heading.level.clamp(2, 6);
    let number = heading.number.as_ref().map_or_else(String::new, |number| {
        format!("<span class=\"number\">{}</span> ", escape(number))
    });
    let _ = writeln!(
        out,
        "<h{level}{}>{number}{}</h{level}>",
        id(Some(&heading.anchor)),
        escape(&heading.text)
    );
}

fn clause(clause: &Clause, out: &mut String) {
    let _ = writeln!(
        out,
        "<section class=\"clause\"{}>\n<h3><span class=\"number\">{}</span> {} <span class=\"state {}\">{}</span></h3>",
        id(Some(&clause.anchor)),
        escape(&clause.number),
        escape(&clause.id),
        state(clause.state.kind),
        escape(clause.state.kind.label()),
    );
    let _ = writeln!(
        out,
        "<p class=\"statement\">{}</p>\n<dl class=\"details\">",
        inlines(&clause.statement)
    );
    for (name, text) in &clause.details {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), inlines(text));
    }
    if !clause.state.detail.is_empty() {
        let detail = format!("{}: {}.", clause.state.kind.label(), clause.state.detail);
        let _ = writeln!(
            out,
            "<div><dt>State</dt><dd>{}</dd></div>",
            escape(&super::words::capital(&detail))
        );
    }
    out.push_str("</dl>\n</section>\n");
}

const fn state(kind: Kind) -> &'static str {
    match kind {
        Kind::RunsNow => "runs",
        Kind::Coaches | Kind::Observes => "observes",
        Kind::EvidenceShown => "shown",
        Kind::EvidenceAwaited => "awaited",
        Kind::EvidenceOverdue => "overdue",
        Kind::NotYet => "not-yet",
    }
}

/// A table in a box of its own that scrolls where the screen is narrow, and that the keyboard can reach to scroll it.
fn table(table: &Table, number: usize, out: &mut String) {
    // Short tables are not torn apart on paper.
    let short = if table.rows.len() <= 12 { " short" } else { "" };
    let _ = writeln!(
        out,
        "<div class=\"table{short}\" role=\"group\" tabindex=\"0\" aria-labelledby=\"table-{number}\">\n<table{}>\n\
         <caption id=\"table-{number}\">{}</caption>\n<thead><tr>",
        id(table.anchor.as_deref()),
        escape(&table.caption)
    );
    for word in &table.head {
        let _ = write!(out, "<th scope=\"col\">{}</th>", escape(word));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        out.push_str("<tr>");
        for (column, Cell { text, verdict }) in row.iter().enumerate() {
            let text = inlines(text);
            let _ = match verdict {
                _ if column == 0 => write!(out, "<th scope=\"row\">{text}</th>"),
                Some(verdict) => write!(out, "<td class=\"verdict {verdict}\">{text}</td>"),
                None => write!(out, "<td>{text}</td>"),
            };
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
}

fn id(anchor: Option<&str>) -> String {
    anchor
        .map(|anchor| format!(" id=\"{}\"", escape(anchor)))
        .unwrap_or_default()
}

fn inlines(text: &[Inline]) -> String {
    let mut out = String::new();
    for inline in text {
        let _ = match inline {
            Inline::Text(words) => write!(out, "{}", escape(words)),
            Inline::Code(words) => write!(out, "<code>{}</code>", escape(words)),
            Inline::Strong(inner) => write!(out, "<strong>{}</strong>", inlines(inner)),
            Inline::Emphasis(inner) => write!(out, "<em>{}</em>", inlines(inner)),
            Inline::Link { target, text: inner } => {
                let address = match target {
                    Target::Anchor(anchor) => format!("#{anchor}"),
                    Target::Address(address) => address.clone(),
                };
                write!(out, "<a href=\"{}\">{}</a>", escape(&address), inlines(inner))
            }
        };
    }
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // What HTML does not allow, such as a form feed in the author's text.
            control if control.is_control() => out.push(' '),
            other => out.push(other),
        }
    }
    out
}

/// A string of CSS that can hold anything without ending the string, or the style.
fn css_string(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        if letter.is_alphanumeric() || " .,:-·".contains(letter) {
            out.push(letter);
        } else {
            let _ = write!(out, "\\{:x} ", u32::from(letter));
        }
    }
    out.push('"');
    out
}
