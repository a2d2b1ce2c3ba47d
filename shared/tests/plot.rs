//! Charts: everything is there, nothing is cut off at the edges, odd numbers do no harm.
//! Whether they look well is for eyes.

use image::RgbImage;
use shared::plot::{self, Chart, Dash, Drawing, INKS, Names, Panel, Point, Scatter, Series};

fn scatter(points: Vec<Point>) -> Scatter {
    let text = |t: &str| t.to_string();
    Scatter { title: text("a title"), x_axis: text("across"), y_axis: text("upwards"), points }
}

fn point(name: &str, x: f64, y: f64, spread: Option<f64>) -> Point {
    let reference = name == "reference";
    Point { name: name.into(), x, y, x_spread: spread, y_spread: spread, reference }
}

fn chart(names: Names, columns: usize, lines: usize) -> Chart {
    let series = |i: usize| Series {
        name: format!("line number {i}"),
        color: INKS[i % INKS.len()],
        dash: Dash::Solid,
        points: (0..30).map(|x| (f64::from(x), (x as f64 * 0.2 + i as f64).sin())).collect(),
    };
    let panel = |i| Panel {
        title: format!("panel {i}"),
        level: Some(0.0),
        series: (0..lines).map(series).collect(),
    };
    let panels = (0..3).map(panel).collect();
    Chart { title: "a title".into(), x_axis: "iteration".into(), panels, columns, names }
}

/// Nothing is drawn on the outermost pixels, where what is cut off would show.
fn nothing_is_cut_off(picture: &RgbImage) {
    let (w, h) = picture.dimensions();
    let edge = |x: u32, y: u32| x < 4 || y < 4 || x >= w - 4 || y >= h - 4;
    let ink = picture.enumerate_pixels().find(|(x, y, p)| edge(*x, *y) && p.0 != [255; 3]);
    assert!(ink.is_none(), "{ink:?} of {w} x {h}");
}

fn check(drawing: &impl Drawing, words: &[&str]) {
    let svg = plot::svg(drawing).unwrap();
    for word in words {
        assert!(svg.contains(word), "{word:?} is not in the figure");
    }
    let picture = plot::picture(drawing).unwrap();
    let (width, height) = drawing.size();
    assert_eq!(picture.dimensions(), (2 * width, 2 * height));
    nothing_is_cut_off(&picture);
    assert_eq!(svg, plot::svg(drawing).unwrap(), "the same every time");
}

#[test]
fn a_scatter_shows_every_name_and_axis() {
    let points = vec![
        point("reference", 40.0, 50.0, Some(0.5)),
        point("the same place", 40.0, 50.0, None),
        point("far right with a long name (and = settings)", 48.0, 60.0, Some(2.0)),
        point("below", 31.0, 44.0, Some(1.0)),
    ];
    let names = ["reference", "the same place", "far right with", "below"];
    check(&scatter(points), &names);
    check(&scatter(vec![point("alone", 0.0, 0.0, None)]), &["alone", "across", "upwards"]);
    check(&scatter(vec![]), &["a title"]);
}

#[test]
fn a_chart_names_its_lines_at_their_ends_or_below() {
    check(&chart(Names::Ends, 1, 19), &["panel 2", "line number 18", "iteration"]);
    check(&chart(Names::Legend, 2, 7), &["panel 2", "line number 6", "iteration"]);
    check(&chart(Names::Legend, 2, 0), &["panel 2"]);
}

#[test]
fn gaps_and_single_points_do_no_harm() {
    let mut chart = chart(Names::Ends, 1, 3);
    for panel in &mut chart.panels {
        panel.series[0].points = vec![(3.0, f64::NAN), (4.0, f64::NAN)];
        panel.series[1].points = vec![(5.0, 2.0)];
        panel.series[2].points[7].1 = f64::INFINITY;
    }
    check(&chart, &["line number 1", "line number 2"]);
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let error = plot::save(&scatter(vec![]), &folder.path().join("a.pdf")).unwrap_err();
    assert!(error.to_string().contains(".svg or .png"), "{error}");
}
