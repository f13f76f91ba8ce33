use crate::Problem;
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, Version,
    password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString},
};
use kernel::Error;
use std::{
    collections::HashSet,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::Semaphore;

/// The 30,000 most common passwords, from zxcvbn (MIT, data/common_passwords.LICENSE.txt).
static COMMON: LazyLock<HashSet<&str>> =
    LazyLock::new(|| include_str!("../data/common_passwords.txt").lines().collect());

/// Whether `password` will do for the person with this address.
pub fn check_password(password: &str, email: &str) -> kernel::Result<()> {
    let refused = |message| Err(Error::refused_at("password", message));
    let length = password.chars().count();
    if length < 10 {
        return refused("A password needs at least 10 characters.");
    }
    if length > 128 {
        return refused("A password has at most 128 characters.");
    }
    let lower = password.to_lowercase();
    // `Sunshine2024!` is the common `sunshine` in disguise.
    let stem = lower.trim_matches(|c: char| !c.is_alphabetic());
    let few = lower.chars().collect::<HashSet<_>>().len() < 5;
    if few || COMMON.contains(lower.as_str()) || (stem.len() >= 4 && COMMON.contains(stem)) {
        return refused("This password is too common.");
    }
    let name = email.split('@').next().unwrap_or_default();
    if name.len() >= 4 && lower.contains(name) {
        return refused("A password must not contain your own e-mail name.");
    }
    Ok(())
}

/// Hashes with argon2id, two at once at most: each takes 19 MiB and a core, and the rest of the server goes on. The memory
/// is kept and used again: given back, the system's allocator would keep as much for every thread that ever hashed.
pub(crate) struct Hasher {
    seats: Arc<Semaphore>,
    memory: Arc<Mutex<Vec<Memory>>>,
}

type Memory = Vec<Block>;

const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(10);

impl Hasher {
    pub(crate) fn new() -> Hasher {
        Hasher { seats: Arc::new(Semaphore::new(AT_ONCE)), memory: Arc::default() }
    }

    pub(crate) async fn hash(&self, password: &str) -> Result<String, Problem> {
        let password = password.to_owned();
        self.work(move |memory| hash(&password, memory)).await?
    }

    /// Takes as long when there is no hash to compare with.
    pub(crate) async fn verify(&self, password: &str, known: Option<String>) -> Result<bool, Problem> {
        let password = password.to_owned();
        self.work(move |memory| match known {
            Some(known) => verify(&password, &known, memory),
            None => hash(&password, memory).map(|_| false),
        })
        .await?
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Memory) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let seat = tokio::time::timeout(PATIENCE, self.seats.clone().acquire_owned()).await;
        let Ok(Ok(seat)) = seat else { return Err(Problem::TooMany(PATIENCE)) };
        let all = self.memory.clone();
        let done = tokio::task::spawn_blocking(move || {
            let locked = || all.lock().unwrap_or_else(PoisonError::into_inner);
            let mut memory = locked().pop().unwrap_or_default();
            let done = work(&mut memory);
            locked().push(memory);
            drop(seat);
            done
        });
        done.await.map_err(|e| Error::Broken(Box::new(e)).into())
    }
}

fn hash(password: &str, memory: &mut Memory) -> Result<String, Problem> {
    let salt = SaltString::encode_b64(&crate::code::random::<16>()).map_err(broken)?;
    let params = Params::new(19 * 1024, 2, 1, None).map_err(broken)?;
    let output = digest(password, salt.as_salt(), params.clone(), memory)?;
    let made = PasswordHash {
        algorithm: ARGON2ID_IDENT,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(broken)?,
        salt: Some(salt.as_salt()),
        hash: Some(output),
    };
    Ok(made.to_string())
}

fn verify(password: &str, known: &str, memory: &mut Memory) -> Result<bool, Problem> {
    let known = PasswordHash::new(known).map_err(broken)?;
    let (Some(salt), Some(hash)) = (known.salt, known.hash) else { return Err(broken("no salt or no hash")) };
    // Compared in constant time.
    Ok(digest(password, salt, Params::try_from(&known).map_err(broken)?, memory)? == hash)
}

fn digest(password: &str, salt: Salt<'_>, params: Params, memory: &mut Memory) -> Result<Output, Problem> {
    let mut bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut bytes).map_err(broken)?;
    if memory.len() < params.block_count() {
        memory.resize(params.block_count(), Block::default());
    }
    let mut output = vec![0; params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut output, memory.as_mut_slice())
        .map_err(broken)?;
    Output::new(&output).map_err(broken)
}

fn broken(e: impl std::fmt::Display) -> Problem {
    Error::broken(format!("argon2: {e}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_not_guessable() {
        let check = |password: &str| check_password(password, "aigerim@acme.test").is_ok();
        assert!(check("fondaco-demo"));
        assert!(check("дождь над степью"));
        assert!(check(&"correct horse ".repeat(9)[..64]));
        assert!(check(&"correct horse ".repeat(10)[..128]));
        assert!(!check(&"correct horse ".repeat(10)[..129]));
        for weak in [
            "",
            "short-one",
            "1234567890",
            "aaaaaaaaaaaa",
            "qwertyuiop",
            "Sunshine2024!",
            "password1234",
            "Aigerim-Aigerim",
        ] {
            assert!(!check(weak), "{weak}");
        }
        let common: Vec<&str> = include_str!("../data/common_passwords.txt").lines().take(3000).collect();
        assert!(common.iter().all(|p| !check(p)));
    }

    /// N13: nobody is turned away, and never are there more at once than there are seats.
    #[tokio::test]
    async fn a_crowd_is_hashed_two_at_once() {
        use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
        let hasher = Hasher::new();
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let crowd = (0..200).map(|_| {
            let (now, most) = (now.clone(), most.clone());
            hasher.work(move |_| {
                most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                std::thread::sleep(Duration::from_millis(2));
                now.fetch_sub(1, SeqCst);
            })
        });
        let done = futures_util::future::join_all(crowd).await;
        assert!(done.iter().all(std::result::Result::is_ok));
        assert!(most.load(SeqCst) <= AT_ONCE, "{most:?}");
    }

    #[tokio::test]
    async fn every_byte_counts() {
        let hasher = Hasher::new();
        let (a, b) = (format!("{}a", "x".repeat(72)), format!("{}b", "x".repeat(72)));
        let known = hasher.hash(&a).await.ok();
        assert!(known.as_ref().unwrap().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hasher.verify(&a, known.clone()).await.unwrap_or_default());
        assert!(!hasher.verify(&b, known).await.unwrap_or(true));
        assert!(!hasher.verify(&a, None).await.unwrap_or(true));
        // Of another program, with its own cost: "password" and "somesalt" of the reference implementation.
        let other = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(hasher.verify("password", Some(other.into())).await.unwrap_or_default());
        assert!(!hasher.verify("Password", Some(other.into())).await.unwrap_or(true));
    }
}
