//! "My part": what the policy asks of one group, on one screen.
//!
//! Nothing here reads rules: the policy itself is asked, app by app and kind of data by kind of data, what it would say to
//! somebody of the group, and equal answers are put together. Read [`page`] first.

mod asked;

use super::block::{self, Block, Cell, Extent, Heading, Inline, Inlines, Page, Table};
use super::{Given, closing, front, prose, sentence, words};
use crate::policy::document::{Exception, Text};
use asked::{Asked, UNFOUND};

/// Lines of one screen are few: longer lists end with a pointer to the whole policy.
const MOST_KINDS: usize = 12;
const MOST_ITEMS: usize = 5;

pub(super) fn page(given: &Given<'_>, group: &str) -> Option<Page> {
    if !super::groups(given.document).any(|known| known == group) {
        return None;
    }
    let asked = Asked::new(given, group);
    let mut blocks = Vec::new();
    table(&asked, &mut blocks);
    told(&asked, &mut blocks);
    instead(given, &asked, &mut blocks);
    exceptions(given, group, &mut blocks);
    duties(given, group, &mut blocks);
    whom_to_ask(given, &asked, &mut blocks);
    let mut page = front::page(given, blocks);
    page.extent = Extent::Part;
    page.title = format!("My part: {group}");
    page.facts = Vec::new();
    page.blocks.insert(0, Block::paragraph(intro(given, group)));
    page.settle_links();
    Some(page)
}

fn intro(given: &Given<'_>, group: &str) -> Inlines {
    let whose = if group == words::EVERYONE {
        "for everyone".to_owned()
    } else {
        format!("for the group {group}")
    };
    vec![Inline::Text(format!(
        "What the AI policy of {}, version {}, says {whose} on {}. In doubt, the whole policy counts.",
        given.policy.organization, given.policy.version, given.today
    ))]
}

fn heading(text: &str, blocks: &mut Vec<Block>) {
    blocks.push(Block::Heading(Heading {
        level: 2,
        number: None,
        text: text.to_owned(),
        anchor: text.to_ascii_lowercase().replace([' ', ','], "-"),
    }));
}

/// Kinds of data by apps, in words.
fn table(asked: &Asked<'_>, blocks: &mut Vec<Block>) {
    heading("What I may send where", blocks);
    let columns = asked.columns();
    let head: Vec<&str> = std::iter::once("What is in my text")
        .chain(columns.iter().map(|column| column.name.as_str()))
        .collect();
    let mut table = Table::new(None, "What becomes of my prompts", &head);
    let rows = asked.rows(&columns);
    let more = rows.len().saturating_sub(MOST_KINDS);
    for row in rows.into_iter().take(MOST_KINDS) {
        let mut cells = vec![Cell::from(row.name)];
        cells.extend(row.answers.into_iter().map(|answer| Cell {
            verdict: Some(answer.full),
            text: vec![Inline::Text(answer.words())],
        }));
        table.rows.push(cells);
    }
    let mut notes = Vec::new();
    if more > 0 {
        let kinds = if more == 1 {
            "kind of data stands"
        } else {
            "kinds of data stand"
        };
        notes.push(format!("{more} more {kinds} in the whole policy."));
    }
    let uses = asked.uses();
    if !uses.is_empty() {
        let mut uses: Vec<String> = uses.iter().map(|one| one.id.value.clone()).collect();
        let more = uses.len().saturating_sub(MOST_ITEMS);
        uses.truncate(MOST_ITEMS);
        if more > 0 {
            uses.push(format!("{more} more"));
        }
        let must = if asked.needs_use() {
            "Each request must say what it is for"
        } else {
            "I may use AI for"
        };
        notes.push(format!("{must}: {}.", words::list(&uses, "and")));
    }
    let masked = asked.masked_in_answers();
    if !masked.is_empty() {
        notes.push(format!(
            "In answers, these are masked: {}.",
            words::list(&masked, "and")
        ));
    }
    if asked.by_the_clock() {
        notes.push("Some rules depend on the time of day or the day of the week; this table is for noon.".to_owned());
    }
    let marked = |row: &Vec<Cell>| {
        row.first()
            .is_some_and(|cell| block::plain(&cell.text).contains(UNFOUND))
    };
    let unfound = table.rows.iter().any(marked);
    blocks.push(Block::Table(table));
    if unfound {
        let text = "Nothing finds this yet: the rule counts, and it is up to me to keep it.";
        blocks.push(Block::paragraph(vec![Inline::Text(format!("{UNFOUND} {text}"))]));
    }
    if !notes.is_empty() {
        blocks.push(Block::paragraph(vec![Inline::Text(notes.join(" "))]));
    }
}

/// What the rules that had a say tell people to do.
fn told(asked: &Asked<'_>, blocks: &mut Vec<Block>) {
    let told = asked.told();
    if told.is_empty() {
        return;
    }
    heading("When I am stopped or reminded", blocks);
    let mut items: Vec<Inlines> = Vec::new();
    for (id, text) in told.iter().take(MOST_ITEMS) {
        let mut item = vec![Inline::code(id.as_str()), Inline::from(": ")];
        item.extend(prose::inlines(text));
        items.push(item);
    }
    let more = told.len().saturating_sub(MOST_ITEMS);
    if more > 0 {
        let rules = if more == 1 { "rule stands" } else { "rules stand" };
        items.push(vec![Inline::Text(format!("{more} more {rules} in the whole policy."))]);
    }
    blocks.push(Block::List { ordered: false, items });
}

