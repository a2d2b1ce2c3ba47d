//! The files under a folder that a pattern describes, and what else lies there.
//! Not what the pattern means: that is the module above. Hidden files are passed over (`folder`).

use std::collections::BTreeSet;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{Captures, Component, Part, Pattern, matches, nfc};
use crate::error::{Context, Result};
use crate::folder::{each_file_below, is_clutter, is_picture_like, leads_back};

/// Everything found by [`Pattern::find`].
#[derive(Debug, Default)]
pub struct Found {
    /// Files that match, with what their placeholders stand for.
    pub files: Vec<(Vec<String>, PathBuf)>,
    /// Files and folders on the way whose names are not UTF-8, so that no pattern can match them.
    pub not_utf8: Vec<PathBuf>,
}

impl Pattern {
    /// All files under `root` that match, sorted by path. A folder that is missing holds none.
    pub fn find(&self, root: &Path, known: Captures) -> Result<Found> {
        let mut found = Found::default();
        self.walk(root, 0, known, &mut found)?;
        found.files.sort_by(|a, b| a.1.cmp(&b.1));
        found.not_utf8.sort();
        Ok(found)
    }

    /// What the placeholder `hole` can stand for, judged by the folders that exist.
    pub fn values(&self, root: &Path, hole: &str) -> BTreeSet<String> {
        let at = self.holes.iter().position(|h| h == hole);
        let names_it = |c: &Component| match c {
            Component::Name(parts) => parts.iter().any(|p| Some(p) == at.map(Part::Hole).as_ref()),
            Component::AnyDepth(i) => Some(*i) == at,
        };
        let (Some(at), Some(depth)) = (at, self.components.iter().position(names_it)) else {
            return BTreeSet::new();
        };
        let mut prefix = self.clone();
        prefix.components.truncate(depth + 1);
        // The folders stand where files are looked for otherwise.
        let found = prefix.find(root, self.open()).unwrap_or_default();
        found
            .files
            .into_iter()
            .filter_map(|(c, _)| c.get(at).cloned())
            .filter(|v| !v.is_empty())
            .collect()
    }

    /// Pictures, of whatever format, in the folders that belong to `known` and below them, sorted.
    pub fn pictures(&self, root: &Path, known: &Captures) -> Result<Vec<PathBuf>> {
        let mut pictures = Vec::new();
        let (folders, _) = self.components.split_at(self.components.len() - 1);
        let fixed = folders.iter().map_while(|c| match c {
            Component::Name(parts) => plain(parts, known),
            Component::AnyDepth(_) => None,
        });
        let base = fixed.fold(root.to_path_buf(), |folder, name| folder.join(name));
        let mut keep = |path: &Path| {
            if is_picture_like(path) {
                pictures.push(path.to_path_buf());
            }
            ControlFlow::Continue(())
        };
        let _all = each_file_below(&base, &mut keep)?;
        pictures.sort();
        Ok(pictures)
    }

    /// Whether a path, relative to the root, is one of this pattern's files.
    pub fn describes(&self, relative: &Path) -> bool {
        let names: Option<Vec<String>> =
            relative.iter().map(|name| name.to_str().map(nfc)).collect();
        names.is_some_and(|names| describes(&self.components, &names, &mut self.open()))
    }

    fn walk(&self, folder: &Path, depth: usize, known: Captures, found: &mut Found) -> Result<()> {
        let parts = match &self.components[depth] {
            Component::Name(parts) => parts,
            Component::AnyDepth(hole) => {
                return self.walk_any_depth(folder, (depth, *hole), "", known, found);
            }
        };
        if let Some(path) = plain(parts, &known).map(|name| folder.join(name))
            && path.exists()
        {
            return self.enter(path, depth, known, found);
        }
        if !folder.is_dir() {
            return Ok(());
        }
        for (path, name) in entries(folder, found)? {
            let mut captures = known.clone();
            if matches(parts, &name, &mut captures) {
                self.enter(path, depth, captures, found)?;
            }
        }
        Ok(())
    }

    /// In `folder` itself, then in all folders below it; `way` leads from where `**` begins to it.
    fn walk_any_depth(
        &self,
        folder: &Path,
        (depth, hole): (usize, usize),
        way: &str,
        known: Captures,
        found: &mut Found,
    ) -> Result<()> {
        let mut here = known.clone();
        here[hole] = Some(way.to_string());
        self.walk(folder, depth + 1, here, found)?;
        if !folder.is_dir() {
            return Ok(());
        }
        for (path, name) in entries(folder, found)? {
            if path.is_dir() && !leads_back(&path) {
                let way = if way.is_empty() { name } else { format!("{way}/{name}") };
                self.walk_any_depth(&path, (depth, hole), &way, known.clone(), found)?;
            }
        }
        Ok(())
    }

    fn enter(&self, path: PathBuf, depth: usize, known: Captures, found: &mut Found) -> Result<()> {
        if depth + 1 < self.components.len() {
            return self.walk(&path, depth + 1, known, found);
        }
        found.files.push((known.into_iter().map(Option::unwrap_or_default).collect(), path));
        Ok(())
    }
}

/// What lies in a folder and can match: paths with their names, accents in one piece.
fn entries(folder: &Path, found: &mut Found) -> Result<Vec<(PathBuf, String)>> {
    let cannot = || format!("{}: cannot list folder", folder.display());
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).request(cannot)? {
        let entry = entry.request(cannot)?;
        let name = entry.file_name();
        if is_clutter(&name) {
            continue;
        }
        match name.to_str() {
            Some(name) => entries.push((entry.path(), nfc(name))),
            None if !found.not_utf8.contains(&entry.path()) => found.not_utf8.push(entry.path()),
            None => {}
        }
    }
    Ok(entries)
}

/// The name that the parts stand for, if there is only one.
fn plain(parts: &[Part], known: &Captures) -> Option<String> {
    parts
        .iter()
        .map(|p| match p {
            Part::Text(t) => Some(t.as_str()),
            Part::Hole(i) => known[*i].as_deref(),
            Part::OneOf(_) => None,
        })
        .collect()
}

fn describes(components: &[Component], names: &[String], captures: &mut Captures) -> bool {
    match (components.split_first(), names.split_first()) {
        (None, None) => true,
        (Some((Component::AnyDepth(_), rest)), _) => {
            // The folders that ** takes first: none, one, ...
            (0..=names.len()).any(|n| describes(rest, &names[n..], &mut captures.clone()))
        }
        (Some((Component::Name(parts), rest)), Some((name, names))) => {
            matches(parts, name, captures) && describes(rest, names, captures)
        }
        _ => false,
    }
}
