//! DeepLab on ResNet, written once over a trait of operations that has several implementations.
//!
//! [`ops`] names the operations; [`resnet`], [`aspp`], [`head`] and [`deeplab`] are the network, shaped like the
//! papers. The implementations: [`inventory`] lists the parameters, [`torch`] computes with libtorch, and the
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
