//! Training DeepLabV3 with recall loss, and its export to ONNX. The only crate that uses tch.

pub mod loss;
pub mod model;
pub mod tensors;
