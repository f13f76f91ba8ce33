use crate::scene::scene;
use flow::{files::Files, housekeeping, schedules};
use kernel::within;
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_is_made_up_for_once() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let daily = |cron| schedules::Schedule {
        kind: "report",
        key: "weekly",
        cron,
        zone: "Asia/Almaty",
        payload: json!({"to": "me"}),
    };
    within!(scene.store, &owner, tx => schedules::set(&tx, &daily("0 9 * * *")).await).unwrap();
    assert!(within!(scene.store, &owner, tx => schedules::set(&tx, &daily("nonsense")).await).is_err());
    assert_eq!(scene.one::<i64>("select count(*) from app.jobs").await, 0);
    // Three days without a server.
    scene
        .admin
        .execute("update app.schedules set next_run_at = now() - interval '3 days'", &[])
        .await
        .unwrap();
    let start =
        || scene.worker().on("report", |c| Box::pin(async move { Ok(c.job.payload["to"].clone()) })).start();
    let workers = [start(), start(), start()];
    scene
        .until("select count(*) = 1 and bool_and(status = 'done' and result = '\"me\"') from app.jobs")
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(scene.one::<i64>("select count(*) from app.jobs").await, 1);
    assert!(scene.one::<bool>("select next_run_at > now() and last_run_at is not null and extract(hour from next_run_at at time zone 'Asia/Almaty') = 9 from app.schedules").await);
    // Set again unchanged, it keeps its turn; changed, it gets another.
    scene
        .admin
        .execute("update app.schedules set next_run_at = now() + interval '9 minutes'", &[])
        .await
        .unwrap();
    within!(scene.store, &owner, tx => schedules::set(&tx, &daily("0 9 * * *")).await).unwrap();
    assert!(scene.one::<bool>("select next_run_at < now() + interval '10 minutes' from app.schedules").await);
    within!(scene.store, &owner, tx => schedules::set(&tx, &daily("0 10 * * *")).await).unwrap();
    assert!(
        scene
            .one::<bool>(
                "select extract(hour from next_run_at at time zone 'Asia/Almaty') = 10 from app.schedules"
            )
            .await
    );
    assert!(within!(scene.store, &owner, tx => schedules::remove(&tx, "report", "weekly").await).unwrap());
    for w in workers {
        w.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schedule_does_not_overtake_itself() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let schedule =
        schedules::Schedule { kind: "slow", key: "", cron: "* * * * * *", zone: "UTC", payload: Value::Null };
    within!(scene.store, &owner, tx => schedules::set(&tx, &schedule).await).unwrap();
    let workers = scene.worker().on("slow", |_| Box::pin(std::future::pending())).start();
    scene.until("select count(*) = 1 from app.jobs where status = 'running'").await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert_eq!(scene.one::<i64>("select count(*) from app.jobs").await, 1);
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_house_is_kept() {
    let scene = scene().await;
    let folder = tempfile::tempdir().unwrap();
    let files = Files::open(folder.path(), Default::default()).await.unwrap();
    housekeeping::schedule(&scene.store).await.unwrap();
    housekeeping::schedule(&scene.store).await.unwrap();
    let old = "
        insert into app.idempotency (organization_id, user_id, key, request_hash, at) select gen_random_uuid(), gen_random_uuid(), 'k', '', now() - interval '8 days' from generate_series(1, 6000);
        insert into app.idempotency (organization_id, user_id, key, request_hash) values (gen_random_uuid(), gen_random_uuid(), 'k', '');
        insert into app.mails (recipient, subject, body, sent_at) values ('a@b.c', 's', 'code 1', now() - interval '3 days'), ('a@b.c', 's', 'code 2', now() - interval '40 days');
        insert into app.mails (recipient, subject, body, created_at) values ('a@b.c', 's', 'waits', now() - interval '40 days');
        insert into iam.users (email, first_name) values ('late@b.c', 'Late');
        insert into iam.sessions (token_hash, user_id, expires_at) select '1', id, now() - interval '1 minute' from iam.users where email = 'late@b.c';
        insert into iam.sessions (token_hash, user_id, expires_at) select '2', id, now() + interval '1 hour' from iam.users where email = 'late@b.c';
        update app.schedules set next_run_at = now();
        do $$ declare t text; begin
            for t in select relid::regclass::text from pg_partition_tree('app.audit') where relid::regclass::text ~ 'audit_2' loop execute 'drop table ' || t; end loop;
        end $$";
    scene.admin.batch_execute(old).await.unwrap();
    let workers = housekeeping::register(scene.worker(), files).start();
    scene.until("select count(*) = 6 and bool_and(status = 'done') from app.jobs").await;
    assert_eq!(scene.one::<i64>("select count(*) from app.idempotency").await, 1);
    let over =
        "select string_agg(encode(token_hash, 'escape'), ',') from iam.sessions where ended_at is not null";
    assert_eq!(scene.one::<String>(over).await, "1");
    assert_eq!(
        scene.one::<String>("select string_agg(body, ',' order by body) from app.mails").await,
        ",waits"
    );
    assert_eq!(scene.one::<i64>("select count(*) from pg_partition_tree('app.audit') where relid::regclass::text ~ 'audit_2' and isleaf").await, 3);
    assert_eq!(kernel::gate(&scene.admin).await.unwrap(), Vec::<String>::new());
    workers.stop().await;
}
