//! Own data from a tool's export to a trained network: `train describe`, `stats`, `browse` and two steps of `fit`, on
//! folders as CVAT, Label Studio, Roboflow and labelme write them. The folders are made here.

use image::{GrayImage, Luma, Rgb, RgbImage};
use std::path::{Path, PathBuf};
use tests::{TINY_RECIPE, program, succeeds};

const SIDE: u32 = 64;

/// A folder to fill.
struct Export {
    folder: tempfile::TempDir,
}

impl Export {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("export")
    }

    fn place(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn text(&self, path: &str, text: &str) {
        std::fs::write(self.place(path), text).unwrap();
    }

    fn image(&self, path: &str, number: u32) {
        let pixel = |x: u32, y: u32| {
            let [r, g, b] =
                [[90, 90, 90], [200, 30, 40], [30, 60, 200]][usize::from(class(number, x, y))];
            Rgb([r + (x % 8) as u8, g + (y % 8) as u8, b])
        };
        RgbImage::from_fn(SIDE, SIDE, pixel).save(self.place(path)).unwrap();
    }

    fn grey(&self, path: &str, value: impl Fn(u32, u32) -> u8) {
        GrayImage::from_fn(SIDE, SIDE, |x, y| Luma([value(x, y)])).save(self.place(path)).unwrap();
    }

    fn in_color(&self, path: &str, color: impl Fn(u32, u32) -> [u8; 3]) {
        RgbImage::from_fn(SIDE, SIDE, |x, y| Rgb(color(x, y))).save(self.place(path)).unwrap();
    }

    /// A PNG of indices, as labelme and Pillow's mode P write it.
    fn palette(&self, path: &str, palette: &[[u8; 3]], index: impl Fn(u32, u32) -> u8) {
        let file = std::fs::File::create(self.place(path)).unwrap();
        let mut encoder = png::Encoder::new(file, SIDE, SIDE);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.concat());
        let pixels: Vec<u8> = (0..SIDE * SIDE).map(|i| index(i % SIDE, i / SIDE)).collect();
        encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    }

    /// Describes, counts, looks and trains; gives the descriptor and what stats and describe say.
    fn goes_all_the_way(&self, train: &str, val: &str) -> Report {
        let at = |name: &str| self.folder.path().join(name);
        let own = at("own.toml");
        let told =
            succeeds(program("train").arg("describe").arg(self.root()).arg("--output").arg(&own));
        let data = |command: &str| {
            let mut program = program("train");
            program.arg(command).arg("--dataset").arg(&own).arg("--data-root").arg(self.root());
            program
        };
        let counted = succeeds(data("stats").args(["--split", train]));
        succeeds(data("stats").args(["--split", val]));
        succeeds(data("browse").args(["--split", train, "--count", "3", "--out"]).arg(at("look")));
        let sheet = image::open(at("look/sheet.png")).unwrap();
        assert!(
            sheet.width() > 700 && sheet.height() > 300,
            "{} x {}",
            sheet.width(),
            sheet.height()
        );
        assert_eq!(std::fs::read_dir(at("look")).unwrap().count(), 4);
        let recipe =
            TINY_RECIPE.replace("\"streets\"", &format!("{:?}", own.display().to_string()));
        std::fs::write(at("tiny.toml"), recipe).unwrap();
        let mut fit = program("train");
        fit.args(["fit", "--set", "train.iterations=2", "--set", "train.validate_every=2"]);
        fit.args(["--set", &format!("data.train={train}"), "--set", &format!("data.val={val}")]);
        fit.arg("--recipe").arg(at("tiny.toml")).arg("--data-root").arg(self.root());
        let fitted = succeeds(fit.arg("--out").arg(at("run")).env("OMP_NUM_THREADS", "2"));
        assert!(text(&fitted.stdout).contains("mean IoU"), "{}", text(&fitted.stdout));
        assert!(at("run/last.safetensors").is_file());
        Report {
            descriptor: std::fs::read_to_string(own).unwrap(),
            told: text(&told.stdout),
            stats: text(&counted.stdout),
        }
    }
}

struct Report {
    descriptor: String,
    told: String,
    stats: String,
}

