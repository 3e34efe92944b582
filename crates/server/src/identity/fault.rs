//! What can be wrong with a token: a closed set, for answers and for metrics. None of it repeats the token.

/// Why a token lets nobody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// It is not three parts of base64url with JSON in them, or larger than a token may be.
    Malformed,
    /// Its header asks for something that is not done: a key of its own, an extension, encryption, another type.
    Header,
    /// Its algorithm is not one that is configured for its issuer and fits the key.
    Algorithm,
    /// No configured issuer has its `iss`.
    Issuer,
    /// The issuer has no such key.
    Key,
    /// The signature is not the key's.
    Signature,
    /// A claim is missing or has no valid value.
    Claims,
    /// It is for somebody else.
    Audience,
    /// It has expired.
    Expired,
    /// It is not valid yet, or was issued in the future.
    NotYet,
    /// The keys of its issuer could not be fetched yet, or not for too long.
    NoKeys,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Malformed,
        Self::Header,
        Self::Algorithm,
        Self::Issuer,
        Self::Key,
        Self::Signature,
        Self::Claims,
        Self::Audience,
        Self::Expired,
        Self::NotYet,
        Self::NoKeys,
    ];

    /// Its name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Header => "header",
            Self::Algorithm => "algorithm",
            Self::Issuer => "issuer",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not-yet-valid",
            Self::NoKeys => "no-keys",
        }
    }

    /// What its sender is told.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Malformed => "the token is no signed JWT",
            Self::Header => "the header of the token asks for something that is not accepted",
            Self::Algorithm => "the token is signed with an algorithm that is not accepted",
            Self::Issuer => "the token is of an issuer that is not accepted",
            Self::Key => "the issuer of the token has no such key",
            Self::Signature => "the signature of the token is wrong",
            Self::Claims => "a claim of the token is missing or not valid",
            Self::Audience => "the token is for another audience",
            Self::Expired => "the token has expired",
            Self::NotYet => "the token is not valid yet",
            Self::NoKeys => "the keys of the token's issuer cannot be had at the moment; try again",
        }
    }
}
