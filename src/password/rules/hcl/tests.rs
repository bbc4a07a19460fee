//! Tests of the reader and the writer as a whole.

use proptest::prelude::*;
use serde_json::{Value, from_str};

use super::{HclError, VaultPolicy, write_hcl};
use crate::password::charset::{CharSet, printable};
use crate::password::policy::Policy;
use crate::password::policy::constraints::Constraints;
use crate::password::rules::parse::parse as parse_rules;
use crate::password::spec::Requirement;
use crate::steps::assert_linear;

/// The sets with their minima, without empty ones, in an order of their own.
fn sets(rules: impl IntoIterator<Item = (String, i64)>) -> Vec<(String, i64)> {
    let sets = rules.into_iter().map(|(text, min)| (CharSet::from_text(&text).to_string(), min.max(0)));
    let mut sets: Vec<_> = sets.filter(|(text, _)| !text.is_empty()).collect();
    sets.sort();
    sets.dedup();
    sets
}

fn sets_of(policy: &VaultPolicy) -> Vec<(String, i64)> {
    sets(policy.rules.iter().map(|rule| (rule.characters.to_string(), rule.min.into())))
}

/// A policy of 12 characters with a rule of `abc` and these attributes.
fn rule(attributes: &str) -> String {
    format!("length = 12 rule \"charset\" {{ charset = \"abc\" {attributes} }}")
}

/// A policy of 12 characters with this as its charset.
fn charset(text: &str) -> String {
    format!("length = 12 rule \"charset\" {{ charset = \"{text}\" }}")
}

