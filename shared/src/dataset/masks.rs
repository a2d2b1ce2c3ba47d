//! Labels that are several files: one binary mask per class and image, as Label Studio and RectLabel write them.
//! Not instances: several masks of one class are united. What overlaps goes to the class further down in the
//! descriptor, and is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::descriptor::LabelForm;
use super::file::{DescriptorFile, LabelFile, Unmasked};
use super::pattern::Pattern;
use crate::decode::{self, LabelEncoding, RawLabel, Values};
use crate::error::{Error, Result};
use crate::labels::IGNORE;

/// The placeholder for the name of a class.
const CLASS: &str = "class";
/// Of several annotations of one image none is the right one.
const ANNOTATION: &str = "annotation";

/// What a descriptor says of labels that are masks.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    /// Names of classes in files, and train ids; the longest name first.
    names: Vec<(String, u8)>,
    /// The train id, or [`IGNORE`], of pixels in no mask.
    rest: u8,
    unmasked: Unmasked,
}

/// A mask's file and the train id of its class.
pub(super) type Mask = (PathBuf, u8);

/// The masks of a split.
pub(super) struct FoundMasks {
    /// By what the images' placeholders stand for; in the order of the classes.
    pub by_image: BTreeMap<Vec<String>, Vec<Mask>>,
    /// Masks whose class the descriptor does not have.
    pub strangers: Vec<PathBuf>,
    /// One mask of each image with several annotations.
    pub annotated_twice: Vec<PathBuf>,
}

impl Masks {
    /// None if the labels are not masks.
    pub fn of(form: &LabelFile, files: &Pattern, file: &DescriptorFile) -> Result<Option<Self>> {
        if !files.has(CLASS) {
            if form.rest.is_some() || form.unmasked.is_some() {
                let line = "labels: expected rest and unmasked only with {class} in files";
                return Err(Error::request(line).hint("they are about one mask per class"));
            }
            return Ok(None);
        }
        let rest = form.rest.as_deref().and_then(|rest| {
            let class = file.classes.iter().position(|c| c.name == rest).map(|at| at as u8);
            class.or(file.ignored.iter().any(|e| e.name == rest).then_some(IGNORE))
        });
        let rest = rest.ok_or_else(|| {
            let got = form.rest.as_deref().unwrap_or("none");
            let line = format!("labels: rest: expected a class or an ignored entry, got {got}");
            Error::request(line).hint("it is what a pixel in none of the masks is")
        })?;
        let name = |e: &super::file::Entry| e.mask.clone().unwrap_or_else(|| e.name.clone());
        let classes = file.classes.iter().enumerate().map(|(at, e)| (name(e), at as u8));
        let ignored = file.ignored.iter().map(|e| (name(e), IGNORE));
        let mut names: Vec<(String, u8)> = classes.chain(ignored).collect();
        // "traffic-light-0" is the light, not an odd mask of the traffic.
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        Ok(Some(Self { names, rest, unmasked: form.unmasked.unwrap_or(Unmasked::Missing) }))
    }

    /// Whether an image without masks has a label all the same.
    pub fn label_bare_images(&self) -> bool {
        self.unmasked == Unmasked::Rest
    }

    /// Finds the masks of a split. `key` gives what the images' placeholders stand for.
    pub fn find(
        &self,
        form: &LabelForm,
        root: &Path,
        split: &str,
        key: &dyn Fn(&[String]) -> Vec<String>,
    ) -> Result<FoundMasks> {
        let files = &form.files;
        let mut class_of = BTreeMap::new();
        for (name, id) in &self.names {
            let known = files.with(files.with_split(split), CLASS, name);
            for (captures, path) in files.find(root, known)?.files {
                class_of.entry(path).or_insert((captures, *id));
            }
        }
        let all = files.find(root, files.with_split(split))?.files.into_iter().map(|f| f.1);
        let strangers = all.filter(|path| !class_of.contains_key(path)).collect();
        let annotation = files.holes().iter().position(|h| h == ANNOTATION);
        let mut by_image: BTreeMap<Vec<String>, Vec<Mask>> = BTreeMap::new();
        let mut annotations = BTreeMap::new();
        let mut annotated_twice = BTreeSet::new();
        for (path, (captures, id)) in class_of {
            let key = key(&captures);
            if let Some(at) = annotation
                && annotations.entry(key.clone()).or_insert(captures[at].clone()) != &captures[at]
            {
                annotated_twice.insert(by_image[&key][0].0.clone());
            }
            by_image.entry(key).or_default().push((path, id));
        }
        by_image.values_mut().for_each(|masks| masks.sort_by_key(|mask| mask.1));
        Ok(FoundMasks {
            by_image,
            strangers,
            annotated_twice: annotated_twice.into_iter().collect(),
        })
    }

    /// One label of train ids from all masks of an image, and how many pixels are in masks of several classes.
    /// `image` gives the size where there is no mask.
    pub fn unite(
        &self,
        masks: &[Mask],
        encoding: LabelEncoding,
        image: &Path,
    ) -> Result<(RawLabel, u64)> {
        let Some((first, _)) = masks.first() else {
            let (width, height) = decode::size(image)?;
            let values = Values::Bytes(vec![self.rest; width as usize * height as usize]);
            return Ok((united(width, height, values), 0));
        };
        const NONE: u16 = 256;
        let (mut ids, mut shared, mut size) = (Vec::new(), Vec::new(), (0, 0));
        for (path, id) in masks {
            let mask = decode::label(path, encoding)?;
            if ids.is_empty() {
                size = (mask.width, mask.height);
                let pixels = size.0 as usize * size.1 as usize;
                (ids, shared) = (vec![NONE; pixels], vec![false; pixels]);
            }
            if size != (mask.width, mask.height) {
                return Err(Error::request(format!(
                    "{}: expected a mask of the size of {}, {} x {}, got {} x {}",
                    path.display(),
                    first.display(),
                    size.0,
                    size.1,
                    mask.width,
                    mask.height
                )));
            }
            let id = u16::from(*id);
            let mut claim = |at: usize| {
                shared[at] |= ids[at] != NONE && ids[at] != id;
                ids[at] = id;
            };
            match &mask.values {
                Values::Bytes(v) => (0..v.len()).filter(|&i| v[i] != 0).for_each(&mut claim),
                Values::Words(v) => (0..v.len()).filter(|&i| v[i] != 0).for_each(&mut claim),
                Values::Colors(v) => (0..v.len()).filter(|&i| v[i] != [0; 3]).for_each(&mut claim),
            }
        }
        let rest = self.rest;
        let ids = ids.into_iter().map(|id| u8::try_from(id).unwrap_or(rest)).collect();
        let overlap = shared.into_iter().filter(|&s| s).count() as u64;
        Ok((united(size.0, size.1, Values::Bytes(ids)), overlap))
    }
}

fn united(width: u32, height: u32, values: Values) -> RawLabel {
    RawLabel { width, height, values, kind: "masks".into(), palette: None }
}
