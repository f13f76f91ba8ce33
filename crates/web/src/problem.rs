use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use kernel::{Error, Fault};
use serde_json::json;
use std::time::Duration;

/// What goes wrong, as RFC 9457 problem+json. The only place where an error becomes a status.
#[derive(Debug)]
pub enum Problem {
    Kernel(Error),
    Unauthorized(String),
    SecondFactor,
    TooMany(Duration),
    /// A status with a sentence: 413, 415 and their like.
    Plain(StatusCode, String),
}

pub type Answer<T = Response> = Result<T, Problem>;

impl From<Error> for Problem {
    fn from(e: Error) -> Self {
        Problem::Kernel(e)
    }
}

impl From<serde_json::Error> for Problem {
    fn from(e: serde_json::Error) -> Self {
        Problem::Kernel(e.into())
    }
}

impl From<auth::Problem> for Problem {
    fn from(p: auth::Problem) -> Self {
        match p {
            auth::Problem::Kernel(e) => Problem::Kernel(e),
            auth::Problem::Unauthorized(m) => Problem::Unauthorized(m),
            auth::Problem::SecondFactor => Problem::SecondFactor,
            auth::Problem::TooMany(wait) => Problem::TooMany(wait),
        }
    }
}

/// An error of ours, handed to the outermost layer so that it is logged once, with the request it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct Logged(pub(crate) String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut broken = None;
        let mut faults: Vec<Fault> = Vec::new();
        let (status, title, detail) = match self {
            Problem::Kernel(e) => {
                let said = e.to_string();
                match e {
                    Error::Malformed(f) => {
                        faults = f;
                        (StatusCode::BAD_REQUEST, "Not well formed", said)
                    }
                    Error::Refused(f) => {
                        faults = f;
                        (StatusCode::UNPROCESSABLE_ENTITY, "Refused", said)
                    }
                    Error::Forbidden(_) => (StatusCode::FORBIDDEN, "Not allowed", said),
                    Error::NotFound => (StatusCode::NOT_FOUND, "Not found", said),
                    Error::Stale => (StatusCode::PRECONDITION_FAILED, "Changed meanwhile", said),
                    Error::VersionNeeded => (StatusCode::PRECONDITION_REQUIRED, "Version needed", said),
                    Error::Conflict(_) => (StatusCode::CONFLICT, "Conflict", said),
                    Error::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not available", said),
                    Error::Broken(_) => {
                        broken = Some(said);
                        let sorry = "Something went wrong on our side. It has been noted.";
                        (StatusCode::INTERNAL_SERVER_ERROR, "Our mistake", sorry.to_owned())
                    }
                }
            }
            Problem::Unauthorized(m) => (StatusCode::UNAUTHORIZED, "Not signed in", m),
            Problem::SecondFactor => {
                let body = json!({
                    "type": "about:blank", "title": "Not signed in", "status": 401, "second_factor": true,
                    "detail": "Enter the code of your second factor.", "errors": [],
                });
                return answer(StatusCode::UNAUTHORIZED, body);
            }
            Problem::TooMany(wait) => {
                let mut response = answer(
                    StatusCode::TOO_MANY_REQUESTS,
                    json!({
                        "type": "about:blank", "title": "Too many requests", "status": 429,
                        "detail": "Too many tries. Wait a little.", "errors": [],
                    }),
                );
                let seconds = HeaderValue::from(wait.as_secs().max(1));
                response.headers_mut().insert(header::RETRY_AFTER, seconds);
                return response;
            }
            Problem::Plain(status, m) => (status, "Not accepted", m),
        };
        let errors: Vec<_> =
            faults.iter().map(|f| json!({ "field": f.field, "message": f.message })).collect();
        let mut response = answer(
            status,
            json!({ "type": "about:blank", "title": title, "status": status.as_u16(), "detail": detail, "errors": errors }),
        );
        if let Some(said) = broken {
            response.extensions_mut().insert(Logged(said));
        }
        response
    }
}

fn answer(status: StatusCode, body: serde_json::Value) -> Response {
    let kind = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, kind)], Json(body)).into_response()
}
