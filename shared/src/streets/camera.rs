//! The camera: one pinhole above a flat ground, and the way from street coordinates to pixels.
//! It knows nothing of what stands in the street. Source: the pinhole equations of any textbook.
//! Street coordinates: `s` along the street, `o` to the right of its middle, `h` up, all in metres.

use super::math::{V3, cos, sin};

/// Nothing nearer than this is drawn, in metres.
pub const NEAR: f32 = 0.6;

#[derive(Clone, Debug)]
pub struct Camera {
    /// Focal length in pixels.
    pub focal: f32,
    /// Column of the optical axis and row of the horizon, in pixels.
    pub centre: [f32; 2],
    /// Height above the ground, position along the street and beside its middle, in metres.
    pub height: f32,
    pub s: f32,
    pub o: f32,
    /// Curvature of the street, 1/m, positive to the right.
    pub bend: f32,
    yaw: [f32; 2], // cosine, sine
}

impl Camera {
    pub fn new(focal: f32, centre: [f32; 2], height: f32, s: f32, o: f32) -> Self {
        Camera { focal, centre, height, s, o, bend: 0.0, yaw: [1.0, 0.0] }
    }

    /// Looks `angle` radians to the right of the street's direction.
    pub fn turn(&mut self, angle: f32) {
        self.yaw = [cos(angle), sin(angle)];
    }

    /// A point of the street in camera coordinates (x right, y up from the ground, z ahead).
    pub fn place(&self, s: f32, o: f32, h: f32) -> V3 {
        let ahead = s - self.s;
        let side = o - self.o + 0.5 * self.bend * ahead * ahead.abs();
        let [c, n] = self.yaw;
        [side * c - ahead * n, h, side * n + ahead * c]
    }

    /// The way back: where in the street a point in camera coordinates is, as (s, o).
    pub fn street(&self, p: V3) -> (f32, f32) {
        let [c, n] = self.yaw;
        let (side, ahead) = (p[0] * c + p[2] * n, p[2] * c - p[0] * n);
        (self.s + ahead, self.o + side - 0.5 * self.bend * ahead * ahead.abs())
    }

    /// A direction (right of the street, up, along it) in camera coordinates, at the camera.
    pub fn direction(&self, d: V3) -> V3 {
        let [c, n] = self.yaw;
        [d[0] * c - d[2] * n, d[1], d[0] * n + d[2] * c]
    }

    /// Pixel of a point in camera coordinates; its z must be positive.
    pub fn pixel(&self, p: V3) -> [f32; 2] {
        let k = self.focal / p[2];
        [self.centre[0] + p[0] * k, self.centre[1] + (self.height - p[1]) * k]
    }

    /// The point at 1/z = `inverse` behind a pixel, in camera coordinates.
    pub fn point(&self, x: f32, y: f32, inverse: f32) -> V3 {
        let z = 1.0 / inverse;
        let k = z / self.focal;
        [(x - self.centre[0]) * k, self.height - (y - self.centre[1]) * k, z]
    }

    /// A plane through `p` with normal `n` as 1/z = a + b x + c y over pixels.
    /// A plane seen edge-on has no such form: then the constant 1/z of `p`.
    pub fn plane(&self, p: V3, n: V3) -> [f32; 3] {
        let d = n[0] * p[0] + n[1] * (p[1] - self.height) + n[2] * p[2];
        if d.abs() < 1e-4 {
            return [1.0 / p[2], 0.0, 0.0];
        }
        let (b, c) = (n[0] / (self.focal * d), -n[1] / (self.focal * d));
        [n[2] / d - b * self.centre[0] - c * self.centre[1], b, c]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera() -> Camera {
        let mut camera = Camera::new(300.0, [160.0, 75.0], 1.4, 1000.0, 1.5);
        camera.bend = 0.004;
        camera.turn(0.06);
        camera
    }

    #[test]
    fn a_pixel_and_its_depth_give_the_point_back() {
        let camera = camera();
        let p = camera.place(1032.0, -4.0, 2.5);
        let [x, y] = camera.pixel(p);
        let q = camera.point(x, y, 1.0 / p[2]);
        let (s, o) = camera.street(q);
        assert!((s - 1032.0).abs() < 0.05 && (o + 4.0).abs() < 0.05 && (q[1] - 2.5).abs() < 0.01);
    }

    #[test]
    fn the_ground_plane_rises_to_the_horizon() {
        let camera = camera();
        let [a, b, c] = camera.plane(camera.place(1010.0, 0.0, 0.0), [0.0, 1.0, 0.0]);
        for s in [1004.0, 1020.0, 1090.0] {
            let p = camera.place(s, 2.0, 0.0);
            let [x, y] = camera.pixel(p);
            assert!((a + b * x + c * y - 1.0 / p[2]).abs() < 1e-4);
        }
        assert!((a + c * camera.centre[1]).abs() < 1e-5);
    }

    #[test]
    fn twice_as_far_is_half_as_tall() {
        let camera = Camera::new(300.0, [160.0, 75.0], 1.4, 0.0, 0.0);
        let tall = |s| {
            camera.pixel(camera.place(s, 0.0, 0.0))[1] - camera.pixel(camera.place(s, 0.0, 1.8))[1]
        };
        assert!((tall(10.0) / tall(20.0) - 2.0).abs() < 1e-4);
    }
}
