//! Data sets: which images and labels belong together, and what the labels' values mean.
//! Not augmentation and not the order of training: those are the trainer's.
//! Built in are camvid, cityscapes, streets and synthia; any other is described by its user:
//!
//! ```toml
#![doc = include_str!("example.toml")]
//! ```
//!
//! | key | meaning |
//! |---|---|
//! | `name` | the data set's name in tables, files and models |
//! | `images` | where images lie, relative to the data root. `{word}` stands for a part of one folder's or file's name, `{split}` for the split, `{png\|jpg}` for one of several texts in any case, and `**` for any number of folders |
//! | `image` | how images come to 8 bits, in training and in the exported model: left out, of 16 bits the upper 8 are kept; `{ min = 7000, max = 9100 }`, for images of 16 bits: `min` and less become 0, `max` and more 255; `"stretch"`: such a window for each image, from the 1st to the 99th percentile of its values |
//! | `sample` | a sample's name, from the same words; `{name}` if it is left out. The folders that `**` stands for come before it, or where `{**}` is |
//! | `labels` | where labels lie, with the same words as `images`; of several places the first that has the file counts |
//! | `labels`, with `{class}` in `files` | one mask per class and image: what is not 0 (or black) belongs to the class called so (its `mask`, or its name). Words that images do not have may stand for anything. Where masks overlap the class further down in `classes` wins; `rest` names the class or ignored entry of pixels in no mask, `unmasked = "rest"` makes an image without masks all `rest` (left out: its label is missing). `{annotation}` is one a image |
//! | `label_names` | a table of images that are not called as their labels: an image's `{name}`, and the label's |
//! | `list` | in place of `split`: a file that lists what belongs to a split, as in `lists/{split}.txt`. On a line stands an image (its path, its file's or its sample's name, with ending or without), or an image and its label; in a `.csv` under a header, `image,label` |
//! | `encoding` | `index`: one number a pixel, grey of 1 to 16 bits, the indices of a palette, or RGB whose channels are equal (left out: this, and palettes have to agree from file to file); `channel`: one `channel` (0 is the first) of several, 8 or 16 bits each; `rgb`: a colour stands for a class |
//! | `ids` | `native`: the values of `classes` and `ignored` (left out: this); `train`: the place in `classes`, 255 is ignored |
//! | `split` | `by = "folder"` (left out: this), or by `random` with a `seed`, or in `blocks`: of each folder (or, where each image has one of its own, of the folder above) floor(`train` n) images, floor(`val` n), and the rest, which is `test` |
//! | `classes` | in the order of their train ids. `native`: a value or a list, of which the first (at most 255) is what is written; `color`: in pictures; `rgb`: colours in colour-coded labels, if they are others than `color`; `scored = false`: trained and predicted, but its pixels are left out of the metrics |
//! | `ignored` | what is left out of losses and metrics; the same keys |
//!
//! A value (or a colour) that is neither a class nor ignored is an error, and so is an unknown key.
//! With colour-coded labels `native` may be left out: it is then the place in `classes`.
//! Settings follow a name or a path after a colon: see [`Descriptor::find`].

mod advice;
mod descriptor;
mod file;
pub(crate) mod histogram;
mod index;
mod labelling;
mod list;
mod looks;
mod mapping;
mod masks;
mod mixup;
mod palettes;
mod pattern;
mod remedy;
mod split;
pub mod stats;
mod survey;
pub(crate) mod values;

pub use descriptor::Descriptor;
pub use histogram::ValueCount;
pub use index::{Index, Sample};
pub use palettes::Palette;
pub use stats::{Images, Stats, stats, stats_with};

#[cfg(test)]
mod tests;
