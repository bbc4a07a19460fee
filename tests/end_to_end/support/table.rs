//! Tables of cases.

use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Checks every case of a table, in its order, and fails if one of them failed. A case that fails does not keep the
/// others from being checked.
pub async fn check_all<Case: Debug>(cases: impl IntoIterator<Item = Case>, mut check: impl AsyncFnMut(Case)) {
    let (mut checked, mut failures) = (0, Vec::new());
    for case in cases {
        let name = format!("{case:?}");
        if let Err(message) = catch_panic(check(case)).await {
            failures.push(format!("{name}\n    {message}"));
        }
        checked += 1;
    }
    assert!(checked > 0, "the table is empty");
    assert!(failures.is_empty(), "{} of {checked} cases failed:\n{}", failures.len(), failures.join("\n"));
}

/// The output of a future, or the message of its panic.
async fn catch_panic<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|&text| text.to_owned()));
            Poll::Ready(Err(text.unwrap_or_else(|| "a panic without a message".into())))
        }
    })
    .await
}

#[tokio::test]
async fn check_all_reports_every_failing_case() {
    let failed = catch_panic(check_all(1..=4, async |number| assert!(number % 2 == 0, "{number} is odd"))).await;
    let message = failed.unwrap_err();
    assert_eq!(message, "2 of 4 cases failed:\n1\n    1 is odd\n3\n    3 is odd");
}
