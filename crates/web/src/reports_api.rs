use crate::{Answer, Person, State, platform::language};
use axum::{
    Json, Router,
    extract::{Path, Query as Pairs, State as Has},
    http::{HeaderMap, HeaderValue, header},
    response::IntoResponse,
    routing::get,
};
use kernel::Error;
use records::{import::Format, reports};

/// Reports, on the page and as files.
pub(crate) fn routes() -> Router<State> {
    Router::new().route("/reports/{module}/{name}", get(report))
}

async fn report(
    Has(state): Has<State>,
    person: Person,
    Path((module, name)): Path<(String, String)>,
    Pairs(mut pairs): Pairs<Vec<(String, String)>>,
    headers: HeaderMap,
) -> Answer {
    let mut take = |name: &str| pairs.iter().position(|(n, _)| n == name).map(|at| pairs.remove(at).1);
    let (format, spoken) = (take("format"), take("language"));
    let asked = reports::ask(&person.actor.catalog, state.store.modules(), (&module, &name), &pairs)?;
    let Some(format) = format else {
        return Ok(Json(reports::run(&state.store, &person.actor, &asked).await?).into_response());
    };
    let (format, kind) = match Format::parse(&format) {
        Some(Format::Csv) => (Format::Csv, "text/csv; charset=utf-8"),
        Some(Format::Xlsx) => {
            (Format::Xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
        }
        _ => return Err(Error::malformed_at("format", "Say csv or xlsx.").into()),
    };
    let spoken = spoken.as_deref().map_or_else(|| language(&headers), kernel::spoken);
    let (file, bytes) = reports::file(&state.store, &person.actor, asked, format, spoken).await?;
    let named = HeaderValue::from_str(&flow::files::disposition(&file, kind));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, named.unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    Ok((headers, bytes).into_response())
}
