//! Files that people attach. The bytes are kept once for each organization, under their hash, in an object store:
//! `<organization>/<first two letters>/<sha256>`; what they are called and hang on is a row in `files.files`. Today
//! the store is a folder of this machine (docs/adr/0009).
//!
//! Invariants:
//! - A committed row has its bytes in the store, safe from a power cut: they are put there before the row is written.
//! - What a file is, its bytes say; what it is called is only ever shown.
//! - A file that hangs on a record is reached by those who reach the record; one that hangs on nothing by who sent it.

mod strip;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, future};
use kernel::{Actor, Error, Result, Store, Tx, sql, system, within};
use object_store::{
    GetResult, GetResultPayload, ObjectStore, ObjectStoreExt, buffered::BufWriter, local::LocalFileSystem,
    path::Path as Key,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    fmt::Display,
    io::{self, ErrorKind},
    iter,
    ops::Deref,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};
use tempfile::{NamedTempFile, TempPath};
use tokio::{
    fs::{self, File},
    io::{AsyncReadExt, AsyncWriteExt},
};
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct Settings {
    /// The largest file.
    pub most: u64,
    /// The socket of clamd; where there is one, every file goes past it.
    pub clamd: Option<PathBuf>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { most: 100 << 20, clamd: None }
    }
}

/// The store of blobs.
#[derive(Clone)]
pub struct Files {
    blobs: Arc<dyn ObjectStore>,
    /// A folder of this machine for what does not stay.
    passing: Arc<Path>,
    settings: Settings,
}

/// A file as it is listed.
#[derive(Clone, Debug, Serialize)]
pub struct Stored {
    pub id: Uuid,
    pub name: String,
    #[serde(rename = "type")]
    pub content_type: String,
    pub size: i64,
    pub sha256: String,
    pub entity: Option<String>,
    pub record_id: Option<Uuid>,
    pub created_by: Option<Uuid>,
    pub created_at: jiff::Timestamp,
}

/// A file to be handed out. Serve it with `nosniff`, a sandbox CSP and [`Opened::disposition`].
#[derive(Debug)]
pub struct Opened {
    pub stored: Stored,
    pub blob: GetResult,
}

impl Opened {
    /// For Content-Disposition. Only what a browser cannot run is shown in its place.
    pub fn disposition(&self) -> String {
        disposition(&self.stored.name, &self.stored.content_type)
    }
}

/// A file for programs that open it themselves: the blob where it lies, or a copy that goes with this.
pub enum OnDisk {
    Blob(PathBuf),
    Copy(TempPath),
}

impl Deref for OnDisk {
    type Target = Path;

    fn deref(&self) -> &Path {
        match self {
            OnDisk::Blob(path) => path,
            OnDisk::Copy(path) => path,
        }
    }
}

/// Kinds that a browser shows and never runs.
const SHOWN: [&str; 9] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "application/pdf",
    "text/plain",
    "video/mp4",
    "audio/mpeg",
];

/// Images beyond this would fill the memory of whoever looks at them.
const MOST_PIXELS: usize = 200_000_000;
const LONGEST_SIDE: usize = 30_000;
/// Images up to this size lose the places and people in their metadata; larger ones are refused.
const LARGEST_IMAGE: u64 = 64 << 20;
/// What is smaller goes to the store at once, what is larger in parts of this size: no bucket takes smaller ones.
const PART: usize = 5 << 20;
/// Where blobs wait for their row.
const PASSING: &str = "passing";
/// No upload takes so long.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Enough to tell what a file is.
const HEAD: usize = 8192;
/// What was thrown away can be brought back for so long.
const RETENTION: &str = "30 days";
const COLUMNS: &str = "id, name, type, size, sha256, entity, record_id, created_by, (extract(epoch from created_at) * 1000000)::bigint";

impl Files {
    /// Opens the folder, or makes it.
    pub async fn open(root: &Path, settings: Settings) -> Result<Files> {
        let passing = root.join(PASSING);
        let broken =
            |e: &dyn Display| Error::broken(format!("files: could not open {}: {e}", root.display()));
        fs::create_dir_all(&passing).await.map_err(|e| broken(&e))?;
        let local = LocalFileSystem::new_with_prefix(root).map_err(|e| broken(&e))?;
        Ok(Files::over(Arc::new(local.with_fsync(true)), &passing, settings))
    }

