//! The canvas: an antialiased picture, and beside it what each pixel's centre shows.
//! It paints in the order it is told to (painter's algorithm); sorting is the caller's work.
//! Source: tiny-skia fills the picture; the surfaces are filled by an own even-odd scan at pixel centres.

use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Transform};

use super::camera::{Camera, NEAR};
use super::math::{Rgb, V3, blend, cross, dot, floor, sub};
use super::palette::{Look, Material, Thing};

/// What the centre of a pixel shows.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    /// 1/z in 1/m; 0 for the sky.
    pub inverse: f32,
    pub look: Look,
}

pub struct Canvas {
    pub width: u32,
    pub height: u32,
    pub camera: Camera,
    pub picture: Pixmap,
    pub surfaces: Vec<Surface>,
    builder: PathBuilder,
    paint: Paint<'static>,
    crossings: Vec<f32>,
    clipped: Vec<V3>,
    flat: Vec<[f32; 2]>,
}

impl Canvas {
    /// An empty canvas, all sky; both sides must be positive.
    pub fn new(width: u32, height: u32, camera: Camera) -> Self {
        let sky = Surface { inverse: 0.0, look: Look::new(Thing::Sky, Material::Sky) };
        Canvas {
            width,
            height,
            camera,
            picture: Pixmap::new(width, height).expect("sides are positive"),
            surfaces: vec![sky; width as usize * height as usize],
            builder: PathBuilder::new(),
            paint: Paint::default(),
            crossings: Vec::new(),
            clipped: Vec::new(),
            flat: Vec::new(),
        }
    }

    /// Fills a polygon given in pixels; `alpha` below 1 lets through what is there.
    pub fn fill(&mut self, points: &[[f32; 2]], color: Rgb, alpha: f32) {
        let (w, h) = (self.width as f32, self.height as f32);
        let (mut lo, mut hi) = ([f32::MAX; 2], [f32::MIN; 2]);
        for p in points {
            for k in 0..2 {
                lo[k] = lo[k].min(p[k]);
                hi[k] = hi[k].max(p[k]);
            }
        }
        let outside = hi[0] <= 0.0 || hi[1] <= 0.0 || lo[0] >= w || lo[1] >= h;
        if points.len() < 3 || outside || (hi[0] - lo[0]) * (hi[1] - lo[1]) < 0.01 {
            return;
        }
        let [r, g, b] = color.map(|c| c.clamp(0.0, 1.0));
        let Some(color) = Color::from_rgba(r, g, b, alpha.clamp(0.0, 1.0)) else { return };
        let mut builder = std::mem::take(&mut self.builder);
        builder.move_to(points[0][0], points[0][1]);
        for p in &points[1..] {
            builder.line_to(p[0], p[1]);
        }
        builder.close();
        let Some(path) = builder.finish() else { return };
        self.paint.set_color(color);
        self.paint.anti_alias = true;
        self.picture.fill_path(&path, &self.paint, FillRule::Winding, Transform::identity(), None);
        self.builder = path.clear();
    }

