//! The last pass over a picture: cast shadows, texture, wet road, fog, then what a camera adds.
//! Works pixel by pixel from the surfaces; draws no shapes but shadows and rain. Source: own.

use image::RgbImage;

use super::math::{
    Dice, Rgb, TAU, blend, cos, fade, floor, fraction, lattice, mix, noise, scale, sin, speck, step,
};
use super::palette::{Material, Thing};
use super::scene::{Scenery, Skyline};
use super::weather::{Light, Weather};
use super::world::{Item, Kind};

impl Scenery<'_> {
    /// The shadow an object lays on the ground, drawn before the objects themselves.
    pub fn shadow(&mut self, item: &Item) {
        let strength = self.light.shadow();
        let foot = self.camera.place(item.s, item.o, 0.0);
        if foot[2] < 1.5 || foot[2] > 90.0 {
            return;
        }
        let spot = |s: &mut Self, at: [f32; 2], radius: f32, alpha: f32| {
            s.disc(at, radius, [0.03, 0.03, 0.05], alpha, None);
        };
        match item.kind {
            Kind::Car { across, .. } => {
                self.car_shadow(item, across);
                self.cast(item, 0.9, 1.3, strength);
            }
            Kind::Person { .. } | Kind::Cyclist { .. } => {
                spot(self, [item.s, item.o], 0.28, 0.30);
                self.cast(item, 0.2, 1.7, strength);
            }
            Kind::Tree { small } => {
                spot(self, [item.s, item.o], 0.5, 0.22);
                let (height, radius) = if small { (3.2, 1.2) } else { (5.6, 2.4) };
                self.cast(item, 0.14, height, strength);
                let reach = height / self.light.sun[1].max(0.2);
                let centre =
                    [item.s - self.light.sun[2] * reach, item.o - self.light.sun[0] * reach];
                if strength > 0.3 {
                    let mut d = Dice::new(item.seed, 9, 0);
                    for _ in 0..9 {
                        let a = d.range(0.0, TAU);
                        let r = d.range(0.0, radius);
                        let at = [centre[0] + r * sin(a), centre[1] + r * cos(a)];
                        spot(self, at, radius * d.range(0.3, 0.5), strength * 0.35);
                    }
                }
            }
            Kind::Lamp | Kind::Signs | Kind::TrafficLight { .. } => {
                self.cast(item, 0.07, 4.0, strength)
            }
            Kind::Bollard | Kind::Clutter => spot(self, [item.s, item.o], 0.32, 0.28),
            _ => {}
        }
    }

    /// The shadow of something upright: a strip away from the sun.
    fn cast(&mut self, item: &Item, half: f32, tall: f32, strength: f32) {
        if strength < 0.3 {
            return;
        }
        let sun = self.light.sun;
        let reach = (tall / sun[1].max(0.2)).min(14.0);
        let (ds, d_o) = (-sun[2] * reach, -sun[0] * reach);
        let long = (ds * ds + d_o * d_o).sqrt().max(0.1);
        let (ns, no) = (-d_o / long * half, ds / long * half);
        let points = [
            self.camera.place(item.s + ns, item.o + no, self.level(item.o)),
            self.camera.place(item.s + ds + ns, item.o + d_o + no, self.level(item.o + d_o)),
            self.camera.place(item.s + ds - ns, item.o + d_o - no, self.level(item.o + d_o)),
            self.camera.place(item.s - ns, item.o - no, self.level(item.o)),
        ];
        self.canvas.face(&points, [0.03, 0.03, 0.05], strength * 0.9, None);
    }

    /// Turns what was painted into what a camera records; `grain` seeds its noise.
    pub fn finish(&mut self, grain: u64) -> RgbImage {
        let (w, h) = (self.canvas.width as usize, self.canvas.height as usize);
        let shadow = self.light.shadow();
        let mut lit = vec![[0.0f32; 3]; w * h];
        for y in 0..h {
            for x in 0..w {
                let at = y * w + x;
                let px = &self.canvas.picture.data()[at * 4..at * 4 + 3];
                let mut color: Rgb = std::array::from_fn(|k| px[k] as f32 * (1.0 / 255.0));
                let surface = self.canvas.surfaces[at];
                if surface.look.thing != Thing::Sky {
                    let p = self.camera.point(x as f32 + 0.5, y as f32 + 0.5, surface.inverse);
                    let (s, o) = self.camera.street(p);
                    let k = texture(
                        surface.look.material,
                        s,
                        o,
                        p,
                        self.camera.focal * surface.inverse,
                        surface.look.instance,
                    );
                    color = scale(color, k);
                    if shadow > 0.3 && !surface.look.shaded {
                        let dark = shade(&self.skyline, self.light, s, o, p[1]) * shadow;
                        let cool = [1.0 - dark, 1.0 - dark * 0.95, 1.0 - dark * 0.86];
                        color = std::array::from_fn(|k| color[k] * cool[k]);
                    }
                    let clear = fade(self.light.haze * p[2]);
                    let keep = if surface.look.material == Material::Lamp {
                        0.5 + 0.5 * clear
                    } else {
                        clear
                    };
                    color = blend(self.light.horizon, color, keep);
                }
                lit[at] = color;
            }
        }
        if self.light.wet > 0.0 {
            self.mirror(&mut lit);
        }
        self.develop(&lit, grain)
    }

    /// A wet road gives back what stands above it, blurred downwards.
    fn mirror(&self, lit: &mut [Rgb]) {
        let (w, h) = (self.canvas.width as usize, self.canvas.height as usize);
        let horizon = self.camera.centre[1];
        let still = lit.to_vec();
        for y in (horizon.max(0.0) as usize)..h {
            for x in 0..w {
                let at = y * w + x;
                let look = self.canvas.surfaces[at].look;
                if !matches!(look.thing, Thing::Road | Thing::LaneMarking | Thing::Sidewalk) {
                    continue;
                }
                let rough = speck(x as i32, y as i32, 3) * 2.0;
                let up =
                    (2.0 * horizon - y as f32 + rough * 3.0).clamp(0.0, h as f32 - 1.0) as usize;
                let side = (x as f32 + rough).clamp(0.0, w as f32 - 1.0) as usize;
                let p = self.camera.point(x as f32, y as f32, self.canvas.surfaces[at].inverse);
                let puddle = 0.5 + 0.5 * noise(p[0] * 0.35, (p[2] + self.camera.s) * 0.25, 77);
                let k = self.light.wet
                    * (0.10 + 0.36 * puddle)
                    * (1.0 - 0.4 * step(0.0, h as f32, y as f32 - horizon));
                lit[at] =
                    blend(scale(lit[at], 1.0 - 0.22 * self.light.wet), still[up * w + side], k);
            }
        }
    }

    fn develop(&self, lit: &[Rgb], grain: u64) -> RgbImage {
        let (w, h) = (self.canvas.width as usize, self.canvas.height as usize);
        // The exposure belongs to the weather, so that a drive does not flicker; the noise to the frame.
        let mut d = Dice::new(u64::from(self.light.seed), 90, 0);
        let gain =
            d.range(0.88, 1.14) * if self.light.weather == Weather::Dusk { 1.08 } else { 1.0 };
        let white = [d.range(0.96, 1.04), 1.0, d.range(0.95, 1.05)];
        let noisy = d.range(0.008, 0.020) * (1.0 + 0.8 * self.light.night);
        let soft = d.range(0.06, 0.16) * (w as f32 / 512.0).clamp(0.6, 1.3);
        let dim = d.range(0.10, 0.28);
        let (seed, rain) =
            (Dice::new(grain, 91, 0).seed() as u32, self.light.weather == Weather::Rain);
        let slant = d.range(-0.25, 0.25);
        let mut out = RgbImage::new(w as u32, h as u32);
        let pixels: &mut [u8] = &mut out;
        for y in 0..h {
            let (up, down) = (y.saturating_sub(1) * w, (y + 1).min(h - 1) * w);
            let dy = (y as f32 + 0.5) / h as f32 - 0.5;
            for x in 0..w {
                let (left, right) = (x.saturating_sub(1), (x + 1).min(w - 1));
                let (a, b, c, e) =
                    (lit[y * w + left], lit[y * w + right], lit[up + x], lit[down + x]);
                let centre = lit[y * w + x];
                let dx = (x as f32 + 0.5) / w as f32 - 0.5;
                let vignette = gain * (1.0 - dim * (dx * dx + dy * dy) * 1.6);
                let bits = lattice(x as i32, y as i32, seed);
                // Noise: fine in brightness, coarser in colour, as a sensor and its JPEG leave it.
                let fine =
                    ((bits & 0x3ff) as f32 + ((bits >> 10) & 0x3ff) as f32) * (1.0 / 1023.0) - 1.0;
                let tinge = speck(x as i32 >> 1, y as i32 >> 1, seed ^ 0x55);
                let streak = if rain { self.streak(x, y, slant, seed) } else { 0.0 };
                for k in 0..3 {
                    let sharp = centre[k] * (1.0 - 4.0 * soft) + (a[k] + b[k] + c[k] + e[k]) * soft;
                    let v = (sharp * vignette * white[k]).max(0.0);
                    // A soft shoulder, so that bright skies keep their clouds.
                    let v = if v > 0.75 { 0.75 + (v - 0.75) / (1.0 + (v - 0.75) * 2.2) } else { v };
                    let v = v + fine * noisy * (0.6 + v) + tinge * noisy * [0.6, 0.0, -0.6][k];
                    pixels[(y * w + x) * 3 + k] =
                        (mix(v, 0.85, streak).clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
                }
            }
        }
        out
    }

    fn streak(&self, x: usize, y: usize, slant: f32, seed: u32) -> f32 {
        let unit = self.canvas.height as f32 / 256.0;
        let across = (x as f32 + y as f32 * slant) / unit.max(0.5);
        let column = floor(across) as i32;
        let row = floor(y as f32 / (22.0 * unit) + speck(column, 0, seed) * 40.0) as i32;
        let drop = lattice(column, row, seed ^ 0x99) & 0xff;
        if drop < 4 { 0.10 } else { 0.0 }
    }
}

