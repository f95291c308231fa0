//! Answers for people and for scripts.

use serde_json::Value;

/// The longest cell.
const WIDEST: usize = 72;

/// Prints an answer: as it is, or these fields of its rows in columns.
#[expect(clippy::print_stdout, reason = "this is what a command line is for")]
pub(super) fn print(json: bool, answer: &Value, rows: Option<&Value>, columns: &[&str]) {
    if json || columns.is_empty() {
        println!("{answer:#}");
        return;
    }
    let rows = rows.unwrap_or(answer);
    let rows: Vec<&Value> = rows.as_array().map_or_else(|| vec![rows], |all| all.iter().collect());
    print!("{}", lines(&rows, columns));
}

/// Columns as wide as their widest cell.
fn lines(rows: &[&Value], columns: &[&str]) -> String {
    let head = columns.iter().map(|name| (*name).to_owned()).collect();
    let body = rows.iter().map(|row| columns.iter().map(|name| cell(row, name)).collect());
    let all: Vec<Vec<String>> = std::iter::once(head).chain(body).collect();
    let width = |place: usize| {
        let cells = all.iter().filter_map(|row| row.get(place));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for row in &all {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn cell(row: &Value, name: &str) -> String {
    let text = match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    // What comes from outside must not move the cursor.
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() <= WIDEST {
        return text;
    }
    text.chars().take(WIDEST - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::lines;
    use serde_json::json;

    #[test]
    fn columns_line_up_and_control_the_terminal_not_at_all() {
        let rows = [json!({"a": "чек", "b": 10}), json!({"a": "x\u{1b}[2J", "c": null})];
        let rows: Vec<_> = rows.iter().collect();
        assert_eq!(lines(&rows, &["a", "b"]), "a      b\nчек    10\nx [2J  -\n");
    }
}
