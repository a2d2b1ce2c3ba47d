//! A card for a model from elsewhere, as far as its graph tells: TOML that is accepted as it is
//! where the number of classes is known. Not a guess of the classes' names or of the normalization,
//! which no graph tells; the usual values stand there with a word to check them.

use std::fmt::Write;

use shared::card::Activation;

use crate::outline::{Dimension, Outline, Signature};

const F32: i32 = 1;
const U8: i32 = 2;
const F16: i32 = 10;
const INTEGERS: [i32; 9] = [2, 3, 4, 5, 6, 7, 9, 12, 13]; // 9: bool

/// What the graph's output seems to be.
enum Guess {
    Labels,
    Logits { classes: Option<u32>, layout: &'static str },
    Channel,
}

/// The card. `name` is the file's.
pub(super) fn card(name: &str, outline: &Outline) -> String {
    let mut text = String::new();
    let mut line = |words: &str| {
        let _ = writeln!(text, "{words}");
    };
    line(&format!(
        "# A card for {name}.onnx, as far as its graph tells. models/README.md explains the keys."
    ));
    line(&format!("name = {}", quoted(name)));
    let chosen = outline.outputs.iter().find_map(|o| Some((o, guess(o)?)));
    let classes = match &chosen {
        Some((_, Guess::Channel)) => Some(2),
        Some((_, Guess::Logits { classes, .. })) => *classes,
        _ => None,
    };
    line(
        "# Its classes in their order: fill in, or name a data set in their place: dataset = \"cityscapes\"",
    );
    line(&class_table(classes, matches!(chosen, Some((_, Guess::Channel)))));
    if let Some((output, guess)) = &chosen {
        line(&output_line(output, guess, outline));
    }
    line("");
    line("[input]");
    if let Some(input) = outline.inputs.first() {
        line(&input_table(input));
    }
    text
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn class_table(count: Option<u32>, is_channel: bool) -> String {
    let Some(count) = count.filter(|c| (1..=255).contains(c)) else {
        return "# How many it has, the graph does not say.\nclasses = [\n  # { name = \"road\", color = [128, 64, 128] },\n]".into();
    };
    let row = |id: u32| {
        let name = match (is_channel, id) {
            (true, 0) => "background".to_owned(),
            (true, _) => "foreground".to_owned(),
            _ => format!("class{id}"),
        };
        let [r, g, b] = color(id);
        format!("  {{ name = {name:?}, color = [{r}, {g}, {b}] }},")
    };
    let rows: Vec<String> = (0..count).map(row).collect();
    format!("classes = [\n{}\n]", rows.join("\n"))
}

/// The color of Pascal VOC's map at a place: its bits are spread over the channels.
fn color(id: u32) -> [u8; 3] {
    let bits = |channel: u32| {
        (0..8).fold(0, |value, i| value | ((id >> (3 * i + channel)) & 1) << (7 - i)) as u8
    };
    [0, 1, 2].map(bits)
}

fn output_line(output: &Signature, guess: &Guess, outline: &Outline) -> String {
    let name = quoted(&output.name);
    let activation = outline.activation(&output.name);
    let table = match (guess, activation) {
        (Guess::Labels, _) => format!("{{ name = {name}, kind = \"labels\" }}"),
        (Guess::Channel, _) => format!(
            "{{ name = {name}, activation = {:?}, threshold = 0.5 }}  # \"sigmoid\" if the values are probabilities, \"none\" if they are logits",
            activation.unwrap_or(Activation::None).name()
        ),
        (Guess::Logits { layout, .. }, Some(after @ Activation::Softmax)) => {
            format!("{{ name = {name}, layout = {layout:?}, activation = {:?} }}", after.name())
        }
        (Guess::Logits { layout, .. }, _) => format!("{{ name = {name}, layout = {layout:?} }}"),
    };
    format!("output = {table}")
}

/// What an output seems to be; `None`: not an output that can be read.
fn guess(output: &Signature) -> Option<Guess> {
    let shape = output.shape.as_deref()?;
    let is = |at: usize, size: i64| shape.get(at) == Some(&Dimension::Fixed(size));
    let fixed = |at: usize| match shape.get(at) {
        Some(Dimension::Fixed(size)) => u32::try_from(*size).ok(),
        _ => None,
    };
    if INTEGERS.contains(&output.element) {
        return (2..=4).contains(&shape.len()).then_some(Guess::Labels);
    }
    if ![F32, F16].contains(&output.element) {
        return None;
    }
    match shape.len() {
        3 => Some(Guess::Channel),
        4 if is(1, 1) || is(3, 1) => Some(Guess::Channel),
        4 => Some(match (fixed(1), fixed(3)) {
            // Of two fixed sides the shorter is the classes': maps are larger than lists of
            // classes.
            (Some(first), Some(last)) if last < first => {
                Guess::Logits { classes: Some(last), layout: "NHWC" }
            }
            (None, Some(last)) => Guess::Logits { classes: Some(last), layout: "NHWC" },
            (classes, _) => Guess::Logits { classes, layout: "NCHW" },
        }),
        _ => None,
    }
}

fn input_table(input: &Signature) -> String {
    let side = |at: usize| input.shape.as_ref().and_then(|s| s.get(at));
    let is = |at: usize, size: i64| side(at) == Some(&Dimension::Fixed(size));
    let (layout, gray) = match () {
        () if is(1, 3) => ("NCHW", false),
        () if is(3, 3) => ("NHWC", false),
        () if is(1, 1) => ("NCHW", true),
        () if is(3, 1) => ("NHWC", true),
        () => ("NCHW", false),
    };
    let color = if gray { "\"gray\"" } else { "\"RGB\"  # or \"BGR\", as OpenCV reads images" };
    let mut text =
        format!("name = {}\nlayout = {layout:?}\ncolor = {color}\n", quoted(&input.name));
    if input.element == U8 {
        text += "# No mean and std: the graph takes bytes.\n";
    } else {
        text += "# Check against the training: (value / 255 * white - mean) / std. These are ImageNet's.\n";
        text += "white = 1\n";
        text += if gray {
            "mean = [0.449]\nstd = [0.226]\n"
        } else {
            "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n"
        };
    }
    text + "# size = [1024, 512]  # width and height that images are resized to; left out: the graph's, or their own\nmultiple = 1  # sides are rounded up to it: 32 for most networks with skip connections"
}
