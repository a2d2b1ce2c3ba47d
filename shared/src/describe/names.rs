//! Names and colours of classes that lie beside labels: the tools' own files, and lists people write.
//! Not where labels lie. A file that is not as its kind should be gives nothing: classes can be filled in by hand.

use super::tree::Tree;
use crate::error::Result;

/// What is known of a class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub name: String,
    /// Its value in labels.
    pub value: Option<u16>,
    /// Its colour in labels.
    pub color: Option<[u8; 3]>,
}

/// CVAT's `labelmap.txt`: `name:r,g,b:parts:actions`, comments with `#`.
pub(super) fn label_map(text: &str) -> Vec<Known> {
    let entry = |line: &str| {
        let mut parts = line.split(':');
        let name = parts.next()?.trim();
        let color = color(parts.next()?.split(','))?;
        (!name.is_empty()).then(|| Known { name: name.into(), value: None, color: Some(color) })
    };
    text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(entry).collect()
}

/// Roboflow's `_classes.csv`: `Pixel Value, Class`.
pub(super) fn pixel_values(text: &str) -> Vec<Known> {
    let entry = |line: &str| {
        let (value, name) = line.split_once(',')?;
        let value = value.trim().trim_matches('"').parse().ok()?;
        let name = name.trim().trim_matches('"').to_string();
        Some(Known { name, value: Some(value), color: None })
    };
    text.lines().filter_map(entry).collect()
}

/// One name a line, the first for value 0, as labelme's `class_names.txt`; `__ignore__` has no value of its own.
pub(super) fn lines(text: &str) -> Vec<Known> {
    let names = text.lines().map(str::trim).filter(|n| !n.is_empty() && *n != "__ignore__");
    let known = |(value, name): (usize, &str)| Known {
        name: name.into(),
        value: u16::try_from(value).ok(),
        color: None,
    };
    names.enumerate().map(known).collect()
}

/// A table `name,r,g,b` under a header, as many sets have it (`class_dict.csv`).
fn color_table(text: &str) -> Vec<Known> {
    let entry = |line: &str| {
        let mut parts = line.split(',');
        let name = parts.next()?.trim().to_string();
        Some(Known { name, value: None, color: Some(color(parts)?) })
    };
    text.lines().filter_map(entry).collect()
}

/// What lists of names there are that no tool writes; with the file's name.
pub(super) fn by_hand(tree: &Tree) -> Result<Option<(Vec<Known>, String)>> {
    type Parse = fn(&str) -> Vec<Known>;
    let kinds: [(&str, Parse); 7] = [
        ("class_dict.csv", color_table),
        ("labelmap.txt", label_map),
        ("class_names.txt", lines),
        ("classes.txt", lines),
        ("codes.txt", lines),
        ("label_names.txt", lines),
        ("obj.names", lines),
    ];
    for (name, parse) in kinds {
        if let Some(path) = tree.texts_called(name).next() {
            let known = parse(&tree.text(path)?);
            if !known.is_empty() {
                return Ok(Some((known, path.into())));
            }
        }
    }
    Ok(None)
}

fn color<'a>(parts: impl Iterator<Item = &'a str>) -> Option<[u8; 3]> {
    let parts: Vec<u8> =
        parts.map(|p| p.trim().parse()).collect::<std::result::Result<_, _>>().ok()?;
    parts.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_files_are_read_as_the_tools_write_them() {
        let map = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:250,50,83::\n";
        let known = label_map(map);
        assert_eq!(known.len(), 2);
        assert_eq!((known[1].name.as_str(), known[1].color), ("car", Some([250, 50, 83])));
        let csv = pixel_values("Pixel Value, Class\n0, background\n1, speed, breaker");
        assert_eq!((csv[1].name.as_str(), csv[1].value), ("speed, breaker", Some(1)));
        let names = lines("__ignore__\n_background_\nperson");
        assert_eq!((names[1].name.as_str(), names[1].value), ("person", Some(1)));
        assert_eq!(color_table("name,r,g,b\nSky,128,128,128\n")[0].color, Some([128; 3]));
    }
}
