//! From a descriptor and a folder to the pairs that are there, and to what is odd about them.
//! Nothing is decoded here; `index` has what is done with the pairs.
//! Every file left out is counted and named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::descriptor::Descriptor;
use super::index::Sample;
use super::pattern::{Pattern, SPLIT};
use super::split::{NAMES, Scheme};
use crate::error::{Error, Result};

/// Names that are spelled out where many are odd.
const SHOWN: usize = 3;

/// What a split's folders hold.
#[derive(Debug)]
pub(super) struct Survey {
    /// Complete pairs in order.
    pub samples: Vec<Sample>,
    /// What makes the split unfit for use.
    pub problems: Vec<String>,
    /// What may well be meant, but has to be said.
    pub notes: Vec<String>,
}

/// Image, and label with its form, by what the image pattern's placeholders stand for.
type Pairs = BTreeMap<Vec<String>, (PathBuf, Option<(PathBuf, usize)>)>;

/// Looks at the files of a split. Nothing to be found at all is an error.
pub(super) fn survey(d: &Descriptor, root: &Path, split: &str) -> Result<Survey> {
    if !root.is_dir() {
        return Err(Error::request(format!(
            "{}: {}: expected a folder, got none",
            d.name,
            root.display()
        ))
        .hint(format!("the data root is the folder with {}", d.images.text())));
    }
    if d.split.by != Scheme::Folder && !NAMES.contains(&split) {
        return Err(Error::request(format!(
            "{}: split: expected {}, got {split}",
            d.name,
            NAMES.join(", ")
        )));
    }
    let found = d.images.find(root, d.images.with_split(split))?;
    if found.files.is_empty() {
        return Err(nothing_found(d, root, split));
    }
    let mut problems = Vec::new();
    let mut pairs = Pairs::new();
    let mut twice = Vec::new();
    for (key, path) in found.files {
        if pairs.insert(key, (path.clone(), None)).is_some() {
            twice.push(path);
        }
    }
    let orphans = add_labels(d, root, split, &mut pairs)?;
    let bare: Vec<PathBuf> =
        pairs.values().filter(|p| p.1.is_none()).map(|p| p.0.clone()).collect();
    if bare.len() == pairs.len() {
        let places: Vec<&str> = d.labels.iter().map(|f| f.files.text()).collect();
        return Err(Error::request(format!(
            "{}: {}: {split}: expected labels at {}, got none for {} images",
            d.name,
            root.display(),
            places.join(" or "),
            bare.len()
        )));
    }
    report(&mut problems, "image without label", bare, root);
    report(&mut problems, "label without image", orphans, root);
    report(&mut problems, "two files for one image", twice, root);
    let not_utf8 = found.not_utf8.into_iter().filter(|p| p.is_dir() || is_picture(p)).collect();
    report(&mut problems, "name that is not UTF-8", not_utf8, root);
    let mut notes = Vec::new();
    let pictures = found.others.into_iter().filter(|p| is_picture(p)).collect();
    report(&mut notes, "picture left out, its name does not match", pictures, root);
    let samples = members(d, root, split, pairs);
    let mut names = BTreeSet::new();
    let same = samples.iter().filter(|s| !names.insert(&s.name)).map(|s| s.image.clone()).collect();
    report(&mut problems, "name of two samples", same, root);
    if samples.is_empty() {
        problems.push("no image belongs to this split".into());
    }
    Ok(Survey { samples, problems, notes })
}

/// Gives each image its label; the labels left over are returned.
fn add_labels(d: &Descriptor, root: &Path, split: &str, pairs: &mut Pairs) -> Result<Vec<PathBuf>> {
    let mut orphans = Vec::new();
    for (form, labels) in d.labels.iter().enumerate() {
        for (key, path) in labels.files.find(root, labels.files.with_split(split))?.files {
            let value = |hole: &String| {
                labels.files.holes().iter().position(|h| h == hole).map(|i| key[i].clone())
            };
            let key: Vec<String> = d.images.holes().iter().filter_map(value).collect();
            match pairs.get_mut(&key) {
                // Of several forms the first one counts.
                Some((_, label)) => _ = label.get_or_insert((path, form)),
                None => orphans.push(path),
            }
        }
    }
    orphans.sort();
    Ok(orphans)
}

