//! The request: a whole body, judged and spliced.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::kept::{Kept, Spared};
use super::tokens::{self, Tokens};
use super::{Call, Failed, Fate, Inspection, Judged, Rules, Said, arguments, content};
use crate::decide::{Asked, Covered, Decision, Facts, decide};
use crate::detect::scanner::Scan;
use crate::exchange::{Bound, Edit, Half};
use crate::verdict::{Direction, Verdict};
use crate::wire::splice::splice;
use crate::wire::{Malformed, Wire};

/// A request that was read, with what becomes of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// What was judged.
    pub judged: Judged,
    /// What becomes of the body.
    pub fate: Fate,
    /// Whether the caller asked for a streamed answer.
    pub stream: bool,
    /// The inspection, for the answer.
    pub inspection: Inspection,
}

impl Inspection {
    /// Reads, scans and judges a request body. `named` is the model that the path names; `call` says what is known of a
    /// call for the model that the request is for.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the body could be read in two ways or lacks the dialect's basic shape.
    pub fn request(
        rules: &Arc<Rules>,
        wire: &'static dyn Wire,
        body: &[u8],
        named: Option<&str>,
        call: impl FnOnce(&str) -> Call,
    ) -> Result<Request, Malformed> {
        let half = wire.read_request(body, named)?;
        Ok(Self::of(rules, wire, body, &half, named, call))
    }

    /// Scans and judges a request body that was read already: `half` is what [`Wire::read_request`] made of exactly these
    /// bytes. The rest is as for [`Inspection::request`].
    #[must_use]
    pub fn of(
        rules: &Arc<Rules>,
        wire: &'static dyn Wire,
        body: &[u8],
        half: &Half,
        named: Option<&str>,
        call: impl FnOnce(&str) -> Call,
    ) -> Request {
        let stream = half.stream;
        let model = half.model.as_deref().map(|model| content::name(&rules.scanner, model));
        let call = call(model.as_deref().unwrap_or_default());
        let mut inspection = Self {
            rules: Arc::clone(rules),
            wire,
            named: named.map(str::to_owned),
            call,
            model,
            bound: half.bound,
            covered: Covered::default(),
            kept: Kept::default(),
        };
        let mut tokens = Tokens::default();
        let (judged, fate) = inspection.judge_request(body, half, &mut tokens);
        inspection.keep(half, &judged.decision, tokens);
        Request {
            judged,
            fate,
            stream,
            inspection,
        }
    }

    /// Judges a request without the tools that its principal is not granted: what is judged is what is sent.
    fn judge_request(&self, body: &[u8], half: &Half, tokens: &mut Tokens) -> (Judged, Fate) {
        let gone = self.withheld(half);
        if gone.is_empty() {
            return self.judge_half(Direction::Prompt, body, half, tokens);
        }
        let Some(Spared { body, half }) = self.spared(body, &gone) else {
            let (mut judged, _) = self.judge(Direction::Prompt, body, half);
            self.cannot_splice(&mut judged);
            return (judged, Fate::Stop);
        };
        let (mut judged, fate) = self.judge_half(Direction::Prompt, &body, &half, tokens);
        judged.withheld = self.names_of(&gone);
        let fate = match fate {
            Fate::Forward(edited) => Fate::Forward(Some(edited.unwrap_or(body))),
            Fate::Wait(asked, edited) => Fate::Wait(asked, Some(edited.unwrap_or(body))),
            Fate::Stop => Fate::Stop,
        };
        (judged, fate)
    }

    /// The bytes cannot be changed as they have to be: the decision stands, and it cannot be carried out.
    fn cannot_splice(&self, judged: &mut Judged) {
        judged.facts.content.failed = true;
        judged.failed.push(Failed::splice());
        judged.decision = decide(&self.rules.policy, &judged.facts);
        judged.decision.verdict = Verdict::Block;
    }

