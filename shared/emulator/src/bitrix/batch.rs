//! `batch`: up to 50 commands in one request, answered 200 whatever becomes of them.

use serde_json::{Value, json};

use super::{
    brackets,
    error::RestError,
    methods::{self, Answer, Call},
    params::Params,
    portal::Portal,
    rest,
};
use crate::faults::{Faults, Moment, Strike, System};

/// Commands in one batch.
const MAX: usize = 50;

/// JSON texts by the keys of their commands.
type Texts = Vec<(String, String)>;

/// Runs the commands one after another; with `halt` it stops after the first error.
pub(super) fn run(
    portal: &mut Portal,
    call: &mut Call<'_>,
    faults: &Faults,
    params: &Params,
) -> Result<Answer, RestError> {
    params.only(&["halt", "cmd"])?;
    let halt = halts(params)?;
    let commands = commands(params)?;
    let (mut results, mut errors) = (Texts::new(), Texts::new());
    let (mut totals, mut nexts, mut times) = (Texts::new(), Texts::new(), Texts::new());
    for (key, command) in commands {
        match nested(portal, call, faults, &command) {
            Ok(answer) => {
                totals.extend(answer.total.map(|total| (key.clone(), total.to_string())));
                nexts.extend(answer.next.map(|next| (key.clone(), next.to_string())));
                times.push((key.clone(), rest::time(call.now)));
                results.push((key, answer.result));
            }
            Err(error) => {
                rest::book(portal, &format!("batch[{key}]"), &error);
                errors.push((key, error.body().to_string()));
                if halt {
                    break;
                }
            }
        }
    }
    let result = format!(
        r#"{{"result":{},"result_error":{},"result_total":{},"result_next":{},"result_time":{}}}"#,
        php(&results),
        php(&errors),
        php(&totals),
        php(&nexts),
        php(&times)
    );
    Ok(Answer { result, total: None, next: None })
}

fn nested(
    portal: &mut Portal,
    call: &mut Call<'_>,
    faults: &Faults,
    command: &str,
) -> Result<Answer, RestError> {
    let (method, query) = command.split_once('?').unwrap_or((command, ""));
    if method == "batch" {
        let code = "ERROR_BATCH_METHOD_NOT_ALLOWED";
        return Err(RestError::named(code, "Method is not allowed for batch usage").broken());
    }
    rest::unblocked(portal, method, call.now)?;
    match faults.draw(System::Bitrix, method, Moment::Nested) {
        Some(Strike::Refusal { code }) => return Err(RestError::on_command(code)),
        Some(Strike::Limit(limit)) => return Err(rest::limited(portal, method, call.now, limit)),
        _ => {}
    }
    let query = brackets::parse(query).ok_or_else(|| RestError::unknown("the command's query"))?;
    if query.values().any(refers_back) {
        return Err(RestError::unknown("references to other results"));
    }
    methods::call(portal, call, method, &Params(query))
}

fn refers_back(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with("$result["),
        Value::Array(list) => list.iter().any(refers_back),
        Value::Object(map) => map.values().any(refers_back),
        _ => false,
    }
}

fn halts(params: &Params) -> Result<bool, RestError> {
    match params.0.get("halt") {
        None => Ok(false),
        Some(Value::Bool(halt)) => Ok(*halt),
        Some(value) if *value == json!(0) || *value == json!("0") => Ok(false),
        Some(value) if *value == json!(1) || *value == json!("1") => Ok(true),
        Some(_) => Err(RestError::unknown("halt")),
    }
}

fn commands(params: &Params) -> Result<Vec<(String, String)>, RestError> {
    let wrong = || RestError::unknown("a command is not a text");
    let command = |value: &Value| value.as_str().map(str::to_owned).ok_or_else(wrong);
    let commands: Result<Vec<_>, RestError> = match params.0.get("cmd") {
        Some(Value::Object(map)) => {
            map.iter().map(|(key, value)| Ok((key.clone(), command(value)?))).collect()
        }
        Some(Value::Array(list)) => list
            .iter()
            .zip(0..)
            .map(|(value, index): (&Value, usize)| Ok((index.to_string(), command(value)?)))
            .collect(),
        _ => Err(RestError::no_parameter("cmd")),
    };
    let commands = commands?;
    if commands.len() > MAX {
        let code = "ERROR_BATCH_LENGTH_EXCEEDED";
        return Err(RestError::named(code, "Max batch length exceeded").broken());
    }
    Ok(commands)
}

/// An array as PHP writes it: a list if its keys are 0, 1, 2 … (so also if it is empty), else an object.
fn php(texts: &Texts) -> String {
    if texts.iter().zip(0_usize..).all(|((key, _), index)| *key == index.to_string()) {
        let values: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        return format!("[{}]", values.join(","));
    }
    let pairs: Vec<String> =
        texts.iter().map(|(key, text)| format!("{}:{text}", Value::from(key.as_str()))).collect();
    format!("{{{}}}", pairs.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_arrays_as_php_does() {
        let texts = |keys: &[&str]| -> Texts {
            keys.iter().map(|key| ((*key).to_owned(), "1".to_owned())).collect()
        };
        assert_eq!(php(&texts(&[])), "[]");
        assert_eq!(php(&texts(&["0", "1"])), "[1,1]");
        assert_eq!(php(&texts(&["1"])), r#"{"1":1}"#);
        assert_eq!(php(&texts(&["a\"b"])), r#"{"a\"b":1}"#);
    }
}
