//! The methods that Parom uses, with their parameters as Bitrix's documentation gives them.

use events::CheckIssued;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Call, Portal, Reply,
    answer::Id,
    error::{RestError, RestErrorKind},
};

/// A page of orders that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The orders, the earliest change first.
    pub orders: Vec<ChangedOrder>,
    /// Where the next page begins, if there is one.
    pub next: Option<u64>,
}

/// An order that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedOrder {
    /// Its id.
    pub id: u64,
    /// When (`dateUpdate`).
    pub updated_at: OffsetDateTime,
}

#[derive(Deserialize)]
struct OrderBox {
    order: Box<RawValue>,
}

#[derive(Deserialize)]
struct Orders {
    orders: Vec<OrderLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OrderLine {
    id: Id,
    #[serde(with = "time::serde::rfc3339")]
    date_update: OffsetDateTime,
}

#[derive(Deserialize)]
struct Payment {
    payment: Part,
}

#[derive(Deserialize)]
struct Shipment {
    shipment: Part,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    order_id: Id,
}

#[derive(Deserialize)]
struct Comment {
    #[serde(rename = "COMMENT")]
    text: Option<String>,
}

impl Portal {
    /// An order with all that belongs to it (`sale.order.get`), as its exact JSON text.
    ///
    /// # Errors
    /// [`RestErrorKind::NoSuchOrder`] when it was deleted.
    pub async fn order(&self, id: u64) -> Result<Box<RawValue>, RestError> {
        let reply: OrderBox = self.read("sale.order.get", json!({"id": id})).await?.0;
        Ok(reply.order)
    }

    /// Orders changed since then (`sale.order.list` by `dateUpdate`), 50 a page; the first page
    /// begins at 0.
    ///
    /// # Errors
    /// [`RestError`] of the call.
    pub async fn changed_since(
        &self,
        cursor: OffsetDateTime,
        start: u64,
    ) -> Result<Changed, RestError> {
        let method = "sale.order.list";
        let unwritable = |_| RestError { method, kind: invalid("the cursor is no date") };
        let since = cursor.format(&Rfc3339).map_err(unwritable)?;
        let params = json!({
            "select": ["id", "dateUpdate"],
            "filter": {">=dateUpdate": since},
            "order": {"dateUpdate": "asc", "id": "asc"},
            "start": start,
        });
        let (Orders { orders }, reply) = self.read(method, params).await?;
        let line = |line: OrderLine| ChangedOrder { id: line.id.0, updated_at: line.date_update };
        let next = reply.next.filter(|next| *next > start);
        Ok(Changed { orders: orders.into_iter().map(line).collect(), next })
    }

    /// The order that a payment belongs to (`sale.payment.get`).
    ///
    /// # Errors
    /// [`RestErrorKind::NotFound`] when the payment was deleted.
    pub async fn payment_order(&self, payment: u64) -> Result<u64, RestError> {
        let read: Payment = self.read("sale.payment.get", json!({"id": payment})).await?.0;
        Ok(read.payment.order_id.0)
    }

    /// The order that a shipment belongs to (`sale.shipment.get`).
    ///
    /// # Errors
    /// [`RestErrorKind::NotFound`] when the shipment was deleted.
    pub async fn shipment_order(&self, shipment: u64) -> Result<u64, RestError> {
        let read: Shipment = self.read("sale.shipment.get", json!({"id": shipment})).await?.0;
        Ok(read.shipment.order_id.0)
    }

    /// Whether the order's timeline has a comment with this text in it
    /// (`crm.timeline.comment.list`, the newest first).
    ///
    /// # Errors
    /// [`RestError`] of the call.
    pub async fn has_comment(&self, order: u64, text: &str) -> Result<bool, RestError> {
        let mut start = Some(0);
        while let Some(from) = start {
            let params = json!({
                "select": ["ID", "COMMENT"],
                "filter": {"ENTITY_ID": order, "ENTITY_TYPE": "order"},
                "order": {"ID": "DESC"},
                "start": from,
            });
            let (comments, reply): (Vec<Comment>, Reply) =
                self.read("crm.timeline.comment.list", params).await?;
            let has = |comment: &Comment| comment.text.as_deref().is_some_and(|c| c.contains(text));
            if comments.iter().any(has) {
                return Ok(true);
            }
            start = reply.next.filter(|next| *next > from);
        }
        Ok(false)
    }

    /// Notifies a user (`im.notify.system.add`); a later notification with the same tag takes the
    /// place of an earlier one.
    #[must_use]
    pub fn notification(&self, user: u64, text: &str, tag: &str) -> Call {
        let client: &str = &self.client_id;
        Call {
            method: "im.notify.system.add",
            params: json!({"USER_ID": user, "MESSAGE": text, "TAG": tag, "CLIENT_ID": client}),
        }
    }

    async fn read<T: DeserializeOwned>(
        &self,
        method: &'static str,
        params: Value,
    ) -> Result<(T, Reply), RestError> {
        let reply = self.call(method, params).await?;
        let read = reply.read().map_err(|kind| RestError { method, kind })?;
        Ok((read, reply))
    }
}

impl Call {
    /// Gives the order a status (`sale.order.update`).
    #[must_use]
    pub fn order_status(order: u64, status: &str) -> Self {
        let params = json!({"id": order, "fields": {"statusId": status}});
        Self { method: "sale.order.update", params }
    }

    /// Sets order properties by their ids (`sale.propertyvalue.modify`).
    #[must_use]
    pub fn order_properties<'a>(
        order: u64,
        values: impl IntoIterator<Item = (u64, &'a str)>,
    ) -> Self {
        let value = |(id, value)| json!({"orderPropsId": id, "value": value});
        let values: Vec<Value> = values.into_iter().map(value).collect();
        let params = json!({"fields": {"order": {"id": order, "propertyValues": values}}});
        Self { method: "sale.propertyvalue.modify", params }
    }

    /// Enters a printed receipt into the portal's journal (`sale.cashbox.check.apply`). Entering it
    /// twice is the same as once.
    #[must_use]
    pub fn check_apply(issued: &CheckIssued) -> Self {
        let mut params = json!({
            "UUID": issued.check,
            "PRINT_END_TIME": issued.issued_at.unix_timestamp().to_string(),
            "FISCAL_DOC_ATTR": issued.sign,
            "FISCAL_DOC_NUMBER": issued.document,
            "FN_NUMBER": issued.drive,
        });
        let known = [
            ("REG_NUMBER_KKT", &issued.registration),
            ("FISCAL_RECEIPT_NUMBER", &issued.number),
            ("SHIFT_NUMBER", &issued.shift),
        ];
        if let Some(fields) = params.as_object_mut() {
            for (name, value) in known {
                fields.extend(value.iter().map(|value| (name.to_owned(), json!(value))));
            }
        }
        Self { method: "sale.cashbox.check.apply", params }
    }

    /// Puts a comment into the order's timeline (`crm.timeline.comment.add`).
    #[must_use]
    pub fn comment(order: u64, text: &str) -> Self {
        let fields = json!({"ENTITY_ID": order, "ENTITY_TYPE": "order", "COMMENT": text});
        Self { method: "crm.timeline.comment.add", params: json!({"fields": fields}) }
    }
}

fn invalid(description: &str) -> RestErrorKind {
    RestErrorKind::Invalid { code: String::new(), description: description.to_owned() }
}
