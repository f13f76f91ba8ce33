//! Finds the modules: every folder beside this file with a module.toml, in the order of what they depend on. Adding
//! one edits nothing else.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a build script stops by panicking")]

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() {
    let here = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap());
    println!("cargo::rerun-if-changed={}", here.display());
    let folders = fs::read_dir(&here).unwrap().flatten().map(|d| d.path());
    let mut left: Vec<PathBuf> = folders.filter(|p| p.join("module.toml").exists()).collect();
    left.sort();

    let mut out = String::new();
    let mut done: Vec<String> = Vec::new();
    while !left.is_empty() {
        let ready = left.iter().position(|m| depends(m).iter().all(|d| done.contains(d)));
        let folder =
            left.remove(ready.expect("modules depend on each other in a circle, or on one not there"));
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let rules = folder.join("rules.rs").exists();
        if rules {
            writeln!(out, "#[path = {:?}] mod {name};", folder.join("rules.rs")).unwrap();
        }
        if folder.join("tests.rs").exists() {
            let file = folder.join("tests.rs");
            writeln!(out, "#[cfg(test)] #[path = {file:?}] mod {name}_tests;").unwrap();
        }
        let said = |what: &str| if rules { format!("{name}::{what}") } else { "&[]".into() };
        writeln!(
            out,
            "static {}: Module = Module {{ name: {name:?}, schema: {}, meta: {}, readme: {}, texts: &[{}], changes: &[{}],
             rules: {}, actions: {}, calls: {} }};",
            name.to_uppercase(),
            text(&folder.join("schema.sql")),
            text(&folder.join("module.toml")),
            text(&folder.join("README.md")),
            files(&folder.join("i18n"), |stem| format!("{stem:?}")),
            files(&folder.join("changes"), |stem| {
                stem[..4].parse::<u32>().expect("changes are named 0002_what.sql").to_string()
            }),
            said("RULES"),
            said("ACTIONS"),
            said("CALLS"),
        )
        .unwrap();
        done.push(name);
    }
    let all: String = done.iter().map(|n| format!("&{}, ", n.to_uppercase())).collect();
    writeln!(out, "/// In the order of what they depend on.\npub static ALL: &[&Module] = &[{all}];")
        .unwrap();
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("modules.rs"), out).unwrap();
}

fn text(file: &Path) -> String {
    if file.exists() { format!("include_str!({file:?})") } else { "\"\"".into() }
}

fn files(folder: &Path, key: impl Fn(&str) -> String) -> String {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|d| d.path()).collect();
    found.sort();
    found
        .iter()
        .map(|f| format!("({}, {}), ", key(f.file_stem().unwrap().to_str().unwrap()), text(f)))
        .collect()
}

fn depends(module: &Path) -> Vec<String> {
    let toml = fs::read_to_string(module.join("module.toml")).unwrap();
    let line = toml.lines().find_map(|l| l.strip_prefix("depends = [")).unwrap_or_default();
    line.split('"').skip(1).step_by(2).map(Into::into).collect()
}
