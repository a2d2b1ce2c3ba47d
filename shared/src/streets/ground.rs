//! The ground: road, lane marks, kerbs, sidewalks, crossings, lawns, and the shadows lying on it.
//! Nothing that stands up. Source: own; widths after ordinary European city streets.

use super::math::{Dice, Rgb, TAU, noise};
use super::palette::{Look, Material, Thing};
use super::scene::Scenery;
use super::world::{BLOCK, CROSSING, KERB};

/// How far the ground is drawn, in metres.
const FAR: f32 = 420.0;

impl Scenery<'_> {
    /// A strip of ground between two lines along the street, at height `h`.
    fn strip(&mut self, side: [f32; 2], along: [f32; 2], h: f32, color: Rgb, look: Look) {
        let from = along[0].max(self.camera.s + 0.3);
        let to = along[1].min(self.camera.s + FAR);
        if to <= from {
            return;
        }
        // Points lie closer together near the camera, where the bend shows most.
        let mut stops = vec![from];
        let mut s = from;
        while s < to {
            s = (s + 2.0 + (s - self.camera.s) * 0.12).min(to);
            stops.push(s);
        }
        let mut points: Vec<_> = stops.iter().map(|&s| self.camera.place(s, side[0], h)).collect();
        points.extend(stops.iter().rev().map(|&s| self.camera.place(s, side[1], h)));
        let color = self.light.on(color, [0.0, 1.0, 0.0]);
        self.canvas.face(&points, color, 1.0, Some(look));
    }

    pub fn ground(&mut self) {
        let world = self.world;
        let road = Look::new(Thing::Road, Material::Asphalt);
        let walk = Look::new(Thing::Sidewalk, Material::Paving);
        let grass = Look::new(Thing::Grass, Material::Grass);
        let all = [self.camera.s - 5.0, self.camera.s + FAR];
        // Something lies under everything: no seam between strips may show the sky.
        self.strip([-900.0, 900.0], all, 0.0, world.asphalt, road);
        for (side, sign) in [(0, -1.0), (1, 1.0)] {
            let edge = world.line(side);
            self.strip([sign * edge, sign * 900.0], all, KERB, world.lawn, grass);
        }
        for block in self.blocks() {
            for (side, sign) in [(0, -1.0f32), (1, 1.0)] {
                if world.paved(side, block) {
                    let along = [block as f32 * BLOCK - 0.1, (block + 1) as f32 * BLOCK];
                    let edge = world.line(side);
                    self.strip([sign * edge, sign * 90.0], along, KERB, world.paving, walk);
                }
            }
        }
        let half = world.half_road;
        for (side, sign) in [(0, -1.0), (1, 1.0)] {
            let verge = half + world.verge[side];
            self.strip([sign * verge, sign * world.line(side)], all, KERB, world.paving, walk);
            if world.verge[side] > 0.0 {
                self.strip([sign * half, sign * verge], all, KERB, world.lawn, grass);
            }
        }
        for block in self.blocks() {
            if world.crossing(block) {
                let s = block as f32 * BLOCK;
                self.strip([-60.0, 60.0], [s, s + CROSSING], 0.0, world.asphalt, road);
            }
        }
        self.strip([-half, half], all, 0.0, world.asphalt, road);
        self.kerbs();
        self.stains();
        self.marks();
    }

    fn kerbs(&mut self) {
        let look = Look::new(Thing::Sidewalk, Material::Concrete);
        let half = self.world.half_road;
        for block in self.blocks() {
            let crossing = self.world.crossing(block);
            let open = if crossing { CROSSING } else { 0.0 };
            let from = (block as f32 * BLOCK + open).max(self.camera.s + 0.4);
            let to = (block + 1) as f32 * BLOCK;
            if crossing {
                // The far kerb of the crossing street looks at the camera.
                let s = block as f32 * BLOCK + CROSSING;
                for sign in [-1.0f32, 1.0] {
                    let (a, b) = (sign * half, sign * 60.0);
                    self.wall(
                        &[[s, a, 0.0], [s, b, 0.0], [s, b, KERB], [s, a, KERB]],
                        self.world.kerb,
                        [0.0, 0.0, -1.0],
                        Some(look),
                    );
                }
            }
            let mut s = from;
            while s < to {
                let next = (s + 4.0 + (s - self.camera.s) * 0.1).min(to);
                for sign in [-1.0f32, 1.0] {
                    let o = sign * half;
                    let side = [
                        self.camera.place(s, o, 0.0),
                        self.camera.place(next, o, 0.0),
                        self.camera.place(next, o, KERB),
                        self.camera.place(s, o, KERB),
                    ];
                    let color = self.light.on(self.world.kerb, [-sign, 0.0, 0.0]);
                    self.canvas.face(&side, color, 1.0, Some(look));
                    let top = [
                        side[3],
                        side[2],
                        self.camera.place(next, o + sign * 0.16, KERB),
                        self.camera.place(s, o + sign * 0.16, KERB),
                    ];
                    let color = self.light.on(self.world.kerb, [0.0, 1.0, 0.0]);
                    self.canvas.face(&top, color, 1.0, Some(look));
                }
                s = next;
            }
        }
    }

    /// Repairs, manholes and the darker line of the gutter: road that is not grey alone.
    fn stains(&mut self) {
        let road = Look::new(Thing::Road, Material::Asphalt);
        let half = self.world.half_road;
        for block in self.blocks() {
            let mut dice = Dice::new(self.world.seed, 11, block as u64);
            for _ in 0..3 {
                let (s, o) = (
                    block as f32 * BLOCK + dice.range(0.0, BLOCK),
                    dice.range(-half * 0.8, half * 0.8),
                );
                let (long, wide) = (dice.range(1.0, 7.0), dice.range(0.5, 1.6));
                let tone = dice.range(0.74, 1.12);
                let color = self.world.asphalt.map(|c| c * tone);
                let near = s > self.camera.s + 1.0 && s < self.camera.s + 70.0;
                if near && dice.chance(0.8) {
                    self.strip([o - wide / 2.0, o + wide / 2.0], [s, s + long], 0.0, color, road);
                }
                let (s, o) = (s + dice.range(-6.0, 6.0), dice.range(-half * 0.7, half * 0.7));
                if near && dice.chance(0.4) {
                    self.disc([s, o], 0.36, [0.20, 0.19, 0.19], 1.0, Some(road));
                }
            }
        }
        for sign in [-1.0f32, 1.0] {
            let color = self.world.asphalt.map(|c| c * 0.86);
            let (a, b) = (sign * (half - 0.35), sign * half);
            self.strip([a, b], [self.camera.s, self.camera.s + 80.0], 0.0, color, road);
        }
    }

    /// Height of the ground beside the middle of the road.
    pub fn level(&self, o: f32) -> f32 {
        if o.abs() > self.world.half_road { KERB } else { 0.0 }
    }

    /// A round spot on the ground.
    pub fn disc(&mut self, at: [f32; 2], radius: f32, color: Rgb, alpha: f32, look: Option<Look>) {
        let height = self.level(at[1]);
        let points: Vec<_> = (0..14)
            .map(|k| {
                let a = k as f32 * (TAU / 14.0);
                let (s, o) =
                    (at[0] + radius * super::math::sin(a), at[1] + radius * super::math::cos(a));
                self.camera.place(s, o, height)
            })
            .collect();
        self.canvas.face(&points, color, alpha, look);
    }

    fn marks(&mut self) {
        let look = Look::new(Thing::LaneMarking, Material::Paint);
        let world = self.world;
        let half = world.half_road;
        let first = self.camera.s - 2.0;
        for block in self.blocks() {
            let start = block as f32 * BLOCK;
            let open = world.crossing(block);
            let stop = world.crossing(block + 1);
            let from = if open { start + CROSSING + 5.0 } else { start };
            let to = start + BLOCK - if stop { 5.5 } else { 0.0 };
            for line in &world.lines {
                let dashed = line.dash > 0.0 && !(stop && line.o == 0.0 && world.two_way);
                if dashed {
                    let mut s = (from / (2.0 * line.dash)).ceil() * 2.0 * line.dash;
                    while s < to {
                        if s + line.dash > first {
                            let end = (s + line.dash).min(to);
                            self.mark([line.o - line.wide, line.o + line.wide], [s, end], look);
                        }
                        s += 2.0 * line.dash;
                    }
                } else {
                    self.mark([line.o - line.wide, line.o + line.wide], [from, to], look);
                }
            }
            if open && world.zebra(block) {
                let count = (2.0 * half / 1.0) as i32;
                for k in 0..count {
                    let o = -half + 0.5 + k as f32;
                    for s in [start - 4.2, start + CROSSING + 1.2] {
                        self.mark([o - 0.25, o + 0.25], [s, s + 3.0], look);
                    }
                }
            }
            if open {
                // Stop lines before the crossing, one for each direction of traffic.
                let near = if world.two_way { 0.15 } else { -half + 0.3 };
                self.mark([near, half - 0.3], [start - 5.4, start - 4.9], look);
                if world.two_way {
                    let s = start + CROSSING + 4.9;
                    self.mark([-half + 0.3, -0.15], [s, s + 0.5], look);
                }
            }
            if stop && world.arrows {
                self.arrow(start + BLOCK - 14.0, half * 0.5 - world.parking[1] * 0.5, look);
            }
        }
    }

    fn mark(&mut self, side: [f32; 2], along: [f32; 2], look: Look) {
        // Worn paint: patches where the road comes through more.
        let worn = 0.5 + 0.5 * noise(along[0] * 0.21, side[0] * 0.7, self.world.seed as u32);
        let k = 0.72 + 0.28 * self.world.fresh - 0.22 * worn * (1.0 - self.world.fresh);
        let color = self.world.marking.map(|c| c * k);
        self.strip(side, along, 0.0, color, look);
    }

    fn arrow(&mut self, s: f32, o: f32, look: Look) {
        if s < self.camera.s - 6.0 {
            return;
        }
        self.mark([o - 0.1, o + 0.1], [s, s + 3.0], look);
        let tip = [
            self.camera.place(s + 2.8, o - 0.4, 0.0),
            self.camera.place(s + 5.0, o, 0.0),
            self.camera.place(s + 2.8, o + 0.4, 0.0),
        ];
        let color = self.light.on(self.world.marking, [0.0, 1.0, 0.0]);
        self.canvas.face(&tip, color, 1.0, Some(look));
    }
}
