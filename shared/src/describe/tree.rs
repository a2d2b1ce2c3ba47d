//! The files below a folder that is to be described: pictures, and texts that may say what they mean.
//! Not what they are to each other: that is for `layouts` and `pairing`. Hidden files are left out.

use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::folder::{is_clutter, is_picture};

/// Deeper folders are not looked into: no layout has them, and a link may lead in a circle.
const DEEPEST: usize = 8;

/// Paths relative to the root, with `/`, sorted.
pub(super) struct Tree {
    pub root: PathBuf,
    pub pictures: Vec<String>,
    pub texts: Vec<String>,
}

/// A file's path, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Name<'a> {
    pub folders: Vec<&'a str>,
    /// Without the ending.
    pub stem: &'a str,
    /// Without the dot.
    pub ending: &'a str,
}

impl Tree {
    /// Lists a folder.
    pub fn read(root: &Path) -> Result<Self> {
        if !root.is_dir() {
            let line =
                format!("{}: expected a folder with images and labels, got none", root.display());
            return Err(Error::request(line).hint("an archive has to be unpacked first"));
        }
        let mut tree = Self { root: root.into(), pictures: Vec::new(), texts: Vec::new() };
        tree.list(root, "", 0)?;
        tree.pictures.sort();
        tree.texts.sort();
        Ok(tree)
    }

    fn list(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<()> {
        let cannot = || format!("{}: cannot list folder", folder.display());
        for entry in std::fs::read_dir(folder).request(cannot)? {
            let path = entry.request(cannot)?.path();
            let Some(name) = path.file_name().filter(|name| !is_clutter(name)) else { continue };
            let Some(name) = name.to_str() else { continue };
            let relative = format!("{prefix}{name}");
            if path.is_dir() {
                if depth < DEEPEST {
                    self.list(&path, &format!("{relative}/"), depth + 1)?;
                }
                continue;
            }
            let ending = Name::of(&relative).ending.to_ascii_lowercase();
            if ["txt", "csv", "json", "names"].contains(&ending.as_str()) {
                self.texts.push(relative);
            } else if is_picture(&path) && !relative.contains(['{', '}']) {
                // No pattern can speak of a brace.
                self.pictures.push(relative);
            }
        }
        Ok(())
    }

    /// A text file's content, without a byte order mark; what is not UTF-8 is replaced.
    pub fn text(&self, relative: &str) -> Result<String> {
        let path = self.root.join(relative);
        let bytes = std::fs::read(&path).request(|| format!("{}: cannot read", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').to_string())
    }

    /// Text files called so, in any folder.
    pub fn texts_called<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.texts.iter().map(String::as_str).filter(move |text| base(text) == name)
    }
}

impl<'a> Name<'a> {
    pub fn of(path: &'a str) -> Self {
        let mut folders: Vec<&str> = path.split('/').collect();
        let file = folders.pop().unwrap_or_default();
        let (stem, ending) = file.rsplit_once('.').unwrap_or((file, ""));
        Self { folders, stem, ending }
    }
}

/// The last part of a path.
pub(super) fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The folder of a path with its `/`, or nothing.
pub(super) fn folder(path: &str) -> &str {
    &path[..path.len() - base(path).len()]
}
