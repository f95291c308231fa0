//! What a UTM and EGAIS say, read with bounds. Documents are told apart by their elements, not by their paths.

use crate::{
    documents::Product,
    waybill::{Line, Registered, WayBill},
    xml::{Ended, XmlError, walk},
};

/// What a UTM answers to a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Receipt {
    /// It has it, under this name.
    Taken(String),
    /// It refused it.
    Refused(String),
}

/// Reads a receipt: `<A><url>…</url>`, `<A><error>…</error>`, or the brief's `<ReplyId>`.
///
/// # Errors
/// [`XmlError`] when it is none of these.
pub fn receipt(body: &[u8]) -> Result<Receipt, XmlError> {
    let (mut url, mut error) = (None, None);
    walk(body, &mut |element| {
        match (element.path.len(), element.path.last().map(String::as_str)) {
            (2, Some("url")) | (1 | 2, Some("ReplyId")) => url = Some(element.text.to_owned()),
            (2, Some("error")) => error = Some(element.text.to_owned()),
            _ => {}
        }
        Ok(())
    })?;
    match (url.filter(|url| !url.is_empty()), error) {
        (_, Some(error)) => Ok(Receipt::Refused(error)),
        (Some(url), None) => Ok(Receipt::Taken(url)),
        (None, None) => Err(XmlError::new("neither a name nor an error")),
    }
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path after `/opt/in/` or `/opt/out/`: type and number.
    pub path: String,
    /// Which document it belongs to, where the list tells.
    pub reply_id: Option<String>,
}

/// Reads a list and shows its entries one by one: it may hold years, and memory does not grow with it. Entries name the
/// UTM's own idea of its host; only their path counts.
///
/// # Errors
/// [`XmlError`] when it is no list.
pub fn list(
    body: impl std::io::BufRead,
    folder: &str,
    show: &mut dyn FnMut(Entry),
) -> Result<(), XmlError> {
    let mut root = String::new();
    walk(body, &mut |element| {
        if element.path.len() == 1 {
            root = element.path.first().cloned().unwrap_or_default();
        }
        if element.path.len() == 2 && element.path.last().is_some_and(|name| name == "url") {
            entry(element, folder).into_iter().for_each(&mut *show);
        }
        Ok(())
    })?;
    if root == "A" { Ok(()) } else { Err(XmlError::new("no list")) }
}

/// The most bytes of a place or a name in a list: what is longer is none.
const NAME_LONGEST: usize = 200;

fn entry(element: &Ended<'_>, folder: &str) -> Option<Entry> {
    let at = element.text.find(folder)?.saturating_add(folder.len());
    let path = element.text.get(at..).filter(|path| path.len() <= NAME_LONGEST)?;
    let (kind, number) = path.split_once('/')?;
    let plain = |text: &str| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
        !text.is_empty() && text.bytes().all(is_plain)
    };
    if !plain(kind) || !plain(number) {
        return None;
    }
    let reply_id = element.attributes.iter().find(|(name, _)| name == "replyId");
    let reply_id = reply_id.map(|(_, value)| value.clone());
    Some(Entry {
        path: format!("{kind}/{number}"),
        reply_id: reply_id.filter(|id| id.len() <= NAME_LONGEST),
    })
}

/// Which of the two verdicts on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Its check.
    Check,
    /// The operation: only this one is the end.
    Operation,
}

impl Step {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Check => "check",
            Self::Operation => "operation",
        }
    }
}

/// A verdict in a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which.
    pub step: Step,
    /// What it is.
    pub accepted: bool,
    /// EGAIS's words.
    pub words: String,
}

/// A ticket. One may carry both verdicts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ticket {
    /// Our name for the document.
    pub identity: String,
    /// The UTM's name for it.
    pub transport: String,
    /// EGAIS's number for it.
    pub reg_id: Option<String>,
    /// Its verdicts.
    pub verdicts: Vec<Verdict>,
}

