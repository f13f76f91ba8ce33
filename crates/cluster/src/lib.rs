//! A private PostgreSQL server for one data folder: found, made, started, attached to, restarted and stopped without an
//! administrator. It listens on a unix socket inside a folder that only its own account can enter, and never on the network.
//!
//! One writer per folder is guarded three times over: a lock file beside the folder lets one start at a time through, a
//! lock that the server's processes inherit says whether any of them is left (even in another container), and `/proc`
//! says which.

mod account;
mod find;
mod process;
mod settings;

use account::Account;
use find::Binaries;
use process::Postmaster;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, fchown, lchown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// Why the server could not be started or stopped, as a sentence that tells the administrator what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(String);

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

fn refuse<T>(sentence: impl Into<String>) -> Result<T, Error> {
    Err(Error(sentence.into()))
}

/// Turns an operating-system error into "Could not do this: reason."
trait Tried<T> {
    fn tried(self, what: &str, path: &Path) -> Result<T, Error>;
}

impl<T> Tried<T> for std::io::Result<T> {
    fn tried(self, what: &str, path: &Path) -> Result<T, Error> {
        self.map_err(|e| Error(format!("Could not {what} {}: {e}.", path.display())))
    }
}

/// The file that marks a data folder as made by this program; it also holds the settings.
const MARK: &str = "fondaco.conf";
/// Locked by every process of the running server.
const SERVER_LOCK: &str = "fondaco.lock";
const START_LOG: &str = "start.log";
const PORT: u16 = 5432;
/// Crash recovery after a long run may take minutes.
const READY: Duration = Duration::from_secs(600);
const SHUTDOWN: Duration = Duration::from_secs(120);
const TICK: Duration = Duration::from_millis(10);

/// A running PostgreSQL server of one data folder. Dropping it leaves the server running, except a
/// [`temporary`](Cluster::temporary) one.
pub struct Cluster {
    folder: PathBuf,
    account: Account,
    server: Mutex<Server>,
    scratch: Option<Scratch>,
}

#[derive(Clone)]
struct Server {
    socket: String,
    port: u16,
    version: (u32, u32),
}

impl Cluster {
    /// Makes the data folder if it is missing or empty, and starts its server, or attaches to it if it runs already.
    ///
    /// PostgreSQL 15 to 18 is looked for in `FONDACO_PG_BIN`, `/usr/lib/postgresql/*/bin`, `pg_config --bindir` and
    /// `PATH`; where there is none, root on Debian or Ubuntu installs it. Root never runs the server: it does so as the
    /// folder's owner, `postgres`, `fondaco` or `nobody`. The server outlives this process.
    pub fn start(folder: &Path) -> Result<Cluster, Error> {
        Self::open(folder, None)
    }

    /// A throw-away server for tests: in a temporary folder, without fsync. It is stopped and deleted on drop, and also
    /// when this process ends without dropping it.
    pub fn temporary() -> Result<Cluster, Error> {
        let scratch = Scratch::new()?;
        Self::open(&scratch.folder(), Some(scratch))
    }

    fn open(folder: &Path, scratch: Option<Scratch>) -> Result<Cluster, Error> {
        let folder = settle(folder)?;
        let account = Account::of(&folder)?;
        account.check(&folder)?;
        let lock = lock_beside(&folder, &account)?;
        let server = bring_up(&folder, &account, scratch.is_some())?;
        drop(lock);
        Ok(Cluster { folder, account, server: Mutex::new(server), scratch })
    }

