use crate::{OTHER, PASSWORD, address, said, status, visit, world, world_with};
use auth::Registration;
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};
use uuid::Uuid;

fn registration(email: &str, password: &str) -> Registration {
    Registration {
        email: email.into(),
        password: password.into(),
        first_name: "Aigerim".into(),
        last_name: "Test".into(),
        locale: "en".into(),
    }
}

#[tokio::test]
async fn somebody_registers_verifies_and_is_signed_in() {
    let world = world().await;
    let email = address("new");
    world.auth.register(&registration(&email.to_uppercase(), PASSWORD), &visit()).await.unwrap();
    assert_eq!(status(&world.auth.login(&email, PASSWORD, None, &visit()).await), 401);
    let code = world.code(&email).await;
    assert!(world.mail(&email).await.contains("https://erp.test/verify?"));
    let signed_in = world.auth.verify(&email, &code.to_lowercase(), &visit()).await.unwrap();
    assert_eq!(signed_in.user.registration_status, "onboarding_pending");
    let session = world.session(&signed_in.token).await;
    assert!(session.organization.is_none() && session.actor().is_err());
    assert_eq!(status(&world.auth.verify(&email, &code, &visit()).await), 400);
    world.login(&email).await;
}

#[tokio::test]
async fn of_two_who_register_one_address_its_reader_wins_with_his_own_password() {
    let world = world().await;
    let email = address("victim");
    world.auth.register(&registration(&email, PASSWORD), &visit()).await.unwrap();
    let his = world.code(&email).await;
    world.auth.register(&registration(&email, OTHER), &visit()).await.unwrap();
    assert_ne!(world.code(&email).await, his);
    world.auth.verify(&email, &his, &visit()).await.unwrap();
    assert_eq!(status(&world.auth.login(&email, OTHER, None, &visit()).await), 401);
    world.login(&email).await;
}

#[tokio::test]
async fn a_registration_code_is_tried_five_times_and_works_once() {
    let world = world().await;
    let (email, tried) = (address("once"), address("tried"));
    for e in [&email, &tried] {
        world.auth.register(&registration(e, PASSWORD), &visit()).await.unwrap();
    }
    let code = world.code(&email).await;
    let visits: Vec<_> = (0..8).map(|_| visit()).collect();
    let all = visits.iter().map(|v| world.auth.verify(&email, &code, v));
    let all = futures_util::future::join_all(all).await;
    assert_eq!(all.iter().filter(|a| a.is_ok()).count(), 1);
    assert!(all.iter().all(|a| matches!(status(a), 200 | 400)));

    let code = world.code(&tried).await;
    for _ in 0..5 {
        assert_eq!(status(&world.auth.verify(&tried, "22222222", &visit()).await), 400);
    }
    assert_eq!(status(&world.auth.verify(&tried, &code, &visit()).await), 400);
    world.auth.resend(&tried, &visit()).await.unwrap();
    let again = world.code(&tried).await;
    assert_ne!(code, again);
    world.auth.verify(&tried, &again, &visit()).await.unwrap();
}

#[tokio::test]
async fn n01_known_and_unknown_addresses_look_alike() {
    let world = world_with(|c| c.attempts = 10_000).await;
    let (known, _) = world.account("known").await;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        for (n, email) in [known.clone(), address("unknown")].into_iter().enumerate() {
            let start = Instant::now();
            let answer = world.auth.login(&email, "wrong wrong wrong", None, &visit()).await;
            times[n].push(start.elapsed());
            assert_eq!(status(&answer), if n == 0 && said(&answer).starts_with("Too") { 429 } else { 401 });
            let forgot = world.auth.forgot(&email, &visit()).await;
            assert_eq!((status(&forgot), said(&forgot)), (200, String::new()));
            let register = world.auth.register(&registration(&email, PASSWORD), &visit()).await;
            assert_eq!((status(&register), said(&register)), (200, String::new()));
        }
    }
    assert!(world.mail(&known).await.contains("already"));
    // Locked after ten: compare what came before. The least of several times is the work itself, most of which is the
    // hash: without it an answer would come many times sooner.
    let least = |times: &[Duration]| times[..9].iter().min().copied().unwrap();
    let (a, b) = (least(&times[0]), least(&times[1]));
    assert!(a < b * 2 && b < a * 2, "{a:?} {b:?}");
}

