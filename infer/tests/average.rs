//! The mean softmax over scales, mirrored views and windows, against plain PyTorch
//! (goldens/make_average.py), and through `infer eval`.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{
    best, data_set, error_of, eval_command, eval_json, model, network, pixels_off, scene,
};
use image::{Rgb, RgbImage};
use infer::average::{Averaging, Window};
use infer::provider::Choice;
use infer::session::{Model, Options};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Golden {
    width: u32,
    height: u32,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    scales: Vec<f64>,
    flip: bool,
    window: Option<([u32; 2], f64)>,
    to: [u32; 2],
    places: Vec<[u32; 2]>,
    values: Vec<Vec<f32>>,
}

/// The image of make_average.py.
fn image(width: u32, height: u32) -> RgbImage {
    let value = |x: u32, y: u32, c: u32| ((x * 7 / 5 + y * 3 + c * 5 + x * y / 11) % 4 * 64) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([0, 1, 2].map(|c| value(x, y, c))))
}

#[test]
fn the_mean_softmax_is_pytorchs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/average.json");
    let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let options = Options { provider: Choice::Cpu, threads: Some(1), ..Options::default() };
    let mut model = Model::open(&model("logits"), options).unwrap();
    let image = image(golden.width, golden.height);
    for case in golden.cases {
        let window = case.window.map(|([w, h], overlap)| Window { size: (w, h), overlap });
        let averaging = Averaging { scales: case.scales.clone(), flip: case.flip, window };
        let size = (case.to[0], case.to[1]);
        let got =
            averaging.probabilities(&mut model, &image, size, &mut Duration::default()).unwrap();
        for ([x, y], values) in case.places.iter().zip(&case.values) {
            for (class, expected) in values.iter().enumerate() {
                let off = (got.at(class, *x, *y) - expected).abs();
                // Seen: 3e-5, f32 sums in another order. One pixel value off by one would be 1e-3.
                assert!(off < 1e-4, "{averaging:?} class {class} at {x}, {y}: off by {off}");
            }
        }
    }
}

#[test]
fn eval_averages_writes_down_how_and_differs_from_a_single_look() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 3);
    let logits = model("logits");
    let plain = eval_json(&mut eval_command(&logits, folder), folder);
    assert_eq!(plain.get("averaged"), None);
    let more = ["--scales", "0.5,1,1.5", "--flip", "--window", "32x24", "--overlap", "0.25"];
    let averaged = eval_json(eval_command(&logits, folder).args(more), folder);
    let expected =
        json!({ "scales": [0.5, 1.0, 1.5], "flip": true, "window": [32, 24], "overlap": 0.25 });
    assert_eq!(averaged["averaged"], expected);
    assert_eq!(averaged["pixels"], plain["pixels"]);
    assert_ne!(averaged["confusion"], plain["confusion"]);
}

/// One window over everything is one look, so that its counts are known.
#[test]
fn one_large_window_counts_as_no_window_does() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 3);
    let mut counts = vec![vec![0; common::CLASSES]; common::CLASSES];
    for i in 0..3 {
        let (image, truth) = scene(folder, i);
        let logits = network(image.as_raw(), image.width() as usize, image.height() as usize);
        for (pixel, truth) in truth.into_iter().enumerate() {
            if let Some(id) = truth {
                counts[id][best(&logits, pixel)] += 1;
            }
        }
    }
    let mut command = eval_command(&model("logits"), folder);
    let json = eval_json(command.args(["--window", "640x480"]), folder);
    assert!(pixels_off(&json, &counts) <= 2);
}

#[test]
fn what_cannot_be_averaged_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let refused =
        |name: &str, more: &[&str]| error_of(eval_command(&model(name), folder).args(more), 2);
    assert!(refused("labels", &["--flip"]).contains("expected logits to average"));
    assert!(refused("both", &["--scales", "0"]).contains("0.1 to 8"));
    assert!(refused("both", &["--overlap", "0.5"]).contains("--window"));
    assert!(refused("both", &["--window", "32x24", "--overlap", "1"]).contains("0 to 0.9"));
    let card = folder.join("card.toml");
    let head = format!("dataset = {:?}\n[input]\n", folder.join("six.toml"));
    std::fs::write(&card, head + "mean = [0, 0, 0]\nstd = [1, 1, 1]\nmultiple = 8\n").unwrap();
    let card = card.to_str().unwrap();
    let text = refused("foreign-fixed", &["--card", card, "--scales", "1,2"]);
    assert!(text.contains("expected 1 for a model of fixed size 40x24"), "{text}");
    let text = refused("foreign", &["--card", card, "--window", "30x24"]);
    assert!(text.contains("expected multiples of 8"), "{text}");
}
