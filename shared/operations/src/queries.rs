//! Queries of alarms and dashboards: which metrics they ask for, and by which labels.

use std::collections::BTreeSet;

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{self, AggregateExpr, Expr, LabelModifier, VectorSelector},
};

/// What a query asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The metric's name, or the expression that its name must match.
    pub metric: Name,
    /// Labels that it is chosen or grouped by.
    pub labels: BTreeSet<String>,
}

/// How a metric is named in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Name {
    /// By its name.
    Exact(String),
    /// By an expression on `__name__`.
    Matching(String),
}

/// All that a query asks for.
///
/// # Errors
/// When it is no `PromQL`, with what the parser says.
pub fn asked(query: &str) -> Result<Vec<Asked>, String> {
    let mut found = Vec::new();
    walk(&parser::parse(query)?, &BTreeSet::new(), &mut found);
    Ok(found)
}

/// `by` are the labels that the expressions around this one group by.
fn walk(expr: &Expr, by: &BTreeSet<String>, found: &mut Vec<Asked>) {
    match expr {
        Expr::Aggregate(aggregate) => walk(&aggregate.expr, &grouped(aggregate, by), found),
        Expr::Unary(unary) => walk(&unary.expr, by, found),
        Expr::Paren(paren) => walk(&paren.expr, by, found),
        Expr::Subquery(subquery) => walk(&subquery.expr, by, found),
        Expr::Binary(binary) => {
            walk(&binary.lhs, by, found);
            walk(&binary.rhs, by, found);
        }
        Expr::Call(call) => call.args.args.iter().for_each(|argument| walk(argument, by, found)),
        Expr::VectorSelector(selector) => found.extend(selected(selector, by)),
        Expr::MatrixSelector(matrix) => found.extend(selected(&matrix.vs, by)),
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) | Expr::Extension(_) => {}
    }
}

fn grouped(aggregate: &AggregateExpr, by: &BTreeSet<String>) -> BTreeSet<String> {
    match &aggregate.modifier {
        Some(LabelModifier::Include(labels) | LabelModifier::Exclude(labels)) => {
            by.iter().chain(&labels.labels).cloned().collect()
        }
        None => by.clone(),
    }
}

fn selected(selector: &VectorSelector, by: &BTreeSet<String>) -> Option<Asked> {
    let matchers = &selector.matchers.matchers;
    let by_name = matchers.iter().find(|matcher| matcher.name == "__name__");
    let metric = match &selector.name {
        Some(name) => Name::Exact(name.clone()),
        None => named(by_name?),
    };
    let chosen = matchers.iter().filter(|matcher| matcher.name != "__name__");
    let labels = chosen.map(|matcher| matcher.name.clone()).chain(by.iter().cloned()).collect();
    Some(Asked { metric, labels })
}

fn named(matcher: &Matcher) -> Name {
    match matcher.op {
        MatchOp::Equal => Name::Exact(matcher.value.clone()),
        _ => Name::Matching(matcher.value.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(query: &str) -> Vec<(String, Vec<String>)> {
        let told = |asked: Asked| {
            let name = match asked.metric {
                Name::Exact(name) => name,
                Name::Matching(pattern) => format!("~{pattern}"),
            };
            (name, asked.labels.into_iter().collect())
        };
        asked(query).unwrap().into_iter().map(told).collect()
    }

    #[test]
    fn a_query_names_its_metrics_and_labels() {
        let labels = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(
            told(r#"sum by (le, job) (rate(a_bucket{code=~"5.."}[5m])) / on (job) max(b) > 3"#),
            [("a_bucket".to_owned(), labels(&["code", "job", "le"])), ("b".to_owned(), vec![])]
        );
        assert_eq!(
            told(r#"increase({__name__=~"c_.*",queue="q"}[10m])"#),
            [("~c_.*".to_owned(), labels(&["queue"]))]
        );
        asked("sum by (").unwrap_err();
    }
}