/// How much of the sun the houses take from a point, 0..1.
fn shade(skyline: &Skyline, light: &Light, s: f32, o: f32, h: f32) -> f32 {
    let across = light.sun[0].abs().max(0.02);
    let toward = o * light.sun[0].signum();
    let at = (s - skyline.first) as usize;
    let Some(&front) = skyline.front.get(at) else { return 0.0 };
    let way = ((front - toward) / across).max(0.0);
    let there = s + light.sun[2] * way - skyline.first;
    if there < 1.0 {
        return 0.0;
    }
    let Some(&top) = skyline.height.get(there as usize) else { return 0.0 };
    let next = skyline.height.get(there as usize + 1).copied().unwrap_or(top);
    let top = mix(top, next, fraction(there));
    let ray = h + light.sun[1] * way;
    if toward > front - 0.3 { 0.0 } else { step(-0.35, 0.35, top - ray) }
}

/// Brightness of a material's grain at a place; `density` is pixels per metre there.
fn texture(material: Material, s: f32, o: f32, p: [f32; 3], density: f32, instance: u16) -> f32 {
    // Grain finer than about two pixels averages out, as it would in a lens.
    let seen = |size: f32| step(1.2, 4.0, size * density);
    let h = p[1];
    match material {
        Material::Asphalt => {
            let patches =
                noise(s * 0.16, o * 0.5, 1) * 0.05 + noise(s * 0.9, o * 1.3, 2) * 0.035 * seen(0.8);
            let speckle = speck((s * 26.0) as i32, (o * 26.0) as i32, 3) * 0.10 * seen(0.04 * 1.6);
            let crumbs = noise(s * 7.0, o * 7.0, 4) * 0.05 * seen(0.14);
            let crack = (noise(s * 0.35, o * 0.9, 5) + noise(s * 1.7, o * 2.3, 6) * 0.35).abs();
            let crack = if crack < 0.018 { 0.12 * seen(0.12) } else { 0.0 };
            1.0 + patches + speckle + crumbs - crack
        }
        Material::Paint => 1.0 + noise(s * 3.0, o * 9.0, 7) * 0.07 * seen(0.2) - 0.05,
        Material::Paving => {
            let (a, b) = (s / 0.5, o / 0.5);
            let tile = speck(floor(a) as i32, floor(b) as i32, 8) * 0.055 * seen(0.5);
            let (fa, fb) = (fraction(a), fraction(b));
            let joint = if fa < 0.06 || fb < 0.06 { 0.16 * seen(0.12) } else { 0.0 };
            1.0 + tile - joint + noise(s * 0.4, o * 0.6, 9) * 0.06
        }
        Material::Plaster => {
            1.0 + noise(s * 0.7, h * 0.25, 10) * 0.05
                + noise(s * 5.0, h * 5.0, 11) * 0.03 * seen(0.2)
        }
        Material::Brick => {
            let along = s + o * 0.37; // end walls run across the street
            let row = floor(h / 0.12);
            let a = along / 0.30 + row * 0.5;
            let brick = speck(floor(a) as i32, row as i32, 12) * 0.16 * seen(0.12);
            let (fa, fh) = (fraction(a), fraction(h / 0.12));
            let joint = if fa < 0.08 || fh < 0.18 { -0.20 * seen(0.05) } else { 0.0 };
            1.0 + brick - joint + noise(s * 0.5, h * 0.4, 13) * 0.06
        }
        Material::Concrete => {
            1.0 + noise(s * 1.1, h * 0.9 + o, 14) * 0.06
                + speck((s * 12.0) as i32, (h * 12.0) as i32, 15) * 0.04 * seen(0.1)
        }
        Material::Roof => {
            let row = h / 0.22;
            let tile = speck(floor(s / 0.3) as i32, floor(row) as i32, 16) * 0.10 * seen(0.22);
            1.0 + tile - 0.14 * seen(0.2) * step(0.6, 1.0, fraction(row))
                + noise(s * 0.3, h, 17) * 0.06
        }
        Material::Glass => 1.0 + noise(s * 1.3 + h * 0.7, h * 0.9, 18) * 0.22,
        Material::Leaf => {
            let shift = instance as f32 * 3.7;
            let (a, b) = (o + s * 0.83 + shift, h + s * 0.3);
            let coarse = noise(a * 2.6, b * 2.6, 19) * 0.16;
            let fine = noise(a * 9.0, b * 9.0, 20) * 0.30 * seen(0.11);
            let sharp =
                speck(floor(a * 22.0) as i32, floor(b * 22.0) as i32, 21) * 0.22 * seen(0.05);
            1.0 + coarse + fine + sharp
        }
        Material::Grass => {
            let fine = speck((s * 14.0) as i32, (o * 14.0) as i32, 22) * 0.20 * seen(0.07);
            1.0 + noise(s * 0.3, o * 0.5, 23) * 0.13
                + noise(s * 2.0, o * 3.0, 24) * 0.10 * seen(0.4)
                + fine
        }
        Material::Bark => 1.0 + noise(p[0] * 16.0, h * 3.0, 25) * 0.20,
        Material::Wood => {
            1.0 + noise(s * 3.0, h * 0.8, 26) * 0.12
                + speck((s * 6.2) as i32, 0, 27) * 0.08 * seen(0.16)
        }
        Material::Smooth => 1.0 + noise(p[0] * 6.0, h * 6.0, 28) * 0.03,
        Material::Lamp | Material::Sky => 1.0,
    }
}
