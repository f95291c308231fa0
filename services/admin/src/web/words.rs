//! Words of the tables for people, in both languages.

use crate::{config::Language, people::Role, store::BACK, verdict::Verdict};

/// A class of dead letters.
pub(crate) fn class(language: Language, class: &str) -> &str {
    let (ru, en) = match class {
        "invalid" => ("ошибка в заказе или настройках", "wrong order or settings"),
        "refused" => ("отказ сервиса", "refused by the register"),
        "unavailable" => ("сервис недоступен", "register away"),
        "unknown" => ("неизвестно, выполнено ли", "nobody knows whether it is done"),
        "internal" => ("сбой программы", "our own failure"),
        "unrouted" => ("некому принять", "nobody listens"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// A service or a worker by what it does. One that this version does not know keeps its name.
pub(crate) fn service(language: Language, name: &str) -> &str {
    let (ru, en) = match name {
        "fiscal" => ("Чеки", "Receipts"),
        "marking" => ("Маркировка", "Marking"),
        "egais" => ("ЕГАИС", "EGAIS"),
        "edo" => ("ЭДО", "E-documents"),
        "loyalty" => ("Баллы", "Points"),
        "status" => ("Запись в магазин", "Write-back to the shop"),
        "ingress" | "webhooks" => ("Приём заказов", "Intake of orders"),
        "admin" => ("Пульт", "This desk"),
        "unrouted" => ("Без получателя", "Unrouted"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// What somebody did, in the audit log.
pub(super) fn action(language: Language, action: &str) -> &str {
    let (ru, en) = match action {
        "sign in" => ("вход", "sign in"),
        "sign out" => ("выход", "sign out"),
        "replay" => ("повтор", "replay"),
        "replay with unknown" => ("отправка заново неизвестных", "replay with unknown ones"),
        "turn replay" => ("управление повтором", "turn of a replay"),
        "pause" | "pause replay" => ("пауза повтора", "pause of a replay"),
        "resume" | "resume replay" => ("продолжение повтора", "a replay goes on"),
        "cancel" | "cancel replay" => ("отмена повтора", "a replay cancelled"),
        "discard" => ("отброшено", "discard"),
        "restore" => ("возвращено", "take back"),
        "settle" => ("закрыто вручную", "settle by hand"),
        "note" => ("заметка", "note"),
        "edit" => ("правка сообщения", "edit"),
        "undo edit" => ("правка снята", "undo edit"),
        "put user" => ("пользователь задан из консоли", "user put from a shell"),
        "make user" => ("новый пользователь", "new user"),
        "change role" => ("смена роли", "change of role"),
        "block user" => ("доступ закрыт", "user blocked"),
        "unblock user" => ("доступ открыт", "user unblocked"),
        "reset password" => ("новый пароль", "new password"),
        "make token" => ("новый ключ API", "new API token"),
        "revoke token" => ("ключ API отозван", "API token revoked"),
        "see points" => ("просмотр баллов", "look at points"),
        "see access" => ("просмотр доступа", "look at access"),
        "see audit log" => ("просмотр журнала", "look at the audit log"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// What it was done to, where that is no page's id.
pub(super) fn subject(language: Language, subject: &str) -> String {
    match subject.strip_prefix("phone ") {
        Some(tail) => format!("{} {tail}", language.of("телефон", "phone")),
        None => subject.to_owned(),
    }
}

/// Why it was done or refused: people's own words as they are, ours in the language.
pub(super) fn why(language: Language, why: &str) -> String {
    if let Some(named) = why.strip_suffix(BACK) {
        let service = service(language, named);
        return format!(
            "{service}: {}",
            language.of("сервис снова доступен", "the register is back")
        );
    }
    let (ru, en) = match why {
        "role" => ("роль не позволяет", "the role does not allow it"),
        "forged request" => ("запрос не с нашей страницы", "not from our page"),
        "not signed in" => ("без входа", "not signed in"),
        "unknown token" => ("ключ API неизвестен или отозван", "the API token is not known"),
        "another site" => ("запрос с чужого сайта", "from another site"),
        "too many attempts" => ("слишком много попыток войти", "too many attempts to sign in"),
        "token" => ("ключу API не разрешено", "not for an API token"),
        "wrong password" => ("неверный пароль", "wrong password"),
        "viewer" => ("наблюдатель", "viewer"),
        "operator" => ("оператор", "operator"),
        "admin" => ("администратор", "admin"),
        other => (other, other),
    };
    language.of(ru, en).to_owned()
}

/// A value that a service gives the order, by its code.
pub(super) fn property(language: Language, code: &str) -> &str {
    let (ru, en) = match code {
        "CLOUDKASSIR_FN" => ("ФН (накопитель)", "FN (drive)"),
        "CLOUDKASSIR_FD" => ("ФД (номер чека)", "FD (receipt's number)"),
        "CLOUDKASSIR_FPD" => ("ФПД (признак)", "FPD (sign)"),
        "qr" => ("Чек", "Receipt"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// Where a letter stands.
pub(super) fn state(language: Language, state: &str) -> &str {
    let (ru, en) = match state {
        "open" => ("открыта", "open"),
        "queued" => ("ждёт повтора", "waits for its replay"),
        "sent" => ("повторяется", "handed back"),
        "resolved" => ("решена", "resolved"),
        "again" => ("повтор не помог", "failed again"),
        "discarded" => ("отброшена", "discarded"),
        "settled" => ("закрыта вручную", "settled by hand"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// A service's phase in a timeline.
pub(super) fn phase(language: Language, phase: &str) -> &str {
    let (ru, en) = match phase {
        "working" => ("в работе", "working"),
        "retrying" => ("повторяет", "retrying"),
        "done" => ("готово", "done"),
        "failed" => ("стоит", "stuck"),
        "unknown" => ("неизвестно", "unknown"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// Where a replay stands.
pub(super) fn replay(language: Language, state: &str) -> &str {
    let (ru, en) = match state {
        "running" => ("идёт", "running"),
        "paused" => ("на паузе", "paused"),
        "done" => ("отправлено", "handed back"),
        "cancelled" => ("отменён", "cancelled"),
        other => (other, other),
    };
    language.of(ru, en)
}

/// Whether a replay is safe, in a sentence.
pub(super) fn advice(language: Language, verdict: Verdict) -> &'static str {
    let (ru, en) = match verdict {
        Verdict::NotSent => (
            "Не отправлено. Исправьте заказ в магазине — он пойдёт дальше сам. Исправили настройки — повторите: это безопасно.",
            "Not sent. Mend the order in the shop and it goes on by itself. If you mend settings, replay: that is safe.",
        ),
        Verdict::Accepted => (
            "Уже принято сервисом. Повторять не нужно; повтор ничего не сделает.",
            "The register has it already. There is no need to replay; a replay does nothing.",
        ),
        Verdict::Refused => (
            "Сервис отказал. Исправьте заказ в магазине — он пойдёт дальше сам. Иначе исправьте причину и повторите: уйдёт новая попытка.",
            "The register refused it. Mend the order in the shop and it goes on by itself. Else mend the cause, then replay: a new attempt goes out.",
        ),
        Verdict::Unsure => (
            "Ответа нет. Повтор безопасен: прежде чем отправить, сервис проверит, не сделано ли уже.",
            "There was no answer. A replay is safe: before anything is sent it is checked whether it is done already.",
        ),
        Verdict::Unknown => (
            "Неизвестно, выполнено ли. Сначала проверьте в личном кабинете сервиса, затем решите ниже.",
            "Nobody knows whether it is done. Look in the register's cabinet first, then decide below.",
        ),
    };
    language.of(ru, en)
}

/// A verdict in a word or two.
pub(super) fn verdict(language: Language, verdict: Verdict) -> &'static str {
    let (ru, en) = match verdict {
        Verdict::NotSent => ("не отправлено", "not sent"),
        Verdict::Accepted => ("принято", "accepted"),
        Verdict::Refused => ("отказано", "refused"),
        Verdict::Unsure => ("нет ответа", "no answer"),
        Verdict::Unknown => ("неизвестно", "unknown"),
    };
    language.of(ru, en)
}

/// A role.
pub(super) fn role(language: Language, role: Role) -> &'static str {
    let (ru, en) = match role {
        Role::Viewer => ("наблюдатель", "viewer"),
        Role::Operator => ("оператор", "operator"),
        Role::Admin => ("администратор", "admin"),
    };
    match language {
        Language::Ru => ru,
        Language::En => en,
    }
}

/// What a service counts: the name of its metric.
pub(super) fn counted(language: Language, metric: &str) -> &str {
    let (ru, en) = match metric {
        "marking_codes" => ("Коды маркировки", "Marking codes"),
        "marking_documents" => ("Документы маркировки", "Marking documents"),
        "egais_documents" => ("Документы ЕГАИС в пути", "EGAIS documents under way"),
        "egais_stock_differences" => {
            ("Расхождения остатков с ЕГАИС", "Stock that differs from EGAIS")
        }
        "edo_documents" => ("Документы в Диадоке", "Documents at Diadoc"),
        "receipts_overdue" => ("Чеки с опозданием", "Receipts overdue"),
        "loyalty_exceptions_open" => ("Баллы: ждут решения", "Points: wait for a person"),
        "loyalty_parked" => (
            "Баллы: ждут другой операции или покупателя",
            "Points: wait for an operation or a buyer",
        ),
        other => (other, other),
    };
    language.of(ru, en)
}

/// The label under which a service counts.
pub(super) fn label(language: Language, label: &str) -> &str {
    let (ru, en) = match label {
        "in_stock" => ("на складе", "in stock"),
        "in_order" => ("в заказах", "in orders"),
        "withdrawing" => ("выводятся", "being withdrawn"),
        "sold" => ("проданы", "sold"),
        "returning" => ("возвращаются", "being returned"),
        "quarantined" => ("на карантине", "quarantined"),
        "refused" => ("отказано", "refused"),
        "unknown" => ("неизвестно", "unknown"),
        "waiting" => ("ждут", "waiting"),
        "written" => ("написаны", "written"),
        "sending" => ("отправляются", "being sent"),
        "sent" => ("ждут подписи", "wait for a signature"),
        "signed" => ("подписаны", "signed"),
        "rejected" => ("покупатель отказал", "refused by the buyer"),
        "revoked" => ("аннулированы", "revoked"),
        "to_correct" => ("просят исправить", "to be corrected"),
        other => (other, other),
    };
    language.of(ru, en)
}
