//! The operating-system account that the server runs as. PostgreSQL refuses root.

use crate::{Error, Tried, process, refuse};
use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Not the account of this process: we are root and step down.
    pub(crate) other: bool,
}

impl Account {
    /// The account for this folder: our own; for root the folder's owner, `postgres`, `fondaco` (made now) or `nobody`.
    pub(crate) fn of(folder: &Path) -> Result<Self, Error> {
        let (uid, gid) = process::me();
        if uid != 0 {
            let name = lookup(|a| a.uid == uid).map_or_else(|| uid.to_string(), |a| a.name);
            return Ok(Self { name, uid, gid, other: false });
        }
        if let Some(owner) = fs::metadata(folder).ok().filter(|m| m.uid() != 0) {
            let known = lookup(|a| a.uid == owner.uid());
            if known.is_some() || folder.join("PG_VERSION").is_file() {
                let name = known.map_or_else(|| owner.uid().to_string(), |a| a.name);
                return Ok(Self { name, uid: owner.uid(), gid: owner.gid(), other: true });
            }
        }
        let named = |name: &str| lookup(|a| a.name == name && a.uid != 0);
        let found = named("postgres").or_else(|| named("fondaco")).or_else(|| {
            let shell = ["--shell", "/usr/sbin/nologin"];
            quietly(
                Command::new("useradd").args(["--system", "--no-create-home"]).args(shell).arg("fondaco"),
            );
            named("fondaco")
        });
        match found.or_else(|| named("nobody")) {
            Some(account) => Ok(account),
            None => {
                refuse("PostgreSQL must not run as root; create a user for it: useradd --system fondaco.")
            }
        }
    }

    /// Whether the account may use the folder at all.
    pub(crate) fn check(&self, folder: &Path) -> Result<(), Error> {
        let (shown, name) = (folder.display(), &self.name);
        if !self.other {
            return match fs::metadata(folder) {
                Ok(found) if found.uid() != self.uid => {
                    let owner =
                        lookup(|a| a.uid == found.uid()).map_or_else(|| found.uid().to_string(), |a| a.name);
                    refuse(format!(
                        "The data folder {shown} belongs to {owner}, but this program runs as {name}. Run it as {owner}, \
                         or change the owner: chown -R {name} {shown}."
                    ))
                }
                _ => Ok(()),
            };
        }
        let parent = folder.parent().unwrap_or(folder);
        let can_enter = |path: &Path| {
            let mut cd = self.command(Path::new("/bin/sh"));
            quietly(cd.args(["-c", "cd \"$1\"", "sh"]).arg(path))
        };
        if can_enter(parent) {
            return Ok(());
        }
        let ancestors: Vec<&Path> = parent.ancestors().collect();
        let closed = ancestors.into_iter().rev().find(|p| !can_enter(p)).unwrap_or(parent).display();
        refuse(format!(
            "PostgreSQL runs as {name}, who cannot enter {closed}. Allow it (chmod o+x {closed}), or choose a data folder \
             elsewhere, such as /var/lib/fondaco."
        ))
    }

    /// Takes over a folder that belongs to root (after a restore by root, say).
    pub(crate) fn own(&self, folder: &Path) -> Result<(), Error> {
        if self.other && fs::symlink_metadata(folder).tried("read", folder)?.uid() == 0 {
            self.own_all(folder)?;
        }
        Ok(())
    }

    fn own_all(&self, path: &Path) -> Result<(), Error> {
        if fs::symlink_metadata(path).tried("read", path)?.is_dir() {
            for entry in fs::read_dir(path).tried("read", path)?.flatten() {
                self.own_all(&entry.path())?;
            }
        }
        lchown(path, Some(self.uid), Some(self.gid)).tried("change the owner of", path)
    }

    /// A command run by this account, without our environment (which holds secrets) and without our working folder.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("LANG", "C.UTF-8")
            .env("TZ", "UTC");
        if let Some(libraries) = std::env::var_os("LD_LIBRARY_PATH") {
            command.env("LD_LIBRARY_PATH", libraries);
        }
        command.current_dir("/").stdin(Stdio::null());
        if self.other {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }
}

/// Runs a command without output; whether it succeeded.
pub(crate) fn quietly(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
}

fn lookup(wanted: impl Fn(&Account) -> bool) -> Option<Account> {
    let text = fs::read_to_string("/etc/passwd").ok()?;
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(':');
            let (name, _, uid, gid) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
            Some(Account {
                name: name.to_owned(),
                uid: uid.parse().ok()?,
                gid: gid.parse().ok()?,
                other: true,
            })
        })
        .find(|a| wanted(a))
}
