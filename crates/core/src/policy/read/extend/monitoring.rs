//! The break-glass of a child.

use crate::policy::document::Document;

use super::{Overlay, all_in};

impl Overlay<'_> {
    /// A child may narrow the parent's break-glass: fewer groups, a shorter time. It has none where the parent has none.
    pub(super) fn break_glass(&mut self, child: &Document, merged: &mut Document) {
        const PATH: &str = "monitoring.break_glass";
        let Some(own) = &child.break_glass else { return };
        let Some(known) = &mut merged.break_glass else {
            self.loosens(PATH, own.place, None, "the parent has no break-glass");
            merged.break_glass = Some(own.clone());
            return;
        };
        let of = Some(known.place);
        if !own.groups.is_empty() {
            let everyone = known.groups.iter().any(|group| group.as_str() == "everyone");
            if !everyone && !all_in(&own.groups, &known.groups) {
                let message = "the break-glass has groups that the parent does not give it";
                self.loosens(&format!("{PATH}.groups"), own.place, of, message);
            }
            known.groups.clone_from(&own.groups);
        }
        if let Some(now) = &own.lasts {
            if let Some(was) = &known.lasts
                && now.value > was.value
            {
                let message = format!("{} minutes are more than the parent's {}", now.value, was.value);
                self.loosens(&format!("{PATH}.lasts"), now.place, Some(was.place), message);
            }
            known.lasts = Some(now.clone());
        }
        self.word(&format!("{PATH}.use"), &mut known.use_, own.use_.as_ref());
        self.word(&format!("{PATH}.reviewer"), &mut known.reviewer, own.reviewer.as_ref());
        known.statement = own.statement.clone().or(known.statement.take());
        known.place = own.place;
    }
}
