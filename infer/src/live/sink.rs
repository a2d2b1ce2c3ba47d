//! What the rest of a vehicle reads: labels with a header, on a Unix socket or standard output.
//! Not a video and not a protocol with answers: readers connect and read. A reader that is too slow misses
//! frames, which are counted, and never slows the worker: each has a slot of one and a thread of its own.
//! There may be 64 readers at a time.
//!
//! # The format, version 1
//!
//! One packet after the other. A packet is a header of 96 bytes and then the labels: `width * height` bytes,
//! row by row from the upper left corner, one train id each, as in the model's card. Numbers are little-endian.
//!
//! | offset | bytes | field |
//! |---:|---:|---|
//! | 0 | 8 | magic, the ASCII letters `RSEGLIVE` |
//! | 8 | 2 | version of the format, 1 |
//! | 10 | 2 | length of the header, 96: a later version may have a longer one, whose end is to be skipped |
//! | 12 | 4 | flags; bit 0: stale, the result was older than the limit and must not be taken for the present |
//! | 16 | 8 | sequence: number of the captured frame, from 0; a gap is that many frames not sent |
//! | 24 | 8 | capture time: nanoseconds since 1970 (UTC) when the frame arrived |
//! | 32 | 8 | capture time: nanoseconds of CLOCK_MONOTONIC of this machine when the frame arrived |
//! | 40 | 8 | age: nanoseconds from there until this header was written |
//! | 48 | 32 | SHA-256 of the model file |
//! | 80 | 4 | model: its place on the command line, from 0; with several models a frame is as many packets |
//! | 84 | 4 | width |
//! | 88 | 4 | height |
//! | 92 | 4 | length of the labels: `width * height` |
//!
//! The flag and the age are those of the moment of writing. A reader on the same machine that may itself be
//! late computes the age anew, from CLOCK_MONOTONIC. `examples/read_sink.rs` is a reader; in Python:
//!
//! ```python
//! import socket, struct
//! stream = socket.socket(socket.AF_UNIX); stream.connect("/run/segmentation"); stream = stream.makefile("rb")
//! while header := stream.read(96):
//!     magic, version, length, flags, sequence, unix_ns, monotonic_ns, age_ns, sha256, model, width, height, size = \
//!         struct.unpack("<8sHHIQQQQ32sIIII", header)
//!     stream.read(length - 96)
//!     labels = stream.read(size)
//! ```

mod header;
mod readers;
mod socket;

pub use header::Header;
pub use readers::{Sink, SinkTarget};
