//! The table of keys, as the tool uses it.

use std::error::Error;
use std::fmt;
use std::future::IntoFuture;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use ipnet::IpNet;
use passloom::access::{Binding, KeyId, KeyRecord, Usage};
use passloom::clock::Clock;
use passloom::settings;
use passloom::store;
use passloom::store::item::{self, Item};

/// Longest wait for one call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// A key, and how it has been used.
pub(crate) struct Key {
    pub(crate) record: KeyRecord,
    pub(crate) usage: Usage,
}

impl Key {
    pub(crate) const fn unused(record: KeyRecord) -> Self {
        Self { record, usage: Usage { admissions: 0, today: 0, last_use: None } }
    }

    fn read(attributes: &Item) -> Result<Self, Box<dyn Error>> {
        Ok(Self { record: item::key_record(attributes)?, usage: item::usage(attributes, Clock::system().now())? })
    }
}

pub(crate) struct Table {
    pub(crate) client: Client,
    pub(crate) name: String,
}

impl Table {
    pub(crate) async fn open(name: String) -> Result<Self, Box<dyn Error>> {
        let endpoint = settings::endpoint(settings::from_process)?;
        Ok(Self { client: store::connect(endpoint, CALL_TIMEOUT).await?, name })
    }

    /// Every key, sorted by name.
    pub(crate) async fn all(&self) -> Result<Vec<Key>, Box<dyn Error>> {
        let scan = self.client.scan().table_name(&self.name).filter_expression("attribute_exists(h)");
        let scan = scan.consistent_read(true);
        let mut pages = scan.into_paginator().items().send();
        let mut keys = Vec::new();
        while let Some(item) = tokio::time::timeout(CALL_TIMEOUT, pages.next()).await.map_err(|_| timed_out())? {
            keys.push(Key::read(&item.map_err(|error| self.explain(&error))?)?);
        }
        keys.sort_by(|one, other| one.record.name.cmp(&other.record.name));
        Ok(keys)
    }

    /// The key with an id or a name.
    pub(crate) async fn find(&self, id_or_name: &str) -> Result<Key, Box<dyn Error>> {
        let unknown = || format!("the table {} has no key {id_or_name}", self.name);
        if id_or_name.parse::<KeyId>().is_ok() {
            let pk = AttributeValue::S(id_or_name.to_ascii_lowercase());
            let get = self.client.get_item().table_name(&self.name).key("pk", pk).consistent_read(true);
            return Key::read(self.call(get.send()).await?.item().ok_or_else(unknown)?);
        }
        let mut named = self.all().await?.into_iter().filter(|key| key.record.name == id_or_name);
        let key = named.next().ok_or_else(unknown)?;
        let others: Vec<String> = named.map(|key| key.record.id).collect();
        if others.is_empty() {
            Ok(key)
        } else {
            let (id, others) = (key.record.id, others.join(", "));
            Err(format!("several keys have the name {id_or_name}: {id}, {others}; use the id").into())
        }
    }

    /// Fails if another key has the name.
    pub(crate) async fn check_name(&self, name: &str, but: Option<&str>) -> Result<(), Box<dyn Error>> {
        let mut others = self.all().await?.into_iter().filter(|key| Some(key.record.id.as_str()) != but);
        match others.find(|key| key.record.name == name) {
            Some(taken) => Err(format!("the key {} already has the name {name}", taken.record.id).into()),
            None => Ok(()),
        }
    }

