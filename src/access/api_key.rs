//! The text form of an API key.
//!
//! ```text
//! plk_ + 49 base62 digits of (id 12 bytes, secret 16 bytes, tag 8 bytes) + 6 base62 digits of a CRC-32
//! ```
//!
//! 59 characters, matched by `plk_[0-9A-Za-z]{55}`. The CRC-32 (ISO-HDLC) covers everything before it, so secret
//! scanners can recognise a key offline. The tag is a truncated HMAC-SHA256 of id and secret under the deployment's
//! signing secret: it lets the function reject forged keys without a database call. It does not authenticate a
//! caller; the database does, by the SHA-256 of the secret. The secret has 128 random bits, so a plain hash of it is
//! enough.

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use rand::TryCryptoRng;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, Zeroizing};

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
        let mut digits = [0; 2 * ID];
        hex::encode_to_slice(self.0, &mut digits).map_err(|_| fmt::Error)?;
        f.write_str(std::str::from_utf8(&digits).map_err(|_| fmt::Error)?)
    }
}

impl FromStr for KeyId {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        parse_hex(text).map(|bytes| Self(*bytes)).ok_or(KeyError::Malformed)
    }
}

/// A key whose text is well formed and carries this deployment's tag. The database decides whether it is valid.
#[derive(Clone)]
pub struct ApiKey {
    id: KeyId,
    secret_hash: [u8; 32],
}

/// Why a text is not a key of this deployment. Callers see the same answer for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// It does not have the form of a key, or its checksum is wrong.
    Malformed,
    /// It has the form of a key, but its tag was not made under one of the signing secrets.
    Forged,
}

impl ApiKey {
    /// What every key begins with.
    pub const PREFIX: &str = "plk_";

    /// Reads a key, without any I/O.
    ///
    /// # Errors
    /// [`KeyError`] when it is not a key of this deployment.
    pub fn parse(text: &str, secrets: &SigningSecrets) -> Result<Self, KeyError> {
        let payload = decode(text).ok_or(KeyError::Malformed)?;
        let (body, tag) = payload.split_at(ID + SECRET);
        if !secrets.verify(body, tag) {
            return Err(KeyError::Forged);
        }
        Ok(Self::from_body(body))
    }

    /// Generates a key, and the text that its holder sees once.
    ///
    /// # Errors
    /// The error of the random source.
    pub fn generate<R: TryCryptoRng>(
        random: &mut R,
        secrets: &SigningSecrets,
    ) -> Result<(Self, Zeroizing<String>), R::Error> {
        let mut id = [0; ID];
        random.try_fill_bytes(&mut id)?;
        Self::generate_for(KeyId(id), random, secrets)
    }

    /// Generates a new secret for an existing key.
    ///
    /// # Errors
    /// The error of the random source.
    pub fn generate_for<R: TryCryptoRng>(
        id: KeyId,
        random: &mut R,
        secrets: &SigningSecrets,
    ) -> Result<(Self, Zeroizing<String>), R::Error> {
        let mut payload = Zeroizing::new([0; PAYLOAD]);
        let (body, tag) = payload.split_at_mut(ID + SECRET);
        body[..ID].copy_from_slice(&id.0);
        random.try_fill_bytes(&mut body[ID..])?;
        tag.copy_from_slice(&secrets.tag(body));
        let key = Self::from_body(body);
        Ok((key, encode(&payload)))
    }

    fn from_body(body: &[u8]) -> Self {
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
    let digits = text.strip_prefix(ApiKey::PREFIX)?;
    if digits.len() != PAYLOAD_DIGITS + CHECKSUM_DIGITS || !digits.is_ascii() {
        return None;
    }
    let (payload, checksum) = digits.split_at(PAYLOAD_DIGITS);
    let stated = from_base62::<4>(checksum)?;
    let computed = crc32fast::hash(&text.as_bytes()[..ApiKey::PREFIX.len() + PAYLOAD_DIGITS]);
    if u32::from_be_bytes(*stated) != computed {
        return None;
    }
    from_base62(payload)
}

fn encode(payload: &[u8; PAYLOAD]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(ApiKey::PREFIX.len() + PAYLOAD_DIGITS + CHECKSUM_DIGITS));
    text.push_str(ApiKey::PREFIX);
    push_base62::<PAYLOAD, PAYLOAD_DIGITS>(&mut text, payload);
    let checksum = crc32fast::hash(text.as_bytes()).to_be_bytes();
    push_base62::<4, CHECKSUM_DIGITS>(&mut text, &checksum);
    text
}

/// The big-endian number that base62 digits write; `None` if a character is not a digit, or the number is 2^(8·N) or
/// more.
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

/// The secrets under which a deployment makes the tags of its keys: one, or two while one replaces the other. New keys
/// are made under the first.
pub struct SigningSecrets(Vec<Zeroizing<[u8; 32]>>);

/// The value of `KEY_SIGNING_SECRET` is not one or two secrets of 32 bytes in hexadecimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningSecretsError;

