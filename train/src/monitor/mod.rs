//! What a run says while it goes: a bar for people, metrics.jsonl for scripts, events for TensorBoard.
//! Not checkpoints, and nothing on standard output. Where standard error is no terminal, a line at each log point
//! stands in for the bar.

pub mod events;
mod lines;
pub mod progress;
mod record;

pub use lines::{read, skipped};

use crate::loss::ClassWeights;
use events::{Event, Writer};
use image::RgbImage;
use indicatif::ProgressBar;
use lines::Lines;
use serde_json::{Map, Value};
use shared::error::{Context, Result, tell};
use shared::files::write_atomic;
use shared::labels::Class;
use shared::metrics::{ClassReport, Report};
use shared::png_file::encode_rgb;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The folder of pictures in a run's.
pub const PICTURES: &str = "pictures";

/// Everything a run writes besides its checkpoints.
pub struct Monitor {
    out: PathBuf,
    bar: ProgressBar,
    lines: Lines,
    events: Writer,
    first: u64,
    total: u64,
    images_per_step: u64,
    begun: Instant,
    /// Step and time of the last log point, and what of the time since then was no training.
    logged: (u64, Instant, Duration),
    paused: Option<Instant>,
}

impl Monitor {
    /// Opens the logs of a run's folder at the step it goes on from: what they say of later steps is dropped. A
    /// recipe.toml in the folder is shown as a text in TensorBoard.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(out: &Path, first: u64, total: u64, images_per_step: u64) -> Result<Self> {
        let lines = Lines::open(out, first)?;
        let mut events = Writer::create(out, first)?;
        if let Ok(recipe) = std::fs::read_to_string(out.join("recipe.toml")) {
            events.write(first, Event::text("recipe", &format!("```\n{recipe}\n```")))?;
        }
        let now = Instant::now();
        Ok(Self {
            out: out.to_path_buf(),
            bar: progress::steps(first, total),
            lines,
            events,
            first,
            total,
            images_per_step,
            begun: now,
            logged: (first, now, Duration::ZERO),
            paused: None,
        })
    }

    /// A line for people.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| tell(line));
    }

    /// A step is done.
    pub fn tick(&self, done: u64) {
        self.bar.set_position(done);
    }

    /// A log point after step `done`. Images per second are added, the time of validations and pictures left out. A name with a slash, as
    /// `weight/pole`, becomes a field of an object of its own in metrics.jsonl.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn log(&mut self, done: u64, values: &[(&str, f64)]) -> Result<()> {
        let (since, at, paused) = self.logged;
        let seconds = at.elapsed().saturating_sub(paused).as_secs_f64();
        self.logged = (done, Instant::now(), Duration::ZERO);
        let rate = ((done - since) * self.images_per_step) as f64 / seconds.max(1e-9);
        let values: Vec<_> = values.iter().copied().chain([("images_per_s", rate)]).collect();
        self.lines.write(done, "train", nested(&values))?;
        let tags: Vec<_> =
            values.iter().map(|(name, value)| (tag("train", name), *value)).collect();
        self.events
            .write(done, Event::scalars(tags.iter().map(|(tag, value)| (tag.as_str(), *value))))?;
        let people = for_people(&values);
        self.bar.set_message(people.clone());
        if !std::io::stderr().is_terminal() {
            tell(format_args!(
                "{done}/{}  {people}  {} left",
                self.total,
                minutes(self.left(done))
            ));
        }
        Ok(())
    }

    /// How recall and focal loss would weigh the classes in step `done` (Fig. 4), null for a class without a pixel.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn weights(&mut self, done: u64, classes: &[Class], weights: &ClassWeights) -> Result<()> {
        let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        let kinds = [("recall", &weights.recall), ("focal", &weights.focal)];
        let values = kinds.map(|(kind, values)| (kind.to_string(), Value::from(values.clone())));
        let named = [("classes".to_string(), Value::from(names))];
        self.lines.write(done, "weights", named.into_iter().chain(values).collect())?;
        let scalars: Vec<(String, f64)> = kinds
            .iter()
            .flat_map(|(kind, values)| {
                let known = classes.iter().zip(values.iter()).filter_map(|(c, v)| Some((c, (*v)?)));
                known.map(move |(class, value)| (format!("weight_{kind}/{}", class.name), value))
            })
            .collect();
        self.events.write(done, Event::scalars(scalars.iter().map(|(tag, v)| (tag.as_str(), *v))))
    }

    /// A bar for a validation that begins now.
    pub fn validation(&mut self, images: u64) -> ProgressBar {
        self.pause();
        progress::count("validating", images)
    }

    /// What comes now is no training: its time does not count in images per second.
    pub fn pause(&mut self) {
        self.paused = Some(Instant::now());
    }

    /// Training goes on.
    pub fn go_on(&mut self) {
        self.logged.2 += self.paused.take().map_or(Duration::ZERO, |began| began.elapsed());
    }

    /// What a validation gave.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn validated(&mut self, done: u64, report: &Report) -> Result<()> {
        let means = [
            ("mean_iou", report.mean_iou),
            ("mean_accuracy", report.mean_accuracy),
            ("pixel_accuracy", report.pixel_accuracy),
        ];
        let mut fields = Map::new();
        fields.extend(means.map(|(name, value)| (name.to_string(), Value::from(value))));
        let mut scalars: Vec<(String, Option<f64>)> =
            means.map(|(name, value)| (tag("val", name), value)).into();
        type Ratio = fn(&ClassReport) -> Option<f64>;
        let ratios: [(&str, Ratio); 2] = [("accuracy", |c| c.accuracy), ("iou", |c| c.iou)];
        for (name, ratio) in ratios {
            let of_classes = report.classes.iter().map(|c| (c.name.clone(), Value::from(ratio(c))));
            fields.insert(name.into(), Value::Object(of_classes.collect()));
            scalars.extend(report.classes.iter().map(|c| (format!("{name}/{}", c.name), ratio(c))));
        }
        self.lines.write(done, "val", fields)?;
        let known = scalars.iter().filter_map(|(tag, value)| Some((tag.as_str(), (*value)?)));
        self.events.write(done, Event::scalars(known))?;
        let means: Vec<String> =
            means.iter().map(|(name, v)| format!("{} {}", words(name), ratio(*v))).collect();
        self.note(&format!("{done}/{}  validation: {}", self.total, means.join(", ")));
        let classes: Vec<String> = report
            .classes
            .iter()
            .map(|c| format!("{} {}", c.name, ratio_short(c.accuracy)))
            .collect();
        self.note(&format!("  accuracy: {}", classes.join(", ")));
        Ok(())
    }

    /// A picture of what the network makes of some validation images: `pictures/STEP.png`, and TensorBoard's.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn picture(&mut self, done: u64, picture: &RgbImage) -> Result<()> {
        let png = encode_rgb(picture)?;
        let folder = self.out.join(PICTURES);
        std::fs::create_dir_all(&folder).work(|| folder.display().to_string())?;
        write_atomic(&folder.join(format!("{done:06}.png")), &png)?;
        self.events.write(done, Event::picture("val/pictures", picture.dimensions(), png))
    }

    /// The run is over.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// The time that the rest of the run takes at this sitting's mean speed.
    fn left(&self, done: u64) -> Duration {
        let per_step = self.begun.elapsed().as_secs_f64() / (done - self.first).max(1) as f64;
        let seconds = per_step * self.total.saturating_sub(done) as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// A tag that TensorBoard groups: the name's own group, or else `group`.
fn tag(group: &str, name: &str) -> String {
    if name.contains('/') { name.into() } else { format!("{group}/{name}") }
}

/// Values as JSON fields; `a/b` is the field `b` of the object `a`.
fn nested(values: &[(&str, f64)]) -> Map<String, Value> {
    let mut fields = Map::new();
    for (name, value) in values {
        let Some((group, name)) = name.split_once('/') else {
            fields.insert(name.to_string(), number(*value));
            continue;
        };
        let object = fields.entry(group).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(object) = object {
            object.insert(name.into(), number(*value));
        }
    }
    fields
}

/// Whole numbers without a fraction; what is not finite is null.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        Value::from(value as i64)
    } else {
        Value::from(value)
    }
}

