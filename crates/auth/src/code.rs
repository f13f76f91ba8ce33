//! Random secrets and what is kept of them: only hashes.

use data_encoding::BASE64URL_NOPAD;
use rand::RngCore;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub(crate) type Hash = [u8; 32];

/// What API tokens start with, so that a leaked one is recognized by those who search for them.
const KEY: &str = "fdo_";
/// The same for links that show something to whoever has them.
const LINK: &str = "fds_";
const RANDOM: usize = 32;
/// Without the characters that people mistake for others: 0 O 1 I.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// 256 bits: of a session, of a link.
pub(crate) fn token() -> String {
    BASE64URL_NOPAD.encode(&random::<RANDOM>())
}

/// Says itself in which organization it is to be looked up.
fn naming(organization: Uuid) -> String {
    BASE64URL_NOPAD.encode(&[&random::<RANDOM>()[..], organization.as_bytes()].concat())
}

fn named(rest: &str) -> Option<Uuid> {
    Uuid::from_slice(BASE64URL_NOPAD.decode(rest.as_bytes()).ok()?.get(RANDOM..)?).ok()
}

/// Of an API token.
pub(crate) fn api_token(organization: Uuid) -> String {
    format!("{KEY}{}", naming(organization))
}

/// Of a public link.
pub(crate) fn share_token(organization: Uuid) -> String {
    format!("{LINK}{}", naming(organization))
}

/// In which organization a public link was made; `None` when we never gave out such a one.
pub(crate) fn shared_by(token: &str) -> Option<Uuid> {
    named(token.strip_prefix(LINK)?)
}

pub(crate) enum Token {
    Session,
    Api(Uuid),
}

/// What a token claims to be; `None` when we never gave out such a one.
pub(crate) fn read(token: &str) -> Option<Token> {
    match token.strip_prefix(KEY) {
        Some(rest) => Some(Token::Api(named(rest)?)),
        None => (BASE64URL_NOPAD.decode(token.as_bytes()).ok()?.len() == RANDOM).then_some(Token::Session),
    }
}

pub(crate) fn hash(token: &str) -> Hash {
    Sha256::digest(token.trim()).into()
}

/// Eight characters that somebody types off a mail.
pub(crate) fn short() -> String {
    short_of(8)
}

/// Ten codes for the day on which the telephone is lost.
pub(crate) fn recovery() -> Vec<String> {
    (0..10).map(|_| format!("{}-{}", short_of(5), short_of(5))).collect()
}

fn short_of(length: usize) -> String {
    random::<16>().iter().take(length).map(|b| char::from(ALPHABET[usize::from(b & 31)])).collect()
}

/// A short code as it was meant, however it was typed.
pub(crate) fn plain(typed: &str) -> String {
    typed.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_say_what_they_are() {
        let organization = Uuid::new_v4();
        assert!(matches!(read(&token()), Some(Token::Session)));
        assert!(matches!(read(&api_token(organization)), Some(Token::Api(o)) if o == organization));
        let link = share_token(organization);
        assert!(shared_by(&link) == Some(organization) && read(&link).is_none());
        assert!(shared_by(&api_token(organization)).is_none() && shared_by("fds_AAAA").is_none());
        for junk in ["", "fdo_", "fdo_AAAA", "' or true", &token()[1..], &format!("{}A", token())] {
            assert!(read(junk).is_none(), "{junk}");
        }
    }

    #[test]
    fn codes_are_easy_to_read_and_to_type() {
        let code = short();
        assert_eq!(code.len(), 8);
        assert!(code.bytes().all(|b| ALPHABET.contains(&b)), "{code}");
        assert_eq!(plain(&format!(" {}-{}\n", &code[..4].to_lowercase(), &code[4..])), code);
        let recovery = recovery();
        assert_eq!(recovery.len(), 10);
        assert!(recovery.iter().all(|c| c.len() == 11));
    }
}
