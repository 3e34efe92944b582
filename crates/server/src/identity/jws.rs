//! A token in its compact form (RFC 7515 §7.1), taken apart: what is signed, the signature, and the two things that a header
//! may say, which key and which algorithm.
//!
//! A header that says more than that is refused where it could change what the token means (threat C2): keys that come along,
//! extensions that must be understood, encryption, content that is a token again. Read [`Compact::parse`] first.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ordain_core::wire::json::{self, Document, Kind, Limits, Vectors};

use super::fault::Fault;

/// The largest token, in bytes.
pub const LARGEST: usize = 16 * 1024;

/// How much the JSON of a token may hold. Claims are flat but for the few that list roles.
const LIMITS: Limits = Limits {
    depth: 8,
    nodes: 2048,
    vectors: Vectors::Kept,
};

/// A token, taken apart and not yet believed.
#[derive(Debug)]
pub(super) struct Compact<'t> {
    /// What the signature is over.
    pub(super) signed: &'t [u8],
    /// The signature.
    pub(super) signature: Vec<u8>,
    /// The claims, not yet read.
    pub(super) payload: Vec<u8>,
    /// The algorithm that the header names.
    pub(super) algorithm: String,
    /// The key that the header names.
    pub(super) key: Option<String>,
}

/// Whether a credential has the shape of a token: three parts of base64url, of which the first is JSON of an object. Virtual
/// keys and providers' keys have not.
#[must_use]
pub fn is_shaped(credential: &str) -> bool {
    // `{"` is `eyJ` in base64url; a space between the two is possible, and no token of an issuer has it.
    credential.starts_with("ey") && credential.bytes().filter(|byte| *byte == b'.').count() >= 2
}

impl<'t> Compact<'t> {
    /// Takes a token apart.
    ///
    /// # Errors
    ///
    /// [`Fault::Malformed`] or [`Fault::Header`].
    pub(super) fn parse(token: &'t str) -> Result<Self, Fault> {
        if token.len() > LARGEST {
            return Err(Fault::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(Fault::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Fault::Malformed)?;
        // Five parts are an encrypted token (RFC 7516 §3.1): the point in the payload is no character of base64url.
        let header = decoded(header)?;
        let header = object(&header)?;
        let (algorithm, key) = known(&header)?;
        Ok(Self {
            signed: signed.as_bytes(),
            signature: decoded(signature)?,
            payload: decoded(payload)?,
            algorithm,
            key,
        })
    }
}

/// Base64url without padding, in its one canonical form: no other characters and no left-over bits.
pub(super) fn decoded(part: &str) -> Result<Vec<u8>, Fault> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Malformed)
}

/// An object of unique members (RFC 7515 §4, RFC 7519 §4).
pub(super) fn object(bytes: &[u8]) -> Result<Document<'_>, Fault> {
    let document = json::parse(bytes, &LIMITS).map_err(|_| Fault::Malformed)?;
    if document.kind(document.root()) != Kind::Object {
        return Err(Fault::Malformed);
    }
    Ok(document)
}

/// The algorithm and the key that a header names.
fn known(header: &Document<'_>) -> Result<(String, Option<String>), Fault> {
    let (mut algorithm, mut key) = (None, None);
    for (name, value) in header.members(header.root()) {
        let text = header.text(value);
        match &*name {
            "alg" => algorithm = Some(text.ok_or(Fault::Header)?.into_owned()),
            "kid" => key = Some(text.filter(|id| id.len() <= 256).ok_or(Fault::Header)?.into_owned()),
            // An access token (RFC 9068 §2.1) or one without a type of its own. Others are for other uses: a logout token
            // or a proof of possession must not let anybody in (RFC 8725 §3.11).
            "typ" => {
                let kind = text.ok_or(Fault::Header)?.to_ascii_lowercase();
                if !matches!(kind.as_str(), "jwt" | "at+jwt" | "application/at+jwt") {
                    return Err(Fault::Header);
                }
            }
            // Keys that come along, by value; extensions; another form of the payload; another token as payload; encryption.
            "jwk" | "x5c" | "crit" | "b64" | "cty" | "enc" | "zip" => return Err(Fault::Header),
            // Addresses of keys are not followed, and thumbprints not looked at: the key is the one that `kid` names among
            // the issuer's own.
            _ => {}
        }
    }
    Ok((algorithm.ok_or(Fault::Algorithm)?, key))
}