    /// Files in any store that keeps what it has taken; `passing` is a folder of this machine.
    pub fn over(blobs: Arc<dyn ObjectStore>, passing: &Path, settings: Settings) -> Files {
        Files { blobs, passing: passing.into(), settings }
    }

    fn blob(&self, organization: Uuid, sha256: &str) -> Key {
        Key::from(format!("{organization}/{}/{sha256}", sha256.get(..2).unwrap_or("00")))
    }

    fn broken(&self, what: &str, e: &(dyn std::error::Error + 'static)) -> Error {
        let full = |e: &io::Error| matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        if iter::successors(Some(e), |e| e.source()).filter_map(|e| e.downcast_ref()).any(full) {
            return Error::Unavailable("The server has no room for files left.".into());
        }
        Error::broken(format!("files: could not {what} {}: {e}", self.blobs))
    }

    /// Keeps what comes out of `stream`. It hangs on nothing yet: [`Files::attach`]. A stream that breaks off leaves
    /// nothing behind.
    pub async fn store<S, E>(&self, store: &Store, actor: &Actor, name: &str, stream: S) -> Result<Stored>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Display,
    {
        let room = within!(store, actor, tx => room(&tx).await)?;
        let key = Key::from(format!("{PASSING}/{}", Uuid::now_v7()));
        let mut passing = Passing { blobs: Arc::clone(&self.blobs), key: Some(key.clone()) };
        let stored = self.keep(store, actor, name, &key, room, stream).await;
        if stored.is_err() {
            // Gone already is fine; what stays is found by the sweep.
            let _ = self.blobs.delete(&key).await;
        }
        passing.key = None;
        stored
    }

    async fn keep<S, E>(
        &self,
        store: &Store,
        actor: &Actor,
        name: &str,
        key: &Key,
        room: u64,
        stream: S,
    ) -> Result<Stored>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Display,
    {
        let (mut size, mut sha256, head) = self.receive(key, room, stream).await?;
        let content_type = sniff(&head);
        if content_type.starts_with("image/")
            && let Some(clean) = self.look_at_image(key, content_type, size).await?
        {
            let once = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(Bytes::from(clean))]);
            (size, sha256, _) = self.receive(key, room, once).await?;
        }
        if let Some(clamd) = &self.settings.clamd {
            scan(clamd, self.get(key).await?).await?;
        }
        let (name, size) = (clean_name(name), i64::try_from(size).unwrap_or(i64::MAX));
        let id = Uuid::now_v7();
        let blob = self.blob(actor.organization, &sha256);
        within!(store, actor, tx => {
            // Locks the organization's files until the commit, so that the sweep cannot come between blob and row.
            if i64::try_from(room_now(&tx).await?).unwrap_or(i64::MAX) < size {
                return Err(full());
            }
            tx.execute(
                sql!("insert into files.files (organization_id, id, name, type, size, sha256) values ($1, $2, $3, $4, $5, $6)"),
                &[&actor.organization, &id, &name, &content_type, &size, &sha256],
            ).await?;
            let placed = match self.blobs.rename(key, &blob).await {
                // The transaction runs for the second time.
                Err(object_store::Error::NotFound { .. }) => self.blobs.head(&blob).await.map(drop),
                placed => placed,
            };
            placed.map_err(|e| self.broken("write to", &e))?;
            tx.changed("files.files", id, 1, "create");
            Ok(())
        })?;
        let (content_type, created_by) = (content_type.to_owned(), Some(actor.user));
        let (entity, record_id, created_at) = (None, None, jiff::Timestamp::now());
        Ok(Stored { id, name, content_type, size, sha256, entity, record_id, created_by, created_at })
    }

    /// Puts the stream into the store; answers size, hash and the first bytes.
    async fn receive<S, E>(&self, key: &Key, room: u64, stream: S) -> Result<(u64, String, Vec<u8>)>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Display,
    {
        let mut out =
            BufWriter::with_capacity(Arc::clone(&self.blobs), key.clone(), PART).with_max_concurrency(2);
        let (mut size, mut hash, mut head) = (0_u64, Sha256::new(), Vec::new());
        let poured = async {
            let mut stream = std::pin::pin!(stream);
            while let Some(chunk) = stream.next().await {
                let chunk =
                    chunk.map_err(|e| Error::malformed(format!("The file did not arrive whole: {e}")))?;
                size += chunk.len() as u64;
                if size > self.settings.most {
                    return Err(Error::refused(format!(
                        "A file may have {} MB at most.",
                        self.settings.most >> 20
                    )));
                }
                if size > room {
                    return Err(full());
                }
                let missing = HEAD - head.len();
                head.extend_from_slice(chunk.get(..missing).unwrap_or(&chunk));
                hash.update(&chunk);
                out.write_all(&chunk).await.map_err(|e| self.broken("write to", &e))?;
            }
            Ok(())
        };
        if let Err(e) = poured.await {
            let _ = out.abort().await;
            return Err(e);
        }
        out.shutdown().await.map_err(|e| self.broken("write to", &e))?;
        Ok((size, hex(hash), head))
    }

    async fn get(&self, key: &Key) -> Result<GetResult> {
        self.blobs.get(key).await.map_err(|e| self.broken("read from", &e))
    }

    /// Refuses bombs; answers the image without its metadata, if it has some.
    async fn look_at_image(
        &self,
        key: &Key,
        content_type: &'static str,
        size: u64,
    ) -> Result<Option<Vec<u8>>> {
        let stripped = matches!(content_type, "image/jpeg" | "image/png" | "image/webp");
        if stripped && size > LARGEST_IMAGE {
            return Err(Error::malformed(format!("An image may have {} MB at most.", LARGEST_IMAGE >> 20)));
        }
        let bytes = self.get(key).await?.bytes().await.map_err(|e| self.broken("read from", &e))?;
        let looked = tokio::task::spawn_blocking(move || {
            (imagesize::blob_size(&bytes).ok(), strip::strip(content_type, &bytes))
        });
        let (pixels, stripped) = looked.await.map_err(|e| Error::broken(e.to_string()))?;
        if pixels.is_some_and(|p| {
            p.width > LONGEST_SIDE || p.height > LONGEST_SIDE || p.width * p.height > MOST_PIXELS
        }) {
            return Err(Error::malformed("This image has too many pixels."));
        }
        stripped.map_err(|()| Error::malformed("This image is damaged."))
    }

    /// Hangs a file that one has sent on a record that one may change.
    pub async fn attach(
        &self,
        store: &Store,
        actor: &Actor,
        id: Uuid,
        entity: &str,
        record: Uuid,
    ) -> Result<()> {
        within!(store, actor, tx => attach(&tx, id, entity, record).await)
    }

    /// What hangs on a record.
    pub async fn list(
        &self,
        store: &Store,
        actor: &Actor,
        entity: &str,
        record: Uuid,
    ) -> Result<Vec<Stored>> {
        within!(store, actor, tx => {
            reach(&tx, entity, record, false).await?;
            let sql = format!(
                "select {COLUMNS} from files.files where organization_id = $1 and entity = $2 and record_id = $3 and deleted_at is null order by id"
            );
            let rows = tx.cached(&sql, &[&actor.organization, &entity, &record]).await?;
            Ok(rows.iter().map(Stored::read).collect())
        })
    }

    /// All that the company keeps, for those who administrate it, but for what people send each other: by `size`, `name` or
    /// `created_at`, from `offset` on; and how much it may keep.
    pub async fn all(
        &self,
        store: &Store,
        actor: &Actor,
        sort: &str,
        offset: i64,
    ) -> Result<serde_json::Value> {
        if !actor.access.is_admin() || actor.access.workspaces.is_some() {
            return Err(Error::Forbidden("Only administrators see all files of the company.".into()));
        }
        let order = match sort {
            "" | "-size" => "f.size desc",
            "size" => "f.size",
            "name" => "lower(f.name)",
            "-name" => "lower(f.name) desc",
            "created_at" => "f.created_at",
            "-created_at" => "f.created_at desc",
            _ => return Err(Error::malformed_at("sort", "Sort by size, name or created_at.")),
        };
        let sql = format!(
            "select jsonb_build_object('data', (select coalesce(jsonb_agg(to_jsonb(p)), '[]') from
                 (select f.id, f.name, f.type, f.size, f.entity, f.record_id, f.created_by, m.name as by, f.created_at
                  from files.files f left join iam.memberships m on m.organization_id = $1 and m.id = f.created_by
                  where f.organization_id = $1 and f.deleted_at is null and f.entity is distinct from 'social.messages' order by {order}, f.id limit 100 offset $2) p),
                 'total', (select count(*) from files.files f where f.organization_id = $1 and f.deleted_at is null and f.entity is distinct from 'social.messages'),
                 'used', r.used, 'quota', r.quota, 'quota_per_person', r.quota_per_person)
             from app.file_room($3) r"
        );
        within!(store, actor, tx => {
            let rows = tx.cached(&sql, &[&actor.organization, &offset.max(0), &actor.user]).await?;
            rows.first().map(|row| row.get(0)).ok_or_else(|| Error::broken("no answer"))
        })
    }

    /// Bytes that are free, and that there are, where uploads are written first.
    pub fn disk(&self) -> Option<(u64, u64)> {
        let disk = rustix::fs::statvfs(&*self.passing).ok()?;
        Some((disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize))
    }

    /// A file, for somebody who may see the record it hangs on; [`Error::NotFound`] for all others.
    pub async fn read(&self, store: &Store, actor: &Actor, id: Uuid) -> Result<Opened> {
        let stored = self.visible(store, actor, id).await?;
        self.hand_out(actor, stored).await
    }

    /// As [`Files::read`], for programs that open the file themselves.
    pub async fn path(&self, store: &Store, actor: &Actor, id: Uuid) -> Result<(OnDisk, Stored)> {
        let Opened { stored, blob } = self.read(store, actor, id).await?;
        let path = match blob.payload {
            GetResultPayload::File(_, path) => OnDisk::Blob(path),
            GetResultPayload::Stream(parts) => {
                let copy = copy(&self.passing, parts).await;
                OnDisk::Copy(copy.map_err(|e| self.broken("copy from", &e))?)
            }
        };
        Ok((path, stored))
    }

    async fn visible(&self, store: &Store, actor: &Actor, id: Uuid) -> Result<Stored> {
        within!(store, actor, tx => {
            let stored = find(&tx, id).await?;
            match (&stored.entity, stored.record_id) {
                (Some(entity), Some(record)) => reach(&tx, entity, record, false).await?,
                _ if stored.created_by == Some(actor.user) => {}
                _ => return Err(Error::NotFound),
            }
            Ok(stored)
        })
    }

    /// A file that every member may see because of where its id comes from: the company's logo, a colleague's picture.
    pub async fn read_shared(&self, store: &Store, actor: &Actor, id: Uuid) -> Result<Opened> {
        let stored = within!(store, actor, tx => find(&tx, id).await)?;
        self.hand_out(actor, stored).await
    }

    async fn hand_out(&self, actor: &Actor, stored: Stored) -> Result<Opened> {
        let blob = self.get(&self.blob(actor.organization, &stored.sha256)).await?;
        Ok(Opened { stored, blob })
    }

    /// Throws a file away: gone from sight now, from the store after thirty days. Who sent it may, and administrators.
    pub async fn delete(&self, store: &Store, actor: &Actor, id: Uuid) -> Result<()> {
        within!(store, actor, tx => {
            let stored = find(&tx, id).await?;
            if let (Some(entity), Some(record)) = (&stored.entity, stored.record_id) {
                reach(&tx, entity, record, false).await?;
            }
            let rows = tx.cached(
                sql!("update files.files set deleted_at = now() where organization_id = $1 and id = $2 and deleted_at is null returning version"),
                &[&actor.organization, &id],
            ).await?;
            let Some(row) = rows.first() else {
                return Err(Error::Forbidden("Only who sent a file may delete it.".into()));
            };
            tx.changed("files.files", id, row.get(0), "delete");
            Ok(())
        })
    }

    /// Takes away what no row names any more: rows thrown away long ago, blobs whose upload was cut short. Answers how
    /// many blobs went.
    pub async fn sweep(&self, store: &Store) -> Result<u64> {
        while system!(store, tx => {
            let sql = format!("select app.purge_files(now() - interval '{RETENTION}', 1000)");
            Ok(tx.query_one(&sql, &[]).await?.get::<_, i32>(0))
        })? == 1000
        {}
        let wrong = |e: object_store::Error| self.broken("sweep", &e);
        let mut gone = self.sweep_passing().await?;
        for folder in self.blobs.list_with_delimiter(None).await.map_err(wrong)?.common_prefixes {
            let Ok(organization) = Uuid::parse_str(folder.as_ref()) else { continue };
            let mut blobs = self.blobs.list(Some(&folder)).try_chunks(1000);
            while let Some(blobs) = blobs.try_next().await.map_err(|e| wrong(e.1))? {
                let hashes = blobs.iter().filter_map(|b| b.location.filename()).map(str::to_owned);
                gone += self.sweep_some(store, organization, &hashes.collect::<Vec<_>>()).await?;
            }
        }
        Ok(gone)
    }

    /// What uploads left that were cut short: whole blobs, and what a killed server was writing, which a store that
    /// is a folder does not list.
    async fn sweep_passing(&self) -> Result<u64> {
        let old = |at: SystemTime| at.elapsed().is_ok_and(|age| age > DAY);
        let mut gone = 0;
        let mut blobs = self.blobs.list(Some(&Key::from(PASSING)));
        while let Some(blob) = blobs.try_next().await.map_err(|e| self.broken("sweep", &e))? {
            if old(blob.last_modified.into()) && self.blobs.delete(&blob.location).await.is_ok() {
                gone += 1;
            }
        }
        let wrong = |e: io::Error| self.broken("sweep", &e);
        let mut parts = fs::read_dir(&self.passing).await.map_err(wrong)?;
        while let Some(part) = parts.next_entry().await.map_err(wrong)? {
            if part.metadata().await.and_then(|m| m.modified()).is_ok_and(old)
                && fs::remove_file(part.path()).await.is_ok()
            {
                gone += 1;
            }
        }
        Ok(gone)
    }

    async fn sweep_some(&self, store: &Store, organization: Uuid, hashes: &[String]) -> Result<u64> {
        const UNUSED: &str = sql!(
            "select h from unnest($2::text[]) h
             where not exists (select from files.files f where f.organization_id = $1 and f.sha256 = h)"
        );
        let unused = system!(store, tx => {
            Ok(tx.query(UNUSED, &[&organization, &hashes]).await?.iter().map(|r| r.get(0)).collect::<Vec<String>>())
        })?;
        if unused.is_empty() {
            return Ok(0);
        }
        system!(store, tx => {
            // Once more, while no upload of this organization can be between its blob and its row.
            tx.execute(sql!("select pg_advisory_xact_lock(hashtextextended('files ' || $1::uuid, 0))"), &[&organization]).await?;
            let mut gone = 0;
            for row in tx.query(UNUSED, &[&organization, &unused]).await? {
                if self.blobs.delete(&self.blob(organization, row.get(0))).await.is_ok() {
                    gone += 1;
                }
            }
            Ok(gone)
        })
    }

    /// Files whose bytes are missing or not what they were: organization, id.
    pub async fn verify(&self, store: &Store) -> Result<Vec<(Uuid, Uuid)>> {
        let (mut bad, mut last) = (Vec::new(), (Uuid::nil(), Uuid::nil()));
        loop {
            let rows = system!(store, tx => {
                Ok(tx.query(
                    sql!(
                        "select organization_id, id, sha256 from files.files where (organization_id, id) > ($1, $2)
                         order by organization_id, id limit 1000"
                    ),
                    &[&last.0, &last.1],
                ).await?)
            })?;
            for row in &rows {
                last = (row.get(0), row.get(1));
                let sha256: &str = row.get(2);
                if self.hash_of(&self.blob(last.0, sha256)).await.ok().as_deref() != Some(sha256) {
                    bad.push(last);
                }
            }
            if rows.len() < 1000 {
                return Ok(bad);
            }
        }
    }

    async fn hash_of(&self, key: &Key) -> object_store::Result<String> {
        let hashed = self.blobs.get(key).await?.into_stream().try_fold(Sha256::new(), |mut hash, part| {
            hash.update(&part);
            future::ok(hash)
        });
        hashed.await.map(hex)
    }
}

