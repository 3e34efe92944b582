//! Public test vectors for JSON web signatures, of which `scripts/eval/jws` gives the path.
//!
//! They are about signatures and headers, not about claims, so that each is asked of the two steps before claims. Those with a
//! symmetric key or another curve than ours can only be refused.

use ordain_core::wire::json::{self, Document, Limits, Node};

use crate::identity::jwk::KeySet;
use crate::identity::jws::Compact;
use crate::identity::{Algorithm, check};

/// Valid vectors that are refused on purpose: the key says `PS256` of itself, and the token is signed with PS384. The same set
/// has others that are to be refused for such a difference.
const REFUSED: [&str; 2] = ["346", "350"];

#[test]
#[expect(clippy::print_stdout, reason = "`scripts/eval/jws` shows the counts")]
fn every_invalid_signature_is_refused_and_every_valid_one_of_ours_is_taken() {
    let Ok(path) = std::env::var("ORDAIN_JWS_VECTORS") else {
        return;
    };
    let bytes = std::fs::read(&path).expect("the file");
    let document = json::parse(&bytes, &Limits::default()).expect("JSON");
    let groups = document.get(document.root(), "testGroups").expect("groups");
    let (mut refused, mut taken, mut foreign, mut on_purpose) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for group in document.children(groups) {
        let jwk = document
            .get(group, "public")
            .or_else(|| document.get(group, "private"))
            .expect("a key");
        let set = format!("{{\"keys\":[{}]}}", document.raw(jwk));
        let ours = KeySet::parse(set.as_bytes(), &Algorithm::ALL);
        let kind = member(&document, jwk, "kty");
        for test in document.children(document.get(group, "tests").expect("tests")) {
            let (id, valid) = (
                document.raw(document.get(test, "tcId").expect("an id")),
                member(&document, test, "result") == "valid",
            );
            let good = document.member_text(test, "jws").is_some_and(|token| {
                Compact::parse(&token).is_ok_and(|token| ours.as_ref().is_ok_and(|keys| check(&token, keys).is_ok()))
            });
            let foreign_key = kind == "oct" || member(&document, jwk, "crv") == "P-521";
            match (valid, good) {
                (true, true) => taken += 1,
                (false, false) => refused += 1,
                (true, false) if foreign_key => foreign += 1,
                (true, false) if REFUSED.contains(&id) => on_purpose += 1,
                _ => wrong.push((id.to_owned(), valid)),
            }
        }
    }
    println!(
        "{refused} invalid refused; {taken} valid taken; {foreign} valid refused, as their kind of key is not supported; \
         {on_purpose} valid refused on purpose"
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(taken > 0 && refused > 0, "no vectors in {path}");
}

fn member(document: &Document<'_>, node: Node, name: &str) -> String {
    document.member_text(node, name).unwrap_or_default().into_owned()
}
