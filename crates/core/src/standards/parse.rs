//! A pack's file: `# key: value` lines, then one item a line, its columns set apart by tabs.

use super::{Item, Pack};

/// Reads a pack. The files come with the program and a test reads them all, so what is missing is simply empty here.
pub(super) fn pack(text: &'static str) -> Pack {
    let head = |key: &str| {
        let fields = text
            .lines()
            .filter_map(|line| line.strip_prefix("# ")?.split_once(": "));
        fields
            .into_iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value)
    };
    let items = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    Pack {
        id: head("id").unwrap_or_default(),
        name: head("name").unwrap_or_default(),
        version: head("version").unwrap_or_default(),
        publisher: head("publisher").unwrap_or_default(),
        url: head("url").unwrap_or_default(),
        licence: head("licence").unwrap_or_default(),
        retired: head("status") == Some("retired"),
        successor: head("successor"),
        aliases: head("aliases")
            .map(|names| names.split(", ").collect())
            .unwrap_or_default(),
        prefix: head("prefix").unwrap_or_default(),
        suffix: head("suffix").unwrap_or_default(),
        items: items.map(item).collect(),
    }
}

fn item(line: &'static str) -> Item {
    let mut columns = line.split('\t');
    let mut next = || columns.next().filter(|column| !column.is_empty());
    let (id, title, kind, parent, successor) = (next(), next(), next(), next(), next());
    Item {
        id: id.unwrap_or_default(),
        title,
        kind: kind.unwrap_or_default(),
        parent,
        successor,
    }
}
