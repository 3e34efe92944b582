//! Virtual keys: what a caller shows to the gateway in place of a provider's key.
//!
//! A key is text like `ord-` and 38 letters and digits. The first six of them only serve to recognise it; the other 32
//! are its secret, 190 bits of it. The store keeps an HMAC of the key under a secret of the server, so neither a stolen
//! store nor a stolen key file opens anything alone. A key is shown once, when [`issue`] makes it; after that
//! [`KeyRing::find`] is the only way from a key to its owner.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::distr::{Alphanumeric, SampleString as _};
use rand::{CryptoRng, Rng as _};
use sha2::Sha256;
use thiserror::Error;

use crate::store::{KeyRow, Store, StoreError, SubjectId};

/// A virtual key in the clear. It is shown to its owner once and never printed by accident.
pub struct Secret(String);

impl Secret {
    /// The key itself, for its owner's eyes.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A new key: its secret, and the parts that are not secret.
#[derive(Debug)]
pub struct Minted {
    /// What its owner gets to see, once.
    pub secret: Secret,
    /// The keyed hash under which it is found again.
    pub hash: [u8; 32],
    /// What people and commands call it.
    pub id: String,
    /// Its beginning, by which its owner recognises it.
    pub prefix: String,
}

/// What a key is made for.
#[derive(Debug, Clone, Copy)]
pub struct Request<'r> {
    /// The name of the principal whom it authenticates.
    pub principal: &'r str,
    /// The calling software that it is bound to.
    pub client: Option<&'r str>,
    /// A note for people.
    pub label: &'r str,
    /// When it is made, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Hashes keys under the server's own secret. Cheap to clone.
#[derive(Clone)]
pub struct KeyHasher(Hmac<Sha256>);

/// Why the server's secret could not be used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// Others on this machine can read or change it.
    #[error("`{}` can be read or changed by others (mode {mode:o}): run `chmod 600` on it", path.display())]
    Exposed {
        /// The file of the secret.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is not what was written at the first run.
    #[error("`{}` does not hold a secret: restore it from a copy, or remove it and issue all keys anew", path.display())]
    Damaged {
        /// The file of the secret.
        path: PathBuf,
    },
    /// The file could not be used.
    #[error("could not {what} `{}`", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl KeyHasher {
    /// Hashes under `secret`.
    pub fn new(secret: &[u8; SECRET_BYTES]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// Loads the server's secret from `folder`, and makes it at the first run.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Exposed`] when others can read it: then keys of this server can be guessed at, offline.
    pub fn load_or_create(folder: &Path, rng: &mut impl CryptoRng) -> Result<Self, KeyFileError> {
        let path = folder.join(FILE);
        if !path.exists() {
            create(folder, &path, rng)?;
        }
        load(&path)
    }

    /// The keyed hash of a key, as the store has it.
    pub fn hash(&self, key: &str) -> [u8; 32] {
        self.0
            .clone()
            .chain_update(key.as_bytes())
            .finalize()
            .into_bytes()
            .into()
    }

    /// Makes a new key from `rng`.
    pub fn mint(&self, rng: &mut impl CryptoRng) -> Minted {
        let text = format!("{PREFIX}{}", Alphanumeric.sample_string(rng, SHOWN_LEN + HIDDEN_LEN));
        let id: String = (0..ID_LEN)
            .map(|_| char::from(BASE32[rng.random_range(0..BASE32.len())]))
            .collect();
        Minted {
            hash: self.hash(&text),
            id: format!("k_{id}"),
            prefix: text.chars().take(PREFIX.len() + SHOWN_LEN).collect(),
            secret: Secret(text),
        }
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(…)")
    }
}

/// Makes a key for a principal and puts it into the store. The secret is in the answer and nowhere else.
pub fn issue(
    store: &mut dyn Store,
    hasher: &KeyHasher,
    rng: &mut impl CryptoRng,
    request: Request<'_>,
) -> Result<(Secret, KeyRow), StoreError> {
    let Minted {
        secret,
        hash,
        id,
        prefix,
    } = hasher.mint(rng);
    let row = KeyRow {
        id,
        hash,
        prefix,
        subject: store.subject(request.principal)?,
        client: request.client.map(str::to_owned),
        label: request.label.to_owned(),
        created_ms: request.at_ms,
        revoked_ms: None,
    };
    store.add_key(&row)?;
    Ok((secret, row))
}

/// The keys that open the gateway at one moment. It is never changed: when the store's keys have another version, the
/// server loads a new one and swaps it in.
#[derive(Debug, Clone)]
pub struct KeyRing {
    hasher: KeyHasher,
    entries: HashMap<[u8; 32], KeyEntry>,
    version: u64,
}

/// Whom a key authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyEntry {
    /// The key's id.
    pub id: String,
    /// Who stands in the records.
    pub subject: SubjectId,
    /// The principal's name.
    pub principal: String,
    /// The calling software that the key is bound to.
    pub client: Option<String>,
}

impl KeyRing {
    /// The keys of `store` that are neither revoked nor orphaned: when a principal's name is erased, its keys let nobody
    /// in any more.
    pub fn load(store: &dyn Store, hasher: &KeyHasher) -> Result<Self, StoreError> {
        // The version is read first: a change in between makes this ring old at once, and never stale for good.
        let version = store.keys_version()?;
        let mut entries = HashMap::new();
        for KeyRow {
            id,
            hash,
            subject,
            client,
            ..
        } in store.keys()?.into_iter().filter(|row| row.revoked_ms.is_none())
        {
            if let Some(principal) = store.name_of(subject)? {
                entries.insert(
                    hash,
                    KeyEntry {
                        id,
                        subject,
                        principal,
                        client,
                    },
                );
            }
        }
        Ok(Self {
            hasher: hasher.clone(),
            entries,
            version,
        })
    }

