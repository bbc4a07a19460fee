//! The text form of an API key.
//!
//! ```text
//! plk_ + 49 base62 digits of (id 12 bytes, secret 16 bytes, tag 8 bytes) + 6 base62 digits of a CRC-32
//! ```
//!
//! 59 characters, matched by `plk_[0-9A-Za-z]{55}`. The CRC-32 (ISO-HDLC) covers everything before
//! it, so that secret scanners recognise a key offline. The tag is HMAC-SHA256 of id and secret under
//! the deployment's pepper, truncated: it lets the function turn forged keys away without asking the
//! database. It authenticates nobody; the database does, by the SHA-256 of the secret. The secret has
//! 128 random bits, so a plain hash of it is enough.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use rand::TryCryptoRng;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

const PREFIX: &str = "plk_";
const ID: usize = 12;
const SECRET: usize = 16;
const TAG: usize = 8;
const PAYLOAD: usize = ID + SECRET + TAG;
/// 62^49 > 2^288 > 62^48.
const PAYLOAD_DIGITS: usize = 49;
/// 62^6 > 2^32.
const CHECKSUM_DIGITS: usize = 6;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The public part of a key: 12 random bytes, written as 24 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId([u8; ID]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As one number: byte by byte it was 2 % of a request's instructions.
        let number = self.0.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
        write!(f, "{number:0digits$x}", digits = 2 * ID)
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        parse_hex(text).map(|bytes| Self(*bytes)).ok_or(KeyError::Malformed)
    }
}

/// A key whose text is well formed and carries this deployment's tag. Whether it admits anyone, the
/// database decides.
#[derive(Clone)]
pub struct ApiKey {
    id: KeyId,
    secret_hash: [u8; 32],
}

/// Why a text is no key of this deployment. Callers see the same answer for either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// Not the form of a key, or its checksum does not fit.
    Malformed,
    /// The form of a key, but its tag was not made under one of the peppers.
    Forged,
}

impl ApiKey {
    /// Reads a key. Costs no call to the database.
    ///
    /// # Errors
    /// [`KeyError`] when it is no key of this deployment.
    pub fn parse(text: &str, peppers: &Peppers) -> Result<Self, KeyError> {
        let payload = decode(text).ok_or(KeyError::Malformed)?;
        let (body, tag) = payload.split_at(ID + SECRET);
        if !peppers.made(body, tag) {
            return Err(KeyError::Forged);
        }
        Ok(Self::of(body))
    }

    /// Makes a new key, and the text that its holder gets to see once.
    ///
    /// # Errors
    /// That of the random source.
    pub fn generate<R: TryCryptoRng>(random: &mut R, peppers: &Peppers) -> Result<(Self, Zeroizing<String>), R::Error> {
        let mut id = [0; ID];
        random.try_fill_bytes(&mut id)?;
        Self::generate_for(KeyId(id), random, peppers)
    }

    /// Makes a new secret for a key that is there.
    ///
    /// # Errors
    /// That of the random source.
    pub fn generate_for<R: TryCryptoRng>(
        id: KeyId,
        random: &mut R,
        peppers: &Peppers,
    ) -> Result<(Self, Zeroizing<String>), R::Error> {
        let mut payload = Zeroizing::new([0; PAYLOAD]);
        let (body, tag) = payload.split_at_mut(ID + SECRET);
        body[..ID].copy_from_slice(&id.0);
        random.try_fill_bytes(&mut body[ID..])?;
        tag.copy_from_slice(&peppers.tag(body));
        let key = Self::of(body);
        Ok((key, encode(&payload)))
    }

    fn of(body: &[u8]) -> Self {
        let mut id = [0; ID];
        let (public, secret) = body.split_at(ID);
        id.copy_from_slice(public);
        Self { id: KeyId(id), secret_hash: Sha256::digest(secret).into() }
    }

    /// The key's public part.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// SHA-256 of the key's secret.
    #[must_use]
    pub const fn secret_hash(&self) -> [u8; 32] {
        self.secret_hash
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.id)
    }
}

