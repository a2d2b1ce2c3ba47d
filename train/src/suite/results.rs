//! RESULTS.md: what the suites below a folder measured, with tables, figures and who computed what, from their cells
//! alone. Not prose: what a person has to say of a suite stands in its notes.md, which is taken over as it is.

use super::table::Table;
use super::{Cell, Choice, Folder, Plan, write};
use shared::error::{Context, Error, Result};
use shared::plot;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The page, and the figures that it shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Markdown.
    pub text: String,
    /// Paths below the folder of suites, and SVG.
    pub figures: Vec<(PathBuf, String)>,
}

/// Prose of a suite, or of the whole folder.
const NOTES: &str = "notes.md";

/// The figure that is made from the cells.
const SCATTER: &str = "scatter.svg";

/// Makes the page from every suite below `root` (folders with a suite.json), in the order of their names. `link` is
/// the path of `root` as the page's links say it.
///
/// # Errors
/// No suite, or a file of one that cannot be read.
pub fn page(root: &Path, link: &str) -> Result<Page> {
    let mut text = "# Results\n\nMade by `train results` from the cells in the folders below; not written by hand. Tables are \
        laid out as Tables II and III of Tian et al. (arXiv 2106.14917), the scatter as their Figs. 1 and 2, weights of the \
        classes as Fig. 4.\n"
        .to_string();
    text += &notes(root)?;
    let mut figures = Vec::new();
    let suites = suites(root)?;
    if suites.is_empty() {
        return Err(Error::request(format!(
            "results: {}: expected suites, got none",
            root.display()
        ))
        .hint("a suite is a folder with suite.json and cells/, as `train suite` makes them"));
    }
    for name in suites {
        let folder = Folder::new(&root.join(&name));
        let plan = folder.plan()?;
        let cells = folder.cells(&plan)?;
        let table = Table::new(&plan, &cells);
        let path = Path::new(&name).join(SCATTER);
        figures.push((path, plot::svg(&write::scatter(&table))?));
        let _ = write!(text, "\n## {name}\n{}", notes(folder.root())?);
        for figure in figure_names(folder.root())? {
            let caption = caption(&figure, &plan.reference());
            let file = format!("{link}/{name}/{figure}").replace(' ', "%20");
            let _ = write!(text, "\n![{caption}]({file})\n\n{caption}\n");
        }
        let _ = write!(text, "\n{}", write::markdown(&table, 3));
        let _ = write!(text, "\n### How it was computed\n\n{}", origin(&plan, &cells));
    }
    Ok(Page { text, figures })
}

/// Names of the folders that hold a suite.
fn suites(root: &Path) -> Result<Vec<String>> {
    let what = || format!("results: {}", root.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(root).request(what)? {
        let entry = entry.request(what)?;
        if entry.path().join("suite.json").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The scatter, which is made here, then what else was drawn for the suite.
fn figure_names(folder: &Path) -> Result<Vec<String>> {
    let what = || format!("results: {}", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).request(what)? {
        let name = entry.request(what)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".svg") && name != SCATTER {
            names.push(name);
        }
    }
    names.sort();
    names.insert(0, SCATTER.into());
    Ok(names)
}

/// What a figure shows.
fn caption(figure: &str, reference: &Choice) -> String {
    let stem = figure.trim_end_matches(".svg");
    if figure == SCATTER {
        let reference = reference.label();
        format!(
            "Mean accuracy over mean IoU, as Figs. 1 and 2 of the paper: lines through {reference}, bars: standard deviation over seeds."
        )
    } else if let Some(run) = stem.strip_prefix("weights-") {
        format!(
            "What the losses weigh the classes with during the run {run}, single batches, as Fig. 4 of the paper."
        )
    } else {
        format!("{stem}.")
    }
}

fn notes(folder: &Path) -> Result<String> {
    let path = folder.join(NOTES);
    if !path.exists() {
        return Ok(String::new());
    }
    let text = std::fs::read_to_string(&path).request(|| format!("notes: {}", path.display()))?;
    Ok(format!("\n{}\n", text.trim()))
}

/// What to be wary of where cells are compared: other precisions, steps that did not count.
fn remarks(plan: &Plan, cells: &[Cell]) -> String {
    let asked = |cell: &&Cell| plan.cells().any(|(l, seed)| cell.loss == *l && cell.seed == seed);
    let cells: Vec<&Cell> = cells.iter().filter(asked).collect();
    let precisions: BTreeSet<&str> = cells.iter().map(|cell| &*cell.maker.precision).collect();
    let mut text = String::new();
    if precisions.len() > 1 {
        let precisions: Vec<&str> = precisions.into_iter().collect();
        let _ = write!(text, "\nNot all in one precision: {}.\n", precisions.join(", "));
    }
    let skipped = cells.iter().filter_map(|cell| {
        let steps = cell.skipped.filter(|&steps| steps > 0)?;
        Some(format!("{}, seed {}: {steps}", cell.loss.label(), cell.seed))
    });
    let skipped: Vec<String> = skipped.collect();
    if !skipped.is_empty() {
        let _ = write!(text, "\nSteps that did not count, not finite: {}.\n", skipped.join("; "));
    }
    text
}

/// Cells with one maker.
struct Made<'a> {
    maker: String,
    /// Loss and its seeds.
    cells: Vec<(&'a Choice, Vec<String>)>,
    seconds: f64,
    iterations: f64,
}

/// Which cells were computed where, by which commit; then the recipe.
fn origin(plan: &Plan, cells: &[Cell]) -> String {
    let mut made: Vec<Made> = Vec::new();
    for (loss, seed) in plan.cells() {
        let Some(cell) = cells.iter().find(|c| c.loss == *loss && c.seed == seed) else { continue };
        let commit = cell.maker.commit.as_deref().unwrap_or("not known");
        let maker = format!("{commit} | {}", cell.maker.describe());
        let place = made.iter().position(|known| known.maker == maker).unwrap_or_else(|| {
            made.push(Made { maker, cells: Vec::new(), seconds: 0.0, iterations: 0.0 });
            made.len() - 1
        });
        let made = &mut made[place];
        match made.cells.last_mut().filter(|(last, _)| *last == loss) {
            Some((_, seeds)) => seeds.push(seed.to_string()),
            None => made.cells.push((loss, vec![seed.to_string()])),
        }
        made.seconds += cell.last_sitting_seconds;
        made.iterations += (cell.iterations - cell.last_sitting_from) as f64;
    }
    let mut text = "| loss: seeds | commit | hardware | seconds an iteration, validation included |\n|---|---|---|---:|\n"
        .to_string();
    for Made { maker, cells, seconds, iterations } in made {
        let cells: Vec<String> = cells
            .iter()
            .map(|(loss, seeds)| format!("{}: {}", loss.label(), seeds.join(", ")))
            .collect();
        let pace =
            if iterations > 0.0 { format!("{:.2}", seconds / iterations) } else { "-".into() };
        let _ = writeln!(text, "| {} | {maker} | {pace} |", cells.join("; "));
    }
    text += &remarks(plan, cells);
    let summary = "<details><summary>Recipe (loss and seed stand for those of the table; how often it logs, validates and saves decides \
                   no result and is left at its defaults here)</summary>";
    let _ = write!(text, "\n{summary}\n\n```toml\n{}\n```\n\n</details>\n", plan.recipe.trim());
    text
}