    /// The connection string (`key=value`) for this role and database.
    pub fn config(&self, user: &str, database: &str) -> String {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "\\'");
        let server = self.server();
        let (socket, port) = (quoted(&server.socket), server.port);
        format!("host='{socket}' port={port} user='{}' dbname='{}'", quoted(user), quoted(database))
    }

    /// Major and minor version of the server that was started or attached to.
    pub fn version(&self) -> (u32, u32) {
        self.server().version
    }

    /// Whether the server's program on disk is no longer the one that runs (the package was upgraded): call
    /// [`restart`](Cluster::restart). False while the new program has been there for less than three seconds, so that the
    /// package manager can finish.
    pub fn outdated(&self) -> bool {
        let Some(postmaster) = Postmaster::of(&self.folder) else { return false };
        let Ok(running) = fs::metadata(postmaster.exe()) else { return false };
        let Some(Ok(installed)) = postmaster.program().map(fs::metadata) else { return false };
        let settled = SystemTime::UNIX_EPOCH + Duration::from_secs(installed.ctime().unsigned_abs() + 3);
        (running.dev(), running.ino()) != (installed.dev(), installed.ino()) && settled < SystemTime::now()
    }

    /// Stops the server (its open transactions are rolled back) and starts it again; also starts it if it had stopped.
    pub fn restart(&self) -> Result<(), Error> {
        let _lock = lock_beside(&self.folder, &self.account)?;
        shut_down(&self.folder)?;
        *self.server() = bring_up(&self.folder, &self.account, self.scratch.is_some())?;
        Ok(())
    }

    /// Whether the server runs and accepts connections.
    pub fn alive(&self) -> bool {
        Postmaster::of(&self.folder).is_some_and(|p| p.ready())
    }

    /// Fast shutdown: open transactions are rolled back, everything committed is on disk.
    pub fn stop(&self) -> Result<(), Error> {
        let _lock = lock_beside(&self.folder, &self.account)?;
        shut_down(&self.folder)
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The absolute path without symbolic links; makes the folder's parent.
fn settle(folder: &Path) -> Result<PathBuf, Error> {
    let absolute = std::path::absolute(folder).tried("find", folder)?;
    if absolute.exists() {
        return absolute.canonicalize().tried("read", folder);
    }
    let (Some(parent), Some(name)) = (absolute.parent(), absolute.file_name()) else {
        return refuse(format!("{} cannot be a data folder; choose another one.", folder.display()));
    };
    fs::create_dir_all(parent).tried("create", parent)?;
    Ok(parent.canonicalize().tried("read", parent)?.join(name))
}

fn beside(folder: &Path, suffix: &str) -> PathBuf {
    let mut path = folder.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Lets one start, restart or stop of this folder through at a time.
fn lock_beside(folder: &Path, account: &Account) -> Result<File, Error> {
    let path = beside(folder, ".lock");
    let file = lock_file(&path, account)?;
    loop {
        match file.lock() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            other => return other.tried("lock", &path).map(|()| file),
        }
    }
}

fn lock_file(path: &Path, account: &Account) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    // Without create first: in folders like /tmp the kernel refuses root that on a file of somebody else.
    let file = match options.open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => options.create(true).open(path),
        found => found,
    };
    let file = file.tried("open", path)?;
    account.give(&file).tried("change the owner of", path)?;
    Ok(file)
}

/// With the folder's lock held: makes the folder if need be; attaches to its server or starts it.
fn bring_up(folder: &Path, account: &Account, throwaway: bool) -> Result<Server, Error> {
    let made = made(folder)?;
    if made && let Some(server) = attach(folder)? {
        return Ok(server);
    }
    let binaries = Binaries::find(folder, made)?;
    if !made {
        make(folder, account, &binaries, throwaway)?;
    }
    account.own(folder)?;
    let mut tries = 0;
    loop {
        let lock = take_server_lock(folder, account)?;
        match launch(folder, account, &binaries, throwaway, lock) {
            Err(Error(log)) if tries < 5 && log.contains("pre-existing shared memory block") => tries += 1,
            other => return other,
        }
        sleep(Duration::from_millis(500));
    }
}

