//! Finds the PostgreSQL programs, or installs them.

use crate::account::quietly;
use crate::{Error, Tried, process, refuse};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const SUPPORTED: std::ops::RangeInclusive<u32> = 15..=18;

pub(crate) struct Binaries {
    folder: PathBuf,
    pub(crate) version: (u32, u32),
}

impl Binaries {
    /// The newest supported programs; of the version that made the folder, if it is made.
    pub(crate) fn find(data: &Path, made: bool) -> Result<Self, Error> {
        let wanted = if made { Some(made_by(data)?) } else { None };
        let fits = |b: &Self| SUPPORTED.contains(&b.version.0) && wanted.is_none_or(|w| w == b.version.0);
        let newest = |all: Vec<Self>| all.into_iter().filter(fits).max_by_key(|b| b.version);

        if let Some(folder) = std::env::var_os("FONDACO_PG_BIN") {
            let folder = PathBuf::from(folder);
            let need = wanted.map_or("PostgreSQL 15 to 18".to_owned(), |w| format!("PostgreSQL {w}"));
            let found = Self::at(folder.clone()).filter(fits);
            return found.ok_or_else(|| {
                let shown = folder.display();
                Error(format!(
                    "FONDACO_PG_BIN is {shown}, but there are no programs of {need}; correct or unset it."
                ))
            });
        }
        let all = Self::installed();
        let shown = all.iter().map(Self::describe).collect::<Vec<_>>().join(", ");
        let nothing = all.is_empty();
        if let Some(found) = newest(all) {
            return Ok(found);
        }
        let package = wanted.map_or("postgresql".to_owned(), |w| format!("postgresql-{w}"));
        if nothing
            && process::me().0 == 0
            && install(&package)
            && let Some(found) = newest(Self::installed())
        {
            return Ok(found);
        }
        let found = if nothing { "none was found".to_owned() } else { format!("only {shown} was found") };
        let advice = format!(
            "Install it (Debian, Ubuntu: apt-get install {package}; Fedora: dnf install postgresql-server; Alpine: apk add \
             postgresql) or name its program folder in FONDACO_PG_BIN."
        );
        match wanted {
            Some(w) => refuse(format!(
                "The database in {} was made by PostgreSQL {w}, but {found}. {advice}",
                data.display()
            )),
            None => refuse(format!("PostgreSQL 15 to 18 is needed, but {found}. {advice}")),
        }
    }

    fn at(folder: PathBuf) -> Option<Self> {
        let complete = ["postgres", "initdb"].iter().all(|name| folder.join(name).is_file());
        let version = if complete { version(&folder.join("postgres"))? } else { return None };
        Some(Self { folder, version })
    }

    fn installed() -> Vec<Self> {
        let mut folders = Vec::new();
        for (root, inner) in [("/usr/lib/postgresql", "bin"), ("/usr", "bin")] {
            for entry in fs::read_dir(root).into_iter().flatten().flatten() {
                if root == "/usr/lib/postgresql" || entry.file_name().to_string_lossy().starts_with("pgsql-")
                {
                    folders.push(entry.path().join(inner));
                }
            }
        }
        let told =
            Command::new("pg_config").arg("--bindir").stdin(Stdio::null()).stderr(Stdio::null()).output();
        folders.extend(told.map(|o| PathBuf::from(String::from_utf8_lossy(&o.stdout).trim())));
        folders.extend(std::env::var_os("PATH").iter().flat_map(std::env::split_paths));
        folders.push("/usr/local/pgsql/bin".into());
        folders.retain(|f| f.is_absolute());
        folders.iter_mut().for_each(|f| *f = f.canonicalize().unwrap_or_default());
        folders.sort();
        folders.dedup();
        folders.into_iter().filter_map(Self::at).collect()
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn describe(&self) -> String {
        format!("{}.{} in {}", self.version.0, self.version.1, self.folder.display())
    }
}

/// The major version that made the data folder.
fn made_by(data: &Path) -> Result<u32, Error> {
    let file = data.join("PG_VERSION");
    let text = fs::read_to_string(&file).tried("read", &file)?;
    let (shown, text) = (data.display(), text.trim());
    match text.parse() {
        Ok(major) if SUPPORTED.contains(&major) => Ok(major),
        Ok(major) if major > *SUPPORTED.end() => refuse(format!(
            "The database in {shown} was made by PostgreSQL {major}, which is newer than this program knows (15 to 18). \
             Use a newer version of this program."
        )),
        Ok(_) => refuse(format!(
            "The database in {shown} was made by PostgreSQL {text}; 15 to 18 is needed. Upgrade it with pg_upgrade, or \
             restore a backup into a new folder."
        )),
        Err(_) => refuse(format!(
            "The database in {shown} is damaged (PG_VERSION says '{text}'); restore a backup."
        )),
    }
}

/// What the program says with `--version`: "postgres (PostgreSQL) 15.18 (Debian …)".
pub(crate) fn version(program: &Path) -> Option<(u32, u32)> {
    let output =
        Command::new(program).arg("--version").env("LC_ALL", "C").stdin(Stdio::null()).output().ok()?;
    parse(&String::from_utf8_lossy(&output.stdout))
}

fn parse(text: &str) -> Option<(u32, u32)> {
    let number = text.strip_prefix("postgres (PostgreSQL) ")?.split_whitespace().next()?;
    let mut parts = number.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next().unwrap_or_default().parse().unwrap_or(0)))
}

/// Installs the package on Debian and its kin, without the server that the package would otherwise start for itself.
fn install(package: &str) -> bool {
    if !Path::new("/usr/bin/apt-get").is_file() {
        return false;
    }
    let settings = Path::new("/etc/postgresql-common");
    let file = settings.join("createcluster.conf");
    if !file.exists()
        && (fs::create_dir_all(settings).is_err()
            || fs::write(&file, "create_main_cluster = false\n").is_err())
    {
        return false;
    }
    let apt = || {
        let mut apt = Command::new("/usr/bin/apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").env("UCF_FORCE_CONFFOLD", "1");
        apt.args(["-q", "-y", "-o", "Dpkg::Options::=--force-confold"]);
        apt
    };
    quietly(apt().arg("update"));
    quietly(apt().args(["install", "--no-install-recommends", package]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_are_read() {
        assert_eq!(super::parse("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some((15, 18)));
        assert_eq!(super::parse("postgres (PostgreSQL) 18beta1\n"), Some((18, 0)));
        assert_eq!(super::parse("postgres (PostgreSQL) 17.5\n"), Some((17, 5)));
        assert_eq!(super::parse("bash 5\n"), None);
    }
}
