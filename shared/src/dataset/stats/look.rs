//! One pair, looked at: what it holds, or what is wrong with it.
//! It knows nothing of the others; `sum` puts them together.

use super::super::file::Ids;
use super::super::index::{Index, histogram};
use super::super::looks::Seen;
use super::super::palettes::{Used, used};
use super::super::values::Found;
use super::Images;
use crate::decode::{self, RawLabel, Values};
use crate::error::Error;

/// What one pair holds.
pub(super) struct One {
    pub seen: Seen,
    /// Pixels by train id, 255 for ignored.
    pub ids: [u64; 256],
    /// Pixels by value, where a mix-up of ids is to be looked for.
    pub values: Option<Box<[u64; 256]>>,
    /// What kind of file the label is, and the entries of its palette that are used.
    pub kind: String,
    pub palette: Used,
    /// What the label file holds; nothing where it is masks.
    pub found: Option<Found>,
    /// Pixels in masks of several classes.
    pub overlap: u64,
}

/// What came of looking.
pub(super) enum Outcome {
    Sound(Box<One>),
    /// A file cannot be decoded.
    Damaged(Error),
    /// The label holds values that the descriptor does not have.
    Unknown(Found),
    /// Image and label do not fit together.
    Odd(Error),
}

impl One {
    pub fn look(index: &Index, i: usize, images: Images) -> Outcome {
        let path = &index.samples[i].image;
        let seen = match images {
            Images::Decoded => decode::look(path, index.tone).map(|looked| Seen::of(&looked)),
            Images::Headers => decode::header(path).map(Seen::of_header),
        };
        let raw = seen.and_then(|seen| Ok((seen, index.raw_label_and_overlap(i)?)));
        let (seen, (raw, overlap)) = match raw {
            Ok(both) => both,
            Err(error) => return Outcome::Damaged(error),
        };
        if let Err(error) = index.same_size(i, seen.size, (raw.width, raw.height)) {
            return Outcome::Odd(error);
        }
        match Self::count(index, i, seen, &raw) {
            Ok(one) => Outcome::Sound(Box::new(One { overlap, ..one })),
            Err(found) => Outcome::Unknown(found),
        }
    }

    fn count(
        index: &Index,
        i: usize,
        seen: Seen,
        raw: &RawLabel,
    ) -> std::result::Result<One, Found> {
        let form = index.form(i);
        let unknown = || Found::of(raw);
        let kind = raw.kind.clone();
        let found = form.masks.is_none().then(|| Found::of(raw));
        let Values::Bytes(bytes) = &raw.values else {
            let ids = histogram(&form.mapping.apply(raw).map_err(|_| unknown())?);
            return Ok(One { seen, ids, values: None, kind, palette: vec![], found, overlap: 0 });
        };
        // Values are few: mapping their counts is faster than mapping the pixels.
        let values = histogram(bytes);
        let mut ids = [0; 256];
        for (value, &count) in values.iter().enumerate().filter(|v| *v.1 > 0) {
            let id = form.mapping.get(value as u16).ok_or_else(unknown)?;
            ids[usize::from(id)] += count;
        }
        let palette = used(raw, &values);
        let values = (form.ids == Ids::Native).then(|| Box::new(values));
        Ok(One { seen, ids, values, kind, palette, found, overlap: 0 })
    }
}
