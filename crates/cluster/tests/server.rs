//! Real servers in temporary folders.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use cluster::Cluster;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A folder whose servers are killed and which is deleted at the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let temp = std::env::temp_dir().canonicalize().unwrap();
        let path = temp.join(format!("fondaco-cluster-{name}-{}", std::process::id()));
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }

    fn data(&self) -> PathBuf {
        self.0.join("pg")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        kill(&inside(&self.data()));
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The processes that work in this folder.
fn inside(folder: &Path) -> Vec<String> {
    let pids = fs::read_dir("/proc").unwrap().flatten().filter_map(|e| e.file_name().into_string().ok());
    pids.filter(|pid| fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == folder)).collect()
}

fn kill(pids: &[String]) {
    for pid in pids {
        let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status();
    }
}

fn postmaster(folder: &Path) -> String {
    fs::read_to_string(folder.join("postmaster.pid")).unwrap().lines().next().unwrap().to_owned()
}

fn psql(config: &str, sql: &str) -> Command {
    let mut psql = Command::new("psql");
    psql.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).args([
        "-XAtq",
        "-v",
        "ON_ERROR_STOP=1",
        "-d",
        config,
    ]);
    psql.args(["-c", sql]).stdin(Stdio::null());
    psql
}

fn ask(cluster: &Cluster, sql: &str) -> String {
    let Output { status, stdout, stderr } =
        psql(&cluster.config("postgres", "postgres"), sql).output().unwrap();
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap().trim().to_owned()
}

fn refused(folder: &Path) -> String {
    Cluster::start(folder).map(|_| ()).unwrap_err().to_string()
}

/// Starts the cluster in another process, which ends then.
fn start_elsewhere(folder: &Path) -> Child {
    helper().env("FOLDER", folder).spawn().unwrap()
}

fn helper() -> Command {
    let mut other = Command::new(std::env::current_exe().unwrap());
    other.args(["--exact", "another_process", "--ignored"]);
    other.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    other
}

#[test]
#[ignore = "run by the other tests as a process of its own"]
fn another_process() {
    if let Some(folder) = std::env::var_os("FOLDER") {
        assert!(Cluster::start(Path::new(&folder)).unwrap().alive());
    }
    if let Some(note) = std::env::var_os("NOTE") {
        let cluster = Cluster::temporary().unwrap();
        fs::write(note, ask(&cluster, "show data_directory")).unwrap();
        std::process::abort();
    }
}

/// Two starts of an empty folder, in two processes, that then end: one makes and starts it, the other attaches, it lives on.
#[test]
fn parallel_starts_make_one_server_that_outlives_them() {
    let place = Place::new("parallel");
    let data = place.data();
    for mut other in [start_elsewhere(&data), start_elsewhere(&data)] {
        assert!(other.wait().unwrap().success());
    }
    let pid = postmaster(&data);
    let begun = Instant::now();
    let cluster = Cluster::start(&data).unwrap();
    assert!(begun.elapsed() < Duration::from_millis(500), "attached in {:?}", begun.elapsed());
    assert_eq!(postmaster(&data), pid);
    assert!(cluster.alive() && !cluster.outdated());

    let version = ask(&cluster, "show server_version_num").parse::<u32>().unwrap();
    assert_eq!(cluster.version(), (version / 10_000, version % 10_000));
    for (setting, value) in [
        ("data_checksums", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("synchronous_commit", "on"),
        ("listen_addresses", ""),
        ("max_connections", "60"),
        ("wal_level", "replica"),
        ("jit", "off"),
        ("timezone", "UTC"),
        ("server_encoding", "UTF8"),
        ("data_directory", data.to_str().unwrap()),
        ("password_encryption", "scram-sha-256"),
    ] {
        assert_eq!(ask(&cluster, &format!("show {setting}")), value, "{setting}");
    }
    assert_eq!(ask(&cluster, "select lower('ҚАЗАҚ') || upper('é')"), "қазақÉ");
    assert_eq!(fs::metadata(data.join("socket")).unwrap().mode() & 0o777, 0o700);
    let process = format!("/proc/{pid}");
    assert_ne!(fs::metadata(&process).unwrap().uid(), 0);
    let environment = fs::read(process + "/environ").unwrap();
    assert!(
        !String::from_utf8_lossy(&environment).contains("FOLDER"),
        "our secrets are not in its environment"
    );
    assert!(!data.with_extension("making").exists());
    // The server's processes hold this lock, which shows them even where /proc does not.
    let lock = fs::File::open(data.join("fondaco.lock")).unwrap();
    assert!(matches!(lock.try_lock(), Err(fs::TryLockError::WouldBlock)));
    drop(lock);
    // A safety setting that somebody switched off is on again after a restart.
    ask(&cluster, "alter system set fsync = off");
    cluster.restart().unwrap();
    assert_eq!(ask(&cluster, "show fsync"), "on");
    assert_ne!(postmaster(&data), pid);
    cluster.stop().unwrap();
    assert!(!cluster.alive());
    // Its last processes end a moment after it.
    let begun = Instant::now();
    while !inside(&data).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?} live on", inside(&data));
        std::thread::sleep(Duration::from_millis(20));
    }
    cluster.stop().unwrap();
}

