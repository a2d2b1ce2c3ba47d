//! Fences: iron bars, planks, wire mesh, low walls with rails, guard rails.
//! A fence is labelled whole, gaps and all, as annotators draw it. Source: own.

use super::math::{Dice, Rgb};
use super::palette::{self, Look, Material, Thing};
use super::scene::Scenery;
use super::world::Item;

impl Scenery<'_> {
    pub fn fence(&mut self, item: &Item, long: f32, style: u64) {
        let mut dice = Dice::new(style, 0, 0);
        let d = &mut dice;
        let kind = d.below(5);
        let look = Look::new(Thing::Fence, Material::Smooth).number(self.number);
        let metal = d.pick(&[
            [0.13, 0.14, 0.15],
            [0.20, 0.26, 0.22],
            [0.40, 0.41, 0.42],
            [0.55, 0.55, 0.54],
        ]);
        let wood = d.tint([0.42, 0.31, 0.21], 0.10);
        let white = d.chance(0.3);
        let wood = if white { [0.80, 0.79, 0.75] } else { wood };
        let tall = match kind {
            0 => d.range(1.0, 1.7),
            1 => d.range(0.9, 1.8),
            2 => d.range(1.4, 2.2),
            3 => d.range(1.0, 1.4),
            _ => 0.8,
        };
        let wall = d.pick(&palette::BRICK);
        let (s0, s1) = (item.s, item.s + long);
        let span = Span { s: [s0, s1], o: item.o };
        let near = self.camera.place(s1, item.o, 0.0);
        if near[2] < 0.8 {
            return;
        }
        let size = self.canvas.per_metre(near[2].max(2.0));
        match kind {
            0 => {
                // Bars: the label covers the whole panel, the picture only the iron.
                self.veil(&span, [0.0, tall], metal, 0.10, look);
                self.bars(&span, [0.0, tall], 0.13, 0.022, metal, size, look);
                self.rail(&span, [0.12, 0.17], metal, look);
                self.rail(&span, [tall - 0.14, tall - 0.09], metal, look);
            }
            1 => {
                self.rail(&span, [0.0, tall], wood, look.of(Material::Wood));
                if size > 9.0 {
                    let gap = wood.map(|c| c * 0.45);
                    self.bars(
                        &span,
                        [0.0, tall],
                        0.16,
                        0.012,
                        gap,
                        size * 4.0,
                        look.of(Material::Wood),
                    );
                }
            }
            2 => {
                self.veil(&span, [0.0, tall], metal, 0.38, look);
                self.rail(&span, [tall - 0.05, tall], metal, look);
                self.bars(&span, [0.0, tall + 0.05], 2.0, 0.035, metal, size * 9.0, look);
            }
            3 => {
                self.rail(&span, [0.0, 0.5], wall, look.of(Material::Brick));
                self.veil(&span, [0.5, tall], metal, 0.10, look);
                self.bars(&span, [0.5, tall], 0.14, 0.02, metal, size, look);
                self.rail(&span, [tall - 0.06, tall], metal, look);
            }
            _ => {
                let steel = [0.62, 0.63, 0.64];
                self.veil(&span, [0.0, tall], metal, 0.05, look);
                self.bars(&span, [0.0, tall], 2.0, 0.06, metal, size * 9.0, look);
                self.rail(&span, [0.45, tall], steel, look);
                self.rail(&span, [0.60, 0.65], steel.map(|c| c * 0.6), look);
            }
        }
    }

    /// A translucent panel that is labelled as if it were solid.
    fn veil(&mut self, span: &Span, h: [f32; 2], color: Rgb, alpha: f32, look: Look) {
        let corners = span.corners(h).map(|c| self.camera.place(c[0], c[1], c[2]));
        let color = self.light.around(color, 1.0);
        self.canvas.face(&corners, color, alpha, Some(look));
    }

    fn rail(&mut self, span: &Span, h: [f32; 2], color: Rgb, look: Look) {
        let normal = [-span.o.signum(), 0.0, 0.0];
        self.wall(&span.corners(h), color, normal, Some(look));
    }

    #[allow(clippy::too_many_arguments)]
    fn bars(
        &mut self,
        span: &Span,
        h: [f32; 2],
        pitch: f32,
        radius: f32,
        color: Rgb,
        size: f32,
        look: Look,
    ) {
        // Bars finer than the pixels melt into one grey.
        if size * pitch < 1.6 {
            self.veil(span, h, color, (2.0 * radius / pitch).min(0.6), look);
            return;
        }
        let color = self.light.around(color, 1.0);
        let count = ((span.s[1] - span.s[0]) / pitch).round().max(1.0) as i32;
        for k in 0..count {
            let s = span.s[1] - (span.s[1] - span.s[0]) * (k as f32 + 0.5) / count as f32;
            let a = self.camera.place(s, span.o, h[0] + 0.1);
            let b = self.camera.place(s, span.o, h[1] + 0.1);
            self.canvas.rod(a, b, [radius, radius], color, Some(look));
        }
    }
}

/// A stretch of fence along the street.
struct Span {
    s: [f32; 2],
    o: f32,
}

impl Span {
    fn corners(&self, h: [f32; 2]) -> [[f32; 3]; 4] {
        let k = super::world::KERB;
        [
            [self.s[0], self.o, h[0] + k],
            [self.s[1], self.o, h[0] + k],
            [self.s[1], self.o, h[1] + k],
            [self.s[0], self.o, h[1] + k],
        ]
    }
}
