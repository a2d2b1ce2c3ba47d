//! Light smoothing of curves with many points: a moving mean.

/// How many neighbouring points are averaged so that a curve of this many can be read: an odd number, 1 for few points.
pub fn window(points: usize) -> usize {
    (points / 30).min(25) | 1
}

/// The moving mean over `window` points around each (fewer at the ends). What is not finite takes no part; a point
/// with nothing finite around it stays a gap.
pub fn smooth(points: &[(f64, f64)], window: usize) -> Vec<(f64, f64)> {
    let half = window / 2;
    let mean = |i: usize| {
        let near = &points[i.saturating_sub(half)..points.len().min(i + half + 1)];
        let finite = near.iter().map(|(_, y)| *y).filter(|y| y.is_finite());
        let (sum, n) = finite.fold((0.0, 0.0), |(sum, n), y| (sum + y, n + 1.0));
        sum / n
    };
    points.iter().enumerate().map(|(i, (x, _))| (*x, mean(i))).collect()
}

/// What a title says of the smoothing.
pub fn smoothed(window: usize) -> String {
    if window > 1 { format!(" (mean of {window} points)") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_averages_neighbours_and_leaves_wide_gaps() {
        let points = [1.0, 4.0, f64::NAN, 2.0, 3.0, f64::NAN, f64::NAN, f64::NAN];
        let points: Vec<(f64, f64)> = points.into_iter().map(|y| (0.0, y)).collect();
        let smooth: Vec<f64> = smooth(&points, 3).into_iter().map(|(_, y)| y).collect();
        assert_eq!(smooth[..6], [2.5, 2.5, 3.0, 2.5, 2.5, 3.0]);
        assert!(smooth[6].is_nan() && smooth[7].is_nan());
        assert_eq!((window(10), window(200), window(100_000)), (1, 7, 25));
    }
}
