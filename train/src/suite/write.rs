//! A suite's tables as Markdown, LaTeX and CSV, and its scatter: typography, and the files in the suite's folder.
//! Not the arithmetic, which is `table`. Numbers are per cent with one decimal; CSV has them in full.

use super::table::{Mark, Measure, Numbers, Stat, Table, marks};
use super::{Folder, Plan};
use shared::error::Result;
use shared::files::write_atomic;
use shared::plot::{self, Point, Scatter};
use std::fmt::Write as _;

/// How a kind of text marks numbers.
struct Style {
    best: [&'static str; 2],
    second: [&'static str; 2],
    spread: [&'static str; 2],
    none: &'static str,
}

const MARKDOWN: Style =
    Style { best: ["**", "**"], second: ["<u>", "</u>"], spread: [" ± ", ""], none: "-" };

const LATEX: Style = Style {
    best: ["\\textbf{", "}"],
    second: ["\\underline{", "}"],
    spread: ["{\\scriptsize$\\pm$", "}"],
    none: "--",
};

impl Style {
    fn number(&self, stat: Option<Stat>, mark: Mark) -> String {
        let Some(stat) = stat else { return self.none.into() };
        let [before, after] = match mark {
            Mark::Plain => ["", ""],
            Mark::Best => self.best,
            Mark::Second => self.second,
        };
        let [from, to] = self.spread;
        let spread =
            stat.deviation.map_or(String::new(), |d| format!("{from}{:.1}{to}", 100.0 * d));
        // The very tenths that decided who is best.
        format!("{before}{:.1}{after}{spread}", stat.shown() as f64 / 10.0)
    }
}

/// One of a suite's tables, ready to be set: headings, then a row for each loss with a result.
struct Sheet {
    title: String,
    headings: Vec<String>,
    /// Loss, seeds, numbers.
    rows: Vec<(String, usize, Numbers)>,
}

fn sheets(table: &Table) -> Vec<Sheet> {
    let rows = |numbers: &dyn Fn(&super::table::LossRow) -> Numbers| {
        table.scored().map(|row| (row.loss.label(), row.cells.len(), numbers(row))).collect()
    };
    let mut sheets = vec![Sheet {
        title: "Means".into(),
        headings: table.summary_headings(),
        rows: rows(&|row| table.summary(row)),
    }];
    sheets.extend([Measure::Accuracy, Measure::Iou].map(|measure| Sheet {
        title: format!("Per-class {}", measure.name()),
        headings: table.headings(),
        rows: rows(&|row| table.numbers(row, measure)),
    }));
    sheets
}

impl Sheet {
    fn set(&self, style: &Style) -> Vec<Vec<String>> {
        let numbers: Vec<Numbers> = self.rows.iter().map(|row| row.2.clone()).collect();
        let marks = marks(&numbers);
        let set = |((loss, n, numbers), marks): (&(String, usize, Numbers), &Vec<Mark>)| {
            let set = numbers.iter().zip(marks).map(|(number, mark)| style.number(*number, *mark));
            let star = if *n == 1 { "*" } else { "" };
            [loss.clone(), format!("{n}{star}")].into_iter().chain(set).collect()
        };
        self.rows.iter().zip(&marks).map(set).collect()
    }

    fn headings(&self) -> Vec<String> {
        ["loss", "seeds"].into_iter().map(str::to_string).chain(self.headings.clone()).collect()
    }
}

/// What has to be known to read the tables, a sentence each.
fn notes(table: &Table) -> Vec<String> {
    let (basis, reference) = (&table.plan.basis, table.plan.reference());
    let (val, train) = (&basis.val, &basis.train);
    let mut notes = vec![format!(
        "Per cent, over the {} images of {} {}; trained on the {} images of {}.",
        val.images, basis.dataset, val.name, train.images, train.name
    )];
    notes.push(match &table.daggers {
        Some(_) => format!(
            "† marks the classes with an IoU under 80 % with {}, and means over those.",
            reference.label()
        ),
        None => format!("No dagger classes: the reference, {}, has no result.", reference.label()),
    });
    if table.scored().any(|row| row.cells.len() > 1) {
        notes.push("Mean ± sample standard deviation over seeds.".into());
    }
    notes.push(
        "Best in bold, second best underlined, with what is within one spread of them.".into(),
    );
    if table.scored().any(|row| row.cells.len() == 1) {
        notes.push("* one seed, whose spread is not known.".into());
    }
    let missing = table.missing();
    if !missing.is_empty() {
        notes.push(format!("Missing: {}.", missing.join("; ")));
    }
    notes
}

/// The tables as Markdown, with headings of this level.
pub fn markdown(table: &Table, level: usize) -> String {
    let hashes = "#".repeat(level);
    let mut text = format!("{}\n", notes(table).join(" "));
    for sheet in sheets(table) {
        let _ = write!(text, "\n{hashes} {}\n\n{}", sheet.title, markdown_table(&sheet));
    }
    text
}

/// The means alone, as Markdown.
pub fn summary(table: &Table) -> String {
    sheets(table).first().map(markdown_table).unwrap_or_default()
}

fn markdown_table(sheet: &Sheet) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let headings = sheet.headings();
    let rule = format!("|---|{}\n", "---:|".repeat(headings.len() - 1));
    let rows: String = sheet.set(&MARKDOWN).iter().map(|row| line(row)).collect();
    line(&headings) + &rule + &rows
}

/// The tables as LaTeX `tabular`s in `table` environments; they need the package booktabs.
pub fn latex(table: &Table) -> String {
    let mut text = "% Needs \\usepackage{booktabs}.\n".to_string();
    let notes = escape(&notes(table).join(" "));
    for sheet in sheets(table) {
        let headings: Vec<String> = sheet.headings().iter().map(|h| escape(h)).collect();
        let _ = write!(
            text,
            "\\begin{{table}}\n\\centering\n\\caption{{{}. {notes}}}\n\\begin{{tabular}}{{l{}}}\n\\toprule\n{} \\\\\n\\midrule\n",
            escape(&sheet.title),
            "r".repeat(headings.len() - 1),
            headings.join(" & ")
        );
        for mut row in sheet.set(&LATEX) {
            row[0] = escape(&row[0]);
            let _ = writeln!(text, "{} \\\\", row.join(" & "));
        }
        text += "\\bottomrule\n\\end{tabular}\n\\end{table}\n";
    }
    text
}

/// Text that LaTeX takes literally; a dagger and ± become its own.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => escaped.extend(['\\', c]),
            '\\' => escaped += "\\textbackslash{}",
            '~' => escaped += "\\textasciitilde{}",
            '^' => escaped += "\\textasciicircum{}",
            '†' => escaped += "$^\\dagger$",
            '±' => escaped += "$\\pm$",
            c => escaped.push(c),
        }
    }
    escaped
}

