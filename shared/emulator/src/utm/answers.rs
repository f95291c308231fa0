//! What a UTM writes: receipts, lists, tickets, stock.

use axum::{
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::{
    books::{Books, Rest, Sent, Waybill},
    xml::safe,
};

const NS: &str = "http://fsrar.ru/WEGAIS";

/// EGAIS itself, the owner of what comes from it.
const EGAIS: &str = "3463047";

pub(super) fn xml(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "text/xml;charset=UTF-8")], body).into_response()
}

/// `<A>…<ver>2</ver></A>`, the form of all that the UTM says itself.
pub(super) fn said(status: StatusCode, inner: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n<A>{inner}<ver>2</ver></A>"
    );
    xml(status, body)
}

/// A local refusal: the document has not left.
pub(crate) fn refused(why: &str) -> Response {
    said(StatusCode::OK, &format!("<error>{}</error>", safe(why)))
}

/// A document from EGAIS.
pub(super) fn document(spaces: &str, inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ns:Documents Version=\"1.0\" \
         xmlns:ns=\"{NS}/WB_DOC_SINGLE_01\" {spaces}><ns:Owner><ns:FSRAR_ID>{EGAIS}</ns:FSRAR_ID></ns:Owner>\
         <ns:Document>{inner}</ns:Document></ns:Documents>"
    )
}

/// Which of the two tickets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Check,
    Operation,
}

pub(super) fn ticket(sent: &Sent, which: Which, at: &str, refusal: Option<&str>) -> String {
    let verdict = if refusal.is_some() { "Rejected" } else { "Accepted" };
    let words = safe(refusal.unwrap_or("Документ принят"));
    let result = match which {
        Which::Check => format!(
            "<tc:Result><tc:Conclusion>{verdict}</tc:Conclusion><tc:ConclusionDate>{at}</tc:ConclusionDate>\
             <tc:Comments>{words}</tc:Comments></tc:Result>"
        ),
        Which::Operation => format!(
            "<tc:OperationResult><tc:OperationName>Confirm</tc:OperationName>\
             <tc:OperationResult>{verdict}</tc:OperationResult><tc:OperationDate>{at}</tc:OperationDate>\
             <tc:OperationComment>{words}</tc:OperationComment></tc:OperationResult>"
        ),
    };
    let reg_id = if which == Which::Operation { sent.reg_id.as_str() } else { "" };
    let inner = format!(
        "<ns:Ticket><tc:TicketDate>{at}</tc:TicketDate><tc:Identity>{}</tc:Identity>\
         <tc:DocId>{}</tc:DocId><tc:TransportId>{}</tc:TransportId><tc:RegID>{}</tc:RegID>\
         <tc:DocHash></tc:DocHash><tc:DocType>{}</tc:DocType>{result}</ns:Ticket>",
        safe(&sent.identity),
        sent.reply_id.to_uppercase(),
        sent.reply_id,
        safe(reg_id),
        sent.kind,
    );
    document(&format!("xmlns:tc=\"{NS}/Ticket\""), &inner)
}

/// Stock, of register 1 with its references.
pub(super) fn rests(books: &Books, kind: &str, at: &str) -> String {
    let shop = kind == "QueryRestsShop_v2";
    let (reply, position, rests) = if shop {
        ("ReplyRestsShop_v2", "ShopPosition", &books.shop)
    } else {
        ("ReplyRests_v2", "StockPosition", &books.first)
    };
    let mut inner = format!("<ns:{reply}><rst:RestsDate>{at}</rst:RestsDate><rst:Products>");
    for rest in rests {
        inner.push_str(&self::position(rest, position));
    }
    inner.push_str(&format!("</rst:Products></ns:{reply}>"));
    let spaces = format!(
        "xmlns:rst=\"{NS}/{reply}\" xmlns:pref=\"{NS}/ProductRef_v2\" xmlns:oref=\"{NS}/ClientRef_v2\""
    );
    document(&spaces, &inner)
}

fn position(rest: &Rest, name: &str) -> String {
    let reference = |name: &str, value: &Option<String>| {
        let value = value.as_deref().map(safe);
        value.map_or_else(String::new, |value| format!("<rst:{name}>{value}</rst:{name}>"))
    };
    format!(
        "<rst:{name}><rst:Product><pref:UnitType>Packed</pref:UnitType><pref:Type>АП</pref:Type>\
         <pref:FullName>{0}</pref:FullName><pref:AlcCode>{1}</pref:AlcCode><pref:Capacity>0.750</pref:Capacity>\
         <pref:AlcVolume>13.000</pref:AlcVolume><pref:Producer><oref:UL><oref:ClientRegId>010000999999</oref:ClientRegId>\
         <oref:FullName>ООО Винодел</oref:FullName><oref:ShortName>Винодел</oref:ShortName><oref:INN>7700000000</oref:INN>\
         <oref:KPP>770001001</oref:KPP><oref:address><oref:Country>643</oref:Country><oref:RegionCode>77</oref:RegionCode>\
         <oref:description>г. Москва</oref:description></oref:address></oref:UL></pref:Producer>\
         <pref:ProductVCode>401</pref:ProductVCode></rst:Product><rst:Quantity>{2}</rst:Quantity>{3}{4}</rst:{name}>",
        safe(&rest.name),
        safe(&rest.alc_code),
        rest.quantity,
        reference("InformF1RegId", &rest.f1),
        reference("InformF2RegId", &rest.f2),
    )
}