/// What to use in place of apps that are not to be used.
fn instead(given: &Given<'_>, asked: &Asked<'_>, blocks: &mut Vec<Block>) {
    let mut pairs: Vec<(String, Vec<String>)> = Vec::new();
    for app in given
        .document
        .apps
        .iter()
        .filter(|app| asked.is_refused(app.id.as_str()))
    {
        let Some(instead) = &app.instead else { continue };
        let (name, instead) = (words::app(given, app.id.as_str()), words::app(given, instead.as_str()));
        match pairs.iter_mut().find(|(known, _)| *known == instead) {
            Some((_, apps)) => apps.push(name),
            None => pairs.push((instead, vec![name])),
        }
    }
    if pairs.is_empty() {
        return;
    }
    let sentences: Vec<String> = pairs
        .iter()
        .map(|(instead, apps)| format!("{instead} instead of {}", words::list(apps, "or")))
        .collect();
    blocks.push(Block::paragraph(vec![Inline::Text(format!(
        "Use {}.",
        words::list(&sentences, "and")
    ))]));
}

/// What is agreed for the group alone, or for everyone, as long as it holds.
fn exceptions(given: &Given<'_>, group: &str, blocks: &mut Vec<Block>) {
    let holds = |one: &&Exception| one.expires.as_ref().is_none_or(|expires| given.today <= expires.value);
    let mine = |one: &&Exception| {
        one.who.iter().any(|selector| {
            let named = |name: &Text| name.as_str() == group || name.as_str() == words::EVERYONE;
            selector.group.as_ref().is_none_or(|groups| groups.iter().any(named))
        })
    };
    let mut items: Vec<Inlines> = Vec::new();
    for one in given.document.exceptions.iter().filter(holds).filter(mine) {
        let mut item = vec![
            Inline::code(one.id.as_str()),
            Inline::from(": in place of "),
            Inline::code(one.clause.as_str()),
            Inline::from(", for "),
        ];
        item.extend(sentence::whom(given, &one.who));
        item.push(Inline::Text(format!(", {}.", closing::instead(given, one))));
        items.push(item);
    }
    if items.is_empty() {
        return;
    }
    heading("What is agreed for me for a while", blocks);
    items.truncate(MOST_ITEMS);
    blocks.push(Block::List { ordered: false, items });
}

/// Courses, and what the group has to do or show.
fn duties(given: &Given<'_>, group: &str, blocks: &mut Vec<Block>) {
    let document = given.document;
    let mut items: Vec<Inlines> = Vec::new();
    for course in &document.education.courses {
        let every = course.valid.as_ref().map_or_else(
            || "once".to_owned(),
            |valid| format!("every {}", words::days(valid.value)),
        );
        let mut item = vec![
            Inline::from("Take the course "),
            Inline::code(course.id.as_str()),
            Inline::Text(format!(" {every}")),
        ];
        for gate in document
            .education
            .gates
            .iter()
            .filter(|gate| gate.without.as_str() == course.id.as_str())
        {
            let grace = gate
                .grace
                .as_ref()
                .map(|grace| format!(" (from {} after I start)", words::days(grace.value)))
                .unwrap_or_default();
            item.push(Inline::Text(format!(
                "; without it, a request {}{grace}",
                words::fares(gate.then.value)
            )));
        }
        item.push(Inline::from("."));
        items.push(item);
    }
    let mine = |name: &Text| name.as_str() == group || name.as_str() == words::EVERYONE;
    for clause in &document.clauses {
        let Some(evidence) = clause
            .evidence
            .as_ref()
            .filter(|evidence| evidence.by.as_ref().is_some_and(mine))
        else {
            continue;
        };
        let every = evidence
            .every
            .as_ref()
            .map(|every| format!(", every {}", words::days(every.value)))
            .unwrap_or_default();
        items.push(vec![
            Inline::code(clause.id.as_str()),
            Inline::Text(format!(
                ": {} {}{every}.",
                words::capital(evidence.kind.as_str()),
                evidence.what.value
            )),
        ]);
    }
    if items.is_empty() {
        return;
    }
    heading("What I have to do", blocks);
    items.truncate(MOST_ITEMS);
    blocks.push(Block::List { ordered: false, items });
}

/// The owner of the policy and of the uses, and how to appeal.
fn whom_to_ask(given: &Given<'_>, asked: &Asked<'_>, blocks: &mut Vec<Block>) {
    let document = given.document;
    let person = |role: &str| {
        words::person(given, role).map_or_else(|| role.to_owned(), |person| format!("{role} ({})", person.value))
    };
    let mut sentences = Vec::new();
    if let Some(owner) = &document.roles.accountable {
        let deputy = document
            .roles
            .deputy
            .as_ref()
            .map(|deputy| format!(", or else {}", person(deputy.as_str())))
            .unwrap_or_default();
        sentences.push(format!("About the policy: {}{deputy}.", person(owner.as_str())));
    }
    let owners: Vec<String> = asked
        .uses()
        .iter()
        .filter_map(|one| Some(format!("{} for {}", one.owner.as_ref()?.value, one.id.value)))
        .take(MOST_ITEMS)
        .collect();
    if !owners.is_empty() {
        sentences.push(format!("About a use: {}.", words::list(&owners, "and")));
    }
    if let Some(appeal) = document
        .consequences
        .as_ref()
        .and_then(|consequences| consequences.appeal.as_ref())
    {
        sentences.push(format!(
            "A decision that seems wrong can be appealed within {}.",
            words::days(appeal.value)
        ));
    }
    if sentences.is_empty() {
        return;
    }
    heading("Whom I ask", blocks);
    blocks.push(Block::paragraph(vec![Inline::Text(sentences.join(" "))]));
}
