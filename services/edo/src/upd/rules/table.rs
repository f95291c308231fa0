//! The rules of `ON_NSCHFDOPPR_1_997_01_05_03_05.xsd`, in its order. The first one, about the file's name, is in `broken`.

use super::{
    Is::{Any, Missing, Not, NotAll, NotNegative, OneOf, Other, Positive, There},
    Rule,
};

/// Documents with an invoice in them.
const INVOICES: &[&str] = &["СЧФ", "СЧФДОП"];
/// Documents that hand something over.
const TRANSFERS: &[&str] = &["ДОП", "СЧФДОП"];
/// Notices of agents.
const AGENTS: &[&str] = &["СвРК", "СвЗК"];
const CIRCUMSTANCE: &str = "../../СвСчФакт/ДопСвФХЖ1/@СпОбстФСЧФ";
const TRANSFER_CIRCUMSTANCE: &str = "../../СвСчФакт/ДопСвФХЖ1/@СпОбстФДОП";
const FUNCTION: &str = "../../@Функция";
const FUNCTION_3: &str = "../../../@Функция";

const fn rule(
    number: u8,
    context: &'static str,
    when: &'static [super::Is],
    then: &'static [super::Is],
) -> Rule {
    Rule { number, context, when, then }
}

/// All of them; a rule with an "otherwise" stands here twice.
pub static RULES: &[Rule] = &[
    rule(2, "Документ", &[OneOf("@Функция", INVOICES)], &[There("ТаблСчФакт")]),
    rule(3, "Документ", &[OneOf("@Функция", TRANSFERS)], &[There("СвПродПер")]),
    rule(
        4,
        "Документ",
        &[OneOf("@Функция", &["СЧФДОП", "ДОП", "СвРК", "СвЗК"])],
        &[There("@НаимДокОпр")],
    ),
    rule(
        4,
        "Документ",
        &[NotAll(&[OneOf("@Функция", &["СЧФДОП", "ДОП", "СвРК", "СвЗК"])])],
        &[Missing("@НаимДокОпр")],
    ),
    rule(
        5,
        "СвСчФакт",
        &[
            OneOf("../@Функция", &["СЧФ"]),
            Any(&[Other("ДопСвФХЖ1/@СпОбстФСЧФ", "2"), Missing("ДопСвФХЖ1/@СпОбстФСЧФ")]),
        ],
        &[There("ДокПодтвОтгрНом")],
    ),
    rule(
        6,
        "СвСчФакт",
        &[OneOf("../@Функция", &["СЧФ"]), Other("ДопСвФХЖ1/@СпОбстФСЧФ", "2")],
        &[There("ДокПодтвОтгрНом")],
    ),
    rule(7, "СвПрод", &[OneOf(FUNCTION, INVOICES)], &[There("Адрес")]),
    rule(8, "ГрузОтпр", &[OneOf(FUNCTION_3, INVOICES)], &[There("Адрес")]),
    rule(9, "ГрузПолуч", &[OneOf(FUNCTION, INVOICES)], &[There("Адрес")]),
    rule(10, "СвПокуп", &[OneOf(FUNCTION, INVOICES)], &[There("Адрес")]),
    rule(11, "ДопСвФХЖ1", &[Not(FUNCTION, "СЧФ")], &[Missing("@СпОбстФСЧФ")]),
    rule(12, "ДопСвФХЖ1", &[Not(FUNCTION, "СЧФДОП")], &[Missing("@СпОбстФСЧФДОП")]),
    rule(13, "ДопСвФХЖ1", &[Not(FUNCTION, "ДОП")], &[Missing("@СпОбстФДОП")]),
    rule(14, "СвФактор", &[OneOf(FUNCTION_3, INVOICES)], &[There("Адрес")]),
    rule(15, "СведТов", &[OneOf(FUNCTION, INVOICES)], &[There("@НаимТов")]),
    rule(
        16,
        "СведТов",
        &[
            OneOf(FUNCTION, &["ДОП"]),
            Missing("ДопСведТов/@ХарактерТов"),
            Missing("ДопСведТов/@АртикулТов"),
            Missing("ДопСведТов/@КодТов"),
        ],
        &[There("@НаимТов")],
    ),
    rule(17, "СведТов", &[There("@ОКЕИ_Тов")], &[There("@НаимЕдИзм")]),
    rule(18, "СведТов", &[There("@ОКЕИ_Тов"), OneOf(FUNCTION, INVOICES)], &[There("@КолТов")]),
    rule(
        19,
        "СведТов",
        &[OneOf(FUNCTION, INVOICES), Other(CIRCUMSTANCE, "2")],
        &[There("@КолТов")],
    ),
    rule(20, "СведТов", &[There("@КолТов"), OneOf(FUNCTION, INVOICES)], &[Positive("@ЦенаТов")]),
    rule(
        21,
        "СведТов",
        &[OneOf(FUNCTION, AGENTS)],
        &[Any(&[Positive("@ЦенаТов"), Missing("@ЦенаТов")])],
    ),
    rule(
        21,
        "СведТов",
        &[NotAll(&[OneOf(FUNCTION, AGENTS)])],
        &[Any(&[NotNegative("@ЦенаТов"), Missing("@ЦенаТов")])],
    ),
    rule(22, "СведТов", &[There("@КолТов"), OneOf(FUNCTION, INVOICES)], &[There("@ЦенаТов")]),
    rule(
        23,
        "СведТов",
        &[
            There("@ЦенаТов"),
            Any(&[OneOf(FUNCTION, AGENTS), OneOf(FUNCTION, INVOICES)]),
            Any(&[OneOf(FUNCTION, AGENTS), There("@КолТов")]),
        ],
        &[Positive("@ЦенаТов")],
    ),
    rule(
        23,
        "СведТов",
        &[NotAll(&[
            There("@ЦенаТов"),
            Any(&[OneOf(FUNCTION, AGENTS), OneOf(FUNCTION, INVOICES)]),
            Any(&[OneOf(FUNCTION, AGENTS), There("@КолТов")]),
        ])],
        &[NotNegative("@ЦенаТов")],
    ),
    rule(
        24,
        "СведТов",
        &[OneOf(FUNCTION, INVOICES), Other(CIRCUMSTANCE, "2")],
        &[There("@СтТовБезНДС")],
    ),
    rule(
        25,
        "СведТов",
        &[OneOf(FUNCTION, &["ДОП"]), Missing(TRANSFER_CIRCUMSTANCE), Missing("@СтТовУчНал")],
        &[There("@СтТовБезНДС")],
    ),
    rule(26, "СведТов", &[OneOf(FUNCTION, INVOICES)], &[There("@СтТовУчНал")]),
    rule(
        27,
        "СведТов",
        &[OneOf(FUNCTION, &["ДОП"]), Missing(TRANSFER_CIRCUMSTANCE), Missing("@СтТовБезНДС")],
        &[There("@СтТовУчНал")],
    ),
    rule(28, "СведТов", &[There("ДопСведТов/@КодВидПр")], &[There("Акциз")]),
    rule(29, "ДопСведТов", &[There("../СвДТ/@КодПроисх")], &[There("КрНаимСтрПр")]),
    rule(
        30,
        "ДопСведТов",
        &[
            OneOf(FUNCTION_3, &["ДОП"]),
            Missing("@КодТов"),
            Missing("@АртикулТов"),
            Missing("../@НаимТов"),
        ],
        &[There("@ХарактерТов")],
    ),
    rule(
        31,
        "ДопСведТов",
        &[
            OneOf(FUNCTION_3, &["ДОП"]),
            Missing("@КодТов"),
            Missing("@ХарактерТов"),
            Missing("../@НаимТов"),
        ],
        &[There("@АртикулТов")],
    ),
    rule(
        32,
        "ДопСведТов",
        &[
            OneOf(FUNCTION_3, &["ДОП"]),
            Missing("@АртикулТов"),
            Missing("@ХарактерТов"),
            Missing("../@НаимТов"),
        ],
        &[There("@КодТов")],
    ),
    rule(
        33,
        "ДопСведТов",
        &[OneOf("../../../СвСчФакт/ДопСвФХЖ1/@СпОбстФДОП", &["10000"])],
        &[There("@ДопИнфПВидО")],
    ),
    rule(
        34,
        "НомСредИдентТов",
        &[Missing("КИЗ"), Missing("@КолВедМарк"), Missing("НомУпак")],
        &[There("@ИдентТрансУпак")],
    ),
    rule(
        35,
        "НомСредИдентТов",
        &[Missing("КИЗ"), Missing("НомУпак"), Missing("@ИдентТрансУпак")],
        &[There("@КолВедМарк")],
    ),
    rule(
        36,
        "НомСредИдентТов",
        &[Missing("@КолВедМарк"), Missing("НомУпак"), Missing("@ИдентТрансУпак")],
        &[There("КИЗ")],
    ),
    rule(
        37,
        "НомСредИдентТов",
        &[Missing("@КолВедМарк"), Missing("КИЗ"), Missing("@ИдентТрансУпак")],
        &[There("НомУпак")],
    ),
    rule(
        38,
        "ВсегоОпл",
        &[OneOf(FUNCTION, INVOICES), Other(CIRCUMSTANCE, "2")],
        &[There("@СтТовБезНДСВсего")],
    ),
    rule(
        39,
        "ВсегоОпл",
        &[OneOf(FUNCTION, &["ДОП"]), Missing(TRANSFER_CIRCUMSTANCE), Missing("@СтТовУчНалВсего")],
        &[There("@СтТовБезНДСВсего")],
    ),
    rule(40, "ВсегоОпл", &[OneOf(FUNCTION, INVOICES)], &[There("@СтТовУчНалВсего")]),
    rule(
        41,
        "ВсегоОпл",
        &[OneOf(FUNCTION, &["ДОП"]), Missing(TRANSFER_CIRCUMSTANCE), Missing("@СтТовБезНДСВсего")],
        &[There("@СтТовУчНалВсего")],
    ),
    rule(
        42,
        "СвПер",
        &[OneOf(FUNCTION, TRANSFERS), Missing("@ДатаНачПер"), Missing("@ДатаОконПер")],
        &[There("@ДатаПер")],
    ),
    rule(43, "СвПер", &[OneOf(FUNCTION, TRANSFERS), Missing("@ДатаПер")], &[There("@ДатаНачПер")]),
    rule(44, "СвПер", &[OneOf(FUNCTION, TRANSFERS), Missing("@ДатаПер")], &[There("@ДатаОконПер")]),
    rule(45, "ПредОргПер", &[Missing("ОснДоверОргПер")], &[There("@ИННЮЛПер")]),
    rule(46, "ПредОргПер", &[Missing("@ИННЮЛПер")], &[There("ОснДоверОргПер")]),
    rule(47, "ФЛПер", &[Missing("ОснДоверФЛ")], &[There("@ИННФЛПер")]),
    rule(48, "ФЛПер", &[Missing("@ИННФЛПер")], &[There("ОснДоверФЛ")]),
    rule(49, "Подписант", &[OneOf("@СпосПодтПолном", &["3"])], &[There("СвДоверЭл")]),
    rule(49, "Подписант", &[Not("@СпосПодтПолном", "3")], &[Missing("СвДоверЭл")]),
    rule(50, "Подписант", &[OneOf("@СпосПодтПолном", &["5"])], &[There("СвДоверБум")]),
    rule(50, "Подписант", &[Not("@СпосПодтПолном", "5")], &[Missing("СвДоверБум")]),
    rule(51, "СвИнНеУч", &[Missing("@ИныеСвед")], &[There("@Идентиф")]),
    rule(52, "СвИнНеУч", &[Missing("@Идентиф")], &[There("@ИныеСвед")]),
    rule(
        53,
        "СвФЛУч",
        &[Other("@ИдСтатЛ", "0"), Missing("@ИныеСвед"), Missing("ФИО")],
        &[There("@ИННФЛ")],
    ),
    rule(54, "СвФЛУч", &[Other("@ИдСтатЛ", "0"), Missing("ФИО")], &[There("@ИныеСвед")]),
    rule(
        55,
        "СвФЛУч",
        &[Other("@ИдСтатЛ", "0"), Missing("@ИННФЛ"), Missing("@ИныеСвед")],
        &[There("ФИО")],
    ),
    rule(56, "ДаннИно", &[Missing("@ИныеСвед")], &[There("@Идентиф")]),
    rule(57, "ДаннИно", &[Missing("@Идентиф")], &[There("@ИныеСвед")]),
    rule(58, "АдрГАР", &[Other("Регион", "99")], &[There("МуниципРайон")]),
];
