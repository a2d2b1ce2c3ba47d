//! Size and colour: the contract between training and serving, in one place.
//! Not augmentation (that is the trainer's) and not normalization itself, which is part of the network.
//! Mean and deviation are ImageNet's, as torchvision's weights expect them.

use fast_image_resize as fir;
use image::{GrayImage, RgbImage};

/// Mean of (R, G, B) in 0..1 that the network subtracts.
pub const MEAN: [f32; 3] = [0.485, 0.456, 0.406];

/// Standard deviation of (R, G, B) in 0..1 that the network divides by.
pub const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// The filter of [`resize_image`], as the card names it.
pub const RESIZE_FILTER: &str = "bilinear-antialiased";

/// Resizes with a triangle filter as wide as the reduction asks (antialiased), Pillow's BILINEAR.
///
/// # Panics
/// If a side of the image or of the new size is 0.
pub fn resize_image(img: &RgbImage, width: u32, height: u32) -> RgbImage {
    assert!(
        width > 0 && height > 0 && img.width() > 0 && img.height() > 0,
        "cannot resize to or from nothing"
    );
    if img.dimensions() == (width, height) {
        return img.clone();
    }
    let source =
        fir::images::ImageRef::new(img.width(), img.height(), img.as_raw(), fir::PixelType::U8x3)
            .expect("an RgbImage's buffer has its size");
    let mut target = fir::images::Image::new(width, height, fir::PixelType::U8x3);
    let options = fir::ResizeOptions::new()
        .resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Bilinear));
    fir::Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both images are RGB, 8 bits");
    RgbImage::from_raw(width, height, target.into_vec()).expect("the buffer was made for this size")
}

/// The image at the `[width, height]` that a model is evaluated at; none: at its own.
///
/// # Panics
/// As [`resize_image`].
pub fn at_evaluation_size(image: RgbImage, size: Option<[u32; 2]>) -> RgbImage {
    match size {
        Some([width, height]) => resize_image(&image, width, height),
        None => image,
    }
}

/// Resizes by taking the pixel under each new pixel's centre; no value appears that was not there.
///
/// # Panics
/// If a side of the map or of the new size is 0.
pub fn resize_labels(labels: &GrayImage, width: u32, height: u32) -> GrayImage {
    assert!(
        width > 0 && height > 0 && labels.width() > 0 && labels.height() > 0,
        "cannot resize to or from nothing"
    );
    if labels.dimensions() == (width, height) {
        return labels.clone();
    }
    let columns = centres(labels.width(), width);
    let mut out = Vec::with_capacity(width as usize * height as usize);
    for y in centres(labels.height(), height) {
        let row = &labels.as_raw()[y * labels.width() as usize..][..labels.width() as usize];
        out.extend(columns.iter().map(|&x| row[x]));
    }
    GrayImage::from_raw(width, height, out).expect("the buffer was filled for this size")
}

/// For each of `to` pixels the one of `from` that its centre lies in: floor((i + 1/2) from / to).
fn centres(from: u32, to: u32) -> Vec<usize> {
    let (from, to) = (u64::from(from), u64::from(to));
    (0..to).map(|i| ((2 * i + 1) * from / (2 * to)) as usize).collect()
}
