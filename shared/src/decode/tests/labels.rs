//! Labels: every kind of PNG that is accepted keeps its values, any other is refused with what to write.
//! Other formats are compared with Pillow in `shared/tests/pictures.rs`.

use super::*;

#[test]
fn labels_of_every_accepted_kind_keep_their_values() {
    use ::png::BitDepth::*;
    use ::png::ColorType::*;
    let disk = Disk::new();
    let check = |encoding, color, depth, raw: &[u8], expected: Values| {
        let path = disk.put(&png_of(color, depth, (3, 1), raw));
        let got = label(path, encoding).unwrap();
        assert_eq!((got.width, got.height), (3, 1));
        assert_eq!(got.values, expected, "{encoding:?} {color:?} {depth:?}");
    };
    let index = LabelEncoding::Index;
    check(index, Grayscale, Eight, &[0, 7, 255], Values::Bytes(vec![0, 7, 255]));
    check(index, Grayscale, One, &[0b0110_0000], Values::Bytes(vec![0, 1, 1]));
    check(index, Grayscale, Two, &[0b00_01_11_00], Values::Bytes(vec![0, 1, 3]));
    check(index, Grayscale, Four, &[0x1F, 0x30], Values::Bytes(vec![1, 15, 3]));
    check(index, Grayscale, Sixteen, &[0, 7, 1, 0, 255, 255], Values::Words(vec![7, 256, 65535]));
    check(index, Indexed, Eight, &[3, 0, 1], Values::Bytes(vec![3, 0, 1]));
    check(index, Indexed, Two, &[0b11_00_01_00], Values::Bytes(vec![3, 0, 1]));
    let channel = LabelEncoding::Channel;
    let words = [0, 7, 9, 9, 9, 9, 1, 0, 9, 9, 9, 9, 0, 3, 9, 9, 0, 5];
    check(channel(0), Rgb, Sixteen, &words, Values::Words(vec![7, 256, 3]));
    check(channel(2), Rgb, Sixteen, &words, Values::Words(vec![0x909, 0x909, 5]));
    check(channel(1), Rgb, Eight, &[1, 2, 3, 4, 5, 6, 7, 8, 9], Values::Bytes(vec![2, 5, 8]));
    check(channel(0), Grayscale, Sixteen, &[0, 7, 1, 0, 0, 1], Values::Words(vec![7, 256, 1]));
    let rgb = LabelEncoding::Rgb;
    let colors = Values::Colors(vec![[128, 64, 128], [0, 0, 0], [0, 0, 142]]);
    check(rgb, Rgb, Eight, &[128, 64, 128, 0, 0, 0, 0, 0, 142], colors.clone());
    check(rgb, Rgba, Eight, &[128, 64, 128, 255, 0, 0, 0, 0, 0, 0, 142, 9], colors.clone());
    check(rgb, Indexed, Eight, &[1, 0, 2], colors.clone());
    check(rgb, Indexed, Four, &[0x10, 0x20], colors);
}

#[test]
fn a_label_of_another_kind_is_refused_with_what_to_write() {
    use ::png::BitDepth::*;
    use ::png::ColorType::*;
    let disk = Disk::new();
    let put = |color, depth, raw: &[u8]| disk.put(&png_of(color, depth, (1, 1), raw));
    let error = refused(
        label(put(Rgb, Eight, &[1, 2, 3]), LabelEncoding::Index),
        "expected one number a pixel (grey or palette), got RGB of 8 bits",
    );
    assert!(error.hint_text().unwrap().contains("encoding = \"rgb\""));
    refused(
        label(put(Rgb, Sixteen, &[1; 6]), LabelEncoding::Index),
        "expected one number a pixel (grey or palette), got RGB of 16 bits",
    );
    refused(
        label(put(Grayscale, Eight, &[1]), LabelEncoding::Rgb),
        "expected colours (RGB of 8 bits a channel), got grey of 8 bits",
    );
    refused(
        label(put(Rgb, Sixteen, &[1; 6]), LabelEncoding::Rgb),
        "expected colours (RGB of 8 bits a channel), got RGB of 16 bits",
    );
    refused(
        label(put(Grayscale, Eight, &[1]), LabelEncoding::Channel(1)),
        "expected an image with a channel 1 of 8 or 16 bits, got grey of 8 bits",
    );
    let path = disk.put(&encoded(picture(), ImageFormat::Jpeg));
    refused(label(path, LabelEncoding::Index), "expected a label in a lossless format, got JPEG");
    // A palette of four colours, an index beyond them: fine as a number, not as a colour.
    let path = put(Indexed, Eight, &[9]);
    assert_eq!(label(&path, LabelEncoding::Index).unwrap().values, Values::Bytes(vec![9]));
    refused(label(&path, LabelEncoding::Rgb), "damaged image: an index beyond the palette");
}
