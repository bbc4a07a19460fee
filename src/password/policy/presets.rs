//! Named policies: what standards and systems require of a password.
//!
//! A preset is a set of requirements in the parameters of the API. Parameters may add to them and must not weaken them.
//! If a source permits more than the parameters can express, the preset requires slightly more, and its summary says
//! so.

use super::constraints::{ClassOptions, Constraints, Start};
use super::error::PolicyError;
use super::limits::{self, LengthRange};
use super::tighten::Base;

/// A named policy.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// The value of the parameter `policy`.
    pub name: &'static str,
    /// What it requires, in words.
    pub(crate) summary: &'static str,
    pub(crate) source: Source,
    /// The lengths that it allows, in characters.
    pub lengths: LengthRange,
    /// Whether a validated password may contain any character, except those of a class that is not in use.
    pub(crate) accepts_any_character: bool,
    /// The fewest characters of each class that may appear.
    classes: [Option<u16>; 4],
    symbols: Option<&'static str>,
    min_classes: Option<u16>,
    start: Option<Start>,
}

/// At least one character of the class must appear.
const REQUIRED: Option<u16> = Some(1);
/// Its characters may appear.
const ALLOWED: Option<u16> = Some(0);
/// Its characters, which are special characters, may appear if the request says so.
const ON_REQUEST: Option<u16> = None;

/// The document that states a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    /// The standard, or the name of the documentation.
    pub(crate) standard: &'static str,
    /// The section, requirement or page.
    pub(crate) section: &'static str,
    /// Its date or version, if it has one.
    pub(crate) date: Option<&'static str>,
    pub(crate) url: &'static str,
}

/// Any letters and digits, and symbols on request.
const OPEN: Preset = Preset {
    name: "",
    summary: "",
    source: Source { standard: "", section: "", date: None, url: "" },
    lengths: LengthRange { min: limits::MIN_LENGTH, max: limits::MAX_LENGTH },
    accepts_any_character: false,
    classes: [ALLOWED, ALLOWED, ALLOWED, ON_REQUEST],
    symbols: None,
    min_classes: None,
    start: None,
};

const RDS: &str = "!#$%&()*+,-.:;<=>?[\\]^_`{|}~";
const RDS_PAGE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html";
const AURORA_PAGE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html";

const fn rds(
    name: &'static str,
    summary: &'static str,
    max: u16,
    symbols: &'static str,
    letters: Option<u16>,
) -> Preset {
    Preset {
        name,
        summary,
        source: Source {
            standard: "Amazon RDS User Guide",
            section: "Quotas and constraints, naming constraints: master password",
            date: None,
            url: RDS_PAGE,
        },
        lengths: LengthRange { min: 8, max },
        classes: [letters, letters, letters, ON_REQUEST],
        symbols: Some(symbols),
        ..OPEN
    }
}

const fn aurora(name: &'static str, summary: &'static str, max: u16) -> Preset {
    let source = Source {
        standard: "Amazon Aurora User Guide",
        section: "Quotas and constraints, naming constraints: master password",
        date: None,
        url: AURORA_PAGE,
    };
    Preset { source, ..rds(name, summary, max, RDS, ALLOWED) }
}

