//! The keys that open the gateway at one moment.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::{HIDDEN_LEN, KeyHasher, PREFIX, SHOWN_LEN};
use crate::store::{KeyRow, Store, StoreError, SubjectId, Terms};

/// The keys that open the gateway. It is never changed: when the store's keys have another version, the server loads a new one
/// and swaps it in.
#[derive(Debug, Clone)]
pub struct KeyRing {
    hasher: KeyHasher,
    entries: HashMap<[u8; 32], Arc<KeyEntry>>,
    version: u64,
}

/// Whom a key authenticates, and what for.
#[derive(Debug)]
pub struct KeyEntry {
    /// The key's id.
    pub id: String,
    /// Who stands in the records.
    pub subject: SubjectId,
    /// The principal's name.
    pub principal: String,
    /// The calling software that the key is bound to.
    pub client: Option<String>,
    /// The moment from which on it lets nobody in, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
    /// The id of the first key of its line.
    pub line: Arc<str>,
    /// What it may be used for.
    pub terms: Terms,
    used: Arc<LastUse>,
}

/// The last day on which a key was used, and the one that the store knows, in days since 1970.
#[derive(Debug)]
struct LastUse {
    day: AtomicI64,
    stored: AtomicI64,
}

impl KeyRing {
    /// The keys of `store` that are neither revoked nor orphaned: when a principal's name is erased, its keys let nobody
    /// in any more.
    pub fn load(store: &dyn Store, hasher: &KeyHasher) -> Result<Self, StoreError> {
        // The version is read first: a change in between makes this ring old at once, and never stale for good.
        let version = store.keys_version()?;
        let mut entries = HashMap::new();
        for row in store.keys()?.into_iter().filter(|row| row.revoked_ms.is_none()) {
            if let Some(principal) = store.name_of(row.subject)? {
                entries.insert(row.hash, Arc::new(KeyEntry::new(row, principal)));
            }
        }
        Ok(Self {
            hasher: hasher.clone(),
            entries,
            version,
        })
    }

    /// Goes on with the days of use that an older ring knows and the store may not.
    #[must_use]
    pub fn after(mut self, older: &Self) -> Self {
        for (hash, entry) in &mut self.entries {
            if let (Some(known), Some(entry)) = (older.entries.get(hash), Arc::get_mut(entry)) {
                entry.used = Arc::clone(&known.used);
            }
        }
        self
    }

    /// Whom the presented text authenticates at a moment, if anybody.
    ///
    /// The lookup compares keyed hashes, which nobody outside can predict or steer: how long it takes says nothing about
    /// how much of a guess was right.
    pub fn find(&self, presented: &str, now_ms: i64) -> Option<&Arc<KeyEntry>> {
        // Other lengths are no secret; hashing what a stranger sends at length would be work for nothing.
        let may_be_key = presented.len() == PREFIX.len() + SHOWN_LEN + HIDDEN_LEN;
        let entry = may_be_key
            .then(|| self.entries.get(&self.hasher.hash(presented)))
            .flatten()?;
        entry.expires_ms.is_none_or(|end| now_ms < end).then_some(entry)
    }

    /// The ids of keys with a day of use that the store does not know yet. Whoever writes them says so with
    /// [`Self::stored_use`].
    pub fn unstored_use(&self) -> Vec<(String, i64)> {
        let entries = self.entries.values();
        let news = entries.filter_map(|entry| Some((entry.id.clone(), entry.used.news()?)));
        news.collect()
    }

    /// Notes that the store knows these days of use.
    pub fn stored_use(&self, used: &[(String, i64)]) {
        let used: HashMap<&str, i64> = used.iter().map(|(id, day)| (id.as_str(), *day)).collect();
        for entry in self.entries.values() {
            if let Some(day) = used.get(entry.id.as_str()) {
                entry.used.stored.fetch_max(*day, Ordering::Relaxed);
            }
        }
    }

    /// A keyed hash of something else than a key, under the same secret. No key begins as `text` does.
    pub fn keyed(&self, text: &str) -> [u8; 32] {
        debug_assert!(!text.starts_with(PREFIX), "a hash of this kind could be that of a key");
        self.hasher.hash(text)
    }

    /// What hashes them.
    pub const fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// The [`Store::keys_version`] that this ring shows.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many keys open the gateway, those included whose time is over.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key does.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl KeyEntry {
    fn new(row: KeyRow, principal: String) -> Self {
        let known = row.used_day.unwrap_or(i64::MIN);
        Self {
            id: row.id,
            subject: row.subject,
            principal,
            client: row.client,
            expires_ms: row.expires_ms,
            line: row.line.into(),
            terms: row.terms,
            used: Arc::new(LastUse {
                day: AtomicI64::new(known),
                stored: AtomicI64::new(known),
            }),
        }
    }

    /// Notes that it was used on a day. The store hears of it later, with those of other keys.
    pub fn used_on(&self, day: i64) {
        // A look first: a line of memory that all workers write for each request would be passed between them all the time.
        if self.used.day.load(Ordering::Relaxed) < day {
            self.used.day.fetch_max(day, Ordering::Relaxed);
        }
    }
}

impl LastUse {
    /// The day, if the store does not know it.
    fn news(&self) -> Option<i64> {
        let day = self.day.load(Ordering::Relaxed);
        (day > self.stored.load(Ordering::Relaxed)).then_some(day)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use tempfile::TempDir;

    use super::super::hasher::SECRET_BYTES;
    use super::super::{Request, Secret, issue, rotate};
    use super::*;
    use crate::store::sqlite::SqliteStore;

    fn ann() -> Request<'static> {
        Request {
            client: Some("ide"),
            ..Request::unlimited("ann", "laptop", 5)
        }
    }

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    fn hasher() -> KeyHasher {
        KeyHasher::new(&[7; SECRET_BYTES])
    }

