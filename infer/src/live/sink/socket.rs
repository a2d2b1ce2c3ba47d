//! The Unix socket of a sink: made where nothing of anybody's is in the way, removed while it is still ours.
//! Not who connects, which is `readers`'. Sources: unix(7), connect(2).

use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use shared::error::{Context, Error, Result};

/// The name of a socket that this process has made.
#[derive(Debug, Clone)]
pub struct Bound {
    path: PathBuf,
    /// Device and inode: under the same name there may be another's by now.
    id: (u64, u64),
}

impl Bound {
    /// Removes the name, if it is still that of the socket made here.
    pub fn remove(&self) {
        if identity(&self.path).is_ok_and(|id| id == self.id) {
            let _ = std::fs::remove_file(&self.path); // the next start copes with one that is left
        }
    }
}

/// Makes the socket; one that a dead process left is replaced.
///
/// # Errors
/// A socket that is in use or cannot be made, a file of that name that is no socket (exit code 2).
pub fn listen(path: &Path) -> Result<(UnixListener, Bound)> {
    let what = || format!("sink: {}", path.display());
    if let Ok(there) = std::fs::symlink_metadata(path) {
        if !there.file_type().is_socket() {
            return Err(Error::request(format!(
                "{}: expected no file, or a socket, got a file",
                what()
            ))
            .hint("name another path: nothing is overwritten"));
        }
        if !is_dead(path) {
            return Err(Error::request(format!(
                "{}: expected a free socket, got one in use",
                what()
            ))
            .hint("another `infer live`, or another program, may be running"));
        }
        std::fs::remove_file(path).request(what)?;
    }
    let listener = UnixListener::bind(path)
        .request(what)
        .map_err(|e| e.hint("the folder must exist and allow writing"))?;
    let id = identity(path).request(what)?;
    Ok((listener, Bound { path: path.to_owned(), id }))
}

/// Whether nobody has the socket open: only then the kernel refuses a connection. A full queue, a socket of
/// another type, one that may not be used: all of them belong to somebody.
fn is_dead(path: &Path) -> bool {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC; // a process that stands still accepts nothing
    let connected = net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
        .and_then(|socket| net::connect(&socket, &SocketAddrUnix::new(path)?));
    connected == Err(Errno::CONNREFUSED)
}

fn identity(path: &Path) -> std::io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|there| (there.dev(), there.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::{UnixDatagram, UnixStream};

    #[test]
    fn a_socket_of_the_dead_is_replaced_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        drop(UnixListener::bind(path("dead")).unwrap());
        let (_listener, bound) = listen(&path("dead")).unwrap();
        let _datagrams = UnixDatagram::bind(path("datagrams")).unwrap();
        // A listener that accepts nothing, with its queue full.
        let frozen = UnixListener::bind(path("frozen")).unwrap();
        net::listen(&frozen, 0).unwrap();
        let _waiting = UnixStream::connect(path("frozen")).unwrap();
        for name in ["dead", "datagrams", "frozen"] {
            let error = listen(&path(name)).unwrap_err();
            assert!(error.to_string().contains("got one in use"), "{name}: {error}");
        }
        std::fs::rename(path("datagrams"), path("dead")).unwrap();
        bound.remove();
        assert!(path("dead").exists(), "it is another's now");
    }

    #[test]
    fn our_own_name_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels");
        let (_listener, bound) = listen(&path).unwrap();
        bound.remove();
        assert!(!path.exists());
    }
}
