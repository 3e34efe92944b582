//! What an exchange keeps of its request for its answer: the tools that were withheld, the class, the words for a note.
//!
//! It lives as long as the exchange, in memory. Read [`Kept`] first.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use super::tokens::Tokens;
use super::{Fate, Inspection, Judged, content};
use crate::decide::{Decision, withheld};
use crate::exchange::Half;
use crate::verdict::Direction;
use crate::wire::json::text::escape;

/// More names of tools than this are not kept.
const MOST_WITHHELD: usize = 1024;

/// What is known of a request once it was judged.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// The class of its text; the lowest until it was judged.
    pub(super) class: u8,
    /// Whether nothing may be added to the answer.
    pub(super) exact: bool,
    /// The tokens that stand in it, if any do.
    pub(super) tokens: Option<Arc<Tokens>>,
    /// What people are told about the request, if a note to the answer is to say it.
    told: Option<Vec<String>>,
}

/// A request without the tools that its principal is not granted.
pub(super) struct Spared {
    pub(super) body: Vec<u8>,
    pub(super) half: Half,
}

impl Inspection {
    /// The tools of a request that its principal is not granted, by the names under which a call of them is judged.
    pub(super) fn withheld(&self, half: &Half) -> BTreeSet<String> {
        if half.listed.is_empty() || !self.rules.policy.lists_tools() {
            return BTreeSet::new();
        }
        let names: Vec<String> = half
            .listed
            .iter()
            .map(|name| content::name(&self.rules.scanner, name))
            .collect();
        let facts = self.facts(Direction::Prompt, crate::decide::Content::default());
        let gone: BTreeSet<&str> = withheld(&self.rules.policy, &facts, &names).into_iter().collect();
        let given = half.listed.iter().zip(&names);
        given
            .filter(|(_, name)| gone.contains(name.as_str()))
            .map(|(given, _)| given.clone())
            .collect()
    }

    /// The request without these tools, read again; `None` if they cannot be taken out.
    pub(super) fn spared(&self, body: &[u8], gone: &BTreeSet<String>) -> Option<Spared> {
        let body = self.wire.without_tools(body, gone)?;
        let half = self.wire.read_request(&body, self.named.as_deref()).ok()?;
        let left = half.listed.iter().any(|name| gone.contains(name));
        (!left).then_some(Spared { body, half })
    }

    /// The names of withheld tools, fit for records and headers.
    pub(super) fn names_of(&self, gone: &BTreeSet<String>) -> Vec<String> {
        let names = gone.iter().map(|name| content::name(&self.rules.scanner, name));
        names.take(MOST_WITHHELD).collect()
    }

    /// Notes what the answer needs to know of the request.
    pub(super) fn keep(&mut self, half: &Half, decision: &Decision, tokens: Tokens) {
        self.kept.tokens = (!tokens.is_empty()).then(|| Arc::new(tokens));
        self.kept.class = decision.data_class;
        self.kept.exact = half.exact;
    }

    /// Asks for a note at the end of the answer's text that says what people are told about the request and, where it is
    /// known in time, about the answer.
    pub fn add_note(&mut self, decision: &Decision) {
        if !self.kept.exact {
            let notices = decision.notices(&self.rules.policy);
            self.kept.told = Some(notices.map(str::to_owned).collect());
        }
    }

    /// What a note is to say, set off from what is said before; `None` if nothing.
    pub(super) fn note(&self, answer: Option<&Decision>) -> Option<String> {
        let told = self.kept.told.as_ref()?;
        let mut words: Vec<&str> = Vec::new();
        let own = answer.into_iter().flat_map(|answer| answer.notices(&self.rules.policy));
        for notice in told.iter().map(String::as_str).chain(own) {
            if !words.contains(&notice) {
                words.push(notice);
            }
        }
        (!words.is_empty()).then(|| format!("\n\n{}", words.join(" ")))
    }

    /// The label of an answer: the name of the highest class that the request has or, where it is known, the answer. `None`
    /// if the policy labels none.
    pub(super) fn label(&self, answer: Option<&Decision>) -> Option<String> {
        let policy = &self.rules.policy;
        let class = answer.map_or(self.kept.class, |answer| answer.data_class.max(self.kept.class));
        policy.labels_answers().then(|| policy.class_name(class).to_owned())
    }

    /// Puts the label and the note to a whole answer that goes on.
    pub(super) fn finished(&self, body: &[u8], judged: &mut Judged, fate: Fate) -> Fate {
        let Fate::Forward(edited) = fate else { return fate };
        judged.label = self.label(Some(&judged.decision));
        let note = self.note(Some(&judged.decision));
        let noted = note.and_then(|note| self.noted(edited.as_deref().unwrap_or(body), &note));
        Fate::Forward(noted.or(edited))
    }

    /// A whole answer with a note behind its text; `None` if there is no place for one.
    fn noted(&self, body: &[u8], note: &str) -> Option<Vec<u8>> {
        let token: Range<usize> = self.wire.talk()?.last_words(body)?;
        let end = token.end.checked_sub(1)?;
        let mut out = body.get(..end)?.to_vec();
        out.extend_from_slice(escape(note).as_bytes());
        out.extend_from_slice(body.get(end..)?);
        self.wire.read_answer(&out).ok().map(|_| out)
    }
}
