//! The header of a packet, to bytes and back. Not the labels behind it; the module's page has the table.

use shared::error::{Error, Result};

/// What stands before the labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Older than the limit when it was written.
    pub stale: bool,
    /// Number of the captured frame.
    pub sequence: u64,
    /// Capture time in nanoseconds since 1970.
    pub unix_ns: u64,
    /// Capture time in nanoseconds of CLOCK_MONOTONIC.
    pub monotonic_ns: u64,
    /// Nanoseconds from capture to writing.
    pub age_ns: u64,
    /// SHA-256 of the model file.
    pub model_sha256: [u8; 32],
    /// Place of the model on the command line.
    pub model: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

const MAGIC: [u8; 8] = *b"RSEGLIVE";
const VERSION: u16 = 1;
const STALE: u32 = 1;

impl Header {
    /// Bytes of a header of version 1.
    pub const LENGTH: usize = 96;

    /// The bytes.
    pub fn to_bytes(self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &MAGIC);
        put(8, &VERSION.to_le_bytes());
        put(10, &(Self::LENGTH as u16).to_le_bytes());
        put(12, &(if self.stale { STALE } else { 0 }).to_le_bytes());
        put(16, &self.sequence.to_le_bytes());
        put(24, &self.unix_ns.to_le_bytes());
        put(32, &self.monotonic_ns.to_le_bytes());
        put(40, &self.age_ns.to_le_bytes());
        put(48, &self.model_sha256);
        put(80, &self.model.to_le_bytes());
        put(84, &self.width.to_le_bytes());
        put(88, &self.height.to_le_bytes());
        put(92, &self.labels_length().to_le_bytes());
        bytes
    }

    /// Reads the bytes of a header of version 1.
    ///
    /// # Errors
    /// Another magic, version or length than this program writes.
    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Result<Self> {
        let u32_at = |at: usize| u32::from_le_bytes(array(bytes, at));
        let u64_at = |at: usize| u64::from_le_bytes(array(bytes, at));
        let expect = |holds: bool, what: &str, got: String| match holds {
            true => Ok(()),
            false => Err(Error::work(format!("sink: expected {what}, got {got}"))),
        };
        let magic: [u8; 8] = array(bytes, 0);
        expect(magic == MAGIC, "the magic RSEGLIVE", magic.escape_ascii().to_string())?;
        let version = u16::from_le_bytes(array(bytes, 8));
        expect(version == VERSION, "version 1", version.to_string())?;
        let length = u16::from_le_bytes(array(bytes, 10));
        expect(usize::from(length) == Self::LENGTH, "a header of 96 bytes", length.to_string())?;
        let header = Self {
            stale: u32_at(12) & STALE != 0,
            sequence: u64_at(16),
            unix_ns: u64_at(24),
            monotonic_ns: u64_at(32),
            age_ns: u64_at(40),
            model_sha256: array(bytes, 48),
            model: u32_at(80),
            width: u32_at(84),
            height: u32_at(88),
        };
        let sides = u64::from(header.width) * u64::from(header.height);
        let labels = u64::from(u32_at(92));
        expect(labels == sides, &format!("{sides} labels"), labels.to_string())?;
        Ok(header)
    }

    /// Bytes of labels behind the header. Frames are bounded, so that it fits (`shared::decode::MAX_SIDE`).
    pub fn labels_length(&self) -> u32 {
        self.width.saturating_mul(self.height)
    }
}

/// `N` bytes from `at`; the callers' offsets are constants inside the header.
fn array<const N: usize>(bytes: &[u8; Header::LENGTH], at: usize) -> [u8; N] {
    std::array::from_fn(|i| bytes[at + i])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        stale: true,
        sequence: 0x0102_0304_0506_0708,
        unix_ns: 11,
        monotonic_ns: 12,
        age_ns: 13,
        model_sha256: [0xab; 32],
        model: 1,
        width: 640,
        height: 480,
    };

    /// The table of the module's page, written out once more by hand.
    #[test]
    fn the_bytes_are_those_of_the_documented_table() {
        let mut expected = b"RSEGLIVE\x01\x00\x60\x00\x01\x00\x00\x00".to_vec();
        expected.extend(b"\x08\x07\x06\x05\x04\x03\x02\x01");
        expected.extend(b"\x0b\0\0\0\0\0\0\0\x0c\0\0\0\0\0\0\0\x0d\0\0\0\0\0\0\0");
        expected.extend([0xab; 32]);
        expected.extend(b"\x01\0\0\0\x80\x02\0\0\xe0\x01\0\0\x00\xb0\x04\x00");
        assert_eq!(HEADER.to_bytes().as_slice(), expected);
    }

    #[test]
    fn a_header_is_read_back_and_what_is_none_is_refused() {
        let bytes = HEADER.to_bytes();
        assert_eq!(Header::from_bytes(&bytes).unwrap(), HEADER);
        for (at, text) in [(0, "magic"), (8, "version 1"), (10, "96 bytes"), (92, "307200 labels")]
        {
            let mut bad = bytes;
            bad[at] ^= 0x40;
            assert!(Header::from_bytes(&bad).unwrap_err().to_string().contains(text), "{text}");
        }
    }
}
