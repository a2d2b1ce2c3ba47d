//! The window of `infer live` on a virtual X display: it opens, shows the models' colours, and ends in order.
//! Not keys, whose meaning `live::keys` tests. Needs the program Xvfb: without it the test fails in CI, and
//! says that it was skipped elsewhere.

mod common;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{card, model};

/// A virtual display; it ends with the test.
struct Display {
    server: Child,
    name: String,
}

impl Display {
    /// A display whose pixels are in a file of `folder`; `None` without Xvfb.
    fn start(folder: &Path) -> Option<Self> {
        let server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1400x800x24", "-fbdir"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut server) = server else {
            assert!(
                std::env::var_os("CI").is_none(),
                "in CI Xvfb must be there (.ci/run installs it)"
            );
            eprintln!("skipped: the program Xvfb is not on PATH");
            return None;
        };
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Some(Self { server, name: format!(":{}", number.trim()) })
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The pixels of the display, [b, g, r, unused] each, from its X window dump (big-endian header).
fn pixels(folder: &Path) -> Vec<[u8; 4]> {
    let dump = std::fs::read(folder.join("Xvfb_screen0")).unwrap();
    let number = |i: usize| u32::from_be_bytes(dump[4 * i..4 * i + 4].try_into().unwrap()) as usize;
    // Field 0 is the header's size, 19 the number of colours behind it, 12 bytes each.
    dump[number(0) + 12 * number(19)..].as_chunks::<4>().0.to_vec()
}

#[test]
fn the_window_shows_the_colours_of_all_classes() {
    let folder = tempfile::tempdir().unwrap();
    let Some(display) = Display::start(folder.path()) else { return };
    let mut live = Command::new(env!("CARGO_BIN_EXE_infer"))
        .args([
            "live",
            "--provider",
            "cpu",
            "--source",
            "streets",
            "--size",
            "64x64",
            "--fps",
            "20",
        ])
        .arg("--models")
        .args([model("both"), model("labels")])
        .env("DISPLAY", &display.name)
        .env_remove("WAYLAND_DISPLAY")
        .stderr(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let card = card();
    let colour = |class: &serde_json::Value| -> [u8; 3] {
        std::array::from_fn(|i| class["color"][2 - i].as_u64().unwrap() as u8)
    };
    let colours: Vec<[u8; 3]> = card["classes"].as_array().unwrap().iter().map(colour).collect();
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let shown = pixels(folder.path());
        let missing = colours.iter().filter(|c| !shown.iter().any(|p| p[..3] == c[..])).count();
        if missing == 0 {
            break;
        }
        assert!(Instant::now() < until, "{missing} colours of the legend are missing");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(
        Command::new("kill").args(["-TERM", &live.id().to_string()]).status().unwrap().success()
    );
    assert_eq!(live.wait().unwrap().code(), Some(0));
}