    /// The policy that judges this exchange.
    #[must_use]
    pub fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// The dialect that it speaks.
    #[must_use]
    pub fn wire(&self) -> &'static dyn Wire {
        self.wire
    }

    /// The model that the request names.
    #[must_use]
    pub fn model(&self) -> &str {
        self.model.as_deref().unwrap_or_default()
    }

    /// How much the request lets the model say.
    #[must_use]
    pub const fn bound(&self) -> Bound {
        self.bound
    }

    /// What was known of the call.
    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Everything that a decision on the prompt asks for has been done; the answer is judged with that in mind.
    pub fn cover(&mut self, decision: &Decision) {
        self.covered = Covered::by(&self.rules.policy, decision);
    }

    /// What was done for the request and covers its answer.
    #[must_use]
    pub fn covered(&self) -> &Covered {
        &self.covered
    }

    /// Facts about one half of this exchange.
    pub(super) fn facts(&self, direction: Direction, content: crate::decide::Content) -> Facts {
        Facts {
            now: self.call.now,
            direction,
            who: Arc::clone(&self.call.who),
            to: Arc::clone(&self.call.to),
            model: self.model.clone(),
            use_: self.call.use_.clone(),
            content,
        }
    }

    /// Scans and judges one whole half, and splices what is to be masked.
    pub(super) fn judge(&self, direction: Direction, body: &[u8], half: &Half) -> (Judged, Fate) {
        self.judge_half(direction, body, half, &mut Tokens::default())
    }

    /// The same; `made` takes the tokens that were put in place of values.
    fn judge_half(&self, direction: Direction, body: &[u8], half: &Half, made: &mut Tokens) -> (Judged, Fate) {
        let scan = self.rules.scanner.scan(&half.parts);
        let mut content = content::of_with(&half.parts, &scan, |tally| {
            if let Some(tokens) = &self.kept.tokens {
                tokens.count(&half.parts, tally);
            }
        });
        content.uninspectable = !half.uninspectable.is_empty();
        content.tools = half
            .tools
            .iter()
            .map(|call| {
                let name = content::name(&self.rules.scanner, &call.tool);
                let tokens = self.kept.tokens.as_deref();
                let meant = call.arguments.as_deref().map(|given| tokens::meant(tokens, given));
                arguments::called(&self.rules.policy, name, meant.as_deref())
            })
            .collect();
        let facts = self.facts(direction, content);
        let decision = decide(&self.rules.policy, &facts);
        let model = match direction {
            Direction::Prompt => None,
            Direction::Answer => half.model.as_deref(),
        };
        let mut failed = Vec::new();
        Failed::note(&mut failed, &scan.failures);
        let mut judged = Judged {
            model: model.and_then(|model| content::stated(&self.rules.scanner, model)),
            masked: BTreeMap::new(),
            restored: BTreeMap::new(),
            withheld: Vec::new(),
            label: None,
            failed,
            uninspectable: half
                .uninspectable
                .iter()
                .map(|one| (one.pointer.clone(), one.what.as_str()))
                .collect(),
            facts,
            decision,
            said: Said {
                usage: half.usage,
                bytes: half.parts.iter().map(|part| part.text.len() as u64).sum(),
            },
        };
        let asked = match direction {
            Direction::Prompt => judged.decision.asks(&self.rules.policy),
            Direction::Answer => (!judged.decision.stops_beyond(&self.covered)).then(Asked::default),
        };
        let Some(asked) = asked else {
            return (judged, Fate::Stop);
        };
        let fate = |bytes| {
            if asked.anything() {
                Fate::Wait(asked, bytes)
            } else {
                Fate::Forward(bytes)
            }
        };
        if judged.decision.masks.is_empty() {
            return (judged, fate(None));
        }
        let (edits, tokens) = tokens::edits(
            &self.rules.policy,
            direction,
            &half.parts,
            &scan,
            &judged.decision.masks,
        );
        *made = tokens;
        match self.spliced(direction, body, half, &edits, &judged) {
            Some(bytes) => {
                count_masked(&mut judged, half, &scan);
                (judged, fate(Some(bytes)))
            }
            None => {
                // What was to be masked is still there.
                self.cannot_splice(&mut judged);
                (judged, Fate::Stop)
            }
        }
    }

    /// The body with its edits, read and scanned again: nothing that was to be masked may be left.
    fn spliced(
        &self,
        direction: Direction,
        body: &[u8],
        half: &Half,
        edits: &[Edit],
        judged: &Judged,
    ) -> Option<Vec<u8>> {
        let parts: Vec<usize> = edits.iter().map(|edit| edit.part).collect();
        let falsified = match direction {
            Direction::Prompt => Vec::new(),
            Direction::Answer => self.wire.falsified(body, half, &parts),
        };
        let bytes = splice(body, half, edits, &falsified).ok()?;
        let again = match direction {
            Direction::Prompt => self.wire.read_request(&bytes, self.named.as_deref()),
            Direction::Answer => self.wire.read_answer(&bytes),
        };
        let again = again.ok()?;
        let scan = self.rules.scanner.scan(&again.parts);
        let left = content::edits(&again.parts, &scan, &judged.decision.masks);
        let seen_again = scan
            .failures
            .iter()
            .all(|failure| judged.failed.iter().any(|known| known.id == failure.detector));
        (left.is_empty() && seen_again).then_some(bytes)
    }
}

fn count_masked(judged: &mut Judged, half: &Half, scan: &Scan) {
    for (index, found) in &scan.matches {
        let source = half.parts.get(*index).map(|part| part.source);
        if source.is_some_and(|source| judged.decision.masks_entity(&found.entity, source)) {
            *judged.masked.entry(found.entity.clone()).or_default() += 1;
        }
    }
}
