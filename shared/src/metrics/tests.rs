//! The matrix against counting by definition, and the report against numbers worked out by hand.
//! Not the comparison with the official Cityscapes script, which is an end-to-end test.
//! Property tests draw labels with ignored pixels and absent classes.

use proptest::prelude::*;

use super::*;

fn classes(n: usize) -> Vec<Class> {
    let class = |i| Class { name: format!("class {i}"), color: [i as u8; 3], native_id: i as u8 };
    (0..n).map(class).collect()
}

fn confusion(n: usize, truth: &[u8], prediction: &[u8]) -> Confusion {
    let mut confusion = Confusion::new(n);
    confusion.add(truth, prediction);
    confusion
}

#[test]
fn the_report_is_what_a_pencil_says() {
    // Class 2 is neither there nor predicted; class 3 is predicted once and never there.
    let truth = [0, 0, 0, 0, 1, 1, 255, 255];
    let prediction = [0, 0, 0, 1, 1, 3, 1, 0];
    let report = confusion(4, &truth, &prediction).report(&classes(4));
    assert_eq!(report.pixels, 6);
    assert_eq!(report.pixel_accuracy, Some(4.0 / 6.0));
    let of = |f: fn(&ClassReport) -> Option<f64>| report.classes.iter().map(f).collect::<Vec<_>>();
    assert_eq!(of(|c| c.accuracy), [Some(0.75), Some(0.5), None, None]);
    assert_eq!(of(|c| c.iou), [Some(0.75), Some(1.0 / 3.0), None, Some(0.0)]);
    assert_eq!(of(|c| c.precision), [Some(1.0), Some(0.5), None, Some(0.0)]);
    assert_eq!(of(|c| c.f1), [Some(6.0 / 7.0), Some(0.5), None, Some(0.0)]);
    assert_eq!(report.mean_accuracy, Some(0.625), "over the two classes that are there");
    assert_eq!(report.mean_iou, Some((0.75 + 1.0 / 3.0) / 3.0), "over three: class 2 has no IoU");
    assert_eq!(report.frequency_weighted_iou, Some((0.75 * 4.0 + 2.0 / 3.0) / 6.0));
    assert_eq!(report.confusion[1], [0, 1, 0, 1]);
}

#[test]
fn nothing_to_score_gives_null_and_not_zero() {
    let report = confusion(2, &[255, 255], &[0, 1]).report(&classes(2));
    assert_eq!(report.pixels, 0);
    let means = [
        report.pixel_accuracy,
        report.mean_accuracy,
        report.mean_iou,
        report.frequency_weighted_iou,
    ];
    assert_eq!(means, [None; 4]);
}

#[test]
fn a_class_that_is_not_scored_has_no_part_but_stays_a_mistake() {
    let truth = [0, 0, 1, 2, 2];
    let prediction = [0, 2, 1, 2, 0];
    let report = confusion(3, &truth, &prediction).report_without(&[2], &classes(3));
    assert_eq!(report.pixels, 3);
    assert_eq!(report.classes[0].accuracy, Some(0.5));
    assert_eq!(
        report.classes[0].precision,
        Some(1.0),
        "its pixel that was taken for road is ignored"
    );
    assert_eq!((report.classes[2].accuracy, report.classes[2].iou), (None, None));
    assert_eq!(report.mean_iou, Some(0.75));
}

#[test]
fn the_file_has_the_agreed_keys_in_the_agreed_order() {
    let report = confusion(2, &[0, 0], &[0, 0]).report(&classes(2));
    let file = EvalFile {
        dataset: "camvid".into(),
        split: "val".into(),
        images: 1,
        averaged: None,
        report,
    };
    let json = serde_json::to_string(&file).unwrap();
    assert_eq!(
        json,
        concat!(
            r#"{"dataset":"camvid","split":"val","images":1,"pixels":2,"pixel_accuracy":1.0,"#,
            r#""mean_accuracy":1.0,"mean_iou":1.0,"frequency_weighted_iou":1.0,"classes":["#,
            r#"{"id":0,"name":"class 0","accuracy":1.0,"iou":1.0,"precision":1.0,"f1":1.0,"truth_pixels":2},"#,
            r#"{"id":1,"name":"class 1","accuracy":null,"iou":null,"precision":null,"f1":null,"truth_pixels":0}],"#,
            r#""confusion":[[2,0],[0,0]]}"#
        )
    );
    assert_eq!(serde_json::from_str::<EvalFile>(&json).unwrap(), file);
}

#[test]
fn a_report_can_be_made_again_of_its_matrix_and_of_no_nonsense() {
    let report = confusion(3, &[0, 0, 1, 2], &[0, 2, 1, 2]).report(&classes(3));
    let again = Confusion::from_counts(&report.confusion).unwrap();
    assert_eq!(again.report(&classes(3)), report);
    for nonsense in [vec![vec![1]; 2], vec![vec![1, 2], vec![3]], vec![vec![u64::MAX / 2; 2]; 2]] {
        assert_eq!(Confusion::from_counts(&nonsense), None, "{nonsense:?}");
    }
}

#[test]
fn the_dagger_average_is_over_the_classes_a_baseline_finds_hard() {
    let baseline = confusion(3, &[0, 0, 1, 1, 2, 2], &[0, 0, 1, 0, 0, 0]).report(&classes(3));
    let ours = confusion(3, &[0, 0, 1, 1, 2, 2], &[0, 1, 1, 1, 2, 1]).report(&classes(3));
    let hard = |c: &ClassReport| baseline.classes[c.id].iou.is_some_and(|iou| iou < 0.5);
    assert_eq!(ours.mean_over(hard, |c| c.accuracy), Some(0.5));
    assert_eq!(ours.mean_over(|_| false, |c| c.accuracy), None);
}

#[test]
#[should_panic(expected = "a truth or a prediction is not below 2")]
fn a_prediction_that_is_no_class_is_a_mistake_in_the_program() {
    confusion(2, &[0, 0], &[0, 2]);
}

#[test]
#[should_panic(expected = "a truth or a prediction is not below 2")]
fn a_truth_that_is_no_class_is_a_mistake_in_the_program() {
    confusion(2, &[0, 2], &[0, 0]);
}

/// Number of classes, and pairs of truth (some ignored) and prediction.
fn pixels() -> impl Strategy<Value = (usize, Vec<(u8, u8)>)> {
    (1usize..=255).prop_flat_map(|c| {
        let class = 0..c as u8;
        let truth = prop_oneof![4 => class.clone(), 1 => Just(IGNORE)];
        (Just(c), prop::collection::vec((truth, class), 0..200))
    })
}

proptest! {
    #[test]
    fn every_cell_is_what_counting_gives((c, pixels) in pixels(), cut in 0usize..200) {
        let (truth, prediction): (Vec<u8>, Vec<u8>) = pixels.iter().copied().unzip();
        let cut = cut.min(truth.len());
        let mut in_two = confusion(c, &truth[..cut], &prediction[..cut]);
        in_two.merge(&confusion(c, &truth[cut..], &prediction[cut..]));
        prop_assert_eq!(&in_two, &confusion(c, &truth, &prediction));
        for (t, p) in pixels.iter().filter(|p| p.0 != IGNORE) {
            let expected = pixels.iter().filter(|q| q == &&(*t, *p)).count() as u64;
            prop_assert_eq!(in_two.count((*t).into(), (*p).into()), expected);
        }
        let valid = truth.iter().filter(|t| **t != IGNORE).count() as u64;
        prop_assert_eq!(in_two.report(&classes(c)).pixels, valid);
    }
}
