//! `delegation`: who may act on whose behalf.

use ordain_core::policy::fields::Reader;
use ordain_core::policy::node::Node;

/// One line: some callers, and for whom they may act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// The principal whose keys may; any when `None`.
    pub principal: Option<String>,
    /// The software whose keys may; any when `None`.
    pub client: Option<String>,
    /// For those in one of these groups of the directory.
    pub groups: Vec<String>,
    /// And for these, by name.
    pub principals: Vec<String>,
}

pub(super) fn read(node: &Node, reader: &mut Reader) -> Option<Delegation> {
    let mut fields = reader.fields(node, "a delegation")?;
    let principal = fields.text("principal", reader).map(|text| text.value);
    let client = fields.text("client", reader).map(|text| text.value);
    let whom = fields.required_with("for", reader, |reader, node| {
        let mut fields = reader.fields(node, "`for`")?;
        let groups = fields.texts("groups", reader);
        let principals = fields.texts("principals", reader);
        fields.finish(reader);
        // Everybody would be people whom nobody knows, too.
        if groups.iter().any(|group| group.as_str() == "everyone") || groups.len() + principals.len() == 0 {
            reader.wrong(
                node,
                "groups of the directory, other than `everyone`, or principals are expected",
            );
            return None;
        }
        Some((groups, principals))
    });
    fields.finish(reader);
    if principal.is_none() && client.is_none() {
        reader.wrong(node, "a `client` or a `principal` that may act for others is expected");
        return None;
    }
    let (groups, principals) = whom?;
    Some(Delegation {
        principal,
        client,
        groups: groups.into_iter().map(|group| group.value).collect(),
        principals: principals.into_iter().map(|name| name.value).collect(),
    })
}

#[cfg(test)]
mod tests {
    use crate::config;

    #[test]
    fn a_delegation_says_who_and_for_whom() {
        let mut problems = Vec::new();
        let text = "delegation:\n  - {client: assistant, for: {groups: staff, principals: [bo]}}\n";
        let read = config::parse(text, &mut problems).expect("a configuration").delegation;
        let one = &read[0];
        assert_eq!(
            (one.client.as_deref(), one.principal.as_deref()),
            (Some("assistant"), None)
        );
        assert_eq!(
            (one.groups.as_slice(), one.principals.as_slice()),
            (&["staff".to_owned()][..], &["bo".to_owned()][..])
        );
    }

    #[test]
    fn one_that_leaves_it_open_is_a_mistake() {
        for text in [
            "{for: {groups: staff}}",
            "{client: assistant}",
            "{client: assistant, for: {}}",
            "{client: assistant, for: {groups: [everyone]}}",
            "{client: assistant, for: {groups: staff}, to: x}",
        ] {
            let mut problems = Vec::new();
            assert!(
                config::parse(&format!("delegation:\n  - {text}\n"), &mut problems).is_none(),
                "{text}"
            );
            assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        }
    }
}
