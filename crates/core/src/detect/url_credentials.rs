//! Passwords in addresses: `postgres://app:…@db.internal/orders`, `https://ci:…@git.example.com`.
//!
//! **Finds** the password between a user and the host of an address (RFC 3986 §3.2.1, which deprecates it and nobody minds): as
//! `database-url` where the scheme is a database's, a queue's or a cache's, else as `url-credentials`. Only the password is the match, so that
//! what is masked still says where it led.
//!
//! **Matters** because one line of a configuration opens the database, and such lines are pasted when something does not work.
//!
//! **Deliberately does not find** what stands for a password (`<password>`, `${PASS}`, `****`, `user:password@`), users without one, and
//! passwords with a `/`, `?` or `#` in them, which end the authority of an address (RFC 3986 §3.2).
//!
//! **Tune** by `database-url`, which is hardly ever wrong.

use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::walk::Probe;
use super::{Detector, DetectorFailure, EntityId, Horizon, Match, Window};

/// The detector of passwords in addresses.
#[derive(Debug, Clone, Copy)]
pub struct UrlCredentials;

const ID: &str = "url-credentials";
const DATABASE: &str = "database-url";

/// Schemes of databases, queues and caches.
const SCHEMES: &[&str] = &[
    "amqp",
    "amqps",
    "clickhouse",
    "cockroachdb",
    "couchbase",
    "db2",
    "elasticsearch",
    "kafka",
    "libsql",
    "mariadb",
    "mongodb",
    "mongodb+srv",
    "mssql",
    "mysql",
    "mysql2",
    "nats",
    "neo4j",
    "oracle",
    "postgis",
    "postgres",
    "postgresql",
    "redis",
    "rediss",
    "snowflake",
    "sqlserver",
    "tds",
];

/// What is written in place of a password, in lower case.
const PLACEHOLDERS: &[&str] = &[
    "pass",
    "password",
    "passwd",
    "pwd",
    "secret",
    "your-password",
    "your_password",
    "yourpassword",
    "token",
];

impl Detector for UrlCredentials {
    fn id(&self) -> &str {
        ID
    }

    fn version(&self) -> u32 {
        1
    }

    fn entities(&self) -> Vec<EntityId> {
        vec![EntityId::from(DATABASE), EntityId::from(ID)]
    }

    fn horizon(&self) -> Horizon {
        Horizon::Bounded(2 * LONGEST + 8)
    }

    fn shortest(&self) -> usize {
        SHORTEST
    }

    fn detect(&self, window: Window<'_>, matches: &mut Vec<Match>) -> Result<usize, DetectorFailure> {
        let bytes = window.text.as_bytes();
        let probe = Probe::new(bytes);
        let mut position = window.from;
        while let Some(found) = AUTHORITY.find(bytes.get(position..).unwrap_or_default()) {
            let start = position + found;
            probe.forget();
            let password = judge(&probe, start + 3);
            if probe.starved() && !window.complete {
                return Ok(start);
            }
            position = start + 3;
            if let Some(span) = password {
                position = span.end;
                let entity = EntityId::from(if is_database(&probe, start) { DATABASE } else { ID });
                matches.push(Match { entity, span });
            }
        }
        let open = match bytes.get(position..).unwrap_or_default() {
            [.., b':', b'/'] => bytes.len() - 2,
            [.., b':'] => bytes.len() - 1,
            _ => bytes.len(),
        };
        Ok(if window.complete { bytes.len() } else { open })
    }
}

/// What stands in front of the authority of an address.
static AUTHORITY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"://"));

/// The password of an authority that begins at an offset.
fn judge(probe: &Probe<'_>, start: usize) -> Option<std::ops::Range<usize>> {
    let plain = |byte: u8| {
        byte.is_ascii_graphic()
            && !matches!(
                byte,
                b'/' | b'?' | b'#' | b'@' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\'
            )
    };
    let user = probe.run(start, LONGEST, |byte| plain(byte) && byte != b':');
    let from = start + user;
    (probe.at(from) == Some(b':')).then_some(())?;
    let length = probe.run(from + 1, LONGEST, plain);
    let end = from + 1 + length;
    // Behind it comes a host, or a port would have been meant.
    (length >= SHORTEST
        && probe.at(end) == Some(b'@')
        && probe.is(end + 1, |byte| byte.is_ascii_alphanumeric() || byte == b'['))
    .then_some(())?;
    let password = probe.known(from + 1, end);
    let written = password.to_ascii_lowercase();
    let stands_for_one = PLACEHOLDERS.iter().any(|word| written == word.as_bytes())
        || matches!(password.first(), Some(b'$' | b'{' | b'%' | b'[' | b'('))
        || password.iter().all(|byte| Some(byte) == password.first());
    (!stands_for_one).then_some(from + 1..end)
}

/// Whether the scheme that ends at an offset is a database's. `jdbc:` and `sqlalchemy`'s drivers stand around it.
fn is_database(probe: &Probe<'_>, end: usize) -> bool {
    let before = probe.behind(end, LONGEST_SCHEME);
    let scheme = before
        .rsplit(|byte| !byte.is_ascii_alphanumeric() && *byte != b'+')
        .next()
        .unwrap_or_default();
    let scheme = scheme.to_ascii_lowercase();
    let driver = scheme.split(|&byte| byte == b'+').next().unwrap_or_default();
    SCHEMES
        .iter()
        .any(|known| known.as_bytes() == scheme || known.as_bytes() == driver)
}

/// The longest name of a user, and the longest password.
const LONGEST: usize = 256;
const SHORTEST: usize = 3;
const LONGEST_SCHEME: usize = 32;

#[cfg(test)]
pub(super) const HITS: &[&str] = &[
    "postgres://app:«s3cr3t-Pa55»@db.internal:5432/orders",
    "SQLALCHEMY=postgresql+asyncpg://app:«x9!k»@10.0.0.5/x",
    "mongodb+srv://admin:«Zq8hT7kq»@cluster0.example.net/?retryWrites=true",
    "git clone https://ci:«glowworm7»@git.example.com/a.git",
    "redis://:«hunter22»@cache:6379/0",
];

#[cfg(test)]
pub(super) const MISSES: &[&str] = &[
    "https://example.com:8080/a@b",
    "postgres://user:password@localhost/db",
    "https://user:${TOKEN}@example.com",
    "https://ada@example.com",
    "http://a:****@example.com",
    "see a://b:c",
    "http://127.0.0.1:46529#@example.com/x.png",
];
