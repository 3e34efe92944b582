//! Blocks as units: lines and rows with their heights, marks and place in the structure. Read [`of`] first.

use ordain_core::render::block::{Block, Clause, Entry, Extent, Heading, Inline, Page, Target};
use ordain_core::render::state::{Kind as State, State as ClauseState};

use super::fonts::{Face, Fonts};
use super::lines::{self, Ink, Line, Run, Style};
use super::sheets::{Mark, Unit};
use super::tags::{Kind, NodeId, Tree};
use super::{MEASURE, ROOM, tables};

pub(super) const SMALL: f32 = 8.5;
pub(super) const LEADING_SMALL: f32 = 12.0;
const SIZE: f32 = 9.75;
const LEADING: f32 = 13.75;
const BODY: Style = Style::new(Face::Regular, SIZE, Ink::Text);

/// A page as units.
pub(super) struct Flow {
    pub(super) units: Vec<Unit>,
    pub(super) tree: Tree,
    pub(super) bookmarks: Vec<Bookmark>,
}

/// A heading in the outline.
pub(super) struct Bookmark {
    /// 1 for sections, 2 for what is inside them.
    pub(super) level: u8,
    pub(super) text: String,
    pub(super) anchor: String,
}

/// What grows while blocks are laid out.
pub(super) struct Builder<'f> {
    pub(super) fonts: &'f Fonts,
    pub(super) tree: Tree,
    pub(super) parent: NodeId,
    pub(super) units: Vec<Unit>,
    bookmarks: Vec<Bookmark>,
    /// Space that the next unit has above it, at least.
    pub(super) space: f32,
}

/// Where the baseline is in a line.
pub(super) const fn baseline(size: f32, leading: f32) -> f32 {
    leading / 2.0 + 0.357 * size
}

/// Lays a page out.
pub(super) fn of(page: &Page, fonts: &Fonts) -> Flow {
    let mut builder = Builder {
        fonts,
        tree: Tree::new(),
        parent: Tree::ROOT,
        units: Vec::new(),
        bookmarks: Vec::new(),
        space: 0.0,
    };
    builder.title(page);
    let mut sections = 0;
    let mut headed = false;
    for block in &page.blocks {
        let numbered = matches!(block, Block::Heading(heading) if heading.number.is_some());
        sections += usize::from(numbered);
        let first = builder.units.len();
        builder.block(block);
        // The first section begins a sheet of its own, after what explains the document.
        let fresh = page.extent == Extent::Whole && (matches!(block, Block::Contents(_)) || numbered && sections == 1);
        if let Some(unit) = builder.units.get_mut(first) {
            unit.fresh |= fresh;
        }
        // What opens a section is not left alone at the foot of a sheet.
        if headed && builder.units.len() - first <= 6 {
            for unit in &mut builder.units[first..] {
                unit.keep |= matches!(block, Block::Paragraph { .. });
            }
        }
        headed = matches!(block, Block::Heading(heading) if heading.level == 2);
    }
    Flow {
        units: builder.units,
        tree: builder.tree,
        bookmarks: builder.bookmarks,
    }
}

