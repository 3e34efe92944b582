//! Tokens made by keys of the tests' own, judged by issuers of the tests' own, at a moment of the tests' own.

mod hostile;
mod issuers;
mod signer;
mod times;
mod vectors;
mod way;

use std::time::Duration;

use jiff::Timestamp;

use super::{Address, Algorithm, Fault, Identity, Verified};
use crate::config::{ClaimPath, Issuer, KeySource, Principal};
use signer::{Signer, header, token};

/// The moment at which everything happens, in seconds since 1970.
const NOW: i64 = 1_800_000_000;

fn now() -> Timestamp {
    Timestamp::from_second(NOW).expect("a moment")
}

const A: &str = "https://a.example";
const B: &str = "https://b.example/realms/b";

fn issuer(name: &str, algorithms: &[Algorithm]) -> Issuer {
    Issuer {
        issuer: Address::parse(name).expect("an address"),
        audience: vec!["ordain".to_owned(), "api://ordain".to_owned()],
        algorithms: algorithms.to_vec(),
        keys: KeySource::Discovery(Vec::new()),
        principal: Principal::Usual,
        groups: ClaimPath::parse("/realm_access/roles"),
        client: None,
        skew: Duration::from_secs(60),
        max_age: Duration::from_secs(24 * 3600),
    }
}

/// Two issuers with a key for each algorithm that they are configured with.
struct World {
    identity: std::sync::Arc<Identity>,
    ec: Signer,
    rsa: Signer,
    other: Signer,
}

impl World {
    fn new() -> Self {
        let (ec, rsa, other) = (Signer::p256("ec-1"), Signer::rsa("rsa-1"), Signer::p256("ec-1"));
        let issuers = [
            issuer(A, &[Algorithm::Es256, Algorithm::Rs256]),
            issuer(B, &[Algorithm::Es256]),
        ];
        let identity = Identity::new(&issuers, None).expect("issuers");
        let [a, b] = identity.issuers() else {
            panic!("two issuers")
        };
        let rs256 = format!(
            "{},\"alg\":\"RS256\",\"use\":\"sig\"}}",
            rsa.jwk().trim_end_matches('}')
        );
        a.take(set(&[ec.jwk(), rs256]), now()).expect("keys of A");
        b.take(set(&[other.jwk()]), now()).expect("keys of B");
        Self {
            identity,
            ec,
            rsa,
            other,
        }
    }

    fn verify(&self, token: &str) -> Result<std::sync::Arc<Verified>, Fault> {
        self.identity.verify(token, now())
    }

    /// A token of A with these claims.
    fn of(&self, claims: &str) -> String {
        self.ec.token(&header("ES256", "ec-1"), claims)
    }
}

/// A set of keys, as an issuer publishes it.
fn set(keys: &[String]) -> Vec<u8> {
    format!("{{\"keys\":[{}]}}", keys.join(",")).into_bytes()
}

