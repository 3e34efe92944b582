//! Certificates of clients: which of them count, and whom they stand for (threats I7, C8).
//!
//! Chain, validity, use and revocation are webpki's to verify. What is ours is the way from a verified certificate to a
//! principal: by one kind of alternative name (RFC 5280, section 4.2.1.6) and a rule of the configuration, never by the
//! subject's common name. Where the rule leaves no name or several, the certificate stands for nobody. Read
//! [`Certificates::prove`] first.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use rustls::RootCertStore;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};

use crate::config::{Clients, PrincipalRule, San};
use crate::tls::{self, TlsError};

/// What certificates of clients are verified by, ready for use.
#[derive(Debug)]
pub struct Certificates {
    verifier: Arc<dyn ClientCertVerifier>,
    rule: PrincipalRule,
    required: bool,
    groups: Vec<String>,
    client: Option<String>,
}

/// Whom a certificate stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The principal.
    pub principal: String,
    /// Until when the certificate is valid.
    pub until: Timestamp,
}

/// Why a certificate stands for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoProof {
    /// It does not verify, or does not any more: another authority, out of date, revoked, for another use.
    Invalid,
    /// It does not say that it may be used by clients.
    Use,
    /// It has no name that the rule takes.
    NoName,
    /// It has several.
    SeveralNames,
}

impl NoProof {
    /// The reason in words, for whoever presented it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "the client's certificate is not valid here",
            Self::Use => "the client's certificate does not name client authentication among its uses",
            Self::NoName => "the client's certificate has no name that stands for a principal here",
            Self::SeveralNames => "the client's certificate has several names that could be the principal",
        }
    }
}

/// The longest name of a principal that a certificate can give.
const LONGEST_NAME: usize = 254;

/// `id-kp-clientAuth` (RFC 5280, section 4.2.1.12).
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

impl Certificates {
    /// Reads the files that the configuration names; relative paths are below `folder`.
    ///
    /// # Errors
    ///
    /// [`TlsError`] with the file that is at fault.
    pub fn read(clients: &Clients, folder: &Path) -> Result<Self, TlsError> {
        let ca = folder.join(&clients.ca);
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(&tls::read(&ca)?) {
            let added = certificate.map_err(|error| error.to_string());
            added
                .and_then(|certificate| roots.add(certificate).map_err(|error| error.to_string()))
                .map_err(|reason| unusable(&ca, reason))?;
        }
        if roots.is_empty() {
            return Err(TlsError::Missing {
                path: ca,
                what: "certificate",
            });
        }
        let mut lists = Vec::new();
        for path in clients.crl.iter().map(|path| folder.join(path)) {
            let before = lists.len();
            for list in CertificateRevocationListDer::pem_slice_iter(&tls::read(&path)?) {
                lists.push(list.map_err(|error| unusable(&path, error.to_string()))?);
            }
            if lists.len() == before {
                let what = "list of revoked certificates";
                return Err(TlsError::Missing { path, what });
            }
        }
        let provider = Arc::new(aws_lc_rs::default_provider());
        // A list that is out of date says nothing about today, so that nothing passes until there is a new one.
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .with_crls(lists)
            .enforce_revocation_expiration();
        if !clients.required {
            builder = builder.allow_unauthenticated();
        }
        let verifier = builder.build().map_err(|error| unusable(&ca, error.to_string()))?;
        Ok(Self {
            verifier,
            rule: clients.principal.clone(),
            required: clients.required,
            groups: clients.groups.clone(),
            client: clients.client.clone(),
        })
    }

