//! Embeds the built UI, or a page that says how to build it, so that the server compiles without Node.
#![expect(clippy::unwrap_used, reason = "a build script stops by panicking")]

use std::{env, fs, path::PathBuf};

fn main() {
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let folder = match dist.canonicalize() {
        Ok(folder) if folder.join("index.html").exists() => folder,
        _ => {
            assert!(
                env::var_os("FONDACO_RELEASE").is_none(),
                "a release needs the UI: run `npm ci && npm run build` in web/"
            );
            let stub = PathBuf::from(env::var("OUT_DIR").unwrap()).join("stub");
            fs::create_dir_all(&stub).unwrap();
            let page = "<!doctype html><title>Fondaco</title><p>The API is at /api/v1. The pages are not built: run <code>make run</code>.";
            fs::write(stub.join("index.html"), page).unwrap();
            stub
        }
    };
    println!("cargo::rustc-env=FONDACO_UI={}", folder.display());
}
