//! The table of classes: what each thing is called in each of the layouts that scenes are written in.
//! No files here. Source: the Cityscapes scripts' labels.py, the SYNTHIA-SEQS description, SegNet's CamVid.

use super::palette::Thing;

/// Ids of one thing in every layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
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

/// The ids of a thing.
pub const fn row(thing: Thing) -> Row {
    // streets, cityscapes, counted there, synthia, camvid
    match thing {
        Thing::Road => ids(0, 7, false, 3, 3),
        Thing::LaneMarking => ids(1, 7, false, 12, 3),
        Thing::Sidewalk => ids(2, 8, false, 4, 4),
        Thing::Grass => ids(5, 22, false, 6, 5),
        Thing::Building => ids(3, 11, false, 2, 1),
        Thing::Fence => ids(4, 13, false, 5, 7),
        Thing::Vegetation => ids(5, 21, false, 6, 5),
        Thing::Sky => ids(6, 23, false, 1, 0),
        Thing::Car => ids(7, 26, true, 8, 8),
        Thing::Truck => ids(7, 27, true, 8, 8),
        Thing::Pole => ids(8, 17, false, 7, 2),
        Thing::TrafficLight => ids(9, 19, false, 15, 6),
        Thing::TrafficSign => ids(10, 20, false, 9, 6),
        Thing::Person => ids(11, 24, true, 10, 9),
        Thing::Rider => ids(11, 25, true, 10, 10),
        Thing::Bicycle => ids(12, 33, true, 11, 10),
        Thing::Clutter => ids(255, 4, false, 0, 11),
    }
}

const fn ids(streets: u8, cityscapes: u8, counted: bool, synthia: u8, camvid: u8) -> Row {
    Row { streets, cityscapes, counted, synthia, camvid }
}
