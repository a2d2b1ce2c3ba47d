//! The values that label files hold, before anything is made of them: how often, and in how many files.
//! Not counts of classes: two values may mean one class, and some mean none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::descriptor::Descriptor;
use super::values::{Found, Value, name, text};

/// Different values that are kept: more are no class labels.
pub(crate) const MOST: usize = 1024;

/// Pixels and files that a value occurs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub pixels: u64,
    pub files: u64,
}

/// How often values occur over many labels.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram {
    pub counts: BTreeMap<Value, Count>,
}

/// A value, how often it occurs, and what it means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueCount {
    /// A number, or a colour as "[128, 64, 0]".
    pub value: String,
    /// The name of the class or of the ignored entry; nothing if the value is unknown.
    pub meaning: Option<String>,
    /// Its pixels.
    pub pixels: u64,
    /// Label files it occurs in.
    pub images: u64,
}

impl Histogram {
    /// Adds the values of one label.
    pub fn add(&mut self, label: &Found) {
        for (&value, &pixels) in label.counts() {
            if self.counts.len() <= MOST || self.counts.contains_key(&value) {
                let count = self.counts.entry(value).or_default();
                count.pixels += pixels;
                count.files += 1;
            }
        }
    }

    /// All values, ascending, with what each means in labels of this form.
    pub fn values(&self, descriptor: &Descriptor, form: usize) -> Vec<ValueCount> {
        let form = &descriptor.labels[form];
        let value = |(&value, count): (&Value, &Count)| ValueCount {
            value: text(value),
            meaning: form.mapping.id(value).map(|id| name(descriptor, form, value, id)),
            pixels: count.pixels,
            images: count.files,
        };
        self.counts.iter().map(value).collect()
    }
}
