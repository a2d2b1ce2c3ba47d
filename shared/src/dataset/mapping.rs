//! Values in label files to train ids, by tables: one total function for each way of labelling.
//! Not the decoding of files, and not the names of classes.
//! Tables of 16-bit entries whose high bit means "unknown" keep the loop over pixels free of branches.

use std::collections::HashMap;

use super::values::Value;
use crate::decode::{RawLabel, Values};
use crate::labels::IGNORE;

/// Marks a value that the descriptor does not mention.
const UNKNOWN: u16 = 0x100;

/// A total map from values (or colours) to train ids.
#[derive(Clone, Debug)]
pub(super) struct Mapping {
    bytes: [u16; 256],
    /// The values up to the largest known one, and one more that stands for all above.
    words: Vec<u16>,
    colors: HashMap<[u8; 3], u16>,
}

/// The first pixel whose value the descriptor does not mention.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unknown {
    pub x: usize,
    pub y: usize,
}

impl Mapping {
    /// From pairs (value, train id or [`IGNORE`]) and the same for colours.
    pub fn new(values: &[(u16, u8)], colors: &[([u8; 3], u8)]) -> Self {
        let top = values.iter().map(|v| usize::from(v.0)).max().map_or(0, |m| m + 1);
        let mut words = vec![UNKNOWN; top + 1];
        for &(value, id) in values {
            words[usize::from(value)] = u16::from(id);
        }
        let bytes = std::array::from_fn(|v| words[v.min(top)]);
        let colors = colors.iter().map(|&(c, id)| (c, u16::from(id))).collect();
        Self { bytes, words, colors }
    }

    /// Of files that hold train ids already: 0..classes, and 255 for ignored.
    pub fn identity(classes: usize) -> Self {
        let ids = (0..classes as u16).chain([u16::from(IGNORE)]);
        Self::new(&ids.map(|v| (v, v as u8)).collect::<Vec<_>>(), &[])
    }

    /// The train id of a value, [`IGNORE`], or `None` if it is unknown.
    pub fn get(&self, value: u16) -> Option<u8> {
        known(self.words[usize::from(value).min(self.words.len() - 1)])
    }

    /// Train ids, row by row, of a label.
    pub fn apply(&self, raw: &RawLabel) -> Result<Vec<u8>, Unknown> {
        let mut seen = 0;
        let mut note = |id: u16| {
            seen |= id;
            id as u8
        };
        let top = self.words.len() - 1;
        let out: Vec<u8> = match &raw.values {
            Values::Bytes(v) => v.iter().map(|&v| note(self.bytes[usize::from(v)])).collect(),
            Values::Words(v) => {
                v.iter().map(|&v| note(self.words[usize::from(v).min(top)])).collect()
            }
            Values::Colors(v) => {
                // Neighbours mostly share their colour: look it up once a run.
                let mut last = ([0; 3], self.color([0; 3]));
                let mut look_up = |c| {
                    if c != last.0 {
                        last = (c, self.color(c));
                    }
                    last.1
                };
                v.iter().map(|&c| note(look_up(c))).collect()
            }
        };
        if seen & UNKNOWN == 0 { Ok(out) } else { Err(self.first_unknown(raw)) }
    }

    /// The train id of a number or colour, [`IGNORE`], or `None` if it is unknown.
    pub fn id(&self, value: Value) -> Option<u8> {
        match value {
            Value::Number(n) => self.get(n),
            Value::Color(c) => known(self.color(c)),
        }
    }

    /// All known colours, in no order.
    pub fn colors(&self) -> impl Iterator<Item = [u8; 3]> {
        self.colors.keys().copied()
    }

    fn color(&self, color: [u8; 3]) -> u16 {
        self.colors.get(&color).copied().unwrap_or(UNKNOWN)
    }

    /// Where [`Mapping::apply`] fails first.
    fn first_unknown(&self, raw: &RawLabel) -> Unknown {
        let found = match &raw.values {
            Values::Bytes(v) => v.iter().position(|&v| self.get(v.into()).is_none()),
            Values::Words(v) => v.iter().position(|&v| self.get(v).is_none()),
            Values::Colors(v) => v.iter().position(|&c| known(self.color(c)).is_none()),
        };
        let (i, width) = (found.unwrap_or(0), raw.width as usize);
        Unknown { x: i % width, y: i / width }
    }
}

fn known(id: u16) -> Option<u8> {
    u8::try_from(id).ok()
}
