//! Where panels go: the arrangement in which the frame is largest, in its own proportions.
//! Not what is in them.

use shared::render::Rect;

/// Between panels, in pixels.
const GAP: u32 = 6;

/// The place of one panel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// Upper left corner of its title.
    pub title: (i32, i32),
    /// Its picture.
    pub picture: Rect,
}

/// The places of all panels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// In the order of the models.
    pub panels: Vec<Spot>,
}

impl Layout {
    /// Arranges `count` panels with titles `title` pixels high, for frames of size `frame`, in `area`.
    pub fn new(area: Rect, count: u32, frame: (u32, u32), title: u32) -> Self {
        let cell = |columns: u32| {
            let rows = count.div_ceil(columns);
            let width = area.width.saturating_sub(GAP * (columns + 1)) / columns;
            let height =
                (area.height.saturating_sub(GAP * (rows + 1)) / rows).saturating_sub(title);
            (width, height)
        };
        let best = (1..=count.max(1)).max_by_key(|&columns| fitted(frame, cell(columns)).0);
        let columns = best.unwrap_or(1);
        let (cell_width, cell_height) = cell(columns);
        let (width, height) = fitted(frame, (cell_width, cell_height));
        let panels = (0..count).map(|i| {
            let x = area.x + GAP + i % columns * (cell_width + GAP);
            let y = area.y + GAP + i / columns * (cell_height + title + GAP);
            let x = x + (cell_width.saturating_sub(width)) / 2;
            let picture = Rect::new(x, y + title, width, height);
            Spot { title: (x as i32, y as i32), picture }
        });
        Self { panels: panels.collect() }
    }
}

/// The largest size with the proportions of `frame` in `room`, at least one pixel.
fn fitted(frame: (u32, u32), room: (u32, u32)) -> (u32, u32) {
    let [fw, fh, rw, rh] = [frame.0.max(1), frame.1.max(1), room.0, room.1].map(u64::from);
    let (width, height) = if rw * fh <= rh * fw { (rw, rw * fh / fw) } else { (rh * fw / fh, rh) };
    (width.max(1) as u32, height.max(1) as u32)
}

/// A good size for a picture with `count` panels for frames of size `frame`: large enough to read, small
/// enough for a screen, both sides even, as video wants them.
pub fn natural_size(count: usize, frame: (u32, u32)) -> (u32, u32) {
    let columns = count.clamp(1, 2) as u32;
    let rows = (count.max(1) as u32).div_ceil(columns);
    let room = (1800 / columns, 860 / rows);
    let (width, height) = fitted(frame, room);
    // Small frames are enlarged three times at most.
    let (width, height) = (width.min(frame.0 * 3), height.min(frame.1 * 3));
    // Above and below: the head-up line, titles and the legend.
    let (width, height) = ((width + GAP) * columns + GAP, (height + 26) * rows + 110);
    (width.max(640).next_multiple_of(2), height.max(360).next_multiple_of(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How far from the frame's proportions a panel is, in pixels of its height.
    fn distortion(frame: (u32, u32), picture: Rect) -> f64 {
        let height = f64::from(picture.width) * f64::from(frame.1) / f64::from(frame.0);
        (f64::from(picture.height) - height).abs()
    }

    #[test]
    fn panels_keep_the_frames_proportions_at_any_size_and_stay_apart() {
        for frame in [(480, 360), (2048, 1024), (320, 720)] {
            for (width, height) in [(1200, 400), (640, 360), (400, 1000), (333, 777)] {
                for count in 1..=4 {
                    let area = Rect::new(0, 30, width, height);
                    let layout = Layout::new(area, count, frame, 20);
                    assert_eq!(layout.panels.len(), count as usize);
                    for (i, spot) in layout.panels.iter().enumerate() {
                        let p = spot.picture;
                        assert!(distortion(frame, p) <= 7.0, "{frame:?} in {area:?}: {p:?}");
                        assert!(p.x + p.width <= width && p.y + p.height <= 30 + height, "{p:?}");
                        let others = layout.panels[..i].iter();
                        assert!(others.clone().all(|o| !o.picture.overlaps(&p)), "{layout:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn two_wide_frames_go_below_each_other_in_a_high_window_and_side_by_side_in_a_wide_one() {
        let columns = |width, height| {
            let panels = Layout::new(Rect::new(0, 0, width, height), 2, (200, 100), 20).panels;
            if panels[0].picture.y == panels[1].picture.y { 2 } else { 1 }
        };
        assert_eq!((columns(1600, 500), columns(600, 1000)), (2, 1));
    }

    #[test]
    fn a_natural_size_is_even_and_fits_a_screen() {
        for frame in [(64, 64), (480, 360), (2048, 1024), (8192, 4096), (101, 3001)] {
            for count in 1..=4 {
                let (width, height) = natural_size(count, frame);
                assert!(width % 2 == 0 && height % 2 == 0);
                assert!(width <= 1920 && height <= 1080, "{width}x{height}");
            }
        }
    }
}
