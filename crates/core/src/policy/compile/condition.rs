//! Conditions: what selectors cannot say, in the Common Expression Language.
//!
//! The language itself is the `cel` crate's. It does not check types ahead of time, so that a slip would only show while a
//! request waits; [`Condition::compile`] therefore walks the expression once and refuses what is not a boolean over the
//! documented names (CEL specification, "Gradual Type Checking"; ours is strict).

use std::fmt;

use cel::common::ast::{Expr, IdedExpr, LiteralValue, operators};
use cel::{Context, Program, Value};

use crate::decide::Bound;

/// A checked condition.
pub(crate) struct Condition {
    program: Program,
    source: String,
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source).finish()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Number,
    Bool,
    Texts,
}

/// The names that a condition may use.
const NAMES: [(&str, Type); 15] = [
    ("principal", Type::Text),
    ("groups", Type::Texts),
    ("client", Type::Text),
    ("app", Type::Text),
    ("app_class", Type::Text),
    ("categories", Type::Texts),
    ("model", Type::Text),
    ("use", Type::Text),
    ("direction", Type::Text),
    ("sources", Type::Texts),
    ("data", Type::Texts),
    ("data_class", Type::Text),
    ("findings", Type::Texts),
    ("tools", Type::Texts),
    ("weekday", Type::Number),
];
const HOUR: (&str, Type) = ("hour", Type::Number);

impl Condition {
    /// Parses and checks an expression; the error is a fragment for the author.
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        let program = Program::compile(source)
            .map_err(|error| format!("it does not parse: {}", first_line(&error.to_string())))?;
        let mut scope: Vec<(String, Type)> = NAMES
            .iter()
            .chain([&HOUR])
            .map(|&(name, kind)| (name.to_owned(), kind))
            .collect();
        match infer(program.expression(), &mut scope)? {
            Type::Bool => Ok(Self {
                program,
                source: source.to_owned(),
            }),
            Type::Text | Type::Number | Type::Texts => Err("it is not a yes-or-no question".to_owned()),
        }
    }

    /// The expression as it is written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// Whether it looks at a name.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.program.references().has_variable(name)
    }

    /// Whether it holds. A condition that fails while it runs counts as true: its rule applies.
    pub(crate) fn holds(&self, bound: &Bound<'_>) -> bool {
        let facts = bound.facts;
        let texts =
            |words: &mut dyn Iterator<Item = &str>| -> Value { words.map(Value::from).collect::<Vec<_>>().into() };
        let text = |word: Option<&str>| Value::from(word.unwrap_or_default());
        let local = bound.local();
        let content = &facts.content;
        let values: [(&str, Value); 16] = [
            ("principal", text(Some(&facts.who.principal))),
            ("groups", texts(&mut bound.policy.names.group_names(&bound.groups))),
            ("client", text(facts.who.client.as_deref())),
            ("app", text(Some(&facts.to.app))),
            ("app_class", text(Some(bound.app_class.as_str()))),
            ("categories", texts(&mut facts.to.categories.iter().map(String::as_str))),
            ("model", text(facts.model.as_deref())),
            ("use", text(facts.use_.as_deref())),
            ("direction", text(Some(facts.direction.as_str()))),
            (
                "sources",
                texts(&mut content.sources.iter().map(|source| source.as_str())),
            ),
            (
                "data",
                texts(&mut content.entities.iter().map(|seen| seen.entity.as_str())),
            ),
            ("data_class", text(Some(bound.policy.class_name(bound.data_class)))),
            (
                "findings",
                texts(&mut content.findings.iter().map(|(id, _)| id.as_str())),
            ),
            ("tools", texts(&mut content.tools.iter().map(|call| call.name.as_str()))),
            ("hour", Value::Int(i64::from(local.hour()))),
            ("weekday", Value::Int(i64::from(local.weekday().to_monday_one_offset()))),
        ];
        let mut context = Context::default();
        for (name, value) in values {
            context.add_variable_from_value(name, value);
        }
        !matches!(self.program.execute(&context), Ok(Value::Bool(false)))
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// The type of an expression, or why it has none.
fn infer(expression: &IdedExpr, scope: &mut Vec<(String, Type)>) -> Result<Type, String> {
    match &expression.expr {
        Expr::Literal(literal) => match literal {
            LiteralValue::Boolean(_) => Ok(Type::Bool),
            LiteralValue::Int(_) => Ok(Type::Number),
            LiteralValue::String(_) => Ok(Type::Text),
            LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::Null | LiteralValue::UInt(_) => {
                Err("it uses a value that is no text, whole number or boolean".to_owned())
            }
        },
        Expr::Ident(name) => match scope.iter().rev().find(|(known, _)| known == name) {
            Some(&(_, kind)) => Ok(kind),
            None => Err(format!("it names `{name}`, which is not known")),
        },
        Expr::List(list) => {
            for element in &list.elements {
                expect(element, Type::Text, scope)?;
            }
            Ok(Type::Texts)
        }
        Expr::Call(call) => {
            let mut operands: Vec<&IdedExpr> = call.target.iter().map(|target| &**target).collect();
            operands.extend(&call.args);
            infer_call(&call.func_name, &operands, scope)
        }
        Expr::Comprehension(loop_) => {
            expect(&loop_.iter_range, Type::Texts, scope)?;
            let start = infer(&loop_.accu_init, scope)?;
            let depth = scope.len();
            scope.push((loop_.iter_var.clone(), Type::Text));
            scope.push((loop_.accu_var.clone(), start));
            let result = infer(&loop_.loop_cond, scope)
                .and_then(|_| expect(&loop_.loop_step, start, scope))
                .and_then(|()| infer(&loop_.result, scope));
            scope.truncate(depth);
            result
        }
        Expr::Unspecified | Expr::Map(_) | Expr::Select(_) | Expr::Struct(_) => {
            Err("it uses a construct that conditions do not have".to_owned())
        }
    }
}

fn expect(expression: &IdedExpr, wanted: Type, scope: &mut Vec<(String, Type)>) -> Result<(), String> {
    let found = infer(expression, scope)?;
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{} stands where {} is needed", word(found), word(wanted)))
    }
}

