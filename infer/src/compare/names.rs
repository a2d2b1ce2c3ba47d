//! Names in a comparison that must be told apart: of its columns, and of its files.
//! Not of the inputs of `predict`: those are `source`'s, whose rules are borrowed here.

use std::path::PathBuf;

use shared::error::{Error, Result};
use shared::labels::Class;

use crate::source;

/// A title per model, no two alike: given, or the card's name, and where cards share that the file's.
///
/// # Errors
/// Given titles that are too few, too many or alike (exit code 2).
pub fn titles(cards: &[&str], files: &[PathBuf], given: &[String]) -> Result<Vec<String>> {
    if given.is_empty() {
        let shared = |card: &str| cards.iter().filter(|other| **other == card).count() > 1;
        let title =
            |(&card, file): (&&str, String)| if shared(card) { file } else { card.to_owned() };
        return Ok(source::number(cards.iter().zip(source::names(files)).map(title).collect()));
    }
    if given.len() != cards.len() {
        let line = format!("--names: expected {} names, got {}", cards.len(), given.len());
        return Err(Error::request(line).hint("one per model, with commas between them"));
    }
    let twice = given.iter().enumerate().find(|(i, name)| given[..*i].contains(name));
    twice.map_or(Ok(given.to_vec()), |(_, name)| {
        Err(Error::request(format!("--names: expected each name once, got {name:?} twice"))
            .hint("columns are told apart by their names"))
    })
}

/// What stands for each class in the name of a file, no two alike.
pub fn in_files(classes: &[Class]) -> Vec<String> {
    let harmless = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    source::number(classes.iter().map(|c| c.name.chars().map(harmless).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_told_apart_however_alike_cards_and_files_are() {
        #[track_caller]
        fn check(cards: [&str; 3], files: [&str; 3], expected: [&str; 3]) {
            assert_eq!(titles(&cards, &files.map(PathBuf::from), &[]).unwrap(), expected);
        }
        check(["a", "b", "c"], ["x.onnx", "x.onnx", "x.onnx"], ["a", "b", "c"]);
        check(["a", "a", "c"], ["1/x.onnx", "2/x.onnx", "3.onnx"], ["1_x", "2_x", "c"]);
        check(["x", "b", "b"], ["1.onnx", "x.onnx", "y.onnx"], ["x", "x-2", "y"]);
        let same = titles(&["a", "a"], &["x.onnx".into(), "x.onnx".into()], &[]).unwrap();
        assert_ne!(same[0], same[1]);
    }

    #[test]
    fn given_titles_are_taken_as_they_are_if_they_differ() {
        let files = ["x.onnx".into(), "y.onnx".into()];
        let given = |names: [&str; 2]| titles(&["a", "a"], &files, &names.map(String::from));
        assert_eq!(given(["CE", "Recall"]).unwrap(), ["CE", "Recall"]);
        let error = given(["CE", "CE"]).unwrap_err();
        assert_eq!(error.to_string(), "--names: expected each name once, got \"CE\" twice");
    }

    #[test]
    fn no_class_leads_a_file_elsewhere_and_none_replaces_another() {
        let class = |name: &str| Class { name: name.into(), color: [0; 3], native_id: 0 };
        let classes = ["traffic sign", "../pole", "pole/post", "pole post", "Fußweg_2"].map(class);
        let expected = ["traffic-sign", "---pole", "pole-post", "pole-post-2", "Fußweg_2"];
        assert_eq!(in_files(&classes), expected);
    }
}
