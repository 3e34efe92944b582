//! The table of kinds, read once.

use std::sync::LazyLock;

use super::form::Form;

/// One kind of secret.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) id: &'static str,
    pub(super) entity: &'static str,
    pub(super) label: &'static str,
    /// What names it in front of an assignment, in lower case; none if its forms count by themselves.
    pub(super) names: Vec<&'static str>,
    pub(super) forms: Vec<Form>,
}

/// Every kind, in the order of the ids.
pub(super) static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(kind).collect()
});

/// The table comes with the program, and a test reads every line of it.
pub(super) const TABLE: &str = include_str!("../../../data/secrets.tsv");

pub(super) fn kind(line: &'static str) -> Option<Kind> {
    let mut columns = line.split('\t');
    let kind = Kind {
        id: columns.next()?,
        entity: columns.next()?,
        label: columns.next()?,
        names: columns.next()?.split(',').filter(|name| !name.is_empty()).collect(),
        forms: columns.next()?.split(' ').map(Form::read).collect::<Option<_>>()?,
    };
    columns.next().is_none().then_some(kind)
}
