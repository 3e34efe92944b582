//! What a token says, once its signature is known to be the issuer's: for whom, until when, and who it is.
//!
//! All of it is strict (threat C3): times are whole numbers, texts are texts, and a claim that is there and wrong is never taken
//! for one that is not there. Read [`read`] first.

use jiff::Timestamp;
use ordain_core::wire::json::{Document, Kind, Node};

use super::fault::Fault;
use crate::config::{ClaimPath, Issuer, Principal};

/// Who somebody is, by a token that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// The principal's name.
    pub principal: String,
    /// Its groups, as the issuer calls them.
    pub groups: Vec<String>,
    /// The calling software.
    pub client: Option<String>,
    /// When the person last proved who they are (`auth_time`), if the issuer says so.
    pub signed_in: Option<Timestamp>,
    /// The strength of that proof (`acr`), if the issuer says so.
    pub acr: Option<String>,
    /// By which means (`amr`).
    pub amr: Vec<String>,
    /// The first second in which the token lets nobody in any more, skew included, since 1970.
    pub until: i64,
}

/// How far in the future a token may end: ten years.
const LONGEST: i64 = 10 * 366 * 24 * 3600;

/// The most groups of a token, and the most audiences.
const MOST: usize = 512;

/// The longest name of a principal, a group or a client, in bytes.
const LONGEST_NAME: usize = 512;

/// The issuer that a payload names.
pub(super) fn issuer<'d>(claims: &Document<'d>) -> Result<std::borrow::Cow<'d, str>, Fault> {
    claims.member_text(claims.root(), "iss").ok_or(Fault::Claims)
}

/// Reads the claims of a token that this issuer has signed.
///
/// # Errors
///
/// [`Fault::Claims`], [`Fault::Audience`], [`Fault::Expired`] or [`Fault::NotYet`].
pub(super) fn read(claims: &Document<'_>, issuer: &Issuer, now: Timestamp) -> Result<Verified, Fault> {
    let claims = Claims(claims);
    audience(claims, &issuer.audience)?;
    let now = now.as_second();
    let skew = issuer.skew.as_secs() as i64;
    let end = claims.time("exp")?.ok_or(Fault::Claims)?;
    if end > now + LONGEST {
        return Err(Fault::Claims);
    }
    // On or after this moment it must not be accepted (RFC 7519 §4.1.4).
    let until = end + skew;
    if now >= until {
        return Err(Fault::Expired);
    }
    let signed_in = claims.time("auth_time")?;
    for begin in [claims.time("nbf")?, claims.time("iat")?, signed_in]
        .into_iter()
        .flatten()
    {
        if begin > now + skew {
            return Err(Fault::NotYet);
        }
    }
    let subject = claims.name("sub")?.ok_or(Fault::Claims)?;
    Ok(Verified {
        principal: principal(claims, issuer, &subject)?,
        groups: match &issuer.groups {
            Some(path) => claims.texts(path)?,
            None => Vec::new(),
        },
        client: match &issuer.client {
            Some(path) => claims.name_at(path)?,
            None => match claims.name("azp")? {
                Some(client) => Some(client),
                None => claims.name("client_id")?,
            },
        },
        signed_in: signed_in
            .map(Timestamp::from_second)
            .transpose()
            .map_err(|_| Fault::Claims)?,
        acr: claims.name("acr")?,
        amr: claims.list(claims.0.get(claims.0.root(), "amr"))?,
        until,
    })
}

/// One of the audiences is ours. A list may have others beside it (RFC 7519 §4.1.3).
fn audience(claims: Claims<'_, '_>, ours: &[String]) -> Result<(), Fault> {
    let node = claims.0.get(claims.0.root(), "aud").ok_or(Fault::Claims)?;
    let named = claims.list(Some(node))?;
    if named.is_empty() {
        return Err(Fault::Claims);
    }
    named
        .iter()
        .any(|one| ours.contains(one))
        .then_some(())
        .ok_or(Fault::Audience)
}

