//! The author's prose: CommonMark's emphasis, links, code, paragraphs and lists. Raw HTML stays text, and so does a link
//! with a scheme that could do something.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};

use super::block::{Block, Inline, Inlines, Target};

/// A sentence or two without blocks of their own.
pub(super) fn inlines(text: &str) -> Inlines {
    let mut out = Inlines::new();
    for block in blocks(text) {
        let pieces = match block {
            Block::Paragraph { text, .. } => vec![text],
            Block::List { items, .. } => items,
            _ => Vec::new(),
        };
        for piece in pieces {
            if !out.is_empty() {
                out.push(Inline::from(" "));
            }
            out.extend(piece);
        }
    }
    out
}

/// Paragraphs and lists.
pub(super) fn blocks(text: &str) -> Vec<Block> {
    let mut builder = Builder::default();
    for event in Parser::new(text) {
        builder.take(event);
    }
    builder.flush();
    builder.blocks
}

#[derive(Default)]
struct Builder {
    blocks: Vec<Block>,
    /// Runs under construction: the outermost first, each with what closes it.
    open: Vec<(Wrap, Inlines)>,
    text: Inlines,
    /// The list that items go into; lists inside lists are flattened.
    list: Option<(bool, Vec<Inlines>)>,
    depth: usize,
}

enum Wrap {
    Strong,
    Emphasis,
    Link(Option<Target>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.push_text(&text),
            Event::Code(code) => self.text.push(Inline::Code(code.into_string())),
            Event::SoftBreak | Event::HardBreak => self.push_text(" "),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.push_text(&text);
            }
            Event::Rule | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Strong => self.wrap(Wrap::Strong),
            Tag::Emphasis => self.wrap(Wrap::Emphasis),
            Tag::Link { dest_url, .. } => self.wrap(Wrap::Link(target(&dest_url))),
            Tag::Image { .. } => self.wrap(Wrap::Link(None)),
            Tag::List(first) => {
                if self.depth == 0 {
                    self.flush();
                    self.list = Some((first.is_some(), Vec::new()));
                } else {
                    self.flush();
                }
                self.depth += 1;
            }
            _ => self.flush(),
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strong | TagEnd::Emphasis | TagEnd::Link | TagEnd::Image => self.unwrap_run(),
            TagEnd::List(_) => {
                self.flush();
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0
                    && let Some((ordered, items)) = self.list.take()
                {
                    self.blocks.push(Block::List { ordered, items });
                }
            }
            _ => self.flush(),
        }
    }

    fn push_text(&mut self, text: &str) {
        if let Some(Inline::Text(last)) = self.text.last_mut() {
            last.push_str(text);
        } else {
            self.text.push(Inline::from(text));
        }
    }

    fn wrap(&mut self, wrap: Wrap) {
        self.open.push((wrap, std::mem::take(&mut self.text)));
    }

    fn unwrap_run(&mut self) {
        let Some((wrap, before)) = self.open.pop() else { return };
        let inner = std::mem::replace(&mut self.text, before);
        match wrap {
            Wrap::Strong => self.text.push(Inline::Strong(inner)),
            Wrap::Emphasis => self.text.push(Inline::Emphasis(inner)),
            Wrap::Link(Some(target)) => self.text.push(Inline::Link { target, text: inner }),
            Wrap::Link(None) => self.text.extend(inner),
        }
    }

    fn flush(&mut self) {
        while !self.open.is_empty() {
            self.unwrap_run();
        }
        let mut text = std::mem::take(&mut self.text);
        if let Some(Inline::Text(last)) = text.last_mut() {
            last.truncate(last.trim_end().len());
        }
        if text
            .iter()
            .all(|one| matches!(one, Inline::Text(words) if words.trim().is_empty()))
        {
            return;
        }
        match &mut self.list {
            Some((_, items)) => items.push(text),
            None => self.blocks.push(Block::paragraph(text)),
        }
    }
}

/// An address that a reader may follow without harm.
fn target(address: &str) -> Option<Target> {
    let known = ["https://", "http://", "mailto:"];
    let lower = address.to_ascii_lowercase();
    known
        .iter()
        .any(|scheme| lower.starts_with(scheme))
        .then(|| Target::Address(address.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::block::plain;

    #[test]
    fn emphasis_code_and_links_are_kept_and_html_stays_text() {
        let text = inlines(
            "Use *able* strangers, **never** `demo`, <b>x</b> and [ours](https://example.com) or [bad](javascript:x).",
        );
        let words = plain(&text);
        assert_eq!(words, "Use able strangers, never demo, <b>x</b> and ours or bad.");
        let links = text.iter().filter(|one| matches!(one, Inline::Link { .. })).count();
        assert_eq!(links, 1);
    }

    #[test]
    fn paragraphs_and_lists_are_blocks() {
        let found = blocks("First.\n\nSecond:\n\n- one\n- two\n\n<script>alert(1)</script>\n");
        assert_eq!(found.len(), 4);
        assert!(matches!(found.get(2), Some(Block::List { items, ordered: false }) if items.len() == 2));
        assert!(matches!(found.get(3), Some(Block::Paragraph { text, .. }) if plain(text).starts_with("<script>")));
    }
}
