//! Acting on somebody's behalf: the header `ordain-on-behalf-of`, and who may send it.
//!
//! The principal that it names is no claim about who calls: that stays the key's or the certificate's owner (threat C5). It
//! makes the decision stricter, never milder, as both are asked (`core decide/together.rs`); and only for callers whom the
//! configuration lists, so that a record never names somebody for whom nobody was meant to act. Read [`Behalf::of`] first.

use std::sync::Arc;

use hyper::header::HeaderMap;
use ordain_core::decide::Who;

use super::Gateway;
use super::caller::{Caller, Unknown};
use super::live::Live;
use crate::config::Delegation;
use crate::store::SubjectId;

/// What a request says of on whose behalf it is made.
#[derive(Debug)]
pub(super) enum Behalf {
    /// Nothing.
    Own,
    /// On behalf of a principal, for whom the caller may act.
    Of(SubjectId),
    /// On behalf of somebody for whom the caller may not act; with the reason.
    Refused(&'static str),
}

const HEADER: &str = "ordain-on-behalf-of";

impl Behalf {
    /// What the headers say, and the caller with whom they act for.
    ///
    /// # Errors
    ///
    /// [`Unknown`], with 503, when the store does not answer.
    pub(super) async fn of(
        gateway: &Gateway,
        live: &Live,
        headers: &HeaderMap,
        caller: &mut Caller,
    ) -> Result<Self, Unknown> {
        let mut named = headers.get_all(HEADER).iter();
        let Some(name) = named.next() else {
            return Ok(Self::Own);
        };
        let name = name.to_str().ok().filter(|_| named.next().is_none());
        let other = name.and_then(|name| live.directory.name_of(name)).or(name);
        let Some(other) = other.map(|name| live.directory.who(name, None)) else {
            return Ok(Self::Refused("`ordain-on-behalf-of` names one principal, once"));
        };
        if !live.delegations.iter().any(|one| lets(one, &caller.who, &other)) {
            return Ok(Self::Refused(
                "this key may not act on behalf of that principal: `delegation` in ordain.yaml lists who may act for whom",
            ));
        }
        let subject = gateway.subject(&other.principal).await?;
        Arc::make_mut(&mut caller.who).on_behalf_of = Some(other);
        Ok(Self::Of(subject))
    }
}

/// Whether a line lets `who` act for `other`.
fn lets(line: &Delegation, who: &Who, other: &Who) -> bool {
    line.principal.as_ref().is_none_or(|name| *name == who.principal)
        && line
            .client
            .as_ref()
            .is_none_or(|name| who.client.as_ref() == Some(name))
        && (line.principals.contains(&other.principal) || other.groups.iter().any(|group| line.groups.contains(group)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_for_its_caller_and_its_people_alone() {
        let line = Delegation {
            principal: Some("bot".to_owned()),
            client: Some("assistant".to_owned()),
            groups: vec!["staff".to_owned()],
            principals: vec!["bo".to_owned()],
        };
        let who = |principal: &str, client: Option<&str>, groups: &[&str]| Who {
            principal: principal.to_owned(),
            client: client.map(str::to_owned),
            groups: groups.iter().map(|&group| group.to_owned()).collect(),
            ..Who::default()
        };
        let bot = who("bot", Some("assistant"), &[]);
        for (caller, other, may) in [
            (&bot, who("ann", None, &["staff"]), true),
            (&bot, who("bo", None, &[]), true),
            (&bot, who("eve", None, &["visitors"]), false),
            (&bot, who("eve", None, &[]), false),
            (&who("bot", None, &[]), who("bo", None, &[]), false),
            (&who("ann", Some("assistant"), &["staff"]), who("bo", None, &[]), false),
        ] {
            assert_eq!(lets(&line, caller, &other), may, "{caller:?} for {other:?}");
        }
    }
}
