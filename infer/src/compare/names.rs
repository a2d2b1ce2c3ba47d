//! Names in a comparison that must be told apart: of its columns, and of its files.
//! Not of the inputs of `predict`: those are `source`'s, whose rules are borrowed here.

use std::path::PathBuf;

use shared::labels::Class;

use crate::source;

/// A title per model, no two alike: the card's name, and where cards share that the file's.
pub fn titles(cards: &[&str], files: &[PathBuf]) -> Vec<String> {
    let shared = |card: &str| cards.iter().filter(|other| **other == card).count() > 1;
    let title = |(&card, file): (&&str, String)| if shared(card) { file } else { card.to_owned() };
    source::number(cards.iter().zip(source::names(files)).map(title).collect())
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
            assert_eq!(titles(&cards, &files.map(PathBuf::from)), expected);
        }
        check(["a", "b", "c"], ["x.onnx", "x.onnx", "x.onnx"], ["a", "b", "c"]);
        check(["a", "a", "c"], ["1/x.onnx", "2/x.onnx", "3.onnx"], ["1_x", "2_x", "c"]);
        check(["x", "b", "b"], ["1.onnx", "x.onnx", "y.onnx"], ["x", "x-2", "y"]);
        let same = titles(&["a", "a"], &["x.onnx".into(), "x.onnx".into()]);
        assert_ne!(same[0], same[1]);
    }

    #[test]
    fn no_class_leads_a_file_elsewhere_and_none_replaces_another() {
        let class = |name: &str| Class { name: name.into(), color: [0; 3], native_id: 0 };
        let classes = ["traffic sign", "../pole", "pole/post", "pole post", "Fußweg_2"].map(class);
        let expected = ["traffic-sign", "---pole", "pole-post", "pole-post-2", "Fußweg_2"];
        assert_eq!(in_files(&classes), expected);
    }
}
