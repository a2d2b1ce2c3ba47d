//! The shapes of cars: side profiles of a saloon, a hatchback, an estate and two vans.
//! Numbers only; `vehicles` draws them. Source: own, after common European cars.

/// A body style: profiles as (metres ahead of the middle, height), counter-clockwise from the rear.
pub struct Style {
    pub lower: &'static [[f32; 2]],
    pub cabin: &'static [[f32; 2]],
    pub wide: f32,
    pub axles: [f32; 2],
    pub wheel: f32,
    /// Where the pillar between the side windows stands.
    pub pillar: f32,
    /// Whether there are windows behind the front seats.
    pub glazed: bool,
}

pub const STYLES: [Style; 5] = [
    // saloon
    Style {
        lower: &[
            [-2.2, 0.24],
            [2.2, 0.24],
            [2.26, 0.55],
            [2.1, 0.72],
            [1.0, 0.93],
            [-1.7, 0.97],
            [-2.2, 0.92],
            [-2.28, 0.6],
        ],
        cabin: &[[-1.75, 0.95], [1.15, 0.92], [0.3, 1.42], [-0.1, 1.46], [-0.95, 1.42]],
        wide: 1.78,
        axles: [-1.35, 1.4],
        wheel: 0.32,
        pillar: -0.25,
        glazed: true,
    },
    // hatchback
    Style {
        lower: &[
            [-1.85, 0.25],
            [1.95, 0.25],
            [2.0, 0.55],
            [1.85, 0.75],
            [0.95, 0.96],
            [-1.8, 1.0],
            [-1.93, 0.6],
        ],
        cabin: &[[-1.84, 0.98], [1.1, 0.95], [0.25, 1.46], [-0.2, 1.5], [-1.5, 1.44]],
        wide: 1.74,
        axles: [-1.25, 1.25],
        wheel: 0.31,
        pillar: -0.45,
        glazed: true,
    },
    // estate, tall
    Style {
        lower: &[
            [-2.2, 0.3],
            [2.2, 0.3],
            [2.25, 0.65],
            [2.1, 0.9],
            [1.05, 1.08],
            [-2.1, 1.1],
            [-2.25, 0.7],
        ],
        cabin: &[[-2.12, 1.08], [1.15, 1.06], [0.4, 1.62], [-0.2, 1.68], [-1.85, 1.62]],
        wide: 1.86,
        axles: [-1.38, 1.38],
        wheel: 0.37,
        pillar: -0.35,
        glazed: true,
    },
    // small van
    Style {
        lower: &[
            [-2.2, 0.3],
            [2.25, 0.3],
            [2.3, 0.7],
            [2.15, 0.98],
            [1.5, 1.12],
            [-2.25, 1.15],
            [-2.25, 0.6],
        ],
        cabin: &[[-2.25, 1.12], [1.55, 1.1], [0.85, 1.86], [0.3, 1.95], [-2.2, 1.92]],
        wide: 1.86,
        axles: [-1.45, 1.4],
        wheel: 0.34,
        pillar: 0.05,
        glazed: false,
    },
    // delivery van
    Style {
        lower: &[
            [-2.9, 0.35],
            [2.7, 0.35],
            [2.75, 0.8],
            [2.6, 1.1],
            [2.05, 1.25],
            [-2.9, 1.25],
            [-2.9, 0.7],
        ],
        cabin: &[[-2.9, 1.22], [2.1, 1.22], [1.55, 2.1], [1.1, 2.42], [-2.85, 2.48]],
        wide: 2.05,
        axles: [-1.8, 1.75],
        wheel: 0.37,
        pillar: 0.9,
        glazed: false,
    },
];
