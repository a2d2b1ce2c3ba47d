//! Who may use what: tch only in `train`, ort and windows only in `infer`, neither in `shared`, and the two apart.

use std::path::Path;

/// The names under `[dependencies]` of a member.
fn dependencies(member: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(member).join("Cargo.toml");
    let table: toml::Table = std::fs::read_to_string(path).unwrap().parse().unwrap();
    table["dependencies"].as_table().unwrap().keys().cloned().collect()
}

#[test]
fn each_native_library_has_one_crate() {
    for (member, forbidden) in [
        ("shared", &["tch", "ort", "minifb", "train", "infer"][..]),
        ("train", &["ort", "minifb", "infer"]),
        ("infer", &["tch", "train"]),
        ("xtask", &["tch", "ort", "shared", "train", "infer"]),
    ] {
        for name in dependencies(member) {
            assert!(!forbidden.contains(&name.as_str()), "{member} must not depend on {name}");
        }
    }
}

#[test]
fn only_decode_opens_image_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    let mut folders = vec![root.join("shared/src"), root.join("train/src"), root.join("infer/src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let inside = path.strip_prefix(&root).unwrap();
            let decodes = ["shared/src/decode", "shared/src/decode.rs"];
            let name = path.file_name().unwrap().to_string_lossy();
            if decodes.iter().any(|own| inside.starts_with(own))
                || name == "tests"
                || name.ends_with("tests.rs")
            {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]").next().unwrap_or_default();
                if code.contains("image::open(") || code.contains("ImageReader") {
                    found.push(path);
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:?}");
}
