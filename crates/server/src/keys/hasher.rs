//! The keyed hash of keys, the secret of the server that keys it, and the file of that secret.

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

use super::{HIDDEN_LEN, Minted, PREFIX, SHOWN_LEN, Secret};

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

const ID_LEN: usize = 8;
/// RFC 4648, in lower case: ids are read aloud.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

const FILE: &str = "key-hash";
/// The bytes of the server's secret.
pub(super) const SECRET_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use rand::SeedableRng as _;
    use rand::rngs::StdRng;
    use tempfile::TempDir;

    use super::{FILE, KeyFileError, KeyHasher, SECRET_BYTES};

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