/// Whether the folder holds a database of ours (true), or is empty or missing (false).
fn made(folder: &Path) -> Result<bool, Error> {
    let shown = folder.display();
    match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
        Err(e) if e.kind() == ErrorKind::NotADirectory => {
            return refuse(format!("{shown} is a file, not a folder; choose another data folder."));
        }
        entries => {
            if entries.tried("read", folder)?.next().is_none() {
                return Ok(false);
            }
        }
    }
    match (folder.join("PG_VERSION").is_file(), folder.join(MARK).is_file()) {
        (true, true) if !folder.join("global/pg_control").is_file() => refuse(format!(
            "The database in {shown} is damaged (global/pg_control is missing); restore it from a backup."
        )),
        (true, true) => Ok(true),
        (true, false) => refuse(format!(
            "{shown} holds a PostgreSQL database that this program did not make, so it was left alone. Choose another \
             data folder; or, if it is yours and no other server uses it, create an empty file {MARK} in it."
        )),
        (false, _) => refuse(format!(
            "{shown} is not empty and holds no database; it was left alone. Choose another data folder."
        )),
    }
}

/// The running server of this folder, once it is ready; none if there is none (or it is just ending).
fn attach(folder: &Path) -> Result<Option<Server>, Error> {
    let begun = Instant::now();
    while let Some(postmaster) = Postmaster::of(folder) {
        if postmaster.single_user() {
            return refuse(format!(
                "Process {} uses {} in single-user mode; end it first.",
                postmaster.pid,
                folder.display()
            ));
        }
        if postmaster.ready() {
            if let Some(version) = find::version(&postmaster.exe()) {
                return Ok(Some(Server { socket: postmaster.socket, port: postmaster.port, version }));
            }
            // It may have ended since it said that it was ready; if not, its program is not one that tells.
            if begun.elapsed() > READY {
                return refuse(format!(
                    "Could not tell the version of the running server (process {}).",
                    postmaster.pid
                ));
            }
        }
        if begun.elapsed() > READY {
            return still_busy(folder, postmaster.pid);
        }
        sleep(TICK);
    }
    Ok(None)
}

fn still_busy<T>(folder: &Path, pid: i32) -> Result<T, Error> {
    refuse(format!(
        "PostgreSQL (process {pid}) has not become ready within {} minutes; it may be recovering after a crash. Its log \
         is in {}; try again when it is ready.",
        READY.as_secs() / 60,
        folder.join("log").display()
    ))
}

