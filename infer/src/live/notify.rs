//! What a service manager hears: that the first mask is there, that the worker lives, that the run ends.
//! Not a watchdog: systemd is, and restarts a worker that it does not hear. Without `NOTIFY_SOCKET` nothing
//! is sent. Source: sd_notify(3), systemd.service(5), `Type=notify` and `WatchdogSec=`.
//!
//! Datagrams, by hand: the ready-made crates wait for room in the manager's queue, which the kernel bounds
//! (to ten, by default). A manager that does not read must not stop the worker, so nothing here ever waits.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::time::Instant;

/// The way to the service manager, if one listens.
#[derive(Debug, Default)]
pub struct Manager(Option<(UnixDatagram, SocketAddr)>);

impl Manager {
    /// The manager that started this process, by `NOTIFY_SOCKET`.
    ///
    /// # Errors
    /// An address that is none. The run goes on without a manager, which is for the caller to say.
    pub fn of_this_process() -> io::Result<Self> {
        match env::var_os("NOTIFY_SOCKET").filter(|address| !address.is_empty()) {
            Some(address) => Self::at(&address),
            None => Ok(Self::default()),
        }
    }

    /// A path, or after an `@` a name in the kernel's abstract name space.
    fn at(address: &OsStr) -> io::Result<Self> {
        let address = match address.as_bytes().strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(address)?,
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self(Some((socket, address))))
    }

    /// The run ends, on purpose: what it still does may take a while.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// Sends, if there is room; says whether that is done. Not connected, so that a manager that opens its
    /// socket anew is found again.
    fn send(&self, state: &str) -> bool {
        let Some((socket, address)) = &self.0 else { return true };
        socket.send_to_addr(state.as_bytes(), address).is_ok()
    }
}

/// Signs of life, given by the thread that segments and by no other: if it hangs they cease.
#[derive(Debug)]
pub struct Heartbeat {
    manager: Arc<Manager>,
    /// Where models run, for the status.
    provider: String,
    /// When the command began.
    began: Instant,
    /// Once the first mask is there: the status, until it could be sent together with `READY=1`.
    ready: Option<String>,
    announced: bool,
}

impl Heartbeat {
    /// Of a worker on this provider, in a command that began then.
    pub fn new(manager: Arc<Manager>, provider: String, began: Instant) -> Self {
        Self { manager, provider, began, ready: None, announced: false }
    }

    /// A frame was segmented. The first makes the service ready, so that loading models and building
    /// engines belongs to its start.
    pub fn frame(&mut self) {
        if self.announced {
            self.manager.send("WATCHDOG=1");
            return;
        }
        let status = self.ready.get_or_insert_with(|| {
            let seconds = self.began.elapsed().as_secs_f64();
            format!("segmenting on {}, first mask {seconds:.1} s after the start", self.provider)
        });
        // Without this one message the manager would end the service, so it is tried until it is sent.
        self.announced = self.manager.send(&format!("READY=1\nSTATUS={status}\nWATCHDOG=1"));
    }

    /// No frame came for a second. A source that is away is no worker that hangs: it is reported and opened
    /// again elsewhere.
    pub fn idle(&mut self) {
        if self.ready.is_some() && !self.announced {
            self.frame();
        } else if self.announced {
            self.manager.send("WATCHDOG=1");
        } else {
            self.manager.send("STATUS=models are loaded, waiting for the first frame\nWATCHDOG=1");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> (tempfile::TempDir, UnixDatagram, Arc<Manager>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        (folder, socket, Arc::new(Manager::at(path.as_os_str()).unwrap()))
    }

    /// The next message; `None` if there is none.
    fn next(socket: &UnixDatagram) -> Option<String> {
        let mut buffer = [0; 4096];
        let length = socket.recv(&mut buffer).ok()?;
        Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
    }

    #[test]
    fn a_service_is_ready_with_its_first_frame_and_alive_without_one() {
        let (_folder, socket, manager) = socket();
        let mut heart = Heartbeat::new(Arc::clone(&manager), "cpu".into(), Instant::now());
        heart.idle();
        heart.frame();
        heart.frame();
        heart.idle();
        manager.stopping();
        assert!(next(&socket).unwrap().starts_with("STATUS=models are loaded, waiting"));
        let ready = next(&socket).unwrap();
        assert!(
            ready.starts_with("READY=1\nSTATUS=segmenting on cpu, first mask 0.0 s "),
            "{ready}"
        );
        let rest: Vec<String> = std::iter::from_fn(|| next(&socket)).collect();
        assert_eq!(rest, ["WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]);
    }

    #[test]
    fn a_manager_that_does_not_read_stops_nobody_and_still_hears_that_all_is_ready() {
        let (_folder, socket, manager) = socket();
        while manager.send("X=1") {}
        let mut heart = Heartbeat::new(manager, "cpu".into(), Instant::now());
        heart.frame();
        heart.idle();
        while next(&socket).is_some_and(|text| text == "X=1") {}
        heart.idle();
        assert!(next(&socket).unwrap().starts_with("READY=1\n"));
        heart.frame();
        assert_eq!(next(&socket).unwrap(), "WATCHDOG=1");
    }

    #[test]
    fn abstract_names_are_addresses_and_a_socket_that_is_gone_is_no_error() {
        let name = format!("recall-seg-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        let manager = Manager::at(OsStr::new(&format!("@{name}"))).unwrap();
        assert!(manager.send("X=1"));
        assert_eq!(next(&socket).unwrap(), "X=1");
        drop(socket);
        assert!(!manager.send("X=1"));
        assert!(Manager::at(OsStr::new(&"x".repeat(200))).is_err());
    }
}
