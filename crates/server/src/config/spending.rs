//! What calls cost, and what may be spent: `currency`, `prices` and `budgets`.

use ordain_core::decide::Pattern;
use ordain_core::policy::fields::{Fields, Reader};
use ordain_core::policy::node::Node;
use ordain_core::policy::problem::Problem;

use crate::store::terms::micro_units;
use crate::store::{Amount, Limit, Measure};

/// Prices and budgets of a gateway.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spending {
    /// What prices and limits of cost are in, such as `EUR`.
    pub currency: Option<String>,
    /// What calls cost; the first that fits counts.
    pub prices: Vec<Price>,
    /// What may be spent, beside the limits that keys come with.
    pub budgets: Vec<Budget>,
}

/// What a model's tokens cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The app that serves the model.
    pub app: String,
    /// The model.
    pub model: Pattern,
    /// For each token.
    pub rate: Rate,
}

/// What tokens cost: millionths of the currency's unit for a million of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// For tokens of the request.
    pub input: u64,
    /// For tokens of the answer.
    pub output: u64,
}

impl Rate {
    /// What so many tokens cost, in millionths of the unit, rounded up.
    #[must_use]
    pub fn cost(self, input: u64, output: u64) -> u64 {
        const MILLION: u128 = 1_000_000;
        let of = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
        let cost = of(input, self.input)
            .saturating_add(of(output, self.output))
            .div_ceil(MILLION);
        u64::try_from(cost).unwrap_or(u64::MAX).min(Amount::MOST)
    }
}

/// Limits that hold for everybody, or for some groups, each for themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Whose spending is counted together.
    pub per: Per,
    /// For whom it holds, as the directory names groups; for everybody if empty.
    pub groups: Vec<String>,
    /// What may be spent.
    pub limits: Vec<Limit>,
}

/// Whose spending a budget counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// That of a key, with those that it replaced.
    Key,
    /// That of a principal, with all keys and tokens.
    Principal,
}

impl Spending {
    /// What tokens of a model cost, if that is known.
    #[must_use]
    pub fn rate(&self, app: &str, model: &str) -> Option<Rate> {
        let fits = |price: &&Price| price.app == app && price.model.matches(model);
        self.prices.iter().find(fits).map(|price| price.rate)
    }
}

pub(super) fn read(fields: &mut Fields<'_>, reader: &mut Reader) -> Spending {
    let mut spending = Spending {
        currency: fields.text("currency", reader).map(|text| text.value),
        ..Spending::default()
    };
    for node in fields.list("prices", reader) {
        if spending.currency.is_none() {
            let problem = Problem::error("missing-key", node.place, "a price says nothing without `currency`");
            reader
                .problems
                .push(problem.help("add `currency: EUR`, or what the prices are in"));
        }
        spending.prices.extend(price(node, reader));
    }
    for node in fields.list("budgets", reader) {
        let Some(budget) = budget(node, reader) else { continue };
        let costs = budget.limits.iter().any(|limit| limit.measure == Measure::Cost);
        if costs && spending.prices.is_empty() {
            let problem = Problem::error("missing-key", node.place, "a limit of cost needs `prices`");
            reader
                .problems
                .push(problem.help("without them every request under it would be refused"));
        }
        spending.budgets.push(budget);
    }
    spending
}

fn price(node: &Node, reader: &mut Reader) -> Option<Price> {
    let mut fields = reader.fields(node, "a price")?;
    let app = fields.required("app", reader);
    let model = fields.text("model", reader);
    let input = fields.required_with("input", reader, money);
    let output = fields.required_with("output", reader, money);
    fields.finish(reader);
    Some(Price {
        app: app?.value,
        model: Pattern::new(model.as_ref().map_or("*", |model| model.as_str())),
        rate: Rate {
            input: input?,
            output: output?,
        },
    })
}

fn money(reader: &mut Reader, node: &Node) -> Option<u64> {
    let text = reader.raw(node)?;
    let micro = micro_units(text.as_str()).filter(|micro| *micro <= Amount::MOST);
    if micro.is_none() {
        reader.wrong(node, "a price for a million tokens is expected, such as `1.25`");
    }
    micro
}

