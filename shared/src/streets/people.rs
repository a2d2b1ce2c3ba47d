//! People on foot.
//! Figures are flat and upright, limbs are tapered rods; those who ride are in `bicycles`.
//! Source: own.

use super::math::{Dice, Rgb, TAU, V3, cos, sin};
use super::palette::{self, Look, Material, Thing};
use super::scene::Scenery;
use super::world::Item;

/// A standing figure: a flat frame at the depth of its feet, in metres to the right and up.
pub struct Figure {
    pub foot: V3,
    pub size: f32,
    pub look: Look,
}

impl Figure {
    fn at(&self, x: f32, y: f32) -> V3 {
        [self.foot[0] + x * self.size, self.foot[1] + y * self.size, self.foot[2]]
    }
}

pub struct Clothes {
    pub coat: Rgb,
    pub trousers: Rgb,
    pub skin: Rgb,
    pub hair: Rgb,
    pub shoes: Rgb,
}

impl Scenery<'_> {
    pub fn clothes(&self, d: &mut Dice) -> Clothes {
        let tone = |color: Rgb, d: &mut Dice| self.light.around(color, d.range(0.82, 1.08));
        let coat = d.pick(&palette::CLOTH);
        let coat = d.tint(coat, 0.05);
        Clothes {
            coat: tone(coat, d),
            trousers: tone(d.pick(&palette::TROUSERS), d),
            skin: tone(d.pick(&palette::SKIN), d),
            hair: tone(d.pick(&palette::HAIR), d),
            shoes: tone(d.pick(&[[0.08, 0.08, 0.09], [0.30, 0.22, 0.16], [0.80, 0.80, 0.80]]), d),
        }
    }

    /// A limb of a figure, from joint to joint, with half widths in metres.
    fn limb(&mut self, f: &Figure, a: [f32; 2], b: [f32; 2], r: [f32; 2], color: Rgb) {
        let r = r.map(|r| r * f.size);
        self.canvas.rod(f.at(a[0], a[1]), f.at(b[0], b[1]), r, color, Some(f.look));
    }

    fn shape(&mut self, f: &Figure, points: &[[f32; 2]], color: Rgb) {
        let mut flat = [[0.0; 2]; 14];
        let count = points.len().min(14);
        for (q, p) in flat.iter_mut().zip(points) {
            *q = self.camera.pixel(f.at(p[0], p[1]));
        }
        self.canvas.flat(&flat[..count], 1.0 / f.foot[2], color, f.look);
    }

    fn oval(&mut self, f: &Figure, at: [f32; 2], r: [f32; 2], color: Rgb) {
        let points: [[f32; 2]; 12] = std::array::from_fn(|k| {
            let a = k as f32 * (TAU / 12.0);
            [at[0] + r[0] * cos(a), at[1] + r[1] * sin(a)]
        });
        self.shape(f, &points, color);
    }

    pub fn person(&mut self, item: &Item, walking: bool) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let foot = self.camera.place(item.s, item.o, self.level(item.o));
        if foot[2] < 2.2 {
            return;
        }
        let child = d.chance(0.12);
        let size = if child { d.range(0.62, 0.78) } else { d.range(0.92, 1.08) };
        let look = Look::new(Thing::Person, Material::Smooth).number(self.number);
        let f = Figure { foot, size, look };
        let c = self.clothes(d);
        // How much of the stride shows: all of it from the side, little from behind.
        let view = d.range(0.25, 1.0);
        let phase = if walking { d.range(0.0, TAU) + self.time * 6.0 } else { 1.6 };
        let swing = sin(phase) * if walking { 0.30 } else { 0.04 };
        let skirt = d.chance(0.16);
        let (build, coat_end) = (d.range(0.9, 1.15), d.pick(&[0.80f32, 0.80, 0.62, 0.50]));
        for (side, sign) in [(-1.0f32, 1.0f32), (1.0, -1.0)] {
            let reach = swing * sign * view;
            let hip = [0.06 * side, 0.86];
            let knee = [0.065 * side + reach * 0.55, 0.48];
            let ankle = [0.07 * side + reach - 0.05 * sign.min(0.0) * swing, 0.06];
            let leg = if skirt { c.skin } else { c.trousers };
            let dim = if sign > 0.0 { 0.82 } else { 1.0 };
            let leg = leg.map(|v| v * dim);
            self.limb(&f, hip, knee, [0.085 * build, 0.066], leg);
            self.limb(&f, [knee[0], knee[1] + 0.03], ankle, [0.066, 0.048], leg);
            self.limb(
                &f,
                [ankle[0] - 0.05, 0.035],
                [ankle[0] + 0.09 * view, 0.035],
                [0.042, 0.035],
                c.shoes,
            );
        }
        let arms = |s: &mut Self, side: f32| {
            let reach = -swing * side * view * 0.8;
            let color = c.coat.map(|v| v * 0.86);
            s.limb(
                &f,
                [0.19 * side * build, 1.40],
                [0.24 * side * build + reach * 0.5, 1.12],
                [0.055, 0.048],
                color,
            );
            s.limb(
                &f,
                [0.24 * side * build + reach * 0.5, 1.13],
                [0.22 * side * build + reach, 0.86],
                [0.047, 0.038],
                color,
            );
            s.oval(&f, [0.22 * side * build + reach, 0.83], [0.04, 0.05], c.skin);
        };
        arms(self, -1.0);
        let (w, hem) = (0.19 * build, if skirt { 0.46 } else { coat_end });
        let flare = if skirt { 0.23 } else { 0.165 * build };
        if skirt {
            self.shape(&f, &[[-0.15, 0.95], [0.15, 0.95], [flare, hem], [-flare, hem]], c.trousers);
        }
        let end = if skirt { 0.88 } else { hem };
        let torso = [
            [-w * 0.6, 1.50],
            [w * 0.6, 1.50],
            [w, 1.43],
            [w * 0.92, 1.15],
            [flare.min(0.2), end],
            [-flare.min(0.2), end],
            [-w * 0.92, 1.15],
            [-w, 1.43],
        ];
        self.shape(&f, &torso, c.coat);
        arms(self, 1.0);
        if d.chance(0.3) {
            let bag = self.light.around(d.pick(&palette::CLOTH), 0.9);
            let x = d.pick(&[-0.24f32, 0.24, 0.0]);
            let y = if x == 0.0 { 1.2 } else { 0.85 };
            self.shape(
                &f,
                &[
                    [x - 0.13, y - 0.17],
                    [x + 0.13, y - 0.17],
                    [x + 0.11, y + 0.17],
                    [x - 0.11, y + 0.17],
                ],
                bag,
            );
        }
        self.head(&f, &c, d);
        if self.light.wet > 0.5 && d.chance(0.45) {
            let cloth = self.light.around(d.pick(&palette::SHOP), 1.0);
            self.limb(&f, [0.12, 1.2], [0.12, 2.0], [0.012, 0.012], [0.1, 0.1, 0.1]);
            self.shape(
                &f,
                &[
                    [-0.45, 1.86],
                    [-0.3, 2.02],
                    [-0.02, 2.14],
                    [0.25, 2.14],
                    [0.54, 2.02],
                    [0.68, 1.86],
                    [0.4, 1.9],
                    [0.12, 1.86],
                    [-0.18, 1.9],
                ],
                cloth,
            );
        }
    }

    pub fn head(&mut self, f: &Figure, c: &Clothes, d: &mut Dice) {
        let (turned, hat) = (d.chance(0.5), d.chance(0.15));
        self.limb(f, [0.0, 1.47], [0.0, 1.58], [0.05, 0.05], c.skin);
        self.oval(f, [0.0, 1.64], [0.085, 0.115], if turned { c.hair } else { c.skin });
        let hair = if hat { c.coat.map(|v| v * 0.7) } else { c.hair };
        self.shape(
            f,
            &[
                [-0.095, 1.64],
                [-0.09, 1.72],
                [-0.04, 1.775],
                [0.04, 1.775],
                [0.09, 1.72],
                [0.095, 1.64],
                [0.05, 1.695],
                [-0.05, 1.695],
            ],
            hair,
        );
    }
}
