//! The licences of all that is packed: ours, ONNX Runtime's, and those of the crates that `infer` is made of.
//!
//! Which crates those are is cargo's own answer for this kind of machine; their texts lie in cargo's registry.

use crate::native::{self, Runtime};
use crate::process::{self, cargo};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The part of `cargo metadata` that is used here.
#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    /// `None`: a crate of this workspace.
    source: Option<String>,
    manifest_path: PathBuf,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    /// `None`: what is linked; others are for building and testing.
    kind: Option<String>,
}

/// Writes them into a folder, which is made.
pub fn write(runtime: &Runtime, folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    let root = native::repository();
    for name in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(root.join(name), folder.join(name)).with_context(|| name.to_owned())?;
    }
    for (name, path) in runtime_texts(runtime) {
        fs::copy(&path, folder.join(name)).with_context(|| path.display().to_string())?;
    }
    fs::write(folder.join("crates.txt"), crates()?).context("crates.txt")
}

/// ONNX Runtime's texts: in its wheel a folder above the library, in a release beside it or above.
fn runtime_texts(runtime: &Runtime) -> Vec<(&'static str, PathBuf)> {
    let places: Vec<&Path> =
        runtime.libraries.iter().flat_map(|l| l.ancestors().skip(1).take(2)).collect();
    let mut found = Vec::new();
    for (name, to) in [
        ("LICENSE", "onnxruntime-LICENSE"),
        ("ThirdPartyNotices.txt", "onnxruntime-ThirdPartyNotices.txt"),
    ] {
        match places.iter().map(|place| place.join(name)).find(|path| path.is_file()) {
            Some(path) => found.push((to, path)),
            None => eprintln!(
                "package: no {name} near ONNX Runtime: add it to the archive before you pass it on"
            ),
        }
    }
    found
}

/// A text per crate: name, version, licence, and its own files.
fn crates() -> Result<String> {
    let platform = format!("--filter-platform={}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = process::read(cargo(&["metadata", "--format-version=1", &platform]))?;
    let metadata: Metadata = serde_json::from_slice(&metadata).context("cargo metadata")?;
    let mut text =
        String::from("The crates that the program `infer` is made of, and their licences.\n");
    for package in linked(&metadata)? {
        let license = package.license.as_deref().unwrap_or("see its files");
        text += &format!("\n{}\n{} {}: {license}\n", "=".repeat(80), package.name, package.version);
        for path in license_files(package)? {
            let bytes = fs::read(&path).with_context(|| path.display().to_string())?;
            let own = String::from_utf8_lossy(&bytes);
            text += &format!("{}\n{}\n", "-".repeat(80), own.trim_end());
        }
    }
    Ok(text)
}

/// The crates of others that `infer` links, by name.
fn linked(metadata: &Metadata) -> Result<Vec<&Package>> {
    let packages: BTreeMap<&str, &Package> =
        metadata.packages.iter().map(|package| (package.id.as_str(), package)).collect();
    let nodes: BTreeMap<&str, &Node> =
        metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let infer = metadata.packages.iter().find(|p| p.name == "infer" && p.source.is_none());
    let mut open = vec![infer.context("cargo metadata: no crate infer")?.id.as_str()];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            let edges = nodes.get(id).into_iter().flat_map(|node| &node.deps);
            let linked = edges.filter(|e| e.dep_kinds.iter().any(|kind| kind.kind.is_none()));
            open.extend(linked.map(|edge| edge.pkg.as_str()));
        }
    }
    let found = seen.into_iter().filter_map(|id| packages.get(id).copied());
    let mut found: Vec<&Package> = found.filter(|package| package.source.is_some()).collect();
    found.sort_by_key(|package| (package.name.as_str(), package.version.as_str()));
    Ok(found)
}

/// Files in a crate's folder that are called licence, copying or notice.
fn license_files(package: &Package) -> Result<Vec<PathBuf>> {
    let folder = package.manifest_path.parent().context("a manifest without a folder")?;
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let is_license = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        path.is_file()
            && ["license", "licence", "copying", "notice", "unlicense"]
                .iter()
                .any(|word| name.starts_with(word))
    };
    let mut files: Vec<PathBuf> =
        entries.filter_map(|e| Some(e.ok()?.path())).filter(is_license).collect();
    files.sort();
    Ok(files)
}
