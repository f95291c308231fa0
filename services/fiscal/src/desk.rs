//! A shop's cash desk: its rules and its registers.

use runtime::Secret;

use crate::{
    receipt::Rules,
    registers::{Register, RegisterName},
};

/// The cash desk of one shop.
pub(crate) struct Desk {
    /// How its receipts are made.
    pub(crate) rules: Rules,
    /// Its register for new receipts.
    pub(crate) first: Box<dyn Register>,
    /// Its other registers.
    pub(crate) others: Vec<Box<dyn Register>>,
    /// With what `CloudKassir` signs its notifications about this shop.
    pub(crate) callback_secret: Option<Secret>,
}

impl Desk {
    /// The register for a new receipt.
    pub(crate) fn register(&self) -> &dyn Register {
        self.first.as_ref()
    }

    /// The register of this name.
    pub(crate) fn named(&self, name: RegisterName) -> Option<&dyn Register> {
        let mut registers = std::iter::once(&self.first).chain(&self.others);
        registers.find(|register| register.name() == name).map(AsRef::as_ref)
    }
}
