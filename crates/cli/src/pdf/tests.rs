//! Nothing is lost, nothing sticks out, and what begins a table begins it on each sheet.

use jiff::civil::Date;
use ordain_core::render::block::{Block, Cell, Extent, Inline, Page, Table};

use super::fonts::{Face, Fonts};
use super::lines::{self, Ink, Style};
use super::sheets::{Mark, Sheet};
use super::{ROOM, flow, sheets, write};

const BODY: Style = Style::new(Face::Regular, 10.0, Ink::Text);

fn page(blocks: Vec<Block>) -> Page {
    Page {
        language: "en",
        organization: "Example".to_owned(),
        title: "A page".to_owned(),
        version: "1".to_owned(),
        digest: "sha256:0".to_owned(),
        today: Date::constant(2026, 12, 1),
        extent: Extent::Part,
        facts: Vec::new(),
        blocks,
    }
}

fn laid_out(page: &Page) -> Vec<Sheet> {
    let fonts = Fonts::new().expect("fonts");
    sheets::of(flow::of(page, &fonts).units)
}

fn words(sheets: &[Sheet]) -> Vec<String> {
    let placed = sheets
        .iter()
        .flat_map(|sheet| &sheet.placed)
        .filter(|placed| !placed.again);
    let lines = placed
        .flat_map(|placed| &placed.unit.marks)
        .filter_map(|mark| match mark {
            Mark::Text { line, .. } => Some(line),
            _ => None,
        });
    let text: String = lines
        .flat_map(|line| line.pieces.iter().map(|piece| piece.text.as_str()).chain([" "]))
        .collect();
    text.split_whitespace().map(str::to_owned).collect()
}

fn assert_inside(sheets: &[Sheet]) {
    for placed in sheets.iter().flat_map(|sheet| &sheet.placed) {
        assert!(
            placed.y + placed.unit.height <= ROOM + 0.1,
            "{} + {}",
            placed.y,
            placed.unit.height
        );
    }
}

#[test]
fn lines_keep_every_letter_and_their_width() {
    let fonts = Fonts::new().expect("fonts");
    let text = format!("Some words, {} and more-than-one self-made compound.", "x".repeat(300));
    let lines = lines::broken(&fonts, &[BODY.run(text.clone())], 120.0);
    let all: String = lines
        .iter()
        .flat_map(|line| &line.pieces)
        .map(|piece| piece.text.as_str())
        .collect();
    assert_eq!(all, text);
    let space = 0.3 * 10.0;
    assert!(
        lines.iter().all(|line| line.width <= 120.0 + space),
        "no line is too wide"
    );
}

#[test]
fn what_the_fonts_lack_is_said() {
    let written = write(&page(vec![Block::paragraph(vec![Inline::from(
        "会 Ω Ж \u{e000}\u{7}",
    )])]))
    .expect("a file");
    assert_eq!(written.missing.into_iter().collect::<String>(), "会\u{e000}");
}

#[test]
fn a_long_table_repeats_its_head_and_loses_no_row() {
    let mut table = Table::new(None, "Many rows", &["Number", "Text"]);
    for number in 0..200 {
        table
            .rows
            .push(vec![Cell::from(format!("row{number}")), Cell::from("some text")]);
    }
    let sheets = laid_out(&page(vec![Block::Table(table)]));
    assert!(sheets.len() > 3);
    assert_inside(&sheets);
    assert!(
        sheets
            .iter()
            .skip(1)
            .all(|sheet| sheet.placed.first().is_some_and(|placed| placed.again))
    );
    let words = words(&sheets);
    assert!((0..200).all(|number| words.contains(&format!("row{number}"))));
}

#[test]
fn a_row_taller_than_a_sheet_is_cut_between_lines() {
    let long: Vec<String> = (0..3000).map(|number| format!("word{number}")).collect();
    let mut table = Table::new(None, "One row", &["Head", "Text"]);
    table.rows.push(vec![Cell::from("all"), Cell::from(long.join(" "))]);
    let sheets = laid_out(&page(vec![Block::Table(table)]));
    assert_inside(&sheets);
    let words = words(&sheets);
    assert!(long.iter().all(|word| words.contains(word)));
}

#[test]
fn headings_do_not_stand_alone_at_the_foot() {
    let mut blocks = Vec::new();
    for number in 0..60 {
        blocks.push(Block::Heading(ordain_core::render::block::Heading {
            level: 3,
            number: Some(number.to_string()),
            text: "A heading".to_owned(),
            anchor: format!("h{number}"),
        }));
        blocks.push(Block::paragraph(vec![Inline::Text("Words of it. ".repeat(20))]));
    }
    let sheets = laid_out(&page(blocks));
    assert_inside(&sheets);
    let last = sheets.iter().filter_map(|sheet| sheet.placed.last());
    assert!(
        last.into_iter().all(|placed| !placed.unit.keep),
        "each sheet ends where it may"
    );
}
