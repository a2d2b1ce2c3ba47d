//! Times the way from logits to labels: 19 classes, 512 x 1024 to 1024 x 2048, as Cityscapes is scored.
//! Not a test. Logits are smooth (large areas of one class, as real ones have) or noise, the worst case.
//! `cargo bench -p infer --bench upsample`

use std::time::{Duration, Instant};

use infer::upsample::{argmax, upsample_argmax};

const CLASSES: usize = 19;
const FROM: (u32, u32) = (1024, 512);
const TO: (u32, u32) = (2048, 1024);

fn main() {
    let (w, h) = (FROM.0 as usize, FROM.1 as usize);
    let noise = |i: usize| (shared::random::hash(i as u64, 0, 0) & 1023) as f32 / 512.0;
    let smooth = |i: usize| {
        let (c, x, y) = ((i / (w * h)) as f32, (i % w) as f32, (i / w % h) as f32);
        ((x / (40.0 + c * 3.0)).sin() + (y / (30.0 + c * 2.0)).cos()) * 4.0 + (c * 1.7).sin()
    };
    let logits =
        |value: &dyn Fn(usize) -> f32| (0..CLASSES * w * h).map(value).collect::<Vec<f32>>();
    for (name, logits) in [("smooth", logits(&smooth)), ("noise", logits(&noise))] {
        time(&format!("{name}: argmax"), || argmax(&logits, CLASSES, FROM).map(|l| l.len()));
        time(&format!("{name}: upsample and argmax"), || {
            upsample_argmax(&logits, CLASSES, FROM, TO).map(|l| l.len())
        });
    }
}

fn time<T>(name: &str, mut work: impl FnMut() -> T) {
    let mut times: Vec<Duration> = (0..20)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    eprintln!("{name:<28} median {:7.2} ms, best {:7.2} ms", ms(times[10]), ms(times[0]));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
