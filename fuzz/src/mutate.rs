//! Changes to a policy that know a little of YAML: they cut, swap, copy and drop lines, keys and items, put in words of the
//! language, and now and then break bytes.

/// Small, seedable, and the same everywhere (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    pub(crate) fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }
}

/// Words and signs that mean something to YAML or to the language.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ", ",
    ": ",
    "- ",
    "? ",
    "#",
    "&a ",
    "*a",
    "!t ",
    "|\n",
    ">-\n",
    "'",
    "\"",
    "\n---\n",
    "\n...\n",
    "%YAML 1.2\n",
    "<<: ",
    "\t",
    "\r",
    "\u{0}",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "😀",
    "\u{301}",
    "~",
    "null",
    "true",
    "no",
    "0",
    "-1",
    "1.5",
    "1e400",
    "4294967295",
    "4294967296",
    "99999999999999999999",
    "\"\"",
    "{}",
    "[]",
    "[[[[",
    "{a: {a: {a: ",
    "everyone",
    "unmapped",
    "default",
    "block",
    "allow",
    "redact",
    "hold",
    "justify",
    "coach",
    "observe",
    "enforce",
    "prompt",
    "answer",
    "sanctioned",
    "unknown",
    "2026-12-31",
    "9999-12-31",
    "-9999-01-01",
    "0000-00-00",
    "2026-02-30",
    "2026-12-01T09:30",
    "30 days",
    "4294967295 years",
    "0 days",
    "11767033 years",
    "08:00-18:00",
    "24:00-00:00",
    "22:00-06:00",
    "99:99-0:0",
    "Europe/Berlin",
    "UTC+99",
    "data.matrix",
    "access",
    "uninspectable",
    "secret",
    "payment-card",
    "restricted",
    "openai-api",
    "gpt-5*",
    "*",
    "**",
    "a*b*c*d*e",
    "include: [policy.yaml]\n",
    "include: [cases/all.yaml]\n",
    "extends: parent\n",
    "condition: ",
    "condition: size(tools) > 0\n",
    "condition: data.exists(d, d == 'iban')\n",
    "condition: \"((((((((((true))))))))))\"\n",
    "patterns: {x: \"(a+)+$\"}\n",
    "patterns: {x: \"a{1000}{1000}\"}\n",
    "patterns: {x: \"(?i)é|.*\"}\n",
    "keywords: {k: [\"\"]}\n",
    "keywords: {k: [user, \" \"]}\n",
    "time: {hours: \"23:59-00:00\"}",
    "escalate: [{all: [secret], to: public}]",
    "at_least: 0",
    "cells: {}",
    "models: []",
    "groups: []",
];

/// One change; `other` is something to take pieces from.
pub(crate) fn once(input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    match dice.below(13) {
        0 => input.truncate(dice.below(input.len() + 1)),
        1 => {
            let (from, to) = range(input, dice, 400);
            input.drain(from..to);
        }
        2 => lines(input, dice, |lines, dice| {
            let (one, two) = (dice.below(lines.len()), dice.below(lines.len()));
            lines.swap(one, two);
        }),
        3 => lines(input, dice, |lines, dice| {
            let (at, many) = (dice.below(lines.len()), 1 + dice.below(4));
            lines.drain(at..(at + many).min(lines.len()));
        }),
        4 => lines(input, dice, |lines, dice| {
            let (from, to) = (dice.below(lines.len()), dice.below(lines.len()));
            let line = lines[from].clone();
            lines.insert(to, line);
        }),
        5 => lines(input, dice, |lines, dice| {
            let at = dice.below(lines.len());
            let spaces = b"  ".repeat(dice.below(3));
            lines[at].splice(0..0, spaces);
        }),
        6 => lines(input, dice, |lines, dice| {
            let at = dice.below(lines.len());
            let blank = lines[at].iter().take_while(|&&byte| byte == b' ').count();
            let gone = dice.below(blank + 1);
            lines[at].drain(..gone);
        }),
        // A word becomes another word of the same document, or one of the language.
        7 | 8 => {
            let (from, to) = word(input, dice);
            let new = if dice.below(2) == 0 {
                dice.pick(TOKENS).as_bytes().to_vec()
            } else {
                let (from, to) = word(input, dice);
                input[from..to].to_vec()
            };
            input.splice(from..to, new);
        }
        9 | 10 => {
            let at = dice.below(input.len() + 1);
            let token = dice.pick(TOKENS).as_bytes();
            input.splice(at..at, token.iter().copied());
        }
        // A piece of another document.
        11 => {
            let (from, to) = range(other, dice, 2_000);
            let at = dice.below(input.len() + 1);
            input.splice(at..at, other[from..to].iter().copied());
        }
        _ => {
            if !input.is_empty() {
                let at = dice.below(input.len());
                input[at] = dice.below(256) as u8;
            }
        }
    }
}

fn range(bytes: &[u8], dice: &mut Dice, most: usize) -> (usize, usize) {
    let from = dice.below(bytes.len() + 1);
    (from, (from + dice.below(most)).min(bytes.len()))
}

/// A run of letters, digits and dashes.
fn word(bytes: &[u8], dice: &mut Dice) -> (usize, usize) {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.*".contains(byte);
    let start = dice.below(bytes.len() + 1);
    let from = bytes[start..]
        .iter()
        .position(is_part)
        .map_or(start, |skip| start + skip);
    let length = bytes[from..].iter().take_while(|byte| is_part(byte)).count();
    (from, from + length)
}

fn lines(input: &mut Vec<u8>, dice: &mut Dice, change: impl FnOnce(&mut Vec<Vec<u8>>, &mut Dice)) {
    let mut lines: Vec<Vec<u8>> = input.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    change(&mut lines, dice);
    *input = lines.join(&b'\n');
}
