use crate::{
    Answer, Body, Caller, Problem, State,
    extract::{self, Id, read, same_origin},
    platform::language,
};
use auth::{Registration, SignedIn, Visit};
use axum::{
    Json, Router,
    extract::{FromRequestParts, State as Has},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post},
};
use kernel::Error;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Who somebody is and what he may do: docs/api.md, Identity.
pub(crate) fn routes() -> Router<State> {
    Router::new()
        .route("/auth/register", post(register))
        .route("/auth/verify", post(verify))
        .route("/auth/resend", post(resend))
        .route("/auth/login", post(login))
        .route("/auth/logout", post(logout))
        .route("/auth/forgot", post(forgot))
        .route("/auth/reset", post(reset))
        .route("/auth/password", post(change_password))
        .route("/auth/email", post(change_email))
        .route("/auth/email/confirm", post(confirm_email))
        .route("/auth/sessions", get(sessions).delete(end_other_sessions))
        .route("/auth/sessions/{id}", delete(end_session))
        .route("/auth/totp", post(totp_begin))
        .route("/auth/totp/enable", post(totp_enable))
        .route("/auth/totp/disable", post(totp_disable))
        .route("/auth/tokens", get(tokens).post(create_token))
        .route("/auth/tokens/{id}", delete(delete_token))
        .route("/me", get(me).patch(update_me))
        .route("/organizations", post(create_organization))
        .route("/organizations/{id}/activate", post(activate_organization))
        .route("/organization", get(organization).patch(update_organization))
        .route("/members", get(members))
        .route("/members/invite", post(invite))
        .route("/members/{id}", patch(update_member).delete(remove_member))
        .route("/invitations/accept", post(accept_invitation))
        .route("/roles", get(roles).post(create_role))
        .route("/roles/{id}", patch(update_role).delete(delete_role))
        .route("/roles/{id}/view", post(view_as))
        .route("/auth/view", delete(end_view))
}

/// Anybody, signed in or not, who does not come from another site's page.
pub(crate) struct Guest(pub(crate) Visit);

impl FromRequestParts<State> for Guest {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &State) -> Result<Self, Problem> {
        same_origin(&parts.method, &parts.headers)?;
        Ok(Guest(extract::visit(&parts.headers, &parts.extensions)))
    }
}

fn data(list: Vec<Value>) -> Json<Value> {
    Json(json!({ "data": list }))
}

fn accepted() -> Response {
    (StatusCode::ACCEPTED, Json(json!({}))).into_response()
}

/// The browser keeps the token; pages cannot read it, other sites cannot send it along with what they post.
fn with_cookie(state: &State, token: &str, answer: impl IntoResponse) -> Answer {
    let seconds = if token.is_empty() { 0 } else { state.auth.config().session_absolute.as_secs() };
    let secure = if state.is_secure() { "; Secure" } else { "" };
    let cookie =
        format!("{}={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", state.cookie_name());
    let cookie = HeaderValue::from_str(&cookie).map_err(|e| Error::broken(e.to_string()))?;
    let mut response = answer.into_response();
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    Ok(response)
}

fn signed_in(state: &State, who: SignedIn) -> Answer {
    let token = who.token.clone();
    with_cookie(state, &token, Json(who))
}

