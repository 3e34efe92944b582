//! Signing in at an OpenID Connect issuer from a terminal: the device authorization grant (RFC 8628).
//!
//! A person opens an address on any device and enters a code there; this program asks until they have. What it gets is kept in
//! a file that only they can read ([`session`]), and renewed when it has run out. The steps are few enough to be plain
//! requests (`http`). Read [`begin`] first.

mod http;
pub mod session;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use thiserror::Error;
use tokio::time::{Instant, sleep};

use http::Http;
pub use http::{HttpError, is_safe_address};
pub use session::Session;

/// Why somebody could not be signed in.
#[derive(Debug, Error)]
pub enum LoginError {
    /// A request failed.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// What the issuer, or the gateway, says of itself cannot be used.
    #[error("what `{who}` says of itself cannot be used: {what}")]
    Unusable {
        /// Who.
        who: String,
        /// What is wrong.
        what: &'static str,
    },
    /// The issuer refuses, by its own word (RFC 6749, section 5.2).
    #[error("the issuer refuses: {0}")]
    Refused(String),
    /// Nobody entered the code in time.
    #[error("the code has run out before it was entered: begin again")]
    Expired,
    /// Whoever was asked said no.
    #[error("the sign-in was denied")]
    Denied,
}

/// With whom to sign in, and for what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The issuer's address, as `iss` has it.
    pub issuer: String,
    /// The id of this program there; a public client, which has no secret.
    pub client_id: String,
    /// For whom the token is to be, if the issuer has to be told.
    pub audience: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
}

/// What a person needs to know, and what is asked about from then on.
#[derive(Debug)]
pub struct Begun {
    /// The address to open.
    pub address: String,
    /// The same with the code in it, where the issuer has such a thing.
    pub complete: Option<String>,
    /// What to enter there.
    pub code: String,
    /// For how long the code can be entered.
    pub lasts: Duration,
    device_code: String,
    interval: Duration,
}

/// The endpoints of an issuer.
#[derive(Debug)]
struct Endpoints {
    device: Option<String>,
    token: String,
    revocation: Option<String>,
}

/// What a person is given for entering the code, at most.
const LONGEST: Duration = Duration::from_secs(1800);

/// Without a word of the issuer (RFC 8628, section 3.2).
const USUAL_INTERVAL: Duration = Duration::from_secs(5);

/// How much longer to wait where the issuer says `slow_down` (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// A token that has less left than this is renewed before it is used.
const ALMOST_OUT: SignedDuration = SignedDuration::from_secs(60);

/// What a gateway says of how to sign in for it.
///
/// # Errors
///
/// [`LoginError`]; also if it says nothing.
pub async fn ask_gateway(gateway: &str) -> Result<Wanted, LoginError> {
    let address = format!("{}{}", gateway.trim_end_matches('/'), WELL_KNOWN);
    let said = Http::new()?.get(&address).await?;
    let unusable = |what| LoginError::Unusable {
        who: gateway.to_owned(),
        what,
    };
    if said.status != 200 {
        return Err(unusable(
            "it does not say how to sign in: give `--issuer` and `--client-id`",
        ));
    }
    let text = |name: &str| said.text(name).map(str::to_owned);
    Ok(Wanted {
        issuer: text("issuer").ok_or_else(|| unusable("no `issuer`"))?,
        client_id: text("client_id").ok_or_else(|| unusable("no `client_id`"))?,
        audience: text("audience"),
        scopes: said.texts("scopes"),
    })
}

/// Where a gateway says how to sign in for it.
pub const WELL_KNOWN: &str = "/.well-known/ordain-login";

