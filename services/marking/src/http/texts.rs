//! What people are told, in both languages.

use events::Text;

use super::spool::Unread;
use crate::{
    gismt::Unsellable,
    sheet::{Bound, SheetError},
    store::{CodeStatus, ImportError, ScanRefusal},
    words,
};

/// Why a scan was refused, and what to do.
pub(super) fn refused(refusal: &ScanRefusal) -> Text {
    let (ru, en) = match refusal {
        ScanRefusal::OrderUnknown => (
            "Такого заказа с маркированным товаром нет. Проверьте номер.".to_owned(),
            "There is no such order with marked goods. Check the number.".to_owned(),
        ),
        ScanRefusal::Cancelled => (
            "Заказ отменён: не отгружайте его.".to_owned(),
            "The order is cancelled: do not ship it.".to_owned(),
        ),
        ScanRefusal::WrongProduct => (
            "Не тот товар: в заказе такого нет.".to_owned(),
            "The wrong product: the order does not have it.".to_owned(),
        ),
        ScanRefusal::LineFull => (
            "Этот товар уже отсканирован полностью: экземпляр лишний.".to_owned(),
            "All pieces of this product are scanned: this one is too many.".to_owned(),
        ),
        ScanRefusal::Pack => (
            "Это код упаковки. Отсканируйте код на самом товаре.".to_owned(),
            "This is the code of a box. Scan the code on the goods themselves.".to_owned(),
        ),
        ScanRefusal::CodeUnknown => (
            "Такого кода нет на остатках. Загрузите файл поставщика или отложите товар.".to_owned(),
            "This code is not in stock. Import the supplier's file or put the goods aside."
                .to_owned(),
        ),
        ScanRefusal::Twice => {
            ("Этот код уже отсканирован.".to_owned(), "This code is scanned already.".to_owned())
        }
        ScanRefusal::OtherOrder(number) => (
            format!("Этот код уже привязан к заказу № {number}."),
            format!("This code is bound to order {number}."),
        ),
        ScanRefusal::NotScanned => (
            "Этот код к заказу не привязан: отвязывать нечего.".to_owned(),
            "This code is not bound to the order: there is nothing to unbind.".to_owned(),
        ),
        ScanRefusal::Used(status) => (
            format!("Этот код использовать нельзя: {}.", status_ru(status.as_str())),
            format!("This code cannot be used: it is {}.", status.as_str()),
        ),
    };
    Text::new(ru, en)
}

/// A code's status in Russian.
pub(crate) fn status_ru(status: &str) -> &'static str {
    match status {
        "in_stock" => "на остатке",
        "in_order" => "в заказе",
        "withdrawing" => "выводится из оборота",
        "sold" => "продан",
        "returning" => "возвращается в оборот",
        _ => "в карантине",
    }
}

/// A code's status in English.
pub(crate) const fn status_en(status: CodeStatus) -> &'static str {
    match status {
        CodeStatus::InStock => "in stock",
        CodeStatus::InOrder => "in an order",
        CodeStatus::Withdrawing => "on its way out of circulation",
        CodeStatus::Sold => "sold",
        CodeStatus::Returning => "on its way back into circulation",
        CodeStatus::Quarantined => "in quarantine",
    }
}

/// Why a code or a row is refused or was mended, in Russian.
pub(crate) fn detail_ru(word: &str) -> &str {
    match word.split(':').next().unwrap_or(word) {
        "" => "",
        "empty" | "missing" => "кода нет",
        "not_text" => "это не текст",
        "too_long" => "слишком длинный код",
        "no_ai_01" => "код не начинается с 01 и GTIN",
        "no_ai_21" => "после GTIN нет серийного номера",
        "serial_too_long" => "потеряны разделители кода",
        "unknown_ai" => "в коде неизвестная часть",
        "duplicate_ai" => "часть кода повторяется",
        "wrong_length" => "часть кода не той длины",
        "illegal_character" => "недопустимый символ",
        "ambiguous" => "разделители потеряны, код читается двояко",
        "ragged" => "код разрезан: возьмите его в кавычки",
        "gtin_check" => "неверная контрольная цифра GTIN",
        "gtin_differs" => "GTIN в столбце и в коде разные",
        "pack" => "код упаковки, а не товара",
        "cyrillic_layout" => "русская раскладка",
        "trimmed" => "убраны пробелы по краям",
        "symbology_prefix" => "убрана приставка сканера",
        "leading_gs" | "trailing_gs" => "убран лишний разделитель",
        "apostrophe" => "убран апостроф",
        "brackets" => "убраны скобки",
        "literal_gs" | "gs_restored" => "восстановлены разделители",
        other => other,
    }
}

