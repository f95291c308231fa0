//! Words of the tables for people, in both languages.

use crate::{config::Language, verdict::Verdict};

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
            "Не отправлено. Исправьте причину и повторите: это безопасно.",
            "Not sent. Mend the cause, then replay: that is safe.",
        ),
        Verdict::Accepted => (
            "Уже принято сервисом. Повторять не нужно; повтор ничего не сделает.",
            "The register has it already. There is no need to replay; a replay does nothing.",
        ),
        Verdict::Refused => (
            "Сервис отказал. Исправьте причину и повторите: уйдёт новая попытка.",
            "The register refused it. Mend the cause, then replay: a new attempt goes out.",
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
