//! The command line.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use passloom::invisible;
use passloom::password::limits;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

/// Administers the API keys and the policies of a Passloom deployment.
///
/// Region, credentials and endpoint are read from the environment, as by the function: `AWS_REGION`,
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and `AWS_ENDPOINT_URL_DYNAMODB` or
/// `AWS_ENDPOINT_URL`. Changes of keys take effect with the next request, changes of policies within ten seconds.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Create and administer API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Create and administer policies.
    #[command(subcommand)]
    Policies(PoliciesCommand),
}

#[derive(Subcommand)]
pub(crate) enum PoliciesCommand {
    /// Create or replace a policy.
    Put {
        #[command(flatten)]
        common: Common,
        /// The name of the policy.
        name: String,
        /// A file with the parameters of generate and a description as JSON, or - for the standard input.
        #[arg(long)]
        file: String,
        /// Who changes it, for other administrators. Defaults to the name of the operating system's user.
        #[arg(long, value_parser = name)]
        by: Option<String>,
    },
    /// List all stored policies, and the keys that are bound to each.
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show one policy, and the keys that are bound to it.
    Show {
        #[command(flatten)]
        common: Common,
        /// The name of the policy.
        name: String,
    },
    /// Delete a policy. Keys that are bound to it are refused from then on.
    Delete {
        #[command(flatten)]
        common: Common,
        /// The name of the policy.
        name: String,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
}

/// What a key is bound to.
#[derive(Args)]
pub(crate) struct NewBinding {
    /// Hold every request of the key to a policy: a preset or a stored one.
    #[arg(long, conflicts_with = "admin")]
    pub(crate) policy: Option<String>,
    /// The least entropy of what the key gets, in bits.
    #[arg(long, conflicts_with = "admin", value_parser = clap::value_parser!(u16).range(1..=i64::from(limits::MAX_ENTROPY)))]
    pub(crate) min_entropy: Option<u16>,
    /// The key may manage policies.
    #[arg(long)]
    pub(crate) admin: bool,
}

#[derive(Subcommand)]
pub(crate) enum KeysCommand {
    /// Create a key and print it. It cannot be shown again.
    ///
    /// Requires the deployment's `KEY_SIGNING_SECRET`; if it has two values, the key is made under the first.
    Create {
        #[command(flatten)]
        common: Common,
        /// The name of the key, which must be unique.
        #[arg(long, value_parser = name)]
        name: String,
        /// The most requests in any 60 seconds.
        #[arg(long, default_value = "60")]
        per_minute: NonZeroU32,
        /// The most requests in one UTC day.
        #[arg(long, default_value = "10000")]
        per_day: NonZeroU32,
        /// When the key expires: a date (at 00:00 UTC) or an RFC 3339 time.
        #[arg(long, value_parser = moment)]
        expires_at: Option<u64>,
        /// An address or address range that the key may be used from. Can be given several times.
        #[arg(long, value_parser = range)]
        allow: Vec<IpNet>,
        #[command(flatten)]
        binding: NewBinding,
    },
    /// List all keys, without their secrets.
    List {
        #[command(flatten)]
        common: Common,
    },
    /// Show one key.
    Show {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
    },
    /// Change a key's name, limits, expiry, address ranges or what it is bound to.
    #[command(group(clap::ArgGroup::new("changes").required(true).multiple(true)))]
    Update {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// The new name of the key.
        #[arg(long, value_parser = name, group = "changes")]
        name: Option<String>,
        /// The most requests in any 60 seconds.
        #[arg(long, group = "changes")]
        per_minute: Option<NonZeroU32>,
        /// The most requests in one UTC day.
        #[arg(long, group = "changes")]
        per_day: Option<NonZeroU32>,
        /// When the key expires: a date (at 00:00 UTC) or an RFC 3339 time.
        #[arg(long, value_parser = moment, group = "changes")]
        expires_at: Option<u64>,
        /// The key does not expire.
        #[arg(long, conflicts_with = "expires_at", group = "changes")]
        no_expiry: bool,
        /// An address or address range that replaces the present ones. Can be given several times.
        #[arg(long, value_parser = range, group = "changes")]
        allow: Vec<IpNet>,
        /// The key may be used from any address.
        #[arg(long, conflicts_with = "allow", group = "changes")]
        allow_any: bool,
        /// Hold every request of the key to a policy: a preset or a stored one.
        #[arg(long, group = "changes", conflicts_with = "admin")]
        policy: Option<String>,
        /// The key is not bound to a policy.
        #[arg(long, conflicts_with = "policy", group = "changes")]
        no_policy: bool,
        /// The least entropy of what the key gets, in bits.
        #[arg(long, group = "changes", conflicts_with = "admin",
              value_parser = clap::value_parser!(u16).range(1..=i64::from(limits::MAX_ENTROPY)))]
        min_entropy: Option<u16>,
        /// What the key gets may have any entropy.
        #[arg(long, conflicts_with = "min_entropy", group = "changes")]
        no_min_entropy: bool,
        /// The key may manage policies.
        #[arg(long, group = "changes")]
        admin: bool,
        /// The key may not manage policies.
        #[arg(long, conflicts_with = "admin", group = "changes")]
        no_admin: bool,
    },
    /// Create a new secret for a key and print it. The old secret stays valid for a time.
    ///
    /// Requires the deployment's `KEY_SIGNING_SECRET`.
    Rotate {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// How long the old secret stays valid: a number and s, m, h or d. 0s invalidates it at once.
        #[arg(long, value_parser = span, default_value = "24h")]
        overlap: Duration,
        /// Rotate although the previous secret is still valid, and invalidate that secret.
        #[arg(long)]
        force: bool,
    },
    /// Revoke a key permanently, and keep its record.
    Revoke {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
    /// Delete a key and its counters permanently.
    Delete {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// Do not ask for confirmation.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Args)]
pub(crate) struct Common {
    /// The table of keys.
    #[arg(long, env = "TABLE_NAME")]
    pub(crate) table: String,
    /// Print JSON, for scripts.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A name has 1 to 64 characters, none of them invisible, and does not look like an id.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    let looks_like_an_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if (1..=64).contains(&length) && invisible::find_in_line(text).is_none() && !looks_like_an_id {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 64 characters, no control or format characters, and must not be 24 hexadecimal digits"
            .into())
    }
}

/// Seconds since 1970.
fn moment(text: &str) -> Result<u64, String> {
    let midnight = Date::parse(text, &Iso8601::DATE).map(|date| date.midnight().assume_utc());
    let moment = midnight.or_else(|_| OffsetDateTime::parse(text, &Rfc3339));
    let seconds = moment.ok().and_then(|moment| u64::try_from(moment.unix_timestamp()).ok());
    seconds.ok_or_else(|| "must be a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z".into())
}

fn range(text: &str) -> Result<IpNet, String> {
    let range = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    range.map(|range: IpNet| range.trunc()).map_err(|_| "must be an address, or a range such as 198.51.100.0/24".into())
}

fn span(text: &str) -> Result<Duration, String> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let parsed = units.into_iter().find_map(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds).map(Duration::from_secs)
    });
    let at_most = |span: &Duration| *span <= Duration::from_hours(24 * 365);
    parsed.filter(at_most).ok_or_else(|| "must be a number and s, m, h or d, at most one year, such as 24h".into())
}
