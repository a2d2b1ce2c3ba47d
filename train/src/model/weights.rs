//! Weights from and to other people's files, under torchvision's names.
//!
//! Loading is strict: every missing, surplus or misshaped name is reported. The declared exceptions are
//! `fc.*` of an ImageNet classifier, `num_batches_tracked`, and the last layers when they are to be new.

use super::deeplab::AUXILIARY_CLASSIFIER;
use super::head::HeadKind;
use super::params::Parameters;
use crate::tensors;
use shared::error::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use tch::{Kind, Tensor};

/// What becomes of the layers that depend on the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastLayers {
    /// They come from the file like the rest.
    FromFile,
    /// They keep their fresh start: the file was trained on other classes.
    New,
}

/// Whether a parameter is of a layer whose shape depends on the number of classes.
fn depends_on_classes(name: &str) -> bool {
    let layer = name.rsplit_once('.').map_or(name, |(layer, _)| layer);
    layer == AUXILIARY_CLASSIFIER || HeadKind::ALL.iter().any(|head| layer == head.last_layer())
}

/// Loads a complete DeepLab, or a ResNet that initializes the backbone, whichever the file is.
pub fn load(path: &Path, parameters: &mut Parameters, last: LastLayers) -> Result<()> {
    let file = tensors::read(path).map_err(|error| {
        error.within("weights").hint("expected a .safetensors file; in Python: safetensors.torch.save_file(model.state_dict(), PATH)")
    })?;
    assign(file.tensors, parameters, last)
        .map_err(|error| error.within(format!("weights: {}", path.display())))
}

/// Copies named tensors into the parameters, strictly.
pub fn assign(
    mut file: BTreeMap<String, Tensor>,
    parameters: &mut Parameters,
    last: LastLayers,
) -> Result<()> {
    let backbone_only = file.contains_key("conv1.weight");
    if backbone_only {
        file = file.into_iter().map(|(name, t)| (format!("backbone.{name}"), t)).collect();
    }
    file.retain(|name, _| {
        !name.ends_with(".num_batches_tracked") && !name.starts_with("backbone.fc.")
    });
    let mut problems = Vec::new();
    let mut copies = Vec::new();
    for (name, place) in parameters.named() {
        let from_file = file.remove(&name);
        let fresh = last == LastLayers::New && depends_on_classes(&name);
        if fresh || (backbone_only && !name.starts_with("backbone.")) {
            continue;
        }
        match from_file {
            None => problems.push(format!("{name} is missing")),
            Some(t) if t.size() != place.size() => {
                problems.push(format!("{name}: expected {:?}, got {:?}", place.size(), t.size()));
            }
            Some(tensor) => copies.push((place, tensor)),
        }
    }
    problems.extend(file.keys().map(|name| format!("{name} is not part of this network")));
    if !problems.is_empty() {
        return Err(mismatch(&problems));
    }
    tch::no_grad(|| {
        for (mut place, tensor) in copies {
            place.copy_(&tensor);
        }
    });
    parameters.refresh();
    Ok(())
}

/// One line for many problems: the count, and the first few by name.
fn mismatch(problems: &[String]) -> Error {
    const SHOWN: usize = 4;
    let shown = problems[..problems.len().min(SHOWN)].join("; ");
    let more = match problems.len().saturating_sub(SHOWN) {
        0 => String::new(),
        n => format!("; and {n} more"),
    };
    Error::request(format!("{} names do not fit this network: {shown}{more}", problems.len())).hint(
        "check model.backbone, model.head and model.auxiliary; for other classes set start.new_head = true",
    )
}

/// Everything that a `state_dict` of torchvision's network has, so that it loads strictly there.
pub fn state_dict(parameters: &Parameters, iterations: u64) -> Vec<(String, Tensor)> {
    let mut named = parameters.named();
    for entry in &parameters.buffer_entries {
        if let Some(norm) = entry.name.strip_suffix(".running_mean") {
            let tracked = Tensor::from(iterations as i64).to_kind(Kind::Int64);
            named.push((format!("{norm}.num_batches_tracked"), tracked));
        }
    }
    named
}

/// Writes the weights alone, for PyTorch or for a later start.
pub fn save(path: &Path, parameters: &Parameters, iterations: u64) -> Result<()> {
    let metadata = HashMap::from([("format".to_string(), "pt".to_string())]);
    tensors::write(path, &state_dict(parameters, iterations), metadata)
        .map_err(|error| error.within("weights"))
}

#[cfg(test)]
mod tests {
    use super::super::deeplab::{DeepLab, ModelSettings};
    use super::super::inventory::Inventory;
    use super::*;

    #[test]
    fn the_layers_that_depend_on_the_classes_are_those_whose_shape_does() {
        for head in HeadKind::ALL {
            let settings = ModelSettings { head, auxiliary: true, ..Default::default() };
            let convs = |classes| Inventory::of(&DeepLab::new(&settings, classes)).convs;
            for (two, three) in convs(2).iter().zip(&convs(3)) {
                let weight = format!("{}.weight", two.name);
                assert_eq!(depends_on_classes(&weight), two != three, "{head:?}: {weight}");
            }
        }
    }
}
