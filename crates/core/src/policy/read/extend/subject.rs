//! Goals, scope, apps, grants and tools of a child.

use crate::decide::selector::Pattern;
use crate::policy::document::{App, AppSelector, Document, Exclude, Grant, Group, Pass, Text, Tool, Tools, Use};
use crate::verdict::{AppClass, Verdict};

use super::{Overlay, all_in, put, rules};

impl Overlay<'_> {
    pub(super) fn purpose(&mut self, child: &Document, merged: &mut Document) {
        for one in &child.objectives {
            let id = one.id.as_ref().map_or("", Text::as_str);
            let mut known = merged.objectives.iter_mut();
            match known.find(|known| known.id.as_ref().is_some_and(|known| known.as_str() == id)) {
                Some(known) => {
                    let path = format!("purpose.objectives.{id}");
                    self.differs(&path, one.place, Some(known.place), "this objective is the parent's");
                    *known = one.clone();
                }
                None => merged.objectives.push(one.clone()),
            }
        }
    }

    pub(super) fn scope(&mut self, child: &Document, merged: &mut Document) {
        let (own, scope) = (&child.scope, &mut merged.scope);
        scope.groups_place = scope.groups_place.or(own.groups_place);
        scope.uses_place = scope.uses_place.or(own.uses_place);
        scope.exclude_place = scope.exclude_place.or(own.exclude_place);
        let unmapped = self.parent.scope.unmapped.clone();
        let was = unmapped.as_ref().map_or(Verdict::Allow, |verdict| verdict.value);
        for group in &own.groups {
            let path = format!("scope.groups.{}", group.name.value);
            let known = scope
                .groups
                .iter_mut()
                .find(|known| known.name.value == group.name.value);
            if let Some(known) = known {
                if claim(known) != claim(group) {
                    let message = format!("the parent knows this group as `{}` in the directory", claim(known));
                    self.differs(&path, group.name.place, Some(known.name.place), message);
                }
                *known = group.clone();
                continue;
            }
            let mapped = scope.groups.iter().any(|known| claim(known) == claim(group));
            if was > Verdict::Allow && !mapped {
                let message = format!(
                    "who is only in `{}` is in none of the parent's groups (`unmapped: {was}`)",
                    group.name.value
                );
                self.loosens(
                    &path,
                    group.name.place,
                    unmapped.as_ref().map(|verdict| verdict.place),
                    message,
                );
            }
            scope.groups.push(group.clone());
        }
        if let Some(now) = &own.unmapped {
            self.verdict("scope.groups.unmapped", was, unmapped.map(|verdict| verdict.place), now);
            scope.unmapped = Some(now.clone());
        }
        for one in &own.uses {
            match scope.uses.iter_mut().find(|known| known.id.value == one.id.value) {
                Some(known) => self.use_(known, one),
                None => {
                    let outside = self.parent.scope.outside.as_ref();
                    let verdict = outside.map_or(Verdict::Block, |verdict| verdict.value);
                    if verdict > Verdict::Allow {
                        let message = format!("`{}` is no use of the parent's (`outside: {verdict}`)", one.id.value);
                        let path = format!("scope.uses.{}", one.id.value);
                        self.loosens(&path, one.id.place, outside.map(|verdict| verdict.place), message);
                    }
                    scope.uses.push(one.clone());
                }
            }
        }
        if let Some(now) = &own.outside {
            let was = self.parent.scope.outside.as_ref();
            let of = was.map(|verdict| verdict.place);
            self.verdict(
                "scope.outside",
                was.map_or(Verdict::Block, |verdict| verdict.value),
                of,
                now,
            );
            scope.outside = Some(now.clone());
        }
        for one in &own.exclude {
            let group = one.group.as_ref().map_or("", Text::as_str);
            let same = |known: &&mut Exclude| known.group.as_ref().is_some_and(|known| known.as_str() == group);
            let known = scope.exclude.iter_mut().find(same);
            let sooner = known.as_ref().is_some_and(|known| {
                let ends = |one: &Exclude| one.until.as_ref().map(|date| date.value);
                ends(one).is_some_and(|end| ends(known).is_none_or(|known| end <= known))
            });
            if !sooner {
                let message = format!("`{group}` is left out for longer than the parent leaves it out");
                let of = known.as_ref().map(|known| known.place);
                self.loosens(&format!("scope.exclude.{group}"), one.place, of, message);
            }
            match known {
                Some(known) => *known = one.clone(),
                None => scope.exclude.push(one.clone()),
            }
        }
    }

    fn use_(&mut self, known: &mut Use, one: &Use) {
        let path = format!("scope.uses.{}", one.id.value);
        let everyone = known.groups.iter().any(|group| group.as_str() == "everyone");
        if !known.groups.is_empty() && !everyone && !all_in(&one.groups, &known.groups) {
            let message = format!("`{}` has groups that the parent does not give it", one.id.value);
            self.loosens(&path, one.id.place, Some(known.id.place), message);
        }
        if let (Some(was), Some(now)) = (&known.ceiling, &one.ceiling)
            && self.rank(now) > self.rank(was)
        {
            let message = format!("the ceiling `{}` is above the parent's `{}`", now.value, was.value);
            self.loosens(&path, now.place, Some(was.place), message);
        }
        self.word(&path, &mut known.tier, one.tier.as_ref());
        let now = one.clone();
        if !now.groups.is_empty() {
            known.groups = now.groups;
        }
        known.ceiling = now.ceiling.or(known.ceiling.take());
        known.statement = now.statement.or(known.statement.take());
        known.owner = now.owner.or(known.owner.take());
        known.id = now.id;
    }

    /// The number of a data class, least sensitive first.
    pub(super) fn rank(&self, class: &Text) -> Option<usize> {
        let classes = &self.parent.data.classes;
        classes.iter().position(|known| known.value == class.value)
    }

    pub(super) fn applications(&mut self, child: &Document, merged: &mut Document) {
        for app in &child.apps {
            match merged.apps.iter_mut().find(|known| known.id.value == app.id.value) {
                Some(known) => self.app(known, app),
                None => {
                    let class = format!("applications.{}", app.class);
                    if app.class < AppClass::Unknown && !self.may(&class) {
                        let path = format!("applications.{}", app.id.value);
                        let message = format!("`{}` is unknown to the parent, and {} here", app.id.value, app.class);
                        self.loosens(&path, app.id.place, None, message);
                    }
                    merged.apps.push(app.clone());
                }
            }
        }
        // As a document lists them.
        merged.apps.sort_by_key(|app| app.class);
    }

    fn app(&mut self, known: &mut App, app: &App) {
        let free = [known.class, app.class]
            .iter()
            .all(|class| self.may(&format!("applications.{class}")));
        let path = format!("applications.{}", app.id.value);
        let of = Some(known.id.place);
        if !free {
            if app.class < known.class {
                let message = format!(
                    "`{}` is {} here, and {} in the parent",
                    app.id.value, app.class, known.class
                );
                self.loosens(&path, app.id.place, of, message);
            }
            if let (Some(was), Some(now)) = (&known.models, &app.models) {
                for model in now.iter().filter(|model| !covered(model, was)) {
                    let message = format!("`{}` is more than the models that the parent allows", model.value);
                    self.loosens(&path, model.place, of, message);
                }
            }
            for (key, value) in &app.require {
                if let Some((_, was)) = known.require.iter().find(|(known, _)| known.value == key.value)
                    && was.value != value.value
                {
                    let message = format!("the parent requires `{}` to be `{}`", key.value, was.value);
                    self.differs(&path, value.place, Some(was.place), message);
                }
            }
            for (class, now) in &app.cells {
                let own = known
                    .cells
                    .iter()
                    .find(|(of, _)| of.value == class.value)
                    .map(|(_, was)| was.clone());
                if let Some(was) = own.or_else(|| self.cell(class, known.class)) {
                    self.verdict(&path, was.value, Some(was.place), now);
                }
            }
            if let (Some(was), Some(now)) = (&known.only_for, &app.only_for)
                && !rules::same_selectors(&was.value, &now.value)
            {
                self.differs(
                    &path,
                    now.place,
                    Some(was.place),
                    "the parent says whom this app is for",
                );
            }
            match (&known.expires, &app.expires) {
                (Some(was), Some(now)) if now.on.value > was.on.value || now.then.value < was.then.value => {
                    let message = format!(
                        "the parent's classification ends on {} as {}",
                        was.on.value, was.then.value
                    );
                    self.loosens(&path, now.on.place, Some(was.on.place), message);
                }
                (None, Some(now)) if now.then.value < known.class => {
                    let message = format!("`{}` is milder than the class it has now", now.then.value);
                    self.loosens(&path, now.then.place, of, message);
                }
                _ => {}
            }
        }
        let now = app.clone();
        known.class = now.class;
        known.owner = now.owner.or(known.owner.take());
        known.reason = now.reason.or(known.reason.take());
        known.instead = now.instead.or(known.instead.take());
        known.models = now.models.or(known.models.take());
        known.only_for = now.only_for.or(known.only_for.take());
        known.terms_checked = now.terms_checked.or(known.terms_checked.take());
        known.expires = now.expires.or(known.expires.take());
        for (key, value) in &now.require {
            put(&mut known.require, key, value);
        }
        for (key, value) in &now.cells {
            put(&mut known.cells, key, value);
        }
        for (key, value) in &now.terms {
            put(&mut known.terms, key, value);
        }
        known.id = now.id;
    }

    pub(super) fn access(&mut self, child: &Document, merged: &mut Document) {
        let (own, access) = (&child.access, &mut merged.access);
        access.grants_place = access.grants_place.or(own.grants_place);
        for grant in &own.grants {
            let known = access.grants.iter_mut().find(|known| known.id.value == grant.id.value);
            if !self.parent.access.grants.iter().any(|wider| grants(wider, grant)) {
                let path = format!("access.grants.{}", grant.id.value);
                let of = known.as_ref().map(|known| known.id.place);
                let message = format!("`{}` reaches what no grant of the parent reaches", grant.id.value);
                self.loosens(&path, grant.id.place, of, message);
            }
            match known {
                Some(known) => *known = grant.clone(),
                None => access.grants.push(grant.clone()),
            }
        }
        access.endpoints_place = access.endpoints_place.or(own.endpoints_place);
        for pass in &own.endpoints {
            let known = access
                .endpoints
                .iter_mut()
                .find(|known| known.id.value == pass.id.value);
            let parents = &self.parent.access.endpoints;
            let was = parents.iter().find(|was| was.id.value == pass.id.value);
            // The strictest line counts, so that one more loosens nothing as long as it passes nothing new.
            let new = |was: &Pass| !covers(was, pass) || pass.then.value < was.then.value;
            let message = if pass.then.value < Verdict::Block && parents.iter().all(new) {
                Some(format!("`{}` passes what no line of the parent passes", pass.id.value))
            } else if was.is_some_and(|was| bounds_another(was, parents) && !keeps(pass, was)) {
                Some(format!(
                    "`{}` is stricter in the parent, where a milder line is about the same endpoint",
                    pass.id.value
                ))
            } else {
                None
            };
            if let Some(message) = message {
                let path = format!("access.endpoints.{}", pass.id.value);
                let of = known.as_ref().map(|known| known.id.place);
                self.loosens(&path, pass.id.place, of, message);
            }
            match known {
                Some(known) => *known = pass.clone(),
                None => access.endpoints.push(pass.clone()),
            }
        }
        let Some(own) = &own.tools else { return };
        let Some(tools) = &mut access.tools else {
            access.tools = Some(own.clone());
            return;
        };
        if let Some(now) = &own.unlisted {
            let was = tools.unlisted.as_ref();
            let of = was.map(|verdict| verdict.place);
            self.verdict(
                "access.tools.unlisted",
                was.map_or(Verdict::Block, |verdict| verdict.value),
                of,
                now,
            );
            tools.unlisted = Some(now.clone());
        }
        if let Some(was) = &self.parent.access.tools {
            for tool in &own.list {
                self.tool(was, tool);
            }
        }
        // The first entry that matches counts, so the child's come first.
        tools.list.splice(0..0, own.list.iter().cloned());
    }

    /// An entry of the child must be as strict as every entry of the parent that it can stand before.
    fn tool(&mut self, was: &Tools, tool: &Tool) {
        let then = |tool: &Tool| tool.then.as_ref().map_or(Verdict::Allow, |verdict| verdict.value);
        let mut least = Verdict::Allow;
        let mut decided = false;
        for known in was
            .list
            .iter()
            .filter(|known| overlap(known.tool.as_str(), tool.tool.as_str()))
        {
            least = least.max(then(known));
            let groups = known.groups.is_empty() || (!tool.groups.is_empty() && all_in(&tool.groups, &known.groups));
            let asks = |(name, patterns): &(Text, Vec<Text>)| {
                let mut own = tool.args.iter().filter(|(own, _)| own.value == name.value);
                own.any(|(_, own)| all_in(own, patterns))
            };
            if groups && covered(&tool.tool, std::slice::from_ref(&known.tool)) && known.args.iter().all(asks) {
                decided = true;
                break;
            }
        }
        if !decided {
            least = least.max(was.unlisted.as_ref().map_or(Verdict::Block, |verdict| verdict.value));
        }
        if then(tool) < least {
            let path = format!("access.tools.{}", tool.tool.value);
            let message = format!(
                "`{}` is {} here, and {least} in the parent, at least for some calls",
                tool.tool.value,
                then(tool)
            );
            self.loosens(&path, tool.tool.place, Some(was.place), message);
        }
    }
}

