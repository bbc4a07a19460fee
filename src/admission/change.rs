//! The one way to change stored policies: an audit line with the intent, then the conditional write.

use super::admitted::{Admitted, new_write_token};
use super::failure::Failure;
use crate::access::{PolicyChange, StoredPolicy};
use crate::audit::{Event, Reason, Record};
use crate::clock::rfc3339;
use crate::http::precondition::Precondition;
use crate::store::Changed;

/// How often a change is tried if other changes are made before it.
const MAX_ATTEMPTS: usize = 4;

/// A change of a stored policy that is to be made.
pub(crate) struct Intent {
    pub(crate) name: String,
    pub(crate) precondition: Precondition,
    /// What the policy becomes; `None` deletes it. When and by whom is filled in.
    pub(crate) policy: Option<StoredPolicy>,
}

/// One attempt of a change.
struct Plan {
    /// The revision of all policies that it starts from.
    from: u64,
    change: PolicyChange,
    /// What it is, once it is made, and the revision of the policy that it then writes or has deleted.
    event: Event,
    revision: u64,
}

impl Admitted<'_> {
    /// Makes a change, again if another change was made before it. The audit line learns what became of it.
    ///
    /// Before each attempt a line says what is to be changed. Without that line, nothing changes.
    pub(crate) async fn change(&mut self, intent: Intent) -> Result<(Event, Option<StoredPolicy>), Failure> {
        for attempt in 0..MAX_ATTEMPTS {
            // What fails after the first line also says what became of the change.
            let failed = |failure| if attempt == 0 { failure } else { Failure::Change(Box::new(failure)) };
            let Plan { from, change, event, revision } = self.plan(&intent).await.map_err(failed)?;
            let token = new_write_token().map_err(failed)?;
            self.announce(&change.name, event, from).map_err(failed)?;
            let failed = |failure| Failure::Change(Box::new(failure));
            match self.services().store().change_policies(from, &change, token).await {
                Ok(Changed::Yes) => {
                    self.record().policy_revision = Some(revision);
                    return Ok((event, change.policy));
                }
                Ok(Changed::Overtaken) => {}
                Ok(Changed::Unknown { cause }) => return Err(Failure::ChangeUnknown { cause }),
                Err(error) => return Err(failed(error.into())),
            }
        }
        let cause = "the policies changed faster than they could be read".into();
        Err(Failure::Change(Box::new(Failure::Policies { cause })))
    }

    async fn plan(&mut self, intent: &Intent) -> Result<Plan, Failure> {
        let services = self.services();
        let book = services.store().current_policies(services.clock()).await?;
        let existing = book.policies.get(&intent.name);
        if !intent.precondition.holds(existing.map(|one| one.revision)) {
            return Err(Failure::Precondition);
        }
        let next = book.revision + 1;
        let (event, revision) = match (existing, &intent.policy) {
            (None, None) => return Err(Failure::NoPolicy),
            (Some(existing), None) => (Event::PolicyDeleted, existing.revision),
            (None, Some(_)) => (Event::PolicyCreated, next),
            (Some(_), Some(_)) => (Event::PolicyUpdated, next),
        };
        let by = self.key().map(|key| key.name.clone()).unwrap_or_default();
        let at = rfc3339(self.line().time);
        let policy = intent.policy.clone();
        let policy = policy.map(|policy| StoredPolicy { revision: next, updated_at: at, updated_by: by, ..policy });
        if let Some(policy) = &policy {
            book.check_room(&intent.name, policy).map_err(Failure::CannotStore)?;
        }
        let change = PolicyChange { name: intent.name.clone(), policy };
        Ok(Plan { from: book.revision, change, event, revision })
    }

    /// Writes the line of an attempt: which policy, which change, and the revision of the policies that it starts from.
    fn announce(&mut self, name: &str, event: Event, from: u64) -> Result<(), Failure> {
        let clock = self.services().clock();
        let (time, duration_us) = (self.line().time, self.line().duration_us(clock));
        let record = self.record();
        (record.policy, record.policy_revision) = (Some(name.to_owned()), Some(from));
        let line = Record { sequence: None, change: event.change(), duration_us, ..record.clone() };
        let written = self.services().audit().write(Event::PolicyChanging, time, &line);
        written.map_err(|_| Failure::Internal(Reason::AuditLog))?;
        self.record().change = event.change();
        Ok(())
    }
}
