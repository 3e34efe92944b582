//! The request: a whole body, judged and spliced.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Call, Fate, Inspection, Judged, Rules, arguments, content};
use crate::decide::{Decision, Facts, decide};
use crate::detect::scanner::Scan;
use crate::exchange::{Edit, Half};
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
        let inspection = Self {
            rules: Arc::clone(rules),
            wire,
            named: named.map(str::to_owned),
            call,
            model,
        };
        let (judged, fate) = inspection.judge(Direction::Prompt, body, half);
        Request {
            judged,
            fate,
            stream,
            inspection,
        }
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

    /// What was known of the call.
    #[must_use]
    pub fn call(&self) -> &Call {
        &self.call
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
        let scan = self.rules.scanner.scan(&half.parts);
        let mut content = content::of(&half.parts, &scan);
        content.uninspectable = !half.uninspectable.is_empty();
        content.tools = half
            .tools
            .iter()
            .map(|call| {
                let name = content::name(&self.rules.scanner, &call.tool);
                arguments::called(&self.rules.policy, name, call.arguments.as_deref())
            })
            .collect();
        let facts = self.facts(direction, content);
        let decision = decide(&self.rules.policy, &facts);
        let model = match direction {
            Direction::Prompt => None,
            Direction::Answer => half.model.as_deref(),
        };
        let mut judged = Judged {
            model: model.and_then(|model| content::stated(&self.rules.scanner, model)),
            masked: BTreeMap::new(),
            failed: scan.failures.iter().map(|failure| failure.detector.clone()).collect(),
            uninspectable: half
                .uninspectable
                .iter()
                .map(|one| (one.pointer.clone(), one.what.as_str()))
                .collect(),
            facts,
            decision,
        };
        if stops(&judged.decision) {
            return (judged, Fate::Stop);
        }
        if judged.decision.masks.is_empty() {
            return (judged, Fate::Forward(None));
        }
        let edits = content::edits(&half.parts, &scan, &judged.decision.masks);
        match self.spliced(direction, body, half, &edits, &judged) {
            Some(bytes) => {
                count_masked(&mut judged, half, &scan);
                (judged, Fate::Forward(Some(bytes)))
            }
            None => {
                // What was to be masked is still there: the decision stands, and it cannot be carried out.
                judged.facts.content.failed = true;
                judged.failed.push("splice".to_owned());
                judged.decision = decide(&self.rules.policy, &judged.facts);
                judged.decision.verdict = Verdict::Block;
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
            .all(|failure| judged.failed.contains(&failure.detector));
        (left.is_empty() && seen_again).then_some(bytes)
    }
}

/// Whether a decision keeps the bytes back.
pub(super) fn stops(decision: &Decision) -> bool {
    decision.stops()
}

fn count_masked(judged: &mut Judged, half: &Half, scan: &Scan) {
    for (index, found) in &scan.matches {
        let source = half.parts.get(*index).map(|part| part.source);
        if source.is_some_and(|source| judged.decision.masks_entity(&found.entity, source)) {
            *judged.masked.entry(found.entity.clone()).or_default() += 1;
        }
    }
}