#[tokio::test]
async fn n02_the_tenth_attempt_waits_by_peer_and_by_account() {
    let world = world().await;
    let (email, _) = world.account("guessed").await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        statuses.push(status(&world.auth.login(&email, "wrong wrong wrong", None, &visit()).await));
    }
    assert_eq!(statuses.iter().position(|s| *s == 429), Some(9), "{statuses:?}");

    let one = visit();
    let mut statuses = Vec::new();
    for n in 0..12 {
        let twin = ["@acme.test.", "@acme.test", "@аcme.test"][n % 3];
        statuses
            .push(status(&world.auth.login(&format!("x{n}{twin}"), "wrong wrong wrong", None, &one).await));
    }
    assert_eq!(statuses.iter().position(|s| *s == 429), Some(9), "{statuses:?}");
}

#[tokio::test]
async fn an_account_rests_after_ten_failures_even_when_the_server_restarts() {
    let world = world_with(|c| c.attempts = 1000).await;
    let (email, _) = world.account("resting").await;
    let visits: Vec<_> = (0..30).map(|_| visit()).collect();
    let all = visits.iter().map(|v| world.auth.login(&email, "wrong wrong wrong", None, v));
    let all = futures_util::future::join_all(all).await;
    assert!(all.iter().filter(|a| status(a) == 401).count() <= 13, "a crowd slipped through");
    // Now not even the right password helps, and a restart forgets nothing.
    let restarted = auth::Auth::new(world.scene.store.clone(), world.auth.config().clone());
    assert_eq!(status(&restarted.login(&email, PASSWORD, None, &visit()).await), 429);
    let peers: Vec<String> = visits.iter().filter_map(|v| Some(v.ip?.to_string())).collect();
    world
        .sql("update iam.login_attempts set at = at - interval '16 minutes' where ip = any ($1)", &[&peers])
        .await;
    world.login(&email).await;
}

#[tokio::test]
async fn n04_a_reset_link_works_once_for_half_an_hour() {
    let world = world_with(|c| c.attempts = 1000).await;
    let (email, id) = world.account("forgetful").await;
    let old = world.login(&email).await.token;
    world.auth.forgot(&email, &visit()).await.unwrap();
    let token = world.code(&email).await;
    assert!(token.len() >= 43);
    assert!(world.mail(&email).await.contains("\nhttps://erp.test/reset?"));
    let kept = world
        .scene
        .strings("select to_jsonb(v)::text from iam.email_verifications v where user_id = $1", &[&id])
        .await;
    assert!(kept.iter().all(|row| !row.contains(&token)));
    // Somebody else's address does not fit.
    assert_eq!(status(&world.auth.reset(&address("other"), &token, OTHER).await), 400);

    let all = (0..20).map(|_| world.auth.reset(&email, &token, OTHER));
    let statuses: Vec<u16> = futures_util::future::join_all(all).await.iter().map(status).collect();
    assert_eq!(statuses.iter().filter(|s| **s == 200).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|s| matches!(s, 200 | 400)), "{statuses:?}");
    assert_eq!(status(&world.auth.reset(&email, &token, PASSWORD).await), 400);
    // N05: and everybody is out.
    assert_eq!(status(&world.auth.session(&old, Uuid::now_v7()).await), 401);
    world.auth.login(&email, OTHER, None, &visit()).await.unwrap();

    world.auth.forgot(&email, &visit()).await.unwrap();
    let late = world.code(&email).await;
    world
        .sql(
            "update iam.email_verifications set expires_at = now() - interval '1 second' where user_id = $1",
            &[&id],
        )
        .await;
    assert_eq!(status(&world.auth.reset(&email, &late, PASSWORD).await), 400);

    world.auth.forgot(&email, &visit()).await.unwrap();
    let open = world.code(&email).await;
    let session = world.session(&world.auth.login(&email, OTHER, None, &visit()).await.unwrap().token).await;
    world.auth.change_password(&session, OTHER, PASSWORD).await.unwrap();
    assert_eq!(status(&world.auth.reset(&email, &open, OTHER).await), 400);
}

