//! Tells a holder about its own key.

use super::error::Failure;
use super::services::{Progress, Services};
use crate::access::Authenticated;
use crate::http::HttpRequest;
use crate::http::request::read_nothing;
use crate::http::response::{self, Response};

pub(super) async fn read(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    read_nothing(request, caller)?;
    let admission = services.admit(caller, progress).await?;
    Ok(response::key_facts(admission.key.as_ref(), &admission.quota, &progress.record.request_id)?)
}
