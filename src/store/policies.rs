//! The item of the stored policies: the only place that reads or writes it.
//!
//! | attribute | meaning |
//! |---|---|
//! | `pk` | `policies` |
//! | `rev` | the revision: each change adds one |
//! | `rid` | the token of the last change |
//! | `p:<name>` | a policy: a JSON object |

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::timeout;

use super::fault::Fault;
use super::item::{self, Item, ItemError};
use crate::access::limiter::admitting::Retry;
use crate::access::{PolicyBook, PolicyChange, WriteToken};

/// The primary key of the item. No key id and no address block is such a text.
const PK: &str = "policies";
/// What the names of the policies begin with.
const PREFIX: &str = "p:";
/// Longest wait for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(1);

/// Why the policies could not be read or changed, for the audit line and the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoliciesUnavailable {
    /// What went wrong.
    pub cause: String,
}

impl From<Fault> for PoliciesUnavailable {
    fn from(fault: Fault) -> Self {
        Self { cause: fault.cause }
    }
}

/// The result of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// It was made.
    Yes,
    /// Another change was made before it.
    Overtaken,
    /// The database did not tell whether it was made.
    Unknown {
        /// What went wrong.
        cause: String,
    },
}

/// Reads all policies, with one consistent read, and once more if the connection was lost.
///
/// # Errors
/// [`PoliciesUnavailable`], also if the item holds anything that this version does not know.
pub async fn read_policies(client: &Client, table: &str) -> Result<PolicyBook, PoliciesUnavailable> {
    let item = match get(client, table).await {
        Err(fault) if fault.retry != Retry::Never => get(client, table).await?,
        result => result?,
    };
    Ok(item.map(|item| book(&item)).transpose().map_err(Fault::from)?.unwrap_or_default())
}

/// Makes a change of the book with this revision.
///
/// # Errors
/// [`PoliciesUnavailable`] when it was certainly not made.
pub async fn change_policies(
    client: &Client,
    table: &str,
    revision: u64,
    change: &PolicyChange,
    write_token: WriteToken,
) -> Result<Changed, PoliciesUnavailable> {
    let fault = match update(client, table, revision, change, write_token).await {
        Ok(changed) => return Ok(changed),
        Err(fault) if fault.retry == Retry::OnlyIfUnapplied => fault,
        Err(fault) => return Err(fault.into()),
    };
    // The answer is lost. The token tells whether the change was made; the same change cannot be made twice.
    let unknown = Changed::Unknown { cause: fault.cause };
    let Ok(item) = get(client, table).await.map(Option::unwrap_or_default) else { return Ok(unknown) };
    if item::blob::<16>(&item, "rid").is_ok_and(|token| token == write_token) {
        return Ok(Changed::Yes);
    }
    let found = if item.is_empty() { Ok(0) } else { item::parsed(&item, "rev") };
    if found != Ok(revision) {
        return Ok(unknown);
    }
    match update(client, table, revision, change, write_token).await {
        Ok(Changed::Yes) => Ok(Changed::Yes),
        // The first change may have been made after all.
        _ => Ok(unknown),
    }
}

async fn get(client: &Client, table: &str) -> Result<Option<Item>, Fault> {
    let key = AttributeValue::S(PK.to_owned());
    let call = client.get_item().table_name(table).key("pk", key).consistent_read(true).send();
    match timeout(CALL_TIMEOUT, call).await {
        Ok(Ok(answer)) => Ok(answer.item),
        Ok(Err(error)) => Err(Fault::from_sdk(&error)),
        Err(_) => Err(Fault::timeout()),
    }
}

async fn update(
    client: &Client,
    table: &str,
    revision: u64,
    change: &PolicyChange,
    write_token: WriteToken,
) -> Result<Changed, Fault> {
    let mut call = client
        .update_item()
        .table_name(table)
        .key("pk", AttributeValue::S(PK.to_owned()))
        .expression_attribute_names("#policy", format!("{PREFIX}{}", change.name))
        .expression_attribute_values(":next", item::number(revision + 1))
        .expression_attribute_values(":rid", item::bytes(&write_token));
    let set = "SET rev = :next, rid = :rid";
    call = match &change.policy {
        Some(policy) => {
            let text = serde_json::to_string(policy).map_err(|_| Fault::from(ItemError { attribute: "p:" }))?;
            call.update_expression(format!("{set}, #policy = :policy"))
                .expression_attribute_values(":policy", AttributeValue::S(text))
        }
        None => call.update_expression(format!("{set} REMOVE #policy")),
    };
    call = if revision == 0 {
        call.condition_expression("attribute_not_exists(pk)")
    } else {
        call.condition_expression("rev = :seen").expression_attribute_values(":seen", item::number(revision))
    };
    match timeout(CALL_TIMEOUT, call.send()).await {
        Ok(Ok(_)) => Ok(Changed::Yes),
        Ok(Err(error)) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(Changed::Overtaken),
            _ => Err(Fault::from_sdk(&error)),
        },
        Err(_) => Err(Fault::timeout()),
    }
}

/// Reads the item. Anything unknown is an error, because it could be a constraint.
fn book(item: &Item) -> Result<PolicyBook, ItemError> {
    let mut book = PolicyBook { revision: item::parsed(item, "rev")?, ..PolicyBook::default() };
    item::blob::<16>(item, "rid")?;
    for (attribute, value) in item {
        if ["pk", "rev", "rid"].contains(&attribute.as_str()) {
            continue;
        }
        let unknown = ItemError { attribute: "p:" };
        let name = attribute.strip_prefix(PREFIX).ok_or(unknown)?;
        let text = value.as_s().map_err(|_| unknown)?;
        book.policies.insert(name.to_owned(), serde_json::from_str(text).map_err(|_| unknown)?);
    }
    Ok(book)
}
