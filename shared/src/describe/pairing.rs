//! Which pictures are the labels of which, judged by their names: patterns for both.
//! Not what the labels mean. A rule is a pair of folders and what a name has more than the other's; the rule that
//! most labels follow is taken, of equal ones that whose folders are called as images and labels mostly are.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::tree::Name;

const SPLITS: [&str; 10] = [
    "trainval",
    "training",
    "train",
    "validation",
    "valid",
    "val",
    "testing",
    "test",
    "dev",
    "eval",
];
const IMAGE_WORDS: [&str; 9] =
    ["image", "img", "jpeg", "photo", "picture", "frame", "rgb", "left", "input"];
const LABEL_WORDS: [&str; 9] =
    ["mask", "label", "ann", "gt", "segmentationclass", "seg", "target", "truth", "fine"];
/// Pictures made of labels, for people or for other tasks.
const NO_LABELS: [&str; 9] =
    ["visual", "viz", "object", "instance", "color", "colour", "overlay", "preview", "depth"];
const IMAGE_PREFIXES: [&str; 5] = ["img_", "image_", "img-", "img", "image"];
const IMAGE_SUFFIXES: [&str; 6] = ["_leftImg8bit", "_image", "_img", "_rgb", "_sat", "_im"];

/// Images and labels that go together.
#[derive(Clone, Debug)]
pub(super) struct Pairing {
    /// Patterns of a descriptor.
    pub images: String,
    pub labels: String,
    /// The texts of `{split}`, if the patterns have it.
    pub splits: Vec<String>,
    pub sample: String,
    /// Pairs that follow the rule.
    pub count: usize,
    /// Of one pair, to look into.
    pub example: (String, String),
    /// How much the folders' and files' names speak for it.
    score: i32,
}

/// Finds the rules, the best first. `labels` are candidates, `images` too; a picture may be both.
pub(super) fn pair(images: &[&str], labels: &[&str]) -> Vec<Pairing> {
    let mut stems: HashMap<String, Vec<(usize, Affix)>> = HashMap::new();
    for (at, image) in images.iter().enumerate() {
        let stem = Name::of(image).stem;
        stems.entry(stem.into()).or_default().push((at, Affix::default()));
        for prefix in IMAGE_PREFIXES {
            if let Some(rest) = stem.strip_prefix(prefix).filter(|rest| !rest.is_empty()) {
                let affix = Affix { before: prefix.into(), after: String::new() };
                stems.entry(rest.into()).or_default().push((at, affix));
            }
        }
        for suffix in IMAGE_SUFFIXES {
            if let Some(rest) = stem.strip_suffix(suffix).filter(|rest| !rest.is_empty()) {
                let affix = Affix { before: String::new(), after: suffix.into() };
                stems.entry(rest.into()).or_default().push((at, affix));
            }
        }
    }
    let mut rules: BTreeMap<Rule, Members> = BTreeMap::new();
    for label in labels {
        for (core, label_affix) in cores(Name::of(label).stem) {
            for (at, image_affix) in stems.get(core).into_iter().flatten() {
                let image = images[*at];
                if image == *label {
                    continue;
                }
                let (rule, slots, split) = Rule::of(image, label, image_affix, &label_affix);
                rules.entry(rule).or_default().add(image, label, slots, split);
            }
        }
    }
    let mut found: Vec<Pairing> =
        rules.into_iter().map(|(rule, members)| rule.into_pairing(members)).collect();
    let most = found.iter().map(|p| p.count).max().unwrap_or(0);
    found.retain(|p| 2 * p.count > most);
    found.sort_by_key(|p| std::cmp::Reverse((p.score, p.count)));
    found
}

/// Whether a label can be of the format with this ending: JPEG changes values.
pub(super) fn keeps_values(ending: &str) -> bool {
    !["jpg", "jpeg", "jpe", "jfif"].iter().any(|jpeg| ending.eq_ignore_ascii_case(jpeg))
}

