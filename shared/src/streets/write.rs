//! Writes sets of scenes to disk, in the folders and encodings of real data sets.
//! No drawing, no reading back. A set appears whole or not at all: it is written beside its place and
//! renamed. Source: own; the layouts are those of Cityscapes, SYNTHIA-SEQS and SegNet's CamVid.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rayon::prelude::*;
use serde::Serialize;

use super::encode::{Destination, files};
use super::{StreetSettings, scene};
use crate::dataset::Descriptor;
use crate::error::{Context, Error, Result};
use crate::files::write_atomic;
use crate::output_path::folder_of;

/// Raised whenever the same settings would give other pixels.
const VERSION: u32 = 1;
const MANIFEST: &str = "streets.toml";
const PLACE_HINT: &str =
    "choose another --out: a folder that is not there yet, below one that can be written to";
/// Scenes of different splits never meet: each split counts from its own multiple of this.
const STRIDE: u64 = 1 << 32;

/// The folders and encodings in which a set is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `images/SPLIT/NAME.png`, `labels/SPLIT/NAME.png`: train ids, all thirteen classes.
    Streets,
    /// `leftImg8bit/SPLIT/streets/...`, `gtFine/SPLIT/streets/...` with labelIds, labelTrainIds, instanceIds.
    Cityscapes,
    /// `RGB/Stereo_*/Omni_*/NNNNNN.png`, `GT/LABELS/...` in 16 bits; it has no folders for splits.
    Synthia,
    /// `SPLIT/NAME.png`, `SPLITannot/NAME.png`: eleven classes.
    Camvid,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Layout; 4] =
        [Layout::Streets, Layout::Cityscapes, Layout::Synthia, Layout::Camvid];

    /// Its name on the command line, which is also that of the built in data set that reads it.
    pub fn name(self) -> &'static str {
        match self {
            Layout::Streets => "streets",
            Layout::Cityscapes => "cityscapes",
            Layout::Synthia => "synthia",
            Layout::Camvid => "camvid",
        }
    }
}

impl FromStr for Layout {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Layout::ALL.into_iter().find(|l| l.name() == name).ok_or_else(|| {
            let names = Layout::ALL.map(Layout::name).join(", ");
            Error::request(format!("layout: {name}: expected one of {names}"))
        })
    }
}

/// How many scenes each split gets. In SYNTHIA's layout their sum is dealt to the eight cameras.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Scenes to learn from.
    pub train: u64,
    /// Scenes to choose by.
    pub val: u64,
    /// Scenes to report on.
    pub test: u64,
}

/// What [`write()`] did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Scenes in the set.
    pub scenes: u64,
    /// The very same set was there already, and nothing was written.
    pub already_there: bool,
}

#[derive(Serialize)]
struct Manifest {
    generator: u32,
    layout: Layout,
    width: u32,
    height: u32,
    seed: u64,
    scenes: Counts,
}

/// One scene to write: its number, and where.
struct Job {
    index: u64,
    destination: Destination,
}

/// Writes a set of scenes into the folder `out`, on all threads; `progress` is called after each scene.
///
/// A folder that holds the same set already is left as it is. Errors: sizes out of bounds, no scenes, a folder
/// with something else in it, or where none can be made (all the request's fault); a disk that is full.
pub fn write(
    layout: Layout,
    out: &Path,
    settings: &StreetSettings,
    counts: Counts,
    progress: &(dyn Fn() + Sync),
) -> Result<Summary> {
    settings.check()?;
    let jobs = jobs(layout, counts);
    let scenes = jobs.len() as u64;
    if jobs.is_empty() {
        return Err(Error::request("number of scenes: expected at least 1, got 0")
            .hint("--count, --val and --test say how many each split gets"));
    }
    let StreetSettings { width, height, seed } = *settings;
    let manifest = Manifest { generator: VERSION, layout, width, height, seed, scenes: counts };
    let manifest = toml::to_string(&manifest).work(|| format!("{MANIFEST}: cannot write"))?;
    if occupied(out, &manifest)? {
        return Ok(Summary { scenes, already_there: true });
    }
    let (beside, _lock) = beside(out)?;
    let result = fill(layout, &beside, settings, &jobs, &manifest, progress).and_then(|()| {
        // Renaming onto an empty folder works on some systems only.
        if out.is_dir() {
            fs::remove_dir(out)
                .work(|| format!("{}: cannot replace the empty folder", out.display()))?;
        }
        fs::rename(&beside, out).work(|| format!("{}: cannot rename into place", out.display()))
    });
    if result.is_err() {
        // The first failure is the one to report; what is left lies in a folder marked as partial.
        let _ = fs::remove_dir_all(&beside);
    }
    result.map(|()| Summary { scenes, already_there: false })
}

