//! `directory.ldif`: people and groups as a directory server exports them (RFC 2849).
//!
//! A person is an entry with `mail` or `uid`, whose first `mail`, else `uid`, is the principal. Groups are those of the person's
//! `memberOf`, and those entries (`groupOfNames`, `groupOfUniqueNames`, `posixGroup`) that name the person as a member; a group
//! is called by its `cn`. Groups in groups are not followed, lists of changes are refused, and nothing is read from addresses.
//! Read [`parse`] first.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ordain_core::decide::Who;
use ordain_core::policy::document::At;
use ordain_core::policy::problem::Problem;

use super::Directory;
use super::source::line;

/// Reads an export; problems are added with their lines.
pub(super) fn parse(text: &str, problems: &mut Vec<Problem>) -> Directory {
    let entries = entries(text, problems);
    let mut directory = Directory::default();
    let mut by_name: HashMap<String, String> = HashMap::new();
    let mut by_uid: HashMap<&str, String> = HashMap::new();
    for entry in &entries {
        let Some(name) = entry.first("mail").or_else(|| entry.first("uid")) else {
            if entry.is_a("inetorgperson") {
                let message = "this person has neither `mail` nor `uid`, so no name";
                problems.push(Problem::error("bad-entry", line(entry.line), message));
            }
            continue;
        };
        let who = Who {
            principal: name.text.clone(),
            ..Who::default()
        };
        if directory.people.insert(name.text.clone(), who).is_some() {
            let message = format!("`{}` is the name of two people", name.text);
            problems.push(Problem::error("bad-entry", line(name.line), message));
        }
        by_name.insert(normalised(&entry.name), name.text.clone());
        if let Some(uid) = entry.first("uid") {
            by_uid.insert(&uid.text, name.text.clone());
        }
        for group in entry.all("memberof") {
            directory.join(&name.text, &called(&group.text), group.line);
        }
    }
    for entry in &entries {
        let group = || {
            entry
                .first("cn")
                .map_or_else(|| called(&entry.name), |name| name.text.clone())
        };
        for member in entry.all("member").chain(entry.all("uniquemember")) {
            if let Some(name) = by_name.get(&normalised(&member.text)) {
                directory.join(name, &group(), member.line);
            }
        }
        for member in entry.all("memberuid") {
            if let Some(name) = by_uid.get(member.text.as_str()) {
                directory.join(name, &group(), member.line);
            }
        }
    }
    directory
}

impl Directory {
    fn join(&mut self, principal: &str, group: &str, at: usize) {
        self.groups.push(At::new(group.to_owned(), line(at)));
        if let Some(who) = self.people.get_mut(principal)
            && !who.groups.iter().any(|known| known == group)
        {
            who.groups.push(group.to_owned());
        }
    }
}

/// One entry: its distinguished name, and the attributes that count here, in lower case.
struct Entry {
    name: String,
    line: usize,
    values: Vec<(&'static str, Value)>,
}

struct Value {
    text: String,
    line: usize,
}

impl Entry {
    fn all(&self, attribute: &'static str) -> impl Iterator<Item = &Value> {
        let mut values = self.values.iter();
        std::iter::from_fn(move || values.find(|(name, _)| *name == attribute)).map(|(_, value)| value)
    }

    fn first(&self, attribute: &'static str) -> Option<&Value> {
        self.all(attribute).next()
    }

