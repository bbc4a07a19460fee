//! Builds the `UpdateItem` request for a conditional write.
//!
//! ```text
//! UpdateItem pk = :pk
//! SET m<slot> = if_not_exists(m<slot>, n), d<day> = if_not_exists(d<day>, n), n = n + :one, rid = :rid
//! REMOVE <snapshots that no function needs>
//! IF   n < :bound AND e = :e AND v = :v AND h = :h
//! ```
//!
//! For keys, it also sets `c = :bound`. A blind write requires `n < c` instead, and its condition contains what the
//! function would have checked if it had read the item:
//!
//! ```text
//! IF   n < c AND h = :h AND attribute_not_exists(revoked_at) AND attribute_not_exists(cidrs)
//!      AND (attribute_not_exists(expires_at) OR expires_at > :now)
//! ```
//!
//! A repeated write requires `n = :bound` and adds one to `e`. An item that does not exist is created if it still does
//! not exist. The items of addresses have no `v`, no `h` and no `c`.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::item;
use crate::access::limiter::conditional_write::{ConditionalWrite, Precondition};
use crate::access::limiter::window;
use crate::access::{Caller, KeyRecord};

/// How long the item of an address is kept after its last request: longer than the day that its snapshots span.
const ADDRESS_RETENTION: Duration = Duration::from_hours(48);

/// Completes a call that names the table. `record` is the record of the key, if it is known.
pub(super) fn update_item(
    call: UpdateItemFluentBuilder,
    caller: &Caller,
    record: Option<&KeyRecord>,
    write: &ConditionalWrite,
    now: SystemTime,
) -> UpdateItemFluentBuilder {
    let ConditionalWrite { write_token, precondition, epoch, slot, day, stale, .. } = write;
    let mut call = call
        .key("pk", AttributeValue::S(caller.pk()))
        .expression_attribute_values(":rid", item::bytes(write_token))
        .expression_attribute_values(":one", item::number(1))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let counted =
        format!("SET m{slot} = if_not_exists(m{slot}, n), d{day} = if_not_exists(d{day}, n), n = n + :one, rid = :rid");
    let (mut update, mut condition) = match precondition {
        Precondition::Absent => (
            format!("SET m{slot} = :zero, d{day} = :zero, n = :one, rid = :rid, e = :zero"),
            "attribute_not_exists(pk)".to_owned(),
        ),
        Precondition::BelowStored => (counted, "n < c".to_owned()),
        Precondition::Below(_) => (counted, "n < :bound AND e = :e".to_owned()),
        Precondition::Exactly(_) => (counted + ", e = e + :one", "n = :bound AND e = :e".to_owned()),
    };
    call = match precondition {
        Precondition::Absent => call.expression_attribute_values(":zero", item::number(0)),
        Precondition::BelowStored => call,
        Precondition::Below(bound) | Precondition::Exactly(bound) => call
            .expression_attribute_values(":bound", item::number(*bound))
            .expression_attribute_values(":e", item::number(*epoch)),
    };
    call = match (caller, record) {
        (Caller::Key(presented, _), Some(record)) => {
            let hash = presented.secret_hash();
            let attribute = if hash == record.secret_hash { "h" } else { "h2" };
            condition.extend([" AND v = :v AND ", attribute, " = :h"]);
            if let Precondition::Below(_) = precondition {
                update.push_str(", c = :bound");
            }
            call.expression_attribute_values(":v", item::number(record.version))
                .expression_attribute_values(":h", item::bytes(&hash))
        }
        (Caller::Key(presented, _), None) => {
            condition.push_str(
                " AND h = :h AND attribute_not_exists(revoked_at) AND attribute_not_exists(cidrs) \
                 AND (attribute_not_exists(expires_at) OR expires_at > :now)",
            );
            call.expression_attribute_values(":h", item::bytes(&presented.secret_hash()))
                .expression_attribute_values(":now", item::number(window::seconds(now)))
        }
        (Caller::Address(..), _) => {
            update.push_str(", delete_after = :delete_after");
            let deletion = window::seconds(now + ADDRESS_RETENTION);
            call.expression_attribute_values(":delete_after", item::number(deletion))
        }
    };
    let (slots, days) = stale;
    let removed = slots.iter().map(|slot| format!("m{slot}")).chain(days.iter().map(|day| format!("d{day}")));
    let removed: Vec<String> = removed.collect();
    if !removed.is_empty() {
        update.push_str(" REMOVE ");
        update.push_str(&removed.join(", "));
    }
    call.update_expression(update).condition_expression(condition)
}
