//! Where `predict` and `live` take images from: files and folders, and a name for what becomes of each.
//! Not decoding (`shared::decode`); video and cameras are `live`'s.
//! Two inputs never share a name, so that no output overwrites another.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use shared::error::{Context, Error, Result, tell};
pub use shared::folder::is_picture as is_image;
use shared::folder::{count, each_file_below, is_clutter, is_picture_like};

/// Files that are looked at below a folder for pictures which are left out: enough to say that there are some.
const LOOKED_AT: usize = 20_000;

/// An image to read, and the name its outputs begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// Unique among the sources, without folders or ending.
    pub name: String,
}

/// The images among `inputs`: files as they are, of folders the pictures in them that can be decoded, sorted.
///
/// An input given twice is taken once. Pictures of other formats and in sub-folders are left out, and standard
/// error says so; hidden files are passed over.
///
/// # Errors
/// An input that does not exist, a folder without an image (exit code 2).
pub fn sources(inputs: &[PathBuf]) -> Result<Vec<Source>> {
    let mut paths = Vec::new();
    let mut seen = BTreeSet::new();
    for input in inputs {
        let found = if input.is_dir() { images_in(input)? } else { vec![input.clone()] };
        for path in found {
            let real = path
                .canonicalize()
                .request(|| format!("input: {}", path.display()))
                .map_err(|e| e.hint("name images, or folders with images"))?;
            if seen.insert(real) {
                paths.push(path);
            }
        }
    }
    let names = names(&paths);
    Ok(paths.into_iter().zip(names).map(|(path, name)| Source { path, name }).collect())
}

fn images_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let what = || format!("input: {}", folder.display());
    let (mut images, mut formats) = (Vec::new(), Vec::new());
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).request(what)? {
        let entry = entry.request(what)?;
        let path = entry.path();
        if is_clutter(&entry.file_name()) {
            continue;
        }
        if path.is_dir() {
            folders.push(path);
        } else if path.is_file() && is_image(&path) {
            images.push(path);
        } else if path.is_file() && is_picture_like(&path) {
            formats.push(path);
        }
    }
    let left_out = left_out(folder, formats, &folders);
    if images.is_empty() {
        let line = format!("{}: expected pictures that can be read, got none", what());
        let hint = if left_out.is_empty() {
            "folders are not searched for folders: name each".into()
        } else {
            left_out.join("; ")
        };
        return Err(Error::request(line).hint(hint));
    }
    left_out.iter().for_each(|line| tell(format_args!("{}: {line}", what())));
    images.sort();
    Ok(images)
}

