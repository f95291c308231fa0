#![doc = include_str!("../README.md")]

mod graph;
mod lint;
mod scan;

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

pub use scan::{DEPTH_LONGEST, DOCUMENT_LONGEST};

/// The most faults that are told of one document.
pub const FAULTS_MOST: usize = 20;

/// A set of schemas, found complete.
#[derive(Debug, Clone)]
pub struct Schema {
    root: PathBuf,
    files: usize,
}

/// Why a set of schemas cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// A file is missing or cannot be read.
    #[error("the schema {} cannot be read: {error}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// A file is no XML, or is refused for the same reasons as a document.
    #[error("the schema {}: {fault}", path.display())]
    Faulty {
        /// Which file.
        path: PathBuf,
        /// What is wrong there.
        fault: Fault,
    },
    /// A schema names another one on the network or outside of the root's folder.
    #[error("the schema {} refers to {location}, which is not in its folder", path.display())]
    Outside {
        /// Which file refers.
        path: PathBuf,
        /// To what.
        location: String,
    },
    /// The files are there and make no schema.
    #[error("the schema {} does not compile: {}", path.display(), list(faults))]
    Compile {
        /// The root.
        path: PathBuf,
        /// What is wrong.
        faults: Vec<Fault>,
    },
    /// The program that checks is not there.
    #[error("xmllint cannot be started ({0}): install libxml2-utils")]
    Program(io::Error),
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1, where one is known.
    pub line: Option<u64>,
    /// What is wrong there, in English; it may quote the document.
    pub message: String,
}

impl Fault {
    fn new(line: u64, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into() }
    }

    fn whole(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

fn list(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}

impl Schema {
    /// Reads the set that begins at `root` and follows what it includes and imports, on the disk
    /// and in the root's folder alone.
    ///
    /// # Errors
    /// [`SchemaError`] says which file is missing, faulty or elsewhere, or that xmllint is missing.
    pub fn read(root: &Path) -> Result<Self, SchemaError> {
        let (root, files) = graph::walk(root)?;
        lint::compile(&root)?;
        Ok(Self { root, files })
    }

    /// How many files the set has.
    #[must_use]
    pub const fn files(&self) -> usize {
        self.files
    }

    /// Holds a document against the schemas, in its own encoding (UTF-8 or windows-1251).
    ///
    /// Blocks for tens of milliseconds: call it where blocking is allowed.
    ///
    /// # Errors
    /// What is wrong, at most [`FAULTS_MOST`] of it and at least one. A checker that cannot be
    /// started, dies or takes too long is a fault as well: nothing passes unchecked.
    pub fn check(&self, document: &[u8]) -> Result<(), Vec<Fault>> {
        let text = scan::decode(document).map_err(|fault| vec![fault])?;
        scan::scan(&text).map_err(|fault| vec![fault])?;
        lint::check(&self.root, &text)
    }
}