    /// Inserts a new key. If the answer is lost, the key is read back.
    pub(crate) async fn insert(&self, record: &KeyRecord) -> Result<(), Box<dyn Error>> {
        self.check_name(&record.name, None).await?;
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item::new_key_item(record)));
        match self.call(put.condition_expression("attribute_not_exists(pk)").send()).await {
            Err(CallError::Unanswered(cause)) => match self.find(&record.id).await {
                Ok(_) => Ok(()),
                Err(error) => Err(format!("{cause}; {error}, so no key was created").into()),
            },
            result => Ok(result.map(drop)?),
        }
    }

    /// Changes a key, unless it has been changed since it was read, and raises its version and removes its ceiling, so
    /// that the change takes effect with the next request.
    pub(crate) async fn change(&self, found: &KeyRecord, change: Change) -> Result<Key, Box<dyn Error>> {
        let version = AttributeValue::N(found.version.to_string());
        let Change { set, remove, mut values } = change.remove_if(true, &["c"]).increment("v");
        values.insert(":found".to_owned(), version);
        let expression = format!("SET {} REMOVE {}", set.join(", "), remove.join(", "));
        let update = self
            .client
            .update_item()
            .table_name(&self.name)
            .key("pk", AttributeValue::S(found.id.clone()))
            .update_expression(expression)
            .condition_expression("attribute_exists(h) AND v = :found")
            .set_expression_attribute_values(Some(values))
            .return_values(ReturnValue::AllNew);
        // `name` is a reserved word of DynamoDB.
        let has_reserved = set.iter().any(|one| one.starts_with("#name"));
        let update = if has_reserved { update.expression_attribute_names("#name", "name") } else { update };
        Key::read(&self.call(update.send()).await?.attributes.unwrap_or_default())
    }

    pub(crate) async fn delete(&self, id: &str) -> Result<(), Box<dyn Error>> {
        let delete = self.client.delete_item().table_name(&self.name).key("pk", AttributeValue::S(id.to_owned()));
        Ok(self.call(delete.condition_expression("attribute_exists(h)").send()).await.map(drop)?)
    }

    async fn call<T, E: ProvideErrorMetadata, R>(
        &self,
        call: impl IntoFuture<Output = Result<T, SdkError<E, R>>>,
    ) -> Result<T, CallError> {
        let answer = tokio::time::timeout(CALL_TIMEOUT, call.into_future()).await.map_err(|_| timed_out())?;
        answer.map_err(|error| self.explain(&error))
    }

    /// An error that an administrator can act on.
    fn explain<E: ProvideErrorMetadata, R>(&self, error: &SdkError<E, R>) -> CallError {
        let SdkError::ServiceError(answer) = error else {
            let cause = "DynamoDB cannot be reached: check AWS_REGION and AWS_ENDPOINT_URL_DYNAMODB";
            return CallError::Unanswered(cause.into());
        };
        CallError::Failed(match (answer.err().code(), answer.err().message()) {
            (Some("ResourceNotFoundException"), _) => format!("this region has no table {}", self.name),
            (Some("ConditionalCheckFailedException"), _) => {
                "the key was changed or deleted at the same time; check it and try again".into()
            }
            // DynamoDB documents that a write may have been applied then.
            (Some(code @ "InternalServerError"), _) => {
                return CallError::Unanswered(format!("DynamoDB answered {code}"));
            }
            (Some(code), message) => format!("DynamoDB answered {code}: {}", message.unwrap_or_default()),
            (None, _) => return CallError::Unanswered("the answer of DynamoDB cannot be read".into()),
        })
    }
}

/// Why a call has no result.
#[derive(Debug)]
pub(crate) enum CallError {
    /// There is no usable answer, so a write may have been applied.
    Unanswered(String),
    /// The call had no effect.
    Failed(String),
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Unanswered(cause) | Self::Failed(cause)) = self;
        f.write_str(cause)
    }
}

impl Error for CallError {}

fn timed_out() -> CallError {
    CallError::Unanswered(format!("no answer from DynamoDB within {} seconds", CALL_TIMEOUT.as_secs()))
}

/// A change of the attributes of a key.
#[derive(Default)]
pub(crate) struct Change {
    set: Vec<String>,
    remove: Vec<String>,
    values: Item,
}

impl Change {
    fn set(mut self, attribute: &str, value: Option<AttributeValue>) -> Self {
        if let Some(value) = value {
            let placeholder = if attribute == "name" { "#name" } else { attribute };
            self.set.push(format!("{placeholder} = :{attribute}"));
            self.values.insert(format!(":{attribute}"), value);
        }
        self
    }

    pub(crate) fn text(self, attribute: &str, text: Option<String>) -> Self {
        self.set(attribute, text.map(AttributeValue::S))
    }

    pub(crate) fn number(self, attribute: &str, number: Option<u64>) -> Self {
        self.set(attribute, number.map(|number| AttributeValue::N(number.to_string())))
    }

    pub(crate) fn bytes(self, attribute: &str, bytes: &[u8]) -> Self {
        self.set(attribute, Some(AttributeValue::B(Blob::new(bytes))))
    }

    pub(crate) fn ranges(self, attribute: &str, ranges: &[IpNet]) -> Self {
        let texts: Vec<String> = ranges.iter().map(ToString::to_string).collect();
        self.set(attribute, (!texts.is_empty()).then_some(AttributeValue::Ss(texts)))
    }

    pub(crate) fn binding(self, binding: &Binding) -> Self {
        let value = item::binding_attribute(binding);
        self.remove_if(value.is_none(), &["binding"]).set("binding", value)
    }

    pub(crate) fn copy_if(mut self, applies: bool, to: &str, from: &str) -> Self {
        self.set.extend(applies.then(|| format!("{to} = {from}")));
        self
    }

    pub(crate) fn remove_if(mut self, applies: bool, attributes: &[&str]) -> Self {
        if applies {
            self.remove.extend(attributes.iter().map(|&attribute| attribute.to_owned()));
        }
        self
    }

    fn increment(mut self, attribute: &str) -> Self {
        self.set.push(format!("{attribute} = {attribute} + :one"));
        self.values.insert(":one".to_owned(), AttributeValue::N("1".to_owned()));
        self
    }
}