    /// Marks the pixels whose centre lies in the polygon; 1/z = a + b x + c y.
    pub fn mark(&mut self, points: &[[f32; 2]], plane: [f32; 3], look: Look) {
        let (mut top, mut bottom) = (f32::MAX, f32::MIN);
        for p in points {
            top = top.min(p[1]);
            bottom = bottom.max(p[1]);
        }
        let first = (top - 0.5).ceil().max(0.0) as i32;
        let last = (floor(bottom - 0.5) as i32).min(self.height as i32 - 1);
        for row in first..=last {
            let y = row as f32 + 0.5;
            self.crossings.clear();
            let mut a = points[points.len() - 1];
            for &b in points {
                if (a[1] <= y) != (b[1] <= y) {
                    self.crossings.push(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
                }
                a = b;
            }
            self.crossings.sort_unstable_by(f32::total_cmp);
            let line = row as usize * self.width as usize;
            for pair in self.crossings.chunks_exact(2) {
                let from = (pair[0] - 0.5).ceil().max(0.0) as i32;
                let to = ((pair[1] - 0.5).ceil() as i32).min(self.width as i32);
                for x in from..to {
                    let inverse = plane[0] + plane[1] * (x as f32 + 0.5) + plane[2] * y;
                    self.surfaces[line + x as usize] =
                        Surface { inverse: inverse.clamp(1e-4, 1.0 / NEAR), look };
                }
            }
        }
    }

    /// Fills and marks a polygon at one depth.
    pub fn flat(&mut self, points: &[[f32; 2]], inverse: f32, color: Rgb, look: Look) {
        self.fill(points, color, 1.0);
        if points.len() > 2 {
            self.mark(points, [inverse, 0.0, 0.0], look);
        }
    }

    /// A plane polygon in camera coordinates, cut off at the near plane. Without a look it only
    /// tints the picture (shadows, glass); with one it also becomes what its pixels show.
    pub fn face(&mut self, points: &[V3], color: Rgb, alpha: f32, look: Option<Look>) {
        let mut clipped = std::mem::take(&mut self.clipped);
        let mut flat = std::mem::take(&mut self.flat);
        cut_near(points, &mut clipped);
        if clipped.len() > 2 {
            flat.clear();
            flat.extend(clipped.iter().map(|&p| self.camera.pixel(p)));
            self.fill(&flat, color, alpha);
            if let Some(look) = look {
                let plane = self.camera.plane(clipped[0], normal(&clipped));
                self.mark(&flat, plane, look);
            }
        }
        self.clipped = clipped;
        self.flat = flat;
    }

    /// A straight rod between two points in camera coordinates, `radius` metres at each end.
    pub fn rod(&mut self, a: V3, b: V3, radius: [f32; 2], color: Rgb, look: Option<Look>) {
        if a[2] < NEAR || b[2] < NEAR {
            return;
        }
        let (p, q) = (self.camera.pixel(a), self.camera.pixel(b));
        let (dx, dy) = (q[0] - p[0], q[1] - p[1]);
        let long = (dx * dx + dy * dy).sqrt().max(1e-3);
        let (nx, ny) = (-dy / long, dx / long);
        let (ra, rb) = (radius[0] * self.camera.focal / a[2], radius[1] * self.camera.focal / b[2]);
        let points = [
            [p[0] + nx * ra, p[1] + ny * ra],
            [q[0] + nx * rb, q[1] + ny * rb],
            [q[0] - nx * rb, q[1] - ny * rb],
            [p[0] - nx * ra, p[1] - ny * ra],
        ];
        self.fill(&points, color, 1.0);
        if let Some(look) = look {
            self.mark(&points, [2.0 / (a[2] + b[2]), 0.0, 0.0], look);
        }
    }

    /// Overwrites one pixel of the picture.
    pub fn set(&mut self, x: u32, y: u32, color: Rgb) {
        let at = (y as usize * self.width as usize + x as usize) * 4;
        let px = &mut self.picture.data_mut()[at..at + 4];
        for k in 0..3 {
            px[k] = (color[k].clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        }
        px[3] = 255;
    }

    /// Fills the convex hull of points in camera coordinates: the outline of a convex body.
    pub fn hull(&mut self, points: &[V3], color: Rgb, look: Look) {
        if points.iter().any(|p| p[2] < NEAR) {
            return;
        }
        let mut flat: Vec<[f32; 2]> = points.iter().map(|&p| self.camera.pixel(p)).collect();
        let depth = points.iter().map(|p| p[2]).sum::<f32>() / points.len() as f32;
        flat.sort_unstable_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
        let chain = |points: &mut dyn Iterator<Item = [f32; 2]>| {
            let mut out: Vec<[f32; 2]> = Vec::new();
            for p in points {
                while let [.., a, b] = out[..] {
                    if (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]) > 0.0 {
                        break;
                    }
                    out.pop();
                }
                out.push(p);
            }
            out.pop();
            out
        };
        let mut outline = chain(&mut flat.iter().copied());
        outline.extend(chain(&mut flat.iter().rev().copied()));
        if outline.len() > 2 {
            self.flat(&outline, 1.0 / depth, color, look);
        }
    }

    /// Whether a polygon in camera coordinates shows its front, given its outward normal.
    pub fn faces(&self, point: V3, normal: V3) -> bool {
        dot(normal, sub(point, [0.0, self.camera.height, 0.0])) < 0.0
    }

    /// How many pixels a metre takes at depth `z`.
    pub fn per_metre(&self, z: f32) -> f32 {
        self.camera.focal / z.max(NEAR)
    }
}

fn cut_near(points: &[V3], out: &mut Vec<V3>) {
    out.clear();
    let Some(&last) = points.last() else { return };
    let mut a = last;
    for &b in points {
        if (a[2] < NEAR) != (b[2] < NEAR) {
            let t = (NEAR - a[2]) / (b[2] - a[2]);
            let c = blend(a, b, t);
            out.push([c[0], c[1], NEAR]);
        }
        if b[2] >= NEAR {
            out.push(b);
        }
        a = b;
    }
}

/// Newell's normal: right for any plane polygon, also one with collinear corners.
fn normal(points: &[V3]) -> V3 {
    let mut n = [0.0; 3];
    let origin = points[0];
    for pair in points.windows(2) {
        let c = cross(sub(pair[0], origin), sub(pair[1], origin));
        for k in 0..3 {
            n[k] += c[k];
        }
    }
    super::math::unit(n)
}
