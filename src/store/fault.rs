//! A call to DynamoDB that gave no usable answer, and whether sending it again can help.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use super::item::ItemError;
use crate::access::limiter::admitting::Retry;

/// A call that gave no usable answer.
pub(super) struct Fault {
    /// What went wrong, for the audit line.
    pub(super) cause: String,
    pub(super) retry: Retry,
}

impl Fault {
    pub(super) fn timeout() -> Self {
        Self { cause: "no answer in time".into(), retry: Retry::OnlyIfUnapplied }
    }

    pub(super) fn from_sdk<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ConstructionFailure(_) => {
                Self { cause: "the call could not be made".into(), retry: Retry::Never }
            }
            SdkError::TimeoutError(_) => Self::timeout(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::timeout(),
            SdkError::DispatchFailure(_) => Self { cause: "no connection".into(), retry: Retry::OnlyIfUnapplied },
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or("UnnamedError");
                let throttled = code.contains("Throttl") || code.contains("Exceeded");
                let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
                let retry = if throttled {
                    Retry::Safe
                } else if answer.raw().status().is_server_error() {
                    // DynamoDB documents that a write may have been applied when it answers 500.
                    Retry::OnlyIfUnapplied
                } else {
                    Retry::Never
                };
                Self { cause: format!("DynamoDB answered {code}"), retry }
            }
            _ => Self { cause: "an answer that cannot be read".into(), retry: Retry::OnlyIfUnapplied },
        }
    }
}

impl From<ItemError> for Fault {
    fn from(error: ItemError) -> Self {
        Self { cause: error.to_string(), retry: Retry::Never }
    }
}