/// kill -9 of everything, of the postmaster alone with a busy orphan left, and stale files that name another program.
#[test]
fn starts_again_after_any_kill() {
    let place = Place::new("kill");
    let data = place.data();
    let cluster = Cluster::start(&data).unwrap();
    ask(&cluster, "create table kept (n int); insert into kept values (1)");
    kill(&inside(&data));
    while cluster.alive() {
        sleep(Duration::from_millis(5));
    }
    let begun = Instant::now();
    let cluster = Cluster::start(&data).unwrap();
    println!("start after kill -9: {:?}", begun.elapsed());
    assert_eq!(ask(&cluster, "select n from kept"), "1");

    // An orphan that is busy does not notice that the postmaster is gone, and writes on.
    let busy = "set application_name = 'busy'; do 'begin loop insert into kept values (2); delete from kept where n = 2; end loop; end'";
    let mut busy = psql(&cluster.config("postgres", "postgres"), busy).stderr(Stdio::null()).spawn().unwrap();
    while ask(
        &cluster,
        "select count(*) from pg_stat_activity where application_name = 'busy' and state = 'active'",
    ) != "1"
    {
        sleep(Duration::from_millis(5));
    }
    kill(&[postmaster(&data)]);
    cluster.restart().unwrap();
    assert_eq!(ask(&cluster, "select string_agg(n::text, ',') from kept"), "1");
    assert_eq!(ask(&cluster, "select count(*) from pg_stat_activity where application_name = 'busy'"), "0");
    busy.wait().unwrap();

    // The stale file names a dead process, then a living one: this test, and a stranger of the server's own user.
    let stale = fs::read_to_string(data.join("postmaster.pid")).unwrap();
    cluster.stop().unwrap();
    let owner = fs::metadata(&data).unwrap();
    for pid in [stale.lines().next().unwrap(), &std::process::id().to_string(), "1"] {
        let rest = stale.split_once('\n').unwrap().1;
        for (name, text) in
            [("postmaster.pid", format!("{pid}\n{rest}")), ("socket/.s.PGSQL.5432.lock", format!("{pid}\n"))]
        {
            fs::write(data.join(name), text).unwrap();
            chown(data.join(name), Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        assert!(!cluster.alive());
        let again = Cluster::start(&data).unwrap();
        assert_eq!(ask(&again, "select n from kept"), "1");
        assert_ne!(postmaster(&data), pid);
        again.stop().unwrap();
    }
}

#[test]
fn folders_that_are_not_ours_stay_as_they_are() {
    let place = Place::new("foreign");
    let data = place.data();
    fs::create_dir(&data).unwrap();
    fs::write(data.join("letter.txt"), "dear").unwrap();
    assert!(refused(&data).contains("is not empty"), "{}", refused(&data));
    fs::write(data.join("PG_VERSION"), "15\n").unwrap();
    assert!(refused(&data).contains("did not make"), "{}", refused(&data));
    fs::write(data.join("fondaco.conf"), "").unwrap();
    assert!(refused(&data).contains("damaged"), "{}", refused(&data));
    fs::create_dir(data.join("global")).unwrap();
    fs::write(data.join("global/pg_control"), "").unwrap();
    for (version, sentence) in [("14", "Upgrade it"), ("99", "newer"), ("x", "damaged")] {
        fs::write(data.join("PG_VERSION"), version).unwrap();
        assert!(refused(&data).contains(sentence), "{}", refused(&data));
    }
    assert_eq!(fs::read_to_string(data.join("letter.txt")).unwrap(), "dear");
    assert!(refused(&data.join("letter.txt")).contains("is a file"));
    let other = place.0.join("other");
    fs::create_dir(place.0.join("other.making")).unwrap();
    fs::write(place.0.join("other.making/letter.txt"), "dear").unwrap();
    assert!(refused(&other).contains("in the way"), "{}", refused(&other));
}

/// An interrupted initdb, a long path, a server that cannot start (its log is in the error), and a second writer that /proc
/// does not show.
#[test]
fn odd_folders() {
    let place = Place::new("odd");
    let parent = place
        .0
        .join("a folder, with a name that is far too long for the path of a socket; it's odd".repeat(2));
    let data = parent.join("pg");
    fs::create_dir_all(parent.join("pg.making/data")).unwrap();
    fs::write(parent.join("pg.making/made-by-fondaco"), "").unwrap();
    fs::write(parent.join("pg.making/data/PG_VERSION"), "").unwrap();
    fs::create_dir(&data).unwrap();
    let cluster = Cluster::start(&data).unwrap();
    assert!(
        cluster.config("me", "it's").starts_with("host='/tmp/fondaco-"),
        "{}",
        cluster.config("me", "it's")
    );
    assert_eq!(ask(&cluster, "select 1"), "1");
    let socket = ask(&cluster, "show unix_socket_directories");
    cluster.stop().unwrap();

    let conf = fs::read_to_string(data.join("postgresql.conf")).unwrap();
    fs::write(data.join("postgresql.conf"), format!("{conf}\nwork_mem = 'much'\n")).unwrap();
    assert!(refused(&data).contains("work_mem"), "{}", refused(&data));
    fs::write(data.join("postgresql.conf"), conf).unwrap();

    fs::set_permissions(&socket, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(refused(&data).contains("nobody else can enter"), "{}", refused(&data));
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o700)).unwrap();
    let listener = std::os::unix::net::UnixListener::bind(Path::new(&socket).join(".s.PGSQL.5432")).unwrap();
    assert!(refused(&data).contains("Another server answers"), "{}", refused(&data));
    drop(listener);
    cluster.restart().unwrap();
    assert_eq!(ask(&cluster, "select 1"), "1");
    kill(&inside(&data));
    fs::remove_dir_all(socket).unwrap();
}

#[test]
fn temporary_clusters_vanish() {
    let first = Cluster::temporary().unwrap();
    let folder = PathBuf::from(ask(&first, "show data_directory"));
    assert_eq!(ask(&first, "show fsync"), "off");
    let pid = postmaster(&folder);
    drop(first);
    assert!(!folder.parent().unwrap().exists());
    assert!(!Path::new(&format!("/proc/{pid}/cwd")).exists());

    // Also when the process that made it dies.
    let place = Place::new("vanish");
    let note = place.0.join("note");
    let mut other = helper();
    assert!(!other.env("NOTE", &note).spawn().unwrap().wait().unwrap().success());
    let folder = PathBuf::from(fs::read_to_string(note).unwrap());
    let begun = Instant::now();
    while folder.parent().unwrap().exists() {
        assert!(begun.elapsed() < Duration::from_secs(10));
        sleep(Duration::from_millis(20));
    }
    assert!(inside(&folder).is_empty());
}

/// A copy of the programs is replaced while it runs, as a package upgrade does.
#[test]
fn an_upgraded_program_is_noticed() {
    let place = Place::new("upgrade");
    let data = place.data();
    let probe = Cluster::temporary().unwrap();
    let folder = PathBuf::from(ask(&probe, "show data_directory"));
    let program = fs::read_link(format!("/proc/{}/exe", postmaster(&folder))).unwrap();
    drop(probe);
    let version = program.parent().unwrap().parent().unwrap();
    if !version.starts_with("/usr/lib/postgresql") {
        return; // Another layout, which this test cannot copy.
    }
    let copy = place.0.join(version.strip_prefix("/").unwrap());
    fs::create_dir_all(copy.join("bin")).unwrap();
    for name in ["postgres", "initdb"] {
        fs::copy(version.join("bin").join(name), copy.join("bin").join(name)).unwrap();
    }
    symlink(version.join("lib"), copy.join("lib")).unwrap();
    symlink("/usr/share", place.0.join("usr/share")).unwrap();

    let mut other = helper();
    assert!(other.env("FOLDER", &data).env("FONDACO_PG_BIN", copy.join("bin")).status().unwrap().success());
    let cluster = Cluster::start(&data).unwrap();
    let at = postmaster(&data);
    assert_eq!(fs::read_link(format!("/proc/{at}/exe")).unwrap(), copy.join("bin/postgres"));
    assert!(!cluster.outdated());
    fs::copy(copy.join("bin/postgres"), copy.join("bin/new")).unwrap();
    fs::rename(copy.join("bin/new"), copy.join("bin/postgres")).unwrap();
    assert!(!cluster.outdated(), "the package manager may not have finished");
    let begun = Instant::now();
    while !cluster.outdated() {
        assert!(begun.elapsed() < Duration::from_secs(6));
        sleep(Duration::from_millis(50));
    }
    let again = Cluster::start(&data).unwrap();
    assert_eq!((again.version(), postmaster(&data)), (cluster.version(), at), "attached to the old program");
    cluster.restart().unwrap();
    assert!(!cluster.outdated() && cluster.alive());
}

/// What only root meets: a folder restored by root, and one that the server's account cannot reach.
#[test]
fn root_hands_the_folder_over() {
    let place = Place::new("root");
    if fs::metadata(&place.0).unwrap().uid() != 0 {
        return;
    }
    let data = place.data();
    Cluster::start(&data).unwrap().stop().unwrap();
    let owner = fs::metadata(&data).unwrap().uid();
    assert_ne!(owner, 0);
    assert!(Command::new("chown").args(["-R", "root"]).arg(&data).status().unwrap().success());
    let cluster = Cluster::start(&data).unwrap();
    assert_eq!(fs::metadata(data.join("global/pg_control")).unwrap().uid(), owner);
    cluster.stop().unwrap();
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o700)).unwrap();
    let closed = format!("chmod o+x {}", place.0.display());
    assert!(refused(&data).contains(&closed), "{}", refused(&data));
}
