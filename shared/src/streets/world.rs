//! The street itself: its cross-section, its crossings, and what kinds of objects there are.
//! Nothing is drawn here; everything is a function of the seed and of the place along the street,
//! so that a camera may drive through it. Source: own.

use super::math::{Dice, Rgb};
use super::palette;

/// Length of a block, width of a crossing street, height of the kerb, in metres.
pub const BLOCK: f32 = 48.0;
pub const CROSSING: f32 = 8.0;
pub const KERB: f32 = 0.12;

/// A line painted along the road: middle and half width in metres; dash 0 is solid.
pub struct Line {
    pub o: f32,
    pub wide: f32,
    pub dash: f32,
}

/// The cross-section and the character of one street. Index 0 is left, 1 right.
pub struct World {
    pub seed: u64,
    pub half_road: f32,
    pub lanes: usize,
    pub two_way: bool,
    pub parking: [f32; 2],
    pub verge: [f32; 2],
    pub walk: [f32; 2],
    pub lines: Vec<Line>,
    pub arrows: bool,
    /// How new the paint is, 0..1.
    pub fresh: f32,
    pub asphalt: Rgb,
    pub paving: Rgb,
    pub kerb: Rgb,
    pub lawn: Rgb,
    pub marking: Rgb,
    /// 0 suburb .. 1 centre of town.
    pub urban: f32,
    /// Distance between street trees in metres; 0 for none.
    pub trees: [f32; 2],
    pub leaf: Rgb,
    /// How full of people and cars, 0..1.
    pub busy: f32,
    pub lamps: f32,
}

/// What an object is; what it looks like comes from its seed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Bay { house: usize, bay: usize },
    End { house: usize },
    Tree { small: bool },
    Bush,
    Hedge { long: f32 },
    Fence { long: f32, style: u64 },
    Car { ahead: bool, across: bool },
    Person { walking: bool },
    Cyclist { ahead: bool },
    ParkedBike,
    Lamp,
    Signs,
    TrafficLight { faces: bool, arm: bool },
    Bollard,
    Clutter,
    Billboard,
}

/// One object at its place. `bias` is added to its depth when objects are sorted.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub s: f32,
    pub o: f32,
    pub seed: u64,
    pub bias: f32,
    pub kind: Kind,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed, 1, 0);
        let d = &mut dice;
        let two_way = d.chance(0.8);
        let lanes = if d.chance(0.68) { 1 } else { 2 };
        let parked = if d.chance(0.62) { 2.2 } else { 0.0 };
        let lane = d.range(2.9, 3.4);
        let driving = if two_way { lanes as f32 * lane } else { lane };
        let half_road = driving + parked;
        let urban = d.range(0.0, 1.0);
        let green = d.range(0.0, 1.0);
        let tree = |d: &mut Dice| if d.chance(0.5) { d.range(8.0, 17.0) } else { 0.0 };
        let trees = if d.chance(0.6) {
            let t = tree(d);
            [t, t]
        } else {
            [tree(d), tree(d)]
        };
        let verge = trees.map(|t| if t > 0.0 && green > 0.55 { 1.6 } else { 0.0 });
        let mut lines = Vec::new();
        let (wide, dash) = (d.range(0.06, 0.085), d.pick(&[2.0, 3.0, 4.0]));
        if two_way {
            let style = d.below(4);
            let gap = if style == 1 { 0.14 } else { 0.0 };
            if gap > 0.0 {
                lines.push(Line { o: -gap, wide, dash: 0.0 });
                lines.push(Line { o: gap, wide, dash: 0.0 });
            } else {
                lines.push(Line {
                    o: 0.0,
                    wide,
                    dash: if style == 0 && lanes == 2 { 0.0 } else { dash },
                });
            }
            for k in 1..lanes {
                for sign in [-1.0, 1.0] {
                    lines.push(Line { o: sign * k as f32 * lane, wide, dash });
                }
            }
        } else {
            lines.push(Line { o: 0.0, wide, dash });
        }
        if d.chance(0.75) {
            let o = driving - if parked > 0.0 { 0.0 } else { 0.35 };
            lines.push(Line { o: -o, wide, dash: 0.0 });
            lines.push(Line { o, wide, dash: 0.0 });
        }
        let grey = d.range(0.30, 0.47);
        let stone = d.range(0.50, 0.68);
        let warm = d.range(0.0, 0.06);
        World {
            seed,
            half_road,
            lanes,
            two_way,
            parking: [parked, parked],
            verge,
            walk: [d.range(1.9, 4.2), d.range(1.9, 4.2)],
            lines,
            arrows: d.chance(0.5),
            fresh: d.range(0.2, 1.0),
            asphalt: [grey, grey * 0.985, grey * d.range(0.96, 1.03)],
            paving: [stone + warm, stone, stone - warm * 0.8],
            kerb: [0.66, 0.65, 0.63],
            lawn: d.tint([0.30, 0.40, 0.17], 0.05),
            marking: d.pick(&[[0.92, 0.92, 0.90], [0.88, 0.88, 0.86], [0.90, 0.90, 0.86]]),
            urban,
            trees,
            leaf: d.pick(&palette::LEAF),
            busy: d.range(0.1, 1.0) * (0.55 + 0.45 * urban),
            lamps: d.range(22.0, 34.0),
        }
    }

    /// Where the property begins, from the middle of the road.
    pub fn line(&self, side: usize) -> f32 {
        self.half_road + self.verge[side] + self.walk[side]
    }

    /// Where a driver keeps, on the right-hand side.
    pub fn driver(&self, dice: &mut Dice) -> f32 {
        let driving = self.half_road - self.parking[1];
        let lane = if self.two_way { driving / self.lanes as f32 } else { driving };
        if self.two_way {
            lane * (dice.below(self.lanes) as f32 + 0.5) + dice.range(-0.35, 0.35)
        } else {
            lane * dice.pick(&[-0.5, 0.5]) + dice.range(-0.3, 0.3)
        }
    }

    /// Whether the block begins with a crossing street; never two in a row.
    pub fn crossing(&self, block: i64) -> bool {
        let roll = |b: i64| Dice::new(self.seed, 2, b as u64).chance(0.5);
        block.rem_euclid(2) == 0 && roll(block)
    }

    pub fn zebra(&self, block: i64) -> bool {
        Dice::new(self.seed, 3, block as u64).chance(0.65)
    }

    pub fn lights(&self, block: i64) -> bool {
        Dice::new(self.seed, 4, block as u64).chance(0.55 + 0.4 * self.urban)
    }
}
