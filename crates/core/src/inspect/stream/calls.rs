//! Calls of tools in a stream: begun with a name, judged with their arguments once these are whole.

use super::names::Beginnings;
use super::{Stop, StreamInspection};
use crate::decide::Called;
use crate::inspect::{arguments, content};
use crate::wire::{CallBegun, EventReading};

impl StreamInspection {
    /// Notes a call that begins. What is asked of its arguments is judged once they are whole.
    pub(super) fn begin_call(&mut self, begun: &CallBegun) {
        let policy = &self.inspection.rules.policy;
        let name = content::name(&self.inspection.rules.scanner, &begun.call.tool);
        let awaited = arguments::matter(policy, &name);
        let known = &mut self.judged.facts.content.tools;
        // Some servers repeat the name with every piece of the arguments; others tell a call first without any.
        for (call, of) in self.calls.iter_mut().zip(known.iter()) {
            let same = call.channel == begun.channel && of.name == name && call.call.tool == begun.call.tool;
            if same && of.awaited && call.call.arguments.is_none() {
                call.call.arguments.clone_from(&begun.call.arguments);
            }
            if same && (!awaited || call.call == begun.call || begun.call.arguments.is_none()) {
                return;
            }
        }
        known.push(Called {
            awaited,
            name,
            met: Vec::new(),
        });
        self.calls.push(begun.clone());
    }

    /// Takes whole arguments of a channel for the calls that they belong to. Where a call is given arguments twice, only
    /// what holds for both counts.
    pub(super) fn complete_calls(&mut self, channel: &str, whole: &str) {
        let policy = &self.inspection.rules.policy;
        let calls = self.calls.iter().zip(&mut self.judged.facts.content.tools);
        for (call, fact) in calls.filter(|(call, _)| call.is_of(channel)) {
            let met = arguments::met(policy, &fact.name, Some(whole));
            if std::mem::take(&mut fact.awaited) {
                fact.met = met;
                if let Some(given) = &call.call.arguments {
                    let given = arguments::met(policy, &fact.name, Some(given));
                    fact.met.retain(|one| given.contains(one));
                }
            } else {
                fact.met.retain(|one| met.contains(one));
            }
        }
    }

    /// Judges calls that end with this event and whose arguments did not come as a growing text.
    pub(super) fn settle(&mut self, reading: &EventReading) -> Result<(), Stop> {
        if self.calls.is_empty() {
            return Ok(());
        }
        let policy = &self.inspection.rules.policy;
        let ended = Beginnings::ended(reading);
        let mut settled = false;
        for (call, fact) in self.calls.iter().zip(&mut self.judged.facts.content.tools) {
            if ended.cover(&call.channel) && std::mem::take(&mut fact.awaited) {
                fact.met = arguments::met(policy, &fact.name, call.call.arguments.as_deref());
                settled = true;
            }
        }
        if settled {
            self.judge();
            if self.stops() {
                return Err(Stop);
            }
        }
        Ok(())
    }
}
