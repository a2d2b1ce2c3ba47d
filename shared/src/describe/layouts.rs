//! Layouts that tools write, recognized by their files: CVAT, Label Studio, Roboflow, labelme, Pascal VOC; else
//! images and labels that go together by their names.
//! Not what labels hold: that is `values`. Nothing here is decoded but two pictures whose roles are in doubt.

use super::masks;
use super::names::{self, Known};
use super::pairing::{Pairing, keeps_values, pair};
use super::tree::{Name, Tree, base, folder};
use crate::decode;
use crate::error::{Error, Result};

/// What a folder was recognized as.
#[derive(Debug)]
pub(super) struct Layout {
    /// As in "CVAT, Segmentation mask 1.1".
    pub what: String,
    /// By which files.
    pub why: String,
    pub pairing: Pairing,
    pub splits: Splits,
    pub known: Vec<Known>,
    /// Where names of classes come from, if anything.
    pub names_from: Option<String>,
    /// Where labels are one mask per class.
    pub masks: Option<masks::Found>,
    /// The tool writes colours, be it in RGB or as palettes.
    pub by_color: bool,
}

/// What says which images belong to a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Splits {
    Folders(Vec<String>),
    /// The pattern of the lists, and the splits.
    Lists(String, Vec<String>),
    Random,
}

impl Splits {
    /// Their names.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Folders(splits) | Self::Lists(_, splits) => splits.clone(),
            Self::Random => ["train", "val"].map(String::from).to_vec(),
        }
    }
}

/// Recognizes a folder.
pub(super) fn recognize(tree: &Tree) -> Result<Layout> {
    for try_one in [masks::recognize, cvat, labelme_folders, roboflow, labelme, voc, by_names] {
        if let Some(layout) = try_one(tree)? {
            return Ok(layout);
        }
    }
    let root = tree.root.display();
    let line = format!(
        "{root}: expected images and labels (no JPEG) of the same names, got {} pictures that do not pair",
        tree.pictures.len()
    );
    let polygons = tree.texts.iter().any(|t| t.ends_with(".json"));
    Err(Error::request(line).hint(if polygons {
        "JSON files hold polygons: have the tool that wrote them export masks as PNG"
    } else {
        "usual are images/NAME.jpg and masks/NAME.png, or NAME.jpg and NAME_mask.png"
    }))
}

fn cvat(tree: &Tree) -> Result<Option<Layout>> {
    let Some(map) = tree.texts_called("labelmap.txt").next() else { return Ok(None) };
    let labels = format!("{}SegmentationClass/", folder(map));
    if !tree.pictures.iter().any(|p| p.starts_with(&labels)) {
        return Ok(None);
    }
    let Some(pairing) = with_labels(tree, |p| p.starts_with(&labels)) else {
        let line = format!("{}: expected the images of {labels}, got none", tree.root.display());
        return Err(Error::request(line)
            .hint("export from CVAT again with \"Save images\", or put them into JPEGImages/"));
    };
    Ok(Some(Layout {
        what: "CVAT, Segmentation mask 1.1".into(),
        why: format!("{map} and {labels}"),
        splits: lists(tree).unwrap_or_else(|| pairing.split_folders()),
        pairing,
        known: names::label_map(&tree.text(map)?),
        names_from: Some(map.into()),
        masks: None,
        by_color: true,
    }))
}

fn roboflow(tree: &Tree) -> Result<Option<Layout>> {
    let Some(csv) = tree.texts_called("_classes.csv").next() else { return Ok(None) };
    let is_mask = |p: &str| Name::of(p).stem.ends_with("_mask");
    let Some(pairing) = with_labels(tree, is_mask) else { return Ok(None) };
    Ok(Some(Layout {
        what: "Roboflow, Semantic Segmentation Masks".into(),
        why: format!("{csv} and NAME_mask.png beside the images"),
        splits: pairing.split_folders(),
        pairing,
        known: names::pixel_values(&tree.text(csv)?),
        names_from: Some(csv.into()),
        masks: None,
        by_color: false,
    }))
}

fn labelme(tree: &Tree) -> Result<Option<Layout>> {
    let Some(list) = tree.texts_called("class_names.txt").next() else { return Ok(None) };
    let at = folder(list);
    let holds = |labels: &str| tree.pictures.iter().any(|p| p.starts_with(labels));
    let places = ["SegmentationClassPNG/", "SegmentationClass/"].map(|p| format!("{at}{p}"));
    let Some(labels) = places.into_iter().find(|labels| holds(labels)) else { return Ok(None) };
    let images = format!("{at}JPEGImages/");
    let Some(pairing) =
        with_labels(tree, |p| p.starts_with(&labels)).filter(|p| p.images.starts_with(&images))
    else {
        return Ok(None);
    };
    Ok(Some(Layout {
        what: "labelme, exported with labelme2voc".into(),
        why: format!("{list}, {images} and {labels}"),
        splits: lists(tree).unwrap_or(Splits::Random),
        pairing,
        known: names::lines(&tree.text(list)?),
        names_from: Some(list.into()),
        masks: None,
        by_color: false,
    }))
}

