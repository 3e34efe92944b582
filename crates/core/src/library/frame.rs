//! The frame of every policy: its head, and for each section the prose and the tables that clauses speak of.
//!
//! One function for each section. The text is meant to be read and gone on with, so it is laid out and commented as a
//! person would. Read [`document`] first.

use std::fmt::Write as _;

use super::answers::{Appetite, ToolKind};
use super::assemble::{Plan, indented};
use super::cast::DEMO;
use super::words::{and, list, plain_or_quoted, scalar};
use crate::detect::entities::ENTITIES;
use crate::policy::document::Section;
use crate::verdict::{AppClass, Mode};

/// The whole document.
pub(super) fn document(plan: &Plan<'_>) -> String {
    let mut out = head(plan);
    for section in Section::ALL {
        let (comment, body) = match section {
            Section::Purpose => purpose(plan),
            Section::Scope => scope(plan),
            Section::Roles => roles(plan),
            Section::Applications => applications(plan),
            Section::AcceptableUse => acceptable_use(plan),
            Section::Access => access(plan),
            Section::Data => data(plan),
            Section::ShadowAi => shadow_ai(),
            Section::Transparency => transparency(),
            Section::Risk => risk(),
            Section::Compliance => compliance(plan),
            Section::Monitoring => monitoring(plan),
            Section::Education => education(),
            Section::Consequences => consequences(plan),
        };
        let _ = write!(out, "\n# {comment}\n{}:\n{body}", section.as_str());
        clauses(plan, section, &mut out);
    }
    out.push_str(&tail(plan));
    out
}

fn clauses(plan: &Plan<'_>, section: Section, out: &mut String) {
    let mut clauses = plan.of_section(section).peekable();
    if clauses.peek().is_some() {
        out.push_str("  clauses:\n");
    }
    for one in clauses {
        out.push_str(&item(&one.text, 4));
    }
}

/// A clause's text as an item of a list, so many columns in.
pub(super) fn item(text: &str, columns: usize) -> String {
    let moved = indented(text, columns + 2);
    let dash = format!("{}- ", " ".repeat(columns));
    let rest: String = moved.chars().skip(columns + 2).collect();
    format!("{dash}{rest}")
}

fn head(plan: &Plan<'_>) -> String {
    let answers = plan.answers;
    let mut out = format!(
        "# The generative-AI policy of {}: one document that people read and the gateway runs.\n",
        answers.organization
    );
    let _ = write!(
        out,
        "#\n# Made on {} from answers.yaml; from here on it is yours. Change a line at a time: `ordain check` finds what does not fit\n\
         # together, `ordain test` runs the cases in `cases/`. `ordain clause list` shows what else there is. A clause is held up by\n\
         # one of three things:\n\
         #   rule          what the gateway does when it meets something\n\
         #   enforced_by   a table of this document that the gateway runs, such as the matrix of data and apps\n\
         #   evidence      something that people have to show, at least as often as `every` says; give its date as `last: {}`\n",
        plan.today, plan.today
    );
    let _ = writeln!(
        out,
        "ordain: 1\norganization: {}",
        plain_or_quoted(&answers.organization)
    );
    let _ = writeln!(out, "version: \"1\"\ntimezone: {}", scalar(&answers.timezone));
    let _ = writeln!(out, "profiles: {}", list(plan.profiles.iter().map(String::as_str)));
    // What is overdue is counted from the approval, so this is how long one stands.
    let every = plan.value("PU-1", "days", "365 days");
    let after = format!(
        "counted from the approval (PU-1); the owner reads it all every {} (PU-4)",
        plan.value("PU-4", "days", "180 days")
    );
    let _ = writeln!(
        out,
        "review: {{every: {every}, also: [incident, law-change]}} # {after}"
    );
    match &answers.approved {
        Some(approved) => {
            let effective = approved.effective.unwrap_or(approved.on);
            let _ = writeln!(
                out,
                "approved: {{by: {}, on: {}, effective: {effective}}}",
                scalar(&approved.by),
                approved.on
            );
        }
        None => {
            let _ = writeln!(
                out,
                "# When your management has approved it, say so: approved: {{by: board, on: {}, effective: {}}}",
                plan.today, plan.today
            );
        }
    }
    out.push_str(
        "\n# How each part acts now: `observe` only records, `coach` at most tells, `enforce` acts. What is not named observes.\n\
         # `ordain impact` says what enforcing would have done; when that looks right, name a part here.\nrollout:\n  default: observe\n",
    );
    for one in &plan.adopted {
        if let Some(mode) = one.mode().filter(|&mode| mode != Mode::Observe) {
            let _ = writeln!(out, "  {}: {mode} # {}", one.clause.id, one.clause.title);
        }
    }
    out
}