/// A document from EGAIS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incoming {
    /// A ticket.
    Ticket(Ticket),
    /// The bottles of a form B.
    Bottles {
        /// The form.
        f2: String,
        /// Their marks.
        marks: Vec<String>,
    },
    /// Stock; its positions were shown one by one.
    Rests {
        /// Whether it is the shop floor's.
        shop: bool,
        /// How many positions there were.
        count: usize,
    },
    /// A waybill.
    WayBill(WayBill),
    /// What a waybill is registered as.
    Registered(Registered),
    /// The one answer of the brief's dialect.
    Answer {
        /// Whether the document was carried out.
        accepted: bool,
        /// `EGAISQuntId`.
        number: Option<String>,
        /// Words, where there are some.
        words: String,
    },
    /// Something else: its element.
    Other(String),
}

/// A position of stock.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rest {
    /// The product.
    pub product: Product,
    /// How many.
    pub quantity: rust_decimal::Decimal,
    /// The reference of form A; of register 1.
    pub f1: Option<String>,
    /// The reference of form B; of register 1.
    pub f2: Option<String>,
}

/// Reads a document from EGAIS; memory does not grow with the number of positions, which are shown as they come.
///
/// # Errors
/// [`XmlError`] when it is no document, breaks a bound, or `position` says so.
pub fn incoming(
    body: impl std::io::BufRead,
    position: &mut dyn FnMut(Rest) -> Result<(), XmlError>,
) -> Result<Incoming, XmlError> {
    let mut reading = Reading::default();
    walk(body, &mut |element| reading.take(element, position))?;
    reading.end()
}

#[derive(Default)]
struct Reading {
    kind: String,
    ticket: Vec<(String, String)>,
    f2: String,
    marks: Vec<String>,
    rest: Rest,
    quantity: Option<String>,
    count: usize,
    waybill: WayBill,
    line: Line,
    registered: Registered,
    form: (String, String),
    answer: Option<String>,
    answer_number: Option<String>,
    answer_words: String,
    has_root: bool,
}

/// The most positions of stock.
const POSITIONS_MOST: usize = 2_000_000;
/// The most positions of a waybill.
const LINES_MOST: usize = 20_000;
/// The most marks of one form B.
const MARKS_MOST: usize = 1_000_000;

impl Reading {
    fn take(
        &mut self,
        element: &Ended<'_>,
        position: &mut dyn FnMut(Rest) -> Result<(), XmlError>,
    ) -> Result<(), XmlError> {
        let [root, below @ ..] = element.path else { return Ok(()) };
        self.has_root = root == "Documents";
        // <its element> / Result / …, in the brief's dialect.
        match below {
            [result, name] if result == "Result" => match name.as_str() {
                "Conclusion" => self.answer = Some(element.text.to_owned()),
                "Comments" => element.text.clone_into(&mut self.answer_words),
                _ => {}
            },
            [result, header, name]
                if [result, header, name] == ["Result", "AccisesHeader", "EGAISQuntId"]
                    && !element.text.is_empty() =>
            {
                self.answer_number = Some(element.text.to_owned());
            }
            _ => {}
        }
        // Documents / Document / <its element> / …
        let [document, kind, inner @ ..] = below else { return Ok(()) };
        if document != "Document" {
            return Ok(());
        }
        if self.kind.is_empty() {
            self.kind.clone_from(kind);
        }
        let inner: Vec<&str> = inner.iter().map(String::as_str).collect();
        match kind.as_str() {
            "Ticket" => self.ticket(&inner, element.text),
            "ReplyRestBCode" => self.bottle(&inner, element.text),
            name if name.starts_with("ReplyRests") => self.rest(&inner, element.text, position),
            "TTNInformF2Reg" => self.registered(&inner, element.text),
            name if name.starts_with("WayBill_") => self.waybill(&inner, element.text),
            _ => Ok(()),
        }
    }

