//! The paper's Fig. 4: per class and over iterations, the recall weight 1 - R, the mean focal weight 1 - p, both
//! normalized across classes, and their ratio. Source: Tian et al., arXiv 2106.14917, Fig. 4.

use super::smoothing::{smooth, smoothed, window};
use crate::monitor::read;
use crate::recipe::Recipe;
use serde_json::Value;
use shared::dataset::Descriptor;
use shared::error::{Error, Result};
use shared::plot::{Chart, Dash, INKS, Names, Panel, Series, legible};
use std::path::Path;

/// (step, value)
type Line = Vec<(f64, f64)>;

/// The three panels for a run that logged its weights (`train.weights_every` in its recipe).
///
/// A class without a pixel in a batch has no weights there. Each class's weights are first averaged over neighbouring
/// points where there are many, then both kinds are divided, at each point, by their sum over the classes that have
/// both.
///
/// # Errors
/// No run, or one without logged weights.
pub fn weights(run: &Path) -> Result<Chart> {
    let lines = read(run, "weights")?;
    let Some((_, first)) = lines.first() else {
        return Err(Error::request(format!(
            "plot: {}: expected logged weights, got none",
            run.display()
        ))
        .hint("train with --set train.weights_every=20"));
    };
    let names: Vec<String> = first
        .get("classes")
        .and_then(Value::as_array)
        .map(|names| names.iter().map(|n| n.as_str().unwrap_or_default().to_string()).collect())
        .unwrap_or_default();
    let window = window(lines.len());
    let smoothed_lines = |key: &str| -> Vec<Line> {
        (0..names.len()).map(|class| smooth(&logged(&lines, key, class), window)).collect()
    };
    let (recall, focal) = shares(smoothed_lines("recall"), smoothed_lines("focal"));
    let divide = |recall: &Line, focal: &Line| -> Line {
        recall.iter().zip(focal).map(|((step, r), (_, f))| (*step, r / f)).collect()
    };
    let ratio: Vec<Line> = recall.iter().zip(&focal).map(|(r, f)| divide(r, f)).collect();

    let colors = colors(run, &names);
    let panel = |text: &str, level: Option<f64>, lines: Vec<Line>| {
        let named = names.iter().zip(&colors).zip(lines);
        let series = named
            .map(|((name, &color), points)| Series {
                name: name.clone(),
                color,
                dash: Dash::Solid,
                points,
            })
            .collect();
        Panel { title: format!("{text}{}", smoothed(window)), level, series }
    };
    Ok(Chart {
        title: format!("{}: weights of the classes", super::name(run)),
        x_axis: "iteration".into(),
        panels: vec![
            panel("recall weight 1 - R, share of the sum over classes", None, recall),
            panel("mean focal weight 1 - p, share of the sum over classes", None, focal),
            panel("recall weight / focal weight", Some(1.0), ratio),
        ],
        columns: 1,
        names: Names::Ends,
    })
}

/// One class's numbers under a key, NaN where it had no pixel.
fn logged(lines: &[(f64, Value)], key: &str, class: usize) -> Line {
    let number = |line: &Value| line.get(key)?.get(class)?.as_f64();
    lines.iter().map(|(step, line)| (*step, number(line).unwrap_or(f64::NAN))).collect()
}

/// Both kinds of weights, [class][point], each with a sum of 1 at every point over the classes that have both there.
fn shares(mut recall: Vec<Line>, mut focal: Vec<Line>) -> (Vec<Line>, Vec<Line>) {
    for point in 0..recall.first().map_or(0, Vec::len) {
        let both: Vec<bool> = recall
            .iter()
            .zip(&focal)
            .map(|(r, f)| r[point].1.is_finite() && f[point].1.is_finite())
            .collect();
        for lines in [&mut recall, &mut focal] {
            let kept = lines.iter().zip(&both).filter(|(_, both)| **both);
            let sum: f64 = kept.map(|(line, _)| line[point].1).sum();
            for (line, both) in lines.iter_mut().zip(&both) {
                // With nothing to share out (everything recalled) there are no shares: 0 / 0 is a gap.
                line[point].1 = if *both { line[point].1 / sum } else { f64::NAN };
            }
        }
    }
    (recall, focal)
}

/// The classes' own colours, dark enough to be read on white; without the data set's table, the palette in turn.
fn colors(run: &Path, names: &[String]) -> Vec<[u8; 3]> {
    let recipe = Recipe::read(&run.join("recipe.toml"), &[]).ok();
    let descriptor = recipe.and_then(|recipe| Descriptor::find(&recipe.data.dataset).ok());
    let own = |name: &String| {
        let class = descriptor.as_ref()?.classes.iter().find(|class| class.name == *name)?;
        Some(legible(class.color))
    };
    let place = |(i, name)| own(name).unwrap_or(INKS[i % INKS.len()]);
    names.iter().enumerate().map(place).collect()
}
