//! From a folder of images and labels to the descriptor of a data set, with what can be known filled in.
//! Not a converter: the files stay as they are. What is written is a TOML text for its user to complete, and it is
//! tried before it is given away: `stats` takes it as it is.

mod classes;
mod layouts;
mod masks;
mod names;
mod pairing;
mod tree;
mod values;
mod write;

use std::path::Path;

use crate::dataset::{Descriptor, Index};
use crate::error::{Error, Result};
use layouts::{Layout, Splits};
use tree::Tree;
use values::Found;

/// A descriptor, and what there is to say of it.
#[derive(Clone, Debug)]
pub struct Description {
    /// The TOML text, with comments on what was found and what is to be filled in.
    pub text: String,
    /// What the folder was recognized as, and by which files.
    pub recognized: String,
    /// Splits, with their pairs of image and label.
    pub splits: Vec<(String, u64)>,
    /// What `stats` will have to say too.
    pub problems: Vec<String>,
}

/// Something to be told how far the work is: labels done, and all of them.
pub type Progress<'a> = dyn Fn(u64, u64) + 'a;

/// Describes the data set in `folder`.
///
/// # Errors
/// Nothing that pairs, labels that cannot be read or hold no classes (exit code 2).
pub fn describe(folder: &Path, name: &str, progress: &Progress) -> Result<Description> {
    let tree = Tree::read(folder)?;
    let layout = layouts::recognize(&tree)?;
    let draft = Descriptor::from_toml(&write::draft(&layout), "draft of the descriptor")?;
    let splits = layout.splits.names();
    let all =
        if layout.splits == Splits::Random { vec!["train".to_string()] } else { splits.clone() };
    let looked = Looked::at(&layout, &draft, folder, &all, progress)?;
    let table = classes::table(&layout, &looked.found)?;
    let mut tried = Tried::default();
    // Folders of a few images have nothing for val at the usual shares.
    for shares in [(0.8, 0.2), (0.5, 0.5)] {
        let text = write::descriptor(&layout, &looked, &table, name, shares);
        tried = Tried::on(folder, text, &splits)?;
        if layout.splits != Splits::Random || tried.splits.iter().all(|split| split.1 > 0) {
            break;
        }
    }
    let Tried { text, splits, problems } = tried;
    let recognized = format!("{} ({})", layout.what, layout.why);
    Ok(Description { text, recognized, splits, problems })
}

/// A descriptor's text, and what it finds.
#[derive(Default)]
struct Tried {
    text: String,
    splits: Vec<(String, u64)>,
    problems: Vec<String>,
}

impl Tried {
    /// What is written has to be sound, or not be written.
    fn on(folder: &Path, text: String, splits: &[String]) -> Result<Self> {
        let descriptor = Descriptor::from_toml(&text, "the descriptor")?;
        let mut tried = Self { text, ..Self::default() };
        for split in splits {
            let index = Index::survey(&descriptor, folder, split)?;
            tried.splits.push((split.clone(), index.samples.len() as u64));
            tried.problems.extend(index.problems.iter().map(|p| format!("{split}: {p}")));
        }
        Ok(tried)
    }
}

/// What was found in the labels of all splits.
struct Looked {
    found: Found,
    /// Images of each size.
    labels: u64,
}

impl Looked {
    fn at(
        layout: &Layout,
        draft: &Descriptor,
        root: &Path,
        splits: &[String],
        progress: &Progress,
    ) -> Result<Self> {
        let mut paths = Vec::new();
        let mut labels = 0;
        for split in splits {
            let index = Index::survey(draft, root, split)?;
            labels += index.samples.len() as u64;
            let files = index.samples.iter().flat_map(|s| s.label_files().map(Path::to_path_buf));
            paths.extend(files);
        }
        paths.sort();
        paths.dedup();
        if paths.is_empty() {
            let line = format!(
                "{}: expected labels at {}, got none",
                root.display(),
                layout.pairing.labels
            );
            return Err(Error::request(line).hint("the lists may name other files"));
        }
        let total = paths.len() as u64;
        let paths: Vec<&Path> = paths.iter().map(|p| p.as_path()).collect();
        let found = values::look(&paths, &|done| progress(done, total))?;
        Ok(Self { found, labels })
    }
}
