//! Who answers for what: to whom a person turns who was stopped, and who may agree to what is held.
//!
//! May agree: the owner of the clause, and for every clause the policy's owner, the owner's deputy and the members of the
//! board, as `roles` names them. Read [`Answerable::may_agree`].

use super::Policy;
use crate::policy::document::{Document, Roles};

/// Who answers for a policy.
#[derive(Debug, Default)]
pub(crate) struct Answerable {
    /// Roles with who holds them.
    people: Vec<(String, String)>,
    /// The roles that answer for all of it, the owner's first.
    all: Vec<String>,
    /// Days within which a block can be appealed.
    pub(crate) appeal: Option<u32>,
}

impl Answerable {
    pub(crate) fn of(document: &Document) -> Self {
        let Roles {
            people,
            accountable,
            deputy,
            board,
            ..
        } = &document.roles;
        let board = board.iter().flat_map(|board| &board.members);
        let all = accountable.iter().chain(deputy).chain(board);
        let consequences = document.consequences.as_ref();
        Self {
            people: people
                .iter()
                .map(|(role, person)| (role.value.clone(), person.value.clone()))
                .collect(),
            all: all.map(|role| role.value.clone()).collect(),
            appeal: consequences.and_then(|one| Some(one.appeal.as_ref()?.value)),
        }
    }

    /// Whether a principal holds a role. Upper and lower case are one, as in the directory.
    fn holds(&self, principal: &str, role: &str) -> bool {
        self.people
            .iter()
            .any(|(of, person)| of == role && person.trim().eq_ignore_ascii_case(principal))
    }

    /// Whether a principal holds one of the roles that answer for all of it.
    pub(super) fn answers(&self, principal: &str) -> bool {
        self.all.iter().any(|role| self.holds(principal.trim(), role))
    }

    /// Whether a principal may agree to what clauses of these owners hold.
    fn may_agree<'o>(&self, principal: &str, mut owners: impl Iterator<Item = Option<&'o str>>) -> bool {
        self.answers(principal) || owners.all(|owner| owner.is_some_and(|owner| self.holds(principal, owner)))
    }
}

impl Policy {
    /// Whether a principal may agree to, or refuse, what the clauses with these ids hold. Nobody may for no clause.
    #[must_use]
    pub fn may_agree(&self, principal: &str, clauses: &[&str]) -> bool {
        let owners = clauses.iter().map(|id| self.owner(id));
        !clauses.is_empty() && self.answerable.may_agree(principal, owners)
    }

    /// The roles that may agree to what the clauses with these ids hold: their owner, if it is one, then those that may
    /// always.
    #[must_use]
    pub fn roles_that_agree(&self, clauses: &[&str]) -> Vec<&str> {
        let mut owners = clauses.iter().map(|id| self.owner(id));
        let first = owners.next().flatten();
        let owner = first.filter(|first| owners.all(|other| other == Some(*first)));
        let mut roles: Vec<&str> = Vec::new();
        for role in owner.into_iter().chain(self.answerable.all.iter().map(String::as_str)) {
            if !roles.contains(&role) {
                roles.push(role);
            }
        }
        roles
    }

    /// The role that answers for what is cited under this id.
    fn owner(&self, id: &str) -> Option<&str> {
        self.cited.iter().find(|one| one.id == id)?.owner.as_deref()
    }

    /// The role to turn to about a citation: its clause's owner, or else the policy's.
    #[must_use]
    pub fn contact(&self, id: &str) -> Option<&str> {
        let policy = || self.answerable.all.first().map(String::as_str);
        self.owner(id).or_else(policy)
    }

    /// Days within which a block can be appealed, if the policy says so.
    #[must_use]
    pub const fn appeal_days(&self) -> Option<u32> {
        self.answerable.appeal
    }
}

#[cfg(test)]
mod tests {
    use super::Answerable;
    use crate::catalog::Catalog;
    use crate::policy::{Files, load};

    #[test]
    fn a_policy_without_a_ladder_says_all_the_same_how_long_one_can_appeal() {
        let text = "ordain: 1\norganization: Test\nversion: \"1\"\nconsequences: {statement: Fair., appeal: 14 days}\n";
        let now = "2026-12-15T12:00:00Z".parse().expect("a moment");
        let loaded = load(&Files::single(text), &Catalog::built_in(), now);
        let document = loaded.document.expect("a document");
        assert_eq!(Answerable::of(&document).appeal, Some(14));
    }
}