/// A waybill and what it is registered as: two documents.
pub(super) fn waybill(waybill: &Waybill) -> (String, String) {
    let (reg_id, number) = (safe(&waybill.reg_id), safe(&waybill.number));
    let shipper = format!(
        "<oref:UL><oref:ClientRegId>{0}</oref:ClientRegId><oref:FullName>Отправитель {0}</oref:FullName></oref:UL>",
        safe(&waybill.shipper)
    );
    let (mut lines, mut forms) = (String::new(), String::new());
    for (line, place) in waybill.lines.iter().zip(1_u32..) {
        let marks: String =
            line.marks.iter().map(|mark| format!("<ce:amc>{}</ce:amc>", safe(mark))).collect();
        let marks = if marks.is_empty() {
            marks
        } else {
            format!(
                "<ce:MarkInfo><ce:boxpos><ce:amclist>{marks}</ce:amclist></ce:boxpos></ce:MarkInfo>"
            )
        };
        lines.push_str(&format!(
            "<wb:Position><wb:Product><pref:AlcCode>{}</pref:AlcCode></wb:Product><wb:Quantity>{}</wb:Quantity>\
             <wb:Price>1.00</wb:Price><wb:Identity>{place}</wb:Identity><wb:InformF2><ce:F2RegId>FB-OLD</ce:F2RegId>{marks}\
             </wb:InformF2></wb:Position>",
            safe(&line.alc_code),
            line.quantity
        ));
        forms.push_str(&format!(
            "<wbr:Position><wbr:Identity>{place}</wbr:Identity><wbr:InformF2RegId>{}</wbr:InformF2RegId></wbr:Position>",
            form(place)
        ));
    }
    let first = format!(
        "<ns:WayBill_v4><wb:Identity>{reg_id}</wb:Identity><wb:Header><wb:Type>WBReturnFromMe</wb:Type>\
         <wb:NUMBER>{number}</wb:NUMBER><wb:Date>2026-11-20</wb:Date><wb:Shipper>{shipper}</wb:Shipper></wb:Header><wb:Content>{lines}</wb:Content></ns:WayBill_v4>"
    );
    let second = format!(
        "<ns:TTNInformF2Reg><wbr:Header><wbr:Identity>{reg_id}</wbr:Identity><wbr:WBRegId>{reg_id}</wbr:WBRegId>\
         <wbr:WBNUMBER>{number}</wbr:WBNUMBER><wbr:WBDate>2026-11-20</wbr:WBDate><wbr:Shipper>{shipper}</wbr:Shipper></wbr:Header>\
         <wbr:Content>{forms}</wbr:Content></ns:TTNInformF2Reg>"
    );
    let spaces = format!(
        "xmlns:wb=\"{NS}/TTNSingle_v4\" xmlns:oref=\"{NS}/ClientRef_v2\" xmlns:pref=\"{NS}/ProductRef_v2\" xmlns:ce=\"{NS}/CommonV3\""
    );
    let registered = format!("xmlns:wbr=\"{NS}/TTNInformF2Reg\" xmlns:oref=\"{NS}/ClientRef_v2\"");
    (document(&spaces, &first), document(&registered, &second))
}

/// The form B of a waybill's position.
pub(super) fn form(place: u32) -> String {
    format!("FB-{place:015}")
}

/// The bottles of a form B.
pub(super) fn bottles(f2: &str, marks: &[String], at: &str) -> String {
    let marks: String =
        marks.iter().map(|mark| format!("<ce:amc>{}</ce:amc>", safe(mark))).collect();
    let inner = format!(
        "<ns:ReplyRestBCode><rst:RestsDate>{at}</rst:RestsDate><rst:Inform2RegId>{}</rst:Inform2RegId>\
         <rst:MarkInfo>{marks}</rst:MarkInfo></ns:ReplyRestBCode>",
        safe(f2)
    );
    document(&format!("xmlns:rst=\"{NS}/ReplyRestBCode\" xmlns:ce=\"{NS}/CommonV3\""), &inner)
}
