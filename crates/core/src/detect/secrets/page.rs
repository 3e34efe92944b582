//! The published page of secrets, `docs/reference/secrets.md`: written from the table, and held to it.

use std::fmt::Write as _;

use super::table::KINDS;
use crate::detect::ENTITIES;
use crate::published;

#[test]
fn the_published_page_is_the_table() {
    published::hold("secrets.md", &page());
}

fn page() -> String {
    let mut page = HEAD.replace("COUNT", &KINDS.len().to_string());
    for entity in ENTITIES {
        let own: Vec<_> = KINDS.iter().filter(|kind| kind.entity == entity.id).collect();
        if own.is_empty() {
            continue;
        }
        let _ = write!(
            page,
            "\n## `{}`: {}\n\n| kind | what it is | counts |\n|---|---|---|\n",
            entity.id, entity.label
        );
        for kind in own {
            let counts = if kind.names.is_empty() {
                "by itself".to_owned()
            } else {
                format!("assigned to {}", kind.names.join(", "))
            };
            let _ = writeln!(page, "| `{}` | {} | {counts} |", kind.id, kind.label);
        }
    }
    page
}

const HEAD: &str = "\
# Secrets

What opens an account has an entity of the family `secret`. Four detectors look for kinds of their own (`ai-provider-key`, `aws-key`,
`private-key`, and passwords in addresses: `database-url`, `url-credentials`); one finds passwords and keys of no known issuer by the name that they
are assigned to (`password`, `api-key`); and one knows the forms that issuers publish of their keys, COUNT kinds, which are listed here. This page is written from
`crates/core/data/secrets.tsv`, and a test holds it to that.

A kind that counts by itself is found wherever it stands as a token of its own. A kind that is assigned to a name is found behind it and what assigns in
some language (`name = value`, `\"name\": \"value\"`, `<name>value</name>`, `f(\"NAME\", \"value\")`): its form alone would be that of many things. What
repeats one character or counts on (`xxxxxx`, `abcdefghij`) is filled in for a secret and no secret.

Not found: values that are cut up or disguised, values of issuers that publish no form and stand without a name, and secrets in pictures.
";
