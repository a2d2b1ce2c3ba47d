//! From a descriptor and a folder to the pairs that are there, and to what is odd about them.
//! Nothing is decoded here; `index` has what is done with the pairs, `advice` says what is to be done.
//! Every file left out is counted and named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::advice::{self, Bare};
use super::descriptor::Descriptor;
use super::index::Sample;
use super::labelling::{Pair, Pairs, add_labels};
use super::list;
use super::pattern::{ANY_DEPTH, nfc};
use super::split::{NAMES, Scheme};
use crate::error::{Error, Result};
use crate::folder::{count, is_picture, is_picture_like};

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
        return Err(advice::nothing_found(d, root, split));
    }
    let mut problems = Vec::new();
    let mut pairs = Pairs::new();
    let mut twice = Vec::new();
    for (key, path) in found.files {
        let pair = Pair { image: path.clone(), label: None, masks: Vec::new() };
        if pairs.insert(key, pair).is_some() {
            twice.push(path);
        }
    }
    let odd = add_labels(d, root, split, &mut pairs)?;
    let mut notes = left_out(d, root, split)?;
    if let Some(list) = &d.list {
        list::choose(d, list, root, split, &mut pairs)?.report(root, &mut problems, &mut notes);
    }
    let bare = bare(d, &pairs);
    if bare.len() == pairs.len() && problems.is_empty() {
        return Err(advice::no_labels(d, root, split, &bare));
    }
    if !bare.is_empty() {
        let images = bare.iter().map(|b| b.image.clone()).collect();
        report(&mut problems, "image without label", images, root);
        let taken = |path: &Path| {
            let mut labels = pairs.values().filter_map(|pair| pair.label.as_ref());
            labels.any(|(label, _)| label == path)
        };
        if let (Some(line), Some(found)) =
            (problems.last_mut(), advice::other_name(d, root, &bare, &taken))
        {
            line.push_str(&format!("; {found}"));
        }
    }
    report(&mut problems, "label without image", odd.orphans, root);
    report(&mut problems, "mask of a class that the descriptor does not have", odd.strangers, root);
    report(&mut problems, "image with several annotations", odd.annotated_twice, root);
    report(&mut problems, "two files for one image", twice, root);
    report(&mut problems, "two labels for one image", odd.twice, root);
    let not_utf8 =
        found.not_utf8.into_iter().filter(|p| p.is_dir() || is_picture_like(p)).collect();
    report(&mut problems, "name that is not UTF-8", not_utf8, root);
    notes.extend(advice::one_class(d));
    let samples = members(d, root, split, pairs);
    let mut names = BTreeSet::new();
    let same = samples.iter().filter(|s| !names.insert(&s.name)).map(|s| s.image.clone()).collect();
    report(&mut problems, "name of two samples", same, root);
    if samples.is_empty() {
        problems.push("no image belongs to this split".into());
    }
    Ok(Survey { samples, problems, notes })
}

/// The images without a label.
fn bare<'a>(d: &'a Descriptor, pairs: &'a Pairs) -> Vec<Bare<'a>> {
    let without = pairs.iter().filter(|(_, pair)| pair.label.is_none());
    let values = |key: &'a [String]| {
        d.images.holes().iter().map(String::as_str).zip(key.iter().map(String::as_str)).collect()
    };
    without.map(|(key, pair)| Bare { image: pair.image.clone(), values: values(key) }).collect()
}

/// Pictures that lie where the split's images are, and are none of the data set's files.
fn left_out(d: &Descriptor, root: &Path, split: &str) -> Result<Vec<String>> {
    let ours = |path: &Path| {
        let Ok(relative) = path.strip_prefix(root) else { return false };
        d.images.describes(relative) || d.labels.iter().any(|form| form.files.describes(relative))
    };
    let pictures = d.images.pictures(root, &d.images.with_split(split))?;
    let (mut deeper, mut named, mut formats) = (vec![], vec![], vec![]);
    let levels = d.images.text().split('/').count();
    let any_depth = d.images.holes().iter().any(|hole| hole == ANY_DEPTH);
    for path in pictures.into_iter().filter(|p| !ours(p)) {
        let level = path.strip_prefix(root).map_or(0, |p| p.iter().count());
        match is_picture(&path) {
            false => formats.push(path),
            true if !any_depth && level != levels => deeper.push(path),
            true => named.push(path),
        }
    }
    let mut notes = Vec::new();
    report(&mut notes, "picture left out, its name does not match", named, root);
    report(&mut notes, "picture left out, its format is not read", formats, root);
    report(&mut notes, "picture left out, it lies in another folder than images do", deeper, root);
    if let Some(line) = notes.last_mut().filter(|line| line.contains("another folder")) {
        line.push_str("; ** in a descriptor's patterns stands for folders of any depth");
    }
    Ok(notes)
}

/// The samples of the split, in the order of their keys.
fn members(d: &Descriptor, root: &Path, split: &str, pairs: Pairs) -> Vec<Sample> {
    let mut folders: BTreeMap<PathBuf, Vec<Sample>> = BTreeMap::new();
    for (key, Pair { image, label, masks }) in pairs {
        let Some((label, form)) = label else { continue };
        // Where each image has a folder of its own, those above hold what is to be split.
        let above = if d.images.has_fixed_file() { 2 } else { 1 };
        let folder = image.ancestors().nth(above).unwrap_or(root);
        // Only the part under the root, as everybody spells it: the split must not depend on where the
        // data set lies, or which system wrote it.
        let folder = nfc(&folder.strip_prefix(root).unwrap_or(folder).to_string_lossy());
        let sample = Sample { name: d.sample_name(&key), image, label, form, masks };
        folders.entry(PathBuf::from(folder)).or_default().push(sample);
    }
    let Some(at) = NAMES.iter().position(|n| *n == split && d.split.by != Scheme::Folder) else {
        return folders.into_values().flatten().collect();
    };
    let take = |all: Vec<Sample>| {
        let names: Vec<String> = all.iter().map(|s| instant(d, &s.image)).collect();
        let members = d.split.members(at, &names);
        members.into_iter().map(move |i| all[i].clone()).collect::<Vec<_>>()
    };
    folders.into_values().flat_map(take).collect()
}

/// What tells an image from the others of its folder, and is the same in the folders of other cameras: its
/// name without ending, or its own folder's name where the file is always called the same.
fn instant(d: &Descriptor, image: &Path) -> String {
    let name = match d.images.has_fixed_file() {
        true => image.parent().and_then(Path::file_name),
        false => image.file_stem(),
    };
    nfc(&name.unwrap_or_default().to_string_lossy())
}

fn report(list: &mut Vec<String>, what: &str, paths: Vec<PathBuf>, root: &Path) {
    if !paths.is_empty() {
        list.push(count(what, &paths, root));
    }
}
