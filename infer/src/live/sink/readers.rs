//! Who reads: standard output, or whoever connects to a Unix socket; a thread and a slot of one for each.
//! Not what they read, which is `header`'s. A packet's age is that of the moment in which it is written.

use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use shared::error::{Context, Result};

use super::Header;
use super::socket::{Bound, listen};
use crate::interrupt;
use crate::live::clock::Limit;
use crate::live::frame::{RunState, SegmentedFrame};
use crate::live::slot::{Policy, Slot, Taken};
use crate::live::stop::wait_until;

/// Where a sink writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkTarget {
    /// Standard output.
    Stdout,
    /// A Unix socket that readers connect to.
    Unix(PathBuf),
}

impl std::str::FromStr for SinkTarget {
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
    socket: Option<Bound>,
}

/// Readers at a time; more are turned away, so that none of them can use up threads and file handles.
const MOST_READERS: usize = 64;

/// Counters over all readers there ever were.
#[derive(Debug, Default)]
struct Books {
    readers: AtomicU64,
    sent: AtomicU64,
    dropped: AtomicU64,
    /// Why standard output could not be written, unless its reader has gone.
    broken: Mutex<Option<std::io::Error>>,
}

struct Reader {
    slot: Arc<Slot<Arc<SegmentedFrame>>>,
    thread: JoinHandle<()>,
}

/// What goes into every packet.
#[derive(Clone)]
struct Writing {
    hashes: Arc<[[u8; 32]]>,
    limit: Limit,
    books: Arc<Books>,
    shared: Arc<RunState>,
}

impl Sink {
    /// Opens the place. `hashes` are the SHA-256 of the model files.
    ///
    /// # Errors
    /// A socket that is in use or cannot be made, a file of that name that is no socket (exit code 2);
    /// no thread left.
    pub fn open(
        place: &SinkTarget,
        hashes: Vec<[u8; 32]>,
        limit: Limit,
        shared: &Arc<RunState>,
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
            SinkTarget::Stdout => {
                let added = add(&readers, &writing, std::io::stdout(), Leaving::EndsTheRun);
                added.work(|| "sink: cannot start a thread".into())?;
                None
            }
            SinkTarget::Unix(path) => {
                let (listener, bound) = listen(path)?;
                let hurried = bound.clone();
                interrupt::before_exit(move || hurried.remove());
                let readers = Arc::clone(&readers);
                Builder::new()
                    .name("sink".into())
                    .spawn(move || accept(&listener, &readers, &writing))
                    .work(|| "sink: cannot start a thread".into())?;
                Some(bound)
            }
        };
        Ok(Self { readers, books, socket })
    }

    /// Gives a result to every reader; never waits.
    pub fn publish(&self, seen: &Arc<SegmentedFrame>) {
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        // A reader that has left has closed its slot.
        readers.retain(|reader| reader.slot.put(Arc::clone(seen)).is_ok());
    }

    /// Lets the readers take what is waiting for them, for at most a second, and says what they got.
    ///
    /// # Errors
    /// In the second: standard output that could not be written.
    pub fn finish(&self) -> (String, Result<()>) {
        self.close();
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        readers.iter().for_each(|reader| reader.slot.close());
        let until = Instant::now() + Duration::from_secs(1);
        wait_until(until, || readers.iter().all(|reader| reader.thread.is_finished()));
        for reader in readers.drain(..).filter(|r| !r.thread.is_finished()) {
            self.books.dropped.fetch_add(reader.slot.dropped() + reader.slot.held(), Relaxed);
        }
        let [count, sent, dropped] =
            [&self.books.readers, &self.books.sent, &self.books.dropped].map(|n| n.load(Relaxed));
        let line =
            format!("sink: readers {count}, frames sent {sent}, dropped by slow readers {dropped}");
        let broken = self.books.broken.lock().unwrap_or_else(PoisonError::into_inner).take();
        let broken = broken.map_or(Ok(()), |e| Err(e).work(|| "sink: stdout: cannot write".into()));
        (line, broken.map_err(|e| e.hint("what it is redirected to takes no more")))
    }

    /// Nobody new.
    fn close(&self) {
        self.socket.iter().for_each(Bound::remove);
    }
}

/// A run that ends before it has begun.
impl Drop for Sink {
    fn drop(&mut self) {
        self.close();
    }
}

