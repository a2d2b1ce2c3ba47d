//! Traffic signs on their posts, from the front and from behind.
//! A post is labelled pole, and so is the grey back of a sign: there is nothing to read on it.
//! Source: own; shapes and colours after the Vienna Convention on Road Signs, drawn freely.

use super::furniture::POLE;
use super::math::{Dice, FRAC_PI_2, FRAC_PI_8, Rgb, V3};
use super::palette::{Look, Material, Thing};
use super::scene::Scenery;
use super::world::{Item, KERB};

const SIGN: Look = Look::new(Thing::TrafficSign, Material::Smooth);

impl Scenery<'_> {
    pub fn signs(&mut self, item: &Item) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 1.8 {
            return;
        }
        let post = d.pick(&[[0.55, 0.56, 0.57], [0.42, 0.43, 0.44], [0.50, 0.50, 0.50]]);
        let top = d.range(2.3, 3.1);
        self.post(foot, top, [0.05, 0.05], post);
        let away = d.chance(if item.o < 0.0 { 0.45 } else { 0.12 });
        let mut h = foot[1] + top - 0.38;
        let count = 1 + usize::from(d.chance(0.3));
        for k in 0..count {
            let centre = [foot[0], h, foot[2] - 0.02];
            if away {
                // The back of a sign: grey tin, part of its post.
                let tin = self.light.around([0.48, 0.49, 0.50], 0.95);
                let corners = d.pick(&[12, 3, 4]);
                self.regular(centre, 0.33, corners, FRAC_PI_2, tin, POLE.number(self.number));
            } else {
                self.sign(centre, d, k > 0);
            }
            h -= 0.62;
        }
    }

    fn sign(&mut self, at: V3, d: &mut Dice, second: bool) {
        let look = SIGN.number(self.number);
        let fade = d.range(0.86, 1.05);
        let normal = [0.0, 0.15, -1.0];
        let tone = |s: &Self, c: Rgb| {
            let lit = s.light.on(c, normal);
            let around = s.light.around(c, 1.05);
            std::array::from_fn(|k| (lit[k].max(around[k])) * fade)
        };
        let (red, white, blue) = (
            tone(self, [0.78, 0.10, 0.10]),
            tone(self, [0.95, 0.95, 0.94]),
            tone(self, [0.10, 0.26, 0.62]),
        );
        let (black, yellow, green) = (
            tone(self, [0.06, 0.06, 0.07]),
            tone(self, [0.95, 0.76, 0.12]),
            tone(self, [0.06, 0.38, 0.24]),
        );
        let up = FRAC_PI_2;
        match if second { 4 + d.below(4) } else { d.below(10) } {
            0 | 1 => {
                self.regular(at, 0.34, 16, 0.0, red, look);
                self.regular(at, 0.25, 16, 0.0, white, look);
                let (a, b) = (d.range(0.03, 0.06), d.range(0.09, 0.14));
                self.board([at[0] - 0.08, at[1], at[2]], [a, b], black, look);
                self.board([at[0] + 0.08, at[1], at[2]], [a, b], black, look);
            }
            2 => {
                self.regular(at, 0.46, 3, up, red, look);
                self.regular([at[0], at[1] - 0.015, at[2]], 0.29, 3, up, white, look);
                self.board([at[0], at[1] - 0.03, at[2]], [0.025, 0.09], black, look);
            }
            3 => {
                self.regular(at, 0.46, 3, -up, red, look);
                self.regular([at[0], at[1] + 0.015, at[2]], 0.29, 3, -up, white, look);
            }
            4 => {
                self.regular(at, 0.33, 16, 0.0, white, look);
                self.regular(at, 0.30, 16, 0.0, blue, look);
                self.board([at[0], at[1], at[2]], [0.035, 0.17], white, look);
                self.board([at[0] + 0.06, at[1] + 0.10, at[2]], [0.09, 0.03], white, look);
            }
            5 => {
                self.board(at, [0.31, 0.31], white, look);
                self.board(at, [0.28, 0.28], blue, look);
                self.board([at[0] - 0.05, at[1], at[2]], [0.04, 0.18], white, look);
                self.board([at[0] + 0.04, at[1] + 0.09, at[2]], [0.09, 0.09], white, look);
            }
            6 => {
                self.regular(at, 0.34, 16, 0.0, red, look);
                self.board(at, [0.22, 0.065], white, look);
            }
            7 => {
                self.regular(at, 0.45, 4, up, white, look);
                self.regular(at, 0.34, 4, up, yellow, look);
            }
            8 => {
                self.regular(at, 0.36, 8, FRAC_PI_8, red, look);
                self.board(at, [0.20, 0.06], white, look);
            }
            _ => {
                let color = d.pick(&[white, blue, green, yellow]);
                let ink = if color == white || color == yellow { black } else { white };
                let at = [at[0], at[1] + 0.1, at[2]];
                self.board(at, [0.62, 0.27], ink, look);
                self.board(at, [0.59, 0.24], color, look);
                for y in [0.09f32, -0.1] {
                    self.board(
                        [at[0] - d.range(0.0, 0.2), at[1] + y, at[2]],
                        [d.range(0.22, 0.36), 0.04],
                        ink,
                        look,
                    );
                }
            }
        }
    }
}
