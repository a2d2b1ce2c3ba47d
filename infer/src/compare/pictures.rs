//! The figure of a comparison that shows errors on one class: what stands in its cells.
//! Not its layout, which is `shared::render::Figure`, nor the paper's Fig. 3, which is `shared::compare`.

use shared::compare::{Interest, Scene, photo};
use shared::dataset::Index;
use shared::metrics::Confusion;
use shared::render::{
    Cell, Entry, FALSE_COLOR, Figure, Kind, MISSED_COLOR, RIGHT_COLOR, Row, error_map,
};

use crate::table::percent;

/// Right, missed and false pixels of one class in one scene, a column per model.
pub fn errors(
    scene: &Scene,
    index: &Index,
    names: &[String],
    class: usize,
    interest: &Interest,
    split: &[&Confusion],
) -> Figure {
    let label = class as u8; // class tables have at most 255 entries
    let cell = |prediction| {
        let (picture, counts) = error_map(&scene.image, &scene.truth, prediction, label);
        let found = percent(counts.accuracy(), 1);
        let caption = format!(
            "found {found} %: right {}, missed {}, false {} pixels",
            counts.right, counts.missed, counts.wrong
        );
        Cell { picture, kind: Kind::Labels, caption }
    };
    let cells = std::iter::once(photo(scene)).chain(scene.predictions.iter().map(cell)).collect();
    let name = &index.descriptor.classes[class].name;
    let over_split: Vec<String> = names
        .iter()
        .zip(split)
        .map(|(model, confusion)| {
            let report = confusion.report(&index.descriptor.classes);
            let class = &report.classes[class];
            let part = |v: Option<f64>| v.map_or("none".into(), |_| format!("{} %", percent(v, 1)));
            format!("{model} found {} (precision {})", part(class.accuracy), part(class.precision))
        })
        .collect();
    Figure {
        title: format!("Errors on {name:?}"),
        columns: std::iter::once("image".to_owned()).chain(names.iter().cloned()).collect(),
        rows: vec![Row {
            caption: index.samples[scene.index].name.clone(),
            cells,
            regions: interest.regions_of(class, scene, 2),
        }],
        legend: vec![
            Entry::new("right", RIGHT_COLOR),
            Entry::new("missed", MISSED_COLOR),
            Entry::new("false", FALSE_COLOR),
        ],
        note: format!("Over all {} images: {}.", index.samples.len(), over_split.join(", ")),
    }
}