impl Builder<'_> {
    fn title(&mut self, page: &Page) {
        let node = self.tree.add(self.parent, Kind::Heading(1, page.title.clone()));
        if page.extent == Extent::Part {
            let style = Style::new(Face::Bold, 20.0, Ink::Text);
            self.text(&[style.run(page.title.clone())], 0.0, MEASURE, 25.0, node, 0.0);
            self.space = 8.0;
            return;
        }
        self.units.push(Unit {
            height: 128.0,
            ..Unit::default()
        });
        // The name of the organisation stands above the title, and belongs to the front matter like the facts below.
        let above = self.tree.add(self.parent, Kind::Paragraph);
        let organization = Style::new(Face::Regular, 14.0, Ink::Soft);
        self.text(
            &[organization.run(page.organization.clone())],
            0.0,
            MEASURE,
            20.0,
            above,
            0.0,
        );
        let title = Style::new(Face::Bold, 31.0, Ink::Text);
        self.text(&[title.run(page.title.clone())], 0.0, MEASURE, 38.0, node, 2.0);
        self.space = 26.0;
        self.units.push(Unit {
            before: 22.0,
            height: 3.0,
            marks: vec![Mark::Rule {
                x: 0.0,
                y: 0.0,
                width: 64.0,
                thickness: 3.0,
                ink: Ink::Accent,
            }],
            ..Unit::default()
        });
        let (label, text) = (Style::new(Face::Regular, SIZE, Ink::Soft), BODY);
        let list = self.tree.add(self.parent, Kind::List(false));
        for (name, fact) in &page.facts {
            self.pair(
                list,
                &[label.run(name.clone())],
                &lines::runs(fact, text),
                128.0,
                LEADING,
                6.0,
            );
        }
        self.space = 18.0;
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(heading) => self.heading(heading),
            Block::Contents(entries) => self.contents(entries),
            Block::Paragraph { anchor, text } => {
                let first = self.units.len();
                let before = self.space;
                let node = self.tree.add(self.parent, Kind::Paragraph);
                self.text(&lines::runs(text, BODY), 0.0, MEASURE, LEADING, node, before);
                if let (Some(unit), Some(anchor)) = (self.units.get_mut(first), anchor) {
                    unit.anchors.push(anchor.clone());
                }
                self.space = 7.0;
            }
            Block::Note(text) => {
                let before = self.space;
                let node = self.tree.add(self.parent, Kind::Paragraph);
                let style = Style {
                    face: Face::Italic,
                    ..BODY
                };
                self.text(&lines::runs(text, style), 12.0, MEASURE - 12.0, LEADING, node, before);
                self.space = 7.0;
            }
            Block::List { ordered, items } => self.list(*ordered, items),
            Block::Definitions(items) => {
                let list = self.tree.add(self.parent, Kind::List(false));
                let bold = Style {
                    face: Face::Bold,
                    ..BODY
                };
                for (term, text) in items {
                    self.pair(
                        list,
                        &lines::runs(term, bold),
                        &lines::runs(text, BODY),
                        128.0,
                        LEADING,
                        5.0,
                    );
                }
                self.space = 12.0;
            }
            Block::Table(table) => tables::add(self, table),
            Block::Clause(clause) => self.clause(clause),
        }
    }

    /// Lines as units; the first two and the last two stay together.
    pub(super) fn text(&mut self, runs: &[Run], x: f32, width: f32, leading: f32, node: NodeId, before: f32) {
        let lines = lines::broken(self.fonts, runs, width);
        let count = lines.len();
        for (index, line) in lines.into_iter().enumerate() {
            self.units.push(Unit {
                before: if index == 0 { before } else { 0.0 },
                height: leading,
                keep: count > 1 && (index == 0 || index + 2 == count),
                marks: vec![mark(x, line, leading, node)],
                ..Unit::default()
            });
        }
    }

    /// A label with a text beside it, as an item of `list`.
    fn pair(&mut self, list: NodeId, label: &[Run], text: &[Run], indent: f32, leading: f32, before: f32) {
        let item = self.tree.add(list, Kind::Item);
        let (label_node, body) = (self.tree.add(item, Kind::Label), self.tree.add(item, Kind::Body));
        let label = lines::broken(self.fonts, label, indent - 10.0);
        let text = lines::broken(self.fonts, text, MEASURE - indent);
        let count = label.len().max(text.len());
        let (mut label, mut text) = (label.into_iter(), text.into_iter());
        for index in 0..count {
            let mut marks = Vec::new();
            marks.extend(label.next().map(|line| mark(0.0, line, leading, label_node)));
            marks.extend(text.next().map(|line| mark(indent, line, leading, body)));
            self.units.push(Unit {
                before: if index == 0 {
                    before.max(std::mem::take(&mut self.space))
                } else {
                    0.0
                },
                height: leading,
                keep: count > 1 && (index == 0 || index + 2 == count),
                marks,
                ..Unit::default()
            });
        }
    }

    fn heading(&mut self, heading: &Heading) {
        let number = heading
            .number
            .as_ref()
            .map(|number| format!("{number}\u{2002}"))
            .unwrap_or_default();
        let text = format!("{number}{}", heading.text);
        let (size, leading, before) = if heading.level <= 2 {
            (16.0, 21.0, 30.0)
        } else {
            (11.0, 15.0, 16.0)
        };
        let node = self
            .tree
            .add(self.parent, Kind::Heading(u16::from(heading.level), text.clone()));
        let first = self.units.len();
        let style = Style::new(Face::Bold, size, Ink::Text);
        self.text(&[style.run(text.clone())], 0.0, MEASURE, leading, node, before);
        for unit in &mut self.units[first..] {
            unit.keep = true;
        }
        if let Some(unit) = self.units.get_mut(first) {
            unit.anchors.push(heading.anchor.clone());
        }
        self.bookmarks.push(Bookmark {
            level: heading.level.saturating_sub(1).max(1),
            text,
            anchor: heading.anchor.clone(),
        });
        self.space = 7.0;
    }

    fn contents(&mut self, entries: &[Entry]) {
        self.heading(&Heading {
            level: 2,
            number: None,
            text: "Contents".to_owned(),
            anchor: "contents".to_owned(),
        });
        let list = self.tree.add(self.parent, Kind::Contents);
        let leading = 17.0;
        for entry in entries {
            let node = self.tree.add(list, Kind::Entry);
            let target = Some(Target::Anchor(entry.anchor.clone()));
            let run = |text: &str| Run {
                link: target.clone(),
                ..BODY.run(text)
            };
            let number = entry
                .number
                .as_deref()
                .map(|number| lines::broken(self.fonts, &[BODY.run(number)], 22.0));
            let lines = lines::broken(self.fonts, &[run(&entry.text)], MEASURE - 70.0);
            let last = lines.len().saturating_sub(1);
            for (index, line) in lines.into_iter().enumerate() {
                let mut marks = Vec::new();
                if let (0, Some(Some(number))) = (index, number.as_ref().map(|lines| lines.first())) {
                    marks.push(mark(0.0, number.clone(), leading, node));
                }
                let end = 24.0 + line.width;
                marks.push(mark(24.0, line, leading, node));
                if index == last {
                    marks.push(Mark::PageOf {
                        from: end + 6.0,
                        right: MEASURE,
                        baseline: baseline(SIZE, leading),
                        anchor: entry.anchor.clone(),
                        node,
                    });
                }
                self.units.push(Unit {
                    before: if index == 0 {
                        std::mem::take(&mut self.space)
                    } else {
                        0.0
                    },
                    height: leading,
                    keep: index != last,
                    marks,
                    ..Unit::default()
                });
            }
        }
        self.space = 12.0;
    }

    fn list(&mut self, ordered: bool, items: &[Vec<Inline>]) {
        let list = self.tree.add(self.parent, Kind::List(ordered));
        let count = items.len();
        for (index, item) in items.iter().enumerate() {
            let label = if ordered {
                format!("{}.", index + 1)
            } else {
                "•".to_owned()
            };
            let first = self.units.len();
            self.pair(
                list,
                &[BODY.run(label)],
                &lines::runs(item, BODY),
                16.0,
                LEADING,
                if index == 0 { 4.0 } else { 2.5 },
            );
            // A list of a few items is not torn from what introduces it.
            if index == 0 && count > 1 {
                for unit in &mut self.units[first..] {
                    unit.keep = true;
                }
            }
        }
        self.space = 9.0;
    }

    fn clause(&mut self, clause: &Clause) {
        let start = self.units.len();
        self.clause_head(clause);
        let node = self.tree.add(self.parent, Kind::Paragraph);
        let statement = Style::new(Face::Regular, 10.25, Ink::Text);
        self.text(
            &lines::runs(&clause.statement, statement),
            0.0,
            MEASURE,
            14.75,
            node,
            2.0,
        );
        let (label, text) = (
            Style::new(Face::Regular, SMALL, Ink::Soft),
            Style::new(Face::Regular, SMALL, Ink::Text),
        );
        let list = self.tree.add(self.parent, Kind::List(false));
        self.space = 4.0;
        for (name, detail) in &clause.details {
            self.pair(
                list,
                &[label.run(name.clone())],
                &lines::runs(detail, text),
                84.0,
                LEADING_SMALL,
                1.0,
            );
        }
        if !clause.state.detail.is_empty() {
            let detail = format!("{}: {}.", clause.state.kind.label(), clause.state.detail);
            self.pair(
                list,
                &[label.run("State")],
                &[text.run(capital(&detail))],
                84.0,
                LEADING_SMALL,
                1.0,
            );
        }
        let units = &mut self.units[start..];
        let height: f32 = units.iter().map(|unit| unit.before + unit.height).sum();
        if height < ROOM / 2.0 {
            let last = units.len() - 1;
            for unit in &mut units[..last] {
                unit.keep = true;
            }
        }
        self.space = 12.0;
    }

    /// Number and id, with the state as a badge beside them.
    fn clause_head(&mut self, clause: &Clause) {
        let title = format!("{} {}", clause.number, clause.id);
        let node = self.tree.add(self.parent, Kind::Heading(3, title.clone()));
        let leading = 16.0;
        let runs = [
            Style::new(Face::Bold, 10.5, Ink::Soft).run(format!("{}\u{2002}", clause.number)),
            Style::new(Face::Bold, 10.5, Ink::Text).run(clause.id.clone()),
        ];
        let first = self.units.len();
        self.text(&runs, 0.0, MEASURE, leading, node, 21.0);
        let ink = state_ink(&clause.state);
        let badge = Style::new(Face::Bold, 7.5, ink).run(clause.state.kind.label());
        let line = lines::broken(self.fonts, &[badge], MEASURE)
            .into_iter()
            .next()
            .unwrap_or_default();
        let width = self.units.last().map_or(0.0, last_width);
        let mut x = width + 10.0;
        if x + line.width + 12.0 > MEASURE {
            x = 0.0;
            self.units.push(Unit {
                height: leading,
                ..Unit::default()
            });
        }
        if let Some(unit) = self.units.last_mut() {
            unit.marks.push(Mark::Tint {
                x,
                y: 2.25,
                width: line.width + 12.0,
                height: 11.5,
                ink,
            });
            unit.marks.push(Mark::Text {
                x: x + 6.0,
                baseline: baseline(7.5, leading),
                line,
                node,
            });
        }
        if let Some(unit) = self.units.get_mut(first) {
            unit.anchors.push(clause.anchor.clone());
            unit.marks.push(Mark::Rule {
                x: 0.0,
                y: -9.0,
                width: MEASURE,
                thickness: 0.4,
                ink: Ink::Line,
            });
        }
        for unit in &mut self.units[first..] {
            unit.keep = true;
        }
        self.bookmarks.push(Bookmark {
            level: 2,
            text: title,
            anchor: clause.anchor.clone(),
        });
    }
}

fn mark(x: f32, line: Line, leading: f32, node: NodeId) -> Mark {
    let size = line.pieces.first().map_or(SIZE, |piece| piece.style.size);
    Mark::Text {
        x,
        baseline: baseline(size, leading),
        line,
        node,
    }
}

fn last_width(unit: &Unit) -> f32 {
    unit.marks.iter().fold(0.0, |width, mark| match mark {
        Mark::Text { x, line, .. } => width.max(x + line.width),
        _ => width,
    })
}

const fn state_ink(state: &ClauseState) -> Ink {
    match state.kind {
        State::RunsNow | State::EvidenceShown => Ink::Go,
        State::Coaches | State::Observes => Ink::Mask,
        State::EvidenceAwaited => Ink::Care,
        State::EvidenceOverdue => Ink::Stop,
        State::NotYet => Ink::Idle,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
