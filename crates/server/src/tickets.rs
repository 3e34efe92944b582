//! Tickets: how a request that is held is recognised again, and how people answer.
//!
//! A ticket is bound by [`Binder`] to the very bytes that would have gone upstream and to who sends them where, for what, with
//! which software, under which policy and past which clauses. [`answer`] checks who answers and writes the record and the
//! ticket in one transaction; [`take_in`] does that for answers that were left in the store while a gateway had it. Where
//! tickets lie is [`crate::store::tickets`].

use hmac::{Hmac, KeyInit as _, Mac as _};
use ordain_core::inspect::{Rules, content};
use ordain_core::record::Header;
use ordain_core::record::steps::{self, Answer};
use rand::{CryptoRng, Rng as _};
use sha2::Sha256;
use thiserror::Error;
use uuid::Uuid;

use crate::keys::KeyHasher;
use crate::store::tickets::{Beside, Ticket, TicketStep};
use crate::store::{NewRecord, Rejection, Store, StoreError, SubjectId, describe};

/// Hashes requests under a key that comes from the server's secret, so that the hash says nothing to whoever has the store
/// alone (threat F9). The subject is part of what is hashed: the same request of two people has two hashes.
#[derive(Clone)]
pub struct Binder(Hmac<Sha256>);

/// What a ticket is bound to.
#[derive(Debug, Clone, Copy)]
pub struct BoundTo<'b> {
    /// Who sends it.
    pub subject: SubjectId,
    /// On whose behalf.
    pub on_behalf_of: Option<SubjectId>,
    /// With which software.
    pub client: Option<&'b str>,
    /// For which declared use.
    pub use_: Option<&'b str>,
    /// The method.
    pub method: &'b str,
    /// The path with its query.
    pub path: &'b str,
    /// The app that it goes to.
    pub app: &'b str,
    /// The digest of the policy.
    pub policy: &'b str,
    /// The clauses that hold it.
    pub clauses: &'b [String],
    /// The bytes that go upstream.
    pub body: &'b [u8],
}

impl Binder {
    /// The binder of a server.
    #[must_use]
    pub fn new(hasher: &KeyHasher) -> Self {
        // No key is as long as this text, so the two uses of the secret cannot meet.
        let key = hasher.hash("ordain: the key that requests are bound to tickets with, version 1");
        Self(Hmac::new_from_slice(&key).expect("HMAC takes a key of any length"))
    }

    /// The keyed hash of a body that is too large to be hashed together with the rest.
    #[must_use]
    pub fn digest(&self, body: &[u8]) -> [u8; 32] {
        self.0.clone().chain_update(body).finalize().into_bytes().into()
    }

    /// The keyed hash of a request. Each part is preceded by its length, so that no two requests read alike.
    #[must_use]
    pub fn bind(&self, to: &BoundTo<'_>) -> [u8; 32] {
        let mut mac = self.0.clone();
        let mut take = |part: Option<&[u8]>| {
            let length = part.map_or(u64::MAX, |part| part.len() as u64);
            mac.update(&length.to_be_bytes());
            mac.update(part.unwrap_or_default());
        };
        take(Some(to.subject.as_bytes()));
        take(to.on_behalf_of.as_ref().map(|other| other.as_bytes().as_slice()));
        take(to.client.map(str::as_bytes));
        take(to.use_.map(str::as_bytes));
        for text in [to.method, to.path, to.app, to.policy] {
            take(Some(text.as_bytes()));
        }
        take(Some(&(to.clauses.len() as u64).to_be_bytes()));
        for clause in to.clauses {
            take(Some(clause.as_bytes()));
        }
        take(Some(to.body));
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Binder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Binder(…)")
    }
}

/// A new name for a ticket, such as `T-7K3M-9QXD-2F4H`: 60 random bits in Crockford's base 32, which has no letters that look
/// like digits.
pub fn new_id(rng: &mut impl CryptoRng) -> String {
    let mut id = String::from("T");
    for place in 0..12 {
        if place % 4 == 0 {
            id.push('-');
        }
        id.push(char::from(LETTERS[rng.random_range(0..LETTERS.len())]));
    }
    id
}

/// A ticket's name as people may have typed it; `None` if it cannot be one.
#[must_use]
pub fn parse_id(text: &str) -> Option<String> {
    let mut id = String::from("T");
    let typed = text.trim().strip_prefix(['T', 't'])?;
    let mut letters = typed.chars().filter(|letter| *letter != '-');
    for place in 0..12 {
        if place % 4 == 0 {
            id.push('-');
        }
        let letter = match letters.next()?.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        id.push(LETTERS.contains(&u8::try_from(letter).ok()?).then_some(letter)?);
    }
    letters.next().is_none().then_some(id)
}

const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Somebody's answer to a ticket.
#[derive(Debug, Clone, Copy)]
pub struct Given<'g> {
    /// The ticket.
    pub ticket: &'g str,
    /// Whether they agree.
    pub agreed: bool,
    /// Who answers: the name of a principal.
    pub by: &'g str,
    /// Why, if they say so.
    pub reason: Option<&'g str>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Why an answer does not count.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotCounted {
    /// There is no such ticket, or not any more.
    #[error("there is no ticket `{0}`, or it has expired")]
    Unknown(String),
    /// Somebody was faster.
    #[error("ticket `{0}` has been answered already")]
    Answered(String),
    /// It is their own request.
    #[error("nobody can answer a ticket of their own")]
    Own,
    /// The requester's name was erased, so that nobody can tell whether it is their own.
    #[error("who asked is not known any more")]
    Nobody,
    /// Another policy is in force, under which the ticket is good for nothing.
    #[error("the policy has changed since: the request has to be sent again")]
    OtherPolicy,
    /// The process that has the store found one of these.
    #[error("{0}")]
    TurnedDown(String),
    /// The policy does not give it to them.
    #[error("`{by}` may not answer it: the policy gives that to {roles}")]
    NotEntitled {
        /// Who tried.
        by: String,
        /// The roles that may.
        roles: String,
    },
}

