use crate::scene::{Scene, scene};
use bytes::Bytes;
use flow::files::{Files, Settings, Stored};
use futures_util::stream::{self, StreamExt};
use kernel::{Actor, Error, Result, within};
use object_store::{ObjectStore, memory::InMemory};
use std::{
    convert::Infallible,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::TempDir;
use uuid::Uuid;

async fn shelf() -> (TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::open(folder.path(), Settings { most: 1 << 20, clamd: None }).await.unwrap();
    (folder, files)
}

async fn put(scene: &Scene, files: &Files, actor: &Actor, name: &str, bytes: &[u8]) -> Result<Stored> {
    let parts: Vec<_> = bytes.chunks(1000).map(|c| Ok::<_, Infallible>(Bytes::copy_from_slice(c))).collect();
    files.store(&scene.store, actor, name, stream::iter(parts)).await
}

/// All files below a folder.
fn count(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, |entries| {
        entries.map(|e| e.unwrap().path()).map(|p| if p.is_dir() { count(&p) } else { 1 }).sum()
    })
}

async fn view(scene: &Scene, actor: &Actor) -> Uuid {
    within!(scene.store, actor, tx => {
        Ok(tx.query_one("insert into social.saved_views (entity, name, visibility, locked) values ('x', 'y', 'shared', true) returning id", &[]).await?.get(0))
    })
    .unwrap()
}

#[tokio::test]
async fn a_file_is_reached_by_those_who_reach_its_record() {
    let scene = scene().await;
    let (folder, files) = shelf().await;
    let owner = scene.company("Acme").await;
    let stranger = scene.company("Other").await;
    let colleague = scene.member(owner.organization, "colleague", None).await;
    let other = scene.member(owner.organization, "other", None).await;
    let file = put(&scene, &files, &colleague, "../../etc/Счёт.txt", "привет".as_bytes()).await.unwrap();
    assert_eq!((file.name.as_str(), file.content_type.as_str(), file.size), ("Счёт.txt", "text/plain", 12));
    let read = async |actor: &Actor, id| match files.read(&scene.store, actor, id).await {
        Ok(opened) => String::from_utf8(opened.blob.bytes().await.unwrap().into()).unwrap(),
        Err(e) => e.to_string(),
    };
    let nothing = Error::NotFound.to_string();
    assert_eq!(read(&colleague, file.id).await, "привет");
    // It hangs on nothing: only who sent it has it.
    assert_eq!(read(&other, file.id).await, nothing);
    assert_eq!(read(&stranger, file.id).await, nothing);
    assert_eq!(read(&stranger, Uuid::now_v7()).await, nothing);

    // On a record that one cannot change, or that is not there, nothing is hung.
    let others = view(&scene, &other).await;
    let theirs = view(&scene, &stranger).await;
    for (entity, record) in [
        ("social.saved_views", others),
        ("social.saved_views", theirs),
        ("social.saved_views", Uuid::nil()),
        ("app.jobs", others),
        ("x; drop table y", others),
    ] {
        let hung = files.attach(&scene.store, &colleague, file.id, entity, record).await;
        assert!(matches!(hung, Err(Error::NotFound)), "{entity} {hung:?}");
    }
    // Nor does one hang somebody else's file on one's own record.
    assert!(matches!(
        files.attach(&scene.store, &other, file.id, "social.saved_views", others).await,
        Err(Error::NotFound)
    ));

    let mine = view(&scene, &colleague).await;
    files.attach(&scene.store, &colleague, file.id, "social.saved_views", mine).await.unwrap();
    assert_eq!(read(&other, file.id).await, "привет", "every member may see a shared view");
    assert_eq!(read(&stranger, file.id).await, nothing);
    assert_eq!(files.list(&scene.store, &other, "social.saved_views", mine).await.unwrap().len(), 1);
    assert!(files.list(&scene.store, &stranger, "social.saved_views", mine).await.is_err());
    scene
        .admin
        .execute("update social.saved_views set deleted_at = now() where id = $1", &[&mine])
        .await
        .unwrap();
    assert_eq!(read(&other, file.id).await, nothing, "gone with its record");
    scene
        .admin
        .execute("update social.saved_views set deleted_at = null where id = $1", &[&mine])
        .await
        .unwrap();

    // The same bytes are kept once, and thrown away with the last who names them, after a while.
    let twin = put(&scene, &files, &owner, "twin", "привет".as_bytes()).await.unwrap();
    assert_eq!(count(folder.path()), 1);
    assert!(matches!(files.delete(&scene.store, &other, file.id).await, Err(Error::Forbidden(_))));
    files.delete(&scene.store, &colleague, file.id).await.unwrap();
    assert_eq!(read(&colleague, file.id).await, nothing);
    let long_ago =
        "update files.files set deleted_at = now() - interval '31 days' where deleted_at is not null";
    scene.admin.execute(long_ago, &[]).await.unwrap();
    assert_eq!(files.sweep(&scene.store).await.unwrap(), 0);
    assert_eq!(scene.one::<i64>("select count(*) from files.files").await, 1);
    files.delete(&scene.store, &owner, twin.id).await.unwrap();
    assert_eq!(files.sweep(&scene.store).await.unwrap(), 0, "it can still be brought back");
    scene.admin.execute(long_ago, &[]).await.unwrap();
    assert_eq!(files.sweep(&scene.store).await.unwrap(), 1);
    assert_eq!(count(folder.path()), 0);
}

