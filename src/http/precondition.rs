//! What must hold for a policy to be changed, in `If-Match` and `If-None-Match` (RFC 9110, section 13.1).

use lambda_http::http::{HeaderMap, header};

use super::request_error::RequestError;

/// What must hold for a policy to be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing.
    None,
    /// `If-Match`: it exists, with one of these tags; with any, if there are none.
    Match(Vec<String>),
    /// `If-None-Match: *`: it does not exist.
    Absent,
}

/// The tag of a stored policy.
pub(crate) fn entity_tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

impl Precondition {
    /// Reads the headers of a request. Anything that this service does not compare is an error.
    pub(crate) fn read(headers: &HeaderMap) -> Result<Self, RequestError> {
        let values = |name| {
            let values = headers.get_all(name).iter().flat_map(|value| value.to_str().unwrap_or_default().split(','));
            #[cfg(test)]
            let values = values.inspect(|tag| crate::steps::count(tag.len() + 1));
            values.map(|tag| tag.trim().to_owned()).collect::<Vec<String>>()
        };
        let (tags, none) = (values(header::IF_MATCH), values(header::IF_NONE_MATCH));
        let is_tag = |tag: &String| tag.len() >= 2 && tag.starts_with('"') && tag.ends_with('"');
        match (tags.as_slice(), none.as_slice()) {
            ([], []) => Ok(Self::None),
            ([], [any]) if any == "*" => Ok(Self::Absent),
            ([any], []) if any == "*" => Ok(Self::Match(Vec::new())),
            (_, []) if tags.iter().all(is_tag) => Ok(Self::Match(tags)),
            _ => Err(RequestError::Precondition),
        }
    }

    /// Whether it holds for a policy of this revision, or for one that does not exist.
    pub(crate) fn holds(&self, revision: Option<u64>) -> bool {
        match (self, revision) {
            (Self::None, _) | (Self::Absent, None) => true,
            (Self::Match(tags), Some(revision)) => {
                tags.is_empty() || tags.iter().any(|one| *one == entity_tag(revision))
            }
            (Self::Match(_), None) | (Self::Absent, Some(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use lambda_http::http::{HeaderMap, HeaderValue, header};

    use super::Precondition;
    use crate::steps::assert_linear;

    #[test]
    fn hostile_precondition_is_read_in_steps_proportional_to_its_length() {
        for (begin, part, end) in
            [("", "\"a\",", "\"a\""), ("", "\"a\",", "a"), ("\"", ",", "\""), ("\"", "a", "\""), ("", " ", "*")]
        {
            for name in [header::IF_MATCH, header::IF_NONE_MATCH] {
                let value = format!("{begin}{}{end}", part.repeat(10_000 / part.len()));
                let headers = HeaderMap::from_iter([(name, HeaderValue::from_str(&value).unwrap())]);
                assert_linear(&value, 1, || Precondition::read(&headers));
            }
        }
    }
}
