//! `ordain serve`: the gateway on a folder that is there, for services and containers.

use std::path::PathBuf;

use clap::Args;
use ordain_server::break_glass;
use ordain_server::config;
use ordain_server::setup::Folder;
use ordain_server::version::{Given, Version};
use serde_json::json;

use super::running::{self, Running};
use super::{Format, assurance, typed};
use crate::exit::{Answer, print};

/// Run the gateway on a folder that `up` or `init` made
#[derive(Debug, Args)]
#[command(
    after_help = "A changed policy, directory or configuration is taken into force at once, whole or not at all; SIGHUP reads them again. \
                  SIGTERM and SIGINT let running exchanges end first. Logs are JSON lines on standard error; ORDAIN_LOG=info tells more."
)]
pub(crate) struct Serve {
    /// Folder with the policy, the store and the keys
    #[arg(long, default_value = "ordain", value_name = "DIR")]
    dir: PathBuf,
    /// Address to listen on in place of the configuration's
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Only say whether everything can be used; answers 1 if not
    #[arg(long)]
    check: bool,
    /// Only print the JSON Schema of `ordain.yaml`
    #[arg(long)]
    schema: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What the policy of a version cannot do on the routes that it has.
fn assured(version: Version) -> assurance::Found {
    let spoken = version
        .config
        .upstreams
        .iter()
        .map(|upstream| upstream.dialect)
        .collect();
    assurance::Found::of(version.policy, spoken)
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        if self.schema {
            print(serde_json::to_string_pretty(&config::schema::schema())?)?;
            return Ok(Answer::Yes);
        }
        let folder = Folder::new(&self.dir);
        let dir = folder.path().display();
        anyhow::ensure!(
            folder.is_made(),
            "there is no gateway in `{dir}`; `ordain up --dir {dir}` makes one, `ordain init {dir}` one with a policy of your own"
        );
        let given = Given {
            listen: self.listen.clone(),
            upstreams: Vec::new(),
        };
        let version = Version::read(&folder, &given);
        if self.check {
            return self.report(version, &folder);
        }
        running::prepare();
        let running = Running::start(&folder, given, version?)?;
        match self.format {
            Format::Json => print(json!({
                "gateway": running.url(),
                "metrics": running.metrics_url(),
                "pid": std::process::id(),
            }))?,
            Format::Text => {
                print(format_args!("Ordain listens on {}", running.url()))?;
                print(format_args!("  policy     {}", running.policy))?;
                if let Some(metrics) = running.metrics_url() {
                    print(format_args!("  metrics    {metrics}"))?;
                }
                if let Some(assurance) = running.assurance() {
                    print(format_args!(
                        "  assurance  {assurance}; `ordain assurance {}` says which",
                        typed(&self.dir)
                    ))?;
                }
                if running.recovered > 0 {
                    print(format_args!(
                        "  recovered  {} exchanges that an earlier run left open are closed as `unknown`",
                        running.recovered
                    ))?;
                }
            }
        }
        running.until_signal()
    }

    /// Says whether a version can be used.
    fn report(
        &self,
        version: Result<Version, ordain_server::version::VersionError>,
        folder: &Folder,
    ) -> anyhow::Result<Answer> {
        let notes = version.as_ref().map_or_else(
            |_| Vec::new(),
            |version| break_glass::notes(&version.policy, version.config.break_glass.as_ref(), folder),
        );
        match (version, self.format) {
            (Ok(version), Format::Text) => {
                let policy = &version.policy;
                print(format_args!(
                    "policy {} version {} ({}), {} upstreams: can be used",
                    policy.organization,
                    policy.version,
                    policy.digest,
                    version.config.upstreams.len()
                ))?;
                for note in notes {
                    print(format_args!("note: {note}"))?;
                }
                print(assured(version).text().trim_end())?;
                Ok(Answer::Yes)
            }
            (Ok(version), Format::Json) => {
                let digest = version.policy.digest.to_string();
                let mut said = json!({"usable": true, "policy": digest, "assurance": assured(version).json()});
                if let Some(members) = said.as_object_mut().filter(|_| !notes.is_empty()) {
                    members.insert("notes".to_owned(), notes.into());
                }
                print(said)?;
                Ok(Answer::Yes)
            }
            (Err(error), Format::Text) => {
                print(&error)?;
                Ok(Answer::No)
            }
            (Err(error), Format::Json) => {
                print(json!({"usable": false, "reason": error.to_string()}))?;
                Ok(Answer::No)
            }
        }
    }
}
