//! What an issuer publishes: good sets, bad ones, sets that change, and sets that grow old (threat C4).

use jiff::Timestamp;

use super::signer::{Signer, header};
use super::{A, Algorithm, NOW, World, claims, issuer, now, set};
use crate::identity::keys::State;
use crate::identity::{Fault, Identity, KeySetError};

#[test]
fn keys_that_are_not_for_this_are_passed_over() {
    let good = Signer::p256("good");
    let with = |more: &str| format!("{},{more}}}", Signer::p256("other").jwk().trim_end_matches('}'));
    let bad = [
        with(r#""use":"enc""#),
        with(r#""use":7"#),
        with(r#""key_ops":["encrypt"]"#),
        with(r#""key_ops":"verify""#),
        with(r#""alg":"RS256""#),
        with(r#""alg":"HS256""#),
        with(r#""alg":"none""#),
        with(r#""d":"AAAA""#),
        r#"{"kty":"oct","k":"c2VjcmV0","kid":"other","alg":"HS256"}"#.to_owned(),
        r#"{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"other"}"#.to_owned(),
        r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA","kid":"other"}"#.to_owned(),
        r#"{"kty":"EC","crv":"P-521","x":"AAAA","y":"AAAA","kid":"other"}"#.to_owned(),
        r#"{"kty":"EC","crv":"secp256k1","x":"AAAA","y":"AAAA","kid":"other"}"#.to_owned(),
        // A point that is not on the curve.
        format!(
            "{{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"{0}\",\"y\":\"{0}\",\"kid\":\"other\"}}",
            "B".repeat(42) + "A"
        ),
        r#"{"kid":"other"}"#.to_owned(),
        "7".to_owned(),
    ];
    let identity = Identity::new(&[issuer(A, &[Algorithm::Es256, Algorithm::Rs256])], None).expect("an issuer");
    let keys = &identity.issuers()[0];
    for one in &bad {
        let only = keys.take(set(std::slice::from_ref(one)), now());
        assert_eq!(only, Err(KeySetError::Nothing), "{one}");
    }
    let all = [&bad[..], &[good.jwk()]].concat();
    keys.take(set(&all), now()).expect("one is good");
    assert!(
        identity
            .verify(&good.token(&header("ES256", "good"), &claims(&[])), now())
            .is_ok()
    );
}

#[test]
fn weak_rsa_keys_are_passed_over() {
    let strong = Signer::rsa("k").jwk();
    let exponent = |e: &str| strong.replace("\"e\":\"AQAB\"", &format!("\"e\":\"{e}\""));
    let identity = Identity::new(&[issuer(A, &[Algorithm::Rs256])], None).expect("an issuer");
    let take = |jwk: String| identity.issuers()[0].take(set(&[jwk]), now());
    assert_eq!(take(strong.clone()), Ok(()));
    // One, three, an even one, none, and one that is longer than any number in use.
    for e in ["AQ", "Aw", "AQAA", "", "AAEAAQ", "AQABAQABAQ"] {
        assert_eq!(take(exponent(e)), Err(KeySetError::Nothing), "{e}");
    }
    let n = strong
        .split("\"n\":\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a modulus");
    for short in [n.split_at(n.len() / 2).0, ""] {
        assert_eq!(take(strong.replace(n, short)), Err(KeySetError::Nothing));
    }
}

#[test]
fn a_set_that_is_no_set_leaves_the_one_before() {
    let world = World::new();
    let keys = &world.identity.issuers()[0];
    let many = set(&vec![world.ec.jwk(); 101]);
    for (bytes, error) in [
        (b"".to_vec(), KeySetError::Shape),
        (b"[]".to_vec(), KeySetError::Shape),
        (b"{\"keys\":{}}".to_vec(), KeySetError::Shape),
        (b"<html>".to_vec(), KeySetError::Shape),
        (b"{\"keys\":[],\"keys\":[]}".to_vec(), KeySetError::Shape),
        (b"{\"keys\":[]}".to_vec(), KeySetError::Nothing),
        (many, KeySetError::TooMany),
    ] {
        assert_eq!(keys.take(bytes, now()), Err(error));
    }
    assert!(world.verify(&world.of(&claims(&[]))).is_ok());
}

#[test]
fn a_key_that_is_gone_opens_nothing_even_for_a_token_that_is_known() {
    let world = World::new();
    let token = world.of(&claims(&[]));
    assert!(world.verify(&token).is_ok());
    let next = Signer::p256("ec-2");
    world.identity.issuers()[0]
        .take(set(&[next.jwk()]), now())
        .expect("keys");
    assert_eq!(world.verify(&token).err(), Some(Fault::Key));
    assert!(
        world
            .verify(&next.token(&header("ES256", "ec-2"), &claims(&[])))
            .is_ok()
    );
}

#[test]
fn the_last_good_set_is_used_until_its_age_and_no_longer() {
    let world = World::new();
    let token = world.of(&claims(&[("exp", &(NOW + 40 * 3600).to_string())]));
    let keys = &world.identity.issuers()[0];
    let at = |hours: i64, seconds: i64| Timestamp::from_second(NOW + hours * 3600 + seconds).expect("a moment");
    assert!(world.identity.verify(&token, at(24, 0)).is_ok());
    assert_eq!(keys.state(at(24, 0)), State::Usable);
    assert_eq!(world.identity.verify(&token, at(24, 1)).err(), Some(Fault::NoKeys));
    assert_eq!(keys.state(at(24, 1)), State::TooOld);
    let published = set(&[world.ec.jwk()]);
    keys.take(published, at(24, 1)).expect("back again");
    assert!(world.identity.verify(&token, at(24, 1)).is_ok());
}

#[test]
fn before_the_first_set_nobody_gets_in() {
    let identity = Identity::new(&[issuer(A, &[Algorithm::Es256])], None).expect("an issuer");
    let token = Signer::p256("k").token(&header("ES256", "k"), &claims(&[]));
    assert_eq!(identity.verify(&token, now()).err(), Some(Fault::NoKeys));
    assert_eq!(identity.issuers()[0].state(now()), State::Missing);
    assert!(Identity::new(&[], None).is_none());
}

#[test]
fn what_is_known_survives_a_reload_unless_the_issuer_is_configured_otherwise() {
    let world = World::new();
    let mut configured: Vec<_> = world
        .identity
        .issuers()
        .iter()
        .map(|one| one.issuer().clone())
        .collect();
    configured[1].audience = vec!["other".to_owned()];
    let after = Identity::new(&configured, Some(&world.identity)).expect("issuers");
    let states: Vec<_> = after.issuers().iter().map(|one| one.state(now())).collect();
    assert_eq!(states, [State::Usable, State::Missing]);
}
