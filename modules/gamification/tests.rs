//! Streaks and what hangs on them, from deals and payments.

use crate::crm_tests::{PAYMENTS, Team};
use serde_json::{Value, json};
use testkit::{Person, scene, plain};

const PAUSES: &str = "gamification.streak_pauses";
const STREAKS: &str = "gamification.daily_streaks";
const AWARDS: &str = "gamification.user_achievements";
const PLACES: &str = "gamification.leaderboard_entries";

/// DEFINITIONS 21, day by day: what happened (a active, w a working day without, f a day off), the streak after it.
#[tokio::test]
async fn the_golden_table_of_streaks() {
    let s = scene(crate::ALL).await;
    for (days, streaks) in [
        ("aaa", vec![1, 2, 3]),
        ("aaffa", vec![1, 2, 2, 2, 3]),
        ("awa", vec![1, 0, 1]),
        ("ffa", vec![0, 0, 1]),
        // Work on a day off counts too.
        ("afaw", vec![1, 1, 2, 0]),
    ] {
        let mut streak = 0_i32;
        let mut found = Vec::new();
        for day in days.chars() {
            let sql = "select gamification.next_streak($1, $2, $3)";
            streak = s.admin().query_one(sql, &[&streak, &(day == 'a'), &(day != 'f')]).await.unwrap().get(0);
            found.push(streak);
        }
        assert_eq!(found, streaks, "{days}");
    }
}

async fn days(who: &Person) -> Vec<(String, i64, i64, String)> {
    let all = who.list(STREAKS, &[("sort", "day")]).await.ok();
    let number = |v: &Value| v.as_i64().unwrap();
    all["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["day"].as_str().unwrap().to_owned(),
                number(&d["streak_count"]),
                number(&d["payments_received"]),
                plain(&d["total_amount"]).to_owned(),
            )
        })
        .collect()
}

/// What happened so many days ago.
async fn moved(t: &Team<'_>, deal: &Value, days: i32) {
    let id = testkit::id(deal);
    let sql = format!("set session_replication_role = replica;
        update crm.deals set created_at = created_at - interval '{days} days' where id = '{id}';
        update finance.payments set completed_at = completed_at - interval '{days} days' where deal_id = '{id}';
        set session_replication_role = origin;");
    t.s.admin().batch_execute(&sql).await.unwrap();
}

async fn recount(t: &Team<'_>, since: i32) {
    let (of, user) = (t.sam.actor.organization, t.sam.actor.user);
    let sql = format!(
        "begin; set local app.context = '{of} {user} {user} '; select gamification.recount('{user}', current_date - {since}); select gamification.daily(); commit"
    );
    t.s.admin().batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn days_on_end_leave_out_days_off_and_what_went_back() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = |ago: i64| today.checked_sub(jiff::Span::new().days(ago)).unwrap().to_string();
    // All days are working days but the one three days ago.
    t.set("gamification.working_days", json!("1234567")).await;
    t.set("gamification.days_off", json!(day(3))).await;
    t.set("gamification.active_day", json!("payments")).await;
    let mut paid = Vec::new();
    for ago in [5, 4, 2, 1] {
        let deal = t.deal("100").await;
        paid.push(t.verified(&deal, "100").await);
        moved(&t, &deal, ago).await;
    }
    recount(&t, 10).await;
    let told: Vec<i64> = days(&t.sam).await.iter().map(|d| d.1).collect();
    assert_eq!(told[..5], [1, 2, 2, 3, 4], "{:?}", days(&t.sam).await);
    // The payment of two days ago goes back whole: that day was a working day with nothing done.
    t.reversed(&paid[2], "100", "chargeback").await;
    let told = days(&t.sam).await;
    assert_eq!(told.iter().map(|d| d.1).take(5).collect::<Vec<_>>(), [1, 2, 2, 0, 1]);
    assert_eq!((told[3].0.clone(), told[3].2, told[3].3.as_str()), (day(2), 0, "0"));
    // With leave for that day the streak goes on, and when the leave is taken back it ends there again.
    let leave = json!({ "member_id": t.sam.actor.user, "starts_on": day(2), "ends_on": day(2) });
    t.sam.create(PAUSES, leave.clone()).await.forbidden();
    let leave = t.mona.create(PAUSES, leave).await.ok();
    let counts = async || days(&t.sam).await.iter().map(|d| d.1).take(5).collect::<Vec<_>>();
    assert_eq!(counts().await, [1, 2, 2, 2, 3]);
    assert_eq!(t.sam.read(PAUSES, &leave).await.ok()["kind"], "leave");
    t.mona.update(PAUSES, &leave, json!({ "ends_on": day(9) })).await.refused("on or after its first day");
    t.mona.delete(PAUSES, &leave).await.ok();
    assert_eq!(counts().await, [1, 2, 2, 0, 1]);
    // In part: the day stays, with what is left.
    t.reversed(&paid[3], "40", "refund").await;
    assert_eq!(days(&t.sam).await[4].3, "60");
    assert_eq!(t.verify().await, [""; 0]);
    let boss = s.person("PRS", "owner").await;
    boss.create(STREAKS, json!({})).await.forbidden();
}

#[tokio::test]
async fn an_award_is_given_once_and_taken_back_with_its_payment() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let body =
        json!({ "name": "Two payments", "metric": "payments_received", "threshold": "2", "period": "month" });
    t.mona.create("gamification.achievements", body).await.ok();
    let deal = t.deal("300").await;
    t.verified(&deal, "100").await;
    assert_eq!(t.sam.list(AWARDS, &[]).await.ok()["data"], json!([]));
    let second = t.verified(&deal, "100").await;
    t.verified(&deal, "50").await;
    let all = t.sam.list(AWARDS, &[]).await.ok();
    assert_eq!((all["data"].as_array().unwrap().len(), plain(&all["data"][0]["value"])), (1, "3"));
    assert!(all["data"][0]["evidence_id"].is_string());
    t.reversed(&second, "100", "mistake").await;
    let kept = t.sam.list(AWARDS, &[]).await.ok();
    assert_eq!(kept["data"][0]["revoked_at"], Value::Null, "two are left");
    let of = json!({ "operator": "AND", "rules": [{ "field": "deal_id", "op": "eq", "value": deal["id"] }, { "field": "amount", "op": "eq", "value": "50" }] });
    let third = t.vera.list(PAYMENTS, &[("filter", &of.to_string())]).await.ok();
    t.reversed(&third["data"][0], "50", "mistake").await;
    let gone = t.sam.list(AWARDS, &[]).await.ok();
    assert!(gone["data"][0]["revoked_at"].is_string(), "{gone}");
    t.verified(&deal, "30").await;
    let back = t.sam.list(AWARDS, &[]).await.ok();
    assert_eq!((back["data"].as_array().unwrap().len(), &back["data"][0]["revoked_at"]), (1, &Value::Null));
}

