//! Everything that the tool prints. What is stored, and what a command line has, can contain characters that a terminal
//! obeys instead of showing them, so they are printed as escapes.

use std::io::{self, IsTerminal, Write};

use passloom::invisible::is_invisible;
use serde_json::Value;

/// Prints a line.
pub(crate) fn print_line(line: &str) -> io::Result<()> {
    write(&mut io::stdout(), line, "\n", in_text)
}

/// Prints a value as JSON, with the escapes of JSON.
pub(crate) fn print_json(value: &Value) -> io::Result<()> {
    write(&mut io::stdout(), &value.to_string(), "\n", in_json)
}

/// Prints the lines of an error.
pub(crate) fn print_error(error: &str) -> io::Result<()> {
    error.lines().try_for_each(|line| write(&mut io::stderr(), line, "\n", in_text))
}

/// Asks a question, if somebody can answer it.
pub(crate) fn ask(question: &str) -> io::Result<Option<String>> {
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    write(&mut io::stderr(), question, " ", in_text)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(Some(answer))
}

/// A text with its invisible characters as escapes.
pub(crate) fn visible(text: &str) -> String {
    escaped(text, in_text)
}

/// Writes a text and what ends it. The only function that writes.
fn write(out: &mut dyn Write, text: &str, end: &str, escape: fn(char) -> String) -> io::Result<()> {
    write!(out, "{}{end}", escaped(text, escape))?;
    out.flush()
}

fn escaped(text: &str, escape: fn(char) -> String) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if is_invisible(character) {
            visible.push_str(&escape(character));
        } else {
            visible.push(character);
        }
    }
    visible
}

/// `\u{202e}`
fn in_text(character: char) -> String {
    character.escape_unicode().to_string()
}

/// `\u202e`, or two of them.
fn in_json(character: char) -> String {
    let units = character.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>();
    units.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invisible_characters_are_written_as_escapes() {
        for (text, visible, json) in [
            ("Ada é 你好 \\", "Ada é 你好 \\", "Ada é 你好 \\"),
            ("\u{202e}nimda", "\\u{202e}nimda", "\\u202enimda"),
            ("a\u{1b}[2J\n\u{e0041}", "a\\u{1b}[2J\\u{a}\\u{e0041}", "a\\u001b[2J\\u000a\\udb40\\udc41"),
        ] {
            assert_eq!((escaped(text, in_text), escaped(text, in_json)), (visible.into(), json.into()));
        }
    }

    #[test]
    fn json_with_escapes_is_the_same_value() {
        let value = Value::from("\u{202e} \u{e0041} \u{9b} \n \" \\");
        let json = escaped(&value.to_string(), in_json);
        assert!(!json.chars().any(is_invisible));
        assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
    }
}
