//! Named policies: what standards and systems demand of a password.
//!
//! Each is a set of demands in the parameters of the API, to which parameters may add and from which
//! they may not take away. Where a source leaves more open than these parameters can say, the preset demands
//! a little more, and its summary says so.

use super::alphabet::{CharSet, Class};
use super::constraints::{Constraints, Start};
use super::contradiction::PolicyError;
use super::policy::Policy;

/// A named policy.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// The value of the parameter `policy`.
    pub name: &'static str,
    /// What it demands, in words.
    pub summary: &'static str,
    /// Where that is written.
    pub source: Source,
    /// The shortest and the longest password, in characters.
    pub lengths: (u16, u16),
    /// Whether a password that somebody else made may hold any character at all, a class that is switched
    /// off aside.
    pub takes_any: bool,
    classes: [Use; 4],
    symbols: Option<&'static str>,
    min_classes: Option<u16>,
    start: Option<Start>,
}

/// Where a demand is written.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The standard, or whose documentation it is.
    pub standard: &'static str,
    /// The section, requirement or page.
    pub section: &'static str,
    /// Its date or version, where it has one.
    pub date: Option<&'static str>,
    /// Where to read it.
    pub url: &'static str,
}

/// What becomes of a class in a preset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Use {
    /// One of it must appear.
    Required,
    /// It may appear.
    Allowed,
    /// It may appear if it is asked for.
    Offered,
}

use Use::{Allowed, Offered, Required};

/// Letters and digits of any number, and symbols for who asks for them.
const OPEN: Preset = Preset {
    name: "",
    summary: "",
    source: Source { standard: "", section: "", date: None, url: "" },
    lengths: (Policy::MIN_LENGTH, Policy::MAX_LENGTH),
    takes_any: false,
    classes: [Allowed, Allowed, Allowed, Offered],
    symbols: None,
    min_classes: None,
    start: None,
};

const RDS: &str = "!#$%&()*+,-.:;<=>?[\\]^_`{|}~";
const RDS_PAGE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html";
const AURORA_PAGE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/CHAP_Limits.html";

const fn rds(name: &'static str, summary: &'static str, most: u16, symbols: &'static str, letters: Use) -> Preset {
    Preset {
        name,
        summary,
        source: Source {
            standard: "Amazon RDS User Guide",
            section: "Quotas and constraints, naming constraints: master password",
            date: None,
            url: RDS_PAGE,
        },
        lengths: (8, most),
        classes: [letters, letters, letters, Offered],
        symbols: Some(symbols),
        ..OPEN
    }
}

const fn aurora(name: &'static str, summary: &'static str, most: u16) -> Preset {
    let source = Source {
        standard: "Amazon Aurora User Guide",
        section: "Quotas and constraints, naming constraints: master password",
        date: None,
        url: AURORA_PAGE,
    };
    Preset { source, ..rds(name, summary, most, RDS, Allowed) }
}

