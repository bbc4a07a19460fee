//! Returns a page or an asset.

use crate::access::Auth;
use crate::http::pages::Page;
use crate::http::response::{self, Bodies, NotAcceptable, Response};
use crate::http::{FrontEnd, HttpRequest};

pub(super) fn read(
    page: Page,
    auth: &Auth,
    request: &HttpRequest,
    request_id: &str,
) -> Result<Response, NotAcceptable> {
    let needs_key = matches!(auth, Auth::Key(_));
    let bodies = match request.front_end {
        FrontEnd::HttpApi => Bodies::Any,
        // Passes bytes on only if it is configured to.
        FrontEnd::RestApi => Bodies::Texts,
        FrontEnd::LoadBalancer => Bodies::Small,
    };
    response::page(page, needs_key, bodies, &request.headers, request_id)
}
