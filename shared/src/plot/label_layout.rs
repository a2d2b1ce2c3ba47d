//! Label layout: positions where names cover neither each other nor the data. Not drawing: rectangles in, positions out.

/// A rectangle in pixels: left, top, right, bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub left: i32,
    /// Upper edge.
    pub top: i32,
    /// Right edge.
    pub right: i32,
    /// Lower edge.
    pub bottom: i32,
}

impl Area {
    /// A square around a point.
    pub fn around((x, y): (i32, i32), half: i32) -> Self {
        Self { left: x - half, top: y - half, right: x + half, bottom: y + half }
    }

    fn overlap(&self, other: &Self) -> i64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        i64::from(width.max(0)) * i64::from(height.max(0))
    }

    fn outside(&self, frame: &Self) -> i64 {
        let area = |a: &Self| i64::from(a.right - a.left) * i64::from(a.bottom - a.top);
        area(self) - self.overlap(frame)
    }
}

/// A rectangle near each of some points for a name of the given size (width, height), within `frame`, clear of `taken` and
/// of each other as far as possible; the nearest of the best ones. `step` is the distance between candidates.
pub fn near(
    points: &[(i32, i32)],
    sizes: &[(i32, i32)],
    taken: &[Area],
    frame: Area,
    step: i32,
) -> Vec<Area> {
    let mut taken = taken.to_vec();
    let mut places = Vec::with_capacity(points.len());
    for (&(x, y), &(width, height)) in points.iter().zip(sizes) {
        let at =
            |left: i32, top: i32| Area { left, top, right: left + width, bottom: top + height };
        // Right, left, above, below, then the corners, then the same farther away.
        let candidates = (1..=8).flat_map(|ring| {
            let d = step * ring;
            let (mx, my) = (x - width / 2, y - height / 2);
            let (left, right, top, bottom) = (x - d - width, x + d, y - d - height, y + d);
            [
                at(right, my),
                at(left, my),
                at(mx, top),
                at(mx, bottom),
                at(right, top),
                at(right, bottom),
                at(left, top),
                at(left, bottom),
            ]
        });
        let cost = |area: &Area| {
            taken.iter().map(|other| area.overlap(other)).sum::<i64>() + 4 * area.outside(&frame)
        };
        // `min_by_key` gives the first of equals: the nearest.
        let Some(best) = candidates.min_by_key(cost) else { continue };
        taken.push(best);
        places.push(best);
    }
    places
}

/// Positions, in the order given, as near to the wanted ones as keeping `gap` between neighbours and all
/// within `from..=to` allows; what does not fit overlaps evenly.
pub fn spread(wanted: &[i32], gap: i32, from: i32, to: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&i| wanted[i]);
    let gap = gap.min((to - from) / (wanted.len() as i32 - 1).max(1));
    let mut placed = vec![from; wanted.len()];
    let mut least = from;
    for &i in &order {
        placed[i] = wanted[i].max(least);
        least = placed[i] + gap;
    }
    let mut most = to;
    for &i in order.iter().rev() {
        placed[i] = placed[i].min(most);
        most = placed[i] - gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_points_that_coincide_do_not_overlap() {
        let frame = Area { left: 0, top: 0, right: 400, bottom: 400 };
        let points = [(200, 200); 6];
        let places = near(&points, &[(80, 14); 6], &[Area::around((200, 200), 5)], frame, 8);
        for (i, a) in places.iter().enumerate() {
            assert_eq!(a.outside(&frame), 0);
            assert!(places[..i].iter().all(|b| a.overlap(b) == 0), "{places:?}");
        }
    }

    #[test]
    fn a_name_at_the_edge_stays_inside() {
        let frame = Area { left: 0, top: 0, right: 100, bottom: 100 };
        let places = near(&[(98, 50)], &[(40, 10)], &[], frame, 6);
        assert_eq!(places[0], Area { left: 52, top: 45, right: 92, bottom: 55 });
    }

    #[test]
    fn positions_are_spread_by_the_gap_and_stay_inside() {
        assert_eq!(spread(&[50, 51, 10], 10, 0, 100), [50, 60, 10]);
        assert_eq!(spread(&[98, 99, 100], 10, 0, 100), [80, 90, 100]);
        assert_eq!(spread(&[0; 5], 100, 0, 100), [0, 25, 50, 75, 100]);
    }
}
