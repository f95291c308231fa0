//! A body that is read by somebody who blocks, while it still comes in.

use std::io::{self, Read};

use tokio::sync::mpsc::{Receiver, Sender, channel};

/// What is on its way from the network to the parser: a few pieces, so memory does not grow with the body.
const PIECES: usize = 8;

/// The parser's end.
pub(crate) struct Feed {
    pieces: Receiver<io::Result<Vec<u8>>>,
    current: io::Cursor<Vec<u8>>,
}

/// The two ends.
pub(crate) fn feed() -> (Sender<io::Result<Vec<u8>>>, Feed) {
    let (send, pieces) = channel(PIECES);
    (send, Feed { pieces, current: io::Cursor::new(Vec::new()) })
}

impl Read for Feed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.current.read(into)?;
            if count > 0 || into.is_empty() {
                return Ok(count);
            }
            match self.pieces.blocking_recv() {
                Some(piece) => self.current = io::Cursor::new(piece?),
                None => return Ok(0),
            }
        }
    }
}
