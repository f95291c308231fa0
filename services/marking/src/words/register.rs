//! The register's words in Russian: what it says of a code stands in sentences that a shop's manager reads.

/// Why the register does not let a code out, as [`Unsellable`](crate::gismt::Unsellable) and the flow put it.
pub(super) fn why(why: &str) -> String {
    for (begins, ru, word) in [
        ("its status is ", "", status as fn(&str) -> String),
        ("it is retired already, by ", "уже выбыл: ", reason),
        ("its special state is ", "особое состояние: ", special),
        ("it is a ", "это не штука, а ", package),
        ("its product group ", "незнакомая товарная группа ", group),
    ] {
        if let Some(said) = why.strip_prefix(begins) {
            return format!("{ru}{}", word(said));
        }
    }
    match why {
        "unknown to the register" => "Честный знак его не знает".to_owned(),
        "it belongs to somebody else" => "принадлежит другому участнику".to_owned(),
        word => status(word),
    }
}

/// Where a code stands, or the reason for which it left.
fn status(word: &str) -> String {
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

fn special(word: &str) -> String {
    match word {
        "WAIT_SHIPMENT" => "ждёт подтверждения отгрузки".to_owned(),
        other => other.to_owned(),
    }
}

fn package(said: &str) -> String {
    match said.trim_end_matches(", no unit") {
        "GROUP" => "групповая упаковка".to_owned(),
        "BUNDLE" => "комплект".to_owned(),
        "SET" => "набор".to_owned(),
        "BOX" | "LEVEL1" | "LEVEL2" => "транспортная упаковка".to_owned(),
        other => format!("упаковка {other}"),
    }
}

fn group(said: &str) -> String {
    said.trim_end_matches(" is unknown").to_uppercase()
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
        "Cancelled" => "он аннулирован".to_owned(),
        other => {
            let plain = other.trim_start_matches("Other(\"").trim_end_matches("\")");
            format!("его состояние — {plain}")
        }
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

/// Where a code stands with us.
pub(super) fn ours(status: &str) -> &'static str {
    match status {
        "in_stock" => "на складе",
        "in_order" => "в другом заказе",
        "withdrawing" => "выводится из оборота",
        "sold" => "продан",
        "returning" => "возвращается",
        _ => "на карантине",
    }
}
