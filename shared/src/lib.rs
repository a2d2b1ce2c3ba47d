//! What training and serving have in common: data sets, decoding, preprocessing, metrics, pictures.
//! It knows neither torch, nor ONNX Runtime, nor a window; nothing here prints to standard output.
//! ARCHITECTURE.md at the root of the repository is the map.

pub mod browse;
pub mod card;
pub mod command_line;
pub mod compare;
pub mod dataset;
pub mod decode;
pub mod describe;
pub mod digest;
pub mod error;
pub mod files;
pub mod folder;
pub mod home;
pub mod labels;
pub mod metrics;
pub mod output_path;
pub mod plot;
pub mod png_file;
pub mod preprocess;
pub mod random;
pub mod render;
pub mod streets;
