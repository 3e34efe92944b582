//! `ordain clause`: what the library has, and one clause more in a policy that is there.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use comfy_table::{Table, presets};
use jiff::Timestamp;
use ordain_core::catalog::Catalog;
use ordain_core::library::Library;
use ordain_core::library::answers::Answers;
use ordain_core::library::clause::{Clause as Template, HeldBy};
use ordain_core::library::insert::{Wish, insert};
use ordain_core::policy::document::Section;
use ordain_server::{policy_files, setup};
use serde_json::{Value, json};

use super::PolicyDir;
use super::{Format, init};
use crate::exit::{Answer, print};
use crate::policy;

/// Look at the library of clauses, and adopt from it
#[derive(Debug, Subcommand)]
pub(crate) enum Clause {
    /// List the clauses of the library
    List(List),
    /// Show one clause: what it says, what it asks, what can be set
    Show(Show),
    /// Put a clause into a policy
    Add(Add),
}

/// List the clauses of the library
#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of a section, such as acceptable_use
    #[arg(long, value_name = "SECTION", value_parser = section)]
    section: Option<Section>,
    /// Only those that a profile requires or recommends
    #[arg(long, value_name = "NAME", value_parser = profile)]
    profile: Option<String>,
    /// Only those that the policy in this folder does not have
    #[arg(long, value_name = "DIR")]
    missing: Option<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Show one clause: what it says, what it asks, what can be set
#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Its id, such as AU-7
    #[arg(value_name = "ID")]
    id: String,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Put a clause into a policy
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Its id, such as AU-7
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    dir: PolicyDir,
    /// Value of a parameter, or what a word such as `developers` stands for; may be repeated
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
}

fn section(text: &str) -> Result<Section, String> {
    let wanted = text.replace('-', "_");
    Section::ALL
        .into_iter()
        .find(|section| section.as_str() == wanted)
        .ok_or_else(|| {
            let names = Section::ALL.map(Section::as_str);
            format!("one of {}", names.join(", "))
        })
}

