//! Running text as lines of a given width. Read [`broken`] first.

use krilla::text::KrillaGlyph;
use ordain_core::render::block::{Inline, Target};

use super::fonts::{Face, Fonts};

/// How text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    pub(super) face: Face,
    pub(super) size: f32,
    pub(super) ink: Ink,
}

/// The colours of text and of what stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Text,
    Soft,
    Line,
    Accent,
    Go,
    Care,
    Stop,
    Mask,
    Idle,
}

/// Text of one style.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) link: Option<Target>,
}

/// A line.
#[derive(Debug, Clone, Default)]
pub(super) struct Line {
    pub(super) pieces: Vec<Piece>,
    pub(super) width: f32,
}

/// Text of one style on one line.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) x: f32,
    pub(super) width: f32,
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) link: Option<Target>,
    pub(super) glyphs: Vec<KrillaGlyph>,
}

impl Style {
    pub(super) const fn new(face: Face, size: f32, ink: Ink) -> Self {
        Self { face, size, ink }
    }

    /// Text of this style.
    pub(super) fn run(self, text: impl Into<String>) -> Run {
        Run {
            text: text.into(),
            style: self,
            link: None,
        }
    }
}

/// Inlines as runs.
pub(super) fn runs(text: &[Inline], style: Style) -> Vec<Run> {
    let mut out = Vec::new();
    add(text, style, None, &mut out);
    out
}

fn add(text: &[Inline], style: Style, link: Option<&Target>, out: &mut Vec<Run>) {
    for inline in text {
        match inline {
            Inline::Text(words) | Inline::Code(words) => out.push(Run {
                text: words.clone(),
                style,
                link: link.cloned(),
            }),
            Inline::Strong(inner) => add(
                inner,
                Style {
                    face: Face::Bold,
                    ..style
                },
                link,
                out,
            ),
            Inline::Emphasis(inner) => {
                let face = if style.face == Face::Bold {
                    Face::Bold
                } else {
                    Face::Italic
                };
                add(inner, Style { face, ..style }, link, out);
            }
            Inline::Link { target, text: inner } => {
                let ink = if matches!(target, Target::Address(_)) {
                    Ink::Accent
                } else {
                    style.ink
                };
                add(inner, Style { ink, ..style }, Some(target), out);
            }
        }
    }
}

/// A stretch without a place to break: pieces of runs, and the run whose space stands before it.
#[derive(Debug, Default)]
struct Word {
    parts: Vec<(usize, String)>,
    space: Option<usize>,
    width: f32,
}

/// Runs as lines that are at most `width` wide.
pub(super) fn broken(fonts: &Fonts, runs: &[Run], width: f32) -> Vec<Line> {
    let runs: Vec<Run> = runs
        .iter()
        .map(|run| Run {
            text: fonts.showable(&run.text),
            ..run.clone()
        })
        .collect();
    let mut lines = Vec::new();
    let mut line: Vec<Word> = Vec::new();
    let mut filled = 0.0;
    let mut words: Vec<Word> = words(fonts, &runs)
        .into_iter()
        .flat_map(|word| fitting(fonts, &runs, word, width))
        .collect();
    for word in words.drain(..) {
        let space = word.space.map_or(0.0, |run| space_width(fonts, &runs[run]));
        if !line.is_empty() && filled + space + word.width > width {
            lines.push(finished(fonts, &runs, &line, word.space));
            line.clear();
            filled = 0.0;
        }
        filled += word.width + if line.is_empty() { 0.0 } else { space };
        line.push(word);
    }
    if !line.is_empty() {
        lines.push(finished(fonts, &runs, &line, None));
    }
    lines
}

/// The width of the text on one line, and of its longest word.
pub(super) fn widths(fonts: &Fonts, runs: &[Run]) -> (f32, f32) {
    let mut all = 0.0;
    let mut longest: f32 = 0.0;
    for word in words(fonts, runs) {
        all += word.width + word.space.map_or(0.0, |run| space_width(fonts, &runs[run]));
        longest = longest.max(word.width);
    }
    (all, longest)
}

fn space_width(fonts: &Fonts, run: &Run) -> f32 {
    fonts.width(run.style.face, " ") * run.style.size
}

fn words(fonts: &Fonts, runs: &[Run]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut word = Word::default();
    let mut space = None;
    let mut close = |word: &mut Word| {
        if !word.parts.is_empty() {
            word.width = word
                .parts
                .iter()
                .map(|(run, text)| fonts.width(runs[*run].style.face, text) * runs[*run].style.size)
                .sum();
            words.push(std::mem::take(word));
        }
    };
    for (index, run) in runs.iter().enumerate() {
        let mut before: Option<char> = None;
        let mut letters = run.text.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter.is_whitespace() && letter != '\u{a0}' {
                close(&mut word);
                space = Some(index);
            } else {
                if word.parts.is_empty() {
                    word.space = space.take();
                }
                match word.parts.last_mut() {
                    Some((of, text)) if *of == index => text.push(letter),
                    _ => word.parts.push((index, letter.to_string())),
                }
                // Compound words break after their hyphen; dates and ids such as `AU-3` do not.
                let lower = |c: Option<char>| c.is_some_and(char::is_lowercase);
                if matches!(letter, '-' | '/') && lower(before) && lower(letters.peek().copied()) {
                    close(&mut word);
                }
            }
            before = Some(letter);
        }
    }
    close(&mut word);
    words
}

/// A word that is wider than a line, in pieces that are not.
fn fitting(fonts: &Fonts, runs: &[Run], word: Word, width: f32) -> Vec<Word> {
    if word.width <= width {
        return vec![word];
    }
    let mut out: Vec<Word> = Vec::new();
    let mut piece = Word {
        space: word.space,
        ..Word::default()
    };
    for (run, text) in word.parts {
        let style = runs[run].style;
        for letter in text.chars() {
            let advance = fonts.width(style.face, letter.encode_utf8(&mut [0; 4])) * style.size;
            if piece.width + advance > width && !piece.parts.is_empty() {
                out.push(std::mem::take(&mut piece));
            }
            piece.width += advance;
            match piece.parts.last_mut() {
                Some((of, text)) if *of == run => text.push(letter),
                _ => piece.parts.push((run, letter.to_string())),
            }
        }
    }
    out.push(piece);
    out
}

/// Words as pieces in their places. A space at which the line was broken stays at its end, for those who hear the text.
fn finished(fonts: &Fonts, runs: &[Run], words: &[Word], after: Option<usize>) -> Line {
    let mut parts: Vec<(usize, String)> = Vec::new();
    let mut push = |run: usize, text: &str| match parts.last_mut() {
        Some((of, known)) if *of == run => known.push_str(text),
        _ => parts.push((run, text.to_owned())),
    };
    for (index, word) in words.iter().enumerate() {
        if let Some(run) = word.space.filter(|_| index > 0) {
            push(run, " ");
        }
        for (run, text) in &word.parts {
            push(*run, text);
        }
    }
    if let Some(run) = after {
        push(run, " ");
    }
    let mut line = Line::default();
    for (run, text) in parts {
        let Run { style, link, .. } = &runs[run];
        let glyphs = fonts.glyphs(style.face, &text);
        let width = glyphs.iter().map(|glyph| glyph.x_advance).sum::<f32>() * style.size;
        line.pieces.push(Piece {
            x: line.width,
            width,
            text,
            style: *style,
            link: link.clone(),
            glyphs,
        });
        line.width += width;
    }
    line
}
