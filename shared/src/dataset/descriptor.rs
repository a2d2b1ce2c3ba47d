//! What a data set is: where its files lie, and what the values in its labels mean.
//! Not the files themselves: that is `index`. This is the checked form; `file` has what users write.
//! Four are built in; a user's own is a TOML file (the page of the module `dataset` shows one).

use std::path::Path;
use std::sync::Arc;

use super::file::{DescriptorFile, Ids};
use super::mapping::Mapping;
use super::pattern::{Pattern, SPLIT};
use super::split::{Scheme, Split};
use crate::decode::LabelEncoding;
use crate::error::{Context, Error, Result};
use crate::labels::{Class, IGNORE, MAX_CLASSES};

const BUILT_IN: [(&str, &str); 4] = [
    ("camvid", include_str!("camvid.toml")),
    ("cityscapes", include_str!("cityscapes.toml")),
    ("streets", include_str!("streets.toml")),
    ("synthia", include_str!("synthia.toml")),
];
const NAMES: [&str; 4] = ["camvid", "cityscapes", "streets", "synthia"];

/// A data set, checked.
#[derive(Clone, Debug)]
pub struct Descriptor {
    /// Its name; of one with settings the name with them: "synthia:split=blocks".
    pub name: String,
    /// Its classes; a class's place is its train id.
    pub classes: Vec<Class>,
    /// Train ids of classes that are trained and predicted, but not scored.
    pub unscored: Vec<usize>,
    pub(super) images: Pattern,
    pub(super) sample: String,
    pub(super) labels: Vec<LabelForm>,
    pub(super) split: Split,
    /// Values in label files that are not train ids, to train ids.
    native: Arc<Mapping>,
    /// What was parsed, after settings: the descriptor's identity.
    pub(super) text: String,
}

/// One way in which a data set's labels may be stored; of several the first that is there is read.
#[derive(Clone, Debug)]
pub(super) struct LabelForm {
    pub files: Pattern,
    pub encoding: LabelEncoding,
    pub ids: Ids,
    pub mapping: Arc<Mapping>,
}

impl Descriptor {
    /// The built in data set of this name, or the descriptor in the file at this path.
    ///
    /// Settings may follow: `synthia:split=blocks,void=train`. `split` is `random` or `blocks` (for sets
    /// without split folders), `seed` the random split's; the name of an ignored entry is `ignore`,
    /// `train` (it becomes the last class) or `unscored` (likewise, but it is left out of the metrics).
    pub fn find(name_or_path: &str) -> Result<Descriptor> {
        let (place, settings) = match name_or_path.rsplit_once(':') {
            Some((place, settings)) if settings.contains('=') => (place, settings),
            _ => (name_or_path, ""),
        };
        let mut file = match BUILT_IN.iter().find(|b| b.0 == place) {
            Some((_, text)) => DescriptorFile::parse(text, place)?,
            None => from_path(place)?,
        };
        for setting in settings.split(',').filter(|s| !s.is_empty()) {
            file.set(setting).map_err(|e| e.within(name_or_path))?;
        }
        if !settings.is_empty() {
            file.name = format!("{}:{settings}", file.name);
        }
        Self::check(file).map_err(|e| e.within(place))
    }

