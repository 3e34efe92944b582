//! Who may go on, and for what, when the ledger takes no records. It decides nothing: verdicts are as ever.

use super::{Names, Policy};
use crate::decide::{Facts, Who};
use crate::policy::document::{self, Document, Text};

/// What a policy authorises for the time in which nothing can be recorded in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// The use that it is for.
    pub use_: String,
    /// For how long at most, in minutes; never more than an hour.
    pub minutes: u32,
    /// The role that reviews it.
    pub reviewer: String,
    /// The policy's groups whose requests may, as numbers.
    groups: Vec<u32>,
    /// Who holds the role.
    reviewers: Vec<String>,
}

impl BreakGlass {
    /// That of a document without errors.
    pub(super) fn of(document: &Document, names: &Names) -> Option<Self> {
        let glass = document.break_glass.as_ref()?;
        let (use_, lasts, reviewer) = (glass.use_.as_ref()?, glass.lasts.as_ref()?, glass.reviewer.as_ref()?);
        let roles = &document.roles;
        let held: Vec<&Text> = match reviewer.as_str() {
            "owner" => roles.accountable.iter().chain(&roles.deputy).collect(),
            "board" => roles.board.iter().flat_map(|board| &board.members).collect(),
            _ => vec![reviewer],
        };
        let people = roles
            .people
            .iter()
            .filter(|(role, _)| held.iter().any(|held| held.value == role.value));
        let groups = glass
            .groups
            .iter()
            .filter_map(|group| names.groups.index(group.as_str()));
        Some(Self {
            use_: use_.value.clone(),
            minutes: lasts.value.min(document::BreakGlass::MOST_MINUTES),
            reviewer: reviewer.value.clone(),
            groups: groups.collect(),
            reviewers: people.map(|(_, person)| person.value.trim().to_owned()).collect(),
        })
    }

    /// Whether this principal is to review it. Upper and lower case are one, as in the directory.
    fn may_review(&self, principal: &str) -> bool {
        let principal = principal.trim();
        self.reviewers.iter().any(|one| one.eq_ignore_ascii_case(principal))
    }
}

impl Policy {
    /// Whether this principal may review a break-glass: its reviewers, or where the policy has none any more, those who answer
    /// for all of it.
    #[must_use]
    pub fn may_review_break_glass(&self, principal: &str) -> bool {
        match &self.break_glass {
            Some(glass) => glass.may_review(principal),
            None => self.answerable.answers(principal),
        }
    }

    /// Whether the break-glass covers a request: its declared use is the named one, and whoever asks is in one of the groups, as
    /// is the one on whose behalf they ask.
    #[must_use]
    pub fn breaks_glass(&self, facts: &Facts) -> bool {
        let Some(glass) = &self.break_glass else {
            return false;
        };
        let mut who: Option<&Who> = Some(&facts.who);
        if facts.use_.as_deref() != Some(glass.use_.as_str()) {
            return false;
        }
        while let Some(one) = who {
            let groups = self.names.groups_of(&one.groups);
            if !groups.iter().any(|group| glass.groups.contains(group)) {
                return false;
            }
            who = one.on_behalf_of.as_deref();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::decide::Content;
    use crate::policy::check::tests::laid_over;
    use crate::policy::{File, Files, load};
    use crate::verdict::Direction;

    const GLASS: &str = "scope:\n  groups: {staff: {}, engineering: {claim: eng}, unmapped: block}\n  uses: [{id: coding, owner: cto}, {id: letters, owner: cto}]\n  clauses: [{id: SC-1, statement: Who., enforced_by: scope.groups}, {id: SC-2, statement: What for., enforced_by: scope.uses}]\nmonitoring:\n  break_glass: {statement: Care goes on., use: letters, groups: [engineering], lasts: 20 minutes, reviewer: owner}\n";

    fn policy() -> Policy {
        let files = Files::new(vec![File {
            path: "policy.yaml".to_owned(),
            text: laid_over(GLASS),
        }]);
        let now = "2026-12-01T00:00:00Z".parse().expect("a moment");
        let loaded = load(&files, &crate::catalog::Catalog::built_in(), now);
        loaded.policy.unwrap_or_else(|| panic!("{:?}", loaded.problems))
    }

    fn somebody(groups: &[&str], for_: Option<Arc<Who>>) -> Arc<Who> {
        Arc::new(Who {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            on_behalf_of: for_,
            ..Who::default()
        })
    }

    #[test]
    fn it_covers_the_named_use_of_its_groups_alone() {
        let policy = policy();
        let ask = |use_: Option<&str>, who: Arc<Who>| {
            policy.breaks_glass(&Facts {
                now: "2026-12-01T00:00:00Z".parse().expect("a moment"),
                direction: Direction::Prompt,
                who,
                to: Arc::default(),
                model: None,
                use_: use_.map(str::to_owned),
                content: Content::default(),
            })
        };
        assert!(ask(Some("letters"), somebody(&["eng"], None)));
        for (use_, who) in [
            (Some("coding"), somebody(&["eng"], None)),
            (Some("(undeclared)"), somebody(&["eng"], None)),
            (None, somebody(&["eng"], None)),
            (Some("letters"), somebody(&["staff"], None)),
            (Some("letters"), somebody(&["engineering"], None)),
            (Some("letters"), somebody(&[], None)),
            // An agent never exceeds whom it acts for, nor the other way round.
            (Some("letters"), somebody(&["eng"], Some(somebody(&["staff"], None)))),
            (Some("letters"), somebody(&["staff"], Some(somebody(&["eng"], None)))),
        ] {
            assert!(!ask(use_, who.clone()), "{use_:?} {who:?}");
        }
        assert!(ask(Some("letters"), somebody(&["eng"], Some(somebody(&["eng"], None)))));
    }

    #[test]
    fn its_reviewers_are_those_who_hold_the_role() {
        let policy = policy();
        let glass = policy.break_glass().expect("a break-glass");
        assert_eq!((glass.minutes, glass.use_.as_str()), (20, "letters"));
        assert!(glass.may_review("CISO@example.com") && glass.may_review("cto@example.com"));
        assert!(!glass.may_review("owner") && !glass.may_review("dpo@example.com"));
    }
}
