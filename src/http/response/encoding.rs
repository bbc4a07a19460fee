//! Whether a client accepts gzip, by `Accept-Encoding` (RFC 9110, section 12.5.3).

use lambda_http::http::{HeaderMap, header};

use super::format::thousandths;

/// Whether the request accepts gzip. `*` stands for the codings that the header does not name.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
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

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderMap, HeaderValue, header};

    use super::accepts_gzip;
    use crate::steps::assert_linear;

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
