//! Sheets as bytes: the one file, with `fonts` and `tags`, that knows krilla.

use std::collections::BTreeMap;

use anyhow::anyhow;
use krilla::action::{Action, LinkAction};
use krilla::annotation::{Annotation, LinkAnnotation, Target as LinkTarget};
use krilla::color::rgb;
use krilla::configure::ConfigurationBuilder;
use krilla::configure::validate::{Accessibility, Archival};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::{Fill, Stroke, StrokeDash};
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, SpanTag};
use krilla::{Document, SerializeSettings};
use ordain_core::render::block::{Extent, Page, Target};

use super::flow::Bookmark;
use super::fonts::{Face, Fonts};
use super::lines::{self, Ink, Line, Piece, Style};
use super::sheets::{Mark, Placed, Sheet};
use super::tags::{Kind, NodeId, Tree};
use super::{BOTTOM, HEIGHT, LEFT, MEASURE, TOP, WIDTH};

/// Where each anchor is: sheet and height.
type Places<'s> = BTreeMap<&'s str, (usize, f32)>;

/// A link that was drawn and still wants its annotation.
struct Linked {
    rect: Rect,
    target: Target,
    text: String,
    node: NodeId,
}

struct Drawing<'d> {
    page: &'d Page,
    fonts: &'d Fonts,
    places: Places<'d>,
    sheets: usize,
    tree: Tree,
}

/// Draws everything.
pub(super) fn draw(
    page: &Page,
    fonts: &Fonts,
    sheets: &[Sheet],
    tree: Tree,
    bookmarks: &[Bookmark],
) -> anyhow::Result<Vec<u8>> {
    let mut drawing = Drawing {
        page,
        fonts,
        places: places(sheets),
        sheets: sheets.len(),
        tree,
    };
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|error| anyhow!("the PDF cannot be set up: {error:?}"))?;
    let mut document = Document::new_with(SerializeSettings {
        configuration,
        enable_tagging: true,
        ..SerializeSettings::default()
    });
    for (number, sheet) in sheets.iter().enumerate() {
        drawing.sheet(&mut document, number, sheet)?;
    }
    document.set_outline(outline(bookmarks, &drawing.places));
    document.set_metadata(metadata(page));
    document.set_tag_tree(drawing.tree.finish(page.language));
    document
        .finish()
        .map_err(|error| anyhow!("the PDF could not be written: {error:?}"))
}

fn places(sheets: &[Sheet]) -> Places<'_> {
    let mut places = Places::new();
    for (number, sheet) in sheets.iter().enumerate() {
        for placed in sheet.placed.iter().filter(|placed| !placed.again) {
            for anchor in &placed.unit.anchors {
                places.entry(anchor).or_insert((number, placed.y));
            }
        }
    }
    places
}

fn destination(&(sheet, y): &(usize, f32)) -> XyzDestination {
    XyzDestination::new(sheet, Point::from_xy(LEFT, (TOP + y - 10.0).max(0.0)))
}

fn outline(bookmarks: &[Bookmark], places: &Places<'_>) -> Outline {
    let mut outline = Outline::new();
    let mut open: Option<OutlineNode> = None;
    for bookmark in bookmarks {
        let Some(place) = places.get(bookmark.anchor.as_str()) else {
            continue;
        };
        let node = OutlineNode::new(bookmark.text.clone(), destination(place));
        match &mut open {
            Some(parent) if bookmark.level > 1 => parent.push_child(node),
            _ => {
                if let Some(done) = open.replace(node) {
                    outline.push_child(done);
                }
            }
        }
    }
    if let Some(done) = open {
        outline.push_child(done);
    }
    outline
}

fn metadata(page: &Page) -> Metadata {
    let part = |number: i8| u8::try_from(number).unwrap_or(1);
    let date = DateTime::new(u16::try_from(page.today.year()).unwrap_or(0))
        .month(part(page.today.month()))
        .day(part(page.today.day()))
        .hour(0)
        .minute(0)
        .second(0)
        .utc_offset_hour(0);
    Metadata::new()
        .title(format!(
            "{}: {}, version {}",
            page.organization, page.title, page.version
        ))
        .authors(vec![page.organization.clone()])
        .description(format!("Policy {}", page.digest))
        .language(page.language.to_owned())
        .creator("Ordain".to_owned())
        .document_id(page.digest.clone())
        .creation_date(date)
}

