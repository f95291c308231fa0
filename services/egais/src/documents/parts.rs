//! The parts of documents, in the order and with the prefixes that the schemas want.

use serde::{Deserialize, Serialize};
use time::{Date, PrimitiveDateTime, macros::format_description};

use super::{Act, Breach, Cheque, Document, Position, roubles};
use crate::{
    mark::Form,
    waybill::{Accept, Real},
    xml::{Node, branch, leaf},
};

/// A product as EGAIS describes it in its answers on stock; acts of the shop floor repeat it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// `Packed` or `Unpacked`.
    pub unit_type: String,
    /// Its kind, such as `АП`.
    pub kind: Option<String>,
    /// Its name.
    pub full_name: String,
    /// AlcCode, 19 digits.
    pub alc_code: String,
    /// Litres in a bottle.
    pub capacity: Option<String>,
    /// Per cent of alcohol.
    pub alc_volume: Option<String>,
    /// The code of its sort.
    pub v_code: String,
    /// Who made it.
    pub producer: Producer,
}

/// Who made a product: `UL`, `FL`, `FO` or `TS`, with the fields that EGAIS named, in its order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Producer {
    /// Which element.
    pub kind: String,
    /// Its fields.
    pub fields: Vec<(String, String)>,
    /// The fields of its address.
    pub address: Vec<(String, String)>,
}

