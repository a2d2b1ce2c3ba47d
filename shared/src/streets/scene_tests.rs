//! Tests of the scenes: the same everywhere, labelled as announced, imbalanced as announced.
//! How they look is for eyes, not for tests.
//! Source: own.

use rayon::prelude::*;

use super::*;

const SIZE: StreetSettings = StreetSettings { width: 256, height: 128, seed: 0 };

#[test]
fn a_scene_is_the_same_on_any_number_of_threads() {
    let make = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (0..6u64).into_par_iter().map(|i| scene(&SIZE, i)).collect::<Vec<_>>())
    };
    for (a, b) in make(1).iter().zip(&make(3)) {
        assert!(a.image == b.image && a.labels == b.labels && a.instances == b.instances);
    }
}

#[test]
fn seeds_and_numbers_give_different_scenes() {
    let other = StreetSettings { seed: 1, ..SIZE };
    let first = scene(&SIZE, 0).image;
    assert!(first != scene(&SIZE, 1).image && first != scene(&other, 0).image);
}

#[test]
fn labels_are_train_ids_or_void_and_shares_are_those_of_streets() {
    let scenes = 240u64;
    let counts = (0..scenes)
        .into_par_iter()
        .map(|i| {
            let mut counts = [0u64; 256];
            for &label in scene(&SIZE, i).labels.as_raw() {
                counts[label as usize] += 1;
            }
            counts
        })
        .reduce(|| [0; 256], |a, b| std::array::from_fn(|k| a[k] + b[k]));
    assert_eq!(counts[13..255].iter().sum::<u64>(), 0);
    let total = (scenes * 256 * 128) as f64;
    let bounds = [
        ("road", 20.0, 45.0),
        ("lane marking", 0.8, 2.4),
        ("sidewalk", 3.0, 12.0),
        ("building", 15.0, 40.0),
        ("fence", 0.5, 2.5),
        ("vegetation", 6.0, 25.0),
        ("sky", 5.0, 20.0),
        ("car", 4.0, 14.0),
        ("pole", 0.6, 1.6),
        ("traffic light", 0.03, 0.2),
        ("traffic sign", 0.07, 0.25),
        ("pedestrian", 0.2, 0.8),
        ("bicycle", 0.002, 0.05),
    ];
    for (id, (name, low, high)) in bounds.into_iter().enumerate() {
        let share = counts[id] as f64 / total * 100.0;
        assert!(
            share >= low && share <= high,
            "{name}: expected {low} to {high} %, got {share:.4} %"
        );
    }
    assert!((counts[255] as f64) < total * 0.01, "void is a remnant");
}

#[test]
fn the_road_lies_below_the_sky_and_things_hide_what_is_behind_them() {
    for index in 0..12 {
        let labels = scene(&SIZE, index).labels;
        let mean_row = |id: u8| {
            let rows: Vec<f64> = labels
                .enumerate_pixels()
                .filter(|p| p.2.0[0] == id)
                .map(|p| f64::from(p.1))
                .collect();
            (!rows.is_empty()).then(|| rows.iter().sum::<f64>() / rows.len() as f64)
        };
        if let (Some(road), Some(sky)) = (mean_row(0), mean_row(6)) {
            assert!(road > sky + 30.0, "scene {index}");
        }
        assert!(labels.pixels().any(|p| p.0[0] == 0), "scene {index} shows road");
        // The horizon lies between 40 and 50 % of the height: no sky may show below it.
        let below = labels.enumerate_pixels().filter(|p| p.1 > 66 && p.2.0[0] == 6).count();
        assert_eq!(below, 0, "scene {index}");
    }
}

#[test]
fn the_nearer_of_two_posts_covers_the_farther_in_picture_and_labels() {
    use camera::Camera;
    use palette::{Look, Material, Thing};
    let camera = Camera::new(200.0, [64.0, 32.0], 1.4, 0.0, 0.0);
    let mut canvas = Canvas::new(128, 64, camera.clone());
    for (z, thing, color) in
        [(20.0, Thing::Pole, [1.0, 0.0, 0.0]), (5.0, Thing::Person, [0.0, 1.0, 0.0])]
    {
        let look = Look::new(thing, Material::Smooth);
        canvas.rod([0.0, 0.4, z], [0.0, 2.2, z], [0.3, 0.3], color, Some(look));
    }
    let middle = 64 + 128 * 30;
    assert_eq!(canvas.surfaces[middle].look.thing, Thing::Person);
    assert!((canvas.surfaces[middle].inverse - 0.2).abs() < 1e-4);
    assert_eq!(canvas.picture.data()[middle * 4..middle * 4 + 3], [0, 255, 0]);
}

#[test]
fn labels_are_crisp_where_the_picture_is_smooth() {
    use camera::Camera;
    use palette::{Look, Material, Thing};
    let mut canvas = Canvas::new(64, 64, Camera::new(60.0, [32.0, 32.0], 1.4, 0.0, 0.0));
    let triangle = [[10.3, 10.0], [50.0, 10.0], [10.3, 50.0]];
    canvas.flat(&triangle, 0.1, [1.0; 3], Look::new(Thing::TrafficSign, Material::Smooth));
    let mut halves = 0;
    for y in 0..64u32 {
        for x in 0..64u32 {
            let at = (y * 64 + x) as usize;
            let (cx, cy) = (x as f32 + 0.5, y as f32 + 0.5);
            // The slanted side runs from (50, 10) to (10.3, 50).
            let inside = cx >= 10.3 && cy >= 10.0 && (cx - 10.3) / 39.7 + (cy - 10.0) / 40.0 <= 1.0;
            assert_eq!(canvas.surfaces[at].look.thing == Thing::TrafficSign, inside, "{x}, {y}");
            let alpha = canvas.picture.data()[at * 4 + 3];
            halves += usize::from(alpha > 20 && alpha < 235);
        }
    }
    assert!(halves > 30);
}

#[test]
fn a_drive_changes_little_from_one_frame_to_the_next() {
    let apart =
        |a: &Scene, b: &Scene| a.labels.iter().zip(b.labels.iter()).filter(|(a, b)| a != b).count();
    let (first, next, later) =
        (drive_frame(&SIZE, 4.0), drive_frame(&SIZE, 4.02), drive_frame(&SIZE, 6.5));
    assert!(apart(&first, &next) * 3 < apart(&first, &later), "frames belong together");
    assert!(apart(&first, &next) > 0, "the camera moves");
    assert!(first.image == drive_frame(&SIZE, 4.0).image);
}
