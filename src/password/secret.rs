//! A secret in memory.

use std::fmt;

use zeroize::Zeroizing;

/// A password or passphrase. Its memory is overwritten when it is dropped. It can neither be formatted nor serialised:
/// [`Secret::expose`] is the only way to its text.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A generated secret of ASCII characters.
    pub(super) fn from_ascii(text: &[u8]) -> Self {
        let mut password = Zeroizing::new(String::with_capacity(text.len()));
        password.extend(text.iter().copied().map(char::from));
        Self(password)
    }

    /// A secret that a caller sent.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text of the secret. The code calls it to write the body of an answer, to verify a generated secret, and to
    /// assess a secret that a caller sent.
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
