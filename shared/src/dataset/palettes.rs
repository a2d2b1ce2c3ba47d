//! Whether a number means one colour throughout: labels whose palettes differ from file to file mix classes up.
//! Only entries in use are compared. Grey files among palette files are counted, since they may be what is odd.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::index::Index;
use crate::decode::RawLabel;
use crate::error::Error;

/// Colours by number, of a split whose labels agree.
pub type Palette = BTreeMap<u8, [u8; 3]>;

/// The entries of a label's palette that its pixels use.
pub(super) type Used = Vec<(u8, [u8; 3])>;

/// A colour, how many labels give it to a number, and the first of those.
type Seen = ([u8; 3], u64, PathBuf);

/// What is known of the palettes so far.
#[derive(Default)]
pub(super) struct Palettes {
    /// For each number its colours.
    colors: BTreeMap<u8, Vec<Seen>>,
    /// Labels by kind, such as "palette of 8 bits", and the first of each.
    kinds: BTreeMap<String, (u64, PathBuf)>,
}

/// The entries in use; none for a label without a palette.
pub(super) fn used(raw: &RawLabel, counts: &[u64; 256]) -> Used {
    let palette = raw.palette.iter().flatten().copied();
    let entries = (0..=u8::MAX).zip(palette);
    entries.filter(|(value, _)| counts[usize::from(*value)] > 0).collect()
}

impl Palettes {
    pub fn add(&mut self, label: &Path, kind: &str, used: &Used) {
        for &(value, color) in used {
            let colors = self.colors.entry(value).or_default();
            match colors.iter_mut().find(|c| c.0 == color) {
                Some((_, labels, _)) => *labels += 1,
                None => colors.push((color, 1, label.to_path_buf())),
            }
        }
        let first = || (0, label.to_path_buf());
        self.kinds.entry(kind.to_string()).or_insert_with(first).0 += 1;
    }

    /// The palette that all labels have in common, as far as they use it.
    pub fn common(&self) -> Palette {
        let first =
            |(&value, colors): (&u8, &Vec<Seen>)| colors.first().map(|color| (value, color.0));
        self.colors.iter().filter_map(first).collect()
    }

    /// An error if a number has several colours.
    pub fn verdict(&self, index: &Index) -> Option<Error> {
        let differing: Vec<_> = self.colors.iter().filter(|(_, colors)| colors.len() > 1).collect();
        let (value, colors) = differing.first()?;
        let one = |(color, labels, first): &Seen| {
            format!("{color:?} in {labels} ({})", short(first, index))
        };
        let mut colors: Vec<_> = colors.iter().collect();
        colors.sort_by_key(|c| std::cmp::Reverse(c.1));
        let words: Vec<String> = colors.iter().take(3).map(|c| one(c)).collect();
        let more = if colors.len() > 3 { ", ..." } else { "" };
        let others = match differing.len() - 1 {
            0 => String::new(),
            n => format!("; so do {n} more numbers"),
        };
        let line = format!(
            "labels: expected one palette, got palettes that differ: {value} is {}{more}{others}",
            words.join(", ")
        );
        Some(Error::request(line).hint(HINT))
    }

    /// What is worth a line: labels of several kinds.
    pub fn note(&self, index: &Index) -> Option<String> {
        if self.kinds.len() < 2 {
            return None;
        }
        let one = |(kind, (labels, first)): (&String, &(u64, PathBuf))| {
            format!("{kind} {labels} ({})", short(first, index))
        };
        let kinds: Vec<String> = self.kinds.iter().map(one).collect();
        Some(format!(
            "labels of several kinds, whose numbers are all read alike: {}",
            kinds.join(", ")
        ))
    }
}

const HINT: &str = "encoding = \"rgb\" in the descriptor reads the colours instead of the numbers; \
                    encoding = \"index\" says that the numbers are right all the same";

/// An error if a number has other colours in one split than in another.
pub fn between(splits: &[(&str, &Palette)]) -> Option<Error> {
    for (i, (name, palette)) in splits.iter().enumerate() {
        for (other, colors) in &splits[i + 1..] {
            let pairs = palette.iter().filter_map(|(v, a)| Some((v, a, colors.get(v)?)));
            if let Some((value, a, b)) = pairs.into_iter().find(|(_, a, b)| a != b) {
                let line = format!(
                    "labels: expected one palette, got palettes that differ: {value} is {a:?} in {name}, \
                     {b:?} in {other}"
                );
                return Some(Error::request(line).hint(HINT));
            }
        }
    }
    None
}

fn short(path: &Path, index: &Index) -> String {
    path.strip_prefix(&index.root).unwrap_or(path).display().to_string()
}
