//! Every loss in a line: its name in recipes, its equation, and whose it is. `train losses` prints
//! it. Not the settings, which `settings` has, nor the details, which stand in each family's file.

use super::LossSettings;

/// What there is to say of a loss in a line.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// Its name in recipes.
    pub name: &'static str,
    /// Its equation.
    pub equation: &'static str,
    /// Whose it is. "Eq." and "Table" without a name are Tian et al.'s, arXiv 2106.14917.
    pub source: &'static str,
}

const ABLATION: &str = "Eq. 9, Table I";

impl LossSettings {
    /// Each loss's name, in the order of the paper's table. A recipe can also say `one-minus-f1`
    /// for `one-minus-dice`.
    pub fn names() -> &'static [&'static str] {
        &[
            "cross-entropy",
            "weighted",
            "balanced",
            "recall",
            "focal",
            "ohem",
            "soft-iou",
            "soft-dice",
            "tversky",
            "lovasz",
            "ldam",
            "logit-adjusted",
            "one-minus-precision",
            "one-minus-dice",
            "one-minus-jaccard",
            "one-minus-tversky",
        ]
    }

    /// The name of this loss in recipes.
    pub fn name(&self) -> &'static str {
        self.about().name
    }

    /// Name, equation and source. There y is a pixel's class, p the softmax, t the truth (one-hot),
    /// ce = -log p_y.
    pub fn about(&self) -> About {
        let about = |name, equation, source| About { name, equation, source };
        match self {
            Self::CrossEntropy(_) => about("cross-entropy", "mean ce", "Eq. 1"),
            Self::Weighted(_) => {
                about("weighted", "sum w_y ce / sum w_y, w = (1 / frequency)^power", "Eq. 2")
            }
            Self::Balanced(_) => about(
                "balanced",
                "sum w_y ce / sum w_y, w = (1 - b) / (1 - b^n), b = (N - 1) / N",
                "Cui et al. 2019",
            ),
            Self::Recall(_) => about("recall", "mean w_y ce, w = FN / (FN + TP)", "Eq. 5"),
            Self::Focal(_) => about("focal", "mean (1 - p_y)^gamma ce", "Lin et al. 2017"),
            Self::Ohem(_) => about(
                "ohem",
                "mean ce of the share `keep` of the pixels with the highest",
                "Shrivastava et al. 2016",
            ),
            Self::SoftIou(_) => about(
                "soft-iou",
                "1 - mean over classes of sum p t / sum (p + t - p t)",
                "Rahman & Wang 2016",
            ),
            Self::SoftDice(_) => about(
                "soft-dice",
                "1 - mean over classes of 2 sum p t / sum (p + t)",
                "Milletari et al. 2016",
            ),
            Self::Tversky(_) => about(
                "tversky",
                "1 - mean over classes of TP / (TP + alpha FP + beta FN), soft",
                "Salehi et al. 2017",
            ),
            Self::Lovasz(_) => about(
                "lovasz",
                "mean over classes of the Lovasz extension of 1 - IoU",
                "Berman et al. 2018",
            ),
            Self::Ldam(_) => about(
                "ldam",
                "mean ce of scale (z - m_y t), m proportional to n^(-1/4)",
                "Cao et al. 2019",
            ),
            Self::LogitAdjusted(_) => {
                about("logit-adjusted", "mean ce of z + tau log frequency", "Menon et al. 2021")
            }
            Self::OneMinusPrecision(_) => {
                about("one-minus-precision", "mean w_y ce, w = 1 - TP / (TP + FP)", ABLATION)
            }
            Self::OneMinusDice(_) => about(
                "one-minus-dice",
                "mean w_y ce, w = 1 - 2 TP / (2 TP + FP + FN)",
                "Eq. 9, Table I; also named one-minus-f1",
            ),
            Self::OneMinusJaccard(_) => {
                about("one-minus-jaccard", "mean w_y ce, w = 1 - TP / (TP + FP + FN)", ABLATION)
            }
            Self::OneMinusTversky(_) => about(
                "one-minus-tversky",
                "mean w_y ce, w = 1 - TP / (TP + alpha FP + beta FN)",
                ABLATION,
            ),
        }
    }
}
