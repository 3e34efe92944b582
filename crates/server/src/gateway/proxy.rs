//! Who somebody is by the word of a proxy that the configuration trusts.
//!
//! The word counts only on a connection from one of the configured addresses: the peer of the connection itself, and no address
//! that a header names. From everybody else the same headers are text that nobody looks at (threat C5). Read [`vouched`] first.

use std::net::IpAddr;

use hyper::header::{HeaderMap, HeaderName};

use crate::config::TrustedProxies;

/// Whom a trusted proxy vouches for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Vouched<'h> {
    pub(super) principal: &'h str,
    pub(super) groups: Vec<String>,
}

/// What a trusted proxy says cannot be taken: twice, or no name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclear;

/// The longest name, in bytes.
const LONGEST: usize = 512;

/// The most groups.
const MOST: usize = 512;

/// Whom the peer of this connection vouches for; `None` where it says nothing, or is nobody to say it.
///
/// # Errors
///
/// [`Unclear`].
pub(super) fn vouched<'h>(
    proxies: &TrustedProxies,
    peer: Option<IpAddr>,
    headers: &'h HeaderMap,
) -> Result<Option<Vouched<'h>>, Unclear> {
    let trusted = peer.is_some_and(|peer| proxies.peers.iter().any(|range| range.contains(&peer)));
    if !trusted {
        return Ok(None);
    }
    let Some(principal) = only(headers, &proxies.principal)? else {
        return Ok(None);
    };
    let groups = match &proxies.groups {
        Some(name) => only(headers, name)?.unwrap_or_default(),
        None => "",
    };
    let groups: Vec<String> = groups
        .split(',')
        .map(str::trim)
        .filter(|group| !group.is_empty())
        .map(str::to_owned)
        .collect();
    let clear = is_name(principal) && groups.len() <= MOST && groups.iter().all(|group| is_name(group));
    clear.then_some(Some(Vouched { principal, groups })).ok_or(Unclear)
}

/// The value of a header. Where it is there twice, a proxy has added its own to what a client sent: nobody could say whose word
/// it is.
fn only<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, Unclear> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Unclear);
    }
    str::from_utf8(first.as_bytes())
        .map(|text| Some(text.trim()))
        .map_err(|_| Unclear)
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies {
            peers: vec!["10.1.2.0/24".parse().expect("a range")],
            principal: HeaderName::from_static("x-forwarded-user"),
            groups: Some(HeaderName::from_static("x-forwarded-groups")),
        }
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        map
    }

    const TRUSTED: &str = "10.1.2.3";

    fn asked(peer: &str, pairs: &[(&'static str, &'static str)]) -> Result<Option<(String, Vec<String>)>, Unclear> {
        let headers = headers(pairs);
        let found = vouched(&proxies(), peer.parse().ok(), &headers)?;
        Ok(found.map(|found| (found.principal.to_owned(), found.groups)))
    }

    #[test]
    fn a_trusted_proxy_says_who_somebody_is() {
        let said = [
            ("x-forwarded-user", "ann@example.com"),
            ("x-forwarded-groups", "staff, eng,"),
        ];
        let groups = vec!["staff".to_owned(), "eng".to_owned()];
        assert_eq!(asked(TRUSTED, &said), Ok(Some(("ann@example.com".to_owned(), groups))));
        assert_eq!(asked(TRUSTED, &said[1..]), Ok(None), "groups alone are nobody's");
    }

    #[test]
    fn nobody_else_does() {
        let said = [("x-forwarded-user", "ann@example.com"), ("x-forwarded-for", TRUSTED)];
        for peer in ["10.1.3.3", "127.0.0.1", "::1", "nowhere"] {
            assert_eq!(asked(peer, &said), Ok(None), "{peer}");
        }
    }

    #[test]
    fn no_other_header_names_anybody_whoever_sends_it() {
        for name in [
            "x-user",
            "x_forwarded_user",
            "x-forwarded-user-",
            "x-remote-user",
            "remote-user",
            "x-forwarded-for",
            "x-forwarded-email",
            "forwarded",
            "x-real-ip",
            "x-client-cert",
            "x-ssl-client-s-dn",
            "openai-organization",
            "x-authenticated-user",
            "ordain-principal",
        ] {
            for peer in [TRUSTED, "192.0.2.1"] {
                assert_eq!(
                    asked(peer, &[(name, "eve@example.com")]),
                    Ok(None),
                    "{name} from {peer}"
                );
            }
        }
    }

    #[test]
    fn what_is_there_twice_or_is_no_name_is_nobody() {
        let twice = [
            ("x-forwarded-user", "eve@example.com"),
            ("x-forwarded-user", "ann@example.com"),
        ];
        assert_eq!(asked(TRUSTED, &twice), Err(Unclear));
        assert_eq!(asked(TRUSTED, &[("x-forwarded-user", " ")]), Err(Unclear));
        let groups = [
            ("x-forwarded-user", "ann"),
            ("x-forwarded-groups", "staff"),
            ("x-forwarded-groups", "admins"),
        ];
        assert_eq!(asked(TRUSTED, &groups), Err(Unclear));
    }
}
