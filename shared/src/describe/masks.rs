//! Label Studio's brush labels: `task-N-annotation-M-by-USER-TAG-CLASS-I.png`, one binary mask per brush and image.
//! The images are not in that export: they are found by the number of the task, or by the JSON export, which says
//! which image a task is about.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::layouts::{Layout, Splits};
use super::names::Known;
use super::pairing::Pairing;
use super::tree::{Name, Tree, base, folder};
use crate::error::{Error, Result};

/// What masks need beyond the patterns.
#[derive(Debug)]
pub(super) struct Found {
    /// An image's name, and its task.
    pub label_names: BTreeMap<String, String>,
}

/// A mask's name, taken apart.
struct Parts<'a> {
    task: &'a str,
    /// Tag and class.
    rest: &'a str,
}

pub(super) fn recognize(tree: &Tree) -> Result<Option<Layout>> {
    let masks: Vec<&str> = tree.pictures.iter().map(String::as_str).collect();
    let (masks, images): (Vec<&str>, Vec<&str>) =
        masks.into_iter().partition(|p| Parts::of(Name::of(p).stem).is_some());
    let Some(first) = masks.first() else { return Ok(None) };
    let parts: Vec<Parts> = masks.iter().filter_map(|p| Parts::of(Name::of(p).stem)).collect();
    let (tag, classes) = tag_and_classes(&parts);
    let tasks: BTreeSet<&str> = parts.iter().map(|p| p.task).collect();
    let (images, label_names, how) = images_of(tree, &images, &tasks)?;
    let labels = format!(
        "{}task-{{name}}-annotation-{{annotation}}-by-{{user}}-{tag}-{{class}}-{{number}}.png",
        folder(first)
    );
    let background = std::iter::once("background".to_string());
    let names = background.chain(classes.into_iter().filter(|c| c != "background"));
    let known = names.enumerate().map(|(at, name)| Known {
        name,
        value: u16::try_from(at).ok(),
        color: None,
    });
    Ok(Some(Layout {
        what: "Label Studio, brush labels as PNG".into(),
        why: format!("{first}; {how}"),
        pairing: Pairing::of(images, labels, tasks.len()),
        splits: Splits::Random,
        known: known.collect(),
        names_from: Some("the masks' names".into()),
        masks: Some(Found { label_names }),
        by_color: false,
    }))
}

impl<'a> Parts<'a> {
    fn of(stem: &'a str) -> Option<Self> {
        let (task, rest) = stem.strip_prefix("task-")?.split_once("-annotation-")?;
        let (annotation, rest) = rest.split_once("-by-")?;
        let (_user, rest) = rest.split_once('-')?;
        let (rest, number) = rest.rsplit_once('-')?;
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        (digits(task) && digits(annotation) && digits(number) && rest.contains('-'))
            .then_some(Self { task, rest })
    }
}

/// The tag of the labelling page (mostly "tag"), and the classes. A tag may hold a `-`: then it is what all masks
/// begin with, if a class is left over.
fn tag_and_classes(parts: &[Parts]) -> (String, BTreeSet<String>) {
    let mut tags: BTreeSet<&str> = BTreeSet::new();
    let mut classes = BTreeSet::new();
    for part in parts {
        let Some((tag, class)) = part.rest.split_once('-') else { continue };
        tags.insert(tag);
        classes.insert(class.to_string());
    }
    let only = (tags.len() == 1).then(|| tags.first().map(|t| t.to_string())).flatten();
    (only.unwrap_or("{tag}".into()), classes)
}

