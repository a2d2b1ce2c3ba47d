//! Weather and time of day: where the sun stands, its colour and the sky's, fog, wetness, dusk.
//! No cast shadows and no per-pixel work besides the sky: those are `finish`. Source: own.

use super::canvas::Canvas;
use super::math::{Dice, PI, Rgb, V3, blend, cos, dot, fraction, noise, scale, sin, step, unit};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weather {
    Clear,
    Overcast,
    Fog,
    Rain,
    Dusk,
}

pub struct Light {
    pub weather: Weather,
    /// Towards the sun: right of the street, up, along it.
    pub sun: V3,
    pub sunlight: Rgb,
    pub ambient: Rgb,
    pub zenith: Rgb,
    pub horizon: Rgb,
    pub cloud: Rgb,
    pub cover: f32,
    /// Optical depth of the air per metre, and its colour is the horizon's.
    pub haze: f32,
    /// 0 dry .. 1 wet.
    pub wet: f32,
    /// 0 day .. 1 lamps are lit.
    pub night: f32,
    pub seed: u32,
}

impl Light {
    pub fn new(dice: &mut Dice) -> Self {
        let roll = dice.range(0.0, 1.0);
        let weather = match roll {
            r if r < 0.46 => Weather::Clear,
            r if r < 0.70 => Weather::Overcast,
            r if r < 0.78 => Weather::Fog,
            r if r < 0.88 => Weather::Rain,
            _ => Weather::Dusk,
        };
        let azimuth = dice.range(-PI, PI);
        let up = match weather {
            Weather::Clear => dice.range(0.35, 1.05),
            Weather::Dusk => dice.range(0.06, 0.16),
            _ => dice.range(0.5, 1.2),
        };
        let sun = unit([sin(azimuth) * cos(up), sin(up), cos(azimuth) * cos(up)]);
        let warm = 1.0 - step(0.25, 0.75, up);
        let mut light = Light {
            weather,
            sun,
            sunlight: blend([0.74, 0.71, 0.64], [0.84, 0.66, 0.44], warm),
            ambient: [0.60, 0.63, 0.68],
            zenith: dice.tint([0.24, 0.45, 0.76], 0.05),
            horizon: blend([0.74, 0.83, 0.92], [0.90, 0.84, 0.74], warm * 0.7),
            cloud: [0.95, 0.95, 0.96],
            cover: dice.range(0.05, 0.62),
            haze: dice.range(0.0012, 0.0045),
            wet: 0.0,
            night: 0.0,
            seed: dice.seed() as u32,
        };
        match weather {
            Weather::Clear => {}
            Weather::Overcast => {
                let grey = dice.range(0.66, 0.90);
                light.sunlight = [0.10, 0.10, 0.095];
                light.ambient = scale([0.86, 0.88, 0.92], dice.range(0.84, 1.04));
                light.zenith = scale([0.80, 0.83, 0.88], grey);
                light.horizon = scale([0.97, 0.98, 1.0], grey);
                light.cloud = scale([1.0, 1.0, 1.01], (grey * 1.06).min(0.97));
                light.cover = dice.range(0.6, 0.95);
                light.haze = dice.range(0.002, 0.006);
            }
            Weather::Fog => {
                let grey = dice.range(0.68, 0.84);
                light.sunlight = [0.04, 0.04, 0.04];
                light.ambient = scale([0.86, 0.88, 0.90], dice.range(0.84, 0.98));
                light.zenith = scale([0.97, 0.99, 1.0], grey);
                light.horizon = scale([0.97, 0.99, 1.0], grey);
                light.cover = 0.0;
                light.haze = dice.range(0.012, 0.030);
            }
            Weather::Rain => {
                let grey = dice.range(0.52, 0.70);
                light.sunlight = [0.03, 0.03, 0.03];
                light.ambient = scale([0.72, 0.76, 0.82], dice.range(0.82, 1.0));
                light.zenith = scale([0.80, 0.85, 0.92], grey);
                light.horizon = scale([0.98, 1.0, 1.03], grey);
                light.cloud = scale([0.86, 0.88, 0.92], grey);
                light.cover = dice.range(0.5, 0.9);
                light.haze = dice.range(0.005, 0.011);
                light.wet = dice.range(0.6, 1.0);
                light.night = dice.range(0.0, 0.4);
            }
            Weather::Dusk => {
                light.sunlight = [0.12, 0.07, 0.04];
                light.ambient = scale([0.50, 0.51, 0.62], dice.range(0.72, 1.05));
                light.zenith = dice.tint([0.16, 0.22, 0.42], 0.04);
                light.horizon = dice.tint([0.86, 0.58, 0.42], 0.08);
                light.cloud = [0.52, 0.40, 0.46];
                light.cover = dice.range(0.1, 0.6);
                light.haze = dice.range(0.002, 0.006);
                light.wet = if dice.chance(0.25) { 0.6 } else { 0.0 };
                light.night = dice.range(0.7, 1.0);
            }
        }
        light
    }

