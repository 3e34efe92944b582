//! Goals, each with the metric that tells whether it is met.

use super::or_dash;
use crate::render::block::{Block, Inline, Table};
use crate::render::{Given, prose, words};

pub(super) fn data(given: &Given<'_>, blocks: &mut Vec<Block>) {
    let objectives = &given.document.objectives;
    if objectives.is_empty() {
        return;
    }
    let anchor = words::data_anchor("purpose.objectives");
    let mut table = Table::new(
        Some(&anchor),
        "Goals",
        &["Goal", "What it is", "Metric", "Target", "Owner"],
    );
    for goal in objectives {
        table.rows.push(vec![
            or_dash(goal.id.as_ref().map(|id| vec![Inline::code(id.as_str())])).into(),
            or_dash(goal.statement.as_ref().map(|text| prose::inlines(text.as_str()))).into(),
            or_dash(
                goal.metric
                    .as_ref()
                    .map(|id| vec![Inline::Text(words::spoken(id.as_str()))]),
            )
            .into(),
            or_dash(goal.target.as_ref().map(|text| vec![Inline::from(text.as_str())])).into(),
            or_dash(goal.owner.as_ref().map(|owner| words::role(given, owner))).into(),
        ]);
    }
    blocks.push(Block::Table(table));
}
