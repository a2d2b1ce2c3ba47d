//! The figures of a comparison: the paper's Fig. 3, and errors per class.
//! Not their layout, which is `shared::render::Figure`; here is what stands in the cells.
//! Columns of Fig. 3: image, truth, one per model.

use shared::dataset::Index;
use shared::metrics::Confusion;
use shared::render::{
    Cell, Entry, FALSE_COLOR, Figure, Kind, MISSED_COLOR, Palette, RIGHT_COLOR, Rect, Row,
    class_entries, error_map,
};

use super::interest::Interest;
use crate::score::Scene;
use crate::table::percent;

fn photo(scene: &Scene) -> Cell {
    Cell { picture: scene.image.clone(), kind: Kind::Photo, caption: String::new() }
}

/// A row of Fig. 3.
pub fn row(scene: &Scene, index: &Index, regions: Vec<Rect>) -> Row {
    let palette = Palette::new(&index.descriptor.classes);
    let map = |labels| Cell {
        picture: palette.paint(labels),
        kind: Kind::Labels,
        caption: String::new(),
    };
    let mut cells = vec![photo(scene), map(&scene.truth)];
    cells.extend(scene.predictions.iter().map(map));
    Row { caption: index.samples[scene.place].name.clone(), cells, regions }
}

/// The whole of Fig. 3; in its legend a star marks the `rare` classes.
pub fn figure(
    index: &Index,
    names: &[String],
    rows: Vec<Row>,
    rare: &[usize],
    note: String,
) -> Figure {
    let columns =
        ["image", "truth"].into_iter().map(str::to_owned).chain(names.iter().cloned()).collect();
    let mut legend = class_entries(&index.descriptor.classes);
    rare.iter().for_each(|&class| legend[class].name += " *");
    legend.push(Entry::new("ignored", shared::render::IGNORED_COLOR));
    Figure { title: String::new(), columns, rows, legend, note }
}

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
            caption: index.samples[scene.place].name.clone(),
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
