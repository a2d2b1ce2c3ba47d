//! Trees, bushes and hedges: trunks, and crowns heaped from leafy clumps.
//! Trunks are vegetation too, as in Cityscapes, though they look like poles. Source: own.

use super::math::{Dice, Rgb, TAU, blend, cos, sin};
use super::palette::{self, Look, Material, Thing};
use super::scene::Scenery;
use super::world::{Item, KERB};

const LEAVES: Look = Look::new(Thing::Vegetation, Material::Leaf);

impl Scenery<'_> {
    /// A ragged clump of leaves in the plane of the item, `x`, `y` and `radius` in metres.
    fn clump(&mut self, foot: [f32; 3], x: f32, y: f32, radius: f32, color: Rgb, d: &mut Dice) {
        let k = self.canvas.per_metre(foot[2]);
        let centre = self.camera.pixel([foot[0] + x, y, foot[2]]);
        let r = radius * k;
        let corners = match r {
            r if r < 2.0 => 6,
            r if r < 5.0 => 10,
            _ => 22,
        };
        let mut points = [[0.0; 2]; 22];
        let turn = d.range(0.0, TAU);
        for (j, p) in points.iter_mut().enumerate().take(corners) {
            let a = turn + j as f32 * (TAU / corners as f32);
            let reach = r * if j % 2 == 0 { d.range(0.92, 1.20) } else { d.range(0.74, 0.98) };
            *p = [centre[0] + reach * cos(a), centre[1] + reach * sin(a)];
        }
        let look = LEAVES.number(self.number);
        self.canvas.flat(&points[..corners], 1.0 / foot[2], color, look);
    }

    pub fn tree(&mut self, item: &Item, small: bool) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 1.6 {
            return;
        }
        let tall = if small { d.range(3.6, 5.6) } else { d.range(6.5, 11.5) };
        let trunk = if small { d.range(1.6, 2.2) } else { d.range(2.4, 3.4) };
        let thick = if small { d.range(0.06, 0.09) } else { d.range(0.11, 0.21) };
        let leaf = if d.chance(0.7) { self.world.leaf } else { d.pick(&palette::LEAF) };
        let leaf = d.tint(leaf, 0.035);
        let bark = d.pick(&[
            [0.30, 0.25, 0.20],
            [0.36, 0.33, 0.29],
            [0.24, 0.21, 0.19],
            [0.42, 0.41, 0.38],
        ]);
        let bark = self.light.around(bark, 0.9);
        let look = Look::new(Thing::Vegetation, Material::Bark).number(self.number);
        let lean = d.range(-0.15, 0.15);
        let fork = [foot[0] + lean, KERB + trunk, foot[2]];
        self.canvas.rod(foot, fork, [thick, thick * 0.75], bark, Some(look));
        let conifer = d.chance(0.14);
        let wide = (tall - trunk) * if conifer { 0.26 } else { d.range(0.36, 0.52) };
        for _ in 0..4 {
            let tip = [
                fork[0] + d.range(-wide, wide) * 0.8,
                trunk + (tall - trunk) * d.range(0.3, 0.7),
                foot[2],
            ];
            let base = [fork[0], fork[1] - 0.2, foot[2]];
            self.canvas.rod(base, tip, [thick * 0.5, thick * 0.2], bark, Some(look));
        }
        let k = self.canvas.per_metre(foot[2]);
        let count = ((wide * k * 0.85) as usize).clamp(12, 110);
        let (middle, half) = ((trunk + tall) * 0.5, (tall - trunk) * 0.5 + 0.3);
        let sun = self.camera.direction(self.light.sun);
        let shape = d.range(0.0, 1.0);
        for j in 0..count {
            // From the shaded inside to the lit outside: later clumps lie in front.
            let layer = j as f32 / count as f32;
            let a = d.range(0.0, TAU);
            let reach = d.range(0.0, 1.0).sqrt() * (0.84 + 0.16 * layer);
            let (mut x, mut y) = (cos(a) * reach, sin(a) * reach);
            if conifer {
                y = d.range(-1.0, 1.0);
                x = d.range(-1.0, 1.0) * (1.0 - y) * 0.5 + 0.05;
            } else if shape > 0.6 {
                x *= 1.0 - 0.25 * y;
            }
            let bright = 0.58
                + 0.34 * layer
                + d.range(-0.09, 0.09)
                + 0.22 * y
                + 0.16 * (x * sun[0] - 0.4 * sun[2] * layer);
            let color = self.light.around(leaf, bright.clamp(0.3, 1.35));
            let size = wide
                * d.range(0.17, 0.27)
                * (1.25 - 0.70 * layer)
                * (55.0 / count as f32).sqrt().clamp(1.0, 1.8)
                * if conifer { 0.8 } else { 1.0 };
            self.clump(foot, lean + x * wide, middle + y * half, size, color, d);
        }
    }

    pub fn bush(&mut self, item: &Item) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 1.2 {
            return;
        }
        let leaf = d.pick(&palette::LEAF);
        let leaf = d.tint(leaf, 0.04);
        let (wide, tall) = (d.range(0.5, 1.2), d.range(0.6, 1.8));
        for j in 0..12 {
            let layer = j as f32 / 12.0;
            let (x, y) =
                (d.range(-1.0, 1.0) * wide * (1.0 - 0.4 * layer), d.range(0.1, 0.85) * tall);
            let color = self.light.around(leaf, 0.55 + 0.35 * layer + 0.3 * y / tall);
            self.clump(foot, x, y, d.range(0.25, 0.42) * wide.min(tall), color, d);
        }
    }

    pub fn hedge(&mut self, item: &Item, long: f32) {
        let mut dice = Dice::new(self.world.seed, 77, (item.o > 0.0) as u64);
        let tall = dice.range(0.9, 2.1);
        let leaf = dice.tint(palette::LEAF[2], 0.05);
        let mut own = Dice::new(item.seed, 0, 0);
        let d = &mut own;
        let sign = item.o.signum();
        let (s0, s1) = (item.s, item.s + long + 0.1);
        let (near, far) = (item.o, item.o + sign * 0.8);
        let look = LEAVES.number(self.number);
        let base = blend(leaf, [0.1, 0.14, 0.06], 0.25);
        let top = [[s0, near, tall], [s1, near, tall], [s1, far, tall], [s0, far, tall]];
        self.wall(&top, leaf, [0.0, 1.0, 0.0], Some(look));
        self.wall(
            &[[s0, near, 0.0], [s0, far, 0.0], [s0, far, tall], [s0, near, tall]],
            base,
            [0.0, 0.0, -1.0],
            Some(look),
        );
        self.wall(
            &[[s0, near, 0.0], [s1, near, 0.0], [s1, near, tall], [s0, near, tall]],
            base,
            [-sign, 0.0, 0.0],
            Some(look),
        );
        let pieces = 10;
        for j in 0..pieces {
            let s = s1 - (s1 - s0) * (j as f32 + 0.5) / pieces as f32;
            let foot = self.camera.place(s, near, 0.0);
            if foot[2] < 1.5 {
                continue;
            }
            let color = self.light.around(leaf, d.range(0.85, 1.15));
            self.clump(foot, sign * 0.3, tall - 0.02, d.range(0.16, 0.28), color, d);
            let color = self.light.around(leaf, d.range(0.65, 0.95));
            self.clump(foot, 0.0, tall * d.range(0.3, 0.8), d.range(0.16, 0.30), color, d);
        }
    }
}
