//! The arithmetic of the paper's Tables II and III: means and spreads over seeds, dagger classes,
//! best and second.
//!
//! Not their typography, which is `write`. Each number is first taken for each seed, then averaged;
//! the spread is the sample standard deviation (n - 1). Dagger classes are those whose IoU with the
//! reference loss is under 80 % (mean over its seeds), as in Tian et al., arXiv 2106.14917.

use super::{Cell, Choice, Plan};
use shared::metrics::{ClassReport, Report};

/// Below this IoU of the reference a class gets a dagger.
pub const DAGGER: f64 = 0.8;

/// A number over seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stat {
    /// The mean, as a share of 1.
    pub mean: f64,
    /// The sample standard deviation; none of a single seed.
    pub deviation: Option<f64>,
    /// Seeds that have the number.
    pub n: usize,
}

impl Stat {
    /// Of the values that are there; none without any.
    pub fn of(values: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().flatten().collect();
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let deviation = (n > 1).then(|| (squares / (n - 1) as f64).sqrt());
        (n > 0).then_some(Self { mean, deviation, n })
    }

    /// Tenths of a per cent: what a table shows, and so what decides who is best in it.
    pub(super) fn shown(&self) -> i64 {
        (self.mean * 1000.0).round() as i64
    }
}

/// Which ratio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Recall of a class.
    Accuracy,
    /// Intersection over union.
    Iou,
}

impl Measure {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Iou => "IoU",
        }
    }

    fn of(self, class: &ClassReport) -> Option<f64> {
        match self {
            Self::Accuracy => class.accuracy,
            Self::Iou => class.iou,
        }
    }

    fn mean_of(self, report: &Report) -> Option<f64> {
        match self {
            Self::Accuracy => report.mean_accuracy,
            Self::Iou => report.mean_iou,
        }
    }
}

/// What one loss scored.
#[derive(Clone, Debug)]
pub struct LossRow<'a> {
    /// The loss.
    pub loss: &'a Choice,
    /// Its cells, by seed.
    pub cells: Vec<&'a Cell>,
    /// Seeds that were asked for and are not there.
    pub missing: Vec<u64>,
}

/// A suite's results, by loss.
#[derive(Clone, Debug)]
pub struct Table<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Class names, by train id.
    pub classes: Vec<String>,
    /// Whether a class has a dagger; none without a cell of the reference.
    pub daggers: Option<Vec<bool>>,
    /// One a loss, in the order of the plan.
    pub rows: Vec<LossRow<'a>>,
}

/// A row of numbers of one measure or of the summary.
pub type Numbers = Vec<Option<Stat>>;

impl<'a> Table<'a> {
    /// Sorts the cells of a suite by loss. Cells that the plan does not ask for are left out.
    pub fn new(plan: &'a Plan, cells: &'a [Cell]) -> Self {
        let find = |loss: &Choice, seed| cells.iter().find(|c| c.loss == *loss && c.seed == seed);
        let rows: Vec<LossRow> = plan
            .grid
            .iter()
            .map(|row| LossRow {
                loss: &row.loss,
                cells: row.seeds.iter().filter_map(|&seed| find(&row.loss, seed)).collect(),
                missing: row
                    .seeds
                    .iter()
                    .copied()
                    .filter(|&s| find(&row.loss, s).is_none())
                    .collect(),
            })
            .collect();
        let classes = rows.iter().flat_map(|row| &row.cells).next();
        let classes: Vec<String> = classes
            .map(|cell| cell.report.classes.iter().map(|class| class.name.clone()).collect())
            .unwrap_or_default();
        let reference = plan.reference();
        let reference = rows.iter().find(|row| *row.loss == reference && !row.cells.is_empty());
        let daggers = reference.map(|row| {
            let low = |c| row.class(Measure::Iou, c).is_some_and(|iou| iou.mean < DAGGER);
            (0..classes.len()).map(low).collect()
        });
        Self { plan, classes, daggers, rows }
    }

    /// Cells asked for and not there, as `LOSS, seed N`.
    pub fn missing(&self) -> Vec<String> {
        let of = |row: &LossRow| -> Vec<String> {
            row.missing.iter().map(|seed| format!("{}, seed {seed}", row.loss.label())).collect()
        };
        self.rows.iter().flat_map(of).collect()
    }