type Part = (&'static str, String);

fn purpose(plan: &Plan<'_>) -> Part {
    let why = format!(
        "Let everyone at {} use generative AI well, without giving away what was entrusted to us.",
        plan.answers.organization
    );
    let body = format!(
        "  statement: {}\n  objectives: # a metric that nothing measures yet is shown as unmeasured\n    \
         - {{id: protect, statement: No restricted data leaves., metric: leaks-escaped, target: 0, owner: dpo}}\n    \
         - {{id: adopt, statement: The approved apps get used., metric: active-sanctioned-users, target: \">= 60%\", owner: cto}}\n    \
         - {{id: learn, statement: People know what they do., metric: training-current, target: \">= 90%\", owner: hr}}\n",
        plain_or_quoted(&why)
    );
    ("What you want from generative AI, and how you will know.", body)
}

fn scope(plan: &Plan<'_>) -> Part {
    let mut body = String::from(
        "  statement: This policy holds for everybody who works for us, and for the software that works in their name.\n  \
         groups: # groups of your directory; with `{claim: name}` where the directory calls it otherwise\n",
    );
    for group in &plan.cast.groups {
        let claim = group.claim.as_ref().map(|claim| format!("claim: {}", scalar(claim)));
        let does: Vec<String> = group.does.iter().map(|work| work.as_str().replace('-', " ")).collect();
        let comment = if does.is_empty() {
            String::new()
        } else {
            format!(" # {}", and(&does))
        };
        let _ = writeln!(body, "    {}: {{{}}}{comment}", group.id, claim.unwrap_or_default());
    }
    body.push_str(
        "    unmapped: block # who is in none of them\n  \
         uses: # a request may say what it is for; the ceiling is the highest data class for that use\n",
    );
    for one in &plan.cast.uses {
        let groups = if one.groups.is_empty() {
            "[everyone]".to_owned()
        } else {
            list(one.groups.iter().map(String::as_str))
        };
        let _ = writeln!(
            body,
            "    - {{id: {}, statement: {}, owner: {}, groups: {groups}, ceiling: {}, tier: {}}}",
            scalar(&one.id),
            scalar(&one.statement),
            scalar(&one.owner),
            one.ceiling.as_deref().unwrap_or("restricted"),
            one.tier
        );
    }
    body.push_str("  outside: block # a use that is not listed\n");
    ("Whom the policy is for and what AI is used for.", body)
}

fn roles(plan: &Plan<'_>) -> Part {
    let answers = plan.answers;
    let mut body = String::from(
        "  statement: Every clause, sanctioned app and use has an owner, and the policy as a whole has one with a deputy.\n  people:\n",
    );
    for role in answers.roles().into_iter().chain(answers.council()) {
        let _ = writeln!(body, "    {role}: {}", scalar(&answers.address(role)));
    }
    let (owner, deputy) = answers.owner_and_deputy().unwrap_or(("ciso", "cto"));
    let board = answers.board_of_persons();
    let _ = writeln!(body, "  owner: {{accountable: {owner}, deputy: {deputy}}}");
    let _ = writeln!(
        body,
        "  board: {{members: {}, quorum: {}}}",
        list(board.iter().copied()),
        answers.quorum_of(board.len())
    );
    body.push_str("  raci: # one role answers for a part; others do the work, are asked before, or are told after\n");
    let council = if answers.works_council {
        ", consent: [works-council]"
    } else {
        ""
    };
    for (parts, accountable, responsible, consulted, consent) in [
        ("acceptable_use, shadow_ai, risk", "ciso", "cto", "legal, hr", ""),
        ("applications, access", "cto", "ciso", "legal, dpo", ""),
        ("data", "dpo", "ciso", "legal", ""),
        ("transparency, compliance", "legal", "dpo", "ciso", ""),
        ("monitoring", "ciso", "cto", "dpo, hr", council),
        ("education, consequences", "hr", "ciso", "legal", council),
    ] {
        let _ = writeln!(
            body,
            "    - {{for: [{parts}], accountable: {accountable}, responsible: [{responsible}], consulted: [{consulted}], informed: [everyone]{consent}}}"
        );
    }
    (
        "Who answers for what. Clauses name roles; people change here alone.",
        body,
    )
}

fn applications(plan: &Plan<'_>) -> Part {
    let mut body =
        String::from("  statement: Use the sanctioned apps for work. If you need another one, ask for it.\n");
    for class in [AppClass::Sanctioned, AppClass::Tolerated, AppClass::Unsanctioned] {
        let mut apps = plan.cast.apps_of(class).peekable();
        if apps.peek().is_none() {
            continue;
        }
        let _ = writeln!(body, "  {class}:");
        for app in apps {
            let mut line = format!("    - {{app: {}", scalar(&app.app));
            let reason = app.reason.as_deref();
            match class {
                AppClass::Sanctioned => {
                    let _ = write!(line, ", owner: {}", scalar(app.owner.as_deref().unwrap_or("cto")));
                    if !app.models.is_empty() {
                        let _ = write!(line, ", models: {}", list(app.models.iter().map(String::as_str)));
                    }
                    if let Some(checked) = app.terms_checked {
                        let _ = write!(line, ", terms: {{checked: {checked}}}");
                    }
                }
                AppClass::Tolerated => {
                    let _ = write!(line, ", reason: {}", scalar(reason.unwrap_or("under assessment")));
                    let days = if plan.answers.appetite == Appetite::Careful {
                        180
                    } else {
                        365
                    };
                    if let Ok(end) = plan.today.checked_add(jiff::Span::new().days(days)) {
                        let _ = write!(line, ", expires: {{on: {end}, then: unsanctioned}}");
                    }
                }
                AppClass::Unsanctioned | AppClass::Unknown => {
                    let why = reason.unwrap_or("no agreement on the processing of our data");
                    let _ = write!(
                        line,
                        ", reason: {}, instead: {}",
                        scalar(why),
                        scalar(&plan.word("own-app"))
                    );
                }
            }
            line.push('}');
            if app.app == DEMO {
                line.push_str(" # built in, for a first run; take it out when your own apps run");
            }
            body.push_str(&line);
            body.push('\n');
        }
    }
    (
        "Which apps are fine (sanctioned), put up with (tolerated) or not wanted (unsanctioned). All others are unknown.",
        body,
    )
}

fn acceptable_use(_: &Plan<'_>) -> Part {
    let body = "  statement: Use AI as you would use an able stranger. Give it what it needs, check what it says, and answer for the result.\n  \
                outputs: {inherit: highest-input, reuse: {internal: free, external: human-review}}\n";
    (
        "What people may and may not do. `tell` is what a person reads: what happened, and the safe way on.",
        body.to_owned(),
    )
}

fn access(plan: &Plan<'_>) -> Part {
    let mut body = String::from(
        "  statement: Everyone may reach every app but the unsanctioned ones. What may go to it depends on the data in it and on what we think of the app.\n  grants:\n    \
         - {id: GR-1, groups: [everyone], apps: {class: sanctioned}}\n    \
         - {id: GR-2, groups: [everyone], apps: {class: tolerated}}\n    \
         - {id: GR-3, groups: [everyone], apps: {class: unknown}} # left to the matrix below\n",
    );
    // Without a clause that says so in words, the table would act in nobody's name.
    let spoken_of = plan
        .adopted
        .iter()
        .any(|one| one.text.contains("enforced_by: access.tools"));
    if spoken_of && !plan.answers.tools.is_empty() {
        body.push_str(
            "  tools: # what a model may call; a call of anything else is refused\n    unlisted: block\n    list:\n",
        );
        for tool in &plan.answers.tools {
            let mut line = format!("      - {{tool: {}, kind: {}", scalar(&tool.tool), tool.kind);
            if !tool.groups.is_empty() {
                let _ = write!(line, ", groups: {}", list(tool.groups.iter().map(String::as_str)));
            }
            match tool.then {
                Some(then) => {
                    let _ = write!(line, ", then: {then}");
                }
                None if tool.kind == ToolKind::Irreversible => line.push_str(", then: hold"),
                None => {}
            }
            body.push_str(&line);
            body.push_str("}\n");
        }
    }
    (
        "Who may reach which apps at all. What no line grants is refused; a line never loosens anything else.",
        body,
    )
}

/// The classes of what every organisation has.
const ENTITY_CLASSES: [(&str, &str); 16] = [
    ("email-address", "internal"),
    ("person-name", "internal"),
    ("phone-number", "internal"),
    ("postal-address", "internal"),
    ("source-code", "internal"),
    ("medical-term", "internal"),
    ("internal-marking", "confidential"),
    ("salary", "confidential"),
    ("customer-record", "confidential"),
    ("payment-card", "restricted"),
    ("iban", "restricted"),
    ("us-ssn", "restricted"),
    ("national-id", "restricted"),
    ("passport-number", "restricted"),
    ("health-record", "restricted"),
    ("secret", "restricted"),
];

/// The class of an entity that is held beside those; anything else is confidential.
fn class_of_held(entity: &str) -> &'static str {
    match entity {
        "date-of-birth" | "ip-address" => "internal",
        "legal-privilege" | "government-id" => "restricted",
        _ => "confidential",
    }
}