/// What a folder holds and is not taken, a line each.
fn left_out(folder: &Path, mut formats: Vec<PathBuf>, folders: &[PathBuf]) -> Vec<String> {
    let (mut deeper, mut looked_at) = (Vec::new(), 0);
    let mut visit = |path: &Path| {
        looked_at += 1;
        if is_picture_like(path) {
            deeper.push(path.to_path_buf());
        }
        if looked_at < LOOKED_AT { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    // A sub-folder that cannot be listed would not be searched anyway.
    let all = folders.iter().all(|f| each_file_below(f, &mut visit).is_ok_and(|f| f.is_continue()));
    formats.sort();
    deeper.sort();
    let mut lines = Vec::new();
    if !formats.is_empty() {
        let line = count("pictures left out, their format is not read", &formats, folder);
        lines.push(format!("{line}; convert them to PNG"));
    }
    if !deeper.is_empty() {
        let line = count("pictures left out, they lie in sub-folders", &deeper, folder);
        let more = if all { "" } else { ", and perhaps more" };
        lines.push(format!("{line}{more}; name those folders too"));
    }
    lines
}

/// A unique name per path: its stem; where stems meet, with the folder, then with ending too. What all of that
/// does not tell apart is numbered.
pub(crate) fn names(paths: &[PathBuf]) -> Vec<String> {
    let part = |p: Option<&std::ffi::OsStr>| {
        p.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let name = |path: &Path, detail: usize| {
        let folder = part(path.parent().and_then(Path::file_name));
        let (stem, ending) = (part(path.file_stem()), part(path.extension()));
        let mut parts = match detail {
            0 => vec![stem],
            1 => vec![folder, stem],
            _ => vec![folder, stem, ending],
        };
        parts.retain(|part| !part.is_empty());
        parts.join("_")
    };
    let in_full: Vec<String> = paths.iter().map(|path| name(path, 2)).collect();
    let can_part = |group: &Vec<usize>| group.iter().any(|&i| in_full[i] != in_full[group[0]]);
    let mut detail = vec![0; paths.len()];
    loop {
        let names: Vec<String> = paths.iter().zip(&detail).map(|(p, &d)| name(p, d)).collect();
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (i, name) in names.iter().enumerate() {
            groups.entry(name).or_default().push(i);
        }
        let clashes: Vec<usize> = groups.into_values().filter(can_part).flatten().collect();
        if clashes.is_empty() {
            return number(names);
        }
        clashes.into_iter().for_each(|i| detail[i] = (detail[i] + 1).min(2));
    }
}

/// Ends the second and later of equal names with a number that makes them unique.
pub(crate) fn number(names: Vec<String>) -> Vec<String> {
    let mut taken: BTreeSet<String> = names.iter().cloned().collect();
    let mut met = BTreeSet::new();
    let mut unique = |name: String| {
        if met.insert(name.clone()) {
            return name;
        }
        let free =
            (2..).map(|n| format!("{name}-{n}")).find(|n| !taken.contains(n)).unwrap_or(name);
        taken.insert(free.clone());
        free
    };
    names.into_iter().map(&mut unique).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(paths: &[&str]) -> Vec<String> {
        names(&paths.iter().map(PathBuf::from).collect::<Vec<_>>())
    }

    #[test]
    fn a_name_is_the_stem_where_that_is_unique() {
        assert_eq!(named(&["a/1.png", "b/2.jpg"]), ["1", "2"]);
    }

    #[test]
    fn equal_stems_take_their_folder_along_and_equal_folders_their_ending() {
        assert_eq!(named(&["a/1.png", "b/1.png", "b/2.png"]), ["a_1", "b_1", "2"]);
        assert_eq!(named(&["a/1.png", "a/1.jpg"]), ["a_1_png", "a_1_jpg"]);
    }

    #[test]
    fn what_folder_and_ending_do_not_tell_apart_is_numbered() {
        assert_eq!(named(&["m.onnx", "./m.onnx"]), ["m", "m-2"]);
        assert_eq!(named(&["m.onnx", "./m.onnx", "b/m.onnx"]), ["m", "m-2", "b_m"]);
        assert_eq!(named(&["m.png", "m"]), ["m_png", "m"]);
    }

    #[test]
    fn names_are_unique_however_alike_the_paths_are() {
        let paths = ["x/a/1.png", "y/a/1.png", "a_1.png", "z/a_1_png-2.png", "w/a/1.png"];
        let names = named(&paths);
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), paths.len(), "{names:?}");
    }

    #[test]
    fn a_missing_input_and_a_folder_without_images_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = sources(&[folder.path().into()]).unwrap_err();
        assert!(
            error.to_string().contains("expected pictures that can be read, got none"),
            "{error}"
        );
        let error = sources(&[folder.path().join("no.png")]).unwrap_err();
        assert!(error.to_string().contains("no.png"), "{error}");
    }

    #[test]
    fn the_same_file_given_twice_is_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("1.png");
        std::fs::write(&file, "").unwrap();
        assert_eq!(sources(&[folder.path().into(), file]).unwrap().len(), 1);
    }

    #[test]
    fn what_a_folder_holds_and_is_not_taken_is_counted_and_hidden_files_are_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["day/early", "@eaDir"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        for name in ["a.heic", "day/b.png", "day/early/c.JPG", "@eaDir/x.jpg", "._y.jpg", "t.txt"] {
            std::fs::write(at(name), "").unwrap();
        }
        let error = sources(&[folder.path().into()]).unwrap_err();
        assert_eq!(
            error.hint_text(),
            Some(
                "pictures left out, their format is not read: 1 (a.heic); convert them to PNG; \
                 pictures left out, they lie in sub-folders: 2 (day/b.png, day/early/c.JPG); \
                 name those folders too"
            )
        );
        std::fs::write(at("z.png"), "").unwrap();
        let names = |found: Vec<Source>| found.into_iter().map(|s| s.name).collect::<Vec<_>>();
        assert_eq!(names(sources(&[folder.path().into()]).unwrap()), ["z"]);
    }
}
