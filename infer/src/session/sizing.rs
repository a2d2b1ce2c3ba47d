//! The size at which an image goes into a model.
//! Not the resizing itself. Small and copied freely, so that loader threads need no model.

use image::RgbImage;
use shared::preprocess;

/// Width and height in pixels.
pub type Size = (u32, u32);

/// The sizes that a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizing {
    /// Width and height that images are resized to; `None`: their own.
    pub fixed: Option<Size>,
    /// Whether the graph takes no other size.
    pub rigid: bool,
    /// Width and height are multiples of this.
    pub multiple: u32,
}

impl Sizing {
    /// The size at which an image of this size goes in.
    pub fn of(&self, image: Size) -> Size {
        self.fixed.unwrap_or_else(|| self.round_up(image))
    }

    /// The next size that the multiple allows.
    pub fn round_up(&self, size: Size) -> Size {
        let up = |side: u32| side.max(1).next_multiple_of(self.multiple.max(1));
        (up(size.0), up(size.1))
    }

    /// Brings an image to that size.
    pub fn prepare(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = self.of(image.dimensions());
        preprocess::resize_image(image, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_are_rounded_up_to_the_multiple_unless_the_size_is_fixed() {
        let free = Sizing { fixed: None, rigid: false, multiple: 32 };
        assert_eq!(free.of((480, 360)), (480, 384));
        assert_eq!(Sizing { fixed: Some((64, 32)), ..free }.of((480, 360)), (64, 32));
        assert_eq!(Sizing { multiple: 1, ..free }.of((31, 40)), (31, 40));
    }
}
