//! Which objects stand along a block, and which move past: the street's inventory.
//! Only places and kinds; how each is drawn stands in the file of its family. Source: own; the
//! chances were set so that the shares of the classes come out as the module's documentation says.

use super::houses::District;
use super::math::Dice;
use super::world::{BLOCK, CROSSING, Item, Kind, World};

impl World {
    /// Everything along one block except its houses and the traffic.
    pub fn objects(&self, block: i64, out: &mut Vec<Item>) {
        for side in 0..2 {
            self.frontage(side, block, out);
            self.walkway(side, block, out);
            self.parked(side, block, out);
        }
        if self.crossing(block) {
            self.junction(block, out);
        }
    }

    /// Along the property line: fences, hedges, and what grows behind them.
    fn frontage(&self, side: usize, block: i64, out: &mut Vec<Item>) {
        let sign = if side == 0 { -1.0 } else { 1.0 };
        let district = self.district(side, block);
        let mut dice = Dice::new(self.seed, 30 + side as u64, block as u64);
        let d = &mut dice;
        let from = block as f32 * BLOCK + if self.crossing(block) { CROSSING + 2.0 } else { 0.0 };
        let to = (block + 1) as f32 * BLOCK - if self.crossing(block + 1) { 2.0 } else { 0.0 };
        let line = sign * (self.line(side) + 0.15);
        let mut put = |s: f32, o: f32, bias: f32, kind: Kind, d: &mut Dice| {
            out.push(Item { s, o, seed: d.seed(), bias, kind });
        };
        let style = d.seed();
        match district {
            District::City => {
                let houses = self.houses(side, block);
                for pair in houses.windows(2) {
                    let gap = pair[1].s[0] - pair[0].s[1];
                    if gap > 1.0 {
                        let kind = if d.chance(0.6) {
                            Kind::Fence { long: gap, style }
                        } else {
                            Kind::Hedge { long: gap }
                        };
                        put(pair[0].s[1], line, 0.5, kind, d);
                        put(
                            pair[0].s[1] + gap * 0.5,
                            sign * (self.line(side) + 6.0),
                            6.0,
                            Kind::Tree { small: false },
                            d,
                        );
                    }
                }
            }
            District::Hall => {
                let mut s = from;
                while s < to - 1.0 {
                    let long = (to - s).min(4.0);
                    put(s, line, 0.3, Kind::Fence { long, style }, d);
                    s += 4.0;
                }
            }
            District::Suburb | District::Park => {
                let park = district == District::Park;
                let kind = d.below(10); // fence, hedge or open for the whole block, with gates
                let mut s = from;
                while s < to - 1.0 {
                    let long = (to - s).min(4.0);
                    let gate = !park && d.chance(0.14);
                    if kind < 3 && !gate {
                        put(s, line, 0.3, Kind::Fence { long, style }, d);
                    } else if kind < 8 && !gate {
                        put(s, line, 0.3, Kind::Hedge { long }, d);
                    }
                    if d.chance(0.45) {
                        let o = sign * (self.line(side) + d.range(0.9, 2.6));
                        put(s + d.range(0.0, 4.0), o, 0.0, Kind::Bush, d);
                    }
                    if d.chance(if park { 0.55 } else { 0.16 }) {
                        let o =
                            sign * (self.line(side) + d.range(2.6, if park { 14.0 } else { 3.6 }));
                        put(s + d.range(0.0, 4.0), o, 1.0, Kind::Tree { small: !park }, d);
                    }
                    if park {
                        let o = sign * (self.line(side) + d.range(16.0, 26.0));
                        put(s + d.range(0.0, 4.0), o, 14.0, Kind::Tree { small: false }, d);
                    } else if d.chance(0.3) {
                        let o = sign * (self.line(side) + d.range(16.0, 22.0));
                        put(s + d.range(0.0, 4.0), o, 18.0, Kind::Tree { small: false }, d);
                    }
                    s += 4.0;
                }
            }
        }
        if d.chance(0.05) && district != District::City {
            put(from + d.range(6.0, 30.0), sign * (self.line(side) + 1.6), 0.2, Kind::Billboard, d);
        }
    }

