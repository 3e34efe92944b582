//! What changes for the reader and for the programme around the gateway: clauses, evidence, roles, dates.

use crate::policy::document::{Clause, Document, Text};

/// A clause that reads or is held up otherwise than before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reworded {
    /// Its id.
    pub id: String,
    /// What is different.
    pub how: How,
    /// What people read before and after, where that is what differs.
    pub texts: Option<[String; 2]>,
}

impl Reworded {
    fn new(id: &str, how: How) -> Self {
        Self {
            id: id.to_owned(),
            how,
            texts: None,
        }
    }
}

/// How a clause can change for its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its statement reads otherwise.
    Statement,
    /// What people are told reads otherwise.
    Tell,
    /// Other evidence holds it up, or at another pace.
    Evidence,
    /// Somebody else owns it.
    Owner,
    /// Other frameworks are named.
    Frameworks,
    /// Something else may go on when nothing can be recorded.
    BreakGlass,
}

impl How {
    /// It in words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Added => "new",
            Self::Removed => "removed",
            Self::Statement => "reworded",
            Self::Tell => "tells people something else",
            Self::Evidence => "other evidence",
            Self::Owner => "another owner",
            Self::Frameworks => "other frameworks",
            Self::BreakGlass => "something else goes on when nothing can be recorded",
        }
    }
}

/// The clauses that differ, in the order of the new document, then those that are gone.
#[must_use]
pub fn reworded(old: &Document, new: &Document) -> Vec<Reworded> {
    let known = |document: &'_ Document, id: &str| document.clauses.iter().any(|clause| clause.id.as_str() == id);
    let mut all = Vec::new();
    for clause in &new.clauses {
        let id = clause.id.as_str();
        match old.clauses.iter().find(|before| before.id.as_str() == id) {
            None => all.push(Reworded::new(id, How::Added)),
            Some(before) => all.extend(differences(before, clause)),
        }
    }
    let gone = old.clauses.iter().filter(|clause| !known(new, clause.id.as_str()));
    all.extend(gone.map(|clause| Reworded::new(clause.id.as_str(), How::Removed)));
    all.extend(opened(old, new));
    all.extend(break_glass(old, new));
    all
}

/// The endpoints that stay open although some clause is blind there: no request is decided otherwise for it, but some come in.
fn opened(old: &Document, new: &Document) -> Vec<Reworded> {
    let endpoints = |document: &Document| -> Vec<(String, [String; 2])> {
        let text = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone()).unwrap_or_default();
        let unseen = document.data.unseen.iter();
        unseen
            .map(|one| {
                let until = one
                    .until
                    .as_ref()
                    .map(|until| until.value.to_string())
                    .unwrap_or_default();
                (text(&one.endpoint), [until, text(&one.reason)])
            })
            .collect()
    };
    let (old, new) = (endpoints(old), endpoints(new));
    let named = |endpoint: &str| format!("data.unseen {endpoint}");
    let mut all = Vec::new();
    for (endpoint, now) in &new {
        match old.iter().find(|(known, _)| known == endpoint) {
            None => all.push(Reworded::new(&named(endpoint), How::Added)),
            Some((_, was)) if was != now => all.push(Reworded {
                texts: Some([was, now].map(|[until, reason]| format!("until {until}: {reason}"))),
                ..Reworded::new(&named(endpoint), How::Statement)
            }),
            Some(_) => {}
        }
    }
    let gone = old
        .iter()
        .filter(|(endpoint, _)| !new.iter().any(|(known, _)| known == endpoint));
    all.extend(gone.map(|(endpoint, _)| Reworded::new(&named(endpoint), How::Removed)));
    all
}

