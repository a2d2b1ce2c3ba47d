//! Tensors in and out of safetensors files: named, typed, on the CPU. Knows nothing of networks.

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use shared::error::{Context, Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tch::{Device, Kind, Tensor};

/// What a safetensors file holds.
pub struct File {
    /// Tensors by name, on the CPU, in the file's own types.
    pub tensors: BTreeMap<String, Tensor>,
    /// The file's text metadata.
    pub metadata: HashMap<String, String>,
}

/// Types that both sides know.
const KINDS: &[(Dtype, Kind)] = &[
    (Dtype::F32, Kind::Float),
    (Dtype::F64, Kind::Double),
    (Dtype::F16, Kind::Half),
    (Dtype::BF16, Kind::BFloat16),
    (Dtype::I64, Kind::Int64),
    (Dtype::I32, Kind::Int),
    (Dtype::U8, Kind::Uint8),
    (Dtype::BOOL, Kind::Bool),
];

/// Reads a file whole.
///
/// # Errors
/// What is no safetensors file, or holds a type that is not known here; the line begins with the path.
pub fn read(path: &Path) -> Result<File> {
    let place = path.display();
    let bytes = std::fs::read(path).request(|| place.to_string())?;
    let not_one = || format!("{place}: not a safetensors file");
    let (_, header) = SafeTensors::read_metadata(&bytes).request(not_one)?;
    let file = SafeTensors::deserialize(&bytes).request(not_one)?;
    let mut tensors = BTreeMap::new();
    for (name, view) in file.iter() {
        let kind = KINDS.iter().find(|(dtype, _)| *dtype == view.dtype()).map(|(_, kind)| *kind);
        let Some(kind) = kind else {
            let got = view.dtype();
            return Err(Error::request(format!("{place}: {name}: unknown type {got:?}")));
        };
        let shape: Vec<i64> = view.shape().iter().map(|&d| d as i64).collect();
        let tensor = Tensor::f_from_data_size(view.data(), &shape, kind)
            .request(|| format!("{place}: {name}"))?;
        tensors.insert(name.to_string(), tensor);
    }
    let metadata = header.metadata().clone().unwrap_or_default();
    Ok(File { tensors, metadata })
}

/// Copies tensors into others of the same names, in any order.
///
/// # Errors
/// A name that is missing or not known, or a tensor of another shape or kind; then nothing has changed.
pub fn fill(own: Vec<(String, Tensor)>, given: &[(String, Tensor)]) -> Result<()> {
    let odd = given.iter().find(|(name, _)| !own.iter().any(|(own, _)| own == name));
    if let Some((name, _)) = odd {
        let known: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
        return Err(Error::request(format!("{name}: expected one of {}", known.join(", "))));
    }
    let mut pairs = Vec::new();
    for (name, own) in own {
        let expected = format!("{name}: expected {:?} {:?}", own.kind(), own.size());
        let given = given.iter().find(|(given, _)| *given == name);
        let (_, given) =
            given.ok_or_else(|| Error::request(format!("{expected}, got no such tensor")))?;
        if (given.size(), given.kind()) != (own.size(), own.kind()) {
            let (kind, size) = (given.kind(), given.size());
            return Err(Error::request(format!("{expected}, got {kind:?} {size:?}")));
        }
        pairs.push((own, given));
    }
    tch::no_grad(|| pairs.into_iter().for_each(|(mut own, given)| own.copy_(given)));
    Ok(())
}

/// Writes tensors to a file that is there whole or not at all.
///
/// # Errors
/// Those of the file system; the line begins with the path.
pub fn write(
    path: &Path,
    tensors: &[(String, Tensor)],
    metadata: HashMap<String, String>,
) -> Result<()> {
    let what = || path.display().to_string();
    let mut data = Vec::with_capacity(tensors.len());
    for (name, tensor) in tensors {
        let tensor = tensor.detach().to_device(Device::Cpu).contiguous();
        let dtype = KINDS.iter().find(|(_, kind)| *kind == tensor.kind()).map(|(dtype, _)| *dtype);
        let dtype = dtype.ok_or_else(|| Error::work(format!("{}: {name}: odd type", what())))?;
        let shape: Vec<usize> = tensor.size().iter().map(|&d| d as usize).collect();
        let mut bytes = vec![0; tensor.numel() * tensor.kind().elt_size_in_bytes()];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        data.push((name, dtype, shape, bytes));
    }
    let views = data.iter().map(|(name, dtype, shape, bytes)| {
        TensorView::new(*dtype, shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views.collect::<std::result::Result<Vec<_>, _>>().work(what)?;
    let bytes = serialize(views, Some(metadata)).work(what)?;
    shared::files::write_atomic(path, &bytes)
}
