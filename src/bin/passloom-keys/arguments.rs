//! What can be asked of the tool.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use time::format_description::well_known::{Iso8601, Rfc3339};
use time::{Date, OffsetDateTime};

/// Creates and administers the API keys of a Passloom deployment.
///
/// Region, credentials and endpoint come from the environment, as for the function: `AWS_REGION`,
/// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, and `AWS_ENDPOINT_URL_DYNAMODB` or
/// `AWS_ENDPOINT_URL`. What is changed holds from the next request on.
#[derive(Parser)]
#[command(version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a key and print it. It is shown this once only.
    ///
    /// Needs the deployment's `KEY_PEPPER`; with two peppers the key is made under the first.
    Create {
        #[command(flatten)]
        common: Common,
        /// What you call the key; no other may be called the same.
        #[arg(long, value_parser = name)]
        name: String,
        /// Most requests in any 60 seconds.
        #[arg(long, default_value = "60")]
        per_minute: NonZeroU32,
        /// Most requests in one UTC day.
        #[arg(long, default_value = "10000")]
        per_day: NonZeroU32,
        /// When the key ends: a date, which begins at midnight UTC, or an RFC 3339 time.
        #[arg(long, value_parser = moment)]
        expires_at: Option<u64>,
        /// An address or address range that the key may be used from; several may be given.
        #[arg(long, value_parser = range)]
        allow: Vec<IpNet>,
    },
    /// Show every key, without its secret.
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
    /// Change a key's name, limits, end or address ranges.
    #[command(group(clap::ArgGroup::new("changes").required(true).multiple(true)))]
    Update {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// What you call the key.
        #[arg(long, value_parser = name, group = "changes")]
        name: Option<String>,
        /// Most requests in any 60 seconds.
        #[arg(long, group = "changes")]
        per_minute: Option<NonZeroU32>,
        /// Most requests in one UTC day.
        #[arg(long, group = "changes")]
        per_day: Option<NonZeroU32>,
        /// When the key ends: a date, which begins at midnight UTC, or an RFC 3339 time.
        #[arg(long, value_parser = moment, group = "changes")]
        expires_at: Option<u64>,
        /// The key does not end.
        #[arg(long, conflicts_with = "expires_at", group = "changes")]
        no_expiry: bool,
        /// An address or address range that the key may be used from, in place of those so far.
        #[arg(long, value_parser = range, group = "changes")]
        allow: Vec<IpNet>,
        /// The key may be used from any address.
        #[arg(long, conflicts_with = "allow", group = "changes")]
        allow_any: bool,
    },
    /// Make a new secret for a key and print it. The old one stays good for a while.
    ///
    /// Needs the deployment's `KEY_PEPPER`.
    Rotate {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// How long the old secret stays good: a number and s, m, h or d; 0s ends it at once.
        #[arg(long, value_parser = span, default_value = "24h")]
        overlap: Duration,
    },
    /// End a key for good, and keep its record.
    Revoke {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// End a key for good, and forget it.
    Delete {
        #[command(flatten)]
        common: Common,
        /// The key's id or name.
        key: String,
        /// Do not ask.
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

/// 1 to 64 characters, none of them a control character, and not what an id looks like.
fn name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    let looks_like_an_id = text.len() == 24 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if (1..=64).contains(&length) && !text.chars().any(char::is_control) && !looks_like_an_id {
        Ok(text.to_owned())
    } else {
        Err("1 to 64 characters, no control characters, and not 24 hexadecimal digits".into())
    }
}

/// Seconds since 1970.
fn moment(text: &str) -> Result<u64, String> {
    let midnight = Date::parse(text, &Iso8601::DATE).map(|date| date.midnight().assume_utc());
    let moment = midnight.or_else(|_| OffsetDateTime::parse(text, &Rfc3339));
    let seconds = moment.ok().and_then(|moment| u64::try_from(moment.unix_timestamp()).ok());
    seconds.ok_or_else(|| "a date such as 2027-01-31, or a time such as 2027-01-31T12:00:00Z".into())
}

fn range(text: &str) -> Result<IpNet, String> {
    let range = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    range.map(|range: IpNet| range.trunc()).map_err(|_| "an address, or a range such as 198.51.100.0/24".into())
}

fn span(text: &str) -> Result<Duration, String> {
    let units = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
    let parsed = units.into_iter().find_map(|(unit, seconds)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(seconds).map(Duration::from_secs)
    });
    let at_most = |span: &Duration| *span <= Duration::from_hours(24 * 365);
    parsed.filter(at_most).ok_or_else(|| "a number and s, m, h or d, a year at most: 24h".into())
}
