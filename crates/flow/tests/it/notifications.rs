use crate::scene::scene;
use flow::notifications::{Move, Notice, Of, digests, list, mark_read, notify, put, unread_count};
use jiff::{SignedDuration, Timestamp};
use kernel::{Actor, within};
use uuid::Uuid;

#[tokio::test]
async fn people_are_told_by_the_channels_they_chose() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let plain = scene.member(owner.organization, "plain", None).await;
    let mailed = scene.member(owner.organization, "mailed", None).await;
    let silent = scene.member(owner.organization, "silent", None).await;
    let stranger = scene.company("Other").await;
    let wish = "update iam.users set preferences = $2::text::jsonb where id = $1";
    scene
        .admin
        .execute(wish, &[&mailed.user, &r#"{"notifications": {"approval": {"email": true}}}"#])
        .await
        .unwrap();
    let silence = r#"{"notifications": {"*": {"in_app": false}, "mention": {"in_app": true}}}"#;
    scene.admin.execute(wish, &[&silent.user, &silence]).await.unwrap();
    let approval = Notice {
        kind: "approval",
        title: "Please approve",
        body: Some("Order 7"),
        record: Some(("sales.orders", Uuid::nil())),
        ..Notice::default()
    };
    // Somebody with few rights tells all of them.
    for user in [plain.user, mailed.user, silent.user, stranger.user] {
        within!(scene.store, &plain, tx => notify(&tx, user, &approval).await).unwrap();
    }
    let mention = Notice { kind: "mention", title: "You were mentioned", ..Notice::default() };
    within!(scene.store, &owner, tx => notify(&tx, silent.user, &mention).await).unwrap();
    within!(scene.store, &owner, tx => notify(&tx, plain.user, &mention).await).unwrap();

    let titles = async |actor, unread| {
        let which = if unread { Of::Unread } else { Of::All };
        let list = list(&scene.store, actor, which, None, 50).await.unwrap();
        list.into_iter().map(|n| n.title).collect::<Vec<_>>()
    };
    assert_eq!(titles(&plain, true).await, ["You were mentioned", "Please approve"]);
    assert_eq!(titles(&mailed, true).await, ["Please approve"]);
    assert_eq!(titles(&silent, true).await, ["You were mentioned"]);
    // Nobody is told across companies, and the owner reads only his own.
    assert!(titles(&stranger, false).await.is_empty());
    assert!(titles(&owner, false).await.is_empty());
    let mails: String = scene.one("select string_agg(split_part(recipient, '-', 1) || ' ' || subject || ' ' || body, ',') from app.mails").await;
    assert_eq!(mails, "mailed Please approve Order 7");

    let all = list(&scene.store, &plain, Of::All, None, 50).await.unwrap();
    assert_eq!(all[1].record_id, Some(Uuid::nil()));
    assert_eq!(list(&scene.store, &plain, Of::All, Some(all[0].id), 50).await.unwrap().len(), 1);
    assert_eq!(unread_count(&scene.store, &plain).await.unwrap(), 2);
    assert_eq!(mark_read(&scene.store, &mailed, Some(&[all[0].id])).await.unwrap(), 0);
    assert_eq!(mark_read(&scene.store, &plain, Some(&[all[0].id])).await.unwrap(), 1);
    assert_eq!(titles(&plain, true).await, ["Please approve"]);
    assert_eq!(mark_read(&scene.store, &plain, None).await.unwrap(), 1);
    assert_eq!(unread_count(&scene.store, &plain).await.unwrap(), 0);
    assert_eq!(titles(&plain, false).await.len(), 2);
}

const WISH: &str =
    "update iam.users set preferences = $2::text::jsonb, time_zone = $3, locale = $4 where id = $1";

#[tokio::test]
async fn nobody_is_written_to_in_quiet_hours() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let hour = |zone: &str, hours: i64| {
        let at = Timestamp::now().checked_add(SignedDuration::from_hours(hours)).unwrap();
        at.in_tz(zone).unwrap().strftime("%H:%M").to_string()
    };
    // Whose quiet hours hold the present one, by their own clocks; around whose midnight does not matter.
    let wishes = [
        ("asleep", "Asia/Almaty", -1, 2, true),
        ("far", "America/New_York", -20, 3, true),
        ("awake", "Asia/Almaty", 1, 3, false),
        ("never", "UTC", 5, 5, false),
    ];
    let notice =
        Notice { kind: "approval", title: "Approve", link: Some("http://x/o/a-b/r/1"), ..Notice::default() };
    for (name, zone, from, to, quiet) in wishes {
        let person = scene.member(owner.organization, name, None).await;
        let (from, to) = (hour(zone, from), hour(zone, to));
        let wish = serde_json::json!({ "notifications": { "*": { "email": true } }, "quiet": { "from": from, "to": to } });
        scene.admin.execute(WISH, &[&person.user, &wish.to_string(), &zone, &"en"]).await.unwrap();
        within!(scene.store, &owner, tx => notify(&tx, person.user, &notice).await).unwrap().unwrap();
        let due = "select (extract(epoch from send_at - now()) / 60)::integer, to_char(send_at at time zone $2::text, 'HH24:MI'), body
            from app.mails where recipient like $1::text || '-%'";
        let row = scene.admin.query_one(due, &[&name, &zone]).await.unwrap();
        let (minutes, at): (i32, &str) = (row.get(0), row.get(1));
        assert_eq!(minutes > 0, quiet, "{name}: {minutes}");
        assert!(!quiet || at == to && minutes <= 180, "{name}: {at}, in {minutes}");
        assert_eq!(row.get::<_, &str>(2), "Approve\n\nhttp://x/o/a-b/r/1");
    }
    // The mailer leaves them lie.
    let folder = tempfile::tempdir().unwrap();
    let mailer = flow::mail::Mailer::start(scene.store.clone(), flow::mail::Settings::outbox(folder.path()))
        .await
        .unwrap();
    mailer.wake();
    scene.until("select count(*) filter (where sent_at is not null) = 2 from app.mails").await;
    mailer.stop().await;
    assert_eq!(scene.one::<i64>("select count(*) from app.mails where sent_at is null").await, 2);
    // What was said badly is as if it was not said.
    let odd = scene.member(owner.organization, "odd", None).await;
    let wish =
        r#"{"notifications": {"*": {"email": true}}, "quiet": {"from": "25:00", "to": 7}, "digest": "soon"}"#;
    scene.admin.execute(WISH, &[&odd.user, &wish, &"UTC", &"en"]).await.unwrap();
    within!(scene.store, &owner, tx => notify(&tx, odd.user, &notice).await).unwrap().unwrap();
    assert!(scene.one::<bool>("select send_at <= now() from app.mails where recipient like 'odd-%'").await);
}

