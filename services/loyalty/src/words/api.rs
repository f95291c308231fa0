//! Sentences of the HTTP interface.

use events::Text;

/// Sentences of the HTTP interface by code. A code without one is a mistake of ours, and a test
/// looks for it.
pub const API: [(&str, &str, &str); 40] = [
    (
        "unauthorized",
        "Ключ в заголовке X-API-Key не указан или неверен.",
        "The key in the header X-API-Key is missing or wrong.",
    ),
    ("forbidden", "Этому ключу такое действие не разрешено.", "This key may not do that."),
    (
        "too_many_requests",
        "Слишком много запросов: повторите через время из заголовка Retry-After.",
        "Too many requests: try again after the time in Retry-After.",
    ),
    (
        "unavailable",
        "Учёт баллов сейчас недоступен. Повторите тот же запрос: дважды он не проведётся.",
        "The ledger is not available now. Repeat the same request: it will not be carried out twice.",
    ),
    (
        "invalid_json",
        "Тело запроса — не JSON ожидаемого вида.",
        "The body is not JSON of the expected form.",
    ),
    ("invalid_query", "Параметры запроса не читаются.", "The query's parameters cannot be read."),
    (
        "body_too_large",
        "Запрос слишком велик: пакет не больше 4 МБ, одна операция не больше 64 КБ.",
        "The request is too large: 4 MB for a batch, 64 KB for one operation.",
    ),
    (
        "too_many_items",
        "В пакете больше 10 000 операций: разделите его.",
        "The batch has more than 10 000 operations: divide it.",
    ),
    (
        "unknown_field",
        "В операции есть поле, которого мы не знаем.",
        "The operation has a field that we do not know.",
    ),
    (
        "unknown_type",
        "Неизвестный вид операции в поле type.",
        "The kind of operation in type is unknown.",
    ),
    (
        "invalid_external_id",
        "Поле external_id не указано, длиннее 200 знаков или содержит служебные знаки.",
        "external_id is missing, longer than 200 characters, or has control characters.",
    ),
    (
        "invalid_text",
        "Текстовое поле длиннее 500 знаков или содержит служебные знаки.",
        "A text is longer than 500 characters or has control characters.",
    ),
    (
        "invalid_phone",
        "Телефон не читается: нужен номер вида +7 и десять цифр.",
        "The phone cannot be read: +7 and ten digits are expected.",
    ),
    (
        "phone_missing",
        "Не указано, чьи это баллы: нужен user_phone, или user_id вместе с shop.",
        "It is not said whose points: user_phone, or user_id with shop.",
    ),
    ("invalid_shop", "Такого имени магазина не бывает.", "This is no shop's name."),
    (
        "invalid_time",
        "Дата не читается или неуместна: ожидается 2026-01-10T12:00:00+03:00.",
        "The time cannot be read or does not fit: 2026-01-10T12:00:00+03:00 is expected.",
    ),
    (
        "clock_wrong",
        "Время операции слишком далеко от нашего: проверьте часы кассы.",
        "The operation's time is too far from ours: check the register's clock.",
    ),
    (
        "invalid_amount",
        "Сумма не указана или не читается.",
        "The amount is missing or cannot be read.",
    ),
    (
        "amount_not_positive",
        "Сумма должна быть больше нуля; отмена начисления — операция reversal.",
        "The amount must be above zero; an accrual is undone with reversal.",
    ),
    (
        "amount_too_precise",
        "В сумме больше двух знаков после запятой.",
        "The amount has more than two decimals.",
    ),
    ("amount_too_large", "Сумма слишком велика.", "The amount is too large."),
    (
        "reference_missing",
        "Не указано, к какой операции относится эта: нужно поле reference.",
        "The field reference must name the operation that this one refers to.",
    ),
    ("reference_to_itself", "Операция ссылается на саму себя.", "The operation refers to itself."),
    (
        "author_missing",
        "Не указано, кто это делает: нужно поле author или by.",
        "It is not said who does this: author or by is needed.",
    ),
    (
        "reason_missing",
        "Не указана причина: нужно поле reason или note.",
        "It is not said why: reason or note is needed.",
    ),
    (
        "user_not_found",
        "Покупателя с таким телефоном или номером нет.",
        "There is no customer with this phone or number.",
    ),
    (
        "ambiguous_customer",
        "Этот телефон указан у нескольких покупателей: разобраться должен человек.",
        "Several customers have this phone: a person must decide.",
    ),
    ("exception_not_found", "Такого открытого исключения нет.", "There is no such open exception."),
    (
        "insufficient_balance",
        "Баллов недостаточно: отмените скидку или попросите доплатить.",
        "There are not enough points: void the discount or ask for another payment.",
    ),
    ("exceeds_hold", "Сумма больше удержанной.", "The amount is more than is held."),
    (
        "exceeds_original",
        "Сумма больше того, что осталось отменить.",
        "The amount is more than is left to undo.",
    ),
    (
        "amount_differs",
        "Удержание снимается целиком: сумма должна совпадать.",
        "A hold is released as a whole: the amount must be the same.",
    ),
    ("already_captured", "Удержанные баллы уже списаны.", "The held points are spent already."),
    ("already_released", "Уже снято.", "Released already."),
    ("already_reversed", "Уже отменено.", "Undone already."),
    (
        "nothing_to_undo",
        "Отменять нечего: исходная операция не была проведена.",
        "There is nothing to undo: the original was not carried out.",
    ),
    (
        "wrong_reference",
        "Исходная операция другого вида или другого покупателя.",
        "The original is of another kind or another customer's.",
    ),
    (
        "conflict_payload_mismatch",
        "Операция с таким external_id уже есть, но другая. Новому документу нужен новый external_id.",
        "There is another operation of this external_id. A new document needs a new one.",
    ),
    (
        "parked_unknown_customer",
        "Покупатель пока неизвестен: операция проведётся, когда он появится.",
        "The customer is not known yet: the operation is carried out when he is.",
    ),
    (
        "parked",
        "Исходная операция ещё не пришла: эта проведётся вслед за ней.",
        "The original has not come yet: this one follows it.",
    ),
];

/// The sentence of a code of the HTTP interface.
#[must_use]
pub fn api(code: &str) -> Text {
    let found = API.iter().find(|(known, ..)| *known == code);
    found.map_or_else(|| Text::new(code, code), |(_, ru, en)| Text::new(*ru, *en))
}
