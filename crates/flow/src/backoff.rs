use rand::Rng;
use std::time::Duration;

/// How long to wait after the `attempt`-th try, which is counted from 1: grows by `factor`, ends at `most`, and is
/// spread by a quarter so that what failed together does not come back together.
pub(crate) fn backoff(first: Duration, factor: f64, most: Duration, attempt: i32) -> Duration {
    let times = factor.powi((attempt - 1).clamp(0, 60));
    let seconds = (first.as_secs_f64() * times).min(most.as_secs_f64());
    Duration::from_secs_f64(seconds * rand::rng().random_range(0.75..1.25))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_the_most() {
        let wait =
            |attempt| backoff(Duration::from_secs(4), 3.0, Duration::from_secs(60), attempt).as_secs_f64();
        assert!((3.0..=5.0).contains(&wait(1)));
        assert!((9.0..=15.0).contains(&wait(2)));
        assert!((45.0..=75.0).contains(&wait(1000)));
        assert!((3.0..=5.0).contains(&wait(i32::MIN + 1)));
    }
}
