//! Tables: columns as wide as their words ask for, rows as units, the head again on each sheet.

use std::rc::Rc;

use ordain_core::render::block::{Cell, Table};
use ordain_core::verdict::Verdict;

use super::MEASURE;
use super::flow::{Builder, LEADING_SMALL, SMALL, baseline};
use super::fonts::Face;
use super::lines::{self, Ink, Line, Run, Style};
use super::sheets::{Mark, Unit};
use super::tags::{Kind, NodeId};

const GAP: f32 = 9.0;
const PAD: f32 = 4.0;
/// Rows with more lines are cut into several units.
const MOST_LINES: usize = 36;

/// Adds a table.
pub(super) fn add(builder: &mut Builder<'_>, table: &Table) {
    let node = builder.tree.add(builder.parent, Kind::Table);
    caption(builder, table, node);
    let head_style = Style::new(Face::Bold, SMALL, Ink::Soft);
    let head: Vec<Vec<Run>> = table
        .head
        .iter()
        .map(|word| vec![head_style.run(word.clone())])
        .collect();
    let rows: Vec<Vec<Vec<Run>>> = table
        .rows
        .iter()
        .map(|row| row.iter().enumerate().map(runs).collect())
        .collect();
    let widths = columns(builder, &head, &rows);
    let at: Vec<f32> = widths
        .iter()
        .scan(0.0, |x, width| {
            let here = *x;
            *x += width + GAP;
            Some(here)
        })
        .collect();

    let head_node = builder.tree.add(node, Kind::Head);
    let row_node = builder.tree.add(head_node, Kind::Row);
    let first = row(builder, &head, &widths, &at, row_node, |_| Kind::ColumnHead);
    let height = first.0 + 2.0 * PAD;
    let mut marks = first.1;
    marks.push(rule(height - 0.5, 0.9, Ink::Text));
    let again = Rc::new(Unit {
        height,
        marks: again(builder, &head, &widths, &at, height),
        ..Unit::default()
    });
    builder.units.push(Unit {
        height,
        keep: true,
        marks,
        ..Unit::default()
    });

    let body = builder.tree.add(node, Kind::Rows);
    let count = table.rows.len();
    for (index, (cells, row_runs)) in table.rows.iter().zip(&rows).enumerate() {
        let row_node = builder.tree.add(body, Kind::Row);
        let (inner, mut marks) = row(builder, row_runs, &widths, &at, row_node, |column| {
            if column == 0 { Kind::RowHead } else { Kind::Cell }
        });
        let height = inner + 2.0 * PAD;
        let mut all: Vec<Mark> = cells
            .iter()
            .zip(at.iter().zip(&widths))
            .filter_map(|(cell, (&x, &width))| {
                let from = x - GAP / 2.0 + 1.0;
                Some(Mark::Tint {
                    x: from,
                    y: 0.5,
                    width: (x + width + GAP / 2.0 - 1.0).min(MEASURE) - from,
                    height: height - 1.5,
                    ink: ink(cell.verdict?),
                })
            })
            .collect();
        all.append(&mut marks);
        all.push(rule(height - 0.5, 0.4, Ink::Line));
        for mut unit in cut(all, height) {
            unit.head = Some(Rc::clone(&again));
            // The first two rows follow the head, and the last is not left alone.
            unit.keep |= index == 0 && count > 1 || index + 2 == count;
            builder.units.push(unit);
        }
    }
    builder.space = 12.0;
}

fn caption(builder: &mut Builder<'_>, table: &Table, node: NodeId) {
    let style = Style::new(Face::Bold, 9.5, Ink::Text);
    let parent = builder.tree.add(node, Kind::Caption);
    let count = builder.units.len();
    builder.text(&[style.run(table.caption.clone())], 0.0, MEASURE, 13.0, parent, 10.0);
    for unit in &mut builder.units[count..] {
        unit.keep = true;
    }
    if let (Some(unit), Some(anchor)) = (builder.units.get_mut(count), &table.anchor) {
        unit.anchors.push(anchor.clone());
    }
}

fn runs((column, cell): (usize, &Cell)) -> Vec<Run> {
    let face = if column == 0 { Face::Bold } else { Face::Regular };
    let ink = cell.verdict.map_or(Ink::Text, ink);
    lines::runs(&cell.text, Style::new(face, SMALL, ink))
}

/// The colour of a verdict.
const fn ink(verdict: Verdict) -> Ink {
    match verdict {
        Verdict::Allow => Ink::Go,
        Verdict::Coach | Verdict::Justify => Ink::Care,
        Verdict::Redact | Verdict::Hold => Ink::Mask,
        Verdict::Block => Ink::Stop,
    }
}

