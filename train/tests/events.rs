//! Event files byte for byte as TensorBoard's own writer makes them.
//! Not a test of what a run logs: that stands beside the code. Golden: goldens/events.py.

use train::monitor::events::Event;

#[test]
fn records_equal_those_of_tensorboards_own_writer() {
    let golden = include_bytes!("goldens/events.tfevents");
    let ours = [
        Event::record(1_700_000_000.25, 0, Event::version()),
        Event::record(1_700_000_001.5, 1, Event::start()),
        Event::record(1_700_000_002.0, 0, Event::text("recipe", "```\nname = \"größe\"\n```")),
        Event::record(
            1_700_000_003.0,
            300,
            Event::scalars([("train/loss", 0.75), ("train/lr", 1e-3)]),
        ),
        Event::record(
            1_700_000_003.5,
            300,
            Event::picture("val/pictures", (4, 2), b"\x89PNG...".to_vec()),
        ),
        Event::record(1_700_000_004.0, 90_000, Event::scalars([("val/mean_iou", 0.0)])),
    ];
    assert_eq!(ours.concat(), golden);
}
