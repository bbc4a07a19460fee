//! A password in memory.

use std::fmt;

use zeroize::Zeroizing;

/// A drawn password. Its memory is overwritten when it is dropped, it cannot be formatted or
/// serialised, and [`Secret::expose`] is the one way to its text.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes over a text. The text's own buffer is kept, so no copy stays behind.
    pub(super) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The password itself. Called where the response body is written and where the drawn password
    /// is checked against its policy, and nowhere else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
