//! The form of a secret: what its issuer publishes of prefixes, lengths and alphabets.
//!
//! A form is matched from left to right and never goes back: a run takes what it can get. So a match costs as many steps as it
//! has bytes, and what is looked at behind the end of a text is known.

use super::super::walk::{Probe, word};

/// A form: texts and runs of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Exactly these bytes.
    Text(Vec<u8>),
    /// Bytes of a class.
    Run { class: Class, least: usize, most: usize },
}

/// Which bytes a run consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class(u8);

impl Class {
    const ALL: &[u8] = b"dxhluwkebtgy%s=";

    /// The class of a letter of the table.
    fn new(letter: u8) -> Option<Self> {
        Self::ALL.contains(&letter).then_some(Self(letter))
    }

    pub(super) fn has(self, byte: u8) -> bool {
        match self.0 {
            b'd' => byte.is_ascii_digit(),
            b'x' => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            b'h' => byte.is_ascii_hexdigit(),
            b'l' => matches!(byte, b'0'..=b'9' | b'a'..=b'z'),
            b'u' => matches!(byte, b'0'..=b'9' | b'A'..=b'Z'),
            b'w' => byte.is_ascii_alphanumeric(),
            b'k' => word(byte) || byte == b'-',
            b'e' => word(byte) || matches!(byte, b'-' | b'='),
            b'b' => byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'),
            b't' => word(byte) || matches!(byte, b'-' | b'=' | b'.'),
            b'g' => word(byte) || matches!(byte, b'-' | b'~' | b'.'),
            b'y' => word(byte) || matches!(byte, b'+' | b'/' | b'-' | b'='),
            b'%' => byte.is_ascii_alphanumeric() || byte == b'%',
            b's' => byte == b' ',
            _ => byte == b'=',
        }
    }
}

impl Form {
    /// Reads a form as the table writes it.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let Some((plain, after)) = rest.split_once('{') else {
                steps.push(Step::Text(rest.into()));
                break;
            };
            if !plain.is_empty() {
                steps.push(Step::Text(plain.into()));
            }
            let (run, after) = after.split_once('}')?;
            if run == "U" {
                uuid(&mut steps);
            } else {
                steps.push(Step::run(run)?);
            }
            rest = after;
        }
        (!steps.is_empty()).then_some(Self { steps })
    }

    /// The text that it begins with; nothing if it begins with a run.
    pub(super) fn anchor(&self) -> &[u8] {
        match self.steps.first() {
            Some(Step::Text(text)) => text,
            _ => &[],
        }
    }

    /// Where a secret of this form ends that starts at an offset. It has to end there: no byte that would belong to it follows.
    pub(super) fn end(&self, probe: &Probe<'_>, start: usize) -> Option<usize> {
        let mut at = start;
        for step in &self.steps {
            at += match step {
                Step::Text(text) => probe.starts_with(at, text).then_some(text.len())?,
                Step::Run { class, least, most } => {
                    let count = probe.run(at, *most, |byte| class.has(byte));
                    (count >= *least).then_some(count)?
                }
            };
        }
        let goes_on = match self.steps.last() {
            Some(Step::Run { class, .. }) => probe.is(at, |byte| class.has(byte) || word(byte)),
            _ => !probe.ends_token(at),
        };
        (!goes_on).then_some(at)
    }
}

impl Step {
    /// `w36` or `k20-80`.
    fn run(text: &str) -> Option<Self> {
        let (letter, counts) = text.split_at_checked(1)?;
        let class = Class::new(*letter.as_bytes().first()?)?;
        let (least, most) = counts.split_once('-').unwrap_or((counts, counts));
        let (least, most) = (least.parse().ok()?, most.parse().ok()?);
        (least <= most).then_some(Self::Run { class, least, most })
    }
}

/// RFC 9562 §4, in any case.
fn uuid(steps: &mut Vec<Step>) {
    for (index, count) in [8, 4, 4, 4, 12].into_iter().enumerate() {
        if index > 0 {
            steps.push(Step::Text(b"-".to_vec()));
        }
        steps.push(Step::Run {
            class: Class(b'h'),
            least: count,
            most: count,
        });
    }
}
