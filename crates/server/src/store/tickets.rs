//! Tickets of requests that are held, and the words of people beside records.
//!
//! A ticket stands for one request of one principal under one version of the policy: it keeps a keyed hash of the request
//! ([`crate::tickets::Binder`]) and never its text. Whatever changes one is written in the same transaction as the record
//! that says so: it hangs on a [`NewRecord`] as [`Beside`]. The way of a ticket is opened, answered, used; each once.
//!
//! INVARIANT: a ticket is used at most once, and only while it is agreed to and has not expired. The store sees to that when
//! it writes the intent, so that of two requests that race one is rejected.
//!
//! [`NewRecord`]: super::NewRecord

use uuid::Uuid;

use super::{StoreError, SubjectId};

/// Where tickets and people's words are kept: a part of every [`Store`](super::Store).
pub trait TicketBook {
    /// A ticket, if there is one of this name.
    fn ticket(&self, id: &str) -> Result<Option<Ticket>, StoreError>;

    /// The tickets of a subject that were not used, newest first.
    fn open_tickets_of(&self, subject: SubjectId) -> Result<Vec<Ticket>, StoreError>;

    /// All tickets, oldest first.
    fn tickets(&self) -> Result<Vec<Ticket>, StoreError>;

    /// Leaves an answer for the process that appends.
    ///
    /// # Errors
    ///
    /// [`Rejection::Duplicate`](super::Rejection::Duplicate) while another answer to the ticket waits.
    fn post_answer(&mut self, answer: &PostedAnswer) -> Result<(), StoreError>;

    /// The answers that wait or were turned down, oldest first. One that was taken in is there no more.
    fn posted_answers(&self) -> Result<Vec<PostedAnswer>, StoreError>;

    /// Notes why a posted answer is not taken in, and forgets its words.
    fn turn_down(&mut self, ticket: &str, why: &str) -> Result<(), StoreError>;

    /// Whether something waits for the process that appends: an answer to take in, or a ticket that has expired. Cheap
    /// enough to ask often.
    fn tickets_due(&self, now_ms: i64) -> Result<bool, StoreError>;

    /// Removes what has expired; how many tickets that were. Their records stay.
    fn clear_tickets(&mut self, now_ms: i64) -> Result<usize, StoreError>;

    /// The words that were written with a record; none when there were none, or they were erased.
    fn reason(&self, record: Uuid) -> Result<Option<String>, StoreError>;

    /// Erases the words that were written with a record, for good; the record stays. False when there were none.
    fn erase_reason(&mut self, record: Uuid) -> Result<bool, StoreError>;
}

/// What is written together with a record, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Beside {
    /// Why, in the words of whom the record is about. It can be erased, so it stands beside the record and not in it.
    pub reason: Option<String>,
    /// What becomes of a ticket.
    pub ticket: Option<TicketStep>,
}

/// What becomes of a ticket with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketStep {
    /// It is opened; the record is the refusal of the request.
    Open(Ticket),
    /// It is answered; the record is the approval or denial.
    Answer {
        /// Which.
        ticket: String,
        /// Whether somebody agreed.
        agreed: bool,
    },
    /// It is used; the record is the intent.
    Use {
        /// Which.
        ticket: String,
        /// The hash of the request that uses it.
        binding: [u8; 32],
    },
}

/// A request that waits for somebody to agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// What people and headers call it: not to be guessed.
    pub id: String,
    /// The keyed hash of the request and of everything that it is bound to.
    pub binding: [u8; 32],
    /// Who asked.
    pub subject: SubjectId,
    /// On whose behalf.
    pub on_behalf_of: Option<SubjectId>,
    /// The digest of the policy that holds it.
    pub policy: String,
    /// The ids of the clauses that hold it, in the policy's order.
    pub clauses: Vec<String>,
    /// The refusal that opened it: what whoever answers gets to see.
    pub exchange: Uuid,
    /// When it was opened, in milliseconds since 1970.
    pub opened_ms: i64,
    /// The first moment at which it is good for nothing.
    pub expires_ms: i64,
    /// What was answered, if anybody has.
    pub answered: Option<Answered>,
    /// The intent of the request that used it.
    pub used: Option<Uuid>,
}

/// The answer to a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Whether somebody agreed; else they refused.
    pub agreed: bool,
    /// Who.
    pub by: SubjectId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The record that says so.
    pub record: Uuid,
}

/// An answer that somebody gave while another process had the store: the one that appends takes it in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedAnswer {
    /// The ticket.
    pub ticket: String,
    /// Whether somebody agrees.
    pub agreed: bool,
    /// Who.
    pub by: SubjectId,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Why, if they said so.
    pub reason: Option<String>,
    /// Why it was not taken in, once that is known.
    pub rejected: Option<String>,
}