const fn word(kind: Type) -> &'static str {
    match kind {
        Type::Text => "a text",
        Type::Number => "a number",
        Type::Bool => "a yes-or-no value",
        Type::Texts => "a list of texts",
    }
}

fn infer_call(name: &str, operands: &[&IdedExpr], scope: &mut Vec<(String, Type)>) -> Result<Type, String> {
    let types = operands
        .iter()
        .map(|operand| infer(operand, scope))
        .collect::<Result<Vec<_>, _>>()?;
    let result = match (name, types.as_slice()) {
        (operators::LOGICAL_AND | operators::LOGICAL_OR, [Type::Bool, Type::Bool]) => Type::Bool,
        (operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE, [Type::Bool]) => Type::Bool,
        (operators::EQUALS | operators::NOT_EQUALS, [a, b]) if a == b => Type::Bool,
        (
            operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS,
            [Type::Number, Type::Number],
        ) => Type::Bool,
        (operators::ADD | operators::SUBSTRACT | operators::MODULO, [Type::Number, Type::Number]) => Type::Number,
        (operators::ADD, [Type::Texts, Type::Texts]) => Type::Texts,
        (operators::IN, [Type::Text, Type::Texts]) => Type::Bool,
        (operators::CONDITIONAL, [Type::Bool, a, b]) if a == b => *a,
        ("size", [Type::Text | Type::Texts]) => Type::Number,
        ("startsWith" | "endsWith" | "contains", [Type::Text, Type::Text]) => Type::Bool,
        _ => {
            let given: Vec<&str> = types.iter().map(|&kind| word(kind)).collect();
            return Err(format!(
                "`{}` cannot be used with {}",
                name.trim_matches(['_', '@']),
                given.join(" and ")
            ));
        }
    };
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_is_a_question_over_known_names() {
        for good in [
            "hour >= 8 && hour < 18",
            "!(app in ['a', 'b']) || 'x' in groups",
            "groups.exists(g, g.startsWith('eng'))",
            "size(data) > 2 ? true : weekday == 7",
            "tools.all(t, t != 'shell')",
        ] {
            assert!(
                Condition::compile(good).is_ok(),
                "{good}: {:?}",
                Condition::compile(good).err()
            );
        }
        for bad in [
            "hour",
            "hour == 'x'",
            "nobody == 'x'",
            "app.name == 'x'",
            "hour >=",
            "groups.exists(g, g > 3)",
            "1.5 < 2.0",
        ] {
            assert!(Condition::compile(bad).is_err(), "{bad}");
        }
    }
}
