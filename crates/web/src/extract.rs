use crate::{Problem, State};
use auth::Visit;
use axum::{
    extract::{ConnectInfo, FromRequest, FromRequestParts, MatchedPath, Path, Request},
    http::{Extensions, HeaderMap, Method, StatusCode, header, request::Parts},
};
use kernel::{Actor, Error};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::net::SocketAddr;
use uuid::Uuid;

/// The id of a request: in its logs, its answer, and the history of what it changed.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub Uuid);

/// Somebody who is signed in, perhaps in no organization yet.
pub struct Caller {
    pub session: auth::Session,
    pub token: String,
    /// Whether the token came in a cookie.
    pub cookie: bool,
}

/// Somebody who is signed in and acts in an organization.
pub struct Person {
    pub actor: Actor,
    pub caller: Caller,
}

/// Anybody, signed in or not: where the request comes from, by the socket and by no header.
pub(crate) fn visit(headers: &HeaderMap, extensions: &Extensions) -> Visit {
    let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    Visit {
        ip: extensions.get::<ConnectInfo<SocketAddr>>().map(|c| c.0.ip()),
        agent: agent.to_owned(),
        request: extensions.get::<RequestId>().map_or_else(Uuid::now_v7, |r| r.0),
    }
}

impl FromRequestParts<State> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        // A company named from outside is not how one is chosen.
        if parts.headers.keys().any(|k| k.as_str().starts_with("x-organization")) {
            return Err(Error::malformed("The company is the one that the session is in.").into());
        }
        let visit = visit(&parts.headers, &parts.extensions);
        let missing = || Problem::Unauthorized("Sign in first.".into());
        let bearer = bearer(&parts.headers).map(str::to_owned);
        let by_cookie = bearer.is_none();
        let token = match bearer {
            Some(token) => token,
            None => {
                let token = cookie(&parts.headers, state.cookie_name()).ok_or_else(missing)?;
                same_origin(&parts.method, &parts.headers)?;
                token.to_owned()
            }
        };
        let session = state.auth.session(&token, visit.request).await?;
        if !session.admits(visit.ip) {
            return Err(Error::Forbidden("This key does not work from this address.".into()).into());
        }
        state.auth.admit(&session)?;
        if session.viewing.is_some() && !only_looks(parts) {
            return Err(Error::only_looking().into());
        }
        Ok(Caller { session, token, cookie: by_cookie })
    }
}

/// What somebody who looks as a role may ask for: what is read, and the end of it. Where a read comes as a POST, the
/// database refuses what would be written.
fn only_looks(parts: &Parts) -> bool {
    const POSTS: [&str; 3] =
        ["/api/v1/{module}/{entity}/_aggregate", "/api/v1/{module}/_call/{function}", "/api/v1/auth/logout"];
    let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match parts.method {
        Method::GET | Method::HEAD | Method::OPTIONS => true,
        Method::POST => POSTS.contains(&path),
        Method::DELETE => path == "/api/v1/auth/view",
        _ => false,
    }
}

impl FromRequestParts<State> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let actor =
            caller.session.actor.clone().ok_or_else(|| {
                Problem::Kernel(Error::Forbidden("Choose or create a company first.".into()))
            })?;
        Ok(Person { actor, caller })
    }
}

/// The id in the path. What is no id belongs to nothing.
pub(crate) struct Id(pub(crate) Uuid);

impl FromRequestParts<State> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        Ok(Id(text.parse().map_err(|_| Error::NotFound)?))
    }
}

/// A JSON body. Anything else is refused before it is read.
pub struct Body(pub Value);

impl FromRequest<State> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &State) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
        let json = kind.is_some_and(|k| k.split(';').next().is_some_and(|k| k.trim() == "application/json"));
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|e| Problem::Plain(e.status(), "The body is too large, or was cut short.".into()))?;
        if bytes.is_empty() {
            return Ok(Body(Value::Object(serde_json::Map::new())));
        }
        if !json {
            let said = "Send JSON, as application/json.".into();
            return Err(Problem::Plain(StatusCode::UNSUPPORTED_MEDIA_TYPE, said));
        }
        Ok(Body(kernel::read_json(&bytes)?))
    }
}

/// The body as the call wants it; a field too many, or one too few, is refused by name.
pub(crate) fn read<T: DeserializeOwned>(body: Value) -> Result<T, Problem> {
    serde_json::from_value(body).map_err(|e| {
        let said = e.to_string();
        let named = said.starts_with("unknown field `") || said.starts_with("missing field `");
        match said.split('`').nth(1) {
            Some(field) if named => Error::malformed_at(field, said.as_str()).into(),
            _ => Error::malformed(said).into(),
        }
    })
}

/// Refuses what the call has no use for, by its name: it would be a mistake, or an attempt.
pub(crate) fn only(body: &Value, known: &[&str]) -> Result<(), Problem> {
    let Some(body) = body.as_object() else {
        return Err(Error::malformed("The body is a JSON object.").into());
    };
    match body.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(Error::malformed_at(name, format!("There is no field {name}.")).into()),
        None => Ok(()),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(str::trim)
}

pub(crate) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    all.flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(n, value)| (n == name).then_some(value))
}

/// A browser says where a request comes from; one of another site must not use this one's cookie.
pub(crate) fn same_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let get = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let own = match (get("sec-fetch-site"), get("origin")) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => {
            let host = get("host").unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, h)| h == host)
        }
        (None, None) => true,
    };
    if own {
        return Ok(());
    }
    Err(Problem::Kernel(Error::Forbidden("This request comes from another site.".into())))
}

/// `If-Match: "7"`.
pub(crate) fn if_match(headers: &HeaderMap) -> Result<Option<i32>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let version = value.to_str().ok().map(|v| v.trim().trim_start_matches("W/").trim_matches('"'));
    match version.and_then(|v| v.parse().ok()) {
        Some(version) => Ok(Some(version)),
        None => Err(Error::malformed("If-Match holds the version, as \"7\".").into()),
    }
}
