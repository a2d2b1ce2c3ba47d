//! Where a recording goes: checked with the request, made with the first picture, under a name that is free.
//! Not how it is written. Nothing is ever overwritten: a service that is started again records beside what
//! it has recorded before.

use std::ffi::{OsStr, OsString};
use std::fs::{self, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use shared::error::{Context, Error, Result};
use shared::output_path::{check_folder, folder_of};

use crate::interrupt;
use crate::live::board::Board;
use crate::live::ffmpeg::Ffmpeg;

/// What `--record` asks for; nothing is made yet.
#[derive(Debug)]
pub struct RecordTarget {
    path: PathBuf,
    /// `None` for a folder of pictures.
    video: Option<VideoFormat>,
}

/// How a video is made.
#[derive(Debug)]
pub struct VideoFormat {
    /// Its container, as ffmpeg calls it.
    pub container: &'static str,
    /// The program that encodes.
    pub ffmpeg: Ffmpeg,
}

/// A place that is the recording's own.
#[derive(Debug)]
pub enum Reserved {
    /// A video file.
    Video(ReservedFile, VideoFormat),
    /// A folder for pictures.
    Folder(PathBuf),
}

/// Containers by the ending of the file.
const CONTAINERS: [(&str, &str); 3] = [("mp4", "mp4"), ("mkv", "matroska"), ("mov", "mov")];

impl RecordTarget {
    /// What `--record PATH` means: a video by its ending, else a folder.
    ///
    /// # Errors
    /// An unknown ending, a place that cannot be written to, a missing ffmpeg (exit code 2).
    pub fn check(path: &Path) -> Result<Self> {
        let what = || format!("record: {}", path.display());
        let Some(name) = path.file_name() else {
            return Err(Error::request(format!("{}: expected a name, got none", what()))
                .hint("name a file, or a folder that is empty or new"));
        };
        let lower = name.to_string_lossy().to_lowercase();
        if CONTAINERS.iter().any(|(ending, _)| lower.strip_prefix('.') == Some(ending)) {
            return Err(Error::request(format!("{}: expected a name before {lower}", what()))
                .hint(format!("such as drive{lower}")));
        }
        let video = match path.extension().filter(|_| !path.is_dir()) {
            Some(ending) => Some(VideoFormat {
                container: container(&ending.to_string_lossy()).map_err(|e| e.within(what()))?,
                ffmpeg: Ffmpeg::find("record")?,
            }),
            None => None,
        };
        let folder = if is_empty_folder(path) { path } else { folder_of(path) };
        check_folder(folder).map_err(|e| e.within("record"))?;
        Ok(Self { path: path.to_owned(), video })
    }

    /// A video that this program encodes.
    #[cfg(test)]
    pub fn encoded_by(program: PathBuf, path: PathBuf) -> Self {
        let format = VideoFormat { container: "matroska", ffmpeg: Ffmpeg::at(program) };
        Self { path, video: Some(format) }
    }

    /// Takes PATH, or the first of PATH-2, PATH-3 and so on (before the ending) that is not there yet, which is
    /// said on the board.
    ///
    /// # Errors
    /// A place that cannot be made (exit code 1): it could when the request was checked, and may be again.
    pub fn reserve(self, board: &Board) -> Result<Reserved> {
        let Self { path, video } = self;
        let what = format!("record: {}", path.display());
        let reserve = || -> io::Result<Reserved> {
            fs::create_dir_all(folder_of(&path))?;
            Ok(match video {
                Some(format) => Reserved::Video(ReservedFile::new(&path)?, format),
                None => {
                    let name = path.file_name().unwrap_or_default();
                    Reserved::Folder(free(&path, name, None, take_folder)?.0)
                }
            })
        };
        let place = reserve().work(|| what.clone())?;
        if place.path() != path {
            let other = place.path().display();
            board.say(format!("{what} is there already: recording to {other}"));
        }
        Ok(place)
    }
}

impl Reserved {
    /// The file or folder.
    pub fn path(&self) -> &Path {
        match self {
            Self::Video(file, _) => file.path(),
            Self::Folder(folder) => folder,
        }
    }
}

fn container(ending: &str) -> Result<&'static str> {
    let known = CONTAINERS.iter().find(|(known, _)| ending.eq_ignore_ascii_case(known));
    known.map(|(_, container)| *container).ok_or_else(|| {
        Error::request(format!("expected .mp4, .mkv or .mov, got .{ending}"))
            .hint("a name without ending is a folder for PNG files")
    })
}

/// The file of a video, made empty to hold its name. It goes again if nothing was recorded into it.
#[derive(Debug)]
pub struct ReservedFile {
    path: PathBuf,
    /// Tells an empty file that is about to be filled from one that a killed run has left.
    _locked: fs::File,
}

