//! What an exchange is charged: reserved before it is sent, settled with its outcome.

use std::sync::Arc;

use ordain_core::inspect::Said;
use ordain_core::record::Result as Ended;

use crate::budgets::Reservation;
use crate::config::Rate;
use crate::store::{Amount, Spend};

/// What one exchange is charged by.
#[derive(Debug, Default)]
pub(super) struct Bill {
    /// Most tokens of the request: none is shorter than a byte.
    pub(super) input: u64,
    /// Most tokens of the answer, as the request bounds it or the configuration assumes.
    pub(super) output: u64,
    /// What a token costs, where that is known.
    pub(super) rate: Option<(Rate, Arc<str>)>,
    /// What the budgets hold for it, where there are any.
    pub(super) reservation: Option<Reservation>,
    /// What came back.
    pub(super) heard: Heard,
    /// Whether the answer ended before it was whole.
    pub(super) cut: bool,
}

/// What came back from an upstream, as far as charging goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was not reached, or answered with an error: providers charge nothing for that.
    Nothing,
    /// It was sent something, and nobody knows what became of it.
    #[default]
    Unknown,
    /// An answer, whole or in part.
    Answer,
}

/// What was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Used {
    pub(super) input: u64,
    pub(super) output: u64,
    /// Whether the provider did not state all of it.
    pub(super) estimated: bool,
    /// In millionths of the unit of this currency.
    pub(super) cost: Option<(u64, Arc<str>)>,
}

impl Bill {
    /// What the call is taken to cost before it is sent.
    pub(super) fn asks(&self) -> Amount {
        self.amount(self.input, self.output)
    }

    /// What the intent adds to the budgets.
    pub(super) fn opening(&self) -> Vec<Spend> {
        self.reservation.as_ref().map(Reservation::opening).unwrap_or_default()
    }

    /// Settles: what was used, as far as it can be said, and what the outcome changes in the budgets.
    pub(super) fn close(&mut self, said: Option<Said>, ended: Ended) -> (Option<Used>, Vec<Spend>) {
        let used = (ended != Ended::NotSent)
            .then(|| self.used(said.unwrap_or_default()))
            .flatten();
        let Some(reservation) = self.reservation.take() else {
            return (used, Vec::new());
        };
        let spent = match &used {
            _ if ended == Ended::NotSent => Amount::default(),
            Some(used) => self.amount(used.input, used.output),
            None => self.amount(0, 0),
        };
        (used, reservation.settle(spent))
    }

    fn used(&self, said: Said) -> Option<Used> {
        let stated = said.usage;
        let (input, output, estimated) = match self.heard {
            Heard::Nothing => return None,
            Heard::Unknown if self.reservation.is_none() => return None,
            Heard::Unknown => (self.input, self.output, true),
            Heard::Answer => {
                if self.reservation.is_none() && stated.input.is_none() && stated.output.is_none() {
                    return None;
                }
                let seen = said.bytes.min(self.output);
                let output = match stated.output {
                    // What was stated at the beginning of a stream is not all that was said by its end.
                    Some(stated) if self.cut => stated.max(seen),
                    Some(stated) => stated,
                    None => seen,
                };
                let guessed = stated.input.is_none() || self.cut || (stated.output.is_none() && self.output > 0);
                (stated.input.unwrap_or(self.input), output, guessed)
            }
        };
        let cost = self.rate.as_ref();
        Some(Used {
            input,
            output,
            estimated,
            cost: cost.map(|(rate, currency)| (rate.cost(input, output), Arc::clone(currency))),
        })
    }