fn data(plan: &Plan<'_>) -> Part {
    let answers = plan.answers;
    let mut body = String::from(
        "  statement: The more sensitive the data, the fewer apps may have it. What an app does not need is masked.\n  \
         classes: [public, internal, confidential, restricted]\n  default: internal\n  \
         entities: # what detectors find, and its class; `secret` is a family: keys and credentials of all kinds\n",
    );
    for (entity, class) in entity_classes(plan) {
        let _ = writeln!(body, "    {entity}: {class}");
    }
    body.push_str(
        "  keywords: # your own words, found whatever their case\n    internal-marking: [strictly confidential, internal use only]\n",
    );
    for own in &answers.keywords {
        let _ = writeln!(
            body,
            "    {}: {}",
            own.entity,
            list(own.words.iter().map(String::as_str))
        );
    }
    let unknown = if answers.appetite == Appetite::Careful {
        "block"
    } else {
        "coach"
    };
    let restricted = if plan.is_regulated() { "block" } else { "redact" };
    let _ = write!(
        body,
        "  escalate:\n    \
         - {{entity: email-address, at_least: 20, to: confidential}} # so many different addresses are a list of customers\n    \
         - {{all: [person-name, medical-term], to: restricted}} # a name beside an illness is a patient\n  \
         matrix: # prompts: data class, then app class\n    \
         public:       {{sanctioned: allow,  tolerated: allow, unknown: {unknown}, unsanctioned: block}}\n    \
         internal:     {{sanctioned: allow,  tolerated: coach, unknown: block, unsanctioned: block}}\n    \
         confidential: {{sanctioned: redact, tolerated: block, unknown: block, unsanctioned: block}}\n    \
         restricted:   {{sanctioned: {restricted:<6}, tolerated: block, unknown: block, unsanctioned: block}}\n  \
         answers: {{confidential: redact, restricted: redact}} # what comes back; classes that are not named pass\n",
    );
    let content = plan.value("DA-5", "content-days", "30 days");
    let records = plan.value("DA-5", "record-days", "400 days");
    let _ = write!(
        body,
        "  retention: {{content: {content}, records: {records}}}\n  \
         uninspectable: block # images, audio and whatever else cannot be read as text\n  \
         unavailable: block # a detector did not run\n",
    );
    (
        "What is sensitive, and where it may go. A text has the highest class of what is found in it, and the default if nothing is.",
        body,
    )
}

