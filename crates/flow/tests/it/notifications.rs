use crate::scene::scene;
use flow::notifications::{Notice, list, mark_read, notify, unread_count};
use kernel::within;
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
    };
    // Somebody with few rights tells all of them.
    for user in [plain.user, mailed.user, silent.user, stranger.user] {
        within!(scene.store, &plain, tx => notify(&tx, user, &approval).await).unwrap();
    }
    let mention = Notice { kind: "mention", title: "You were mentioned", body: None, record: None };
    within!(scene.store, &owner, tx => notify(&tx, silent.user, &mention).await).unwrap();
    within!(scene.store, &owner, tx => notify(&tx, plain.user, &mention).await).unwrap();

    let titles = async |actor, unread| {
        let list = list(&scene.store, actor, unread, None, 50).await.unwrap();
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

    let all = list(&scene.store, &plain, false, None, 50).await.unwrap();
    assert_eq!(all[1].record_id, Some(Uuid::nil()));
    assert_eq!(list(&scene.store, &plain, false, Some(all[0].id), 50).await.unwrap().len(), 1);
    assert_eq!(unread_count(&scene.store, &plain).await.unwrap(), 2);
    assert_eq!(mark_read(&scene.store, &mailed, Some(&[all[0].id])).await.unwrap(), 0);
    assert_eq!(mark_read(&scene.store, &plain, Some(&[all[0].id])).await.unwrap(), 1);
    assert_eq!(titles(&plain, true).await, ["Please approve"]);
    assert_eq!(mark_read(&scene.store, &plain, None).await.unwrap(), 1);
    assert_eq!(unread_count(&scene.store, &plain).await.unwrap(), 0);
    assert_eq!(titles(&plain, false).await.len(), 2);
}