/// Why an answer was not written.
#[derive(Debug, Error)]
pub enum AnswerError {
    /// It does not count.
    #[error(transparent)]
    NotCounted(#[from] NotCounted),
    /// It was left for the gateway, which has not come to it.
    #[error("the gateway has not taken the answer in yet; it will, or `ordain tickets show` says otherwise")]
    Late,
    /// It could not be stored.
    #[error("the answer could not be stored: {}", describe(.0))]
    Store(#[from] StoreError),
}

/// The ticket that somebody answers, if they may.
///
/// # Errors
///
/// [`AnswerError::NotCounted`] with the reason.
pub fn answerable(store: &dyn Store, rules: &Rules, given: &Given<'_>) -> Result<Ticket, AnswerError> {
    let unknown = || NotCounted::Unknown(given.ticket.to_owned());
    let ticket = store.ticket(given.ticket)?.ok_or_else(unknown)?;
    if ticket.expires_ms <= given.at_ms {
        return Err(unknown().into());
    }
    if ticket.answered.is_some() {
        return Err(NotCounted::Answered(ticket.id).into());
    }
    // Whoever has an agent ask for them asks themselves.
    for subject in ticket.on_behalf_of.into_iter().chain([ticket.subject]) {
        let asked = store.name_of(subject)?.ok_or(NotCounted::Nobody)?;
        if asked.trim().eq_ignore_ascii_case(given.by.trim()) {
            return Err(NotCounted::Own.into());
        }
    }
    let clauses: Vec<&str> = ticket.clauses.iter().map(String::as_str).collect();
    if rules.policy.digest.to_string() != ticket.policy {
        return Err(NotCounted::OtherPolicy.into());
    }
    if !rules.policy.may_agree(given.by, &clauses) {
        return Err(NotCounted::NotEntitled {
            by: given.by.to_owned(),
            roles: match rules.policy.roles_that_agree(&clauses).join(", ") {
                roles if roles.is_empty() => "nobody".to_owned(),
                roles => roles,
            },
        }
        .into());
    }
    Ok(ticket)
}

/// Writes an answer: its record, and with it what becomes of the ticket. The id of the record.
///
/// # Errors
///
/// [`AnswerError`]; then nothing was written.
pub fn answer(store: &mut dyn Store, rules: &Rules, given: &Given<'_>) -> Result<Uuid, AnswerError> {
    let ticket = answerable(store, rules, given)?;
    let (id, by) = (Uuid::now_v7(), store.subject(given.by)?);
    let (name, subject, exchange) = (id.to_string(), by.to_string(), ticket.exchange.to_string());
    let clauses: Vec<&str> = ticket.clauses.iter().map(String::as_str).collect();
    let header = Header {
        id: &name,
        at_ms: given.at_ms,
        subject: &subject,
        on_behalf_of: None,
    };
    let value = steps::answer(
        &header,
        &Answer {
            agreed: given.agreed,
            ticket: &ticket.id,
            exchange: &exchange,
            policy: &ticket.policy,
            clauses: &clauses,
            reasoned: given.reason.is_some(),
        },
    );
    // INVARIANT: the record is made of text and small integers, which always have canonical bytes.
    let bytes = ordain_ledger::canonical(&value).expect("an answer has canonical bytes");
    let beside = Beside {
        reason: given.reason.and_then(|reason| content::words(&rules.scanner, reason)),
        ticket: Some(TicketStep::Answer {
            ticket: ticket.id.clone(),
            agreed: given.agreed,
        }),
    };
    let record = NewRecord::answer(id, given.agreed, given.at_ms, by, bytes).with(Some(Box::new(beside)));
    match store.append(&[record]) {
        Ok(_) => Ok(id),
        Err(StoreError::Rejected {
            why: Rejection::TicketSpent,
            ..
        }) => Err(NotCounted::Answered(ticket.id).into()),
        Err(error) => Err(error.into()),
    }
}

/// Takes in the answers that were left in the store, and clears what has expired.
pub fn take_in(store: &mut dyn Store, rules: &Rules, now_ms: i64) {
    if let Err(error) = try_to_take_in(store, rules, now_ms) {
        tracing::warn!(error = %describe(&error), "answers to tickets could not be taken in; they stay until they can");
    }
}

fn try_to_take_in(store: &mut dyn Store, rules: &Rules, now_ms: i64) -> Result<(), StoreError> {
    for posted in store.posted_answers()? {
        if posted.rejected.is_some() {
            continue;
        }
        let by = store.name_of(posted.by)?;
        let given = by.as_deref().map(|by| Given {
            ticket: &posted.ticket,
            agreed: posted.agreed,
            by,
            reason: posted.reason.as_deref(),
            at_ms: now_ms,
        });
        let taken = match &given {
            Some(given) => answer(store, rules, given),
            None => Err(NotCounted::Nobody.into()),
        };
        match taken {
            Ok(_) | Err(AnswerError::Late) => {}
            Err(AnswerError::NotCounted(why)) => store.turn_down(&posted.ticket, &why.to_string())?,
            Err(AnswerError::Store(error)) => return Err(error),
        }
    }
    store.clear_tickets(now_ms)?;
    Ok(())
}

#[cfg(test)]
mod tests;
