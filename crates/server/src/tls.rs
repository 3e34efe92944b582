//! TLS from clients: a certificate and its key from PEM files, as the configuration names them.
//!
//! The files are part of a version: when they change, connections from then on get the new certificate. Versions 1.2 and 1.3,
//! by rustls; HTTP/1.1 is all that is offered (ALPN). Read [`server`] first.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;

use crate::certificates::Certificates;
use crate::config::Tls;

/// Why a certificate cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file could not be read.
    #[error("`{}` could not be read", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file has nothing of the kind in it.
    #[error("`{}` has no {what} in PEM", path.display())]
    Missing {
        /// Which.
        path: PathBuf,
        /// What it should have.
        what: &'static str,
    },
    /// Others can read the key.
    #[error("`{}` can be read by others (mode {mode:04o}): `chmod 600` it", path.display())]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("`{}` and its key cannot be used together", certificate.display())]
    Unusable {
        /// The certificate.
        certificate: PathBuf,
        /// Why.
        source: rustls::Error,
    },
    /// Authorities or lists of revoked certificates are not what they should be.
    #[error("`{}` cannot be used: {reason}", path.display())]
    Clients {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// What the configuration names, ready for connections, with what clients' certificates are verified by. Relative paths are
/// below `folder`.
///
/// # Errors
///
/// [`TlsError`] with the file that is at fault.
pub fn server(tls: &Tls, clients: Option<&Certificates>, folder: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let (certificate, key) = (folder.join(&tls.certificate), folder.join(&tls.key));
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&read(&certificate)?)
        .collect::<Result<_, _>>()
        .unwrap_or_default();
    if chain.is_empty() {
        return Err(TlsError::Missing {
            path: certificate,
            what: "certificate",
        });
    }
    let private = private_key(&key)?;
    let builder = ServerConfig::builder();
    let builder = match clients {
        Some(clients) => builder.with_client_cert_verifier(clients.verifier()),
        None => builder.with_no_client_auth(),
    };
    let config = builder.with_single_cert(chain, private);
    let mut config = config.map_err(|source| TlsError::Unusable { certificate, source })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let metadata = std::fs::metadata(path).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(TlsError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| TlsError::Missing {
        path: path.to_owned(),
        what: "private key",
    })
}

/// The bytes of a PEM file, within bounds.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    // Certificates are small, and lists of revoked ones seldom large; whatever is larger is something else.
    let read = File::open(path).and_then(|file| file.take(16 * 1024 * 1024).read_to_end(&mut bytes));
    read.map(|_| bytes).map_err(|source| TlsError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[test]
    fn what_cannot_be_used_is_said_with_its_file() {
        let dir = TempDir::new().expect("a folder");
        let tls = Tls {
            certificate: "cert.pem".into(),
            key: "key.pem".into(),
            clients: None,
        };
        let said = || server(&tls, None, dir.path()).expect_err("unusable").to_string();
        assert!(said().contains("cert.pem` could not be read"), "{}", said());
        fs::write(dir.path().join("cert.pem"), "nothing").expect("written");
        assert!(said().contains("has no certificate in PEM"), "{}", said());
        let certificate = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
        fs::write(dir.path().join("cert.pem"), certificate).expect("written");
        assert!(said().contains("key.pem` could not be read"), "{}", said());
        let key = dir.path().join("key.pem");
        fs::write(&key, "nothing").expect("written");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("set");
        assert!(said().contains("can be read by others (mode 0644)"), "{}", said());
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("set");
        assert!(said().contains("has no private key in PEM"), "{}", said());
    }
}
