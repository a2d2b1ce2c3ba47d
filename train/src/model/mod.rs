//! DeepLabV3 on ResNet, written once over a trait of operations and read in several ways.
//!
//! [`ops`] names the operations; [`resnet`], [`aspp`], [`head`] and [`deeplab`] are the network, shaped like the
//! papers. Its readings: [`inventory`] lists the parameters, [`torch`] computes with libtorch, and the
//! export emits ONNX nodes. Parameters live in one flat vector ([`params`]).

pub mod aspp;
pub mod deeplab;
pub mod head;

pub mod init;
pub mod inventory;
pub mod ops;
pub mod params;
pub mod resnet;
pub mod torch;
pub mod weights;

pub use deeplab::{DeepLab, ModelSettings};
pub use params::Parameters;
