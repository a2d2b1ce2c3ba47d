//! One view of a street: gathers what is in sight, sorts it by depth, has each thing drawn.
//! How a thing looks stands in the file of its family. Source: the painter's algorithm.

use super::camera::Camera;
use super::canvas::Canvas;
use super::houses::House;
use super::math::{Dice, Rgb, V3, sin};
use super::palette::Look;
use super::weather::Light;
use super::world::{BLOCK, Item, Kind, World};

/// Objects further ahead than this are left to the backdrop, in metres.
pub const SIGHT: f32 = 190.0;

/// Height and distance of the houses on the sun's side, one entry a metre: what casts shadows.
pub struct Skyline {
    pub first: f32,
    pub height: Vec<f32>,
    pub front: Vec<f32>,
}

pub struct Scenery<'a> {
    pub canvas: Canvas,
    pub camera: Camera,
    pub light: &'a Light,
    pub world: &'a World,
    pub houses: Vec<House>,
    pub skyline: Skyline,
    /// Number of the object that is being drawn.
    pub number: u16,
    /// Seconds since the start: moves what moves.
    pub time: f32,
}

impl<'a> Scenery<'a> {
    pub fn new(canvas: Canvas, light: &'a Light, world: &'a World, time: f32) -> Self {
        let camera = canvas.camera.clone();
        let first = camera.s - 90.0;
        let skyline = Skyline { first, height: vec![0.0; 420], front: vec![20.0; 420] };
        let mut scenery =
            Scenery { canvas, camera, light, world, houses: Vec::new(), skyline, number: 0, time };
        for block in scenery.blocks() {
            for side in 0..2 {
                scenery.houses.extend(world.houses(side, block));
            }
        }
        let sunny = usize::from(light.sun[0] > 0.0);
        let from = (first / BLOCK).floor() as i64;
        for block in from..from + 10 {
            for house in world.houses(sunny, block) {
                for s in house.s[0].round() as i32..house.s[1].round() as i32 {
                    let at = s - first as i32;
                    if (0..420).contains(&at) {
                        scenery.skyline.height[at as usize] = house.eaves();
                        scenery.skyline.front[at as usize] = house.front;
                    }
                }
            }
        }
        scenery
    }

    /// The blocks in sight.
    pub fn blocks(&self) -> std::ops::Range<i64> {
        let from = ((self.camera.s - 14.0) / BLOCK).floor() as i64;
        let to = ((self.camera.s + SIGHT) / BLOCK).floor() as i64 + 1;
        from..to
    }

    pub fn draw(&mut self) {
        super::weather::sky(&mut self.canvas, self.light, self.time * 0.01);
        self.backdrop();
        self.ground();
        let mut items = Vec::new();
        for block in self.blocks() {
            self.world.objects(block, &mut items);
        }
        self.world.traffic(self.camera.s, self.time, &mut items);
        for (index, house) in self.houses.iter().enumerate() {
            let wide = (house.s[1] - house.s[0]) / house.bays as f32;
            let o = house.sign() * house.front;
            for bay in 0..house.bays {
                let s = house.s[0] + (bay as f32 + 1.0) * wide;
                items.push(Item {
                    s,
                    o,
                    seed: house.seed,
                    bias: 1.0,
                    kind: Kind::Bay { house: index, bay },
                });
            }
            let kind = Kind::End { house: index };
            items.push(Item { s: house.s[0], o, seed: house.seed, bias: wide + 1.2, kind });
        }
        let stroll = |mut item: Item| {
            if item.kind == (Kind::Person { walking: true }) {
                // To and fro, so that nobody leaves the block that knows of him.
                let pace = Dice::new(item.seed, 8, 0).range(0.05, 0.16);
                item.s += 7.0 * sin(pace * self.time);
            }
            item
        };
        let mut order: Vec<(f32, Item)> = items
            .into_iter()
            .map(stroll)
            .map(|item| (self.camera.place(item.s, item.o, 0.0)[2] + item.bias, item))
            .filter(|(depth, item)| {
                let room = match item.kind {
                    Kind::Bay { .. } | Kind::End { .. } => -6.0,
                    Kind::Fence { .. } | Kind::Hedge { .. } => -4.0,
                    Kind::Tree { .. } => 1.5,
                    Kind::Car { .. } => 4.2,
                    _ => 2.0,
                };
                // A driver keeps his distance from the car before him.
                let tailgating = matches!(item.kind, Kind::Car { across: false, .. })
                    && *depth < 8.5
                    && (item.o - self.camera.o).abs() < 1.9;
                *depth > room && item.s < self.camera.s + SIGHT && !tailgating
            })
            .collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (_, item) in &order {
            self.shadow(item);
        }
        for (number, (_, item)) in order.iter().enumerate() {
            self.number = number as u16 + 1;
            self.object(item);
        }
    }

    fn object(&mut self, item: &Item) {
        match item.kind {
            Kind::Bay { house, bay } => self.bay(house, bay),
            Kind::End { house } => self.end(house),
            Kind::Tree { small } => self.tree(item, small),
            Kind::Bush => self.bush(item),
            Kind::Hedge { long } => self.hedge(item, long),
            Kind::Fence { long, style } => self.fence(item, long, style),
            Kind::Car { ahead, across } => self.car(item, ahead, across),
            Kind::Person { walking } => self.person(item, walking),
            Kind::Cyclist { ahead } => self.cyclist(item, ahead),
            Kind::ParkedBike => self.parked_bike(item),
            Kind::Lamp => self.lamp(item),
            Kind::Signs => self.signs(item),
            Kind::TrafficLight { faces, arm } => self.traffic_light(item, faces, arm),
            Kind::Bollard => self.bollard(item),
            Kind::Clutter => self.clutter(item),
            Kind::Billboard => self.billboard(item),
        }
    }

    /// A plane polygon given in street coordinates (s, o, h), lit by its normal (o, h, s axes).
    pub fn wall(&mut self, corners: &[[f32; 3]], color: Rgb, normal: V3, look: Option<Look>) {
        let mut points = [[0.0; 3]; 8];
        let count = corners.len().min(8);
        for (p, c) in points.iter_mut().zip(corners) {
            *p = self.camera.place(c[0], c[1], c[2]);
        }
        let color = self.light.on(color, normal);
        let look = look.map(|l| l.shaded(self.light.away(normal)));
        self.canvas.face(&points[..count], color, 1.0, look);
    }
}
