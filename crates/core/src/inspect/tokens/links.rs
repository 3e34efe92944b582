//! Whether a place in a text is within an address, from which a program that shows the text may fetch.
//!
//! A model that was talked into it could write a picture's address with a token in it. The value would leave with the request
//! for the picture, without anybody's doing (threat E4). So an address gets no values. Read [`Links`] first.

/// What is known of a text up to some place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::inspect) struct Links {
    /// Where the address ends that the place is in.
    within: Option<End>,
    /// Within `<` and `>`, in which an address may have spaces.
    angled: bool,
    /// The quotation mark that the word began with.
    quoted: Option<char>,
    /// Whether a slash, or what passes for one, was the last character.
    slash: bool,
}

/// What ends an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Space,
    At(char),
}

impl Links {
    /// Goes on over more text.
    pub(super) fn pass(&mut self, text: &str) {
        for character in text.chars() {
            self.step(character);
        }
    }

    /// Whether the place is within an address.
    pub(super) const fn is_within(&self) -> bool {
        self.within.is_some()
    }

    fn step(&mut self, character: char) {
        let over = match self.within {
            Some(End::Space) => character.is_whitespace(),
            Some(End::At(end)) => character == end,
            None => false,
        };
        if over {
            self.within = None;
        }
        // Browsers read a backslash as a slash, and no scheme as that of the page.
        let slash = matches!(character, '/' | '\\');
        if slash && self.slash && self.within.is_none() {
            self.within = Some(match (self.angled, self.quoted) {
                (true, _) => End::At('>'),
                (false, Some(mark)) => End::At(mark),
                (false, None) => End::Space,
            });
        }
        self.slash = slash;
        match character {
            '<' => self.angled = true,
            '>' => self.angled = false,
            '"' | '\'' => self.quoted = Some(character),
            space if space.is_whitespace() => self.quoted = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_seen_however_they_are_written() {
        // A `^` marks a place within an address, `_` one without.
        for text in [
            "_ https://a.example/?q=^",
            "https://a.example/?q=^&r=^ _",
            "![x](https://a.example/^) _",
            "![x](//a.example/^",
            "![x](/\\a.example/^",
            "![x](https:\\\\a.example\\^",
            "![x](<https://a.example/ ^> _",
            "![x](< https://a.example/\n^> _",
            "[x]: https://a.example/^\n_",
            "<img alt=\"_\" src=\"https://a.example/ ^\"^> _",
            "<img src='https://a.example/ \n ^'^>",
            "see \"https://a.example/ ^\" _",
            "don't _ https://a.example/^ _",
            "1 < 2, 4 / 2 _ and and/or _ C:\\x _",
        ] {
            let mut links = Links::default();
            for character in text.chars() {
                match character {
                    '^' => assert!(links.is_within(), "{text}"),
                    '_' => assert!(!links.is_within(), "{text}"),
                    other => links.pass(&other.to_string()),
                }
            }
        }
    }
}
