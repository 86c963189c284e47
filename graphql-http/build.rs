//! Embeds GraphiQL in the binary: installs the npm packages of the lock file, checks each file against its hash, and
//! writes the table of files that `src/graphiql.rs` includes. Without npm the table has the files' addresses on a
//! public CDN, with the same hashes.
//!
//! `GRAPHIQL_ASSETS=embed` fails the build instead (CI, containers); `cdn` does not try npm.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io::Write as _};

use anyhow::{Context as _, Result, bail, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use serde_json::Value;
use sha2::{Digest as _, Sha384};

/// Files whose change runs npm again.
const INPUTS: [&str; 6] = ["package.json", "package-lock.json", "assets.json", "page.css", "tabs.js", "page.js"];

/// Flags for a fast failure when offline: npm's defaults would wait for more than a minute.
const OFFLINE_FLAGS: [&str; 3] = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"];

fn main() -> Result<()> {
    for input in INPUTS {
        println!("cargo::rerun-if-changed=graphiql/{input}");
    }
    println!("cargo::rerun-if-env-changed=GRAPHIQL_ASSETS");
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let modules = match env::var("GRAPHIQL_ASSETS").unwrap_or_default().as_str() {
        "cdn" => None,
        "embed" => Some(install(&out, &[]).context("GRAPHIQL_ASSETS=embed")?),
        "" => install(&out, &OFFLINE_FLAGS)
            .inspect_err(|why| println!("cargo::warning=GraphiQL will be loaded from the public CDN: {why:#}"))
            .ok(),
        other => bail!("GRAPHIQL_ASSETS is {other:?}: it may be embed, cdn or unset"),
    };
    let mut table = String::from("static ASSETS: &[Asset] = &[\n");
    vendored(&mut table, modules.as_deref(), &out)?;
    for ours in ["page.css", "tabs.js", "page.js"] {
        let content = fs::read(Path::new("graphiql").join(ours))?;
        embed(&mut table, ours, &content, &out)?;
    }
    table.push_str("];\n");
    fs::write(out.join("graphiql_assets.rs"), table)?;
    if let Some(modules) = modules {
        fs::remove_dir_all(modules)?; // 110 MB, of which the binary has what it needs
    }
    Ok(())
}

/// Installs the locked packages under `out`, never in the source tree. Returns their directory.
fn install(out: &Path, flags: &[&str]) -> Result<PathBuf> {
    for manifest in ["package.json", "package-lock.json"] {
        fs::copy(Path::new("graphiql").join(manifest), out.join(manifest))?;
    }
    let npm = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(flags)
        .current_dir(out)
        .output()
        .context("npm does not start")?;
    let errors = String::from_utf8_lossy(&npm.stderr);
    let reason = errors.lines().filter(|line| line.starts_with("npm error")).take(3).collect::<Vec<_>>().join("; ");
    ensure!(npm.status.success(), "npm ci: {reason}");
    Ok(out.join("node_modules"))
}

/// Writes the third-party entries of the table: checked files if npm installed them, else addresses on the CDN.
fn vendored(table: &mut String, modules: Option<&Path>, out: &Path) -> Result<()> {
    let list: Value = serde_json::from_slice(&fs::read("graphiql/assets.json")?)?;
    let manifest: Value = serde_json::from_slice(&fs::read("graphiql/package.json")?)?;
    for file in list["files"].as_array().context("assets.json: files")? {
        let field = |name: &str| file[name].as_str().with_context(|| format!("assets.json: {name}"));
        let (package, path, expected) = (field("package")?, field("path")?, field("integrity")?);
        let Some(modules) = modules else {
            let cdn = list["cdn"].as_str().context("assets.json: cdn")?;
            let version = manifest["dependencies"][package].as_str().context("package.json: dependencies")?;
            let url = format!("{cdn}/{package}@{version}/{path}");
            writeln!(table, "    Asset {{ url: {url:?}, integrity: {expected:?}, gzip: &[] }},")?;
            continue;
        };
        let content = fs::read(modules.join(package).join(path)).with_context(|| format!("{package}/{path}"))?;
        let found = integrity(&content);
        ensure!(found == expected, "{package}/{path} is not the file that assets.json pins: {found}");
        embed(table, path.rsplit('/').next().unwrap_or(path), &content, out)?;
    }
    Ok(())
}

/// Compresses a file and writes its entry. Its address has its hash: browsers may cache it for ever.
fn embed(table: &mut String, name: &str, content: &[u8], out: &Path) -> Result<()> {
    let mut encoder = GzEncoder::new(fs::File::create(out.join(format!("{name}.gz")))?, Compression::best());
    encoder.write_all(content)?;
    encoder.finish()?;
    let hash = u32::from_be_bytes(Sha384::digest(content)[..4].try_into()?);
    let (url, integrity) = (format!("graphiql/{hash:08x}-{name}"), integrity(content));
    let gzip = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}.gz\"))");
    writeln!(table, "    Asset {{ url: {url:?}, integrity: {integrity:?}, gzip: {gzip} }},")?;
    Ok(())
}

/// The hash in the format of HTML's attribute `integrity`.
fn integrity(content: &[u8]) -> String {
    format!("sha384-{}", BASE64_STANDARD.encode(Sha384::digest(content)))
}
