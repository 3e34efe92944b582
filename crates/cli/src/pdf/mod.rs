//! A page as PDF: A4, tagged for screen readers (PDF/UA-1) and fit for archives (PDF/A-2a), with bookmarks.
//!
//! ```text
//! flow     blocks -> units: lines, table rows, each with its height
//! sheets   units -> sheets: page breaks, repeated table heads
//! draw     sheets -> bytes, by krilla
//! ```
//!
//! `fonts` and `lines` turn words into glyphs and lines. The same page gives the same bytes: the only date in the file is the
//! page's own. Read [`write()`] first.

mod draw;
mod flow;
mod fonts;
mod lines;
mod sheets;
mod tables;
mod tags;

use std::collections::BTreeSet;

use ordain_core::render::block::Page;

use fonts::Fonts;

/// A PDF, and what it could not show.
pub(crate) struct Written {
    /// The file.
    pub(crate) bytes: Vec<u8>,
    /// Characters that the fonts lack; each stands as `?`.
    pub(crate) missing: BTreeSet<char>,
}

/// Writes a page.
pub(crate) fn write(page: &Page) -> anyhow::Result<Written> {
    let fonts = Fonts::new()?;
    let flow = flow::of(page, &fonts);
    let sheets = sheets::of(flow.units);
    let bytes = draw::draw(page, &fonts, &sheets, flow.tree, &flow.bookmarks)?;
    Ok(Written {
        bytes,
        missing: fonts.missing(),
    })
}

/// A4 in points, and its margins.
const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const LEFT: f32 = 54.0;
const TOP: f32 = 58.0;
const BOTTOM: f32 = 52.0;
/// The width of a line, and the height that a sheet has for units.
const MEASURE: f32 = WIDTH - 2.0 * LEFT;
const ROOM: f32 = HEIGHT - TOP - BOTTOM;

#[cfg(test)]
mod tests;
