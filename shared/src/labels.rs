//! The vocabulary of labels: what a class is, and which value is ignored.
//! Not which class a data set's values belong to: that is `dataset`.
//! Train ids are 0..C-1 in the order of a data set's classes, as in the Cityscapes scripts.

use serde::{Deserialize, Serialize};

/// Train id of ignored pixels: they count in no loss, metric or statistic.
pub const IGNORE: u8 = 255;

/// The most classes a data set can have: train ids are bytes, and 255 is taken.
pub const MAX_CLASSES: usize = 255;

/// One class; its train id is its place in the data set's list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Class {
    /// Name, unique in its data set, lower case with blanks: "traffic light".
    pub name: String,
    /// Colour in pictures, (R, G, B).
    pub color: [u8; 3],
    /// Value that stands for the class in label files this project writes in the data set's own encoding.
    pub native_id: u8,
}

/// The place in `classes` (the train id) of the class called `name`.
pub fn find(classes: &[Class], name: &str) -> Option<usize> {
    classes.iter().position(|c| c.name == name)
}