/// How a day is written: without a zone, which the schemas forbid.
fn day(date: Date) -> String {
    date.format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

fn moment(at: PrimitiveDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    at.format(format).unwrap_or_default()
}

fn note(text: &str) -> String {
    text.chars().take(500).collect()
}

fn numbered<T>(
    positions: &[Position],
    write: impl Fn(String, &Position) -> T,
) -> impl Iterator<Item = T> {
    positions
        .iter()
        .zip(1..)
        .map(move |(position, number): (_, u32)| write(number.to_string(), position))
}

pub(super) fn write_off(act: &Act, version: u8) -> Vec<Node> {
    let positions = numbered(&act.positions, |number, position| {
        let quantity = leaf("awr:Quantity", position.quantity.to_string());
        let quantity =
            if version == 4 { branch("awr:writeoffvolume", vec![quantity]) } else { quantity };
        let mut parts = vec![leaf("awr:Identity", number), quantity];
        parts.extend(position.sum().map(|sum| leaf("awr:SumSale", roubles(sum))));
        let f2 = leaf("pref:F2RegId", position.f2.clone().unwrap_or_default());
        parts.push(branch("awr:InformF1F2", vec![branch("awr:InformF2", vec![f2])]));
        if !position.marks.is_empty() {
            let name = if position.is_beer() { "ce:ms" } else { "ce:amc" };
            let marks = position.marks.iter().map(|mark| leaf(name, mark.as_str()));
            parts.push(branch("awr:MarkCodeInfo", marks.collect()));
        }
        branch("awr:Position", parts)
    });
    let positions = positions.collect();
    vec![
        leaf("awr:Identity", &act.identity),
        write_off_header(act),
        branch("awr:Content", positions),
    ]
}

fn write_off_header(act: &Act) -> Node {
    branch(
        "awr:Header",
        vec![
            leaf("awr:ActNumber", &act.identity),
            leaf("awr:ActDate", day(act.date)),
            leaf("awr:TypeWriteOff", &act.reason),
            leaf("awr:Note", note(&act.note)),
        ],
    )
}

pub(super) fn write_off_shop(act: &Act) -> Result<Vec<Node>, Breach> {
    let positions = numbered(&act.positions, |number, position| {
        let mut parts = vec![
            leaf("awr:Identity", number),
            product("awr:Product", position)?,
            leaf("awr:Quantity", position.quantity.to_string()),
        ];
        parts.extend(position.sum().map(|sum| leaf("awr:SumSale", roubles(sum))));
        if !position.marks.is_empty() {
            // The one element without a prefix: CommonEnum is not qualified.
            let marks = position.marks.iter().map(|mark| leaf("MarkCode", mark.as_str()));
            parts.push(branch("awr:MarkCodeInfo", marks.collect()));
        }
        Ok(branch("awr:Position", parts))
    });
    let positions: Result<Vec<Node>, Breach> = positions.collect();
    Ok(vec![
        leaf("awr:Identity", &act.identity),
        write_off_header(act),
        branch("awr:Content", positions?),
    ])
}

pub(super) fn charge_on(act: &Act) -> Result<Vec<Node>, Breach> {
    let positions = numbered(&act.positions, |number, position| {
        Ok(branch(
            "ainp:Position",
            vec![
                leaf("ainp:Identity", number),
                product("ainp:Product", position)?,
                leaf("ainp:Quantity", position.quantity.to_string()),
            ],
        ))
    });
    let positions: Result<Vec<Node>, Breach> = positions.collect();
    let header = branch(
        "ainp:Header",
        vec![
            leaf("ainp:Number", &act.identity),
            leaf("ainp:ActDate", day(act.date)),
            leaf("ainp:TypeChargeOn", &act.reason),
            leaf("ainp:Note", note(&act.note)),
        ],
    );
    Ok(vec![leaf("ainp:Identity", &act.identity), header, branch("ainp:Content", positions?)])
}

pub(super) fn cheque(cheque: &Cheque) -> Result<Vec<Node>, Breach> {
    let header = branch(
        "ck:Header",
        vec![
            leaf("ck:Date", moment(cheque.at)),
            leaf("ck:Kassa", &cheque.till),
            leaf("ck:Shift", &cheque.shift),
            leaf("ck:Number", &cheque.number),
            leaf("ck:Type", if cheque.back { "Возврат" } else { "Продажа" }),
        ],
    );
    let mut content = Vec::new();
    for (position, number) in cheque.positions.iter().zip(1_u32..) {
        let ean = || leaf("ck:EAN", position.ean.clone().unwrap_or_default());
        let price = || leaf("ck:Price", roubles(position.price));
        content.extend(position.marks.iter().map(|mark| {
            branch("ck:Bottle", vec![leaf("ck:Barcode", mark.as_str()), ean(), price()])
        }));
        if position.marks.is_empty() {
            content.push(branch(
                "ck:Nomark",
                vec![
                    leaf("ck:PosIdentity", number.to_string()),
                    product("ck:Product", position)?,
                    leaf("ck:Quantity", position.quantity.to_string()),
                    ean(),
                    price(),
                ],
            ));
        }
    }
    Ok(vec![leaf("ck:Identity", &cheque.identity), header, branch("ck:Content", content)])
}

pub(super) fn waybill(document: &Document, has_transport: bool) -> Vec<Node> {
    let Document::WayBillAct { identity, date, waybill, note: text, accept } = document else {
        return Vec::new();
    };
    let word = match accept {
        Accept::Whole => "Accepted",
        Accept::Part(_) => "Differences",
    };
    let header = branch(
        "wa:Header",
        vec![
            leaf("wa:IsAccept", word),
            leaf("wa:ACTNUMBER", identity),
            leaf("wa:ActDate", day(*date)),
            leaf("wa:WBRegId", waybill),
            leaf("wa:Note", note(text)),
        ],
    );
    let mut parts = vec![leaf("wa:Identity", identity), header];
    if let Accept::Part(real) = accept {
        parts.push(branch("wa:Content", real.iter().map(real_position).collect()));
    }
    if has_transport {
        parts.push(branch("wa:Transport", vec![leaf("wa:ChangeOwnership", "NotChange")]));
    }
    parts
}

/// What is there of a position, and the marks of what is not.
fn real_position(real: &Real) -> Node {
    let mut parts = vec![
        leaf("wa:Identity", &real.identity),
        leaf("wa:InformF2RegId", &real.f2),
        leaf("wa:RealQuantity", real.quantity.to_string()),
    ];
    if !real.missing.is_empty() {
        let marks = real.missing.iter().map(|mark| {
            let name = if mark.form() == Form::Beer { "ce:ms" } else { "ce:amc" };
            leaf(name, mark.as_str())
        });
        parts.push(branch("wa:MarkInfo", marks.collect()));
    }
    branch("wa:Position", parts)
}

/// The write-off as the customer's brief shows it, to the letter of its names.
pub(super) fn brief(act: &Act) -> String {
    let is_marked = act.positions.iter().any(|position| !position.marks.is_empty());
    let positions = numbered(&act.positions, |number, position| {
        let mut quantity = position.quantity;
        quantity.rescale(3);
        branch(
            "ns:Position",
            vec![
                leaf("ns:Identity", number),
                leaf("ns:ProductCode", &position.alc_code),
                leaf("ns:Quantity", quantity.to_string()),
                leaf("ns:InformF1RegId", position.f1.clone().unwrap_or_default()),
                leaf("ns:InformF2RegId", position.f2.clone().unwrap_or_default()),
            ],
        )
    });
    let mark = leaf("ns:IsSSMark", if is_marked { "1" } else { "0" });
    let parts = vec![branch("ns:Header", vec![mark]), branch("ns:Content", positions.collect())];
    branch("ns:Documents", vec![branch("ns:Document", vec![branch("ns:TTNInformF2Reg", parts)])])
        .attribute("xmlns:ns", "urn:TNInformF2Reg:Documents")
        .attribute("xmlns:oref", "urn:TNInformF2:OrgInfo")
        .attribute("version", "2")
        .document()
}

pub(super) fn repeal(owner: &str, document: &Document) -> Vec<Node> {
    let Document::Repeal { identity, at, reg_id } = document else { return Vec::new() };
    vec![
        leaf("r:ClientId", owner),
        leaf("r:RequestNumber", identity),
        leaf("r:RequestDate", moment(*at)),
        leaf("r:AWORegId", reg_id),
    ]
}

pub(super) fn query(parameter: Option<&(&'static str, String)>) -> Vec<Node> {
    let Some((name, value)) = parameter else { return Vec::new() };
    let parameter = branch("qp:Parameter", vec![leaf("qp:Name", *name), leaf("qp:Value", value)]);
    vec![branch("qp:Parameters", vec![parameter])]
}

fn product(name: &'static str, position: &Position) -> Result<Node, Breach> {
    let product =
        position.product.as_ref().ok_or_else(|| Breach::NoProduct(position.name.clone()))?;
    let mut parts = vec![leaf("pref:UnitType", &product.unit_type)];
    parts.extend(product.kind.as_ref().map(|kind| leaf("pref:Type", kind)));
    parts.push(leaf("pref:FullName", &product.full_name));
    parts.push(leaf("pref:AlcCode", &product.alc_code));
    parts.extend(product.capacity.as_ref().map(|litres| leaf("pref:Capacity", litres)));
    parts.extend(product.alc_volume.as_ref().map(|share| leaf("pref:AlcVolume", share)));
    parts.push(branch("pref:Producer", vec![producer(&product.producer)]));
    parts.push(leaf("pref:ProductVCode", &product.v_code));
    Ok(branch(name, parts))
}

fn producer(producer: &Producer) -> Node {
    let field = |(name, value): &(String, String)| leaf(format!("oref:{name}"), value);
    let mut parts: Vec<Node> = producer.fields.iter().map(field).collect();
    parts.push(branch("oref:address", producer.address.iter().map(field).collect()));
    branch(format!("oref:{}", producer.kind), parts)
}
