//! Papers that a correction or a refund by hand must name.

use time::Date;

/// What is wrong with the paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorrectionFault {
    /// No number, or one that is too long for tag 1179.
    Document,
    /// No reason, or an endless one.
    Reason,
    /// A day that has not come yet.
    Date(Date),
}

impl CorrectionFault {
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Document => "document_missing",
            Self::Reason => "reason_missing",
            Self::Date(_) => "date_in_future",
        }
    }

    pub(super) fn words(&self) -> (String, String) {
        match self {
            Self::Document => (
                "не указан номер документа-основания, от 1 до 32 знаков. Укажите его.".into(),
                "the document that asks for it has no number of 1 to 32 characters. Name it."
                    .into(),
            ),
            Self::Reason => (
                "не указана причина, от 1 до 500 знаков. Укажите её.".into(),
                "there is no reason of 1 to 500 characters. Name it.".into(),
            ),
            Self::Date(date) => (
                format!("день расчёта {date} ещё не наступил. Исправьте дату."),
                format!("the day of the settlement, {date}, has not come yet. Mend the date."),
            ),
        }
    }
}
