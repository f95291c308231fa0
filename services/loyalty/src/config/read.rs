//! The settings read, and what cannot be right among them.

use runtime::StartError;

use super::{Config, File, Master, form};

/// Reads the file and looks for what cannot be right.
///
/// # Errors
/// [`StartError`] names the file and the place.
pub fn read(config: &Config) -> Result<File, StartError> {
    let path = &config.loyalty_file;
    let file: File = runtime::settings::file(path)?;
    let wrong = |why: String| StartError::new(format!("{}: {why}", path.display()));
    let mut keys = std::collections::BTreeSet::new();
    for (name, register) in &file.registers {
        let key = register.key.expose();
        if key.len() < 16 {
            return Err(wrong(format!("register {name}: the key has less than 16 characters")));
        }
        if !keys.insert(key.to_owned()) {
            return Err(wrong(format!("register {name}: another one has the same key")));
        }
        if register.rate == 0 || register.burst == 0 {
            return Err(wrong(format!("register {name}: rate and burst must be above zero")));
        }
        if register.silent_after.is_some() && register.store.is_none() {
            return Err(wrong(format!("register {name}: silent_after needs a store")));
        }
        if register.source == crate::ledger::OWN_SOURCE || register.source.starts_with("shop:") {
            return Err(wrong(format!("register {name}: the source is one of our own")));
        }
    }
    if file.registers.is_empty() {
        return Err(wrong("there are no registers".to_owned()));
    }
    for (name, shop) in &file.shops {
        if shop.accrual.category_property.is_none() && !shop.accrual.categories.is_empty() {
            return Err(wrong(format!("shop {name}: categories need a category_property")));
        }
    }
    if file.program.master == Master::OneC && config.onec_base_url.is_none() {
        return Err(wrong("master is \"1c\", so ONEC_BASE_URL must say where it is".to_owned()));
    }
    times(config)?;
    Ok(file)
}

/// Times of the environment that cannot be meant.
fn times(config: &Config) -> Result<(), StartError> {
    if config.loyalty_patience.is_zero() {
        return Err(StartError::new("LOYALTY_PATIENCE is zero: no request would be answered"));
    }
    for (name, time) in [
        ("LOYALTY_LOG_KEEP", config.loyalty_log_keep),
        ("LOYALTY_EXCEPTIONS_KEEP", config.loyalty_exceptions_keep),
        ("LOYALTY_PARKED_KEEP", config.loyalty_parked_keep),
        ("ONEC_COMPARE_AFTER", config.onec_compare_after),
        ("ONEC_REFUSE_AFTER", config.onec_refuse_after),
    ] {
        if time > form::CENTURY {
            return Err(StartError::new(format!("{name} is longer than a hundred years")));
        }
    }
    Ok(())
}
