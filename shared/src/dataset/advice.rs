//! What to do about files that are not where a descriptor says: another split, root, name or ending.
//! It looks at names alone. What labels hold is `values`' business.

use std::path::{Path, PathBuf};

use super::descriptor::{Descriptor, LabelForm};
use super::pattern::{ANY_DEPTH, Pattern, SPLIT, nfc};
use super::split::{NAMES, Scheme};
use crate::error::Error;
use crate::folder::{count, is_clutter, is_picture};

/// An image without a label, and what the placeholders of its pattern stand for.
pub(super) struct Bare<'a> {
    pub image: PathBuf,
    pub values: Vec<(&'a str, &'a str)>,
}

/// Images whose neighbourhood is searched for labels of other names.
const SEARCHED: usize = 20;

/// For no label at all: one that lies there under another name, or what lies there instead of its folder.
pub(super) fn no_labels(d: &Descriptor, root: &Path, split: &str, bare: &[Bare]) -> Error {
    let places: Vec<&str> = d.labels.iter().map(|f| f.files.text()).collect();
    let line = format!(
        "{}: {}: {split}: expected labels at {}, got none for {} images",
        d.name,
        root.display(),
        places.join(" or "),
        bare.len()
    );
    let found = other_name(d, root, bare, &|_| false);
    let hint = found.or_else(|| bare.first().and_then(|first| looked_at(d, root, first)));
    hint.map_or(Error::request(line.clone()), |hint| Error::request(line).hint(hint))
}

/// For the first of the images that has one: a label of another name or ending, and the pattern that takes it.
/// Those that are `taken` belong to other images.
pub(super) fn other_name(
    d: &Descriptor,
    root: &Path,
    bare: &[Bare],
    taken: &dyn Fn(&Path) -> bool,
) -> Option<String> {
    let of_image = |bare: &Bare| {
        let mut found: Vec<(&LabelForm, Candidate)> =
            d.labels.iter().flat_map(|f| candidates(f, root, bare).map(move |c| (f, c))).collect();
        found.retain(|(_, c)| !taken(&root.join(&c.folder).join(&c.file)));
        // Pictures first, and of those what is said with the fewest letters.
        found.sort_by_key(|(_, c)| (!c.is_polygons(), !c.is_png(), c.file.len(), c.file.clone()));
        let (form, candidate) = found.into_iter().next()?;
        Some(candidate.words(form, root, bare))
    };
    bare.iter().take(SEARCHED).find_map(of_image)
}

/// A file that bears an image's name, where its label is looked for.
struct Candidate {
    /// Its folder, relative to the root.
    folder: PathBuf,
    file: String,
    /// Its name with the placeholder in the place of the image's.
    pattern: String,
}

fn candidates<'a>(
    form: &LabelForm,
    root: &'a Path,
    bare: &Bare,
) -> impl Iterator<Item = Candidate> + use<'a> {
    let folder = PathBuf::from(form.files.path(&bare.values));
    let folder = folder.parent().unwrap_or(Path::new("")).to_path_buf();
    let entries = std::fs::read_dir(root.join(&folder)).into_iter().flatten().flatten();
    // The longest part of the image's own name that a placeholder stands for.
    let image = bare.image.file_name().map(|n| nfc(&n.to_string_lossy())).unwrap_or_default();
    let own = bare.values.iter().filter(|v| ![SPLIT, ANY_DEPTH].contains(&v.0));
    let own = own.filter(|v| image.contains(v.1)).max_by_key(|v| v.1.len());
    let own = own.map(|v| (v.0.to_string(), v.1.to_lowercase()));
    let image = bare.image.clone();
    entries.filter_map(move |entry| {
        let (hole, value) = own.as_ref()?;
        if is_clutter(&entry.file_name()) || !entry.path().is_file() || entry.path() == image {
            return None;
        }
        let file = nfc(entry.file_name().to_str()?);
        let at = named(&file.to_lowercase(), value)?;
        // Lower case may be of another length: then the name stays as it is.
        let same = file.is_char_boundary(at) && file.is_char_boundary(at + value.len());
        let pattern = if same && file.len() == file.to_lowercase().len() {
            format!("{}{{{hole}}}{}", &file[..at], &file[at + value.len()..])
        } else {
            file.clone()
        };
        Some(Candidate { folder: folder.clone(), file, pattern })
    })
}

/// Where `name` stands in `file`, as a word of its own.
fn named(file: &str, name: &str) -> Option<usize> {
    let apart = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    let places = file.match_indices(name).map(|m| m.0);
    let mut places = places.filter(|&at| {
        apart(file[..at].chars().next_back()) && apart(file[at + name.len()..].chars().next())
    });
    places.next()
}

impl Candidate {
    fn ends_in(&self, ending: &str) -> bool {
        self.file.to_lowercase().ends_with(ending)
    }

    fn is_png(&self) -> bool {
        self.ends_in(".png")
    }

    fn is_polygons(&self) -> bool {
        self.ends_in("_polygons.json")
    }

    fn words(&self, form: &LabelForm, root: &Path, bare: &Bare) -> String {
        let image = bare.image.strip_prefix(root).unwrap_or(&bare.image).display();
        let there = self.folder.join(&self.file);
        let there = format!("for {image} there is {}", there.display());
        if self.is_polygons() {
            return format!(
                "{there}, polygons alone: label images are made of them by createTrainIdLabelImgs of the \
                 Python package cityscapesscripts (CITYSCAPES_DATASET={} csCreateTrainIdLabelImgs)",
                root.display()
            );
        }
        if [".json", ".xml", ".txt", ".csv", ".yaml"].iter().any(|ending| self.ends_in(ending)) {
            return format!("{there}: outlines, where pixels are wanted; export them as PNG masks");
        }
        if !is_picture(Path::new(&self.file)) || [".jpg", ".jpeg"].iter().any(|e| self.ends_in(e)) {
            return format!(
                "{there}: a label has to be in a format that keeps its numbers, such as PNG"
            );
        }
        let folder = form.files.text().rsplit_once('/').map_or("", |(folder, _)| folder);
        let slash = if folder.is_empty() { "" } else { "/" };
        format!("{there}: files = \"{folder}{slash}{}\" would take it", self.pattern)
    }
}