impl SigningSecrets {
    /// Reads one secret, or two separated by a comma, of 64 hexadecimal digits each.
    ///
    /// # Errors
    /// [`SigningSecretsError`] for anything else.
    pub fn parse(text: &str) -> Result<Self, SigningSecretsError> {
        let secrets: Vec<_> =
            text.split(',').map(|one| parse_hex(one.trim())).collect::<Option<_>>().ok_or(SigningSecretsError)?;
        if secrets.len() > 2 {
            return Err(SigningSecretsError);
        }
        Ok(Self(secrets))
    }

    fn tag(&self, body: &[u8]) -> [u8; TAG] {
        truncated_mac(&self.0[0], body)
    }

    /// Whether the tag was made under one of the secrets. Takes the same time for each of them.
    fn verify(&self, body: &[u8], tag: &[u8]) -> bool {
        let matching = self.0.iter().fold(Choice::from(0), |any, secret| any | truncated_mac(secret, body).ct_eq(tag));
        matching.into()
    }
}

impl fmt::Debug for SigningSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningSecrets({})", self.0.len())
    }
}

fn truncated_mac(secret: &[u8; 32], body: &[u8]) -> [u8; TAG] {
    // HMAC pads a key that is shorter than SHA-256's block of 64 bytes with zeros.
    let mut block = [0; 64];
    block[..32].copy_from_slice(secret);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    mac.update(body);
    let mut tag = [0; TAG];
    tag.copy_from_slice(&mac.finalize().into_bytes()[..TAG]);
    tag
}

fn parse_hex<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    hex::decode_to_slice(text, bytes.as_mut()).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    const SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const OTHER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn generate(secrets: &SigningSecrets) -> (ApiKey, Zeroizing<String>) {
        let Ok(generated) = ApiKey::generate(&mut StdRng::seed_from_u64(1), secrets);
        generated
    }

    #[test]
    fn base62_digits_of_number_are_fixed_width_and_read_back() {
        for (number, digits) in
            [(0_u32, "000000"), (61, "00000z"), (62, "000010"), (3_844, "000100"), (u32::MAX, "4gfFC3")]
        {
            let mut text = Zeroizing::new(String::new());
            push_base62::<4, 6>(&mut text, &number.to_be_bytes());
            assert_eq!(text.as_str(), digits);
            assert_eq!(from_base62::<4>(digits).map(|bytes| u32::from_be_bytes(*bytes)), Some(number), "{digits}");
        }
    }

    #[test]
    fn base62_that_is_too_large_or_not_a_digit_is_rejected() {
        for digits in ["4gfFC4", "zzzzzz", "00000-", "00000é", " 00000"] {
            assert!(from_base62::<4>(digits).is_none(), "{digits}");
        }
    }

    #[test]
    fn generated_key_parses_under_its_secret_only() {
        let secrets = SigningSecrets::parse(SECRET).unwrap();
        let (key, text) = generate(&secrets);
        assert_eq!((text.len(), &text[..4]), (59, ApiKey::PREFIX));
        let parsed = ApiKey::parse(&text, &secrets).unwrap();
        assert_eq!((parsed.id(), parsed.secret_hash()), (key.id(), key.secret_hash()));
        let other = SigningSecrets::parse(OTHER).unwrap();
        assert_eq!(ApiKey::parse(&text, &other).err(), Some(KeyError::Forged));
        let both = SigningSecrets::parse(&format!("{OTHER},{SECRET}")).unwrap();
        assert!(ApiKey::parse(&text, &both).is_ok());
    }

    #[test]
    fn key_with_any_character_changed_is_malformed() {
        let secrets = SigningSecrets::parse(SECRET).unwrap();
        let (_, text) = generate(&secrets);
        for at in 0..text.len() {
            let mut bytes = text.as_bytes().to_vec();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(ApiKey::parse(&changed, &secrets).err(), Some(KeyError::Malformed), "character {at}");
        }
        for wrong in ["", "plk_", &text[1..], &text[..58], &format!("{}0", text.as_str()), "plk_é"] {
            assert_eq!(ApiKey::parse(wrong, &secrets).err(), Some(KeyError::Malformed), "{wrong}");
        }
    }

    #[test]
    fn signing_secrets_that_are_not_one_or_two_of_64_digits_are_rejected() {
        for text in ["", "0", &SECRET[1..], &format!("{SECRET}0"), &format!("{SECRET},"), &SECRET.replace('f', "g")] {
            assert_eq!(SigningSecrets::parse(text).err(), Some(SigningSecretsError), "{text}");
        }
        assert!(SigningSecrets::parse(&format!("{SECRET},{SECRET},{SECRET}")).is_err());
        assert!(SigningSecrets::parse(&format!(" {SECRET} , {OTHER} ")).is_ok());
        assert!(SigningSecrets::parse(&SECRET.replace("00", "+0")).is_err());
    }
}
