//! One step: what a batch that is not finite may not touch, and (`parts`) what a step of several
//! batches and an auxiliary head are.

mod parts;

use shared::error::Error;
use std::sync::Mutex;
use tch::{Device, Kind, Tensor};
use train::average::Average;
use train::data::Batch;
use train::loss::{Frequencies, Loss, cross_entropy};
use train::model::params::{Parameters, Precision};
use train::model::{DeepLab, ModelSettings, init};
use train::optimizer::{Group, Optimizer};
use train::recipe::Recipe;
use train::step::Stepper;

const RECIPE: &str = r#"
name = "test"
data = { dataset = "streets" }
model = { output_stride = 16, dropout = 0.0 }
loss = { name = "recall", momentum = 0.9 }
optimizer = { name = "adam" }
train = { iterations = 1, batch = 2, learning_rate = 1e-3 }
"#;

const CLASSES: i64 = 3;

/// libtorch's random generator is one for the whole process: networks are initialized one at a
/// time.
static GENERATOR: Mutex<()> = Mutex::new(());

fn initialize(parameters: &mut Parameters) {
    let _one_at_a_time = GENERATOR.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    init::initialize(parameters, 7);
}

fn recipe(changes: &[&str]) -> Recipe {
    let changes: Vec<String> = changes.iter().map(|c| c.to_string()).collect();
    Recipe::parse(RECIPE, &changes).unwrap()
}

fn stepper(changes: &[&str]) -> Stepper {
    let recipe = recipe(changes);
    let network = DeepLab::new(&recipe.model, CLASSES);
    let mut parameters = Parameters::new(&network, Device::Cpu, Precision::F32);
    initialize(&mut parameters);
    let groups = Group::of_sections(&parameters.sections, recipe.train.head_lr_factor);
    let len = parameters.flat.size()[0];
    let optimizer = Optimizer::new(&recipe.optimizer, len, groups, Device::Cpu);
    let set = Frequencies {
        pixels: vec![5000, 300, 40],
        images: vec![10, 6, 2],
        pixels_of_its_images: vec![5340, 4000, 700],
        all_images: 10,
    };
    let loss = Loss::new(recipe.loss.clone(), &set, Device::Cpu);
    Stepper::new(network, parameters, optimizer, loss, &recipe)
}

/// Images and labels that follow from a number.
fn batch(number: u8) -> Batch {
    let (n, h, w) = (2, 32, 48);
    let images = (0..n * h * w * 3).map(|i| (i * 7 + i / 97) as u8 ^ number).collect();
    let labels = (0..n * h * w).map(|i| ((i / 16 + usize::from(number)) % 4) as u8);
    let labels = labels.map(|l| if l == 3 { 255 } else { l }).collect();
    Batch { images, labels, n, h, w, number: 0, epoch: 0 }
}

fn step(stepper: &mut Stepper, batches: &[Batch], rate: f64) {
    stepper.step(batches.iter().cloned().map(Ok), rate, 7).unwrap();
}

/// Everything that a step may change, copied.
fn state(stepper: &Stepper) -> Vec<(String, Tensor)> {
    let mut all = stepper.optimizer.state();
    all.push(("flat".into(), stepper.parameters.flat.shallow_clone()));
    all.push(("buffers".into(), stepper.parameters.buffers.shallow_clone()));
    all.push(("running".into(), stepper.running.shallow_clone()));
    all.into_iter().map(|(name, tensor)| (name, tensor.copy())).collect()
}

/// Equal bit for bit, a NaN to itself as well.
fn same(a: &Tensor, b: &Tensor) -> bool {
    let equal = a.eq_tensor(b).logical_or(&a.isnan().logical_and(&b.isnan()));
    bool::try_from(equal.all()).unwrap()
}

#[test]
fn a_step_that_is_not_finite_leaves_everything_as_it_was() {
    let mut stepper = stepper(&[]);
    step(&mut stepper, &[batch(1)], 1e-3);
    // A weight of infinity deep in the backbone: activations, statistics and loss are NaN from
    // there on.
    let place = stepper.parameters.entries[30].range.start;
    let _ = tch::no_grad(|| stepper.parameters.flat.narrow(0, place, 1).fill_(f64::INFINITY));
    stepper.parameters.refresh();
    let before = state(&stepper);
    for number in 0..3 {
        step(&mut stepper, &[batch(number)], 1e-3);
    }
    for ((name, then), (_, now)) in before.iter().zip(state(&stepper)) {
        assert!(same(then, &now), "{name} changed");
    }
    let readings = stepper.meters.read(4);
    assert_eq!((readings.skipped, readings.longest_bad), (3, 3));
    assert!(readings.loss.is_some_and(f64::is_finite));

    // A run of bad steps goes on over a log point; a good step ends it.
    step(&mut stepper, &[batch(3)], 1e-3);
    assert_eq!(stepper.meters.read(1).longest_bad, 4);
    let _ = tch::no_grad(|| stepper.parameters.flat.narrow(0, place, 1).fill_(0.0));
    stepper.parameters.refresh();
    let before = state(&stepper);
    step(&mut stepper, &[batch(4)], 1e-3);
    assert_eq!(stepper.meters.read(1).skipped, 0);
    assert!(state(&stepper).iter().zip(&before).all(|((_, now), (_, then))| !same(then, now)));
}

