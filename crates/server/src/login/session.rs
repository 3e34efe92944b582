//! The file in which a sign-in is kept: for its owner alone, whole or not at all.

use std::fmt;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};
use thiserror::Error;

use super::Wanted;

/// A token that nobody prints by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The token, for whoever it is meant for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A person who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// With whom, and for what.
    pub wanted: Wanted,
    /// What opens the gateway.
    pub access_token: Secret,
    /// What gets the next one.
    pub refresh_token: Option<Secret>,
    /// Until when the first is good, if the issuer said so.
    pub expires: Option<Timestamp>,
}

/// Why the file of a sign-in could not be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// Nobody knows where it should be.
    #[error("neither `XDG_CONFIG_HOME` nor `HOME` says where your configuration is")]
    NoHome,
    /// Others can read it.
    #[error("`{}` can be read by others (mode {mode:04o}): `ordain logout`, and sign in again", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not what was written.
    #[error("`{}` does not hold a sign-in: `ordain logout`, and sign in again", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// It could not be used.
    #[error("could not {what} `{}`", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The file of one person.
#[derive(Debug, Clone)]
pub struct Place(PathBuf);

/// Nobody else reads or writes the file for as long as it lives. A refresh token works once at most issuers, so that two
/// programs that renew together would lose the sign-in.
#[derive(Debug)]
pub struct Held {
    // Closing it ends the lock.
    _file: File,
}

impl Place {
    /// The usual place, by the environment (XDG Base Directory Specification).
    ///
    /// # Errors
    ///
    /// [`FileError::NoHome`].
    pub fn usual() -> Result<Self, FileError> {
        let folder = |name: &str| {
            std::env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let config = folder("XDG_CONFIG_HOME").or_else(|| folder("HOME").map(|home| home.join(".config")));
        config
            .map(|config| Self::in_folder(&config.join("ordain")))
            .ok_or(FileError::NoHome)
    }

    /// The place in a folder.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self(folder.join("login.json"))
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Waits until nobody else uses the file; makes its folder.
    ///
    /// # Errors
    ///
    /// [`FileError::File`].
    pub fn hold(&self) -> Result<Held, FileError> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(failed("make", folder))?;
        let path = self.0.with_extension("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = file.map_err(failed("make", &path))?;
        file.lock().map_err(failed("lock", &path))?;
        Ok(Held { _file: file })
    }

    /// The sign-in that is kept; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`FileError`].
    pub fn read(&self) -> Result<Option<Session>, FileError> {
        let path = self.0.clone();
        let metadata = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed("read", &path))?,
        };
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(FileError::Exposed { path, mode });
        }
        let text = fs::read(&path).map_err(failed("read", &path))?;
        let value = serde_json::from_slice(&text).ok();
        value
            .as_ref()
            .and_then(parse)
            .map(Some)
            .ok_or(FileError::Damaged { path })
    }

    /// Puts a sign-in in the place of whatever is there, in one step.
    ///
    /// # Errors
    ///
    /// [`FileError::File`].
    pub fn write(&self, _held: &Held, session: &Session) -> Result<(), FileError> {
        let draft = self.0.with_extension(format!("{}", std::process::id()));
        let written = draft_of(&draft, session).and_then(|()| fs::rename(&draft, &self.0));
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written.map_err(failed("write", &self.0))
    }

    /// Removes it. False if there was none.
    ///
    /// # Errors
    ///
    /// [`FileError::File`].
    pub fn remove(&self, _held: &Held) -> Result<bool, FileError> {
        match fs::remove_file(&self.0) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(source) => Err(failed("remove", &self.0)(source)),
        }
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
    let path = path.to_owned();
    move |source| FileError::File { what, path, source }
}

fn draft_of(path: &Path, session: &Session) -> io::Result<()> {
    // What an earlier run of the same number left behind.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let wanted = &session.wanted;
    let value = json!({
        "v": 1,
        "issuer": wanted.issuer,
        "client_id": wanted.client_id,
        "audience": wanted.audience,
        "scopes": wanted.scopes,
        "access_token": session.access_token.expose(),
        "refresh_token": session.refresh_token.as_ref().map(Secret::expose),
        "expires": session.expires.map(Timestamp::as_second),
    });
    file.write_all(value.to_string().as_bytes())?;
    file.sync_all()
}

fn parse(value: &Value) -> Option<Session> {
    if value.get("v").and_then(Value::as_u64) != Some(1) {
        return None;
    }
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let scopes = value.get("scopes")?.as_array()?.iter();
    Some(Session {
        wanted: Wanted {
            issuer: text("issuer")?,
            client_id: text("client_id")?,
            audience: text("audience"),
            scopes: scopes
                .map(|scope| scope.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
        },
        access_token: Secret(text("access_token")?),
        refresh_token: text("refresh_token").map(Secret),
        expires: value
            .get("expires")
            .and_then(Value::as_i64)
            .and_then(|at| Timestamp::from_second(at).ok()),
    })
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn session() -> Session {
        Session {
            wanted: Wanted {
                issuer: "https://login.example".to_owned(),
                client_id: "ordain".to_owned(),
                audience: Some("https://ai.example".to_owned()),
                scopes: vec!["openid".to_owned()],
            },
            access_token: "secret-a".into(),
            refresh_token: Some("secret-r".into()),
            expires: Timestamp::from_second(1_796_904_000).ok(),
        }
    }

    #[test]
    fn what_is_written_reads_back_and_is_its_owners_alone() {
        let dir = TempDir::new().expect("a folder");
        let place = Place::in_folder(&dir.path().join("config/ordain"));
        assert_eq!(place.read().expect("read"), None);
        let held = place.hold().expect("held");
        place.write(&held, &session()).expect("written");
        assert_eq!(place.read().expect("read"), Some(session()));
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(
            (mode(place.path()), mode(place.path().parent().expect("a folder"))),
            (0o600, 0o700)
        );
        let mut left: Vec<_> = fs::read_dir(place.path().parent().expect("a folder"))
            .expect("read")
            .collect();
        left.retain(|entry| entry.as_ref().is_ok_and(|entry| entry.file_name() != "login.lock"));
        assert_eq!(left.len(), 1, "{left:?}");
        assert!(place.remove(&held).expect("removed") && !place.remove(&held).expect("gone"));
    }

    #[test]
    fn what_others_can_read_or_is_broken_is_refused() {
        let dir = TempDir::new().expect("a folder");
        let place = Place::in_folder(dir.path());
        let held = place.hold().expect("held");
        place.write(&held, &session()).expect("written");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o644)).expect("set");
        assert!(matches!(place.read(), Err(FileError::Exposed { mode: 0o644, .. })));
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o600)).expect("set");
        fs::write(place.path(), "{\"v\": 2}").expect("written");
        assert!(matches!(place.read(), Err(FileError::Damaged { .. })));
    }

    #[test]
    fn tokens_are_not_in_what_is_printed_for_debugging() {
        assert!(!format!("{:?}", session()).contains("secret"));
    }
}
