//! What is worth knowing of a split's images once they are decoded: turned by their EXIF tag, or of 16 bits of which
//! few grey levels are left. Not problems: lines that `stats` and `fit` show.

use super::index::Index;
use crate::decode::{Levels, Looked, PictureHeader};

/// Images named of each kind.
const NAMED: usize = 3;

/// What is kept of an image that was looked at.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub size: (u32, u32),
    orientation: u8,
    levels: Option<Levels>,
}

impl Seen {
    pub fn of(looked: &Looked) -> Self {
        let (size, orientation) = (looked.image.dimensions(), looked.orientation);
        Self { size, orientation, levels: looked.levels }
    }

    /// Of a header, which says nothing of grey levels.
    pub fn of_header(header: PictureHeader) -> Self {
        Self { size: header.size, orientation: header.orientation, levels: None }
    }
}

/// What was seen so far, by place in the index.
#[derive(Default)]
pub(super) struct Looks {
    turned: Vec<usize>,
    few: Vec<(usize, Levels)>,
}

impl Looks {
    /// Takes note of the image at `i`.
    pub fn add(&mut self, i: usize, seen: &Seen) {
        if seen.orientation != 1 {
            self.turned.push(i);
        }
        if let Some(levels) = seen.levels.filter(Levels::too_few) {
            self.few.push((i, levels));
        }
    }

    /// All there is to say.
    pub fn notes(&self, index: &Index) -> Vec<String> {
        let turned = (!self.turned.is_empty()).then(|| {
            let images = names(index, self.turned.iter().copied());
            format!(
                "image turned as its EXIF orientation tag says: {} ({images})",
                self.turned.len()
            )
        });
        turned.into_iter().chain(self.few_levels(index)).collect()
    }

    /// A line on the images of 16 bits that lose most of their grey levels.
    fn few_levels(&self, index: &Index) -> Option<String> {
        let (_, worst) = self.few.iter().min_by_key(|(_, levels)| levels.kept)?;
        let min = self.few.iter().map(|(_, levels)| levels.min).min()?;
        let max = self.few.iter().map(|(_, levels)| levels.max).max()?;
        let images = names(index, self.few.iter().map(|(i, _)| *i));
        let rule =
            index.tone.map_or("the upper 8 bits".to_owned(), |tone| format!("image = {tone}"));
        Some(format!(
            "image of 16 bits that keeps few grey levels: {} ({images}); the fewest are {} of {} with {rule}; \
             values are {min} to {max}: image = {{ min = {min}, max = {max} }} or image = \"stretch\" in the \
             descriptor keeps more",
            self.few.len(),
            worst.kept,
            worst.stored,
        ))
    }
}

fn names(index: &Index, images: impl ExactSizeIterator<Item = usize>) -> String {
    let more = if images.len() > NAMED { ", ..." } else { "" };
    let name = |i: usize| {
        let path = &index.samples[i].image;
        path.strip_prefix(&index.root).unwrap_or(path).display().to_string()
    };
    format!("{}{more}", images.take(NAMED).map(name).collect::<Vec<_>>().join(", "))
}
