//! What label files hold, in words: the values found, with their shares and names.
//! Not the mapping of values, and not what to do about unknown ones: that is `remedy`.

use std::collections::{BTreeMap, HashMap};

use super::descriptor::{Descriptor, LabelForm};
use super::file::Ids;
use crate::decode::{LabelEncoding, RawLabel, Values};
use crate::labels::IGNORE;

/// Different values that are told apart; photographs have millions of colours.
const KEPT: usize = 4096;

/// Values that are spelled out: unknown ones, and known ones beside them.
const SHOWN: (usize, usize) = (6, 4);

/// A value of a label file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Value {
    Number(u16),
    Color([u8; 3]),
}

/// How often each value occurs in some labels of one form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    counts: BTreeMap<Value, u64>,
    total: u64,
}

impl Found {
    pub fn of(raw: &RawLabel) -> Self {
        let counts = match &raw.values {
            Values::Bytes(v) => count(v.iter().map(|&v| Value::Number(v.into()))),
            Values::Words(v) => count(v.iter().map(|&v| Value::Number(v))),
            Values::Colors(v) => count(v.iter().map(|&c| Value::Color(c))),
        };
        let mut found = Self::default();
        // The most frequent first: those are the ones that stay where there are too many.
        let mut counts: Vec<(Value, u64)> = counts.into_iter().collect();
        counts.sort_by_key(|&(value, n)| (std::cmp::Reverse(n), value));
        counts.into_iter().for_each(|(value, n)| found.add_value(value, n));
        found
    }

    /// The values and their pixels.
    pub fn counts(&self) -> impl Iterator<Item = (&Value, &u64)> {
        self.counts.iter()
    }

    pub fn add(&mut self, other: &Self) {
        other.counts.iter().for_each(|(&value, &n)| self.add_value(value, n));
        // What the other no longer told apart.
        self.total += other.total - other.counts.values().sum::<u64>();
    }

    fn add_value(&mut self, value: Value, n: u64) {
        self.total += n;
        if self.counts.len() < KEPT || self.counts.contains_key(&value) {
            *self.counts.entry(value).or_default() += n;
        }
    }

    /// The numbers found, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = u16> {
        self.counts.keys().filter_map(|value| match value {
            Value::Number(n) => Some(*n),
            Value::Color(_) => None,
        })
    }

    /// The share of the values that `these` says yes to.
    pub fn share(&self, these: impl Fn(Value) -> bool) -> f64 {
        let pixels: u64 = self.counts.iter().filter(|(v, _)| these(**v)).map(|(_, n)| n).sum();
        pixels as f64 / self.total.max(1) as f64
    }

    /// The values that the form does not know, the most frequent first.
    pub(super) fn unknown(&self, form: &LabelForm) -> Vec<(Value, u64)> {
        self.sorted(|value| form.mapping.id(value).is_none())
    }

    fn sorted(&self, these: impl Fn(Value) -> bool) -> Vec<(Value, u64)> {
        let mut list: Vec<(Value, u64)> =
            self.counts.iter().map(|(&v, &n)| (v, n)).filter(|v| these(v.0)).collect();
        list.sort_by_key(|&(value, n)| (std::cmp::Reverse(n), value));
        list
    }

    /// `255: 28 %, beside 0 (sky): 72 %`: the unknown values, then the known ones.
    pub(super) fn words(&self, d: &Descriptor, form: &LabelForm) -> String {
        let words = |list: Vec<(Value, u64)>, most: usize| {
            let one = |(value, n): &(Value, u64)| {
                let name = form.mapping.id(*value).map(|id| name(d, form, *value, id));
                let name = name.map_or(String::new(), |name| format!(" ({name})"));
                format!("{}{name}: {}", text(*value), percent(*n, self.total))
            };
            let mut words: Vec<String> = list.iter().take(most).map(one).collect();
            if list.len() > most {
                words.push(format!("{} more", list.len() - most));
            }
            words.join(", ")
        };
        let unknown = words(self.unknown(form), SHOWN.0);
        let known = self.sorted(|value| form.mapping.id(value).is_some());
        match known.is_empty() {
            true => unknown,
            false => format!("{unknown}, beside {}", words(known, SHOWN.1)),
        }
    }
}

fn count(values: impl Iterator<Item = Value>) -> HashMap<Value, u64> {
    let mut counts = HashMap::new();
    let mut run: Option<(Value, u64)> = None;
    for value in values {
        // Neighbours mostly share their value: look it up once a run.
        match &mut run {
            Some((last, n)) if *last == value => *n += 1,
            _ => {
                if let Some((last, n)) = run.replace((value, 1)) {
                    *counts.entry(last).or_default() += n;
                }
            }
        }
    }
    if let Some((last, n)) = run {
        *counts.entry(last).or_default() += n;
    }
    counts
}

pub(super) fn text(value: Value) -> String {
    match value {
        Value::Number(n) => n.to_string(),
        Value::Color(c) => format!("{c:?}"),
    }
}

/// What the data set calls a known value.
pub(super) fn name(d: &Descriptor, form: &LabelForm, value: Value, id: u8) -> String {
    if id != IGNORE {
        return d.classes.get(usize::from(id)).map_or("?".into(), |class| class.name.clone());
    }
    let entry = d.ignored.iter().find(|entry| match value {
        Value::Number(n) => form.ids == Ids::Native && entry.values.contains(&n),
        Value::Color(c) => entry.colors.contains(&c),
    });
    entry.map_or("ignored".into(), |entry| entry.name.clone())
}

/// What labels of a form may hold: the values of classes, then those that are ignored.
pub(super) fn expected(form: &LabelForm) -> String {
    if form.encoding == LabelEncoding::Rgb {
        return format!("{} colours", form.mapping.colors().count());
    }
    let values = |ignored: bool| {
        let known = (0..=u16::MAX).filter_map(|v| form.mapping.get(v).map(|id| (v, id)));
        ranges(known.filter(|&(_, id)| (id == IGNORE) == ignored).map(|(v, _)| v))
    };
    [values(false), values(true)]
        .into_iter()
        .filter(|v| !v.is_empty())
        .collect::<Vec<_>>()
        .join(", ")
}

/// `0..10, 12`: ascending numbers, three or more in a row by their ends.
fn ranges(values: impl Iterator<Item = u16>) -> String {
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((_, end)) if u32::from(*end) + 1 == u32::from(value) => *end = value,
            _ => runs.push((value, value)),
        }
    }
    let words = |(start, end): (u16, u16)| match end - start {
        0 => start.to_string(),
        1 => format!("{start}, {end}"),
        _ => format!("{start}..{end}"),
    };
    runs.into_iter().map(words).collect::<Vec<_>>().join(", ")
}

fn percent(part: u64, total: u64) -> String {
    match 100.0 * part as f64 / total.max(1) as f64 {
        p if p >= 9.95 => format!("{p:.0} %"),
        p if p >= 0.1 => format!("{p:.1} %"),
        _ => "under 0.1 %".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_row_are_said_by_their_ends() {
        assert_eq!(ranges([0, 1, 2, 3, 7, 8, 11].into_iter()), "0..3, 7, 8, 11");
        assert_eq!(ranges([u16::MAX].into_iter()), "65535");
        assert_eq!(ranges([].into_iter()), "");
    }

    #[test]
    fn shares_are_as_fine_as_they_are_small() {
        assert_eq!(
            ["28 %", "0.5 %"],
            [percent(28, 100), percent(1, 200)].each_ref().map(|s| s.as_str())
        );
        assert_eq!(percent(1, 100_000), "under 0.1 %");
    }
}
