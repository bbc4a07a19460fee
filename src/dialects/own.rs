//! This service's own API.

use lambda_http::http::header::{self, HeaderMap};
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;

use super::{Dialect, keys_in};
use crate::access::Authenticated;
use crate::admission::{Failure, Line};
use crate::http::headers::{self, JSON, Response};
use crate::http::lambda::HttpRequest;
use crate::http::negotiation::Format;
use crate::http::pages::OPENAPI;
use crate::http::precondition::{Precondition, entity_tag};
use crate::http::routes::last_part;
use crate::http::{page, parameters};
use crate::operations::generate::{Generate, GenerateRequest, Passwords};
use crate::operations::key::{KeyFacts, KeyRequest, ReadKey};
use crate::operations::passphrase::{GeneratePassphrase, PassphraseRequest, Passphrases};
use crate::operations::policy::{Describe, Described};
use crate::operations::policy_parameters::PolicyDocument;
use crate::operations::stored_policies::{
    Delete, DeleteRequest, List, NamedAnswer, Page, PolicyList, PolicySource, ReadPolicy, Write, WriteRequest, Written,
    name_in_path, name_to_change, presets,
};
use crate::operations::validate::{Validate, ValidateRequest, Verdict};
use crate::password::PolicyName;

/// This service's own API.
pub(crate) struct Own;

/// The keys that a request presents.
pub(crate) fn keys(headers: &HeaderMap) -> Vec<&str> {
    keys_in("x-api-key", headers).collect()
}

fn json(status: StatusCode, body: &impl Serialize, line: &Line) -> Result<Response, Failure> {
    Ok(headers::new(status, JSON, serde_json::to_string(body)?, line.request_id()))
}

impl Dialect<Generate> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<GenerateRequest, Failure> {
        Ok(GenerateRequest::new(parameters::read(http, caller)?, Format::preferred(&http.headers))?)
    }

    fn answer(answer: Passwords, line: &Line) -> Result<Response, Failure> {
        Ok(answer.generated.response(line.request_id(), |texts| serde_json::to_string(&answer.body(texts)))?)
    }
}

impl Dialect<GeneratePassphrase> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<PassphraseRequest, Failure> {
        Ok(PassphraseRequest::new(parameters::read(http, caller)?, Format::preferred(&http.headers))?)
    }

    fn answer(answer: Passphrases, line: &Line) -> Result<Response, Failure> {
        Ok(answer.generated.response(line.request_id(), |texts| serde_json::to_string(&answer.body(texts)))?)
    }
}

impl Dialect<Describe> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<GenerateRequest, Failure> {
        <Self as Dialect<Generate>>::read(http, caller)
    }

    fn answer(answer: Described, line: &Line) -> Result<Response, Failure> {
        json(StatusCode::OK, &answer.body(), line)
    }
}

impl Dialect<Validate> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<ValidateRequest, Failure> {
        Ok(ValidateRequest::new(parameters::read(http, caller)?)?)
    }

    fn answer(answer: Verdict, line: &Line) -> Result<Response, Failure> {
        json(StatusCode::OK, &answer.body(), line)
    }
}

impl Dialect<ReadKey> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<KeyRequest, Failure> {
        parameters::read_nothing(http, caller)?;
        Ok(KeyRequest::default())
    }

    fn answer(answer: KeyFacts, line: &Line) -> Result<Response, Failure> {
        json(StatusCode::OK, &answer.body(), line)
    }
}

impl Dialect<List> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<Page, Failure> {
        parameters::read_nothing(http, caller)?;
        Ok(Page::default())
    }

    fn answer(answer: PolicyList, line: &Line) -> Result<Response, Failure> {
        #[derive(Serialize)]
        struct Body<T> {
            policies: Vec<T>,
        }
        json(StatusCode::OK, &Body { policies: answer.entries() }, line)
    }
}

impl Dialect<ReadPolicy> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<PolicyName, Failure> {
        parameters::read_nothing(http, caller)?;
        name_in_path(last_part(&http.path))
    }

    fn answer(answer: NamedAnswer, line: &Line) -> Result<Response, Failure> {
        named_policy(StatusCode::OK, &answer, line)
    }
}

impl Dialect<Write> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<WriteRequest, Failure> {
        let name = name_to_change(last_part(&http.path))?;
        let source = PolicySource::Parameters(Box::new(PolicyDocument::new(parameters::read(http, caller)?)?));
        Ok(WriteRequest { name, source, precondition: Precondition::read(&http.headers)? })
    }

    fn answer(answer: Written, line: &Line) -> Result<Response, Failure> {
        let status = if answer.is_new { StatusCode::CREATED } else { StatusCode::OK };
        named_policy(status, &answer.policy, line)
    }
}

impl Dialect<Delete> for Own {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<DeleteRequest, Failure> {
        parameters::read_nothing(http, caller)?;
        let name = name_to_change(last_part(&http.path))?;
        Ok(DeleteRequest { name, precondition: Precondition::read(&http.headers)?, must_exist: true })
    }

    fn answer((): (), line: &Line) -> Result<Response, Failure> {
        Ok(headers::no_content(line.request_id()))
    }
}

/// The description of a named policy, with its tag if it is stored.
fn named_policy(status: StatusCode, answer: &NamedAnswer, line: &Line) -> Result<Response, Failure> {
    let mut response = json(status, &answer.body(), line)?;
    let tag = answer.stored.as_ref().and_then(|stored| HeaderValue::try_from(entity_tag(stored.revision)).ok());
    response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
    Ok(response)
}

/// The presets. Anyone may read them, so nothing is counted, and no body is read.
pub(crate) fn list_presets(http: &HttpRequest, line: &Line) -> Result<Response, Failure> {
    #[derive(Serialize)]
    struct Body<T> {
        presets: Vec<T>,
    }
    parameters::read_no_query(http)?;
    json(StatusCode::OK, &Body { presets: presets() }, line)
}

/// The answer that the function runs.
pub(crate) fn health(line: &Line) -> Result<Response, Failure> {
    json(StatusCode::OK, &json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }), line)
}

/// The OpenAPI document.
pub(crate) fn openapi_document(http: &HttpRequest, line: &Line) -> Result<Response, Failure> {
    parameters::read_no_query(http)?;
    Ok(page::file(&OPENAPI, http.front_end.bodies(), &http.headers, line.request_id()))
}

/// The methods of a path, for the answer to OPTIONS.
pub(crate) fn methods(allow: &'static str, line: &Line) -> Response {
    let mut response = headers::no_content(line.request_id());
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allow));
    response
}
