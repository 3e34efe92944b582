//! `ordain approve`, `ordain deny` and `ordain tickets`: requests that are held, and what people say to them.
//!
//! Whoever runs these has the store in their hands: `--as` is taken at its word. An answer is written by the process that
//! appends to the store, which is the gateway while one runs: it is left for it there, and this waits until it was taken in.

use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use ordain_core::inspect::{Rules, content};
use ordain_server::setup::Folder;
use ordain_server::store::sqlite::SqliteStore;
use ordain_server::store::tickets::{PostedAnswer, Ticket, TicketBook as _};
use ordain_server::store::{Rejection, Store as _, StoreError};
use ordain_server::tickets::{self, AnswerError, Given, NotCounted};
use ordain_server::version;
use serde_json::{Value, json};
use uuid::Uuid;

use super::records::{exchange, moment, open, show_record, value};
use super::{Dir, Format};
use crate::exit::{Answer, print};
use crate::policy;

/// Somebody's answer to a ticket.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: ordain approve T-7K3M-9QXD-2F4H --as dpo@northwind.example --reason 'agreed with legal'"
)]
pub(crate) struct Reply {
    /// The ticket, from the refusal or from `ordain tickets list`
    ticket: String,
    /// Who answers: the name of a principal to whom the policy gives it
    #[arg(long = "as", value_name = "PRINCIPAL")]
    principal: String,
    /// Why; kept beside the record, where it can be erased
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Look at requests that wait for somebody to agree
#[derive(Debug, Subcommand)]
pub(crate) enum Tickets {
    /// List tickets that have not expired, oldest first
    List(List),
    /// Show a ticket with what was found in its request, never the text
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The ticket
    ticket: String,
    #[command(flatten)]
    dir: Dir,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How long a gateway is given to take an answer in; it looks twice a second.
const PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);
/// The most characters of a reason.
const MOST_REASON: usize = 1000;

impl Reply {
    pub(crate) fn run(self, agreed: bool) -> anyhow::Result<Answer> {
        let folder = Folder::new(self.dir.path());
        anyhow::ensure!(folder.is_made(), "{}", self.dir.missing());
        let Some(ticket) = named(&self.ticket) else {
            return Ok(Answer::No);
        };
        let long = self
            .reason
            .as_ref()
            .is_some_and(|reason| reason.chars().count() > MOST_REASON);
        anyhow::ensure!(!long, "a reason has at most {MOST_REASON} characters");
        let (policy, ..) = policy::read_for_use(self.dir.path())?.usable()?;
        let rules = Rules::new(policy);
        let directory = version::directory(&folder)?;
        let typed = self.principal.trim();
        let given = Given {
            ticket: &ticket,
            agreed,
            by: directory.name_of(typed).unwrap_or(typed),
            reason: self.reason.as_deref(),
            at_ms: Timestamp::now().as_millisecond(),
        };
        let answered = match SqliteStore::open(&folder.store()) {
            Ok(mut store) => tickets::answer(&mut store, &rules, &given),
            Err(StoreError::Held { .. }) => post(&folder, &rules, &given),
            Err(error) => Err(error.into()),
        };
        let record = match answered {
            Ok(record) => record,
            Err(AnswerError::NotCounted(why)) => {
                eprintln!("{why}");
                return Ok(Answer::No);
            }
            Err(error) => return Err(error.into()),
        };
        match self.format {
            Format::Json => print(json!({"v": 1, "ticket": ticket, "agreed": agreed, "record": record.to_string()}))?,
            Format::Text if agreed => print(format_args!(
                "{ticket} is approved, once: whoever asked sends the same request again with `ordain-ticket: {ticket}`"
            ))?,
            Format::Text => print(format_args!("{ticket} is denied"))?,
        }
        Ok(Answer::Yes)
    }
}

/// Leaves an answer for the gateway that has the store, and waits until it was taken in.
fn post(folder: &Folder, rules: &Rules, given: &Given<'_>) -> Result<Uuid, AnswerError> {
    let mut store = SqliteStore::open_shared(&folder.store())?;
    tickets::answerable(&store, rules, given)?;
    let posted = PostedAnswer {
        ticket: given.ticket.to_owned(),
        agreed: given.agreed,
        by: store.subject(given.by)?,
        at_ms: given.at_ms,
        reason: given.reason.and_then(|reason| content::words(&rules.scanner, reason)),
        rejected: None,
    };
    store.post_answer(&posted).map_err(|error| match error {
        StoreError::Rejected {
            why: Rejection::Duplicate,
            ..
        } => AnswerError::NotCounted(NotCounted::Answered(given.ticket.to_owned())),
        error => error.into(),
    })?;
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        let waits = store
            .posted_answers()?
            .into_iter()
            .find(|one| one.ticket == given.ticket);
        match waits {
            Some(PostedAnswer {
                rejected: Some(why), ..
            }) => return Err(NotCounted::TurnedDown(why).into()),
            Some(_) => std::thread::sleep(POLL),
            None => {
                let answered = store.ticket(given.ticket)?.and_then(|ticket| ticket.answered);
                let own = answered.filter(|one| one.by == posted.by && one.agreed == posted.agreed);
                let gone = || NotCounted::Answered(given.ticket.to_owned());
                return Ok(own.ok_or_else(gone)?.record);
            }
        }
    }
    Err(AnswerError::Late)
}

