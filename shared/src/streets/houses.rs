//! The houses along the street: which stand where, how tall, of what.
//! Not how they are drawn: that is `buildings` and `facades`. Source: own.

use super::math::{Dice, Rgb};
use super::palette::{self, Material};
use super::world::{BLOCK, CROSSING, World};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum District {
    City,
    Suburb,
    Park,
    Hall,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roof {
    Flat,
    Pitched,
}

/// One building: where it stands and what its bays share.
#[derive(Clone, Debug)]
pub struct House {
    pub side: usize,
    pub s: [f32; 2],
    /// Distance of the facade from the middle of the road.
    pub front: f32,
    pub deep: f32,
    pub floors: usize,
    pub ground: f32,
    pub floor: f32,
    pub bays: usize,
    pub wall: Rgb,
    pub base: Rgb,
    pub trim: Rgb,
    pub material: Material,
    pub roof: Roof,
    pub tiles: Rgb,
    pub district: District,
    pub seed: u64,
}

impl House {
    pub fn eaves(&self) -> f32 {
        self.ground + (self.floors.saturating_sub(1)) as f32 * self.floor + 0.5
    }

    pub fn ridge(&self) -> f32 {
        match self.roof {
            Roof::Flat => self.eaves(),
            Roof::Pitched => self.eaves() + self.deep * 0.30,
        }
    }

    pub fn sign(&self) -> f32 {
        if self.side == 0 { -1.0 } else { 1.0 }
    }
}

impl World {
    pub fn district(&self, side: usize, block: i64) -> District {
        let mut dice = Dice::new(self.seed, 5 + side as u64, block as u64);
        let roll = dice.range(0.0, 1.0);
        match roll {
            r if r < 0.13 => District::Park,
            r if r < 0.20 => District::Hall,
            _ if dice.range(0.12, 0.88) < self.urban => District::City,
            _ => District::Suburb,
        }
    }

    pub fn paved(&self, side: usize, block: i64) -> bool {
        matches!(self.district(side, block), District::City | District::Hall)
    }

    /// The houses of one side of a block, in order along the street.
    pub fn houses(&self, side: usize, block: i64) -> Vec<House> {
        let district = self.district(side, block);
        let mut dice = Dice::new(self.seed, 20 + side as u64, block as u64);
        let d = &mut dice;
        let mut s = block as f32 * BLOCK + if self.crossing(block) { CROSSING + 2.0 } else { 0.0 };
        let end = (block + 1) as f32 * BLOCK - if self.crossing(block + 1) { 2.0 } else { 0.0 };
        let mut out = Vec::new();
        let tall = 2.4 + 3.4 * self.urban;
        while end - s > 6.0 && district != District::Park {
            let mut wide = match district {
                District::City => d.range(7.5, 17.0),
                District::Hall => d.range(24.0, 40.0),
                _ => d.range(8.5, 13.0),
            };
            if end - s - wide < 7.0 {
                wide = end - s;
            }
            let gap = match district {
                District::City if d.chance(0.16) => 3.5,
                District::City => 0.0,
                _ => d.range(3.5, 8.0),
            };
            let s1 = (s + wide - gap).max(s + 5.0);
            out.push(self.house(d, side, district, [s, s1], tall));
            s += wide;
        }
        out
    }

    fn house(
        &self,
        d: &mut Dice,
        side: usize,
        district: District,
        s: [f32; 2],
        tall: f32,
    ) -> House {
        let city = district == District::City;
        let floors = match district {
            District::City => (tall + d.range(-1.4, 1.6)).round().max(2.0) as usize,
            District::Hall => 2,
            _ => d.pick(&[1, 2, 2, 2]),
        };
        let (material, wall) = match d.below(6) {
            0 | 1 => (Material::Brick, d.pick(&palette::BRICK)),
            2 => (Material::Concrete, d.pick(&palette::STONE)),
            _ => (Material::Plaster, d.pick(&palette::PLASTER)),
        };
        let wall = d.tint(wall, 0.05);
        let base = if d.chance(0.5) { wall.map(|c| c * 0.86) } else { d.pick(&palette::STONE) };
        House {
            side,
            s,
            front: self.line(side)
                + if city { d.pick(&[0.0, 0.0, 0.25]) } else { d.range(3.0, 6.5) },
            deep: d.range(9.0, 13.0),
            floors,
            ground: if city { d.range(3.4, 4.2) } else { d.range(2.8, 3.3) },
            floor: d.range(2.75, 3.3),
            bays: (((s[1] - s[0]) / d.range(2.3, 3.4)).round() as usize).max(2),
            wall,
            base,
            trim: d.pick(&[
                [0.88, 0.87, 0.84],
                [0.80, 0.78, 0.72],
                [0.36, 0.31, 0.28],
                [0.26, 0.27, 0.29],
            ]),
            material,
            roof: if d.chance(if city { 0.55 } else { 0.9 }) { Roof::Pitched } else { Roof::Flat },
            tiles: d.pick(&palette::ROOF),
            district,
            seed: d.seed(),
        }
    }
}