    /// What a handshake verifies by.
    pub(crate) fn verifier(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.verifier)
    }

    /// Whether there has to be a certificate.
    #[must_use]
    pub const fn required(&self) -> bool {
        self.required
    }

    /// Whether names that differ in capitals alone are the same: those of hosts and for mail are.
    pub(crate) const fn ignores_case(&self) -> bool {
        matches!(self.rule.san, San::Dns | San::Email)
    }

    /// Groups of everybody who comes with a certificate.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The calling software, for the policy.
    #[must_use]
    pub fn client(&self) -> Option<&str> {
        self.client.as_deref()
    }

    /// Whom a chain stands for at a moment; its owner was proved by the handshake.
    ///
    /// # Errors
    ///
    /// [`NoProof`].
    pub fn prove(&self, chain: &[CertificateDer<'_>], now: Timestamp) -> Result<Proof, NoProof> {
        let (first, between) = chain.split_first().ok_or(NoProof::Invalid)?;
        let since_1970 = std::time::Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default());
        self.verifier
            .verify_client_cert(first, between, UnixTime::since_unix_epoch(since_1970))
            .map_err(|_| NoProof::Invalid)?;
        let mut until = Timestamp::MAX;
        for certificate in chain {
            let read = Certificate::from_der(certificate).map_err(|_| NoProof::Invalid)?;
            let end = read.tbs_certificate().validity().not_after.to_unix_duration().as_secs();
            let end = i64::try_from(end).ok().and_then(|end| Timestamp::from_second(end).ok());
            until = until.min(end.unwrap_or(Timestamp::MAX));
        }
        let certificate = Certificate::from_der(first).map_err(|_| NoProof::Invalid)?;
        // A certificate without the extension is for any use (RFC 5280), which webpki takes; here it has to be meant for it,
        // so that the certificate of a server is not a key to this gateway.
        let uses = certificate.tbs_certificate().get_extension::<ExtendedKeyUsage>();
        match uses {
            Ok(Some((_, uses))) if uses.0.contains(&CLIENT_AUTH) => {}
            _ => return Err(NoProof::Use),
        }
        let names = certificate.tbs_certificate().get_extension::<SubjectAltName>();
        let Ok(Some((_, names))) = names else {
            return Err(NoProof::NoName);
        };
        let mut principals: Vec<String> = names.0.iter().filter_map(|name| self.rule.principal(name)).collect();
        principals.sort_unstable();
        principals.dedup();
        match principals.len() {
            0 => Err(NoProof::NoName),
            1 => Ok(Proof {
                principal: principals.remove(0),
                until,
            }),
            _ => Err(NoProof::SeveralNames),
        }
    }
}

impl PrincipalRule {
    /// The principal that one alternative name stands for, if it is of the kind and form that count. Hosts and addresses are
    /// the same however they are capitalised, and come in small letters.
    fn principal(&self, name: &GeneralName) -> Option<String> {
        let name = match (self.san, name) {
            (San::Uri, GeneralName::UniformResourceIdentifier(uri)) => uri.as_str().to_owned(),
            (San::Dns, GeneralName::DnsName(host)) => host.as_str().to_ascii_lowercase(),
            (San::Email, GeneralName::Rfc822Name(address)) => address.as_str().to_ascii_lowercase(),
            _ => return None,
        };
        let rest = name.strip_prefix(&self.prefix)?;
        let plain = !rest.is_empty()
            && rest.len() <= LONGEST_NAME
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
            // A wildcard stands for many.
            && !(self.san == San::Dns && rest.contains('*'));
        let fits = self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(rest));
        (plain && fits).then(|| rest.to_owned())
    }
}

fn unusable(path: &Path, reason: String) -> TlsError {
    TlsError::Clients {
        path: PathBuf::from(path),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use regex_automata::meta::Regex;
    use x509_cert::der::asn1::Ia5String;

    use super::*;

    fn uri(text: &str) -> GeneralName {
        GeneralName::UniformResourceIdentifier(Ia5String::new(text).expect("ASCII"))
    }

    #[test]
    fn a_name_counts_by_kind_prefix_and_pattern() {
        let rule = PrincipalRule {
            san: San::Uri,
            prefix: "spiffe://northwind.example/".to_owned(),
            pattern: Some(Regex::new(r"\A(?:[a-z]+)\z").expect("a pattern")),
        };
        let host = GeneralName::DnsName(Ia5String::new("spiffe://northwind.example/batch").expect("ASCII"));
        for (name, principal) in [
            (uri("spiffe://northwind.example/batch"), Some("batch")),
            (uri("spiffe://northwind.example/"), None),
            (uri("spiffe://northwind.example/Batch"), None),
            (uri("spiffe://northwind.example/batch\0admin"), None),
            (uri("spiffe://northwind.example.evil/batch"), None),
            (host, None),
        ] {
            assert_eq!(rule.principal(&name).as_deref(), principal, "{name:?}");
        }
    }

    #[test]
    fn what_looks_like_several_people_or_none_is_nobody() {
        let any = |san| PrincipalRule {
            san,
            prefix: String::new(),
            pattern: None,
        };
        let host = |text: &str| GeneralName::DnsName(Ia5String::new(text).expect("ASCII"));
        let mail = |text: &str| GeneralName::Rfc822Name(Ia5String::new(text).expect("ASCII"));
        assert_eq!(
            any(San::Dns).principal(&host("Batch.Example")).as_deref(),
            Some("batch.example")
        );
        assert_eq!(any(San::Dns).principal(&host("*.example")), None);
        assert_eq!(
            any(San::Email).principal(&mail("Ann@Example.com")).as_deref(),
            Some("ann@example.com")
        );
        assert_eq!(any(San::Email).principal(&mail("ann @example.com")), None);
        assert_eq!(any(San::Uri).principal(&uri(&"x".repeat(255))), None);
    }
}
