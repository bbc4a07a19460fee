//! The limits per minute and per day.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::support::{Deployment, Request};

/// The numbers of a `RateLimit` header: left in the minute, its reset in seconds, left in the day, its reset.
fn remaining(header: &str) -> Vec<u64> {
    header.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[tokio::test]
async fn minute_limit_refuses_until_retry_after_has_passed() {
    let deployment = Deployment::start().await;
    let key = deployment.key(60, 10_000).await;
    for number in 1..=60 {
        let answer = deployment.generate(&key, "").await;
        assert_eq!(answer.status, 200, "request {number}");
        assert_eq!(remaining(answer.header("ratelimit"))[0], 60 - number);
        assert_eq!(deployment.log.last()["sequence"], number);
        deployment.clock.advance(Duration::from_millis(500));
    }
    let refused = deployment.generate(&key, "").await;
    let problem = refused.assert_problem(429);
    assert_eq!(problem["error"], "Rate limit exceeded");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(problem["detail"], format!("Try again in {wait} seconds."));
    assert_eq!(remaining(refused.header("ratelimit"))[..2], [0, wait]);
    assert_eq!(refused.header("ratelimit-policy"), "\"minute\";q=60;w=60, \"day\";q=10000;w=86400");

    // The first slot began 30 seconds ago and leaves the window 66 seconds after its start.
    assert_eq!(wait, 36);
    deployment.clock.advance(Duration::from_secs(wait - 1));
    assert_eq!(deployment.generate(&key, "").await.status, 429);
    deployment.clock.advance(Duration::from_secs(1));
    for _ in 0..8 {
        assert_eq!(deployment.generate(&key, "").await.status, 200, "the first slot had eight requests");
    }
    assert_eq!(deployment.generate(&key, "").await.status, 429);
}

/// A fixed window admits twice the limit across its boundary.
#[tokio::test]
async fn any_sixty_seconds_admit_at_most_the_limit() {
    let deployment = Deployment::start().await;
    let key = deployment.key(5, 10_000).await;
    let mut admitted: Vec<u64> = Vec::new();
    // A request every 700 ms, for six minutes.
    for now in (0..360_000).step_by(700) {
        if deployment.generate(&key, "").await.status == 200 {
            admitted.push(now);
            let in_window = admitted.iter().filter(|&&earlier| earlier + 60_000 > now).count();
            assert!(in_window <= 5, "{in_window} in the minute before {now} ms");
        }
        deployment.clock.advance(Duration::from_millis(700));
    }
    assert!(admitted.len() >= 25, "the limit can be used: {}", admitted.len());
}

#[tokio::test]
async fn day_limit_resets_at_midnight_utc() {
    let deployment = Deployment::start().await;
    let key = deployment.key(100, 3).await;
    deployment.clock.advance(Duration::from_hours(23));
    for _ in 0..3 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
    }
    let refused = deployment.generate(&key, "").await;
    refused.assert_problem(429);
    assert_eq!(refused.header("retry-after"), "3600");
    assert_eq!(remaining(refused.header("ratelimit"))[2..], [0, 3600]);
    deployment.clock.advance(Duration::from_hours(1));
    assert_eq!(deployment.generate(&key, "").await.status, 200);
}

#[tokio::test]
async fn admission_costs_one_write_and_a_cached_refusal_none() {
    let deployment = Deployment::start().await;
    let key = deployment.key(3, 10_000).await;
    let database = &deployment.database;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!((database.calls(), database.calls_of("UpdateItem")), (1, 1));
    for _ in 0..2 {
        assert_eq!(deployment.generate(&key, "count=100").await.status, 200);
    }
    assert_eq!((database.calls(), database.calls_of("UpdateItem")), (3, 3), "one call for each request");
    for _ in 0..50 {
        assert_eq!(deployment.generate(&key, "").await.status, 429);
    }
    assert_eq!(database.calls(), 3, "the refusal is cached");
    // After ten seconds the key may have changed, so it is read once.
    deployment.clock.advance(Duration::from_secs(10));
    for _ in 0..50 {
        assert_eq!(deployment.generate(&key, "").await.status, 429);
    }
    assert_eq!((database.calls(), database.calls_of("GetItem")), (4, 1));
}

#[tokio::test]
async fn functions_over_one_table_share_the_limit() {
    let one = Deployment::start().await;
    let key = one.key(10, 10_000).await;
    let other = one.sibling().await;
    let mut admitted = 0;
    for _ in 0..20 {
        admitted += u64::from(one.generate(&key, "").await.status == 200);
        admitted += u64::from(other.generate(&key, "").await.status == 200);
    }
    assert_eq!(admitted, 10);
    assert_eq!(one.database.admissions().await, 10, "only admissions are counted");
    let mut sequences: Vec<u64> =
        one.log.all().iter().chain(&other.log.all()).filter_map(|line| line["sequence"].as_u64()).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=10).collect::<Vec<_>>(), "no gap and no duplicate");
}

#[tokio::test]
async fn changed_limit_applies_from_next_request() {
    let deployment = Deployment::start().await;
    let key = deployment.key(100, 10_000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.change_key("per_minute = :limit", &[(":limit", AttributeValue::N("2".into()))]).await;
    let answer = deployment.generate(&key, "").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("ratelimit-policy").starts_with("\"minute\";q=2;"));
    deployment.generate(&key, "").await.assert_problem(429);
}

/// A write unit is 1 KB, and DynamoDB counts the names and the values of attributes.
#[tokio::test]
async fn item_after_an_hour_of_traffic_fits_one_write_unit() {
    let deployment = Deployment::start().await;
    let key = deployment.key(100_000, 10_000_000).await;
    for _ in 0..900 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        deployment.clock.advance(Duration::from_secs(4));
    }
    let item = &deployment.database.items().await[0];
    let slots = item.as_object().unwrap().keys().filter(|name| name[1..].parse::<u64>().is_ok()).count();
    assert_eq!(slots, 19, "of eighteen slots and a day");
    let size: usize = item
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| {
            let (kind, value) = value.as_object().unwrap().iter().next().unwrap();
            let text = value.as_str().unwrap();
            name.len()
                + match kind.as_str() {
                    "N" => text.len().div_ceil(2) + 1,
                    "B" => text.len() / 4 * 3,
                    _ => text.len(),
                }
        })
        .sum();
    // The rest of a write unit is for a long name, an expiry, a rotation and address ranges.
    assert!(size < 512, "{size} bytes");
    // The last write again, with the consumed capacity in its answer.
    let mut last = deployment.database.requests_of("UpdateItem").pop().unwrap();
    last["ReturnConsumedCapacity"] = "TOTAL".into();
    let answer = deployment.database.replay(&last).await.unwrap();
    assert_eq!(answer["ConsumedCapacity"]["CapacityUnits"], 1.0, "{answer}");
}

#[tokio::test]
async fn concurrent_requests_are_admitted_up_to_the_limit() {
    let deployment = Deployment::start().await;
    let key = deployment.key(20, 10_000).await;
    let requests = (0..50).map(|_| deployment.send(Request::get("").key(&key)));
    let mut statuses: Vec<u64> = join_all(requests).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[..20], [200; 20]);
    assert_eq!(statuses[20..], [429; 30]);
}

/// Polls all futures concurrently.
async fn join_all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, output) in &mut futures {
            if output.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if futures.iter().all(|(_, output)| output.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}