/// What a name has before and after what it shares with its partner.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Affix {
    before: String,
    after: String,
}

/// What a label's name may share with its image's: all of it, or what is before or after a mark such as `_`.
fn cores(stem: &str) -> Vec<(&str, Affix)> {
    let mut cores = vec![(stem, Affix::default())];
    for (at, mark) in stem.char_indices().filter(|c| ['_', '-', '.', ' '].contains(&c.1)) {
        let after = &stem[at..];
        let before = &stem[..at + mark.len_utf8()];
        if at > 0 {
            cores.push((&stem[..at], Affix { before: String::new(), after: after.into() }));
        }
        let rest = &stem[before.len()..];
        if !rest.is_empty() {
            cores.push((rest, Affix { before: before.into(), after: String::new() }));
        }
    }
    // As in "mask12", "label12".
    let letters = stem.len() - stem.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
    if letters > 0 && stem[letters..].starts_with(|c: char| c.is_ascii_digit()) {
        let affix = Affix { before: stem[..letters].into(), after: String::new() };
        cores.push((&stem[letters..], affix));
    }
    cores
}

/// Folders and affixes; `*` stands for a folder's name that image and label have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rule {
    image_folders: Vec<String>,
    label_folders: Vec<String>,
    image: Affix,
    label: Affix,
}

#[derive(Default)]
struct Members {
    /// The texts of each `*`, in the order of the image's folders.
    slots: Vec<BTreeSet<String>>,
    splits: BTreeSet<String>,
    image_endings: BTreeSet<String>,
    label_endings: BTreeSet<String>,
    labels: BTreeSet<String>,
    example: Option<(String, String)>,
}

impl Members {
    fn add(&mut self, image: &str, label: &str, slots: Vec<String>, split: Option<String>) {
        self.slots.resize(self.slots.len().max(slots.len()), BTreeSet::new());
        self.slots.iter_mut().zip(slots).for_each(|(all, one)| _ = all.insert(one));
        self.splits.extend(split);
        self.image_endings.insert(Name::of(image).ending.into());
        self.label_endings.insert(Name::of(label).ending.into());
        self.labels.insert(label.into());
        self.example.get_or_insert((image.into(), label.into()));
    }
}

impl Rule {
    /// The rule of a pair, what its `*` stand for, and its split.
    fn of(
        image: &str,
        label: &str,
        before: &Affix,
        after: &Affix,
    ) -> (Self, Vec<String>, Option<String>) {
        let (image, label) = (Name::of(image), Name::of(label));
        let cut = |folders: &[&str]| -> Vec<(String, Option<String>)> {
            folders.iter().map(|f| split_of(f)).collect()
        };
        let (mut left, mut right) = (cut(&image.folders), cut(&label.folders));
        let texts = |side: &[(String, Option<String>)]| -> BTreeSet<String> {
            side.iter().filter_map(|f| f.1.clone()).collect()
        };
        let (ours, theirs) = (texts(&left), texts(&right));
        let split = (ours == theirs && ours.len() == 1).then(|| ours.into_iter().next()).flatten();
        if split.is_none() {
            left = image.folders.iter().map(|f| (f.to_string(), None)).collect();
            right = label.folders.iter().map(|f| (f.to_string(), None)).collect();
        }
        let (mut left, mut right): (Vec<String>, Vec<String>) =
            (left.into_iter().map(|f| f.0).collect(), right.into_iter().map(|f| f.0).collect());
        let shortest = left.len().min(right.len());
        let head = (0..shortest).take_while(|&i| left[i] == right[i]).count();
        let from_end = |side: &[String], i: usize| side[side.len() - 1 - i].clone();
        let tail =
            (0..shortest - head).take_while(|&i| from_end(&left, i) == from_end(&right, i)).count();
        let mut slots = Vec::new();
        let (ends_left, ends_right) = (left.len() - tail, right.len() - tail);
        for i in (0..head).chain(ends_left..left.len()) {
            if left[i].contains("{split}") {
                continue;
            }
            slots.push(std::mem::replace(&mut left[i], "*".into()));
            let there = if i < head { i } else { i - ends_left + ends_right };
            right[there] = "*".into();
        }
        let rule = Self {
            image_folders: left,
            label_folders: right,
            image: before.clone(),
            label: after.clone(),
        };
        (rule, slots, split)
    }