/// What the directory calls a group.
fn claim(group: &Group) -> &str {
    group.claim.as_ref().unwrap_or(&group.name).as_str()
}

/// Whether one of the patterns matches all that another one matches.
fn covered(pattern: &Text, wider: &[Text]) -> bool {
    // The `*` of one pattern can only be taken up by a `*` of the other.
    wider
        .iter()
        .any(|wider| Pattern::new(wider.as_str()).matches(pattern.as_str()))
}

/// Whether some name matches both patterns.
fn overlap(one: &str, two: &str) -> bool {
    let (one, two): (Vec<char>, Vec<char>) = (one.chars().collect(), two.chars().collect());
    let at = |row: &[bool], index: usize| row.get(index).copied().unwrap_or(false);
    // From the ends: whether what is left of both can be the same.
    let mut after = vec![false; two.len() + 1];
    for i in (0..=one.len()).rev() {
        let mut row = vec![false; two.len() + 1];
        for j in (0..=two.len()).rev() {
            let (a, b) = (one.get(i), two.get(j));
            let same = match (a, b) {
                (None, None) => true,
                (Some('*'), _) if at(&after, j) || at(&row, j + 1) => true,
                (_, Some('*')) if at(&row, j + 1) || at(&after, j) => true,
                (Some(a), Some(b)) => a == b && at(&after, j + 1),
                _ => false,
            };
            if let Some(cell) = row.get_mut(j) {
                *cell = same;
            }
        }
        after = row;
    }
    at(&after, 0)
}