/// Asks an issuer for a code.
///
/// # Errors
///
/// [`LoginError`].
pub async fn begin(wanted: &Wanted) -> Result<Begun, LoginError> {
    let http = Http::new()?;
    let unusable = |what| LoginError::Unusable {
        who: wanted.issuer.clone(),
        what,
    };
    let endpoints = discover(&http, &wanted.issuer).await?;
    let device = endpoints.device;
    let device = device.ok_or_else(|| {
        unusable("it has no `device_authorization_endpoint`: sign-in from a terminal is not enabled there")
    })?;
    let scopes = wanted.scopes.join(" ");
    let mut form = vec![("client_id", wanted.client_id.as_str()), ("scope", scopes.as_str())];
    form.extend(audience(wanted.audience.as_deref()));
    let said = http.post(&device, &form).await?;
    if said.status != 200 {
        return Err(said.refusal());
    }
    let shown = |name: &str| said.text(name).filter(|text| is_plain(text)).map(str::to_owned);
    let safe = |name: &str| shown(name).filter(|address| is_safe_address(address));
    let seconds = |name: &str| said.number(name).map(Duration::from_secs);
    Ok(Begun {
        address: safe("verification_uri").ok_or_else(|| unusable("no `verification_uri` that can be opened"))?,
        complete: safe("verification_uri_complete"),
        code: shown("user_code").ok_or_else(|| unusable("no `user_code`"))?,
        lasts: seconds("expires_in").unwrap_or(LONGEST).min(LONGEST),
        device_code: said
            .text("device_code")
            .ok_or_else(|| unusable("no `device_code`"))?
            .to_owned(),
        interval: seconds("interval")
            .unwrap_or(USUAL_INTERVAL)
            .clamp(Duration::from_secs(1), Duration::from_secs(60)),
    })
}

/// Asks until the code was entered, at the issuer's pace.
///
/// # Errors
///
/// [`LoginError`]. A connection that fails is tried again until the code has run out, more and more seldom.
pub async fn finish(wanted: &Wanted, begun: &Begun) -> Result<Session, LoginError> {
    let http = Http::new()?;
    let token = discover(&http, &wanted.issuer).await?.token;
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", begun.device_code.as_str()),
        ("client_id", wanted.client_id.as_str()),
    ];
    let until = Instant::now() + begun.lasts;
    let mut interval = begun.interval;
    loop {
        if Instant::now() + interval > until {
            return Err(LoginError::Expired);
        }
        sleep(interval).await;
        let said = match http.post(&token, &form).await {
            Ok(said) => said,
            Err(HttpError::Connection(_) | HttpError::Slow) => {
                interval = interval.saturating_mul(2);
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        match said.text("error") {
            None if said.status == 200 => return session(wanted, &said.body, None),
            Some("authorization_pending") => {}
            Some("slow_down") => interval += SLOWER,
            Some("expired_token") => return Err(LoginError::Expired),
            Some("access_denied") => return Err(LoginError::Denied),
            _ => return Err(said.refusal()),
        }
    }
}

/// The session with a token that is good for at least another minute: itself, or renewed (RFC 6749, section 6). `None` if it
/// has run out and cannot be renewed, so that somebody has to sign in again.
///
/// # Errors
///
/// [`LoginError`] if the issuer cannot be asked.
pub async fn renewed(session: &Session, now: Timestamp) -> Result<Option<Session>, LoginError> {
    if session.expires.is_none_or(|expires| now + ALMOST_OUT < expires) {
        return Ok(Some(session.clone()));
    }
    let Some(refresh) = &session.refresh_token else {
        return Ok(None);
    };
    let http = Http::new()?;
    let token = discover(&http, &session.wanted.issuer).await?.token;
    let mut form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.expose()),
        ("client_id", session.wanted.client_id.as_str()),
    ];
    form.extend(audience(session.wanted.audience.as_deref()));
    let said = http.post(&token, &form).await?;
    match said.text("error") {
        None if said.status == 200 => self::session(&session.wanted, &said.body, Some(session)).map(Some),
        Some("invalid_grant") => Ok(None),
        _ => Err(said.refusal()),
    }
}

/// Tells the issuer that a session is over (RFC 7009). False if it has no way to be told.
///
/// # Errors
///
/// [`LoginError`] if it cannot be asked, or refuses.
pub async fn revoke(session: &Session) -> Result<bool, LoginError> {
    let http = Http::new()?;
    let Some(revocation) = discover(&http, &session.wanted.issuer).await?.revocation else {
        return Ok(false);
    };
    let (token, hint) = match &session.refresh_token {
        Some(token) => (token, "refresh_token"),
        None => (&session.access_token, "access_token"),
    };
    let form = [
        ("token", token.expose()),
        ("token_type_hint", hint),
        ("client_id", session.wanted.client_id.as_str()),
    ];
    let said = http.post(&revocation, &form).await?;
    if said.status == 200 {
        Ok(true)
    } else {
        Err(said.refusal())
    }
}