    fn waybill(&mut self, inner: &[&str], text: &str) -> Result<(), XmlError> {
        match inner {
            ["Header", "Shipper", _, "ClientRegId"] => {
                text.clone_into(&mut self.waybill.shipper);
            }
            ["Header", "NUMBER"] => text.clone_into(&mut self.waybill.number),
            ["Header", "Date"] => text.clone_into(&mut self.waybill.day),
            ["Content", "Position"] => {
                if self.waybill.lines.len() >= LINES_MOST {
                    return Err(XmlError::new("too many positions"));
                }
                self.waybill.lines.push(std::mem::take(&mut self.line));
            }
            ["Content", "Position", "Identity"] => text.clone_into(&mut self.line.identity),
            ["Content", "Position", "Product", "AlcCode"] => {
                text.clone_into(&mut self.line.alc_code);
            }
            ["Content", "Position", "Quantity"] => {
                let quantity = text.parse();
                self.line.quantity =
                    quantity.map_err(|_| XmlError::new("a quantity is no number"))?;
            }
            ["Content", "Position", .., "amc" | "ms"] if self.line.marks.len() < MARKS_MOST => {
                self.line.marks.push(text.to_owned());
            }
            ["Content", "Position", .., "amc" | "ms"] => {
                return Err(XmlError::new("too many marks"));
            }
            _ => {}
        }
        Ok(())
    }

    fn registered(&mut self, inner: &[&str], text: &str) -> Result<(), XmlError> {
        let registered = &mut self.registered;
        match inner {
            ["Header", "Shipper", _, "ClientRegId"] => text.clone_into(&mut registered.shipper),
            ["Header", "WBNUMBER"] => text.clone_into(&mut registered.number),
            ["Header", "WBDate"] => text.clone_into(&mut registered.day),
            ["Header", "WBRegId"] => text.clone_into(&mut registered.reg_id),
            ["Content", "Position", "Identity"] => text.clone_into(&mut self.form.0),
            ["Content", "Position", "InformF2RegId"] => text.clone_into(&mut self.form.1),
            ["Content", "Position"] => {
                if registered.forms.len() >= LINES_MOST {
                    return Err(XmlError::new("too many positions"));
                }
                let (name, form) = std::mem::take(&mut self.form);
                registered.forms.insert(name, form);
            }
            _ => {}
        }
        Ok(())
    }

    fn ticket(&mut self, inner: &[&str], text: &str) -> Result<(), XmlError> {
        if self.ticket.len() > 100 {
            return Err(XmlError::new("a ticket with too many parts"));
        }
        self.ticket.push((inner.join("/"), text.to_owned()));
        Ok(())
    }

    fn bottle(&mut self, inner: &[&str], text: &str) -> Result<(), XmlError> {
        match inner {
            ["Inform2RegId"] => text.clone_into(&mut self.f2),
            ["MarkInfo", "amc" | "ms"] if self.marks.len() < MARKS_MOST => {
                self.marks.push(text.to_owned());
            }
            ["MarkInfo", "amc" | "ms"] => return Err(XmlError::new("too many marks")),
            _ => {}
        }
        Ok(())
    }

