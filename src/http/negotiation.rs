//! The form of an answer that a caller prefers, by `Accept` and `Accept-Encoding` (RFC 9110, section 12.5).

use lambda_http::http::{HeaderMap, header};

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// A JSON object.
    Json,
    /// The passwords alone, one per line.
    Text,
}

impl Format {
    /// Plain text if the request prefers it to JSON; JSON otherwise.
    pub(crate) fn preferred(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<&str> = ranges.flat_map(|value| value.split(',')).collect();
        if quality(&ranges, "text", "plain") > quality(&ranges, "application", "json") {
            Self::Text
        } else {
            Self::Json
        }
    }
}

/// The quality value of a media type in thousandths: that of the most specific range that covers it.
fn quality(ranges: &[&str], kind: &str, subtype: &str) -> u16 {
    let covering = ranges.iter().filter_map(|range| {
        #[cfg(test)]
        crate::steps::count(range.len() + 1);
        let mut parts = range.split(';').map(str::trim);
        let (range_kind, range_subtype) = parts.next()?.split_once('/')?;
        let specificity = match (range_kind, range_subtype) {
            ("*", "*") => 0,
            (one, "*") if one.eq_ignore_ascii_case(kind) => 1,
            (one, other) if one.eq_ignore_ascii_case(kind) && other.eq_ignore_ascii_case(subtype) => 2,
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((specificity, weight.map_or(1_000, thousandths)))
    });
    covering.max_by_key(|&(specificity, _)| specificity).map_or(0, |(_, weight)| weight)
}

/// Whether the request accepts gzip. `*` stands for the codings that the header does not name.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let (mut gzip, mut other) = (None, None);
    for coding in values.flat_map(|value| value.split(',')) {
        #[cfg(test)]
        crate::steps::count(coding.len() + 1);
        let mut parts = coding.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let accepted = weight.map_or(1_000, thousandths) > 0;
        if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") {
            gzip = Some(accepted);
        } else if name == "*" {
            other = Some(accepted);
        }
    }
    gzip.or(other).unwrap_or(false)
}

/// `0.75` is 750; a malformed weight is 0.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1_000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderMap, HeaderValue, header};

    use super::{Format, accepts_gzip, thousandths};
    use crate::steps::assert_linear;

    #[test]
    fn preferred_format_is_text_only_if_accept_prefers_it() {
        for (accept, format) in [
            ("", Format::Json),
            ("*/*", Format::Json),
            ("text/plain", Format::Text),
            ("TEXT/Plain; charset=utf-8", Format::Text),
            ("text/*", Format::Text),
            ("text/plain, application/json", Format::Json),
            ("text/plain;q=0.9, application/json;q=0.8", Format::Text),
            ("text/plain;q=0.8, */*", Format::Json),
            ("text/plain, */*;q=0.1", Format::Text),
            ("application/*;q=0.2, text/plain;q=0.3", Format::Text),
            ("text/html", Format::Json),
            ("text/plain;q=0", Format::Json),
            ("text/plain;q=high", Format::Json),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Format::preferred(&headers), format, "{accept}");
        }
    }

    #[test]
    fn quality_value_is_in_thousandths() {
        for (weight, expected) in [
            ("1", 1_000),
            ("1.000", 1_000),
            ("0", 0),
            ("0.", 0),
            ("0.5", 500),
            ("0.75", 750),
            ("0.125", 125),
            ("0.1255", 0),
            ("2", 0),
            ("-1", 0),
            ("0.x", 0),
            ("", 0),
        ] {
            assert_eq!(thousandths(weight), expected, "{weight}");
        }
    }

    #[test]
    fn hostile_accept_header_is_read_in_steps_proportional_to_its_length() {
        for (begin, part, end) in [
            ("", "text/plain;q=0.1,", "*/*"),
            ("", ",", "text/plain"),
            ("text/plain", ";a", ";q="),
            ("text/plain;q=0.", "9", ""),
            ("", "a", "/"),
            ("", "/", ""),
        ] {
            let value = format!("{begin}{}{end}", part.repeat(10_000 / part.len()));
            let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_str(&value).unwrap())]);
            assert_linear(&value, 2, || Format::preferred(&headers));
        }
    }

    #[test]
    fn gzip_is_accepted_only_if_the_header_permits_it() {
        for (value, expected) in [
            ("", false),
            ("gzip", true),
            ("GZIP;q=0.1", true),
            ("x-gzip", true),
            ("br, deflate, gzip", true),
            ("br", false),
            ("*", true),
            ("*;q=0", false),
            ("gzip;q=0, *", false),
            ("identity, gzip; q=0.000", false),
            ("gzipped", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
            assert_eq!(accepts_gzip(&headers), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn hostile_coding_is_read_in_steps_proportional_to_its_length() {
        for (begin, part, end) in [
            ("", "gzip;q=0,", "*"),
            ("", ",", "gzip"),
            ("gzip", ";", "q=1"),
            ("gzip", ";a=1", ";q"),
            ("gzip;q=0.", "0", ""),
            ("", "a", ""),
        ] {
            let value = format!("{begin}{}{end}", part.repeat(10_000 / part.len()));
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_str(&value).unwrap())]);
            assert_linear(&value, 1, || accepts_gzip(&headers));
        }
    }
}
