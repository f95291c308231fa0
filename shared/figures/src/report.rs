//! The table that is printed, as Markdown, so that it can stand in the docs as it is.

use std::fmt;

use crate::bars::Bar;

/// Everything that was measured.
#[derive(Debug)]
pub(crate) struct Report {
    setting: String,
    rows: Vec<Row>,
}

/// One figure.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    what: String,
    figure: f64,
    minimum: Option<f64>,
    digits: usize,
    bars: Vec<(Measure, Bar)>,
}

/// What a bar looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    Figure,
    Ratio,
}

impl Row {
    /// A figure, printed with so many digits behind the point.
    pub(crate) fn new(what: impl Into<String>, figure: f64, digits: usize) -> Self {
        Self { what: what.into(), figure, minimum: None, digits, bars: Vec::new() }
    }

    /// Beside what the bare minimum gives.
    pub(crate) fn beside(mut self, minimum: f64) -> Self {
        self.minimum = Some(minimum);
        self
    }

    /// With a bar for the figure itself.
    pub(crate) fn bar(mut self, bar: Bar) -> Self {
        self.bars.push((Measure::Figure, bar));
        self
    }

    /// With a bar for its ratio to the minimum.
    pub(crate) fn ratio_bar(mut self, bar: Bar) -> Self {
        self.bars.push((Measure::Ratio, bar));
        self
    }

    fn ratio(&self) -> Option<f64> {
        self.minimum.map(|minimum| self.figure / minimum)
    }

    fn measured(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Figure => self.figure,
            Measure::Ratio => self.ratio().unwrap_or(f64::NAN),
        }
    }

    /// Each bar in words and whether it holds.
    fn verdicts(&self) -> impl Iterator<Item = (String, bool)> {
        self.bars.iter().map(|(measure, bar)| {
            let digits = if *measure == Measure::Ratio { 2 } else { self.digits };
            let name = if *measure == Measure::Ratio { "ratio " } else { "" };
            let words = match bar {
                Bar::AtLeast(least) => format!("{name}≥ {least:.digits$}"),
                Bar::Below(limit) => format!("{name}< {limit:.digits$}"),
            };
            (words, bar.holds(self.measured(*measure)))
        })
    }
}

impl Report {
    /// An empty one; `setting` says where and when it was measured.
    pub(crate) fn new(setting: String) -> Self {
        Self { setting, rows: Vec::new() }
    }

    /// More figures.
    pub(crate) fn add(&mut self, rows: Vec<Row>) {
        self.rows.extend(rows);
    }

    /// The bars that do not hold, each in a sentence.
    pub(crate) fn missed(&self) -> impl Iterator<Item = String> {
        self.rows.iter().flat_map(|row| {
            let missed = row.verdicts().filter(|(_, holds)| !holds);
            missed.map(|(bar, _)| format!("{}: the bar {bar} does not hold", row.what))
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.setting)?;
        writeln!(f, "| what | Parom | bare minimum | ratio | bar |")?;
        writeln!(f, "|---|---:|---:|---:|---|")?;
        for row in &self.rows {
            let digits = row.digits;
            let minimum = row.minimum.map_or_else(String::new, |m| format!("{m:.digits$}"));
            let ratio = row.ratio().map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let bars: Vec<String> = row
                .verdicts()
                .map(|(bar, holds)| if holds { bar } else { format!("**MISSED:** {bar}") })
                .collect();
            let (what, figure, bars) = (&row.what, row.figure, bars.join(", "));
            writeln!(f, "| {what} | {figure:.digits$} | {minimum} | {ratio} | {bars} |")?;
        }
        Ok(())
    }
}

/// Says on standard error what is being measured.
#[expect(clippy::print_stderr, reason = "a person waits for minutes")]
pub(crate) fn progress(what: &str) {
    eprintln!("bench: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let mut report = Report::new("here".to_owned());
        report.add(vec![
            Row::new("events/s", 4_000.0, 0)
                .beside(10_000.0)
                .bar(Bar::AtLeast(3_000.0))
                .ratio_bar(Bar::AtLeast(0.5)),
            Row::new("MB at rest", 12.34, 1).bar(Bar::Below(40.0)),
        ]);
        report
    }

    #[test]
    fn the_table_shows_figures_ratios_and_bars() {
        let table = "here\n\n\
            | what | Parom | bare minimum | ratio | bar |\n\
            |---|---:|---:|---:|---|\n\
            | events/s | 4000 | 10000 | 0.40 | ≥ 3000, **MISSED:** ratio ≥ 0.50 |\n\
            | MB at rest | 12.3 |  |  | < 40.0 |\n";
        assert_eq!(report().to_string(), table);
    }

    #[test]
    fn a_missed_bar_is_named() {
        let missed: Vec<String> = report().missed().collect();
        assert_eq!(missed, ["events/s: the bar ratio ≥ 0.50 does not hold"]);
    }
}
