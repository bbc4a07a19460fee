//! Lists, reads and changes named policies: presets, and those that administrators store.

use std::sync::Arc;

use serde::Serialize;

use super::policy::Description;
use super::policy_parameters::{PolicyDocument, ResolvedPolicy, record_named, stored};
use crate::access::{Binding, BoundPolicy, CannotStore, StoredPolicy};
use crate::admission::{Admitted, Failure, FoundPolicy, Intent, Operation, Performed, Role};
use crate::audit::Event;
use crate::http::precondition::Precondition;
use crate::http::request_error::RequestError;
use crate::password::{
    Constraints, NamedPolicy, PRESETS, Policy, PolicyError, PolicyName, Preset, Sampler, Source, VaultPolicy,
    WorkBudget,
};

/// Lists the policies that the caller may use.
pub(crate) struct List;

/// A part of the names, for an API that lists no more than these.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Only the names after this one.
    pub(crate) after: String,
    /// The most names; any number, if there is none.
    pub(crate) limit: Option<usize>,
}

/// The policies that a caller may use: all, or the one that its key is bound to.
pub(crate) struct PolicyList {
    presets: Vec<&'static Preset>,
    stored: Vec<StoredEntry>,
    page: Page,
}

/// A stored policy in a list, with what it requires alone.
struct StoredEntry {
    name: String,
    stored: StoredPolicy,
    policy: Policy,
    to_administrator: bool,
}

impl Operation for List {
    const NAME: &'static str = "policies";
    type Request = Page;
    type Answer = PolicyList;

    async fn perform(page: Page, admitted: &mut Admitted<'_>) -> Result<Performed<PolicyList>, Failure> {
        let Binding { policy: bound, admin: to_administrator, .. } = admitted.binding();
        let is_listed = |found: &BoundPolicy| bound.as_ref().is_none_or(|bound| bound == found);
        let is_preset_listed = |preset: &&Preset| is_listed(&BoundPolicy::Preset(preset.name.to_owned()));
        let presets = PRESETS.iter().filter(is_preset_listed).collect();
        let book = admitted.policies().await?;
        let listed = book.policies.iter().filter(|(name, _)| is_listed(&BoundPolicy::Stored((*name).clone())));
        let entries = listed.map(|(name, one)| {
            let policy = stored(name, one)?.policy(&Constraints::default()).map_err(RequestError::from)?;
            Ok(StoredEntry { name: name.clone(), stored: one.clone(), policy, to_administrator })
        });
        let stored = entries.collect::<Result<_, Failure>>()?;
        Ok(Performed::Now(Event::PoliciesListed, PolicyList { presets, stored, page }))
    }
}

/// Reads a named policy.
pub(crate) struct ReadPolicy;

/// A named policy and what it allows.
pub(crate) struct NamedAnswer {
    pub(crate) named: NamedPolicy,
    pub(crate) stored: Option<StoredPolicy>,
    pub(crate) policy: Policy,
    sampler: Arc<Sampler>,
    to_administrator: bool,
}

/// The name of a policy in a path. Nothing has any other.
pub(crate) fn name_in_path(name: &str) -> Result<PolicyName, Failure> {
    PolicyName::parse(name).ok_or(Failure::NoPolicy)
}

impl Operation for ReadPolicy {
    const NAME: &'static str = "named_policy";
    type Request = PolicyName;
    type Answer = NamedAnswer;

    async fn perform(name: PolicyName, admitted: &mut Admitted<'_>) -> Result<Performed<NamedAnswer>, Failure> {
        let found = admitted.find_policy_in_path(&name).await?;
        let stored = match &found {
            FoundPolicy::Preset(_) => None,
            FoundPolicy::Stored { policy, .. } => Some(policy.clone()),
        };
        let named = record_named(found, admitted)?;
        let policy = named.policy(&Constraints::default()).map_err(RequestError::from)?;
        let (policy, sampler) = admitted.count(policy, &mut WorkBudget::new(1)).map_err(RequestError::from)?;
        let to_administrator = admitted.binding().admin;
        let answer = NamedAnswer { named, stored, policy, sampler, to_administrator };
        Ok(Performed::Now(Event::PolicyDescribed, answer))
    }
}

