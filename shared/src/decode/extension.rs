//! What a file's name says about its format: which files count as pictures where a folder is searched.
//! Not how a format is recognized: the decoders go by a file's first bytes.

use std::path::Path;

/// Extensions of the formats that are decoded, in lower case.
pub const EXTENSIONS: [&str; 15] = [
    "png", "jpg", "jpeg", "jpe", "jfif", "bmp", "tif", "tiff", "webp", "gif", "qoi", "pnm", "pbm",
    "pgm", "ppm",
];

/// Extensions of formats that are pictures, or camera raw files, but are not decoded, in lower case.
const UNREAD: [&str; 26] = [
    "heic", "heif", "avif", "jxl", "jp2", "j2k", "jpx", "exr", "hdr", "tga", "dds", "psd", "ico",
    "svg", "pam", "pfm", "pcx", "dng", "cr2", "cr3", "nef", "arw", "raf", "rw2", "orf", "raw",
];

/// Whether a file's extension, in any case, is that of a format which is decoded.
pub fn is_picture(path: impl AsRef<Path>) -> bool {
    has_extension(path.as_ref(), &EXTENSIONS)
}

/// Whether a file's extension, in any case, is that of a picture in a format which is not decoded.
pub fn is_unread_picture(path: impl AsRef<Path>) -> bool {
    has_extension(path.as_ref(), &UNREAD)
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    let Some(extension) = path.extension() else { return false };
    known.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_known_by_its_extension_in_any_case() {
        assert!(["a.png", "b/c.JPG", "d.Tiff"].iter().all(is_picture));
        assert!(["e.heic", "f.NEF"].iter().all(|p| is_unread_picture(p) && !is_picture(p)));
        assert!(!["g.txt", "png", ".png", "h."].iter().any(is_picture));
    }
}