    /// The rows that have a cell.
    pub fn scored(&self) -> impl Iterator<Item = &LossRow<'a>> {
        self.rows.iter().filter(|row| !row.cells.is_empty())
    }

    /// Headings of [`Table::numbers`]: classes (with a dagger), the dagger classes' mean, the mean.
    pub fn headings(&self) -> Vec<String> {
        let dagger = |c: usize| self.daggers.as_ref().is_some_and(|d| d[c]);
        let mark = |(c, name): (usize, &String)| {
            if dagger(c) { format!("{name}†") } else { name.clone() }
        };
        let mut headings: Vec<String> = self.classes.iter().enumerate().map(mark).collect();
        headings.extend(self.daggers.is_some().then(|| "mean†".to_string()));
        headings.push("mean".into());
        headings
    }

    /// One measure of one loss, under [`Table::headings`].
    pub fn numbers(&self, row: &LossRow, measure: Measure) -> Numbers {
        let mut numbers: Numbers =
            (0..self.classes.len()).map(|class| row.class(measure, class)).collect();
        numbers.extend(self.daggers.as_ref().map(|daggers| row.dagger(measure, daggers)));
        numbers.push(row.mean(measure));
        numbers
    }

    /// Headings of [`Table::summary`].
    pub fn summary_headings(&self) -> Vec<String> {
        let dagger = self.daggers.is_some();
        let mut headings = vec!["mean accuracy".to_string()];
        headings.extend(dagger.then(|| "mean accuracy†".to_string()));
        headings.push("mean IoU".into());
        headings.extend(dagger.then(|| "mean IoU†".to_string()));
        headings.push("pixel accuracy".into());
        headings
    }

    /// The means of one loss, under [`Table::summary_headings`].
    pub fn summary(&self, row: &LossRow) -> Numbers {
        let mut numbers = Vec::new();
        for measure in [Measure::Accuracy, Measure::Iou] {
            numbers.push(row.mean(measure));
            numbers.extend(self.daggers.as_ref().map(|daggers| row.dagger(measure, daggers)));
        }
        numbers.push(Stat::of(row.cells.iter().map(|cell| cell.report.pixel_accuracy)));
        numbers
    }
}

impl LossRow<'_> {
    /// One class.
    pub fn class(&self, measure: Measure, class: usize) -> Option<Stat> {
        let of = |cell: &&Cell| cell.report.classes.get(class).and_then(|c| measure.of(c));
        Stat::of(self.cells.iter().map(of))
    }

    /// The mean over classes.
    pub fn mean(&self, measure: Measure) -> Option<Stat> {
        Stat::of(self.cells.iter().map(|cell| measure.mean_of(&cell.report)))
    }

    /// The mean over the dagger classes.
    pub fn dagger(&self, measure: Measure, daggers: &[bool]) -> Option<Stat> {
        let kept = |class: &ClassReport| daggers.get(class.id).copied().unwrap_or(false);
        let of = |cell: &&Cell| cell.report.mean_over(kept, |class| measure.of(class));
        Stat::of(self.cells.iter().map(of))
    }
}

/// Rank of a number within its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Neither.
    Plain,
    /// The best.
    Best,
    /// The second best.
    Second,
}

/// Marks of rows of numbers, column by column. What is within one spread of the best is not told
/// apart from it and shares its mark; of the rest, the same holds for the second. A column without
/// a difference has no marks.
pub fn marks(rows: &[Numbers]) -> Vec<Vec<Mark>> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut marks: Vec<Vec<Mark>> = rows.iter().map(|row| vec![Mark::Plain; row.len()]).collect();
    (0..columns).for_each(|column| mark_column(rows, column, &mut marks));
    marks
}

fn mark_column(rows: &[Numbers], column: usize, marks: &mut [Vec<Mark>]) {
    let stats: Vec<Option<Stat>> =
        rows.iter().map(|row| row.get(column).copied().flatten()).collect();
    let there: Vec<usize> = (0..rows.len()).filter(|&row| stats[row].is_some()).collect();
    let (best, rest) = not_told_apart(&stats, &there);
    if rest.is_empty() {
        return;
    }
    let (second, _) = not_told_apart(&stats, &rest);
    best.into_iter().for_each(|row| marks[row][column] = Mark::Best);
    second.into_iter().for_each(|row| marks[row][column] = Mark::Second);
}

/// Of some rows of a column those within one spread of the best of them, and the others. The spread
/// is the larger of the two; one seed has none of its own and counts with the largest of the
/// column.
fn not_told_apart(column: &[Option<Stat>], rows: &[usize]) -> (Vec<usize>, Vec<usize>) {
    let tenths = |deviation: f64| (deviation * 1000.0).round() as i64;
    let known = column.iter().flatten().filter_map(|stat| stat.deviation);
    let largest = known.map(tenths).max().unwrap_or(0);
    let spread = |stat: Stat| stat.deviation.map_or(largest, tenths);
    let stat = |row: &usize| column.get(*row).copied().flatten();
    let Some(best) = rows.iter().filter_map(stat).max_by_key(Stat::shown) else {
        return (vec![], vec![]);
    };
    let near = |row: &&usize| {
        stat(row).is_some_and(|it| best.shown() - it.shown() <= spread(best).max(spread(it)))
    };
    rows.iter().partition(|row| near(row))
}
