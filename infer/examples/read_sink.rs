//! Reads what `infer live --sink` writes, as a planner on the vehicle would: a line per packet.
//! Not a viewer. The format is on the page of `infer::live::sink`, byte by byte.
//!
//!     infer live --models model.onnx --source streets --headless --sink unix:/tmp/labels &
//!     cargo run --release -p infer --example read_sink -- /tmp/labels
//!     infer live --models model.onnx --source streets --headless --sink stdout | read_sink -

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use infer::live::sink::Header;
use shared::error::{Context, Error, Result, finish};

fn main() -> ExitCode {
    finish(run())
}

fn run() -> Result<()> {
    let place = std::env::args().nth(1).ok_or_else(|| {
        Error::request("read_sink: expected the path of a socket, or -, got nothing")
    })?;
    let mut stream: Box<dyn Read> = if place == "-" {
        Box::new(std::io::stdin().lock())
    } else {
        Box::new(UnixStream::connect(&place).request(|| place.clone())?)
    };
    let mut out = std::io::stdout().lock();
    let mut expected = None;
    while let Some(packet) = packet(&mut stream)? {
        let Header { sequence, width, height, model, .. } = packet.header;
        // Numbers that are missing were dropped: this reader, or the models, were too slow for them.
        let missing = expected.map_or(0, |next: u64| sequence.saturating_sub(next));
        expected = Some(sequence + 1);
        let mut pixels = [0_u64; 256];
        packet.labels.iter().for_each(|&label| pixels[usize::from(label)] += 1);
        let most = (0..256).max_by_key(|&label| pixels[label]).unwrap_or(0);
        let line = writeln!(
            out,
            "frame {sequence} ({missing} missing), model {model}, {width}x{height}, age {:.1} ms, {}, most of it class {most}",
            packet.header.age_ns as f64 / 1e6,
            // A stale result says what was, not what is: a vehicle must not steer by it.
            if packet.header.stale { "STALE" } else { "fresh" },
        );
        if line.is_err() {
            return Ok(()); // whoever reads us has gone away
        }
    }
    Ok(())
}

struct Packet {
    header: Header,
    labels: Vec<u8>,
}

/// The next packet; `None` when the stream ends between two.
fn packet(stream: &mut impl Read) -> Result<Option<Packet>> {
    let mut bytes = [0; Header::LENGTH];
    if let Err(error) = stream.read_exact(&mut bytes) {
        return match error.kind() {
            ErrorKind::UnexpectedEof => Ok(None),
            _ => Err(error).work(|| "sink".into()),
        };
    }
    let header = Header::from_bytes(&bytes)?;
    let mut labels = vec![0; header.labels_length() as usize];
    stream.read_exact(&mut labels).work(|| "sink: labels".into())?;
    Ok(Some(Packet { header, labels }))
}
