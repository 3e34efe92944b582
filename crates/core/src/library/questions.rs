//! The questions of the interview: what is asked, and what the answer changes.
//!
//! The same sentences stand beside the answers in the file, so that both ways of answering say the same. Read [`QUESTIONS`].

use crate::detect::entities::{ENTITIES, Entity};

/// One question.
#[derive(Debug, Clone, Copy)]
pub struct Question {
    /// Its key in the file of answers.
    pub key: &'static str,
    /// What is asked.
    pub ask: &'static str,
    /// What the answer changes.
    pub changes: &'static str,
}

const fn question(key: &'static str, ask: &'static str, changes: &'static str) -> Question {
    Question { key, ask, changes }
}

/// Every question, in the order of the interview.
pub const QUESTIONS: &[Question] = &[
    question(
        "organization",
        "What is your organisation called?",
        "The name stands at the head of the policy and in its clauses.",
    ),
    question(
        "profiles",
        "What do you do with AI?",
        "Each profile brings its clauses; of several, the strictest wish counts for each clause.",
    ),
    question(
        "size",
        "How many people work for you?",
        "In a small organisation, recommended clauses that only ask people for evidence stay out. In a large one, management approves the policy twice a year.",
    ),
    question(
        "sector",
        "Which sector are you in?",
        "Health, finance and the public sector get the overlay `regulated`: stricter clauses and shorter cycles.",
    ),
    question(
        "regulations",
        "Which rules bind you?",
        "Their duties stand in the policy and the summary. HIPAA and DORA bring the overlay `regulated`; some set how long records are kept.",
    ),
    question(
        "apps",
        "Which AI apps are in use, and what do you think of them?",
        "The class of an app decides what may be sent to it. All others count as unknown and get public text at most.",
    ),
    question(
        "data",
        "Which sensitive data do you hold, beside the usual?",
        "The usual is in every policy: names and contacts, salaries, customer records, card, account and identity numbers, code, keys and passwords. What you choose gets a class, and with it a row of the matrix. The summary says what nothing finds yet.",
    ),
    question(
        "keywords",
        "Which words of your own must not get out?",
        "Names of projects and products are found whatever their case, and masked or kept in like other confidential data.",
    ),
    question(
        "groups",
        "Which groups of your directory matter, and what do they do?",
        "Clauses on code, hiring, money, patients and customers come in only where a group does that.",
    ),
    question(
        "people",
        "Who holds the roles?",
        "Clauses name roles, and the roles name people. At least two different people are needed, so that nobody approves alone.",
    ),
    question(
        "board",
        "Who decides together on exceptions and new uses?",
        "The board's members are roles; more than half of them must agree.",
    ),
    question(
        "works_council",
        "Is there a works council?",
        "It then is a role of the policy and has to consent to monitoring and consequences, before the gateway starts: that records each request.",
    ),
    question(
        "uses",
        "What is AI used for?",
        "A request may name one of these uses. Groups and a ceiling limit a use; tier `high` brings the duties of high risk.",
    ),
    question(
        "appetite",
        "How careful do you want to be?",
        "Careful: everything recommended, looked at more often, and unknown apps do not even get public text. Bold: only what is required, looked at less often.",
    ),
    question(
        "timezone",
        "In which time zone do dates and hours count?",
        "All dates of the policy are read there, also those on which something ends.",
    ),
];

/// What an organisation may hold beside the usual. Every policy names medical data, but those who hold it want it stricter.
pub fn data_choices() -> impl Iterator<Item = &'static Entity> {
    let offered = |entity: &&Entity| super::frame::is_new(entity.id) || super::frame::MEDICAL.contains(&entity.id);
    ENTITIES.iter().filter(offered)
}

/// The question with a key.
#[must_use]
pub fn question_for(key: &str) -> Option<&'static Question> {
    QUESTIONS.iter().find(|question| question.key == key)
}
