//! The audit line as an event of the Open Cybersecurity Schema Framework, version 1.3.0, class API Activity (6003),
//! for security lakes: <https://schema.ocsf.io/1.3.0/classes/api_activity>.
//!
//! Fields that the class does not have are in `unmapped`, under the names of the plain line.

use std::net::IpAddr;

use serde::Serialize;

use super::event::Event;
use super::record::Record;

const CLASS: u32 = 6003;

#[derive(Serialize)]
pub(super) struct OcsfEvent<'r> {
    activity_id: u32,
    activity_name: &'static str,
    category_uid: u32,
    category_name: &'static str,
    class_uid: u32,
    class_name: &'static str,
    type_uid: u32,
    severity_id: u32,
    severity: &'static str,
    status_id: u32,
    status: &'static str,
    status_code: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_detail: Option<String>,
    /// Milliseconds since 1970.
    time: i64,
    /// Milliseconds.
    duration: u64,
    message: &'static str,
    metadata: Metadata<'r>,
    actor: Actor<'r>,
    api: Api<'r>,
    src_endpoint: Endpoint,
    cloud: Cloud,
    #[serde(skip_serializing_if = "Option::is_none")]
    http_request: Option<HttpRequest<'r>>,
    unmapped: Unmapped<'r>,
}

#[derive(Serialize)]
struct Metadata<'r> {
    version: &'static str,
    uid: &'r str,
    product: Product,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence: Option<u64>,
}

#[derive(Serialize)]
struct Product {
    name: &'static str,
    vendor_name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Actor<'r> {
    user: User<'r>,
}

#[derive(Serialize)]
struct User<'r> {
    name: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential_uid: Option<&'r str>,
    type_id: u32,
    #[serde(rename = "type")]
    kind: &'static str,
}

#[derive(Serialize)]
struct Api<'r> {
    operation: &'static str,
    service: Service,
    request: Uid<'r>,
    response: Code,
}

#[derive(Serialize)]
struct Service {
    name: &'static str,
}

#[derive(Serialize)]
struct Uid<'r> {
    uid: &'r str,
}

#[derive(Serialize)]
struct Code {
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Serialize)]
struct Endpoint {
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'static str>,
}

#[derive(Serialize)]
struct Cloud {
    provider: &'static str,
}

#[derive(Serialize)]
struct HttpRequest<'r> {
    user_agent: &'r str,
}

#[derive(Serialize)]
struct Unmapped<'r> {
    api: &'static str,
    policy: Option<&'r str>,
    policy_revision: Option<u64>,
    length: Option<u16>,
    words: Option<u16>,
    count: Option<usize>,
    classes: Option<&'r [&'static str]>,
    entropy_bits: Option<f64>,
    remaining: Option<u64>,
    duration_us: u64,
    cold_start: bool,
}

impl<'r> OcsfEvent<'r> {
    pub(super) fn new(event: Event, milliseconds: i64, record: &'r Record) -> Self {
        let (activity_id, activity_name) = match (event, record.operation) {
            (Event::PolicyCreated, _) | (_, Some("generate" | "passphrase" | "random")) => (1, "Create"),
            (Event::PolicyUpdated, _) => (3, "Update"),
            (Event::PolicyDeleted, _) => (4, "Delete"),
            (_, Some(_)) => (2, "Read"),
            (_, None) => (0, "Unknown"),
        };
        let (severity_id, severity) = match event {
            Event::Failed => (4, "High"),
            Event::Refused => (2, "Low"),
            _ => (1, "Informational"),
        };
        let refused = matches!(event, Event::Failed | Event::Refused);
        let (status_id, status) = if refused { (2, "Failure") } else { (1, "Success") };
        let reason = record.reason.as_ref().map(ToString::to_string);
        let key_id = record.key_id.as_deref();
        // The id is known before the key is authenticated, the name only afterwards.
        let (type_id, kind) = if key_id.is_some() { (99, "API key") } else { (0, "Unknown") };
        Self {
            activity_id,
            activity_name,
            category_uid: CLASS / 1_000,
            category_name: "Application Activity",
            class_uid: CLASS,
            class_name: "API Activity",
            type_uid: CLASS * 100 + activity_id,
            severity_id,
            severity,
            status_id,
            status,
            status_code: record.status.to_string(),
            status_detail: reason.clone(),
            time: milliseconds,
            duration: record.duration_us / 1_000,
            message: event.name(),
            metadata: Metadata {
                version: "1.3.0",
                uid: &record.request_id,
                product: Product { name: "Passloom", vendor_name: "Passloom", version: env!("CARGO_PKG_VERSION") },
                sequence: record.sequence,
            },
            actor: Actor {
                user: User {
                    name: record.key_name.as_deref().unwrap_or("unknown"),
                    uid: key_id,
                    credential_uid: key_id,
                    type_id,
                    kind,
                },
            },
            api: Api {
                operation: record.operation.unwrap_or("unknown"),
                service: Service { name: "Passloom" },
                request: Uid { uid: &record.request_id },
                response: Code { code: record.status, error: reason },
            },
            src_endpoint: Endpoint { ip: record.source_ip, name: record.source_ip.is_none().then_some("unknown") },
            cloud: Cloud { provider: "AWS" },
            http_request: record.user_agent.as_deref().map(|user_agent| HttpRequest { user_agent }),
            unmapped: Unmapped {
                api: record.api,
                policy: record.policy.as_deref(),
                policy_revision: record.policy_revision,
                length: record.length,
                words: record.words,
                count: record.count,
                classes: record.classes.as_deref(),
                entropy_bits: record.entropy_bits,
                remaining: record.remaining,
                duration_us: record.duration_us,
                cold_start: record.cold_start,
            },
        }
    }
}
