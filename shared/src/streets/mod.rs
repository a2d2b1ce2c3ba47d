//! Procedural street scenes: pictures as a car's camera sees them, each with its exact labels.
//! Not a simulator: flat ground, one street, painted back to front. Source: own.

mod buildings;
mod camera;
mod canvas;
mod facades;
mod fences;
mod finish;
mod furniture;
mod ground;
mod layouts;
mod math;
mod objects;
mod palette;
mod people;
mod scene;
mod vegetation;
mod vehicles;
mod weather;
mod world;
mod write;

use image::{GrayImage, ImageBuffer, Luma, RgbImage};

use camera::Camera;
use canvas::Canvas;
use math::Dice;
use palette::Thing;
use weather::Light;
use world::World;
pub use write::{Counts, Layout, Summary, write};

use crate::error::{Error, Result};

/// Size and seed of a set of scenes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreetSettings {
    /// Width of a picture in pixels, 64 to 8192.
    pub width: u32,
    /// Height of a picture in pixels, 64 to 8192.
    pub height: u32,
    /// Every choice in every scene follows from it.
    pub seed: u64,
}

impl Default for StreetSettings {
    fn default() -> Self {
        StreetSettings { width: 320, height: 160, seed: 0 }
    }
}

impl StreetSettings {
    /// Refuses sizes that cannot be drawn: each side must be even, 64 to 8192 pixels.
    pub fn check(&self) -> Result<()> {
        let good = |side: u32| (64..=8192).contains(&side) && side % 2 == 0;
        if good(self.width) && good(self.height) {
            return Ok(());
        }
        let line = format!("size: expected even sides of 64 to 8192 pixels, got {}x{}", self.width, self.height);
        Err(Error::request(line).hint("for example 320x160"))
    }
}

/// One scene: a picture and what each of its pixels shows.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The picture.
    pub image: RgbImage,
    /// Train ids of the `streets` data set, 255 for void.
    pub labels: GrayImage,
    /// Number of the object, from 1 within the scene; 0 for what is not counted.
    pub instances: ImageBuffer<Luma<u16>, Vec<u16>>,
    /// What is seen, finer than the labels: rows of the layouts' table.
    things: Vec<Thing>,
}

/// The scene number `index` of a set: a function of size, seed and index alone.
pub fn scene(settings: &StreetSettings, index: u64) -> Scene {
    let mut dice = Dice::new(settings.seed, 100, index);
    let world = World::new(dice.seed());
    let light = Light::new(&mut dice);
    let s = dice.f(400.0, 900.0);
    let time = dice.f(0.0, 3.0);
    let mut camera = eye(settings, &world, &mut dice, s);
    camera.bend = if dice.chance(0.45) { 0.0 } else { dice.f(-0.005, 0.005) };
    camera.turn(dice.f(-0.10, 0.10));
    shoot(settings, camera, &light, &world, time, dice.seed())
}

fn eye(settings: &StreetSettings, world: &World, dice: &mut Dice, s: f32) -> Camera {
    let (w, h) = (settings.width as f32, settings.height as f32);
    let focal = w.max(1.6 * h) * dice.f(0.74, 0.98);
    let centre = [w * 0.5, h * dice.f(0.40, 0.50)];
    Camera::new(focal, centre, dice.f(1.25, 1.75), s, world.driver(dice))
}

fn shoot(settings: &StreetSettings, camera: Camera, light: &Light, world: &World, time: f32, grain: u64) -> Scene {
    let (w, h) = (settings.width.clamp(64, 8192), settings.height.clamp(64, 8192));
    let canvas = Canvas::new(w, h, camera);
    let mut scenery = scene::Scenery::new(canvas, light, world, time);
    scenery.draw();
    let image = scenery.finish(grain);
    let things: Vec<Thing> = scenery.canvas.surfaces.iter().map(|s| s.look.thing).collect();
    let labels = GrayImage::from_fn(w, h, |x, y| Luma([layouts::row(things[(y * w + x) as usize]).streets]));
    let instances = ImageBuffer::from_fn(w, h, |x, y| Luma([scenery.canvas.surfaces[(y * w + x) as usize].look.instance]));
    Scene { image, labels, instances, things }
}

#[cfg(test)]
mod scene_tests;