    fn is_a(&self, class: &str) -> bool {
        self.all("objectclass")
            .any(|value| value.text.eq_ignore_ascii_case(class))
    }
}

/// The attributes that count.
const ATTRIBUTES: [&str; 8] = [
    "objectclass",
    "mail",
    "uid",
    "cn",
    "memberof",
    "member",
    "uniquemember",
    "memberuid",
];

fn entries(text: &str, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut open = false;
    // Of a list of changes or an entry without a name only the first line is told.
    let mut skip = false;
    for (number, text) in lines(text) {
        if text.is_empty() {
            (open, skip) = (false, false);
            continue;
        }
        if skip {
            continue;
        }
        let mut wrong = |message: &str| problems.push(Problem::error("bad-entry", line(number), message));
        let Some((name, value)) = text.split_once(':') else {
            wrong("an attribute is expected, such as `mail: ada@example.com`");
            continue;
        };
        // Options such as a language do not make it another attribute.
        let name = name.split(';').next().unwrap_or_default().to_ascii_lowercase();
        if name == "version" && entries.is_empty() && !open {
            continue;
        }
        let known = ATTRIBUTES.into_iter().find(|known| *known == name);
        match (name.as_str(), known) {
            ("changetype", _) => {
                wrong("this is a list of changes; export entries instead");
                skip = true;
            }
            ("dn", _) if open => wrong("a second `dn` in one entry: an empty line is missing before it"),
            ("dn", _) => match value_of(value) {
                Ok(name) => {
                    open = true;
                    entries.push(Entry {
                        name,
                        line: number,
                        values: Vec::new(),
                    });
                }
                Err(message) => {
                    wrong(message);
                    skip = true;
                }
            },
            _ if !open => {
                wrong("an entry begins with its `dn`");
                skip = true;
            }
            (_, Some(known)) => match (value_of(value), entries.last_mut()) {
                (Ok(text), Some(entry)) if !text.is_empty() => entry.values.push((known, Value { text, line: number })),
                (Ok(_), _) => {}
                (Err(message), _) => wrong(message),
            },
            (_, None) => {}
        }
    }
    entries
}

/// The lines of a text, folded ones put together (RFC 2849, note 2), without comments, each with its number.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.lines().enumerate() {
        match (line.strip_prefix(' '), lines.last_mut()) {
            (Some(rest), Some((_, before))) if !before.is_empty() => before.push_str(rest),
            _ => lines.push((index + 1, line.to_owned())),
        }
    }
    lines.retain(|(_, line)| !line.starts_with('#'));
    lines
}

/// What stands after the colon of an attribute.
fn value_of(rest: &str) -> Result<String, &'static str> {
    if rest.starts_with('<') {
        return Err("a value is read from this file alone, and from no address");
    }
    let Some(encoded) = rest.strip_prefix(':') else {
        return Ok(rest.trim_start_matches(' ').to_owned());
    };
    let bytes = STANDARD.decode(encoded.trim()).map_err(|_| "this value is no base64")?;
    String::from_utf8(bytes).map_err(|_| "this value is no UTF-8")
}

/// A distinguished name (RFC 4514) as it is compared: without the case and the spaces that mean nothing.
fn normalised(name: &str) -> String {
    let parts = relative(name)
        .into_iter()
        .map(|(kind, value)| format!("{kind}={}", value.to_lowercase()));
    parts.collect::<Vec<_>>().join("\u{0}")
}

/// What a group is called: the value of the first part of its distinguished name.
fn called(name: &str) -> String {
    relative(name)
        .into_iter()
        .next()
        .map_or_else(|| name.to_owned(), |(_, value)| value)
}