    /// On the sidewalk: street trees, lamps, signs, people, odds and ends.
    fn walkway(&self, side: usize, block: i64, out: &mut Vec<Item>) {
        let sign = if side == 0 { -1.0 } else { 1.0 };
        let mut dice = Dice::new(self.seed, 40 + side as u64, block as u64);
        let d = &mut dice;
        let start = block as f32 * BLOCK;
        let from = start + if self.crossing(block) { CROSSING + 2.5 } else { 0.0 };
        let to = start + BLOCK - if self.crossing(block + 1) { 2.5 } else { 0.0 };
        let edge = self.half_road;
        let kerbside = sign * (edge + 0.55);
        let mut put = |s: f32, o: f32, kind: Kind, d: &mut Dice| {
            if s > from && s < to {
                out.push(Item { s, o, seed: d.seed(), bias: 0.0, kind });
            }
        };
        if self.trees[side] > 0.0 {
            let mut s = (start / self.trees[side]).ceil() * self.trees[side];
            while s < start + BLOCK {
                if d.chance(0.85) {
                    put(s, sign * (edge + 0.9), Kind::Tree { small: self.walk[side] < 2.6 }, d);
                }
                s += self.trees[side];
            }
        }
        let mut s = (start / self.lamps).ceil() * self.lamps + side as f32 * self.lamps * 0.5;
        while s < start + BLOCK {
            put(s, kerbside, Kind::Lamp, d);
            s += self.lamps;
        }
        if d.chance(0.62) {
            put(start + d.range(4.0, 44.0), kerbside + sign * d.range(-0.1, 0.3), Kind::Signs, d);
        }
        if d.chance(0.16) {
            let (first, count) = (start + d.range(6.0, 30.0), 3 + d.below(6));
            for k in 0..count {
                put(first + 1.6 * k as f32, sign * (edge + 0.35), Kind::Bollard, d);
            }
        }
        for _ in 0..2 {
            if d.chance(0.40) {
                let o = if d.chance(0.5) { edge + 0.6 } else { self.line(side) - 0.4 };
                put(start + d.range(2.0, 46.0), sign * o, Kind::Clutter, d);
            }
        }
        let people = (d.range(0.0, 1.0) * d.range(0.3, 1.0) * self.busy * 12.5) as usize;
        for _ in 0..people {
            let inner = edge + self.verge[side] + 0.5;
            let s = start + d.range(0.0, BLOCK);
            let o = d.range(inner, (self.line(side) - 0.4).max(inner + 0.1));
            let walking = d.chance(0.8);
            put(s, sign * o, Kind::Person { walking }, d);
            if d.chance(0.35) {
                put(
                    s + d.range(-0.3, 0.3),
                    sign * (o + d.range(0.5, 0.7)),
                    Kind::Person { walking },
                    d,
                );
            }
        }
        if d.chance(0.05 * (0.4 + self.busy)) {
            let o = if d.chance(0.6) { self.line(side) - 0.5 } else { edge + 0.5 };
            put(start + d.range(2.0, 44.0), sign * o, Kind::ParkedBike, d);
        }
    }

    fn parked(&self, side: usize, block: i64, out: &mut Vec<Item>) {
        if self.parking[side] <= 0.0 {
            return;
        }
        let sign = if side == 0 { -1.0 } else { 1.0 };
        let mut dice = Dice::new(self.seed, 50 + side as u64, block as u64);
        let d = &mut dice;
        let open = if self.crossing(block) { CROSSING + 8.0 } else { 0.0 };
        let shut = if self.crossing(block + 1) { 9.0 } else { 0.0 };
        let full = d.range(0.1, 1.0) * (0.3 + 0.7 * self.busy);
        let mut s = block as f32 * BLOCK + open + 2.8;
        while s < (block + 1) as f32 * BLOCK - shut - 2.6 {
            if d.chance(full) {
                let o = sign * (self.half_road - 1.12 + d.range(-0.1, 0.1));
                let ahead = if self.two_way { side == 1 } else { true };
                let ahead = ahead != d.chance(0.06);
                out.push(Item {
                    s: s + d.range(-0.3, 0.3),
                    o,
                    seed: d.seed(),
                    bias: 0.0,
                    kind: Kind::Car { ahead, across: false },
                });
            }
            s += 6.0;
        }
    }

