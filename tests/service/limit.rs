//! How often one is let in.

use std::time::Duration;

use crate::support::{Deployment, Request};

/// The quota headers as numbers: left in the minute, seconds, left in the day, seconds.
fn left(header: &str) -> Vec<u64> {
    header.split(|character: char| !character.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

#[tokio::test]
async fn sixty_a_minute_are_sixty_and_the_wait_that_is_named_is_enough() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 10_000).await;
    for nth in 1..=60 {
        let answer = deployment.generate(&key, "").await;
        assert_eq!(answer.status, 200, "request {nth}");
        assert_eq!(left(answer.header("ratelimit"))[0], 60 - nth);
        assert_eq!(deployment.log.last()["sequence"], nth);
        deployment.clock.advance(Duration::from_millis(500));
    }
    let refused = deployment.generate(&key, "").await;
    let problem = refused.assert_problem(429);
    assert_eq!(problem["error"], "Rate limit exceeded");
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert_eq!(problem["detail"], format!("Try again in {wait} seconds."));
    assert_eq!(left(refused.header("ratelimit"))[..2], [0, wait]);
    assert_eq!(refused.header("ratelimit-policy"), "\"minute\";q=60;w=60, \"day\";q=10000;w=86400");

    // The first requests came half a minute ago, in the first slot, which counts for 64 seconds.
    assert_eq!(wait, 34);
    deployment.clock.advance(Duration::from_secs(wait - 1));
    assert_eq!(deployment.generate(&key, "").await.status, 429);
    deployment.clock.advance(Duration::from_secs(1));
    for _ in 0..4 {
        assert_eq!(deployment.generate(&key, "").await.status, 200, "the four of the first slot come back");
    }
    assert_eq!(deployment.generate(&key, "").await.status, 429);
}

/// Fixed windows let through twice the limit across their boundary.
#[tokio::test]
async fn no_sixty_seconds_hold_more_than_the_limit() {
    let deployment = Deployment::new().await;
    let key = deployment.key(5, 10_000).await;
    let mut admitted: Vec<u64> = Vec::new();
    // A request every 700 ms, for six minutes.
    for moment in (0..360_000).step_by(700) {
        if deployment.generate(&key, "").await.status == 200 {
            admitted.push(moment);
            let within = admitted.iter().filter(|&&earlier| earlier + 60_000 > moment).count();
            assert!(within <= 5, "{within} in the minute before {moment} ms");
        }
        deployment.clock.advance(Duration::from_millis(700));
    }
    assert!(admitted.len() >= 25, "the limit is used: {}", admitted.len());
}

#[tokio::test]
async fn the_day_ends_at_midnight_utc() {
    let deployment = Deployment::new().await;
    let key = deployment.key(100, 3).await;
    deployment.clock.advance(Duration::from_hours(23));
    for _ in 0..3 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
    }
    let refused = deployment.generate(&key, "").await;
    refused.assert_problem(429);
    assert_eq!(refused.header("retry-after"), "3600");
    assert_eq!(left(refused.header("ratelimit"))[2..], [0, 3600]);
    deployment.clock.advance(Duration::from_hours(1));
    assert_eq!(deployment.generate(&key, "").await.status, 200);
}

#[tokio::test]
async fn one_request_is_one_write_and_a_remembered_refusal_is_none() {
    let deployment = Deployment::new().await;
    let key = deployment.key(3, 10_000).await;
    let database = &deployment.database;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!((database.calls(), database.calls_of("GetItem"), database.calls_of("UpdateItem")), (2, 1, 1));
    for _ in 0..2 {
        assert_eq!(deployment.generate(&key, "count=100").await.status, 200);
    }
    assert_eq!((database.calls(), database.calls_of("UpdateItem")), (4, 3), "one call each");
    for _ in 0..50 {
        assert_eq!(deployment.generate(&key, "").await.status, 429);
    }
    assert_eq!(database.calls(), 4, "the function knows");
    // Ten seconds later the key may have changed: one read.
    deployment.clock.advance(Duration::from_secs(10));
    for _ in 0..50 {
        assert_eq!(deployment.generate(&key, "").await.status, 429);
    }
    assert_eq!((database.calls(), database.calls_of("GetItem")), (5, 2));
    // Beside the function the limit was raised meanwhile.
    let refused = deployment.generate(&key, "").await;
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 10);
}

