//! The TOML text of a descriptor, with comments for who completes it.
//! Not `toml::to_string`: that knows no comments, and a table of classes reads best with one class a line.

use super::Looked;
use super::classes::{Line, Table};
use super::layouts::{Layout, Splits};
use super::values::Reading;

/// One that finds the labels, whatever is in them.
pub(super) fn draft(layout: &Layout) -> String {
    let rest = if layout.masks.is_some() { ", rest = \"background\"" } else { "" };
    let class = |at: usize, name: &str| format!("{{ name = {}, native = {at} }},", quoted(name));
    let classes = match &layout.masks {
        Some(_) => layout.known.iter().enumerate().map(|(at, k)| class(at, &k.name)).collect(),
        None => class(0, "any"),
    };
    // All labels are looked at, whatever the split will be.
    let Places { images, labels, split, .. } = Places::of(layout, (1.0, 0.0));
    let names = label_names(layout);
    format!(
        "name = \"draft\"\n{images}labels = [{{ files = {labels}{rest} }}]\n{split}classes = [{classes}]\n{names}"
    )
}

/// The descriptor.
/// `shares` are those of a random split, for train and val.
pub(super) fn descriptor(
    layout: &Layout,
    looked: &Looked,
    table: &Table,
    name: &str,
    shares: (f64, f64),
) -> String {
    let Places { images, labels, split, split_note } = Places::of(layout, shares);
    let encoding = match table.reading {
        Reading::Index => "",
        Reading::Channel => ", encoding = \"channel\", channel = 0",
        Reading::Rgb => ", encoding = \"rgb\"",
    };
    let rest = if layout.masks.is_some() { ", rest = \"background\"" } else { "" };
    let total: u64 = table.classes.iter().chain(&table.ignored).map(|l| l.count.pixels).sum();
    let list = |lines: &[Line]| {
        lines.iter().map(|line| entry(line, total, looked.labels, table)).collect::<String>()
    };
    let mut text = head(layout, looked, table);
    text += &format!("name = {}\n{images}", quoted(name));
    if layout.pairing.sample != "{name}" {
        text += &format!("sample = {}\n", quoted(&layout.pairing.sample));
    }
    text += &format!("labels = [{{ files = {labels}{encoding}{rest} }}]\n");
    if layout.masks.is_some() {
        text += "# A pixel in no mask is `rest`: let that be an ignored entry if not all of an image is labelled.\n\
                 # With unmasked = \"rest\" an image without any mask is all of it; else its label is missing.\n";
    }
    text += &format!("{split_note}{split}");
    if table.unnamed {
        text += "# Fill in the names, and the colours of pictures if you like others. What is not to be learned or\n\
                 # scored belongs to `ignored`.\n";
    }
    text += &format!("classes = [\n{}]\n", list(&table.classes));
    if !table.ignored.is_empty() {
        text += &format!("ignored = [\n{}]\n", list(&table.ignored));
    }
    text + &label_names(layout)
}

struct Places {
    images: String,
    labels: String,
    split: String,
    split_note: String,
}

impl Places {
    fn of(layout: &Layout, (train, val): (f64, f64)) -> Self {
        let images = format!("images = {}\n", quoted(&layout.pairing.images));
        let (split, split_note) = match &layout.splits {
            Splits::Folders(splits) => (String::new(), note_of_splits("Folders", splits)),
            Splits::Lists(list, splits) => {
                (format!("list = {}\n", quoted(list)), note_of_splits("Lists", splits))
            }
            Splits::Random => (
                format!("split = {{ by = \"random\", train = {train:?}, val = {val:?} }}\n"),
                "# Frames of one film resemble each other: for those by = \"blocks\" is the honest split.\n".into(),
            ),
        };
        Self { images, labels: quoted(&layout.pairing.labels), split, split_note }
    }
}

fn note_of_splits(what: &str, splits: &[String]) -> String {
    let has = |name: &str| splits.iter().any(|s| s == name);
    let all = splits.join(", ");
    let train = splits.iter().find(|s| s.to_lowercase().starts_with("train") && *s != "trainval");
    let val = splits.iter().find(|s| {
        let lower = s.to_lowercase();
        lower.starts_with("val") || lower.starts_with("dev") || lower.starts_with("eval")
    });
    let val = val.or(splits.iter().find(|s| s.to_lowercase().starts_with("test")));
    let set = |key: &str, name: &str, split: Option<&String>| match split {
        Some(split) if !has(name) => format!(" data.{key} = \"{split}\""),
        None => format!(" (there is none for data.{key})"),
        _ => String::new(),
    };
    let recipe = set("train", "train", train) + &set("val", "val", val);
    let recipe = if recipe.is_empty() { String::new() } else { format!("; in a recipe:{recipe}") };
    format!("# {what} are the splits: {all}{recipe}\n")
}

fn head(layout: &Layout, looked: &Looked, table: &Table) -> String {
    let found = &looked.found;
    let sizes: Vec<String> =
        found.sizes.iter().take(4).map(|((w, h), n)| format!("{w} x {h} ({n})")).collect();
    let more = if found.sizes.len() > 4 { ", ..." } else { "" };
    let kinds = [
        (found.grey, "grey"),
        (found.with_palette, "with a palette"),
        (found.colored, "in colour"),
    ];
    let kinds: Vec<String> =
        kinds.iter().filter(|k| k.0 > 0).map(|(n, kind)| format!("{n} {kind}")).collect();
    let mut text = format!(
        "# {}: recognized by {}.\n# {} images with labels; label files: {}; sizes: {}{more}\n",
        comment(&layout.what),
        comment(&layout.why),
        looked.labels,
        kinds.join(", "),
        sizes.join(", "),
    );
    if found.palettes_differ() && table.reading == Reading::Rgb {
        text += "# The palettes of the files differ: colours count, not indices.\n";
    }
    if let Some(from) = &layout.names_from {
        text += &format!("# Names of classes are from {}.\n", comment(from));
    }
    text
}

fn entry(line: &Line, total: u64, files: u64, table: &Table) -> String {
    let native = match (line.native.as_slice(), table.reading) {
        (_, Reading::Rgb) => String::new(),
        ([one], _) => format!(", native = {one}"),
        (several, _) => format!(", native = {several:?}"),
    };
    let rgb = line.rgb.map_or(String::new(), |rgb| format!(", rgb = [{rgb:?}]"));
    let share = match line.count.pixels {
        _ if total == 0 => String::new(),
        0 => " # in no label".into(),
        pixels => {
            let share = 100.0 * pixels as f64 / total as f64;
            format!(" # {share:.3} % of the pixels, in {} of {files} labels", line.count.files)
        }
    };
    let name = quoted(&line.name);
    format!("    {{ name = {name}, color = {:?}{native}{rgb} }},{share}\n", line.color)
}

fn label_names(layout: &Layout) -> String {
    let Some(masks) = layout.masks.as_ref().filter(|m| !m.label_names.is_empty()) else {
        return String::new();
    };
    let line =
        |(image, label): (&String, &String)| format!("{} = {}\n", quoted(image), quoted(label));
    let lines: String = masks.label_names.iter().map(line).collect();
    format!("\n# Which image a task is about.\n[label_names]\n{lines}")
}

/// A TOML string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.into()).to_string()
}

/// Fit for a comment: a file's name may hold anything.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