/// The name of a stored policy that is to be changed. A preset cannot be.
pub(crate) fn name_to_change(name: &str) -> Result<String, Failure> {
    match PolicyName::parse(name) {
        Some(PolicyName::Other(name)) => match PRESETS.iter().find(|preset| preset.name.eq_ignore_ascii_case(&name)) {
            Some(preset) => Err(Failure::CannotStore(CannotStore::Name { like: preset.name.to_owned() })),
            None => Ok(name),
        },
        Some(PolicyName::Preset(_)) | None => Err(RequestError::PolicyName.into()),
    }
}

/// A policy as an administrator writes it.
pub(crate) enum PolicySource {
    Parameters(Box<PolicyDocument>),
    /// A text in Vault's language, which is parsed only for an administrator.
    Vault(String),
}

/// A request to store a policy.
pub(crate) struct WriteRequest {
    pub(crate) name: String,
    pub(crate) source: PolicySource,
    pub(crate) precondition: Precondition,
}

/// A policy that was stored.
pub(crate) struct Written {
    pub(crate) policy: NamedAnswer,
    pub(crate) is_new: bool,
}

/// Stores a policy.
pub(crate) struct Write;

impl Operation for Write {
    const NAME: &'static str = "named_policy";
    const ROLE: Role = Role::Administrator;
    type Request = WriteRequest;
    type Answer = Written;

    async fn perform(request: WriteRequest, admitted: &mut Admitted<'_>) -> Result<Performed<Written>, Failure> {
        let WriteRequest { name, source, precondition } = request;
        let (document, hcl) = match source {
            PolicySource::Parameters(document) => (*document, None),
            PolicySource::Vault(text) => {
                let policy = VaultPolicy::parse(&text).map_err(|error| RequestError::Vault(error.to_string()))?;
                (PolicyDocument::parse(policy.parameters().as_bytes())?, Some(text))
            }
        };
        let named = document.named(&name);
        // A policy is stored only if it can be satisfied and counted.
        let (policy, sampler) = count_alone(&named).map_err(RequestError::from)?;
        let sampler = Arc::new(sampler);
        let intent = Intent { name, precondition, policy: Some(document.stored(hcl)) };
        let (event, stored) = admitted.change(intent).await?;
        let policy = NamedAnswer { named, stored, policy, sampler, to_administrator: true };
        Ok(Performed::Now(event, Written { policy, is_new: event == Event::PolicyCreated }))
    }
}

/// A request to delete a policy.
pub(crate) struct DeleteRequest {
    pub(crate) name: String,
    pub(crate) precondition: Precondition,
    /// Whether it is an error if there is none.
    pub(crate) must_exist: bool,
}

/// Deletes a policy.
pub(crate) struct Delete;

impl Operation for Delete {
    const NAME: &'static str = "named_policy";
    const ROLE: Role = Role::Administrator;
    type Request = DeleteRequest;
    type Answer = ();

    async fn perform(request: DeleteRequest, admitted: &mut Admitted<'_>) -> Result<Performed<()>, Failure> {
        let DeleteRequest { name, precondition, must_exist } = request;
        admitted.record().policy = Some(name.clone());
        match admitted.change(Intent { name, precondition, policy: None }).await {
            Ok((event, _)) => Ok(Performed::Now(event, ())),
            Err(failure) if !must_exist && failure.is_no_policy() => Ok(Performed::Now(Event::PolicyUnchanged, ())),
            Err(failure) => Err(failure),
        }
    }
}

fn count_alone(named: &NamedPolicy) -> Result<(Policy, Sampler), PolicyError> {
    named.policy(&Constraints::default())?.sampler(&mut WorkBudget::new(1))
}

/// A policy that is to be stored, read with the same checks as by the API.
pub struct CheckedPolicy {
    /// What is stored. When and by whom is to be filled in.
    pub stored: StoredPolicy,
    /// Characters of each password.
    pub length: u16,
    /// Entropy of each password, rounded down to two decimals.
    pub entropy_bits: f64,
}