fn profile(text: &str) -> Result<String, String> {
    let library = Library::built_in();
    if library.profile(text).is_some() {
        return Ok(text.to_owned());
    }
    let names: Vec<&str> = library.profiles.iter().map(|profile| profile.id.as_str()).collect();
    Err(format!("one of {}", names.join(", ")))
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, such as days=90 days")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

impl Clause {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        match self {
            Self::List(verb) => verb.run(),
            Self::Show(verb) => verb.run(),
            Self::Add(verb) => verb.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<Answer> {
        use ordain_core::library::clause::Standing;
        let adopted = self.adopted()?;
        let wanted = |clause: &&Template| {
            let there =
                |profile: &String| matches!(clause.standing_in(profile), Standing::Required | Standing::Recommended);
            self.section.is_none_or(|section| clause.section == section)
                && self.profile.as_ref().is_none_or(there)
                && !adopted.contains(&clause.id)
        };
        let library = Library::built_in();
        let clauses: Vec<&Template> = library.clauses.iter().filter(wanted).collect();
        match self.format {
            Format::Text => {
                let mut table = Table::new();
                table
                    .load_style(presets::NOTHING)
                    .set_header(["ID", "SECTION", "HELD BY", "WHERE", "TITLE"]);
                for clause in &clauses {
                    let place = match &self.profile {
                        Some(profile) => clause.standing_in(profile).to_string(),
                        None => usual(clause),
                    };
                    table.add_row([
                        clause.id.clone(),
                        clause.section.as_str().to_owned(),
                        held(clause.held_by).to_owned(),
                        place,
                        clause.title.clone(),
                    ]);
                }
                print(table)?;
                print(format_args!(
                    "{} clauses; `ordain clause show ID` tells more",
                    clauses.len()
                ))?;
            }
            Format::Json => {
                let clauses: Vec<Value> = clauses.into_iter().map(as_json).collect();
                print(serde_json::to_string_pretty(&json!({"v": 1, "clauses": clauses}))?)?;
            }
        }
        Ok(Answer::Yes)
    }

    /// The ids of the clauses of the policy whose missing clauses are asked for.
    fn adopted(&self) -> anyhow::Result<BTreeSet<String>> {
        let Some(dir) = &self.missing else {
            return Ok(BTreeSet::new());
        };
        let (_, loaded, _) = policy::read(dir)?.usable()?;
        let document = loaded.document.iter();
        Ok(document
            .flat_map(|document| &document.clauses)
            .map(|clause| clause.id.value.clone())
            .collect())
    }
}

/// In how many profiles a clause is required or recommended.
fn usual(clause: &Template) -> String {
    use ordain_core::library::clause::Standing;
    let count = |wanted| {
        clause
            .standing
            .iter()
            .filter(|&&(_, standing)| standing == wanted)
            .count()
    };
    match (count(Standing::Required), count(Standing::Recommended)) {
        (required, _) if required == Library::built_in().profiles.len() => "required".to_owned(),
        (0, 0) => "on request".to_owned(),
        (0, _) => "recommended".to_owned(),
        (some, _) => format!("required by {some}"),
    }
}

const fn held(held_by: HeldBy) -> &'static str {
    match held_by {
        HeldBy::Rule => "rule",
        HeldBy::Table => "table",
        HeldBy::Evidence => "evidence",
    }
}

fn as_json(clause: &Template) -> Value {
    let pairs = |pairs: Vec<(String, Value)>| Value::Object(pairs.into_iter().collect());
    let parameters: Vec<Value> = clause
        .parameters
        .iter()
        .map(|one| json!({"name": one.name, "kind": one.kind, "default": one.default, "about": one.about}))
        .collect();
    json!({
        "id": clause.id, "section": clause.section.as_str(), "title": clause.title, "about": clause.about,
        "held_by": clause.held_by, "mode": clause.mode, "needs": clause.needs, "never_excepted": clause.never_excepted,
        "profiles": pairs(clause.standing.iter().map(|(profile, standing)| (profile.clone(), json!(standing))).collect()),
        "parameters": parameters, "text": clause.text, "cases": clause.cases.len(),
    })
}

impl Show {
    fn run(self) -> anyhow::Result<Answer> {
        let library = Library::built_in();
        let Some(clause) = library.clause(&self.id) else {
            anyhow::bail!(
                "the library has no clause `{}`\n  = help: `ordain clause list` shows which there are",
                self.id
            );
        };
        if let Format::Json = self.format {
            let mut value = as_json(clause);
            value["v"] = json!(1);
            print(serde_json::to_string_pretty(&value)?)?;
            return Ok(Answer::Yes);
        }
        print(format_args!("{clause}\n\n{}\n", clause.about))?;
        print(format_args!("section     {}", clause.section.as_str()))?;
        print(format_args!("held by     {}", held(clause.held_by)))?;
        if let Some(mode) = clause.mode {
            print(format_args!("mode        {mode}, at first"))?;
        }
        if !clause.needs.is_empty() {
            print(format_args!("needs       {}", clause.needs.join(", ")))?;
        }
        let standing: Vec<String> = clause
            .standing
            .iter()
            .map(|(profile, standing)| format!("{profile}: {standing}"))
            .collect();
        print(format_args!("profiles    {}", standing.join(", ")))?;
        for one in &clause.parameters {
            print(format_args!(
                "parameter   {} ({}), {} unless set. {}",
                one.name, one.kind, one.default, one.about
            ))?;
        }
        print(format_args!("cases       {}\n", clause.cases.len()))?;
        for line in clause.text.lines() {
            print(format_args!("  {line}"))?;
        }
        print(format_args!(
            "\n`ordain clause add {} DIR` puts it into a policy.",
            clause.id
        ))?;
        Ok(Answer::Yes)
    }
}

impl Add {
    fn run(self) -> anyhow::Result<Answer> {
        let folder = policy_files::find(self.dir.path())?;
        let files = policy_files::read(&folder)?;
        let catalog = Catalog::built_in();
        let library = Library::built_in();
        let kept = [self.dir.path().join("answers.yaml"), folder.join("../answers.yaml")];
        let answers = match kept.iter().find(|path| path.is_file()) {
            Some(path) => Some(Answers::parse(&setup::read(path)?, library, &catalog).0),
            None => None,
        };
        let wish = Wish {
            id: &self.id,
            set: &self.set,
            answers: answers.as_ref(),
        };
        let added = insert(library, &files, wish, &catalog, Timestamp::now())?;
        for file in &added.files {
            let path = folder.join(&file.path);
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent)?;
            }
            match files.find(&file.path) {
                Some((_, known)) => policy::replace(&path, &known.text, &file.text)?,
                None => init::put(&path, &file.text)?,
            }
        }
        for said in &added.said {
            print(said)?;
        }
        Ok(Answer::from(init::verify(self.dir.path())?))
    }
}