#[tokio::test]
async fn functions_that_share_a_table_share_the_limit() {
    let one = Deployment::new().await;
    let key = one.key(10, 10_000).await;
    // Another function, with a view of its own.
    let other = one.sibling().await;
    let mut admitted = 0;
    for _ in 0..20 {
        admitted += u64::from(one.generate(&key, "").await.status == 200);
        admitted += u64::from(other.generate(&key, "").await.status == 200);
    }
    assert_eq!(admitted, 10);
    assert_eq!(one.database.items()[0]["n"]["N"], "10", "nothing but admissions is counted");
    let mut sequences: Vec<u64> =
        one.log.all().iter().chain(&other.log.all()).filter_map(|line| line["sequence"].as_u64()).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=10).collect::<Vec<_>>(), "no gap, no duplicate");
}

#[tokio::test]
async fn a_changed_limit_holds_from_the_next_request() {
    let deployment = Deployment::new().await;
    let key = deployment.key(100, 10_000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.change_limit("2").await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    let refused = deployment.generate(&key, "").await;
    refused.assert_problem(429);
    assert!(refused.header("ratelimit-policy").starts_with("\"minute\";q=2;"));
}

/// A write unit is 1 KB; DynamoDB counts names and values. The last write, sent once more with the
/// question what it consumes, is one.
#[tokio::test]
async fn an_hour_of_steady_traffic_leaves_an_item_of_one_write_unit() {
    let deployment = Deployment::new().await;
    let key = deployment.key(100_000, 10_000_000).await;
    for _ in 0..1_800 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        deployment.clock.advance(Duration::from_secs(2));
    }
    let item = &deployment.database.items()[0];
    let slots = item.as_object().unwrap().keys().filter(|name| name[1..].parse::<u64>().is_ok()).count();
    assert!(slots <= 49, "{slots} snapshots");
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
    assert!(size < 1024, "{size} bytes");
    let mut last = deployment.database.requests_of("UpdateItem").pop().unwrap();
    last["ReturnConsumedCapacity"] = "TOTAL".into();
    let answer = deployment.database.replay(&last).unwrap();
    assert_eq!(answer["ConsumedCapacity"]["CapacityUnits"], 1.0, "{answer}");
}

/// With a lease most requests make no call, and each is still counted before its password leaves.
#[tokio::test]
async fn a_lease_takes_several_admissions_in_one_write_and_ends_with_its_slot() {
    let deployment = Deployment::leasing(10).await;
    let key = deployment.key(100, 10_000).await;
    let counted = || deployment.database.items()[0]["n"]["N"].as_str().unwrap().parse::<u64>().unwrap();
    for nth in 1..=40 {
        let answer = deployment.generate(&key, "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(left(answer.header("ratelimit"))[0], 100 - nth, "what is leased is not lost");
        assert_eq!(deployment.log.last()["sequence"], nth);
        assert!(counted() >= nth, "counted first");
    }
    // 1, 2, 4, 8, then 10 each.
    assert_eq!((deployment.database.calls_of("UpdateItem"), counted()), (7, 45));
    // In the next slot the five that were left are lost, and the next write takes ten.
    deployment.clock.advance(Duration::from_secs(2));
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!((deployment.log.last()["sequence"].as_u64(), counted()), (Some(46), 55));
    // The limit holds, in the last lease too.
    let mut admitted = 41;
    while deployment.generate(&key, "").await.status == 200 {
        admitted += 1;
    }
    assert_eq!((admitted, counted()), (95, 100));
}

#[tokio::test]
async fn many_at_once_are_each_admitted_once_or_refused() {
    let deployment = Deployment::new().await;
    let key = deployment.key(20, 10_000).await;
    let requests = (0..50).map(|_| deployment.send(Request::get("").key(&key)));
    let mut statuses: Vec<u64> = join_all(requests).await.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[..20], [200; 20]);
    assert_eq!(statuses[20..], [429; 30]);
}

/// Polls all of them side by side.
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
