//! What a data set is: where its files lie, and what the values in its labels mean.
//! Not the files themselves: that is `index`. This is the checked form; `file` has what users write.
//! Four are built in; a user's own is a TOML file (the page of the module `dataset` shows one).

use std::collections::{BTreeSet, HashMap};
use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use super::file::{DescriptorFile, Encoding, Entry, HINT, Ids, LabelFile};
use super::mapping::Mapping;
use super::masks::Masks;
use super::pattern::{ANY_DEPTH, Pattern, SPLIT};
use super::split::{Scheme, Split};
use crate::decode::{LabelEncoding, Tone};
use crate::error::{Context, Error, Result};
use crate::home::expand_path;
use crate::labels::{Class, IGNORE, MAX_CLASSES};

const BUILT_IN: [(&str, &str); 4] = [
    ("camvid", include_str!("camvid.toml")),
    ("cityscapes", include_str!("cityscapes.toml")),
    ("streets", include_str!("streets.toml")),
    ("synthia", include_str!("synthia.toml")),
];
const NAMES: [&str; 4] = ["camvid", "cityscapes", "streets", "synthia"];
const NATIVE_HINT: &str = "native = 7, or native = [7, 8] for a class of several values";

/// A data set, checked.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// Its name; of one with settings the name with them: "synthia:split=blocks".
    pub name: String,
    /// Its classes; a class's place is its train id.
    pub classes: Vec<Class>,
    /// Train ids of classes that are trained and predicted, but not scored.
    pub unscored: Vec<usize>,
    /// How images come to 8 bits; none: of 16 bits the upper 8 are kept.
    pub tone: Option<Tone>,
    pub(super) images: Pattern,
    pub(super) sample: String,
    pub(super) labels: Vec<LabelForm>,
    /// What images are called, by what their labels are called, where the two differ.
    pub(super) image_names: HashMap<String, String>,
    /// Files that list what belongs to a split.
    pub(super) list: Option<Pattern>,
    pub(super) split: Split,
    /// What is left out of losses and metrics.
    pub(super) ignored: Vec<Ignored>,
    /// Values in label files that are not train ids, to train ids.
    native: Arc<Mapping>,
    /// What was parsed, after settings: the descriptor's identity.
    pub(super) text: String,
}

/// An entry that is ignored.
#[derive(Clone, Debug)]
pub(super) struct Ignored {
    pub name: String,
    pub values: Vec<u16>,
    pub colors: Vec<[u8; 3]>,
}

/// One way in which a data set's labels may be stored; of several the first that is there is read.
#[derive(Clone, Debug)]
pub(super) struct LabelForm {
    pub files: Pattern,
    pub encoding: LabelEncoding,
    pub ids: Ids,
    /// Whether nothing says that the numbers count, whatever the palettes: then those have to agree.
    pub compares_palettes: bool,
    pub mapping: Arc<Mapping>,
    /// Where a label is one mask per class.
    pub masks: Option<Arc<Masks>>,
}

impl Descriptor {
    /// The built in data set of this name, or the descriptor in the file at this path.
    ///
    /// Settings may follow: `synthia:split=blocks,void=train`. `split` is `random` or `blocks` (for sets
    /// without split folders), `seed` the random split's; the name of an ignored entry is `ignore`,
    /// `train` (it becomes the last class) or `unscored` (likewise, but it is left out of the metrics).
    pub fn find(name_or_path: &str) -> Result<Descriptor> {
        let (place, settings) = match name_or_path.rsplit_once(':') {
            // A path may hold both characters: what is there as a whole has no settings.
            Some((place, settings)) if settings.contains('=') && !is_file(name_or_path) => {
                (place, settings)
            }
            _ => (name_or_path, ""),
        };
        let mut file = match BUILT_IN.iter().find(|b| b.0 == place) {
            Some((_, text)) => DescriptorFile::parse(text, place)?,
            None => from_path(place)?,
        };
        for setting in settings.split(',').filter(|s| !s.is_empty()) {
            let example = "as in synthia:split=random,seed=1 or synthia:void=train";
            file.set(setting).map_err(|e| e.within(name_or_path).hint(example))?;
        }
        if !settings.is_empty() {
            file.name = format!("{}:{settings}", file.name);
        }
        Self::check(file).map_err(|e| explained(e).within(place))
    }

    /// A descriptor from its text; `origin` names it in errors.
    pub fn from_toml(text: &str, origin: &str) -> Result<Descriptor> {
        Self::check(DescriptorFile::parse(text, origin)?).map_err(|e| explained(e).within(origin))
    }

