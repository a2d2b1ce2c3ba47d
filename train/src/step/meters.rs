//! What is measured of steps between two log points, on the device until then.
//! Not the log, which is the monitor's.

use tch::{Device, Kind, Tensor};

/// Sums since the last log point, on the device.
pub struct Meters {
    loss: Tensor,
    norm: Tensor,
    finite: Tensor,
    bad_in_a_row: Tensor,
    longest_bad: Tensor,
}

/// What the meters held, on the host.
#[derive(Clone, Copy, Debug)]
pub struct Readings {
    /// Mean loss over the steps that counted; none without one.
    pub loss: Option<f64>,
    /// Mean norm of the gradient over the same steps, before clipping.
    pub gradient_norm: Option<f64>,
    /// Steps that did not count.
    pub skipped: u64,
    /// The longest run of such steps, runs begun before included.
    pub longest_bad: u64,
}

impl Meters {
    pub(super) fn new(device: Device) -> Self {
        let zero = || Tensor::zeros([], (Kind::Double, device));
        Self {
            loss: zero(),
            norm: zero(),
            finite: zero(),
            bad_in_a_row: zero(),
            longest_bad: zero(),
        }
    }

    /// Adds a step, which counts if it is `ok`, `[] bool`.
    pub(super) fn add(&mut self, loss: &Tensor, norm: &Tensor, ok: &Tensor) {
        let zero = self.loss.zeros_like();
        let counted = |x: &Tensor| x.to_kind(Kind::Double).where_self(ok, &zero);
        self.loss += counted(loss);
        self.norm += counted(norm);
        self.finite += ok;
        self.bad_in_a_row = zero.where_self(ok, &(&self.bad_in_a_row + 1.0));
        self.longest_bad = self.longest_bad.maximum(&self.bad_in_a_row);
    }

    /// Waits for the device, reads what happened in the last `steps` steps, and starts afresh.
    pub fn read(&mut self, steps: u64) -> Readings {
        let values = [&self.loss, &self.norm, &self.finite, &self.longest_bad];
        let values = Tensor::stack(&values, 0).to_device(Device::Cpu);
        let mut host = [0f64; 4];
        values.copy_data(&mut host, 4);
        let [loss, norm, finite, longest_bad] = host;
        let fresh = Self::new(self.loss.device());
        let bad_in_a_row = std::mem::replace(&mut self.bad_in_a_row, fresh.loss.zeros_like());
        *self = Self { bad_in_a_row, ..fresh };
        let mean = |sum: f64| (finite > 0.0).then(|| sum / finite);
        Readings {
            loss: mean(loss),
            gradient_norm: mean(norm),
            skipped: steps.saturating_sub(finite as u64),
            longest_bad: longest_bad as u64,
        }
    }
}