/// labelme_json_to_dataset: a folder per image.
fn labelme_folders(tree: &Tree) -> Result<Option<Layout>> {
    let places: Vec<&str> = tree.texts_called("label_names.txt").map(folder).collect();
    let holds = |at: &&str, name: &str| tree.pictures.iter().any(|p| *p == format!("{at}{name}"));
    let places: Vec<&str> =
        places.into_iter().filter(|at| holds(at, "img.png") && holds(at, "label.png")).collect();
    let Some(first) = places.first() else { return Ok(None) };
    let names = tree.text(&format!("{first}label_names.txt"))?;
    for at in &places {
        if tree.text(&format!("{at}label_names.txt"))? != names {
            let line = format!(
                "{}: {first}label_names.txt and {at}label_names.txt: expected the same names, got others: \
                 one number means two classes",
                tree.root.display()
            );
            return Err(Error::request(line).hint(
                "labelme_json_to_dataset numbers each file's classes on its own: export with labelme2voc",
            ));
        }
    }
    let above = folder(first.trim_end_matches('/'));
    let all_json = places.iter().all(|at| at.trim_end_matches('/').ends_with("_json"));
    let tail = if all_json { "_json" } else { "" };
    let pairing = Pairing::of(
        format!("{above}{{name}}{tail}/img.png"),
        format!("{above}{{name}}{tail}/label.png"),
        places.len(),
    );
    Ok(Some(Layout {
        what: "labelme, exported with labelme_json_to_dataset".into(),
        why: format!("{first}img.png, label.png and label_names.txt"),
        splits: Splits::Random,
        pairing,
        known: names::lines(&names),
        names_from: Some(format!("{first}label_names.txt")),
        masks: None,
        by_color: false,
    }))
}

fn voc(tree: &Tree) -> Result<Option<Layout>> {
    let in_folder = |p: &str, name: &str| Name::of(p).folders.contains(&name);
    let images = tree.pictures.iter().any(|p| in_folder(p, "JPEGImages"));
    let Some(pairing) = with_labels(tree, |p| in_folder(p, "SegmentationClass")).filter(|_| images)
    else {
        return Ok(None);
    };
    let hand = names::by_hand(tree)?;
    Ok(Some(Layout {
        what: "Pascal VOC".into(),
        why: "JPEGImages/ and SegmentationClass/".into(),
        splits: lists(tree).unwrap_or_else(|| pairing.split_folders()),
        pairing,
        names_from: hand.as_ref().map(|h| h.1.clone()),
        known: hand.map(|h| h.0).unwrap_or_default(),
        masks: None,
        by_color: false,
    }))
}

fn by_names(tree: &Tree) -> Result<Option<Layout>> {
    let Some(pairing) = with_labels(tree, |_| true) else { return Ok(None) };
    let hand = names::by_hand(tree)?;
    let lists = if pairing.splits.is_empty() { lists(tree) } else { None };
    Ok(Some(Layout {
        what: "images and labels of the same names".into(),
        why: format!("{} and {}", pairing.images, pairing.labels),
        splits: lists.unwrap_or_else(|| pairing.split_folders()),
        pairing,
        names_from: hand.as_ref().map(|h| h.1.clone()),
        known: hand.map(|h| h.0).unwrap_or_default(),
        masks: None,
        by_color: false,
    }))
}

/// The best pairing whose labels are among those.
fn with_labels(tree: &Tree, is_label: impl Fn(&str) -> bool) -> Option<Pairing> {
    let all: Vec<&str> = tree.pictures.iter().map(String::as_str).collect();
    let labels: Vec<&str> =
        all.iter().copied().filter(|p| keeps_values(Name::of(p).ending) && is_label(p)).collect();
    let mut found = pair(&all, &labels);
    // Which of two folders has the labels, if neither's name says so: what has fewer colours.
    if found.len() > 1 && found[0].mirrors(&found[1]) {
        let (image, label) = &found[0].example;
        let colors = |path: &String| {
            decode::rgb(tree.root.join(path))
                .map(|p| p.pixels().map(|p| p.0).collect::<std::collections::HashSet<_>>().len())
        };
        if let (Ok(image), Ok(label)) = (colors(image), colors(label))
            && image < label
        {
            found.swap(0, 1);
        }
    }
    found.into_iter().next()
}

/// Lists of a split's images: a folder with train.txt, or train.csv, and most likely others.
fn lists(tree: &Tree) -> Option<Splits> {
    let train = |t: &&String| ["train.txt", "train.csv"].contains(&base(t));
    // VOC has lists for other tasks beside those for segmentation.
    let of_segmentation = |t: &&String| t.contains("Segmentation/");
    let mut found = tree.texts.iter().filter(train);
    let list = tree.texts.iter().filter(train).find(of_segmentation).or(found.next())?;
    let (at, name) = (folder(list), Name::of(list));
    let beside = |t: &&String| folder(t) == at && Name::of(t).ending == name.ending;
    let splits = ["train", "val", "valid", "validation", "test", "trainval"];
    let there = tree.texts.iter().filter(beside).map(|t| Name::of(t).stem.to_string());
    let there: Vec<String> = there.filter(|stem| splits.contains(&stem.as_str())).collect();
    Some(Splits::Lists(format!("{at}{{split}}.{}", name.ending), there))
}

impl Pairing {
    fn split_folders(&self) -> Splits {
        if self.splits.is_empty() { Splits::Random } else { Splits::Folders(self.splits.clone()) }
    }
}
