//! How names are read, and which patterns are refused.

use super::*;
use std::path::Path;

#[track_caller]
fn check(pattern: &str, name: &str, expected: Option<&[&str]>) {
    let pattern = Pattern::parse(pattern).unwrap();
    let mut captures = vec![None; pattern.holes.len()];
    let Component::Name(parts) = &pattern.components[0] else { panic!("expected a name") };
    let got = matches(parts, name, &mut captures);
    let got = got.then(|| captures.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
    assert_eq!(got, expected.map(|e| e.iter().map(|s| s.to_string()).collect()));
}

#[test]
fn a_name_is_read_from_left_to_right_as_short_as_possible() {
    check(
        "{name}_leftImg8bit.png",
        "aachen_000000_000019_leftImg8bit.png",
        Some(&["aachen_000000_000019"]),
    );
    check("{name}_leftImg8bit.png", "aachen_000000_000019_leftImg8bit.jpg", None);
    check("{name}_leftImg8bit.png", "_leftImg8bit.png", None);
    check("{name}.{png|jpg}", "a.b.jpg", Some(&["a.b"]));
    check("{name}.{png|jpg}", "A.JPG", Some(&["A"]));
    check("{a}_{b}.png", "x_y_z.png", Some(&["x", "y_z"]));
    check("{a}_{a}.png", "x_x.png", Some(&["x"]));
    check("{a}_{a}.png", "x_y.png", None);
    check("Omni_{camera}", "Omni_F", Some(&["F"]));
    check("{name}.png", "straße.png", Some(&["straße"]));
    check("{name}_L.png", "a_L.PNG", Some(&["a"]));
    check("{name}_L.png", "a_l.png", None);
}

#[test]
fn a_pattern_that_makes_no_sense_is_refused() {
    for bad in [
        "",
        "/abs/{name}",
        "a//b",
        "../{name}",
        "{name",
        "name}",
        "{}",
        "{a b}",
        "{|png}",
        "a/**",
        "*.png",
        "a**/{name}.png",
        "**/a/**/{name}.png",
    ] {
        assert!(Pattern::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn any_depth_is_none_one_or_several_folders() {
    let pattern = Pattern::parse("{split}/**/{name}.{png|jpg}").unwrap();
    for path in ["val/x.png", "val/a/x.JPG", "val/a/b/x.png"] {
        assert!(pattern.describes(Path::new(path)), "{path}");
    }
    for path in ["x.png", "val/a/x.bmp", "val"] {
        assert!(!pattern.describes(Path::new(path)), "{path}");
    }
}

#[test]
fn a_path_is_filled_in_with_the_first_of_several_texts() {
    let pattern = Pattern::parse("{split}/**/{name}_L.{png|PNG}").unwrap();
    let values = |way| [("split", "val"), (ANY_DEPTH, way), ("name", "x")];
    assert_eq!(pattern.path(&values("a/b")), "val/a/b/x_L.png");
    assert_eq!(pattern.path(&values("")), "val/x_L.png");
}
