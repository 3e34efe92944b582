//! Tokens that mean harm (threats C1 to C3): each by its name, with what is wrong with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::signer::{Signer, encoded, header, token};
use super::{A, B, NOW, World, claims};
use crate::identity::{Fault, LARGEST};

type Hostile = (&'static str, String, Fault);

#[test]
fn every_hostile_token_is_refused_for_what_is_wrong_with_it() {
    let world = World::new();
    let all = [algorithms(&world), headers(&world), forms(&world), says(&world)].concat();
    assert!(all.len() >= 60, "{}", all.len());
    let mut wrong = Vec::new();
    for (name, token, fault) in &all {
        let found = world.verify(token);
        if found.as_ref().err() != Some(fault) {
            wrong.push((name, fault, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(world.identity.cache.len(), 0);
    let names: std::collections::BTreeSet<_> = all.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), all.len(), "each has a name of its own");
}

fn hs256(secret: &[u8], algorithm: &str, key: &str) -> String {
    let signed = format!("{}.{}", encoded(header(algorithm, key)), encoded(claims(&[])));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", encoded(mac.finalize().into_bytes()))
}

/// C1: the algorithm.
fn algorithms(world: &World) -> Vec<Hostile> {
    let good = claims(&[]);
    let none = |name: &str| token::of(&header(name, "ec-1"), &good, b"");
    let rsa_point = world.rsa.point();
    vec![
        ("none", none("none"), Fault::Algorithm),
        ("None", none("None"), Fault::Algorithm),
        ("NONE", none("NONE"), Fault::Algorithm),
        ("nOnE", none("nOnE"), Fault::Algorithm),
        ("empty algorithm", none(""), Fault::Algorithm),
        (
            "none, with a signature of another",
            token::with_signature(&none("none"), &world.ec.sign(b"x")),
            Fault::Algorithm,
        ),
        (
            "no algorithm",
            world.ec.token(r#"{"kid":"ec-1"}"#, &good),
            Fault::Algorithm,
        ),
        (
            "algorithm is a number",
            world.ec.token(r#"{"alg":256,"kid":"ec-1"}"#, &good),
            Fault::Header,
        ),
        (
            "algorithm is a list",
            world.ec.token(r#"{"alg":["ES256"],"kid":"ec-1"}"#, &good),
            Fault::Header,
        ),
        (
            "algorithm is null",
            world.ec.token(r#"{"alg":null,"kid":"ec-1"}"#, &good),
            Fault::Header,
        ),
        (
            "algorithm in lower case",
            world.ec.token(&header("es256", "ec-1"), &good),
            Fault::Algorithm,
        ),
        (
            "algorithm with a space",
            world.ec.token(&header("ES256 ", "ec-1"), &good),
            Fault::Algorithm,
        ),
        (
            "HS256 under the RSA key's bytes",
            hs256(&rsa_point, "HS256", "rsa-1"),
            Fault::Algorithm,
        ),
        (
            "HS256 under the RSA key's JWK",
            hs256(world.rsa.jwk().as_bytes(), "HS256", "rsa-1"),
            Fault::Algorithm,
        ),
        (
            "HS256 under the EC key's point",
            hs256(&world.ec.point(), "HS256", "ec-1"),
            Fault::Algorithm,
        ),
        ("HS256 under nothing", hs256(b"", "HS256", "ec-1"), Fault::Algorithm),
        ("HS384", hs256(&rsa_point, "HS384", "rsa-1"), Fault::Algorithm),
        ("HS512", hs256(&rsa_point, "HS512", "rsa-1"), Fault::Algorithm),
        (
            "a MAC that calls itself RS256",
            hs256(&rsa_point, "RS256", "rsa-1"),
            Fault::Signature,
        ),
        (
            "a MAC that calls itself ES256",
            hs256(&world.ec.point(), "ES256", "ec-1"),
            Fault::Signature,
        ),
        (
            "PS256, where the key says RS256",
            world.rsa.token(&header("PS256", "rsa-1"), &good),
            Fault::Algorithm,
        ),
        (
            "RS512, which is not configured",
            world.rsa.token(&header("RS512", "rsa-1"), &good),
            Fault::Algorithm,
        ),
        (
            "RS256 of an EC key",
            world.ec.token(&header("RS256", "ec-1"), &good),
            Fault::Algorithm,
        ),
        (
            "ES256 of an RSA key",
            world.rsa.token(&header("ES256", "rsa-1"), &good),
            Fault::Algorithm,
        ),
        (
            "RS256 signed by the EC key",
            world.ec.token(&header("RS256", "rsa-1"), &good),
            Fault::Signature,
        ),
        (
            "ES256K",
            world.ec.token(&header("ES256K", "ec-1"), &good),
            Fault::Algorithm,
        ),
        (
            "EdDSA, which is not configured",
            world.ec.token(&header("EdDSA", "ec-1"), &good),
            Fault::Algorithm,
        ),
    ]
}

/// C2: what a header asks for.
fn headers(world: &World) -> Vec<Hostile> {
    let good = claims(&[]);
    let named = |key: &str| world.ec.token(&header("ES256", key), &good);
    let with = |more: &str| {
        let header = format!("{{\"alg\":\"ES256\",\"kid\":\"ec-1\",{more}}}");
        world.ec.token(&header, &good)
    };
    let eve = Signer::p256("eve");
    let own = |header: &str| eve.token(header, &good);
    vec![
        ("kid is a path", named("../../../../dev/null"), Fault::Key),
        ("kid is SQL", named("x' UNION SELECT 'key"), Fault::Key),
        ("kid is an address", named("https://eve.example/key"), Fault::Key),
        ("kid is a command", named("ec-1; sleep 10"), Fault::Key),
        ("kid is empty", named(""), Fault::Key),
        ("kid in another case", named("EC-1"), Fault::Key),
        ("kid with a zero byte", named("ec-1\\u0000"), Fault::Key),
        ("kid is endless", named(&"k".repeat(300)), Fault::Header),
        (
            "kid is a number",
            world.ec.token(r#"{"alg":"ES256","kid":1}"#, &good),
            Fault::Header,
        ),
        (
            "kid is a list",
            world.ec.token(r#"{"alg":"ES256","kid":["ec-1"]}"#, &good),
            Fault::Header,
        ),
        (
            "jwk: brings its own key",
            own(&format!("{{\"alg\":\"ES256\",\"kid\":\"ec-1\",\"jwk\":{}}}", eve.jwk())),
            Fault::Header,
        ),
        (
            "jwk, although the signature is good",
            with(r#""jwk":{}"#),
            Fault::Header,
        ),
        ("x5c: brings a certificate", with(r#""x5c":["MIIB"]"#), Fault::Header),
        (
            "jku: names an address of keys",
            own(r#"{"alg":"ES256","kid":"eve","jku":"https://eve.example/jwks"}"#),
            Fault::Key,
        ),
        (
            "jku with a known kid",
            own(r#"{"alg":"ES256","kid":"ec-1","jku":"https://eve.example/jwks"}"#),
            Fault::Signature,
        ),
        (
            "x5u: names an address of a certificate",
            own(r#"{"alg":"ES256","kid":"ec-1","x5u":"https://eve.example/cert"}"#),
            Fault::Signature,
        ),
        (
            "crit: an unknown extension",
            with(r#""crit":["exp"],"exp":1"#),
            Fault::Header,
        ),
        ("crit is empty", with(r#""crit":[]"#), Fault::Header),
        ("crit names b64", with(r#""crit":["b64"],"b64":false"#), Fault::Header),
        ("b64 is false", with(r#""b64":false"#), Fault::Header),
        ("cty: a token in a token", with(r#""cty":"JWT""#), Fault::Header),
        ("zip", with(r#""zip":"DEF""#), Fault::Header),
        ("enc", with(r#""enc":"A128GCM""#), Fault::Header),
        ("typ: a logout token", with(r#""typ":"logout+jwt""#), Fault::Header),
        ("typ: a proof of possession", with(r#""typ":"dpop+jwt""#), Fault::Header),
        ("typ is a number", with(r#""typ":1"#), Fault::Header),
        (
            "alg twice",
            world.ec.token(r#"{"alg":"none","alg":"ES256","kid":"ec-1"}"#, &good),
            Fault::Malformed,
        ),
        (
            "alg twice, once escaped",
            world
                .ec
                .token(r#"{"alg":"ES256","kid":"ec-1","\u0061lg":"none"}"#, &good),
            Fault::Malformed,
        ),
        (
            "kid twice",
            world.ec.token(r#"{"alg":"ES256","kid":"ec-1","kid":"rsa-1"}"#, &good),
            Fault::Malformed,
        ),
    ]
}

/// The form of a token.
fn forms(world: &World) -> Vec<Hostile> {
    let good = world.of(&claims(&[]));
    let parts: Vec<&str> = good.split('.').collect();
    let [head, body, signature] = parts[..] else {
        panic!("three parts")
    };
    let raw = world.ec.sign(format!("{head}.{body}").as_bytes());
    let padded = format!("{}=", encoded(claims(&[])));
    let standard = STANDARD.encode(claims(&[("x", "\"???>>>\"")]));
    let last = signature.chars().last().expect("a character");
    // The last character of 64 bytes has four bits that mean nothing.
    let loose = char::from(last as u8 + 1);
    vec![
        ("nothing", String::new(), Fault::Malformed),
        ("two points", "..".to_owned(), Fault::Malformed),
        ("one part", head.to_owned(), Fault::Malformed),
        ("two parts", format!("{head}.{body}"), Fault::Malformed),
        ("no signature", format!("{head}.{body}."), Fault::Signature),
        ("four parts", format!("{good}.{signature}"), Fault::Malformed),
        (
            "five parts, as if encrypted",
            format!("{head}.{body}.{signature}.{body}.{head}"),
            Fault::Malformed,
        ),
        ("a space before", format!(" {good}"), Fault::Malformed),
        ("a line break after", format!("{good}\n"), Fault::Malformed),
        ("a zero byte after", format!("{good}\0"), Fault::Malformed),
        ("padding after the signature", format!("{good}=="), Fault::Malformed),
        ("padding in the claims", world.ec.parts(head, &padded), Fault::Malformed),
        (
            "base64 in place of base64url",
            world.ec.parts(head, &standard),
            Fault::Malformed,
        ),
        (
            "left-over bits in the signature",
            format!(
                "{head}.{body}.{}{loose}",
                signature.strip_suffix(last).expect("its last character")
            ),
            Fault::Malformed,
        ),
        (
            "JSON in place of base64url",
            world.ec.parts(r#"{"alg":"ES256"}"#, body),
            Fault::Malformed,
        ),
        (
            "JSON serialisation",
            format!("{{\"protected\":\"{head}\",\"payload\":\"{body}\",\"signature\":\"{signature}\"}}"),
            Fault::Malformed,
        ),
        (
            "another's claims under this signature",
            format!("{head}.{}.{signature}", encoded(claims(&[("sub", "\"root\"")]))),
            Fault::Signature,
        ),
        (
            "signature in DER",
            token::with_signature(&good, &der(&raw)),
            Fault::Signature,
        ),
        (
            "signature of zeros",
            token::with_signature(&good, &[0; 64]),
            Fault::Signature,
        ),
        (
            "signature of one byte",
            token::with_signature(&good, &[1]),
            Fault::Signature,
        ),
        (
            "signature with a byte more",
            token::with_signature(&good, &[&raw[..], &[0]].concat()),
            Fault::Signature,
        ),
        (
            "signature with a byte less",
            token::with_signature(&good, &raw[..63]),
            Fault::Signature,
        ),
        (
            "signature with a flipped bit",
            token::with_signature(&good, &[&[raw[0] ^ 1], &raw[1..]].concat()),
            Fault::Signature,
        ),
        (
            "larger than a token may be",
            world.of(&claims(&[("x", &format!("\"{}\"", "x".repeat(LARGEST)))])),
            Fault::Malformed,
        ),
        ("header is a list", world.ec.token("[]", &claims(&[])), Fault::Malformed),
        ("header is no JSON", world.ec.token("{", &claims(&[])), Fault::Malformed),
        ("claims are a text", world.of("\"admin\""), Fault::Malformed),
        (
            "claims with something after",
            world.of(&format!("{} x", claims(&[]))),
            Fault::Malformed,
        ),
        (
            "claims with a byte order mark",
            world.of(&format!("\u{feff}{}", claims(&[]))),
            Fault::Malformed,
        ),
        (
            "claims nested without end",
            world.of(&claims(&[("x", &format!("{}{}", "[".repeat(64), "]".repeat(64)))])),
            Fault::Malformed,
        ),
        (
            "claims that are no UTF-8",
            world
                .ec
                .parts(head, &encoded([b"{\"iss\":\"".as_slice(), &[0xFF], b"\"}"].concat())),
            Fault::Malformed,
        ),
    ]
}

/// A signature of two numbers in DER, as TLS has it and tokens do not.
fn der(raw: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| [&[2, 33, 0], bytes].concat();
    let (r, s) = raw.split_at(32);
    [&[0x30, 70][..], &number(r), &number(s)].concat()
}

/// C3: what a token says.
fn says(world: &World) -> Vec<Hostile> {
    let one = |name: &str, value: &str| world.of(&claims(&[(name, value)]));
    let far = (NOW + 20 * 366 * 24 * 3600).to_string();
    let many = format!("[{}]", vec!["\"g\""; 600].join(","));
    let twice = |member: &str| world.of(&claims(&[]).replacen('{', &format!("{{{member},"), 1));
    let of_b = claims(&[("iss", &format!("\"{B}\""))]);
    vec![
        ("no iss", one("iss", ""), Fault::Claims),
        ("iss is a list", one("iss", &format!("[\"{A}\"]")), Fault::Claims),
        ("iss of nobody", one("iss", "\"https://eve.example\""), Fault::Issuer),
        ("iss with a slash more", one("iss", &format!("\"{A}/\"")), Fault::Issuer),
        (
            "iss in another case",
            one("iss", "\"https://A.example\""),
            Fault::Issuer,
        ),
        (
            "iss that begins like one",
            one("iss", &format!("\"{A}.eve.example\"")),
            Fault::Issuer,
        ),
        ("iss twice", twice("\"iss\":\"https://eve.example\""), Fault::Malformed),
        (
            "of B by its name, signed by A",
            world.ec.token(&header("ES256", "ec-1"), &of_b),
            Fault::Signature,
        ),
        (
            "of A by its name, signed by B",
            world.other.token(&header("ES256", "ec-1"), &claims(&[])),
            Fault::Signature,
        ),
        ("no aud", one("aud", ""), Fault::Claims),
        ("aud of another", one("aud", "\"other\""), Fault::Audience),
        ("aud in another case", one("aud", "\"Ordain\""), Fault::Audience),
        ("aud list of others", one("aud", r#"["a","b"]"#), Fault::Audience),
        ("aud is an empty list", one("aud", "[]"), Fault::Claims),
        ("aud list with a number", one("aud", r#"["ordain",1]"#), Fault::Claims),
        ("aud is an object", one("aud", r#"{"ordain":true}"#), Fault::Claims),
        ("aud is empty", one("aud", "\"\""), Fault::Claims),
        ("aud twice", twice("\"aud\":\"other\""), Fault::Malformed),
        ("no sub", one("sub", ""), Fault::Claims),
        ("sub is a number", one("sub", "1234"), Fault::Claims),
        ("sub is empty", one("sub", "\"\""), Fault::Claims),
        ("sub with a line break", one("sub", "\"a\\nb\""), Fault::Claims),
        (
            "sub is endless",
            one("sub", &format!("\"{}\"", "s".repeat(600))),
            Fault::Claims,
        ),
        ("sub twice", twice("\"sub\":\"root\""), Fault::Malformed),
        ("no exp", one("exp", ""), Fault::Claims),
        ("exp is a text", one("exp", "\"1800000300\""), Fault::Claims),
        ("exp is a fraction", one("exp", "1800000300.5"), Fault::Claims),
        ("exp with an exponent", one("exp", "1.8e9"), Fault::Claims),
        ("exp is negative", one("exp", "-1"), Fault::Claims),
        ("exp is null", one("exp", "null"), Fault::Claims),
        ("exp is true", one("exp", "true"), Fault::Claims),
        ("exp in milliseconds", one("exp", "1800000300000"), Fault::Claims),
        (
            "exp beyond every number",
            one("exp", "99999999999999999999999999"),
            Fault::Claims,
        ),
        ("exp in twenty years", one("exp", &far), Fault::Claims),
        ("exp twice", twice("\"exp\":1"), Fault::Malformed),
        ("exp is zero", one("exp", "0"), Fault::Expired),
        ("nbf is a text", one("nbf", "\"0\""), Fault::Claims),
        ("nbf is a fraction", one("nbf", "0.5"), Fault::Claims),
        ("iat is a text", one("iat", "\"now\""), Fault::Claims),
        ("iat in the future", one("iat", "1800000061"), Fault::NotYet),
        ("auth_time in the future", one("auth_time", "1800000061"), Fault::NotYet),
        ("auth_time is a text", one("auth_time", "\"1800000000\""), Fault::Claims),
        (
            "groups are numbers",
            one("realm_access", r#"{"roles":[1]}"#),
            Fault::Claims,
        ),
        (
            "groups are an object",
            one("realm_access", r#"{"roles":{"admin":true}}"#),
            Fault::Claims,
        ),
        (
            "too many groups",
            one("realm_access", &format!("{{\"roles\":{many}}}")),
            Fault::Claims,
        ),
        ("azp is a list", one("azp", r#"["ide"]"#), Fault::Claims),
        ("email is an object", one("email", "{}"), Fault::Claims),
    ]
}