fn accept(listener: &UnixListener, readers: &Mutex<Vec<Reader>>, writing: &Writing) {
    let mut refused = false;
    for stream in listener.incoming() {
        let added = stream.and_then(|stream| {
            let present = {
                let mut readers = readers.lock().unwrap_or_else(PoisonError::into_inner);
                readers.retain(|reader| !reader.thread.is_finished());
                readers.len()
            };
            if present >= MOST_READERS {
                return Err(std::io::Error::other(format!("there are {present} already")));
            }
            add(readers, writing, stream, Leaving::IsItsRight)
        });
        match added {
            Ok(()) => refused = false,
            Err(error) => {
                if !refused {
                    writing.shared.board.say(format!("sink: a reader could not connect: {error}"));
                }
                refused = true; // said once, until one can connect again
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
) -> std::io::Result<()> {
    let slot = Arc::new(Slot::new(Policy::Latest));
    let (own, with) = (Arc::clone(&slot), writing.clone());
    let thread = Builder::new().name("reader".into()).spawn(move || {
        let written = with.serve(&own, out);
        own.close();
        with.books.dropped.fetch_add(own.dropped() + own.held(), Relaxed);
        if let Err(error) = written {
            with.gone(error, leaving);
        }
    })?;
    writing.books.readers.fetch_add(1, Relaxed);
    readers.lock().unwrap_or_else(PoisonError::into_inner).push(Reader { slot, thread });
    Ok(())
}

/// A writer whose buffer in the kernel can be bounded, and which knows whether someone is at its other end.
trait Buffered: AsFd {
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

/// Whether nobody can read any more. One that only writes nothing itself (shutdown(2)) still reads.
fn is_gone(out: &impl AsFd) -> bool {
    let mut ends = [PollFd::new(out, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let gone = PollFlags::HUP | PollFlags::ERR;
    poll(&mut ends, Some(&now)).is_ok() && ends[0].revents().intersects(gone)
}

/// How long a thread waits for a frame before it looks whether its reader is still there.
const GLANCE: Duration = Duration::from_millis(250);

impl Writing {
    /// What the end of a reader means for the run. One that goes may go; anything else that keeps standard
    /// output from being written, such as a full disk, is a failure.
    fn gone(&self, error: std::io::Error, leaving: Leaving) {
        if leaving == Leaving::IsItsRight || error.kind() == ErrorKind::BrokenPipe {
            self.shared.board.say(format!("sink: a reader has gone: {error}"));
        } else {
            self.shared.failed.store(true, Relaxed);
            *self.books.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        if leaving == Leaving::EndsTheRun {
            self.shared.stop.ask();
        }
    }

    /// Writes what comes into the slot until it is closed.
    fn serve(
        &self,
        slot: &Slot<Arc<SegmentedFrame>>,
        mut out: impl Write + Buffered,
    ) -> std::io::Result<()> {
        let mut bounded = 0;
        loop {
            let seen = match slot.take(GLANCE) {
                Taken::Item(seen) => seen,
                Taken::Nothing if is_gone(&out) => return Err(ErrorKind::BrokenPipe.into()),
                Taken::Nothing => continue,
                Taken::Closed => return Ok(()),
            };
            let size = seen.labels.first().map_or(0, |l| l.as_raw().len());
            if size != bounded {
                out.bound(size / 2); // the kernel doubles it
                bounded = size;
            }
            if let Err(error) = self.send(&seen, &mut out) {
                self.books.dropped.fetch_add(1, Relaxed); // the one in hand
                return Err(error);
            }
            self.books.sent.fetch_add(1, Relaxed);
        }
    }

    /// Writes a packet per model.
    fn send(&self, seen: &SegmentedFrame, out: &mut impl Write) -> std::io::Result<()> {
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
        out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::board::Board;
    use indicatif::ProgressBar;
    use std::io::Read;

    /// Waits until so many readers are there.
    fn wait_for(sink: &Sink, count: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        let present = || {
            let readers = sink.readers.lock().unwrap();
            readers.iter().filter(|reader| !reader.thread.is_finished()).count()
        };
        assert!(wait_until(until, || present() == count), "expected {count}, got {}", present());
    }

    #[test]
    fn readers_that_leave_while_nothing_comes_are_noticed_and_too_many_are_turned_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        let place = SinkTarget::Unix(path.clone());
        let shared = RunState::new(Board::new(ProgressBar::hidden()));
        let sink = Sink::open(&place, Vec::new(), Limit(Duration::ZERO), &shared).unwrap();
        let connect = || UnixStream::connect(&path).unwrap();
        let mute = connect();
        mute.shutdown(std::net::Shutdown::Write).unwrap();
        let mut others: Vec<UnixStream> = (1..MOST_READERS).map(|_| connect()).collect();
        wait_for(&sink, MOST_READERS);
        for _ in 0..2 {
            let end = connect().read(&mut [0]).unwrap();
            assert_eq!(end, 0, "one more is turned away");
        }
        others.clear();
        wait_for(&sink, 1); // who only writes nothing is still there
        others.push(connect());
        wait_for(&sink, 2);
        let said = shared.board.said.lock().unwrap();
        let refused = said.iter().filter(|(_, line)| line.contains("could not connect")).count();
        assert_eq!(refused, 1, "{said:?}");
    }

    #[test]
    fn a_place_is_stdout_or_a_socket() {
        assert_eq!("stdout".parse(), Ok(SinkTarget::Stdout));
        assert_eq!("unix:/run/s".parse(), Ok(SinkTarget::Unix("/run/s".into())));
        assert!("unix:".parse::<SinkTarget>().is_err() && "tcp:1".parse::<SinkTarget>().is_err());
    }
}