#[tokio::test]
async fn what_is_cut_short_or_too_large_leaves_nothing() {
    let scene = scene().await;
    let (folder, files) = shelf().await;
    let owner = scene.company("Acme").await;
    for n in 0..20_usize {
        let broken = stream::iter([Ok(Bytes::from(vec![7; 100 * n])), Err("connection reset")]);
        assert!(matches!(files.store(&scene.store, &owner, "x", broken).await, Err(Error::Malformed(_))));
        // A client that stops sending, and is let go.
        let stuck =
            stream::iter([Ok::<_, Infallible>(Bytes::from_static(b"begun"))]).chain(stream::pending());
        let waiting = files.store(&scene.store, &owner, "x", stuck);
        assert!(tokio::time::timeout(Duration::from_millis(5), waiting).await.is_err());
    }
    assert!(matches!(
        put(&scene, &files, &owner, "x", &vec![1; (1 << 20) + 1]).await,
        Err(Error::Refused(_))
    ));
    let quota = "insert into tenancy.settings (organization_id, scope, key, value) values ($1, 'organization', 'files.quota', '5000')";
    scene.admin.execute(quota, &[&owner.organization]).await.unwrap();
    put(&scene, &files, &owner, "x", &[1; 3000]).await.unwrap();
    assert!(matches!(put(&scene, &files, &owner, "x", &[2; 3000]).await, Err(Error::Refused(_))));
    put(&scene, &files, &owner, "x", &[3; 2000]).await.unwrap();
    assert!(matches!(put(&scene, &files, &owner, "x", &[4; 1]).await, Err(Error::Refused(_))));
    assert_eq!(count(folder.path()), 2);
    assert_eq!(files.verify(&scene.store).await.unwrap(), []);

    // What a killed server left.
    let orphan = folder.path().join(owner.organization.to_string()).join("ab");
    std::fs::create_dir_all(&orphan).unwrap();
    std::fs::write(orphan.join("ab".repeat(32)), b"?").unwrap();
    let long_ago = SystemTime::now() - Duration::from_secs(25 * 3600);
    for (name, at) in [("whole", long_ago), ("begun#1", long_ago), ("young", SystemTime::now())] {
        let file = std::fs::File::create(folder.path().join("passing").join(name)).unwrap();
        file.set_modified(at).unwrap();
    }
    assert_eq!(files.sweep(&scene.store).await.unwrap(), 3);
    assert_eq!(count(folder.path()), 3);
}

