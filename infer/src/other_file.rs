//! Files that are given as models and are none: known by their first bytes, each with the way to an
//! ONNX file. Not a check that a file is an ONNX model, which `outline` and ONNX Runtime make.

use shared::error::{Error, Result};

use crate::model_file::ModelFile;

const TO_ONNX: &str = "export it from Python: torch.onnx.export(model.eval(), (image,), \"model.onnx\", dynamo=False, opset_version=17) (models/README.md)";
const FROM_TENSORFLOW: &str =
    "convert it: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx --opset 17";
const FROM_TFLITE: &str =
    "convert it: python -m tf2onnx.convert --tflite model.tflite --output model.onnx --opset 17";
const UNPACK: &str = "unpack it first";
const FETCH_AGAIN: &str = "download the file itself: of a page on GitHub or Hugging Face, its \"raw\" or \"download\" link";

/// Refuses what is known to be another kind of file.
///
/// # Errors
/// Such a file (exit code 2).
pub(crate) fn refuse(file: &ModelFile) -> Result<()> {
    let Some((got, hint)) = kind(&file.bytes) else { return Ok(()) };
    let at = file.path.display();
    Err(Error::request(format!("model: {at}: expected an ONNX model, got {got}")).hint(hint))
}

/// What a file is, and what to do about it; `None`: perhaps an ONNX model.
fn kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    let holds = |name: &str| bytes.windows(name.len()).any(|w| w == name.as_bytes());
    if starts(b"PK\x03\x04") {
        return Some(match () {
            () if holds("data.pkl") => ("a PyTorch file (.pt, .pth)", TO_ONNX),
            () if holds("model.weights.h5") => ("a Keras model", FROM_TENSORFLOW),
            () => ("a ZIP archive", UNPACK),
        });
    }
    // Pickle's protocols 2 to 5, which PyTorch before 1.6 wrote, and NumPy's relatives.
    if bytes.first() == Some(&0x80) && matches!(bytes.get(1), Some(2..=5)) {
        return Some(("a pickled PyTorch file (.pt, .pth)", TO_ONNX));
    }
    if is_safetensors(bytes) {
        return Some((
            "weights without a network (safetensors)",
            "`train export --checkpoint FILE --output model.onnx` for a run of this program; of another, export its model from Python",
        ));
    }
    let by_magic: [(&[u8], _, _); 5] = [
        (
            b"version https://git-lfs.github.com/spec/",
            "a Git LFS pointer, which stands for the file",
            "git lfs install && git lfs pull",
        ),
        (b"\x89HDF\r\n\x1a\n", "a Keras or HDF5 file (.h5)", FROM_TENSORFLOW),
        (b"\x1f\x8b", "a gzip archive", UNPACK),
        (
            b"ptrt",
            "a TensorRT engine",
            "give the ONNX model it was built from, with --provider tensorrt",
        ),
        (
            b"ftrt",
            "a TensorRT engine",
            "give the ONNX model it was built from, with --provider tensorrt",
        ),
    ];
    if let Some((_, got, hint)) = by_magic.into_iter().find(|(magic, ..)| starts(magic)) {
        return Some((got, hint));
    }
    match bytes.get(4..8) {
        Some(b"TFL3") => return Some(("a TensorFlow Lite model", FROM_TFLITE)),
        Some(b"ORTM") => {
            let hint = "give the ONNX model that it was converted from";
            return Some(("a model in ONNX Runtime's own format (.ort)", hint));
        }
        _ => {}
    }
    if is_saved_model(bytes) {
        return Some(("a TensorFlow model (saved_model.pb)", FROM_TENSORFLOW));
    }
    text_kind(bytes)
}

/// Pages and notes that were saved in a model's place.
fn text_kind(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let head = &bytes[..bytes.len().min(512)];
    let text = String::from_utf8_lossy(head).trim_start_matches('\u{feff}').trim().to_lowercase();
    if text.starts_with("<!doctype html") || text.starts_with("<html") {
        return Some(("a web page (HTML)", FETCH_AGAIN));
    }
    if text.starts_with("<?xml") {
        let hint = "a server's error message, or an OpenVINO model, whose ONNX original is needed";
        return Some(("an XML file", hint));
    }
    // A model in JSON would be read, if at all, from the program that wrote it.
    text.starts_with('{').then_some(("a JSON file", FETCH_AGAIN))
}

/// Eight bytes of length, then JSON of that length.
fn is_safetensors(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    rest.first() == Some(&b'{') && length < 100 << 20 && length <= rest.len() as u64
}

/// SavedModel begins with its version, 1, and a message; ONNX begins with a version of 3 or more.
fn is_saved_model(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x08, 0x01, 0x12])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_told_by_its_first_bytes_and_an_onnx_model_is_none_of_them() {
        let safetensors = [&14_u64.to_le_bytes()[..], b"{\"w\":{\"a\":1}}  "].concat();
        let cases: [(&[u8], &str); 13] = [
            (b"PK\x03\x04..archive/data.pkl..", "PyTorch"),
            (b"PK\x03\x04..model.weights.h5", "Keras"),
            (b"PK\x03\x04..", "ZIP"),
            (b"\x80\x02\x8a\nl\xfc\x9cF", "pickled PyTorch"),
            (&safetensors, "safetensors"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
            (b"\n <!DOCTYPE html><html>", "web page"),
            (b"<?xml version=\"1.0\"?>", "XML"),
            (b"{\"message\": \"Not Found\"}", "JSON"),
            (b"\x89HDF\r\n\x1a\n...", "HDF5"),
            (b"\x1c\0\0\0TFL3", "TensorFlow Lite"),
            (b"\x08\x01\x12\x90\x01", "saved_model.pb"),
            (b"\x1f\x8b\x08", "gzip"),
        ];
        for (bytes, expected) in cases {
            let (got, hint) = kind(bytes).unwrap_or_else(|| panic!("{expected}"));
            assert!(got.contains(expected) && !hint.is_empty(), "{expected}: {got}");
        }
        assert_eq!(kind(include_bytes!("../tests/models/both.onnx")), None);
        assert_eq!(kind(b""), None);
        assert_eq!(kind(b"this is no model at all"), None);
    }
}
