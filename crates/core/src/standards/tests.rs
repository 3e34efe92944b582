//! The packs hold together: ids stand once, parents and successors exist, names lead to one pack or to several editions.

use std::collections::BTreeSet;

use super::*;

#[test]
fn every_pack_is_whole() {
    assert!(packs().is_sorted_by(|one, two| one.id < two.id));
    for pack in packs() {
        for field in [pack.id, pack.name, pack.version, pack.publisher, pack.url, pack.licence] {
            assert!(!field.is_empty(), "{}", pack.id);
        }
        let ids: BTreeSet<&str> = pack.items.iter().map(|item| item.id).collect();
        assert_eq!(ids.len(), pack.items.len(), "{}: an id stands twice", pack.id);
        let short: BTreeSet<&str> = pack.items.iter().map(|item| pack.short(item)).collect();
        assert_eq!(short.len(), ids.len(), "{}: two short ids are one", pack.id);
        for item in &pack.items {
            assert!(!item.kind.is_empty(), "{} {}", pack.id, item.id);
            assert!(item.parent.is_none_or(|parent| ids.contains(parent)), "{}", item.id);
            let next = pack.successor.unwrap_or(pack.id);
            assert!(
                item.successor.is_none_or(|id| resolve(next, id).is_some()),
                "{}",
                item.id
            );
        }
        assert_eq!(pack.retired, pack.successor.is_some(), "{}", pack.id);
        assert!(
            pack.successor
                .is_none_or(|id| super::pack(id).is_some_and(|next| !next.retired))
        );
        assert!(
            pack.aliases.iter().all(|alias| super::pack(alias).is_none()),
            "{}",
            pack.id
        );
    }
}

#[test]
fn an_item_is_found_by_its_id_and_without_what_all_have_in_common() {
    let id = |pack, item| resolve(pack, item).map(|item| item.id);
    assert_eq!(id("owasp-llm-2026", "LLM02"), Some("LLM02:2026"));
    assert_eq!(id("owasp-llm-2026", "LLM02:2026"), Some("LLM02:2026"));
    assert_eq!(id("owasp-llm-2026", "LLM02:2025"), None);
    assert_eq!(id("mitre-atlas", "AML.T0051"), Some("AML.T0051"));
    assert_eq!(id("mitre-atlas", "T0051"), Some("AML.T0051"));
    assert_eq!(id("nist-ai-rmf-1.0", "GOVERN 1.1"), Some("GOVERN 1.1"));
    assert_eq!(id("iso-42001-2023", "A.2.2"), Some("A.2.2"));
    assert_eq!(id("owasp-llm", "LLM02"), None);
}

#[test]
fn what_is_retired_names_its_successor() {
    let atlas = resolve("mitre-atlas", "T0019").expect("a retired technique");
    assert!(atlas.is_retired());
    assert_eq!(atlas.successor, Some("AML.T0115.000"));
    let moved = resolve("owasp-llm-2025", "LLM06").expect("a risk of 2025");
    assert_eq!(moved.successor, Some("LLM03:2026"));
}

#[test]
fn a_name_without_a_version_leads_to_the_editions() {
    let ids = |name| versions(name).iter().map(|pack| pack.id).collect::<Vec<_>>();
    assert_eq!(ids("owasp-llm"), ["owasp-llm-2025", "owasp-llm-2026"]);
    assert_eq!(ids("nist-ai-rmf"), ["nist-ai-rmf-1.0"]);
    assert_eq!(ids("owasp-llm-2026"), [""; 0]);
}

/// What may not be passed on is not in the files.
#[test]
fn packs_carry_no_more_than_their_licences_let_them() {
    let aicm = pack("csa-aicm-1.1").expect("the pack");
    assert!(aicm.items.iter().all(|item| item.title.is_none()));
    for pack in packs().iter().filter(|pack| pack.licence.contains("rights reserved")) {
        let longest = pack.items.iter().filter_map(|item| item.title).map(str::len).max();
        assert!(longest.unwrap_or(0) < 80, "{} carries sentences", pack.id);
    }
}