impl Drawing<'_> {
    fn sheet(&mut self, document: &mut Document, number: usize, sheet: &Sheet) -> anyhow::Result<()> {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or_else(|| anyhow!("A4 is no size of a page"))?;
        let mut paper = document.start_page_with(settings);
        let mut surface = paper.surface();
        let mut links = Vec::new();
        self.margins(&mut surface, number);
        for placed in &sheet.placed {
            self.unit(&mut surface, placed, &mut links);
        }
        surface.finish();
        for link in links {
            let target = match &link.target {
                Target::Anchor(anchor) => self
                    .places
                    .get(anchor.as_str())
                    .map(|place| LinkTarget::Destination(destination(place).into())),
                Target::Address(address) => Some(LinkTarget::Action(Action::Link(LinkAction::new(address.clone())))),
            };
            if let Some(target) = target {
                let annotation = Annotation::new_link(LinkAnnotation::new(link.rect, target), Some(link.text));
                self.tree.leaf(link.node, paper.add_tagged_annotation(annotation));
            }
        }
        paper.finish();
        Ok(())
    }

    /// The running head and the number of the page; the title page has neither.
    fn margins(&self, surface: &mut Surface<'_>, number: usize) {
        if self.page.extent == Extent::Whole && number == 0 {
            return;
        }
        let style = Style::new(Face::Regular, 7.5, Ink::Soft);
        let mut at = |kind: ArtifactType, text: String, right: bool, y: f32, width: f32| {
            let mut lines = lines::broken(self.fonts, &[style.run(text)], width).into_iter();
            let mut line = lines.next().unwrap_or_default();
            if lines.next().is_some() {
                let kept: String = line.pieces.iter().map(|piece| piece.text.as_str()).collect();
                let shorter = style.run(format!("{}\u{a0}…", kept.trim_end()));
                line = lines::broken(self.fonts, &[shorter], width + 20.0)
                    .into_iter()
                    .next()
                    .unwrap_or_default();
            }
            let x = if right { LEFT + MEASURE - line.width } else { LEFT };
            surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(kind)));
            for piece in &line.pieces {
                self.piece(surface, piece, x, y);
            }
            surface.end_tagged();
        };
        let page = self.page;
        // The name of the organisation stands last: it is what may be cut short.
        let head = format!("{} · version {} · {}", page.title, page.version, page.organization);
        at(ArtifactType::Header, head, false, TOP - 34.0, MEASURE - 120.0);
        at(ArtifactType::Header, page.short_digest(), true, TOP - 34.0, 118.0);
        let foot = HEIGHT - BOTTOM + 34.0;
        at(
            ArtifactType::Footer,
            format!("States as of {}", page.today),
            false,
            foot,
            MEASURE / 2.0,
        );
        at(
            ArtifactType::Footer,
            format!("{} of {}", number + 1, self.sheets),
            true,
            foot,
            MEASURE / 2.0,
        );
    }

    fn unit(&mut self, surface: &mut Surface<'_>, placed: &Placed, links: &mut Vec<Linked>) {
        let top = TOP + placed.y;
        // Tints first: they stand behind the text.
        for mark in &placed.unit.marks {
            if let Mark::Tint {
                x,
                y,
                width,
                height,
                ink,
            } = mark
            {
                rectangle(surface, [LEFT + x, top + y, *width, *height], tint(*ink));
            }
        }
        for mark in &placed.unit.marks {
            match mark {
                Mark::Tint { .. } => {}
                // What separates from what stands above has nothing to do at the top of a sheet.
                Mark::Rule { y, .. } if *y < 0.0 && placed.y == 0.0 => {}
                Mark::Rule {
                    x,
                    y,
                    width,
                    thickness,
                    ink,
                } => {
                    rectangle(surface, [LEFT + x, top + y, *width, *thickness], colour(*ink));
                }
                Mark::Text {
                    x,
                    baseline,
                    line,
                    node,
                } => {
                    self.line(
                        surface,
                        line,
                        [LEFT + x, top + baseline],
                        (!placed.again).then_some(*node),
                        links,
                    );
                }
                Mark::PageOf {
                    from,
                    right,
                    baseline,
                    anchor,
                    node,
                } => {
                    self.page_of(surface, [LEFT + from, LEFT + right, top + baseline], anchor, *node);
                }
            }
        }
    }

    /// A line with its place in the structure; without one it is decoration.
    fn line(
        &mut self,
        surface: &mut Surface<'_>,
        line: &Line,
        [x, y]: [f32; 2],
        node: Option<NodeId>,
        links: &mut Vec<Linked>,
    ) {
        for piece in &line.pieces {
            let Some(node) = node else {
                surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)));
                self.piece(surface, piece, x, y);
                surface.end_tagged();
                continue;
            };
            let known = |target: &&Target| match target {
                Target::Anchor(anchor) => self.places.contains_key(anchor.as_str()),
                Target::Address(_) => true,
            };
            let link = piece.link.as_ref().filter(known).cloned();
            let leaf = surface.start_tagged(ContentTag::Span(SpanTag::empty()));
            self.piece(surface, piece, x, y);
            surface.end_tagged();
            let Some(target) = link else {
                self.tree.leaf(node, leaf);
                continue;
            };
            let size = piece.style.size;
            let rect = Rect::from_xywh(x + piece.x, y - size, piece.width.max(0.1), size * 1.3);
            let Some(rect) = rect else {
                self.tree.leaf(node, leaf);
                continue;
            };
            let inner = self.tree.add(node, Kind::Link);
            self.tree.leaf(inner, leaf);
            links.push(Linked {
                rect,
                target,
                text: piece.text.trim().to_owned(),
                node: inner,
            });
        }
    }

    fn piece(&self, surface: &mut Surface<'_>, piece: &Piece, x: f32, y: f32) {
        surface.set_stroke(None);
        surface.set_fill(Some(fill(colour(piece.style.ink))));
        let (font, size) = (self.fonts.font(piece.style.face), piece.style.size);
        surface.draw_glyphs(
            Point::from_xy(x + piece.x, y),
            &piece.glyphs,
            font,
            &piece.text,
            size,
            false,
        );
    }

    /// The number of the page that an entry leads to, after its leader.
    fn page_of(&mut self, surface: &mut Surface<'_>, [from, right, y]: [f32; 3], anchor: &str, node: NodeId) {
        let Some(&(sheet, _)) = self.places.get(anchor) else {
            return;
        };
        let style = Style::new(Face::Regular, 9.75, Ink::Text);
        let number = lines::broken(self.fonts, &[style.run((sheet + 1).to_string())], 60.0);
        let Some(line) = number.into_iter().next() else { return };
        let x = right - line.width;
        surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
        let mut path = PathBuilder::new();
        path.move_to(from, y - 0.5);
        path.line_to((x - 6.0).max(from + 0.1), y - 0.5);
        if let Some(path) = path.finish() {
            surface.set_fill(None);
            surface.set_stroke(Some(Stroke {
                paint: colour(Ink::Soft).into(),
                width: 0.5,
                dash: Some(StrokeDash {
                    array: vec![0.5, 3.0],
                    offset: 0.0,
                }),
                ..Stroke::default()
            }));
            surface.draw_path(&path);
        }
        surface.end_tagged();
        self.line(surface, &line, [x, y], Some(node), &mut Vec::new());
    }
}

