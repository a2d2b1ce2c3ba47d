//! Houses: bays of a facade with their windows, roofs, end walls.
//! Ground floors are in `facades`. Everything here is labelled building, drain pipes too: they are
//! meant to look like poles. Source: own.

use super::houses::{District, House, Roof};
use super::math::{Dice, Rgb, blend};
use super::palette::{self, Look, Material, Thing};
use super::scene::Scenery;
use super::world::KERB;

/// One bay of a facade: where its corners are in the street.
#[derive(Clone, Copy)]
pub struct Panel {
    pub s: [f32; 2],
    pub sign: f32,
    pub front: f32,
    pub look: Look,
}

impl Panel {
    /// A corner at the fraction `t` of the bay, height `h`, `out` metres towards the road.
    pub fn at(&self, t: f32, h: f32, out: f32) -> [f32; 3] {
        [self.s[0] + (self.s[1] - self.s[0]) * t, self.sign * (self.front - out), h + KERB]
    }

    pub fn normal(&self) -> [f32; 3] {
        [-self.sign, 0.0, 0.0]
    }
}

impl Scenery<'_> {
    /// A rectangle on a bay: fractions of its width, heights in metres.
    pub fn plate(
        &mut self,
        panel: &Panel,
        t: [f32; 2],
        h: [f32; 2],
        out: f32,
        color: Rgb,
        material: Material,
    ) {
        let corners = [
            panel.at(t[0], h[0], out),
            panel.at(t[1], h[0], out),
            panel.at(t[1], h[1], out),
            panel.at(t[0], h[1], out),
        ];
        self.wall(&corners, color, panel.normal(), Some(panel.look.of(material)));
    }

    pub fn bay(&mut self, house: usize, bay: usize) {
        let house = self.houses[house].clone();
        let wide = (house.s[1] - house.s[0]) / house.bays as f32;
        let s0 = house.s[0] + bay as f32 * wide;
        let look = Look::new(Thing::Building, house.material);
        let panel = Panel { s: [s0, s0 + wide], sign: house.sign(), front: house.front, look };
        if s0 + wide < self.camera.s + 0.3 {
            return;
        }
        let eaves = house.eaves();
        // Each piece reaches a little behind its neighbour, or the sky would shine through the seam.
        let over = 1.0 + 0.12 / wide;
        self.plate(&panel, [0.0, over], [-KERB, eaves], 0.0, house.wall, house.material);
        self.roof(&house, &panel, over);
        let p = self.camera.place(s0, panel.sign * house.front, 0.0);
        let q = self.camera.place(s0 + wide, panel.sign * house.front, 0.0);
        if q[2] < 1.0 {
            return;
        }
        let across = if p[2] < 1.0 {
            200.0
        } else {
            (self.camera.pixel(p)[0] - self.camera.pixel(q)[0]).abs()
        };
        let mut dice = Dice::new(house.seed, 1, 0);
        let style = Openings::new(&mut dice, &house);
        let mut own = Dice::new(house.seed, 2, bay as u64);
        for floor in 1..house.floors {
            let sill = house.ground + (floor - 1) as f32 * house.floor + 0.75;
            self.window(&house, &panel, &style, &mut own, sill, across);
        }
        self.ground_floor(&house, &panel, bay, &style, across);
        if across > 2.5 {
            let cornice = house.trim;
            if style.bands {
                for floor in 1..house.floors {
                    let h = house.ground + (floor - 1) as f32 * house.floor;
                    self.plate(
                        &panel,
                        [0.0, over],
                        [h, h + 0.16],
                        0.06,
                        cornice,
                        Material::Concrete,
                    );
                }
            }
            self.plate(
                &panel,
                [0.0, over],
                [eaves - 0.22, eaves],
                0.12,
                cornice,
                Material::Concrete,
            );
        }
        if bay == 0 && style.pipe && across > 1.5 {
            // A drain pipe: round, upright, metal, and yet not a pole.
            let foot = panel.at(0.06, 0.0, 0.12);
            let top = panel.at(0.06, eaves, 0.12);
            let a = self.camera.place(foot[0], foot[1], foot[2]);
            let b = self.camera.place(top[0], top[1], top[2]);
            let color = self.light.around(style.metal, 1.0);
            self.canvas.rod(a, b, [0.06, 0.06], color, Some(look.of(Material::Smooth)));
        }
    }

    fn roof(&mut self, house: &House, panel: &Panel, over: f32) {
        let eaves = house.eaves();
        if house.roof == Roof::Flat {
            return;
        }
        let rise = house.ridge() - eaves;
        let back = house.deep * 0.5;
        let corners = [
            panel.at(0.0, eaves - 0.1, 0.35),
            panel.at(over, eaves - 0.1, 0.35),
            panel.at(over, eaves + rise, -back),
            panel.at(0.0, eaves + rise, -back),
        ];
        let slope = [-panel.sign * 0.55, 0.83, 0.0];
        let eye = self.camera.height;
        // Seen from below the eaves, the slope shows only where the camera is high or far enough.
        if eaves < eye + 40.0 {
            self.wall(&corners, house.tiles, slope, Some(panel.look.of(Material::Roof)));
        }
    }

    fn window(
        &mut self,
        house: &House,
        panel: &Panel,
        style: &Openings,
        own: &mut Dice,
        sill: f32,
        across: f32,
    ) {
        let lit = own.chance(0.34) && self.light.night > 0.3;
        let glass = self.glass(own, lit);
        let skip = own.chance(style.blank);
        let (curtain, balcony) = (own.chance(0.4), own.chance(style.balcony));
        if skip {
            return;
        }
        let (t0, t1) = (0.5 - style.wide * 0.5, 0.5 + style.wide * 0.5);
        let (h0, h1) = (sill, sill + style.tall);
        if across < 3.0 {
            if across > 0.8 {
                self.plate(panel, [t0, t1], [h0, h1], 0.0, glass, Material::Glass);
            }
            return;
        }
        if style.shutters {
            for t in [[t0 - 0.17, t0 - 0.02], [t1 + 0.02, t1 + 0.17]] {
                self.plate(panel, t, [h0, h1], 0.05, style.shutter, Material::Wood);
            }
        }
        let edge = 0.07 / (panel.s[1] - panel.s[0]);
        self.plate(
            panel,
            [t0 - edge, t1 + edge],
            [h0 - 0.08, h1 + 0.08],
            0.0,
            style.frame,
            Material::Smooth,
        );
        self.plate(panel, [t0, t1], [h0, h1], 0.0, glass, Material::Glass);
        if across > 7.0 {
            let reveal = glass.map(|c| c * 0.45);
            self.plate(panel, [t0, t1], [h1 - 0.14, h1], 0.0, reveal, Material::Glass);
            if curtain && !lit {
                let cloth = blend(glass, [0.72, 0.70, 0.66], 0.55);
                self.plate(
                    panel,
                    [t0, t0 + (t1 - t0) * 0.3],
                    [h0, h1 - 0.14],
                    0.0,
                    cloth,
                    Material::Glass,
                );
                self.plate(
                    panel,
                    [t1 - (t1 - t0) * 0.25, t1],
                    [h0, h1 - 0.14],
                    0.0,
                    cloth,
                    Material::Glass,
                );
            }
            let half = 0.035 / (panel.s[1] - panel.s[0]);
            let middle = (t0 + t1) * 0.5;
            self.plate(
                panel,
                [middle - half, middle + half],
                [h0, h1],
                0.0,
                style.frame,
                Material::Smooth,
            );
            if style.cross {
                let h = h0 + style.tall * 0.66;
                self.plate(panel, [t0, t1], [h, h + 0.06], 0.0, style.frame, Material::Smooth);
            }
            self.plate(
                panel,
                [t0 - 2.0 * edge, t1 + 2.0 * edge],
                [h0 - 0.14, h0 - 0.04],
                0.1,
                house.trim,
                Material::Concrete,
            );
        }
        if balcony && across > 4.0 {
            self.balcony(house, panel, h0 - 0.75, across);
        }
    }

    fn balcony(&mut self, house: &House, panel: &Panel, h: f32, across: f32) {
        let (t0, t1, out) = (0.08, 0.92, 0.9);
        let below = [
            panel.at(t0, h, 0.0),
            panel.at(t1, h, 0.0),
            panel.at(t1, h, out),
            panel.at(t0, h, out),
        ];
        let look = panel.look.of(Material::Concrete);
        self.wall(&below, house.trim.map(|c| c * 0.6), [0.0, -0.5, 0.0], Some(look));
        self.plate(panel, [t0, t1], [h - 0.14, h + 0.06], out, house.trim, Material::Concrete);
        let rail = [0.20, 0.20, 0.21];
        if across > 12.0 {
            for k in 0..=9 {
                let t = t0 + (t1 - t0) * k as f32 / 9.0;
                self.plate(panel, [t, t + 0.012], [h, h + 0.95], out, rail, Material::Smooth);
            }
            self.plate(panel, [t0, t1], [h + 0.92, h + 1.0], out, rail, Material::Smooth);
        } else {
            let color = blend(house.wall, rail, 0.6);
            self.plate(panel, [t0, t1], [h, h + 0.98], out, color, Material::Smooth);
        }
        let end = [
            panel.at(t0, h, 0.0),
            panel.at(t0, h, out),
            panel.at(t0, h + 0.98, out),
            panel.at(t0, h + 0.98, 0.0),
        ];
        self.wall(&end, rail, [0.0, 0.0, -1.0], Some(look.of(Material::Smooth)));
    }

    /// What a pane shows: a dark room, a reflection of the sky, or a lamp.
    pub fn glass(&self, dice: &mut Dice, lit: bool) -> Rgb {
        if lit {
            let warm = dice.range(0.7, 1.15);
            return [1.5 * warm, 1.2 * warm, 0.75 * warm]
                .map(|c| c * (0.6 + 0.6 * self.light.night));
        }
        let dark = [0.13, 0.15, 0.17];
        blend(dark, self.light.horizon.map(|c| c * 0.8), dice.range(0.05, 0.42))
    }

    /// The wall that a house turns towards the camera where it is higher than its neighbour or free.
    pub fn end(&mut self, house: usize) {
        let house = self.houses[house].clone();
        if house.s[0] < self.camera.s + 0.3 {
            return;
        }
        let sign = house.sign();
        let (near, far) = (sign * house.front, sign * (house.front + house.deep));
        let (eaves, ridge) = (house.eaves() + KERB, house.ridge() + KERB);
        let s = house.s[0];
        let corners = [
            [s, near, 0.0],
            [s, near, eaves],
            [s, (near + far) * 0.5, ridge],
            [s, far, eaves],
            [s, far, 0.0],
        ];
        let look = Look::new(Thing::Building, house.material);
        let color = house.wall.map(|c| c * 0.94);
        self.wall(&corners, color, [0.0, 0.0, -1.0], Some(look));
        let mut d = Dice::new(house.seed, 3, 0);
        let windows = d.chance(0.6);
        for floor in 0..house.floors {
            let h = KERB
                + 1.0
                + if floor == 0 {
                    0.0
                } else {
                    house.ground + (floor - 1) as f32 * house.floor - 0.25
                };
            for k in 0..2 {
                let o = near + (far - near) * (0.28 + 0.4 * k as f32);
                let glass = self.glass(&mut d, false);
                if windows && d.chance(0.7) {
                    for (grow, color, material) in
                        [(0.08, house.trim, Material::Smooth), (0.0, glass, Material::Glass)]
                    {
                        let (a, b) = (o - 0.5 - grow, o + 0.5 + grow);
                        let (l, t) = (h - grow, h + 1.35 + grow);
                        let pane = [[s, a, l], [s, b, l], [s, b, t], [s, a, t]];
                        self.wall(&pane, color, [0.0, 0.0, -1.0], Some(look.of(material)));
                    }
                }
            }
        }
        if house.roof == Roof::Pitched && d.chance(0.7) {
            let o = near + (far - near) * 0.4;
            let (a, b, top) = (o - 0.35, o + 0.35, ridge + 0.9);
            let stack = [
                [s + 1.5, a, ridge - 1.4],
                [s + 1.5, b, ridge - 1.4],
                [s + 1.5, b, top],
                [s + 1.5, a, top],
            ];
            self.wall(&stack, [0.42, 0.28, 0.23], [0.0, 0.0, -1.0], Some(look.of(Material::Brick)));
        }
    }
}

