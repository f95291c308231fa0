//! How many parts an archive names, before anybody reads their list into memory (APPNOTE.TXT, 4.3.14 to 4.3.16).

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom},
};

/// The end of an archive: its record, and the longest comment after it, and the record of long archives before.
const END: u64 = 22 + 65_535 + 20 + 56;

/// The most parts that any record at the end of the file names.
pub(super) fn parts(file: &mut File) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(END);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.take(END).read_to_end(&mut end)?;
    let mut most = 0;
    for (at, signature) in end.windows(4).enumerate() {
        let number = |from: usize, bytes: usize| {
            let digits = end.get(at + from..at + from + bytes)?.iter().rev();
            Some(digits.fold(0_u64, |number, digit| (number << 8) | u64::from(*digit)))
        };
        let said = match signature {
            b"PK\x05\x06" => number(10, 2),
            b"PK\x06\x06" => number(32, 8),
            // The record of a long archive may stand anywhere: its locator says where.
            b"PK\x06\x07" => {
                number(8, 8).map(|place| elsewhere(file, place)).transpose()?.flatten()
            }
            _ => None,
        };
        most = most.max(said.unwrap_or(0));
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(most)
}

fn elsewhere(file: &mut File, place: u64) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(place))?;
    let mut record = Vec::new();
    file.take(40).read_to_end(&mut record)?;
    let count = record.get(32..40).filter(|_| record.starts_with(b"PK\x06\x06"));
    Ok(count.and_then(|bytes| bytes.try_into().ok()).map(u64::from_le_bytes))
}