/// Widths of columns: each gets its longest word, and the rest is shared by how much text there is.
fn columns(builder: &Builder<'_>, head: &[Vec<Run>], rows: &[Vec<Vec<Run>>]) -> Vec<f32> {
    let room = MEASURE - GAP * (head.len().max(1) - 1) as f32;
    let fonts = builder.fonts;
    let measure = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let all = cells.chain(head.get(column)).map(|runs| lines::widths(fonts, runs));
        all.fold((0.0_f32, 0.0_f32), |(text, word), (one, longest)| {
            (text.max(one), word.max(longest))
        })
    };
    let wanted: Vec<(f32, f32)> = (0..head.len()).map(measure).collect();
    let natural: f32 = wanted.iter().map(|(text, _)| text + 0.5).sum();
    if natural <= room {
        // What is left over goes to the last column, so that the table fills the line.
        let mut widths: Vec<f32> = wanted.iter().map(|(text, _)| text + 0.5).collect();
        let spare = (room - natural) / widths.len().max(1) as f32;
        for width in &mut widths {
            *width += spare;
        }
        return widths;
    }
    // No single word may take more than its fair share twice over.
    let most = room / head.len().max(1) as f32 * 1.6;
    let least: Vec<f32> = wanted.iter().map(|(_, word)| (word + 0.5).min(most)).collect();
    let sum: f32 = least.iter().sum();
    if sum >= room {
        return least.iter().map(|width| width * room / sum).collect();
    }
    let weight = |(text, _): &(f32, f32), least: &f32| (text - least).max(0.0).sqrt();
    let weights: Vec<f32> = wanted
        .iter()
        .zip(&least)
        .map(|(wanted, least)| weight(wanted, least))
        .collect();
    let all: f32 = weights.iter().sum::<f32>().max(1.0);
    let shared = least
        .iter()
        .zip(&weights)
        .map(|(least, weight)| least + (room - sum) * weight / all);
    shared.collect()
}

/// The marks of a row and the height of its text.
fn row(
    builder: &mut Builder<'_>,
    cells: &[Vec<Run>],
    widths: &[f32],
    at: &[f32],
    parent: NodeId,
    kind: impl Fn(usize) -> Kind,
) -> (f32, Vec<Mark>) {
    let mut marks = Vec::new();
    let mut most: usize = 1;
    for (column, runs) in cells.iter().enumerate() {
        let node = builder.tree.add(parent, kind(column));
        let lines = lines::broken(builder.fonts, runs, widths[column]);
        most = most.max(lines.len());
        for (index, line) in lines.into_iter().enumerate() {
            marks.push(text(at[column], index, line, node));
        }
    }
    (most as f32 * LEADING_SMALL, marks)
}

fn text(x: f32, index: usize, line: Line, node: NodeId) -> Mark {
    Mark::Text {
        x,
        baseline: PAD + index as f32 * LEADING_SMALL + baseline(SMALL, LEADING_SMALL),
        line,
        node,
    }
}

/// The head without a node: on later sheets it is decoration.
fn again(builder: &Builder<'_>, head: &[Vec<Run>], widths: &[f32], at: &[f32], height: f32) -> Vec<Mark> {
    let mut marks = Vec::new();
    for (column, runs) in head.iter().enumerate() {
        for (index, line) in lines::broken(builder.fonts, runs, widths[column])
            .into_iter()
            .enumerate()
        {
            marks.push(text(at[column], index, line, builder.parent));
        }
    }
    marks.push(rule(height - 0.5, 0.9, Ink::Text));
    marks
}

const fn rule(y: f32, thickness: f32, ink: Ink) -> Mark {
    Mark::Rule {
        x: 0.0,
        y,
        width: MEASURE,
        thickness,
        ink,
    }
}

/// A row as one unit, or as several when it is too tall for a sheet.
fn cut(marks: Vec<Mark>, height: f32) -> Vec<Unit> {
    let tallest = MOST_LINES as f32 * LEADING_SMALL;
    if height <= tallest + 2.0 * PAD {
        return vec![Unit {
            height,
            marks,
            ..Unit::default()
        }];
    }
    let count = (height / tallest).ceil() as usize;
    let mut units: Vec<Unit> = (0..count)
        .map(|index| Unit {
            height: tallest.min(height - index as f32 * tallest),
            ..Unit::default()
        })
        .collect();
    for mark in marks {
        // Lines are told apart by their tops, so that none stands half on the sheet before.
        let top = match &mark {
            Mark::Text { baseline: at, .. } | Mark::PageOf { baseline: at, .. } => {
                at - PAD - baseline(SMALL, LEADING_SMALL) + 0.01
            }
            Mark::Tint { .. } => continue,
            Mark::Rule { y, .. } => *y,
        };
        let index = ((top / tallest) as usize).min(count - 1);
        let up = index as f32 * tallest;
        let moved = match mark {
            Mark::Text {
                x,
                baseline,
                line,
                node,
            } => Mark::Text {
                x,
                baseline: baseline - up,
                line,
                node,
            },
            Mark::Rule {
                x,
                y,
                width,
                thickness,
                ink,
            } => Mark::Rule {
                x,
                y: y - up,
                width,
                thickness,
                ink,
            },
            other => other,
        };
        units[index].marks.push(moved);
    }
    units
}
