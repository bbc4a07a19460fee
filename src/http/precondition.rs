//! `If-Match` and `If-None-Match` (RFC 9110, section 13.1): what must hold for a policy to be changed, and what a client
//! that reads has already.

use lambda_http::http::{HeaderMap, Method, StatusCode, header};

use super::headers::{Body, Response};
use super::lambda::HttpRequest;
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

/// Makes an answer one with 304, if the client has what is in it.
pub(crate) fn not_modified(request: &HttpRequest, response: &mut Response) {
    let reads = [Method::GET, Method::HEAD].contains(&request.method) && response.status() == StatusCode::OK;
    let etag = response.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
    if reads && etag.is_some_and(|etag| is_known(&request.headers, etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::Text(String::new());
        for name in [header::CONTENT_TYPE, header::CONTENT_ENCODING] {
            response.headers_mut().remove(name);
        }
    }
}

/// Whether the client has what has this tag. The comparison is weak.
fn is_known(request: &HeaderMap, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim_start_matches("W/").to_owned();
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || opaque(tag) == opaque(etag))
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