    fn into_pairing(self, members: Members) -> Pairing {
        let several = members.slots.iter().filter(|texts| texts.len() > 1).count();
        let mut word = 0;
        let slots: Vec<String> = members
            .slots
            .iter()
            .map(|texts| match texts.first() {
                Some(text) if texts.len() == 1 => text.clone(),
                _ => {
                    word += 1;
                    if several == 1 { "{folder}".into() } else { format!("{{folder{word}}}") }
                }
            })
            .collect();
        let pattern = |folders: &[String], affix: &Affix, endings: &BTreeSet<String>| {
            let mut slots = slots.iter();
            let mut text = String::new();
            for folder in folders {
                let folder = if folder == "*" { slots.next() } else { Some(folder) };
                text += folder.map_or("", String::as_str);
                text.push('/');
            }
            let endings: Vec<&str> = endings.iter().map(String::as_str).collect();
            let ending = match endings.as_slice() {
                [one] => one.to_string(),
                several => format!("{{{}}}", several.join("|")),
            };
            format!("{text}{}{{name}}{}.{ending}", affix.before, affix.after)
        };
        let words: Vec<&String> = slots.iter().filter(|s| s.starts_with('{')).collect();
        let sample = words.iter().map(|w| format!("{w}_")).collect::<String>() + "{name}";
        let score = self.score(members.label_endings.iter().all(|e| keeps_values(e)));
        Pairing {
            images: pattern(&self.image_folders, &self.image, &members.image_endings),
            labels: pattern(&self.label_folders, &self.label, &members.label_endings),
            splits: members.splits.into_iter().collect(),
            sample,
            count: members.labels.len(),
            example: members.example.unwrap_or_default(),
            score,
        }
    }

    fn score(&self, keeps_values: bool) -> i32 {
        let said = |folders: &[String], affix: &Affix| {
            let own: Vec<&str> = folders.iter().map(String::as_str).collect();
            format!("{} {} {}", own.join("/"), affix.before, affix.after).to_lowercase()
        };
        let any = |text: &str, words: &[&str]| i32::from(words.iter().any(|w| text.contains(w)));
        let image = said(&self.image_folders, &self.image);
        let label = said(&self.label_folders, &self.label);
        4 * any(&label, &LABEL_WORDS) + 2 * any(&image, &IMAGE_WORDS) + 2 * i32::from(keeps_values)
            - 4 * any(&image, &LABEL_WORDS)
            - 2 * any(&label, &IMAGE_WORDS)
            - 6 * any(&label, &NO_LABELS)
            - 6 * any(&image, &NO_LABELS)
            // Of two readings of one name the plain one.
            - i32::from(self.image != Affix::default())
            - i32::from(self.label != Affix::default())
    }
}

impl Pairing {
    /// One that a layout knows.
    pub fn of(images: String, labels: String, count: usize) -> Self {
        let (splits, sample) = (Vec::new(), "{name}".into());
        Self { images, labels, splits, sample, count, example: Default::default(), score: 0 }
    }

    /// Whether the other takes these images for labels and these labels for images.
    pub fn mirrors(&self, other: &Pairing) -> bool {
        self.images == other.labels && self.labels == other.images && self.score == other.score
    }
}

