//! Identifiers by their written shape: how a table of kinds becomes a detector.
//!
//! A row, [`Kind`], says how a number is written, what its digits must satisfy and which words name it. [`Shapes`] sorts
//! the written forms of a table by how they begin (so many letters, then so many digits), so that a text's own numbers are
//! mostly rejected by one look into that index. The forms are spelled with these signs; every other one stands for itself:
//!
//! | Sign | Stands for |
//! | --- | --- |
//! | `0` | a digit |
//! | `A` | an ASCII letter |
//! | `U` | a capital ASCII letter |
//! | `G` | an ASCII letter, though no small one that is a hexadecimal digit |
//! | `X` | a digit or an ASCII letter |
//! | `C` | a digit or a capital ASCII letter |
//! | `M` | the name of a month |
//! | ` ` | a space or a no-break space |

use super::label::named;
use super::walk::{Probe, digit, next_digit, walk};
use super::{ByteSet, Match, Window};

/// A kind of identifier.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// Kebab-case, such as `es-nif`.
    pub(super) id: &'static str,
    /// The forms that are telling enough to count on their own.
    pub(super) alone: &'static [&'static str],
    /// The forms that count only beside one of the words.
    pub(super) beside: &'static [&'static str],
    /// Whether the letters and digits, in capitals and without separators, can be such an identifier.
    pub(super) holds: fn(&[u8]) -> bool,
    /// What names the identifier in the text before it.
    pub(super) words: &'static [&'static str],
}

/// A table of kinds, sorted by how their forms begin.
#[derive(Debug)]
pub(super) struct Shapes {
    /// By [`Head::slot`].
    forms: Vec<Vec<Form>>,
    /// How many letters a form begins with, at most, before its digits.
    direct: usize,
    /// The same before a space.
    spaced: usize,
    /// Whether a form begins with the name of a month.
    months: bool,
    /// Whether a form may begin with small letters.
    small: bool,
}

#[derive(Debug, Clone, Copy)]
struct Form {
    kind: &'static Kind,
    alone: bool,
    spelling: &'static [u8],
}

/// How a candidate begins: letters, perhaps a space, digits.
#[derive(Debug, Clone, Copy)]
struct Head {
    letters: usize,
    spaced: bool,
    digits: usize,
}

impl Shapes {
    /// Sorts a table.
    pub(super) fn new(kinds: impl IntoIterator<Item = &'static Kind>) -> Self {
        let mut shapes = Self {
            forms: vec![Vec::new(); SLOTS],
            direct: 0,
            spaced: 0,
            months: false,
            small: false,
        };
        for kind in kinds {
            let alone = kind.alone.iter().map(|form| (true, form));
            let beside = kind.beside.iter().map(|form| (false, form));
            for (alone, form) in alone.chain(beside) {
                let spelling = form.as_bytes();
                let month = spelling.first() == Some(&b'M');
                shapes.months |= month;
                shapes.small |= matches!(spelling.first(), Some(b'A' | b'G' | b'X'));
                for head in heads().filter(|head| head.begins(spelling)) {
                    let most = if head.spaced {
                        &mut shapes.spaced
                    } else {
                        &mut shapes.direct
                    };
                    *most = (*most).max(if month { 0 } else { head.letters });
                    if let Some(slot) = shapes.forms.get_mut(head.slot()) {
                        slot.push(Form { kind, alone, spelling });
                    }
                }
            }
        }
        shapes
    }