#[tokio::test]
async fn n03_no_link_without_a_configured_address() {
    let world = world_with(|c| c.base_url = String::new()).await;
    let (email, _) = world.account("nowhere").await;
    assert_eq!(status(&world.auth.forgot(&email, &visit()).await), 503);
    assert_eq!(world.mail(&email).await, "");
}

#[tokio::test]
async fn n05_a_new_password_ends_all_other_sessions() {
    let world = world().await;
    let (email, _) = world.account("careful").await;
    let (here, there) = (world.login(&email).await.token, world.login(&email).await.token);
    let session = world.session(&here).await;
    world.session(&there).await;
    assert_eq!(status(&world.auth.change_password(&session, OTHER, OTHER).await), 422);
    assert_eq!(status(&world.auth.change_password(&session, PASSWORD, "password12").await), 422);
    world.auth.change_password(&session, PASSWORD, OTHER).await.unwrap();
    assert_eq!(status(&world.auth.session(&there, Uuid::now_v7()).await), 401);
    world.session(&here).await;
    assert!(world.mail(&email).await.contains("Your password was changed"));
}

#[tokio::test]
async fn n07_every_sign_in_and_every_company_has_a_new_token() {
    let world = world().await;
    let (owner, first) = world.owner().await;
    let second = world.company(owner.id).await;
    let mut tokens = HashSet::from([owner.token.clone()]);
    tokens.insert(world.login(&owner.email).await.token);
    let session = world.of(&owner).await;
    assert_eq!(session.organization().unwrap().id, first);
    let (_, token) = world.auth.activate_organization(&session, second, "", true, &visit()).await.unwrap();
    assert!(tokens.insert(token.clone()) && tokens.len() == 3);
    assert_eq!(status(&world.auth.session(&owner.token, Uuid::now_v7()).await), 401);
    assert_eq!(world.session(&token).await.organization().unwrap().id, second);
    // Somebody else's company is not there.
    let (other, _) = world.owner().await;
    assert_eq!(
        status(&world.auth.activate_organization(&world.of(&other).await, first, "", true, &visit()).await),
        404
    );
    // What an attacker planted is nothing.
    assert_eq!(
        status(&world.auth.session("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Uuid::now_v7()).await),
        401
    );
}

fn code_at(secret: &str, step: i64) -> String {
    let secret = totp_rs::Secret::Encoded(secret.to_owned()).to_bytes().unwrap();
    let totp = totp_rs::TOTP::new(totp_rs::Algorithm::SHA1, 6, 1, 30, secret).unwrap();
    let now = jiff::Timestamp::now().as_second() / 30 + step;
    totp.generate(u64::try_from(now * 30).unwrap())
}

#[tokio::test]
async fn n12_a_second_factor_works_once_and_is_always_asked_for() {
    let world = world_with(|c| c.attempts = 1000).await;
    let (email, id) = world.account("double").await;
    let session = world.session(&world.login(&email).await.token).await;
    let enrolment = world.auth.totp_begin(&session).await.unwrap();
    assert!(enrolment.uri.starts_with("otpauth://totp/Fondaco:double."));
    assert_eq!(status(&world.auth.totp_enable(&session, "000000").await), 400);
    let recovery = world.auth.totp_enable(&session, &code_at(&enrolment.secret, -1)).await.unwrap();
    let sealed = world
        .scene
        .strings(
            "select encode(totp_secret, 'escape') || recovery_codes::text from iam.users where id = $1",
            &[&id],
        )
        .await;
    assert!(!sealed[0].contains(&enrolment.secret) && recovery.iter().all(|c| !sealed[0].contains(c)));

    let login = async |code: Option<&str>| world.auth.login(&email, PASSWORD, code, &visit()).await;
    assert!(matches!(login(None).await, Err(auth::Problem::SecondFactor)));
    // A replay of the step that enabled it, then one good code for a whole crowd.
    assert_eq!(status(&login(Some(&code_at(&enrolment.secret, -1))).await), 401);
    let code = code_at(&enrolment.secret, 0);
    let crowd = futures_util::future::join_all((0..3).map(|_| login(Some(&code)))).await;
    assert_eq!(crowd.iter().filter(|a| a.is_ok()).count(), 1);
    let crowd = futures_util::future::join_all((0..3).map(|_| login(Some(&recovery[0])))).await;
    assert_eq!(crowd.iter().filter(|a| a.is_ok()).count(), 1);

    // A new password does not do away with it.
    world.auth.forgot(&email, &visit()).await.unwrap();
    world.auth.reset(&email, &world.code(&email).await, OTHER).await.unwrap();
    assert!(matches!(
        world.auth.login(&email, OTHER, None, &visit()).await,
        Err(auth::Problem::SecondFactor)
    ));
    let again = world.auth.login(&email, OTHER, Some(&recovery[1]), &visit()).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(status(&world.auth.login(&email, OTHER, Some("000000"), &visit()).await));
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429]);
    let session = world.session(&again.token).await;
    assert_eq!(status(&world.auth.totp_disable(&session, PASSWORD).await), 422);
    world.auth.totp_disable(&session, OTHER).await.unwrap();
}