fn decode(text: &str) -> Option<Zeroizing<[u8; PAYLOAD]>> {
    let digits = text.strip_prefix(PREFIX)?;
    if digits.len() != PAYLOAD_DIGITS + CHECKSUM_DIGITS || !digits.is_ascii() {
        return None;
    }
    let (payload, checksum) = digits.split_at(PAYLOAD_DIGITS);
    let stated = from_base62::<4>(checksum)?;
    let computed = crc32fast::hash(&text.as_bytes()[..PREFIX.len() + PAYLOAD_DIGITS]);
    if u32::from_be_bytes(*stated) != computed {
        return None;
    }
    from_base62(payload)
}

fn encode(payload: &[u8; PAYLOAD]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + PAYLOAD_DIGITS + CHECKSUM_DIGITS));
    text.push_str(PREFIX);
    push_base62::<PAYLOAD, PAYLOAD_DIGITS>(&mut text, payload);
    let checksum = crc32fast::hash(text.as_bytes()).to_be_bytes();
    push_base62::<4, CHECKSUM_DIGITS>(&mut text, &checksum);
    text
}

/// The big-endian number that the digits write, or nothing if one is no digit or the number is 2^(8·N) or more.
fn from_base62<const N: usize>(digits: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut number = Zeroizing::new([0_u8; N]);
    for digit in digits.bytes() {
        let position = DIGITS.iter().position(|&one| one == digit)?;
        let mut carry = u32::try_from(position).ok()?;
        for byte in number.iter_mut().rev() {
            carry += u32::from(*byte) * 62;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(number)
}

/// Appends a big-endian number in exactly `D` base62 digits.
fn push_base62<const N: usize, const D: usize>(text: &mut String, number: &[u8; N]) {
    let mut left = Zeroizing::new(*number);
    let mut digits = Zeroizing::new([0_u8; D]);
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0;
        for byte in left.iter_mut() {
            let dividend = remainder * 256 + usize::from(*byte);
            *byte = (dividend / 62).to_le_bytes()[0];
            remainder = dividend % 62;
        }
        *digit = DIGITS[remainder];
    }
    text.extend(digits.iter().copied().map(char::from));
}

/// The secrets under which a deployment makes the tags of its keys: one, or two while one replaces
/// the other. New keys are made under the first.
pub struct Peppers(Vec<Zeroizing<[u8; 32]>>);

/// `KEY_PEPPER` is not one or two secrets of 32 bytes in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeppersError;

impl Peppers {
    /// Reads one pepper, or two separated by a comma, of 64 hexadecimal digits each.
    ///
    /// # Errors
    /// [`PeppersError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, PeppersError> {
        let peppers: Vec<_> =
            text.split(',').map(|one| parse_hex(one.trim())).collect::<Option<_>>().ok_or(PeppersError)?;
        if peppers.len() > 2 {
            return Err(PeppersError);
        }
        Ok(Self(peppers))
    }

    fn tag(&self, body: &[u8]) -> [u8; TAG] {
        truncated_mac(&self.0[0], body)
    }

    /// Whether the tag was made under one of the peppers. Takes the same time whichever it was.
    fn made(&self, body: &[u8], tag: &[u8]) -> bool {
        let matching = self.0.iter().fold(Choice::from(0), |any, pepper| any | truncated_mac(pepper, body).ct_eq(tag));
        matching.into()
    }
}

impl fmt::Debug for Peppers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peppers({})", self.0.len())
    }
}

fn truncated_mac(pepper: &[u8; 32], body: &[u8]) -> [u8; TAG] {
    // A key of 32 bytes is shorter than SHA-256's block, so it is taken as it is.
    let mut block = [0; 64];
    block[..32].copy_from_slice(pepper);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    mac.update(body);
    let mut tag = [0; TAG];
    tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
    tag
}

fn parse_hex<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let digits = std::str::from_utf8(digits).ok().filter(|pair| !pair.starts_with('+'))?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}
