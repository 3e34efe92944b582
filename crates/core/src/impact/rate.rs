//! How often a clause can be wrong, given how many of its matches were reviewed and how many of these were.
//!
//! The bound is that of Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the
//! binomial", Biometrika 26 (1934), 404-413: the highest rate at which so few wrong ones would still come up in one of
//! twenty such samples. It holds for reviews that were drawn at random. Read [`upper_bound`] first.

/// How sure the bound is: 95 %, one-sided.
pub const CONFIDENCE: f64 = 0.95;

/// A clause may be promoted when the bound is below this.
pub const LIMIT: f64 = 0.05;

/// The highest rate of wrong matches that `wrong` of `reviewed` leave open.
#[must_use]
pub fn upper_bound(wrong: u64, reviewed: u64) -> f64 {
    if wrong >= reviewed {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    // Each step halves the interval: after 60 it is smaller than a double can tell.
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if at_most(wrong, reviewed, middle) > 1.0 - CONFIDENCE {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}

/// Whether the bound is below [`LIMIT`].
#[must_use]
pub fn is_low(wrong: u64, reviewed: u64) -> bool {
    wrong < reviewed && at_most(wrong, reviewed, LIMIT) < 1.0 - CONFIDENCE
}

/// How many more reviews it takes until the bound is below [`LIMIT`], if none of them is wrong; 0 if it is.
#[must_use]
pub fn missing(wrong: u64, reviewed: u64) -> u64 {
    // More reviews of which none is wrong only ever lower the bound: double, then halve.
    let mut more = 1;
    while !is_low(wrong, reviewed.saturating_add(more)) {
        more = more.saturating_mul(2);
    }
    let (mut low, mut high) = (0, more);
    while low < high {
        let middle = low.midpoint(high);
        if is_low(wrong, reviewed.saturating_add(middle)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    high
}

/// The chance of at most `wrong` wrong ones among `reviewed`, each wrong with chance `rate`. Terms are kept as logarithms:
/// the first may be smaller than any double.
#[expect(clippy::cast_precision_loss, reason = "counts of reviews are far below 2^52")]
fn at_most(wrong: u64, reviewed: u64, rate: f64) -> f64 {
    let mut term = reviewed as f64 * (-rate).ln_1p();
    let mut sum = term.exp();
    for index in 0..wrong {
        let (of, next) = ((reviewed - index) as f64, (index + 1) as f64);
        term += (of / next).ln() + rate.ln() - (-rate).ln_1p();
        sum += term.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of no wrong ones the bound is 1 - 0.05^(1/n). The others are from the beta distribution's quantiles, as tables have
    /// them.
    #[test]
    fn the_bound_is_that_of_the_tables() {
        let none = |reviewed: f64| 1.0 - (1.0 - CONFIDENCE).powf(1.0 / reviewed);
        for (wrong, reviewed, expected) in [
            (0, 60, none(60.0)),
            (0, 1, 0.95),
            (0, 100_000, none(100_000.0)),
            (1, 10, 0.394_2),
            (5, 100, 0.102_25),
            (5, 100_000, 0.000_105_127_5),
            (3, 3, 1.0),
            (0, 0, 1.0),
        ] {
            let bound = upper_bound(wrong, reviewed);
            assert!(
                (bound / expected - 1.0).abs() < 1e-3,
                "{wrong} of {reviewed}: {bound}, not {expected}"
            );
        }
    }

    #[test]
    fn fifty_nine_without_a_wrong_one_are_enough() {
        assert_eq!(missing(0, 0), 59);
        assert_eq!(missing(0, 58), 1);
        assert_eq!(missing(0, 59), 0);
        assert_eq!(missing(1, 59), 34);
        assert!(missing(40, 50) > 900);
        for (wrong, reviewed) in [(0, 58), (1, 92), (2, 80), (7, 30)] {
            let enough = reviewed + missing(wrong, reviewed);
            assert!(upper_bound(wrong, enough) < LIMIT, "{wrong} of {enough}");
            assert!(upper_bound(wrong, enough - 1) >= LIMIT, "{wrong} of {enough} less one");
        }
    }
}
