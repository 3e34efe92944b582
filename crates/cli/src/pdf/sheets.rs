//! Units onto sheets: where pages break, and which table heads stand again on the next one.

use std::rc::Rc;

use super::ROOM;
use super::lines::{Ink, Line};
use super::tags::NodeId;

/// What stays together on a page.
#[derive(Debug, Default)]
pub(super) struct Unit {
    /// Space above, which is left out at the top of a sheet.
    pub(super) before: f32,
    pub(super) height: f32,
    /// Whether the next unit must stand on the same sheet.
    pub(super) keep: bool,
    /// Whether a new sheet begins here.
    pub(super) fresh: bool,
    /// What leads here.
    pub(super) anchors: Vec<String>,
    pub(super) marks: Vec<Mark>,
    /// The head that stands again when this is the first unit of a sheet.
    pub(super) head: Option<Rc<Self>>,
}

/// Something to draw; places are relative to the unit.
#[derive(Debug)]
pub(super) enum Mark {
    /// A line of text.
    Text {
        x: f32,
        baseline: f32,
        line: Line,
        node: NodeId,
    },
    /// A tinted box.
    Tint {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        ink: Ink,
    },
    /// A horizontal rule.
    Rule {
        x: f32,
        y: f32,
        width: f32,
        thickness: f32,
        ink: Ink,
    },
    /// The number of the page where an anchor is, flush right, with a dotted leader from `from`.
    PageOf {
        from: f32,
        right: f32,
        baseline: f32,
        anchor: String,
        node: NodeId,
    },
}

/// A sheet of paper.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) placed: Vec<Placed>,
}

/// A unit at its place.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) y: f32,
    pub(super) unit: Rc<Unit>,
    /// Whether this is a head that stood before.
    pub(super) again: bool,
}

/// Units as sheets.
pub(super) fn of(units: Vec<Unit>) -> Vec<Sheet> {
    let units: Vec<Rc<Unit>> = units.into_iter().map(Rc::new).collect();
    let mut sheets = vec![Sheet::default()];
    let mut y = 0.0;
    for (index, unit) in units.iter().enumerate() {
        let first = sheets.last().is_none_or(|sheet| sheet.placed.is_empty());
        let before = if first { 0.0 } else { unit.before };
        let needed = chain(&units[index..]);
        let starts_chain = index == 0 || !units[index - 1].keep;
        let wanted = if starts_chain && needed <= ROOM {
            needed
        } else {
            unit.height
        };
        if !first && (unit.fresh || y + before + wanted > ROOM) {
            sheets.push(Sheet::default());
            y = 0.0;
            if let (Some(sheet), Some(head)) = (sheets.last_mut(), &unit.head) {
                sheet.placed.push(Placed {
                    y,
                    unit: Rc::clone(head),
                    again: true,
                });
                y += head.height;
            }
        } else {
            y += before;
        }
        if let Some(sheet) = sheets.last_mut() {
            sheet.placed.push(Placed {
                y,
                unit: Rc::clone(unit),
                again: false,
            });
        }
        y += unit.height;
    }
    sheets
}

/// The height of a unit with those that must follow it on the same sheet.
fn chain(units: &[Rc<Unit>]) -> f32 {
    let mut height = 0.0;
    for (index, unit) in units.iter().enumerate() {
        height += unit.height + if index > 0 { unit.before } else { 0.0 };
        if !unit.keep {
            break;
        }
    }
    height
}
