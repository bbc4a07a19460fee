//! What vaultrs, which decodes strictly, reads of the service: VAULT_ADDR and VAULT_TOKEN name it. Prints the answers as JSON.

use serde_json::json;
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};
use vaultrs::{sys, token};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    rustls::crypto::ring::default_provider().install_default().map_err(|_| "there is a provider already")?;
    let client = VaultClient::new(VaultClientSettingsBuilder::default().build()?)?;
    let health = sys::health(&client).await?;
    let status = sys::status(&client).await?;
    let own = token::lookup_self(&client).await?;
    let refused = token::renew_self(&client, None).await.is_err();
    println!("{}", json!({ "health": health, "status": format!("{status:?}"), "token": own, "refused": refused }));
    Ok(())
}