#[tokio::test]
async fn mail_of_a_day_comes_in_one_letter() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let daily = scene.member(owner.organization, "daily", None).await;
    let wish =
        r#"{"notifications": {"*": {"email": true}, "mention": {"in_app": false}}, "digest": "09:00"}"#;
    scene.admin.execute(WISH, &[&daily.user, &wish, &"Asia/Almaty", &"ru-KZ"]).await.unwrap();
    let tell = async |kind: &str, title: &str, body: &str| {
        let by = Some(title).filter(|_| kind == "mention");
        let notice =
            Notice { kind, title, by, body: Some(body), link: Some("http://x/1"), ..Notice::default() };
        within!(scene.store, &owner, tx => notify(&tx, daily.user, &notice).await).unwrap()
    };
    assert_eq!(tell("mention", "Ann", "Look at this").await, None);
    assert!(tell("approval", "Approve order 7", "It is urgent").await.is_some());
    assert_eq!(scene.one::<i64>("select count(*) from app.mails").await, 0);
    let due = "select bool_and(due_at > now() and due_at <= now() + interval '1 day' and extract(hour from due_at at time zone 'Asia/Almaty') = 9) from app.digests";
    assert!(scene.one::<bool>(due).await);
    assert_eq!(digests(&scene.store).await.unwrap()["letters"], 0, "not before its time");
    scene
        .admin
        .execute("update app.digests set due_at = now() where title like 'Approve%'", &[])
        .await
        .unwrap();
    assert_eq!(digests(&scene.store).await.unwrap()["letters"], 1);
    assert_eq!(digests(&scene.store).await.unwrap()["letters"], 0);
    let letter: String = scene.one("select subject || ': ' || body from app.mails").await;
    assert_eq!(
        letter,
        "Новости дня: 2: Acme\n====\n\nВас упоминает Ann\nLook at this\nhttp://x/1\n\nApprove order 7\nIt is urgent\nhttp://x/1\n"
    );
    assert_eq!(scene.one::<i64>("select count(*) from app.digests").await, 0);
}

