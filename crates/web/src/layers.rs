use crate::{
    Problem, RequestId, State, extract::visit, platform::language, problem::Logged, sentences,
    transfer::decoded,
};
use axum::{
    body::Body,
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// Longer than any statement may run.
const PATIENCE: Duration = Duration::from_secs(60);

/// Around every request: its id, its time, the headers that every answer has, and a line in the log.
pub(crate) async fn outermost(
    axum::extract::State(state): axum::extract::State<State>,
    mut request: Request,
    next: Next,
) -> Response {
    let id = Uuid::now_v7();
    let started = Instant::now();
    request.extensions_mut().insert(RequestId(id));
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map(|p| p.as_str().to_owned());
    let language = language(request.headers());
    let streams = path.ends_with("/events") || path.ends_with("/_export") || path.ends_with("/files");
    let _flying = state.metrics.begin();
    let writes = !matches!(method, axum::http::Method::GET | axum::http::Method::HEAD);
    let mut response = if let Err(problem) = admitted(&state, &request) {
        problem.into_response()
    } else if streams {
        next.run(request).await
    } else {
        match tokio::time::timeout(PATIENCE, next.run(request)).await {
            Ok(response) => response,
            Err(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
        }
    };
    let status = response.status();
    let taken = started.elapsed();
    if writes && status.is_success() {
        // Codes and notices should be with people before they look for them.
        (state.wake)();
    }
    state.metrics.end(status, taken);
    if let Some(Logged(said)) = response.extensions_mut().remove::<Logged>() {
        tracing::error!(request = %id, %method, path, said, "broken");
        state.log.error(
            &said,
            flow::About { request: Some(id), ..Default::default() },
            serde_json::json!({ "method": method.as_str(), "route": route }),
        );
    }
    tracing::info!(request = %id, %method, route, status = status.as_u16(), micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX), "request");
    if response.headers().get(header::CONTENT_TYPE).is_some_and(|k| k == "application/problem+json") {
        response =
            named(response, id, |problem| sentences::translate(state.store.catalog(), language, problem))
                .await;
    }
    let api = path.starts_with("/api/");
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), value);
    }
    for (name, value) in SAFE {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if api {
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-store"));
        headers.insert(header::VARY, HeaderValue::from_static("Cookie, Authorization, Accept-Language"));
    }
    if state.is_secure() {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=63072000; includeSubDomains"),
        );
    }
    response
}

/// Nobody knocks too often, and every address is text.
fn admitted(state: &State, request: &Request) -> Result<(), Problem> {
    state.auth.admit_peer(&visit(request.headers(), request.extensions()))?;
    let uri = request.uri();
    if [uri.path(), uri.query().unwrap_or_default()].into_iter().all(is_text) {
        return Ok(());
    }
    Err(kernel::Error::malformed("The address is not UTF-8.").into())
}

/// Whether what is percent-encoded is UTF-8.
fn is_text(encoded: &str) -> bool {
    !encoded.contains('%') || String::from_utf8(decoded(encoded)).is_ok()
}

/// What our own pages may load; see also [`crate::pages`].
pub(crate) const POLICY: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

const SAFE: [(&str, &str); 6] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Puts a problem into its reader's words, and the request's id into it, so that whoever reports it can name it.
async fn named(response: Response, id: Uuid, translate: impl Fn(&mut serde_json::Value)) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, 1 << 20).await else {
        return parts.into_response();
    };
    let Ok(mut problem) = serde_json::from_slice::<serde_json::Value>(&bytes) else {
        return Response::from_parts(parts, Body::from(bytes));
    };
    translate(&mut problem);
    problem["request_id"] = id.to_string().into();
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(problem.to_string()))
}