    fn junction(&self, block: i64, out: &mut Vec<Item>) {
        let mut dice = Dice::new(self.seed, 60, block as u64);
        let d = &mut dice;
        let s = block as f32 * BLOCK;
        let mut put = |s: f32, o: f32, kind: Kind, d: &mut Dice| {
            out.push(Item { s, o, seed: d.seed(), bias: 0.0, kind });
        };
        let edge = self.half_road;
        if self.lights(block) {
            let arm = d.chance(0.4);
            put(s - 1.0, edge + 0.6, Kind::TrafficLight { faces: true, arm }, d);
            if d.chance(0.7) {
                put(s - 1.0, -edge - 0.6, Kind::TrafficLight { faces: true, arm: false }, d);
            }
            put(
                s + CROSSING + 1.0,
                -edge - 0.6,
                Kind::TrafficLight { faces: false, arm: false },
                d,
            );
            if d.chance(0.6) {
                put(
                    s + CROSSING + 1.0,
                    edge + 0.6,
                    Kind::TrafficLight { faces: true, arm: false },
                    d,
                );
            }
        } else {
            put(s - 1.2, edge + 0.7, Kind::Signs, d);
            if d.chance(0.4) {
                put(s + CROSSING + 1.4, -edge - 0.7, Kind::Signs, d);
            }
        }
        if self.zebra(block) {
            for row in [s - 2.7, s + CROSSING + 2.7] {
                let count = d.below(3);
                for _ in 0..count {
                    if d.chance(self.busy) {
                        let o = d.range(-edge - 1.0, edge + 1.0);
                        put(row + d.range(-1.0, 1.0), o, Kind::Person { walking: true }, d);
                    }
                }
            }
        }
        if d.chance(0.30 * self.busy + 0.08) {
            let (at, ahead) = (d.range(-24.0, 24.0), d.chance(0.5));
            let lane = if ahead { 2.2 } else { CROSSING - 2.2 };
            if at.abs() > edge || d.chance(0.5) {
                put(s + lane, at, Kind::Car { ahead, across: true }, d);
            }
        }
        for sign in [-1.0f32, 1.0] {
            // The crossing street goes on: trees and bushes close the view along it.
            for k in 0..3 {
                let o = sign * (30.0 + 6.0 * k as f32 + d.range(0.0, 3.0));
                put(s + d.range(-4.0, CROSSING + 4.0), o, Kind::Tree { small: false }, d);
            }
        }
    }

    /// Traffic on the road at `time` seconds: each lane is a belt of slots that moves with its speed.
    pub fn traffic(&self, around: f32, time: f32, out: &mut Vec<Item>) {
        let driving = self.half_road - self.parking[1];
        let lanes: Vec<(f32, bool)> = if self.two_way {
            let lane = driving / self.lanes as f32;
            (0..self.lanes)
                .flat_map(|k| [(lane * (k as f32 + 0.5), true), (-lane * (k as f32 + 0.5), false)])
                .collect()
        } else {
            vec![(driving * 0.5, true), (-driving * 0.5, true)]
        };
        for (number, &(o, ahead)) in lanes.iter().enumerate() {
            let speed = if ahead { 9.0 } else { -10.0 } + number as f32 * 0.7;
            let slot = 16.0;
            let shift = speed * time;
            let first = ((around - 10.0 - shift) / slot).floor() as i64;
            for k in first..first + 13 {
                let mut d = Dice::new(self.seed, 70 + number as u64, k as u64);
                let s = k as f32 * slot + d.range(0.0, 7.0) + shift;
                if d.chance(0.10 + 0.42 * self.busy) {
                    out.push(Item {
                        s,
                        o: o + d.range(-0.3, 0.3),
                        seed: d.seed(),
                        bias: 0.0,
                        kind: Kind::Car { ahead, across: false },
                    });
                } else if d.chance(0.025) {
                    let edge = driving - 0.7;
                    let o = if ahead { edge } else { -edge };
                    out.push(Item {
                        s,
                        o,
                        seed: d.seed(),
                        bias: 0.0,
                        kind: Kind::Cyclist { ahead },
                    });
                }
            }
        }
    }
}
