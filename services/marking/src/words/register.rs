//! The register's words in Russian: what it says of a code stands in sentences that a shop's manager reads.

/// Where a code stands, or the reason for which it left.
pub(super) fn status(word: &str) -> String {
    let ru = match word {
        "EMITTED" => "эмитирован, не нанесён",
        "APPLIED" => "нанесён, не введён в оборот",
        "INTRODUCED" | "INTRODUCED_RETURNED" => "в обороте",
        "RETIRED" | "WITHDRAWN" => "уже выбыл из оборота",
        "WRITTEN_OFF" => "списан",
        "DISAGGREGATION" | "DISAGGREGATED" => "упаковка расформирована",
        "APPLIED_NOT_PAID" => "не оплачен",
        other => return reason(other),
    };
    ru.to_owned()
}

/// Why a code is out of circulation.
pub(super) fn reason(word: &str) -> String {
    let ru = match word {
        "RETAIL" => "продан через кассу",
        "DISTANCE" | "REMOTE_SALE" => "продан дистанционно",
        "BY_SAMPLES" => "продан по образцам",
        "OWN_USE" => "для собственных нужд",
        "PRODUCTION_USE" => "для производства",
        "MEDICAL_USE" => "для медицинских целей",
        "VETERINARY_USE" => "для ветеринарии",
        "DONATION" => "передан безвозмездно",
        "STATE_CONTRACT" => "по государственному контракту",
        "STATE_SECRET" => "по договору с гостайной",
        "VENDING" => "продан через автомат",
        "EAS_TRADE" => "отгружен в страну ЕАЭС",
        "BEYOND_EEC_EXPORT" => "вывезен из ЕАЭС",
        "RETURN" => "возвращён изготовителю",
        "DAMAGE_LOSS" => "испорчен или утрачен",
        "DESTRUCTION" => "уничтожен",
        "CONFISCATION" => "изъят",
        other => return format!("состояние {other}"),
    };
    ru.to_owned()
}

/// A special state.
pub(super) fn special(word: &str) -> String {
    match word {
        "WAIT_SHIPMENT" => "ждёт подтверждения отгрузки".to_owned(),
        other => other.to_owned(),
    }
}

/// What a code is, that is no unit's.
pub(super) fn package(said: &str) -> String {
    match said {
        "GROUP" => "групповая упаковка".to_owned(),
        "BUNDLE" => "комплект".to_owned(),
        "SET" => "набор".to_owned(),
        "BOX" | "LEVEL1" | "LEVEL2" => "транспортная упаковка".to_owned(),
        other => format!("упаковка {other}"),
    }
}

/// A document's type, as people call it.
pub(super) fn document(word: &str) -> &str {
    match word {
        "LK_RECEIPT" => "о выводе из оборота",
        "LK_RECEIPT_CANCEL" => "об отмене вывода из оборота",
        "LP_RETURN" => "о возврате в оборот",
        other => other,
    }
}

/// How a document stands that nobody can make sense of.
pub(super) fn stands(word: &str) -> String {
    match word {
        "404" => "его нет".to_owned(),
        "CANCELLED" => "он аннулирован".to_owned(),
        other => format!("его состояние — {other}"),
    }
}

/// What is wrong with a label, by its stable word.
pub(super) fn label(code: &str) -> &'static str {
    match code.split(':').next().unwrap_or_default() {
        "empty" => "он пуст",
        "not_text" | "illegal_character" => "в нём недопустимые знаки",
        "too_long" => "он длиннее, чем бывает",
        "no_ai_01" => "в начале нет GTIN",
        "no_ai_21" => "за GTIN нет серийного номера",
        "serial_too_long" | "ambiguous" => "потеряны разделители",
        "unknown_ai" | "duplicate_ai" | "wrong_length" => "лишняя, повторная или неполная часть",
        _ => "он не похож на код",
    }
}
