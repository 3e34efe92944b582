//! The signature algorithms that an issuer can be configured with: asymmetric ones, by their names in JOSE.
//!
//! `none` and the symmetric algorithms (`HS…`) have no variant, so that no configuration and no token can ask for them
//! (threat C1). Read [`Algorithm`] first.

use aws_lc_rs::signature::{self, EcdsaVerificationAlgorithm, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents};

/// A signature algorithm of a token (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// The numbers of a public key, as a JWK has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Material {
    /// Modulus and exponent, big-endian (RFC 7518 §6.3.1).
    Rsa { n: Vec<u8>, e: Vec<u8> },
    /// An uncompressed point on P-256 (SEC 1 §2.3.3).
    P256(Vec<u8>),
    /// An uncompressed point on P-384.
    P384(Vec<u8>),
    /// A point on edwards25519 (RFC 8032 §5.1.5).
    Ed25519(Vec<u8>),
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Its name in tokens, keys and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of a name, which is compared as it is written (RFC 7515 §4.1.1).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// A key that checks signatures of this algorithm; `None` where the key is of another kind, or no valid key.
    pub(super) fn verifier(self, material: &Material) -> Option<ParsedPublicKey> {
        match (self, material) {
            (Self::Rs256, Material::Rsa { n, e }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA256, n, e),
            (Self::Rs384, Material::Rsa { n, e }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA384, n, e),
            (Self::Rs512, Material::Rsa { n, e }) => rsa(&signature::RSA_PKCS1_2048_8192_SHA512, n, e),
            (Self::Ps256, Material::Rsa { n, e }) => rsa(&signature::RSA_PSS_2048_8192_SHA256, n, e),
            (Self::Ps384, Material::Rsa { n, e }) => rsa(&signature::RSA_PSS_2048_8192_SHA384, n, e),
            (Self::Ps512, Material::Rsa { n, e }) => rsa(&signature::RSA_PSS_2048_8192_SHA512, n, e),
            (Self::Es256, Material::P256(point)) => ecdsa(&signature::ECDSA_P256_SHA256_FIXED, point),
            (Self::Es384, Material::P384(point)) => ecdsa(&signature::ECDSA_P384_SHA384_FIXED, point),
            (Self::EdDsa, Material::Ed25519(point)) => ParsedPublicKey::new(&signature::ED25519, point).ok(),
            _ => None,
        }
    }
}

/// Small keys are refused here and not at the first signature, and so are exponents that are even, one, or of a kind that
/// nobody uses (NIST SP 800-56B §6.4.2: odd, above 2^16).
fn rsa(parameters: &'static RsaParameters, n: &[u8], e: &[u8]) -> Option<ParsedPublicKey> {
    let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
    let exponent = e.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    let usual = e.len() <= 5 && exponent > 0xFFFF && exponent % 2 == 1;
    if !(2048..=8192).contains(&bits) || !usual {
        return None;
    }
    RsaPublicKeyComponents { n, e }.to_parsed_public_key(parameters).ok()
}

fn ecdsa(algorithm: &'static EcdsaVerificationAlgorithm, point: &[u8]) -> Option<ParsedPublicKey> {
    ParsedPublicKey::new(algorithm, point).ok()
}
