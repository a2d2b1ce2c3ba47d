//! Train ids where the data set's own ids belong, and the reverse: found by the values themselves.
//! Not a guess from one picture: in doubt a label is taken for what its name says.
//! The rule, which is about Cityscapes but holds for any data set whose two numberings differ:
//!
//! 1. A value that the numbering does not have is an error anyway. If all values of that file exist in the
//!    other numbering, the hint says so. (Real trainIds files contain 255, which labelIds never do; real
//!    labelIds contain values above 18, which trainIds never do. So this catches nearly everything.)
//! 2. Files of train ids without a single ignored pixel pass rule 1. Over several files taken together it
//!    is called a mix-up if no value reaches the number of classes, at least five different values
//!    occur, some of them are classes, and yet more than half of the pixels would be ignored. Street
//!    scenes without vegetation, sky, people or vehicles are not like that; nor are the labels of a
//!    test split, which hold ignored values only.

use super::Descriptor;
use super::descriptor::LabelForm;
use super::file::Ids;
use crate::decode::{RawLabel, Values};
use crate::error::Error;
use crate::labels::IGNORE;

/// How often each value of 8 bits occurs in labels of the data set's own ids.
#[derive(Clone, Debug)]
pub(super) struct Evidence {
    counts: [u64; 256],
}

impl Evidence {
    pub fn new() -> Self {
        Self { counts: [0; 256] }
    }

    /// Adds a label's values; those of 16 bits and colours are never mixed up.
    pub fn add(&mut self, counts: &[u64; 256]) {
        self.counts.iter_mut().zip(counts).for_each(|(sum, c)| *sum += c);
    }

    /// An error, without the files' names, if rule 2 says that these are train ids.
    pub fn verdict(&self, descriptor: &Descriptor) -> Option<Error> {
        let c = descriptor.num_classes();
        let found = || (0..256usize).filter(|&v| self.counts[v] > 0);
        let total: u64 = self.counts.iter().sum();
        let ignored: u64 = found()
            .filter(|&v| descriptor.to_train(v as u16) == Some(IGNORE))
            .map(|v| self.counts[v])
            .sum();
        let mixed_up = found().count() >= 5
            && found().all(|v| v < c)
            && ignored < total
            && 2 * ignored > total;
        mixed_up.then(|| {
            let share = 100 * ignored / total;
            let line = format!(
                "expected the ids of {}, got what looks like train ids: no value above {}, and {share} % would be ignored",
                descriptor.name,
                c - 1
            );
            Error::request(line).hint(train_ids_hint(descriptor))
        })
    }
}

/// Whether rule 2 could ever find something: some number is a train id and an ignored value.
pub(super) fn possible(descriptor: &Descriptor) -> bool {
    (0..descriptor.num_classes()).any(|v| descriptor.to_train(v as u16) == Some(IGNORE))
}

/// Rule 1: what to say of a file with an unknown value.
pub(super) fn hint(descriptor: &Descriptor, form: &LabelForm, raw: &RawLabel) -> Option<String> {
    let c = descriptor.num_classes();
    let train_ids = |v: u16| usize::from(v) < c || v == u16::from(IGNORE);
    let all = |known: &dyn Fn(u16) -> bool| match &raw.values {
        Values::Bytes(v) => v.iter().all(|&v| known(v.into())),
        Values::Words(v) => v.iter().all(|&v| known(v)),
        Values::Colors(_) => false,
    };
    match form.ids {
        Ids::Native if all(&train_ids) => Some(train_ids_hint(descriptor)),
        Ids::Train if all(&|v| descriptor.to_train(v).is_some()) => {
            let native = descriptor.labels.iter().find(|f| f.ids == Ids::Native);
            Some(match native {
                Some(f) => format!(
                    "these look like the data set's own ids: their place is {}",
                    f.files.text()
                ),
                None => {
                    "these look like the data set's own ids: describe them without ids = \"train\""
                        .into()
                }
            })
        }
        _ => None,
    }
}

fn train_ids_hint(descriptor: &Descriptor) -> String {
    let last = descriptor.num_classes() - 1;
    let look = format!("the values look like train ids (0 to {last} and 255)");
    match descriptor.labels.iter().find(|f| f.ids == Ids::Train) {
        Some(f) => format!("{look}: the place of such files is {}", f.files.text()),
        None => format!("{look}: describe such files with ids = \"train\""),
    }
}
