//! The table, line by line: values drawn from every form are found as what they are, and hardly changed ones are not.

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use super::form::{Form, Step};
use super::table::{KINDS, Kind, TABLE, kind};
use super::*;
use crate::detect::entity;

/// What is found in a text, with its entity.
fn found(text: &str) -> Vec<(std::ops::Range<usize>, String)> {
    let mut matches = Vec::new();
    let window = Window {
        text,
        from: 0,
        complete: true,
    };
    Secrets.detect(window, &mut matches).expect("it looks at any text");
    matches
        .into_iter()
        .map(|one| (one.span, one.entity.to_string()))
        .collect()
}

/// A value of a form, drawn as its issuer would draw it.
fn drawn(form: &Form, random: &mut StdRng) -> String {
    let mut value = Vec::new();
    for step in &form.steps {
        match step {
            Step::Text(text) => value.extend_from_slice(text),
            Step::Run { class, least, most } => {
                // What begins with a sign could as well be part of the assignment.
                let plain = |byte: u8| !value.is_empty() || byte.is_ascii_alphanumeric();
                let alphabet: Vec<u8> = (b' '..=b'~')
                    .filter(|&byte| class.has(byte) && (plain(byte) || !class.has(b'0')))
                    .collect();
                let count = random.random_range(*least..=(*most).min(least + 40));
                value.extend((0..count).map(|_| alphabet[random.random_range(0..alphabet.len())]));
            }
        }
    }
    String::from_utf8(value).expect("ASCII")
}

/// The text that a value stands in: behind its name, if it needs one.
fn written(kind: &Kind, value: &str) -> (String, usize) {
    let before = match kind.names.first() {
        Some(name) => format!("export {}_TOKEN=\"", name.to_uppercase()),
        None => "the value \"".to_owned(),
    };
    (format!("{before}{value}\"\n"), before.len())
}

#[test]
fn every_line_is_a_kind_with_a_known_entity() {
    let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
    assert!(lines.len() >= 250, "{} kinds", lines.len());
    for line in &lines {
        let kind = kind(line).unwrap_or_else(|| panic!("a line that cannot be read: {line}"));
        assert!(!kind.label.is_empty() && !kind.id.is_empty());
        let entity = entity(kind.entity).unwrap_or_else(|| panic!("`{}` is no entity", kind.entity));
        assert!(entity.detected && entity.family == Some("secret"), "{line}");
        for form in &kind.forms {
            // A form that counts by itself has to say so in its first bytes, or every word would be looked at.
            assert!(!kind.names.is_empty() || form.anchor().len() >= 2, "{line}");
        }
        assert!(
            kind.names
                .iter()
                .all(|name| name.len() >= 3 && *name == name.to_lowercase()),
            "{line}"
        );
    }
    assert!(
        KINDS.is_sorted_by(|one, two| one.id < two.id),
        "ids are sorted and unique"
    );
}

#[test]
fn no_kind_is_shorter_or_longer_than_is_said() {
    for kind in KINDS.iter() {
        let name = kind.names.iter().map(|name| name.len() + 1).min().unwrap_or_default();
        for form in &kind.forms {
            let (least, most) = form.steps.iter().fold((0, 0), |(least, most), step| match step {
                Step::Text(text) => (least + text.len(), most + text.len()),
                Step::Run {
                    least: few, most: many, ..
                } => (least + few, most + many),
            });
            assert!(name + least >= SHORTEST, "{} is {} bytes short", kind.id, name + least);
            assert!(most + 128 <= LONGEST, "{} is {most} bytes long", kind.id);
        }
    }
}

#[test]
fn what_an_issuer_draws_is_found_as_it_stands() {
    let mut random = StdRng::seed_from_u64(20_261_127);
    for kind in KINDS.iter() {
        for form in &kind.forms {
            for _ in 0..20 {
                let value = drawn(form, &mut random);
                let (text, start) = written(kind, &value);
                let expected = start..start + value.len();
                let seen = found(&text);
                // A value without a digit may have been drawn; then it does not tell itself from a word.
                if !varied(value.as_bytes().get(form.anchor().len()..).unwrap_or_default())
                    || (!kind.names.is_empty() && !telling(value.as_bytes()))
                {
                    continue;
                }
                assert!(
                    seen.iter().any(|(span, _)| *span == expected),
                    "{}: {text} has {seen:?}",
                    kind.id
                );
            }
        }
    }
}

#[test]
fn what_goes_on_is_something_else() {
    let mut random = StdRng::seed_from_u64(20_261_128);
    for kind in KINDS.iter().filter(|kind| kind.names.is_empty()) {
        for form in &kind.forms {
            let value = drawn(form, &mut random);
            for text in [format!("x{value}"), format!("{value}_1")] {
                let whole = found(&text).into_iter().any(|(span, _)| span.len() == value.len());
                assert!(!whole, "{}: {text}", kind.id);
            }
        }
    }
}

#[test]
fn names_are_seen_in_whatever_language_assigns() {
    let value = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
    for text in [
        "datadogToken = \"@\"",
        "var datadogToken string = \"@\"",
        "datadogToken := `@`",
        "datadog_TOKEN ::= \"@\"",
        "\"datadog_api_key\": \"@\",",
        "$datadogToken .= '@';",
        "  \"datadogToken\" => \"@\"",
        "System.setProperty(\"DATADOG_TOKEN\", \"@\")",
        "<datadogToken>\n    @\n</datadogToken>",
        "DATADOG_API_KEY=@\nNEXT=1",
        "my Datadog key: @.",
        "{\"config\": \"DATADOG_TOKEN=@\\nNEXT=1\"}",
        "config['datadog_token'] = '@'",
    ] {
        let text = text.replace('@', value);
        let start = text.find(value).expect("it stands there");
        assert_eq!(
            found(&text),
            [(start..start + value.len(), "api-key".to_owned())],
            "{text}"
        );
    }
    for text in [
        "datadog @",
        "datadogs @ =",
        "mydatadog = @",
        "datadog_key =\n\n\n\n\n\n\n\n\n\n\n@",
        "datadog: @x",
    ] {
        assert_eq!(found(&text.replace('@', value)), [], "{text}");
    }
}
