//! Ground floors: shops with awnings and sign boards, doors, windows, gates, posters.
//! All of it is labelled building; sign boards, projecting signs and posters with figures are there to
//! be mistaken for traffic signs and people. Source: own.

use super::buildings::{Openings, Panel};
use super::houses::{District, House};
use super::math::{Dice, Rgb, TAU, blend, cos, sin};
use super::palette::{self, Material};
use super::scene::Scenery;

impl Scenery<'_> {
    pub fn ground_floor(
        &mut self,
        house: &House,
        panel: &Panel,
        bay: usize,
        style: &Openings,
        across: f32,
    ) {
        let mut shop = Dice::new(house.seed, 4, (bay / 2) as u64);
        let mut own = Dice::new(house.seed, 5, bay as u64);
        let top = house.ground - 0.25;
        let over = 1.0 + 0.12 / (panel.s[1] - panel.s[0]);
        match house.district {
            District::City => {
                let material =
                    if house.base == house.wall { house.material } else { Material::Concrete };
                self.plate(panel, [0.0, over], [-0.12, top], 0.0, house.base, material);
                if across < 1.5 {
                    return;
                }
                if shop.chance(0.35 + 0.3 * self.world.urban) {
                    self.shop(panel, &mut shop, &mut own, top, over, across);
                } else if own.chance(0.3) {
                    self.door(panel, style, &mut own, across);
                } else if own.chance(0.12) {
                    self.gate(panel, style, across);
                } else {
                    let glass = self.glass(&mut own, false);
                    self.opening(panel, style, 1.1, 1.1 + style.tall, glass, across);
                    if own.chance(0.12) {
                        self.poster(panel, &mut own, 0.06, across);
                    }
                }
            }
            District::Hall => {
                if own.chance(0.3) {
                    self.gate(panel, style, across);
                } else if own.chance(0.3) {
                    self.poster(panel, &mut own, 0.3, across);
                }
            }
            _ => {
                if across < 1.5 {
                    return;
                }
                if bay == house.bays / 2 {
                    self.door(panel, style, &mut own, across);
                } else {
                    let glass = self.glass(&mut own, false);
                    self.opening(panel, style, 0.9, 0.9 + style.tall, glass, across);
                }
            }
        }
    }

    fn opening(
        &mut self,
        panel: &Panel,
        style: &Openings,
        low: f32,
        high: f32,
        glass: Rgb,
        across: f32,
    ) {
        let (t0, t1) = (0.5 - style.wide * 0.5, 0.5 + style.wide * 0.5);
        let edge = 0.07 / (panel.s[1] - panel.s[0]);
        self.plate(
            panel,
            [t0 - edge, t1 + edge],
            [low - 0.08, high + 0.08],
            0.0,
            style.frame,
            Material::Smooth,
        );
        self.plate(panel, [t0, t1], [low, high], 0.0, glass, Material::Glass);
        if across > 7.0 {
            let middle = (t0 + t1) * 0.5;
            self.plate(
                panel,
                [middle - edge * 0.4, middle + edge * 0.4],
                [low, high],
                0.0,
                style.frame,
                Material::Smooth,
            );
            self.plate(
                panel,
                [t0, t1],
                [high - 0.13, high],
                0.0,
                glass.map(|c| c * 0.45),
                Material::Glass,
            );
        }
    }

    fn door(&mut self, panel: &Panel, style: &Openings, own: &mut Dice, across: f32) {
        let color = own.pick(&palette::SHUTTER);
        let half = 0.55 / (panel.s[1] - panel.s[0]);
        let edge = 0.10 / (panel.s[1] - panel.s[0]);
        let (t0, t1) = (0.5 - half, 0.5 + half);
        self.plate(
            panel,
            [t0 - edge, t1 + edge],
            [-0.1, 2.45],
            0.02,
            style.frame,
            Material::Smooth,
        );
        self.plate(panel, [t0, t1], [-0.1, 2.3], 0.0, color, Material::Wood);
        if across > 6.0 {
            let glass = self.glass(own, false);
            self.plate(panel, [t0 + edge, t1 - edge], [1.3, 2.1], 0.0, glass, Material::Glass);
            self.plate(
                panel,
                [t0 - edge * 2.0, t1 + edge * 2.0],
                [-0.12, 0.06],
                0.3,
                [0.6, 0.6, 0.58],
                Material::Concrete,
            );
        }
    }

    fn gate(&mut self, panel: &Panel, style: &Openings, across: f32) {
        self.plate(panel, [0.08, 0.92], [-0.1, 2.6], 0.0, style.shutter, Material::Wood);
        if across > 6.0 {
            for k in 1..6 {
                let h = 2.6 * k as f32 / 6.0;
                self.plate(
                    panel,
                    [0.08, 0.92],
                    [h, h + 0.04],
                    0.0,
                    style.shutter.map(|c| c * 0.6),
                    Material::Wood,
                );
            }
        }
    }

    fn shop(
        &mut self,
        panel: &Panel,
        shop: &mut Dice,
        own: &mut Dice,
        top: f32,
        over: f32,
        across: f32,
    ) {
        let brand = shop.pick(&palette::SHOP);
        let frame = shop.pick(&[[0.16, 0.16, 0.17], [0.82, 0.81, 0.78], [0.34, 0.24, 0.17], brand]);
        let awning = shop.chance(0.3);
        let window_top = top - 0.75;
        let lit = self.light.night > 0.3 || shop.chance(0.3);
        let glow = [0.92, 0.84, 0.66].map(|c| c * if self.light.night > 0.3 { 1.35 } else { 0.5 });
        let glass = if lit { glow } else { self.glass(own, false) };
        self.plate(panel, [0.0, over], [0.0, window_top], 0.0, frame, Material::Smooth);
        self.plate(panel, [0.05, 0.95], [0.45, window_top - 0.12], 0.0, glass, Material::Glass);
        if across > 5.0 {
            // Goods in the window: upright, coloured, about as large as people.
            for k in 0..4 {
                let t = 0.1 + 0.21 * k as f32 + own.range(0.0, 0.05);
                let color = blend(glass, own.pick(&palette::CLOTH), 0.6);
                let tall = own.range(0.5, 1.5);
                self.plate(
                    panel,
                    [t, t + own.range(0.08, 0.15)],
                    [0.46, 0.46 + tall],
                    0.0,
                    color,
                    Material::Glass,
                );
            }
            let door = own.range(0.2, 0.7);
            self.plate(panel, [door, door + 0.03], [0.0, window_top], 0.0, frame, Material::Smooth);
        }
        self.plate(panel, [0.0, over], [window_top, top - 0.05], 0.12, brand, Material::Smooth);
        if across > 4.0 {
            let ink = if brand[0] + brand[1] + brand[2] > 1.5 {
                [0.1, 0.1, 0.12]
            } else {
                [0.94, 0.93, 0.88]
            };
            self.lettering(panel, own, [0.1, 0.9], [window_top + 0.15, top - 0.2], 0.12, ink);
        }
        if awning {
            let stripes = if across > 8.0 { 8 } else { 1 };
            for k in 0..stripes {
                let color = if k % 2 == 0 { brand } else { [0.88, 0.87, 0.83] };
                let (a, b) = (k as f32 / stripes as f32, (k + 1) as f32 / stripes as f32);
                let cloth = [
                    panel.at(a, window_top + 0.1, 0.05),
                    panel.at(b, window_top + 0.1, 0.05),
                    panel.at(b, window_top - 0.55, 1.25),
                    panel.at(a, window_top - 0.55, 1.25),
                ];
                self.wall(
                    &cloth,
                    color,
                    [-panel.sign * 0.5, 0.86, 0.0],
                    Some(panel.look.of(Material::Smooth)),
                );
            }
        }
        if own.chance(0.28) && across > 2.0 {
            self.projecting_sign(panel, own, brand, top);
        }
    }

    fn lettering(
        &mut self,
        panel: &Panel,
        own: &mut Dice,
        t: [f32; 2],
        h: [f32; 2],
        out: f32,
        ink: Rgb,
    ) {
        let count = 4 + own.below(5);
        let pitch = (t[1] - t[0]) / count as f32;
        for k in 0..count {
            let a = t[0] + pitch * k as f32;
            self.plate(
                panel,
                [a, a + pitch * own.range(0.3, 0.7)],
                [h[0], h[1] - own.range(0.0, 0.12)],
                out,
                ink,
                Material::Smooth,
            );
        }
    }

    /// A round or square board that sticks out over the sidewalk and faces the traffic.
    fn projecting_sign(&mut self, panel: &Panel, own: &mut Dice, brand: Rgb, top: f32) {
        let (s, o, h) =
            (panel.s[0] + 0.3, panel.sign * (panel.front - 0.6), top + own.range(-0.3, 0.5));
        let rim = own.pick(&[[0.92, 0.92, 0.90], [0.75, 0.12, 0.12], [0.14, 0.25, 0.55]]);
        let round = own.chance(0.5);
        let size = own.range(0.26, 0.4);
        for (k, color) in [(1.0, rim), (0.78, brand), (0.35, [0.9, 0.9, 0.86])] {
            let r = size * k;
            let count = if round { 12 } else { 4 };
            let mut corners = [[0.0; 3]; 12];
            for (j, corner) in corners.iter_mut().enumerate().take(count) {
                let a = (j as f32 + 0.5) * (TAU / count as f32);
                *corner = self.camera.place(s, o + r * cos(a), h + r * sin(a));
            }
            let color = self.light.on(color, [0.0, 0.0, -1.0]);
            self.canvas.face(&corners[..count], color, 1.0, Some(panel.look.of(Material::Smooth)));
        }
    }

    /// A poster, often with a figure on it.
    fn poster(&mut self, panel: &Panel, own: &mut Dice, t: f32, across: f32) {
        if across < 4.0 {
            return;
        }
        let wide = 0.9 / (panel.s[1] - panel.s[0]);
        let paper = own.pick(&palette::SHOP);
        let (low, high) = (0.7, 2.1);
        self.plate(
            panel,
            [t - 0.01, t + wide + 0.01],
            [low - 0.05, high + 0.05],
            0.02,
            [0.8, 0.8, 0.78],
            Material::Smooth,
        );
        self.plate(panel, [t, t + wide], [low, high], 0.02, paper, Material::Smooth);
        if own.chance(0.6) {
            let (a, b) = (t + wide * 0.3, t + wide * 0.7);
            let (coat, skin) = (own.pick(&palette::CLOTH), own.pick(&palette::SKIN));
            self.plate(panel, [a, b], [low, low + 0.85], 0.02, coat, Material::Smooth);
            self.plate(
                panel,
                [a + wide * 0.1, b - wide * 0.1],
                [low + 0.87, low + 1.15],
                0.02,
                skin,
                Material::Smooth,
            );
        }
    }
}
