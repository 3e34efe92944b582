//! Addresses of an issuer and its keys: `https`, or `http` on this machine, and nothing that two readers could take apart
//! differently (threat E1).

use std::fmt;
use std::net::IpAddr;

use hyper::Uri;

/// An address that keys may be fetched from.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    text: String,
    uri: Uri,
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Address").field(&self.text).finish()
    }
}

impl Address {
    /// Reads an address. The error is a fragment that says what is expected.
    ///
    /// # Errors
    ///
    /// Another scheme, `http` to another machine, a user, a fragment, or characters that do not stand in an address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an address such as `https://login.example.com` is expected";
        let plain = text
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !br#"@#\"<>^`{|}"#.contains(&byte));
        if !plain || text.len() > 2048 {
            return Err(EXPECTED);
        }
        let uri: Uri = text.parse().map_err(|_| EXPECTED)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(EXPECTED)?;
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_this_machine(host) => {}
            Some("http") => return Err("an `https` address is expected: `http` is for loopback addresses alone"),
            _ => return Err(EXPECTED),
        }
        Ok(Self {
            text: text.to_owned(),
            uri,
        })
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it has a query, which an issuer's name must not have (OpenID Connect Discovery 1.0 §3).
    #[must_use]
    pub fn has_query(&self) -> bool {
        self.uri.query().is_some()
    }

    /// Whether the way there is secured.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    /// The host, without the brackets of an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.uri.host().unwrap_or_default();
        host.trim_start_matches('[').trim_end_matches(']')
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        let usual = if self.is_secure() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(usual)
    }

    /// Host and port as the `Host` header has them.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Path and query, as a request to the host itself has them (RFC 9112 §3.2.1).
    #[must_use]
    pub fn target(&self) -> Uri {
        self.uri.path_and_query().cloned().map_or_else(Uri::default, Uri::from)
    }

    /// Whether both have the same origin (RFC 6454 §5).
    #[must_use]
    pub fn same_origin(&self, other: &Self) -> bool {
        self.is_secure() == other.is_secure()
            && self.port() == other.port()
            && self.host().eq_ignore_ascii_case(other.host())
    }

    /// Where the configuration of an issuer with this name is (OpenID Connect Discovery 1.0 §4).
    #[must_use]
    pub fn discovery(&self) -> Option<Self> {
        let text = format!("{}/.well-known/openid-configuration", self.text.trim_end_matches('/'));
        Self::parse(&text).ok()
    }
}

/// Whether a host is this machine by its very name, so that nothing can lead it elsewhere.
#[must_use]
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_read() {
        for good in [
            "https://login.example.com",
            "https://login.example.com:8443/realms/a/",
            "http://127.0.0.1:1234",
            "http://[::1]:1",
            "http://localhost/x",
        ] {
            assert!(Address::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "login.example.com",
            "http://login.example.com",
            "http://127.0.0.1.example.com",
            "https://user@login.example.com",
            "https://login.example.com#@evil.example",
            "https://login.example.com\\@evil.example",
            "https://login.example.com/a b",
            "https://lögin.example.com",
            "file:///etc/passwd",
            "gopher://x",
            "https://",
            "//login.example.com",
            "http://0/",
            "http://2130706433/",
            "http://0x7f.1/",
        ] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let at = |text| Address::parse(text).expect("an address");
        let issuer = at("https://login.example.com/realms/a");
        for same in ["https://login.example.com/keys", "https://LOGIN.example.com:443/x?y"] {
            assert!(issuer.same_origin(&at(same)), "{same}");
        }
        for other in [
            "https://login.example.com:8443/keys",
            "https://login.example.com.evil.example/",
            "https://login.example.com./",
            "http://localhost/",
        ] {
            assert!(!issuer.same_origin(&at(other)), "{other}");
        }
        let discovery = at("https://login.example.com/realms/a/")
            .discovery()
            .expect("an address");
        assert_eq!(
            discovery.as_str(),
            "https://login.example.com/realms/a/.well-known/openid-configuration"
        );
    }
}