/// Every preset, in the order in which they are listed.
pub static PRESETS: [Preset; 21] = [
    Preset {
        name: "nist-800-63b",
        summary: "15 characters or more, 64 at most, which every verifier has to take; no rule of composition",
        source: Source {
            standard: "NIST SP 800-63B-4, Digital Identity Guidelines",
            section: "3.1.1.2, Password Verifiers",
            date: Some("2025-07"),
            url: "https://pages.nist.gov/800-63-4/sp800-63b.html",
        },
        lengths: (15, 64),
        takes_any: true,
        ..OPEN
    },
    Preset {
        name: "owasp-asvs-5",
        summary: "15 characters or more, as strongly recommended, 64 at most, which every service has to take; no rule \
                  of composition",
        source: Source {
            standard: "OWASP Application Security Verification Standard 5.0.0",
            section: "V6.2, Password Security: 6.2.1, 6.2.5, 6.2.9",
            date: Some("2025-05"),
            url: "https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x15-V6-Authentication.md",
        },
        lengths: (15, 64),
        takes_any: true,
        ..OPEN
    },
    Preset {
        name: "pci-dss-4",
        summary: "12 characters or more, letters and digits; here a letter of each case and a digit",
        source: Source {
            standard: "PCI DSS v4.0.1",
            section: "Requirement 8.3.6",
            date: Some("2024-06"),
            url: "https://www.pcisecuritystandards.org/document_library/",
        },
        lengths: (12, Policy::MAX_LENGTH),
        takes_any: true,
        classes: [Required, Required, Required, Offered],
        ..OPEN
    },
    Preset {
        name: "cis",
        summary: "14 characters or more, one of them no letter; here a digit",
        source: Source {
            standard: "CIS Password Policy Guide v21.12",
            section: "5.1.1 and 5.1.2, accounts with a password only",
            date: Some("2021-12"),
            url: "https://www.cisecurity.org/insights/white-papers/cis-password-policy-guide",
        },
        lengths: (14, Policy::MAX_LENGTH),
        takes_any: true,
        classes: [Allowed, Allowed, Required, Offered],
        ..OPEN
    },
    Preset {
        name: "aws-iam",
        summary: "14 to 128 characters, one at least of each of the four types that an account's password policy can \
                  demand, of symbols those 20 that it counts",
        source: Source {
            standard: "AWS IAM User Guide",
            section: "Set an account password policy for IAM users",
            date: None,
            url: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html",
        },
        lengths: (14, 128),
        classes: [Required, Required, Required, Required],
        symbols: Some("!@#$%^&*()_+-=[]{}|'"),
        ..OPEN
    },
    Preset {
        name: "active-directory",
        summary: "14 to 256 characters of three at least of the categories lowercase, uppercase, digits and special, \
                  of which the backslash is none. That a name must not appear in it cannot be known here",
        source: Source {
            standard: "Microsoft Windows security policy settings; MS-SAMR 3.1.1.7.2",
            section: "Password must meet complexity requirements",
            date: Some("2023-06"),
            url: "https://learn.microsoft.com/en-us/previous-versions/windows/it-pro/windows-10/security/threat-protection/security-policy-settings/password-must-meet-complexity-requirements",
        },
        lengths: (14, Policy::MAX_LENGTH),
        classes: [Allowed, Allowed, Allowed, Allowed],
        symbols: Some("!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~"),
        min_classes: Some(3),
        ..OPEN
    },
    rds(
        "aws-rds",
        "what every engine of RDS takes: 8 to 30 characters with a letter of each case and a digit, \
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
        "8 to 128 characters, without / ' \" @ and space; a letter of each case and a digit, for SQL Server's own \
         rule of three categories",
        128,
        RDS,
        Required,
    ),
    rds("aws-rds-db2", "8 to 255 characters, without / ' \" @ and space", 255, RDS, Allowed),
    aurora("aws-aurora-mysql", "8 to 41 characters, without / ' \" @ and space", 41),
    aurora("aws-aurora-postgresql", "8 to 99 characters, without / ' \" @ and space", 99),
    Preset {
        name: "redshift",
        summary: "8 to 64 characters, one at least of uppercase, lowercase and digits, without ' \" \\ / @ and space",
        source: Source {
            standard: "Amazon Redshift API Reference",
            section: "CreateCluster, MasterUserPassword",
            date: None,
            url: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateCluster.html",
        },
        lengths: (8, 64),
        classes: [Required, Required, Required, Offered],
        symbols: Some("!#$%&()*+,-.:;<=>?[]^_`{|}~"),
        ..OPEN
    },
    Preset {
        name: "wpa2",
        summary: "8 to 63 characters of printable ASCII; here without the space, which is easily lost",
        source: Source {
            standard: "IEEE 802.11",
            section: "Annex J.4, suggested pass-phrase-to-PSK mapping",
            date: Some("2020"),
            url: "https://standards.ieee.org/ieee/802.11/7028/",
        },
        lengths: (8, 63),
        symbols: Some("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        ..OPEN
    },
    Preset {
        name: "url-safe",
        summary: "the unreserved characters of a URI: letters, digits and - . _ ~",
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
        summary: "needs no quoting anywhere in a word of a POSIX shell: letters, digits and + - . / : @ _, a letter \
                  first, so that it is never taken for an option or a file descriptor",
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
        summary: "a plain YAML scalar that every schema reads as a string, in block and in flow: a letter first, 6 \
                  characters or more, which is longer than true, false, null, yes, no, on and off",
        source: Source {
            standard: "YAML 1.2.2",
            section: "7.3.3, Plain Style, and 10.3, Core Schema",
            date: Some("2021-10-01"),
            url: "https://yaml.org/spec/1.2.2/#733-plain-style",
        },
        lengths: (6, Policy::MAX_LENGTH),
        classes: [Allowed, Allowed, Allowed, Allowed],
        symbols: Some("_-.+/=@%^~"),
        start: Some(Start::Letter),
        ..OPEN
    },
    Preset {
        name: "connection-string",
        summary: "means itself in database URLs, in ODBC, JDBC and ADO.NET strings, in .env and .properties files: \
                  letters, digits and - . _ ~, a letter or a digit first",
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
    /// The preset of a name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// What it makes by itself.
    ///
    /// # Errors
    /// None, for the presets that there are.
    pub fn policy(&'static self) -> Result<Policy, PolicyError> {
        Policy::new(&Constraints { preset: Some(self), ..Constraints::default() })
    }

    /// What a password may be that somebody else made: with the classes that are only offered, too.
    #[must_use]
    pub fn widened(asked: &Constraints) -> Constraints {
        let mut widened = asked.clone();
        for (options, used) in
            widened.classes.iter_mut().zip(asked.preset.map(|preset| preset.classes).into_iter().flatten())
        {
            options.in_use = options.in_use.or((used == Offered).then_some(true));
        }
        widened
    }

    /// What a caller asks for with this preset: its demands, and what adds to them.
    ///
    /// # Errors
    /// [`PolicyError`] where something takes away from them.
    pub fn demanded_by(&'static self, asked: &Constraints) -> Result<Constraints, PolicyError> {
        if asked.rules.is_some() {
            return Err(PolicyError::PresetBesideRules);
        }
        let mut demanded = asked.clone();
        for ((class, options), used) in Class::ALL.into_iter().zip(&mut demanded.classes).zip(self.classes) {
            match (used, options.in_use) {
                (Required, Some(false)) => return Err(self.weakened(class.name(), "true")),
                (Required | Allowed, None) => options.in_use = Some(true),
                (Offered, None) => options.in_use = Some(class == Class::Special && asked.symbols.is_some()),
                (_, Some(_)) => {}
            }
            let least = u16::from(used == Required);
            match options.minimum {
                Some(minimum) if minimum < least => return Err(self.weakened(class.minimum_name(), "1 or more")),
                // Nothing is demanded that the source does not.
                None if options.in_use == Some(true) => options.minimum = Some(least),
                _ => {}
            }
        }
        if let Some(allowed) = self.symbols {
            let own = asked.symbols.as_deref().unwrap_or(allowed);
            if own.chars().any(|one| !allowed.contains(one)) {
                return Err(self.weakened("symbols", &format!("of {allowed}")));
            }
            if demanded.classes[3].in_use == Some(true) {
                demanded.symbols = Some(own.to_owned());
            }
        }
        if let Some(least) = self.min_classes {
            if asked.min_classes.is_some_and(|asked| asked < least) {
                return Err(self.weakened("min_classes", &format!("{least} or more")));
            }
            demanded.min_classes = asked.min_classes.or(Some(least));
        }
        if let Some(start) = self.start {
            let characters = |start: Start| start.characters();
            if asked.start.is_some_and(|asked| characters(asked).without(characters(start)) != CharSet::default()) {
                return Err(self.weakened("start", start.name()));
            }
            demanded.start = asked.start.or(Some(start));
        }
        Ok(demanded)
    }

    fn weakened(&self, parameter: &'static str, demand: &str) -> PolicyError {
        PolicyError::Weakens { preset: self.name, parameter, demand: demand.to_owned() }
    }
}