async fn register(
    Has(state): Has<State>,
    Guest(visit): Guest,
    headers: HeaderMap,
    Body(body): Body,
) -> Answer {
    let registration = Registration { locale: language(&headers).to_owned(), ..read(body)? };
    state.auth.register(&registration, &visit).await?;
    Ok(accepted())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailCode {
    email: String,
    code: String,
}

async fn verify(Has(state): Has<State>, Guest(visit): Guest, Body(body): Body) -> Answer {
    let EmailCode { email, code } = read(body)?;
    signed_in(&state, state.auth.verify(&email, &code, &visit).await?)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EmailOnly {
    email: String,
}

async fn resend(Has(state): Has<State>, Guest(visit): Guest, Body(body): Body) -> Answer {
    let EmailOnly { email } = read(body)?;
    state.auth.resend(&email, &visit).await?;
    Ok(accepted())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    email: String,
    password: String,
    code: Option<String>,
}

async fn login(Has(state): Has<State>, Guest(visit): Guest, Body(body): Body) -> Answer {
    let Login { email, password, code } = read(body)?;
    signed_in(&state, state.auth.login(&email, &password, code.as_deref(), &visit).await?)
}

/// Who is signed out already is signed out.
async fn logout(Has(state): Has<State>, Guest(visit): Guest, caller: Result<Caller, Problem>) -> Answer {
    match caller {
        Ok(caller) => state.auth.logout(&caller.session, &visit).await?,
        Err(Problem::Unauthorized(_)) => {}
        Err(e) => return Err(e),
    }
    with_cookie(&state, "", StatusCode::NO_CONTENT)
}

async fn forgot(Has(state): Has<State>, Guest(visit): Guest, Body(body): Body) -> Answer {
    let EmailOnly { email } = read(body)?;
    state.auth.forgot(&email, &visit).await?;
    Ok(accepted())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    email: String,
    code: String,
    password: String,
}

async fn reset(Has(state): Has<State>, _: Guest, Body(body): Body) -> Answer<Json<Value>> {
    let Reset { email, code, password } = read(body)?;
    state.auth.reset(&email, &code, &password).await?;
    Ok(Json(json!({})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    current_password: String,
    new_password: String,
}

async fn change_password(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer<StatusCode> {
    let NewPassword { current_password, new_password } = read(body)?;
    state.auth.change_password(&caller.session, &current_password, &new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewEmail {
    email: String,
    password: String,
}

async fn change_email(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer {
    let NewEmail { email, password } = read(body)?;
    state.auth.change_email(&caller.session, &email, &password).await?;
    Ok(accepted())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodeOnly {
    code: String,
}

async fn confirm_email(Has(state): Has<State>, _: Guest, Body(body): Body) -> Answer<Json<Value>> {
    let CodeOnly { code } = read(body)?;
    state.auth.confirm_email(&code).await?;
    Ok(Json(json!({})))
}

async fn sessions(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(data(state.auth.sessions(&caller.session).await?))
}

async fn end_session(Has(state): Has<State>, caller: Caller, Id(which): Id) -> Answer {
    state.auth.end_session(&caller.session, which).await?;
    match which == caller.session.id {
        true => with_cookie(&state, "", StatusCode::NO_CONTENT),
        false => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

async fn end_other_sessions(Has(state): Has<State>, caller: Caller) -> Answer<StatusCode> {
    state.auth.end_other_sessions(&caller.session).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn totp_begin(Has(state): Has<State>, caller: Caller) -> Answer {
    Ok(Json(state.auth.totp_begin(&caller.session).await?).into_response())
}

async fn totp_enable(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer<Json<Value>> {
    let CodeOnly { code } = read(body)?;
    let codes = state.auth.totp_enable(&caller.session, &code).await?;
    Ok(Json(json!({ "recovery_codes": codes })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PasswordOnly {
    password: String,
}

async fn totp_disable(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer<StatusCode> {
    let PasswordOnly { password } = read(body)?;
    state.auth.totp_disable(&caller.session, &password).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn tokens(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(data(state.auth.tokens(&caller.session).await?))
}

async fn create_token(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer {
    let made = state.auth.create_token(&caller.session, &read(body)?).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn delete_token(Has(state): Has<State>, caller: Caller, Id(which): Id) -> Answer<StatusCode> {
    state.auth.delete_token(&caller.session, which).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn me(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(state.auth.me(&caller.session).await?))
}

async fn update_me(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer<Json<Value>> {
    state.auth.update_me(&caller.session, &read(body)?).await?;
    let session = state.auth.session(&caller.token, Uuid::now_v7()).await?;
    Ok(Json(state.auth.me(&session).await?))
}

/// Made, entered, and with the new token of who is somewhere else now.
async fn create_organization(
    Has(state): Has<State>,
    Guest(visit): Guest,
    caller: Caller,
    Body(body): Body,
) -> Answer {
    caller.session.person()?;
    let made = state.auth.create_organization(caller.session.user.id, &read(body)?, visit.request).await?;
    let (organization, token) = state
        .auth
        .activate_organization(&caller.session, made.id, &caller.token, caller.cookie, &visit)
        .await?;
    let actor = state.auth.actor_of(made.id, caller.session.user.id, visit.request).await?;
    records::start(&state.store, &actor, &made.country, &made.language).await?;
    let mut answer = serde_json::to_value(organization)?;
    answer["token"] = token.clone().into();
    with_cookie(&state, &token, (StatusCode::CREATED, Json(answer)))
}

async fn activate_organization(
    Has(state): Has<State>,
    Guest(visit): Guest,
    caller: Caller,
    Id(which): Id,
) -> Answer {
    let (organization, token) = state
        .auth
        .activate_organization(&caller.session, which, &caller.token, caller.cookie, &visit)
        .await?;
    with_cookie(&state, &token, Json(json!({ "organization": organization, "token": token })))
}

async fn organization(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(Json(state.auth.organization(&caller.session).await?))
}

async fn update_organization(
    Has(state): Has<State>,
    caller: Caller,
    Body(body): Body,
) -> Answer<Json<Value>> {
    let change: Map<String, Value> = read(body)?;
    Ok(Json(state.auth.update_organization(&caller.session, &change).await?))
}

async fn members(Has(state): Has<State>, caller: Caller) -> Answer<Json<Value>> {
    Ok(data(state.auth.members(&caller.session).await?))
}

async fn invite(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer {
    let made = state.auth.invite(&caller.session, &read(body)?).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn update_member(
    Has(state): Has<State>,
    caller: Caller,
    Id(which): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    Ok(Json(state.auth.update_member(&caller.session, which, &read(body)?).await?))
}

async fn remove_member(Has(state): Has<State>, caller: Caller, Id(which): Id) -> Answer<StatusCode> {
    state.auth.remove_member(&caller.session, which).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acceptance {
    code: String,
    password: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
}

/// Somebody new is signed in; who is signed in as the one invited goes into the company; anybody else signs in next.
async fn accept_invitation(
    Has(state): Has<State>,
    Guest(visit): Guest,
    caller: Result<Caller, Problem>,
    Body(body): Body,
) -> Answer {
    let Acceptance { code, password, first_name, last_name } = read(body)?;
    let done = state
        .auth
        .accept_invitation(&code, password.as_deref(), first_name.as_deref(), last_name.as_deref(), &visit)
        .await?;
    if let Some(who) = done.signed_in {
        return signed_in(&state, who);
    }
    match caller {
        Ok(caller) if caller.session.user.id == done.user && caller.session.person().is_ok() => {
            let (organization, token) = state
                .auth
                .activate_organization(
                    &caller.session,
                    done.organization,
                    &caller.token,
                    caller.cookie,
                    &visit,
                )
                .await?;
            with_cookie(&state, &token, Json(json!({ "organization": organization, "token": token })))
        }
        _ => Ok(Json(json!({})).into_response()),
    }
}

async fn roles(Has(state): Has<State>, caller: Caller, headers: HeaderMap) -> Answer<Json<Value>> {
    Ok(data(state.auth.roles(&caller.session, language(&headers)).await?))
}

async fn create_role(Has(state): Has<State>, caller: Caller, Body(body): Body) -> Answer {
    let made = state.auth.create_role(&caller.session, &read(body)?).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn update_role(
    Has(state): Has<State>,
    caller: Caller,
    Id(which): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    Ok(Json(state.auth.update_role(&caller.session, which, &read(body)?).await?))
}

async fn delete_role(Has(state): Has<State>, caller: Caller, Id(which): Id) -> Answer<StatusCode> {
    state.auth.delete_role(&caller.session, which).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn view_as(
    Has(state): Has<State>,
    Guest(visit): Guest,
    caller: Caller,
    Id(role): Id,
    Body(body): Body,
) -> Answer<Json<Value>> {
    let viewing = state.auth.view_as(&caller.session, role, read(body)?, &visit).await?;
    Ok(Json(json!({ "viewing": viewing })))
}

async fn end_view(Has(state): Has<State>, Guest(visit): Guest, caller: Caller) -> Answer<StatusCode> {
    state.auth.end_view(&caller.session, &visit).await?;
    Ok(StatusCode::NO_CONTENT)
}
