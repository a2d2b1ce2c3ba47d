//! Where files lie: patterns such as `gtFine/{split}/{city}/{name}_gtFine_labelIds.png`.
//! Not globs and not regular expressions: `{word}` stands for a part of one folder's or file's name.
//! `{png|jpg}` is one of several texts. The shortest reading of a name wins, left to right.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};

/// The placeholder for the name of a split.
pub(super) const SPLIT: &str = "split";

/// What the placeholders stand for, in the order of [`Pattern::holes`]; `None` where it is still open.
pub(super) type Captures = Vec<Option<String>>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(usize),
    OneOf(Vec<String>),
}

/// A checked pattern, relative to the root of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
    /// A list for every folder on the way, and for the file.
    components: Vec<Vec<Part>>,
    /// Names of the placeholders, each once.
    holes: Vec<String>,
}

/// Everything found by [`Pattern::find`].
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Files that match, with what their placeholders stand for.
    pub files: Vec<(Vec<String>, PathBuf)>,
    /// Files in the same folders that do not match.
    pub others: Vec<PathBuf>,
    /// Files and folders on the way whose names are not UTF-8, so that no pattern can match them.
    pub not_utf8: Vec<PathBuf>,
}

impl Pattern {
    /// Parses a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Error::request(format!("pattern \"{text}\": {why}"));
        let mut holes = Vec::new();
        let mut components = Vec::new();
        for component in text.split('/') {
            if component.is_empty() || component == "." || component == ".." {
                return Err(bad("expected a relative path without empty parts, \".\" and \"..\""));
            }
            let mut parts = Vec::new();
            let mut rest = component;
            while let Some((before, after)) = rest.split_once('{') {
                let (inside, after) = after.split_once('}').ok_or_else(|| bad("a { without }"))?;
                if !before.is_empty() {
                    parts.push(Part::Text(before.into()));
                }
                parts.push(
                    part(inside, &mut holes)
                        .ok_or_else(|| bad("expected {word} or {this|that}"))?,
                );
                rest = after;
            }
            if !rest.is_empty() {
                parts.push(Part::Text(rest.into()));
            }
            if parts.iter().any(|p| matches!(p, Part::Text(t) if t.contains('}'))) {
                return Err(bad("a } without {"));
            }
            components.push(parts);
        }
        Ok(Self { text: text.into(), components, holes })
    }

    /// Names of the placeholders, in order of appearance, each once.
    pub fn holes(&self) -> &[String] {
        &self.holes
    }

    /// The text it was made of.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Captures with nothing known but the split, if the pattern mentions it.
    pub fn with_split(&self, split: &str) -> Captures {
        self.holes.iter().map(|h| (h == SPLIT).then(|| split.to_string())).collect()
    }

    /// All files under `root` that match, sorted by path. A folder that is missing holds none.
    pub fn find(&self, root: &Path, known: Captures) -> Result<Found> {
        let mut found = Found::default();
        self.walk(root, 0, known, &mut found)?;
        found.files.sort_by(|a, b| a.1.cmp(&b.1));
        found.others.sort();
        found.not_utf8.sort();
        Ok(found)
    }

    /// What the placeholder `hole` can stand for, judged by the folders that exist.
    pub fn values(&self, root: &Path, hole: &str) -> BTreeSet<String> {
        let at = self.holes.iter().position(|h| h == hole);
        let depth = self
            .components
            .iter()
            .position(|c| c.iter().any(|p| Some(p) == at.map(Part::Hole).as_ref()));
        let (Some(at), Some(depth)) = (at, depth) else {
            return BTreeSet::new();
        };
        let mut prefix = self.clone();
        prefix.components.truncate(depth + 1);
        // The folders stand where files are looked for otherwise.
        let found = prefix.find(root, vec![None; self.holes.len()]).unwrap_or_default();
        found
            .files
            .into_iter()
            .filter_map(|(c, _)| c.get(at).cloned())
            .filter(|v| !v.is_empty())
            .collect()
    }

    /// The text with every placeholder filled from (name, value) pairs; an unknown one stays as it is.
    pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(text.to_string(), |t, (hole, value)| t.replace(&format!("{{{hole}}}"), value))
    }

    fn walk(&self, folder: &Path, depth: usize, known: Captures, found: &mut Found) -> Result<()> {
        let parts = &self.components[depth];
        let last = depth + 1 == self.components.len();
        if let Some(name) = plain(parts, &known) {
            let path = folder.join(name);
            if path.exists() {
                return self.enter(path, depth, known, last, found);
            }
            return Ok(());
        }
        if !folder.is_dir() {
            return Ok(());
        }
        let cannot = || format!("{}: cannot list folder", folder.display());
        for entry in fs::read_dir(folder).request(cannot)? {
            let entry = entry.request(cannot)?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue; // hidden files, such as the "._NAME" that some systems scatter
            }
            let Some(name) = name.to_str() else {
                found.not_utf8.push(entry.path());
                continue;
            };
            let mut captures = known.clone();
            if matches(parts, name, &mut captures) {
                self.enter(entry.path(), depth, captures, last, found)?;
            } else if last {
                found.others.push(entry.path());
            }
        }
        Ok(())
    }

    fn enter(
        &self,
        path: PathBuf,
        depth: usize,
        known: Captures,
        last: bool,
        found: &mut Found,
    ) -> Result<()> {
        if !last {
            return self.walk(&path, depth + 1, known, found);
        }
        found.files.push((known.into_iter().map(Option::unwrap_or_default).collect(), path));
        Ok(())
    }
}

