//! What the tests of `infer` share: a card put into a model, a tiny data set, the test network once more.
//! Not a second implementation of the product: the network here is one convolution, written plainly in f64.
//! The models come from `models/make_models.py`.

#![allow(dead_code)] // each test file uses its part

pub mod video;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use image::{GrayImage, Luma, RgbImage};
use serde_json::Value;

/// Number of classes of the test models.
pub const CLASSES: usize = 6;

/// What stands for them in label files.
const NATIVE: [u8; CLASSES] = [23, 7, 11, 26, 17, 24];

/// The class that a label file's value stands for; `None`: it does not count.
pub fn train_id(native: u8) -> Option<usize> {
    NATIVE.iter().position(|&id| id == native)
}

/// One of the models that `make_models.py` writes.
pub fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(format!("{name}.onnx"))
}

/// The program.
pub fn infer() -> Command {
    Command::new(env!("CARGO_BIN_EXE_infer"))
}

/// Standard error of a command whose standard output takes nothing, which must be an error.
pub fn onto_full_disk(command: &Command) -> String {
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = {
        let mut same = std::process::Command::new(command.get_program());
        same.args(command.get_args());
        same
    };
    let output = command.stdout(full).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error: standard output: cannot write"), "{text}");
    text
}

/// The card of `both.onnx` and `no-card.onnx`, to be changed and put back.
pub fn card() -> Value {
    let bytes = std::fs::read(model("both")).unwrap();
    let start = bytes.windows(10).position(|w| w == b"{\"format\":").unwrap();
    serde_json::Deserializer::from_slice(&bytes[start..]).into_iter().next().unwrap().unwrap()
}

/// Writes `no-card.onnx` with a card: a protobuf message may be continued by appending to it.
pub fn with_card(path: &Path, card: &Value) {
    let (key, value) = ("recall-seg.card", card.to_string());
    let mut entry = vec![0x0a];
    varint(&mut entry, key.len());
    entry.extend(key.as_bytes());
    entry.push(0x12);
    varint(&mut entry, value.len());
    entry.extend(value.as_bytes());
    let mut bytes = std::fs::read(model("no-card")).unwrap();
    bytes.push(14 << 3 | 2); // ModelProto.metadata_props
    varint(&mut bytes, entry.len());
    bytes.extend(entry);
    std::fs::write(path, bytes).unwrap();
}