/// The values that matter to somebody who waits.
fn for_people(values: &[(&str, f64)]) -> String {
    let find = |name| values.iter().find(|(other, _)| *other == name).map(|(_, value)| *value);
    let mut parts = vec![];
    parts.extend(find("loss").map(|loss| format!("loss {loss:.4}")));
    parts.extend(find("lr").map(|lr| format!("lr {lr:.2e}")));
    parts.extend(find("images_per_s").map(|rate| format!("{rate:.1} img/s")));
    parts.extend(
        find("skipped").filter(|n| *n > 0.0).map(|n| format!("{n} steps skipped, not finite")),
    );
    parts.join("  ")
}

fn words(name: &str) -> String {
    name.replace("iou", "IoU").replace('_', " ")
}

fn ratio(value: Option<f64>) -> String {
    value.map_or("-".into(), |v| format!("{v:.4}"))
}

fn ratio_short(value: Option<f64>) -> String {
    value.map_or("-".into(), |v| format!("{v:.2}"))
}

fn minutes(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds.div_ceil(60)),
        seconds => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_a_slash_become_objects() {
        let fields = nested(&[
            ("loss", 0.5),
            ("weight/sky", 0.25),
            ("weight/pole", 1.0),
            ("skipped", f64::NAN),
        ]);
        let want = r#"{"loss":0.5,"skipped":null,"weight":{"pole":1,"sky":0.25}}"#;
        assert_eq!(
            serde_json::to_value(fields).expect("JSON"),
            serde_json::from_str::<Value>(want).expect("JSON")
        );
    }

    #[test]
    fn a_run_that_is_resumed_continues_its_files() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut monitor = Monitor::open(folder.path(), 0, 100, 8).expect("opens");
        monitor.log(10, &[("loss", 1.5)]).expect("writes");
        monitor.log(20, &[("loss", 1.25)]).expect("writes");
        let mut monitor = Monitor::open(folder.path(), 10, 100, 8).expect("opens");
        monitor.log(20, &[("loss", 1.0)]).expect("writes");
        let text = std::fs::read_to_string(folder.path().join(lines::NAME)).expect("is there");
        let losses: Vec<f64> = text
            .lines()
            .filter_map(|l| serde_json::from_str::<Value>(l).ok()?["loss"].as_f64())
            .collect();
        assert_eq!(losses, [1.5, 1.0]);
        let events = std::fs::read_dir(folder.path()).expect("is there").filter_map(|e| e.ok());
        let events =
            events.filter(|e| e.file_name().to_string_lossy().starts_with("events.out.tfevents."));
        assert_eq!(events.count(), 2);
    }

    #[test]
    fn a_validations_time_is_none_of_the_trainings_even_if_it_was_stopped() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut monitor = Monitor::open(folder.path(), 0, 100, 8).expect("opens");
        let time = Duration::from_millis(300);
        monitor.validation(5);
        std::thread::sleep(time);
        monitor.go_on();
        monitor.log(1, &[]).expect("writes");
        let lines = read(folder.path(), "train").expect("is there");
        let rate = lines[0].1["images_per_s"].as_f64().expect("a number");
        assert!(rate > 8.0 / time.as_secs_f64(), "{rate} images per second");
    }

    #[test]
    fn weights_are_a_line_of_their_own_with_null_for_a_class_without_a_pixel() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let class = |name: &str| Class { name: name.into(), color: [0; 3], native_id: 0 };
        let weights = ClassWeights { recall: vec![Some(0.25), None], focal: vec![Some(0.5), None] };
        let mut monitor = Monitor::open(folder.path(), 0, 100, 8).expect("opens");
        monitor.weights(50, &["sky", "pole"].map(class), &weights).expect("writes");
        let text = std::fs::read_to_string(folder.path().join(lines::NAME)).expect("is there");
        let line: Value = serde_json::from_str(&text).expect("one line of JSON");
        let want = r#"{"step":50,"kind":"weights","classes":["sky","pole"],"recall":[0.25,null],"focal":[0.5,null]}"#;
        assert_eq!(line, serde_json::from_str::<Value>(want).expect("JSON"));
    }

    #[test]
    fn times_read_as_people_say_them() {
        let texts = [5, 61, 3599, 7260].map(|s| minutes(Duration::from_secs(s)));
        assert_eq!(texts, ["5 s", "2 min", "60 min", "2 h 1 min"]);
    }
}