/// As [`Files::attach`], in a transaction.
pub async fn attach(tx: &Tx, id: Uuid, entity: &str, record: Uuid) -> Result<()> {
    reach(tx, entity, record, true).await?;
    let rows = tx
        .cached(
            sql!(
                "update files.files set entity = $4, record_id = $5
                 where organization_id = $1 and id = $2 and created_by = $3 and deleted_at is null returning version"
            ),
            &[&tx.actor.organization, &id, &tx.actor.user, &entity, &record],
        )
        .await?;
    tx.changed("files.files", id, rows.first().ok_or(Error::NotFound)?.get(0), "update");
    Ok(())
}

impl Stored {
    fn read(row: &tokio_postgres::Row) -> Stored {
        Stored {
            id: row.get(0),
            name: row.get(1),
            content_type: row.get(2),
            size: row.get(3),
            sha256: row.get(4),
            entity: row.get(5),
            record_id: row.get(6),
            created_by: row.get(7),
            created_at: crate::schedules::instant(row.get(8)),
        }
    }
}

async fn find(tx: &Tx, id: Uuid) -> Result<Stored> {
    let sql = format!(
        "select {COLUMNS} from files.files where organization_id = $1 and id = $2 and deleted_at is null"
    );
    let rows = tx.cached(&sql, &[&tx.actor.organization, &id]).await?;
    rows.first().map(Stored::read).ok_or(Error::NotFound)
}