    fn store() -> (TempDir, SqliteStore) {
        let dir = TempDir::new().expect("temporary directory");
        let store = SqliteStore::open(dir.path()).expect("open");
        (dir, store)
    }

    fn opens(store: &SqliteStore, secret: &Secret, now_ms: i64) -> bool {
        let ring = KeyRing::load(store, &hasher()).expect("load");
        ring.find(secret.expose(), now_ms).is_some()
    }

    #[test]
    fn a_ring_finds_the_owner_until_the_key_is_revoked() {
        let (_dir, mut store) = store();
        let (secret, row) = issue(&mut store, &hasher(), &mut rng(), ann()).expect("issue");
        let ring = KeyRing::load(&store, &hasher()).expect("load");
        let entry = ring.find(secret.expose(), 6).expect("found");
        assert_eq!(
            (&*entry.id, &*entry.principal, entry.client.as_deref()),
            (&*row.id, "ann", Some("ide"))
        );
        assert_eq!(entry.subject, store.subject("ann").expect("subject"));
        assert_eq!(ring.version(), store.keys_version().expect("version"));

        let key = secret.expose();
        let reversed: String = key.chars().rev().collect();
        let swapped = key.replacen(&row.prefix, "ord-000000", 1);
        for wrong in [
            "",
            "ord-",
            &row.prefix,
            &swapped,
            &reversed,
            &key.to_uppercase(),
            &format!("{key} "),
        ] {
            assert!(ring.find(wrong, 6).is_none(), "{wrong}");
        }

        store.revoke_key(&row.id, 6).expect("revoke");
        assert_ne!(
            ring.version(),
            store.keys_version().expect("version"),
            "the old ring is known to be old"
        );
        let ring = KeyRing::load(&store, &hasher()).expect("load");
        assert!(ring.find(key, 6).is_none() && ring.is_empty());
    }

    #[test]
    fn a_key_whose_owner_was_erased_opens_nothing() {
        let (_dir, mut store) = store();
        let (secret, row) = issue(&mut store, &hasher(), &mut rng(), ann()).expect("issue");
        store.erase_name(row.subject).expect("erase");
        assert!(!opens(&store, &secret, 6));
    }

    #[test]
    fn a_key_opens_until_its_last_millisecond() {
        let (_dir, mut store) = store();
        let request = Request {
            expires_ms: Some(100),
            ..ann()
        };
        let (secret, _) = issue(&mut store, &hasher(), &mut rng(), request).expect("issue");
        assert!(opens(&store, &secret, 99));
        assert!(!opens(&store, &secret, 100));
    }

    #[test]
    fn a_rotated_key_goes_on_until_the_overlap_ends_and_hands_over_its_terms() {
        let (_dir, mut store) = store();
        let mut rng = rng();
        let terms =
            Terms::from_json(r#"{"models":["gpt-*"],"limits":["tokens=5/day"],"use":"coding"}"#).expect("terms");
        let request = Request {
            expires_ms: Some(1_005),
            terms: terms.clone(),
            ..ann()
        };
        let (first, old) = issue(&mut store, &hasher(), &mut rng, request).expect("issue");
        let rotated = rotate(&mut store, &hasher(), &mut rng, &old, 100, 200, None).expect("rotate");
        let (second, new) = rotated.expect("a new key");
        assert_ne!(first.expose(), second.expose());
        assert_eq!((&new.terms, &new.line, new.subject), (&terms, &old.id, old.subject));
        assert_eq!(
            new.expires_ms,
            Some(1_100),
            "it lives as long as the old one was made for"
        );
        for (now, old, new) in [
            (199, true, true),
            (200, false, true),
            (1_099, false, true),
            (1_100, false, false),
        ] {
            assert_eq!(
                (opens(&store, &first, now), opens(&store, &second, now)),
                (old, new),
                "{now}"
            );
        }
        // An overlap never lengthens a life.
        let rotated = rotate(&mut store, &hasher(), &mut rng, &new, 300, 9_000, Some(400)).expect("rotate");
        let (_, third) = rotated.expect("a new key");
        assert_eq!((third.expires_ms, &third.line), (Some(400), &old.id));
        assert!(!opens(&store, &second, 1_100));

        store.revoke_key(&third.id, 350).expect("revoke");
        let rotated = rotate(&mut store, &hasher(), &mut rng, &third, 360, 370, None).expect("rotate");
        assert!(rotated.is_none(), "a revoked key has no successor");
        assert_eq!(store.keys().expect("keys").len(), 3);
    }

    #[test]
    fn the_day_of_use_is_told_once_and_outlives_the_ring() {
        let (_dir, mut store) = store();
        let (secret, row) = issue(&mut store, &hasher(), &mut rng(), ann()).expect("issue");
        let ring = KeyRing::load(&store, &hasher()).expect("load");
        assert_eq!(ring.unstored_use(), []);
        ring.find(secret.expose(), 6).expect("found").used_on(20_000);
        let ring = KeyRing::load(&store, &hasher()).expect("load").after(&ring);
        let used = ring.unstored_use();
        assert_eq!(used, [(row.id, 20_000)]);
        store.note_key_use(&used).expect("note");
        ring.stored_use(&used);
        assert_eq!(ring.unstored_use(), []);
        let entry = ring.find(secret.expose(), 6).expect("found");
        entry.used_on(19_999);
        assert_eq!(ring.unstored_use(), [], "an earlier day is no news");
        assert_eq!(
            store.keys().expect("keys").first().and_then(|key| key.used_day),
            Some(20_000)
        );
    }
}
