//! Who reads: standard output, or whoever connects to a Unix socket; a thread and a slot of one for each.
//! Not what they read, which is `header`'s. A packet's age is that of the moment in which it is written.

use std::io::Write;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use shared::error::{Context, Error, Result};

use super::Header;
use crate::live::clock::Limit;
use crate::live::frame::{Seen, Shared};
use crate::live::slot::{Policy, Slot, Taken};

/// Where a sink writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Standard output.
    Stdout,
    /// A Unix socket that readers connect to.
    Unix(PathBuf),
}

impl std::str::FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match (text, text.strip_prefix("unix:")) {
            ("stdout", _) => Ok(Self::Stdout),
            (_, Some(path)) if !path.is_empty() => Ok(Self::Unix(path.into())),
            _ => Err("expected unix:PATH or stdout".into()),
        }
    }
}

/// A sink in operation.
pub struct Sink {
    readers: Arc<Mutex<Vec<Reader>>>,
    books: Arc<Books>,
    socket: Option<PathBuf>,
}

/// Counters over all readers there ever were.
#[derive(Debug, Default)]
struct Books {
    readers: AtomicU64,
    sent: AtomicU64,
    dropped: AtomicU64,
}

struct Reader {
    slot: Arc<Slot<Arc<Seen>>>,
    thread: JoinHandle<()>,
}

/// What goes into every packet.
#[derive(Clone)]
struct Writing {
    hashes: Arc<[[u8; 32]]>,
    limit: Limit,
    books: Arc<Books>,
    shared: Arc<Shared>,
}

impl Sink {
    /// Opens the place. `hashes` are the SHA-256 of the model files.
    ///
    /// # Errors
    /// A socket that is in use or cannot be made, a file of that name that is no socket (exit code 2).
    pub fn open(
        place: &Place,
        hashes: Vec<[u8; 32]>,
        limit: Limit,
        shared: &Arc<Shared>,
    ) -> Result<Self> {
        let readers = Arc::new(Mutex::new(Vec::new()));
        let books = Arc::new(Books::default());
        let writing = Writing {
            hashes: hashes.into(),
            limit,
            books: Arc::clone(&books),
            shared: Arc::clone(shared),
        };
        let socket = match place {
            Place::Stdout => {
                add(&readers, &writing, std::io::stdout(), Leaving::EndsTheRun);
                None
            }
            Place::Unix(path) => {
                let listener = listen(path)?;
                let readers = Arc::clone(&readers);
                std::thread::spawn(move || accept(&listener, &readers, &writing));
                Some(path.clone())
            }
        };
        Ok(Self { readers, books, socket })
    }

    /// Gives a result to every reader; never waits.
    pub fn publish(&self, seen: &Arc<Seen>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        // A reader that has left has closed its slot.
        readers.retain(|reader| reader.slot.put(Arc::clone(seen)).is_ok());
    }

    /// Lets the readers take what is waiting for them, for at most a second, and says what they got.
    pub fn finish(&self) -> String {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.iter().for_each(|reader| reader.slot.close());
        let until = Instant::now() + Duration::from_secs(1);
        while Instant::now() < until && readers.iter().any(|r| !r.thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(2));
        }
        for reader in readers.drain(..).filter(|r| !r.thread.is_finished()) {
            self.books.dropped.fetch_add(reader.slot.dropped() + reader.slot.held(), Relaxed);
        }
        let [count, sent, dropped] =
            [&self.books.readers, &self.books.sent, &self.books.dropped].map(|n| n.load(Relaxed));
        format!("sink: {count} readers, frames sent {sent}, dropped by slow readers {dropped}")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        if let Some(path) = &self.socket {
            let _ = std::fs::remove_file(path); // the next start copes with one that is left
        }
    }
}

/// Makes the socket; one that a dead process left is replaced.
fn listen(path: &Path) -> Result<UnixListener> {
    let what = || format!("sink: {}", path.display());
    if let Ok(there) = std::fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(Error::request(format!(
                "{}: expected no file, or a socket, got a file",
                what()
            ))
            .hint("name another path: nothing is overwritten"));
        }
        if UnixStream::connect(path).is_ok() {
            return Err(Error::request(format!(
                "{}: expected a free socket, got one in use",
                what()
            ))
            .hint("another `infer live` may be running"));
        }
        std::fs::remove_file(path).request(what)?;
    }
    UnixListener::bind(path)
        .request(what)
        .map_err(|e| e.hint("the folder must exist and allow writing"))
}