impl CheckedPolicy {
    /// Reads a policy, a JSON object of parameters.
    ///
    /// # Errors
    /// Why it cannot be stored, for an administrator.
    pub fn parse(name: &str, json: &[u8]) -> Result<Self, String> {
        let read = || -> Result<_, Failure> {
            let document = PolicyDocument::parse(json)?;
            let (policy, sampler) = count_alone(&document.named(&name_to_change(name)?)).map_err(RequestError::from)?;
            let entropy_bits = sampler.entropy().rounded_down();
            Ok(Self { stored: document.stored(None), length: policy.length(), entropy_bits })
        };
        read().map_err(|failure| failure.problem().detail)
    }
}

/// Which kind of policy has a name.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PolicyKind {
    Preset,
    Stored,
}

/// What is known about a preset beyond its policy.
#[derive(Serialize)]
struct PresetFacts {
    name: &'static str,
    kind: PolicyKind,
    summary: &'static str,
    source: SourceBody,
    min_length: u16,
    max_length: u16,
}

#[derive(Serialize)]
struct SourceBody {
    standard: &'static str,
    section: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'static str>,
    url: &'static str,
}

impl From<&Preset> for PresetFacts {
    fn from(preset: &Preset) -> Self {
        let Source { standard, section, date, url } = preset.source;
        Self {
            name: preset.name,
            kind: PolicyKind::Preset,
            summary: preset.summary,
            source: SourceBody { standard, section, date, url },
            min_length: preset.lengths.min,
            max_length: preset.lengths.max,
        }
    }
}

/// What is known about a stored policy beyond its policy.
#[derive(Serialize)]
struct StoredFacts<'a> {
    name: &'a str,
    kind: PolicyKind,
    description: &'a str,
    revision: u64,
    updated_at: &'a str,
    /// Only administrators learn who else administers.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<&'a str>,
}

impl<'a> StoredFacts<'a> {
    fn new(name: &'a str, stored: &'a StoredPolicy, to_administrator: bool) -> Self {
        let StoredPolicy { description, revision, updated_at, updated_by, .. } = stored;
        let updated_by = to_administrator.then_some(updated_by.as_str());
        Self { name, kind: PolicyKind::Stored, description, revision: *revision, updated_at, updated_by }
    }
}

#[derive(Serialize)]
struct Entry<F> {
    #[serde(flatten)]
    facts: F,
    policy: ResolvedPolicy,
}

#[derive(Serialize)]
struct NamedBody<'a> {
    #[serde(flatten)]
    preset: Option<PresetFacts>,
    #[serde(flatten)]
    stored: Option<StoredFacts<'a>>,
    #[serde(flatten)]
    description: Description,
}

/// The presets, each with its policy without further parameters, as an answer lists them.
pub(crate) fn presets() -> Vec<impl Serialize> {
    let entry = |preset: &'static Preset| {
        // Each preset makes a policy; a test generates a password for each.
        let policy = Policy::new(&Constraints::default(), Some(preset)).ok()?;
        Some(Entry { facts: PresetFacts::from(preset), policy: (&policy).into() })
    };
    PRESETS.iter().filter_map(entry).collect()
}

impl PolicyList {
    /// The names of the page, in the order of their bytes.
    pub(crate) fn names(&self) -> Vec<&str> {
        let presets = self.presets.iter().map(|preset| preset.name);
        let mut names: Vec<&str> = presets.chain(self.stored.iter().map(|one| one.name.as_str())).collect();
        names.sort_unstable();
        let Page { after, limit } = &self.page;
        names.into_iter().filter(|name| *name > after.as_str()).take(limit.unwrap_or(usize::MAX)).collect()
    }

    /// The stored policies, as an answer lists them.
    pub(crate) fn entries(&self) -> Vec<impl Serialize + '_> {
        let entries = self.stored.iter().map(|one| Entry {
            facts: StoredFacts::new(&one.name, &one.stored, one.to_administrator),
            policy: ResolvedPolicy::from(&one.policy),
        });
        entries.collect()
    }
}

impl NamedAnswer {
    /// The members of the answer.
    pub(crate) fn body(&self) -> impl Serialize + '_ {
        let Self { named, stored, policy, sampler, to_administrator } = self;
        let facts = stored.as_ref().map(|stored| StoredFacts::new(&named.name, stored, *to_administrator));
        // A stored policy may be built on a preset.
        let preset = named.preset.filter(|_| facts.is_none()).map(PresetFacts::from);
        NamedBody { preset, stored: facts, description: Description::new(policy, sampler.count()) }
    }
}
