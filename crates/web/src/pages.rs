use crate::{Problem, State, extract::cookie, layers::POLICY};
use axum::{
    extract::State as Has,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
};
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "$FONDACO_UI"]
struct Ui;

/// The embedded pages. Every path that is no file is the one page, which reads the path; a missing asset is missing,
/// so that an old tab notices the upgrade and loads itself anew.
pub(crate) async fn page(Has(state): Has<State>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if !matches!(method, Method::GET | Method::HEAD) || path.starts_with("api/") {
        return Problem::Kernel(kernel::Error::NotFound).into_response();
    }
    if let Some(file) = Ui::get(path).filter(|_| !path.is_empty()) {
        let kind = mime_guess::from_path(path).first_or_octet_stream();
        // Assets carry a hash in their names; the others are small and may change.
        let keep =
            if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let kind = HeaderValue::from_str(kind.as_ref())
            .unwrap_or(HeaderValue::from_static("application/octet-stream"));
        return (
            [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static(keep))],
            file.data.into_owned(),
        )
            .into_response();
    }
    if path.starts_with("assets/") || path.rsplit('/').next().is_some_and(|name| name.contains('.')) {
        return Problem::Kernel(kernel::Error::NotFound).into_response();
    }
    match Ui::get("index.html") {
        Some(page) => {
            let answered =
                [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")];
            let mut response = (answered, page.data.into_owned()).into_response();
            if let Some(policy) = framing(&state, path, &headers).await {
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            if path.starts_with("s/") {
                // A link is for whom it was given to, and for no search.
                let name = HeaderName::from_static("x-robots-tag");
                response.headers_mut().insert(name, HeaderValue::from_static("noindex, nofollow"));
            }
            response
        }
        None => Problem::Kernel(kernel::Error::NotFound).into_response(),
    }
}

/// The policy of a page for somebody whose company lets pages of others be shown inside it; a link's page shows none.
async fn framing(state: &State, path: &str, headers: &HeaderMap) -> Option<HeaderValue> {
    let token = cookie(headers, state.cookie_name()).filter(|_| !path.starts_with("s/"))?;
    // Without an answer nothing is shown inside, which is what the page says by itself.
    let hosts = state.auth.frames(token, uuid::Uuid::now_v7()).await.unwrap_or_default();
    let hosts: Vec<String> = hosts.iter().map(|host| format!("https://{host}")).collect();
    if hosts.is_empty() {
        return None;
    }
    HeaderValue::from_str(&format!("{POLICY}; frame-src {}", hosts.join(" "))).ok()
}
