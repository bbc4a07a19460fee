//! Named policies: what standards and systems require of a password.
//!
//! A preset is a set of requirements in the parameters of the API. Parameters may add to them and must not weaken them.
//! If a source permits more than the parameters can express, the preset requires slightly more, and its summary says
//! so.

use super::constraints::{Constraints, Start};
use super::error::PolicyError;
use super::limits::{self, LengthRange};
use crate::password::charset::Class;

/// A named policy.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// The value of the parameter `policy`.
    pub name: &'static str,
    /// What it requires, in words.
    pub summary: &'static str,
    /// The document that requires it.
    pub source: Source,
    /// The lengths that it allows, in characters.
    pub lengths: LengthRange,
    /// Whether a validated password may contain any character, except those of a class that is not in use.
    pub accepts_any_character: bool,
    classes: [ClassUse; 4],
    symbols: Option<&'static str>,
    min_classes: Option<u16>,
    start: Option<Start>,
}

/// The document that states a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// The standard, or the name of the documentation.
    pub standard: &'static str,
    /// The section, requirement or page.
    pub section: &'static str,
    /// Its date or version, if it has one.
    pub date: Option<&'static str>,
    /// Its address.
    pub url: &'static str,
}

/// How a preset uses a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClassUse {
    /// At least one character must appear.
    Required,
    /// Its characters may appear.
    Allowed,
    /// Its characters may appear if the request says so.
    OnRequest,
}

use ClassUse::{Allowed, OnRequest, Required};

/// Any letters and digits, and symbols on request.
const OPEN: Preset = Preset {
    name: "",
    summary: "",
    source: Source { standard: "", section: "", date: None, url: "" },
    lengths: LengthRange { min: limits::MIN_LENGTH, max: limits::MAX_LENGTH },
    accepts_any_character: false,
    classes: [Allowed, Allowed, Allowed, OnRequest],
    symbols: None,
    min_classes: None,
    start: None,
};

const RDS: &str = "!#$%&()*+,-.:;<=>?[\\]^_`{|}~";
const RDS_PAGE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html";
const AURORA_PAGE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html";

const fn rds(name: &'static str, summary: &'static str, max: u16, symbols: &'static str, letters: ClassUse) -> Preset {
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
        classes: [letters, letters, letters, OnRequest],
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
    Preset { source, ..rds(name, summary, max, RDS, Allowed) }
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
        classes: [Required, Required, Required, OnRequest],
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
        classes: [Allowed, Allowed, Required, OnRequest],
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
        classes: [Required, Required, Required, Required],
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
        classes: [Allowed, Allowed, Allowed, Allowed],
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
        Required,
    ),
    rds("aws-rds-mysql", "8 to 41 characters, without / ' \" @ and space", 41, RDS, Allowed),
    rds("aws-rds-mariadb", "8 to 41 characters, without / ' \" @ and space", 41, RDS, Allowed),
    rds("aws-rds-postgresql", "8 to 128 characters, without / ' \" @ and space", 128, RDS, Allowed),
    rds(
        "aws-rds-oracle",
        "8 to 30 characters, without / ' \" @ & and space",
        30,
        "!#$%()*+,-.:;<=>?[\\]^_`{|}~",
        Allowed,
    ),
    rds(
        "aws-rds-sqlserver",
        "8 to 128 characters, without / ' \" @ and space; this preset requires a lowercase letter, an uppercase \
         letter and a digit, because SQL Server requires three character categories",
        128,
        RDS,
        Required,
    ),
    rds("aws-rds-db2", "8 to 255 characters, without / ' \" @ and space", 255, RDS, Allowed),
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
        classes: [Required, Required, Required, OnRequest],
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
        classes: [Allowed, Allowed, Allowed, Allowed],
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
        classes: [Allowed, Allowed, Allowed, Allowed],
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
        classes: [Allowed, Allowed, Allowed, Allowed],
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
        classes: [Allowed, Allowed, Allowed, Allowed],
        symbols: Some("-._~"),
        start: Some(Start::Alphanumeric),
        ..OPEN
    },
];

impl Preset {
    /// The constraints for a password that is validated: the classes that the preset has on request are allowed, too.
    #[must_use]
    pub fn widen(&self, constraints: &Constraints) -> Constraints {
        let mut widened = constraints.clone();
        for (options, class_use) in widened.classes.iter_mut().zip(self.classes) {
            options.in_use = options.in_use.or((class_use == OnRequest).then_some(true));
        }
        widened
    }

    /// The requirements of the preset, with the constraints of a request that add to them.
    ///
    /// # Errors
    /// [`PolicyError`] if a constraint weakens a requirement.
    pub fn apply(&self, constraints: &Constraints) -> Result<Constraints, PolicyError> {
        // Each is named here, so that a new one cannot be ignored.
        let Constraints {
            length,
            min_length,
            classes,
            symbols,
            exclude,
            exclude_similar,
            max_repeating,
            max_sequential,
            no_repeats,
            start,
            min_classes,
            min_entropy,
            rules: None,
            charsets: None,
        } = constraints
        else {
            let other = constraints.source_of_characters().unwrap_or_default();
            return Err(PolicyError::PolicyWithCharacters { other });
        };
        let mut classes = *classes;
        for ((class, options), class_use) in Class::ALL.into_iter().zip(&mut classes).zip(self.classes) {
            match (class_use, options.in_use) {
                (Required, Some(false)) => return Err(self.weakened(class.name(), "true")),
                (Required | Allowed, None) => options.in_use = Some(true),
                (OnRequest, None) => options.in_use = Some(class == Class::Special && symbols.is_some()),
                (_, Some(_)) => {}
            }
            let required = u16::from(class_use == Required);
            match options.min {
                Some(min) if min < required => return Err(self.weakened(class.min_name(), "1 or more")),
                // The preset requires nothing that its source does not require.
                None if options.in_use == Some(true) => options.min = Some(required),
                _ => {}
            }
        }
        let mut symbols = symbols.clone();
        if let Some(allowed) = self.symbols {
            if symbols.iter().flat_map(|own| own.chars()).any(|one| !allowed.contains(one)) {
                return Err(self.weakened("symbols", &format!("a subset of {allowed}")));
            }
            let [.., special] = &classes;
            if special.in_use == Some(true) {
                symbols.get_or_insert_with(|| allowed.to_owned());
            }
        }
        if let (Some(least), Some(requested)) = (self.min_classes, min_classes)
            && *requested < least
        {
            return Err(self.weakened("min_classes", &format!("{least} or more")));
        }
        if let (Some(own), Some(requested)) = (self.start, start)
            && !requested.characters().without(own.characters()).is_empty()
        {
            return Err(self.weakened("start", own.name()));
        }
        Ok(Constraints {
            length: *length,
            min_length: *min_length,
            classes,
            symbols,
            exclude: exclude.clone(),
            exclude_similar: *exclude_similar,
            max_repeating: *max_repeating,
            max_sequential: *max_sequential,
            no_repeats: *no_repeats,
            start: start.or(self.start),
            min_classes: min_classes.or(self.min_classes),
            min_entropy: *min_entropy,
            rules: None,
            charsets: None,
        })
    }

    fn weakened(&self, parameter: &'static str, requirement: &str) -> PolicyError {
        PolicyError::WeakensPolicy { policy: self.name.to_owned(), parameter, requirement: requirement.to_owned() }
    }
}
