//! The check before the signature: our own rules always, the official schemas where the operator has put them.

use std::{fs, path::Path};

use runtime::StartError;
use schema::Schema;

use crate::{
    upd::{Format, rules},
    xml::Element,
};

/// How the official files begin.
const NAMES: [(Format, &str); 2] = [
    (Format::V503, "ON_NSCHFDOPPR_1_997_01_05_03_"),
    (Format::V501, "ON_NSCHFDOPPR_1_997_01_05_01_"),
];

/// The formats, with their schemas if there are any.
#[derive(Debug, Clone, Default)]
pub struct Formats {
    schemas: Vec<(Format, Schema)>,
}

impl Formats {
    /// The newest schema of each format in this folder.
    ///
    /// # Errors
    /// [`StartError`] when the folder has none, or one that cannot be used.
    pub fn read(folder: Option<&Path>) -> Result<Self, StartError> {
        let Some(folder) = folder else {
            tracing::warn!(
                "EDO_XSD_DIR is not set: documents are held against our own rules alone"
            );
            return Ok(Self::default());
        };
        let wrong = |why: &dyn std::fmt::Display| {
            StartError::new(format!("EDO_XSD_DIR {}: {why}.", folder.display()))
        };
        let names = fs::read_dir(folder).map_err(|error| wrong(&error))?;
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        let newest = |start: &str| {
            names
                .iter()
                .rfind(|name| name.starts_with(start) && name.to_lowercase().ends_with(".xsd"))
        };
        let mut schemas = Vec::new();
        for (format, start) in NAMES {
            if let Some(name) = newest(start) {
                let schema = Schema::read(&folder.join(name)).map_err(|error| wrong(&error))?;
                schemas.push((format, schema));
            }
        }
        if schemas.is_empty() {
            return Err(wrong(&"there is no ON_NSCHFDOPPR_1_997_01_05_03_….xsd"));
        }
        Ok(Self { schemas })
    }

    /// What is wrong with a document, by its tree and by its bytes. Blocks for tens of milliseconds.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(&self, format: Format, tree: &Element, bytes: &[u8]) -> Result<(), Vec<String>> {
        let name = tree.attribute("ИдФайл").unwrap_or_default();
        let mut wrong = Vec::new();
        if name.chars().count() > crate::upd::file_id::LONGEST {
            wrong.push(format!("ИдФайл is longer than {}", crate::upd::file_id::LONGEST));
        }
        if format == Format::V503 {
            let broken = rules::broken(tree, name).into_iter();
            wrong.extend(
                broken.map(|one| format!("rule {} ({}): {}", one.number, one.context, one.wants)),
            );
        }
        if let Some((_, schema)) = self.schemas.iter().find(|(own, _)| *own == format)
            && let Err(faults) = schema.check(bytes)
        {
            wrong.extend(faults.iter().map(ToString::to_string));
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }
}
