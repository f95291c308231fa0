//! Bitrix on both sides: the webhooks it sends, the REST methods and the site module's endpoint that we call.

pub mod order;
pub mod rest;
pub mod shops;
pub mod signature;
pub mod site;
pub mod webhook;

pub use shops::{BitrixArgs, Shop, Shops};