fn rectangle(surface: &mut Surface<'_>, [x, y, width, height]: [f32; 4], colour: rgb::Color) {
    let Some(rect) = Rect::from_xywh(x, y, width, height) else {
        return;
    };
    let mut path = PathBuilder::new();
    path.push_rect(rect);
    let Some(path) = path.finish() else { return };
    surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)));
    surface.set_stroke(None);
    surface.set_fill(Some(fill(colour)));
    surface.draw_path(&path);
    surface.end_tagged();
}

fn fill(colour: rgb::Color) -> Fill {
    Fill {
        paint: colour.into(),
        opacity: NormalizedF32::ONE,
        ..Fill::default()
    }
}

fn colour(ink: Ink) -> rgb::Color {
    let [red, green, blue] = match ink {
        Ink::Text => [0x1a, 0x1d, 0x21],
        Ink::Soft => [0x50, 0x56, 0x5e],
        Ink::Line => [0xc3, 0xc8, 0xce],
        Ink::Accent => [0x17, 0x4a, 0x7c],
        Ink::Go => [0x14, 0x53, 0x2d],
        Ink::Care => [0x6b, 0x43, 0x00],
        Ink::Stop => [0x8a, 0x1c, 0x1c],
        Ink::Mask => [0x20, 0x41, 0x8a],
        Ink::Idle => [0x47, 0x4d, 0x55],
    };
    rgb::Color::new(red, green, blue)
}

/// What stands behind text of a colour.
fn tint(ink: Ink) -> rgb::Color {
    let [red, green, blue] = match ink {
        Ink::Go => [0xe7, 0xf4, 0xeb],
        Ink::Care => [0xfd, 0xf3, 0xdc],
        Ink::Stop => [0xfb, 0xe9, 0xe9],
        Ink::Mask | Ink::Accent => [0xe8, 0xee, 0xfb],
        Ink::Text | Ink::Soft | Ink::Line | Ink::Idle => [0xec, 0xee, 0xf1],
    };
    rgb::Color::new(red, green, blue)
}
