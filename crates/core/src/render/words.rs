//! The closed words of the policy language as people say them.

use super::Given;
use super::block::{Inline, Inlines};
use crate::detect::entities;
use crate::policy::document::{Document, Section, Text};
use crate::verdict::{AppClass, Mode, Source, Verdict};

/// The group that everybody is in.
pub(super) const EVERYONE: &str = "everyone";

/// What happens under a verdict, in a cell of a table.
pub(super) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "goes through",
        Verdict::Coach => "with a notice",
        Verdict::Justify => "after a reason",
        Verdict::Redact => "masked",
        Verdict::Hold => "held for a second person",
        Verdict::Block => "blocked",
    }
}

/// The same as the end of a sentence about `it`.
pub(super) const fn happens(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "it goes through",
        Verdict::Coach => "it goes through with a notice to the person",
        Verdict::Justify => "it goes through once a reason is given",
        Verdict::Redact => "what was found is masked, and the rest goes through",
        Verdict::Hold => "it is held until a second person agrees",
        Verdict::Block => "it is blocked",
    }
}

/// The same of a request, whatever is in it.
pub(super) const fn fares(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Allow => "goes through",
        Verdict::Coach => "goes through, and the person gets a notice",
        Verdict::Justify => "goes through once a reason is given",
        Verdict::Redact => "goes through with what was found masked",
        Verdict::Hold => "is held until a second person agrees",
        Verdict::Block => "is blocked",
    }
}

/// A class of apps.
pub(super) const fn app_class(class: AppClass) -> &'static str {
    match class {
        AppClass::Sanctioned => "sanctioned",
        AppClass::Tolerated => "tolerated",
        AppClass::Unknown => "unknown",
        AppClass::Unsanctioned => "unsanctioned",
    }
}

/// How a mode acts.
pub(super) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Observe => "only records what it would do",
        Mode::Coach => "at most tells the person",
        Mode::Enforce => "acts",
    }
}

/// Who wrote a part, as in "written by …".
pub(super) const fn source(source: Source) -> &'static str {
    match source {
        Source::User => "written by the person",
        Source::System => "written by the developer of the calling software",
        Source::Tool => "returned by a tool",
        Source::Retrieved => "brought in by a search or a document",
        Source::Model => "written by a model",
    }
}

/// The name of a section in a table of contents.
pub(super) const fn section(section: Section) -> &'static str {
    match section {
        Section::Purpose => "Purpose and goals",
        Section::Scope => "Scope",
        Section::Roles => "Roles and responsibilities",
        Section::Applications => "Applications",
        Section::AcceptableUse => "Acceptable use",
        Section::Access => "Access",
        Section::Data => "Data",
        Section::ShadowAi => "Shadow AI",
        Section::Transparency => "Transparency",
        Section::Risk => "Risk",
        Section::Compliance => "Compliance",
        Section::Monitoring => "Monitoring",
        Section::Education => "Education",
        Section::Consequences => "Consequences",
    }
}

/// The title of a framework; the pack's id where it is not a well-known one.
pub(super) fn framework(pack: &str) -> &str {
    match pack {
        "csa-aicm-1.1" => "CSA AI Controls Matrix 1.1",
        "eu-ai-act" => "EU AI Act",
        "iso-42001-2023" => "ISO/IEC 42001:2023",
        "mitre-atlas" => "MITRE ATLAS",
        "nist-ai-rmf-1.0" => "NIST AI RMF 1.0",
        "owasp-llm-2026" => "OWASP Top 10 for LLM 2026",
        other => other,
    }
}

/// Words in a sentence: "a, b and c".
pub(super) fn list(words: &[String], last: &str) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., end] => format!("{} {last} {end}", most.join(", ")),
    }
}

/// Texts in a sentence.
pub(super) fn texts(texts: &[Text], last: &str) -> String {
    let words: Vec<String> = texts.iter().map(|text| text.value.clone()).collect();
    list(&words, last)
}

/// Runs in a sentence: "a, b and c".
pub(super) fn runs(items: Vec<Inlines>, last: &str) -> Inlines {
    let count = items.len();
    let mut out = Inlines::new();
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            let between = if index + 1 == count {
                format!(" {last} ")
            } else {
                ", ".to_owned()
            };
            out.push(Inline::Text(between));
        }
        out.extend(item);
    }
    out
}

/// A number of days.
pub(super) fn days(days: u32) -> String {
    if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    }
}

