//! Characters that change how a text is displayed without being visible themselves. In a terminal or a log they can
//! hide a part of a text, or let it look like another one (Unicode Technical Report 36, section 2).

use std::fmt;

/// The characters of the general categories Cc (control), Cf (format, with all controls of the writing direction),
/// Zl and Zp (separators of lines and paragraphs) and Co (private use) in Unicode 16.0 (`DerivedGeneralCategory.txt`),
/// and those that Unicode reserves for future ones of these kinds (`Default_Ignorable_Code_Point`).
const RANGES: [(char, char); 24] = [
    ('\0', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{600}', '\u{605}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{6dd}', '\u{6dd}'),
    ('\u{70f}', '\u{70f}'),
    ('\u{890}', '\u{891}'),
    ('\u{8e2}', '\u{8e2}'),
    ('\u{180e}', '\u{180e}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{110bd}', '\u{110bd}'),
    ('\u{110cd}', '\u{110cd}'),
    ('\u{13430}', '\u{1343f}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    // Tags, and the selectors of variants among them.
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{ffffd}'),
    ('\u{100000}', '\u{10fffd}'),
];

/// A character that is not visible. Displayed in Unicode's notation, such as `U+202E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invisible(char);

impl fmt::Display for Invisible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

/// Whether a character changes how a text is displayed without being visible itself.
#[must_use]
pub fn is_invisible(character: char) -> bool {
    RANGES.iter().any(|(first, last)| (first..=last).contains(&&character))
}

/// The first invisible character of a text in one line.
#[must_use]
pub fn find_in_line(text: &str) -> Option<Invisible> {
    text.chars().find(|character| is_invisible(*character)).map(Invisible)
}

/// The first invisible character of a text that may have line breaks and tabs.
#[must_use]
pub fn find_in_text(text: &str) -> Option<Invisible> {
    let is_layout = |character| ['\n', '\r', '\t'].contains(&character);
    text.chars().find(|character| is_invisible(*character) && !is_layout(*character)).map(Invisible)
}

#[cfg(test)]
mod tests {
    use unicode_general_category::{GeneralCategory, get_general_category};

    use super::*;

    #[test]
    fn every_character_of_the_categories_is_invisible_and_no_assigned_other_except_selectors() {
        use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, PrivateUse, Unassigned};
        for character in '\0'..=char::MAX {
            let expected = match get_general_category(character) {
                Control | Format | LineSeparator | ParagraphSeparator | PrivateUse => true,
                // Reserved, among them the whole plane of tags.
                Unassigned => {
                    matches!(character, '\u{2065}' | '\u{fff0}'..='\u{fff8}' | '\u{e0000}'..='\u{e0fff}')
                }
                // Selectors of variants, which can carry a hidden text of any length.
                _ => ('\u{e0100}'..='\u{e01ef}').contains(&character),
            };
            assert_eq!(is_invisible(character), expected, "{}", character.escape_unicode());
        }
    }

    #[test]
    fn line_break_and_tab_are_invisible_in_a_line_and_not_in_a_text() {
        for (text, in_line, in_text) in [
            ("Ada Lovelace, é 你好 ❤\u{fe0f}", None, None),
            ("a\nb\r\n\tc", Some("U+000A"), None),
            ("a\n\u{202e}b", Some("U+000A"), Some("U+202E")),
            ("a\u{1b}[2J", Some("U+001B"), Some("U+001B")),
            ("\u{e0041}", Some("U+E0041"), Some("U+E0041")),
        ] {
            let notation = |found: Option<Invisible>| found.map(|one| one.to_string());
            assert_eq!(notation(find_in_line(text)).as_deref(), in_line, "{text:?}");
            assert_eq!(notation(find_in_text(text)).as_deref(), in_text, "{text:?}");
        }
    }
}