/// Why a code is in quarantine, in both languages.
pub(super) fn kept(word: &str) -> (&'static str, &'static str) {
    match word {
        "refused_by_register" => {
            ("Честный знак его не выпускает", "the register does not let it out")
        }
        "document_refused" => ("назван в отказе на документ", "named in a document's refusal"),
        "introduced" | "introduced_already" | "by_receipt" => {
            ("возврат: посмотрите товар", "came back: look at the goods")
        }
        _ => ("нужно посмотреть", "look at it"),
    }
}

/// What the history adds to that: a machine word of what stands against a code, or a person's own words.
pub(super) fn kept_detail(why: &str, detail: &str) -> Text {
    match why {
        "refused_by_register" => words::against(detail),
        _ => Text::new(detail, detail),
    }
}

/// A text that is no code.
pub(super) fn unreadable(word: &str) -> Text {
    let ru = detail_ru(word);
    Text::new(
        format!(
            "Код не читается: {ru}. Отсканируйте ещё раз; проверьте раскладку и настройки сканера."
        ),
        format!(
            "The code cannot be read ({word}). Scan again; check the keyboard layout and the scanner."
        ),
    )
}

/// PostgreSQL does not answer.
pub(super) fn away() -> Text {
    Text::new("База данных недоступна. Повторите позже.", "PostgreSQL is away. Try again later.")
}

/// A reason is asked for.
pub(super) fn no_reason() -> Text {
    Text::new("Напишите причину: от 3 до 500 знаков.", "Write the reason: 3 to 500 characters.")
}

/// The register does not answer.
pub(super) fn register_away() -> Text {
    Text::new(
        "Честный знак не отвечает, а без его слова код продавать нельзя. Повторите позже.",
        "Honest Sign does not answer, and without its word the code may not be sold. Try again later.",
    )
}

/// The register does not let the code out.
pub(super) fn not_sellable(why: &Unsellable) -> Text {
    let Text { ru, en } = words::against(&why.word());
    Text::new(
        format!(
            "По данным Честного знака код продавать нельзя: {ru}. Разберитесь в личном кабинете."
        ),
        format!("By the register's word the code may not be sold: {en}. Settle it in the cabinet."),
    )
}

/// There is nothing to release.
pub(super) fn not_quarantined() -> Text {
    Text::new("Этого кода в карантине нет.", "This code is not in quarantine.")
}

/// Why a file did not even arrive.
pub(super) fn unread(unread: &Unread, limit: usize) -> Text {
    let megabytes = limit / (1024 * 1024);
    match unread {
        Unread::TooLarge => Text::new(
            format!("Файл не загружен: он больше {megabytes} МБ. Разделите его."),
            format!("The file is not imported: it is larger than {megabytes} MB. Divide it."),
        ),
        Unread::Broken => Text::new(
            "Файл не загружен: передача оборвалась. Повторите.",
            "The file is not imported: it broke off on the way. Try again.",
        ),
        Unread::Disk(_) => Text::new(
            "Файл не загружен: на сервере нет места. Передайте это дежурному.",
            "The file is not imported: the server has no room. Tell whoever is on duty.",
        ),
    }
}

/// Why a file was not imported.
pub(super) fn not_imported(error: &ImportError) -> Text {
    match error {
        ImportError::Sheet(error) => Text::new(
            format!("Файл не загружен, ничего не изменилось: {}.", sheet_ru(error)),
            format!("The file is not imported, nothing was changed: {error}."),
        ),
        ImportError::Database(_) => Text::new(
            "Файл не загружен: база данных недоступна. Повторите позже.",
            "The file is not imported: PostgreSQL is away. Try again later.",
        ),
    }
}

fn sheet_ru(error: &SheetError) -> String {
    match error {
        SheetError::Io(_) => "его не удалось прочитать".to_owned(),
        SheetError::OldWorkbook => "это книга Excel 97, сохраните её как .xlsx или .csv".to_owned(),
        SheetError::Workbook(_) => "книга повреждена, сохраните её заново".to_owned(),
        SheetError::Text(why) => format!("текст повреждён ({why})"),
        SheetError::TooMuch(Bound::Cell) => "в ячейке слишком длинный текст".to_owned(),
        SheetError::TooMuch(Bound::Row) => "строка слишком длинная, проверьте кавычки".to_owned(),
        SheetError::TooMuch(Bound::Texts) => "общих текстов больше, чем бывает в книге".to_owned(),
        SheetError::TooMuch(Bound::Markup) => "разметка книги непомерно велика".to_owned(),
        SheetError::TooMuch(Bound::Whole) => "текста больше, чем читается".to_owned(),
        SheetError::OpenQuote => "в нём не закрыта кавычка".to_owned(),
        SheetError::NoCodes => "в нём нет столбца с кодами маркировки".to_owned(),
        SheetError::GivenUp => "чтение прервано".to_owned(),
    }
}