/// Per-class numbers and means as CSV, a line for each loss and measure, in full precision; each number is followed
/// by its standard deviation. What is not there is empty.
pub fn csv(table: &Table) -> String {
    let field = |text: &str| {
        let quoted = text.contains([',', '"', '\n']);
        if quoted { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_string() }
    };
    let mut headings = vec!["loss".to_string(), "seeds".into(), "measure".into()];
    headings.extend(table.headings().iter().flat_map(|h| [field(h), field(&format!("{h} sd"))]));
    let mut text = headings.join(",") + "\n";
    let number = |value: Option<f64>| value.map_or(String::new(), |v| v.to_string());
    for row in table.scored() {
        for measure in [Measure::Accuracy, Measure::Iou] {
            let mut line = vec![field(&row.loss.to_string()), row.cells.len().to_string()];
            line.push(measure.name().into());
            for stat in table.numbers(row, measure) {
                line.push(number(stat.map(|s| s.mean)));
                line.push(number(stat.and_then(|s| s.deviation)));
            }
            text += &(line.join(",") + "\n");
        }
    }
    text
}

/// Mean accuracy against mean IoU, a point for each loss: the paper's Figs. 1 and 2.
pub fn scatter(table: &Table) -> Scatter {
    let percent = |stat: Stat| (100.0 * stat.mean, stat.deviation.map(|d| 100.0 * d));
    let point = |row: &super::table::LossRow| {
        let (x, x_spread) = percent(row.mean(Measure::Iou)?);
        let (y, y_spread) = percent(row.mean(Measure::Accuracy)?);
        let reference = *row.loss == table.plan.reference();
        Some(Point { name: row.loss.label(), x, y, x_spread, y_spread, reference })
    };
    Scatter {
        title: format!("{}, {}", table.plan.basis.dataset, table.plan.name),
        x_axis: "mean IoU, %".into(),
        y_axis: "mean accuracy, %".into(),
        points: table.scored().filter_map(point).collect(),
    }
}

/// What was written of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The means, as Markdown.
    pub summary: String,
    /// Names of files in the suite's folder.
    pub files: Vec<String>,
    /// Cells asked for and not there.
    pub missing: Vec<String>,
}

/// Writes the tables and the scatter of a suite from the cells that are there.
///
/// # Errors
/// No cell at all, or those of the file system.
pub fn all(folder: &Folder, plan: &Plan) -> Result<Written> {
    let cells = folder.cells(plan)?;
    let table = Table::new(plan, &cells);
    if table.scored().next().is_none() {
        let place = folder.root().display();
        return Err(shared::error::Error::work(format!("suite: {place}: no cell has a result"))
            .hint("nothing to make tables of yet"));
    }
    let title = format!("# {}: {}\n\n", plan.name, plan.basis.dataset);
    let scatter = scatter(&table);
    let texts = [
        ("table.md", title + &markdown(&table, 2)),
        ("table.csv", csv(&table)),
        ("table.tex", latex(&table)),
    ];
    let mut files = Vec::new();
    for (name, text) in texts {
        write_atomic(&folder.root().join(name), text.as_bytes())?;
        files.push(name.to_string());
    }
    for name in ["scatter.svg", "scatter.png"] {
        plot::save(&scatter, &folder.root().join(name))?;
        files.push(name.into());
    }
    Ok(Written { summary: summary(&table), files, missing: table.missing() })
}