/// Every entity of the policy with its class: the usual ones, those held beside them, and the organisation's own words.
pub(super) fn entity_classes<'p>(plan: &'p Plan<'_>) -> Vec<(&'p str, &'p str)> {
    let answers = plan.answers;
    let medical = answers.data.iter().any(|held| MEDICAL.contains(&held.as_str()));
    let usual = ENTITY_CLASSES.into_iter().map(|(entity, class)| match entity {
        // A term alone says nothing about anybody, unless whoever holds it treats people.
        "medical-term" if medical => (entity, "confidential"),
        _ => (entity, class),
    });
    let held = answers.data.iter().map(String::as_str).filter(|held| is_new(held));
    let own = answers
        .keywords
        .iter()
        .map(|own| (own.entity.as_str(), own.class.as_str()));
    usual
        .chain(held.map(|entity| (entity, class_of_held(entity))))
        .chain(own)
        .collect()
}

/// The entities that are found by words which the policy lists.
pub(super) fn own_words<'p>(plan: &'p Plan<'_>) -> impl Iterator<Item = &'p str> {
    let own = plan.answers.keywords.iter().map(|own| own.entity.as_str());
    std::iter::once("internal-marking").chain(own)
}

/// What those who treat people hold; every policy names it, with a milder class for terms.
pub(super) const MEDICAL: [&str; 2] = ["health-record", "medical-term"];

