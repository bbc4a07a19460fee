//! A claim in DynamoDB's words.
//!
//! ```text
//! UpdateItem pk = :pk
//! SET m<slot> = if_not_exists(m<slot>, n), d<day> = if_not_exists(d<day>, n), n = n + :places, rid = :rid
//! REMOVE <snapshots nobody needs>
//! IF   n < :bound AND e = :e AND v = :v AND h = :h
//! ```
//!
//! The repetition of a write has `n = :bound` and adds one to `e`. An item that is not there yet is made
//! if it is still not there. Items of addresses have no `v` and no `h`.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};

use super::admission::{Caller, View};
use super::claim::{Bound, Claim};
use super::limit;
use super::record;

/// The item of an address is kept for this long after its last request: more than the day that its
/// snapshots span.
const ADDRESS_KEPT: Duration = Duration::from_hours(48);

/// The call that makes a claim, completed from one that names the table.
pub(super) fn of(
    call: UpdateItemFluentBuilder,
    caller: &Caller,
    view: &View,
    claim: &Claim,
    now: SystemTime,
) -> UpdateItemFluentBuilder {
    let Claim { mark, places, bound, epoch, slot, day, stale, .. } = claim;
    let mut call = call
        .key("pk", AttributeValue::S(caller.pk()))
        .expression_attribute_values(":rid", record::bytes(mark))
        .expression_attribute_values(":places", record::number(*places))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    let counted = format!(
        "SET m{slot} = if_not_exists(m{slot}, n), d{day} = if_not_exists(d{day}, n), n = n + :places, rid = :rid"
    );
    let (mut update, mut condition) = match bound {
        Bound::Absent => (
            format!("SET m{slot} = :zero, d{day} = :zero, n = :places, rid = :rid, e = :zero"),
            "attribute_not_exists(pk)".to_owned(),
        ),
        Bound::Below(_) => (counted, "n < :bound AND e = :e".to_owned()),
        Bound::Exactly(_) => (counted + ", e = e + :one", "n = :bound AND e = :e".to_owned()),
    };
    call = match bound {
        Bound::Absent => call.expression_attribute_values(":zero", record::number(0)),
        Bound::Below(bound) | Bound::Exactly(bound) => call
            .expression_attribute_values(":bound", record::number(*bound))
            .expression_attribute_values(":e", record::number(*epoch)),
    };
    if matches!(bound, Bound::Exactly(_)) {
        call = call.expression_attribute_values(":one", record::number(1));
    }
    if let (Some(key), Caller::Key(presented, _)) = (&view.key, caller) {
        let hash = presented.secret_hash();
        let attribute = if hash == key.secret_hash { "h" } else { "h2" };
        condition.extend([" AND v = :v AND ", attribute, " = :h"]);
        call = call
            .expression_attribute_values(":v", record::number(key.version))
            .expression_attribute_values(":h", record::bytes(&hash));
    } else {
        update.push_str(", delete_after = :delete_after");
        call = call.expression_attribute_values(":delete_after", record::number(limit::seconds(now + ADDRESS_KEPT)));
    }
    let (slots, days) = stale;
    let stale = slots.iter().map(|slot| format!("m{slot}")).chain(days.iter().map(|day| format!("d{day}")));
    let stale: Vec<String> = stale.collect();
    if !stale.is_empty() {
        update.push_str(" REMOVE ");
        update.push_str(&stale.join(", "));
    }
    call.update_expression(update).condition_expression(condition)
}
