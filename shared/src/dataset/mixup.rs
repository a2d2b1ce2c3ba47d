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
//!    test split, which hold ignored values only. Labels of a few pixels an image are, so it takes a
//!    data set that has files of train ids, and thus something to mix up.

use super::Descriptor;
use super::descriptor::LabelForm;
use super::file::Ids;
use super::values::Found;
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
        let place = place(descriptor, Ids::Train)?;
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
            let hint = train_ids_hint(c, place);
            let way_out = "labels that are right all the same need a descriptor without that place";
            Error::request(line).hint(format!("{hint}; {way_out}"))
        })
    }
}

/// Whether train ids can go unnoticed by rule 1: some number is a train id and an ignored value.
pub(super) fn possible(descriptor: &Descriptor) -> bool {
    (0..descriptor.num_classes()).any(|v| descriptor.to_train(v as u16) == Some(IGNORE))
}

/// Rule 1: what to say of files with these values, of which some are unknown.
pub(super) fn hint(descriptor: &Descriptor, form: &LabelForm, found: &Found) -> Option<String> {
    match form.ids {
        // Without a place for them it would be a guess, and who follows a wrong one trains on shifted classes.
        Ids::Native if only_train_ids(descriptor, found) => {
            Some(train_ids_hint(descriptor.num_classes(), place(descriptor, Ids::Train)?))
        }
        Ids::Train if all(found, |v| descriptor.to_train(v).is_some()) => {
            let look = "these look like the data set's own ids";
            Some(match place(descriptor, Ids::Native) {
                Some(place) => format!("{look}: their place is {place}"),
                None => format!("{look}: describe them without ids = \"train\""),
            })
        }
        _ => None,
    }
}

/// Whether all values found are train ids too.
pub(super) fn only_train_ids(descriptor: &Descriptor, found: &Found) -> bool {
    let classes = descriptor.num_classes();
    all(found, |v| usize::from(v) < classes || v == u16::from(IGNORE))
}

fn all(found: &Found, known: impl Fn(u16) -> bool) -> bool {
    found.numbers().next().is_some() && found.numbers().all(known)
}

fn train_ids_hint(classes: usize, place: &str) -> String {
    let last = classes - 1;
    format!(
        "the values look like train ids (0 to {last} and 255): the place of such files is {place}"
    )
}

/// Where files of such ids lie, if the data set has any.
fn place(descriptor: &Descriptor, ids: Ids) -> Option<&str> {
    descriptor.labels.iter().find(|f| f.ids == ids).map(|f| f.files.text())
}
