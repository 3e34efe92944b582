//! Classes, entities, matrix and answers of a child.

use crate::detect::entities::entity;
use crate::policy::document::{At, Data, Document, Matrix, MatrixRow, TOKENS, Text, Unseen};
use crate::policy::problem::Problem;
use crate::verdict::{AppClass, Verdict};

use super::{Overlay, add_words, put};

impl Overlay<'_> {
    /// The parent's cell of the matrix.
    pub(super) fn cell(&self, class: &Text, app: AppClass) -> Option<At<Verdict>> {
        let matrix = self.parent.data.matrix.as_ref()?;
        let row = matrix.rows.iter().find(|row| row.class.value == class.value)?;
        let cell = row.cells.iter().find(|(known, _)| known.value == app);
        cell.map(|(_, verdict)| verdict.clone())
    }

    pub(super) fn data(&mut self, child: &Document, merged: &mut Document) {
        let (own, data) = (&child.data, &mut merged.data);
        self.classes(own, data);
        self.tokens(own, data);
        self.unseen(own, data);
        self.matrix(own, data);
        if let Some(answers) = &own.answers {
            let known = data.answers.get_or_insert_with(|| At::new(Vec::new(), answers.place));
            for (class, now) in &answers.value {
                let was = known
                    .value
                    .iter()
                    .find(|(of, _)| of.value == class.value)
                    .map(|(_, was)| was);
                let (was, of) = was.map_or((Verdict::Allow, None), |was| (was.value, Some(was.place)));
                self.verdict(&format!("data.answers.{}", class.value), was, of, now);
                put(&mut known.value, class, now);
            }
        }
        if let Some(retention) = &own.retention {
            let known = data
                .retention
                .get_or_insert_with(|| At::new(Vec::new(), retention.place));
            for (what, now) in &retention.value {
                let path = format!("data.retention.{}", what.value);
                let was = known
                    .value
                    .iter()
                    .find(|(of, _)| of.value == what.value)
                    .map(|(_, was)| was.clone());
                if what.as_str() == "content" {
                    self.days(&path, was.as_ref(), now);
                } else if let Some(was) = was.filter(|was| was.value != now.value) {
                    let message = format!("the parent keeps `{}` for {} days", what.value, was.value);
                    self.differs(&path, now.place, Some(was.place), message);
                }
                put(&mut known.value, what, now);
            }
        }
        for (path, was, now) in [
            ("data.uninspectable", &mut data.uninspectable, &own.uninspectable),
            ("data.unavailable", &mut data.unavailable, &own.unavailable),
        ] {
            if let Some(now) = now {
                let of = was.as_ref().map(|verdict| verdict.place);
                self.verdict(
                    path,
                    was.as_ref().map_or(Verdict::Block, |verdict| verdict.value),
                    of,
                    now,
                );
                *was = Some(now.clone());
            }
        }
        for (name, words) in &own.keywords {
            match data.keywords.iter_mut().find(|(known, _)| known.value == name.value) {
                Some((_, known)) => add_words(known, words),
                None => data.keywords.push((name.clone(), words.clone())),
            }
        }
        for (name, pattern) in &own.patterns {
            let known = data.patterns.iter().find(|(known, _)| known.value == name.value);
            if let Some((_, was)) = known.filter(|(_, was)| was.value != pattern.value) {
                let path = format!("data.patterns.{}", name.value);
                let message = format!("the parent has another pattern for `{}`", name.value);
                self.differs(&path, pattern.place, Some(was.place), message);
            }
            put(&mut data.patterns, name, pattern);
        }
    }

    /// A value that comes back is seen by one more than one that does not, and one that comes back judged by no more.
    fn tokens(&mut self, own: &Data, data: &mut Data) {
        let rank = |word: &Text| TOKENS.iter().position(|known| *known == word.value);
        for (name, now) in &own.tokens {
            let known = data.tokens.iter().find(|(known, _)| known.value == name.value);
            let was = known.map(|(_, was)| was.clone());
            let path = format!("data.tokens.{}", name.value);
            match was {
                None => {
                    let message = format!("the parent does not have `{}` put back into answers", name.value);
                    self.loosens(&path, now.place, None, message);
                }
                Some(was) if rank(now) > rank(&was) => {
                    let message = format!("`{}` is freer than the parent's `{}`", now.value, was.value);
                    self.loosens(&path, now.place, Some(was.place), message);
                }
                Some(_) => {}
            }
            put(&mut data.tokens, name, now);
        }
    }

    /// An endpoint that stays open longer than the parent has it is one more way past a clause.
    fn unseen(&mut self, own: &Data, data: &mut Data) {
        let ends = |one: &Unseen| one.until.as_ref().map(|date| date.value);
        for one in &own.unseen {
            let endpoint = one.endpoint.as_ref().map_or("", Text::as_str);
            let same = |known: &&mut Unseen| known.endpoint.as_ref().is_some_and(|known| known.as_str() == endpoint);
            let known = data.unseen.iter_mut().find(same);
            let sooner = known
                .as_ref()
                .is_some_and(|known| ends(one).is_some_and(|end| ends(known).is_none_or(|known| end <= known)));
            if !sooner {
                let message = format!("`{endpoint}` stays open for longer than the parent has it");
                let of = known.as_ref().map(|known| known.place);
                self.loosens("data.unseen", one.place, of, message);
            }
            match known {
                Some(known) => *known = one.clone(),
                None => data.unseen.push(one.clone()),
            }
        }
    }

    fn classes(&mut self, own: &Data, data: &mut Data) {
        let names = |classes: &[Text]| classes.iter().map(|class| class.value.clone()).collect::<Vec<_>>();
        if let Some(first) = own.classes.first()
            && names(&own.classes) != names(&data.classes)
        {
            let of = data.classes.first().map(|class| class.place);
            // Everything is compared by these classes, so nobody can delegate them.
            let problem = Problem::error(
                "not-delegated",
                first.place,
                "the data classes and their order are the parent's",
            );
            let line = of.map_or(0, |of| of.line);
            self.problems
                .push(problem.help(format!("leave `classes` out; the parent has them on line {line}")));
        }
        if let Some(now) = &own.default {
            if let Some(was) = &data.default
                && self.rank(now) < self.rank(was)
            {
                let message = format!("`{}` is below the parent's default `{}`", now.value, was.value);
                self.loosens("data.default", now.place, Some(was.place), message);
            }
            data.default = Some(now.clone());
        }
        for (name, now) in &own.entities {
            let was = class_of(self.parent, name.as_str());
            if let Some(was) = was
                && self.rank(now) < self.rank(was)
            {
                let path = format!("data.entities.{}", name.value);
                let message = format!(
                    "`{}` is {} here, and {} in the parent",
                    name.value, now.value, was.value
                );
                self.loosens(&path, now.place, Some(was.place), message);
            }
            put(&mut data.entities, name, now);
        }
        data.escalate.extend(own.escalate.iter().cloned());
    }

    fn matrix(&mut self, own: &Data, data: &mut Data) {
        let Some(own) = &own.matrix else { return };
        let known = data.matrix.get_or_insert_with(|| Matrix {
            place: own.place,
            rows: Vec::new(),
        });
        for row in &own.rows {
            let index = known.rows.iter().position(|known| known.class.value == row.class.value);
            let into = match index.and_then(|index| known.rows.get_mut(index)) {
                Some(into) => into,
                None => {
                    known.rows.push(MatrixRow {
                        class: row.class.clone(),
                        cells: Vec::new(),
                    });
                    let Some(into) = known.rows.last_mut() else { continue };
                    into
                }
            };
            for (app, now) in &row.cells {
                if let Some(was) = self.cell(&row.class, app.value) {
                    let path = format!("data.matrix.{}.{}", row.class.value, app.value);
                    self.verdict(&path, was.value, Some(was.place), now);
                }
                match into.cells.iter_mut().find(|(known, _)| known.value == app.value) {
                    Some(known) => *known = (app.clone(), now.clone()),
                    None => into.cells.push((app.clone(), now.clone())),
                }
            }
        }
    }
}

/// The class that a document gives an entity or a family, as far as it can be told from its name.
fn class_of<'d>(document: &'d Document, name: &str) -> Option<&'d Text> {
    let given = |name: &str| {
        let mut entities = document.data.entities.iter();
        entities
            .find(|(known, _)| known.as_str() == name)
            .map(|(_, class)| class)
    };
    let family = entity(name).and_then(|entity| entity.family);
    given(name)
        .or_else(|| family.and_then(given))
        .or(document.data.default.as_ref())
}
