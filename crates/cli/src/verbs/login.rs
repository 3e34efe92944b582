//! `ordain login`, `ordain logout` and `ordain token`: a person at a terminal, signed in at their organisation's issuer.

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use ordain_server::config::USUAL_SCOPES;
use ordain_server::login::session::Place;
use ordain_server::login::{self, Begun, Session, Wanted};
use serde_json::json;

use super::Format;
use crate::exit::{Answer, print};

/// Sign in, to call a gateway as yourself
#[derive(Debug, Args)]
#[command(
    after_help = "Without options the sign-in before is repeated, as when a gateway asks for a recent one. `ordain token` prints what a \
                  client sends in place of a key: OPENAI_API_KEY=$(ordain token)."
)]
pub(crate) struct Login {
    /// Gateway that says how to sign in for it
    #[arg(long, value_name = "URL", conflicts_with_all = ["issuer", "client_id", "audience", "scope"])]
    gateway: Option<String>,
    /// Issuer to sign in at
    #[arg(long, value_name = "URL", requires = "client_id")]
    issuer: Option<String>,
    /// Id of this program there
    #[arg(long, value_name = "ID", requires = "issuer")]
    client_id: Option<String>,
    /// For whom the token is to be, as the gateway's `issuers` name it
    #[arg(long, value_name = "NAME", requires = "issuer")]
    audience: Option<String>,
    /// What to ask for; `openid` and `offline_access` if not given
    #[arg(long, value_name = "SCOPE", requires = "issuer")]
    scope: Vec<String>,
    /// Only say whether somebody is signed in; answers 1 if not
    #[arg(long, conflicts_with_all = ["gateway", "issuer"])]
    status: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Forget the sign-in, and tell the issuer
#[derive(Debug, Args)]
pub(crate) struct Logout {}

/// Print a token that is good now, renewed if need be; answers 1 if somebody has to sign in
#[derive(Debug, Args)]
pub(crate) struct Token {}

/// What to do when nobody is signed in.
const SIGN_IN: &str = "nobody is signed in; `ordain login --gateway URL` signs you in";

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("the program could not be set up")
}

impl Login {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let place = Place::usual()?;
        if self.status {
            return self.status(&place);
        }
        runtime()?.block_on(async {
            let wanted = self.wanted(&place).await?;
            let begun = login::begin(&wanted).await.context("the sign-in could not begin")?;
            self.show(&begun)?;
            let session = login::finish(&wanted, &begun).await.context("nobody is signed in")?;
            place.write(&place.hold()?, &session)?;
            self.done(&session)?;
            Ok(Answer::Yes)
        })
    }

    async fn wanted(&self, place: &Place) -> anyhow::Result<Wanted> {
        if let Some(gateway) = &self.gateway {
            return login::ask_gateway(gateway)
                .await
                .context("the gateway could not be asked");
        }
        if let (Some(issuer), Some(client_id)) = (&self.issuer, &self.client_id) {
            return Ok(Wanted {
                issuer: issuer.clone(),
                client_id: client_id.clone(),
                audience: self.audience.clone(),
                scopes: if self.scope.is_empty() {
                    USUAL_SCOPES.map(str::to_owned).to_vec()
                } else {
                    self.scope.clone()
                },
            });
        }
        place.read()?.map(|session| session.wanted).context(SIGN_IN)
    }

    fn show(&self, begun: &Begun) -> anyhow::Result<()> {
        match self.format {
            Format::Json => print(json!({
                "address": begun.address,
                "complete": begun.complete,
                "code": begun.code,
                "seconds": begun.lasts.as_secs(),
            })),
            Format::Text => {
                print(format_args!("Open {} and enter the code {}", begun.address, begun.code))?;
                if let Some(complete) = &begun.complete {
                    print(format_args!("or open {complete}"))?;
                }
                print(format_args!(
                    "Waiting, for {} minutes at most …",
                    begun.lasts.as_secs().div_ceil(60)
                ))
            }
        }
    }

    fn done(&self, session: &Session) -> anyhow::Result<()> {
        match self.format {
            Format::Json => print(status(Some(session))),
            Format::Text => print(format_args!(
                "Signed in at {}. Clients call with OPENAI_API_KEY=$(ordain token)",
                session.wanted.issuer
            )),
        }
    }

    fn status(&self, place: &Place) -> anyhow::Result<Answer> {
        let session = place.read()?;
        match (self.format, &session) {
            (Format::Json, session) => print(status(session.as_ref()))?,
            (Format::Text, None) => print(SIGN_IN)?,
            (Format::Text, Some(session)) => {
                print(format_args!(
                    "Signed in at {} as client {}",
                    session.wanted.issuer, session.wanted.client_id
                ))?;
                if let Some(expires) = session.expires {
                    let local = expires.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M UTC");
                    print(format_args!("  token      until {local}"))?;
                }
                let renewal = if session.refresh_token.is_some() {
                    "by itself"
                } else {
                    "only by signing in again"
                };
                print(format_args!("  renewed    {renewal}"))?;
            }
        }
        Ok(is_usable(session.as_ref()).into())
    }
}

/// Whether a token can be had without anybody signing in, as far as is known here.
fn is_usable(session: Option<&Session>) -> bool {
    session.is_some_and(|session| {
        session.refresh_token.is_some() || session.expires.is_none_or(|expires| Timestamp::now() < expires)
    })
}

fn status(session: Option<&Session>) -> serde_json::Value {
    json!({
        "signed_in": is_usable(session),
        "issuer": session.map(|session| &session.wanted.issuer),
        "client_id": session.map(|session| &session.wanted.client_id),
        "expires": session.and_then(|session| session.expires).map(|expires| expires.to_string()),
        "renewable": session.is_some_and(|session| session.refresh_token.is_some()),
    })
}

impl Logout {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let place = Place::usual()?;
        let held = place.hold()?;
        // What cannot be read is removed all the same.
        let session = place.read();
        if !place.remove(&held)? {
            print("nobody was signed in")?;
            return Ok(Answer::Yes);
        }
        let revoked = match &session {
            Ok(Some(session)) => runtime()?.block_on(login::revoke(session)),
            Ok(None) | Err(_) => Ok(false),
        };
        match revoked {
            Ok(true) => print("signed out, and the issuer knows")?,
            Ok(false) => print(
                "signed out here; the issuer has not been told, and a copy of the token stays good until it runs out",
            )?,
            Err(error) => print(format_args!(
                "signed out here; the issuer could not be told ({error}), and a copy of the token stays good until it runs out"
            ))?,
        }
        Ok(Answer::Yes)
    }
}

impl Token {
    pub(crate) fn run(self) -> anyhow::Result<Answer> {
        let place = Place::usual()?;
        let held = place.hold()?;
        let Some(session) = place.read()? else {
            eprintln!("{SIGN_IN}");
            return Ok(Answer::No);
        };
        let renewed = runtime()?.block_on(login::renewed(&session, Timestamp::now()));
        let Some(renewed) = renewed.context("the token could not be renewed")? else {
            eprintln!("the sign-in has run out; `ordain login` signs you in again");
            return Ok(Answer::No);
        };
        if renewed != session {
            place.write(&held, &renewed)?;
        }
        print(renewed.access_token.expose())?;
        Ok(Answer::Yes)
    }
}
