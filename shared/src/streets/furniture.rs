//! Street furniture: lamps, traffic lights, bollards, bins, billboards; the signs are in `signs`.
//! Lights hang on posts that are labelled pole.
//! Source: own.

use super::math::{Dice, Rgb, TAU, V3, cos, sin};
use super::palette::{self, Look, Material, Thing};
use super::scene::Scenery;
use super::world::{Item, KERB};

pub const POLE: Look = Look::new(Thing::Pole, Material::Smooth);
const SIGNAL: Look = Look::new(Thing::TrafficLight, Material::Smooth);

impl Scenery<'_> {
    /// A regular polygon facing the camera at `centre`, `radius` in metres, turned by `turn`.
    pub fn regular(
        &mut self,
        centre: V3,
        radius: f32,
        corners: usize,
        turn: f32,
        color: Rgb,
        look: Look,
    ) {
        let mut points = [[0.0; 3]; 16];
        for (k, p) in points.iter_mut().enumerate().take(corners) {
            let a = turn + k as f32 * (TAU / corners as f32);
            *p = [centre[0] + radius * cos(a), centre[1] + radius * sin(a), centre[2]];
        }
        self.canvas.face(&points[..corners], color, 1.0, Some(look));
    }

    pub fn board(&mut self, centre: V3, half: [f32; 2], color: Rgb, look: Look) {
        let [x, y, z] = centre;
        let [w, h] = half;
        let corners = [[x - w, y - h, z], [x + w, y - h, z], [x + w, y + h, z], [x - w, y + h, z]];
        self.canvas.face(&corners, color, 1.0, Some(look));
    }

    /// An upright post, lighter on the sun's side; returns its top.
    pub fn post(&mut self, foot: V3, tall: f32, radius: [f32; 2], color: Rgb) -> V3 {
        let top = [foot[0], foot[1] + tall, foot[2]];
        let look = POLE.number(self.number);
        self.canvas.rod(foot, top, radius, self.light.around(color, 0.82), Some(look));
        let side = if self.camera.direction(self.light.sun)[0] > 0.0 { 0.35 } else { -0.35 };
        let shift = |p: V3, r: f32| [p[0] + side * r, p[1], p[2]];
        let bright = self.light.around(color, 1.15);
        self.canvas.rod(
            shift(foot, radius[0]),
            shift(top, radius[1]),
            radius.map(|r| r * 0.45),
            bright,
            None,
        );
        top
    }

    pub fn lamp(&mut self, item: &Item) {
        let mut street = Dice::new(self.world.seed, 80, 0);
        let d = &mut street;
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 1.5 {
            return;
        }
        let color = d.pick(&palette::METAL);
        let (tall, kind, thick) = (d.range(5.5, 9.0), d.below(3), d.range(0.085, 0.13));
        let over = -item.o.signum();
        let glow = self.light.night;
        let lens = [1.0, 0.93, 0.74].map(|c: f32| c * (0.75 + 0.6 * glow));
        let look = POLE.number(self.number);
        match kind {
            0 | 1 => {
                self.post([foot[0], KERB, foot[2]], 1.0, [thick * 1.35, thick * 1.3], color);
                let top = self.post(foot, tall, [thick, thick * 0.6], color);
                let reach = if kind == 0 { 1.6 } else { 0.7 };
                let end = self.camera.place(item.s, item.o + over * reach, KERB + tall + 0.25);
                self.canvas.rod(
                    top,
                    end,
                    [thick * 0.6, thick * 0.5],
                    self.light.around(color, 0.9),
                    Some(look),
                );
                let tip =
                    self.camera.place(item.s, item.o + over * (reach + 0.6), KERB + tall + 0.28);
                self.canvas.rod(
                    end,
                    tip,
                    [0.10, 0.08],
                    self.light.around([0.30, 0.31, 0.32], 1.0),
                    Some(look),
                );
                let below = |p: V3| [p[0], p[1] - 0.07, p[2]];
                self.canvas.rod(below(end), below(tip), [0.035, 0.035], lens, None);
            }
            _ => {
                let top = self.post(foot, tall * 0.55, [thick * 0.9, thick * 0.6], color);
                self.regular(
                    [top[0], top[1] + 0.22, top[2]],
                    0.24,
                    12,
                    0.0,
                    lens,
                    look.of(Material::Lamp),
                );
                self.board(
                    [top[0], top[1] + 0.46, top[2]],
                    [0.2, 0.05],
                    self.light.around(color, 0.8),
                    look,
                );
            }
        }
    }

    pub fn traffic_light(&mut self, item: &Item, faces: bool, arm: bool) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 1.8 {
            return;
        }
        let color = d.pick(&palette::METAL);
        let lamp = d.pick(&[0usize, 0, 0, 1, 2, 2, 2]);
        let case = d.pick(&[
            [0.06, 0.07, 0.07],
            [0.10, 0.13, 0.11],
            [0.16, 0.16, 0.15],
            [0.55, 0.45, 0.12],
        ]);
        let tall = if arm { 5.6 } else { 3.3 };
        let thick = if arm { 0.11 } else { 0.065 };
        let top = self.post(foot, tall, [thick, thick * 0.8], color);
        self.signal([foot[0], foot[1] + 2.75, foot[2] - 0.05], case, lamp, faces, 1.0);
        if arm {
            let o = item.o - item.o.signum() * (self.world.half_road * 0.75 + 0.6);
            let end = self.camera.place(item.s, o, KERB + tall + 0.1);
            let look = POLE.number(self.number);
            self.canvas.rod(top, end, [0.075, 0.055], self.light.around(color, 0.9), Some(look));
            self.signal([end[0], end[1] - 0.2, end[2] - 0.05], case, lamp, faces, 1.15);
        }
    }

    fn signal(&mut self, at: V3, case: Rgb, lamp: usize, faces: bool, size: f32) {
        let look = SIGNAL.number(self.number);
        let body = self.light.around(case, 1.0);
        if size > 1.1 {
            let rim = self.light.around([0.85, 0.85, 0.83], 1.0);
            self.board(at, [0.29 * size, 0.60 * size], rim, look);
            self.board(at, [0.26 * size, 0.57 * size], [0.05, 0.05, 0.05], look);
        }
        self.board(at, [0.17 * size, 0.48 * size], body, look);
        if !faces {
            return;
        }
        let colors = [[1.0, 0.16, 0.12], [1.0, 0.72, 0.12], [0.16, 0.95, 0.55]];
        for (k, color) in colors.into_iter().enumerate() {
            let centre = [at[0], at[1] + (0.30 - 0.30 * k as f32) * size, at[2]];
            let lit = k == lamp;
            let shown = if lit { color } else { color.map(|c: f32| c * 0.14) };
            let material = if lit { Material::Lamp } else { Material::Smooth };
            self.regular(centre, 0.115 * size, 12, 0.0, shown, look.of(material));
        }
    }

    pub fn bollard(&mut self, item: &Item) {
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 1.5 {
            return;
        }
        let mut street = Dice::new(self.world.seed, 81, 0);
        let color = street.pick(&palette::METAL);
        let top = self.post(foot, 0.95, [0.06, 0.055], color);
        let band = self.light.around([0.85, 0.84, 0.82], 1.0);
        self.board([top[0], top[1] - 0.15, top[2]], [0.055, 0.05], band, POLE.number(self.number));
    }

    /// Bins, hydrants, letter boxes, benches, cable boxes: in nobody's class list.
    pub fn clutter(&mut self, item: &Item) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 1.8 {
            return;
        }
        let look = Look::new(Thing::Clutter, Material::Smooth).number(self.number);
        let color = d.pick(&[
            [0.22, 0.30, 0.20],
            [0.28, 0.29, 0.30],
            [0.12, 0.16, 0.28],
            [0.62, 0.14, 0.12],
            [0.86, 0.70, 0.16],
            [0.50, 0.50, 0.48],
        ]);
        let (side, top) = (self.light.around(color, 0.9), self.light.around(color, 1.2));
        let (w, h, lid) = match d.below(5) {
            0 => (0.17, 0.72, 0.05),
            1 => (0.30, 1.05, 0.08),
            2 => (0.24, 1.30, 0.10),
            3 => (0.42, 1.15, 0.06),
            _ => (0.20, 0.92, 0.06),
        };
        let middle = [foot[0], foot[1] + h * 0.5, foot[2]];
        self.board(middle, [w, h * 0.5], side, look);
        self.board(
            [foot[0] + w * 0.55, middle[1], foot[2]],
            [w * 0.45, h * 0.5],
            side.map(|c| c * 0.8),
            look,
        );
        self.board([foot[0], foot[1] + h, foot[2]], [w * 1.08, lid], top, look);
        self.board(
            [foot[0], foot[1] + h * 0.72, foot[2]],
            [w * 0.6, 0.03],
            [0.05, 0.05, 0.05],
            look,
        );
    }

    /// An advertisement on two legs: as bright as a traffic sign, but building to the labels.
    pub fn billboard(&mut self, item: &Item) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let foot = self.camera.place(item.s, item.o, KERB);
        if foot[2] < 2.5 {
            return;
        }
        let look = Look::new(Thing::Building, Material::Smooth).number(self.number);
        let (paper, ink) = (d.pick(&palette::SHOP), d.pick(&palette::SHOP));
        let (paper, ink) = (self.light.around(paper, 1.1), self.light.around(ink, 1.1));
        let leg = self.light.around([0.3, 0.3, 0.3], 1.0);
        for x in [-0.9, 0.9] {
            let a = [foot[0] + x, foot[1], foot[2]];
            self.canvas.rod(a, [a[0], 1.6, a[2]], [0.06, 0.06], leg, Some(look));
        }
        let at = [foot[0], foot[1] + 2.2, foot[2]];
        self.board(
            at,
            [1.3, 0.9],
            [0.75, 0.75, 0.74].map(|c: f32| c * self.light.ambient[1] * 1.3),
            look,
        );
        self.board(at, [1.2, 0.8], paper, look);
        self.regular([at[0] - 0.5, at[1], at[2]], 0.5, 14, 0.0, ink, look);
        for k in 0..3 {
            self.board(
                [at[0] + 0.6, at[1] + 0.4 - 0.35 * k as f32, at[2]],
                [d.range(0.25, 0.45), 0.07],
                ink,
                look,
            );
        }
    }
}
