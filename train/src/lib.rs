//! Training DeepLabV3 with recall loss, and its export to ONNX. The only crate that uses tch.

pub mod adjust;
pub mod average;
pub mod checkpoint;
pub mod data;
pub mod device;
pub mod inspect;
pub mod loss;
pub mod memory;
pub mod model;
pub mod monitor;
pub mod onnx;
pub mod optimizer;
pub mod pictures;
pub mod plots;
pub mod precision;
pub mod recipe;
pub mod run;
pub mod schedule;
pub mod step;
pub mod suite;
pub mod tensors;
pub mod trainer;
mod user_cache;
pub mod validate;
