//! Private keys that sign what a test wants signed, whatever its header says.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaEncoding, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::identity::Algorithm;

/// A private key with a name.
pub(super) struct Signer {
    name: String,
    pair: Pair,
}

enum Pair {
    Rsa(Box<RsaKeyPair>, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair, &'static str),
    Ed(Ed25519KeyPair),
}

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The usual header.
pub(super) fn header(algorithm: &str, key: &str) -> String {
    format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\",\"kid\":\"{key}\"}}")
}

/// Tokens put together by hand.
pub(super) mod token {
    use super::encoded;

    /// Header and claims with a signature, whatever it is.
    pub(in super::super) fn of(header: &str, claims: &str, signature: &[u8]) -> String {
        format!("{}.{}.{}", encoded(header), encoded(claims), encoded(signature))
    }

    /// A token with another signature.
    pub(in super::super) fn with_signature(token: &str, signature: &[u8]) -> String {
        let (signed, _) = token.rsplit_once('.').expect("a token");
        format!("{signed}.{}", encoded(signature))
    }
}

impl Signer {
    pub(super) fn rsa(name: &str) -> Self {
        Self::rsa_with(name, KeySize::Rsa2048, &signature::RSA_PKCS1_SHA256)
    }

    fn rsa_with(name: &str, size: KeySize, encoding: &'static dyn RsaEncoding) -> Self {
        let pair = Box::new(RsaKeyPair::generate(size).expect("a key"));
        Self::of(name, Pair::Rsa(pair, encoding))
    }

    pub(super) fn p256(name: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING);
        Self::of(name, Pair::Ec(pair.expect("a key"), "P-256"))
    }

    pub(super) fn for_algorithm(algorithm: Algorithm, name: &str) -> Self {
        let rsa = |encoding| Self::rsa_with(name, KeySize::Rsa2048, encoding);
        match algorithm {
            Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_SHA256),
            Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_SHA384),
            Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_SHA512),
            Algorithm::Ps256 => rsa(&signature::RSA_PSS_SHA256),
            Algorithm::Ps384 => rsa(&signature::RSA_PSS_SHA384),
            Algorithm::Ps512 => rsa(&signature::RSA_PSS_SHA512),
            Algorithm::Es256 => Self::p256(name),
            Algorithm::Es384 => {
                let pair = EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING);
                Self::of(name, Pair::Ec(pair.expect("a key"), "P-384"))
            }
            Algorithm::EdDsa => Self::of(name, Pair::Ed(Ed25519KeyPair::generate().expect("a key"))),
        }
    }

    fn of(name: &str, pair: Pair) -> Self {
        Self {
            name: name.to_owned(),
            pair,
        }
    }

    /// Its public half, as a set has it.
    pub(super) fn jwk(&self) -> String {
        let material = match &self.pair {
            Pair::Rsa(pair, _) => {
                // `RSAPublicKey` in DER (RFC 8017 §A.1.1): two heads and the sign of the modulus, then its 256 bytes; five
                // bytes of the exponent, three of them its value.
                let der = pair.public_key().as_ref();
                let (n, e) = (&der[9..9 + 256], &der[der.len() - 3..]);
                format!("\"kty\":\"RSA\",\"n\":\"{}\",\"e\":\"{}\"", encoded(n), encoded(e))
            }
            Pair::Ec(_, curve) => {
                let point = self.point();
                let (x, y) = point[1..].split_at(point.len() / 2);
                format!(
                    "\"kty\":\"EC\",\"crv\":\"{curve}\",\"x\":\"{}\",\"y\":\"{}\"",
                    encoded(x),
                    encoded(y)
                )
            }
            Pair::Ed(pair) => {
                let x = encoded(pair.public_key());
                format!("\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"{x}\"")
            }
        };
        format!("{{{material},\"kid\":\"{}\"}}", self.name)
    }

    /// Its public half as bytes.
    pub(super) fn point(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Rsa(pair, _) => pair.public_key().as_ref().to_vec(),
            Pair::Ec(pair, _) => pair.public_key().as_ref().to_vec(),
            Pair::Ed(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    pub(super) fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, bytes, &mut signature).expect("signed");
                signature
            }
            Pair::Ec(pair, _) => pair.sign(&random, bytes).expect("signed").as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(bytes).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims.
    pub(super) fn token(&self, header: &str, claims: &str) -> String {
        self.parts(&encoded(header), &encoded(claims))
    }

    /// The same of parts that are encoded, or not.
    pub(super) fn parts(&self, header: &str, claims: &str) -> String {
        let signed = format!("{header}.{claims}");
        let signature = encoded(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
