//! TensorBoard's event file: scalars, texts and pictures over steps.
//! Not histograms or graphs. The messages are cut down to the fields that are written here; numbers and names of
//! fields are those of event.proto, summary.proto and tensor.proto in tensorboard/compat/proto.

use super::record::frame;
use prost::Message;
use shared::error::{Context, Result};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// One entry of an event file.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step that it belongs to.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// What it says.
    #[prost(oneof = "What", tags = "3, 5, 7")]
    pub what: Option<What>,
}

/// What an event says.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum What {
    /// The version of the format, in a file's first event.
    #[prost(string, tag = "3")]
    FileVersion(String),
    /// Values by tag.
    #[prost(message, tag = "5")]
    Summary(Summary),
    /// A beginning: what older files say of this step and later ones is void.
    #[prost(message, tag = "7")]
    Session(Session),
}

/// The state of a session.
#[derive(Clone, PartialEq, Message)]
pub struct Session {
    /// 1: start.
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// Values by tag.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// The values.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// A tagged value.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// Its name; what stands before the first slash groups.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The value.
    #[prost(oneof = "Content", tags = "2, 4, 8")]
    pub content: Option<Content>,
    /// How to show it; scalars need none.
    #[prost(message, optional, tag = "9")]
    pub metadata: Option<Metadata>,
}

/// A number, a picture or a tensor.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Content {
    /// A scalar.
    #[prost(float, tag = "2")]
    Scalar(f32),
    /// A picture.
    #[prost(message, tag = "4")]
    Picture(Picture),
    /// A tensor; here always one string.
    #[prost(message, tag = "8")]
    Tensor(StringTensor),
}

/// A picture.
#[derive(Clone, PartialEq, Message)]
pub struct Picture {
    /// Pixels from top to bottom.
    #[prost(int32, tag = "1")]
    pub height: i32,
    /// Pixels across.
    #[prost(int32, tag = "2")]
    pub width: i32,
    /// 3: RGB.
    #[prost(int32, tag = "3")]
    pub colorspace: i32,
    /// A PNG file.
    #[prost(bytes = "vec", tag = "4")]
    pub encoded: Vec<u8>,
}

/// A tensor of strings.
#[derive(Clone, PartialEq, Message)]
pub struct StringTensor {
    /// 7: string.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// Its shape.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
    /// Its elements.
    #[prost(bytes = "vec", repeated, tag = "8")]
    pub values: Vec<Vec<u8>>,
}

/// A tensor's shape.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// Its dimensions.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dim>,
}

/// A dimension.
#[derive(Clone, PartialEq, Message)]
pub struct Dim {
    /// Its length.
    #[prost(int64, tag = "1")]
    pub size: i64,
}

/// How to show a value.
#[derive(Clone, PartialEq, Message)]
pub struct Metadata {
    /// The plugin that shows it.
    #[prost(message, optional, tag = "1")]
    pub plugin: Option<Plugin>,
    /// 2: tensor.
    #[prost(int32, tag = "4")]
    pub data_class: i32,
}

/// The name of a plugin.
#[derive(Clone, PartialEq, Message)]
pub struct Plugin {
    /// For instance "text".
    #[prost(string, tag = "1")]
    pub name: String,
}

impl Event {
    /// A file's first event.
    pub fn version() -> What {
        What::FileVersion("brain.Event:2".into())
    }

    /// A session begins at the event's step: TensorBoard drops what earlier files of the folder say of it and later ones.
    pub fn start() -> What {
        What::Session(Session { status: 1 })
    }

    /// Scalars by tag.
    pub fn scalars<'a>(values: impl IntoIterator<Item = (&'a str, f64)>) -> What {
        let value = |(tag, value): (&str, f64)| Value {
            tag: tag.into(),
            content: Some(Content::Scalar(value as f32)),
            metadata: None,
        };
        What::Summary(Summary { value: values.into_iter().map(value).collect() })
    }

    /// A picture of (width, height) pixels, as the bytes of a PNG file of colors.
    pub fn picture(tag: &str, (width, height): (u32, u32), png: Vec<u8>) -> What {
        let (width, height) = (width as i32, height as i32);
        let picture = Picture { height, width, colorspace: 3, encoded: png };
        let content = Some(Content::Picture(picture));
        What::Summary(Summary { value: vec![Value { tag: tag.into(), content, metadata: None }] })
    }

    /// A text in Markdown.
    pub fn text(tag: &str, text: &str) -> What {
        let shape = Some(Shape { dim: vec![Dim { size: 1 }] });
        let tensor = StringTensor { dtype: 7, shape, values: vec![text.as_bytes().to_vec()] };
        let metadata = Metadata { plugin: Some(Plugin { name: "text".into() }), data_class: 2 };
        let content = Some(Content::Tensor(tensor));
        What::Summary(Summary {
            value: vec![Value { tag: tag.into(), content, metadata: Some(metadata) }],
        })
    }

    /// The event as it stands in a file.
    pub fn record(wall_time: f64, step: u64, what: What) -> Vec<u8> {
        frame(&Event { wall_time, step: step as i64, what: Some(what) }.encode_to_vec())
    }
}

/// An event file that is being written.
pub struct Writer {
    file: File,
    name: String,
}

impl Writer {
    /// Creates a file of a name of its own in `folder`, for steps after `first`.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn create(folder: &Path, first: u64) -> Result<Self> {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host: String =
            host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        // TensorBoard reads a folder's files in the order of their names, so the time comes first.
        let time = (now() * 1e6) as u64;
        let path = folder.join(format!(
            "events.out.tfevents.{:010}.{host}.{}.{:06}",
            time / 1_000_000,
            std::process::id(),
            time % 1_000_000
        ));
        let name = path.display().to_string();
        let file = File::create(&path).work(|| name.clone())?;
        let mut writer = Self { file, name };
        writer.write(0, Event::version())?;
        writer.write(first + 1, Event::start())?;
        Ok(writer)
    }

    /// Appends an event; it is in the file when this returns.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&mut self, step: u64, what: What) -> Result<()> {
        self.file.write_all(&Event::record(now(), step, what)).work(|| self.name.clone())
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}