fn accept(listener: &UnixListener, readers: &Mutex<Vec<Reader>>, writing: &Writing) {
    for stream in listener.incoming() {
        match stream {
            Ok(stream) => add(readers, writing, stream, Leaving::IsItsRight),
            Err(error) => {
                writing.shared.board.say(format!("sink: a reader could not connect: {error}"));
                std::thread::sleep(Duration::from_millis(100)); // out of file handles: not in a tight loop
            }
        }
    }
}

/// What it means when a reader goes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaving {
    /// Others may come.
    IsItsRight,
    /// Standard output cannot be opened again.
    EndsTheRun,
}

fn add(
    readers: &Mutex<Vec<Reader>>,
    writing: &Writing,
    out: impl Write + Send + 'static + Buffered,
    leaving: Leaving,
) {
    writing.books.readers.fetch_add(1, Relaxed);
    let slot = Arc::new(Slot::new(Policy::Latest));
    let (own, with) = (Arc::clone(&slot), writing.clone());
    let thread = std::thread::spawn(move || {
        let written = with.serve(&own, out);
        own.close();
        with.books.dropped.fetch_add(own.dropped() + own.held(), Relaxed);
        if let Err(error) = written {
            with.shared.board.say(format!("sink: a reader has gone: {error}"));
            if leaving == Leaving::EndsTheRun {
                with.shared.stop.ask();
            }
        }
    });
    readers.lock().unwrap_or_else(PoisonError::into_inner).push(Reader { slot, thread });
}

/// A writer whose buffer in the kernel can be bounded.
trait Buffered {
    /// Bounds it to about a packet: what lies in a buffer grows old behind a header that calls it fresh.
    fn bound(&self, bytes: usize);
}

impl Buffered for UnixStream {
    fn bound(&self, bytes: usize) {
        // A system that refuses keeps its own size: the reader can still compute the age.
        let _ = rustix::net::sockopt::set_socket_send_buffer_size(self, bytes);
    }
}

impl Buffered for std::io::Stdout {
    fn bound(&self, _: usize) {} // a pipe's buffer is 64 KiB, and its reader's to change
}

impl Writing {
    /// Writes what comes into the slot until it is closed.
    fn serve(&self, slot: &Slot<Arc<Seen>>, mut out: impl Write + Buffered) -> std::io::Result<()> {
        let mut bounded = 0;
        loop {
            let seen = match slot.take(Duration::from_secs(1)) {
                Taken::Item(seen) => seen,
                Taken::Nothing => continue,
                Taken::Closed => return Ok(()),
            };
            let size = seen.labels.first().map_or(0, |l| l.as_raw().len());
            if size != bounded {
                out.bound(size / 2); // the kernel doubles it
                bounded = size;
            }
            for ((model, labels), &model_sha256) in (0..).zip(&seen.labels).zip(&*self.hashes) {
                let arrived = seen.frame.arrived;
                let age = arrived.age(Instant::now());
                let header = Header {
                    stale: self.limit.stale(age),
                    sequence: seen.frame.sequence,
                    unix_ns: arrived.unix_ns,
                    monotonic_ns: arrived.monotonic_ns,
                    age_ns: age.as_nanos() as u64,
                    model_sha256,
                    model,
                    width: labels.width(),
                    height: labels.height(),
                };
                out.write_all(&header.to_bytes())?;
                out.write_all(labels.as_raw())?;
            }
            out.flush()?;
            self.books.sent.fetch_add(1, Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_stdout_or_a_socket() {
        assert_eq!("stdout".parse(), Ok(Place::Stdout));
        assert_eq!("unix:/run/s".parse(), Ok(Place::Unix("/run/s".into())));
        assert!("unix:".parse::<Place>().is_err() && "tcp:1".parse::<Place>().is_err());
    }
}