impl Report {
    #[track_caller]
    fn describes(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.descriptor.contains(part), "expected {part:?} in:\n{}", self.descriptor);
        }
    }

    #[track_caller]
    fn tells(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.told.contains(part), "expected {part:?} in:\n{}", self.told);
        }
    }

    #[track_caller]
    fn counts(&self, parts: &[&str]) {
        // Columns are as wide as they need.
        let stats = self.stats.split_whitespace().collect::<Vec<_>>().join(" ");
        for part in parts {
            assert!(stats.contains(part), "expected {part:?} in:\n{}", self.stats);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_string()
}

/// Ground, and a car and a person in places of their own in each image: 64 and 48 pixels.
fn class(number: u32, x: u32, y: u32) -> u8 {
    let inside = |left: u32, top: u32, width: u32, height: u32| {
        (left..left + width).contains(&x) && (top..top + height).contains(&y)
    };
    match () {
        () if inside(8 + number, 40, 16, 4) => 1,
        () if inside(40, 20 + number, 4, 12) => 2,
        () => 0,
    }
}

const VOC: [[u8; 3]; 3] = [[0, 0, 0], [128, 0, 0], [0, 128, 0]];

#[test]
fn an_export_of_cvat_becomes_a_data_set() {
    let export = Export::new();
    let colors = [[0, 0, 0], [250, 50, 83], [51, 221, 255]];
    for n in 0..10 {
        export.image(&format!("JPEGImages/frame {n}.png"), n);
        export.in_color(&format!("SegmentationClass/frame {n}.png"), |x, y| {
            colors[usize::from(class(n, x, y))]
        });
        export.in_color(&format!("SegmentationObject/frame {n}.png"), |x, y| {
            VOC[usize::from(class(n, x, y))]
        });
    }
    let names: String = (0..10).map(|n| format!("frame {n}\n")).collect();
    export.text("ImageSets/Segmentation/default.txt", &names);
    let map = "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncar:250,50,83::\nperson:51,221,255::\n";
    export.text("labelmap.txt", map);
    let report = export.goes_all_the_way("train", "val");
    report
        .tells(&["recognized: CVAT, Segmentation mask 1.1 (labelmap.txt and SegmentationClass/)"]);
    report.describes(&[
        "files = \"SegmentationClass/{name}.png\", encoding = \"rgb\"",
        "{ name = \"background\", color = [64, 64, 64], rgb = [[0, 0, 0]] }, # 97.266 % of the pixels, in 10 of 10 labels",
        "{ name = \"car\", color = [250, 50, 83] }, # 1.562 %",
        "by = \"random\"",
    ]);
    report.counts(&[
        "8 pairs, 8 counted",
        "1 car 1.562 % 512 8",
        "[51, 221, 255] person 1.172 % 384 8",
    ]);
}

#[test]
fn an_export_of_cvat_with_lists_of_splits_keeps_them() {
    let export = Export::new();
    for n in 0..4 {
        export.image(&format!("JPEGImages/{n}.png"), n);
        export.palette(&format!("SegmentationClass/{n}.png"), &VOC, |x, y| class(n, x, y));
    }
    export.text("ImageSets/Segmentation/train.txt", "0\n1\n2\n");
    export.text("ImageSets/Segmentation/val.txt", "3\n");
    export.text("labelmap.txt", "background:0,0,0::\ncar:128,0,0::\nperson:0,128,0::\n");
    let report = export.goes_all_the_way("train", "val");
    report.tells(&["pairs: train 3, val 1"]);
    report.describes(&["list = \"ImageSets/Segmentation/{split}.txt\""]);
    report.counts(&["[0, 128, 0] person"]);
}

#[test]
fn an_export_of_label_studio_becomes_a_data_set_with_its_images_by_the_json_export() {
    let export = Export::new();
    let mut tasks = Vec::new();
    for n in 0..10 {
        let (task, file) = (n + 31, format!("ab{n}cd-street {n}.png"));
        export.image(&format!("upload/{file}"), n);
        for (name, id) in [("car", 1), ("traffic-person", 2)] {
            let mask =
                format!("masks/task-{task}-annotation-{}-by-me@site.org-tag-{name}-0.png", 7 * n);
            export.grey(&mask, |x, y| if class(n, x, y) == id { 255 } else { 0 });
        }
        let image = format!("/data/upload/1/{}", file.replace(' ', "%20"));
        tasks.push(serde_json::json!({ "id": task, "data": { "image": image } }));
    }
    // A brush over the car's first row: the class further down wins.
    export.grey("masks/task-31-annotation-0-by-me@site.org-tag-traffic-person-1.png", |x, y| {
        if y == 40 && class(0, x, y) == 1 { 255 } else { 0 }
    });
    export.text("project-1.json", &serde_json::to_string(&tasks).unwrap());
    let report = export.goes_all_the_way("train", "val");
    report.tells(&["recognized: Label Studio, brush labels as PNG", "from project-1.json"]);
    report.describes(&[
        "images = \"upload/{name}.png\"",
        "files = \"masks/task-{name}-annotation-{annotation}-by-{user}-tag-{class}-{number}.png\", rest = \"background\"",
        "{ name = \"traffic-person\"",
        "\"ab3cd-street 3\" = \"34\"",
    ]);
    let all = succeeds(
        program("train")
            .args(["stats", "--split", "train", "--dataset"])
            .arg(whole(&export))
            .arg("--data-root")
            .arg(export.root()),
    );
    let said = text(&all.stdout);
    assert!(said.contains("overlap in 16 pixels (0.039 %) of 1 images"), "{said}");
}

/// The descriptor with everything in the training split.
fn whole(export: &Export) -> PathBuf {
    let own = std::fs::read_to_string(export.folder.path().join("own.toml")).unwrap();
    let place = export.folder.path().join("whole.toml");
    std::fs::write(&place, own.replace("train = 0.8, val = 0.2", "train = 1.0, val = 0.0"))
        .unwrap();
    place
}

#[test]
fn an_export_of_roboflow_becomes_a_data_set() {
    let export = Export::new();
    for (split, numbers) in [("train", 0..6), ("valid", 6..8), ("test", 8..9)] {
        for n in numbers {
            let name = format!("{split}/frame_{n}_jpg.rf.3c52a7403c54{n}");
            export.image(&format!("{name}.png"), n);
            export.grey(&format!("{name}_mask.png"), |x, y| class(n, x, y));
        }
        export.text(
            &format!("{split}/_classes.csv"),
            "Pixel Value, Class\n0, background\n1, car\n2, person\n3, dog",
        );
    }
    export.text("README.roboflow.txt", "Provided by a Roboflow user");
    let report = export.goes_all_the_way("train", "valid");
    report.tells(&[
        "recognized: Roboflow, Semantic Segmentation Masks (test/_classes.csv",
        "test 1, train 6, valid 2",
    ]);
    report.describes(&[
        "images = \"{split}/{name}.png\"",
        "files = \"{split}/{name}_mask.png\"",
        "in a recipe: data.val = \"valid\"",
        "native = 3 }, # in no label",
    ]);
    report.counts(&["6 pairs, 6 counted", "2 person 1.172 % 288 6", "3 dog 0.000 % 0 0"]);
}

#[test]
fn an_export_of_labelme_becomes_a_data_set() {
    for labels in ["SegmentationClassPNG", "SegmentationClass"] {
        let export = Export::new();
        let mut palette = VOC.to_vec();
        palette.resize(256, [224, 224, 192]);
        for n in 0..10 {
            export.image(&format!("JPEGImages/{n}.png"), n);
            export.image(&format!("SegmentationClassVisualization/{n}.png"), n);
            export.palette(&format!("{labels}/{n}.png"), &palette, |x, y| {
                if y == 0 { 255 } else { class(n, x, y) }
            });
        }
        export.text("class_names.txt", "_background_\ncar\nperson");
        let report = export.goes_all_the_way("train", "val");
        report.tells(&["recognized: labelme, exported with labelme2voc (class_names.txt"]);
        report.describes(&[
            &format!("files = \"{labels}/{{name}}.png\""),
            "{ name = \"_background_\", color = [64, 64, 64], native = 0 }",
            "{ name = \"person\", color = [0, 128, 0], native = 2 }",
            "{ name = \"void\", ",
        ]);
        report.counts(&["ignored: 1.56 %", "255 void 1.562 %"]);
    }
}

#[test]
fn labelmes_folders_are_taken_unless_their_numbers_differ() {
    let export = Export::new();
    for n in 0..10 {
        export.image(&format!("{n}_json/img.png"), n);
        export.palette(&format!("{n}_json/label.png"), &VOC, |x, y| class(n, x, y));
        export.text(&format!("{n}_json/label_names.txt"), "_background_\ncar\nperson\n");
    }
    let report = export.goes_all_the_way("train", "val");
    report.describes(&["images = \"{name}_json/img.png\"", "{ name = \"person\""]);
    export.text("4_json/label_names.txt", "_background_\nperson\ncar\n");
    let said = refused(&export, &[]);
    assert!(said.contains("one number means two classes"), "{said}");
    assert!(said.contains("hint: labelme_json_to_dataset numbers each file's classes"), "{said}");
}

#[test]
fn a_plain_folder_is_described_with_names_to_fill_in() {
    let export = Export::new();
    for (split, numbers) in [("train", 0..6), ("val", 6..8)] {
        for n in numbers {
            export.image(&format!("images/{split}/{n}.png"), n);
            export.grey(&format!("masks/{split}/{n}.png"), |x, y| {
                if y == 0 { 255 } else { class(n, x, y) }
            });
        }
    }
    let report = export.goes_all_the_way("train", "val");
    report.describes(&[
        "images = \"images/{split}/{name}.png\"",
        "Fill in the names",
        "{ name = \"class 1\", color = [220, 20, 60], native = 1 }",
        "ignored = [\n    { name = \"void\", color = ",
    ]);
    // Two values that are 0 and 255 are one class and the rest.
    for (split, numbers) in [("train", 0..6), ("val", 6..8)] {
        for n in numbers {
            let set = |x, y| if class(n, x, y) > 0 { 255 } else { 0 };
            export.grey(&format!("masks/{split}/{n}.png"), set);
        }
    }
    std::fs::remove_file(export.folder.path().join("own.toml")).unwrap();
    let told = succeeds(program("train").arg("describe").arg(export.root()));
    let said = text(&told.stdout);
    assert!(said.contains("{ name = \"object\", color = [220, 20, 60], native = 255 }"), "{said}");
    assert!(text(&told.stderr).contains("recognized: images and labels of the same names"));
}

#[test]
fn palettes_that_differ_from_file_to_file_are_read_by_colour() {
    let export = Export::new();
    for n in 0..10 {
        export.image(&format!("images/{n}.png"), n);
        // The car is entry 1 in one file, and entry 2 in the next.
        let (palette, swap) =
            if n % 2 == 0 { (VOC, false) } else { ([VOC[0], VOC[2], VOC[1]], true) };
        export.palette(&format!("masks/{n}.png"), &palette, |x, y| match class(n, x, y) {
            id @ 1..=2 if swap => 3 - id,
            id => id,
        });
    }
    let report = export.goes_all_the_way("train", "val");
    report.describes(&["encoding = \"rgb\"", "palettes of the files differ"]);
    report.counts(&["[128, 0, 0] class 2 1.562 % 512 8"]);
}

#[test]
fn describe_refuses_what_it_cannot_describe_and_overwrites_nothing() {
    let export = Export::new();
    export.image("a/1.png", 1);
    export.image("b/2.png", 2);
    let said = refused(&export, &[]);
    assert!(
        said.contains("expected images and labels (no JPEG) of the same names, got 2 pictures"),
        "{said}"
    );
    export.image("images/1.png", 1);
    export.grey("masks/1.png", |x, y| class(1, x, y));
    let own = export.folder.path().join("own.toml");
    std::fs::write(&own, "mine").unwrap();
    let said = refused(&export, &["--output", &own.display().to_string()]);
    assert!(said.contains("expected a new file, got one that is there"), "{said}");
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "mine");
    let missing = program("train").args(["describe", "/does/not/exist"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    // Photographs on both sides are no labels.
    let noise = |x: u32, y: u32| [(x * 4) as u8, (y * 4) as u8, ((x * y) % 251) as u8];
    export.in_color("masks/1.png", noise);
    let said = refused(&export, &[]);
    assert!(said.contains("these are no class labels"), "{said}");
}

fn refused(export: &Export, args: &[&str]) -> String {
    let output = program("train").arg("describe").arg(export.root()).args(args).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(output.stdout.is_empty() && said.contains("hint: "), "{said}");
    said
}

#[test]
fn browse_shows_labels_that_are_mirrored_where_no_check_can_see_it() {
    let export = Export::new();
    for n in 0..4 {
        export.image(&format!("train/{n}.png"), n);
        export.grey(&format!("trainannot/{n}.png"), |x, y| class(n, SIDE - 1 - x, y));
    }
    let own = export.folder.path().join("own.toml");
    let classes = ["ground", "car", "person"].iter().enumerate();
    let classes: String =
        classes.map(|(i, n)| format!("{{ name = \"{n}\", native = {i} }},")).collect();
    let text_of_own = format!(
        "name = \"own\"\nimages = \"{{split}}/{{name}}.png\"\n\
         labels = [{{ files = \"{{split}}annot/{{name}}.png\" }}]\nclasses = [{classes}]\n"
    );
    std::fs::write(&own, text_of_own).unwrap();
    let out = export.folder.path().join("look");
    let browse = |count: &str, out: &Path| {
        let mut command = program("train");
        command.args(["browse", "--count", count, "--dataset"]).arg(&own);
        command.arg("--data-root").arg(export.root()).arg("--out").arg(out);
        command
    };
    let output = succeeds(&mut browse("2", &out));
    let said = text(&output.stderr);
    assert!(said.contains("ground and car have the same colour"), "{said}");
    assert!(text(&output.stdout).contains("2 of 4 images of own train"));
    let single = image::open(out.join("001-0.png")).unwrap().to_rgb8();
    // The label of the car, [220, 20, 60], lies on the right, the car itself on the left.
    let label: Vec<u32> = single
        .enumerate_pixels()
        .filter(|(x, y, p)| {
            p.0 == [220, 20, 60] && *x > 2 * single.width() / 3 && *y < single.height() * 3 / 4
        })
        .map(|p| p.0)
        .collect();
    let middle = label.iter().sum::<u32>() as f64 / label.len() as f64;
    assert!(middle > 0.85 * f64::from(single.width()), "{middle} of {}", single.width());
    let refused = browse("0", &out).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
}
