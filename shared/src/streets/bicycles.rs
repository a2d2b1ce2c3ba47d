//! Cyclists, and bicycles left standing.
//! A bicycle is solid in space. Its wheels count as covered, spokes and gaps too, as annotators draw them.
//! Source: own.

use super::math::{Dice, Rgb, TAU, V3, cos, sin, sub, unit};
use super::palette::{self, Look, Material, Thing};
use super::people::Figure;
use super::scene::Scenery;
use super::world::{Item, KERB};

impl Scenery<'_> {
    /// Draws a bicycle from its rear hub at `place(0, 0)`; `place(u, h)` is in camera coordinates.
    fn bicycle(&mut self, place: &dyn Fn(f32, f32) -> V3, frame: Rgb) {
        let look = Look::new(Thing::Bicycle, Material::Smooth).number(self.number);
        let dark = self.light.around([0.07, 0.07, 0.08], 1.0);
        for u in [0.0, 1.04] {
            let rim: [V3; 16] = std::array::from_fn(|k| {
                let a = k as f32 * (TAU / 16.0);
                place(u + 0.33 * cos(a), 0.34 + 0.33 * sin(a))
            });
            self.canvas.face(&rim, self.light.around([0.30, 0.30, 0.31], 1.0), 0.30, Some(look));
            for k in 0..16 {
                self.canvas.rod(rim[k], rim[(k + 1) % 16], [0.026, 0.026], dark, Some(look));
            }
            let hub = place(u, 0.34);
            for k in [1, 4, 6, 9, 11, 14] {
                self.canvas.rod(
                    hub,
                    rim[k],
                    [0.006, 0.006],
                    self.light.around([0.5, 0.5, 0.5], 1.0),
                    None,
                );
            }
        }
        let joints: [[f32; 2]; 7] = [
            [0.0, 0.34],
            [0.42, 0.30],
            [0.28, 0.86],
            [0.86, 0.84],
            [1.04, 0.34],
            [0.82, 1.00],
            [0.28, 0.92],
        ];
        let frame = self.light.around(frame, 1.0);
        for (a, b) in [(0, 1), (0, 2), (1, 2), (2, 3), (1, 3), (3, 4), (3, 5), (2, 6)] {
            let (p, q) = (joints[a], joints[b]);
            self.canvas.rod(
                place(p[0], p[1]),
                place(q[0], q[1]),
                [0.026, 0.026],
                frame,
                Some(look),
            );
        }
        self.canvas.rod(place(0.16, 0.95), place(0.40, 0.95), [0.04, 0.03], dark, Some(look));
        self.canvas.rod(place(0.74, 1.02), place(0.92, 1.04), [0.025, 0.025], dark, Some(look));
        self.canvas.rod(place(0.42, 0.30), place(0.46, 0.14), [0.03, 0.03], dark, Some(look));
    }

    pub fn parked_bike(&mut self, item: &Item) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let count = 1 + d.below(2);
        for k in 0..count {
            let s = item.s + 0.7 * (count - k) as f32;
            let foot = self.camera.place(s, item.o, KERB);
            if foot[2] < 2.5 {
                continue;
            }
            let angle = d.range(-0.7, 0.7);
            let (ax, az) = (cos(angle), sin(angle));
            let frame = d.pick(&palette::SHOP);
            let frame = frame.map(|c| c * 0.8);
            self.bicycle(
                &move |u, h| [foot[0] + (u - 0.5) * ax, foot[1] + h, foot[2] + (u - 0.5) * az],
                frame,
            );
        }
    }

    pub fn cyclist(&mut self, item: &Item, ahead: bool) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let flip = if ahead { 1.0 } else { -1.0 };
        let foot = self.camera.place(item.s, item.o, 0.0);
        if foot[2] < 2.6 {
            return;
        }
        let next = self.camera.place(item.s + flip, item.o + d.range(-0.12, 0.12), 0.0);
        let way = unit(sub(next, foot));
        let place = move |u: f32, h: f32| -> V3 {
            [foot[0] + (u - 0.5) * way[0], h, foot[2] + (u - 0.5) * way[2]]
        };
        let frame = d.pick(&palette::SHOP);
        self.bicycle(&place, frame);
        // Seen along its own plane a bicycle is as wide as its handlebar and tyres.
        let look = Look::new(Thing::Bicycle, Material::Smooth).number(self.number);
        let bar = place(0.86, 1.04);
        self.canvas.rod(
            [bar[0] - 0.27, bar[1], bar[2]],
            [bar[0] + 0.27, bar[1], bar[2]],
            [0.03, 0.03],
            [0.06, 0.06, 0.07],
            Some(look),
        );
        let tyre = place(if ahead { -0.1 } else { 1.15 }, 0.0);
        self.canvas.rod(
            tyre,
            [tyre[0], 0.68, tyre[2]],
            [0.045, 0.045],
            [0.06, 0.06, 0.065],
            Some(look),
        );
        let rider = Look::new(Thing::Rider, Material::Smooth).number(self.number);
        let c = self.clothes(d);
        let rod = |s: &mut Self, a: V3, b: V3, r: [f32; 2], color: Rgb| {
            s.canvas.rod(a, b, r, color, Some(rider))
        };
        let turn = d.range(0.0, TAU) + self.time * 5.0;
        for side in [-1.0f32, 1.0] {
            let (pu, ph) = (0.42 + 0.16 * cos(turn) * side, 0.30 + 0.16 * sin(turn) * side);
            let wide = |p: V3, w: f32| [p[0] + side * w * way[2].abs(), p[1], p[2]];
            let (hip, knee, ankle) = (
                wide(place(0.26, 1.0), 0.09),
                wide(place(0.60, 0.66 + (ph - 0.3) * 0.8), 0.12),
                wide(place(pu, ph + 0.05), 0.10),
            );
            rod(self, hip, knee, [0.09, 0.07], c.trousers);
            rod(self, knee, ankle, [0.07, 0.05], c.trousers.map(|v| v * 0.9));
            rod(self, ankle, wide(place(pu + 0.14, ph), 0.10), [0.05, 0.04], c.shoes);
            rod(
                self,
                wide(place(0.46, 1.46), 0.18),
                wide(place(0.80, 1.08), 0.24),
                [0.055, 0.04],
                c.coat.map(|v| v * 0.88),
            );
        }
        let (seat, neck) = (place(0.24, 0.96), place(0.48, 1.54));
        rod(self, seat, neck, [0.17, 0.19], c.coat);
        let figure = Figure { foot: [neck[0], neck[1] - 1.50, neck[2]], size: 1.0, look: rider };
        self.head(&figure, &c, d);
    }
}