/// Makes the database in `<folder>.making` and renames it, so that an interrupted start leaves no half-made folder.
fn make(folder: &Path, account: &Account, binaries: &Binaries, throwaway: bool) -> Result<(), Error> {
    let staging = beside(folder, ".making");
    let (data, note) = (staging.join("data"), staging.join("made-by-fondaco"));
    if let Ok(mut entries) = fs::read_dir(&staging) {
        if !note.is_file() && entries.next().is_some() {
            return refuse(format!("{} is in the way; move it elsewhere.", staging.display()));
        }
        fs::remove_dir_all(&staging).tried("delete", &staging)?;
    }
    make_private(&staging, account)?;
    File::create_new(&note).tried("create", &note)?;
    make_private(&data, account)?;

    let mut initdb = account.command(&binaries.program("initdb"));
    initdb.arg("-D").arg(&data).args(["-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--lc-messages=C"]);
    initdb.args(["--data-checksums", "--auth-local=trust", "--auth-host=reject", "--no-instructions"]);
    if binaries.version.0 >= 17 {
        initdb.args(["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]);
    }
    if throwaway {
        initdb.arg("--no-sync");
    }
    let output = initdb.output().tried("run", &binaries.program("initdb"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return refuse(format!(
            "PostgreSQL could not make its folder {}:\n{}",
            folder.display(),
            said.trim()
        ));
    }
    settings::write(&data, account, "", throwaway)?;
    fs::rename(&data, folder).map_err(|e| {
        let shown = folder.display();
        Error(format!(
            "Could not create {shown}: {e}. If it is a mounted volume, choose a folder inside of it."
        ))
    })?;
    if let Some(parent) = folder.parent() {
        File::open(parent).and_then(|p| p.sync_all()).tried("save", parent)?;
    }
    fs::remove_dir_all(&staging).tried("delete", &staging)
}

fn make_private(folder: &Path, account: &Account) -> Result<(), Error> {
    DirBuilder::new().mode(0o700).create(folder).tried("create", folder)?;
    if account.other {
        lchown(folder, Some(account.uid), Some(account.gid)).tried("change the owner of", folder)?;
    }
    Ok(())
}

/// Ends what a killed server left behind, and takes the lock that the new one is going to hold.
fn take_server_lock(folder: &Path, account: &Account) -> Result<File, Error> {
    let path = folder.join(SERVER_LOCK);
    let file = lock_file(&path, account)?;
    let begun = Instant::now();
    loop {
        let left = process::end_leftovers(folder);
        match file.try_lock() {
            Ok(()) if left.is_empty() => return Ok(file),
            Err(TryLockError::Error(e)) => return Err(e).tried("lock", &path),
            _ if begun.elapsed() < Duration::from_secs(20) => sleep(TICK * 5),
            _ => {
                let who = process::inside(folder).iter().map(i32::to_string).collect::<Vec<_>>().join(", ");
                let who = if who.is_empty() {
                    "perhaps in another container".into()
                } else {
                    format!("process {who}")
                };
                let shown = folder.display();
                return refuse(format!(
                    "Another program ({who}) still uses the database in {shown}; end it first."
                ));
            }
        }
    }
}

/// Starts the server and waits until it is ready. `lock` becomes its standard input, which all of its processes inherit.
fn launch(
    folder: &Path,
    account: &Account,
    binaries: &Binaries,
    throwaway: bool,
    lock: File,
) -> Result<Server, Error> {
    let socket = socket_folder(folder, account);
    prepare_socket(&socket, account)?;
    // No server of this folder is left, so its process file is stale, whoever has that process number by now.
    forget(&folder.join("postmaster.pid"))?;
    let socket = socket.to_string_lossy().into_owned();
    settings::write(folder, account, &socket, throwaway)?;

    let log_path = folder.join(START_LOG);
    forget(&log_path)?;
    let mut options = OpenOptions::new();
    let log = options.append(true).create_new(true).mode(0o600).open(&log_path).tried("create", &log_path)?;
    account.give(&log).tried("change the owner of", &log_path)?;
    let log_too = log.try_clone().tried("open", &log_path)?;

    let program = binaries.program("postgres");
    let mut command = account.command(&program);
    command.arg("-D").arg(folder).args(settings::fixed(&socket, throwaway).iter().flat_map(|s| ["-c", s]));
    command.stdin(lock).stdout(log).stderr(log_too);
    process::in_own_session(&mut command);
    let begun = SystemTime::now();
    let mut child = command.spawn().tried("run", &program)?;
    drop(command);

    let deadline = Instant::now() + READY;
    loop {
        if let Some(status) = child.try_wait().tried("watch", &program)? {
            let log = settings::log_tail(folder, &log_path, begun);
            let shown = folder.display();
            return refuse(format!(
                "PostgreSQL did not start in {shown} ({status}). The end of its log:\n{log}"
            ));
        }
        if Postmaster::of(folder).is_some_and(|p| p.ready() && u32::try_from(p.pid) == Ok(child.id())) {
            break;
        }
        if Instant::now() > deadline {
            let pid = i32::try_from(child.id()).unwrap_or_default();
            reap(child);
            return still_busy(folder, pid);
        }
        sleep(TICK);
    }
    reap(child);
    Ok(Server { socket, port: PORT, version: binaries.version })
}

/// Collects the server's exit, whenever that is, so that it never stays as a zombie of ours.
fn reap(mut child: Child) {
    std::thread::spawn(move || child.wait());
}

fn forget(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e).tried("delete", path),
        _ => Ok(()),
    }
}

/// Where the socket is: in the data folder, or in a short one if the path is too long for a socket (107 bytes) or has
/// characters that connection strings give a meaning to.
fn socket_folder(folder: &Path, account: &Account) -> PathBuf {
    let near = folder.join("socket");
    let bytes = near.as_os_str().as_encoded_bytes();
    let plain = bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"/._-".contains(b));
    if plain && bytes.len() + socket_name().len() < 107 {
        return near;
    }
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
    PathBuf::from(format!("/tmp/fondaco-{hash:016x}-{}", account.uid))
}

