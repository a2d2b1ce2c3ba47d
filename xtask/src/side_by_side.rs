//! Several trainings at a time, each with its share of the processor, their lines told apart by a name
//! in front; and how long all of it takes, from how far they are.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// A training to be run beside others.
pub struct Training {
    /// What stands in front of its lines.
    pub name: String,
    /// `train fit`, asked to resume.
    pub command: Command,
    /// A file that is there once its precision is chosen: the next one then finds it in the cache
    /// and does not disturb the timing.
    pub chosen: PathBuf,
}

/// What the threads that read from the trainings say.
enum Said {
    Line(usize, String),
    /// Its standard error was closed: it is about to end.
    Over(usize),
}

/// Runs trainings beside one another, and gives when all have ended well. The first that fails ends
/// the others: they have checkpoints to go on from.
pub fn run(trainings: Vec<Training>) -> Result<()> {
    let share =
        std::thread::available_parallelism().map_or(1, |n| n.get() / trainings.len()).max(1);
    let mut watch = Watch::new(trainings.len());
    let mut running = Running(vec![]);
    let (sender, said) = channel();
    let names: Vec<String> = trainings.iter().map(|training| training.name.clone()).collect();
    for (number, mut training) in trainings.into_iter().enumerate() {
        if std::env::var_os("OMP_NUM_THREADS").is_none() {
            training.command.env("OMP_NUM_THREADS", share.to_string());
        }
        let child = training.command.stderr(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot start `{:?}`", training.command))?;
        let errors = child.stderr.take().context("a training has no standard error")?;
        running.0.push(Some(child));
        let sender: Sender<Said> = sender.clone();
        std::thread::spawn(move || {
            // Nobody listens any more where another training failed: that ends this thread too.
            let lines = BufReader::new(errors).lines().map_while(Result::ok);
            let _ = lines.map(|line| Said::Line(number, line)).try_for_each(|it| sender.send(it));
            let _ = sender.send(Said::Over(number));
        });
        while !training.chosen.exists() && running.is_running(number)? {
            watch.listen(&said, &names, &mut running, Duration::from_millis(50))?;
        }
    }
    while !running.0.iter().all(Option::is_none) {
        watch.listen(&said, &names, &mut running, Duration::from_secs(1))?;
    }
    Ok(())
}

/// The processes; killed where they are dropped before their end.
struct Running(Vec<Option<Child>>);

impl Running {
    fn is_running(&mut self, number: usize) -> Result<bool> {
        Ok(match &mut self.0[number] {
            Some(child) => child.try_wait()?.is_none(),
            None => false,
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        for child in self.0.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// How far each training is.
struct Watch {
    progress: Vec<Option<Progress>>,
    told: bool,
}

/// Iterations of a training: the first that was heard of, the last, and all.
#[derive(Clone, Copy)]
struct Progress {
    first: (u64, Instant),
    last: (u64, Instant),
    total: u64,
}

impl Watch {
    fn new(trainings: usize) -> Self {
        Self { progress: vec![None; trainings], told: false }
    }

    /// Waits for a line and shows it.
    fn listen(
        &mut self,
        said: &Receiver<Said>,
        names: &[String],
        running: &mut Running,
        at_most: Duration,
    ) -> Result<()> {
        match said.recv_timeout(at_most) {
            Err(_) => Ok(()),
            Ok(Said::Line(number, line)) => {
                eprintln!("{:>13} | {line}", names[number]);
                self.note(number, &line);
                Ok(())
            }
            Ok(Said::Over(number)) => {
                let status = running.0[number].take().map(|mut child| child.wait()).transpose()?;
                match status {
                    Some(status) if !status.success() => {
                        bail!("{}: the training ended with {status}", names[number])
                    }
                    _ => Ok(()),
                }
            }
        }
    }

    /// Takes in a line as `40/800  loss ...`; once there are two of each training, the time left is told.
    fn note(&mut self, number: usize, line: &str) {
        let Some((done, total)) = iterations(line) else { return };
        let last = (done, Instant::now());
        let first = self.progress[number].map_or(last, |progress| progress.first);
        self.progress[number] = Some(Progress { first, last, total });
        if self.told {
            return;
        }
        let left: Option<Vec<f64>> = self.progress.iter().map(|it| left_s((*it)?)).collect();
        if let Some(longest) = left.and_then(|all| all.into_iter().reduce(f64::max)) {
            self.told = true;
            eprintln!(
                "demo: the trainings take about {:.0} more minutes on this machine; export, scores and pictures one or two",
                (longest / 60.0).max(1.0)
            );
        }
    }
}

/// Seconds that a training still takes; `None` before it has moved.
fn left_s(progress: Progress) -> Option<f64> {
    let Progress { first: (begun, since), last: (done, until), total } = progress;
    let steps = done.checked_sub(begun).filter(|&steps| steps > 0)?;
    Some((until - since).as_secs_f64() / steps as f64 * total.saturating_sub(done) as f64)
}

/// The numbers that a line of a training's log begins with.
fn iterations(line: &str) -> Option<(u64, u64)> {
    let (count, _) = line.split_once("  loss ")?;
    let (done, total) = count.split_once('/')?;
    Some((done.parse().ok()?, total.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A stand-in for a training: a shell that says `lines` and ends with `code`.
    fn shell(name: &str, script: &str) -> Training {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Training { name: name.into(), command, chosen: "/".into() }
    }

    #[test]
    fn lines_of_the_log_tell_how_far_a_training_is() {
        assert_eq!(iterations("40/800  loss 1.2  lr 1e-3"), Some((40, 800)));
        assert_eq!(iterations("40/800  validation: mean IoU 0.1"), None);
        assert_eq!(iterations("streets-r18: recall (16606125 parameters)"), None);
        let now = Instant::now();
        let at = |done, seconds| (done, now + Duration::from_secs(seconds));
        let progress = Progress { first: at(20, 0), last: at(40, 10), total: 100 };
        assert_eq!(left_s(progress), Some(30.0));
        assert_eq!(left_s(Progress { last: at(20, 0), ..progress }), None);
    }

    #[test]
    fn trainings_run_beside_one_another_and_both_are_waited_for() {
        let begun = Instant::now();
        run(vec![shell("a", "sleep 1; echo 1/2 >&2"), shell("b", "sleep 1")]).unwrap();
        let took = begun.elapsed();
        assert!(took >= Duration::from_secs(1) && took < Duration::from_millis(1900), "{took:?}");
    }

    #[test]
    fn the_first_that_fails_ends_the_others() {
        let begun = Instant::now();
        let failed = run(vec![shell("a", "exec sleep 60"), shell("b", "exit 3")]).unwrap_err();
        assert!(failed.to_string().contains("b: the training ended with"), "{failed}");
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
}