#[tokio::test]
async fn equals_share_a_place_and_a_period_that_is_over_stays() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let board = t
        .mona
        .create("gamification.leaderboards", json!({ "name": "Money", "metric": "deals_created" }))
        .await
        .ok();
    let (second, third, hidden) = (
        s.person("PRS", "salesperson").await,
        s.person("PRS", "salesperson").await,
        s.person("PRS", "salesperson").await,
    );
    let sql = "insert into tenancy.settings (organization_id, scope, user_id, key, value) values ($1, 'user', $2, 'gamification.hidden', 'true')";
    s.admin().execute(sql, &[&t.sam.actor.organization, &hidden.actor.user]).await.unwrap();
    for (who, deals) in [(&t.sam, 2), (&second, 2), (&third, 1), (&hidden, 5)] {
        for _ in 0..deals {
            t.deal_of(who, json!({ "value": "1" })).await;
        }
    }
    let places = async || {
        let all = t.sam.list(PLACES, &[("sort", "rank")]).await.ok();
        all["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| (p["rank"].as_i64().unwrap(), plain(&p["score"]).to_owned()))
            .collect::<Vec<_>>()
    };
    let expected = [(1, "2"), (1, "2"), (2, "1")].map(|(r, s)| (r, s.to_owned()));
    assert_eq!(places().await, expected);
    // The month is over: whatever happens now is of another.
    let over = format!("set session_replication_role = replica; update gamification.leaderboard_entries set period_start = (period_start - interval '1 month')::date
        where leaderboard_id = '{}'; set session_replication_role = origin", testkit::id(&board));
    s.admin().batch_execute(&over).await.unwrap();
    t.deal("1").await;
    let all = t.sam.list(PLACES, &[("sort", "period_start,rank")]).await.ok();
    let scores: Vec<&str> = all["data"].as_array().unwrap().iter().map(|p| plain(&p["score"])).collect();
    assert_eq!(scores[..3].iter().filter(|s| **s == "2").count(), 2, "{scores:?}");
    assert!(scores[3..].contains(&"3"), "{scores:?}");
}

/// By hand: 150 of 100 counts as 1.2, 1 of 2 as 0.5; (3 x 1.2 + 1 x 0.5) x 100 / 4 = 102.5.
#[tokio::test]
async fn a_scorecard_weighs_what_was_reached() {
    let s = scene(crate::ALL).await;
    let t = Team::of(&s).await;
    let deal = t.deal("150").await;
    t.verified(&deal, "150").await;
    let lines = json!([{ "metric": "total_amount", "weight": "3", "target": "100" }, { "metric": "deals_created", "weight": "1", "target": "2" }]);
    let card = json!({ "member_id": t.sam.actor.user, "starts_on": "2020-01-01", "ends_on": "2099-12-31", "lines": lines });
    let card = t.mona.create("gamification.scorecards", card).await.ok();
    assert_eq!(plain(&card["score"]), "102.5");
    t.deal("1").await;
    // Two of two: (3.6 + 1) x 100 / 4.
    assert_eq!(plain(&t.sam.read("gamification.scorecards", &card).await.ok()["score"]), "115");
}
