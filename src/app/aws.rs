//! `GetRandomPassword` of AWS Secrets Manager.

use super::error::Failure;
use super::generate::{Drawn, draw};
use super::named_policy::binding;
use super::services::{Progress, Services};
use crate::access::Authenticated;
use crate::http::HttpRequest;
use crate::http::dialects::aws::{self, AwsRequest};
use crate::http::request::RequestError;
use crate::http::response::{Format, Generated, Response};

pub(super) async fn generate(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let AwsRequest { alone, added, includes_space } = aws::read(request, caller).map_err(RequestError::from)?;
    let admission = services.admit(caller, progress).await?;
    let is_bound = binding(&admission).policy.is_some();
    let policy = if is_bound { added } else { alone };
    let Drawn { secrets, entropy, policy, .. } = draw(services, caller, &policy, None, &admission, progress).await?;
    if is_bound && includes_space && !policy.spec().pool.contains(b' ') {
        // The drawn password does not leave.
        progress.record.count = None;
        return Err(RequestError::from(aws::space_is_not_allowed()).into());
    }
    let generated = Generated { secrets: &secrets, count: None, entropy, format: Format::Json };
    Ok(aws::answer(&generated, &progress.record.request_id)?)
}