    /// Whom the presented text authenticates, if anybody.
    ///
    /// The lookup compares keyed hashes, which nobody outside can predict or steer: how long it takes says nothing about
    /// how much of a guess was right.
    pub fn find(&self, presented: &str) -> Option<&KeyEntry> {
        // Other lengths are no secret; hashing what a stranger sends at length would be work for nothing.
        let may_be_key = presented.len() == PREFIX.len() + SHOWN_LEN + HIDDEN_LEN;
        may_be_key
            .then(|| self.entries.get(&self.hasher.hash(presented)))
            .flatten()
    }

    /// A keyed hash of something else than a key, under the same secret. No key begins as `text` does.
    pub fn keyed(&self, text: &str) -> [u8; 32] {
        debug_assert!(!text.starts_with(PREFIX), "a hash of this kind could be that of a key");
        self.hasher.hash(text)
    }

    /// The [`Store::keys_version`] that this ring shows.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How many keys open the gateway.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether no key does.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Writes a new secret beside its place and links it there, so that it is whole whenever it is found, and of two
/// processes that start together one makes it.
fn create(folder: &Path, path: &Path, rng: &mut impl CryptoRng) -> Result<(), KeyFileError> {
    let failed = |what, path: &Path| {
        let path = path.to_owned();
        move |source| KeyFileError::File { what, path, source }
    };
    let mut secret = [0; SECRET_BYTES];
    rng.fill_bytes(&mut secret);
    let text: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed("make", folder))?;
    let draft = folder.join(format!("{FILE}.{}-{:08x}", std::process::id(), rng.random::<u32>()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .map_err(failed("make", &draft))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    let placed = written
        .and_then(|()| fs::hard_link(&draft, path))
        .or_else(|error| match error.kind() {
            ErrorKind::AlreadyExists => Ok(()),
            _ => Err(error),
        });
    let removed = fs::remove_file(&draft);
    placed.map_err(failed("make", path))?;
    removed.map_err(failed("remove", &draft))?;
    // Keys hashed under a secret that a power cut takes away would all be lost.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(failed("sync", folder))
}

fn load(path: &Path) -> Result<KeyHasher, KeyFileError> {
    let failed = |what| {
        move |source| KeyFileError::File {
            what,
            path: path.to_owned(),
            source,
        }
    };
    let mut file = File::open(path).map_err(failed("open"))?;
    let mode = file
        .metadata()
        .map_err(failed("read the permissions of"))?
        .permissions()
        .mode()
        & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(failed("read"))?;
    let secret = parse_hex(text.trim_end()).ok_or_else(|| KeyFileError::Damaged { path: path.to_owned() })?;
    Ok(KeyHasher::new(&secret))
}

fn parse_hex(text: &str) -> Option<[u8; SECRET_BYTES]> {
    if text.len() != 2 * SECRET_BYTES || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut secret = [0; SECRET_BYTES];
    for (byte, pair) in secret.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(secret)
}

/// What every key begins with, so that people and scanners know one.
const PREFIX: &str = "ord-";
/// How many characters after the prefix are shown in lists. They carry none of the strength.
const SHOWN_LEN: usize = 6;
/// How many characters are secret: 32 of 62 are 190 bits.
const HIDDEN_LEN: usize = 32;

const ID_LEN: usize = 8;
/// RFC 4648, in lower case: ids are read aloud.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const FILE: &str = "key-hash";
const SECRET_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use tempfile::TempDir;

    use super::{FILE, KeyFileError, KeyHasher, KeyRing, Request, SECRET_BYTES, issue};
    use crate::store::Store as _;
    use crate::store::sqlite::SqliteStore;

    const ANN: Request<'_> = Request {
        principal: "ann",
        client: Some("ide"),
        label: "laptop",
        at_ms: 5,
    };

    fn rng() -> StdRng {
        StdRng::seed_from_u64(7)
    }

    fn hasher() -> KeyHasher {
        KeyHasher::new(&[7; SECRET_BYTES])
    }

