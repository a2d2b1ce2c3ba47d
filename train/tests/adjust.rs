//! Thresholds moved after training, and weights held from a run: against the network's own logits, counted pixel by pixel.

use image::{GrayImage, Luma, Rgb, RgbImage};
use shared::dataset::{Descriptor, Index};
use shared::preprocess::at_evaluation_size;
use std::path::Path;
use tch::{Device, Kind, Tensor};
use train::adjust::{Adjustment, missed_by};
use train::checkpoint::{self, About, Trained};
use train::loss::{Frequencies, Loss, LossSettings};
use train::model::params::{Parameters, Precision};
use train::model::{DeepLab, ModelSettings, init};
use train::validate::scores;

const SIZE: (u32, u32) = (64, 48);
const IMAGES: u32 = 3;
const CLASSES: usize = 3;

/// A set of three classes, the third of them rare and some pixels void.
fn data(folder: &Path) -> Index {
    let text = r#"
name = "three"
images = "images/{split}/{name}.png"
labels = [{ files = "labels/{split}/{name}.png" }]
classes = [{ name = "ground", native = 0 }, { name = "wall", native = 1 }, { name = "post", native = 2 }]
ignored = [{ name = "void", native = 255 }]
"#;
    let path = folder.join("three.toml");
    std::fs::write(&path, text).unwrap();
    for part in ["images/train", "labels/train"] {
        std::fs::create_dir_all(folder.join(part)).unwrap();
    }
    for n in 0..IMAGES {
        let color =
            |x: u32, y: u32| Rgb([(x * 4) as u8, (y * 5 + n * 40) as u8, (x * y % 251) as u8]);
        let label = |x: u32, y: u32| match (x, y) {
            (20..23, 5..40) => Luma([2]),
            (_, 0..3) => Luma([255]),
            _ => Luma([u8::from(y < 20 + n)]),
        };
        let name = format!("train/{n}.png");
        RgbImage::from_fn(SIZE.0, SIZE.1, color).save(folder.join("images").join(&name)).unwrap();
        GrayImage::from_fn(SIZE.0, SIZE.1, label).save(folder.join("labels").join(name)).unwrap();
    }
    Index::open(&Descriptor::find(path.to_str().unwrap()).unwrap(), folder, "train").unwrap()
}

/// A network that never learned, its logits moved and scaled so that each class is predicted somewhere.
fn network(index: &Index) -> Trained {
    let model = ModelSettings { output_stride: 16, ..ModelSettings::default() };
    let network = DeepLab::new(&model, CLASSES as i64);
    let mut parameters = Parameters::new(&network, Device::Cpu, Precision::F32);
    init::initialize(&mut parameters, 3);
    let classes = index.descriptor.classes.clone();
    let about = About {
        format: About::FORMAT,
        name: "three".into(),
        dataset: "three".into(),
        classes,
        fingerprint: String::new(),
        class_share: vec![0.6, 0.36, 0.04],
        model,
        evaluation_size: None,
        tone: index.tone,
        loss: "cross-entropy".into(),
        recipe: String::new(),
        numerics: 1,
        iterations: 0,
        seed: 0,
        precision: None,
        validated: 0,
        best_mean_iou: None,
    };
    let mut trained = Trained { network, parameters, about };
    let before = logits(&trained, index);
    let last = trained.about.model.head.last_layer();
    let named = trained.parameters.named();
    let part = |what: &str| {
        let name = format!("{last}.{what}");
        named.iter().find(|(known, _)| *known == name).unwrap().1.shallow_clone()
    };
    let spread = before.std(true).double_value(&[]);
    tch::no_grad(|| {
        let _ = part("weight").g_div_scalar_(spread);
        let means = before.mean_dim([0i64, 2, 3].as_slice(), false, Kind::Float) / spread;
        part("bias").copy_(&-means);
    });
    trained.parameters.refresh();
    trained
}

/// `[IMAGES, C, H, W]`.
fn logits(trained: &Trained, index: &Index) -> Tensor {
    let of = |n: usize| {
        let (image, _) = index.load(n).unwrap();
        scores(&trained.network, &trained.parameters, &at_evaluation_size(image, None), 1).unwrap()
    };
    Tensor::cat(&(0..IMAGES as usize).map(of).collect::<Vec<_>>(), 0)
}

/// max(FN, 1) / N of each class where these are added to the logits.
fn missed(logits: &Tensor, index: &Index, shifts: &[f64]) -> Vec<f64> {
    let (width, height) = (SIZE.0 as usize, SIZE.1 as usize);
    let values = Vec::<f32>::try_from(logits.contiguous().flatten(0, -1)).unwrap();
    let (mut pixels, mut wrong) = (vec![0u64; CLASSES], vec![0u64; CLASSES]);
    for n in 0..IMAGES as usize {
        let (_, label) = index.load(n).unwrap();
        for (place, truth) in label.as_raw().iter().enumerate().filter(|(_, truth)| **truth != 255)
        {
            let value = |c: usize| {
                f64::from(values[(n * CLASSES + c) * width * height + place]) + shifts[c]
            };
            let best = (0..CLASSES).reduce(|best, c| if value(c) > value(best) { c } else { best });
            pixels[usize::from(*truth)] += 1;
            wrong[usize::from(*truth)] += u64::from(best != Some(usize::from(*truth)));
        }
    }
    (0..CLASSES).map(|c| wrong[c].max(1) as f64 / pixels[c] as f64).collect()
}

