use crate::scene::{eventually, scene};
use flow::{Context, Workers, jobs};
use kernel::{Error, Future, Result, sql, within};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// An effect that can be counted: a saved view.
async fn effect(context: &Context, pause: Duration) -> Result<Value> {
    let name = context.job.payload["name"].as_str().unwrap_or_default().to_owned();
    within!(context.store, &context.actor, tx => {
        tx.execute(
            sql!("insert into social.saved_views (organization_id, entity, name) values ($1, 'test', $2)"),
            &[&context.actor.organization, &name],
        ).await?;
        tokio::time::sleep(pause).await;
        context.finish(&tx, &json!({"made": name})).await?;
        Ok(json!({"made": name}))
    })
}

fn quick(context: &Context) -> Future<'_, Value> {
    Box::pin(effect(context, Duration::from_millis(3)))
}

const ALL_ENDED: &str = "select count(*) = 0 from app.jobs where status in ('queued', 'running')";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_effect_happens_once_though_workers_are_killed() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    for n in 0..120 {
        scene.enqueue(&owner, "effect", json!({"name": format!("job {n}")})).await;
    }
    let start = || scene.worker().on("effect", quick).start();
    let mut workers: Vec<Workers> = (0..4).map(|_| start()).collect();
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        // Killed: its tasks end wherever they are, its leases stay.
        drop(workers.remove(0));
        workers.push(start());
    }
    scene.until(ALL_ENDED).await;
    let (made, different): (i64, i64) = {
        let row = scene
            .admin
            .query_one("select count(*), count(distinct name) from social.saved_views", &[])
            .await
            .unwrap();
        (row.get(0), row.get(1))
    };
    assert_eq!((made, different), (120, 120));
    assert!(scene.one::<bool>("select bool_and(status = 'done' and result ? 'made' and finished_at is not null) from app.jobs").await);
    // The history names the job that did it.
    let told = "select count(*) = 120 from app.audit a join app.jobs j on j.id = a.request_id where a.entity = 'social.saved_views'";
    assert!(scene.one::<bool>(told).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_lost_its_lease_has_no_effect() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let id = scene.enqueue(&owner, "effect", json!({"name": "x"})).await;
    let slow = scene.worker().on("effect", |c| Box::pin(effect(c, Duration::from_millis(700)))).start();
    scene.until("select bool_or(status = 'running') from app.jobs").await;
    // As if this server had slept: somebody else has the job now.
    scene.admin.execute("update app.jobs set claim = gen_random_uuid()", &[]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(900)).await;
    assert_eq!(scene.one::<i64>("select count(*) from social.saved_views").await, 0);
    // The lease of the one who took over runs out too, and the job comes back.
    scene.until("select bool_and(status = 'done') from app.jobs").await;
    assert_eq!(scene.one::<i64>("select count(*) from social.saved_views").await, 1);
    let job = jobs::get(&scene.store, &owner, id).await.unwrap();
    assert_eq!((job.status.as_str(), job.attempts), ("done", 2));
    drop(slow);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_queue_starves_nobody() {
    let scene = scene().await;
    let (greedy, modest) = (scene.company("Greedy").await, scene.company("Modest").await);
    for n in 0..200 {
        scene.enqueue(&greedy, "effect", json!({"name": format!("{n}")})).await;
    }
    for n in 0..5 {
        scene.enqueue(&modest, "effect", json!({"name": format!("{n}")})).await;
    }
    let workers = scene.worker().on("effect", |c| Box::pin(effect(c, Duration::from_millis(15)))).start();
    let most = Arc::new(AtomicUsize::new(0));
    eventually(|| async {
        let running: i64 = scene.one("select coalesce(max(n), 0) from (select count(*) n from app.jobs where status = 'running' group by organization_id) x").await;
        most.fetch_max(running as usize, Ordering::Relaxed);
        let row = scene.admin.query_one("select count(*) from app.jobs where organization_id = $1 and status = 'done'", &[&modest.organization]).await.unwrap();
        (row.get::<_, i64>(0) == 5).then_some(())
    })
    .await;
    let greedy_done: i64 = scene
        .admin
        .query_one(
            "select count(*) from app.jobs where organization_id = $1 and status = 'done'",
            &[&greedy.organization],
        )
        .await
        .unwrap()
        .get(0);
    assert!(greedy_done < 30, "the modest waited for {greedy_done} jobs of the greedy");
    assert!(most.load(Ordering::Relaxed) <= 2, "half of the slots at most");
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_and_ends_as_a_dead_letter() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let tried = Arc::new(AtomicUsize::new(0));
    let count = tried.clone();
    let workers = scene
        .worker()
        .on("broken", move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Err(Error::broken("the secret of the machine")) })
        })
        .on("panic", |_| Box::pin(async { panic!("a bug") }))
        .on("refused", |_| Box::pin(async { Err(Error::refused("The order is closed.")) }))
        .start();
    for kind in ["broken", "panic", "refused", "unknown"] {
        scene.enqueue(&owner, kind, json!({})).await;
    }
    scene.until(ALL_ENDED).await;
    let jobs = jobs::list(&scene.store, &owner, 10).await.unwrap();
    let of = |kind: &str| jobs.iter().find(|j| j.kind == kind).unwrap();
    assert_eq!(tried.load(Ordering::Relaxed), 5);
    for (kind, attempts, error) in [
        ("broken", 5, "Something went wrong on our side."),
        ("panic", 5, "Something went wrong on our side."),
        // Trying again would not help.
        ("refused", 1, "The order is closed."),
        ("unknown", 1, "There is no work called unknown."),
    ] {
        let job = of(kind);
        assert_eq!(
            (job.status.as_str(), job.attempts, job.error.as_deref()),
            ("failed", attempts, Some(error)),
            "{kind}"
        );
        assert!(job.finished_at.is_some());
    }
    // A dead letter can be revived by its owner.
    jobs::retry(&scene.store, &owner, of("broken").id).await.unwrap();
    eventually(|| async { (tried.load(Ordering::Relaxed) == 10).then_some(()) }).await;
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_kills_its_worker_each_time_ends() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    scene.enqueue(&owner, "deadly", json!({})).await;
    for attempt in 1..=5 {
        let workers = scene.worker().on("deadly", |_| Box::pin(std::future::pending())).start();
        scene
            .until(&format!("select bool_and(status = 'running' and attempts = {attempt}) from app.jobs"))
            .await;
        drop(workers);
        scene
            .admin
            .execute("update app.jobs set lease_until = now() - interval '1 second'", &[])
            .await
            .unwrap();
    }
    let workers = scene.worker().on("deadly", |_| Box::pin(std::future::pending())).start();
    scene.until("select bool_and(status = 'failed' and error = 'The server stopped while this was running.') from app.jobs").await;
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_reaches_what_its_owner_reaches_and_no_more() {
    let scene = scene().await;
    let (owner, other) = (scene.company("Acme").await, scene.company("Other").await);
    let theirs = within!(scene.store, &other, tx => {
        Ok(tx.query_one("insert into social.saved_views (entity, name) values ('test', 'theirs') returning id", &[]).await?.get::<_, uuid::Uuid>(0))
    })
    .unwrap();
    let workers = scene
        .worker()
        .on("touch", |c| {
            Box::pin(async move {
                let id: uuid::Uuid = c.job.payload["id"].as_str().unwrap_or_default().parse().unwrap();
                within!(c.store, &c.actor, tx => {
                    let touched = tx.execute(
                        "update social.saved_views set name = 'mine' where organization_id = $1 and id = $2",
                        &[&c.actor.organization, &id],
                    ).await?;
                    if touched == 0 { Err(Error::NotFound) } else { Ok(Value::Null) }
                })
            })
        })
        .on_platform("platform.secret", |_| Box::pin(async { Ok(Value::Null) }))
        .start();
    scene.enqueue(&owner, "touch", json!({"id": theirs})).await;
    scene.enqueue(&owner, "platform.secret", json!({})).await;
    let suspended = scene.member(owner.organization, "ex", Some("owner")).await;
    scene
        .admin
        .execute("update iam.memberships set status = 'suspended' where id = $1", &[&suspended.user])
        .await
        .unwrap();
    scene.enqueue(&suspended, "touch", json!({"id": theirs})).await;
    scene.until(ALL_ENDED).await;
    assert_eq!(scene.one::<String>("select name from social.saved_views").await, "theirs");
    let errors: Vec<String> =
        jobs::list(&scene.store, &owner, 9).await.unwrap().into_iter().filter_map(|j| j.error).collect();
    assert!(errors.contains(&Error::NotFound.to_string()), "{errors:?}");
    assert!(errors.contains(&"There is no work called platform.secret.".to_owned()), "{errors:?}");
    let of_suspended = &jobs::list(&scene.store, &suspended, 9).await.unwrap()[0];
    assert_eq!(of_suspended.error.as_deref(), Some("You are no longer a member here."));
    // Nobody sees another's jobs, in the company or out of it.
    assert!(matches!(jobs::get(&scene.store, &owner, of_suspended.id).await, Err(Error::NotFound)));
    assert!(matches!(jobs::cancel(&scene.store, &other, of_suspended.id).await, Err(Error::NotFound)));
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_starts_at_once_tells_how_far_it_is_and_can_be_stopped() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let settings = flow::Settings { poll: Duration::from_secs(60), ..Default::default() };
    let workers = scene
        .worker()
        .settings(settings)
        .on("long", |c| {
            Box::pin(async move {
                c.progress(1, Some(3)).await?;
                std::future::pending().await
            })
        })
        .on("effect", quick)
        .start();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = std::time::Instant::now();
    let id = scene.enqueue(&owner, "long", json!({})).await;
    let job = eventually(|| async {
        Some(jobs::get(&scene.store, &owner, id).await.unwrap()).filter(|j| j.done == 1)
    })
    .await;
    assert!(start.elapsed() < Duration::from_secs(5), "nobody waits for the poll");
    assert_eq!((job.status.as_str(), job.total), ("running", Some(3)));
    assert!(jobs::cancel(&scene.store, &owner, id).await.unwrap());
    assert!(!jobs::cancel(&scene.store, &owner, id).await.unwrap());
    // Its slot is free again: two of one company may run.
    for _ in 0..2 {
        scene.enqueue(&owner, "effect", json!({"name": "x"})).await;
    }
    scene.until(ALL_ENDED).await;
    assert_eq!(jobs::get(&scene.store, &owner, id).await.unwrap().status, "cancelled");

    // The same key is the same job; whoever knows it stops it.
    let colleague = scene.member(owner.organization, "colleague", Some("owner")).await;
    let later = Some(jiff::Timestamp::now() + Duration::from_secs(3600));
    let new = || jobs::New { key: Some("step 7"), run_at: later, ..jobs::New::now("effect", json!({})) };
    let first = within!(scene.store, &owner, tx => jobs::add(&tx, new()).await).unwrap();
    assert_eq!(within!(scene.store, &colleague, tx => jobs::add(&tx, new()).await).unwrap(), first);
    assert!(within!(scene.store, &colleague, tx => jobs::cancel_key(&tx, "step 7").await).unwrap());
    assert_eq!(jobs::get(&scene.store, &owner, first).await.unwrap().status, "cancelled");

    // Undone, it was never asked for.
    let undone: Result<()> = within!(scene.store, &owner, tx => {
        jobs::enqueue(&tx, "effect", json!({"name": "never"}), None).await?;
        Err(Error::refused("no"))
    });
    assert!(undone.is_err());
    assert_eq!(scene.one::<i64>("select count(*) from app.jobs where payload ->> 'name' = 'never'").await, 0);
    workers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_finishes_what_it_can_and_gives_back_the_rest() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let workers = scene
        .worker()
        .on("short", |_| {
            Box::pin(async {
                tokio::time::sleep(Duration::from_millis(200)).await;
                Ok(json!("finished"))
            })
        })
        .on("endless", |_| Box::pin(std::future::pending()))
        .start();
    scene.enqueue(&owner, "short", json!({})).await;
    scene.enqueue(&owner, "endless", json!({})).await;
    scene.until("select count(*) = 2 from app.jobs where status = 'running'").await;
    scene.enqueue(&owner, "short", json!({"late": true})).await;
    workers.stop().await;
    let sql = "select string_agg(kind || ' ' || status || ' ' || attempts, ', ' order by id) from app.jobs where lease_until is null and claim is null";
    assert_eq!(scene.one::<String>(sql).await, "short done 1, endless queued 0, short queued 0");
}

#[tokio::test]
async fn every_statement_is_one_that_postgresql_understands() {
    let scene = scene().await;
    let mut wrong = Vec::new();
    for sql in kernel::Sql::all() {
        if let Err(e) = scene.admin.prepare(sql.text).await {
            wrong.push(format!("{}:{}: {e:?}", sql.file, sql.line));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(kernel::gate(&scene.admin).await.unwrap(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_are_noted_by_kind() {
    let scene = scene().await;
    let (log, writer) = flow::SystemLog::start(scene.store.clone());
    for n in 0..500 {
        log.error(&format!("row {n} of \"t{n}\" is gone"), flow::About::default(), Value::Null);
    }
    for n in 0..200 {
        let kind: String = format!("{n:03}").bytes().map(|b| char::from(b - b'0' + b'g')).collect();
        log.error(&format!("kind {kind}"), flow::About::default(), json!({"n": n}));
    }
    drop(log);
    writer.await.unwrap();
    assert_eq!(scene.one::<i64>("select count from app.system_logs where message like 'row%'").await, 500);
    assert_eq!(scene.one::<i64>("select sum(count)::bigint from app.system_logs").await, 700);
    assert_eq!(scene.one::<i64>("select count(*) from app.system_logs").await, 51);
}
