//! Which label belongs to which image: by the words that their patterns have in common.
//! Not which images belong to a split: `survey` and `list` know that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::descriptor::{Descriptor, LabelForm};
use super::masks::Mask;
use crate::error::Result;

/// Image and label, by what the image pattern's placeholders stand for.
pub(super) type Pairs = BTreeMap<Vec<String>, Pair>;

/// An image, and what was found of its label.
pub(super) struct Pair {
    pub image: PathBuf,
    /// The label's file and form.
    pub label: Option<(PathBuf, usize)>,
    /// Where its label is one mask per class.
    pub masks: Vec<Mask>,
}

/// Labels that are not as they should be.
#[derive(Default)]
pub(super) struct OddLabels {
    /// Of no image.
    pub orphans: Vec<PathBuf>,
    /// Of an image that has one of that form already.
    pub twice: Vec<PathBuf>,
    /// Masks of unknown classes.
    pub strangers: Vec<PathBuf>,
    /// One mask of each image with several annotations.
    pub annotated_twice: Vec<PathBuf>,
}

/// Gives each image its label; what is odd about the labels is returned.
pub(super) fn add_labels(
    d: &Descriptor,
    root: &Path,
    split: &str,
    pairs: &mut Pairs,
) -> Result<OddLabels> {
    let mut odd = OddLabels::default();
    // A file that is found as a label is no image, where both lie in one folder.
    let mut labels_found = BTreeSet::new();
    for (form, labels) in d.labels.iter().enumerate() {
        let key = |captures: &[String]| image_key(d, labels, captures);
        if let Some(masks) = &labels.masks {
            let found = masks.find(labels, root, split, &key)?;
            labels_found.extend(found.strangers.iter().cloned());
            odd.strangers.extend(found.strangers);
            odd.annotated_twice.extend(found.annotated_twice);
            for (key, masks) in found.by_image {
                labels_found.extend(masks.iter().map(|mask| mask.0.clone()));
                match pairs.get_mut(&key) {
                    Some(pair) if pair.label.is_none() => {
                        pair.label = Some((masks[0].0.clone(), form));
                        pair.masks = masks;
                    }
                    Some(_) => {}
                    None => odd.orphans.extend(masks.into_iter().map(|mask| mask.0)),
                }
            }
            continue;
        }
        let shares_words = d.images.holes().iter().all(|hole| labels.files.has(hole));
        for (captures, path) in labels.files.find(root, labels.files.with_split(split))?.files {
            labels_found.insert(path.clone());
            match pairs.get_mut(&key(&captures)) {
                // Without words in common only a list knows the pairs.
                _ if !shares_words => {}
                Some(pair) => match &pair.label {
                    None => pair.label = Some((path, form)),
                    Some((_, other)) if *other == form => odd.twice.push(path),
                    Some(_) => {} // of several forms the first one counts
                },
                None => odd.orphans.push(path),
            }
        }
    }
    pairs.retain(|_, pair| !labels_found.contains(&pair.image));
    let bare =
        d.labels.iter().position(|l| l.masks.as_ref().is_some_and(|m| m.label_bare_images()));
    for pair in pairs.values_mut().filter(|pair| pair.label.is_none()) {
        pair.label = bare.map(|form| (pair.image.clone(), form));
    }
    odd.orphans.sort();
    odd.twice.sort();
    Ok(odd)
}

/// What the images' placeholders stand for, by what those of a label do.
fn image_key(d: &Descriptor, labels: &LabelForm, captures: &[String]) -> Vec<String> {
    let value = |hole: &String| {
        let at = labels.files.holes().iter().position(|h| h == hole)?;
        let value = &captures[at];
        let renamed = d.image_names.get(value).filter(|_| hole == "name");
        Some(renamed.unwrap_or(value).clone())
    };
    d.images.holes().iter().filter_map(value).collect()
}