#[tokio::test]
async fn a_large_file_comes_in_parts() {
    let scene = scene().await;
    let folder = tempfile::tempdir().unwrap();
    let files = Files::open(folder.path(), Settings { most: 16 << 20, clamd: None }).await.unwrap();
    let owner = scene.company("Acme").await;
    let parts = || stream::iter((0..6_u8).map(|n| Ok::<_, &str>(Bytes::from(vec![n; 1 << 20]))));
    let broken = parts().chain(stream::iter([Err("connection reset")]));
    assert!(matches!(files.store(&scene.store, &owner, "x", broken).await, Err(Error::Malformed(_))));
    assert_eq!(count(folder.path()), 0);
    let appears = async |some: bool| {
        while (count(folder.path()) > 0) != some {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        stored = files.store(&scene.store, &owner, "x", parts().chain(stream::pending())) => panic!("{stored:?}"),
        () = appears(true) => {}
    }
    // It is taken back beside the upload that is let go.
    appears(false).await;
    let file = files.store(&scene.store, &owner, "x", parts()).await.unwrap();
    let opened = files.read(&scene.store, &owner, file.id).await.unwrap();
    assert_eq!(opened.blob.bytes().await.unwrap()[(5 << 20) - 1..=5 << 20], [4, 5]);
    assert_eq!(count(folder.path()), 1);
}

#[tokio::test]
async fn files_may_lie_in_a_store_that_is_no_folder() {
    let scene = scene().await;
    let (folder, blobs) = (tempfile::tempdir().unwrap(), Arc::new(InMemory::new()));
    let files = Files::over(blobs.clone(), folder.path(), Settings::default());
    let owner = scene.company("Acme").await;
    let file = put(&scene, &files, &owner, "x.csv", b"a,b").await.unwrap();
    assert_eq!(files.verify(&scene.store).await.unwrap(), []);
    let (path, _) = files.path(&scene.store, &owner, file.id).await.unwrap();
    assert_eq!(std::fs::read(&*path).unwrap(), b"a,b");
    drop(path);
    assert_eq!(count(folder.path()), 0, "the copy goes when it was read");
    scene.admin.execute("delete from files.files", &[]).await.unwrap();
    assert_eq!(files.sweep(&scene.store).await.unwrap(), 1);
    assert_eq!(blobs.list(None).count().await, 0);
}

#[tokio::test]
async fn at_the_edge_of_the_quota_only_one_of_many_gets_in() {
    let scene = scene().await;
    let (folder, files) = shelf().await;
    let owner = scene.company("Acme").await;
    let quota = "insert into tenancy.settings (organization_id, scope, key, value) values ($1, 'organization', 'files.quota', '5000')";
    scene.admin.execute(quota, &[&owner.organization]).await.unwrap();
    let all = futures_util::future::join_all((0..6_u8).map(|n| {
        let (scene, files, owner) = (&scene, &files, &owner);
        async move { put(scene, files, owner, "x", &[n; 3000]).await.is_ok() }
    }));
    assert_eq!(all.await.into_iter().filter(|ok| *ok).count(), 1);
    assert_eq!(count(folder.path()), 1);
}

#[tokio::test]
async fn images_are_what_they_seem_and_keep_no_secrets() {
    let scene = scene().await;
    let (_folder, files) = shelf().await;
    let owner = scene.company("Acme").await;
    let picture = |width: u32, text: bool| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
        if text {
            encoder.add_text_chunk("GPS".into(), "43.2 N 76.9 E".into()).unwrap();
        }
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[0, 255, 0, 255]).unwrap();
        drop(writer);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes
    };
    let with = put(&scene, &files, &owner, "photo.exe", &picture(2, true)).await.unwrap();
    assert_eq!(with.content_type, "image/png");
    assert_eq!(
        with.sha256,
        put(&scene, &files, &owner, "plain.png", &picture(2, false)).await.unwrap().sha256
    );
    let opened = files.read(&scene.store, &owner, with.id).await.unwrap();
    assert!(opened.disposition().starts_with("inline"));
    assert!(matches!(
        put(&scene, &files, &owner, "bomb.png", &picture(50_000, false)).await,
        Err(Error::Malformed(_))
    ));
    assert!(matches!(
        put(&scene, &files, &owner, "cut.png", &picture(2, false)[..40]).await,
        Err(Error::Malformed(_))
    ));
    let page = put(
        &scene,
        &files,
        &owner,
        "cat.png",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>",
    )
    .await
    .unwrap();
    let opened = files.read(&scene.store, &owner, page.id).await.unwrap();
    assert_eq!(page.content_type, "image/svg+xml");
    assert!(opened.disposition().starts_with("attachment"));
}
