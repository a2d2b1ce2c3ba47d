//! Changes to single keys of a recipe, as `--set key=value` has them, before anything is read from
//! it. Not the checks of the values, which the recipe's reader makes.

use shared::error::{Error, Result};

/// The keys that name a loss.
pub(super) const LOSS_KEYS: [&str; 2] = ["loss", "loss.name"];

/// The two sides of one `a.b.c=value`.
pub(super) fn key_and_value(change: &str) -> Result<(&str, toml::Value)> {
    let Some((key, value)) = change.split_once('=') else {
        return Err(Error::request(format!("--set: expected key=value, got {change:?}")));
    };
    Ok((key.trim(), value_of(value.trim())))
}

/// A value as it is typed: TOML, or else a string.
pub(crate) fn value_of(text: &str) -> toml::Value {
    let parsed = format!("value = {text}").parse::<toml::Table>().ok();
    let parsed = parsed.and_then(|mut table| table.remove("value"));
    parsed.unwrap_or_else(|| toml::Value::String(text.to_string()))
}

/// Applies one change.
pub(super) fn apply(table: &mut toml::Table, key: &str, value: toml::Value) -> Result<()> {
    // A loss's settings belong to that loss: a new one leaves the former's behind.
    if LOSS_KEYS.contains(&key) {
        let section = match value {
            whole @ (toml::Value::Table(_) | toml::Value::Array(_)) if key == "loss" => whole,
            name => toml::Value::Table(toml::Table::from_iter([("name".to_string(), name)])),
        };
        table.insert("loss".into(), section);
        return Ok(());
    }
    let mut words: Vec<&str> = key.split('.').collect();
    let last = words.pop().unwrap_or_default();
    let mut at = table;
    for word in words {
        let inner = at.entry(word).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        let Some(inner) = inner.as_table_mut() else {
            return Err(Error::request(format!("--set {key}: {word} is not a section")));
        };
        at = inner;
    }
    at.insert(last.to_string(), value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::loss::LossSettings;
    use crate::recipe::Recipe;
    use shared::error::Result;

    const RECIPE: &str = r#"
name = "test"
data = { dataset = "streets" }
loss = { name = "recall", momentum = 0.9 }
optimizer = { name = "adam" }
train = { iterations = 8, batch = 2, learning_rate = 1e-3 }
"#;

    fn loss(changes: &[&str]) -> Result<LossSettings> {
        let changes: Vec<String> = changes.iter().map(|c| c.to_string()).collect();
        let recipe = Recipe::parse(RECIPE, &changes)?;
        Ok(recipe.loss.single().expect("one loss").clone())
    }

    #[test]
    fn a_losss_settings_count_before_and_after_its_name() {
        let focal: LossSettings = toml::from_str("name = 'focal'\ngamma = 1").expect("a loss");
        for changes in [
            &["loss=focal", "loss.gamma=1"][..],
            &["loss.gamma=1", "loss=focal"],
            &["loss.gamma = 1", "loss.name = focal"],
            &["loss={ name = \"focal\", gamma = 1 }"],
        ] {
            assert_eq!(loss(changes).expect("a loss"), focal, "{changes:?}");
        }
    }

    #[test]
    fn a_new_loss_leaves_the_settings_of_the_former_behind() {
        let plain = LossSettings::named("recall").expect("a loss");
        assert_ne!(loss(&[]).expect("a loss"), plain);
        assert_eq!(loss(&["loss=recall"]).expect("a loss"), plain);
        assert_eq!(loss(&["loss={name=\"recall\"}"]).expect("a loss"), plain);
    }

    #[test]
    fn a_loss_that_is_none_is_refused() {
        for change in ["loss=5", "loss={ gamma = 1 }", "loss.name={ name = \"focal\" }"] {
            assert!(loss(&[change]).is_err(), "{change}");
        }
    }
}