/// What may go on without the ledger decides no request, so that no witness would show it.
fn break_glass(old: &Document, new: &Document) -> Option<Reworded> {
    const PATH: &str = "monitoring.break_glass";
    let said = |document: &Document| {
        let glass = document.break_glass.as_ref()?;
        let word = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone()).unwrap_or_default();
        let groups: Vec<&str> = glass.groups.iter().map(Text::as_str).collect();
        let minutes = glass.lasts.as_ref().map_or(0, |lasts| lasts.value);
        Some(format!(
            "use {}, groups {}, {minutes} minutes, reviewed by {}: {}",
            word(&glass.use_),
            groups.join(", "),
            word(&glass.reviewer),
            word(&glass.statement),
        ))
    };
    match (said(old), said(new)) {
        (None, None) => None,
        (None, Some(now)) => Some(Reworded {
            texts: Some([String::new(), now]),
            ..Reworded::new(PATH, How::Added)
        }),
        (Some(before), None) => Some(Reworded {
            texts: Some([before, String::new()]),
            ..Reworded::new(PATH, How::Removed)
        }),
        (Some(before), Some(now)) => (before != now).then(|| Reworded {
            texts: Some([before, now]),
            ..Reworded::new(PATH, How::BreakGlass)
        }),
    }
}

fn differences(old: &Clause, new: &Clause) -> Vec<Reworded> {
    let words = |text: &Option<Text>| text.as_ref().map(|text| text.value.clone());
    let evidence = |clause: &Clause| {
        clause.evidence.as_ref().map(|one| {
            let every = one.every.as_ref().map(|days| days.value);
            (one.kind.value.clone(), one.what.value.clone(), every, words(&one.by))
        })
    };
    let frameworks = |clause: &Clause| -> Vec<(String, Vec<String>)> {
        let items = |items: &[Text]| items.iter().map(|item| item.value.clone()).collect();
        clause
            .frameworks
            .iter()
            .map(|(pack, list)| (pack.value.clone(), items(list)))
            .collect()
    };
    let tell = |clause: &Clause| clause.rule.as_ref().and_then(|rule| words(&rule.tell));
    let pairs = [
        (
            words(&old.statement) != words(&new.statement),
            How::Statement,
            Some([words(&old.statement), words(&new.statement)]),
        ),
        (tell(old) != tell(new), How::Tell, Some([tell(old), tell(new)])),
        (
            evidence(old) != evidence(new) || words(&old.enforced_by) != words(&new.enforced_by),
            How::Evidence,
            None,
        ),
        (
            words(&old.owner) != words(&new.owner),
            How::Owner,
            Some([words(&old.owner), words(&new.owner)]),
        ),
        (frameworks(old) != frameworks(new), How::Frameworks, None),
    ];
    pairs
        .into_iter()
        .filter(|(differs, ..)| *differs)
        .map(|(_, how, texts)| Reworded {
            texts: texts.map(|texts| texts.map(Option::unwrap_or_default)),
            ..Reworded::new(new.id.as_str(), how)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{How, reworded};
    use crate::catalog::Catalog;
    use crate::policy::document::Document;
    use crate::policy::{Files, load};

    fn document(unseen: &str) -> Document {
        let text = format!("ordain: 1\ndata:\n  default: internal\n  unseen: [{unseen}]\n");
        let now = "2026-12-15T12:00:00Z".parse().expect("a moment");
        load(&Files::single(&text), &Catalog::built_in(), now)
            .document
            .expect("a document")
    }

    #[test]
    fn an_endpoint_that_is_opened_or_closed_is_told() {
        let completions = "{endpoint: openai POST /v1/completions, reason: prose, until: 2027-03-31}";
        let longer = "{endpoint: openai POST /v1/completions, reason: prose, until: 2027-06-30}";
        let embeddings = "{endpoint: openai POST /v1/embeddings, reason: ours, until: 2027-03-31}";
        let both = format!("{completions}, {embeddings}");
        let told = |old: &str, new: &str| -> Vec<(String, How)> {
            let all = reworded(&document(old), &document(new));
            all.into_iter().map(|one| (one.id, one.how)).collect()
        };
        let of_completions = "data.unseen openai POST /v1/completions".to_owned();
        assert_eq!(told(completions, completions), []);
        assert_eq!(told("", completions), [(of_completions.clone(), How::Added)]);
        assert_eq!(told(completions, longer), [(of_completions.clone(), How::Statement)]);
        assert_eq!(told(&both, embeddings), [(of_completions, How::Removed)]);
        let texts = reworded(&document(completions), &document(longer)).remove(0).texts;
        assert_eq!(
            texts,
            Some([
                "until 2027-03-31: prose".to_owned(),
                "until 2027-06-30: prose".to_owned()
            ])
        );
    }
}
