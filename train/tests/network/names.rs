//! Names and shapes of weights, and what happens to files whose names do not fit.
//! Not a test of what is computed with them.
//! Names: torchvision's `state_dict`, written down by goldens/network.py.

use super::formula::fill;
use super::{ALL, Net, network, v3};
use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Tensor};
use train::model::params::Precision;
use train::model::resnet::Depth;
use train::model::weights::{self, LastLayers};
use train::tensors;

/// Names and shapes of a `state_dict` of the twin's.
fn their_names(net: Net) -> BTreeMap<String, Vec<i64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/network.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let names = &header.metadata().as_ref().unwrap()["names"];
    let names: Value = serde_json::from_str(names).unwrap();
    serde_json::from_value(names[net.kind()].clone()).unwrap()
}

#[test]
fn names_and_shapes_are_those_of_torchvisions_state_dict() {
    for net in ALL {
        let (_, parameters) = network(net, Precision::F32);
        let ours = weights::state_dict(&parameters, 0);
        let ours: BTreeMap<_, _> = ours.into_iter().map(|(name, t)| (name, t.size())).collect();
        assert_eq!(ours, their_names(net), "{net:?}");
    }
}

const RESNET18: Net = v3(Depth::Resnet18, 8);

/// What torchvision would save for ResNet-18, every value 1.
fn their_file(folder: &Path, change: impl FnOnce(&mut BTreeMap<String, Tensor>)) -> PathBuf {
    let named = their_names(RESNET18).into_iter();
    let mut file: BTreeMap<String, Tensor> = named
        .map(|(name, shape)| {
            let tracked = name.ends_with("num_batches_tracked");
            let kind = if tracked { Kind::Int64 } else { Kind::Float };
            (name, Tensor::ones(shape, (kind, Device::Cpu)))
        })
        .collect();
    change(&mut file);
    let path = folder.join("weights.safetensors");
    tensors::write(&path, &file.into_iter().collect::<Vec<_>>(), Default::default()).unwrap();
    path
}

/// Loads such a file: the error's line, or how many parameters and statistics became 1.
fn load_changed(
    last: LastLayers,
    change: impl FnOnce(&mut BTreeMap<String, Tensor>),
) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = their_file(folder.path(), change);
    let (_, mut parameters) = network(RESNET18, Precision::F32);
    weights::load(&path, &mut parameters, last).map_err(|e| e.to_string())?;
    let is_one = |t: &Tensor| t.eq(1.0).all().int64_value(&[]) == 1;
    Ok(parameters.named().iter().filter(|(_, t)| is_one(t)).count())
}

#[test]
fn a_whole_file_of_torchvisions_loads_and_comes_out_as_it_went_in() {
    let names = their_names(RESNET18);
    let all = names.keys().filter(|n| !n.ends_with("num_batches_tracked")).count();
    assert_eq!(load_changed(LastLayers::FromFile, |_| ()), Ok(all));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours.safetensors");
    let (_, parameters) = network(RESNET18, Precision::F32);
    weights::save(&path, &parameters, 7).unwrap();
    let file = tensors::read(&path).unwrap();
    assert_eq!(file.metadata["format"], "pt", "transformers and timm ask for it");
    for (name, tensor) in &file.tensors {
        if name.ends_with("num_batches_tracked") {
            assert_eq!((tensor.kind(), tensor.int64_value(&[])), (Kind::Int64, 7), "{name}");
        } else {
            assert_eq!(tensor, &fill(name, &tensor.size()), "{name}");
        }
    }
    assert_eq!(file.tensors.len(), names.len());
}

#[test]
fn an_imagenet_file_fills_the_backbone_and_nothing_else() {
    let names = their_names(RESNET18);
    let backbone =
        names.keys().filter(|n| n.starts_with("backbone.") && !n.ends_with("tracked")).count();
    let loaded = load_changed(LastLayers::FromFile, |file| {
        *file = std::mem::take(file)
            .into_iter()
            .filter_map(|(name, t)| Some((name.strip_prefix("backbone.")?.to_string(), t)))
            .collect();
        file.insert("fc.weight".into(), Tensor::ones([1000, 512], (Kind::Float, Device::Cpu)));
        file.insert("fc.bias".into(), Tensor::ones([1000], (Kind::Float, Device::Cpu)));
    });
    assert_eq!(loaded, Ok(backbone));
}

#[test]
fn names_that_do_not_fit_are_reported_each() {
    let error = load_changed(LastLayers::FromFile, |file| {
        file.remove("backbone.bn1.running_mean");
        file.insert("backbone.layer5.weight".into(), Tensor::ones([1], (Kind::Float, Device::Cpu)));
        file.insert("backbone.bn1.bias".into(), Tensor::ones([65], (Kind::Float, Device::Cpu)));
    })
    .unwrap_err();
    for part in [
        "weights.safetensors: 3 names do not fit",
        "backbone.bn1.running_mean is missing",
        "backbone.layer5.weight is not part of this network",
        "backbone.bn1.bias: expected [64], got [65]",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn other_classes_need_new_last_layers() {
    let twenty_one = |file: &mut BTreeMap<String, Tensor>| {
        for name in ["classifier.4", "aux_classifier.4"] {
            let options = (Kind::Float, Device::Cpu);
            let inputs = if name.starts_with("aux") { 64 } else { 256 };
            file.insert(format!("{name}.weight"), Tensor::ones([21, inputs, 1, 1], options));
            file.insert(format!("{name}.bias"), Tensor::ones([21], options));
        }
    };
    let error = load_changed(LastLayers::FromFile, twenty_one).unwrap_err();
    assert!(error.contains("classifier.4.bias: expected [7], got [21]"), "{error}");
    let names = their_names(RESNET18);
    let all = names.keys().filter(|n| !n.ends_with("num_batches_tracked")).count();
    assert_eq!(load_changed(LastLayers::New, twenty_one), Ok(all - 4));
}
