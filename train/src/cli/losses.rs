//! `train losses`: every loss that a recipe can name, a line each.

use shared::error::Result;
use train::loss::LossSettings;

/// How several are minimized together.
const SUM: &str =
    "A recipe adds several up: loss = [{ name = \"recall\" }, { name = \"lovasz\", weight = 0.5 }]";

/// The list as lines of text.
pub fn table() -> String {
    let mut lines = vec![["loss", "settings", "equation", "source"].map(str::to_string)];
    for name in LossSettings::names() {
        // Names of this list are names of losses: a test of theirs says so.
        let Ok(loss) = LossSettings::named(name) else { continue };
        let about = loss.about();
        let values: Vec<String> =
            loss.values().iter().map(|(key, value)| format!("{key} = {value}")).collect();
        let optional = LossSettings::optional_keys(name).iter().map(|key| format!("{key} = ..."));
        let values: Vec<String> = values.into_iter().chain(optional).collect();
        let values = if values.is_empty() { "-".into() } else { values.join(", ") };
        lines.push([about.name.into(), values, about.equation.into(), about.source.into()]);
    }
    let widths = [0, 1, 2].map(|i| lines.iter().map(|line| line[i].len()).max().unwrap_or(0));
    let [a, b, c] = widths;
    let row = |[name, values, equation, source]: &[String; 4]| {
        format!("{name:<a$}  {values:<b$}  {equation:<c$}  {source}")
    };
    lines.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Prints the list.
pub fn run() -> Result<()> {
    super::print(&format!("{}\n\n{SUM}", table()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_has_a_line_with_its_settings_and_its_source() {
        let table = table();
        assert_eq!(table.lines().count(), LossSettings::names().len() + 1);
        let line = |name: &str| {
            let found = table.lines().find(|l| l.split_whitespace().next() == Some(name));
            found.unwrap_or_else(|| panic!("no line for {name}: {table}"))
        };
        assert!(LossSettings::names().iter().all(|name| line(name).starts_with(name)));
        assert!(line("focal").contains("gamma = 2.0") && line("focal").contains("Lin et al."));
        assert!(
            line("recall")
                .contains("floor = true, momentum = 0.0, normalize = \"none\", weights_from = ...")
        );
        assert!(line("balanced").contains("volume = \"pixels\""));
        assert!(line("ohem").contains("keep = 0.7"));
        assert!(line("one-minus-dice").contains("one-minus-f1"));
    }
}
