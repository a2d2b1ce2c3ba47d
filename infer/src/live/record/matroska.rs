//! Raw pictures as a Matroska stream: what stands before the first picture, and before each.
//! Not a file for people: ffmpeg reads it from a pipe and encodes what it holds.
//!
//! Raw video has no times, and ffmpeg's own stamps follow the wall clock, which may be set while we record. The
//! stream also says how long a picture usually lasts: without that the last one lasts no time at all,
//! and the encoder takes the clock's ticks for frames and claims a profile that few players have.
//! Sources: RFC 8794 (EBML), RFC 9559 (Matroska).

use std::time::Duration;

/// Bytes of an element whose length is not known yet, which lasts until the stream ends.
const UNKNOWN: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

/// Times are in microseconds.
const NS_PER_TICK: u64 = 1000;

/// What a picture's time differs at least from the one before.
const STEP: Duration = Duration::from_millis(1);

/// The headers of one stream, in order.
#[derive(Debug)]
pub struct Headers {
    usual: Duration,
    /// Times of the first picture and of the last.
    times: Option<(Duration, Duration)>,
}

impl Headers {
    /// Of a stream with usually so many pictures a second.
    pub fn new(fps: f64) -> Self {
        Self { usual: Duration::from_secs_f64(1.0 / fps), times: None }
    }

    /// What stands before a picture of this size and time, RGB, one byte each. Times begin at 0 with the first
    /// picture, and never stand still.
    pub fn heading(&mut self, (width, height): (u32, u32), at: Duration) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (first, at) = match self.times {
            Some((first, last)) => (first, at.max(last + STEP)),
            None => {
                bytes.extend(self.beginning(width, height));
                (at, at)
            }
        };
        self.times = Some((first, at));
        let ticks = (at - first).as_nanos() as u64 / NS_PER_TICK;
        // A cluster for each picture: within one, times could differ by 33 ms at most.
        bytes.extend([0x1f, 0x43, 0xb6, 0x75]); // Cluster
        bytes.extend(UNKNOWN);
        bytes.extend(number(&[0xe7], ticks)); // Timestamp
        bytes.push(0xa3); // SimpleBlock
        let pixels = 3 * u64::from(width) * u64::from(height);
        bytes.extend(length(4 + pixels));
        bytes.extend([0x81, 0, 0, 0x80]); // of track 1, at the cluster's time, a key frame
        bytes
    }

    /// The stream's own headers.
    fn beginning(&self, width: u32, height: u32) -> Vec<u8> {
        let mut bytes = element(&[0x1a, 0x45, 0xdf, 0xa3], &element(&[0x42, 0x82], b"matroska"));
        bytes.extend([0x18, 0x53, 0x80, 0x67]); // Segment
        bytes.extend(UNKNOWN);
        let info = number(&[0x2a, 0xd7, 0xb1], NS_PER_TICK); // TimestampScale
        bytes.extend(element(&[0x15, 0x49, 0xa9, 0x66], &info));
        let video = [
            number(&[0xb0], width.into()),
            number(&[0xba], height.into()),
            element(&[0x2e, 0xb5, 0x24], b"RGB\x18"), // UncompressedFourCC
        ];
        let track = [
            number(&[0xd7], 1),                                        // TrackNumber
            number(&[0x73, 0xc5], 1),                                  // TrackUID
            number(&[0x83], 1),                                        // TrackType: video
            element(&[0x86], b"V_UNCOMPRESSED"),                       // CodecID
            number(&[0x23, 0xe3, 0x83], self.usual.as_nanos() as u64), // DefaultDuration
            element(&[0xe0], &video.concat()),
        ];
        let entry = element(&[0xae], &track.concat());
        bytes.extend(element(&[0x16, 0x54, 0xae, 0x6b], &entry)); // Tracks
        bytes
    }
}

fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    [id, &length(content.len() as u64), content].concat()
}

fn number(id: &[u8], value: u64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

/// A length in eight bytes, of which seven bits say that there are eight.
fn length(bytes: u64) -> [u8; 8] {
    (bytes | 1 << 56).to_be_bytes()
}

/// The times of the pictures in a stream, in microseconds.
#[cfg(test)]
pub fn times(stream: &[u8]) -> Vec<u64> {
    let cluster = [&[0x1f, 0x43, 0xb6, 0x75][..], &UNKNOWN, &[0xe7], &length(8)].concat();
    let starts = (0..stream.len()).filter(|&at| stream[at..].starts_with(&cluster));
    let times =
        starts.map(|at| at + cluster.len()).map(|at| stream[at..at + 8].try_into().unwrap());
    times.map(u64::from_be_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_pictures_own_begin_at_zero_and_never_stand_still() {
        let mut headers = Headers::new(25.0);
        let stream: Vec<u8> = [500, 540, 540, 530, 5500]
            .into_iter()
            .flat_map(|ms| headers.heading((4, 2), Duration::from_millis(ms)))
            .collect();
        assert_eq!(times(&stream), [0, 40_000, 41_000, 42_000, 5_000_000]);
    }

    #[test]
    fn a_block_is_as_long_as_its_picture() {
        let mut headers = Headers::new(25.0);
        headers.heading((4, 2), Duration::ZERO);
        let heading = headers.heading((4, 2), Duration::from_secs(1));
        let [.., 0xa3, 1, 0, 0, 0, 0, 0, 0, 28, 0x81, 0, 0, 0x80] = heading[..] else {
            panic!("{heading:?}")
        };
    }
}