/// Whether a grant reaches all that another one reaches.
fn grants(wider: &Grant, grant: &Grant) -> bool {
    if grant.groups.is_empty() {
        return true;
    }
    let everyone = wider.groups.iter().any(|group| group.as_str() == "everyone");
    let uses = wider
        .uses
        .as_ref()
        .is_none_or(|wider| grant.uses.as_ref().is_some_and(|uses| all_in(uses, wider)));
    let models = wider.models.as_ref().is_none_or(|wider| {
        let mut models = grant.models.iter().flatten();
        grant.models.is_some() && models.all(|model| covered(model, wider))
    });
    let apps = wider.apps.as_ref().is_none_or(|wider| {
        let mut apps = grant.apps.iter().flatten();
        grant.apps.is_some() && apps.all(|app| wider.iter().any(|wider| selects(wider, app)))
    });
    (everyone || all_in(&grant.groups, &wider.groups)) && uses && models && apps
}

/// Whether an app selector selects all that another one selects.
fn selects(wider: &AppSelector, app: &AppSelector) -> bool {
    let words = |wider: &Option<Vec<Text>>, own: &Option<Vec<Text>>| {
        wider
            .as_ref()
            .is_none_or(|wider| own.as_ref().is_some_and(|own| all_in(own, wider)))
    };
    let classes = wider.class.as_ref().is_none_or(|wider| {
        let own = app.class.as_ref();
        own.is_some_and(|own| {
            own.iter()
                .all(|class| wider.iter().any(|known| known.value == class.value))
        })
    });
    words(&wider.id, &app.id) && words(&wider.category, &app.category) && classes
}