/// A short time: `15 minutes`, `8 hours`.
pub(super) fn minutes(minutes: u32) -> String {
    let (number, unit) = match minutes {
        _ if minutes.is_multiple_of(24 * 60) => (minutes / (24 * 60), "day"),
        _ if minutes.is_multiple_of(60) => (minutes / 60, "hour"),
        _ => (minutes, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// A sentence's first letter as a capital.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A kebab-case id as words.
pub(super) fn spoken(id: &str) -> String {
    id.replace(['-', '_'], " ")
}

/// What a name under `data` stands for: an entity, a family, or the organisation's own words.
pub(super) fn label(name: &str) -> String {
    entities::entity(name).map_or_else(
        || match name {
            "secret" => "secret (key, password or token)".to_owned(),
            "contact" => "contact data".to_owned(),
            "financial" => "financial data".to_owned(),
            "government-id" => "official identity numbers".to_owned(),
            "health" => "health data".to_owned(),
            own => spoken(own),
        },
        |known| known.label.to_owned(),
    )
}

/// The same, and whether nothing finds it yet.
pub(super) fn entity(given: &Given<'_>, name: &str) -> String {
    let label = label(name);
    if awaits_detector(given.document, name) {
        format!("{label} (nothing finds it yet)")
    } else {
        label
    }
}

/// The same in a sentence: "an email address".
pub(super) fn some(given: &Given<'_>, name: &str) -> String {
    let words = entity(given, name);
    match name {
        "person-name" => format!("the {words}"),
        "contact" | "financial" | "government-id" | "health" | "legal-privilege" | "source-code" => words,
        many if many.ends_with('s') && !many.ends_with("ss") && entities::entity(many).is_none() => words,
        // A letter is what counts in `API`, a sound in `US`.
        _ if words.starts_with(['a', 'e', 'i', 'o', 'A', 'I']) => format!("an {words}"),
        _ => format!("a {words}"),
    }
}

/// Whether an entity is one that no detector finds and the policy describes no words or pattern for.
pub(super) fn awaits_detector(document: &Document, name: &str) -> bool {
    let own = document.data.keywords.iter().map(|(entity, _)| entity);
    let own = own.chain(document.data.patterns.iter().map(|(entity, _)| entity));
    entities::entity(name).is_some_and(|known| !known.detected)
        && !own.into_iter().any(|entity| entity.as_str() == name)
}

/// An app by the name that people know.
pub(super) fn app(given: &Given<'_>, id: &str) -> String {
    given
        .catalog
        .app(id)
        .map_or_else(|| id.to_owned(), |known| known.name.to_owned())
}

/// A role, and what it leads to.
pub(super) fn role(given: &Given<'_>, role: &Text) -> Inlines {
    let known = given
        .document
        .roles
        .people
        .iter()
        .any(|(name, _)| name.as_str() == role.as_str());
    if known {
        vec![Inline::to("roles-people", role.as_str())]
    } else {
        vec![Inline::from(role.as_str())]
    }
}

/// Roles and groups in a sentence.
pub(super) fn roles(given: &Given<'_>, names: &[Text], last: &str) -> Inlines {
    runs(names.iter().map(|name| role(given, name)).collect(), last)
}

/// The person behind a role, where the policy names one.
pub(super) fn person<'g>(given: &Given<'g>, role: &str) -> Option<&'g Text> {
    let people = &given.document.roles.people;
    people
        .iter()
        .find(|(name, _)| name.as_str() == role)
        .map(|(_, person)| person)
}

/// The anchor of section data such as `data.matrix`.
pub(super) fn data_anchor(path: &str) -> String {
    format!("data-of-{}", fragment(path))
}

/// The anchor of a clause.
pub(super) fn clause_anchor(id: &str) -> String {
    format!("clause-{}", fragment(id))
}

/// The anchor of a section.
pub(super) fn section_anchor(section: Section) -> String {
    format!("section-{}", fragment(section.as_str()))
}

/// Text as an anchor: what addresses cannot carry becomes its code point, so that different texts stay different.
fn fragment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '.' | '_' => out.push('-'),
            letter if letter.is_ascii_alphanumeric() || letter == '-' => out.push(letter),
            other => out.push_str(&format!("_{:x}_", u32::from(other))),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::minutes;

    #[test]
    fn a_short_time_is_told_in_its_largest_unit() {
        for (number, told) in [
            (1, "1 minute"),
            (15, "15 minutes"),
            (60, "1 hour"),
            (90, "90 minutes"),
            (480, "8 hours"),
            (2_880, "2 days"),
        ] {
            assert_eq!(minutes(number), told);
        }
    }
}
