//! What is drawn, checked pixel by pixel on small frames. Not what it looks like, which is for eyes.

use super::*;
use crate::live::clock::Stamp;
use crate::live::frame::Frame;
use image::{GrayImage, Luma};
use serde_json::json;

const SIZE: (u32, u32) = (640, 400);

fn card() -> Card {
    let class = |name, color: [u8; 3]| json!({ "name": name, "color": color, "native_id": 0 });
    let card = json!({
        "format": 1, "name": "test", "dataset": "test", "precision": "fp32", "opset": 17,
        "classes": [
            class("road", [128, 64, 128]), class("pole", [250, 170, 30]), class("person", [220, 20, 60]),
        ],
        "class_share": [0.98, 0.01, 0.01],
        "input": shared::card::Input::new(None), "outputs": [],
        "training": shared::card::Training::default(), "probe": shared::card::Probe::default(),
    });
    serde_json::from_value(card).unwrap()
}

/// A grey frame; the first model sees `first` everywhere, the second `second`.
pub fn seen(first: u8, second: u8) -> SegmentedFrame {
    let image = RgbImage::from_fn(60, 40, |x, y| Rgb([100 + x as u8, 90, 80 + y as u8]));
    let (arrived, capture) = (Stamp::now(), Duration::ZERO);
    let frame = Frame { sequence: 0, image, arrived, capture, time: None };
    let labels = [first, second].map(|l| GrayImage::from_pixel(60, 40, Luma([l]))).to_vec();
    SegmentedFrame {
        frame,
        labels,
        prepare: Duration::ZERO,
        run: Duration::ZERO,
        post: Duration::ZERO,
    }
}

pub fn painter() -> Painter {
    let card = card();
    Painter::new(vec!["first".into(), "second".into()], &[&card, &card])
}

fn pixel(seen: &SegmentedFrame, model: usize, freshness: Freshness, look: &Look) -> [u8; 3] {
    panel::panel(&painter(), seen, model, freshness, look).get_pixel(20, 10).0
}

const STALE: Freshness = Freshness::Stale(Duration::from_millis(201));

#[test]
fn a_stale_result_shows_nothing_of_its_labels_in_any_view() {
    for view in [View::Overlay, View::Colours, View::Photograph, View::Rare] {
        for highlight in [None, Some(1)] {
            let look = Look { highlight, ..Look::new(view, 1.0) };
            let compose = |seen: &SegmentedFrame, freshness| {
                painter().compose(seen, freshness, &look, &Head::default(), SIZE)
            };
            assert_eq!(compose(&seen(0, 1), STALE), compose(&seen(2, 0), STALE), "{view:?}");
            for model in 0..2 {
                let stale = panel::panel(&painter(), &seen(1, 2), model, STALE, &look);
                assert!(stale.pixels().all(|p| p.0[0] == p.0[1] && p.0[1] == p.0[2]), "{view:?}");
            }
            let shown = compose(&seen(0, 1), STALE);
            assert!(shown.pixels().any(|p| p.0 == ALARM), "{view:?}: it must say that it is stale");
        }
    }
}

#[test]
fn a_fresh_result_shows_its_labels_and_no_alarm() {
    let look = Look::new(View::Colours, 0.5);
    assert_eq!(pixel(&seen(0, 1), 0, Freshness::Fresh, &look), [128, 64, 128]);
    assert_eq!(pixel(&seen(0, 1), 1, Freshness::Fresh, &look), [250, 170, 30]);
    let shown = painter().compose(&seen(0, 1), Freshness::Fresh, &look, &Head::default(), SIZE);
    assert!(!shown.pixels().any(|p| p.0 == ALARM));
}

#[test]
fn an_overlay_mixes_by_opacity_and_the_photograph_view_does_not() {
    let frame = [120, 90, 90];
    let at = |view, opacity| pixel(&seen(0, 0), 0, Freshness::Fresh, &Look::new(view, opacity));
    assert_eq!(at(View::Overlay, 0.0), frame);
    assert_eq!(at(View::Overlay, 0.5), [124, 77, 109]);
    assert_eq!(at(View::Photograph, 1.0), frame);
}

#[test]
fn the_rare_view_marks_what_the_second_model_sees_and_the_first_does_not() {
    let look = Look::new(View::Rare, 0.5);
    let mark = |first, second| pixel(&seen(first, second), 1, Freshness::Fresh, &look);
    // Where both panels show the same mark the colours are equal, so each is compared with all the others.
    let (none, gained, lost, both) = (mark(0, 0), mark(0, 1), mark(1, 0), mark(1, 1));
    let other = mark(2, 1);
    assert_eq!(gained, other, "another rare class than the first model's is one it does not see");
    for (a, b) in [(none, gained), (none, lost), (none, both), (gained, lost), (gained, both)] {
        assert_ne!(a, b);
    }
    let close = |a: [u8; 3], b: [u8; 3]| a.iter().zip(b).all(|(a, b)| a.abs_diff(b) < 40);
    assert!(close(gained, FOUND_BY_THIS) && close(lost, FOUND_BY_FIRST), "{gained:?} {lost:?}");
    assert!(close(both, FOUND_BY_BOTH));
}

#[test]
fn a_highlighted_class_has_its_colour_and_the_others_are_dimmed() {
    let look = Look { highlight: Some(1), ..Look::new(View::Overlay, 1.0) };
    assert_eq!(pixel(&seen(1, 1), 0, Freshness::Fresh, &look), [250, 170, 30]);
    assert_eq!(pixel(&seen(0, 0), 0, Freshness::Fresh, &look), [48, 36, 36]);
}

#[test]
fn zoom_shows_the_part_around_the_centre() {
    let look = Look { zoom: 2, centre: (0.75, 0.25), ..Look::new(View::Photograph, 0.0) };
    let panel = panel::panel(&painter(), &seen(0, 0), 0, Freshness::Fresh, &look);
    assert_eq!(panel.dimensions(), (30, 20));
    assert_eq!(panel.get_pixel(0, 0).0, [130, 90, 80]);
}

#[test]
fn any_size_of_window_can_be_drawn() {
    let head = Head { words: vec!["12 fps".into(); 9], notice: Some("a notice".into()) };
    for size in [(1, 1), (40, 30), (200, 100), (320, 900)] {
        let look = Look { help: true, ..Look::new(View::Overlay, 0.5) };
        let shown = painter().compose(&seen(0, 1), STALE, &look, &head, size);
        assert_eq!(shown.dimensions(), size);
    }
}