fn apply(trained: &mut Trained, index: &Index, what: &str) -> shared::error::Result<()> {
    what.parse::<Adjustment>()?.apply(trained, || Ok(index.clone()), &|| true)
}

fn assert_moved(before: &Tensor, after: &Tensor, shifts: &[f64]) {
    let shifts = Tensor::from_slice(shifts).view([1, -1, 1, 1]);
    let far = (after - before - shifts).abs().max().double_value(&[]);
    assert!(far < 1e-5, "{far} beside what was wanted");
}

#[test]
fn the_bias_moves_by_the_log_of_the_weights() {
    let folder = tempfile::tempdir().unwrap();
    let index = data(folder.path());
    let mut trained = network(&index);
    let before = logits(&trained, &index);
    apply(&mut trained, &index, "prior:0.3").unwrap();
    let shares = [0.6f64, 0.36, 0.04];
    assert_moved(&before, &logits(&trained, &index), &shares.map(|share| -0.3 * share.ln()));
    assert_eq!(trained.about.loss, "cross-entropy+prior:0.3");

    let path = folder.path().join("weights.toml");
    std::fs::write(&path, "ground = 1\nwall = 0.5\npost = 4.0\n").unwrap();
    let before = logits(&trained, &index);
    apply(&mut trained, &index, path.to_str().unwrap()).unwrap();
    assert_moved(&before, &logits(&trained, &index), &[0.0, 0.5f64.ln(), 4f64.ln()]);
    for (text, said) in [
        ("ground = 1\nwall = 0.5\n", "post: expected a weight above 0, got nothing"),
        ("ground = 1\nwall = 0\npost = 1\n", "wall: expected a weight above 0, got 0"),
        ("ground = 1\nwall = 1\npost = 1\nsky = 1\n", "expected a class, got sky"),
    ] {
        std::fs::write(&path, text).unwrap();
        let error = apply(&mut trained, &index, path.to_str().unwrap()).unwrap_err();
        assert!(error.to_string().ends_with(said) && error.hint_text().is_some(), "{error}");
    }
    trained.about.class_share[1] = 0.0;
    let error = apply(&mut trained, &index, "prior:1").unwrap_err();
    assert!(error.to_string().ends_with("got none of wall"), "{error}");
}

#[test]
fn recall_is_measured_in_three_rounds_that_go_half_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let index = data(folder.path());
    let mut trained = network(&index);
    let before = logits(&trained, &index);
    let mut shifts = vec![0.0; CLASSES];
    for _ in 0..3 {
        let wanted = missed(&before, &index, &shifts);
        shifts.iter_mut().zip(wanted).for_each(|(at, w)| *at = (*at + w.ln()) / 2.0);
    }
    assert!(missed(&before, &index, &shifts) != missed(&before, &index, &[0.0; CLASSES]));
    apply(&mut trained, &index, "recall").unwrap();
    assert_moved(&before, &logits(&trained, &index), &shifts);
}

#[test]
fn weights_held_from_a_run_are_its_last_networks_share_of_misses() {
    let folder = tempfile::tempdir().unwrap();
    let index = data(folder.path());
    let trained = network(&index);
    let run = folder.path().join("run");
    std::fs::create_dir(&run).unwrap();
    let save = run.join("last.safetensors");
    checkpoint::save(&save, &trained.parameters, &vec![], &trained.about).unwrap();
    let got = missed_by(&run, &index, Device::Cpu, Precision::F32).unwrap();
    let before = logits(&trained, &index);
    assert_eq!(got, missed(&before, &index, &[0.0; CLASSES]));

    // Whatever a batch is like, they weigh its classes.
    let settings: LossSettings = toml::from_str("name = 'recall'\nweights_from = 'run'").unwrap();
    let loss = Loss::new(settings, &Frequencies::of_one_image(&[1; CLASSES]), Device::Cpu);
    tch::no_grad(|| loss.held().unwrap().copy_(&Tensor::from_slice(&got)));
    let target = Tensor::from_slice(&[0i64, 2, 2, 255]).view([1, 1, 4]);
    let z = Tensor::from_slice(&[0.3, 1.2, -0.4, 0.0, 0.1, 0.0, 0.9, 2.0, -1.0, 0.2, 0.6, 1.0]);
    let z = z.view([1, 3, 1, 4]).to_kind(Kind::Double);
    let value = loss.compute(&z, &target, &loss.initial_running()).loss.double_value(&[]);
    let ce = -z.log_softmax(1, Kind::Double);
    let ce = |class: i64, place: i64| ce.double_value(&[0, class, 0, place]);
    let want = (got[0] * ce(0, 0) + got[2] * (ce(2, 1) + ce(2, 2))) / 3.0;
    assert!((value - want).abs() < 1e-12, "{value}, expected {want}");

    let error = missed_by(&folder.path().join("none"), &index, Device::Cpu, Precision::F32);
    assert!(error.unwrap_err().to_string().starts_with("loss.weights_from: "));
}
