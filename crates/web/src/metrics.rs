use crate::State;
use axum::{
    http::{StatusCode, header},
    response::IntoResponse,
};
use std::{
    fmt::Write,
    sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

/// Upper edges of the answer-time histogram, seconds.
const EDGES: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 15.0];

/// Counters for Prometheus.
#[derive(Debug)]
pub struct Metrics {
    began: Instant,
    flying: AtomicI64,
    classes: [AtomicU64; 6],
    buckets: [AtomicU64; 10],
    micros: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            began: Instant::now(),
            flying: AtomicI64::default(),
            classes: Default::default(),
            buckets: Default::default(),
            micros: AtomicU64::default(),
        }
    }
}

/// One request on its way; counted out when dropped.
pub(crate) struct Flying<'a>(&'a Metrics);

impl Drop for Flying<'_> {
    fn drop(&mut self) {
        self.0.flying.fetch_sub(1, Relaxed);
    }
}

impl Metrics {
    pub(crate) fn begin(&self) -> Flying<'_> {
        self.flying.fetch_add(1, Relaxed);
        Flying(self)
    }

    pub(crate) fn end(&self, status: StatusCode, taken: Duration) {
        self.classes[usize::from(status.as_u16() / 100).min(5)].fetch_add(1, Relaxed);
        let seconds = taken.as_secs_f64();
        let bucket = EDGES.iter().position(|e| seconds <= *e).unwrap_or(EDGES.len());
        self.buckets[bucket].fetch_add(1, Relaxed);
        self.micros.fetch_add(u64::try_from(taken.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Since when it counts.
    pub(crate) fn uptime(&self) -> Duration {
        self.began.elapsed()
    }

    /// What [`show`] tells, in short.
    pub(crate) fn summary(&self) -> serde_json::Value {
        let answered: u64 = self.classes.iter().map(|c| c.load(Relaxed)).sum();
        let average = self.micros.load(Relaxed).checked_div(answered).unwrap_or_default();
        serde_json::json!({
            "answered": answered, "refused": self.classes[4].load(Relaxed), "failed": self.classes[5].load(Relaxed),
            "in_flight": self.flying.load(Relaxed), "average_micros": average,
        })
    }

    fn text(&self) -> Result<String, std::fmt::Error> {
        let mut out = String::new();
        writeln!(
            out,
            "# HELP fondaco_requests_total Requests answered, by class of status.\n# TYPE fondaco_requests_total counter"
        )?;
        for (n, class) in self.classes.iter().enumerate().skip(1) {
            writeln!(out, "fondaco_requests_total{{class=\"{n}xx\"}} {}", class.load(Relaxed))?;
        }
        writeln!(
            out,
            "# HELP fondaco_requests_in_flight Requests being answered.\n# TYPE fondaco_requests_in_flight gauge\nfondaco_requests_in_flight {}",
            self.flying.load(Relaxed)
        )?;
        writeln!(
            out,
            "# HELP fondaco_request_seconds Time to answer.\n# TYPE fondaco_request_seconds histogram"
        )?;
        let mut sum = 0;
        for (n, bucket) in self.buckets.iter().enumerate() {
            sum += bucket.load(Relaxed);
            let edge = EDGES.get(n).map_or("+Inf".to_owned(), f64::to_string);
            writeln!(out, "fondaco_request_seconds_bucket{{le=\"{edge}\"}} {sum}")?;
        }
        let micros = Duration::from_micros(self.micros.load(Relaxed)).as_secs_f64();
        writeln!(out, "fondaco_request_seconds_sum {micros}\nfondaco_request_seconds_count {sum}")?;
        Ok(out)
    }
}

/// Counts only, nothing of any company.
pub(crate) async fn show(axum::extract::State(state): axum::extract::State<State>) -> impl IntoResponse {
    let text = state.metrics.text().unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text)
}