    /// What a match can start with.
    pub(super) const STARTS: ByteSet = ByteSet::of(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    /// No decision needs more bytes: the longest form, with separators of two bytes, and what must not follow.
    pub(super) const HORIZON: usize = 56;

    /// Finds the identifiers of the table; see [`super::Detector::detect`].
    pub(super) fn detect(&self, window: Window<'_>, entity: &str, matches: &mut Vec<Match>) -> usize {
        walk(
            window,
            entity,
            matches,
            next,
            |probe, start| self.judge(probe, start),
            |bytes, from| self.open(bytes, from),
        )
    }

    fn judge(&self, probe: &Probe<'_>, start: usize) -> Option<usize> {
        if !probe.begins_token(start) || probe.is_fraction(start) {
            return None;
        }
        let letters = probe.run(start, MOST_LETTERS + 1, |byte| byte.is_ascii_alphabetic());
        let spaced = letters > 0 && blank(probe, start + letters) == Some(1);
        let from = start + letters + usize::from(spaced);
        let digits = probe.run(from, MOST_DIGITS + 1, digit);
        let head = Head {
            letters,
            spaced,
            digits,
        };
        if letters > MOST_LETTERS || digits == 0 || digits > MOST_DIGITS {
            return None;
        }
        self.forms
            .get(head.slot())?
            .iter()
            .filter_map(|form| form.judge(probe, start))
            .max()
    }
}

impl Shapes {
    /// Where the end of the text may be the beginning of a form: letters, or letters with a space. Words that begin none are
    /// let go, so that a stream of prose is not held up.
    fn open(&self, bytes: &[u8], from: usize) -> usize {
        let words = bytes.strip_suffix(b" ").unwrap_or(bytes);
        let start = words.len() - letters_at_end(words);
        let letters = words.get(start..).unwrap_or_default();
        let whole = words.len() < bytes.len();
        let most = if whole {
            self.spaced
        } else {
            self.direct.max(self.spaced)
        };
        let fits = (1..=most).contains(&letters.len()) && (self.small || letters.iter().all(u8::is_ascii_uppercase));
        let named = self.months
            && !letters.is_empty()
            && MONTHS.iter().copied().flatten().any(|month| {
                let head = month.as_bytes().get(..letters.len());
                head.is_some_and(|head| head.eq_ignore_ascii_case(letters)) && (!whole || month.len() == letters.len())
            });
        if fits || named {
            start.max(from)
        } else {
            bytes.len().max(from)
        }
    }
}

impl Head {
    fn slot(self) -> usize {
        ((self.letters * 2) + usize::from(self.spaced)) * (MOST_DIGITS + 1) + self.digits
    }

    /// Whether a text with this head can be written in a form.
    fn begins(self, form: &[u8]) -> bool {
        let mut rest = form;
        if let (Some((b'M', after)), 3..=MOST_LETTERS) = (rest.split_first(), self.letters) {
            rest = after;
        } else {
            let Some((letters, after)) = rest.split_at_checked(self.letters) else {
                return false;
            };
            if !letters
                .iter()
                .all(|sign| matches!(sign, b'A' | b'U' | b'G' | b'X' | b'C'))
            {
                return false;
            }
            rest = after;
        }
        if self.spaced {
            let Some((b' ', after)) = rest.split_first() else {
                return false;
            };
            rest = after;
        }
        rest.split_at_checked(self.digits).is_some_and(|(digits, after)| {
            digits.iter().all(|sign| matches!(sign, b'0' | b'X' | b'C')) && after.first() != Some(&b'0')
        })
    }
}

impl Form {
    /// Where the identifier ends that starts at an offset, if there is one.
    fn judge(&self, probe: &Probe<'_>, start: usize) -> Option<usize> {
        let mut number = [0; MOST_SIGNS];
        let mut signs = number.iter_mut();
        let mut end = start;
        for &sign in self.spelling {
            let length = match sign {
                b' ' => blank(probe, end)?,
                b'M' => {
                    let month = month(probe, end)?;
                    *signs.next()? = month.number;
                    month.length
                }
                _ => {
                    let byte = probe.at(end)?;
                    let fits = match sign {
                        b'0' => byte.is_ascii_digit(),
                        b'A' => byte.is_ascii_alphabetic(),
                        b'U' => byte.is_ascii_uppercase(),
                        b'G' => byte.is_ascii_uppercase() || matches!(byte, b'g'..=b'z'),
                        b'X' => byte.is_ascii_alphanumeric(),
                        b'C' => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
                        other => byte == other,
                    };
                    if !fits {
                        return None;
                    }
                    if byte.is_ascii_alphanumeric() {
                        *signs.next()? = byte.to_ascii_uppercase();
                    }
                    1
                }
            };
            end += length;
        }
        let unused = signs.len();
        let number = number.get(..MOST_SIGNS - unused)?;
        if !probe.ends_token(end) || !(self.kind.holds)(number) {
            return None;
        }
        if [b'-', b'.', b'/', b':'].iter().any(|&tie| {
            let before = probe.before(start, 1) == Some(tie) && probe.before(start, 2).is_some_and(digit);
            before || probe.goes_on(end, &[tie])
        }) {
            return None;
        }
        ((self.alone && self.is_apart(probe, start, end)) || named(probe, start, self.kind.words)).then_some(end)
    }

