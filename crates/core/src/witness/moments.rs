//! Moments that stand for all others: one for each combination of the dates, days and hours that policies look at.

use std::collections::BTreeSet;

use jiff::civil::{DateTime, Time};
use jiff::{Timestamp, ToSpan as _};

use super::interest::selectors;
use crate::decide::selector::{Test, TimeTest};
use crate::policy::compile::Policy;

/// The moments, `now` first.
pub(crate) fn moments(policies: &[&Policy], now: Timestamp) -> Vec<Timestamp> {
    let limits: BTreeSet<Timestamp> = policies.iter().flat_map(|policy| limits(policy)).collect();
    let mut candidates = vec![now];
    let before = limits.first().and_then(|first| first.checked_sub(24.hours()).ok());
    for start in before.into_iter().chain(limits.iter().copied()) {
        candidates.push(start);
        candidates.extend(policies.iter().flat_map(|policy| week(policy, start)));
    }
    candidates.extend(policies.iter().flat_map(|policy| week(policy, now)));
    let mut seen = BTreeSet::new();
    candidates.retain(|&moment| seen.insert(policies.iter().map(|policy| view(policy, moment)).collect::<Vec<_>>()));
    candidates
}

fn times(policy: &Policy) -> impl Iterator<Item = &TimeTest> {
    selectors(policy)
        .flat_map(|selector| selector.tests())
        .filter_map(|test| match test {
            Test::Time(time) => Some(time),
            _ => None,
        })
}

/// The moments at which something of a policy begins or ends.
fn limits(policy: &Policy) -> BTreeSet<Timestamp> {
    let apps = policy
        .apps
        .iter()
        .flatten()
        .filter_map(|entry| entry.expires.map(|(at, _)| at));
    let excludes = policy.excludes.iter().map(|exclude| exclude.until);
    let exceptions = policy.exceptions.iter().map(|exception| exception.until);
    let times = times(policy).flat_map(|time| time.from.into_iter().chain(time.until));
    let passes = policy.passes.iter().filter_map(|pass| pass.until);
    apps.chain(excludes)
        .chain(passes)
        .chain(exceptions)
        .chain(times)
        .collect()
}

/// The beginnings of days and the ends of hours in the eight days from a moment on, if a policy looks at days or hours.
fn week(policy: &Policy, start: Timestamp) -> Vec<Timestamp> {
    let weekly: Vec<&TimeTest> = times(policy)
        .filter(|time| time.days.is_some() || time.hours.is_some())
        .collect();
    if weekly.is_empty() {
        return Vec::new();
    }
    let hours = weekly.iter().filter_map(|time| time.hours);
    let edges: BTreeSet<Time> = hours
        .flat_map(|(from, to)| [from, to])
        .chain([Time::midnight()])
        .collect();
    let first = policy.zone.to_datetime(start).date();
    let days = (0..8).filter_map(|day| first.checked_add(day.days()).ok());
    days.flat_map(|day| edges.iter().map(move |&edge| DateTime::from_parts(day, edge)))
        .filter_map(|local| policy.zone.to_timestamp(local).ok())
        .filter(|&moment| moment >= start)
        .collect()
}

/// Everything that a policy sees of a moment.
fn view(policy: &Policy, moment: Timestamp) -> Vec<bool> {
    let passed = limits(policy).into_iter().map(|limit| moment >= limit);
    passed
        .chain(times(policy).map(|time| time.holds(moment, &policy.zone)))
        .collect()
}