/// How an issuer is told for whom the token is to be: by RFC 8707 where that is an address, else by the parameter that some
/// have for it.
fn audience(audience: Option<&str>) -> Option<(&'static str, &str)> {
    audience.map(|audience| {
        let name = if audience.contains(':') { "resource" } else { "audience" };
        (name, audience)
    })
}

async fn discover(http: &Http, issuer: &str) -> Result<Endpoints, LoginError> {
    let unusable = |what| LoginError::Unusable {
        who: issuer.to_owned(),
        what,
    };
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let said = http.get(&address).await?;
    if said.status != 200 {
        return Err(unusable("there is no OpenID configuration"));
    }
    // It must speak of itself (OpenID Connect Discovery 1.0, section 4.3).
    if said.text("issuer") != Some(issuer) {
        return Err(unusable("its `issuer` is another"));
    }
    let endpoint = |name: &str| match said.text(name) {
        None => Ok(None),
        Some(address) if is_safe_address(address) => Ok(Some(address.to_owned())),
        Some(_) => Err(unusable("one of its endpoints is no https address")),
    };
    Ok(Endpoints {
        device: endpoint("device_authorization_endpoint")?,
        token: endpoint("token_endpoint")?.ok_or_else(|| unusable("no `token_endpoint`"))?,
        revocation: endpoint("revocation_endpoint")?,
    })
}

/// What the token endpoint gave (RFC 6749, section 5.1). A refresh token that is not given anew stays the one before.
fn session(wanted: &Wanted, said: &Value, before: Option<&Session>) -> Result<Session, LoginError> {
    let unusable = |what| LoginError::Unusable {
        who: wanted.issuer.clone(),
        what,
    };
    let token = |name: &str| said.get(name).and_then(Value::as_str).filter(|token| is_plain(token));
    let kind = said.get("token_type").and_then(Value::as_str).unwrap_or_default();
    if !kind.eq_ignore_ascii_case("bearer") {
        return Err(unusable("its tokens are of a kind other than `Bearer`"));
    }
    let lasts = said
        .get("expires_in")
        .and_then(Value::as_i64)
        .map(SignedDuration::from_secs);
    Ok(Session {
        wanted: wanted.clone(),
        access_token: token("access_token")
            .ok_or_else(|| unusable("no `access_token`"))?
            .into(),
        refresh_token: token("refresh_token")
            .map(Into::into)
            .or_else(|| before.and_then(|before| before.refresh_token.clone())),
        expires: lasts.and_then(|lasts| Timestamp::now().checked_add(lasts).ok()),
    })
}

/// Whether a text can go on a terminal and into a header as it is.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            issuer: "https://login.example".to_owned(),
            client_id: "ordain".to_owned(),
            audience: None,
            scopes: vec!["openid".to_owned()],
        }
    }

    #[test]
    fn a_refresh_token_that_is_not_given_anew_stays() {
        let first = json!({"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 300});
        let first = session(&wanted(), &first, None).expect("a session");
        let then = json!({"access_token": "b", "token_type": "bearer"});
        let then = session(&wanted(), &then, Some(&first)).expect("a session");
        assert_eq!(then.access_token.expose(), "b");
        assert_eq!(then.refresh_token.as_ref().map(session::Secret::expose), Some("r"));
        assert_eq!(then.expires, None);
    }

    #[test]
    fn what_is_no_bearer_token_is_refused() {
        for said in [
            json!({"access_token": "a", "token_type": "DPoP"}),
            json!({"access_token": "a"}),
            json!({"token_type": "Bearer"}),
            json!({"access_token": "a\nb", "token_type": "Bearer"}),
            json!({"access_token": "", "token_type": "Bearer"}),
        ] {
            assert!(session(&wanted(), &said, None).is_err(), "{said}");
        }
    }

    #[test]
    fn an_audience_that_is_an_address_is_a_resource() {
        assert_eq!(
            audience(Some("https://ai.example")),
            Some(("resource", "https://ai.example"))
        );
        assert_eq!(audience(Some("ordain")), Some(("audience", "ordain")));
    }
}
