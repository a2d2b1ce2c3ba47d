//! Split lists: files that say line by line what belongs to a split, as VOC's `ImageSets` or a table of paths.
//! Not a way around the patterns: those say where files lie, a list chooses among them, and may say which label an
//! image has. A line that leads nowhere is named with its list and its number.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use super::descriptor::Descriptor;
use super::labelling::Pairs;
use super::pattern::{Pattern, SPLIT};
use crate::error::{Context, Error, Result};
use crate::folder::count;

/// Headers of a table's columns, in any case.
const IMAGE: [&str; 9] =
    ["image", "images", "img", "image_path", "filename", "file_name", "file", "path", "name"];
const LABEL: [&str; 9] = [
    "label",
    "labels",
    "mask",
    "masks",
    "annotation",
    "label_path",
    "mask_path",
    "segmentation",
    "gt",
];

/// What is wrong or left out, by kind, with the places.
#[derive(Default)]
pub(super) struct Complaints {
    /// Lines whose image is not there.
    no_image: Vec<String>,
    /// Lines whose label is not there.
    no_label: Vec<String>,
    /// Lines that could mean several images.
    ambiguous: Vec<String>,
    /// Lines that name an image again.
    twice: Vec<String>,
    /// Images that no list of the data set has.
    unlisted: Vec<PathBuf>,
}

impl Complaints {
    /// A line for each kind.
    pub fn report(self, root: &Path, problems: &mut Vec<String>, notes: &mut Vec<String>) {
        for (what, places) in [
            ("line without image", self.no_image),
            ("line without label", self.no_label),
            ("line that may mean several images", self.ambiguous),
            ("line that names an image again", self.twice),
        ] {
            let places: Vec<PathBuf> = places.into_iter().map(PathBuf::from).collect();
            if !places.is_empty() {
                problems.push(count(what, &places, Path::new("")));
            }
        }
        if !self.unlisted.is_empty() {
            notes.push(count("image left out, it is in no list", &self.unlisted, root));
        }
    }
}

struct Line {
    /// As in "lists/train.txt:7".
    place: String,
    image: String,
    label: Option<String>,
}

/// Keeps the pairs that the split's list names, with the labels it names.
pub(super) fn choose(
    d: &Descriptor,
    list: &Pattern,
    root: &Path,
    split: &str,
    pairs: &mut Pairs,
) -> Result<Complaints> {
    let path = list.find(root, list.with_split(split))?.files.into_iter().next().map(|f| f.1);
    let path = path.ok_or_else(|| no_list(d, list, root, split))?;
    let names = Names::new(d, root, pairs);
    let mut complaints = Complaints::default();
    let mut chosen = BTreeMap::new();
    for line in names.lines(&path, root)? {
        match names.find(&line.image) {
            Meaning::One(key) if chosen.contains_key(key) => complaints.twice.push(line.named()),
            Meaning::One(key) => _ = chosen.insert(key.clone(), line),
            Meaning::Many => complaints.ambiguous.push(line.named()),
            Meaning::Nothing => complaints.no_image.push(line.named()),
        }
    }
    // Lists of other splits: an image in none of them is left out for good.
    let mut listed: BTreeSet<Vec<String>> = chosen.keys().cloned().collect();
    for other in list.values(root, SPLIT).iter().filter(|other| *other != split) {
        for (_, path) in list.find(root, list.with_split(other))?.files {
            // A list that cannot be read is a matter of its own split.
            let lines = names.lines(&path, root).unwrap_or_default();
            listed.extend(lines.iter().filter_map(|line| match names.find(&line.image) {
                Meaning::One(key) => Some(key.clone()),
                _ => None,
            }));
        }
    }
    let unlisted = pairs.iter().filter(|(key, _)| !listed.contains(*key));
    complaints.unlisted = unlisted.map(|(_, pair)| pair.image.clone()).collect();
    pairs.retain(|key, _| chosen.contains_key(key));
    let labels = Labels::new(d, root, &chosen)?;
    for (key, line) in &chosen {
        let (Some(text), Some(pair)) = (&line.label, pairs.get_mut(key)) else { continue };
        pair.label = labels.find(text, root);
        if pair.label.is_none() {
            complaints.no_label.push(line.named_label());
            pairs.remove(key);
        }
    }
    Ok(complaints)
}

impl Line {
    fn named(&self) -> String {
        format!("{} {}", self.place, self.image)
    }

    fn named_label(&self) -> String {
        format!("{} {}", self.place, self.label.as_deref().unwrap_or_default())
    }
}

enum Meaning<'a> {
    One(&'a Vec<String>),
    Many,
    Nothing,
}

/// What a list may call the images: from the most to the least exact.
struct Names {
    levels: [HashMap<String, Option<Vec<String>>>; 4],
}

impl Names {
    fn new(d: &Descriptor, root: &Path, pairs: &Pairs) -> Self {
        let mut levels: [HashMap<String, Option<Vec<String>>>; 4] = Default::default();
        for (key, pair) in pairs {
            let path = pair.image.strip_prefix(root).unwrap_or(&pair.image);
            let text = |part: Option<&std::ffi::OsStr>| {
                part.map(|p| p.to_string_lossy().into_owned()).unwrap_or_default()
            };
            let names = [
                vec![path.to_string_lossy().into_owned()],
                vec![path.with_extension("").to_string_lossy().into_owned()],
                vec![d.sample_name(key), text(path.file_name())],
                vec![text(path.file_stem())],
            ];
            for (level, names) in levels.iter_mut().zip(names) {
                for name in names {
                    let other = |k: &Option<Vec<String>>| k.as_ref() != Some(key);
                    let known = level.entry(name).or_insert_with(|| Some(key.clone()));
                    if other(known) {
                        *known = None;
                    }
                }
            }
        }
        Self { levels }
    }