/// The ticket that was typed; says so if it is none.
fn named(typed: &str) -> Option<String> {
    let ticket = tickets::parse_id(typed);
    if ticket.is_none() {
        eprintln!("`{typed}` is no ticket: they look like T-7K3M-9QXD-2F4H");
    }
    ticket
}

impl Tickets {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::List(verb) => verb.run(),
            Self::Show(verb) => verb.run(),
        }
    }
}

/// What became of a ticket, in a word.
fn state(ticket: &Ticket) -> &'static str {
    match (ticket.used, ticket.answered) {
        (Some(_), _) => "used",
        (None, Some(answer)) if answer.agreed => "approved",
        (None, Some(_)) => "denied",
        (None, None) => "waiting",
    }
}

fn as_json(ticket: &Ticket) -> Value {
    json!({
        "ticket": ticket.id,
        "state": state(ticket),
        "subject": ticket.subject.to_string(),
        "clauses": ticket.clauses,
        "policy": ticket.policy,
        "exchange": ticket.exchange.to_string(),
        "opened_ms": ticket.opened_ms,
        "expires_ms": ticket.expires_ms,
        "answered": ticket.answered.map(|answer| json!({
            "agreed": answer.agreed,
            "by": answer.by.to_string(),
            "at_ms": answer.at_ms,
            "record": answer.record.to_string(),
        })),
        "used": ticket.used.map(|used| used.to_string()),
    })
}

impl List {
    fn run(self) -> anyhow::Result<Answer> {
        let store = open(&self.dir)?;
        let now = Timestamp::now().as_millisecond();
        let mut tickets = store.tickets()?;
        tickets.retain(|ticket| ticket.expires_ms > now);
        match self.format {
            Format::Json => {
                let tickets: Vec<Value> = tickets.iter().map(as_json).collect();
                print(serde_json::to_string_pretty(&json!({"v": 1, "tickets": tickets}))?)?;
            }
            Format::Text if tickets.is_empty() => print("no request waits")?,
            Format::Text => {
                let mut table = Table::new();
                table.load_style(presets::NOTHING).set_header([
                    "TICKET",
                    "STATE",
                    "OPENED (UTC)",
                    "EXPIRES",
                    "CLAUSES",
                    "SUBJECT",
                ]);
                for ticket in &tickets {
                    table.add_row([
                        ticket.id.clone(),
                        state(ticket).to_owned(),
                        moment(ticket.opened_ms),
                        moment(ticket.expires_ms),
                        ticket.clauses.join(", "),
                        ticket.subject.to_string().chars().take(8).collect(),
                    ]);
                }
                print(table)?;
            }
        }
        Ok(Answer::Yes)
    }
}

impl Show {
    fn run(self) -> anyhow::Result<Answer> {
        let store = open(&self.dir)?;
        let Some(id) = named(&self.ticket) else {
            return Ok(Answer::No);
        };
        let Some(ticket) = store.ticket(&id)? else {
            eprintln!("there is no ticket `{id}`, or it has expired");
            return Ok(Answer::No);
        };
        let records = exchange(&store, ticket.exchange)?;
        let asked = store.reason(ticket.exchange)?;
        let answered = ticket.answered.map(|answer| store.reason(answer.record));
        let answered = answered.transpose()?.flatten();
        if self.format == Format::Json {
            let mut shown = as_json(&ticket);
            if let Some(members) = shown.as_object_mut() {
                members.insert("v".to_owned(), 1.into());
                members.insert("reason".to_owned(), asked.into());
                members.insert("answer_reason".to_owned(), answered.into());
                let record = records.first().map(value).transpose()?;
                members.insert("request".to_owned(), record.unwrap_or_default());
            }
            print(serde_json::to_string_pretty(&shown)?)?;
            return Ok(Answer::Yes);
        }
        print(format_args!(
            "{} {}, until {} UTC, held by {}",
            ticket.id,
            state(&ticket),
            moment(ticket.expires_ms),
            ticket.clauses.join(", ")
        ))?;
        for (who, words) in [("whoever asked", asked), ("whoever answered", answered)] {
            if let Some(words) = words {
                print(format_args!("{who}: {words}"))?;
            }
        }
        for record in &records {
            show_record(record, self.dir.path())?;
        }
        Ok(Answer::Yes)
    }
}
