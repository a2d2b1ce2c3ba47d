//! metrics.jsonl: one JSON object a line for each log point, each validation and each look at the class weights.
//! Not TensorBoard's events, which hold the same numbers. Lines have "step" and "kind" ("train", "val" or "weights").

use serde_json::{Map, Value};
use shared::error::{Context, Result};
use shared::files::write_atomic;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file's name in a run's folder.
pub const NAME: &str = "metrics.jsonl";

/// A metrics.jsonl that is being written.
pub struct Lines {
    file: File,
    path: PathBuf,
}

impl Lines {
    /// Opens the file of a run that goes on from step `first`: lines of later steps, which will come again, and a last
    /// line that was cut off are taken out.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn open(folder: &Path, first: u64) -> Result<Self> {
        let path = folder.join(NAME);
        let what = || path.display().to_string();
        if path.exists() {
            let old = std::fs::read(&path).work(what)?;
            let kept: Vec<u8> = old
                .split_inclusive(|&b| b == b'\n')
                .filter(|l| stays(l, first))
                .flatten()
                .copied()
                .collect();
            if kept != old {
                write_atomic(&path, &kept)?;
            }
        }
        let file = OpenOptions::new().create(true).append(true).open(&path).work(what)?;
        Ok(Self { file, path })
    }

    /// Appends a line: step, kind, then `fields`. It is in the file when this returns.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&mut self, step: u64, kind: &str, fields: Map<String, Value>) -> Result<()> {
        // By hand, so that step and kind stand first.
        let mut line = format!("{{\"step\":{step},\"kind\":\"{kind}\"");
        for (key, value) in fields {
            line += &format!(",{}:{value}", Value::from(key));
        }
        line += "}\n";
        self.file.write_all(line.as_bytes()).work(|| self.path.display().to_string())
    }
}

/// The lines of one kind ("train", "val", "weights") in a run's folder, with their steps. A last line that was cut off
/// is left out.
///
/// # Errors
/// No such file.
pub fn read(run: &Path, kind: &str) -> Result<Vec<(f64, Value)>> {
    let path = run.join(NAME);
    let text = std::fs::read_to_string(&path)
        .request(|| format!("run: {}", path.display()))
        .map_err(|e| e.hint("expected the folder of a run: runs/NAME-LOSS-seedN"))?;
    let of_kind = |line: &str| {
        let value: Value = serde_json::from_str(line).ok()?;
        (value.get("kind")?.as_str()? == kind).then_some(())?;
        Some((value.get("step")?.as_f64()?, value))
    };
    Ok(text.lines().filter_map(of_kind).collect())
}

/// Steps of a run that did not count, because loss or gradient was not finite.
///
/// # Errors
/// As [`read`].
pub fn skipped(run: &Path) -> Result<u64> {
    let of = |(_, line): (f64, Value)| line.get("skipped").and_then(Value::as_f64).unwrap_or(0.0);
    Ok(read(run, "train")?.into_iter().map(of).sum::<f64>() as u64)
}

/// Whether a line is whole and belongs to a step up to `first`.
fn stays(line: &[u8], first: u64) -> bool {
    let step =
        |line| Some(serde_json::from_slice::<Value>(line).ok()?.get("step")?.as_u64()? <= first);
    line.ends_with(b"\n") && step(line).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(loss: f64) -> Map<String, Value> {
        Map::from_iter([("loss".to_string(), Value::from(loss))])
    }

    #[test]
    fn resuming_cuts_later_lines_and_a_torn_one() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut lines = Lines::open(folder.path(), 0).expect("opens");
        for step in [10, 20, 30] {
            lines.write(step, "train", fields(step as f64)).expect("writes");
        }
        lines.write(20, "val", fields(0.5)).expect("writes");
        lines.file.write_all(b"{\"step\":5,\"ki").expect("writes");
        let mut lines = Lines::open(folder.path(), 20).expect("opens");
        lines.write(30, "train", fields(f64::NAN)).expect("writes");
        let text = std::fs::read_to_string(folder.path().join(NAME)).expect("is there");
        let want = "{\"step\":10,\"kind\":\"train\",\"loss\":10.0}\n{\"step\":20,\"kind\":\"train\",\"loss\":20.0}\n\
                    {\"step\":20,\"kind\":\"val\",\"loss\":0.5}\n{\"step\":30,\"kind\":\"train\",\"loss\":null}\n";
        assert_eq!(text, want);
    }

    #[test]
    fn skipped_steps_are_added_over_the_log_points() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut lines = Lines::open(folder.path(), 0).expect("opens");
        for (step, skipped) in [(10, 2.0), (20, 0.0), (30, 1.0)] {
            let fields = Map::from_iter([("skipped".to_string(), Value::from(skipped))]);
            lines.write(step, "train", fields).expect("writes");
        }
        lines.write(30, "val", fields(0.5)).expect("writes");
        assert_eq!(skipped(folder.path()).expect("reads"), 3);
        assert_eq!(read(folder.path(), "val").expect("reads").len(), 1);
    }

    #[test]
    fn a_run_from_the_start_begins_with_an_empty_file() {
        let folder = tempfile::tempdir().expect("temporary folder");
        Lines::open(folder.path(), 0)
            .expect("opens")
            .write(1, "train", fields(1.0))
            .expect("writes");
        Lines::open(folder.path(), 0).expect("opens");
        assert_eq!(std::fs::read(folder.path().join(NAME)).expect("is there"), b"");
    }
}