fn part(inside: &str, holes: &mut Vec<String>) -> Option<Part> {
    if inside.contains('|') {
        let texts: Vec<String> = inside.split('|').map(str::to_string).collect();
        return texts
            .iter()
            .all(|t| !t.is_empty() && !t.contains('{'))
            .then_some(Part::OneOf(texts));
    }
    let word = !inside.is_empty() && inside.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let at = holes.iter().position(|h| h == inside).unwrap_or_else(|| {
        holes.push(inside.to_string());
        holes.len() - 1
    });
    word.then_some(Part::Hole(at))
}

/// The name that the parts stand for, if there is only one.
fn plain(parts: &[Part], known: &Captures) -> Option<String> {
    parts
        .iter()
        .map(|p| match p {
            Part::Text(t) => Some(t.as_str()),
            Part::Hole(i) => known[*i].as_deref(),
            Part::OneOf(_) => None,
        })
        .collect()
}

fn matches(parts: &[Part], name: &str, captures: &mut Captures) -> bool {
    let Some((first, rest)) = parts.split_first() else {
        return name.is_empty();
    };
    let continues = |text: &str, captures: &mut Captures| {
        name.strip_prefix(text).is_some_and(|name| matches(rest, name, captures))
    };
    match first {
        Part::Text(t) => continues(t, captures),
        // Mostly endings, of which cameras like ".JPG".
        Part::OneOf(texts) => texts.iter().any(|t| match name.get(..t.len()) {
            Some(start) if start.eq_ignore_ascii_case(t) => continues(start, captures),
            _ => false,
        }),
        Part::Hole(i) => {
            if let Some(value) = captures[*i].clone() {
                return continues(&value, captures);
            }
            let ends = name.char_indices().map(|(at, c)| at + c.len_utf8());
            for end in ends {
                captures[*i] = Some(name[..end].to_string());
                if matches(rest, &name[end..], captures) {
                    return true;
                }
            }
            captures[*i] = None;
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, name: &str, expected: Option<&[&str]>) {
        let pattern = Pattern::parse(pattern).unwrap();
        let mut captures = vec![None; pattern.holes.len()];
        let got = matches(&pattern.components[0], name, &mut captures);
        let got =
            got.then(|| captures.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        assert_eq!(got, expected.map(|e| e.iter().map(|s| s.to_string()).collect()));
    }

    #[test]
    fn a_name_is_read_from_left_to_right_as_short_as_possible() {
        check(
            "{name}_leftImg8bit.png",
            "aachen_000000_000019_leftImg8bit.png",
            Some(&["aachen_000000_000019"]),
        );
        check("{name}_leftImg8bit.png", "aachen_000000_000019_leftImg8bit.jpg", None);
        check("{name}_leftImg8bit.png", "_leftImg8bit.png", None);
        check("{name}.{png|jpg}", "a.b.jpg", Some(&["a.b"]));
        check("{name}.{png|jpg}", "A.JPG", Some(&["A"]));
        check("{a}_{b}.png", "x_y_z.png", Some(&["x", "y_z"]));
        check("{a}_{a}.png", "x_x.png", Some(&["x"]));
        check("{a}_{a}.png", "x_y.png", None);
        check("Omni_{camera}", "Omni_F", Some(&["F"]));
        check("{name}.png", "straße.png", Some(&["straße"]));
    }

    #[test]
    fn a_pattern_that_makes_no_sense_is_refused() {
        for bad in
            ["", "/abs/{name}", "a//b", "../{name}", "{name", "name}", "{}", "{a b}", "{|png}"]
        {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }
}