/// A folder's name with `{split}` in it, and the split's text, as in "trainannot", "images-val".
fn split_of(folder: &str) -> (String, Option<String>) {
    let lower = folder.to_ascii_lowercase();
    let marks = |c: char| ['_', '-', '.', ' '].contains(&c);
    for word in SPLITS {
        let starts = lower.starts_with(word) && {
            let rest = &lower[word.len()..];
            rest.is_empty() || rest.starts_with(marks) || known_rest(rest)
        };
        if starts {
            let (text, rest) = folder.split_at(word.len());
            return (format!("{{split}}{rest}"), Some(text.into()));
        }
        if lower.ends_with(word) && lower[..lower.len() - word.len()].ends_with(marks) {
            let (rest, text) = folder.split_at(folder.len() - word.len());
            return (format!("{rest}{{split}}"), Some(text.into()));
        }
    }
    (folder.into(), None)
}

fn known_rest(rest: &str) -> bool {
    ["annot", "mask", "label", "image", "img", "gt"].iter().any(|word| rest.starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pictures: &[&str], images: &str, labels: &str) -> Pairing {
        let found = pair(pictures, pictures);
        let best = found.first().expect("a pairing").clone();
        assert_eq!((best.images.as_str(), best.labels.as_str()), (images, labels), "{found:#?}");
        best
    }

    #[test]
    fn the_usual_layouts_are_found() {
        check(&["images/a.jpg", "masks/a.png"], "images/{name}.jpg", "masks/{name}.png");
        check(
            &["images/a.png", "images/b.png", "labels/a.png", "labels/b.png"],
            "images/{name}.png",
            "labels/{name}.png",
        );
        let split = check(
            &["train/a.png", "trainannot/a.png", "val/b.png", "valannot/b.png"],
            "{split}/{name}.png",
            "{split}annot/{name}.png",
        );
        assert_eq!(split.splits, ["train", "val"]);
        check(
            &["img/Train/x_1.JPG", "ann/Train/x_1.png", "img/Train/x_2.jpg", "ann/Train/x_2.png"],
            "img/{split}/{name}.{JPG|jpg}",
            "ann/{split}/{name}.png",
        );
        check(
            &["train/a.jpg", "train/a_mask.png", "valid/b.jpg", "valid/b_mask.png"],
            "{split}/{name}.jpg",
            "{split}/{name}_mask.png",
        );
        check(
            &["d/img_001.png", "d/mask_001.png", "d/img_002.png", "d/mask_002.png"],
            "d/img_{name}.png",
            "d/mask_{name}.png",
        );
        check(
            &["train/a_sat.jpg", "train/a_mask.png"],
            "{split}/{name}_sat.jpg",
            "{split}/{name}_mask.png",
        );
    }

    #[test]
    fn folders_in_common_become_a_word_and_part_of_the_samples_name() {
        let pictures = [
            "leftImg8bit/train/aachen/aachen_1_leftImg8bit.png",
            "leftImg8bit/val/ulm/ulm_1_leftImg8bit.png",
            "gtFine/train/aachen/aachen_1_gtFine_labelIds.png",
            "gtFine/train/aachen/aachen_1_gtFine_color.png",
            "gtFine/train/aachen/aachen_1_gtFine_instanceIds.png",
            "gtFine/val/ulm/ulm_1_gtFine_labelIds.png",
            "gtFine/val/ulm/ulm_1_gtFine_color.png",
            "gtFine/val/ulm/ulm_1_gtFine_instanceIds.png",
        ];
        let best = check(
            &pictures,
            "leftImg8bit/{split}/{folder}/{name}_leftImg8bit.png",
            "gtFine/{split}/{folder}/{name}_gtFine_labelIds.png",
        );
        assert_eq!(best.sample, "{folder}_{name}");
        check(
            &["s1/images/a.jpg", "s1/masks/a.png", "s2/images/a.jpg", "s2/masks/a.png"],
            "{folder}/images/{name}.jpg",
            "{folder}/masks/{name}.png",
        );
    }

    #[test]
    fn pictures_made_of_labels_are_not_taken_for_labels() {
        check(
            &[
                "JPEGImages/a.jpg",
                "SegmentationClass/a.png",
                "SegmentationObject/a.png",
                "SegmentationClassVisualization/a.jpg",
            ],
            "JPEGImages/{name}.jpg",
            "SegmentationClass/{name}.png",
        );
    }
}
