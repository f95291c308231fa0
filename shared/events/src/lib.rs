//! What Parom says on the bus.
//!
//! Everything here is pure: values that cannot be wrong once they exist, the order as the shop
//! sees it, the facts that follow from its changes, and the [`Event`] that carries each of them.
//! No clock, no randomness, no I/O: an event's id is derived from the fact that it states.

mod decimal;
mod event;
mod fact;
mod inn;
mod label;
mod mark;
mod money;
mod order;
mod phone;
mod quantity;
mod receipt;
mod status;
mod text;
mod vat;
mod webhook;

pub use event::{Event, EventError, SPEC_VERSION};
pub use fact::{Fact, OrderFact, PaymentFact, RefundFact, ReturnFact, ReturnedLine, ShipmentFact};
pub use inn::{Inn, InnError, InnKind, Kpp};
pub use label::{Gtin, GtinError, Ki, KiError, Label, LabelError, LabelKind, Repair};
pub use mark::{MarkCode, MarkError};
pub use money::{Money, MoneyError};
pub use order::{
    Buyer, Delivery, Line, MarksBy, Order, OrderRef, Payment, PaymentState, Shipment, ShopId,
    ShopIdError,
};
pub use phone::{Phone, PhoneError};
pub use quantity::{Quantity, QuantityError};
pub use receipt::{CheckIssued, ReceiptAsked};
pub use status::{Phase, Status};
pub use text::Text;
pub use vat::{Vat, VatError};
pub use webhook::{Channel, Webhook};