    #[test]
    fn a_key_has_the_documented_shape() {
        let mut rng = rng();
        let mut seen = HashSet::new();
        for _ in 0..100 {
            let minted = hasher().mint(&mut rng);
            let key = minted.secret.expose();
            let tail = key.strip_prefix("ord-").expect("prefix");
            assert!(
                tail.len() == 38 && tail.bytes().all(|byte| byte.is_ascii_alphanumeric()),
                "{key}"
            );
            assert!(
                key.starts_with(&minted.prefix) && minted.prefix.len() == 10,
                "{}",
                minted.prefix
            );
            let id = minted.id.strip_prefix("k_").expect("id");
            assert!(
                id.len() == 8 && id.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7')),
                "{id}"
            );
            assert_eq!(minted.hash, hasher().hash(key));
            assert!(seen.insert(key.to_owned()));
        }
    }

    #[test]
    fn the_hash_is_hmac_sha256() {
        // RFC 4231, test case 2, with its key padded as HMAC pads it.
        let mut secret = [0; SECRET_BYTES];
        secret[..4].copy_from_slice(b"Jefe");
        let hash: String = KeyHasher::new(&secret)
            .hash("what do ya want for nothing?")
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hash, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn another_server_finds_nothing_under_the_same_hash() {
        assert_ne!(hasher().hash("ord-x"), KeyHasher::new(&[8; SECRET_BYTES]).hash("ord-x"));
    }

    #[test]
    fn neither_secret_is_ever_printed() {
        let minted = hasher().mint(&mut rng());
        let tail = minted.secret.expose().strip_prefix(&minted.prefix).expect("prefix");
        assert!(!format!("{minted:?}").contains(tail));
        assert_eq!(format!("{:?}", hasher()), "KeyHasher(…)");
    }

    #[test]
    fn a_ring_finds_the_owner_until_the_key_is_revoked() {
        let dir = TempDir::new().expect("temporary directory");
        let mut store = SqliteStore::open(dir.path()).expect("open");
        let (secret, row) = issue(&mut store, &hasher(), &mut rng(), ANN).expect("issue");
        let ring = KeyRing::load(&store, &hasher()).expect("load");
        let entry = ring.find(secret.expose()).expect("found");
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
            assert_eq!(ring.find(wrong), None, "{wrong}");
        }

        store.revoke_key(&row.id, 6).expect("revoke");
        assert_ne!(
            ring.version(),
            store.keys_version().expect("version"),
            "the old ring is known to be old"
        );
        let ring = KeyRing::load(&store, &hasher()).expect("load");
        assert_eq!((ring.find(key), ring.is_empty()), (None, true));
    }

    #[test]
    fn a_key_whose_owner_was_erased_opens_nothing() {
        let dir = TempDir::new().expect("temporary directory");
        let mut store = SqliteStore::open(dir.path()).expect("open");
        let (secret, row) = issue(&mut store, &hasher(), &mut rng(), ANN).expect("issue");
        store.erase_name(row.subject).expect("erase");
        assert_eq!(
            KeyRing::load(&store, &hasher()).expect("load").find(secret.expose()),
            None
        );
    }

    #[test]
    fn the_secret_is_made_once_for_its_owner_alone() {
        let dir = TempDir::new().expect("temporary directory");
        let folder = dir.path().join("keys");
        let first = KeyHasher::load_or_create(&folder, &mut rng()).expect("make");
        let again = KeyHasher::load_or_create(&folder, &mut StdRng::seed_from_u64(8)).expect("load");
        assert_eq!(first.hash("ord-x"), again.hash("ord-x"));
        let mode = |path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!((mode(folder.clone()), mode(folder.join(FILE))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&folder).expect("list").count(), 1, "no draft stays behind");
    }

    #[test]
    fn a_secret_that_others_can_read_is_refused() {
        let dir = TempDir::new().expect("temporary directory");
        KeyHasher::load_or_create(dir.path(), &mut rng()).expect("make");
        for mode in [0o640, 0o604, 0o620, 0o610] {
            fs::set_permissions(dir.path().join(FILE), Permissions::from_mode(mode)).expect("set permissions");
            let error = KeyHasher::load_or_create(dir.path(), &mut rng()).expect_err("exposed");
            assert!(
                matches!(error, KeyFileError::Exposed { mode: found, .. } if found == mode),
                "{error}"
            );
        }
    }

    #[test]
    fn a_damaged_secret_is_refused_and_left_alone() {
        let dir = TempDir::new().expect("temporary directory");
        KeyHasher::load_or_create(dir.path(), &mut rng()).expect("make");
        let path = dir.path().join(FILE);
        let long = "0".repeat(65);
        for text in ["", "abc", &"g".repeat(64), &long] {
            fs::write(&path, text).expect("write");
            let error = KeyHasher::load_or_create(dir.path(), &mut rng()).expect_err("damaged");
            assert!(matches!(error, KeyFileError::Damaged { .. }), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
    }
}