fn budget(node: &Node, reader: &mut Reader) -> Option<Budget> {
    let mut fields = reader.fields(node, "a budget")?;
    let per = |word: &str| match word {
        "key" => Some(Per::Key),
        "principal" => Some(Per::Principal),
        _ => None,
    };
    let per = fields.required_with("per", reader, |reader, node| {
        reader.word(node, "whose spending is counted together", per, &["key", "principal"])
    });
    let groups = fields.texts("groups", reader);
    let mut limits = Vec::new();
    let nodes = fields.list("limits", reader);
    if nodes.is_empty() {
        reader.wrong(node, "a budget needs `limits`, such as `[tokens=2000000/day]`");
    }
    for node in nodes {
        let Some(text) = reader.text(node) else { continue };
        let limit = Limit::parse(text.as_str());
        if limit.is_none() {
            reader.wrong(node, LIMIT);
        }
        limits.extend(limit);
    }
    fields.finish(reader);
    Some(Budget {
        per: per?.value,
        groups: groups.into_iter().map(|group| group.value).collect(),
        limits,
    })
}

/// What a limit looks like, for whoever wrote something else.
const LIMIT: &str = "a limit is expected: `requests=60/minute`, `tokens=2000000/day` or `cost=12.50/month`, for each `minute`, `hour`, `day` or `month`";

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    fn read(text: &str) -> Result<Spending, Vec<(String, u32)>> {
        let mut problems = Vec::new();
        let config = parse(text, &mut problems);
        let problems: Vec<_> = problems
            .iter()
            .map(|one| (one.message.clone(), one.place.line))
            .collect();
        config.map(|config| config.spending).ok_or(problems)
    }

    #[test]
    fn prices_and_budgets_are_read() {
        let spending = read(
            "currency: EUR\n\
             prices:\n  - {app: openai-api, model: gpt-5-mini, input: 0.25, output: 2}\n  - {app: openai-api, input: 1.25, output: 10.00}\n\
             budgets:\n  - {per: principal, limits: [tokens=2000000/day, cost=50/month]}\n  - {per: key, groups: [interns], limits: [requests=60/minute]}\n",
        )
        .expect("a configuration");
        let rate = spending.rate("openai-api", "gpt-5").expect("a price");
        assert_eq!(
            rate,
            Rate {
                input: 1_250_000,
                output: 10_000_000
            }
        );
        assert_eq!(
            spending.rate("openai-api", "gpt-5-mini").map(|rate| rate.input),
            Some(250_000)
        );
        assert_eq!(spending.rate("anthropic-api", "gpt-5"), None);
        assert_eq!(rate.cost(1_000, 500), 6_250, "0.00125 and 0.005");
        assert_eq!(rate.cost(1, 0), 2, "1.25 millionths, rounded up");
        assert_eq!(rate.cost(u64::MAX, u64::MAX), Amount::MOST);
        let [everybody, interns] = spending.budgets.as_slice() else {
            panic!("{:?}", spending.budgets)
        };
        assert_eq!((everybody.per, everybody.limits.len()), (Per::Principal, 2));
        assert_eq!(
            (interns.per, interns.groups.as_slice()),
            (Per::Key, ["interns".to_owned()].as_slice())
        );
    }

    #[test]
    fn what_cannot_be_kept_to_is_refused_at_its_line() {
        for (text, line, says) in [
            ("prices:\n  - {app: a, input: 1, output: 1}\n", 2, "currency"),
            (
                "currency: EUR\nprices:\n  - {app: a, input: -1, output: 1}\n",
                3,
                "a price for a million tokens",
            ),
            (
                "budgets:\n  - {per: principal, limits: [cost=1/day]}\n",
                2,
                "needs `prices`",
            ),
            ("budgets:\n  - {per: team, limits: [tokens=1/day]}\n", 2, "`team`"),
            ("budgets:\n  - {per: key}\n", 2, "needs `limits`"),
            (
                "budgets:\n  - per: key\n    limits:\n      - tokens=1/week\n",
                4,
                "a limit is expected",
            ),
            (
                "budgets:\n  - {per: key, limits: [tokens=1/day], limit: 5}\n",
                2,
                "limit",
            ),
        ] {
            let problems = read(text).expect_err(text);
            assert!(
                problems
                    .iter()
                    .any(|(message, at)| *at == line && message.contains(says)),
                "{text}\n{problems:?}"
            );
        }
    }
}