/// The images' pattern, the table of names, and how the images were found.
fn images_of(
    tree: &Tree,
    images: &[&str],
    tasks: &BTreeSet<&str>,
) -> Result<(String, BTreeMap<String, String>, String)> {
    let refuse = |got: String| {
        let line = format!(
            "{}: expected the images of Label Studio's masks, got {got}",
            tree.root.display()
        );
        Error::request(line).hint(
            "name each image as its task (7.jpg or task-7.jpg), or put Label Studio's JSON export and the images \
             into the folder: it says which image a task is about",
        )
    };
    for prefix in ["", "task-", "task_"] {
        let numbered = |p: &&&str| {
            Name::of(p).stem.strip_prefix(prefix).is_some_and(|number| tasks.contains(number))
        };
        let found: Vec<&str> = images.iter().filter(numbered).copied().collect();
        if !found.is_empty() {
            let pattern = pattern(&found, prefix).map_err(refuse)?;
            return Ok((pattern, BTreeMap::new(), "images named as their tasks".into()));
        }
    }
    let by_file: BTreeMap<&str, &str> = images.iter().map(|p| (base(p), *p)).collect();
    for path in tree.texts.iter().filter(|t| t.ends_with(".json")) {
        let Ok(Value::Array(entries)) = serde_json::from_str(&tree.text(path)?) else { continue };
        let mut names = BTreeMap::new();
        let mut found = Vec::new();
        for entry in &entries {
            let Some(task) = entry.get("id").map(|id| id.to_string().trim_matches('"').to_string())
            else {
                continue;
            };
            let image = strings(entry).into_iter().find_map(|text| by_file.get(&*file_name(text)));
            if let Some(image) = image.filter(|_| tasks.contains(task.as_str())) {
                names.insert(Name::of(image).stem.to_string(), task);
                found.push(*image);
            }
        }
        if !found.is_empty() {
            let pattern = pattern(&found, "").map_err(refuse)?;
            return Ok((pattern, names, format!("which image a task is about from {path}")));
        }
    }
    Err(refuse(format!("{} other pictures, none called as a task", images.len())))
}

/// One pattern for all images, which have to lie in one folder.
fn pattern(images: &[&str], prefix: &str) -> std::result::Result<String, String> {
    let folders: BTreeSet<&str> = images.iter().map(|p| folder(p)).collect();
    let endings: BTreeSet<&str> = images.iter().map(|p| Name::of(p).ending).collect();
    let endings: Vec<&str> = endings.into_iter().collect();
    match (folders.first(), endings.as_slice()) {
        (Some(at), _) if folders.len() > 1 => {
            Err(format!("{} folders, one of them {at}", folders.len()))
        }
        (at, [one]) => Ok(format!("{}{prefix}{{name}}.{one}", at.unwrap_or(&""))),
        (at, several) => {
            Ok(format!("{}{prefix}{{name}}.{{{}}}", at.unwrap_or(&""), several.join("|")))
        }
    }
}

/// The texts of a task: `data.image`, or under another name, or at the top in the short export.
fn strings(entry: &Value) -> Vec<&str> {
    let data = entry.get("data").unwrap_or(entry);
    data.as_object().into_iter().flatten().filter_map(|(_, value)| value.as_str()).collect()
}

/// The file of an address such as `/data/upload/1/ab-x%20y.jpg` or `/data/local-files/?d=set/x.jpg`.
fn file_name(address: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = base(address).as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => (bytes.push(byte), rest = &after[2..]),
            None => (bytes.push(first), rest = after),
        };
    }
    let name = String::from_utf8_lossy(&bytes).into_owned();
    name.strip_prefix("?d=").map_or(name.clone(), str::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masks_name_is_taken_apart_as_label_studio_puts_it_together() {
        let parts = Parts::of("task-12-annotation-3-by-me@site.org-tag-traffic-light-0").unwrap();
        assert_eq!((parts.task, parts.rest), ("12", "tag-traffic-light"));
        let (tag, classes) = tag_and_classes(&[parts]);
        assert_eq!((tag.as_str(), classes.first().unwrap().as_str()), ("tag", "traffic-light"));
        assert!(Parts::of("task-12-annotation-x-by-1-tag-car-0").is_none());
        assert!(Parts::of("frame-12").is_none());
    }

    #[test]
    fn an_address_leads_to_its_file() {
        for (address, name) in [
            ("/data/upload/1/ab12-x%20y.jpg", "ab12-x y.jpg"),
            ("/data/local-files/?d=set/x.jpg", "x.jpg"),
            ("/data/local-files/?d=x.jpg", "x.jpg"),
            ("s3://bucket/100%.png", "100%.png"),
        ] {
            assert_eq!(file_name(address), name);
        }
    }
}
