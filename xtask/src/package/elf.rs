//! What the packed program and libraries ask of the machine: libraries, and the newest version of each symbol.
//!
//! Measured with `readelf` on the files that are packed, not remembered: they depend on where they were built.

use anyhow::{Context, Result, bail};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;

/// What the machine must have.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Shared libraries that are not packed.
    pub libraries: BTreeSet<String>,
    /// The newest version asked for, such as 2.34, by what it is a version of (`FAMILIES`).
    pub versions: BTreeMap<&'static str, Vec<u32>>,
}

/// The names that a system's versions are known by: the C library's, and the C++ library's.
const FAMILIES: [&str; 2] = ["GLIBC", "GLIBCXX"];

/// What these files ask for together, beyond each other.
pub fn needs(files: &[PathBuf]) -> Result<Needs> {
    let mut needs = Needs::default();
    for file in files {
        let mut readelf = Command::new("readelf");
        readelf.args(["--wide", "--dynamic", "--version-info"]).arg(file).env("LC_ALL", "C");
        let output = readelf.output().context("cannot start readelf")?;
        if !output.status.success() {
            bail!(
                "readelf: {}: {}",
                file.display(),
                String::from_utf8_lossy(&output.stderr).trim()
            );
        }
        needs.add(&String::from_utf8_lossy(&output.stdout));
    }
    let packed = files.iter().filter_map(|file| file.file_name()?.to_str());
    packed.for_each(|name| {
        needs.libraries.remove(name);
    });
    Ok(needs)
}

impl Needs {
    /// Adds what `readelf` says of one file.
    fn add(&mut self, text: &str) {
        for line in text.lines() {
            if let Some((_, library)) = line.split_once("Shared library: [") {
                self.libraries.insert(library.trim_end_matches(']').to_owned());
            }
            let Some((_, name)) = line.split_once("Name: ") else { continue };
            let name = name.split_whitespace().next().unwrap_or_default();
            let Some((family, version)) = name.split_once('_') else { continue };
            // GLIBC_PRIVATE and the like are no versions.
            let version: Result<Vec<u32>, _> = version.split('.').map(str::parse).collect();
            let family = FAMILIES.into_iter().find(|&known| known == family);
            if let (Some(family), Ok(version)) = (family, version) {
                let newest = self.versions.entry(family).or_default();
                *newest = version.max(std::mem::take(newest));
            }
        }
    }

    /// The newest version of a family, such as "2.34".
    pub fn version(&self, family: &str) -> Option<String> {
        let numbers: Vec<String> = self.versions.get(family)?.iter().map(u32::to_string).collect();
        Some(numbers.join("."))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts_by_number_and_not_by_letter() {
        let mut needs = Needs::default();
        needs.add(
            " 0x0000000000000001 (NEEDED)             Shared library: [libc.so.6]\n\
             \x20 0x0040:   Name: GLIBC_2.9  Flags: none  Version: 9\n\
             \x20 0x0050:   Name: GLIBC_2.34  Flags: none  Version: 8\n\
             \x20 0x0060:   Name: GLIBC_2.4  Flags: none  Version: 7\n\
             \x20 0x0060:   Name: GLIBC_PRIVATE  Flags: none  Version: 7\n\
             \x20 0x0070:   Name: VERS_1.31.1  Flags: none  Version: 7\n",
        );
        assert_eq!(needs.libraries, BTreeSet::from(["libc.so.6".to_owned()]));
        assert_eq!(needs.version("GLIBC").unwrap(), "2.34");
        assert_eq!(needs.version("GLIBCXX"), None);
        assert_eq!(needs.versions.len(), 1);
    }

    #[test]
    fn this_very_program_needs_a_c_library() {
        let needs = needs(&[std::env::current_exe().unwrap()]).unwrap();
        assert!(needs.libraries.contains("libc.so.6"), "{needs:?}");
        assert!(needs.version("GLIBC").unwrap().starts_with("2."), "{needs:?}");
    }
}
