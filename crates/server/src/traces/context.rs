//! Where a request belongs, as its client says it: the header `traceparent` (W3C Trace Context, level 1).

use hyper::header::HeaderMap;

use super::TRACEPARENT;

/// The span of a client in which a request was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
    /// Whether the client keeps this trace.
    pub(super) sampled: bool,
}

impl Parent {
    /// What a request says, if it says it once and as the format has it.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(TRACEPARENT).iter();
        let (value, other) = (values.next()?, values.next());
        if other.is_some() {
            return None;
        }
        Self::parse(value.as_bytes())
    }

    /// `version-trace-span-flags` in lower-case hexadecimal digits (section 3.2). A later version may say more behind them.
    fn parse(text: &[u8]) -> Option<Self> {
        let (known, more) = text.split_at_checked(55)?;
        let [version]: [u8; 1] = hex(known.get(..2)?)?;
        let fits = match version {
            0 => more.is_empty(),
            0xff => false,
            _ => more.is_empty() || more.starts_with(b"-"),
        };
        let dashes = [2, 35, 52].iter().all(|&at| known.get(at) == Some(&b'-'));
        let trace: [u8; 16] = hex(known.get(3..35)?)?;
        let span: [u8; 8] = hex(known.get(36..52)?)?;
        let [flags]: [u8; 1] = hex(known.get(53..)?)?;
        (fits && dashes && trace != [0; 16] && span != [0; 8]).then_some(Self {
            trace,
            span,
            sampled: flags & 1 == 1,
        })
    }
}

/// The header for the other side.
pub(super) fn traceparent(trace: &[u8; 16], span: &[u8; 8], sampled: bool) -> String {
    let digits = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("00-{}-{}-{:02x}", digits(trace), digits(span), u8::from(sampled))
}

/// Bytes from lower-case hexadecimal digits.
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let value = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let [high, low] = pair else { return None };
        *byte = (value(*high)? << 4) | value(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_is_written_is_read_again() {
        let parent = Parent::parse(GOOD.as_bytes()).expect("a parent");
        assert!(parent.sampled);
        assert_eq!(traceparent(&parent.trace, &parent.span, parent.sampled), GOOD);
        let unsampled = GOOD.replace("-01", "-02");
        assert!(!Parent::parse(unsampled.as_bytes()).expect("a parent").sampled);
    }

    #[test]
    fn a_later_version_may_say_more() {
        let later = GOOD.replacen("00", "01", 1);
        assert_eq!(Parent::parse(later.as_bytes()), Parent::parse(GOOD.as_bytes()));
        assert!(Parent::parse(format!("{later}-more").as_bytes()).is_some());
        assert!(Parent::parse(format!("{later}more").as_bytes()).is_none());
    }

    #[test]
    fn everything_else_is_none() {
        let zeros = |from: &str| GOOD.replace(from, &"0".repeat(from.len()));
        for text in [
            String::new(),
            GOOD.to_uppercase(),
            format!("{GOOD}-more"),
            format!("{GOOD} "),
            GOOD.replacen("00", "ff", 1),
            GOOD.replace('-', "_"),
            GOOD.replace("01", "0g"),
            zeros("0af7651916cd43dd8448eb211c80319c"),
            zeros("b7ad6b7169203331"),
            GOOD.trim_end_matches('1').to_owned(),
            "é".repeat(40),
        ] {
            assert_eq!(Parent::parse(text.as_bytes()), None, "{text}");
        }
        let mut headers = HeaderMap::new();
        for _ in 0..2 {
            headers.append(TRACEPARENT, GOOD.parse().expect("a value"));
        }
        assert_eq!(Parent::of(&headers), None, "two parents are none");
    }
}