/// Whether a line of `access.endpoints` is about everything that another one is about, whatever it says of it.
fn covers(one: &Pass, other: &Pass) -> bool {
    let lasts = one.until.as_ref().is_none_or(|end| {
        let ends = other.until.as_ref();
        ends.is_some_and(|other| other.value <= end.value)
    });
    lasts && all_in(&other.endpoints, &one.endpoints) && all_in(&other.groups, &one.groups)
}

/// Whether a line is as strict as another one wherever that one counts.
fn keeps(one: &Pass, other: &Pass) -> bool {
    covers(one, other) && one.then.value >= other.then.value
}

/// Whether a milder line is about one of the same endpoints, so that this one is what is strict there.
fn bounds_another(one: &Pass, all: &[Pass]) -> bool {
    all.iter().any(|other| {
        let same = |endpoint: &Text| one.endpoints.iter().any(|own| own.value == endpoint.value);
        other.then.value < one.then.value && other.endpoints.iter().any(same)
    })
}

#[cfg(test)]
mod overlaps {
    use super::overlap;

    #[test]
    fn patterns_overlap_when_a_name_matches_both() {
        for (one, two, expected) in [
            ("mail.*", "*.send", true),
            ("mail.*", "ehr.*", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "acb", false),
            ("*", "", true),
            ("mail", "mail", true),
            ("mail", "mails", false),
        ] {
            assert_eq!(
                (overlap(one, two), overlap(two, one)),
                (expected, expected),
                "{one} {two}"
            );
        }
    }
}
