//! The class table of a descriptor: what the labels hold, joined with the names that were found.
//! Not a guess at meaning: a class without a name is called by its value, to be filled in.

use std::collections::BTreeSet;

use super::layouts::Layout;
use super::names::Known;
use super::values::{Found, Reading};
use crate::dataset::histogram::Count;
use crate::dataset::values::Value;
use crate::error::{Error, Result};
use crate::labels::MAX_CLASSES;
use crate::render::distinct_color;

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub name: String,
    /// In pictures.
    pub color: [u8; 3],
    /// Values in labels; none where colours stand for classes.
    pub native: Vec<u16>,
    /// In labels, where a colour that pictures do not show well stands for it.
    pub rgb: Option<[u8; 3]>,
    pub count: Count,
}

/// Classes and ignored entries.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub reading: Reading,
    pub classes: Vec<Line>,
    pub ignored: Vec<Line>,
    /// Whether a name is still to be filled in.
    pub unnamed: bool,
}

/// Grey: it is behind what counts.
const BACKGROUND: [u8; 3] = [64, 64, 64];
/// The border of objects in Pascal VOC.
const VOC_VOID: [u8; 3] = [224, 224, 192];

/// Makes the table.
pub(super) fn table(layout: &Layout, found: &Found) -> Result<Table> {
    if layout.masks.is_some() {
        return Ok(of_masks(layout));
    }
    let reading =
        if layout.by_color && found.grey == 0 { Reading::Rgb } else { found.reading()? };
    let mut table = match reading {
        Reading::Rgb => of_colors(layout, found),
        Reading::Index | Reading::Channel => of_numbers(layout, found, reading),
    };
    let count = table.classes.len();
    if !(1..=MAX_CLASSES).contains(&count) {
        let line = format!("labels: expected 1 to {MAX_CLASSES} classes, got {count}");
        return Err(Error::request(line).hint("labels of nothing but 255 have no class"));
    }
    distinct_names(&mut table);
    Ok(table)
}

fn of_masks(layout: &Layout) -> Table {
    let line = |(at, known): (usize, &Known)| Line {
        name: known.name.clone(),
        color: color_of(at, at == 0),
        native: vec![at as u16],
        rgb: None,
        count: Count::default(),
    };
    let classes = layout.known.iter().enumerate().map(line).collect();
    Table { reading: Reading::Index, classes, ignored: Vec::new(), unnamed: false }
}

fn of_colors(layout: &Layout, found: &Found) -> Table {
    let mut classes = Vec::new();
    let mut unnamed = false;
    let named: BTreeSet<[u8; 3]> = layout.known.iter().filter_map(|k| k.color).collect();
    for known in &layout.known {
        let Some(color) = known.color else { continue };
        let count = found.colors.counts.get(&Value::Color(color)).copied().unwrap_or_default();
        classes.push(of_color(known.name.clone(), color, count));
    }
    let mut ignored = Vec::new();
    for (color, count) in colors(found).filter(|c| !named.contains(&c.0)) {
        let void = color == VOC_VOID;
        let name = if void { "void".into() } else { format!("class {}", classes.len()) };
        let line = of_color(name, color, count);
        if void {
            ignored.push(line)
        } else {
            classes.push(line)
        }
        unnamed |= !void;
    }
    Table { reading: Reading::Rgb, classes, ignored, unnamed }
}

/// Black is what is ignored in pictures.
fn of_color(name: String, color: [u8; 3], count: Count) -> Line {
    let black = color == [0; 3];
    let (shown, rgb) = if black { (BACKGROUND, Some(color)) } else { (color, None) };
    Line { name, color: shown, native: Vec::new(), rgb, count }
}

fn of_numbers(layout: &Layout, found: &Found, reading: Reading) -> Table {
    let counts: Vec<(u16, Count)> = match reading {
        Reading::Channel => colors(found).map(|(c, n)| (u16::from(c[0]), n)).collect(),
        _ => numbers(found).collect(),
    };
    let name_of = |value: u16| layout.known.iter().find(|k| k.value == Some(value));
    let binary = counts.len() <= 2
        && counts.iter().all(|(v, _)| [0, 1, 255, 65535].contains(v))
        && counts.iter().any(|(v, _)| *v == 0);
    // A value of names that no label has is a class all the same: a split to come may have it.
    let mut values: BTreeSet<u16> = counts.iter().map(|c| c.0).collect();
    values.extend(layout.known.iter().filter_map(|k| k.value));
    let (mut classes, mut ignored, mut unnamed) = (Vec::new(), Vec::new(), false);
    for value in values {
        let count = counts.iter().find(|c| c.0 == value).map(|c| c.1).unwrap_or_default();
        let known = name_of(value);
        let void = known.is_none() && !binary && [255, 65535].contains(&value);
        let name = match known {
            Some(known) => known.name.clone(),
            None if void => "void".into(),
            None if binary && value == 0 => "background".into(),
            None if binary => "object".into(),
            None => format!("class {value}"),
        };
        unnamed |= known.is_none() && !void && !binary;
        let background = value == 0 && (binary || name.contains("background"));
        let of_palette = found.palette.get(&value).and_then(|c| c.first()).copied();
        // A palette that is a grey ramp, or black, says nothing to the eye.
        let telling = |c: &[u8; 3]| !(c[0] == c[1] && c[1] == c[2]);
        let color =
            of_palette.filter(telling).unwrap_or_else(|| color_of(classes.len(), background));
        let line = Line { name, color, native: vec![value], rgb: None, count };
        if void { ignored.push(line) } else { classes.push(line) }
    }
    give_small_values(&mut classes, &ignored);
    Table { reading, classes, ignored, unnamed }
}

fn numbers(found: &Found) -> impl Iterator<Item = (u16, Count)> {
    found.numbers.counts.iter().filter_map(|(value, count)| match value {
        Value::Number(number) => Some((*number, *count)),
        Value::Color(_) => None,
    })
}

fn colors(found: &Found) -> impl Iterator<Item = ([u8; 3], Count)> {
    found.colors.counts.iter().filter_map(|(value, count)| match value {
        Value::Color(color) => Some((*color, *count)),
        Value::Number(_) => None,
    })
}

/// What is written for a class has to be at most 255: a class of larger values gets a free small one in front.
fn give_small_values(classes: &mut [Line], ignored: &[Line]) {
    let taken: BTreeSet<u16> =
        classes.iter().chain(ignored).flat_map(|l| l.native.iter().copied()).collect();
    let mut free = (0..=254).filter(|v| !taken.contains(v));
    for line in classes.iter_mut().filter(|l| l.native.first().is_some_and(|v| *v > 255)) {
        if let Some(value) = free.next() {
            line.native.insert(0, value);
        }
    }
}

fn color_of(at: usize, background: bool) -> [u8; 3] {
    if background { BACKGROUND } else { distinct_color(at) }
}

/// Two entries of one name would be refused: the later ones get a number.
fn distinct_names(table: &mut Table) {
    let mut seen = BTreeSet::new();
    for line in table.classes.iter_mut().chain(&mut table.ignored) {
        let name = line.name.clone();
        let mut number = 2;
        while !seen.insert(line.name.clone()) {
            line.name = format!("{name} {number}");
            number += 1;
        }
    }
}