/// Whether the actor reaches a record, to see or to change it: the policies of its table say.
pub(crate) async fn reach(tx: &Tx, entity: &str, record: Uuid, change: bool) -> Result<()> {
    if entity == crate::messages::ENTITY {
        crate::conversations::enter(tx, None).await?;
    }
    // The name gets into the statement only as the catalog knows it.
    let entity = tx.catalog.entities.get(entity).ok_or(Error::NotFound)?;
    let lock = if change { " for no key update" } else { "" };
    let sql = format!(
        "select 1 from {} r where organization_id = $1 and id = $2 and deleted_at is null{lock}",
        entity.rows()
    );
    let rows = tx.cached(&sql, &[&tx.actor.organization, &record]).await?;
    if rows.is_empty() { Err(Error::NotFound) } else { Ok(()) }
}

fn full() -> Error {
    Error::refused("There is no room for this file: delete others, or ask your administrator for more.")
}

async fn room(tx: &Tx) -> Result<u64> {
    let room = room_now(tx).await?;
    if room == 0 { Err(full()) } else { Ok(room) }
}

async fn room_now(tx: &Tx) -> Result<u64> {
    let sql = sql!("select used, used_by_me, quota, quota_per_person from app.file_room($1)");
    let rows = tx.cached(sql, &[&tx.actor.user]).await?;
    let row = rows.first().ok_or_else(|| Error::broken("no answer"))?;
    let (used, mine, quota, each): (i64, i64, i64, Option<i64>) =
        (row.get(0), row.get(1), row.get(2), row.get(3));
    let room = (quota - used).min(each.map_or(i64::MAX, |each| each - mine));
    Ok(u64::try_from(room).unwrap_or(0))
}