/// Every preset, in the order of the list.
pub static PRESETS: [Preset; 21] = [
    Preset {
        name: "nist-800-63b",
        summary: "15 to 64 characters without composition rules; 64 is the maximum length that every verifier \
                  should permit",
        source: Source {
            standard: "NIST SP 800-63B-4, Digital Identity Guidelines",
            section: "3.1.1.2, Password Verifiers",
            date: Some("2025-07"),
            url: "https://pages.nist.gov/800-63-4/sp800-63b.html",
        },
        lengths: LengthRange { min: 15, max: 64 },
        accepts_any_character: true,
        ..OPEN
    },
    Preset {
        name: "owasp-asvs-5",
        summary: "15 to 64 characters without composition rules; 15 is the strongly recommended minimum length, and \
                  every service must permit 64",
        source: Source {
            standard: "OWASP Application Security Verification Standard 5.0.0",
            section: "V6.2, Password Security: 6.2.1, 6.2.5, 6.2.9",
            date: Some("2025-05"),
            url: "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x15-V6-Authentication.md",
        },
        lengths: LengthRange { min: 15, max: 64 },
        accepts_any_character: true,
        ..OPEN
    },
    Preset {
        name: "pci-dss-4",
        summary: "12 characters or more with letters and digits; this preset requires a lowercase letter, an \
                  uppercase letter and a digit",
        source: Source {
            standard: "PCI DSS v4.0.1",
            section: "Requirement 8.3.6",
            date: Some("2024-06"),
            url: "https://www.pcisecuritystandards.org/document_library/",
        },
        lengths: LengthRange { min: 12, max: limits::MAX_LENGTH },
        accepts_any_character: true,
        classes: [REQUIRED, REQUIRED, REQUIRED, ON_REQUEST],
        ..OPEN
    },
    Preset {
        name: "cis",
        summary: "14 characters or more with at least one character that is not a letter; this preset requires a \
                  digit",
        source: Source {
            standard: "CIS Password Policy Guide v21.12",
            section: "5.1.1 and 5.1.2, accounts with a password only",
            date: Some("2021-12"),
            url: "https://www.cisecurity.org/insights/white-papers/cis-password-policy-guide",
        },
        lengths: LengthRange { min: 14, max: limits::MAX_LENGTH },
        accepts_any_character: true,
        classes: [ALLOWED, ALLOWED, REQUIRED, ON_REQUEST],
        ..OPEN
    },
    Preset {
        name: "aws-iam",
        summary: "14 to 128 characters with at least one of each of the four character types that an account \
                  password policy can require; symbols are the 20 characters that IAM counts",
        source: Source {
            standard: "AWS IAM User Guide",
            section: "Set an account password policy for IAM users",
            date: None,
            url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
        },
        lengths: LengthRange { min: 14, max: 128 },
        classes: [REQUIRED, REQUIRED, REQUIRED, REQUIRED],
        symbols: Some("!@#$%^&*()_+-=[]{}|'"),
        ..OPEN
    },
    Preset {
        name: "active-directory",
        summary: "14 to 256 characters from at least three of the categories lowercase, uppercase, digits and \
                  special characters, without the backslash; the rule against containing the account name cannot be \
                  checked",
        source: Source {
            standard: "Microsoft Windows security policy settings; MS-SAMR 3.1.1.7.2",
            section: "Password must meet complexity requirements",
            date: Some("2023-06"),
            url: "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-10/security/threat-protection/security-policy-settings/password-must-meet-complexity-requirements",
        },
        lengths: LengthRange { min: 14, max: 256 },
        classes: [ALLOWED, ALLOWED, ALLOWED, ALLOWED],
        symbols: Some("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"),
        min_classes: Some(3),
        ..OPEN
    },
    rds(
        "aws-rds",
        "Accepted by every RDS engine: 8 to 30 characters with a lowercase letter, an uppercase letter and a digit, \
         without / ' \" @ & and space",
        30,
        "!#$%()*+,-.:;<=>?[\\]^_`{|}~",
        REQUIRED,
    ),
    rds("aws-rds-mysql", "8 to 41 characters, without / ' \" @ and space", 41, RDS, ALLOWED),
    rds("aws-rds-mariadb", "8 to 41 characters, without / ' \" @ and space", 41, RDS, ALLOWED),
    rds("aws-rds-postgresql", "8 to 128 characters, without / ' \" @ and space", 128, RDS, ALLOWED),
    rds(
        "aws-rds-oracle",
        "8 to 30 characters, without / ' \" @ & and space",
        30,
        "!#$%()*+,-.:;<=>?[\\]^_`{|}~",
        ALLOWED,
    ),
    rds(
        "aws-rds-sqlserver",
        "8 to 128 characters, without / ' \" @ and space; this preset requires a lowercase letter, an uppercase \
         letter and a digit, because SQL Server requires three character categories",
        128,
        RDS,
        REQUIRED,
    ),
    rds("aws-rds-db2", "8 to 255 characters, without / ' \" @ and space", 255, RDS, ALLOWED),
    aurora("aws-aurora-mysql", "8 to 41 characters, without / ' \" @ and space", 41),
    aurora("aws-aurora-postgresql", "8 to 99 characters, without / ' \" @ and space", 99),
    Preset {
        name: "redshift",
        summary: "8 to 64 characters with at least one uppercase letter, one lowercase letter and one digit, \
                  without ' \" \\ / @ and space",
        source: Source {
            standard: "Amazon Redshift API Reference",
            section: "CreateCluster, MasterUserPassword",
            date: None,
            url: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateCluster.html",
        },
        lengths: LengthRange { min: 8, max: 64 },
        classes: [REQUIRED, REQUIRED, REQUIRED, ON_REQUEST],
        symbols: Some("!#$%&()*+,-.:;<=>?[]^_`{|}~"),
        ..OPEN
    },
    Preset {
        name: "wpa2",
        summary: "8 to 63 printable ASCII characters; this preset excludes the space, which is easily lost when a \
                  password is copied",
        source: Source {
            standard: "IEEE 802.11",
            section: "Annex J.4, suggested pass-phrase-to-PSK mapping",
            date: Some("2020"),
            url: "https://standards.ieee.org/ieee/802.11/7028/",
        },
        lengths: LengthRange { min: 8, max: 63 },
        symbols: Some("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        ..OPEN
    },
    Preset {
        name: "url-safe",
        summary: "Only the unreserved characters of a URI: letters, digits and - . _ ~",
        source: Source {
            standard: "RFC 3986, Uniform Resource Identifier: Generic Syntax",
            section: "2.3, Unreserved Characters",
            date: Some("2005-01"),
            url: "https://www.rfc-editor.org/rfc/rfc3986#section-2.3",
        },
        classes: [ALLOWED, ALLOWED, ALLOWED, ALLOWED],
        symbols: Some("-._~"),
        ..OPEN
    },
    Preset {
        name: "shell-safe",
        summary: "Requires no quoting in a word of a POSIX shell: letters, digits and + - . / : @ _; starts with a \
                  letter, so that a shell command never reads it as an option or a file descriptor",
        source: Source {
            standard: "POSIX.1-2024, Shell Command Language",
            section: "2.2, Quoting",
            date: Some("2024-06"),
            url: "https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html",
        },
        classes: [ALLOWED, ALLOWED, ALLOWED, ALLOWED],
        symbols: Some("+-./:@_"),
        start: Some(Start::Letter),
        ..OPEN
    },
    Preset {
        name: "yaml-safe",
        summary: "A plain YAML scalar that every schema reads as a string, in block and flow context: starts with a \
                  letter and has at least 6 characters, more than true, false, null, yes, no, on and off",
        source: Source {
            standard: "YAML 1.2.2",
            section: "7.3.3, Plain Style, and 10.3, Core Schema",
            date: Some("2021-10-01"),
            url: "https://yaml.org/spec/1.2.2/#733-plain-style",
        },
        lengths: LengthRange { min: 6, max: limits::MAX_LENGTH },
        classes: [ALLOWED, ALLOWED, ALLOWED, ALLOWED],
        symbols: Some("_-.+/=@%^~"),
        start: Some(Start::Letter),
        ..OPEN
    },
    Preset {
        name: "connection-string",
        summary: "No character has a special meaning in database URLs, in ODBC, JDBC and ADO.NET strings, or in \
                  .env and .properties files: letters, digits and - . _ ~; starts with a letter or a digit",
        source: Source {
            standard: "RFC 3986; Microsoft ODBC, SQLDriverConnect",
            section: "2.3, Unreserved Characters; attribute values that need braces",
            date: None,
            url: "https://learn.microsoft.com/en-us/sql/odbc/reference/syntax/sqldriverconnect-function",
        },
        classes: [ALLOWED, ALLOWED, ALLOWED, ALLOWED],
        symbols: Some("-._~"),
        start: Some(Start::Alphanumeric),
        ..OPEN
    },
];

impl Preset {
    pub(super) fn has_special_on_request(&self) -> bool {
        self.classes[3] == ON_REQUEST
    }

    /// The requirements of the preset, with the constraints of a request that add to them. Fails if one weakens a
    /// requirement.
    pub(crate) fn apply(&self, request: &Constraints) -> Result<Constraints, PolicyError> {
        let own = self.constraints(request);
        Base { name: self.name, own: &own, has_exact_length: false }.add(request)
    }

    /// The requirements of the preset in the parameters of the API, with what it has on request.
    fn constraints(&self, request: &Constraints) -> Constraints {
        let [.., special] = request.classes;
        let is_requested = special.in_use == Some(true) || request.symbols.is_some();
        let classes = self.classes.map(|min| match min {
            Some(min) => ClassOptions { in_use: Some(true), min: Some(min) },
            None => ClassOptions { in_use: Some(is_requested), min: is_requested.then_some(0) },
        });
        let symbols = self.symbols.map(str::to_owned).or_else(|| request.symbols.clone());
        Constraints {
            classes,
            symbols: symbols.filter(|_| classes[3].in_use == Some(true)),
            min_classes: self.min_classes,
            start: self.start,
            ..Constraints::default()
        }
    }
}

/// The lengths that a preset or a site's rules allow. The requested length must be one of them.
pub(super) fn length_range(constraints: &Constraints, preset: Option<&Preset>) -> Result<LengthRange, PolicyError> {
    let rules = constraints.rules.as_ref();
    let allowed = preset.map_or_else(
        || LengthRange {
            min: rules.and_then(|rules| rules.min_length).unwrap_or_default(),
            max: rules.and_then(|rules| rules.max_length).unwrap_or(u16::MAX),
        },
        |preset| preset.lengths,
    );
    let LengthRange { min, max } = allowed;
    if min > limits::MAX_LENGTH || max < limits::MIN_LENGTH {
        return Err(PolicyError::NoLength { min, max });
    }
    // A length of less than 4 must be requested.
    let shortest = constraints.length.map_or(limits::MIN_LENGTH, |length| length.clamp(1, limits::MIN_LENGTH));
    let (min, max) = (min.max(shortest).max(constraints.min_length.unwrap_or_default()), max.min(limits::MAX_LENGTH));
    if min > max {
        return Err(PolicyError::NoLength { min, max });
    }
    let range = LengthRange { min, max };
    if constraints.length.is_some_and(|length| !range.contains(length)) {
        return Err(match preset.map(|preset| preset.name).or(rules.map(|_| "passwordrules")) {
            Some(source) => PolicyError::OutsideLengths { by: source, min, max },
            None => PolicyError::OutOfRange { parameter: "length", min, max },
        });
    }
    Ok(range)
}