/// Claims of A that let somebody in, with one member put in place of what is there, or added.
fn claims(changes: &[(&str, &str)]) -> String {
    let mut members: Vec<(String, String)> = [
        ("iss", "\"https://a.example\""),
        ("aud", "\"ordain\""),
        ("sub", "\"1234\""),
        ("exp", "1800000300"),
        ("iat", "1799999990"),
        ("nbf", "1799999990"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    for (name, value) in changes {
        match members.iter_mut().find(|(known, _)| known == name) {
            Some(member) => member.1 = (*value).to_owned(),
            None => members.push(((*name).to_owned(), (*value).to_owned())),
        }
    }
    let kept = members.iter().filter(|(_, value)| !value.is_empty());
    let written: Vec<String> = kept.map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", written.join(","))
}

#[test]
fn a_good_token_says_who_somebody_is() {
    let world = World::new();
    let said = [
        ("email", "\"ada@example.com\""),
        ("email_verified", "true"),
        ("azp", "\"ide\""),
        ("realm_access", r#"{"roles":["med-staff","eng","eng"]}"#),
        ("auth_time", "1799999000"),
        ("acr", "\"mfa\""),
        ("amr", r#"["pwd","otp"]"#),
    ];
    let verified = world.verify(&world.of(&claims(&said))).expect("genuine");
    let expected = Verified {
        principal: "ada@example.com".to_owned(),
        groups: vec!["eng".to_owned(), "med-staff".to_owned()],
        client: Some("ide".to_owned()),
        signed_in: Timestamp::from_second(1_799_999_000).ok(),
        acr: Some("mfa".to_owned()),
        amr: vec!["otp".to_owned(), "pwd".to_owned()],
        until: NOW + 360,
    };
    assert_eq!(*verified, expected);
    let by_rsa = world.rsa.token(&header("RS256", "rsa-1"), &claims(&[]));
    assert!(world.verify(&by_rsa).is_ok());
    let for_several = world.of(&claims(&[("aud", r#"["other","api://ordain"]"#)]));
    assert!(world.verify(&for_several).is_ok());
}

#[test]
fn an_address_that_nobody_verified_names_nobody() {
    let world = World::new();
    let email = ("email", "\"ceo@example.com\"");
    for flag in ["", "false", "\"true\"", "1", "null"] {
        let verified = world.verify(&world.of(&claims(&[email, ("email_verified", flag)])));
        assert_eq!(verified.expect("genuine").principal, "https://a.example#1234", "{flag}");
    }
    // Nor can a `sub` be chosen so that it names somebody.
    let verified = world
        .verify(&world.of(&claims(&[("sub", "\"ceo@example.com\"")])))
        .expect("genuine");
    assert_eq!(verified.principal, "https://a.example#ceo@example.com");
}

#[test]
fn a_claim_that_the_configuration_names_is_the_principal() {
    let (signer, mut configured) = (Signer::p256("k"), issuer(A, &[Algorithm::Es256]));
    let verify = |configured: &Issuer, claims: &str| {
        let identity = Identity::new(std::slice::from_ref(configured), None).expect("an issuer");
        identity.issuers()[0].take(set(&[signer.jwk()]), now()).expect("keys");
        let verified = identity.verify(&signer.token(&header("ES256", "k"), claims), now());
        verified.map(|verified| verified.principal.clone())
    };
    configured.principal = Principal::Claim(ClaimPath::parse("preferred_username").expect("a claim"));
    let named = claims(&[("preferred_username", "\"ada\"")]);
    assert_eq!(verify(&configured, &named), Ok("ada".to_owned()));
    for bad in ["", "7", "\"\"", "[\"ada\"]", "\"a\\u0000b\""] {
        let named = claims(&[("preferred_username", bad)]);
        assert_eq!(verify(&configured, &named), Err(Fault::Claims), "{bad}");
    }
    configured.principal = Principal::Claim(ClaimPath::parse("email").expect("a claim"));
    let email = ("email", "\"ada@example.com\"");
    assert_eq!(verify(&configured, &claims(&[email])), Ok("ada@example.com".to_owned()));
    let unverified = claims(&[email, ("email_verified", "false")]);
    assert_eq!(verify(&configured, &unverified), Err(Fault::Claims));
}

#[test]
fn every_algorithm_is_checked_by_the_key_that_fits_it() {
    for algorithm in Algorithm::ALL {
        let name = algorithm.as_str();
        let signer = Signer::for_algorithm(algorithm, "k");
        let identity = Identity::new(&[issuer(A, &[algorithm])], None).expect("an issuer");
        identity.issuers()[0].take(set(&[signer.jwk()]), now()).expect("keys");
        let good = signer.token(&header(name, "k"), &claims(&[]));
        assert!(identity.verify(&good, now()).is_ok(), "{name}");
        for other in Algorithm::ALL.into_iter().filter(|&other| other != algorithm) {
            let bad = signer.token(&header(other.as_str(), "k"), &claims(&[]));
            assert_eq!(
                identity.verify(&bad, now()).err(),
                Some(Fault::Algorithm),
                "{name} as {}",
                other.as_str()
            );
        }
    }
}

#[test]
fn the_only_key_needs_no_name() {
    let world = World::new();
    let unnamed = r#"{"alg":"ES256","typ":"at+jwt"}"#;
    assert!(
        world.verify(&world.ec.token(unnamed, &claims(&[]))).is_ok(),
        "one key fits ES256"
    );
    let twins = Identity::new(&[issuer(A, &[Algorithm::Es256])], None).expect("an issuer");
    twins.issuers()[0]
        .take(set(&[world.ec.jwk(), world.other.jwk()]), now())
        .expect("keys");
    assert_eq!(
        twins.verify(&world.ec.token(unnamed, &claims(&[])), now()).err(),
        Some(Fault::Key),
        "two fit"
    );
}

#[test]
fn a_token_is_verified_once_and_known_until_it_ends() {
    let world = World::new();
    let token = world.of(&claims(&[]));
    let first = world.verify(&token).expect("genuine");
    let again = world.verify(&token).expect("known");
    assert!(std::sync::Arc::ptr_eq(&first, &again));
    let at = |second| {
        world
            .identity
            .verify(&token, Timestamp::from_second(second).expect("a moment"))
    };
    assert!(at(NOW + 359).is_ok());
    assert_eq!(at(NOW + 360).err(), Some(Fault::Expired));
    let forged = token::with_signature(&token, &[0; 64]);
    assert_eq!(world.verify(&forged).err(), Some(Fault::Signature));
    assert_eq!(world.identity.cache.len(), 1, "what is refused is not kept");
}

#[test]
fn what_is_known_of_tokens_is_bounded_and_the_newest_stay() {
    let world = World::new();
    let verified = world.verify(&world.of(&claims(&[]))).expect("genuine");
    let issuer = &world.identity.issuers()[0];
    let hash = |number: usize| super::cache::hash(&number.to_string());
    for (bytes, most) in [
        (100, super::cache::MOST),
        (16 * 1024, super::cache::MOST_BYTES / (16 * 1024)),
    ] {
        let cache = super::cache::Cache::default();
        for number in 0..5 * most / 2 {
            cache.keep(hash(number), bytes, issuer, 1, &verified);
            assert!(cache.len() <= 2 * most, "{}", cache.len());
        }
        assert!(cache.find(&hash(5 * most / 2 - 1), now()).is_some(), "the newest");
        assert!(cache.find(&hash(most), now()).is_some(), "one of the generation before");
        assert!(cache.find(&hash(0), now()).is_none(), "the oldest");
    }
}
