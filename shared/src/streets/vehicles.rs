//! Cars and vans: a side profile drawn out to a width, with glass, lamps, wheels and a shadow.
//! Each body is two convex solids, so its visible faces may be drawn in any order. Source: own.

use super::bodies::{STYLES, Style};
use super::canvas::Canvas;
use super::math::{Dice, Rgb, TAU, V3, blend, cos, cross, sin, sub, unit};
use super::palette::{self, Look, Material, Thing};
use super::scene::Scenery;
use super::world::Item;

/// The car's own frame: from (ahead, right, up) to camera coordinates.
struct Body {
    origin: V3,
    ahead: V3,
    right: V3,
}

impl Body {
    fn at(&self, u: f32, v: f32, h: f32) -> V3 {
        std::array::from_fn(|k| {
            self.origin[k] + self.ahead[k] * u + self.right[k] * v + if k == 1 { h } else { 0.0 }
        })
    }
}

impl Scenery<'_> {
    /// The frame of something at (s, o) heading along the street or across it.
    fn body(&self, item: &Item, ahead: bool, across: bool) -> Body {
        let origin = self.camera.place(item.s, item.o, 0.0);
        let flip = if ahead { 1.0 } else { -1.0 };
        let (ds, d_o) = if across { (0.0, flip) } else { (flip, 0.0) };
        let a = unit(sub(self.camera.place(item.s + ds, item.o + d_o, 0.0), origin));
        Body { origin, ahead: a, right: [a[2], 0.0, -a[0]] }
    }

    pub fn car(&mut self, item: &Item, ahead: bool, across: bool) {
        let mut dice = Dice::new(item.seed, 0, 0);
        let d = &mut dice;
        let style = &STYLES[d.pick(&[0usize, 0, 0, 1, 1, 1, 2, 2, 3, 4])];
        let body = self.body(item, ahead, across);
        let (long, half) = (style.lower[1][0].max(2.3), style.wide * 0.5);
        if [(-long, -half), (-long, half), (long, -half), (long, half)]
            .iter()
            .any(|&(u, v)| body.at(u, v, 0.0)[2] < 1.0)
        {
            return;
        }
        let paint = d.pick(&palette::CAR);
        let paint =
            if style.glazed { d.tint(paint, 0.04) } else { d.pick(&[[0.86, 0.86, 0.84], paint]) };
        let thing = if style.wheel > 0.36 && !style.glazed { Thing::Truck } else { Thing::Car };
        let look = Look::new(thing, Material::Smooth).number(self.number);
        let size = self.canvas.per_metre(body.origin[2]);
        // Wheels first: below the body only their lower halves stay in sight.
        for u in style.axles {
            for v in [-half + 0.12, half - 0.12] {
                let foot = body.at(u, v, 0.0);
                // Without its multiplication and division by `focal` the sum would round otherwise: other pixels.
                let focal = self.camera.focal;
                let [left, right] = [-1.0, 1.0].map(|k: f32| foot[0] + k * 0.12 * focal / focal);
                let corners = [
                    [left, 0.0, foot[2]],
                    [right, 0.0, foot[2]],
                    [right, style.wheel, foot[2]],
                    [left, style.wheel, foot[2]],
                ];
                self.canvas.face(&corners, [0.035, 0.035, 0.04], 1.0, Some(look));
            }
        }
        let dark = self.light.around(paint, 0.55);
        self.solid(&body, style.lower, [half, half * 0.97], paint, dark, look, None);
        let top = style.cabin.iter().map(|p| p[1]).fold(0.0, f32::max);
        let base = style.cabin[0][1];
        let roof = half * 0.78;
        let glass = blend([0.07, 0.08, 0.09], self.light.horizon, d.range(0.06, 0.26));
        let narrow = [half * 0.95, roof];
        self.solid(&body, style.cabin, narrow, paint, dark, look, Some((glass, style.glazed)));
        if size < 2.5 {
            return;
        }
        self.side(&body, style, &narrow, [base, top], paint, glass, look, d, size);
        self.ends(&body, style, look, d);
    }

    /// One convex solid: its hull in a dark tone, then every face that shows.
    #[allow(clippy::too_many_arguments)]
    fn solid(
        &mut self,
        body: &Body,
        profile: &[[f32; 2]],
        half: [f32; 2],
        paint: Rgb,
        dark: Rgb,
        look: Look,
        glass: Option<(Rgb, bool)>,
    ) {
        let low = profile.iter().map(|p| p[1]).fold(f32::MAX, f32::min);
        let high = profile.iter().map(|p| p[1]).fold(f32::MIN, f32::max);
        let at = |p: [f32; 2], side: f32| {
            let t = (p[1] - low) / (high - low);
            body.at(p[0], side * (half[0] + (half[1] - half[0]) * t), p[1])
        };
        let mut all = [[0.0; 3]; 20];
        for (k, &p) in profile.iter().enumerate() {
            all[2 * k] = at(p, -1.0);
            all[2 * k + 1] = at(p, 1.0);
        }
        self.canvas.hull(&all[..2 * profile.len()], dark, look);
        let middle = body.at(0.0, 0.0, (low + high) * 0.5);
        for k in 0..profile.len() {
            let (p, q) = (profile[k], profile[(k + 1) % profile.len()]);
            let quad = [at(p, -1.0), at(p, 1.0), at(q, 1.0), at(q, -1.0)];
            let steep = (q[1] - p[1]).abs() > 0.18;
            let screen = glass.filter(|(_, glazed)| steep && (*glazed || q[0] > 0.0 || p[0] > 0.0));
            self.panel(&quad, middle, paint, look);
            if let Some((glass, _)) = screen {
                let inset = inner(&quad, 0.10, 0.12);
                self.panel(&inset, middle, glass, look.of(Material::Glass));
            }
        }
        for side in [-1.0, 1.0] {
            let mut flank = [[0.0; 3]; 10];
            for (k, &p) in profile.iter().enumerate() {
                flank[k] = at(p, side);
            }
            self.panel(&flank[..profile.len()], middle, paint, look);
        }
    }

    /// A face of a convex solid around `middle`, drawn if it is turned to the camera.
    fn panel(&mut self, corners: &[V3], middle: V3, color: Rgb, look: Look) {
        let mut n = unit(cross(sub(corners[1], corners[0]), sub(corners[2], corners[0])));
        let out = sub(corners[0], middle);
        if n[0] * out[0] + n[1] * out[1] + n[2] * out[2] < 0.0 {
            n = n.map(|c| -c);
        }
        if !self.canvas.faces(corners[0], n) {
            return;
        }
        // Glass and lacquer mirror the sky where they look up.
        let mirror = if look.material == Material::Glass { 0.3 } else { 0.12 } * n[1].max(0.0);
        let lit = blend(self.light.on(color, n), self.light.zenith, mirror);
        let look = look.shaded(self.light.away(n));
        self.canvas.face(corners, lit, 1.0, Some(look));
    }

    #[allow(clippy::too_many_arguments)]
    fn side(
        &mut self,
        body: &Body,
        style: &Style,
        half: &[f32; 2],
        height: [f32; 2],
        paint: Rgb,
        glass: Rgb,
        look: Look,
        d: &mut Dice,
        size: f32,
    ) {
        let rim = d.pick(&[[0.55, 0.55, 0.56], [0.38, 0.38, 0.40], [0.16, 0.16, 0.17]]);
        for side in [-1.0f32, 1.0] {
            let n = body.right.map(|c| c * side);
            if !self.canvas.faces(body.at(0.0, side * half[0], 0.8), n) {
                continue;
            }
            let on = |h: f32| {
                side * (half[0]
                    + (half[1] - half[0])
                        * ((h - height[0]) / (height[1] - height[0])).clamp(0.0, 1.0)
                    + 0.005)
            };
            // Side windows follow the cabin's profile, a hand's breadth inside it.
            let [b, f] = [style.cabin[0], style.cabin[1]];
            let (low, high) = (height[0] + 0.06, height[1] - 0.11);
            let lean = |x0: f32, x1: f32, h: f32| {
                x0 + (x1 - x0) * ((h - height[0]) / (height[1] - height[0]))
            };
            let (rear, front) = (style.cabin[style.cabin.len() - 1], style.cabin[2]);
            let left = |h| lean(b[0], rear[0], h) + 0.14;
            let right = |h| lean(f[0], front[0], h) - 0.14;
            let panes: &[bool] = if style.glazed { &[true, false] } else { &[false] };
            for &back in panes {
                let (p, q) = if back {
                    ([left(low), style.pillar - 0.05], [left(high), style.pillar - 0.05])
                } else {
                    (
                        [style.pillar + 0.05, right(low)],
                        [style.pillar + 0.05, right(high).max(style.pillar + 0.2)],
                    )
                };
                let pane = [
                    body.at(p[0], on(low), low),
                    body.at(p[1], on(low), low),
                    body.at(q[1], on(high), high),
                    body.at(q[0], on(high), high),
                ];
                let color = self.light.on(glass, n);
                self.canvas.face(&pane, color, 1.0, Some(look.of(Material::Glass)));
            }
            let sill =
                [-1.9f32, 1.9].map(|u| u.clamp(style.lower[0][0] + 0.1, style.lower[1][0] - 0.1));
            let v = side * (style.wide * 0.5 + 0.005);
            let strip = [
                body.at(sill[0], v, 0.26),
                body.at(sill[1], v, 0.26),
                body.at(sill[1], v, 0.40),
                body.at(sill[0], v, 0.40),
            ];
            let tone = self.light.on(paint.map(|c| c * 0.45), n);
            self.canvas.face(&strip, tone, 1.0, Some(look));
            if size > 14.0 {
                for u in [style.pillar, style.pillar + 1.0] {
                    let seam = [
                        body.at(u, v, 0.40),
                        body.at(u + 0.025, v, 0.40),
                        body.at(u + 0.025, v, height[0]),
                        body.at(u, v, height[0]),
                    ];
                    self.canvas.face(&seam, tone, 0.7, None);
                }
            }
            for u in style.axles {
                let wheel = style.wheel;
                let arch = self.light.on([0.06, 0.06, 0.065], n);
                ring(&mut self.canvas, body, [u, v, wheel + 0.02], wheel * 1.16, arch, look);
                ring(
                    &mut self.canvas,
                    body,
                    [u, v * 1.005, wheel],
                    wheel,
                    [0.05, 0.05, 0.055],
                    look,
                );
                ring(
                    &mut self.canvas,
                    body,
                    [u, v * 1.01, wheel],
                    wheel * 0.62,
                    self.light.on(rim, n),
                    look,
                );
                ring(
                    &mut self.canvas,
                    body,
                    [u, v * 1.01, wheel],
                    wheel * 0.22,
                    [0.12, 0.12, 0.13],
                    look,
                );
            }
        }
    }

    /// Lamps, bumper and plate on whichever end looks at the camera.
    fn ends(&mut self, body: &Body, style: &Style, look: Look, d: &mut Dice) {
        let brake = d.chance(0.3);
        let night = self.light.night;
        for end in [-1.0f32, 1.0] {
            let n = body.ahead.map(|c| c * end);
            let u =
                if end > 0.0 { style.lower[2][0] } else { style.lower[0][0] - 0.08 } + 0.01 * end;
            if !self.canvas.faces(body.at(u, 0.0, 0.6), n) {
                continue;
            }
            let half = style.wide * 0.5;
            let top = style.lower[3][1];
            let mut plate = |v: [f32; 2], h: [f32; 2], color: Rgb, glow: f32| {
                let corners = [
                    body.at(u, v[0], h[0]),
                    body.at(u, v[1], h[0]),
                    body.at(u, v[1], h[1]),
                    body.at(u, v[0], h[1]),
                ];
                let lit = self.light.on(color, n);
                let color = blend(lit, color.map(|c| c * 1.2), glow);
                let material = if glow > 0.5 { Material::Lamp } else { Material::Smooth };
                self.canvas.face(&corners, color, 1.0, Some(look.of(material)));
            };
            plate(
                [-half * 0.96, half * 0.96],
                [style.lower[0][1] + 0.02, 0.42],
                [0.10, 0.10, 0.105],
                0.0,
            );
            plate([-0.26, 0.26], [0.45, 0.56], [0.88, 0.88, 0.85], 0.0);
            if !style.glazed && end < 0.0 {
                // Back doors: a seam between them, a small window in each.
                let high = style.cabin[3][1];
                plate([-0.015, 0.015], [0.5, high - 0.12], [0.16, 0.16, 0.17], 0.0);
                for side in [-1.0f32, 1.0] {
                    plate(
                        [side * half * 0.16, side * half * 0.66],
                        [top + 0.25, high - 0.25],
                        [0.10, 0.11, 0.12],
                        0.0,
                    );
                }
            }
            for side in [-1.0f32, 1.0] {
                let v = [side * half * 0.94, side * half * 0.60];
                if end < 0.0 {
                    let glow = night.max(if brake { 0.9 } else { 0.0 });
                    let red = if brake { [0.95, 0.12, 0.08] } else { [0.58, 0.05, 0.05] };
                    plate(v, [top - 0.10, top + 0.10], red, glow);
                } else {
                    plate(v, [top - 0.16, top], [0.90, 0.91, 0.92], night);
                }
            }
            if end > 0.0 {
                plate([-half * 0.5, half * 0.5], [0.58, top - 0.04], [0.09, 0.09, 0.10], 0.0);
            }
        }
    }

    /// The dark spot under a car, and the shadow it throws.
    pub fn car_shadow(&mut self, item: &Item, across: bool) {
        let body = self.body(item, true, across);
        for (grow, alpha) in [(0.30, 0.22), (0.08, 0.40), (-0.15, 0.45)] {
            let (u, v) = (2.05 + grow, 0.86 + grow);
            let quad = [
                body.at(-u, -v, 0.0),
                body.at(u, -v, 0.0),
                body.at(u, v, 0.0),
                body.at(-u, v, 0.0),
            ];
            self.canvas.face(&quad, [0.02, 0.02, 0.03], alpha, None);
        }
    }
}

/// A disc standing in the plane of the body's flank; `at` is (ahead, right, up).
fn ring(canvas: &mut Canvas, body: &Body, at: [f32; 3], radius: f32, color: Rgb, look: Look) {
    let points: [V3; 14] = std::array::from_fn(|k| {
        let a = k as f32 * (TAU / 14.0);
        body.at(at[0] + radius * cos(a), at[1], at[2] + radius * sin(a))
    });
    canvas.face(&points, color, 1.0, Some(look));
}

/// A quadrilateral drawn in towards its middle.
fn inner(quad: &[V3; 4], x: f32, y: f32) -> [V3; 4] {
    let mid = |a: V3, b: V3, t: f32| blend(a, b, t);
    let at = |u: f32, v: f32| mid(mid(quad[0], quad[1], u), mid(quad[3], quad[2], u), v);
    [at(x, y), at(1.0 - x, y), at(1.0 - x, 1.0 - y), at(x, 1.0 - y)]
}