    /// Whether the number is no part of something longer, as far as that can be seen.
    fn is_apart(&self, probe: &Probe<'_>, start: usize, end: usize) -> bool {
        let tied = probe
            .before(start, 1)
            .is_some_and(|byte| matches!(byte, b'-' | b'.' | b'/' | b'+' | b'#' | b'$' | b'%'))
            && probe.before(start, 2).is_some_and(|byte| byte.is_ascii_alphanumeric());
        let grouped = self.spelling.contains(&b' ')
            && (probe.goes_on(end, b" ")
                || probe.before(start, 1) == Some(b' ') && probe.before(start, 2).is_some_and(digit));
        !tied && !grouped && !probe.starts_with(end, b"=")
    }
}

fn heads() -> impl Iterator<Item = Head> {
    (0..=MOST_LETTERS).flat_map(|letters| {
        [false, true]
            .into_iter()
            .filter(move |spaced| letters > 0 || !spaced)
            .flat_map(move |spaced| {
                (1..=MOST_DIGITS).map(move |digits| Head {
                    letters,
                    spaced,
                    digits,
                })
            })
    })
}

/// The next digit, from where the letters before it begin if these can belong to it.
fn next(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    loop {
        let found = next_digit(bytes, offset)?;
        let before = bytes.get(..found).unwrap_or_default();
        let direct = letters_at_end(before);
        let start = match before.split_last() {
            Some((b' ', words)) => found - 1 - letters_at_end(words),
            _ => found - direct,
        };
        if start >= from && start < found && found - start <= MOST_LETTERS + 1 {
            // A space with no letters before it is no beginning.
            if bytes.get(start) != Some(&b' ') {
                return Some(start);
            }
        }
        if direct == 0 && before.last().is_none_or(|byte| !byte.is_ascii_digit()) {
            return Some(found);
        }
        offset = found + 1 + bytes.get(found + 1..)?.iter().take_while(|&&byte| digit(byte)).count();
    }
}

/// How many letters a text ends with, counted a little beyond the most that matter; the letter of an escape is none.
fn letters_at_end(bytes: &[u8]) -> usize {
    let letters = bytes
        .iter()
        .rev()
        .take(MOST_LETTERS + 2)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    let mut before = bytes.iter().rev().skip(letters.saturating_sub(1));
    let escaped = letters > 0
        && before.next().is_some_and(|byte| matches!(byte, b'n' | b'r' | b't'))
        && before.next() == Some(&b'\\');
    letters - usize::from(escaped)
}

/// How long the space at an offset is.
fn blank(probe: &Probe<'_>, offset: usize) -> Option<usize> {
    match probe.at(offset)? {
        b' ' => Some(1),
        0xC2 => (probe.at(offset + 1)? == 0xA0).then_some(2),
        _ => None,
    }
}

struct Month {
    /// 1 to 12.
    number: u8,
    length: usize,
}

/// The month that is named at an offset.
fn month(probe: &Probe<'_>, offset: usize) -> Option<Month> {
    let length = probe.run(offset, MOST_LETTERS + 1, |byte| byte.is_ascii_alphabetic());
    let name = probe.known(offset, offset + length);
    let (number, _) = (1..)
        .zip(MONTHS)
        .find(|(_, names)| names.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes())))?;
    Some(Month { number, length })
}

const MOST_LETTERS: usize = 9;
const MOST_DIGITS: usize = 18;
const MOST_SIGNS: usize = 24;
const SLOTS: usize = (MOST_LETTERS + 1) * 2 * (MOST_DIGITS + 1);

/// The months in English, German, French, Spanish, Italian, Portuguese and Dutch, as far as they are ASCII.
const MONTHS: [&[&str]; 12] = [
    &[
        "January", "Jan", "Januar", "janvier", "enero", "gennaio", "janeiro", "januari",
    ],
    &[
        "February",
        "Feb",
        "Februar",
        "febrero",
        "febbraio",
        "fevereiro",
        "februari",
    ],
    &["March", "Mar", "mars", "marzo", "maart"],
    &["April", "Apr", "avril", "abril", "aprile"],
    &["May", "Mai", "mayo", "maggio", "maio", "mei"],
    &["June", "Jun", "Juni", "juin", "junio", "giugno", "junho"],
    &["July", "Jul", "Juli", "juillet", "julio", "luglio", "julho"],
    &["August", "Aug", "agosto", "augustus"],
    &[
        "September",
        "Sep",
        "Sept",
        "septembre",
        "septiembre",
        "settembre",
        "setembro",
    ],
    &[
        "October", "Oct", "Oktober", "Okt", "octobre", "octubre", "ottobre", "outubro",
    ],
    &["November", "Nov", "novembre", "noviembre", "novembro"],
    &[
        "December",
        "Dec",
        "Dezember",
        "Dez",
        "diciembre",
        "dicembre",
        "dezembro",
        "decembre",
    ],
];
