//! What is written of one scene in each layout: paths, pixels, PNG.
//! The set as a whole is `write`'s. Source: own; the layouts are those of Cityscapes, SYNTHIA-SEQS and
//! SegNet's CamVid.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};

use super::layouts::{Row, row};
use super::write::Layout;
use super::{Scene, StreetSettings};
use crate::dataset::Descriptor;
use crate::error::{Context, Result};
use crate::labels::IGNORE;

/// Where a scene belongs.
pub enum Destination {
    /// In a folder for its split, under this name.
    Split(&'static str, String),
    /// With this camera's pictures: side, direction, frame.
    Camera(&'static str, char, u64),
}

/// One picture of a scene: pixels as bytes, in the machine's order where they have 16 bits.
pub struct Picture {
    /// Below the set's folder.
    pub path: String,
    color: ExtendedColorType,
    bytes: Vec<u8>,
}

impl Picture {
    /// Writes it as PNG; on success it is on the disk, not merely on its way there.
    pub fn save(&self, path: &Path, settings: &StreetSettings) -> Result<()> {
        let cannot = || format!("{}: cannot write", path.display());
        // Labels have long equal runs, which filters only break up.
        let filter = if self.color == ExtendedColorType::Rgb8 {
            FilterType::Sub
        } else {
            FilterType::NoFilter
        };
        // In memory first: the encoder drops its writer, and with it the error of a last flush.
        let mut png = Vec::new();
        PngEncoder::new_with_quality(&mut png, CompressionType::Fast, filter)
            .write_image(&self.bytes, settings.width, settings.height, self.color)
            .work(cannot)?;
        let mut file = File::create(path).work(cannot)?;
        file.write_all(&png).and_then(|()| file.sync_all()).work(cannot)
    }
}

/// Every file of one scene.
pub fn files(
    layout: Layout,
    scene: &Scene,
    destination: &Destination,
    cityscapes: &Descriptor,
) -> Vec<Picture> {
    let rgb = |path: String| Picture {
        path,
        color: ExtendedColorType::Rgb8,
        bytes: scene.image.as_raw().clone(),
    };
    let ids = |path: String, id: &dyn Fn(&Row) -> u8| Picture {
        path,
        color: ExtendedColorType::L8,
        bytes: scene.things.iter().map(|&t| id(&row(t))).collect(),
    };
    match (layout, destination) {
        (_, Destination::Camera(side, way, frame)) => {
            let name = format!("Stereo_{side}/Omni_{way}/{frame:06}.png");
            let labels = scene.things.iter().zip(scene.instances.iter());
            let bytes = labels
                .flat_map(|(&t, &n)| [u16::from(row(t).synthia), n, 0])
                .flat_map(u16::to_ne_bytes)
                .collect();
            vec![
                rgb(format!("RGB/{name}")),
                Picture {
                    path: format!("GT/LABELS/{name}"),
                    color: ExtendedColorType::Rgb16,
                    bytes,
                },
            ]
        }
        (Layout::Cityscapes, Destination::Split(split, name)) => {
            let base = format!("gtFine/{split}/streets/{name}_gtFine");
            let train = |r: &Row| cityscapes.to_train(u16::from(r.cityscapes)).unwrap_or(IGNORE);
            vec![
                rgb(format!("leftImg8bit/{split}/streets/{name}_leftImg8bit.png")),
                ids(format!("{base}_labelIds.png"), &|r| r.cityscapes),
                ids(format!("{base}_labelTrainIds.png"), &train),
                Picture {
                    path: format!("{base}_instanceIds.png"),
                    color: ExtendedColorType::L16,
                    bytes: instance_ids(scene),
                },
            ]
        }
        (Layout::Camvid, Destination::Split(split, name)) => {
            vec![
                rgb(format!("{split}/{name}.png")),
                ids(format!("{split}annot/{name}.png"), &|r| r.camvid),
            ]
        }
        (_, Destination::Split(split, name)) => {
            vec![
                rgb(format!("images/{split}/{name}.png")),
                ids(format!("labels/{split}/{name}.png"), &|r| r.streets),
            ]
        }
    }
}

/// Cityscapes' instance ids: the class's id, or 1000 times that plus a count from 0 for single objects.
fn instance_ids(scene: &Scene) -> Vec<u8> {
    let mut numbers: HashMap<(u8, u16), u16> = HashMap::new();
    let mut next = [0u16; 256];
    let labels = scene.things.iter().zip(scene.instances.iter());
    let ids = labels.map(|(&thing, &object)| {
        let r = row(thing);
        if !r.counted {
            return u16::from(r.cityscapes);
        }
        let free = &mut next[r.cityscapes as usize];
        let number = *numbers.entry((r.cityscapes, object)).or_insert_with(|| {
            *free += 1;
            *free - 1
        });
        // Cityscapes has room for a thousand of a kind; the last number takes the rest.
        u16::from(r.cityscapes) * 1000 + number.min(999)
    });
    ids.flat_map(u16::to_ne_bytes).collect()
}