#[test]
fn the_average_follows_the_steps_that_count_and_takes_the_weights_place_only_for_a_while() {
    let mut stepper = stepper(&["train.average=0.9"]);
    let first = stepper.parameters.flat.copy();
    step(&mut stepper, &[batch(1)], 1e-3);
    let second = stepper.parameters.flat.copy();
    step(&mut stepper, &[batch(2)], 1e-3);
    let third = stepper.parameters.flat.copy();
    // Young averages forget fast: 2 / 11 stays in the first step, 3 / 12 in the second.
    let mean = &first * (2.0 / 11.0) + &second * (9.0 / 11.0);
    let mean: Tensor = mean * 0.25 + &third * 0.75;
    let shown = stepper.averaged(|it| it.parameters.flat.copy());
    assert!(shown.allclose(&mean, 1e-6, 1e-7, false), "not the average of the steps");
    assert!(same(&stepper.parameters.flat, &third), "the weights came back otherwise");

    // A step that overflows does not count.
    let before = stepper.averaged(|it| it.parameters.flat.copy());
    let place = stepper.parameters.entries[30].range.start;
    let _ = tch::no_grad(|| stepper.parameters.flat.narrow(0, place, 1).fill_(3e38));
    stepper.parameters.refresh();
    step(&mut stepper, &[batch(3)], 1e-3);
    assert_eq!(stepper.meters.read(3).skipped, 1);
    assert!(same(&stepper.averaged(|it| it.parameters.flat.copy()), &before));
}

#[test]
fn a_state_goes_back_into_another_stepper_and_a_foreign_one_is_refused() {
    let mut trained = stepper(&["train.average=0.9"]);
    step(&mut trained, &[batch(1)], 1e-3);
    // As a checkpoint has it: the average under the weights' names, the weights in the trainer's
    // state.
    let mut resumed = stepper(&["train.average=0.9"]);
    let saved = trained.averaged(|it| {
        let shown = &it.parameters;
        tch::no_grad(|| resumed.parameters.flat.copy_(&shown.flat));
        tch::no_grad(|| resumed.parameters.buffers.copy_(&shown.buffers));
        it.state().into_iter().map(|(name, tensor)| (name, tensor.copy())).collect::<Vec<_>>()
    });
    let mut other = stepper(&[]);
    let error = other.restore(&saved).unwrap_err();
    assert!(error.to_string().contains("average.weights"), "{error}");
    resumed.average = Some(Average::new(0.9, &resumed.parameters));
    resumed.restore(&saved).unwrap();
    for number in 2..4 {
        step(&mut trained, &[batch(number)], 1e-3);
        step(&mut resumed, &[batch(number)], 1e-3);
    }
    for ((name, then), (_, now)) in state(&trained).iter().zip(state(&resumed)) {
        assert!(same(then, &now), "{name} differs");
    }
    let shown = |stepper: &mut Stepper| stepper.averaged(|it| it.parameters.flat.copy());
    assert!(same(&shown(&mut trained), &shown(&mut resumed)), "the averages differ");
}

#[test]
fn a_batch_that_cannot_be_had_leaves_everything_as_it_was() {
    let mut stepper = stepper(&[]);
    let before = state(&stepper);
    let damaged = Error::work("a damaged file");
    let error = stepper.step([Ok(batch(1)), Err(damaged)].into_iter(), 1e-3, 7).unwrap_err();
    assert_eq!(error.to_string(), "a damaged file");
    for ((name, then), (_, now)) in before.iter().zip(state(&stepper)) {
        assert!(same(then, &now), "{name} changed");
    }
}

#[test]
fn a_step_tallies_the_class_weights_of_its_batches_when_asked_and_learns_the_same() {
    let (mut plain, mut watched) = (stepper(&[]), stepper(&[]));
    watched.tallies = true;
    for stepper in [&mut plain, &mut watched] {
        step(stepper, &[batch(1), batch(2)], 1e-3);
    }
    assert!(plain.tally.is_none());
    assert!(same(&plain.parameters.flat, &watched.parameters.flat));
    let weights = watched.tally.as_ref().unwrap().read();
    let known =
        weights.recall.iter().zip(&weights.focal).map(|pair| (pair.0.unwrap(), pair.1.unwrap()));
    assert!(known.clone().all(|(r, f)| (0.0..=1.0).contains(&r) && 0.0 < f && f < 1.0));
    assert_eq!(known.count() as i64, CLASSES);
    watched.tallies = false;
    step(&mut watched, &[batch(3)], 1e-3);
    assert!(watched.tally.is_none());
}

#[test]
fn bf16_follows_f32_within_its_rounding() {
    let (f32_loss, bf16_loss) = {
        let loss = |precision| {
            let settings = ModelSettings { output_stride: 16, ..Default::default() };
            let network = DeepLab::new(&settings, CLASSES);
            let mut parameters = Parameters::new(&network, Device::Cpu, precision);
            initialize(&mut parameters);
            let images = image::RgbImage::from_raw(48, 64, batch(1).images).unwrap();
            let scores = train::validate::scores(&network, &parameters, &images, 2).unwrap();
            assert_eq!(scores.kind(), Kind::Float);
            let labels = Tensor::from_data_size(&batch(1).labels, &[2, 32, 48], Kind::Uint8);
            f64::try_from(cross_entropy(&scores, &labels.to_kind(Kind::Int64))).unwrap()
        };
        (loss(Precision::F32), loss(Precision::Bf16))
    };
    assert!((f32_loss - bf16_loss).abs() < 0.02 * f32_loss, "{f32_loss} {bf16_loss}");
}
