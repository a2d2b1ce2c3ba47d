//! Where a recording goes: a name that is free, taken when the request is checked, before anything runs.
//! Not how it is written. Nothing is ever overwritten: a service that is started again records beside what
//! it has recorded before.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use shared::error::{Context, Error, Result, tell};
use shared::output_path::make_parent;

use crate::interrupt;
use crate::live::ffmpeg::Ffmpeg;

/// Where pictures go.
#[derive(Debug)]
pub enum Tape {
    /// A video file.
    Video {
        /// The file.
        place: Place,
        /// Its container, as ffmpeg calls it.
        format: &'static str,
        /// The program that encodes.
        ffmpeg: Ffmpeg,
    },
    /// A folder of `frame-SEQUENCE.png`.
    Folder(PathBuf),
}

/// Containers by the ending of the file.
const FORMATS: [(&str, &str); 3] = [("mp4", "mp4"), ("mkv", "matroska"), ("mov", "mov")];

impl Tape {
    /// What `--record PATH` means: PATH, or the first of PATH-2, PATH-3 and so on (before the ending) that is
    /// not there yet. Which one is said.
    ///
    /// # Errors
    /// An unknown ending, a place that cannot be written to, a missing ffmpeg (exit code 2).
    pub fn new(path: &Path) -> Result<Self> {
        let what = || format!("record: {}", path.display());
        let closed = |e: Error| e.hint("the folder above it must allow writing");
        let Some(name) = path.file_name() else {
            return Err(Error::request(format!("{}: expected a name, got none", what()))
                .hint("name a file, or a folder that is empty or new"));
        };
        let lower = name.to_string_lossy().to_lowercase();
        if FORMATS.iter().any(|(ending, _)| lower.strip_prefix('.') == Some(ending)) {
            return Err(Error::request(format!("{}: expected a name before {lower}", what()))
                .hint(format!("such as drive{lower}")));
        }
        let tape = match path.extension().filter(|_| !path.is_dir()) {
            Some(ending) => {
                let format = format_of(&ending.to_string_lossy()).map_err(|e| e.within(what()))?;
                let ffmpeg = Ffmpeg::find("record")?;
                make_parent(path)?;
                let place = Place::new(path).request(what).map_err(closed)?;
                Self::Video { place, format, ffmpeg }
            }
            None => {
                make_parent(path)?;
                let folder = free(path, name, None, take_folder).request(what).map_err(closed)?;
                tempfile::tempfile_in(&folder).request(what).map_err(closed)?; // or no picture could be
                Self::Folder(folder)
            }
        };
        if tape.path() != path {
            tell(format_args!(
                "{} is there already: recording to {}",
                what(),
                tape.path().display()
            ));
        }
        Ok(tape)
    }

    /// The file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video { place, .. } => &place.0,
            Self::Folder(folder) => folder,
        }
    }
}

fn format_of(ending: &str) -> Result<&'static str> {
    let known = FORMATS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known));
    known.map(|(_, format)| *format).ok_or_else(|| {
        Error::request(format!("expected .mp4, .mkv or .mov, got .{ending}"))
            .hint("a name without ending is a folder for PNG files")
    })
}

/// The file of a video, made empty to hold its name. It goes again if nothing was recorded into it.
#[derive(Debug)]
pub struct Place(PathBuf);

impl Place {
    fn new(path: &Path) -> io::Result<Self> {
        let make = |name: &Path| fs::File::create_new(name).map(drop);
        let stem = path.file_stem().unwrap_or_default();
        let path = free(path, stem, path.extension(), make)?;
        let hurried = path.clone();
        interrupt::before_exit(move || remove_if_empty(&hurried));
        Ok(Self(path))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether something was recorded.
    pub fn is_used(&self) -> bool {
        fs::metadata(&self.0).is_ok_and(|file| file.len() > 0)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        remove_if_empty(&self.0);
    }
}

fn remove_if_empty(path: &Path) {
    if fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0) {
        let _ = fs::remove_file(path); // an empty file is in nobody's way
    }
}

/// The first name that `make` does not find taken.
fn free(
    path: &Path,
    stem: &OsStr,
    ending: Option<&OsStr>,
    make: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<PathBuf> {
    let mut name = path.to_owned();
    for number in 2_u64.. {
        match make(&name) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|()| name),
        }
        let mut next = OsString::from(stem);
        next.push(format!("-{number}"));
        if let Some(ending) = ending {
            next.push(".");
            next.push(ending);
        }
        name.set_file_name(next);
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Makes a folder, or takes one that is empty.
fn take_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && path.is_dir() => {
            let empty = fs::read_dir(path)?.next().is_none();
            if empty { Ok(()) } else { Err(e) }
        }
        made => made,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten_and_a_name_that_held_nothing_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("a.film.mkv");
        let name = |place: &Place| place.path().file_name().unwrap().to_owned();
        let (first, second) = (Place::new(&film).unwrap(), Place::new(&film).unwrap());
        assert_eq!((name(&first), name(&second)), ("a.film.mkv".into(), "a.film-2.mkv".into()));
        std::os::unix::fs::symlink("/no/such/place", folder.path().join("a.film-3.mkv")).unwrap();
        assert_eq!(name(&Place::new(&film).unwrap()), "a.film-4.mkv");
        fs::write(first.path(), "recorded").unwrap();
        drop((first, second));
        assert_eq!(fs::read(&film).unwrap(), b"recorded");
        assert_eq!(name(&Place::new(&film).unwrap()), "a.film-2.mkv");
    }

    #[test]
    fn folders_are_taken_when_they_are_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v1.2");
        let take = || Tape::new(&path).unwrap().path().to_owned();
        fs::create_dir(&path).unwrap();
        assert_eq!((take(), take()), (path.clone(), path.clone()));
        fs::write(path.join("frame-000000.png"), "").unwrap();
        assert_eq!(take(), folder.path().join("v1.2-2"));
    }

    #[test]
    fn what_cannot_be_recorded_to_is_refused_at_once() {
        for (path, expected) in [
            ("film.avi", "expected .mp4, .mkv or .mov, got .avi"),
            (".mp4", "record: .mp4: expected a name before .mp4"),
            ("..", "expected a name, got none"),
            ("/proc/pictures", "record: /proc/pictures: "),
        ] {
            let error = Tape::new(Path::new(path)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.blame(), shared::error::Blame::Request);
        }
    }
}
