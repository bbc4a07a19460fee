//! The least that a Rust function can be that counts its requests: one UpdateItem and nothing else.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::{Body, Error, Request, Response, run, service_fn};
use passloom::{settings, store};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let table = settings::from_process("TABLE_NAME").ok_or("TABLE_NAME is not set")?;
    let endpoint = settings::endpoint(settings::from_process)?;
    let client = store::connect(endpoint, Duration::from_secs(1)).await?;
    let (client, table) = (&client, &table);
    run(service_fn(async |_: Request| {
        let call = client.update_item().table_name(table).key("pk", AttributeValue::S("reference".into()));
        let call =
            call.update_expression("ADD n :one").expression_attribute_values(":one", AttributeValue::N("1".into()));
        call.send().await?;
        Ok::<_, Error>(Response::new(Body::from("{}")))
    }))
    .await
}
