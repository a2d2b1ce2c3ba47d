//! What an input or output of a graph must be, in its declaration.
//! Not what a run gives: that is checked where it is read (`session::io`).

use ort::value::{Outlet, TensorElementType};
use shared::error::{Error, Result};

/// Dimensions for the user; a question mark is one that may be anything.
pub(crate) fn shape_line(shape: &[Option<i64>]) -> String {
    let sides: Vec<String> =
        shape.iter().map(|s| s.map_or("?".into(), |s| s.to_string())).collect();
    format!("[{}]", sides.join(", "))
}

/// What an input or output must be; `None` among the sizes is one that may be anything.
pub struct Tensor<'a> {
    name: &'a str,
    ty: TensorElementType,
    shape: &'a [Option<i64>],
}

impl<'a> Tensor<'a> {
    pub fn new(name: &'a str, ty: TensorElementType, shape: &'a [Option<i64>]) -> Self {
        Self { name, ty, shape }
    }

    /// Refuses something else; a graph may leave any size open.
    pub fn check(&self, outlet: &Outlet) -> Result<()> {
        let dtype = outlet.dtype();
        let fits = |got: &[i64]| {
            got.len() == self.shape.len()
                && self.shape.iter().zip(got).all(|(s, g)| s.is_none_or(|s| *g < 0 || *g == s))
        };
        let well = outlet.name() == self.name
            && dtype.tensor_type() == Some(self.ty)
            && dtype.tensor_shape().is_some_and(|got| fits(got));
        if well { Ok(()) } else { Err(self.mismatch(outlet)) }
    }

    /// The error of something else.
    pub fn mismatch(&self, outlet: &Outlet) -> Error {
        Error::request(format!(
            "graph: expected {} {} {}, got {} {}",
            self.name,
            self.ty,
            shape_line(self.shape),
            outlet.name(),
            outlet.dtype()
        ))
    }
}
