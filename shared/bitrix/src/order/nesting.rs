//! How deep a JSON text nests, before it is parsed.

/// The deepest nesting that an order may have; the real ones have six.
pub const MAX_DEPTH: usize = 32;

/// Whether no bracket of this JSON text is nested deeper than `limit`.
///
/// Says nothing about whether the text is JSON.
#[must_use]
pub fn is_within(text: &str, limit: usize) -> bool {
    let mut depth = 0_usize;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => skip_string(&mut bytes),
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return false;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

/// Goes on behind the quote that closes a string.
fn skip_string(bytes: &mut std::str::Bytes<'_>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
}