fn socket_name() -> String {
    format!(".s.PGSQL.{PORT}")
}

fn prepare_socket(socket: &Path, account: &Account) -> Result<(), Error> {
    let shown = socket.display();
    match fs::symlink_metadata(socket) {
        Err(e) if e.kind() == ErrorKind::NotFound => make_private(socket, account)?,
        found => {
            let found = found.tried("read", socket)?;
            if !found.is_dir() || found.uid() != account.uid || found.mode() & 0o077 != 0 {
                return refuse(format!(
                    "{shown} must be a folder that belongs to {} and that nobody else can enter; delete it.",
                    account.name
                ));
            }
        }
    }
    let name = socket_name();
    if UnixStream::connect(socket.join(&name)).is_ok() {
        return refuse(format!("Another server answers at {shown}/{name}; stop it first."));
    }
    forget(&socket.join(&name))?;
    forget(&socket.join(format!("{name}.lock")))
}

fn shut_down(folder: &Path) -> Result<(), Error> {
    // Interrupt: fast shutdown. Quit: immediate shutdown, which loses nothing but needs recovery at the next start.
    for (signal, patience) in [(libc::SIGINT, SHUTDOWN), (libc::SIGQUIT, SHUTDOWN / 4)] {
        let begun = Instant::now();
        if let Some(postmaster) = Postmaster::of(folder) {
            process::signal(postmaster.pid.abs(), signal);
        }
        while begun.elapsed() < patience {
            // Its file goes first, its last processes (the logger) a moment later.
            if Postmaster::of(folder).is_none() && process::end_leftovers(folder).is_empty() {
                return Ok(());
            }
            sleep(TICK);
        }
    }
    let shown = folder.display();
    refuse(format!("PostgreSQL in {shown} does not stop; its log is in {shown}/log."))
}

/// A temporary folder with a watchdog that stops its server and deletes it when this process closes the pipe or dies.
struct Scratch {
    root: PathBuf,
    watchdog: Child,
}

const WATCHDOG: &str = r#"
trap '' INT TERM HUP
read -r _
n=0
while pid=$(head -n 1 "$1/pg/postmaster.pid" 2>/dev/null) && [ "$(readlink "/proc/$pid/cwd")" = "$1/pg" ] && [ $n -lt 200 ]; do
    [ $n = 0 ] && kill -QUIT "$pid"
    n=$((n + 1))
    sleep 0.02
done
rm -rf "$1" "$2"
"#;

impl Scratch {
    fn new() -> Result<Self, Error> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let temp = std::env::temp_dir();
        let temp = temp.canonicalize().tried("find the temporary folder", &temp)?;
        let nanos = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |d| d.subsec_nanos());
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let root = temp.join(format!("fondaco-test-{}-{count}-{nanos:x}", std::process::id()));
        DirBuilder::new().mode(0o711).create(&root).tried("create", &root)?;
        let folder = root.join("pg");
        let socket = socket_folder(&folder, &Account::of(&folder)?);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", WATCHDOG, "sh"]).arg(&root).arg(socket).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        process::in_own_session(&mut command);
        let watchdog = command.spawn().tried("run", Path::new("/bin/sh"))?;
        Ok(Self { root, watchdog })
    }

    fn folder(&self) -> PathBuf {
        self.root.join("pg")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Replaces a file at once, owned by the server's account.
fn replace(path: &Path, text: &str, account: &Account) -> Result<(), Error> {
    let new = beside(path, ".new");
    forget(&new)?;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new).tried("create", &new)?;
    file.write_all(text.as_bytes()).tried("write", &new)?;
    account.give(&file).tried("change the owner of", &new)?;
    file.sync_all().tried("write", &new)?;
    fs::rename(&new, path).tried("write", path)
}

impl Account {
    /// Makes the account the owner of an open file.
    fn give(&self, file: &File) -> std::io::Result<()> {
        if self.other { fchown(file, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }
}