    fn amount(&self, input: u64, output: u64) -> Amount {
        Amount {
            requests: 1,
            tokens: input.saturating_add(output).min(Amount::MOST),
            cost: self.rate.as_ref().map_or(0, |(rate, _)| rate.cost(input, output)),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use ordain_core::exchange::Usage;

    use super::*;
    use crate::budgets::Budgets;
    use crate::store::{Holder, Limit};

    fn said(input: Option<u64>, output: Option<u64>, bytes: u64) -> Option<Said> {
        Some(Said {
            usage: Usage { input, output },
            bytes,
        })
    }

    fn bill(reserves: bool, heard: Heard, cut: bool) -> Bill {
        let mut bill = Bill {
            input: 300,
            output: 50,
            heard,
            cut,
            ..Bill::default()
        };
        let limit = Limit::parse("tokens=1000/day").expect("a limit");
        let holders = [(Holder::Key("k_a".into()), limit)];
        let reserve = || Budgets::new([]).reserve(&holders, bill.asks(), Timestamp::UNIX_EPOCH, &TimeZone::UTC);
        bill.reservation = reserves.then(|| reserve().expect("it fits"));
        bill
    }

    #[test]
    fn what_is_charged_is_what_was_stated_or_what_can_be_seen() {
        use Heard::{Answer, Nothing, Unknown};
        for (name, heard, cut, said, charged) in [
            (
                "stated",
                Answer,
                false,
                said(Some(11), Some(7), 40),
                Some((11, 7, false)),
            ),
            (
                "more than reserved",
                Answer,
                false,
                said(Some(400), Some(90), 40),
                Some((400, 90, false)),
            ),
            (
                "nothing stated",
                Answer,
                false,
                said(None, None, 40),
                Some((300, 40, true)),
            ),
            (
                "nothing stated, long",
                Answer,
                false,
                said(None, None, 4_000),
                Some((300, 50, true)),
            ),
            (
                "half stated",
                Answer,
                false,
                said(None, Some(7), 40),
                Some((300, 7, true)),
            ),
            (
                "cut off",
                Answer,
                true,
                said(Some(11), Some(1), 40),
                Some((11, 40, true)),
            ),
            (
                "cut off after the count",
                Answer,
                true,
                said(Some(11), Some(45), 40),
                Some((11, 45, true)),
            ),
            ("no answer came", Unknown, false, None, Some((300, 50, true))),
            ("not reached", Nothing, false, None, None),
        ] {
            let (used, spends) = bill(true, heard, cut).close(said, Ended::Completed);
            let expected = charged.map(|(input, output, estimated)| Used {
                input,
                output,
                estimated,
                cost: None,
            });
            assert_eq!(used, expected, "{name}");
            let tokens = charged.map_or(0, |(input, output, _)| input + output);
            let [spend] = spends.as_slice() else {
                panic!("{name}: {spends:?}")
            };
            assert_eq!(
                (spend.adds.requests, spend.adds.tokens, spend.takes.tokens),
                (1, tokens, 350),
                "{name}"
            );
        }
    }

    #[test]
    fn what_was_not_sent_is_not_charged() {
        let (used, spends) = bill(true, Heard::default(), false).close(None, Ended::NotSent);
        assert_eq!(used, None);
        assert_eq!(spends.first().map(|spend| spend.adds), Some(Amount::default()));
    }

    #[test]
    fn without_a_budget_only_what_was_stated_is_told() {
        for (heard, said, told) in [
            (Heard::Answer, said(Some(1), Some(2), 9), true),
            (Heard::Answer, said(None, None, 9), false),
            (Heard::Unknown, None, false),
        ] {
            let (used, spends) = bill(false, heard, false).close(said, Ended::Completed);
            assert_eq!((used.is_some(), spends.len()), (told, 0));
        }
    }

    #[test]
    fn embeddings_state_no_answer_and_need_none() {
        let mut bill = Bill {
            output: 0,
            ..bill(false, Heard::Answer, false)
        };
        let (used, _) = bill.close(said(Some(5), None, 90), Ended::Completed);
        assert_eq!(
            used.map(|used| (used.input, used.output, used.estimated)),
            Some((5, 0, false))
        );
    }
}
