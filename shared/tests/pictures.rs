//! Image files of every format against Pillow and numpy: upright colors, label values, 16 bits stretched.
//! Not damage, which `decode`'s own tests have. `goldens/pictures.py` made the files and the expected values.
//! Lossless formats are equal; JPEG and lossy WebP may differ by a few of 255, as their decoders round differently.

use std::path::PathBuf;

use image::{Rgb, RgbImage};
use serde::Deserialize;
use shared::decode::{self, LabelEncoding, Named, Tone, Values, Window};

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    size: (u32, u32),
    rgb: String,
    tolerance: u8,
    orientation: Option<u8>,
    values: Option<Vec<u16>>,
    stretched: Option<String>,
    #[serde(default)]
    lossy: bool,
}

/// The cases, with the file of each.
fn cases() -> (tempfile::TempDir, Vec<(Case, PathBuf)>) {
    let folder = tempfile::tempdir().unwrap();
    let cases: Vec<Case> = serde_json::from_str(include_str!("goldens/pictures.json")).unwrap();
    let put = |(i, case): (usize, Case)| {
        let path = folder.path().join(format!("{i}.img"));
        std::fs::write(&path, bytes(&case.file)).unwrap();
        (case, path)
    };
    let cases = cases.into_iter().enumerate().map(put).collect();
    (folder, cases)
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(byte).collect()
}

#[test]
fn pictures_of_every_format_are_as_pillow_shows_them_upright() {
    let (_folder, cases) = cases();
    for (case, path) in &cases {
        let name = &case.name;
        let got = decode::rgb(path).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(got.dimensions(), case.size, "{name}");
        let expected = bytes(&case.rgb);
        let off = got.iter().zip(&expected).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(off <= case.tolerance, "{name}: off by {off}");
    }
}

#[test]
fn headers_tell_the_upright_size_and_the_tag() {
    let (_folder, cases) = cases();
    let mut seen = 0;
    for (case, path) in &cases {
        let header = decode::header(path).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(header.size, case.size, "{}", case.name);
        assert_eq!(header.orientation, case.orientation.unwrap_or(1), "{}", case.name);
        assert_eq!(decode::look(path, None).unwrap().orientation, header.orientation);
        assert_eq!(header.deep, case.stretched.is_some(), "{}", case.name);
        seen += u8::from(case.orientation.is_some());
    }
    assert_eq!(seen, 32, "eight values in four formats");
}

#[test]
fn labels_keep_their_values_in_every_lossless_format() {
    let (_folder, cases) = cases();
    for (case, path) in &cases {
        let Some(expected) = &case.values else { continue };
        let label = decode::label(path, LabelEncoding::Index);
        let label = label.unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let got: Vec<u16> = match label.values {
            Values::Bytes(values) => values.into_iter().map(u16::from).collect(),
            Values::Words(values) => values,
            Values::Colors(_) => panic!("{}: colors", case.name),
        };
        assert_eq!(&got, expected, "{}", case.name);
    }
}

#[test]
fn labels_in_colors_are_the_picture_and_are_never_turned() {
    let (_folder, cases) = cases();
    for (case, path) in &cases {
        let label = decode::label(path, LabelEncoding::Rgb);
        if case.tolerance > 0 || case.values.is_some() {
            continue;
        }
        let label = label.unwrap_or_else(|e| panic!("{}: {e}", case.name));
        let turned = case.orientation.is_some_and(|tag| tag > 4);
        let size = if turned { (case.size.1, case.size.0) } else { case.size };
        assert_eq!((label.width, label.height), size, "{}", case.name);
        if case.orientation.unwrap_or(1) == 1 {
            let Values::Colors(colors) = label.values else { panic!("{}", case.name) };
            assert_eq!(colors.into_flattened(), bytes(&case.rgb), "{}", case.name);
        }
    }
}

#[test]
fn a_lossy_label_is_refused_in_words() {
    let (_folder, cases) = cases();
    let mut seen = 0;
    for (case, path) in &cases {
        if case.lossy || case.name.starts_with("JPEG") {
            let error = decode::label(path, LabelEncoding::Rgb).unwrap_err();
            let line = error.to_string();
            assert!(line.contains("expected a label in a lossless format, got "), "{line}");
            assert!(error.hint_text().unwrap().contains("changes values"));
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn stretching_is_numpys_percentiles_and_a_window_with_the_same_ends_gives_the_same() {
    let (_folder, cases) = cases();
    let mut seen = 0;
    for (case, path) in &cases {
        let Some(stretched) = &case.stretched else { continue };
        let expected: Vec<u8> = bytes(stretched).into_iter().flat_map(|v| [v; 3]).collect();
        let stretch = Tone::Named(Named::Stretch);
        assert_eq!(decode::toned(path, Some(stretch)).unwrap().into_raw(), expected);
        let mut values = case.values.clone().unwrap();
        values.sort_unstable();
        let at = |percent: usize| values[(values.len() * percent).div_ceil(100) - 1];
        let window = Window { min: at(1), max: at(99) };
        let got = decode::toned(path, Some(Tone::Window(window))).unwrap();
        assert_eq!(got.into_raw(), expected);
        let levels = decode::look(path, None).unwrap().levels.unwrap();
        values.dedup();
        assert_eq!((levels.min, levels.max), (values[0], *values.last().unwrap()));
        assert_eq!(levels.stored, values.len());
        values.iter_mut().for_each(|v| *v >>= 8);
        values.dedup();
        assert_eq!(levels.kept, values.len());
        assert!(levels.too_few(), "{levels:?}");
        let kept = decode::look(path, Some(stretch)).unwrap().levels.unwrap();
        assert!(kept.kept > 60 && !kept.too_few(), "{kept:?}");
        seen += 1;
    }
    assert_eq!(seen, 3);
}

#[test]
fn eight_bits_are_stretched_alike_in_a_file_and_as_a_frame_and_have_no_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    let picture = RgbImage::from_fn(30, 20, |x, y| Rgb([100 + x as u8, 90 + y as u8, 120]));
    picture.save(&path).unwrap();
    let stretch = Tone::Named(Named::Stretch);
    let got = decode::toned(&path, Some(stretch)).unwrap();
    assert_eq!(got.iter().max(), Some(&255));
    assert_eq!(got.iter().min(), Some(&0));
    let mut frame = picture.clone();
    stretch.apply(&mut frame);
    assert_eq!(frame, got);
    let window = Tone::Window(Window { min: 7000, max: 9100 });
    let line = decode::toned(&path, Some(window)).unwrap_err().to_string();
    assert!(line.contains("expected an image of 16 bits a channel"), "{line}");
    assert!(window.check_frames().is_err() && stretch.check_frames().is_ok());
    let mut flat = RgbImage::from_pixel(4, 4, Rgb([9; 3]));
    stretch.apply(&mut flat);
    assert!(flat.iter().all(|v| *v == 0));
}

#[test]
fn a_file_without_its_second_half_is_damaged_in_every_format() {
    let (_folder, cases) = cases();
    for (case, path) in &cases {
        let whole = bytes(&case.file);
        std::fs::write(path, &whole[..whole.len() / 2]).unwrap();
        let Err(error) = decode::rgb(path) else { panic!("{}: read", case.name) };
        assert!(error.to_string().contains("damaged image"), "{}: {error}", case.name);
        assert!(decode::label(path, LabelEncoding::Index).is_err(), "{}", case.name);
    }
}
