use std::sync::atomic::{AtomicU64, Ordering};

use super::*;
use crate::store::SubjectId;

fn at(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn noon() -> Timestamp {
    at("2026-12-01T12:00:30Z")
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

fn key() -> Holder {
    Holder::Key("k_a".into())
}

fn limits(texts: &[&str]) -> Vec<(Holder, Limit)> {
    texts
        .iter()
        .map(|text| (key(), Limit::parse(text).expect("a limit")))
        .collect()
}

fn tokens(tokens: u64) -> Amount {
    Amount {
        requests: 1,
        tokens,
        cost: 0,
    }
}

fn counter(budgets: &Budgets, period: Period) -> (Amount, Amount) {
    let counters = budgets.lock();
    let counter = counters.known.get(&(key(), period)).expect("a counter");
    (counter.spent, counter.held)
}

#[test]
fn a_call_reserves_and_settles_for_what_it_used() {
    let budgets = Budgets::new([]);
    let limits = limits(&["tokens=100/day", "requests=5/day", "tokens=1000/month"]);
    let held = budgets
        .reserve(&limits, tokens(60), noon(), &TimeZone::UTC)
        .expect("it fits");
    let opening = held.opening();
    assert_eq!(opening.len(), 2, "one counter for each period: {opening:?}");
    assert!(
        opening
            .iter()
            .all(|spend| spend.adds == tokens(60) && spend.takes == Amount::default())
    );
    let over = budgets
        .reserve(&limits, tokens(41), noon(), &TimeZone::UTC)
        .expect_err("60 and 41");
    assert_eq!(
        (over.limit.to_string().as_str(), over.alone, over.wait_ms),
        ("tokens=100/day", false, 1_000)
    );
    let closing = held.settle(tokens(20));
    assert!(
        closing
            .iter()
            .all(|spend| spend.adds == tokens(20) && spend.takes == tokens(60))
    );
    assert_eq!(counter(&budgets, Period::Day), (tokens(20), Amount::default()));
    let rest = budgets.reserve(&limits, tokens(80), noon(), &TimeZone::UTC);
    let _ = rest.expect("20 and 80").settle(tokens(80));
    let over = budgets
        .reserve(&limits, tokens(1), noon(), &TimeZone::UTC)
        .expect_err("nothing is left");
    assert_eq!(over.wait_ms, 12 * HOUR_MS - 30_000, "until midnight");
}

#[test]
fn what_is_not_sent_gives_back_what_it_held() {
    let budgets = Budgets::new([]);
    let limits = limits(&["requests=1/hour"]);
    let held = budgets
        .reserve(&limits, tokens(5), noon(), &TimeZone::UTC)
        .expect("it fits");
    budgets
        .reserve(&limits, tokens(5), noon(), &TimeZone::UTC)
        .expect_err("one at a time");
    drop(held);
    assert_eq!(counter(&budgets, Period::Hour), (Amount::default(), Amount::default()));
    drop(
        budgets
            .reserve(&limits, tokens(5), noon(), &TimeZone::UTC)
            .expect("it fits again"),
    );
}

#[test]
fn a_refused_call_holds_nothing_of_any_limit() {
    let budgets = Budgets::new([]);
    let person = (
        Holder::Principal(SubjectId::random()),
        Limit::parse("tokens=1000/day").expect("a limit"),
    );
    let mut both = limits(&["tokens=10/hour"]);
    both.push(person.clone());
    let over = budgets
        .reserve(&both, tokens(11), noon(), &TimeZone::UTC)
        .expect_err("too much");
    assert_eq!((over.holder.kind(), over.alone), ("key", true));
    drop(
        budgets
            .reserve(&[person], tokens(1_000), noon(), &TimeZone::UTC)
            .expect("the other limit is untouched"),
    );
}

#[test]
fn of_several_limits_the_longest_wait_is_told() {
    let budgets = Budgets::new([]);
    let limits = limits(&["requests=1/minute", "requests=1/month", "requests=1/hour"]);
    let used = budgets
        .reserve(&limits, tokens(1), noon(), &TimeZone::UTC)
        .expect("it fits");
    let _ = used.settle(tokens(1));
    let over = budgets
        .reserve(&limits, tokens(1), noon(), &TimeZone::UTC)
        .expect_err("spent");
    assert_eq!(over.limit.period, Period::Month);
    assert_eq!(
        over.wait_ms,
        at("2027-01-01T00:00:00Z").as_millisecond() - noon().as_millisecond()
    );
}

#[test]
fn a_usage_beyond_the_reservation_counts_in_full() {
    let budgets = Budgets::new([]);
    let limits = limits(&["tokens=100/day"]);
    let held = budgets
        .reserve(&limits, tokens(90), noon(), &TimeZone::UTC)
        .expect("it fits");
    let _ = held.settle(tokens(500));
    assert_eq!(counter(&budgets, Period::Day).0, tokens(500));
    budgets
        .reserve(&limits, tokens(1), noon(), &TimeZone::UTC)
        .expect_err("far over");
}

#[test]
fn a_new_period_begins_at_nothing_and_what_settles_late_belongs_to_the_old_one() {
    let budgets = Budgets::new([]);
    let limits = limits(&["tokens=100/minute"]);
    let first = budgets
        .reserve(&limits, tokens(100), noon(), &TimeZone::UTC)
        .expect("it fits");
    let next = at("2026-12-01T12:01:00Z");
    let second = budgets
        .reserve(&limits, tokens(100), next, &TimeZone::UTC)
        .expect("a new minute");
    let late = first.settle(tokens(100));
    assert_eq!(
        late.first().map(|spend| spend.start_ms),
        Some(at("2026-12-01T12:00:00Z").as_millisecond())
    );
    assert_eq!(counter(&budgets, Period::Minute), (Amount::default(), tokens(100)));
    let _ = second.settle(tokens(40));
    // A clock that is set back finds the later period, not a fresh one.
    budgets
        .reserve(&limits, tokens(61), noon(), &TimeZone::UTC)
        .expect_err("40 and 61");
    drop(
        budgets
            .reserve(&limits, tokens(60), noon(), &TimeZone::UTC)
            .expect("40 and 60"),
    );
}

#[test]
fn days_and_months_are_those_of_the_zone() {
    let berlin = zone("Europe/Berlin");
    let start = |period, moment: &str| start_of(period, at(moment), &berlin);
    let midnight = at("2026-11-30T23:00:00Z").as_millisecond();
    assert_eq!(start(Period::Day, "2026-12-01T22:59:59Z"), midnight);
    assert_eq!(start(Period::Day, "2026-12-01T23:00:00Z"), midnight + DAY_MS);
    assert_eq!(start(Period::Month, "2026-12-31T22:59:59Z"), midnight);
    assert_eq!(
        end_of(Period::Month, midnight, &berlin),
        at("2026-12-31T23:00:00Z").as_millisecond()
    );
    // The day on which clocks go forward has 23 hours.
    let short = at("2027-03-27T23:00:00Z").as_millisecond();
    assert_eq!(start(Period::Day, "2027-03-28T12:00:00Z"), short);
    assert_eq!(end_of(Period::Day, short, &berlin), short + 23 * HOUR_MS);
    assert_eq!(
        start(Period::Hour, "2026-12-01T12:34:56.789Z"),
        at("2026-12-01T12:00:00Z").as_millisecond()
    );
    assert_eq!(start(Period::Minute, "1969-12-31T23:59:59Z"), -MINUTE_MS);
}

#[test]
fn a_restart_goes_on_with_what_is_stored() {
    let budgets = Budgets::new([]);
    let limits = limits(&["tokens=100/day"]);
    let held = budgets
        .reserve(&limits, tokens(70), noon(), &TimeZone::UTC)
        .expect("it fits");
    let opening = held.opening();
    // The process ends here: the store has what the intent added.
    let stored = opening.into_iter().map(|spend| Spent {
        holder: spend.holder,
        period: spend.period,
        start_ms: spend.start_ms,
        amount: spend.adds,
    });
    let budgets = Budgets::new(stored);
    budgets
        .reserve(&limits, tokens(31), noon(), &TimeZone::UTC)
        .expect_err("the cut-off call counts in full");
    drop(
        budgets
            .reserve(&limits, tokens(30), noon(), &TimeZone::UTC)
            .expect("70 and 30"),
    );
}

#[test]
fn threads_that_race_never_hold_or_spend_more_than_there_is() {
    let budgets = Budgets::new([]);
    let limits = limits(&["tokens=1000/day", "requests=90/day"]);
    let used = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let Ok(held) = budgets.reserve(&limits, tokens(13), noon(), &TimeZone::UTC) else {
                        continue;
                    };
                    let (spent, holding) = counter(&budgets, Period::Day);
                    assert!(spent.plus(holding).tokens <= 1_000, "{spent:?} {holding:?}");
                    used.fetch_add(11, Ordering::Relaxed);
                    let _ = held.settle(tokens(11));
                }
            });
        }
    });
    let (spent, held) = counter(&budgets, Period::Day);
    assert_eq!((spent.tokens, held), (used.load(Ordering::Relaxed), Amount::default()));
    // Alone, 90 requests of 11 tokens fit; a racing one may be turned away for what others held and gave back.
    assert!(
        spent.tokens <= 1_000 && spent.requests <= 90 && spent.requests > 60,
        "{spent:?}"
    );
}

#[test]
fn counters_of_periods_that_are_over_are_dropped() {
    let budgets = Budgets::new([]);
    let limit = Limit::parse("requests=5/minute").expect("a limit");
    let mut moment = noon();
    for number in 0..3 * TIDY_AT {
        let holder = Holder::Key(number.to_string().into());
        drop(budgets.reserve(&[(holder, limit)], tokens(1), moment, &TimeZone::UTC));
        moment += 1.second();
    }
    assert!(budgets.lock().known.len() <= TIDY_AT, "{}", budgets.lock().known.len());
}