/// Puts words in the place of others in a model file. Both have the same length, and so every length in the file
/// stays right.
pub fn replace(path: &Path, old: &str, new: &str) {
    let mut bytes = std::fs::read(path).unwrap();
    let found: Vec<usize> =
        (0..bytes.len()).filter(|&at| bytes[at..].starts_with(old.as_bytes())).collect();
    assert!(!found.is_empty() && old.len() == new.len());
    for at in found {
        bytes[at..][..new.len()].copy_from_slice(new.as_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

fn varint(to: &mut Vec<u8>, mut value: usize) {
    while value > 127 {
        to.push((value & 127 | 128) as u8);
        value >>= 7;
    }
    to.push(value as u8);
}

/// The test network in f64: normalize, 3x3 convolution of stride 2 with zero padding, bilinear resize back
/// to the input's size. `image` u8 [h, w, 3] to [6][h, w].
pub fn network(image: &[u8], w: usize, h: usize) -> Vec<Vec<f64>> {
    let half = (w.div_ceil(2), h.div_ceil(2));
    convolution(image, w, h).iter().map(|plane| bilinear(plane, half, (w, h))).collect()
}

/// The test network without the resize: [6][h / 2, w / 2], rounded up.
pub fn convolution(image: &[u8], w: usize, h: usize) -> Vec<Vec<f64>> {
    let weight = |n: usize, seed: f64| {
        ((n as f64 * 12.9898 + seed).sin() * 43758.5453).rem_euclid(1.0) * 2.0 - 1.0
    };
    let (mean, std) = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
    let input = |c: usize, y: isize, x: isize| {
        if y < 0 || x < 0 || y >= h as isize || x >= w as isize {
            return 0.0;
        }
        (f64::from(image[(y as usize * w + x as usize) * 3 + c]) / 255.0 - mean[c]) / std[c]
    };
    let (sw, sh) = (w.div_ceil(2), h.div_ceil(2));
    let small = |class: usize| -> Vec<f64> {
        let at = |y: usize, x: usize| {
            let mut sum = weight(class, 1.0);
            for c in 0..3 {
                for (ky, kx) in (0..9).map(|k| (k / 3, k % 3)) {
                    let value = input(c, (2 * y + ky) as isize - 1, (2 * x + kx) as isize - 1);
                    sum += weight(((class * 3 + c) * 3 + ky) * 3 + kx, 0.0) * value;
                }
            }
            sum
        };
        (0..sh * sw).map(|i| at(i / sw, i % sw)).collect()
    };
    (0..CLASSES).map(small).collect()
}

/// Bilinear resize with half pixel centres, in f64.
pub fn bilinear(from: &[f64], (w, h): (usize, usize), (to_w, to_h): (usize, usize)) -> Vec<f64> {
    let tap = |i: usize, from: usize, to: usize| {
        let position =
            ((i as f64 + 0.5) * from as f64 / to as f64 - 0.5).clamp(0.0, (from - 1) as f64);
        let first = position.floor() as usize;
        (first, (first + 1).min(from - 1), position - first as f64)
    };
    let value = |y: usize, x: usize| {
        let ((y0, y1, fy), (x0, x1, fx)) = (tap(y, h, to_h), tap(x, w, to_w));
        let row = |y: usize| from[y * w + x0] * (1.0 - fx) + from[y * w + x1] * fx;
        row(y0) * (1.0 - fy) + row(y1) * fy
    };
    (0..to_w * to_h).map(|i| value(i / to_w, i % to_w)).collect()
}

/// The class of the largest logit at a pixel.
pub fn best(logits: &[Vec<f64>], pixel: usize) -> usize {
    (0..logits.len())
        .fold(0, |best, c| if logits[c][pixel] > logits[best][pixel] { c } else { best })
}

/// A data set of six classes with `count` images of varying sizes, in `folder`; returns the descriptor's path.
/// Native ids are those of the test models' cards; 0 is ignored.
pub fn data_set(folder: &Path, count: u32) -> PathBuf {
    let names = ["sky", "road", "building", "car", "pole", "person"];
    let rows: Vec<String> = names
        .iter()
        .zip(NATIVE)
        .enumerate()
        .map(|(i, (name, id))| {
            format!(
                "{{ name = {name:?}, color = [{}, {}, {}], native = {id} }}",
                40 * i,
                255 - 40 * i,
                90
            )
        })
        .collect();
    let toml = format!(
        "name = \"six\"\nimages = \"images/{{split}}/{{name}}.png\"\nlabels = [{{ files = \"labels/{{split}}/{{name}}.png\" }}]\n\
         classes = [{}]\nignored = [{{ name = \"void\", native = 0 }}]\n",
        rows.join(", ")
    );
    let descriptor = folder.join("six.toml");
    std::fs::write(&descriptor, toml).unwrap();
    for kind in ["images/val", "labels/val"] {
        std::fs::create_dir_all(folder.join(kind)).unwrap();
    }
    for i in 0..count {
        let (w, h) = (40 + 6 * i, 31 + 4 * i);
        let noise =
            |x: u32, y: u32, c: u32| (x * 7 + y * 13 + c * 31 + i * 57 + (x * y) % 29 * 5) as u8;
        let image = RgbImage::from_fn(w, h, |x, y| {
            image::Rgb([noise(x, y, 0), noise(x / 4, y / 4, 1), noise(x, y, 2)])
        });
        image.save(folder.join(format!("images/val/scene_{i}.png"))).unwrap();
        let label = |x: u32, y: u32| {
            if (x + y).is_multiple_of(11) { 0 } else { NATIVE[((x / 9 + y / 7 + i) % 6) as usize] }
        };
        let labels = GrayImage::from_fn(w, h, |x, y| Luma([label(x, y)]));
        labels.save(folder.join(format!("labels/val/scene_{i}.png"))).unwrap();
    }
    descriptor
}

/// A command of `infer` on a model and the data set in `folder`.
pub fn on_data(name: &str, model: &Path, folder: &Path) -> Command {
    let mut command = infer();
    command.args([name, "--provider", "cpu", "--model"]).arg(model);
    command.arg("--dataset").arg(folder.join("six.toml")).arg("--data-root").arg(folder);
    command
}

/// `infer eval` of a model on the data set in `folder`, with JSON in `eval.json` there.
pub fn eval_command(model: &Path, folder: &Path) -> Command {
    let mut command = on_data("eval", model, folder);
    command.arg("--json").arg(folder.join("eval.json"));
    command
}

/// The JSON of an `eval_command` that must succeed.
pub fn eval_json(command: &mut Command, folder: &Path) -> Value {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&std::fs::read(folder.join("eval.json")).unwrap()).unwrap()
}

/// The train ids of the true labels of scene `i`, `None` where they do not count, and its image.
pub fn scene(folder: &Path, i: usize) -> (RgbImage, Vec<Option<usize>>) {
    let open = |kind: &str| image::open(folder.join(format!("{kind}/val/scene_{i}.png"))).unwrap();
    let truth = open("labels").into_luma8();
    (open("images").into_rgb8(), truth.as_raw().iter().map(|&native| train_id(native)).collect())
}

/// Pixels in which a confusion matrix in JSON differs from counts of (truth, prediction).
pub fn pixels_off(json: &Value, counts: &[Vec<u64>]) -> u64 {
    let got: Vec<Vec<u64>> = serde_json::from_value(json["confusion"].clone()).unwrap();
    let cells = got.iter().flatten().zip(counts.iter().flatten());
    cells.map(|(got, expected)| got.abs_diff(*expected)).sum()
}

/// Standard error of a run that must fail with `code`, checked for its form: one line, and for a wrong request a
/// hint.
pub fn error_of(command: &mut Command, code: i32) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(
        output.stdout.is_empty() || code == 1,
        "a wrong request prints nothing to standard output"
    );
    assert_eq!(text.lines().filter(|l| l.starts_with("error: ")).count(), 1, "{text}");
    assert!(text.contains("\nhint: ") || code == 1, "a hint is missing: {text}");
    assert!(!text.contains("panicked"), "{text}");
    text
}

/// `infer live --headless` on a source.
pub fn live(source: &str) -> Command {
    let mut command = infer();
    command.args(["live", "--headless", "--provider", "cpu", "--source", source, "--models"]);
    command.arg(model("both"));
    command
}

/// Standard output and then standard error of a run that must end well.
pub fn ended_well(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|s| String::from_utf8(s).unwrap()).concat();
    assert!(output.status.success(), "{text}");
    text
}

/// The first number behind `before`.
pub fn number(text: &str, before: &str) -> u64 {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}"));
    rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}
