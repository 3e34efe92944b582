//! Roles, outputs, courses, gates and consequences of a child.

use crate::policy::document::{At, Document, Outputs, REUSE, Raci, Text};
use crate::policy::node::Place;

use super::{Overlay, put};

impl Overlay<'_> {
    pub(super) fn roles(&mut self, child: &Document, merged: &mut Document) {
        let (own, roles) = (&child.roles, &mut merged.roles);
        for (role, person) in &own.people {
            if let Some((_, was)) = roles.people.iter().find(|(known, _)| known.value == role.value)
                && was.value != person.value
            {
                let path = format!("roles.people.{}", role.value);
                let message = format!("`{}` is another person in the parent", role.value);
                self.differs(&path, person.place, Some(was.place), message);
            }
            put(&mut roles.people, role, person);
        }
        self.word("roles.owner", &mut roles.accountable, own.accountable.as_ref());
        self.word("roles.owner", &mut roles.deputy, own.deputy.as_ref());
        if let Some(board) = &own.board {
            if let Some(was) = &roles.board {
                self.differs("roles.board", board.place, Some(was.place), "the board is the parent's");
            }
            roles.board = Some(board.clone());
        }
        roles.raci_place = roles.raci_place.or(own.raci_place);
        for line in &own.raci {
            for subject in &line.subjects {
                let names = |known: &&Raci| known.subjects.iter().any(|known| known.value == subject.value);
                if let Some(was) = self.parent.roles.raci.iter().find(names) {
                    let message = format!("the parent says who answers for `{}`", subject.value);
                    self.differs("roles.raci", subject.place, Some(was.place), message);
                }
            }
            roles.raci.push(line.clone());
        }
    }

    pub(super) fn outputs(&mut self, child: &Document, merged: &mut Document) {
        let Some(own) = &child.outputs else { return };
        let known = merged.outputs.get_or_insert_with(|| Outputs {
            inherit: None,
            reuse: Vec::new(),
            place: own.place,
        });
        self.word(
            "acceptable_use.outputs.inherit",
            &mut known.inherit,
            own.inherit.as_ref(),
        );
        for (audience, now) in &own.reuse {
            let was = known
                .reuse
                .iter()
                .find(|(of, _)| of.value == audience.value)
                .map(|(_, was)| was.clone());
            let rank = |word: &Text| REUSE.iter().position(|known| *known == word.value);
            if let Some(was) = was.filter(|was| rank(now) < rank(was)) {
                let path = format!("acceptable_use.outputs.reuse.{}", audience.value);
                let message = format!("`{}` is freer than the parent's `{}`", now.value, was.value);
                self.loosens(&path, now.place, Some(was.place), message);
            }
            put(&mut known.reuse, audience, now);
        }
    }

    pub(super) fn education(&mut self, child: &Document, merged: &mut Document) {
        let (own, education) = (&child.education, &mut merged.education);
        for course in &own.courses {
            let path = format!("education.courses.{}", course.id.value);
            let Some(known) = education
                .courses
                .iter_mut()
                .find(|known| known.id.value == course.id.value)
            else {
                education.courses.push(course.clone());
                continue;
            };
            if let Some(valid) = &course.valid {
                self.days(&path, known.valid.as_ref(), valid);
                known.valid = Some(valid.clone());
            }
            if known.records.is_none()
                && let Some(records) = &course.records
            {
                let message = "the parent takes completions from the directory alone";
                self.differs(&path, records.place, Some(known.id.place), message);
            }
            self.word(&path, &mut known.records, course.records.as_ref());
        }
        education.gates_place = education.gates_place.or(own.gates_place);
        for gate in &own.gates {
            let path = format!("education.gates.{}", gate.id.value);
            let Some(known) = education.gates.iter_mut().find(|known| known.id.value == gate.id.value) else {
                education.gates.push(gate.clone());
                continue;
            };
            self.verdict(&path, known.then.value, Some(known.then.place), &gate.then);
            if known.without.value != gate.without.value {
                let message = format!("the parent asks for the course `{}`", known.without.value);
                self.differs(&path, gate.without.place, Some(known.without.place), message);
            }
            if let Some(grace) = &gate.grace {
                let none = At::new(0, known.id.place);
                self.days(&path, Some(known.grace.as_ref().unwrap_or(&none)), grace);
                known.grace = Some(grace.clone());
            }
            known.id = gate.id.clone();
            known.then = gate.then.clone();
            known.without = gate.without.clone();
            known.tell = gate.tell.clone().or(known.tell.take());
        }
    }

    pub(super) fn consequences(&mut self, child: &Document, merged: &mut Document) {
        let Some(own) = &child.consequences else { return };
        let Some(known) = &mut merged.consequences else {
            merged.consequences = Some(own.clone());
            return;
        };
        let of = Some(known.place);
        let mut differs = |key: &str, place: Place| {
            let message = format!("the parent says what `{key}` is");
            self.differs(&format!("consequences.{key}"), place, of, message);
        };
        let words = |list: &[Text]| list.iter().map(|word| word.value.clone()).collect::<Vec<_>>();
        if !own.ladder.is_empty() && words(&own.ladder) != words(&known.ladder) {
            if !known.ladder.is_empty() {
                differs("ladder", own.place);
            }
            known.ladder.clone_from(&own.ladder);
        }
        if let Some(now) = &own.window {
            if known.window.as_ref().is_none_or(|was| was.value != now.value) {
                differs("window", now.place);
            }
            known.window = Some(now.clone());
        }
        if let Some(now) = &own.appeal {
            if known.appeal.as_ref().is_some_and(|was| now.value < was.value) {
                differs("appeal", now.place);
            }
            known.appeal = Some(now.clone());
        }
        if let Some(now) = &own.two_people_from {
            if known.two_people_from.as_ref().is_none_or(|was| was.value != now.value) {
                differs("two_people_from", now.place);
            }
            known.two_people_from = Some(now.clone());
        }
        for (kind, step) in &own.start {
            let was = known.start.iter().find(|(of, _)| of.value == kind.value);
            if was.is_none_or(|(_, was)| was.value != step.value) {
                differs("start", kind.place);
            }
            put(&mut known.start, kind, step);
        }
    }
}
