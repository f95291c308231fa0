//! What must hold. Pure.

/// A bar for one figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bar {
    /// At least this.
    AtLeast(f64),
    /// Less than this.
    Below(f64),
}

impl Bar {
    /// Whether `figure` is on the right side; what is no number is on neither.
    pub(crate) fn holds(self, figure: f64) -> bool {
        match self {
            Self::AtLeast(least) => figure >= least,
            Self::Below(limit) => figure < limit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_holds_on_its_right_side_only() {
        for (bar, figure, holds) in [
            (Bar::AtLeast(0.6), 0.6, true),
            (Bar::AtLeast(0.6), 0.59, false),
            (Bar::Below(40.0), 39.9, true),
            (Bar::Below(40.0), 40.0, false),
            (Bar::AtLeast(0.6), f64::NAN, false),
            (Bar::Below(40.0), f64::NAN, false),
        ] {
            assert_eq!(bar.holds(figure), holds, "{bar:?} {figure}");
        }
    }
}
