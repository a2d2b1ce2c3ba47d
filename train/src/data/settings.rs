//! What a recipe says about sizes, augmentation and memory, and whether it makes sense.
//! Not which data set, nor the batch size: those are the recipe's own.
//! Scale, crop and flip as in DeepLab (Chen et al., arXiv 1706.05587, section 4); jitter as a recipe asks.

use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};

/// Sizes and augmentation of training samples. The order is: resize, scale, crop, jitter, flip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataSettings {
    /// Size (width, height) in pixels that whole images are brought to first; none keeps each image's own.
    pub resize: Option<[u32; 2]>,
    /// Least and greatest factor of the random scale, drawn uniformly.
    pub scale: [f64; 2],
    /// Size (width, height) in pixels of the random crop. What lies outside a smaller image is filled with the mean
    /// colour and ignored.
    pub crop: Option<[u32; 2]>,
    /// Whether half of the samples are mirrored.
    pub flip: bool,
    /// Random changes of colour.
    pub jitter: Jitter,
    /// Memory for decoded samples, in MiB, so that small data sets are decoded once; 0 for none.
    pub cache_mb: u64,
}

/// Greatest random changes of colour; 0 leaves an aspect alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Jitter {
    /// Brightness times 1 - b to 1 + b.
    pub brightness: f64,
    /// Distance from the image's mean luminance times 1 - c to 1 + c.
    pub contrast: f64,
    /// Distance from each pixel's own luminance times 1 - s to 1 + s.
    pub saturation: f64,
    /// Turn of the colour circle by up to this share of it, either way.
    pub hue: f64,
}

impl Default for DataSettings {
    fn default() -> Self {
        Self {
            resize: None,
            scale: [1.0, 1.0],
            crop: None,
            flip: true,
            jitter: Jitter::default(),
            cache_mb: 2048,
        }
    }
}

impl DataSettings {
    /// Whether the values make sense, each alone and together.
    ///
    /// # Errors
    /// The first value that does not, named.
    pub fn check(&self) -> Result<()> {
        let fail = |key: &str, expected: &str, got: String| {
            Err(Error::request(format!("augment.{key}: expected {expected}, got {got}")))
        };
        for (key, size) in [("resize", self.resize), ("crop", self.crop)] {
            if let Some([w, h]) = size.filter(|size| size.iter().any(|s| !(1..=16384).contains(s)))
            {
                return fail(key, "a width and a height of 1 to 16384", format!("[{w}, {h}]"));
            }
        }
        let [lo, hi] = self.scale;
        if !(0.05 <= lo && lo <= hi && hi <= 20.0) {
            return fail(
                "scale",
                "two factors of 0.05 to 20 in rising order",
                format!("[{lo}, {hi}]"),
            );
        }
        if self.scale != [1.0, 1.0] && self.crop.is_none() {
            return fail("crop", "a size, since scaled images differ in theirs", "none".into())
                .map_err(|e: Error| {
                    e.hint("set augment.crop = [width, height], or augment.scale = [1.0, 1.0]")
                });
        }
        let Jitter { brightness, contrast, saturation, hue } = self.jitter;
        for (key, value, most) in [
            ("brightness", brightness, 1.0),
            ("contrast", contrast, 1.0),
            ("saturation", saturation, 1.0),
            ("hue", hue, 0.5),
        ] {
            if !(0.0..=most).contains(&value) {
                return fail(&format!("jitter.{key}"), &format!("0 to {most}"), value.to_string());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let settings: DataSettings = toml::from_str(text).expect("parses");
        settings.check().expect_err("should be refused").to_string()
    }

    #[test]
    fn values_that_make_no_sense_are_refused_by_name() {
        assert!(refused("crop = [0, 4]").contains("augment.crop"));
        assert!(refused("resize = [4, 99999]").contains("augment.resize"));
        assert!(refused("scale = [2.0, 0.5]\ncrop = [4, 4]").contains("augment.scale"));
        assert!(refused("scale = [nan, 0.5]\ncrop = [4, 4]").contains("augment.scale"));
        assert!(refused("scale = [0.5, 2.0]").contains("augment.crop"));
        assert!(refused("jitter = { hue = 0.6 }").contains("augment.jitter.hue"));
    }

    #[test]
    fn the_defaults_are_valid_and_unknown_keys_are_errors() {
        DataSettings::default().check().expect("defaults");
        assert!(toml::from_str::<DataSettings>("fliip = true").is_err());
        assert!(toml::from_str::<DataSettings>("jitter = { hues = 0.1 }").is_err());
    }
}