    fn rest(
        &mut self,
        inner: &[&str],
        text: &str,
        position: &mut dyn FnMut(Rest) -> Result<(), XmlError>,
    ) -> Result<(), XmlError> {
        match inner {
            ["Products", "StockPosition" | "ShopPosition"] => {
                let quantity = self.quantity.take().unwrap_or_default();
                let mut rest = std::mem::take(&mut self.rest);
                rest.quantity =
                    quantity.parse().map_err(|_| XmlError::new("a quantity is no number"))?;
                if rest.product.alc_code.is_empty() {
                    return Err(XmlError::new("a position without AlcCode"));
                }
                self.count += 1;
                if self.count > POSITIONS_MOST {
                    return Err(XmlError::new("too many positions"));
                }
                position(rest)
            }
            ["Products", "StockPosition" | "ShopPosition", part @ ..] => {
                self.part(part, text);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn part(&mut self, part: &[&str], text: &str) {
        let own = || text.to_owned();
        let product = &mut self.rest.product;
        match part {
            ["Quantity"] => self.quantity = Some(own()),
            ["InformF1RegId"] => self.rest.f1 = Some(own()),
            ["InformF2RegId"] => self.rest.f2 = Some(own()),
            ["Product", "UnitType"] => product.unit_type = own(),
            ["Product", "Type"] => product.kind = Some(own()),
            ["Product", "FullName"] => product.full_name = own(),
            ["Product", "AlcCode"] => product.alc_code = own(),
            ["Product", "Capacity"] => product.capacity = Some(own()),
            ["Product", "AlcVolume"] => product.alc_volume = Some(own()),
            ["Product", "ProductVCode"] => product.v_code = own(),
            ["Product", "Producer", kind, "address", name] => {
                (*kind).clone_into(&mut product.producer.kind);
                push(&mut product.producer.address, name, text);
            }
            ["Product", "Producer", kind, name] if *name != "address" => {
                (*kind).clone_into(&mut product.producer.kind);
                push(&mut product.producer.fields, name, text);
            }
            _ => {}
        }
    }

    fn end(self) -> Result<Incoming, XmlError> {
        if let (true, Some(answer)) = (self.kind.is_empty(), self.answer) {
            let accepted = match answer.as_str() {
                "Accepted" => true,
                "Rejected" => false,
                _ => return Err(XmlError::new("an answer that neither accepts nor rejects")),
            };
            let (number, words) = (self.answer_number, self.answer_words);
            return Ok(Incoming::Answer { accepted, number, words });
        }
        if !self.has_root || self.kind.is_empty() {
            return Err(XmlError::new("no document of EGAIS"));
        }
        Ok(match self.kind.as_str() {
            "Ticket" => Incoming::Ticket(ticket(&self.ticket)?),
            "ReplyRestBCode" => Incoming::Bottles { f2: self.f2, marks: self.marks },
            name if name.starts_with("ReplyRests") => {
                Incoming::Rests { shop: name.starts_with("ReplyRestsShop"), count: self.count }
            }
            "TTNInformF2Reg" => Incoming::Registered(self.registered),
            name if name.starts_with("WayBill_") => Incoming::WayBill(self.waybill),
            _ => Incoming::Other(self.kind),
        })
    }
}

fn push(fields: &mut Vec<(String, String)>, name: &str, text: &str) {
    if fields.len() < 40 && !text.is_empty() {
        fields.push((name.to_owned(), text.to_owned()));
    }
}

/// `Result` is the check, `OperationResult` the operation.
fn ticket(parts: &[(String, String)]) -> Result<Ticket, XmlError> {
    let part = |path: &str| {
        let found = parts.iter().find(|(name, _)| name == path).map(|(_, text)| text.as_str());
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let mut verdicts = Vec::new();
    for (step, verdict, words) in [
        (Step::Check, "Result/Conclusion", "Result/Comments"),
        (Step::Operation, "OperationResult/OperationResult", "OperationResult/OperationComment"),
    ] {
        let accepted = match part(verdict).as_deref() {
            None => continue,
            Some("Accepted") => true,
            Some("Rejected") => false,
            Some(_) => return Err(XmlError::new("a ticket that neither accepts nor rejects")),
        };
        verdicts.push(Verdict { step, accepted, words: part(words).unwrap_or_default() });
    }
    let ticket = Ticket {
        identity: part("Identity").unwrap_or_default(),
        transport: part("TransportId").unwrap_or_default(),
        reg_id: part("Result/AccisesHeader/EGAISQuntId").or_else(|| part("RegID")),
        verdicts,
    };
    if ticket.verdicts.is_empty() {
        return Err(XmlError::new("a ticket without a verdict"));
    }
    Ok(ticket)
}

/// The Identity (or, of a request of repeal, the number) in a document of ours.
///
/// # Errors
/// [`XmlError`] when it cannot be read.
pub fn identity(body: &[u8]) -> Result<Option<String>, XmlError> {
    let mut found = None;
    walk(body, &mut |element| {
        let is_own = element.path.len() == 4;
        let name = element.path.last().map(String::as_str);
        if is_own && matches!(name, Some("Identity" | "RequestNumber")) && found.is_none() {
            found = Some(element.text.to_owned());
        }
        Ok(())
    })?;
    Ok(found)
}

/// The organisation in the UTM's key (`/diagnosis`).
///
/// # Errors
/// [`XmlError`] when it names none.
pub fn owner(body: &[u8]) -> Result<String, XmlError> {
    let mut found = None;
    walk(body, &mut |element| {
        if element.path.last().is_some_and(|name| name == "CN") {
            found = Some(element.text.to_owned());
        }
        Ok(())
    })?;
    found.ok_or_else(|| XmlError::new("no CN"))
}
