//! Where files lie: patterns such as `gtFine/{split}/{city}/{name}_gtFine_labelIds.png`.
//! Not globs and not regular expressions: `{word}` stands for a part of one folder's or file's name,
//! `{png|jpg}` for one of several texts, `**` for any number of folders. The shortest reading of a
//! name wins, left to right. Endings match in any case, and a name matches however its accents are
//! stored: macOS takes letters apart (NFD), everybody else keeps them whole (NFC).

mod find;
#[cfg(test)]
mod tests;

use unicode_normalization::UnicodeNormalization;

use crate::error::{Error, Result};

/// The placeholder for the name of a split.
pub(super) const SPLIT: &str = "split";

/// Any number of folders, which is a placeholder too: it stands for their names.
pub(super) const ANY_DEPTH: &str = "**";

/// What the placeholders stand for, in the order of [`Pattern::holes`]; `None` where it is still open.
pub(super) type Captures = Vec<Option<String>>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(usize),
    OneOf(Vec<String>),
}

/// One step on the way to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Component {
    /// A folder, or the file, whose name these parts make up.
    Name(Vec<Part>),
    /// Folders of any number; the hole that takes their names, with "/" between them.
    AnyDepth(usize),
}

/// A checked pattern, relative to the root of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    text: String,
    /// One for every folder on the way, and one for the file.
    components: Vec<Component>,
    /// Names of the placeholders, each once.
    holes: Vec<String>,
}

impl Pattern {
    /// Parses a pattern; the error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: &str| Error::request(format!("pattern \"{text}\": {why}"));
        let mut holes: Vec<String> = Vec::new();
        let mut components = Vec::new();
        for component in text.split('/') {
            if component.is_empty() || component == "." || component == ".." {
                return Err(bad("expected a relative path without empty parts, \".\" and \"..\""));
            }
            if component == ANY_DEPTH {
                if holes.iter().any(|hole| hole == ANY_DEPTH) {
                    return Err(bad("expected ** once, got it twice"));
                }
                holes.push(ANY_DEPTH.into());
                components.push(Component::AnyDepth(holes.len() - 1));
                continue;
            }
            if component.contains('*') {
                return Err(bad("expected {word} for a part of a name, or ** alone for folders"));
            }
            components.push(Component::Name(parts(component, &mut holes).map_err(bad)?));
        }
        match components.last_mut() {
            Some(Component::Name(file)) => end_in_any_case(file),
            _ => return Err(bad("expected a file's name behind **")),
        }
        Ok(Self { text: text.into(), components, holes })
    }

    /// Names of the placeholders, in order of appearance, each once.
    pub fn holes(&self) -> &[String] {
        &self.holes
    }

    /// Whether it has this placeholder.
    pub fn has(&self, hole: &str) -> bool {
        self.holes.iter().any(|h| h == hole)
    }

    /// Captures with one more placeholder known, if the pattern mentions it.
    pub fn with(&self, mut known: Captures, hole: &str, value: &str) -> Captures {
        if let Some(at) = self.holes.iter().position(|h| h == hole) {
            known[at] = Some(value.into());
        }
        known
    }

    /// Whether the file's own name has no placeholder: then only its folders tell it from others.
    pub fn has_fixed_file(&self) -> bool {
        let hole = |part: &Part| matches!(part, Part::Hole(_));
        matches!(self.components.last(), Some(Component::Name(file)) if !file.iter().any(hole))
    }

    /// The text it was made of.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Captures with nothing known but the split, if the pattern mentions it.
    pub fn with_split(&self, split: &str) -> Captures {
        self.holes.iter().map(|h| (h == SPLIT).then(|| nfc(split))).collect()
    }

    /// Captures with nothing known.
    pub fn open(&self) -> Captures {
        vec![None; self.holes.len()]
    }

    /// The path that these values of the placeholders stand for; of several texts the first.
    pub fn path(&self, values: &[(&str, &str)]) -> String {
        let hole = |i: usize| {
            values.iter().find(|v| v.0 == self.holes[i]).map_or("", |value| value.1).to_string()
        };
        let text = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Hole(i) => hole(*i),
            Part::OneOf(texts) => texts.first().cloned().unwrap_or_default(),
        };
        let component = |c: &Component| match c {
            Component::Name(parts) => parts.iter().map(text).collect(),
            Component::AnyDepth(i) => hole(*i),
        };
        let components: Vec<String> = self.components.iter().map(component).collect();
        components.into_iter().filter(|c| !c.is_empty()).collect::<Vec<_>>().join("/")
    }

    /// The text with every placeholder filled from (name, value) pairs; an unknown one stays as it is.
    pub fn fill(text: &str, values: &[(&str, &str)]) -> String {
        values
            .iter()
            .fold(text.to_string(), |t, (hole, value)| t.replace(&format!("{{{hole}}}"), value))
    }
}

/// The text with its accents in one piece.
pub(super) fn nfc(text: &str) -> String {
    if text.is_ascii() { text.into() } else { text.nfc().collect() }
}

fn parts(component: &str, holes: &mut Vec<String>) -> std::result::Result<Vec<Part>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = component;
    while let Some((before, after)) = rest.split_once('{') {
        let (inside, after) = after.split_once('}').ok_or("a { without }")?;
        if !before.is_empty() {
            parts.push(Part::Text(nfc(before)));
        }
        parts.push(part(inside, holes).ok_or("expected {word} or {this|that}")?);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Text(nfc(rest)));
    }
    if parts.iter().any(|p| matches!(p, Part::Text(t) if t.contains('}'))) {
        return Err("a } without {");
    }
    Ok(parts)
}

fn part(inside: &str, holes: &mut Vec<String>) -> Option<Part> {
    if inside.contains('|') {
        let texts: Vec<String> = inside.split('|').map(nfc).collect();
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

/// Takes a file's ending as one of several texts, which match in any case: cameras like ".JPG".
fn end_in_any_case(file: &mut Vec<Part>) {
    let Some(Part::Text(text)) = file.last_mut() else { return };
    let Some((name, ending)) = text.rsplit_once('.').filter(|(_, ending)| !ending.is_empty())
    else {
        return;
    };
    let (name, ending) = (format!("{name}."), ending.to_string());
    *text = name;
    file.push(Part::OneOf(vec![ending]));
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