/// The parts of a distinguished name, from the nearest, with escapes taken out.
fn relative(name: &str) -> Vec<(String, String)> {
    let mut parts = Vec::new();
    // UTF-8 may be written byte by byte, so that bytes are put together.
    let (mut kind, mut value): (Option<String>, Vec<u8>) = (None, Vec::new());
    let mut kept = 0;
    let mut rest = name.as_bytes();
    let mut finish = |kind: &mut Option<String>, value: &mut Vec<u8>, kept: &mut usize| {
        let mut bytes = std::mem::take(value);
        while bytes.len() > *kept && bytes.last() == Some(&b' ') {
            bytes.pop();
        }
        *kept = 0;
        let kind = kind.take().unwrap_or_default();
        parts.push((kind, String::from_utf8_lossy(&bytes).into_owned()));
    };
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\\' => {
                let hex = rest.get(..2).and_then(|two| str::from_utf8(two).ok());
                match hex.and_then(|two| u8::from_str_radix(two, 16).ok()) {
                    Some(escaped) => {
                        value.push(escaped);
                        rest = rest.get(2..).unwrap_or_default();
                    }
                    None => {
                        value.extend(rest.first());
                        rest = rest.get(1..).unwrap_or_default();
                    }
                }
                kept = value.len();
            }
            b'=' if kind.is_none() => {
                let name = String::from_utf8_lossy(&std::mem::take(&mut value))
                    .trim()
                    .to_ascii_lowercase();
                kind = Some(name);
            }
            b',' => finish(&mut kind, &mut value, &mut kept),
            b' ' if value.is_empty() => {}
            other => value.push(other),
        }
    }
    finish(&mut kind, &mut value, &mut kept);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Directory, Vec<(u32, String)>> {
        let mut problems = Vec::new();
        let directory = parse(text, &mut problems);
        let found: Vec<_> = problems.into_iter().map(|one| (one.place.line, one.message)).collect();
        if found.is_empty() { Ok(directory) } else { Err(found) }
    }

    fn groups(directory: &Directory, name: &str) -> Vec<String> {
        assert!(directory.knows(name), "{name}");
        directory.who(name, None).groups.clone()
    }

    const EXPORT: &str = "version: 1\n\
        # people\n\
        dn: uid=ada,ou=People,dc=example,dc=com\n\
        objectClass: inetOrgPerson\n\
        uid: ada\n\
        mail: ada@exam\n ple.com\n\
        mail: ada@example.org\n\
        jpegPhoto:: /9j/!!\n\
        memberOf: cn=Medical\\, Staff,ou=Groups,dc=example,dc=com\n\
        \n\
        dn:: dWlkPWLDtmIsb3U9UGVvcGxlLGRjPWV4YW1wbGUsZGM9Y29t\n\
        objectClass: inetOrgPerson\n\
        uid;lang-de:: YsO2Yg==\n\
        # a comment that\n  is folded\n\
        \n\
        dn: ou=People,dc=example,dc=com\r\n\
        objectClass: organizationalUnit\r\n\
        \r\n\
        dn: cn=eng,ou=Groups,dc=example,dc=com\n\
        objectClass: groupOfNames\n\
        cn: eng\n\
        member: UID=Ada , ou=people, dc=example,dc=com\n\
        member: uid=b\\C3\\B6b,ou=People,dc=example,dc=com\n\
        member: uid=gone,ou=People,dc=example,dc=com\n\
        member: cn=other,ou=Groups,dc=example,dc=com\n\
        \n\
        dn: cn=unix,ou=Groups,dc=example,dc=com\n\
        objectClass: posixGroup\n\
        memberUid: ada\n";

    #[test]
    fn people_are_in_the_groups_that_either_side_names() {
        let directory = read(EXPORT).expect("readable");
        assert_eq!(groups(&directory, "ada@example.com"), ["Medical, Staff", "eng", "unix"]);
        assert_eq!(groups(&directory, "böb"), ["eng"]);
        assert_eq!(directory.people().count(), 2);
        assert_eq!(
            directory.groups().len(),
            4,
            "each with its line, for whoever checks them against the policy"
        );
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        for (text, at, part) in [
            ("mail: x\n", 1, "begins with its `dn`"),
            ("dn: a=b\nmail\n", 2, "an attribute is expected"),
            ("dn: a=b\nmail:: ***\n", 2, "no base64"),
            ("dn: a=b\nmail:: //8=\n", 2, "no UTF-8"),
            ("dn: a=b\nmail:< file:///etc/passwd\n", 2, "from no address"),
            ("dn: a=b\nmail: x\ndn: c=d\n", 3, "an empty line is missing"),
            (
                "dn: a=b\nchangetype: modify\nadd: mail\nmail: x\n-\n",
                2,
                "a list of changes",
            ),
            ("dn: a=b\nmail: x\n\ndn: c=d\nmail: x\n", 5, "the name of two people"),
            (
                "dn: a=b\nobjectClass: inetOrgPerson\ncn: x\n",
                1,
                "neither `mail` nor `uid`",
            ),
        ] {
            let found = read(text).err().unwrap_or_default();
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].0 == at && found[0].1.contains(part), "{text}: {found:?}");
        }
    }

    #[test]
    fn names_are_compared_without_case_and_spaces_and_with_their_escapes() {
        assert_eq!(normalised("CN=Ada, OU = People"), normalised("cn=ada,ou=people"));
        assert_ne!(normalised("cn=a\\,ou=b"), normalised("cn=a,ou=b"));
        assert_eq!(called("cn=trailing\\ ,dc=x"), "trailing ");
        assert_eq!(called("no name at all"), "no name at all");
    }
}