/// Whether an entity is held beside those that every policy names.
pub(super) fn is_new(entity: &str) -> bool {
    let named = ENTITY_CLASSES.iter().any(|(known, _)| *known == entity);
    let in_family = ENTITIES
        .iter()
        .any(|known| known.id == entity && known.family == Some("secret"));
    !named && !in_family
}

fn shadow_ai() -> Part {
    let body = "  statement: People look for AI apps that help them. We want to know which they found, and to offer a good one.\n";
    ("AI that is used without anybody having agreed to it.", body.to_owned())
}

fn transparency() -> Part {
    let body = "  statement: People know when they deal with AI and when something was made by it.\n";
    ("What others are told about our use of AI.", body.to_owned())
}

fn risk() -> Part {
    let body = "  statement: We weigh what could go wrong before we rely on AI, and try it out.\n";
    ("What could go wrong, and who has thought about it.", body.to_owned())
}

fn compliance(plan: &Plan<'_>) -> Part {
    let bound: Vec<String> = plan.answers.bound_by().map(|row| row.name.to_owned()).collect();
    let statement = if bound.is_empty() {
        "We know which laws, contracts and standards bind our use of AI, and which clause serves each.".to_owned()
    } else {
        format!(
            "Beside our contracts, {} {} our use of AI. We know which clause serves which duty.",
            and(&bound),
            if bound.len() == 1 { "binds" } else { "bind" }
        )
    };
    let mut body = format!("  statement: {}\n", plain_or_quoted(&statement));
    for row in plan.answers.bound_by() {
        let _ = writeln!(body, "  # {}: {}.", row.name.trim_start_matches("the "), row.duty);
    }
    (
        "Which laws and standards bind us; `frameworks` beside the clauses says which item each of them serves.",
        body,
    )
}

fn monitoring(plan: &Plan<'_>) -> Part {
    let statement = if plan.answers.works_council {
        "We record what was decided and why. Records name people by pseudonyms, and nothing is recorded, or changes here, without the works council's consent."
    } else {
        "We record what was decided and why. Records name people by pseudonyms."
    };
    (
        "What is recorded and who looks at it.",
        format!("  statement: {statement}\n"),
    )
}

fn education() -> Part {
    let body = "  statement: Everyone who uses AI has learned what it can do, where it errs and what this policy asks.\n  \
                courses: # completed courses are read from a file beside the policy: `ordain training import` fills it\n    \
                ai-basics: {valid: 365 days, records: training.csv}\n    \
                secure-genai-development: {valid: 365 days, records: training.csv}\n    \
                output-review: {valid: 365 days, records: training.csv}\n  \
                gates: # what happens without a course, after a time of grace for newcomers\n    \
                - {id: GA-1, without: ai-basics, grace: 30 days, then: coach, tell: Please take the basic AI course. Until then you are reminded here.}\n";
    ("What people need to know.", body.to_owned())
}

fn consequences(plan: &Plan<'_>) -> Part {
    let appeal = plan.value("CN-5", "days", "14 days");
    let body = format!(
        "  statement: Mistakes are for learning. Only people decide on consequences, never the gateway.\n  \
         ladder: [coach, micro-course, manager, suspend-48h, hr-review] # from the mildest step on\n  \
         window: 90 days # how long a breach counts\n  \
         start: {{mistake: coach, repeat: micro-course, evasion: manager}}\n  \
         two_people_from: manager # from this step on, two people decide\n  \
         appeal: {appeal}\n"
    );
    ("What follows from a breach.", body)
}

fn tail(plan: &Plan<'_>) -> String {
    let fixed = plan.adopted.iter().filter(|one| one.clause.never_excepted);
    let fixed = list(fixed.map(|one| one.clause.id.as_str()));
    format!(
        "\n# Departures from a clause, each with a reason, an approval and an end, go under `exceptions`. These clauses allow none.\nnever_excepted: {fixed}\n"
    )
}
