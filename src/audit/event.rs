//! How a request ended.

named_enum! {
    /// How a request ended.
    pub enum Event {
        /// Passwords were generated.
        Generated = "password.generated",
        /// Passphrases were generated.
        PassphraseGenerated = "passphrase.generated",
        /// Random bytes were generated.
        RandomGenerated = "random.generated",
        /// A password was checked against a policy.
        Validated = "password.validated",
        /// A policy was described.
        PolicyDescribed = "policy.described",
        /// The presets were listed.
        PresetsListed = "presets.listed",
        /// The stored policies were listed.
        PoliciesListed = "policies.listed",
        /// A policy was stored that did not exist.
        PolicyCreated = "policy.created",
        /// A stored policy was replaced.
        PolicyUpdated = "policy.updated",
        /// A stored policy was deleted.
        PolicyDeleted = "policy.deleted",
        /// A policy was to be deleted that does not exist.
        PolicyUnchanged = "policy.unchanged",
        /// A stored policy is about to be changed. The line of the answer says what became of it.
        PolicyChanging = "policy.changing",
        /// A policy was not changed, after all.
        PolicyChangeFailed = "policy.change_failed",
        /// The database did not tell whether a policy was changed.
        PolicyChangeUnknown = "policy.change_unknown",
        /// A caller read about its own key.
        KeyRead = "key.read",
        /// The health of the function was requested.
        HealthChecked = "health.checked",
        /// The OpenAPI document was read.
        ContractRead = "contract.read",
        /// A page or an asset was read.
        PageRead = "page.read",
        /// The methods of a path were requested.
        OptionsRead = "options.read",
        /// The request was refused because of an error of the client.
        Refused = "request.refused",
        /// The request failed because of an error of the server.
        Failed = "request.failed",
    }
}

impl Event {
    /// The events whose answers have secrets.
    pub const SECRETS: [Self; 3] = [Self::Generated, Self::PassphraseGenerated, Self::RandomGenerated];

    /// The kind of change of a policy that ends with this event.
    #[must_use]
    pub const fn change(self) -> Option<&'static str> {
        match self {
            Self::PolicyCreated => Some("create"),
            Self::PolicyUpdated => Some("update"),
            Self::PolicyDeleted => Some("delete"),
            _ => None,
        }
    }

    /// The log level of the line.
    pub(super) const fn level(self) -> &'static str {
        match self {
            Self::Refused | Self::PolicyChangeFailed => "WARN",
            Self::Failed | Self::PolicyChangeUnknown => "ERROR",
            Self::Generated
            | Self::PassphraseGenerated
            | Self::RandomGenerated
            | Self::Validated
            | Self::PolicyDescribed
            | Self::PresetsListed
            | Self::PoliciesListed
            | Self::PolicyCreated
            | Self::PolicyUpdated
            | Self::PolicyDeleted
            | Self::PolicyUnchanged
            | Self::PolicyChanging
            | Self::KeyRead
            | Self::HealthChecked
            | Self::ContractRead
            | Self::PageRead
            | Self::OptionsRead => "INFO",
        }
    }
}
