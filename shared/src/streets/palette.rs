//! What things are (for labels), what they are made of (for texture), and the colours they come in.
//! No geometry and no light. Source: own choice; the things follow the Cityscapes label list.

use super::math::Rgb;

/// What a pixel shows, finer than the classes of any one layout; `layouts` maps it on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thing {
    Road,
    LaneMarking,
    Sidewalk,
    Grass,
    Building,
    Fence,
    Vegetation,
    Sky,
    Car,
    Truck,
    Pole,
    TrafficLight,
    TrafficSign,
    Person,
    Rider,
    Bicycle,
    /// Bins, hydrants, benches and the like: void in every layout that has a void.
    Clutter,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Material {
    Sky,
    Asphalt,
    Paint,
    Paving,
    Plaster,
    Brick,
    Concrete,
    Roof,
    Glass,
    Leaf,
    Grass,
    Bark,
    Wood,
    Smooth,
    Lamp,
}

/// Everything about a surface that the last pass wants to know.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub thing: Thing,
    pub material: Material,
    /// Turned away from the sun: a cast shadow changes nothing on it.
    pub shaded: bool,
    /// Number of the object within the scene, 0 for what is not counted.
    pub instance: u16,
}

impl Look {
    pub const fn new(thing: Thing, material: Material) -> Self {
        Look { thing, material, shaded: false, instance: 0 }
    }

    pub const fn of(self, material: Material) -> Self {
        Look { material, ..self }
    }

    pub const fn shaded(self, shaded: bool) -> Self {
        Look { shaded, ..self }
    }

    pub const fn number(self, instance: u16) -> Self {
        Look { instance, ..self }
    }
}

pub const PLASTER: [Rgb; 10] = [
    [0.80, 0.74, 0.62],
    [0.74, 0.66, 0.52],
    [0.84, 0.81, 0.74],
    [0.70, 0.60, 0.52],
    [0.78, 0.62, 0.50],
    [0.66, 0.68, 0.66],
    [0.74, 0.72, 0.60],
    [0.62, 0.64, 0.70],
    [0.86, 0.76, 0.58],
    [0.58, 0.52, 0.48],
];
pub const BRICK: [Rgb; 5] = [
    [0.52, 0.29, 0.22],
    [0.60, 0.38, 0.28],
    [0.45, 0.27, 0.22],
    [0.66, 0.50, 0.38],
    [0.40, 0.32, 0.29],
];
pub const STONE: [Rgb; 4] =
    [[0.55, 0.54, 0.51], [0.62, 0.60, 0.56], [0.47, 0.47, 0.48], [0.66, 0.62, 0.53]];
pub const ROOF: [Rgb; 5] = [
    [0.50, 0.27, 0.20],
    [0.42, 0.25, 0.20],
    [0.30, 0.29, 0.30],
    [0.24, 0.25, 0.28],
    [0.47, 0.33, 0.25],
];
pub const SHUTTER: [Rgb; 5] = [
    [0.25, 0.36, 0.28],
    [0.40, 0.24, 0.18],
    [0.28, 0.34, 0.44],
    [0.60, 0.58, 0.52],
    [0.36, 0.16, 0.16],
];
pub const SHOP: [Rgb; 9] = [
    [0.72, 0.14, 0.13],
    [0.12, 0.27, 0.58],
    [0.10, 0.42, 0.24],
    [0.88, 0.68, 0.14],
    [0.16, 0.16, 0.18],
    [0.84, 0.82, 0.78],
    [0.52, 0.18, 0.38],
    [0.86, 0.42, 0.12],
    [0.14, 0.46, 0.52],
];
pub const CAR: [Rgb; 12] = [
    [0.10, 0.10, 0.11],
    [0.16, 0.17, 0.19],
    [0.34, 0.35, 0.37],
    [0.62, 0.63, 0.65],
    [0.70, 0.71, 0.72],
    [0.86, 0.86, 0.85],
    [0.88, 0.88, 0.86],
    [0.52, 0.09, 0.09],
    [0.12, 0.20, 0.42],
    [0.20, 0.34, 0.52],
    [0.17, 0.28, 0.22],
    [0.58, 0.50, 0.38],
];
pub const LEAF: [Rgb; 7] = [
    [0.22, 0.36, 0.13],
    [0.28, 0.40, 0.15],
    [0.17, 0.30, 0.13],
    [0.33, 0.42, 0.18],
    [0.24, 0.34, 0.20],
    [0.46, 0.40, 0.14],
    [0.50, 0.30, 0.13],
];
pub const CLOTH: [Rgb; 14] = [
    [0.10, 0.10, 0.12],
    [0.14, 0.15, 0.20],
    [0.18, 0.22, 0.34],
    [0.28, 0.29, 0.31],
    [0.42, 0.40, 0.37],
    [0.72, 0.71, 0.68],
    [0.55, 0.14, 0.15],
    [0.20, 0.33, 0.50],
    [0.24, 0.34, 0.24],
    [0.40, 0.30, 0.22],
    [0.62, 0.52, 0.36],
    [0.76, 0.62, 0.22],
    [0.48, 0.26, 0.42],
    [0.70, 0.36, 0.26],
];
pub const TROUSERS: [Rgb; 7] = [
    [0.10, 0.10, 0.12],
    [0.15, 0.18, 0.28],
    [0.22, 0.28, 0.42],
    [0.32, 0.30, 0.27],
    [0.50, 0.45, 0.36],
    [0.26, 0.26, 0.28],
    [0.18, 0.16, 0.15],
];
pub const SKIN: [Rgb; 5] = [
    [0.86, 0.68, 0.56],
    [0.78, 0.58, 0.45],
    [0.62, 0.43, 0.31],
    [0.44, 0.29, 0.20],
    [0.90, 0.74, 0.64],
];
pub const HAIR: [Rgb; 5] = [
    [0.10, 0.08, 0.07],
    [0.24, 0.16, 0.10],
    [0.44, 0.32, 0.18],
    [0.60, 0.58, 0.55],
    [0.32, 0.14, 0.08],
];
pub const METAL: [Rgb; 5] = [
    [0.44, 0.45, 0.46],
    [0.34, 0.35, 0.36],
    [0.22, 0.25, 0.24],
    [0.56, 0.57, 0.57],
    [0.17, 0.18, 0.19],
];
