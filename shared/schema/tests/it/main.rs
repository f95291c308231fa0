//! Documents held against schemas: our own vectors, and the vendors' where they lie beside the
//! workspace.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "tests fail by panicking, and say what is missing"
)]

mod attacks;
mod sets;
mod vendors;

use std::{fs, path::Path};

use schema::Schema;
use tempfile::TempDir;

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

/// A note in two files: its lines are of a type that another file brings.
fn note() -> (TempDir, Schema) {
    let folder = folder(&[
        (
            "note.xsd",
            br#"<?xml version="1.0" encoding="UTF-8"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:test:types"
    targetNamespace="urn:test:note" elementFormDefault="qualified">
  <xs:import namespace="urn:test:types" schemaLocation="parts/types.xsd"/>
  <xs:element name="note"><xs:complexType><xs:sequence>
    <xs:element name="line" type="t:line" maxOccurs="unbounded"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"#,
        ),
        (
            "parts/types.xsd",
            // windows-1251, with the word for "bottle" in an enumeration.
            &[
                br#"<?xml version="1.0" encoding="windows-1251"?>
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:test:types">
  <xs:simpleType name="line"><xs:restriction base="xs:string">
    <xs:maxLength value="7"/><xs:enumeration value=""#
                    .as_slice(),
                &[0xe1, 0xf3, 0xf2, 0xfb, 0xeb, 0xea, 0xe0],
                br#""/>
  </xs:restriction></xs:simpleType>
</xs:schema>"#,
            ]
            .concat(),
        ),
    ]);
    let schema = Schema::read(&folder.path().join("note.xsd")).unwrap();
    (folder, schema)
}

/// The first fault, or `ok`.
fn verdict(schema: &Schema, document: &[u8]) -> String {
    schema
        .check(document)
        .map_or_else(|faults| faults.first().unwrap().to_string(), |()| "ok".to_owned())
}

/// What lies beside the workspace, or a loud word that it is not there.
fn vendor(folder: &str) -> Option<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = Path::new("shared/vendors").join(folder);
    let found = root.ancestors().map(|up| up.join(&path)).find(|path| path.exists());
    if found.is_none() {
        println!("MISSING: ../{} - this conformance test checks nothing", path.display());
    }
    found
}