    /// A descriptor from its text; `origin` names it in errors.
    pub fn from_toml(text: &str, origin: &str) -> Result<Descriptor> {
        Self::check(DescriptorFile::parse(text, origin)?).map_err(|e| e.within(origin))
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

    fn check(file: DescriptorFile) -> Result<Descriptor> {
        let text = toml::to_string(&file).work(|| "descriptor".into())?;
        let rgb = file.labels.iter().any(|l| l.encoding == super::file::Encoding::Rgb);
        let mut classes = Vec::new();
        let (mut values, mut colors) = (Vec::new(), Vec::new());
        let mut unscored = Vec::new();
        if file.classes.is_empty() || file.classes.len() > MAX_CLASSES {
            return Err(Error::request(format!("classes: expected 1 to {MAX_CLASSES}, got {}", file.classes.len())));
        }
        let entries = file.classes.iter().map(|e| (e, true)).chain(file.ignored.iter().map(|e| (e, false)));
        for (at, (entry, trained)) in entries.enumerate() {
            let id = if trained { at as u8 } else { IGNORE };
            let native = entry.values(if rgb && trained { Some(at as u16) } else { None });
            if entry.name.is_empty() || file.names().filter(|n| *n == entry.name).count() > 1 {
                return Err(Error::request(format!("\"{}\": expected names, each once", entry.name)));
            }
            if native.is_empty() && !rgb {
                return Err(Error::request(format!("\"{}\": expected native = a value, or a list", entry.name)));
            }
            if trained {
                let first = native.first().copied().unwrap_or(u16::MAX);
                let native_id = u8::try_from(first).request(|| {
                    format!("\"{}\": expected a first native value of at most 255, got {first}", entry.name)
                })?;
                classes.push(Class { name: entry.name.clone(), color: entry.color, native_id });
                unscored.extend((!entry.scored).then_some(at));
            }
            values.extend(native.into_iter().map(|v| (v, id)));
            colors.extend(entry.colors().into_iter().map(|c| (c, id)));
        }
        once(values.iter().map(|v| v.0), "native value")?;
        if rgb {
            once(colors.iter().map(|c| c.0), "colour")?;
        }
        let native = Arc::new(Mapping::new(&values, &colors));
        let images = Pattern::parse(&file.images)?;
        let by_folder = file.split.by == Scheme::Folder;
        if by_folder != images.holes().iter().any(|h| h == SPLIT) {
            return Err(Error::request("images: expected {split} in the pattern, or split = { by = \"random\" | \"blocks\" }"));
        }
        let shares = [file.split.train, file.split.val];
        if !shares.iter().all(|s| (0.0..=1.0).contains(s)) || shares.iter().sum::<f64>() > 1.0 {
            return Err(Error::request(format!("split: expected train and val shares of at most 1 in sum, got {shares:?}")));
        }
        let mut labels = Vec::new();
        for form in &file.labels {
            let files = Pattern::parse(&form.files)?;
            let same = |a: &Pattern, b: &Pattern| a.holes().iter().all(|h| b.holes().contains(h));
            if !same(&images, &files) || !same(&files, &images) {
                return Err(Error::request(format!(
                    "labels: expected the placeholders of images, {:?}, got {:?}",
                    images.holes(),
                    files.holes()
                )));
            }
            let mapping = match form.ids {
                Ids::Native => native.clone(),
                Ids::Train => Arc::new(Mapping::identity(classes.len())),
            };
            labels.push(LabelForm { files, encoding: form.encoding()?, ids: form.ids, mapping });
        }
        if labels.is_empty() {
            return Err(Error::request("labels: expected at least one place to look for them"));
        }
        Ok(Descriptor { name: file.name, classes, unscored, images, sample: file.sample, labels, split: file.split, native, text })
    }
}

fn from_path(place: &str) -> Result<DescriptorFile> {
    let known = NAMES.join(", ");
    let path = Path::new(place);
    if !path.exists() {
        return Err(Error::request(format!("data set \"{place}\": expected {known}, or the path of a descriptor"))
            .hint("a descriptor is a TOML file that says where images and labels lie and what values mean"));
    }
    let text = std::fs::read_to_string(path).request(|| format!("{place}: cannot read"))?;
    DescriptorFile::parse(&text, place)
}

fn once<T: PartialEq + std::fmt::Debug>(items: impl Iterator<Item = T>, what: &str) -> Result<()> {
    let mut seen = Vec::new();
    for item in items {
        if seen.contains(&item) {
            return Err(Error::request(format!("{what} {item:?}: expected it once, got it twice")));
        }
        seen.push(item);
    }
    Ok(())
}
