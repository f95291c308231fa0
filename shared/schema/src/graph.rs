//! Which files a set consists of. libxml2 would fetch a location over the network and pass over
//! one that is missing; here both are errors.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use quick_xml::events::BytesStart;

use crate::{Fault, SchemaError, scan};

/// The root's true path, and how many files hang on it.
pub(crate) fn walk(root: &Path) -> Result<(PathBuf, usize), SchemaError> {
    let root = truly(root)?;
    let folder = root.parent().map(Path::to_owned).unwrap_or_default();
    let mut seen = BTreeSet::from([root.clone()]);
    let mut waiting = vec![root.clone()];
    while let Some(path) = waiting.pop() {
        for location in locations(&path)? {
            let next = resolve(&path, &folder, &location)?;
            if seen.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    Ok((root, seen.len()))
}

fn truly(path: &Path) -> Result<PathBuf, SchemaError> {
    path.canonicalize().map_err(|error| SchemaError::File { path: path.to_owned(), error })
}

fn resolve(from: &Path, folder: &Path, location: &str) -> Result<PathBuf, SchemaError> {
    let outside = || SchemaError::Outside { path: from.to_owned(), location: location.to_owned() };
    if location.contains(':') || Path::new(location).is_absolute() {
        return Err(outside());
    }
    let next = truly(&from.parent().unwrap_or(folder).join(location))?;
    if next.starts_with(folder) { Ok(next) } else { Err(outside()) }
}

/// What a schema refers to by a place. An import without one takes what another file brings.
fn locations(path: &Path) -> Result<Vec<String>, SchemaError> {
    let bytes =
        fs::read(path).map_err(|error| SchemaError::File { path: path.to_owned(), error })?;
    let mut locations = Vec::new();
    let mut take = |element: &BytesStart<'_>| {
        if ["include", "import", "redefine"].contains(&element.local_name().as_ref()) {
            for attribute in element.attributes().flatten() {
                if attribute.key.as_ref() == "schemaLocation" {
                    let place = quick_xml::escape::unescape(&attribute.value);
                    locations.push(place.map_err(|error| error.to_string())?.into_owned());
                }
            }
        }
        Ok(())
    };
    let faulty = |fault: Fault| SchemaError::Faulty { path: path.to_owned(), fault };
    let text = scan::decode(&bytes).map_err(faulty)?;
    scan::each(&text, &mut take).map_err(faulty)?;
    Ok(locations)
}