/// Where the label of an image was looked for, and what lies there.
fn looked_at(d: &Descriptor, root: &Path, bare: &Bare) -> Option<String> {
    let path = PathBuf::from(d.labels.first()?.files.path(&bare.values));
    let folder = path.parent()?;
    let there = folder.ancestors().find(|folder| root.join(folder).is_dir())?;
    let at = if there == Path::new("") { root } else { there };
    let missing = if there == folder {
        String::new()
    } else {
        format!("; there is no folder {}", folder.display())
    };
    let image = bare.image.strip_prefix(root).unwrap_or(&bare.image).display();
    Some(format!(
        "the label of {image} was looked for at {}{missing}; {} {}",
        path.display(),
        at.display(),
        holds(&root.join(there))
    ))
}

/// "holds a, b" or "is empty".
fn holds(folder: &Path) -> String {
    let inside = inside(folder);
    let names = inside.iter().filter_map(|p| p.file_name()).filter(|name| !is_clutter(name));
    let names: Vec<_> = names.take(8).map(|n| n.to_string_lossy()).collect();
    if names.is_empty() { "is empty".into() } else { format!("holds {}", names.join(", ")) }
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let mut inside: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|e| Some(e.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    inside.sort();
    inside
}

/// The splits that have both images and labels below a root, by name.
///
/// Where labels lie beside images, their folder looks like a split, but one without labels. Of train and val images
/// are enough: labels that are missing there are worth an error.
pub(super) fn splits(d: &Descriptor, root: &Path) -> Vec<String> {
    if d.split.by != Scheme::Folder {
        return NAMES.map(String::from).to_vec();
    }
    if let Some(list) = &d.list {
        return list.values(root, SPLIT).into_iter().collect();
    }
    let holds =
        |p: &Pattern, s: &str| p.find(root, p.with_split(s)).is_ok_and(|f| !f.files.is_empty());
    let labelled = |s: &str| d.labels.iter().any(|l| holds(&l.files, s));
    let whole =
        |s: &String| holds(&d.images, s) && (["train", "val"].contains(&s.as_str()) || labelled(s));
    d.images.values(root, SPLIT).into_iter().filter(whole).collect()
}

/// Tells a wrong split from a wrong root, and a root that is one folder off from both; then what lies there.
pub(super) fn nothing_found(d: &Descriptor, root: &Path, split: &str) -> Error {
    let pattern = d.images.text();
    let line =
        format!("{}: {}: {split}: expected images at {pattern}, got none", d.name, root.display());
    // Lists say nothing of where images lie.
    let others = if d.list.is_none() { splits(d, root) } else { Vec::new() };
    if !others.is_empty() {
        return Error::request(line).hint(format!("the splits there are: {}", others.join(", ")));
    }
    let inside = inside(root);
    let fits = |folder: &&PathBuf| {
        folder.is_dir()
            && d.images.find(folder, d.images.with_split(split)).is_ok_and(|f| !f.files.is_empty())
    };
    let near = inside.iter().take(50).map(PathBuf::as_path).chain(root.parent());
    if let Some(folder) = near.map(Path::to_path_buf).collect::<Vec<_>>().iter().find(fits) {
        return Error::request(line).hint(format!("{} looks right", folder.display()));
    }
    if let Some(hint) = pictures_elsewhere(d, root, split) {
        return Error::request(line).hint(hint);
    }
    let got = holds(root);
    Error::request(line).hint(format!("it {got}; the data root is the folder with {pattern}"))
}

/// Pictures that lie where the split's are looked for, but under names that the pattern does not have.
fn pictures_elsewhere(d: &Descriptor, root: &Path, split: &str) -> Option<String> {
    // A pattern that begins with a placeholder has no place of its own to look at.
    if d.images.text().starts_with('{') && !d.images.text().starts_with("{split}/") {
        return None;
    }
    let pictures = d.images.pictures(root, &d.images.with_split(split)).ok()?;
    let first = pictures.first()?;
    let (levels, level) = (d.images.text().split('/').count(), first.strip_prefix(root).ok()?);
    let what = count("pictures there", &pictures, root);
    let why = match is_picture(first) {
        false => "their format is not read: convert them to PNG",
        true if level.iter().count() > levels => {
            "they lie deeper: ** in a descriptor's patterns stands for folders of any depth"
        }
        true => "their names do not match the pattern",
    };
    Some(format!("{what}: {why}"))
}

/// What to say of a data set in which nothing can be told apart.
pub(super) fn one_class(d: &Descriptor) -> Option<String> {
    let scored: Vec<&str> = (0..d.num_classes())
        .filter(|id| !d.unscored.contains(id))
        .map(|id| d.classes[id].name.as_str())
        .collect();
    let [only] = scored[..] else { return None };
    let others: Vec<&str> = d.ignored.iter().map(|e| e.name.as_str()).collect();
    let background = match others.first() {
        Some(name) if others.len() == 1 => {
            format!(
                "make {name} a class: {name}=train behind the data set's name and a colon does that"
            )
        }
        _ => "make the background a class, such as { name = \"background\", native = 0 }".into(),
    };
    Some(format!(
        "one class alone counts, {only}: accuracy and IoU will be 100 % whatever is learned, since all \
         other pixels are ignored; {background}"
    ))
}