#[tokio::test]
async fn a_notification_is_put_away_off_and_back() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let ann = scene.member(owner.organization, "ann", None).await;
    let tell = async |kind: &str, title: &str| {
        let notice = Notice { kind, title, ..Notice::default() };
        within!(scene.store, &owner, tx => notify(&tx, ann.user, &notice).await).unwrap().unwrap()
    };
    let (first, second, third) =
        (tell("approval", "1").await, tell("mention", "2").await, tell("x", "3").await);
    let places = async |actor: &Actor| {
        let mut all = Vec::new();
        for of in [Of::Inbox, Of::Unread, Of::Mentions, Of::Done, Of::Snoozed] {
            let list = list(&scene.store, actor, of, None, 50).await.unwrap();
            all.push(
                list.iter()
                    .map(|n| [first, second, third].iter().position(|id| *id == n.id).unwrap() + 1)
                    .collect::<Vec<_>>(),
            );
        }
        all
    };
    let empty: Vec<usize> = vec![];
    let to = async |id, how| put(&scene.store, &ann, id, || Ok(how)).await;
    assert_eq!(places(&ann).await, [vec![3, 2, 1], vec![3, 2, 1], vec![2], empty.clone(), empty.clone()]);
    let later = Timestamp::now().checked_add(SignedDuration::from_hours(20)).unwrap();
    to(second, Move::Done).await.unwrap();
    to(third, Move::Snooze(later)).await.unwrap();
    to(first, Move::Read).await.unwrap();
    assert_eq!(places(&ann).await, [vec![1], empty.clone(), empty.clone(), vec![2], vec![3]]);
    assert_eq!(unread_count(&scene.store, &ann).await.unwrap(), 0);
    assert_eq!(mark_read(&scene.store, &ann, None).await.unwrap(), 0, "what is put off stays new");
    // Its time has come.
    scene
        .admin
        .execute("update social.notifications set snoozed_until = now() where id = $1", &[&third])
        .await
        .unwrap();
    to(first, Move::Unread).await.unwrap();
    to(second, Move::Inbox).await.unwrap();
    assert_eq!(places(&ann).await, [vec![3, 2, 1], vec![3, 1], vec![2], empty.clone(), empty]);
    let page = list(&scene.store, &ann, Of::Inbox, Some(third), 50).await.unwrap();
    assert_eq!(page.iter().map(|n| n.id).collect::<Vec<_>>(), [second, first]);
    assert_eq!(page[0].actor.as_ref().unwrap()["id"], serde_json::json!(owner.user));
    for (whose, until) in [(&owner, 20), (&ann, -1), (&ann, 24 * 400)] {
        let until = Timestamp::now().checked_add(SignedDuration::from_hours(until)).unwrap();
        assert!(put(&scene.store, whose, first, || Ok(Move::Snooze(until))).await.is_err());
    }
}
