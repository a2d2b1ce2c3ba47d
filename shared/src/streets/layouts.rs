//! The table of classes: what each thing is called in each of the layouts that scenes are written in.
//! No files here. Source: the Cityscapes scripts' labels.py, the SYNTHIA-SEQS description, SegNet's CamVid.

use super::palette::Thing;

/// Ids of one thing in every layout.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    pub thing: Thing,
    /// Train id of the `streets` set, 255 void.
    pub streets: u8,
    /// Cityscapes label id (`labelIds`).
    pub cityscapes: u8,
    /// Whether Cityscapes counts its instances.
    pub counted: bool,
    /// SYNTHIA-SEQS class, first channel.
    pub synthia: u8,
    /// CamVid's eleven classes in SegNet's order, 11 void.
    pub camvid: u8,
}

const fn ids(thing: Thing, streets: u8, cityscapes: u8, counted: bool, synthia: u8, camvid: u8) -> Row {
    Row { thing, streets, cityscapes, counted, synthia, camvid }
}

/// In the order of `Thing`.
pub const TABLE: [Row; 17] = [
    ids(Thing::Road, 0, 7, false, 3, 3),
    ids(Thing::LaneMarking, 1, 7, false, 12, 3),
    ids(Thing::Sidewalk, 2, 8, false, 4, 4),
    ids(Thing::Grass, 5, 22, false, 6, 5),
    ids(Thing::Building, 3, 11, false, 2, 1),
    ids(Thing::Fence, 4, 13, false, 5, 7),
    ids(Thing::Vegetation, 5, 21, false, 6, 5),
    ids(Thing::Sky, 6, 23, false, 1, 0),
    ids(Thing::Car, 7, 26, true, 8, 8),
    ids(Thing::Truck, 7, 27, true, 8, 8),
    ids(Thing::Pole, 8, 17, false, 7, 2),
    ids(Thing::TrafficLight, 9, 19, false, 15, 6),
    ids(Thing::TrafficSign, 10, 20, false, 9, 6),
    ids(Thing::Person, 11, 24, true, 10, 9),
    ids(Thing::Rider, 11, 25, true, 10, 10),
    ids(Thing::Bicycle, 12, 33, true, 11, 10),
    ids(Thing::Clutter, 255, 4, false, 0, 11),
];

pub fn row(thing: Thing) -> &'static Row {
    &TABLE[thing as usize]
}