/// What the windows of one house have in common.
pub struct Openings {
    pub wide: f32,
    pub tall: f32,
    pub frame: Rgb,
    pub shutters: bool,
    pub shutter: Rgb,
    pub cross: bool,
    pub bands: bool,
    pub pipe: bool,
    pub metal: Rgb,
    pub blank: f32,
    pub balcony: f32,
}

impl Openings {
    pub fn new(d: &mut Dice, house: &House) -> Self {
        let hall = house.district == District::Hall;
        Openings {
            wide: if hall { 0.8 } else { d.range(0.32, 0.62) },
            tall: if hall { 1.0 } else { d.range(1.2, 1.75) },
            frame: d.pick(&[
                [0.90, 0.90, 0.88],
                [0.84, 0.82, 0.76],
                [0.24, 0.22, 0.21],
                [0.42, 0.30, 0.20],
            ]),
            shutters: d.chance(0.2) && !hall,
            shutter: d.pick(&palette::SHUTTER),
            cross: d.chance(0.5),
            bands: d.chance(0.45),
            pipe: d.chance(0.6),
            metal: d.pick(&palette::METAL),
            blank: d.range(0.0, 0.12),
            balcony: if d.chance(0.25) && house.district == District::City { 0.5 } else { 0.0 },
        }
    }
}
