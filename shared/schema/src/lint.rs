//! xmllint of libxml2, as a process.

use std::{
    io::{self, Read, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use crate::{FAULTS_MOST, Fault, SchemaError};

/// A check takes a tenth of a second; who takes this long hangs.
const LONGEST: Duration = Duration::from_secs(30);
/// How much of its words is kept, in bytes.
const WORDS_LONGEST: u64 = 64 * 1024;

/// Exit codes of xmllint (its manual page, "ERROR RETURN CODES").
const VALID: i32 = 0;
const NOT_WELL_FORMED: i32 = 1;
const INVALID: i32 = 3;

/// What a run came to.
struct Run {
    code: Option<i32>,
    words: String,
}

/// Whether the schemas compile: a document that cannot be of the set must be found invalid, which
/// comes after the compilation.
pub(crate) fn compile(root: &Path) -> Result<(), SchemaError> {
    let run = run(root, "<parom/>").map_err(SchemaError::Program)?;
    match run.code {
        Some(VALID | INVALID) => Ok(()),
        _ => Err(SchemaError::Compile { path: root.to_owned(), faults: faults(&run.words) }),
    }
}

pub(crate) fn check(root: &Path, text: &str) -> Result<(), Vec<Fault>> {
    let run = run(root, text)
        .map_err(|error| vec![Fault::whole(format!("xmllint cannot be run: {error}"))])?;
    match run.code {
        Some(VALID) => Ok(()),
        Some(NOT_WELL_FORMED | INVALID) => Err(faults(&run.words)),
        code => {
            let mut all = vec![Fault::whole(format!("xmllint ended with {code:?}"))];
            all.extend(faults(&run.words).into_iter().take(FAULTS_MOST - 1));
            Err(all)
        }
    }
}

fn run(root: &Path, text: &str) -> io::Result<Run> {
    let child = Command::new("xmllint")
        .args(["--nonet", "--nocatalogs", "--noout", "--schema"])
        .arg(root)
        .arg("-")
        // The language of messages; no catalogue sends a schema elsewhere.
        .env("LC_ALL", "C.UTF-8")
        .env("XML_CATALOG_FILES", "")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    talk(child, text)
}

/// Feeds the process, listens to it, and ends it when it takes too long.
fn talk(mut child: Child, text: &str) -> io::Result<Run> {
    let (input, output) = (child.stdin.take(), child.stderr.take());
    let child = Mutex::new(child);
    let locked = || child.lock().unwrap_or_else(PoisonError::into_inner);
    let (ended, end) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            // A process that has seen enough closes the pipe; its exit code says the rest.
            input.map(|mut input| input.write_all(text.as_bytes()))
        });
        scope.spawn(move || {
            if end.recv_timeout(LONGEST) == Err(mpsc::RecvTimeoutError::Timeout) {
                return locked().kill();
            }
            Ok(())
        });
        let words = output.map_or_else(|| Ok(String::new()), listen);
        drop(ended);
        let code = locked().wait()?.code();
        Ok(Run { code, words: words? })
    })
}

/// All that is said, of which the beginning is kept.
fn listen(mut output: impl Read) -> io::Result<String> {
    let mut words = Vec::new();
    (&mut output).take(WORDS_LONGEST).read_to_end(&mut words)?;
    io::copy(&mut output, &mut io::sink())?;
    Ok(String::from_utf8_lossy(&words).into_owned())
}

/// The lines that speak of an error; quotations of the document and carets are left out.
fn faults(words: &str) -> Vec<Fault> {
    let mut faults: Vec<Fault> = words.lines().filter_map(fault).take(FAULTS_MOST).collect();
    if faults.is_empty() {
        faults.push(Fault::whole("the document is not valid, and xmllint does not say why"));
    }
    faults
}

/// `-:12: element Quantity: Schemas validity error : Element …: …`
fn fault(line: &str) -> Option<Fault> {
    let (place, message) = line.split_once(": ")?;
    let (_, number) = place.rsplit_once(':')?;
    let number = number.parse().ok()?;
    let message = message.split_once(" error : ").map_or(message, |(_, message)| message);
    Some(Fault::new(number, message.trim()))
}