/// The samples of the split, in the order of their keys.
fn members(d: &Descriptor, root: &Path, split: &str, pairs: Pairs) -> Vec<Sample> {
    let mut folders: BTreeMap<PathBuf, Vec<Sample>> = BTreeMap::new();
    for (key, (image, label)) in pairs {
        let Some((label, form)) = label else { continue };
        let holes = d.images.holes().iter().map(String::as_str);
        let values: Vec<(&str, &str)> = holes.zip(key.iter().map(String::as_str)).collect();
        let folder = image.parent().unwrap_or(root).to_path_buf();
        let sample = Sample { name: Pattern::fill(&d.sample, &values), image, label, form };
        folders.entry(folder).or_default().push(sample);
    }
    let Some(at) = NAMES.iter().position(|n| *n == split && d.split.by != Scheme::Folder) else {
        return folders.into_values().flatten().collect();
    };
    let take = |(folder, all): (PathBuf, Vec<Sample>)| {
        // Only the part under the root: the split must not depend on where the data set lies.
        let folder = folder.strip_prefix(root).unwrap_or(&folder).to_string_lossy().into_owned();
        let members = d.split.members(at, &folder, all.len());
        members.into_iter().map(move |i| all[i].clone()).collect::<Vec<_>>()
    };
    folders.into_iter().flat_map(take).collect()
}

fn report(list: &mut Vec<String>, what: &str, paths: Vec<PathBuf>, root: &Path) {
    if paths.is_empty() {
        return;
    }
    let names =
        paths.iter().take(SHOWN).map(|p| p.strip_prefix(root).unwrap_or(p).display().to_string());
    let more = if paths.len() > SHOWN { ", ..." } else { "" };
    list.push(format!("{what}: {} ({}{more})", paths.len(), names.collect::<Vec<_>>().join(", ")));
}

fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    ending.is_some_and(|e| {
        ["png", "jpg", "jpeg", "bmp", "tif", "tiff", "ppm", "webp"].contains(&e.as_str())
    })
}

/// The splits that have both images and labels below a root, by name.
///
/// Where labels lie beside images, their folder looks like a split, but one without labels.
pub(super) fn splits(d: &Descriptor, root: &Path) -> Vec<String> {
    if d.split.by != Scheme::Folder {
        return NAMES.map(String::from).to_vec();
    }
    let holds =
        |p: &Pattern, s: &str| p.find(root, p.with_split(s)).is_ok_and(|f| !f.files.is_empty());
    let whole = |s: &String| holds(&d.images, s) && d.labels.iter().any(|l| holds(&l.files, s));
    d.images.values(root, SPLIT).into_iter().filter(whole).collect()
}

/// Tells a wrong split from a wrong root, and a root that is one folder off from both.
fn nothing_found(d: &Descriptor, root: &Path, split: &str) -> Error {
    let pattern = d.images.text();
    let line =
        format!("{}: {}: {split}: expected images at {pattern}, got none", d.name, root.display());
    let others = splits(d, root);
    if !others.is_empty() {
        return Error::request(line).hint(format!("the splits there are: {}", others.join(", ")));
    }
    let mut inside: Vec<PathBuf> = match std::fs::read_dir(root) {
        Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    inside.sort();
    let fits = |folder: &&PathBuf| {
        folder.is_dir()
            && d.images.find(folder, d.images.with_split(split)).is_ok_and(|f| !f.files.is_empty())
    };
    let near = inside.iter().take(50).map(PathBuf::as_path).chain(root.parent());
    if let Some(folder) = near.map(Path::to_path_buf).collect::<Vec<_>>().iter().find(fits) {
        return Error::request(line).hint(format!("{} looks right", folder.display()));
    }
    let names = inside.iter().filter_map(|p| p.file_name()).take(8).map(|n| n.to_string_lossy());
    let names: Vec<_> = names.collect();
    let got = if names.is_empty() {
        "it is empty".into()
    } else {
        format!("it holds {}", names.join(", "))
    };
    Error::request(line).hint(format!("{got}; the data root is the folder with {pattern}"))
}
