//! Upsampling and argmax against PyTorch: `goldens/make_upsample.py` made the expected labels.

use infer::upsample::{argmax, upsample_argmax};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    classes: usize,
    from: (u32, u32),
    to: (u32, u32),
    logits: Vec<f32>,
    labels: Vec<u8>,
    margin: Vec<f32>,
}

#[test]
fn labels_are_those_of_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("goldens/upsample.json")).unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let got = upsample_argmax(&case.logits, case.classes, case.from, case.to).unwrap();
        for (i, (got, expected)) in got.iter().zip(&case.labels).enumerate() {
            // Below 1e-5 two classes are equal but for rounding: logits here are up to 4, f32 has 24 bits.
            let tie = case.margin[i] < 1e-5;
            assert!(
                got == expected || tie,
                "{:?} -> {:?}, pixel {i}: {got}, not {expected}",
                case.from,
                case.to
            );
        }
        assert_eq!(got.len(), case.labels.len());
    }
}

/// The shortcut over areas of one class must change nothing: every pixel computed here, plainly.
#[test]
fn areas_of_one_class_get_the_label_that_computing_them_would_give() {
    let (classes, w, h) = (7, 37, 23);
    let wave = |c: usize, x: usize, y: usize| {
        ((x as f32 / (5 + c) as f32).sin() + (y as f32 / (3 + c) as f32).cos()) * 3.0
            + c as f32 * 0.1
    };
    let logits: Vec<f32> =
        (0..classes).flat_map(|c| (0..h * w).map(move |i| wave(c, i % w, i / w))).collect();
    for to in [(74, 46), (100, 61), (20, 11), (37, 46)] {
        let got = upsample_argmax(&logits, classes, (w as u32, h as u32), to).unwrap();
        let large: Vec<f32> = (0..classes)
            .flat_map(|c| {
                resize(&logits[c * w * h..][..w * h], (w, h), (to.0 as usize, to.1 as usize))
            })
            .collect();
        assert_eq!(got, argmax(&large, classes, to).unwrap(), "{to:?}");
    }
}

fn resize(from: &[f32], (w, h): (usize, usize), (to_w, to_h): (usize, usize)) -> Vec<f32> {
    let tap = |i: usize, from: usize, to: usize| {
        let position = (from as f32 / to as f32 * (i as f32 + 0.5) - 0.5).max(0.0);
        let first = (position as usize).min(from - 1);
        (first, (first + 1).min(from - 1), position - first as f32)
    };
    let value = |y: usize, x: usize| {
        let ((y0, y1, fy), (x0, x1, fx)) = (tap(y, h, to_h), tap(x, w, to_w));
        let column = |x: usize| (1.0 - fy) * from[y0 * w + x] + fy * from[y1 * w + x];
        (1.0 - fx) * column(x0) + fx * column(x1)
    };
    (0..to_w * to_h).map(|i| value(i / to_w, i % to_w)).collect()
}
