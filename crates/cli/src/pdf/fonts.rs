//! Noto Sans in three faces, which the binary carries: glyphs and their widths.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::Context as _;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use rustybuzz::{Direction, Face as Shaper, UnicodeBuffer};

/// A face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Regular,
    Bold,
    Italic,
}

/// All faces.
pub(super) struct Fonts {
    faces: Vec<(Shaper<'static>, Font)>,
    missing: RefCell<BTreeSet<char>>,
}

impl Fonts {
    pub(super) fn new() -> anyhow::Result<Self> {
        let files = [notosans::REGULAR_TTF, notosans::BOLD_TTF, notosans::ITALIC_TTF];
        let face = |file: &'static [u8]| {
            let shaper = Shaper::from_slice(file, 0).context("a font of the program cannot be read")?;
            let font = Font::new(file.into(), 0).context("a font of the program cannot be embedded")?;
            Ok((shaper, font))
        };
        Ok(Self {
            faces: files.into_iter().map(face).collect::<anyhow::Result<_>>()?,
            missing: RefCell::default(),
        })
    }

    pub(super) fn font(&self, face: Face) -> Font {
        self.faces[face as usize].1.clone()
    }

    /// The characters that no face has.
    pub(super) fn missing(&self) -> BTreeSet<char> {
        self.missing.borrow().clone()
    }

    /// Text that the fonts can show: what they lack becomes `?`, and is remembered.
    pub(super) fn showable(&self, text: &str) -> String {
        let shaper = &self.faces[Face::Regular as usize].0;
        let one = |letter: char| {
            // Code points of nobody's and marks of byte order have no meaning in an archive.
            let meaningless = matches!(letter, '\u{e000}'..='\u{f8ff}' | '\u{feff}' | '\u{fff9}'..='\u{ffff}');
            if letter.is_control() {
                ' '
            } else if !meaningless && shaper.glyph_index(letter).is_some() {
                letter
            } else {
                self.missing.borrow_mut().insert(letter);
                '?'
            }
        };
        text.chars().map(one).collect()
    }

    /// The glyphs of a text, with widths for size 1.
    pub(super) fn glyphs(&self, face: Face, text: &str) -> Vec<KrillaGlyph> {
        let shaper = &self.faces[face as usize].0;
        let em = shaper.units_per_em() as f32;
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::LeftToRight);
        let shaped = rustybuzz::shape(shaper, &[], buffer);
        let starts: Vec<usize> = shaped.glyph_infos().iter().map(|info| info.cluster as usize).collect();
        let one = |(index, (info, position)): (usize, (&rustybuzz::GlyphInfo, &rustybuzz::GlyphPosition))| {
            let start = info.cluster as usize;
            let end = starts[index..]
                .iter()
                .find(|&&next| next > start)
                .copied()
                .unwrap_or(text.len());
            KrillaGlyph::new(
                GlyphId::new(info.glyph_id),
                position.x_advance as f32 / em,
                position.x_offset as f32 / em,
                position.y_offset as f32 / em,
                position.y_advance as f32 / em,
                start..end,
                None,
            )
        };
        let both = shaped.glyph_infos().iter().zip(shaped.glyph_positions());
        both.enumerate().map(one).collect()
    }

    /// The width of a text for size 1.
    pub(super) fn width(&self, face: Face, text: &str) -> f32 {
        self.glyphs(face, text).iter().map(|glyph| glyph.x_advance).sum()
    }
}
