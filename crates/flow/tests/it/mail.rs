use crate::scene::{eventually, scene};
use flow::mail::{Attachment, Mail, Mailer, Settings, send, send_system};
use kernel::{Error, Result, system, within};
use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpListener,
};

fn outbox(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|e| e.unwrap().file_name().into_string().unwrap())
                .filter(|n| n.ends_with(".eml"))
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_on_the_disk_at_once_and_a_rollback_sends_nothing() {
    let scene = scene().await;
    let owner = scene.company("Acme").await;
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { poll: Duration::from_secs(60), ..Settings::outbox(folder.path().join("out")) };
    let mailer = Mailer::start(scene.store.clone(), settings).await.unwrap();
    let folder = folder.path().join("out");
    tokio::time::sleep(Duration::from_millis(100)).await;

    let mail = Mail {
        to: "Айгүл <a@example.com>", subject: "Код входа", body: "123456", attachments: &[]
    };
    let start = Instant::now();
    system!(scene.store, tx => send_system(&tx, &mail).await).unwrap();
    mailer.wake();
    eventually(|| async { (outbox(&folder).len() == 1).then_some(()) }).await;
    eprintln!("a code was on the disk after {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(2));

    let attachments = [Attachment {
        name: "счёт.pdf".into(),
        content_type: "application/pdf".into(),
        base64: "JVBERg==".into(),
    }];
    let mail = Mail {
        to: "b@example.com",
        subject: "Invoice\r\nBcc: c@example.com",
        body: "See there.",
        attachments: &attachments,
    };
    within!(scene.store, &owner, tx => send(&tx, &mail).await).unwrap();
    let undone: Result<()> =
        within!(scene.store, &owner, tx => { send(&tx, &mail).await?; Err(Error::refused("no")) });
    assert!(undone.is_err());
    scene
        .until("select count(*) = 2 and bool_and(sent_at is not null and attempts = 1) from app.mails")
        .await;
    let names = outbox(&folder);
    assert_eq!(names.len(), 2);
    let second = std::fs::read_to_string(folder.join(&names[1])).unwrap();
    assert!(second.contains("To: b@example.com") && second.contains("%PDF"), "{second}");
    assert!(!second.to_lowercase().contains("\nbcc:"), "{second}");
    mailer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_that_cannot_be_delivered_is_tried_again_and_never_lost() {
    let scene = scene().await;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let settings = Settings {
        poll: Duration::from_millis(30),
        first_wait: Duration::from_millis(30),
        ..Settings::outbox(&out)
    };
    let mailer = Mailer::start(scene.store.clone(), settings).await.unwrap();
    // The outbox is gone: a full disk, a lost mount.
    std::fs::remove_dir(&out).unwrap();
    let good = Mail { to: "a@example.com", subject: "s", body: "b", attachments: &[] };
    let bad = Mail { to: "nobody", ..good.clone() };
    system!(scene.store, tx => { send_system(&tx, &good).await?; send_system(&tx, &bad).await }).unwrap();
    scene.until("select bool_or(recipient = 'a@example.com' and attempts >= 2 and error is not null and sent_at is null) from app.mails").await;
    std::fs::create_dir(&out).unwrap();
    scene.until("select bool_or(recipient = 'a@example.com' and sent_at is not null and error is null) from app.mails").await;
    // What can never arrive is given up, and kept.
    scene
        .until(
            "select bool_or(recipient = 'nobody' and failed_at is not null and attempts = 3) from app.mails",
        )
        .await;
    assert_eq!(outbox(&out).len(), 1);
    mailer.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_busy_gets_the_same_letter_later() {
    let scene = scene().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let letters = Arc::new(Mutex::new(Vec::<String>::new()));
    let (taken, seen) = (letters.clone(), Arc::new(AtomicUsize::new(0)));
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let (taken, seen) = (taken.clone(), seen.clone());
            tokio::spawn(async move {
                let (read, mut write) = socket.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 test\r\n").await.unwrap();
                while let Ok(Some(line)) = lines.next_line().await {
                    let answer: &[u8] =
                        match line.split(' ').next().unwrap_or_default().to_uppercase().as_str() {
                            "EHLO" => b"250 test\r\n",
                            // The first two letters are put off.
                            "RCPT" if seen.fetch_add(1, Ordering::SeqCst) < 2 => b"451 later\r\n",
                            "DATA" => {
                                write.write_all(b"354 go\r\n").await.unwrap();
                                let mut letter = String::new();
                                while let Ok(Some(line)) = lines.next_line().await {
                                    if line == "." {
                                        break;
                                    }
                                    letter.push_str(&line);
                                    letter.push('\n');
                                }
                                taken.lock().unwrap().push(letter);
                                b"250 ok\r\n"
                            }
                            "QUIT" => b"221 bye\r\n",
                            _ => b"250 ok\r\n",
                        };
                    if write.write_all(answer).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    let settings = Settings {
        smtp: Some(format!("smtp://127.0.0.1:{port}")),
        poll: Duration::from_millis(30),
        first_wait: Duration::from_millis(30),
        ..Settings::outbox("unused")
    };
    let mailer = Mailer::start(scene.store.clone(), settings).await.unwrap();
    let mail = Mail { to: "a@example.com", subject: "s", body: "привет", attachments: &[] };
    let id = system!(scene.store, tx => send_system(&tx, &mail).await).unwrap();
    scene.until("select bool_and(sent_at is not null and attempts = 3) from app.mails").await;
    // Killed between delivery and the note of it: it comes again, as the same letter.
    scene.admin.execute("update app.mails set sent_at = null, send_at = now()", &[]).await.unwrap();
    eventually(|| async { (letters.lock().unwrap().len() == 2).then_some(()) }).await;
    let letters = letters.lock().unwrap().clone();
    assert_eq!(letters[0], letters[1]);
    assert!(letters[0].contains(&format!("Message-ID: <{id}@localhost>")), "{}", letters[0]);
    mailer.stop().await;
    assert!(
        Mailer::start(
            scene.store.clone(),
            Settings { smtp: Some("nonsense".into()), ..Settings::outbox("x") }
        )
        .await
        .is_err()
    );
}
