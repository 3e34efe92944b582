//! Detectors: from text to matches.
//!
//! A detector finds one kind of sensitive thing, its *entity*. It is a pure function over a [`Window`] of text, and the
//! same function serves whole bodies and streams: a window says from where to look and whether more text may follow, and
//! the detector answers how far its word is final. That is the one contract to read here: [`Detector::detect`].
//!
//! One detector is one file with its `HITS` and `MISSES`, and one line in [`all`]. What a detector finds, and what it
//! deliberately does not find, is its module's documentation.

mod ai_provider_key;
mod assigned_secret;
mod aws_key;
mod bytes;
mod checks;
mod crypto_wallet;
mod date_of_birth;
mod email_address;
pub mod entities;
mod iban;
mod imei;
mod ip_address;
mod keywords;
mod label;
mod mac_address;
mod national_id;
mod passport_number;
mod patterns;
mod payment_card;
mod phone_number;
mod private_key;
pub mod scanner;
pub mod secrets;
mod shapes;
#[cfg(test)]
mod tests;
mod url_credentials;
mod us_ssn;
mod vin;
mod walk;

use std::borrow::Borrow;
use std::fmt::{self, Debug};
use std::ops::Range;
use std::sync::Arc;

use crate::verdict::words;

pub use ai_provider_key::AiProviderKey;
pub use assigned_secret::AssignedSecret;
pub use aws_key::AwsKey;
pub use bytes::ByteSet;
pub use crypto_wallet::CryptoWallet;
pub use date_of_birth::DateOfBirth;
pub use email_address::EmailAddress;
pub use entities::{ENTITIES, Entity, FAMILIES, entity};
pub use iban::Iban;
pub use imei::Imei;
pub use ip_address::IpAddress;
pub use keywords::Keywords;
pub use mac_address::MacAddress;
pub use national_id::NationalId;
pub use passport_number::PassportNumber;
pub use patterns::{Pattern, PatternError};
pub use payment_card::PaymentCard;
pub use phone_number::PhoneNumber;
pub use private_key::PrivateKey;
pub use secrets::Secrets;
pub use url_credentials::UrlCredentials;
pub use us_ssn::UsSsn;
pub use vin::Vin;

/// The detectors that every policy can use; a policy's own come from [`Keywords`] and [`Pattern`].
#[must_use]
pub fn all() -> Vec<Arc<dyn Detector>> {
    vec![
        // registry:begin
        Arc::new(AiProviderKey),
        Arc::new(AssignedSecret),
        Arc::new(AwsKey),
        Arc::new(CryptoWallet),
        Arc::new(DateOfBirth),
        Arc::new(EmailAddress),
        Arc::new(Iban),
        Arc::new(Imei),
        Arc::new(IpAddress),
        Arc::new(MacAddress),
        Arc::new(NationalId),
        Arc::new(PassportNumber),
        Arc::new(PaymentCard),
        Arc::new(PhoneNumber),
        Arc::new(PrivateKey),
        Arc::new(Secrets),
        Arc::new(UrlCredentials),
        Arc::new(UsSsn),
        Arc::new(Vin),
        // registry:end
    ]
}

/// The id of a kind of sensitive thing, kebab-case, such as `payment-card`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntityId(Arc<str>);

impl EntityId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for EntityId {
    fn from(id: &str) -> Self {
        Self(id.into())
    }
}

impl Borrow<str> for EntityId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EntityId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One span of text that a detector recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The kind of thing, kebab-case, from [`entities`].
    pub entity: EntityId,
    /// Byte range in the window's text, on character boundaries.
    pub span: Range<usize>,
}

/// The text that a detector looks at.
#[derive(Debug, Clone, Copy)]
pub struct Window<'t> {
    /// The text, with everything before `from` given for context (at least [`CONTEXT`] bytes of it where that much
    /// exists).
    pub text: &'t str,
    /// Byte offset at which the search begins; no match may start before it. It is 0, or what the detector itself last
    /// returned as settled.
    pub from: usize,
    /// Whether the text ends here. If not, more may follow, and what more could change is not settled yet.
    pub complete: bool,
}

/// How many bytes before a window's `from` are kept for a detector that looks back (word boundaries, overlong runs).
pub const CONTEXT: usize = 64;

/// How much text a detector needs to see at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// No match, and no decision about one, needs more than this many bytes from where it starts. A stream holds back at
    /// most that much. What stays undecided for longer stops the stream.
    Bounded(usize),
    /// The whole channel is needed; a stream of it is buffered.
    WholeText,
}

words! {
    /// How a detector came not to do its work.
    Trouble {
        /// It could not look.
        Failed = "failed",
        /// It broke off.
        Panicked = "panicked",
        /// What it said cannot be true of the text.
        WrongSpan = "wrong-span",
        /// It had no answer when the time was over.
        OutOfTime = "out-of-time",
        /// It was passed over: nobody asked it, or it did not want to be asked.
        Skipped = "skipped",
    }
}

/// Why a detector could not do its work. What that means is the policy's business; it never passes as "found nothing".
#[derive(Debug, Clone, thiserror::Error)]
#[error("detector `{detector}` {trouble}: {reason}")]
pub struct DetectorFailure {
    /// Which detector.
    pub detector: String,
    /// How.
    pub trouble: Trouble,
    /// Why, without any of the text.
    pub reason: String,
}

/// Finds one kind of sensitive thing.
pub trait Detector: Debug + Send + Sync {
    /// Kebab-case, stable, never reused.
    fn id(&self) -> &str;

    /// Grows with every change of what is found.
    fn version(&self) -> u32;

    /// The entities that [`Self::detect`] may report.
    fn entities(&self) -> Vec<EntityId>;

    /// How much text it needs to see at once.
    fn horizon(&self) -> Horizon;

    /// No match is shorter than so many bytes; texts that are shorter are passed over (most strings of a body are).
    fn shortest(&self) -> usize {
        1
    }

    /// No match has fewer ASCII digits; texts that have fewer are passed over (prose mostly has none).
    fn fewest_digits(&self) -> usize {
        0
    }

    /// A match starts with one of these bytes; pieces of a stream that have none of them are passed over.
    fn starts(&self) -> ByteSet {
        ByteSet::ALL
    }

    /// Appends the matches that start at or after `window.from` and are final, and returns the offset up to which its
    /// word is final: the *settled* offset, at least `window.from`.
    ///
    /// INVARIANT: chunking never changes the result. Whatever text follows, and however it is cut, the matches reported
    /// over all calls are those of one call on the whole text: a match that more text could lengthen, shorten or undo is
    /// not reported yet and starts at or after the settled offset; every reported match ends at or before it. On a
    /// complete window the settled offset is the length of the text.
    ///
    /// # Errors
    ///
    /// [`DetectorFailure`] when it could not look.
    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure>;
}