/// A blob on its way in; gone with the upload that nobody waits for any more.
struct Passing {
    blobs: Arc<dyn ObjectStore>,
    key: Option<Key>,
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let (Some(key), Ok(runtime)) = (self.key.take(), tokio::runtime::Handle::try_current()) {
            let blobs = Arc::clone(&self.blobs);
            runtime.spawn(async move { blobs.delete(&key).await });
        }
    }
}

async fn copy<S>(folder: &Path, mut parts: S) -> io::Result<TempPath>
where
    S: Stream<Item = object_store::Result<Bytes>> + Unpin,
{
    let (file, path) = NamedTempFile::new_in(folder)?.into_parts();
    let mut file = File::from_std(file);
    while let Some(part) = parts.try_next().await? {
        file.write_all(&part).await?;
    }
    file.flush().await?;
    Ok(path)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Asks clamd; a file is not kept while nobody has looked at it.
async fn scan(clamd: &Path, blob: GetResult) -> Result<()> {
    let answer = async {
        let mut socket = tokio::net::UnixStream::connect(clamd).await?;
        socket.write_all(b"zINSTREAM\0").await?;
        let mut parts = blob.into_stream();
        while let Some(part) = parts.try_next().await? {
            if part.is_empty() {
                continue; // An empty part says that this was all.
            }
            socket.write_all(&u32::try_from(part.len()).unwrap_or(0).to_be_bytes()).await?;
            socket.write_all(&part).await?;
        }
        socket.write_all(&[0; 4]).await?;
        let mut answer = String::new();
        socket.take(1000).read_to_string(&mut answer).await?;
        Ok::<_, io::Error>(answer)
    };
    match tokio::time::timeout(Duration::from_secs(60), answer).await {
        Ok(Ok(answer)) if answer.trim_end_matches('\0').ends_with("OK") => Ok(()),
        Ok(Ok(answer)) if answer.contains("FOUND") => Err(Error::refused("This file carries a virus.")),
        other => {
            tracing::warn!("clamd did not say whether a file is clean: {other:?}");
            Err(Error::Unavailable("Files cannot be checked for viruses just now; try again.".into()))
        }
    }
}

/// What a file is, by its first bytes.
fn sniff(head: &[u8]) -> &'static str {
    let text = match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        // Cut within a letter.
        Err(e) if head.len() >= HEAD && e.error_len().is_none() => {
            std::str::from_utf8(&head[..e.valid_up_to()]).ok()
        }
        Err(_) => None,
    };
    if let Some(text) = text.filter(|t| t.trim_start_matches('\u{feff}').trim_start().starts_with('<')) {
        let lower = text.to_ascii_lowercase();
        return match () {
            () if lower.contains("<svg") => "image/svg+xml",
            () if lower.contains("<html")
                || lower.contains("<!doctype html")
                || lower.contains("<script") =>
            {
                "text/html"
            }
            () => "text/xml",
        };
    }
    if let Some(kind) = infer::get(head) {
        return kind.mime_type();
    }
    let plain = text
        .is_some_and(|t| !t.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}')));
    if plain { "text/plain" } else { "application/octet-stream" }
}

