//! The pictures of a browse: a sheet of pairs, and each sample for itself.
//! Not the choice of samples. Figures and legends are `render`'s; ignored pixels are darkened, so that they are seen.

use image::{GrayImage, Rgb, RgbImage};

use super::Browse;
use crate::error::Result;
use crate::labels::IGNORE;
use crate::render::{Cell, Entry, Figure, IGNORED_COLOR, Kind, Palette, Row, paste, scale};

/// Opacity of labels over the image: both are to be seen.
const OPACITY: f32 = 0.55;
/// Width of a picture on the sheet, in pixels.
const CELL: u32 = 360;
/// Samples beside each other on the sheet.
const ABREAST: usize = 2;
/// Classes named below a sample.
const NAMED: usize = 3;

pub(super) fn sheet(browse: &Browse, samples: &[usize]) -> Result<RgbImage> {
    let abreast = ABREAST.min(samples.len().max(1));
    let rows = samples.chunks(abreast).map(|pair| row(browse, pair)).collect::<Result<Vec<_>>>()?;
    let columns = ["image", "labels over the image"].iter().cycle().take(2 * abreast);
    let index = browse.index;
    let figure = Figure {
        title: format!(
            "{}, {}: {} of {} images",
            index.descriptor.name,
            index.split,
            samples.len(),
            index.samples.len()
        ),
        columns: columns.map(|c| c.to_string()).collect(),
        rows,
        legend: legend(browse, None),
        note: "Do outlines meet their objects, left and right included? Does each colour mean what its name says?"
            .into(),
    };
    Ok(figure.draw(CELL))
}

pub(super) fn single(browse: &Browse, sample: usize) -> Result<RgbImage> {
    let (image, label) = browse.index.load(sample)?;
    let width = image.width().clamp(CELL, 960);
    let cell = |picture, kind| Cell { picture, kind, caption: String::new() };
    let figure = Figure {
        title: browse.index.samples[sample].name.clone(),
        columns: ["image", "labels over the image", "labels"].map(String::from).to_vec(),
        rows: vec![Row {
            caption: String::new(),
            cells: vec![
                cell(image.clone(), Kind::Photo),
                cell(washed(browse, &image, &label), Kind::Photo),
                cell(Palette::new(&browse.classes).paint(&label), Kind::Labels),
            ],
            regions: Vec::new(),
        }],
        legend: legend(browse, Some(sample)),
        note: String::new(),
    };
    Ok(figure.draw(width))
}

/// Up to [`ABREAST`] samples; pictures of another shape than the first are fitted into its shape.
fn row(browse: &Browse, samples: &[usize]) -> Result<Row> {
    let mut cells = Vec::new();
    let mut shape = None;
    for &sample in samples {
        let (image, label) = browse.index.load(sample)?;
        let over = washed(browse, &image, &label);
        let (width, height) = *shape.get_or_insert_with(|| {
            let height = u64::from(image.height()) * u64::from(CELL) / u64::from(image.width());
            (CELL, (height as u32).clamp(1, 2 * CELL))
        });
        let captions = [browse.index.samples[sample].name.clone(), contents(browse, sample)];
        for (picture, caption) in [image, over].into_iter().zip(captions) {
            let picture = fitted(&picture, width, height);
            cells.push(Cell { picture, kind: Kind::Photo, caption });
        }
    }
    Ok(Row { caption: String::new(), cells, regions: Vec::new() })
}

fn washed(browse: &Browse, image: &RgbImage, label: &GrayImage) -> RgbImage {
    let mut wash = Palette::new(&browse.classes).wash(OPACITY);
    wash.set(IGNORE, IGNORED_COLOR, OPACITY);
    let mut over = image.clone();
    wash.apply(&mut over, label);
    over
}

/// The picture in the middle of a white one of this size, as large as it goes.
fn fitted(picture: &RgbImage, width: u32, height: u32) -> RgbImage {
    let (w, h) = (u64::from(picture.width()), u64::from(picture.height()));
    let (to_w, to_h) = (u64::from(width), u64::from(height));
    let (fit_w, fit_h) =
        if w * to_h > h * to_w { (to_w, h * to_w / w) } else { (w * to_h / h, to_h) };
    let small = scale(picture, fit_w.max(1) as u32, fit_h.max(1) as u32, Kind::Photo);
    let mut canvas = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    paste(&mut canvas, &small, (width - small.width()) / 2, (height - small.height()) / 2);
    canvas
}

/// The classes of a sample, the largest first: "road 41 %, tree 30 %, and 4 more".
fn contents(browse: &Browse, sample: usize) -> String {
    let present = shares(browse, sample);
    let named: Vec<String> = present
        .iter()
        .take(NAMED)
        .map(|(class, share)| format!("{} {}", browse.classes[*class].name, percent(*share)))
        .collect();
    match present.len() {
        0 => "all ignored".into(),
        n if n > NAMED => format!("{}, {} more", named.join(", "), n - NAMED),
        _ => named.join(", "),
    }
}

/// Train ids and shares of all pixels, the largest first.
fn shares(browse: &Browse, sample: usize) -> Vec<(usize, f64)> {
    let pixels = browse.pixels(sample);
    let all = pixels.iter().sum::<u64>().max(1) as f64;
    let mut shares: Vec<(usize, f64)> = (0..browse.classes.len())
        .filter(|&c| pixels[c] > 0)
        .map(|c| (c, pixels[c] as f64 / all))
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

fn percent(share: f64) -> String {
    match 100.0 * share {
        p if p >= 10.0 => format!("{p:.0} %"),
        p if p >= 0.1 => format!("{p:.1} %"),
        _ => "< 0.1 %".into(),
    }
}

/// All classes, or with their shares those of one sample; and what is ignored.
fn legend(browse: &Browse, sample: Option<usize>) -> Vec<Entry> {
    let entry = |class: usize, text: String| {
        let class = &browse.classes[class];
        Entry::new(format!("{}{text}", class.name), class.color)
    };
    let mut entries: Vec<Entry> = match sample {
        Some(sample) => {
            let shares = shares(browse, sample).into_iter();
            shares.map(|(class, share)| entry(class, format!(" {}", percent(share)))).collect()
        }
        None => {
            let absent: Vec<usize> = browse.absent().collect();
            let text = |c: &usize| if absent.contains(c) { " (in no label)" } else { "" };
            (0..browse.classes.len()).map(|c| entry(c, text(&c).into())).collect()
        }
    };
    let ignored = usize::from(IGNORE);
    let has_ignored = match sample {
        Some(sample) => browse.pixels(sample)[ignored] > 0,
        None => browse.counts.iter().any(|(_, n)| n[ignored] > 0),
    };
    if has_ignored {
        entries.push(Entry::new("ignored", IGNORED_COLOR));
    }
    entries
}
