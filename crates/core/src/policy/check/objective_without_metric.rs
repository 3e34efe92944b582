//! A goal that something can measure.

use super::{Context, check};
use crate::metric::{Metric, Target};
use crate::policy::problem::Problem;

check!(
    "objective-without-metric",
    Warning,
    "Every objective names a metric of the closed list, and a target that can be read.",
    "Name one of the metrics; write the target as a number with `<`, `<=`, `>=` or `>` before it and `%` or `days` after it.",
    Document(run),
    bad: "purpose:\n  objectives:\n    - {id: protect, statement: No leaks., metric: happiness, target: 0, owner: ciso} #!\n",
    good: "purpose:\n  objectives:\n    - {id: protect, statement: No leaks., metric: leaks-escaped, target: 0, owner: ciso}\n",
);

fn run(context: &Context<'_>, problems: &mut Vec<Problem>) {
    for objective in &context.document.objectives {
        let name = objective.id.as_ref().map_or("an objective", |id| id.as_str());
        let words = Metric::ALL.iter().map(|metric| metric.as_str());
        match &objective.metric {
            None => {
                let problem = Problem::warning(
                    "objective-without-metric",
                    objective.place,
                    format!("nothing measures `{name}`"),
                );
                let list: Vec<String> = words.map(|word| format!("`{word}`")).collect();
                problems.push(problem.help(format!("add `metric:` with one of {}", list.join(", "))));
            }
            Some(metric) if Metric::parse(metric.as_str()).is_none() => {
                let message = format!("`{}` is no metric, so `{name}` stays unmeasured", metric.value);
                let problem = Problem::warning("objective-without-metric", metric.place, message);
                problems.push(problem.suggest(metric.as_str(), words));
            }
            Some(_) => {}
        }
        if let Some(target) = objective
            .target
            .as_ref()
            .filter(|target| Target::parse(target.as_str()).is_none())
        {
            let message = format!("the target `{}` cannot be compared with a number", target.value);
            let problem = Problem::warning("objective-without-metric", target.place, message);
            problems.push(problem.help("write it as `0`, `< 5`, `\">= 60%\"` or `\"<= 3 days\"`"));
        }
    }
}