/// The name of the principal, by the issuer's rule.
///
/// A `sub` is unique within its issuer alone (OpenID Connect Core 1.0 §2), and an address that nobody verified is whatever its
/// owner typed: neither may name somebody whom another issuer or the directory knows. So the usual name is a verified address,
/// else issuer and `sub` together. A claim that the configuration names is taken at its word, but for an address of which the
/// token itself says that it is not verified.
fn principal(claims: Claims<'_, '_>, issuer: &Issuer, subject: &str) -> Result<String, Fault> {
    let verified = claims.flag("email_verified")?;
    match &issuer.principal {
        Principal::Usual => match (claims.name("email")?, verified) {
            (Some(email), Some(true)) => Ok(email),
            _ => Ok(format!("{}#{subject}", issuer.issuer.as_str())),
        },
        Principal::Claim(path) => {
            if path.steps() == ["email"] && verified == Some(false) {
                return Err(Fault::Claims);
            }
            claims.name_at(path)?.ok_or(Fault::Claims)
        }
    }
}

/// The claims of one token.
#[derive(Debug, Clone, Copy)]
struct Claims<'d, 'b>(&'d Document<'b>);

impl Claims<'_, '_> {
    /// A moment in whole seconds since 1970 (RFC 7519 §2, but for fractions, which no issuer needs).
    fn time(self, name: &str) -> Result<Option<i64>, Fault> {
        let Some(node) = self.0.get(self.0.root(), name) else {
            return Ok(None);
        };
        let text = self.0.raw(node);
        let plain =
            self.0.kind(node) == Kind::Number && text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        if !plain {
            return Err(Fault::Claims);
        }
        text.parse().map(Some).map_err(|_| Fault::Claims)
    }

    fn flag(self, name: &str) -> Result<Option<bool>, Fault> {
        match self.0.get(self.0.root(), name) {
            None => Ok(None),
            Some(node) if self.0.kind(node) == Kind::Bool => Ok(Some(self.0.raw(node) == "true")),
            // Some issuers write it as a text; that it is `true` must not be guessed.
            Some(_) => Ok(Some(false)),
        }
    }

    fn name(self, name: &str) -> Result<Option<String>, Fault> {
        self.0
            .get(self.0.root(), name)
            .map(|node| self.name_of(node))
            .transpose()
    }

    fn name_at(self, path: &ClaimPath) -> Result<Option<String>, Fault> {
        self.at(path).map(|node| self.name_of(node)).transpose()
    }

    /// A text that can name somebody or something.
    fn name_of(self, node: Node) -> Result<String, Fault> {
        let text = self.0.text(node).ok_or(Fault::Claims)?;
        let names = !text.is_empty() && text.len() <= LONGEST_NAME && !text.chars().any(char::is_control);
        names.then(|| text.into_owned()).ok_or(Fault::Claims)
    }

    /// One text or a list of texts, without those that are there twice; nothing where the claim is absent.
    fn texts(self, path: &ClaimPath) -> Result<Vec<String>, Fault> {
        self.list(self.at(path))
    }

    fn list(self, node: Option<Node>) -> Result<Vec<String>, Fault> {
        let Some(node) = node else { return Ok(Vec::new()) };
        if self.0.kind(node) != Kind::Array {
            return self.name_of(node).map(|one| vec![one]);
        }
        if self.0.children(node).count() > MOST {
            return Err(Fault::Claims);
        }
        let mut texts: Vec<String> = self
            .0
            .children(node)
            .map(|one| self.name_of(one))
            .collect::<Result<_, _>>()?;
        texts.sort_unstable();
        texts.dedup();
        Ok(texts)
    }

    fn at(self, path: &ClaimPath) -> Option<Node> {
        path.steps().iter().try_fold(self.0.root(), |node, step| {
            (self.0.kind(node) == Kind::Object)
                .then(|| self.0.get(node, step))
                .flatten()
        })
    }
}