    /// Names of the data sets that need no file.
    pub fn builtin_names() -> &'static [&'static str] {
        &NAMES
    }

    /// The train id of a value in a label file, [`IGNORE`], or `None` if the value is unknown.
    pub fn to_train(&self, native: u16) -> Option<u8> {
        self.native.get(native)
    }

    /// Number of classes, C.
    pub fn num_classes(&self) -> usize {
        self.classes.len()
    }

    /// A sample's name, from what the images' placeholders stand for. The folders that ** stands for come
    /// first, unless the descriptor puts them elsewhere.
    pub(super) fn sample_name(&self, key: &[String]) -> String {
        let holes = self.images.holes().iter().map(String::as_str);
        let values: Vec<(&str, &str)> = holes.zip(key.iter().map(String::as_str)).collect();
        let way = values.iter().find(|v| v.0 == ANY_DEPTH);
        let way = way.map_or(String::new(), |v| v.1.replace('/', "_"));
        let placed = format!("{{{ANY_DEPTH}}}");
        let name = Pattern::fill(&self.sample.replace(&placed, &way), &values);
        if way.is_empty() || self.sample.contains(&placed) { name } else { format!("{way}_{name}") }
    }

    fn check(file: DescriptorFile) -> Result<Descriptor> {
        let text = toml::to_string(&file).work(|| "descriptor".into())?;
        let table = table(&file)?;
        file.image.map_or(Ok(()), Tone::check)?;
        let images = Pattern::parse(&file.images)?;
        let list = file.list.as_deref().map(|text| list_pattern(text, &file)).transpose()?;
        let by_folder = file.split.by == Scheme::Folder && list.is_none();
        if list.is_none() && by_folder != images.has(SPLIT) {
            let expected = "{split} in the pattern, or else a list, or \
                            split = { by = \"random\" } or \"blocks\"";
            return Err(Error::request(format!(
                "images: expected {expected}, got {}",
                file.images
            )));
        }
        let shares = [file.split.train, file.split.val];
        if !shares.iter().all(|s| (0.0..=1.0).contains(s)) || shares.iter().sum::<f64>() > 1.0 {
            let line = format!("split: expected shares of at most 1 in sum, got {shares:?}");
            return Err(Error::request(line)
                .hint("train and val are shares such as 0.7 and 0.1; test is the rest"));
        }
        let native = Arc::new(Mapping::new(&table.values, &table.colors));
        let form = |form| label_form(form, &file, &images, &native);
        let labels: Vec<LabelForm> = file.labels.iter().map(form).collect::<Result<_>>()?;
        if labels.is_empty() {
            return Err(Error::request("labels: expected at least one place to look for them"));
        }
        let image_names = image_names(&file)?;
        let ignored = |e: &Entry| Ignored {
            name: e.name.clone(),
            values: e.values(None),
            colors: e.colors(),
        };
        Ok(Descriptor {
            ignored: file.ignored.iter().map(ignored).collect(),
            name: file.name,
            classes: table.classes,
            unscored: table.unscored,
            tone: file.image,
            images,
            sample: file.sample,
            labels,
            image_names,
            list,
            split: file.split,
            native,
            text,
        })
    }
}

/// Classes and ignored entries, taken apart.
struct Table {
    classes: Vec<Class>,
    unscored: Vec<usize>,
    /// Value and train id, or [`IGNORE`].
    values: Vec<(u16, u8)>,
    /// The same for colours.
    colors: Vec<([u8; 3], u8)>,
}