#[tokio::test]
async fn n18_sessions_end_of_themselves_and_by_hand() {
    let world = world().await;
    let (email, _) = world.account("patient").await;
    let fresh = || Uuid::now_v7();
    let (idle, old, third, here) = (
        world.login(&email).await.token,
        world.login(&email).await.token,
        world.login(&email).await.token,
        world.login(&email).await.token,
    );
    let session = world.session(&here).await;
    let id = world.session(&third).await.id;
    let of = async |token: &str| world.session(token).await.id;
    world
        .sql(
            "update iam.sessions set last_seen_at = now() - interval '31 minutes' where id = $1",
            &[&of(&idle).await],
        )
        .await;
    world
        .sql(
            "update iam.sessions set expires_at = now() - interval '1 second' where id = $1",
            &[&of(&old).await],
        )
        .await;
    assert_eq!(world.auth.sessions(&session).await.unwrap().len(), 2);
    world.auth.end_session(&session, id).await.unwrap();
    assert_eq!(status(&world.auth.end_session(&session, id).await), 404);
    for token in [&idle, &old, &third] {
        assert_eq!(status(&world.auth.session(token, fresh()).await), 401);
    }
    // N19: a clock set back wakes nobody.
    world.sql("update iam.sessions set last_seen_at = now(), expires_at = now() + interval '1 day' where user_id = $1", &[&session.user.id]).await;
    for token in [&idle, &old] {
        assert_eq!(status(&world.auth.session(token, fresh()).await), 401);
    }
    let (stranger, _) = world.owner().await;
    assert_eq!(status(&world.auth.end_session(&world.of(&stranger).await, session.id).await), 404);
    let another = world.login(&email).await.token;
    world.auth.end_other_sessions(&session).await.unwrap();
    assert_eq!(status(&world.auth.session(&another, fresh()).await), 401);
    world.auth.logout(&session, &visit()).await.unwrap();
    assert_eq!(status(&world.auth.session(&here, fresh()).await), 401);
}

#[tokio::test]
async fn an_address_changes_when_the_new_one_says_so() {
    let world = world().await;
    let (owner, organization) = world.owner().await;
    let session = world.of(&owner).await;
    let new = address("moved");
    assert_eq!(status(&world.auth.change_email(&session, &new, OTHER).await), 422);
    world.auth.change_email(&session, &new, PASSWORD).await.unwrap();
    assert!(world.mail(&owner.email).await.contains(&new));
    let code = world.code(&new).await;
    world.auth.confirm_email(&code).await.unwrap();
    assert_eq!(status(&world.auth.confirm_email(&code).await), 400);
    world.login(&new).await;
    assert_eq!(status(&world.auth.login(&owner.email, PASSWORD, None, &visit()).await), 401);
    let known = world
        .scene
        .strings("select email from iam.memberships where organization_id = $1", &[&organization])
        .await;
    assert_eq!(known, [new]);
}