/// A policy of 12 characters in JSON with these rules.
fn json(rules: &str) -> String {
    format!(r#"{{"length":12,"rule":{rules}}}"#)
}

/// What is wrong, without line and column.
fn problem(error: &HclError) -> String {
    let text = error.to_string();
    let place = format!("line {}, column {}", error.line, error.column);
    let problem = text.strip_prefix(&format!("{place}: ")).or(text.strip_suffix(&format!(" ({place})")));
    problem.unwrap().to_owned()
}

/// The minimum of a policy with one rule.
fn min(text: &str) -> Result<u16, String> {
    VaultPolicy::parse(text).map(|policy| policy.rules[0].min).map_err(|error| problem(&error))
}

/// The characters of a policy with one rule.
fn characters(text: &str) -> Result<String, String> {
    VaultPolicy::parse(text).map(|policy| policy.rules[0].characters.to_string()).map_err(|error| problem(&error))
}

const LENGTH: &str = "passwords must be between 4 and 4096 characters; length says how many";
const NO_CHARSET: &str = "a rule must have a charset";
const NO_CHARACTERS: &str = "a policy must have a rule with a charset that is not empty";
const MIXED_RULES: &str = "all rules must have the same form; in HCL rule \"charset\" { … } or rule { charset { … } }, in \
                           JSON \"charset\": { … } or \"charset\": [{ … }]";
const MIN_OF_EMPTY_SET: &str = "min-chars must be 0 for a charset without characters";
const TOO_MANY_SETS: &str = "a policy can have up to 16 charsets with characters";
const HCL_NUMBER: &str = "a number must be decimal, hexadecimal (0x…) or octal (0…), and fit into 64 bits";
const JSON_NUMBER: &str = "a number must be decimal, and fit into 64 bits";
const ILLEGAL_ESCAPE: &str = "the language does not have this escape";
const LINE_END: &str = "a text begins here and does not end in its line";
const OPEN_INTERPOLATION: &str =
    "the text has no end; from this ${ to the } that balances it, quotes do not end the text";

fn not_printable(character: char) -> String {
    format!("the charset has {character:?}, and this service draws only printable ASCII characters")
}

fn unknown_rule(name: &str) -> String {
    format!("unknown rule {name:?}; the only one is \"charset\"")
}

fn second_label(name: &str) -> String {
    format!("\"{{\" must follow; with the label {name:?} Vault loses the rule")
}

fn second_name(name: &str) -> String {
    format!("{name:?} must be a rule of its own; Vault would ignore one of the two")
}

fn repeated(name: &str) -> String {
    format!("{name:?} is given more than once")
}

fn assigned(name: &str) -> String {
    format!("\"{{\" must follow {name:?}, not \"=\"")
}

/// The first name in quotes of an error.
fn quoted(error: &HclError) -> String {
    error.to_string().split('"').nth(1).unwrap().to_owned()
}

/// The texts were read by Vault's own parser, github.com/hashicorp/hcl v1.0.1-vault-7. Where this service refuses a text
/// that Vault accepts, `why` says why.
#[test]
fn text_is_read_as_vault_reads_it_or_refused_by_name() {
    let rows: Vec<Value> = from_str(include_str!("../../../../tests/data/vault-hcl.json")).unwrap();
    assert_eq!(rows.len(), 300);
    for row in &rows {
        let text = row["text"].as_str().unwrap();
        let read = VaultPolicy::parse(text);
        if row["passloom"] == "same" {
            let policy = read.unwrap_or_else(|error| panic!("{text}: {error}"));
            let rules = row["vault"]["rules"].as_array().unwrap();
            let rules =
                rules.iter().map(|rule| (rule["charset"].as_str().unwrap().to_owned(), rule["min"].as_i64().unwrap()));
            assert_eq!(
                (Some(u64::from(policy.length)), sets_of(&policy)),
                (row["vault"]["length"].as_u64(), sets(rules)),
                "{text}"
            );
            continue;
        }
        let error = read.expect_err(text);
        let (name, expected) = match row["why"].as_str() {
            None => continue,
            Some("ignored name") => (quoted(&error), ", which Vault ignores; "),
            Some("repeated") => (quoted(&error), " is given more than once"),
            Some("Rule") => ("Rule".to_owned(), "write \"rule\" instead of "),
            Some("two names in a rule") => (quoted(&error), " must be a rule of its own; "),
            Some("a minimum on an empty set") => ("min-chars".to_owned(), MIN_OF_EMPTY_SET),
            Some("length above 4096") => ("length".to_owned(), LENGTH),
            Some(why) => panic!("{text}: {why}: {error}"),
        };
        let problem = problem(&error);
        assert!(text.contains(&name) && problem.contains(&name) && problem.contains(expected), "{text}: {error}");
    }
}

#[test]
fn rule_1_first_character_decides_between_json_and_the_language() {
    let hcl = rule("min-chars = 1");
    for before in ["", " \t\r\n", "# {\n", "// é\r\n", "/* { \"*/", "/**/", "/* a\n * /* */", "#\u{feff}\n"] {
        assert_eq!(min(&format!("{before}{hcl}")), Ok(1), "{before}");
    }
    for after in ["#", "//", " # \"", "/**/", "\n\n"] {
        assert_eq!(min(&format!("{hcl}{after}")), Ok(1), "{after}");
    }
    let object = json(r#"{"charset":{"charset":"abc","min-chars":1}}"#);
    assert_eq!(min(&format!(" \r\n\t{object} \n")), Ok(1));
    for text in [
        format!("# c\n{object}"),
        format!("{object} # c"),
        format!("\u{b}{object}"),
        format!("\u{a0}{hcl}"),
        format!("\u{feff}{hcl}"),
        format!("{hcl}/"),
        format!("{hcl}/ /"),
        format!("{hcl}/*/"),
        format!("{hcl}/* /* */ */"),
        format!("{hcl}# \0"),
        format!("{hcl}/* \u{e123} */"),
    ] {
        assert!(VaultPolicy::parse(&text).is_err(), "{text}");
    }
}

#[test]
fn rule_2_items_have_names_and_one_comma_may_follow_each() {
    for text in [
        "length=12rule\"charset\"{charset=\"abc\"min-chars=1}",
        "length\n=\n12\nrule\n\"charset\"\n{\ncharset\n=\n\"abc\"\nmin-chars\n=\n1\n}",
        "length = 12, rule charset { charset = \"abc\", min-chars = 1, },",
        "\"length\" = 12 \"r\\x75le\" charset { \"char\\u0073et\" = \"abc\" \"min-chars\" = 1 }",
        "rule { charset { charset = \"abc\" min-chars = 1 }, } length = 12",
        "rule \"charset\" { min-chars = 1, charset = \"abc\" }, length = 12,",
    ] {
        assert_eq!(min(text), Ok(1), "{text}");
    }
    let hcl = rule("");
    for text in [
        format!(", {hcl}"),
        format!("{hcl},,"),
        format!("{hcl} }}"),
        format!("{hcl} {{}}"),
        format!("{hcl} length"),
        format!("{hcl} entropy_source ="),
        format!("{hcl} entropy_source {{}}"),
        format!("{hcl} entropy_source \"x\" = 1"),
        format!("{hcl} 1 = 1"),
        format!("{hcl} .a = 1"),
        format!("{hcl} -a = 1"),
        format!("{hcl} ;"),
        hcl.replace("length =", "length :"),
        hcl.replace("length = 12", "length 12"),
        hcl.replace("\"charset\"", "\"charset\" ="),
        hcl.replace("\"charset\"", "\"charset\","),
        hcl.replace("{ charset", "{, charset"),
        hcl.replace('}', ""),
    ] {
        assert!(VaultPolicy::parse(&text).is_err(), "{text}");
    }
}

#[test]
fn rule_3_value_is_a_number_a_text_or_a_boolean() {
    let value = "a number, a text in quotes, true or false";
    for (text, problem) in [
        ("\"1\"", "\"min-chars\" must be a number".to_owned()),
        ("true", "\"min-chars\" must be a number".to_owned()),
        ("false", "\"min-chars\" must be a number".to_owned()),
        ("<<EOF\n1\nEOF\n", "\"min-chars\" must be in quotes; heredocs are not read".to_owned()),
        ("[1]", "\"min-chars\" must not be a list or an object".to_owned()),
        ("{}", "\"min-chars\" must not be a list or an object".to_owned()),
        ("one", format!("'o' is found instead of {value}")),
        ("null", format!("'n' is found instead of {value}")),
        (",", format!("',' is found instead of {value}")),
    ] {
        assert_eq!(min(&rule(&format!("min-chars = {text}"))), Err(problem), "{text}");
    }
    let problem = "\"charset\" must be a text in quotes".to_owned();
    assert_eq!(min("length = 12 rule \"charset\" { charset = 5 }"), Err(problem));
    for value in ["\"platform\"", "\"\"", "\"seal\"", "true", "0.5", "\"${\n}\"", "\"\\xff\""] {
        let text = format!("{} entropy_source = {value}", rule("min-chars = 2 entropy_source = 1"));
        assert_eq!(min(&text), Ok(2), "{value}");
    }
}

#[test]
fn rule_4_number_is_decimal_hexadecimal_octal_or_a_float_without_its_fraction() {
    for (number, value) in [
        ("0", 0),
        ("-0", 0),
        ("00", 0),
        ("7", 7),
        ("-3", 0),
        ("0x0b", 11),
        ("0XB", 11),
        ("-0x1", 0),
        ("013", 11),
        ("-013", 0),
        ("3.99", 3),
        ("-0.9", 0),
        (".5", 0),
        ("5.", 5),
        ("5.e0", 5),
        ("0.", 0),
        ("0.e1", 0),
        ("09.5", 9),
        ("01e1", 10),
        ("008e0", 8),
        ("1e1", 10),
        ("1E+1", 10),
        ("100e-1", 10),
        ("1e-400", 0),
        ("-9223372036854775808", 0),
        ("-9223372036854775808.0", 0),
        ("-0x8000000000000000", 0),
    ] {
        assert_eq!(min(&rule(&format!("min-chars = {number}"))), Ok(value), "{number}");
    }
    for number in ["9223372036854775808", "-9223372036854775809", "0x8000000000000000", "01000000000000000000000"] {
        assert_eq!(min(&rule(&format!("min-chars = {number}"))), Err(HCL_NUMBER.into()), "{number}");
    }
    for number in ["1e400", "-1e400", "1e300", "-1e300", "9223372036854775808.0", "1e99999999999999999999"] {
        assert_eq!(min(&rule(&format!("min-chars = {number}"))), Err(HCL_NUMBER.into()), "{number}");
    }
    for number in ["08", "09", "018", "-019"] {
        assert_eq!(min(&rule(&format!("min-chars = {number}"))), Err(HCL_NUMBER.into()), "{number}");
    }
    for number in [
        "+1", "- 1", "--1", "-", ".", "-.5", "0x", "0xg", "0x1g", "1e", "1e+", "5.e", ".5e1", "1_0", "0b1", "0o1",
        "1.2.3", "0x1.8",
    ] {
        assert!(min(&rule(&format!("min-chars = {number}"))).is_err(), "{number}");
    }
}

#[test]
fn rule_5_escapes_are_read_and_interpolations_stay_as_they_are_written() {
    for (text, set) in [
        (r"a\101\x42\u0043\U00000044", "ABCDa"),
        (r#"\"\\"#, r#""\"#),
        (r"\0411", "!1"),
        ("a#b//c/*", "#*/abc"),
        ("${}", "${}"),
        ("${\"}", "\"${}"),
        ("${{}}", "${}"),
        (r"${\x7d}", r"$7\dx{}"),
        (r"${\777}", r"$7\{}"),
        (r"${\n}", r"$\n{}"),
        ("$${}", "${}"),
        ("}${}{", "${}"),
        ("${${}}", "${}"),
        ("%{", "%{"),
        (r"\x24{", "${"),
        (r"$\x7b", "${"),
        ("$", "$"),
        ("{$", "${"),
    ] {
        assert_eq!(characters(&charset(text)).as_deref(), Ok(set), "{text}");
    }
    for text in
        ["\\'", "\\/", "\\?", "\\\n", "\\1", "\\08", "\\x4", "\\xg0", "\\u41", "\\U0041", "\\777", "\\U00110000"]
    {
        assert_eq!(characters(&charset(text)), Err(ILLEGAL_ESCAPE.into()), "{text}");
    }
    assert_eq!(characters(&charset("${\\q}")), Err(ILLEGAL_ESCAPE.into()));
    assert_eq!(characters(&charset("a\nb")), Err(LINE_END.into()));
    assert_eq!(characters(&charset("a\r\nb")), Err(LINE_END.into()));
    for text in ["${", "${{}", "$${", "${${}", "${\\x7d"] {
        assert_eq!(characters(&charset(text)), Err(OPEN_INTERPOLATION.into()), "{text}");
    }
    assert_eq!(characters("length = 12 rule charset { charset = \"a }"), Err(LINE_END.into()));
    for (text, other) in [
        ("é", 'é'),
        ("\\u00e9", 'é'),
        ("\\xc3\\xa9", 'é'),
        ("\\xff", '\u{fffd}'),
        ("\\ud800", '\u{fffd}'),
        ("a\tb", '\t'),
        ("\\n", '\n'),
        ("\\a", '\u{7}'),
        ("\\b", '\u{8}'),
        ("\\f", '\u{c}'),
        ("\\v", '\u{b}'),
        ("\u{7f}", '\u{7f}'),
        ("${\n}", '\n'),
    ] {
        assert_eq!(characters(&charset(text)), Err(not_printable(other)), "{text}");
    }
}

#[test]
fn rule_6_names_of_attributes_are_found_without_regard_to_case() {
    let text = "LENGTH = 12 rule \"charset\" { Charset = \"abc\" MIN-CHARS = 3 }";
    assert_eq!(min(text), Ok(3));
    assert_eq!(min(&text.replace("rule", "RULE")), Err("write \"rule\" instead of \"RULE\"".into()));
    assert_eq!(min(&text.replace("\"charset\"", "Charset")), Err(unknown_rule("Charset")));
    let twice = text.replace("MIN-CHARS", "charset = \"d\" MIN-CHARS");
    assert_eq!(min(&twice), Err(repeated("charset")));
}

#[test]
fn rule_7_all_rules_have_one_of_two_forms() {
    let (labelled, nested) = ("rule \"charset\" { charset = \"a\" }", "rule { charset { charset = \"a\" } }");
    for (rules, result) in [
        (format!("{labelled} {labelled}"), Ok("a".to_owned())),
        (format!("{nested} {nested}"), Ok("a".to_owned())),
        (format!("{labelled} {nested}"), Err(MIXED_RULES.into())),
        (format!("{nested} {labelled}"), Err(MIXED_RULES.into())),
        ("rule { }".into(), Err(NO_CHARSET.into())),
        ("rule \"words\" { }".into(), Err(unknown_rule("words"))),
        ("rule \"charset\" \"x\" { }".into(), Err(second_label("x"))),
        ("rule { charset x { } }".into(), Err(second_label("x"))),
        ("rule { words { } }".into(), Err(unknown_rule("words"))),
        ("rule { charset { } charset { } }".into(), Err(second_name("charset"))),
        ("rule { charset { } min-chars = 1 }".into(), Err(second_name("min-chars"))),
        ("rule = { charset { } }".into(), Err(assigned("rule"))),
        ("rule { charset = { } }".into(), Err(assigned("charset"))),
    ] {
        assert_eq!(characters(&format!("length = 12 {rules}")), result, "{rules}");
    }
    for rules in ["rule \"charset\" = { charset = \"a\" }", "rule { charset = \"a\" }", "rule", "rule \"charset\""] {
        assert!(VaultPolicy::parse(&format!("length = 12 {rules}")).is_err(), "{rules}");
    }
}

#[test]
fn rule_8_omitted_values_are_empty_or_zero() {
    let full = "rule \"charset\" { charset = \"a\" }";
    let sixteen = full.repeat(16);
    for (text, result) in [
        (format!("length = 4 rule charset {{}} {full} rule charset {{ min-chars = -1 }}"), Ok((4, 1))),
        (format!("length = 4096 {sixteen} rule charset {{ }}"), Ok((4096, 16))),
        (format!("length = 9 {full} {sixteen}"), Err(TOO_MANY_SETS.into())),
        (String::new(), Err(LENGTH.into())),
        (full.to_owned(), Err(LENGTH.into())),
        (format!("length = 3.9 {full}"), Err(LENGTH.into())),
        (format!("length = -8 {full}"), Err(LENGTH.into())),
        (format!("length = 4097 {full}"), Err(LENGTH.into())),
        ("length = 4".into(), Err(NO_CHARACTERS.into())),
        ("length = 4 rule charset {}".into(), Err(NO_CHARACTERS.into())),
        (format!("length = 4 {full} rule charset {{ min-chars = 1 }}"), Err(MIN_OF_EMPTY_SET.into())),
        (
            "length = 4 rule charset { charset = \"a\" min-chars = 5 } rule charset { charset = \"a\" min-chars = -3 }"
                .into(),
            Err("the rules require at least 5 characters, and the length is 4".into()),
        ),
        (
            "length = 4 rule charset { charset = \"a\" min-chars = 9223372036854775807 }".into(),
            Err("the rules require at least 9223372036854775807 characters, and the length is 4".into()),
        ),
    ] {
        let read = VaultPolicy::parse(&text).map(|policy| (policy.length, policy.rules.len()));
        assert_eq!(read.map_err(|error| problem(&error)), result, "{text}");
    }
}

#[test]
fn rule_9_json_is_strict_and_has_the_same_names() {
    for (text, result) in [
        (json(r#"{"charset":{"charset":"ab","min-chars":1.9}}"#), Ok(1)),
        (json(r#"[{"charset":[{"CHARSET":"a\u0062","Min-Chars":2e0}]}]"#), Ok(2)),
        (json(r#"[ { "charset" : { "min-chars" : -1 , "charset" : "${" } } ] "#), Ok(0)),
        (json(r#"{"charset":[{"charset":"ab"},{"charset":5,"x":[[{"y":[]}],{}],"x":null},{}]}"#), Ok(0)),
        (json(r#"[{"charset":{"charset":null}},{"charset":{}},{"charset":{"charset":"\"\\"}}]"#), Ok(0)),
        (json(r#"{"charset":{"charset":"a","entropy_source":true}},"entropy_source":null"#), Ok(0)),
    ] {
        assert_eq!(min(&text), result, "{text}");
    }
    for (text, kind) in [
        (json(r#"{"charset":{"charset":"a","charset":"a"}}"#), repeated("charset")),
        (json(r#"{"charset":{"charset":"a"}},"rule":[]"#), repeated("rule")),
        (json(r#"{"charset":{"charset":"a"}},"length":9"#), repeated("length")),
        (json(r#"{"charset":{"charset":"a"},"charset":{}}"#), second_name("charset")),
        (json(r#"{"charset":{"charset":"a"},"other":1}"#), second_name("other")),
        (json(r#"{"words":{"charset":"a"}}"#), unknown_rule("words")),
        (json("[{}]"), NO_CHARSET.into()),
        (json("[]"), NO_CHARACTERS.into()),
        (json(r#"[{"charset":{"charset":"a"}},{"charset":[{"charset":"a"}]}]"#), MIXED_RULES.into()),
        (json(r#"{"charset":{"charset":"a","min-chars":1e30}}"#), JSON_NUMBER.into()),
        (json(r#"{"charset":{"charset":["a"]}}"#), "\"charset\" must not be a list or an object".into()),
        (json(r#"{"charset":{"charset":"é"}}"#), not_printable('é')),
        (json(r#"{"charset":{"charset":"\n"}}"#), not_printable('\n')),
        (json(r#"{"charset":{"charset":"\/"}}"#), ILLEGAL_ESCAPE.into()),
        (json(r#"{"charset":{"charset":"\x41"}}"#), ILLEGAL_ESCAPE.into()),
        (json(r#"{"charset":{"charset":"\ud83d\ude00"}}"#), ILLEGAL_ESCAPE.into()),
        (json("{\"charset\":{\"charset\":\"a\tb\"}}"), "the character '\\t' is not permitted".into()),
        (json("{\"charset\":{\"charset\":\"a\nb\"}}"), LINE_END.into()),
        (r#"{"length":"12","rule":[]}"#.into(), "\"length\" must be a number".into()),
    ] {
        assert_eq!(min(&text), Err(kind), "{text}");
    }
    for rules in [
        "null",
        "1",
        "[[]]",
        r#"{"charset":null}"#,
        r#"{"charset":[]}"#,
        r#"{"charset":[{"charset":"a"},5]}"#,
        r#"{"charset":[{"charset":"a"},{"x":tru}]}"#,
        r#"{"charset":[{"charset":"a"},{"x":[1 2]}]}"#,
        r#"{"charset":[{"charset":"a"},{"x":[1}]}]}"#,
        r#"{"charset":{"charset":"a"},}"#,
        r#"{"charset":{"charset":"a",}}"#,
        r#"[{"charset":{"charset":"a"}},]"#,
        r#"[,{"charset":{"charset":"a"}}]"#,
        r#"{"charset":{"charset":"a"}}}"#,
        r#"{"charset":{"charset" "a"}}"#,
        r#"{"charset":{charset:"a"}}"#,
        r#"{"charset":{"charset":"a","min-chars":01}}"#,
        r#"{"charset":{"charset":"a","min-chars":1.}}"#,
        r#"{"charset":{"charset":"a","min-chars":.5}}"#,
        r#"{"charset":{"charset":"a","min-chars":+1}}"#,
        r#"{"charset":{"charset":"a","min-chars":0x1}}"#,
        r#"{"charset":{"charset":"a","min-chars":1e}}"#,
        r#"{"charset":{"charset":"a","min-chars":-}}"#,
        r#"{"charset":{"charset":"a","min-chars":null}}"#,
    ] {
        assert!(VaultPolicy::parse(&json(rules)).is_err(), "{rules}");
    }
}

#[test]
fn error_has_line_column_and_the_name() {
    let rule = |inside: &str| format!("length = 8\nrule \"charset\" {{\n{inside}\n}}");
    for (text, message) in [
        (
            rule("  charset = \"a\"\n  min_chars = 1"),
            "line 4, column 3: unknown name \"min_chars\", which Vault ignores; did you mean \"min-chars\"?",
        ),
        (
            "length = 8\r\nconsecutive-chars-allowed = 1".into(),
            "line 2, column 1: unknown name \"consecutive-chars-allowed\", which Vault ignores; max_repeating of this \
             service's own API says that",
        ),
        (
            "min_chars = 1".into(),
            "line 1, column 1: unknown name \"min_chars\", which Vault ignores; \"min-chars\" belongs into a rule",
        ),
        (
            rule("description = \"x\""),
            "line 3, column 1: unknown name \"description\", which Vault ignores; the names are charset and min-chars",
        ),
        (
            "/* é */ grüße = 1".into(),
            "line 1, column 9: unknown name \"grüße\", which Vault ignores; the names are length, rule and entropy_source",
        ),
        (
            "lenght = 8".into(),
            "line 1, column 1: unknown name \"lenght\", which Vault ignores; did you mean \"length\"?",
        ),
        (rule("charset = <<EOF\na\nEOF"), "line 3, column 11: \"charset\" must be in quotes; heredocs are not read"),
        (
            rule("charset = \"é\""),
            "line 3, column 11: the charset has 'é', and this service draws only printable ASCII characters",
        ),
        (
            "length = 3".into(),
            "passwords must be between 4 and 4096 characters; length says how many (line 1, column 10)",
        ),
        ("length : 8".into(), "line 1, column 8: ':' is found instead of \"=\" and a value"),
        ("length = 8 rule \"charset\" {".into(), "line 1, column 27: a block begins here and has no end"),
        (format!("{} = 1", "\u{202e}".repeat(50)), "line 1, column 1: '\\u{202e}' is found instead of a name"),
        (
            format!("\"{}\" = 1", "\u{202e}".repeat(50)),
            &format!(
                "line 1, column 1: unknown name \"{}\"…, which Vault ignores; the names are length, rule and entropy_source",
                "\\u{202e}".repeat(40)
            ),
        ),
        (format!("{}\n{}", "#".repeat(4000), "é".repeat(48)), "line 2, column 48: the policy has more than 4096 bytes"),
    ] {
        assert_eq!(VaultPolicy::parse(&text).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn parameters_have_the_sets_in_their_order() {
    let text = "length = 20 rule charset { charset = \"ba\" min-chars = 2 } rule charset {} rule charset { charset = \"1 0\" }";
    let parameters = r#"{"charsets":[{"characters":"ab","min":2},{"characters":" 01","min":0}],"length":20}"#;
    assert_eq!(VaultPolicy::parse(text).unwrap().parameters(), parameters);
}

/// The most looks at a character per byte of a text.
const MAX_STEPS_PER_BYTE: usize = 5;

#[test]
fn hostile_text_is_read_in_steps_proportional_to_its_length() {
    let nested = |part: &str, end: &str| format!("{}{end}", part.repeat((4_000 - end.len()) / part.len()));
    let operators = format!("a = {}1{}\"", "1+1+(".repeat(60), ")".repeat(60));
    let mut texts = vec![operators];
    for begin in [
        "",
        "a = ",
        "length = ",
        "rule \"charset\" { charset = ",
        "rule \"charset\" { charset = \"",
        "rule { charset { charset = \"${",
        "entropy_source = \"",
        "{\"length\":",
        "{\"rule\":[",
        "{\"rule\":{\"charset\":[{},{\"a\":",
    ] {
        for part in [
            "(",
            "[",
            "{",
            "${",
            "\"${",
            "${\"",
            "}${",
            "$",
            "\\",
            "\\\\",
            "\\\"",
            "\\101",
            "\\u0041",
            "#",
            "#\n",
            "//\n",
            "/*",
            "/**/",
            "/* ",
            "/",
            "*",
            "\"",
            "\"\"",
            "\n",
            " ",
            ",",
            "0",
            "0x",
            "7",
            "9",
            "1e",
            ".",
            "-",
            "a",
            "a = 1\n",
            "é",
            "length = 9 ",
            "rule charset {}\n",
            "rule{charset{}},",
            "rule ",
            "charset = \"a\" ",
            "<<A\n",
            "1+1+(",
            "{\"a\":",
            "[{},",
            "{\"charset\":{}},",
            "{},",
            "[[",
            "\"a\":1,",
            "null,",
        ] {
            for end in ["", "\"", "}", "é", "\"}"] {
                texts.push(format!("{begin}{}", nested(part, end)));
            }
        }
    }
    for text in texts {
        assert_linear(&text, MAX_STEPS_PER_BYTE, || VaultPolicy::parse(&text));
    }
}

fn any_set() -> impl Strategy<Value = CharSet> {
    let characters = prop_oneof![3 => prop::sample::select(b"${}\"\\% %a".to_vec()), 1 => b' '..=b'~'];
    let range = (b' '..=b'~', b' '..=b'~').prop_map(|(first, last)| (first..=last).collect());
    let all = printable();
    prop_oneof![
        4 => prop::collection::vec(characters.clone(), 1..8).prop_map(|bytes| bytes.into_iter().collect()),
        1 => prop::collection::vec(characters, 1..8).prop_map(move |bytes| all.without(bytes.into_iter().collect())),
        1 => range,
    ]
}

/// Policies of sets and of classes, without the constraints that Vault's language does not have.
fn any_constraints() -> impl Strategy<Value = Constraints> {
    let number = prop_oneof![3 => 1..=4_usize, 1 => 14..=16_usize];
    let sets = number.prop_flat_map(|number| prop::collection::vec((any_set(), 0..3_u16), number));
    let requirements =
        |sets: Vec<(CharSet, u16)>| sets.into_iter().map(|(characters, min)| Requirement { characters, min });
    let charsets = sets.prop_map(move |sets| (Some(requirements(sets).collect()), None));
    let symbols = prop::collection::vec(prop::sample::select(b"${}\"\\%|~".to_vec()), 1..6)
        .prop_map(|bytes| (None, Some(String::from_utf8(bytes).unwrap())));
    let characters = prop_oneof![4 => charsets, 1 => symbols];
    let exclude = prop::option::of(any_set().prop_map(|set| set.to_string()));
    (characters, exclude, prop_oneof![4 => 4..=40_u16, 1 => 1..=4096_u16]).prop_map(
        |((charsets, symbols), exclude, length)| Constraints {
            charsets,
            symbols,
            exclude,
            length: Some(length),
            ..Constraints::default()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, max_global_rejects: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn policy_that_is_written_is_read_as_the_same(constraints in any_constraints()) {
        let policy = Policy::new(&constraints, None);
        prop_assume!(policy.is_ok());
        let policy = policy.unwrap();
        let spec = policy.spec();
        let required = |rules: &[Requirement]| rules.iter().copied().filter(|rule| rule.min > 0).collect::<Vec<_>>();
        let pool = |rules: &[Requirement]| rules.iter().fold(CharSet::default(), |all, rule| all.union(rule.characters));
        match write_hcl(&policy) {
            Ok(text) => {
                let read = VaultPolicy::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
                prop_assert_eq!(
                    (read.length, pool(&read.rules), required(&read.rules)),
                    (spec.length, spec.pool, required(&spec.requirements)),
                    "{}", text
                );
            }
            Err(why) => {
                let minima: u16 = spec.requirements.iter().map(|rule| rule.min).sum();
                prop_assert!(spec.length < 4 || minima > spec.length, "{}", why);
            }
        }
    }
}

#[test]
fn policy_that_vault_cannot_read_is_not_written() {
    let set = |text: &str, min| Requirement { characters: CharSet::from_text(text), min };
    for (charsets, length, why) in [
        (vec![set("ab", 1)], 3, "Vault's language has no length below 4"),
        (vec![set("ab", 3), set("abc", 4)], 6, "in Vault's language the minima together must not exceed the length"),
    ] {
        let constraints = Constraints { charsets: Some(charsets), length: Some(length), ..Constraints::default() };
        assert_eq!(write_hcl(&Policy::new(&constraints, None).unwrap()), Err(why.into()));
    }
    let required = ('a'..='p').map(|letter| format!("required: [{letter}];")).collect::<Vec<_>>().concat();
    for (allowed, result) in
        [("", Ok(())), ("allowed: [z];", Err("in Vault's language the policy would have more than 16 rules"))]
    {
        let rules = parse_rules(&format!("{required}{allowed}")).unwrap();
        let constraints = Constraints { rules: Some(rules), length: Some(20), ..Constraints::default() };
        let written = write_hcl(&Policy::new(&constraints, None).unwrap());
        assert_eq!(written.as_ref().map(drop).map_err(String::as_str), result);
    }
}

#[test]
fn set_with_dollar_and_brace_is_written_without_an_interpolation() {
    let charsets = Some(vec![Requirement { characters: CharSet::from_text("\"#${|}"), min: 1 }]);
    let constraints = Constraints { charsets, length: Some(8), ..Constraints::default() };
    let text = write_hcl(&Policy::new(&constraints, None).unwrap()).unwrap();
    assert!(text.contains(r##"charset = "{\"#$|}""##), "{text}");
}