    fn find(&self, text: &str) -> Meaning<'_> {
        let tails = tails(text);
        for level in &self.levels[..2] {
            if let Some(known) = tails.iter().find_map(|tail| level.get(*tail)) {
                return meaning(known);
            }
        }
        let known = self.levels[2..].iter().find_map(|level| level.get(text));
        known.map_or(Meaning::Nothing, meaning)
    }

    /// The lines of a list. A name may hold blanks, so that one is only cut where the whole line is no image.
    fn lines(&self, path: &Path, root: &Path) -> Result<Vec<Line>> {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let bytes = std::fs::read(path).request(|| format!("{}: cannot read", path.display()))?;
        let text = String::from_utf8(bytes).map_err(|_| {
            Error::request(format!("{}: expected a list in UTF-8, got other bytes", path.display()))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
            return table(text, path, &name);
        }
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line = line.trim();
            let whole = !matches!(self.find(line), Meaning::Nothing);
            let (image, label) = match cut(line).filter(|_| !whole) {
                Some((image, label)) => (image.into(), Some(label.into())),
                None => (line.into(), None),
            };
            lines.push(Line { place: format!("{name}:{}", at + 1), image, label });
        }
        Ok(lines)
    }
}

fn meaning(known: &Option<Vec<String>>) -> Meaning<'_> {
    known.as_ref().map_or(Meaning::Many, Meaning::One)
}

/// The text, and what is left of it without its first folders: lists often name paths from another root.
fn tails(text: &str) -> Vec<&str> {
    let text = text.trim_start_matches("./").trim_start_matches('/');
    let cuts = text.char_indices().filter(|c| c.1 == '/').map(|(at, _)| &text[at + 1..]);
    std::iter::once(text).chain(cuts).collect()
}

/// Two names on a line, with a tab, a comma or blanks between them.
fn cut(line: &str) -> Option<(&str, &str)> {
    let (image, label) = line.split_once(['\t', ',']).or_else(|| line.split_once(' '))?;
    let (image, label) = (image.trim(), label.trim());
    (!image.is_empty() && !label.is_empty()).then_some((image, label))
}

/// The lines of a CSV table under a header.
fn table(text: &str, path: &Path, name: &str) -> Result<Vec<Line>> {
    let damaged = || format!("{}: cannot read the table", path.display());
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().request(damaged)?.clone();
    let column = |names: &[&str]| {
        names.iter().find_map(|name| header.iter().position(|h| h.eq_ignore_ascii_case(name)))
    };
    let Some(image) = column(&IMAGE) else {
        let got = header.iter().collect::<Vec<_>>().join(",");
        let line = format!("{}:1: expected a column \"image\", got {got}", path.display());
        return Err(Error::request(line).hint("the header of a list is image, or image,label"));
    };
    let label = column(&LABEL);
    let mut lines = Vec::new();
    for record in reader.records() {
        let record = record.request(damaged)?;
        let at = record.position().map_or(0, csv::Position::line);
        let field = |i: usize| record.get(i).filter(|f| !f.is_empty()).map(str::to_string);
        let Some(image) = field(image) else { continue };
        lines.push(Line { place: format!("{name}:{at}"), image, label: label.and_then(field) });
    }
    Ok(lines)
}

/// The label files that lines may name.
struct Labels {
    by_path: HashMap<String, (PathBuf, usize)>,
    /// The one form of all labels, if there is only one.
    only_form: Option<usize>,
}

impl Labels {
    fn new(d: &Descriptor, root: &Path, chosen: &BTreeMap<Vec<String>, Line>) -> Result<Self> {
        let mut by_path = HashMap::new();
        let asked = chosen.values().any(|line| line.label.is_some());
        for (form, labels) in d.labels.iter().enumerate().filter(|_| asked) {
            for (_, path) in labels.files.find(root, labels.files.open())?.files {
                let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
                by_path.entry(name).or_insert((path, form));
            }
        }
        let only_form = (d.labels.len() == 1 && d.labels[0].masks.is_none()).then_some(0);
        Ok(Self { by_path, only_form })
    }

    fn find(&self, text: &str, root: &Path) -> Option<(PathBuf, usize)> {
        let tails = tails(text);
        if let Some(found) = tails.iter().find_map(|tail| self.by_path.get(*tail)) {
            return Some(found.clone());
        }
        let path = tails.iter().map(|tail| root.join(tail)).find(|path| path.is_file())?;
        Some((path, self.only_form?))
    }
}

fn no_list(d: &Descriptor, list: &Pattern, root: &Path, split: &str) -> Error {
    let text = list.text();
    let line =
        format!("{}: {}: {split}: expected a list at {text}, got none", d.name, root.display());
    let there: Vec<String> = list.values(root, SPLIT).into_iter().collect();
    if there.is_empty() {
        return Error::request(line).hint("lists lie below the data root");
    }
    Error::request(line).hint(format!("the splits there are: {}", there.join(", ")))
}
