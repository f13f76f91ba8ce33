use crate::Problem;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often something may be done: `burst` times at once, then as slowly as makes `burst` times in a `window`.
/// Keys come from what the server knows, never from what somebody wrote into a header.
pub(crate) struct Limits {
    window: Duration,
    step: Duration,
    /// When the bucket of this key will be full again.
    full: Mutex<HashMap<String, Instant>>,
}

const WINDOW: Duration = Duration::from_secs(15 * 60);
/// Enough for any honest crowd; when there are more, the full buckets go.
const KEYS: usize = 50_000;

impl Limits {
    pub(crate) fn new(burst: u32) -> Limits {
        Limits::over(WINDOW, burst)
    }

    pub(crate) fn over(window: Duration, burst: u32) -> Limits {
        Limits { window, step: window / burst.max(1), full: Mutex::default() }
    }

    pub(crate) fn take(&self, key: &str) -> Result<(), Problem> {
        self.take_at(key, Instant::now())
    }

    fn take_at(&self, key: &str, now: Instant) -> Result<(), Problem> {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if full.len() >= KEYS {
            full.retain(|_, at| *at > now);
        }
        let at = full.get(key).copied().unwrap_or(now).max(now) + self.step;
        match (at - now).checked_sub(self.window) {
            Some(wait) if !wait.is_zero() => Err(Problem::TooMany(wait)),
            _ => {
                full.insert(key.to_owned(), at);
                Ok(())
            }
        }
    }

    /// It was somebody who may: this time does not count.
    pub(crate) fn give_back(&self, key: &str) {
        let mut full = self.full.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = full.get_mut(key)
            && let Some(before) = at.checked_sub(self.step)
        {
            *at = before;
        }
    }

    pub(crate) fn forget(&self, key: &str) {
        self.full.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_at_once_and_then_slowly() {
        let limits = Limits::new(9);
        let start = Instant::now();
        let wait = |key: &str, seconds: u64| match limits.take_at(key, start + Duration::from_secs(seconds)) {
            Ok(()) => 0,
            Err(Problem::TooMany(wait)) => wait.as_secs(),
            Err(_) => unreachable!(),
        };
        assert_eq!((0..9).map(|_| wait("a", 0)).sum::<u64>(), 0);
        assert_eq!(wait("a", 0), 100);
        assert_eq!(wait("b", 0), 0);
        assert_eq!(wait("a", 60), 40);
        assert_eq!(wait("a", 100), 0);
        assert_eq!(wait("a", 100), 100);
        limits.give_back("a");
        assert_eq!(wait("a", 100), 0);
        limits.forget("a");
        assert_eq!((0..9).map(|_| wait("a", 100)).sum::<u64>(), 0);
    }
}