fn table(file: &DescriptorFile) -> Result<Table> {
    let count = file.classes.len();
    if !(1..=MAX_CLASSES).contains(&count) {
        return Err(Error::request(format!("classes: expected 1 to {MAX_CLASSES}, got {count}")));
    }
    let names = || file.classes.iter().chain(&file.ignored).map(|e| e.name.as_str());
    once(names(), "name", "metrics and settings go by the name")?;
    // A model's card and its tables have them too: said now, not at the export of a trained network.
    let bad = |name: &&str| name.trim().is_empty() || name.contains(char::is_control);
    if let Some(name) = names().chain([file.name.as_str()]).find(bad) {
        let line = format!("name: expected one that can be printed, got {name:?}");
        return Err(Error::request(line).hint("for example \"traffic light\""));
    }
    let by_color = file.labels.iter().any(|l| l.encoding == Some(Encoding::Rgb));
    let (mut classes, mut unscored) = (Vec::new(), Vec::new());
    let (mut values, mut colors) = (Vec::new(), Vec::new());
    for (at, entry) in file.classes.iter().enumerate() {
        let native = entry.values(by_color.then_some(at as u16));
        let native_id = match native.first() {
            Some(&first) if first < 256 => first as u8,
            first => {
                let got = first.map_or("none".into(), u16::to_string);
                let expected = "a native value, the first of them at most 255";
                let line = format!("{}: expected {expected}, got {got}", entry.name);
                return Err(Error::request(line).hint(NATIVE_HINT));
            }
        };
        classes.push(Class { name: entry.name.clone(), color: entry.color, native_id });
        unscored.extend((!entry.scored).then_some(at));
        values.extend(native.into_iter().map(|v| (v, at as u8)));
        colors.extend(entry.colors().into_iter().map(|c| (c, at as u8)));
    }
    for entry in &file.ignored {
        let native = entry.values(None);
        if native.is_empty() && !by_color {
            let line = format!("{}: expected a native value, got none", entry.name);
            return Err(Error::request(line).hint(NATIVE_HINT));
        }
        values.extend(native.into_iter().map(|v| (v, IGNORE)));
        colors.extend(entry.colors().into_iter().map(|c| (c, IGNORE)));
    }
    let meaning = "each means one class, or is ignored";
    once(values.iter().map(|v| v.0), "native value", meaning)?;
    if by_color {
        once(colors.iter().map(|c| c.0), "colour", meaning)?;
    }
    Ok(Table { classes, unscored, values, colors })
}

fn label_form(
    form: &LabelFile,
    file: &DescriptorFile,
    images: &Pattern,
    native: &Arc<Mapping>,
) -> Result<LabelForm> {
    let files = Pattern::parse(&form.files)?;
    let masks = Masks::of(form, &files, file)?.map(Arc::new);
    let missing = images.holes().iter().any(|hole| !files.has(hole));
    let free = masks.is_none() && files.holes().iter().any(|hole| !images.has(hole));
    if (missing || free) && file.list.is_none() {
        let sorted = |p: &Pattern| {
            let mut holes = p.holes().to_vec();
            holes.sort();
            holes
        };
        let (expected, got) = (sorted(images), sorted(&files));
        let line = format!("labels: expected the words of images, {expected:?}, got {got:?}");
        return Err(
            Error::request(line).hint("a label is found by the words it shares with its image")
        );
    }
    let identity = form.ids == Ids::Train || masks.is_some();
    let mapping =
        if identity { Arc::new(Mapping::identity(file.classes.len())) } else { native.clone() };
    Ok(LabelForm {
        files,
        encoding: form.encoding()?,
        ids: if identity { Ids::Train } else { form.ids },
        compares_palettes: form.encoding.is_none() && masks.is_none(),
        mapping,
        masks,
    })
}

fn list_pattern(text: &str, file: &DescriptorFile) -> Result<Pattern> {
    let pattern = Pattern::parse(text)?;
    if file.split.by != Scheme::Folder {
        let line = "split: expected none beside a list, which says what belongs to a split";
        return Err(Error::request(line).hint("leave one of the two out"));
    }
    if pattern.holes() != [SPLIT] {
        let line = format!("list: expected {{split}} and no other word, got {text}");
        return Err(Error::request(line).hint("for example list = \"lists/{split}.txt\""));
    }
    Ok(pattern)
}

fn image_names(file: &DescriptorFile) -> Result<HashMap<String, String>> {
    let meaning = "each is the label of one image";
    once(file.label_names.values(), "label_names", meaning)?;
    Ok(file.label_names.iter().map(|(image, label)| (label.clone(), image.clone())).collect())
}

fn is_file(path: &str) -> bool {
    expand_path(Path::new(path)).is_file()
}

fn from_path(place: &str) -> Result<DescriptorFile> {
    let path = &expand_path(Path::new(place));
    if !path.exists() {
        let known = NAMES.join(", ");
        let line = format!("data set \"{place}\": expected {known}, or the path of a descriptor");
        return Err(Error::request(line).hint(HINT));
    }
    let cannot_read = || format!("data set \"{place}\": cannot read");
    let text = std::fs::read_to_string(path).request(cannot_read).map_err(|e| e.hint(HINT))?;
    DescriptorFile::parse(&text, place)
}

/// The error with the general hint if it has none of its own.
fn explained(error: Error) -> Error {
    if error.hint_text().is_some() { error } else { error.hint(HINT) }
}

fn once<T: Ord + Copy + Debug>(
    items: impl Iterator<Item = T>,
    what: &str,
    hint: &str,
) -> Result<()> {
    let mut seen = BTreeSet::new();
    let twice = |item: &T| !seen.insert(*item);
    items.into_iter().find(twice).map_or(Ok(()), |item| {
        Err(Error::request(format!("{what} {item:?}: expected once, got twice")).hint(hint))
    })
}
