//! Where the street ends for the eye: hazy outlines of houses and trees.
//! Nothing here is part of the street, but it is labelled like it. Source: own.

use super::math::noise;
use super::palette::{self, Look, Material, Thing};
use super::scene::{SIGHT, Scenery};

impl Scenery<'_> {
    /// Where the street ends for the eye: hazy outlines of houses and trees.
    pub fn backdrop(&mut self) {
        let camera = self.camera.clone();
        let seed = self.world.seed as u32;
        for (layer, far) in [(0u32, SIGHT * 1.9), (1, SIGHT * 1.25)] {
            let step = 6.0 + layer as f32;
            let count = (2.2 * far * camera.centre[0].max(1.0) / camera.focal / step) as i32 + 8;
            let middle = (camera.o / step) as i32;
            for k in -count..=count {
                let cell = k + middle;
                let n = noise(cell as f32 * 0.37, layer as f32 * 7.0, seed);
                let house = noise(cell as f32 * 0.22, 40.0 + layer as f32, seed)
                    + self.world.urban * 0.8
                    > 0.35;
                let tall =
                    if house { 12.0 + 9.0 * n + 9.0 * self.world.urban } else { 8.0 + 4.0 * n };
                let (thing, material, color) = if house {
                    let wall = palette::PLASTER[(cell.rem_euclid(10)) as usize];
                    (Thing::Building, Material::Plaster, wall.map(|c| c * 0.75))
                } else {
                    (Thing::Vegetation, Material::Leaf, self.world.leaf.map(|c| c * 0.9))
                };
                let x = k as f32 * step - (camera.o - middle as f32 * step);
                let (a, b) = (x - step * 0.6, x + step * 0.6);
                let color = self.light.around(color, 1.0);
                let look = Some(Look::new(thing, material).shaded(true));
                let low = [[a, -2.0, far], [b, -2.0, far]];
                if house {
                    self.canvas.face(
                        &[low[0], low[1], [b, tall, far], [a, tall, far]],
                        color,
                        1.0,
                        look,
                    );
                } else {
                    let top = [
                        [b, tall * 0.8, far],
                        [b - 1.6, tall, far],
                        [a + 1.6, tall * 1.03, far],
                        [a, tall * 0.78, far],
                    ];
                    self.canvas.face(
                        &[low[0], low[1], top[0], top[1], top[2], top[3]],
                        color,
                        1.0,
                        look,
                    );
                }
            }
        }
    }
}
