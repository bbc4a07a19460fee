//! A password in memory.

use std::fmt;

use zeroize::Zeroizing;

/// A password. Its memory is overwritten when it is dropped, it cannot be formatted or
/// serialised, and [`Secret::expose`] is the one way to its text.
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// A password of ASCII characters.
    pub(super) fn of_ascii(text: &[u8]) -> Self {
        let mut password = Zeroizing::new(String::with_capacity(text.len()));
        password.extend(text.iter().copied().map(char::from));
        Self(password)
    }

    /// A password that somebody else made.
    #[must_use]
    pub fn of_text(text: String) -> Self {
        Self(Zeroizing::new(text))
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
