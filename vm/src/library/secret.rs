//! Hashes, signatures, passwords, tokens, ids, Base64 and the environment. Here together because they deal with secrets.
//! Must stay true: randomness and the environment come from the host; the algorithms come from kept crates; a hash of a
//! password that somebody else wrote cannot make checking it arbitrarily expensive.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::{LibCall, Ret, str_of};
use crate::fault::{Fault, Res};
use crate::host::LogLevel;
use crate::trap::ErrorKind;

/// Memory of a password hash in KiB. With the passes below what OWASP asks of Argon2id.
const PASSWORD_KIB: u32 = 19 * 1024;
/// Passes over that memory.
const PASSWORD_PASSES: u32 = 2;
/// Lanes; more would only help where several threads compute.
const PASSWORD_LANES: u32 = 1;
const SALT_BYTES: usize = 16;
/// Work of a password hash in units of an instruction: it counts toward the limits of the run.
const PASSWORD_UNITS: usize = 1 << 20;
/// Most that a stored hash may ask for: hashes made with higher costs elsewhere can still be checked, not any cost.
const STORED_KIB_MAX: u32 = 128 * 1024;
/// Memory times passes: what the usual libraries ask for by themselves, such as 64 MiB four times or 100 MiB twice.
const STORED_WORK_KIB_MAX: u64 = 256 * 1024;
const STORED_LANES_MAX: u32 = 16;

/// Most bytes of `secure_random`.
const RANDOM_BYTES_MAX: i64 = 1024;

/// Decodes with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn env(call: &mut LibCall<'_>) -> Res<Ret> {
    let name = call.text(0)?;
    match call.host.env(str_of(&name)) {
        Some(value) => call.text_result(&value),
        None => Ok(Ret::None),
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

pub(super) fn sha256(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    call.text_result(&hex(&Sha256::digest(str_of(&text))))
}

pub(super) fn hmac_sha256(call: &mut LibCall<'_>) -> Res<Ret> {
    let (text, key) = (call.text(0)?, call.text(1)?);
    let mut mac = Hmac::<Sha256>::new_from_slice(str_of(&key).as_bytes())
        .expect("a key of any length will do");
    mac.update(str_of(&text).as_bytes());
    call.text_result(&hex(&mac.finalize().into_bytes()))
}

fn no_hash(message: impl Into<String>) -> Fault {
    Fault::new(ErrorKind::ArgumentError, message)
}

pub(super) fn hash_password(call: &mut LibCall<'_>) -> Res<Ret> {
    let password = call.text(0)?;
    call.spend(PASSWORD_UNITS)?;
    let mut salt = [0; SALT_BYTES];
    call.host.random(&mut salt);
    let params = Params::new(PASSWORD_KIB, PASSWORD_PASSES, PASSWORD_LANES, None)
        .expect("the costs are possible");
    let hash = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(str_of(&password).as_bytes(), &salt)
        .map_err(|error| no_hash(format!("this password cannot be hashed: {error}")))?;
    call.text_result(&hash.to_string())
}

/// Units of checking a hash of these costs.
fn work_of(params: &Params) -> usize {
    let cost = |kib: u32, passes: u32| u64::from(kib) * u64::from(passes);
    let times =
        cost(params.m_cost(), params.t_cost()).div_ceil(cost(PASSWORD_KIB, PASSWORD_PASSES));
    PASSWORD_UNITS.saturating_mul(times as usize)
}

/// What is said about a hash that asks for more than is done for any.
fn too_costly(params: &Params) -> Option<String> {
    let (kib, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
    let work = u64::from(kib) * u64::from(passes);
    let fits = kib <= STORED_KIB_MAX && work <= STORED_WORK_KIB_MAX && lanes <= STORED_LANES_MAX;
    (!fits).then(|| {
        format!(
            "the stored password hash asks for {kib} KiB, passes: {passes}, lanes: {lanes}; at most {STORED_KIB_MAX} KiB, \
             {STORED_WORK_KIB_MAX} KiB times passes and {STORED_LANES_MAX} lanes are spent on checking a password"
        )
    })
}

pub(super) fn verify_password(call: &mut LibCall<'_>) -> Res<Ret> {
    let (password, stored) = (call.text(0)?, call.text(1)?);
    let refused = || no_hash("`hash` is no hash that `hash_password` made");
    let stored = PasswordHash::new(str_of(&stored)).map_err(|_| refused())?;
    let is_known = Algorithm::try_from(stored.algorithm.as_str()).is_ok();
    let params = Params::try_from(&stored).map_err(|_| refused())?;
    if !is_known || stored.hash.is_none() || stored.salt.is_none() {
        return Err(refused());
    }
    if let Some(refused) = too_costly(&params) {
        call.host.log(LogLevel::Warning, &refused);
        return Err(no_hash(refused));
    }
    call.spend(work_of(&params))?;
    let password = str_of(&password).as_bytes();
    Ok(Ret::Bool(
        Argon2::default().verify_password(password, &stored).is_ok(),
    ))
}

pub(super) fn secure_random(call: &mut LibCall<'_>) -> Res<Ret> {
    let count = call.int(0);
    if !(1..=RANDOM_BYTES_MAX).contains(&count) {
        return Err(Fault::new(
            ErrorKind::ArgumentError,
            format!("{count} random bytes are not possible, 1 to {RANDOM_BYTES_MAX} are"),
        ));
    }
    let mut bytes = vec![0; count as usize];
    call.host.random(&mut bytes);
    call.text_result(&hex(&bytes))
}

pub(super) fn generate_uuid(call: &mut LibCall<'_>) -> Res<Ret> {
    let mut bytes = [0; 16];
    call.host.random(&mut bytes);
    let uuid = uuid_of(bytes);
    call.text_result(&uuid)
}

/// A UUID of version 4 (RFC 9562): all bits random but those that say so.
fn uuid_of(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let digits = hex(&bytes);
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    parts.join("-")
}

pub(super) fn base64_encode(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    call.fits(str_of(&text).len().div_ceil(3).saturating_mul(4))?;
    call.text_result(&BASE64.encode(str_of(&text)))
}

pub(super) fn base64_decode(call: &mut LibCall<'_>) -> Res<Ret> {
    let text = call.text(0)?;
    // The alphabet for URLs differs in two signs only.
    let standard = str_of(&text).trim().replace('-', "+").replace('_', "/");
    let bytes = BASE64
        .decode(standard)
        .map_err(|error| Fault::new(ErrorKind::ParseError, format!("no Base64: {error}")))?;
    match String::from_utf8(bytes) {
        Ok(text) => call.text_result(&text),
        Err(_) => Err(Fault::new(
            ErrorKind::ParseError,
            "the bytes written in Base64 are no text (UTF-8)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_their_version() {
        assert_eq!(uuid_of([0; 16]), "00000000-0000-4000-8000-000000000000");
        assert_eq!(uuid_of([255; 16]), "ffffffff-ffff-4fff-bfff-ffffffffffff");
    }

    #[test]
    fn hex_has_two_digits_a_byte() {
        assert_eq!(hex(&[0, 10, 255]), "000aff");
    }
}