    /// A colour on a surface with this normal (street axes), before cast shadows.
    pub fn on(&self, color: Rgb, normal: V3) -> Rgb {
        let sky = 0.82 + 0.18 * normal[1];
        let sun = dot(normal, self.sun).max(0.0);
        std::array::from_fn(|k| color[k] * (self.ambient[k] * sky + self.sunlight[k] * sun))
    }

    /// Whether a surface with this normal is turned away from the sun.
    pub fn away(&self, normal: V3) -> bool {
        dot(normal, self.sun) <= 0.02
    }

    /// A colour on something round or crumpled, which has no one normal.
    pub fn around(&self, color: Rgb, bright: f32) -> Rgb {
        std::array::from_fn(|k| {
            color[k] * (self.ambient[k] * 0.9 + self.sunlight[k] * 0.42) * bright
        })
    }

    /// How strongly a cast shadow darkens, 0..1.
    pub fn shadow(&self) -> f32 {
        let sun = self.sunlight[1] * 0.8;
        (sun / (sun + self.ambient[1])).min(0.54)
    }
}

/// Paints the sky on everything above the horizon and a little below.
pub fn sky(canvas: &mut Canvas, light: &Light, drift: f32) {
    let camera = canvas.camera.clone();
    let rows = ((camera.centre[1] + 3.0).ceil().max(1.0) as u32).min(canvas.height);
    let sun = camera.direction(light.sun);
    let detail = 4.0 * (canvas.width as f32 / 512.0).max(0.5);
    let columns = (canvas.width as f32 / detail).ceil() as usize + 2;
    let lines = (rows as f32 / detail).ceil() as usize + 2;
    // Clouds are smooth: their density is computed on a coarse grid and interpolated.
    let mut density = vec![0.0f32; columns * lines];
    for j in 0..lines {
        for i in 0..columns {
            let x = (i as f32 * detail - camera.centre[0]) / camera.focal;
            let y = ((camera.centre[1] - j as f32 * detail) / camera.focal).max(0.0) + 0.10;
            let (u, v) = (x / y + drift, 1.0 / y);
            let n = noise(u * 0.8, v * 0.9, light.seed)
                + 0.5 * noise(u * 1.7 + 9.0, v * 2.1, light.seed + 1)
                + 0.28 * noise(u * 4.1, v * 4.9 + 5.0, light.seed + 2)
                + 0.16 * noise(u * 9.3, v * 9.9, light.seed + 3);
            let edge = 0.9 - 1.7 * light.cover;
            density[j * columns + i] = step(edge, edge + 0.9, n) * step(0.10, 0.22, y);
        }
    }
    for row in 0..rows {
        let y = (camera.centre[1] - row as f32 - 0.5) / camera.focal;
        let rise = (y / 0.55).clamp(0.0, 1.0);
        let base = blend(light.horizon, light.zenith, 1.0 - (1.0 - rise) * (1.0 - rise));
        let v = row as f32 / detail;
        for column in 0..canvas.width {
            let u = column as f32 / detail;
            let at = v as usize * columns + u as usize;
            let (fu, fv) = (fraction(u), fraction(v));
            let d = (density[at] * (1.0 - fu) + density[at + 1] * fu) * (1.0 - fv)
                + (density[at + columns] * (1.0 - fu) + density[at + columns + 1] * fu) * fv;
            let x = (column as f32 + 0.5 - camera.centre[0]) / camera.focal;
            let long = (1.0 + x * x + y * y).sqrt();
            let near = ((x * sun[0] + y * sun[1] + sun[2]) / long).max(0.0);
            let near4 = near * near * near * near;
            let glow = near4 * near4 * near4 * near4;
            let strength = light.sunlight[0] * 1.1;
            let shade = scale(light.cloud, 1.0 - 0.16 * d * d + 0.06 * near4);
            let mut color = blend(base, shade, d * 0.92);
            let disc = step(0.9985, 0.9994, near) * (1.0 - d);
            for k in 0..3 {
                color[k] += (glow * 0.35 + disc) * strength * [1.0, 0.92, 0.72][k];
            }
            canvas.set(column, row, color);
        }
    }
}