impl ReservedFile {
    fn new(path: &Path) -> io::Result<Self> {
        let stem = path.file_stem().unwrap_or_default();
        let (path, locked) = free(path, stem, path.extension(), take_file)?;
        let hurried = path.clone();
        interrupt::before_exit(move || remove_if_empty(&hurried));
        Ok(Self { path, _locked: locked })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether something was recorded.
    pub fn is_used(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|file| file.len() > 0)
    }
}

impl Drop for ReservedFile {
    fn drop(&mut self) {
        remove_if_empty(&self.path);
    }
}

fn remove_if_empty(path: &Path) {
    if is_empty_file(path) {
        let _ = fs::remove_file(path); // an empty file is in nobody's way
    }
}

/// The first name that `make` does not find taken, and what it made there.
fn free<T>(
    path: &Path,
    stem: &OsStr,
    ending: Option<&OsStr>,
    make: impl Fn(&Path) -> io::Result<T>,
) -> io::Result<(PathBuf, T)> {
    let mut name = path.to_owned();
    for number in 2_u64.. {
        match make(&name) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
            made => return made.map(|made| (name, made)),
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

/// Makes a file, or takes one that is empty and that no run holds; locked, where the file system has locks.
fn take_file(path: &Path) -> io::Result<fs::File> {
    match fs::File::create_new(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && is_empty_file(path) => {
            let file = fs::OpenOptions::new().write(true).open(path).ok();
            // Looked at again: who had it until now may have filled it.
            file.filter(|file| file.try_lock().is_ok() && is_empty_file(path)).ok_or(e)
        }
        // Another run found it empty before we had locked it.
        Ok(file) if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) => {
            Err(ErrorKind::AlreadyExists.into())
        }
        made => made,
    }
}

fn is_empty_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|file| file.is_file() && file.len() == 0)
}

/// Makes a folder, or takes one that is empty.
fn take_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists && is_empty_folder(path) => Ok(()),
        made => made,
    }
}

fn is_empty_folder(path: &Path) -> bool {
    fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use indicatif::ProgressBar;

    use super::*;

    fn board() -> Board {
        Board::new(ProgressBar::hidden())
    }

    #[test]
    fn nothing_is_overwritten_and_a_name_that_held_nothing_is_free_again() {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("a.film.mkv");
        let name = |file: &ReservedFile| file.path().file_name().unwrap().to_owned();
        let (first, second) =
            (ReservedFile::new(&film).unwrap(), ReservedFile::new(&film).unwrap());
        assert_eq!((name(&first), name(&second)), ("a.film.mkv".into(), "a.film-2.mkv".into()));
        std::os::unix::fs::symlink("/no/such/place", folder.path().join("a.film-3.mkv")).unwrap();
        assert_eq!(name(&ReservedFile::new(&film).unwrap()), "a.film-4.mkv");
        fs::write(first.path(), "recorded").unwrap();
        drop((first, second));
        assert_eq!(fs::read(&film).unwrap(), b"recorded");
        assert_eq!(name(&ReservedFile::new(&film).unwrap()), "a.film-2.mkv");
    }

    #[test]
    fn an_empty_file_that_a_killed_run_has_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        let film = folder.path().join("drive.mkv");
        fs::write(&film, "").unwrap();
        let first = ReservedFile::new(&film).unwrap();
        assert_eq!(first.path(), film);
        let second = ReservedFile::new(&film).unwrap();
        assert_eq!(second.path(), folder.path().join("drive-2.mkv"), "the first run still has it");
    }

    #[test]
    fn folders_are_taken_when_they_are_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("v1.2");
        let take =
            || RecordTarget::check(&path).unwrap().reserve(&board()).unwrap().path().to_owned();
        fs::create_dir(&path).unwrap();
        assert_eq!((take(), take()), (path.clone(), path.clone()));
        fs::write(path.join("frame-000000.png"), "").unwrap();
        assert_eq!(take(), folder.path().join("v1.2-2"));
    }

    #[test]
    fn a_request_that_is_only_checked_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let target = RecordTarget::check(&folder.path().join("new/pictures")).unwrap();
        assert!(!folder.path().join("new").exists());
        assert!(target.reserve(&board()).unwrap().path().is_dir());
    }

    #[test]
    fn what_cannot_be_recorded_to_is_refused_at_once() {
        for (path, expected) in [
            ("film.avi", "expected .mp4, .mkv or .mov, got .avi"),
            (".mp4", "record: .mp4: expected a name before .mp4"),
            ("..", "expected a name, got none"),
            ("/proc/pictures", "record: /proc: cannot write to the folder"),
        ] {
            let error = RecordTarget::check(Path::new(path)).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
            assert_eq!(error.blame(), shared::error::Blame::Request);
        }
    }
}