fn jobs(layout: Layout, counts: Counts) -> Vec<Job> {
    if layout == Layout::Synthia {
        let total = counts.train + counts.val + counts.test;
        let cameras = ["Left", "Right"]
            .into_iter()
            .flat_map(|side| ['F', 'B', 'L', 'R'].map(|way| (side, way)));
        let cameras: Vec<_> = cameras.collect();
        return (0..total)
            .map(|k| {
                let (side, way) = cameras[(k % 8) as usize];
                Job { index: k, destination: Destination::Camera(side, way, k / 8) }
            })
            .collect();
    }
    let splits = [("train", counts.train), ("val", counts.val), ("test", counts.test)];
    let mut jobs = Vec::new();
    for (number, (split, count)) in splits.into_iter().enumerate() {
        for k in 0..count {
            let name = match layout {
                Layout::Cityscapes => format!("streets_{k:06}_000019"),
                _ => format!("{k:06}"),
            };
            jobs.push(Job {
                index: number as u64 * STRIDE + k,
                destination: Destination::Split(split, name),
            });
        }
    }
    jobs
}

/// Whether the same set is in the folder; an error if anything else is.
fn occupied(out: &Path, manifest: &str) -> Result<bool> {
    if !out.exists() {
        return Ok(false);
    }
    let mut entries = fs::read_dir(out)
        .request(|| format!("{}: cannot be the output folder", out.display()))
        .map_err(|e| e.hint(PLACE_HINT))?;
    if entries.next().is_none() {
        return Ok(false);
    }
    if fs::read_to_string(out.join(MANIFEST)).is_ok_and(|found| found == manifest) {
        return Ok(true);
    }
    let line =
        format!("{}: expected a new or empty folder, got one with other files", out.display());
    Err(Error::request(line).hint(format!("choose another folder, or delete this one ({MANIFEST} in it says what it holds, if it is a set)")))
}

/// A folder beside `out`, on the same file system, with a lock on it that ends with the process.
///
/// What killed processes left there, whose locks nobody holds any more, is removed.
fn beside(out: &Path) -> Result<(PathBuf, Option<File>)> {
    let name = out.file_name().ok_or_else(|| {
        Error::request(format!("{}: expected the name of a folder", out.display())).hint(PLACE_HINT)
    })?;
    let parent = folder_of(out);
    let start = format!(".{}.", name.to_string_lossy());
    let is_ours = |file: &str| {
        let id = file.strip_prefix(&start).and_then(|rest| rest.strip_suffix(".partial"));
        id.is_some_and(|id| id.bytes().all(|b| b.is_ascii_digit()))
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if is_ours(&entry.file_name().to_string_lossy()) && locked(&entry.path()).is_some() {
            let _ = fs::remove_dir_all(entry.path()); // costs space if it fails, and nothing else
        }
    }
    let folder = parent.join(format!("{start}{}.partial", std::process::id()));
    fs::create_dir_all(parent)
        .and_then(|()| fs::create_dir(&folder))
        .request(|| format!("{}: cannot be made", out.display()))
        .map_err(|e| e.hint(PLACE_HINT))?;
    let lock = locked(&folder);
    Ok((folder, lock))
}

/// A folder that nobody else holds, held. Where file systems have no locks nothing is, and leftovers stay.
fn locked(folder: &Path) -> Option<File> {
    File::open(folder).ok().filter(|folder| folder.try_lock().is_ok())
}

fn fill(
    layout: Layout,
    root: &Path,
    settings: &StreetSettings,
    jobs: &[Job],
    manifest: &str,
    progress: &(dyn Fn() + Sync),
) -> Result<()> {
    let descriptor = Descriptor::find("cityscapes")?;
    jobs.par_iter().try_for_each(|job| {
        let scene = scene(settings, job.index);
        for file in files(layout, &scene, &job.destination, &descriptor) {
            let path = root.join(&file.path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)
                    .work(|| format!("{}: cannot create", folder.display()))?;
            }
            file.save(&path, settings)?;
        }
        progress();
        Ok(())
    })?;
    write_atomic(&root.join(MANIFEST), manifest.as_bytes())
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