/// A name without folders, control characters and tricks with the direction of writing; its ending survives a cut.
pub fn clean_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let name: String = name.chars().filter(|c| !hidden(*c)).collect();
    let name = name.trim().trim_start_matches('.').trim();
    if name.is_empty() {
        return "file".into();
    }
    let length = name.chars().count();
    if length <= 200 {
        return name.into();
    }
    let ending: String = match name.rsplit_once('.') {
        Some((_, ending)) if ending.len() <= 10 => format!(".{ending}"),
        _ => String::new(),
    };
    name.chars().take(200 - ending.chars().count()).chain(ending.chars()).collect()
}

/// `Content-Disposition` of a file: shown in place where that is safe.
pub fn disposition(name: &str, content_type: &str) -> String {
    let place = if SHOWN.contains(&content_type) { "inline" } else { "attachment" };
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_. ".contains(c) { c } else { '_' }).collect();
    let mut exact = String::new();
    for b in name.bytes() {
        match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => exact.push(char::from(b)),
            b => exact.push_str(&format!("%{b:02X}")),
        }
    }
    format!("{place}; filename=\"{plain}\"; filename*=UTF-8''{exact}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_only_names() {
        for (sent, kept) in [
            ("../../etc/passwd", "passwd"),
            ("C:\\Windows\\x.exe", "x.exe"),
            ("a\0b\r\n.pdf", "ab.pdf"),
            ("..", "file"),
            ("", "file"),
            ("\u{202e}fdp.exe", "fdp.exe"),
            ("Счёт № 7.pdf", "Счёт № 7.pdf"),
        ] {
            assert_eq!(clean_name(sent), kept);
        }
        let long = clean_name(&format!("{}.pdf", "ы".repeat(300)));
        assert_eq!(long.chars().count(), 200);
        assert!(long.ends_with("ы.pdf"));
    }

    #[test]
    fn a_file_is_what_its_bytes_say() {
        for (head, kind) in [
            (&b"\x89PNG\r\n\x1a\n........"[..], "image/png"),
            (b"\xff\xd8\xff\xe0....", "image/jpeg"),
            (b"%PDF-1.7\n", "application/pdf"),
            (b"GIF89a....", "image/gif"),
            (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"),
            (b"\xef\xbb\xbf  <?xml version='1.0'?><!-- --><svg/>", "image/svg+xml"),
            (b"<!DOCTYPE html><p>", "text/html"),
            (b"  <a><b/></a>", "text/xml"),
            ("имя,сумма\r\nАйгүл,5\r\n".as_bytes(), "text/plain"),
            (b"MZ\x90\x00", "application/vnd.microsoft.portable-executable"),
            (b"\x00\x01\x02", "application/octet-stream"),
            (b"", "text/plain"),
        ] {
            assert_eq!(sniff(head), kind, "{head:?}");
        }
    }

    #[test]
    fn only_what_cannot_run_is_shown_in_place() {
        assert_eq!(
            disposition("a b\"ü.png", "image/png"),
            "inline; filename=\"a b__.png\"; filename*=UTF-8''a%20b%22%C3%BC.png"
        );
        for kind in ["image/svg+xml", "text/html", "text/xml", "application/octet-stream"] {
            assert!(disposition("x", kind).starts_with("attachment;"));
        }
    }
}
